"""What in a lock cannot all be true."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from fabrictool.errors import Problem
from fabrictool.locks.tables import GONE, I4, Lock

_ONE = "keep one of the two lines, or give the other its own"


def contradictions(lock: Lock, lines: Mapping[str, Sequence[int]]) -> list[Problem]:
    """Return what contradicts itself, with both lines.

    Parameters
    ----------
    lock : Lock
    lines : mapping of str to sequence of int
        Line of each row of the racks, devices and cables.
    """
    found = sorted(_contradictions(lock, lines), key=lambda pair: pair[0])
    return [Problem(f"{lock.source}:{line}:1", what, fix) for line, what, fix in found]


def _contradictions(lock: Lock, lines: Mapping[str, Sequence[int]]) -> Iterator[tuple[int, str, str]]:
    racks, devices = lock.racks, lock.devices
    here, there, at = lines["rack"], lines["device"], lines["cable"]
    yield from _twice(racks.name, here, "the rack", _ONE)
    stand = np.flatnonzero(racks.state != GONE).tolist()
    cells = [f"row {racks.row[row]}, position {racks.position[row]}" for row in stand]
    yield from _twice(cells, [here[row] for row in stand], "a rack at", "move one of the two")
    yield from _twice(devices.name, there, "the device", _ONE)
    alive = np.flatnonzero(devices.state != GONE).tolist()
    for title, words in (("the place", devices.place), ("the GUID", devices.guid), ("the serial number",
                                                                                    devices.serial)):  # fmt: skip
        yield from _twice([words[row] for row in alive], [there[row] for row in alive], title, _ONE)
    for row in alive:
        if devices.rack[row] and devices.rack[row] not in lock.rack_rows:
            fix = "name a rack of the lock, or delete rack and unit to have the device placed anew"
            yield there[row], f"rack '{devices.rack[row]}' of {devices.name[row]} has no line", fix
        if devices.guid[row] and not _is_guid(devices.guid[row]):
            yield there[row], f"GUID '{devices.guid[row][:40]}' of {devices.name[row]}", "write 16 hexadecimal digits"
    yield from _cables(lock, at)
    yield from _panels(lock, lines)


def _panels(lock: Lock, lines: Mapping[str, Sequence[int]]) -> Iterator[tuple[int, str, str]]:
    """Yield panels and trunks that share a name or a place, or that stand nowhere, and fibres that share a port."""
    panels, trunks, patches = lock.panels, lock.trunks, lock.patches
    yield from _twice(panels.name, lines["panel"], "the panel", _ONE)
    yield from _twice(trunks.name, lines["trunk"], "the trunk", _ONE)
    there = [row for row in np.flatnonzero(panels.state != GONE).tolist() if panels.unit[row]]
    places = [f"{panels.rack[row]} unit {panels.unit[row]}" for row in there]
    yield from _twice(places, [lines["panel"][row] for row in there], "a panel in", "move one of the two")
    for table, word, racks in ((panels, "panel", panels.rack), (trunks, "trunk", trunks.rack_a),
                               (trunks, "trunk", trunks.rack_z)):  # fmt: skip
        for row in np.flatnonzero(table.state != GONE).tolist():
            if racks[row] not in lock.rack_rows:
                what = f"rack '{racks[row]}' of {table.name[row]} has no line"
                yield lines[word][row], what, "name a rack of the lock, or delete the line to have it planned anew"
    ends = (*zip(patches.a.tolist(), patches.a_port.tolist(), strict=True),
            *zip(patches.z.tolist(), patches.z_port.tolist(), strict=True))  # fmt: skip
    ports = [f"{panels.name[row]}:{port}" if row >= 0 else "" for row, port in ends]
    yield from _twice(ports, [*lines["patch"], *lines["patch"]], "the port", _ONE)
    ways = zip(patches.trunk.tolist(), patches.plug.tolist(), strict=True)
    plugs = [f"{trunks.name[row]}:{plug}" if row >= 0 else "" for row, plug in ways]
    yield from _twice(plugs, lines["patch"], "the plug", _ONE)


def _is_guid(word: str) -> bool:
    digits = word.lower().removeprefix("0x").replace(":", "")
    return len(digits) == 16 and all(letter in "0123456789abcdef" for letter in digits)


def _cables(lock: Lock, lines: Sequence[int]) -> Iterator[tuple[int, str, str]]:
    """Yield cables that share an identity, or a port while both are there."""
    cables = lock.cables
    legs = lock.cable_codes << 16 | np.minimum(cables.leg, 65535)
    yield from _same(legs, lines, lambda row: f"leg {cables.leg[row]} of the cable '{cables.id[row]}'", _ONE)
    rows = np.flatnonzero((cables.state != GONE) & (cables.a >= 0) & (cables.z >= 0))
    ends = np.concatenate((_port(cables.a[rows], cables.a_port[rows]), _port(cables.z[rows], cables.z_port[rows])))
    of = np.concatenate((rows, rows))
    words = lock.devices.name
    device, port = np.concatenate((cables.a[rows], cables.z[rows])), np.concatenate(
        (cables.a_port[rows], cables.z_port[rows]))  # fmt: skip
    yield from _same(
        ends, [lines[row] for row in of.tolist()], lambda row: f"the port {words[device[row]]}:{port[row]}",
        "say where one of the two cables is plugged in, or delete its line to have it planned anew",
    )  # fmt: skip


def _port(device: I4, port: I4) -> np.ndarray:
    return device.astype(np.int64) << 32 | port


def _same(codes: np.ndarray, lines: Sequence[int], said: Callable[[int], str], fix: str) -> Iterator[
    tuple[int, str, str]
]:  # fmt: skip
    order = np.argsort(codes, kind="stable")
    for row in np.flatnonzero(np.diff(codes[order]) == 0).tolist():
        first, second = sorted((lines[order[row]], lines[order[row + 1]]))
        yield second, f"{said(int(order[row + 1]))} stands in line {first} already", fix


def _twice(words: Iterable[str], lines: Sequence[int], title: str, fix: str) -> Iterator[tuple[int, str, str]]:
    first: dict[str, int] = {}
    for word, line in zip(words, lines, strict=True):
        if word and first.setdefault(word, line) != line:
            yield line, f"{title} '{word[:60]}' stands in line {first[word]} already", fix
