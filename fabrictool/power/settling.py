"""Racks and cables that fit each other: optics draw power, panels take units, that takes racks, and longer cables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.cabling.burden import room_kept
from fabrictool.cabling.plan import CablePlan, plan_cables
from fabrictool.fabric.tables import F8, Fabric
from fabrictool.placement import Placement, place
from fabrictool.placement.packing import no_reserve
from fabrictool.power.limits import RackLimits, rack_limits
from fabrictool.power.optics import Optics, on_top, optics_of, without_optics

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout


@dataclass(frozen=True)
class Settled:
    """Racks, cables and optics that no longer change.

    Parameters
    ----------
    limits : RackLimits
    placement : Placement or None
        None for a layout without racks.
    plan : CablePlan
    optics : Optics
    extra_w : ndarray, (types,)
        What optics add to the maximum of one device of each type, in W.
    rounds : int
        How often devices were placed.
    """

    limits: RackLimits
    placement: Placement | None
    plan: CablePlan
    optics: Optics
    extra_w: F8
    rounds: int


def settled(layout: Layout, fabric: Fabric) -> Settled:
    """Place devices and plan cables until neither changes the other.

    Optics that come on top of a type's maximum draw power, which may take more racks, longer cables and other optics.
    What a type's optics draw never falls from round to round, and no more than the strongest modules in all its
    cages, so that this ends. Racks keep units free for their patch panels, and weight for cables, unless devices would
    then have no place.

    Raises
    ------
    FabrictoolError
        If the layout's feeds are impossible.
    """
    limits = rack_limits(layout)
    extra_w: F8 = np.zeros(len(fabric.types))
    kept, before = no_reserve(len(layout.racks or ())), None
    rounds = 0
    while True:
        rounds += 1
        placement = place(layout, fabric, limits.limit_w, extra_w, kept)
        if before is not None and _unplaced(placement) > _unplaced(before.placement):
            return before
        plan = plan_cables(layout, fabric, placement)
        optics = optics_of(plan)
        found = Settled(limits, placement, plan, optics, extra_w, rounds)
        needed_w = np.fmax(extra_w, on_top(layout, fabric, optics))
        if not np.array_equal(needed_w, extra_w):
            extra_w, before = needed_w, None
            continue
        wanted = room_kept(layout, plan, kept)
        if wanted.same(kept):
            return found
        kept, before = wanted, found


def _unplaced(placement: Placement | None) -> int:
    """Return how many devices have no rack."""
    return 0 if placement is None else int(np.count_nonzero(placement.rack < 0))


def placed(layout: Layout, fabric: Fabric) -> Placement | None:
    """Return where devices stand once racks and cables fit each other; plans cables only where that may matter."""
    if layout.cabling.panels is not None or without_optics(layout, fabric).any():
        return settled(layout, fabric).placement
    return place(layout, fabric, rack_limits(layout).limit_w)
