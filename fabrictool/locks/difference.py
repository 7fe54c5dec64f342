"""What differs between two locks: racks, devices and cables added, removed, moved, and how far they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fabrictool.locks.changes import CHANGES, THINGS, LockChange, recorded, state_change
from fabrictool.locks.structured import structured_changes
from fabrictool.locks.tables import GONE, STATES, Lock
from fabrictool.tabular import Table

Rows = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LockDifference:
    """All that differs between two locks."""

    old: Lock
    new: Lock
    changes: tuple[LockChange, ...] = field(default=())

    def of(self, thing: str, change: str) -> list[LockChange]:
        """Return the changes of a kind."""
        return [row for row in self.changes if (row.thing, row.change) == (thing, change)]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many racks, devices and cables changed in each way."""
        found = Counter((row.thing, row.change) for row in self.changes)
        return {thing: {change: found[thing, change] for change in CHANGES if found[thing, change]} for thing in THINGS}

    def summary(self, title: str) -> Table:
        """Return as a table how many racks, devices and cables changed in each way, and how many are alike."""
        counts = self.counts()
        words = [change for change in CHANGES if any(change in counts[thing] for thing in THINGS)]
        rows = [
            (thing, before, after, *(counts[thing].get(change, 0) for change in words))
            for thing, before, after in self._totals()
        ]
        return Table.from_rows(title, ["what", "before", "after", *words], rows)

    def _totals(self) -> Iterator[tuple[str, int, int]]:
        for thing in THINGS[:-1]:
            tables = (getattr(lock, f"{thing}s") for lock in (self.old, self.new))
            old, new = (int(np.count_nonzero(table.state != GONE)) for table in tables)
            if old or new or thing in ("rack", "device"):
                yield thing, old, new
        both = (self.old.cables, self.new.cables)
        old, new = (int(np.count_nonzero((table.state != GONE) & (table.leg == 1))) for table in both)
        yield "cable", old, new

    def table(self, title: str, most: int | None = None) -> Table:
        """Return the changes as a table, at most so many of a kind; the last row of a kind says how many are left."""
        headings = ["change", "what", "name", "state", "old", "new", "reason"]
        rows: list[tuple[str, ...]] = []
        count: Counter[tuple[str, str]] = Counter()
        for row in self.changes:
            count[row.change, row.thing] += 1
            if most is None or count[row.change, row.thing] <= most:
                rows.append((row.change, row.thing, row.name, row.state, row.old, row.new, row.reason))
        for (change, thing), number in count.items():
            if most is not None and number > most:
                rows.append((change, thing, f"and {number - most:,} more", "", "", "", ""))
        rows.sort(key=lambda row: (CHANGES.index(row[0]), THINGS.index(row[1])))
        return Table.from_rows(title, headings, rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON of ``compare`` for locks."""
        return {
            "format": 1,
            "locks": [self.old.source, self.new.source],
            "counts": self.counts(),
            "changes": [row.to_dict() for row in self.changes],
        }


def difference(old: Lock, new: Lock) -> LockDifference:
    """Return what differs between two locks, first what must be moved."""
    found = [*_racks(old, new), *_devices(old, new), *structured_changes(old, new), *_cables(old, new)]
    found.sort(key=lambda row: (CHANGES.index(row.change), THINGS.index(row.thing)))
    return LockDifference(old, new, tuple(found))


def _alive(lock: Lock, word: str) -> dict[str, int]:
    table = getattr(lock, word)
    names = table.id if word == "cables" else table.name
    return {names[row]: row for row in np.flatnonzero(table.state != GONE).tolist()}


def _racks(old: Lock, new: Lock) -> Iterator[LockChange]:
    was, now = _alive(old, "racks"), _alive(new, "racks")
    for name, row in was.items():
        place, state = _cell(old, row), STATES[old.racks.state[row]]
        if name not in now:
            yield LockChange("rack", "removed", name, place, "", "nothing stands in it", state)
        elif _cell(new, now[name]) != place:
            reason = "its place is outside the rows of the hall"
            yield LockChange("rack", "moved", name, place, _cell(new, now[name]), reason, state)
        else:
            yield from state_change("rack", name, state, STATES[new.racks.state[now[name]]])
    yield from (LockChange("rack", "added", name, "", _cell(new, row)) for name, row in now.items() if name not in was)


def _cell(lock: Lock, row: int) -> str:
    return f"row {lock.racks.row[row]:02d} position {lock.racks.position[row]:02d}"


def _devices(old: Lock, new: Lock) -> Iterator[LockChange]:
    was, now = _alive(old, "devices"), _alive(new, "devices")
    racks = _alive(new, "racks")
    stands = {(new.devices.rack[row], int(new.devices.unit[row])): name for name, row in now.items()}
    for name, row in was.items():
        seat, state, at = _seat(old, row), STATES[old.devices.state[row]], now.get(name, -1)
        if at < 0:
            yield LockChange("device", "removed", name, seat, "", "the layout has no such device", state)
            continue
        if new.devices.type[at] != old.devices.type[row]:
            types = (old.devices.type[row], new.devices.type[at])
            yield LockChange("device", "exchanged", name, *types, "the layout states another type", state)
        if _seat(new, at) != seat:
            rack = old.devices.rack[row]
            other = stands.get((rack, int(old.devices.unit[row])), "")
            reason = (
                "" if not rack else f"{rack} is no longer there" if rack not in racks
                else f"{other} stands there" if other else f"it has no room in {rack} at that height"
            )  # fmt: skip
            yield LockChange("device", "moved", name, seat, _seat(new, at), reason, state)
        yield from recorded("device", name, old.devices, new.devices, row, at, ("guid", "serial"))
        yield from state_change("device", name, state, STATES[new.devices.state[at]])
    yield from (LockChange("device", "added", name, "", _seat(new, at)) for name, at in now.items() if name not in was)


def _seat(lock: Lock, row: int) -> str:
    rack, unit = lock.devices.rack[row], int(lock.devices.unit[row])
    return f"{rack} unit {unit}" if unit > 0 else rack


def _cables(old: Lock, new: Lock) -> Iterator[LockChange]:
    """Yield changes of cables, leg by leg; only what differs is looked at one by one."""
    was, now = _Legs(old), _Legs(new)
    place = now.rows_of(was.keys)
    gone, kept = np.flatnonzero(place < 0), np.flatnonzero(place >= 0)
    device = {name for name, row in _alive(new, "devices").items()}
    plugged = now.ports() if len(gone) else {}
    for row in was.rows[gone].tolist():
        if old.cables.leg[row] == 1:
            reason = _why_gone(old, new, row, device, plugged)
            yield LockChange("cable", "removed", old.cables.id[row], was.ends(row), "", reason,
                             STATES[old.cables.state[row]])  # fmt: skip
    mine, theirs = was.rows[kept], now.rows[place[kept]]
    differs = _differ(old, new, mine, theirs)
    for row, at in zip(mine[differs].tolist(), theirs[differs].tolist(), strict=True):
        yield from _cable(old, new, row, at, was, now)
    for leg in np.flatnonzero(was.rows_of(now.keys) < 0).tolist():
        row = int(now.rows[leg])
        if new.cables.leg[row] == 1:
            yield LockChange("cable", "added", new.cables.id[row], "", now.ends(row))


def _differ(old: Lock, new: Lock, mine: Rows, theirs: Rows) -> Bool:
    """Return of pairs of links whether anything differs, (pairs,)."""
    before, after = old.cables, new.cables
    device = np.array([new.device_rows.get(name, -1) for name in old.devices.name] or [0], np.int64)
    media = {words: row for row, words in enumerate(new.media)}
    medium = np.array([*(media.get(words, -2) for words in old.media), -1], np.int64)
    found = device[before.a[mine]] != after.a[theirs]
    found |= device[before.z[mine]] != after.z[theirs]
    found |= medium[before.medium[mine]] != after.medium[theirs]
    for key in ("a_port", "z_port", "state"):
        found |= getattr(before, key)[mine] != getattr(after, key)[theirs]
    found |= np.nan_to_num(before.length_m[mine], nan=-1) != np.nan_to_num(after.length_m[theirs], nan=-1)
    steps = [np.array([*lock.phases, ""], dtype=object)[lock.cables.phase[rows]]
             for lock, rows in ((old, mine), (new, theirs))]  # fmt: skip
    found |= (steps[0] != steps[1]).astype(bool)
    for key in ("label_a", "label_z", "serial"):
        words = (np.array([*getattr(table, key), ""], dtype=object) for table in (before, after))
        was, now = (column[rows] for column, rows in zip(words, (mine, theirs), strict=True))
        found |= (was != now).astype(bool)
    return np.asarray(found, np.bool_)


class _Legs:
    """Links of a lock whose cables are there."""

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        cables = lock.cables
        self.rows = np.flatnonzero(cables.state != GONE)
        legs = cables.leg.tolist()
        self.keys = [(cables.id[row], legs[row]) for row in self.rows.tolist()]
        self.place = {key: at for at, key in enumerate(self.keys)}

    def rows_of(self, keys: Sequence[tuple[str, int]]) -> Any:
        """Return the place of each leg among these, -1 for none."""
        return np.array([self.place.get(key, -1) for key in keys], np.int64)

    def ports(self) -> dict[tuple[str, int], int]:
        """Return the row of the cable at each device and port."""
        cables, names = self.lock.cables, self.lock.devices.name
        found: dict[tuple[str, int], int] = {}
        for device, port in ((cables.a, cables.a_port), (cables.z, cables.z_port)):
            ends = zip(device[self.rows].tolist(), port[self.rows].tolist(), strict=True)
            found |= {(names[at], number): row for (at, number), row in zip(ends, self.rows.tolist(), strict=True)}
        return found

    def ends(self, row: int) -> str:
        """Return both ends of a link."""
        cables, names = self.lock.cables, self.lock.devices.name
        return f"{names[cables.a[row]]}:{cables.a_port[row]} - {names[cables.z[row]]}:{cables.z_port[row]}"

    def step(self, row: int) -> str:
        """Return the step in which a cable is laid, empty where the lock does not say."""
        code = int(self.lock.cables.phase[row])
        return self.lock.phases[code] if code >= 0 else ""

    def made(self, row: int) -> str:
        """Return what a cable is."""
        cables = self.lock.cables
        medium, speed, *_ = [*self.lock.media, ("",) * 5][cables.medium[row]]
        words = (medium or "unknown", f"{speed}G" if speed else "", f"{cables.length_m[row]:g} m")
        return " ".join(word for word in words if word)


def _cable(old: Lock, new: Lock, row: int, at: int, was: _Legs, now: _Legs) -> Iterator[LockChange]:
    name, state = old.cables.id[row], STATES[old.cables.state[row]]
    if was.ends(row) != now.ends(at):
        yield LockChange("cable", "moved", name, was.ends(row), now.ends(at), "the layout joins other ports", state)
    elif was.made(row) != now.made(at):
        yield LockChange("cable", "exchanged", name, was.made(row), now.made(at), "", state)
    elif (old.cables.label_a[row], old.cables.label_z[row]) != (new.cables.label_a[at], new.cables.label_z[at]):
        labels = (old.cables.label_a[row], new.cables.label_a[at])
        yield LockChange("cable", "relabelled", name, *labels, _where_to(old, new, row, at), state)
    elif was.step(row) and was.step(row) != now.step(at):
        yield LockChange("cable", "recorded", name, was.step(row), now.step(at), "phase", state)
    yield from recorded("cable", name, old.cables, new.cables, row, at, ("serial",))
    yield from state_change("cable", name, state, STATES[new.cables.state[at]])


def _where_to(old: Lock, new: Lock, row: int, at: int) -> str:
    """Say which of a cable's devices stand elsewhere."""
    ends = ((old.cables.a[row], new.cables.a[at]), (old.cables.z[row], new.cables.z[at]))
    moved = [new.devices.name[now] for was, now in ends if _seat(old, int(was)) != _seat(new, int(now))]
    return f"{' and '.join(moved)} stand{'' if len(moved) > 1 else 's'} elsewhere" if moved else ""


def _why_gone(old: Lock, new: Lock, row: int, device: set[str], plugged: dict[tuple[str, int], int]) -> str:
    """Say why a cable is no longer there."""
    cables = old.cables
    ends = [(old.devices.name[at[row]], int(port[row])) for at, port in ((cables.a, cables.a_port),
                                                                         (cables.z, cables.z_port))]  # fmt: skip
    lost = [name for name, _ in ends if name not in device]
    if lost:
        return f"{' and '.join(lost)} removed"
    taken = [f"{new.cables.id[plugged[end]]} is plugged into {end[0]}:{end[1]}" for end in ends if end in plugged]
    return taken[0] if taken else "the layout joins these ports no more"
