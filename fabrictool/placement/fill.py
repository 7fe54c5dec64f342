"""Placing a fabric's devices in the racks of its layout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, I4, KINDS, Fabric
from fabrictool.placement.figures import TypeFigures, has_figures, type_figures, with_assumed_units
from fabrictool.placement.packing import Load, Supply
from fabrictool.placement.racks import Placement, Racks, lowest_units, number_or_nan, rack_table
from fabrictool.placement.unplaced import unplaced_findings

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout, RackGroup

COMPUTE_KINDS = (KINDS.index("host"),)


def place(
    layout: Layout, fabric: Fabric, limits_w: Sequence[float | None] | None = None, extra_w: F8 | None = None
) -> Placement | None:
    """Place hosts, then switches and service hosts, in racks in row order.

    A rack takes ``hosts_per_rack`` where that is given, even when that is too many; else the most that fit
    of its units, its power (and the cooling limit that its group gives) and what it may carry. Groups are
    filled in order. Switches and service hosts get racks of their own, and so does each rack of a rack-scale
    host type, whole.

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
    rooms = [empty_rack(group, limit) for group, limit in zip(layout.racks, limits.tolist(), strict=True)]
    rack, group, role = _fill(layout.racks, rooms, fabric, figures)
    return Placement(
        rack=rack,
        unit=lowest_units(rack, figures.units[fabric.devices.type]),
        racks=with_whole_racks(rack_table(layout, group, role, limits), rack, fabric, figures),
        findings=unplaced_findings(layout.racks, rooms, fabric, figures, rack),
        assumptions=assumptions,
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


def _fill(
    groups: Sequence[RackGroup], rooms: Sequence[Load], fabric: Fabric, figures: TypeFigures
) -> tuple[I4, I4, I4]:
    """Return the rack of each device, (devices,), and group and role of each rack, (racks,)."""
    compute = np.isin(fabric.devices.kind, COMPUTE_KINDS)
    positions: list[float] = [math.inf if group.count is None else group.count for group in groups]
    rack = np.full(len(compute), -1, dtype=np.int32)
    group_of: list[int] = []
    role_of: list[int] = []
    others = ~compute & has_figures(fabric)
    for role, rows in enumerate((np.flatnonzero(compute), np.flatnonzero(others))):
        whole = [_obeyed(group, room) if role == 0 else room for group, room in zip(groups, rooms, strict=True)]
        supplies = [Supply(g, whole[g], positions[g]) for g in range(len(groups))]
        _fill_role(supplies, rows, fabric, figures, rack, group_of)
        role_of += [role] * (len(group_of) - len(role_of))
        positions = [supply.positions for supply in supplies]
    return _in_order(rack, np.array(group_of, dtype=np.int32), np.array(role_of, dtype=np.int32))


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
