"""Cables that a lock keeps: identity, medium, length and label of every cable whose ends are where they were."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fabrictool.cabling.choice import Option
from fabrictool.cabling.routes import Seats
from fabrictool.fabric.grouping import grouped, parts
from fabrictool.fabric.tables import F8, I4, Bool, Fabric
from fabrictool.locks.tables import GONE, STATES, Lock
from fabrictool.locks.wiring import Plugged, plugged
from fabrictool.placement import Placement
from fabrictool.placement.standing import Floor

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pins:
    """Which locked cables are kept.

    Parameters
    ----------
    lock : Lock
    row : ndarray of int64, (links,)
        Row of the lock's cables that a link lies in, -1 for a link in a new cable.
    moved : ndarray of bool, (links,)
        Whether an end of the cable is plugged elsewhere, or its device stands elsewhere: way and labels are new.
    """

    lock: Lock
    row: Rows
    moved: Bool

    def without(self, links: Rows) -> Pins:
        """Return pins without those of some links: they take new cables."""
        row, moved = self.row.copy(), self.moved.copy()
        row[links], moved[links] = -1, False
        return replace(self, row=row, moved=moved)

    def codes(self) -> Rows:
        """Return a number for each link, (links,): links of one kept cable share it; -1 for those in a new one."""
        return np.where(self.row >= 0, np.append(self.lock.cable_codes, -1)[self.row], -1)

    def together(self, group: Rows) -> Rows:
        """Return groups of links that share a cable, (links,), with those of kept cables as they were."""
        return np.where(self.row >= 0, self.codes() + group.max(initial=-1) + 1, group)

    def splits(self, low: I4, high: I4) -> Rows:
        """Return the split of the cable of each link, (links,), by the cages at its ends.

        As in :class:`~fabrictool.cabling.sharing.Sharing`: 0 for a cable with two ends.
        """
        code, split = self.codes(), np.zeros(len(self.row), np.int64)
        rows = np.flatnonzero(code >= 0)
        count = np.bincount(code[rows], minlength=1)
        several = rows[count[code[rows]] > 1]
        same = [_one_value(code[several], cage[several], len(count)) for cage in (low, high)]
        legs = count[code[several]]
        split[several] = np.where(same[0] & ~same[1], legs, np.where(same[1] & ~same[0], -legs, 0))
        return split

    def legs(self, own: I4) -> I4:
        """Return the leg of each link in its cable, (links,)."""
        return np.where(self.row >= 0, np.append(self.lock.cables.leg, 1)[self.row], own).astype(np.int32)

    def in_place(self, link: I4) -> Bool:
        """Say which cables, by their first links, are kept and lie where they lay, (cables,)."""
        return np.asarray((self.row[link] >= 0) & ~self.moved[link], np.bool_)

    def routes_m(self, link: I4, own: F8) -> F8:
        """Return the length of the way of each cable in m, (cables,)."""
        return np.where(self.in_place(link), np.append(self.lock.cables.route_m, np.nan)[self.row[link]], own)

    def ids(self, natural: Sequence[str], link: I4) -> list[str]:
        """Return the identity of each cable, (cables,), by its first link: the locked one, else one never given."""
        known = self.lock.cables.id
        taken = set(known)
        found = []
        for name, row in zip(natural, self.row[link].tolist(), strict=True):
            found.append(known[row] if row >= 0 else name if name not in taken else _next(name, taken))
        return found

    def words(self, found: Sequence[str], link: I4, locked: Sequence[str]) -> list[str]:
        """Return a text of each cable, (cables,): the locked one where the cable stays in its place."""
        rows = np.where(self.moved[link], -1, self.row[link]).tolist()
        return [locked[row] if row >= 0 else word for word, row in zip(found, rows, strict=True)]

    def phases(self, found: Sequence[str], link: I4) -> list[str]:
        """Return the step of each cable, (cables,): the locked one where the cable stays in its place."""
        rows = np.where(self.moved[link], -1, self.row[link])
        codes = np.append(self.lock.cables.phase, -1)[rows].tolist()
        return [self.lock.phases[code] if code >= 0 else word for word, code in zip(found, codes, strict=True)]

    def bundles(self, link: I4) -> I4:
        """Return the number of each cable's bundle, (cables,), by its first link; 0 where it is not kept as it lies."""
        rows = np.where(self.moved[link], -1, self.row[link])
        return np.asarray(np.append(self.lock.cables.bundle, 0)[rows], np.int32)

    def trays(self) -> list[str]:
        """Return the trays of each locked cable."""
        ways = [*(trays for trays, _ in self.lock.ways), ""]
        return [ways[row] for row in self.lock.cables.way.tolist()]

    def slack_m(self, link: I4, own: float) -> list[float]:
        """Return what is kept at both ends of each cable, (cables,), in m."""
        slack = np.array([*(slack for _, slack in self.lock.ways), own])
        of = np.append(self.lock.cables.way, -1)[np.where(self.moved[link], -1, self.row[link])]
        found: list[float] = slack[of].tolist()
        return found

    def states(self, link: I4) -> list[str]:
        """Return how far each cable is, (cables,); one that is plugged elsewhere is to be moved."""
        known = [*(STATES[state] for state in self.lock.cables.state.tolist()), STATES[0]]
        return [known[row] for row in self.row[link].tolist()]

    def labels(self) -> list[tuple[str, str] | None]:
        """Return the texts of both labels of each link, (links,), None where they are made anew."""
        cables = self.lock.cables
        pairs = [(a, z or mirrored(a)) for a, z in zip(cables.label_a, cables.label_z, strict=True)]
        rows = np.where(self.moved, -1, self.row).tolist()
        return [pairs[row] if row >= 0 else None for row in rows]


