"""Reading a lock: every line is checked, and what is wrong is said with its place."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fabrictool.errors import InputError, Problem, did_you_mean
from fabrictool.locks.checks import contradictions
from fabrictool.locks.tables import (
    STATES,
    Lock,
    LockedCables,
    LockedDevices,
    LockedPanels,
    LockedPatches,
    LockedRacks,
    LockedTrunks,
    NamedGroups,
)
from fabrictool.locks.text import COLUMNS, END, MAGIC, MISSING, VERSION

SUFFIX = ".lock"
SHOWN = 20
#: Words whose lines messages name.
_LINED = ("rack", "device", "cable", "panel", "trunk", "patch")
_CONFLICT = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
_AGAIN = "take it from your version control, or remove it and lock anew: 'fabrictool cables LAYOUT --lock'"


def lock_path(layout: str) -> Path:
    """Return where the lock of a layout stands: beside it, under the same stem."""
    path = Path(layout)
    while path.suffix in (".gz", ".xz"):
        path = path.with_suffix("")
    return path.with_suffix(SUFFIX) if path.suffix in (".yaml", ".yml", "") else Path(f"{path}{SUFFIX}")


def lock_beside(layout: str, name: str) -> Lock | None:
    """Return the lock beside a layout file, None if there is none.

    Parameters
    ----------
    layout : str
        File name.
    name : str
        Of the layout, which the lock must bear.

    Raises
    ------
    InputError
        If it is broken, or that of another layout.
    """
    path = lock_path(layout)
    if not path.is_file():
        return None
    return of_layout(read_lock(str(path)), layout, name)


def of_layout(lock: Lock, layout: str, name: str) -> Lock:
    """Return a lock if it is that of a layout, given its file and its name.

    Raises
    ------
    InputError
        If it is that of another.
    """
    if lock.layout != name:
        what = f"is the lock of the layout '{lock.layout}', but {layout} is '{name}'"
        fix = f"write '{name}' there if the layout was renamed; else move the lock away, or the layout elsewhere"
        raise InputError([Problem(f"{lock.source}:1:1", what, fix)])
    return lock


def read_lock(path: str) -> Lock:
    """Read a lock.

    Raises
    ------
    InputError
        With all that is wrong with it, each with ``file:line:1``.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError([Problem(f"{path}:1:1", f"cannot be read: {error.strerror}", "check its name")]) from None
    return lock_from_bytes(path, content)


