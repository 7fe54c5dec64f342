"""Racks and units that a lock keeps; new devices are placed around them, in what is free or in new racks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.fabric.tables import F8, I4, Fabric
from fabrictool.locks.tables import GONE, Lock
from fabrictool.placement.around import OTHERS, place_new
from fabrictool.placement.figures import TypeFigures
from fabrictool.placement.packing import NOTHING, Load, Supply, most_that_fit
from fabrictool.placement.racks import ROLES

if TYPE_CHECKING:
    from fabrictool.layout.model import RackGroup
    from fabrictool.layout.placing import Placing

_NUMBER = re.compile(r"(\d+)$")


@dataclass(frozen=True, slots=True)
class Kept:
    """Where devices stand, (devices,), lowest unit from 1; and group, role and name of each rack, (racks,)."""

    rack: I4
    unit: I4
    group: I4
    role: I4
    name: tuple[str, ...]


def group_words(groups: Sequence[RackGroup]) -> list[str]:
    """Return what a lock calls rack groups: by name, else by their place among those without one, from 1."""
    found, unnamed = [], 0
    for group in groups:
        unnamed += group.name is None
        found.append(group.name or str(unnamed))
    return found


def kept_places(
    lock: Lock, groups: Sequence[RackGroup], rooms: Sequence[Sequence[Load]], fabric: Fabric, figures: TypeFigures,
    roles: Sequence[Sequence[int]], placing: Placing,
) -> Kept:  # fmt: skip
    """Place devices where their lock says, and others around them as the layout's ``placement`` says.

    A locked place holds as long as its rack is there, high enough, and not taken by another; what a rack draws is not
    asked, for the device stands there.

    Parameters
    ----------
    lock : Lock
    groups : sequence of RackGroup
    rooms : sequence of sequence of Load, (roles, groups)
        What an empty rack has room for.
    fabric : Fabric
        With the names that the lock keeps.
    figures : TypeFigures
    roles : sequence of sequence of int
        Rows of the devices of each role.
    placing : Placing
    """
    hall = Filling(lock, groups, rooms, fabric, figures)
    for role, rows in enumerate(roles):
        hall.seat(role, rows)
    place_new(hall, roles, placing)
    return hall.kept()


@dataclass(slots=True)
class _Rack:
    """A rack while it is filled: what is left, and which units are taken, one bit each."""

    group: int
    role: int
    name: str
    room: Load
    units: int
    taken: int = 0
    devices: int = 0

    def holds(self, unit: int, height: int) -> bool:
        """Say whether units are there and free."""
        return unit >= 1 and unit - 1 + height <= self.units and not self.taken & _mask(unit, height)

    def lowest(self, height: int, units: int | None = None) -> int:
        """Return the lowest unit with so many free ones, 0 if there is none up to ``units``."""
        last = (self.units if units is None else units) - height + 2
        return next((unit for unit in range(1, last) if self.holds(unit, height)), 0)

    def put(self, unit: int, height: int, each: Load) -> None:
        """Take units and room for a device."""
        self.taken |= _mask(unit, height)
        self.room = self.room.less(each, 1)
        self.devices += 1

    def free(self, unit: int, height: int, each: Load) -> None:
        """Give back what a device took."""
        self.taken &= ~_mask(unit, height)
        self.room = self.room.less(each, -1)
        self.devices -= 1


def _mask(unit: int, height: int) -> int:
    return ((1 << height) - 1) << (unit - 1)


@dataclass
class Filling:
    """Racks while devices are placed."""

    lock: Lock
    groups: Sequence[RackGroup]
    rooms: Sequence[Sequence[Load]]
    fabric: Fabric
    figures: TypeFigures
    racks: list[_Rack] = field(default_factory=list)

    def __post_init__(self) -> None:
        count = len(self.fabric.devices)
        self.rack, self.unit = np.full(count, -1, np.int32), np.full(count, -1, np.int32)
        self.positions = [math.inf if group.count is None else float(group.count) for group in self.groups]
        self.types = self.fabric.devices.type.tolist()
        self.each = [self.figures.each(row) for row in range(len(self.fabric.types))]
        self.height = [0 if math.isnan(units) else math.ceil(units) for units in self.figures.units.tolist()]
        self.at: dict[str, int] = {}
        for group, role, name in self._locked_racks():
            self.at[name] = self._open(group, role, name)
        panels = self.lock.panels
        for rack, unit, state in zip(panels.rack, panels.unit.tolist(), panels.state.tolist(), strict=True):
            if unit > 0 and state != GONE and rack in self.at:
                self.racks[self.at[rack]].taken |= _mask(unit, 1)

    def _locked_racks(self) -> Iterator[tuple[int, int, str]]:
        """Yield group, role and name of locked racks that are still there: the first of each group."""
        table, words = self.lock.racks, group_words(self.groups)
        alive = [row for row in range(len(table)) if table.state[row] != GONE]
        missing = [word for word in dict.fromkeys(table.group[row] for row in alive) if word not in words]
        new = [word for word in words if word not in {table.group[row] for row in alive}]
        renamed = dict(zip(missing, new, strict=False))
        for row in alive:
            word = renamed.get(table.group[row], table.group[row])
            group = words.index(word) if word in words else -1
            if group >= 0 and self.positions[group] >= 1 and table.role[row] in ROLES:
                yield group, ROLES.index(table.role[row]), table.name[row]

    def _open(self, group: int, role: int, name: str = "") -> int:
        obeyed = role == 0 and self.groups[group].hosts_per_rack is not None
        units = 10_000 if obeyed else self.groups[group].type.u
        self.racks.append(_Rack(group, role, name, self.rooms[role][group], units))
        self.positions[group] -= 1
        return len(self.racks) - 1

    def seat(self, role: int, rows: Sequence[int]) -> None:
        """Put devices where the lock says, those of the type that it says first."""
        locked, names, known = self.lock.devices, self.fabric.names, self.lock.device_rows
        seats = [(row, known[names[row]]) for row in rows if names[row] in known]
        seats = [(row, at) for row, at in seats if locked.state[at] != GONE and locked.rack[at] in self.at]
        seats.sort(key=lambda pair: self.fabric.types[self.types[pair[0]]] != locked.type[pair[1]])
        for row, at in seats:
            place, unit = self.at[locked.rack[at]], int(locked.unit[at])
            rack, kind = self.racks[place], self.types[row]
            if rack.holds(unit, self.height[kind]) or self.figures.trays[kind] > 1:
                rack.put(max(unit, 1), self.height[kind], self._needs(role, place, kind))
                self.rack[row], self.unit[row] = place, unit

    def fill(self, role: int, rows: Sequence[int], within: set[int] | None = None) -> None:
        """Put the other devices of a role into racks with room, group by group, then into new racks.

        ``within`` are the racks with room that may be taken, all if absent; new ones are added.
        """
        left = [row for row in rows if self.rack[row] < 0]
        while left:
            kind = self.types[left[0]]
            end = next((at for at, row in enumerate(left) if self.types[row] != kind), len(left))
            run, left = left[:end], left[end:]
            for group in range(len(self.groups)):
                run = self._fill_group(role, group, kind, run, within)

    def _fill_group(
        self, role: int, group: int, kind: int, run: list[int], within: set[int] | None
    ) -> list[int]:  # fmt: skip
        """Place devices of a kind, and return those that found no room."""
        trays = int(self.figures.trays[kind])
        if trays == 1:
            for place, rack in enumerate(self.racks):
                if run and rack.group == group and rack.role == role and (within is None or place in within):
                    run = self._put(place, kind, run)
        if not run:
            return run
        supply = Supply(group, self.rooms[role][group], self.positions[group])
        taken = supply.take_whole(trays, len(run), 0) if trays > 1 else supply.take(self.each[kind], len(run), 0)
        racks = taken[0].tolist()
        first = len(self.racks)
        for _ in range(taken[1]):
            self._open(group, role)
        if within is not None:
            within |= set(range(first, len(self.racks)))
        for place in range(taken[1]):
            mine = [row for row, at in zip(run, racks, strict=False) if at == place] if trays > 1 else run
            after = self._put(first + place, kind, mine, whole=trays > 1)
            run = [row for row in run if self.rack[row] < 0] if trays > 1 else after
        return run

    def _put(self, place: int, kind: int, run: list[int], whole: bool = False) -> list[int]:
        """Put as many devices of a kind into a rack as it takes, and return the others."""
        rack, height, each = self.racks[place], self.height[kind], self.each[kind]
        count = len(run) if whole else int(min(most_that_fit(rack.room, each), len(run)))
        for done, row in enumerate(run[:count]):
            unit = rack.devices * height + 1 if whole else rack.lowest(height)
            if not unit:
                return run[done:]
            rack.put(unit, height, each)
            self.rack[row], self.unit[row] = place, unit
        return run[count:]

    def put(self, place: int, row: int) -> bool:
        """Put a device into a rack, if that has room for it."""
        return not self._put(place, self.types[row], [row])

    def put_beside(self, place: int, row: int) -> None:
        """Put a device of another kind into a rack of hosts, of which nothing else counts where that is asked for."""
        rack, kind = self.racks[place], self.types[row]
        unit = rack.lowest(self.height[kind], self.groups[rack.group].type.u)
        if unit:
            rack.put(unit, self.height[kind], self._needs(OTHERS, place, kind))
            self.rack[row], self.unit[row] = place, unit

    def _needs(self, role: int, place: int, kind: int) -> Load:
        """Return what a device takes of a rack: nothing beside hosts whose number alone counts."""
        beside = role == OTHERS and math.isfinite(self.racks[place].room.devices)
        return NOTHING if beside else self.each[kind]

    def take_out(self, rows: Sequence[int]) -> None:
        """Take devices out of their racks again."""
        for row in rows:
            if self.rack[row] >= 0:
                kind = self.types[row]
                self.racks[self.rack[row]].free(int(self.unit[row]), self.height[kind], self.each[kind])
                self.rack[row] = self.unit[row] = -1

    def open_one(self, role: int) -> list[int]:
        """Open a rack of the first group that has a position left, and return it."""
        group = next((at for at, left in enumerate(self.positions) if left >= 1), -1)
        return [] if group < 0 else [self._open(group, role)]

    def left(self, takes: F8) -> F8:
        """Return what units, W and kg racks have left, (racks, 3), whatever is asked of how many hosts they hold.

        Parameters
        ----------
        takes : ndarray, (devices, 3)
            What each device takes; NaN takes nothing.
        """
        left = np.array([self.rooms[OTHERS][rack.group][:3] for rack in self.racks], np.float64).reshape(-1, 3)
        on = self.rack >= 0
        for column, values in enumerate(takes.T):
            left[:, column] -= np.bincount(self.rack[on], np.nan_to_num(values[on]), len(left))
        whole = on & (self.figures.trays[self.fabric.devices.type] > 1)
        left[np.unique(self.rack[whole])] = 0
        return left

    def kept(self) -> Kept:
        """Return racks by role and group, the locked ones first, with names; and where devices stand."""
        used = [place for place, rack in enumerate(self.racks) if rack.devices]
        order = sorted(used, key=lambda place: (self.racks[place].role, self.racks[place].group, place))
        names = self._names(order)
        new_row = np.full(len(self.racks) + 1, -1, np.int32)
        new_row[order] = np.arange(len(order), dtype=np.int32)
        group, role = (np.array([getattr(self.racks[place], key) for place in order], np.int32)
                       for key in ("group", "role"))  # fmt: skip
        return Kept(new_row[self.rack], self.unit, group, role, tuple(names))

    def _names(self, order: Sequence[int]) -> list[str]:
        """Return names of racks; new ones go on after the highest number that was ever given."""
        new = [place for place in order if not self.racks[place].name]
        prefixes = {place: _prefix(self.groups[self.racks[place].group]) for place in new}
        numbers = {prefix: self._numbers(prefix) for prefix in prefixes.values()}
        following = {prefix: max((number for number, _ in found), default=0) for prefix, found in numbers.items()}
        total = {prefix: following[prefix] + list(prefixes.values()).count(prefix) for prefix in numbers}
        found = []
        for place in order:
            name = self.racks[place].name
            if not name:
                prefix = prefixes[place]
                following[prefix] += 1
                width = numbers[prefix][0][1] if numbers[prefix] else max(2, len(str(total[prefix])))
                name = f"{prefix}{following[prefix]:0{width}d}"
            found.append(name)
        return found

    def _numbers(self, prefix: str) -> list[tuple[int, int]]:
        """Return numbers and their digits in names of locked racks that begin alike."""
        matches = [_NUMBER.search(name) for name in self.lock.racks.name]
        return [
            (int(match[1]), len(match[1]))
            for match in matches
            if match is not None and match.string[: match.start()] == prefix
        ]


def _prefix(group: RackGroup) -> str:
    return f"{group.name}-" if group.name else "r"


def kept_cells(lock: Lock, names: Sequence[str], order: I4, total: int, each: int, stated: bool) -> tuple[int, int, I4]:
    """Return rows and racks of a row of a floor, and the cell of each rack, (racks,), those of the lock first.

    Parameters
    ----------
    lock : Lock
    names : sequence of str
        Of racks.
    order : ndarray of int32, (racks,)
        Racks in the order in which they take free cells.
    total, each : int
        Rows and racks of a row, as the layout asks.
    stated : bool
        Whether the layout states the racks of a row; else those of the lock stay.
    """
    each = each if stated or not lock.per_row else lock.per_row
    cell = np.full(len(names), -1, np.int32)
    taken: set[int] = set()
    for rack, name in enumerate(names):
        row = lock.rack_rows.get(name, -1)
        if row >= 0 and lock.racks.position[row] <= each:
            at = int((lock.racks.row[row] - 1) * each + lock.racks.position[row] - 1)
            if at not in taken:
                cell[rack] = at
                taken.add(at)
    free = (at for at in range(len(names) + len(taken)) if at not in taken)
    for rack in order.tolist():
        if cell[rack] < 0:
            cell[rack] = next(free)
    return max(math.ceil((int(cell.max(initial=0)) + 1) / each), total if stated else 1), each, cell
