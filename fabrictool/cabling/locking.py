"""From a cable plan to its lock: all that stands in the plan, and what is gone, whose names are not given again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np

from fabrictool.cabling.locked_cables import cables_now, media_of, phases_now, ways_of
from fabrictool.cabling.panel_table import patches_of
from fabrictool.cabling.plan import CablePlan
from fabrictool.cabling.structured_now import panels_now, trunks_now
from fabrictool.layout.model import Layout
from fabrictool.locks.names import named_groups
from fabrictool.locks.places import places_of
from fabrictool.locks.tables import (
    GONE,
    Lock,
    LockedCables,
    LockedDevices,
    LockedPanels,
    LockedPatches,
    LockedRacks,
    LockedTrunks,
    states_after,
)
from fabrictool.placement.locked import group_words

_Table = TypeVar("_Table", LockedRacks, LockedDevices, LockedCables, LockedPanels, LockedTrunks)


def lock_of(layout: Layout, plan: CablePlan) -> Lock:
    """Return the lock of a layout's cable plan.

    What people filled into the lock before stays: GUID, serial number and state of all that is still there. What is
    no longer there is kept as removed. A device or cable that must be moved is at most ordered, one that is exchanged
    is planned.
    """
    before = layout.lock if layout.lock is not None else Lock("", layout.name)
    racks, devices, media = _racks(layout, plan, before), _devices(plan, before), media_of(plan, before)
    (ways, way), (phases, phase) = ways_of(plan, before), phases_now(plan, before)
    per_row = plan.floor.per_row if plan.floor else before.per_row
    return Lock(
        before.source, layout.name, per_row, named_groups(plan.fabric, layout.lock), racks, devices,
        _cables(plan, before, devices, cables_now(plan, before, media, way, phase)), tuple(media), ways, phases,
        *_structured(plan, before),
    )  # fmt: skip


def with_gone(now: _Table, old: _Table, rows: Sequence[int]) -> _Table:
    """Return a table with rows of an older one behind, as removed."""
    values: dict[str, Any] = {}
    for column in fields(now):
        mine: Any = getattr(now, column.name)
        theirs: Any = getattr(old, column.name)
        if isinstance(mine, tuple):
            values[column.name] = (*mine, *(theirs[row] for row in rows))
        else:
            values[column.name] = np.concatenate((mine, theirs[list(rows)])).astype(mine.dtype)
    values["state"] = np.concatenate((now.state, np.full(len(rows), GONE))).astype(np.int32)
    return type(now)(**values)


def _without(names: Sequence[str], there: Sequence[str]) -> list[int]:
    known = set(there)
    return [row for row, name in enumerate(names) if name not in known]


def _racks(layout: Layout, plan: CablePlan, before: Lock) -> LockedRacks:
    old, now = before.racks, LockedRacks()
    if plan.placement is not None and plan.floor is not None:
        racks, words = plan.placement.racks, group_words(layout.racks or [])
        names = tuple(racks.name.tolist())
        rows = [before.rack_rows.get(name, -1) for name in names]
        now = LockedRacks(
            names, tuple(words[group] for group in racks.group.tolist()), tuple(racks.role.tolist()),
            plan.floor.row + 1, plan.floor.position + 1,
            states_after(old.state, rows),
        )  # fmt: skip
    return with_gone(now, old, _without(old.name, now.name))


def _structured(plan: CablePlan, before: Lock) -> tuple[LockedPanels, LockedTrunks, LockedPatches]:
    """Return panels and trunks, those that are gone behind, and what is patched."""
    panels, trunks, patches = panels_now(plan, before), trunks_now(plan, before), patches_of(plan)
    seat = {name: row for row, name in enumerate(panels.name)}
    lies = {name: row for row, name in enumerate(trunks.name)}
    rows = [
        (one.strand, seat[one.a_panel], one.a_port, lies[one.trunk], one.plug, seat[one.z_panel], one.z_port)
        for one in patches
    ]
    strand, a, a_port, trunk, plug, z, z_port = np.array(rows, np.int32).reshape(-1, 7).T
    now = LockedPatches(
        tuple(one.cable_id for one in patches), strand, a, a_port, np.array([one.a_cord_m for one in patches]), trunk,
        plug, z, z_port, np.array([one.z_cord_m for one in patches]),
    )  # fmt: skip
    gone = [_without(old.name, new.name) for old, new in ((before.panels, panels), (before.trunks, trunks))]
    return with_gone(panels, before.panels, gone[0]), with_gone(trunks, before.trunks, gone[1]), now


def _devices(plan: CablePlan, before: Lock) -> LockedDevices:
    fabric, old = plan.fabric, before.devices
    names = tuple(fabric.names)
    rack_names = [*(plan.placement.racks.name.tolist() if plan.placement else ()), ""]
    seats = plan.seats
    racks = tuple(rack_names[rack] for rack in seats.rack.tolist()) if seats else ("",) * len(names)
    units = np.maximum(seats.unit, 0) if seats else np.zeros(len(names), np.int32)
    types = tuple(fabric.types[row] for row in fabric.devices.type.tolist())
    rows = [before.device_rows.get(name, -1) for name in names]
    same = [row if row >= 0 and old.type[row] == kind else -1 for row, kind in zip(rows, types, strict=True)]
    moved = [
        row >= 0 and (old.rack[row], int(old.unit[row])) != (rack, unit)
        for row, rack, unit in zip(same, racks, units.tolist(), strict=True)
    ]
    guid, serial = (tuple(words[row] if row >= 0 else "" for row in same) for words in (old.guid, old.serial))
    now = LockedDevices(
        names, tuple(places_of(fabric)), types, racks, units.astype(np.int32), guid, serial,
        states_after(old.state, same, moved),
    )  # fmt: skip
    return with_gone(now, old, _without(old.name, names))


def _cables(plan: CablePlan, before: Lock, devices: LockedDevices, now: LockedCables) -> LockedCables:
    """Return the cables of a plan, and those that it no longer holds."""
    old = before.cables
    row_of = {name: row for row, name in enumerate(devices.name)}
    number = np.array([row_of[name] for name in before.devices.name], np.int32)
    gone = np.ones(len(old), np.bool_)
    if plan.pins is not None:
        gone[plan.pins.row[plan.pins.row >= 0]] = False
    renumbered = replace(old, a=number[old.a], z=number[old.z]) if len(old) else old
    return with_gone(now, renumbered, np.flatnonzero(gone).tolist())
