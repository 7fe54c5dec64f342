"""Placing a fabric's devices in the racks of its layout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, I4, KINDS, Fabric
from fabrictool.placement.figures import TypeFigures, has_figures, type_figures, types_in_use, with_assumed_units
from fabrictool.placement.heat_limits import LIMITS_W
from fabrictool.placement.locked import kept_places
from fabrictool.placement.packing import Load, Reserve, Supply, no_reserve
from fabrictool.placement.racks import ROLES, Placement, Racks, lowest_units, number_or_nan, rack_table
from fabrictool.placement.strategies import beside_hosts, bundles, dealt, evenly
from fabrictool.placement.unplaced import unplaced_findings
from fabrictool.records import Finding

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout, RackGroup
    from fabrictool.layout.placing import Placing

COMPUTE_KINDS = (KINDS.index("host"),)


def place(
    layout: Layout,
    fabric: Fabric,
    limits_w: Sequence[float | None] | None = None,
    extra_w: F8 | None = None,
    reserve: Reserve | None = None,
) -> Placement | None:
    """Place hosts, then switches and service hosts, in racks in row order.

    A rack takes ``hosts_per_rack`` where that is given, even when that is too many; else the most that fit
    of its units, its power (and the cooling limit that its group gives; where neither is known, what cooling of
    its kind usually carries off) and what it may carry. Groups are filled in order. Switches and service hosts get
    racks of their own, and so does each rack of a rack-scale host type, whole. The layout's ``placement`` changes
    that.

    Parameters
    ----------
    layout : Layout
        Gives the rack groups and the figures of device types.
    fabric : Fabric
        Gives the devices.
    limits_w : sequence of float or None, (groups,), optional
        What a rack of each group may draw, in W, as feeds and given limits say; the given limits if absent.
    extra_w : ndarray, (types,), optional
        What optics add to the maximum of one device of each type, in W.
    reserve : Reserve, optional
        What is kept free in racks for patch panels and cables.

    Returns
    -------
    Placement or None
        None if the layout has no racks.
    """
    if not layout.racks:
        return None
    given: list[float | None] = [group.power_limit_w for group in layout.racks] if limits_w is None else list(limits_w)
    limits = number_or_nan(given)
    figures, assumptions = with_assumed_units(type_figures(layout, fabric, extra_w), layout, fabric)
    rooms = _rooms(layout.racks, limits.tolist(), _greatest_w(fabric, figures), reserve)
    names, notes = None, list[Finding]()
    if layout.lock is not None and len(layout.lock.racks):
        hosts = [_obeyed(group, room) for group, room in zip(layout.racks, rooms[0], strict=True)]
        rows = [row.tolist() for row in _roles(fabric)]
        kept = kept_places(layout.lock, layout.racks, (hosts, rooms[1]), fabric, figures, rows, layout.placement)
        rack, unit, group, role, names = kept.rack, kept.unit, kept.group, kept.role, kept.name
    else:
        rack, group, role, notes = _fill(layout.racks, rooms, fabric, figures, layout.placement)
        unit = lowest_units(rack, figures.units[fabric.devices.type])
    return Placement(
        rack=rack,
        unit=unit,
        racks=with_whole_racks(rack_table(layout, group, role, limits, names), rack, fabric, figures),
        findings=(*unplaced_findings(layout.racks, rooms[1], fabric, figures, rack), *notes),
        assumptions=assumptions,
        extra_w=extra_w,
    )


def with_whole_racks(racks: Racks, rack: I4, fabric: Fabric, figures: TypeFigures) -> Racks:
    """Return the racks, those that are machines by themselves with their type; their weight holds the rack's own."""
    types = fabric.devices.type
    trays = np.flatnonzero((figures.trays[types] > 1) & (rack >= 0))
    if not len(trays):
        return racks
    whole = np.full(len(racks), -1)
    whole[rack[trays]] = types[trays]
    machine = whole >= 0
    return replace(
        racks,
        type=np.where(machine, np.array(fabric.types)[whole], racks.type),
        tare_kg=np.where(machine, 0.0, racks.tare_kg),
        capacity_kg=np.where(machine, np.nan, racks.capacity_kg),
    )


def empty_rack(group: RackGroup, limit_w: float) -> Load:
    """Return what an empty rack of a group has room for; an unknown limit is none."""
    known = [value for value in (limit_w, group.cooling_limit_w) if value is not None and not math.isnan(value)]
    most = min(known, default=math.inf)
    if group.power_cap_w is not None and group.power_cap_w <= most:
        most = math.inf  # held below its nameplates, it never draws more
    return Load(group.type.u, most, group.type.capacity_kg)


