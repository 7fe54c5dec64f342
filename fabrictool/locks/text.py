"""A lock as text: one line an identity, in an order that growth does not change, so that differences are readable."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fabrictool.locks.tables import F8, STATES, Lock, LockedCables

MAGIC, VERSION, END = "fabrictool-lock", 3, "end"
#: What lines hold after their first word.
COLUMNS = {
    "floor": ("racks a row",),
    "group": ("network", "kind", "title", "digits"),
    "rack": ("name", "group", "role", "row", "position", "state"),
    "device": ("name", "place", "type", "rack", "unit", "guid", "serial", "state"),
    "medium": ("code", "medium", "speed [Gbit/s]", "connector", "module a", "module z"),
    "way": ("code", "trays", "slack [m]"),
    "phase": ("code", "phase"),
    "cable": (
        "id", "leg", "device a", "port a", "device z", "port z", "medium", "length [m]", "route [m]", "way", "phase",
        "bundle", "colour", "label a", "label z", "serial", "state",
    ),
    "panel": ("name", "rack", "unit", "side", "ports", "state"),
    "trunk": ("name", "rack a", "rack z", "medium", "connector", "plugs", "length [m]", "serial", "state"),
    "patch": (
        "cable", "strand", "panel a", "port a", "cord a [m]", "trunk", "plug", "panel z", "port z", "cord z [m]",
    ),
}  # fmt: skip
#: What lines of earlier versions do not hold.
MISSING: dict[int, dict[str, tuple[str, ...]]] = {1: {"cable": ("phase", "bundle")}, 2: {"cable": ("bundle",)}}
_HEAD = """\
# What labels, orders and records say of this layout. Fill in guid, serial and state (planned, ordered, installed);
# 'fabrictool cables LAYOUT --lock' keeps them. Delete the rack and the unit of a device, or a cable's line, to have
# them planned anew; delete a line that is 'removed' to give its name again.
"""
_NUMBERS = re.compile(r"(\d+)")


def lock_text(lock: Lock) -> str:
    """Return a lock as text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((MAGIC, VERSION, lock.layout))
    out.write(_HEAD)
    for word, rows in _sections(lock):
        out.write(f"# {','.join((word, *COLUMNS[word]))}\n")
        writer.writerows(rows)
    out.write(f"{END}\n")
    return out.getvalue()


def _sections(lock: Lock) -> Iterator[tuple[str, Iterable[Sequence[Any]]]]:
    groups, racks, devices = lock.groups, lock.racks, lock.devices
    if len(racks):
        yield "floor", [("floor", lock.per_row)]
    yield "group", _rows("group", groups.network, groups.group, groups.title, groups.digits)
    if len(racks):
        columns = [racks.name, racks.group, racks.role, racks.row.tolist(), racks.position.tolist(), _states(racks)]
        yield "rack", _ordered("rack", _by_name(racks.name), columns)
    unit = [unit or "" for unit in devices.unit.tolist()]
    words = [devices.name, devices.place, devices.type, devices.rack, unit, devices.guid, devices.serial]
    by_name = _by_name(devices.name)
    yield "device", _ordered("device", by_name, [*words, _states(devices)])
    yield "medium", (("medium", f"m{row}", *words) for row, words in enumerate(lock.media, 1))
    yield "way", (("way", f"w{row}", trays, _number(slack)) for row, (trays, slack) in enumerate(lock.ways, 1))
    yield "phase", (("phase", f"p{row}", phase) for row, phase in enumerate(lock.phases, 1))
    yield "cable", _cables(lock, by_name)
    if len(lock.panels):
        yield from _panels(lock)