def lock_from_bytes(name: str, content: bytes) -> Lock:
    """Return the lock that bytes hold; ``name`` stands for the file in messages."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError([Problem(f"{name}:{line}:1", "is no text in UTF-8", _AGAIN)]) from None
    return lock_from_text(name, text)


def is_lock(head: bytes) -> bool:
    """Return whether the start of a file is that of a lock."""
    return head.removeprefix(b"\xef\xbb\xbf").startswith(MAGIC.encode())


def lock_from_text(name: str, text: str) -> Lock:
    """Return the lock that a text holds; ``name`` stands for the file in messages."""
    lines = _Lines(name, text)
    lock = _lock(lines)
    lines.problems += contradictions(lock, lock.lines)
    lines.refuse()
    return lock


class _Lines:
    """Lines of a lock by their first word, as columns, with what is wrong with them."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        lines = text.replace("\r\n", "\n").split("\n")
        self._refuse_conflicts(lines)
        version, self.layout = self._first(lines[0])
        self._refuse_cut(lines)
        self.columns: dict[str, list[Sequence[str]]] = {}
        self.numbers: dict[str, list[int]] = {}
        words = [line.partition(",")[0].rstrip() for line in lines]
        for word, columns in COLUMNS.items():
            places = [at for at, found in enumerate(words) if found == word]
            missing = MISSING.get(version, {}).get(word, ())
            there = tuple(column for column in columns if column not in missing)
            self._take(word, there, [lines[at] for at in places], places)
            for column in missing:
                self.columns[word].insert(columns.index(column) + 1, ("",) * len(self.numbers[word]))
        known = {*COLUMNS, MAGIC, END, ""}
        for at, word in enumerate(words):
            if word not in known and not lines[at].startswith("#"):
                self.add(at + 1, f"starts with '{word[:40]}', which no line of a lock does", did_you_mean(word, known))

    def _take(self, word: str, titles: Sequence[str], lines: list[str], places: list[int]) -> None:
        """Take the columns of lines that start with a word; one list of all their values is as fast as it gets."""
        due = len(titles) + 1
        if any('"' in line for line in lines):
            rows = [_fields(line) for line in lines]
            found = [len(row) for row in rows]
            flat = [value for row in rows if len(row) == due for value in row]
        else:
            found = [line.count(",") + 1 for line in lines]
            flat = ",".join(line.rstrip() for line, number in zip(lines, found, strict=True) if number == due).split(
                ","
            )
        self.columns[word] = [flat[at::due] for at in range(due)] if due in found else [()] * due
        self.numbers[word] = [at + 1 for at, number in zip(places, found, strict=True) if number == due]
        for at, number in zip(places, found, strict=True):
            if number != due:
                what = f"has {number - 1} values after '{word}', {due - 1} are due"
                self.add(at + 1, what, f"they are {', '.join(titles)}")

    def add(self, line: int, what: str, fix: str) -> None:
        """Note what is wrong with a line."""
        self.problems.append(Problem(f"{self.name}:{line}:1", what, fix))

    def refuse(self) -> None:
        """Raise what is wrong, in the order of lines."""
        if self.problems:
            found = sorted(self.problems, key=lambda problem: int(problem.where.rsplit(":", 2)[1]))
            more = [Problem(self.name, f"and {len(found) - SHOWN:,} more")] if len(found) > SHOWN else []
            raise InputError([*found[:SHOWN], *more])

    def _refuse_conflicts(self, lines: Sequence[str]) -> None:
        for at, line in enumerate(lines, 1):
            if line.startswith(_CONFLICT):
                what = f"a merge conflict is left: '{line[:20]}'"
                fix = "keep the lines of one side, then run 'fabrictool cables LAYOUT --lock', which adds what is new"
                raise InputError([Problem(f"{self.name}:{at}:1", what, fix)])

    def _first(self, line: str) -> tuple[int, str]:
        """Return the version and the name of the layout."""
        fields = _fields(line)
        if fields[0] != MAGIC or len(fields) != 3:
            what = f"does not start with '{MAGIC},{VERSION},' and the layout's name"
            raise InputError([Problem(f"{self.name}:1:1", what, _AGAIN)])
        if fields[1] not in {str(version) for version in range(1, VERSION + 1)}:
            what = f"is a lock of version '{fields[1]}', this fabrictool reads versions up to {VERSION}"
            raise InputError([Problem(f"{self.name}:1:1", what, "use the fabrictool that wrote it, or a newer one")])
        return int(fields[1]), fields[2]

    def _refuse_cut(self, lines: Sequence[str]) -> None:
        filled = [at for at, line in enumerate(lines, 1) if line.strip()]
        if lines[filled[-1] - 1].strip() != END:
            what = f"is cut: the last line is not '{END}'"
            raise InputError([Problem(f"{self.name}:{filled[-1]}:1", what, _AGAIN)])

    def column(self, word: str, title: str) -> tuple[str, ...]:
        """Return what lines say under a title."""
        return tuple(self.columns[word][COLUMNS[word].index(title) + 1])

    def numbers_of(self, word: str, title: str, least: int = 0, empty: int | None = None) -> npt.NDArray[np.int32]:
        """Return whole numbers; ``empty`` is what a missing one stands for."""
        words = self.column(word, title)
        found = _numbers(words if empty is None else [value or str(empty) for value in words], int)
        if found is not None and (found >= min(least, least if empty is None else empty)).all() and (
            found < 2**31).all():  # fmt: skip
            return np.asarray(found, np.int32)
        for line, value in zip(self.numbers[word], words, strict=True):
            good = value.isascii() and value.isdecimal() and least <= int(value) < 2**31
            if not (good or (not value and empty is not None)):
                self.add(line, f"{title} is '{value[:40]}'", f"write a whole number from {least}")
        return np.zeros(len(words), np.int32)

    def lengths_of(self, word: str, title: str) -> npt.NDArray[np.float64]:
        """Return lengths in m, NaN where there is none."""
        words = self.column(word, title)
        found = _numbers([value or "nan" for value in words], float)
        if found is not None and not ((found < 0) | np.isinf(found)).any():
            return np.asarray(found, np.float64)
        for line, value in zip(self.numbers[word], words, strict=True):
            if _numbers([value or "0"], float) is None or not 0 <= float(value or 0) < float("inf"):
                self.add(line, f"{title} is '{value[:40]}'", "write a length in m, such as 7.5, or nothing")
        return np.zeros(len(words))

    def states_of(self, word: str) -> npt.NDArray[np.int32]:
        """Return states as places in ``STATES``."""
        return self.places_of(word, "state", {state: place for place, state in enumerate(STATES)})

    def places_of(self, word: str, title: str, known: dict[str, int], empty: bool = False) -> npt.NDArray[np.int32]:
        """Return which of the known words stand under a title, -1 for none."""
        words = self.column(word, title)
        found = np.array([known.get(value, -1) for value in words], np.int32)
        for at in np.flatnonzero(found < 0).tolist():
            if words[at] or not empty:
                what = f"{title} is '{words[at][:60]}', which the lock does not know"
                self.add(self.numbers[word][at], what, did_you_mean(words[at], list(known)[:5000]))
        return found