def _rooms(
    groups: Sequence[RackGroup], limits_w: Sequence[float], greatest_w: float, reserve: Reserve | None
) -> list[list[Load]]:
    """Return what an empty rack of each role and group has room for beside what is kept free, (roles, groups)."""
    kept = reserve or no_reserve(len(groups))
    rooms = []
    for role in range(len(ROLES)):
        empty = [empty_rack(group, limit) for group, limit in zip(groups, limits_w, strict=True)]
        cooled = [_cooled(group, room, role, greatest_w) for group, room in zip(groups, empty, strict=True)]
        rooms.append([room.less(kept.load(role, row), 1) for row, room in enumerate(cooled)])
    return rooms


def _cooled(group: RackGroup, room: Load, role: int, greatest_w: float) -> Load:
    """Return a rack of unknown limit with what its cooling usually carries off; one device stands there in any case.

    Beside cold plates that limits switches, whose heat goes to the air.
    """
    plates = group.cooling == "direct-to-chip" and ROLES[role] == "compute"
    if math.isfinite(room.power_w) or plates or group.power_cap_w is not None:
        return room
    return room._replace(power_w=max(LIMITS_W[group.cooling], greatest_w))


def _greatest_w(fabric: Fabric, figures: TypeFigures) -> float:
    """Return what the device that draws most of all takes, in W; racks that are one machine do not count."""
    used = types_in_use(fabric)
    drawn = figures.power_max_w[used[figures.trays[used] == 1]]
    return float(np.nan_to_num(drawn).max(initial=0.0))


def _fill(
    groups: Sequence[RackGroup], rooms: Sequence[Sequence[Load]], fabric: Fabric, figures: TypeFigures, placing: Placing
) -> tuple[I4, I4, I4, list[Finding]]:
    """Return the rack of each device, (devices,), group and role of each rack, (racks,), and what was not done."""
    filling = _Filling(groups, rooms, fabric, figures)
    hosts, others = _roles(fabric)
    filling.fill([_obeyed(group, room) for group, room in zip(groups, rooms[0], strict=True)], [hosts])
    racks = len(filling.group_of)
    others = filling.beside_hosts(others) if placing.switches == "in-rack" else others
    filling.hosts = racks
    filling.fill(rooms[1], bundles(placing.switches, fabric, others))
    notes = []
    if placing.switches == "dealt" and not filling.deal(others):
        message = "a rack cannot take its share of each kind of switch: they stand in order"
        fix = "racks of more units or power, or another placement of switches"
        notes.append(Finding("placement-not-dealt", "warning", "placement", message, fix))
    spare = filling.spread(hosts, racks) if placing.hosts == "even" else 0
    if placing.hosts == "even" and not spare:
        message = "hosts fill their racks: no positions are left to spread them over"
        fix = "give one kind of racks with a count above what is filled, or remove 'hosts: even'"
        notes.append(Finding("placement-not-even", "warning", "placement", message, fix))
    opened = len(filling.group_of) - spare
    role = np.array([0] * racks + [1] * (opened - racks) + [0] * spare, dtype=np.int32)
    return *_in_order(filling.rack, np.array(filling.group_of, dtype=np.int32), role), notes