def mirrored(label: str) -> str:
    """Return the label of the other end, where both ends stand in it with a slash between."""
    near, _, far = label.partition("/")
    return f"{far}/{near}"


def _next(name: str, taken: set[str]) -> str:
    """Return the name with the least number behind that was never given, and remember it."""
    number = 2
    while f"{name}.{number}" in taken:
        number += 1
    taken.add(f"{name}.{number}")
    return f"{name}.{number}"


def shifted_devices(
    lock: Lock, fabric: Fabric, placement: Placement | None, seats: Seats | None, floor: Floor | None
) -> Bool:
    """Return which devices stand elsewhere than their lock says, or in a rack that does, (devices,)."""
    names = [*(placement.racks.name.tolist() if placement is not None else ()), ""]
    racks = seats.rack.tolist() if seats is not None else [-1] * len(fabric.devices)
    units = np.maximum(seats.unit, 0).tolist() if seats is not None else [0] * len(racks)
    was = dict(zip(lock.devices.name, zip(lock.devices.rack, lock.devices.unit.tolist(), strict=True), strict=True))
    now = [(names[rack], unit) for rack, unit in zip(racks, units, strict=True)]
    carried = _carried(lock, names, floor) if floor is not None else set()
    return np.array(
        [seat[0] in carried or was.get(name, seat) != seat for name, seat in zip(fabric.names, now, strict=True)],
        np.bool_,
    )


def _carried(lock: Lock, names: Sequence[str], floor: Floor) -> set[str]:
    """Return the racks that stand elsewhere on the floor."""
    cells = zip((floor.row + 1).tolist(), (floor.position + 1).tolist(), strict=True)
    known, racks = lock.rack_rows, lock.racks
    return {
        name
        for name, cell in zip(names, cells, strict=False)
        if name in known and cell != (int(racks.row[known[name]]), int(racks.position[known[name]]))
    }


def pins_of(lock: Lock, fabric: Fabric, cabled: Bool, shifted: Bool) -> Pins:
    """Return which locked cable each link may lie in: that at both its ports, else one that is plugged into one.

    Parameters
    ----------
    lock : Lock
    fabric : Fabric
        With names and ports that the lock keeps.
    cabled : ndarray of bool, (links,)
        Which links take a cable.
    shifted : ndarray of bool, (devices,)
        Which devices stand elsewhere.
    """
    ends = plugged(lock, fabric)
    at = np.full(len(fabric.ports) + 1, -1, np.int64)
    at[ends.a], at[ends.z] = ends.row, ends.row
    at[-1] = -1
    low, high = (at[port] for port in (fabric.links.port_a, fabric.links.port_z))
    row = np.where((low == high) & cabled, low, -1)
    moved = (row >= 0) & (shifted[fabric.ends[0]] | shifted[fabric.ends[1]])
    _move(lock, ends, (low, high), cabled, row, moved)
    return Pins(lock, row, moved)


