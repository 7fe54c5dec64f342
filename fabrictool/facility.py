"""What holds a fabric: racks, power, cooling, and what all of it costs."""

from __future__ import annotations

from dataclasses import dataclass

from fabrictool.cooling import RackCooling, rack_cooling
from fabrictool.cost import CapitalCost, capital_cost
from fabrictool.fabric import Fabric
from fabrictool.layout.model import Layout
from fabrictool.placement import Placement, place
from fabrictool.power import RackLimits, RackPower, SupplyLoads, rack_limits, rack_power, supply_loads
from fabrictool.records import Assumption, Finding


@dataclass(frozen=True)
class Facility:
    """Where devices stand, what they draw, how that is carried off, and what is bought.

    ``placement`` is None for a layout without racks.
    """

    limits: RackLimits
    placement: Placement | None
    power: RackPower
    supply: SupplyLoads
    cooling: RackCooling
    cost: CapitalCost

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What the layout did not say, in the order of the stages."""
        return (
            *self.limits.assumptions,
            *(self.placement.assumptions if self.placement else ()),
            *self.supply.assumptions,
            *self.cooling.assumptions,
            *self.cost.assumptions,
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What does not fit, in the order of the stages; what has no price is named by the cost itself."""
        return (
            *(self.placement.findings if self.placement else ()),
            *self.power.findings,
            *self.supply.findings,
            *self.cooling.findings,
        )


def facility_of(layout: Layout, fabric: Fabric) -> Facility:
    """Place a fabric, then load its racks, their supply and their cooling, and price everything.

    Raises
    ------
    FabrictoolError
        If the layout's feeds are impossible.
    """
    limits = rack_limits(layout)
    placement = place(layout, fabric, limits.limit_w)
    power = rack_power(layout, fabric, placement)
    supply = supply_loads(layout, placement, power.it_w)
    cooling = rack_cooling(layout, fabric, placement, power)
    return Facility(limits, placement, power, supply, cooling, capital_cost(layout, fabric, placement))