def _roles(fabric: Fabric) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the rows of hosts, and of what else takes units."""
    compute = np.isin(fabric.devices.kind, COMPUTE_KINDS)
    return np.flatnonzero(compute), np.flatnonzero(~compute & has_figures(fabric))


class _Filling:
    """Racks while they are filled.

    Attributes
    ----------
    rack : ndarray of int32, (devices,)
        Rack of each device, -1 for none yet.
    group_of : list of int
        Group of each rack that is open.
    hosts : int
        Racks of hosts, which come first; all of them while hosts are placed.
    """

    def __init__(
        self, groups: Sequence[RackGroup], rooms: Sequence[Sequence[Load]], fabric: Fabric, figures: TypeFigures
    ) -> None:
        self.rooms, self.fabric, self.figures = rooms, fabric, figures
        self.positions: list[float] = [math.inf if group.count is None else group.count for group in groups]
        self.rack = np.full(len(fabric.devices), -1, dtype=np.int32)
        self.group_of: list[int] = []
        self.hosts = len(fabric.devices)
        types = fabric.devices.type
        self.takes = np.column_stack((figures.units, figures.power_max_w, figures.weight_kg))[types]

    def fill(self, rooms: Sequence[Load], parts: Sequence[npt.NDArray[np.int64]]) -> None:
        """Fill racks of the room that is given for each group; each part begins a rack of its own."""
        for part in parts:
            supplies = [Supply(g, room, self.positions[g]) for g, room in enumerate(rooms)]
            _fill_role(supplies, part, self.fabric, self.figures, self.rack, self.group_of)
            self.positions = [supply.positions for supply in supplies]

    def room(self) -> npt.NDArray[np.float64]:
        """Return what an empty rack has room for, (racks, 3): units, W and kg."""
        each = np.array([[room[:3] for room in rooms] for rooms in self.rooms], dtype=np.float64)
        role = (np.arange(len(self.group_of)) >= self.hosts).astype(np.int64)
        return np.asarray(each[role, np.array(self.group_of, dtype=np.int64)])

    def beside_hosts(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Put leaves beside the hosts under them; return what has no place there."""
        left, placed = self.room(), self.rack >= 0
        for column, takes in enumerate(self.takes.T):
            left[:, column] -= np.bincount(self.rack[placed], weights=np.nan_to_num(takes[placed]), minlength=len(left))
        whole = np.unique(self.rack[placed & (self.figures.trays[self.fabric.devices.type] > 1)])
        left[whole] = 0
        return beside_hosts(self.fabric, rows, self.rack, self.takes, left)

    def deal(self, rows: npt.NDArray[np.int64]) -> bool:
        """Deal devices to the racks that they fill, two at least where there may be; return whether all fit there."""
        rack, types = self.rack[rows], self.fabric.devices.type[rows].astype(np.int64)
        used = np.unique(rack[rack >= 0])
        if len(used) == 1 and np.count_nonzero(rack >= 0) > 1:
            used = np.append(used, self.another(int(used[0]))).astype(np.int32)
        if not len(used):
            return True
        found = dealt(rack, used, types, self.takes[rows], self.room().T)
        if found is not None:
            self.rack[rows] = found
        return found is not None

    def another(self, rack: int) -> list[int]:
        """Open a rack of the group of one, and return it; none where no position is left."""
        group = self.group_of[rack]
        if self.positions[group] < 1:
            return []
        self.positions[group] -= 1
        self.group_of.append(group)
        return [len(self.group_of) - 1]

    def spread(self, hosts: npt.NDArray[np.int64], racks: int) -> int:
        """Use positions that are left for hosts; return how many racks that opens."""
        whole = (self.figures.trays[self.fabric.devices.type[hosts]] > 1).any()
        if whole or len(self.positions) != 1 or not math.isfinite(self.positions[0]) or (self.rack[hosts] < 0).any():
            return 0
        more = int(min(self.positions[0], max(len(hosts) - racks, 0)))
        names = np.concatenate((np.arange(racks), len(self.group_of) + np.arange(more))).astype(np.int32)
        self.group_of += [0] * more
        self.positions[0] -= more
        self.rack[hosts] = names[evenly(len(hosts), racks + more)]
        return more


def _obeyed(group: RackGroup, room: Load) -> Load:
    """Return a rack that takes ``hosts_per_rack`` and nothing else counts, where that is given."""
    if group.hosts_per_rack is None:
        return room
    return Load(math.inf, math.inf, math.inf, group.hosts_per_rack)


def _fill_role(
    supplies: Sequence[Supply],
    rows: npt.NDArray[np.int64],
    fabric: Fabric,
    figures: TypeFigures,
    rack: I4,
    group_of: list[int],
) -> None:
    """Fill ``rack`` for the devices of one role, run of equal devices by run, and append the racks opened."""
    for run in _runs(rows, fabric):
        kind = int(fabric.devices.type[run[0]])
        each, trays = figures.each(kind), int(figures.trays[kind])
        placed = 0
        for supply in supplies:
            left = len(run) - placed
            if trays > 1:
                racks, opened = supply.take_whole(trays, left, len(group_of))
            else:
                racks, opened = supply.take(each, left, len(group_of))
            rack[run[placed : placed + len(racks)]] = racks
            group_of += [supply.group] * opened
            placed += len(racks)


def _runs(rows: npt.NDArray[np.int64], fabric: Fabric) -> list[npt.NDArray[np.int64]]:
    """Cut rows into stretches of one device type."""
    if not len(rows):
        return []
    return np.split(rows, np.flatnonzero(np.diff(fabric.devices.type[rows])) + 1)


def _in_order(rack: I4, group: I4, role: I4) -> tuple[I4, I4, I4]:
    """Sort racks by role, then group, and renumber the devices' racks."""
    order = np.lexsort((group, role))
    new_row = np.empty(len(order) + 1, dtype=np.int32)
    new_row[order] = np.arange(len(order), dtype=np.int32)
    new_row[-1] = -1
    return new_row[rack], group[order], role[order]