def _fields(line: str) -> list[str]:
    if line.startswith("#"):
        return []
    return next(csv.reader([line]), []) if '"' in line else line.rstrip().split(",")


def _numbers(words: Iterable[str], dtype: Any) -> Any:
    try:
        return np.array([dtype(word) for word in words])
    except (ValueError, OverflowError):
        return None


def _lock(lines: _Lines) -> Lock:
    """Make tables of lines."""
    floor = lines.numbers_of("floor", "racks a row", 1)
    of = lines.column
    groups = NamedGroups(
        of("group", "network"), of("group", "kind"), of("group", "title"),
        tuple(lines.numbers_of("group", "digits", 1).tolist()),
    )  # fmt: skip
    racks = LockedRacks(
        of("rack", "name"), of("rack", "group"), of("rack", "role"), lines.numbers_of("rack", "row", 1),
        lines.numbers_of("rack", "position", 1), lines.states_of("rack"),
    )  # fmt: skip
    devices = LockedDevices(
        of("device", "name"), of("device", "place"), of("device", "type"), of("device", "rack"),
        lines.numbers_of("device", "unit", 1, 0), of("device", "guid"), of("device", "serial"),
        lines.states_of("device"),
    )  # fmt: skip
    media = list(zip(*lines.columns["medium"][2:], strict=True))
    slack = lines.lengths_of("way", "slack [m]").tolist()
    ways = tuple(zip(lines.column("way", "trays"), slack, strict=True))
    return Lock(lines.name, lines.layout, int(floor[0]) if len(floor) else 0, groups, racks, devices,
                _cables(lines, devices.name), tuple(media), ways, lines.column("phase", "phase"), *_panels(lines),
                {word: lines.numbers[word] for word in _LINED})  # fmt: skip


def _panels(lines: _Lines) -> tuple[LockedPanels, LockedTrunks, LockedPatches]:
    of = lines.column
    panels = LockedPanels(
        of("panel", "name"), of("panel", "rack"), lines.numbers_of("panel", "unit", 1, 0), of("panel", "side"),
        lines.numbers_of("panel", "ports", 1), lines.states_of("panel"),
    )  # fmt: skip
    trunks = LockedTrunks(
        of("trunk", "name"), of("trunk", "rack a"), of("trunk", "rack z"), of("trunk", "medium"),
        of("trunk", "connector"), lines.numbers_of("trunk", "plugs", 1), lines.lengths_of("trunk", "length [m]"),
        of("trunk", "serial"), lines.states_of("trunk"),
    )  # fmt: skip
    known = {name: row for row, name in enumerate(panels.name)}
    patches = LockedPatches(
        of("patch", "cable"), lines.numbers_of("patch", "strand", 1), lines.places_of("patch", "panel a", known),
        lines.numbers_of("patch", "port a", 1), lines.lengths_of("patch", "cord a [m]"),
        lines.places_of("patch", "trunk", {name: row for row, name in enumerate(trunks.name)}),
        lines.numbers_of("patch", "plug", 1), lines.places_of("patch", "panel z", known),
        lines.numbers_of("patch", "port z", 1), lines.lengths_of("patch", "cord z [m]"),
    )  # fmt: skip
    return panels, trunks, patches


def _cables(lines: _Lines, names: tuple[str, ...]) -> LockedCables:
    device = {name: row for row, name in enumerate(names)}
    codes = {word: {code: row for row, code in enumerate(lines.column(word, "code"))}
             for word in ("medium", "way", "phase")}  # fmt: skip
    return LockedCables(
        lines.column("cable", "id"), lines.numbers_of("cable", "leg", 1),
        lines.places_of("cable", "device a", device), lines.numbers_of("cable", "port a", 0),
        lines.places_of("cable", "device z", device), lines.numbers_of("cable", "port z", 0),
        lines.places_of("cable", "medium", codes["medium"], empty=True), lines.lengths_of("cable", "length [m]"),
        lines.lengths_of("cable", "route [m]"), lines.places_of("cable", "way", codes["way"], empty=True),
        lines.places_of("cable", "phase", codes["phase"], empty=True), lines.numbers_of("cable", "bundle", 1, 0),
        lines.column("cable", "colour"), lines.column("cable", "label a"), lines.column("cable", "label z"),
        lines.column("cable", "serial"),
        lines.states_of("cable"),
    )  # fmt: skip
