"""What cabling puts on racks: the weight of cables and panels, and the units of panels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.cabling.media import panel_weight
from fabrictool.cabling.plan import CablePlan
from fabrictool.fabric.tables import F8, I4
from fabrictool.placement import type_figures
from fabrictool.placement.figures import with_assumed_units
from fabrictool.placement.packing import Reserve
from fabrictool.placement.racks import ROLES
from fabrictool.records import Assumption

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout

CABLES_SOURCE = "half of each cable at either end, as trays stand on racks; jackets as planned for their media"


@dataclass(frozen=True, slots=True)
class Burden:
    """What cabling puts on each rack, (racks,) each: units of panels, and cables and panels in kg."""

    units: I4
    cables_kg: F8
    panels_kg: F8

    @property
    def weight_kg(self) -> F8:
        """Cables and panels together, (racks,)."""
        return np.asarray(self.cables_kg + self.panels_kg)


def burden_of(plan: CablePlan) -> Burden:
    """Return what a plan's cables and panels put on each rack; nothing without racks."""
    count = 0 if plan.placement is None else len(plan.placement.racks)
    if plan.panels is None:
        return Burden(np.zeros(count, np.int32), cable_weights_kg(plan), np.zeros(count))
    return Burden(plan.panels.hung, cable_weights_kg(plan), panel_weight()[0] * plan.panels.units.astype(np.float64))


def cable_weights_kg(plan: CablePlan) -> F8:
    """Return the weight of the cables that end in each rack, half of each at either end, (racks,) in kg.

    Cables of unknown medium or length weigh nothing.
    """
    if plan.placement is None or plan.seats is None:
        return np.zeros(0)
    grams = np.array([option.medium.g_per_m * option.strands for option in plan.options] + [0.0])
    half_kg = np.nan_to_num(grams[plan.cables.option] * plan.cables.length_m) / 2e3 / plan.cables.links
    laid = np.flatnonzero(plan.cable >= 0)
    total = np.zeros(len(plan.placement.racks) + 1)
    for end in plan.fabric.ends:
        rack = plan.seats.rack[end[laid]]
        total += np.bincount(np.where(rack < 0, len(total) - 1, rack), half_kg[plan.cable[laid]], len(total))
    return np.asarray(total[:-1])


def burden_assumptions(plan: CablePlan) -> tuple[Assumption, ...]:
    """Name what the weight of cables and panels rests on."""
    if plan.placement is None:
        return ()
    cables = Assumption("weight of cables in racks", "g/m of each medium", CABLES_SOURCE)
    if plan.panels is None:
        return (cables,)
    weight_kg, source = panel_weight()
    return cables, Assumption("weight of a patch panel", f"{weight_kg:g} kg", source)


def room_kept(layout: Layout, plan: CablePlan, kept: Reserve) -> Reserve:
    """Return what to keep free in racks so that panels find room and cables are not too heavy, at least what is kept.

    Devices and panels share a rack as they do now: where both together are too many, each gets its part. Racks whose
    hosts are counted, or that a lock keeps, hold what they hold.
    """
    placement = plan.placement
    if placement is None or plan.seats is None or layout.lock is not None:
        return kept
    racks, burden = placement.racks, burden_of(plan)
    role, group = (racks.role == ROLES[1]).astype(int), racks.group
    counted = np.array([row.hosts_per_rack is not None for row in layout.racks or ()], np.bool_)
    free = (role == 1) | ~counted[group]
    figures, _ = with_assumed_units(type_figures(layout, plan.fabric), layout, plan.fabric)
    types = plan.fabric.devices.type
    units, weight_kg = (placement.sum_by_rack(column[types]) for column in (figures.units, figures.weight_kg))
    wanted = Reserve(kept.units.copy(), kept.weight_kg.copy())
    if plan.panels is not None:
        lacking = np.flatnonzero(free & (plan.panels.homeless > 0))
        share = np.ceil(racks.units * plan.panels.units / np.maximum(units + plan.panels.units, 1))
        most = np.minimum(np.maximum(share, kept.units[role, group] + 1), racks.units - 1)
        np.maximum.at(wanted.units, (role[lacking], group[lacking]), most[lacking])
    heavy = np.flatnonzero(
        free & (weight_kg <= racks.capacity_kg) & (weight_kg + burden.weight_kg > racks.capacity_kg)
    )  # fmt: skip
    np.maximum.at(wanted.weight_kg, (role[heavy], group[heavy]), burden.weight_kg[heavy])
    return wanted