def _move(lock: Lock, ends: Plugged, at: tuple[Rows, Rows], cabled: Bool, row: Rows, moved: Bool) -> None:
    """Give links the cable at one of their ports, the lower first, if it holds one link and is not kept elsewhere."""
    if not len(lock.cables):
        return
    single = np.bincount(lock.cable_codes)[lock.cable_codes] == 1
    for end in at:
        free = single.copy()
        free[row[row >= 0]] = False
        open_ = np.flatnonzero((row < 0) & cabled & (end >= 0))
        open_ = open_[free[end[open_]]]
        _, first = np.unique(end[open_], return_index=True)
        chosen = open_[first]
        row[chosen], moved[chosen] = end[chosen], True


def option_words(option: Option, bps: float) -> tuple[str, str, str, str, str]:
    """Return what a lock says of an option: medium, speed in Gbit/s, connector and modules at both ends."""
    direct = option.medium.direct
    a, z = ("" if direct else end.sku or end.name for end in (option.a, option.z))
    return option.medium.name, f"{bps / 1e9:g}", option.connector, a, z


def kept_options(
    pins: Pins, alike: Iterable[tuple[Rows, Callable[[int], Sequence[Option]], float]], wanted: F8, split: Rows
) -> tuple[Pins, list[tuple[Rows, Option]], F8]:
    """Return pins whose cable still fits, links by the option that they keep, and lengths of their cables in m.

    Parameters
    ----------
    pins : Pins
    alike : iterable of (links, options by split, speed in bit/s)
        Links whose ends are alike, and what gives all that may join them.
    wanted : ndarray, (links,)
        Length that a link needs, in m; a cable that is moved must be as long.
    split : ndarray of int64, (links,)
        Of each link's cable.
    """
    cables = pins.lock.cables
    length = np.append(cables.length_m, np.nan)[pins.row]
    found: list[tuple[Rows, Option]] = []
    lost = [np.flatnonzero(pins.moved & ~(length >= wanted - 1e-9))]
    for links, offered, bps in alike:
        mine = links[pins.row[links] >= 0]
        kinds, place = grouped(cables.medium[pins.row[mine]], split[mine])
        for (code, legs), part in zip(kinds, parts(place, len(kinds)), strict=True):
            rows = mine[part]
            by_words = {option_words(option, bps): option for option in reversed(offered(legs))}
            option = by_words.get(pins.lock.media[code]) if code >= 0 else None
            if option is not None:
                found.append((rows, option))
            elif code >= 0 or by_words:
                lost.append(rows)
    kept = pins.without(np.concatenate(lost))
    kept = kept.without(_broken(kept))
    rows_of = [(rows[kept.row[rows] >= 0], option) for rows, option in found]
    return kept, rows_of, np.where(kept.row >= 0, length, np.nan)


def _one_value(code: Rows, value: I4, codes: int) -> Bool:
    """Say of each row whether all rows of its code have one value."""
    low, high = np.full(codes, 2**62, np.int64), np.full(codes, -1, np.int64)
    np.minimum.at(low, code, value)
    np.maximum.at(high, code, value)
    return np.asarray(low[code] == high[code], np.bool_)


def _broken(pins: Pins) -> Rows:
    """Return the links of locked cables of which some leg is not kept."""
    code = pins.codes()
    if not len(code) or code.max() < 0:
        return np.zeros(0, np.int64)
    all_ = pins.lock.cable_codes
    due = np.bincount(all_[pins.lock.cables.state != GONE], minlength=int(all_.max()) + 1)
    kept = np.bincount(code[code >= 0], minlength=len(due))
    return np.flatnonzero((code >= 0) & (kept < due)[code])