def _panels(lock: Lock) -> Iterator[tuple[str, Iterable[Sequence[Any]]]]:
    """Yield panels and trunks by their names, and what is patched by cable."""
    panels, trunks, patches = lock.panels, lock.trunks, lock.patches
    unit = [unit or "" for unit in panels.unit.tolist()]
    columns = [panels.name, panels.rack, unit, panels.side, panels.ports.tolist(), _states(panels)]
    yield "panel", _ordered("panel", _by_name(panels.name), columns)
    ends = [trunks.name, trunks.rack_a, trunks.rack_z, trunks.medium, trunks.connector, trunks.plugs.tolist()]
    rest = [_lengths(trunks.length_m), trunks.serial, _states(trunks)]
    yield "trunk", _ordered("trunk", _by_name(trunks.name), [*ends, *rest])
    called = [[panels.name[row] for row in column.tolist()] for column in (patches.a, patches.z)]
    order = np.lexsort((patches.strand, _ranks(patches.cable))).tolist()
    yield "patch", _ordered("patch", order, [
        patches.cable, patches.strand.tolist(), called[0], patches.a_port.tolist(), _lengths(patches.a_cord_m),
        [trunks.name[row] for row in patches.trunk.tolist()], patches.plug.tolist(), called[1],
        patches.z_port.tolist(), _lengths(patches.z_cord_m),
    ])  # fmt: skip


def _ranks(names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the place of each name in the order in which people sort names."""
    place = {name: row for row, name in enumerate(sorted(set(names), key=natural))}
    return np.array([place[name] for name in names], np.int64)


def _cables(lock: Lock, by_name: list[int]) -> Iterable[Sequence[Any]]:
    """Return the lines of cables, by the device and the port at their lower ends."""
    cables = lock.cables
    rank = np.empty(len(by_name), np.int64)
    rank[by_name] = np.arange(len(by_name))
    place = np.lexsort((cables.leg, cables.a_port, rank[cables.a])) if len(cables) else np.zeros(0, np.int64)
    order = _ties_by_id(place, cables)
    rows = order.tolist()
    name = lock.devices.name
    numbers = [column[order].tolist() for column in (cables.leg, cables.a, cables.a_port, cables.z, cables.z_port)]
    leg, a, a_port, z, z_port = numbers
    medium, way, phase = (
        [f"{letter}{row + 1}" if row >= 0 else "" for row in column[order].tolist()]
        for letter, column in (("m", cables.medium), ("w", cables.way), ("p", cables.phase))
    )
    words = [[column[row] for row in rows] for column in (cables.id, cables.colour, cables.label_a, cables.label_z,
                                                          cables.serial)]  # fmt: skip
    states = [STATES[row] for row in cables.state[order].tolist()]
    return _rows(
        "cable", words[0], leg, [name[row] for row in a], a_port, [name[row] for row in z], z_port, medium,
        _lengths(cables.length_m[order]), _lengths(cables.route_m[order]), way, phase,
        [number or "" for number in cables.bundle[order].tolist()], *words[1:], states,
    )  # fmt: skip


def _ties_by_id(order: npt.NDArray[np.int64], cables: LockedCables) -> npt.NDArray[np.int64]:
    """Sort what was plugged into the same port, one after another, by identity."""
    key = np.stack((cables.a[order], cables.a_port[order], cables.leg[order]))
    start = np.flatnonzero(np.append(True, (np.diff(key) != 0).any(axis=0)))
    for first, end in zip(start.tolist(), [*start[1:].tolist(), len(order)], strict=True):
        if end - first > 1:
            order[first:end] = sorted(order[first:end].tolist(), key=lambda row: natural(cables.id[row]))
    return order


def _by_name(names: Sequence[str]) -> list[int]:
    return sorted(range(len(names)), key=lambda row: natural(names[row]))


def _ordered(word: str, order: list[int], columns: list[Any]) -> list[Sequence[Any]]:
    return [(word, *(column[row] for column in columns)) for row in order]


def _rows(word: str, *columns: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return zip((word,) * len(columns[0]), *columns, strict=True)


def _states(table: Any) -> list[str]:
    return [STATES[row] for row in table.state.tolist()]


def _lengths(values: F8) -> list[str]:
    """Return lengths as text, each different one made once."""
    different, place = np.unique(values, return_inverse=True)
    words = [_number(value) for value in different.tolist()]
    return [words[row] for row in place.tolist()]


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2f}".rstrip("0").rstrip(".")


def natural(word: str) -> tuple[tuple[int, str], ...]:
    """Return what sorts names as people do: numbers by value."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in _NUMBERS.split(word) if part)
