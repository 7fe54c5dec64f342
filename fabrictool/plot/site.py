"""What the figures of racks are drawn from: a layout's devices in their racks, and what these draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrictool.errors import InputError
from fabrictool.evaluation import Evaluation, located
from fabrictool.fabric import Fabric
from fabrictool.facility import facility_of
from fabrictool.generators.building import build
from fabrictool.placement import Placement

if TYPE_CHECKING:
    from fabrictool.cabling.plan import CablePlan
    from fabrictool.cooling import RackCooling
    from fabrictool.layout.model import Layout
    from fabrictool.power import RackPower, SupplyLoads


@dataclass(frozen=True)
class Site:
    """A layout with its fabric, where devices stand, its cables, what racks draw, and what feeds and cools them."""

    layout: Layout
    fabric: Fabric
    placement: Placement
    plan: CablePlan
    power: RackPower
    supply: SupplyLoads
    cooling: RackCooling


def fabric_of(design: Evaluation | Layout | Fabric) -> Fabric:
    """Return the fabric of a design, built where it is a layout."""
    if isinstance(design, Fabric):
        return design
    if isinstance(design, Evaluation):
        return design.fabric
    with located(design):
        return build(design)


def site_of(design: Evaluation | Layout) -> Site:
    """Place a layout's devices and add up what its racks draw; collectives are left out.

    Raises
    ------
    InputError
        If the layout has no racks, or nothing that stands in one.
    """
    if isinstance(design, Evaluation):
        layout, fabric = design.layout, design.fabric
        of = design.facility
    else:
        layout = design
        with located(layout):
            fabric = build(layout)
            of = facility_of(layout, fabric)
    placement = of.placement
    if placement is None:
        what = "the layout has no racks to draw"
        raise InputError(what, "add racks, such as racks: {type: rack-48u, power_limit: 40 kW}")
    if not len(placement.racks):
        raise InputError("no device has a place in a rack", "'score' says why: see its findings 'unplaced'")
    return Site(layout, fabric, placement, of.plan, of.power, of.supply, of.cooling)
