"""Devices that found no rack: why, and what would give them one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.fabric.tables import I4, Fabric
from fabrictool.placement.figures import TypeFigures, has_figures
from fabrictool.placement.packing import Load, most_that_fit
from fabrictool.records import Finding
from fabrictool.units import format_power

if TYPE_CHECKING:
    from fabrictool.layout.model import RackGroup


def unplaced_findings(
    groups: Sequence[RackGroup], rooms: Sequence[Load], fabric: Fabric, figures: TypeFigures, rack: I4
) -> tuple[Finding, ...]:
    """Return one error for each kind of device of which some have no rack.

    Parameters
    ----------
    groups, rooms : sequence of RackGroup and of Load, (groups,)
        The rack groups and what an empty rack of each has room for.
    rack : ndarray of int32, (devices,)
        Rack of each device, -1 for none.
    """
    devices = fabric.devices
    lost = np.flatnonzero((rack < 0) & has_figures(fabric))
    kinds = sorted(set(zip(devices.group[lost].tolist(), devices.type[lost].tolist(), strict=True)))
    found = []
    for group, type_row in kinds:
        alike = (devices.group == group) & (devices.type == type_row) & has_figures(fabric)
        each, trays = figures.each(type_row), int(figures.trays[type_row])
        per_rack = [trays if trays > 1 else int(most_that_fit(room, each)) for room in rooms]
        missing, total = int(np.count_nonzero(alike & (rack < 0))), int(np.count_nonzero(alike))
        names = (fabric.groups[group], fabric.types[type_row])
        found.append(_finding(groups, rooms, each, per_rack, *names, missing, total))
    return tuple(found)


def _finding(
    groups: Sequence[RackGroup],
    rooms: Sequence[Load],
    each: Load,
    per_rack: Sequence[int],
    name: str,
    type_name: str,
    missing: int,
    total: int,
) -> Finding:
    """Say why devices have no place; ``per_rack`` is how many a rack of each group takes."""
    what = type_name if name == type_name else f"{name} ({type_name})"
    if not any(per_rack):
        reasons = [reason for group, room in zip(groups, rooms, strict=True) for reason in _too_much(group, room, each)]
        message = f"{missing:,} of {total:,} {what} fit no rack: {'; '.join(reasons)}"
        return Finding("unplaced", "error", what, message, _roomier(rooms, each))
    most = max(per_rack)
    more = math.ceil(missing / most)
    message = f"{missing:,} of {total:,} {what} have no place: every rack position that would take one is in use"
    fix = f"{more:,} more rack{'s' if more > 1 else ''} at {most} a rack, or no count"
    return Finding("unplaced", "error", what, message, fix)


def _too_much(group: RackGroup, room: Load, each: Load) -> list[str]:
    """Say which limits of an empty rack one device exceeds."""
    rack = group.type.name if group.name is None else f"{group.name} ({group.type.name})"
    reasons = []
    if each.units > room.units:
        reasons.append(f"{each.units:.0f} U are needed, {rack} has {room.units:.0f}")
    if not most_that_fit(Load(math.inf, room.power_w, math.inf), each):
        reasons.append(f"{format_power(each.power_w)} are drawn, {rack} may take {format_power(room.power_w)}")
    if not most_that_fit(Load(math.inf, math.inf, room.weight_kg), each):
        reasons.append(f"{each.weight_kg:,g} kg are heavier than the {room.weight_kg:,g} kg that {rack} carries")
    return reasons


def _roomier(rooms: Sequence[Load], each: Load) -> str:
    needs = []
    if all(room.units < each.units for room in rooms):
        needs.append(f"at least {each.units:.0f} U")
    if all(not most_that_fit(Load(math.inf, room.power_w, math.inf), each) for room in rooms):
        needs.append(f"a power and cooling limit of at least {format_power(each.power_w)}")
    if all(not most_that_fit(Load(math.inf, math.inf, room.weight_kg), each) for room in rooms):
        needs.append(f"a capacity of at least {each.weight_kg:,g} kg")
    return f"racks with {' and '.join(needs) or 'room for both at once'}, or another device type"
