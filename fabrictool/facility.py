"""What holds a fabric: racks, cables, power, cooling, and what all of it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fabrictool.cabling.burden import burden_assumptions, burden_of
from fabrictool.cabling.findings import plan_errors
from fabrictool.cabling.plan import CablePlan
from fabrictool.cooling import RackCooling, rack_cooling
from fabrictool.cooling.powered import PoweredCooling, powered_cooling
from fabrictool.cooling.powered_findings import powered_findings
from fabrictool.cost import CapitalCost, capital_cost
from fabrictool.fabric import Fabric
from fabrictool.layout.model import Layout
from fabrictool.placement import Placement
from fabrictool.power import RackPower, SupplyLoads, rack_power, supply_loads
from fabrictool.power.floor_load import floor_assumptions, floor_findings
from fabrictool.power.optics import Optics
from fabrictool.power.settling import Settled, settled
from fabrictool.power.supply_loads import supply_efficiency
from fabrictool.records import Assumption, Finding

if TYPE_CHECKING:
    from fabrictool.tabular import Table


@dataclass(frozen=True)
class Facility:
    """Where devices stand, what they draw, how that is carried off, and what is bought.

    ``placement`` is None for a layout without racks.
    """

    settled: Settled
    power: RackPower
    supply: SupplyLoads
    cooling: RackCooling
    powered: PoweredCooling
    cost: CapitalCost
    floor_findings: tuple[Finding, ...]
    powered_findings: tuple[Finding, ...]
    floor_assumptions: tuple[Assumption, ...]

    @property
    def placement(self) -> Placement | None:
        """Where devices stand."""
        return self.settled.placement

    @property
    def plan(self) -> CablePlan:
        """All cables."""
        return self.settled.plan

    @property
    def optics(self) -> Optics:
        """What plugs into cages."""
        return self.settled.optics

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What the layout did not say, in the order of the stages; what cables assume is said with their plan."""
        return (
            *self.settled.limits.assumptions,
            *(self.placement.assumptions if self.placement else ()),
            *self.optics.assumptions,
            *burden_assumptions(self.plan),
            *self.floor_assumptions,
            *self.supply.assumptions,
            *self.cooling.assumptions,
            *self.powered.assumptions,
            *self.cost.assumptions,
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What does not fit, in the order of the stages; what has no price is named by the cost itself."""
        return (
            *(self.placement.findings if self.placement else ()),
            *self.power.findings,
            *self.floor_findings,
            *self.supply.findings,
            *self.cooling.findings,
            *self.powered_findings,
            *plan_errors(self.plan),
        )


class Racked(NamedTuple):
    """A fabric in its racks: where all stands with its cables, what racks draw, and what is bought."""

    settled: Settled
    power: RackPower
    cost: CapitalCost


def racked(layout: Layout, fabric: Fabric) -> Racked:
    """Place a fabric, plan its cables, load its racks and price it; what feeds and cools them is left out.

    Raises
    ------
    FabrictoolError
        If the layout's feeds are impossible.
    """
    found = settled(layout, fabric)
    power = rack_power(layout, fabric, found.placement, found.extra_w, burden_of(found.plan))
    return Racked(found, power, capital_cost(layout, fabric, found.placement, found.plan))


def facility_of(layout: Layout, fabric: Fabric) -> Facility:
    """Place a fabric, then load its racks, their supply and their cooling, and price everything.

    Raises
    ------
    FabrictoolError
        If the layout's feeds are impossible.
    """
    found, power, cost = racked(layout, fabric)
    placement = found.placement
    stands = (
        () if placement is None else tuple(floor_findings(layout.hall, placement, found.plan.floor, power.weight_kg))
    )
    cooling = rack_cooling(layout, fabric, placement, power, supply_efficiency(layout, placement, power))
    powered = powered_cooling(layout, cooling)
    supply = supply_loads(layout, placement, power, powered.machines)
    assumed = floor_assumptions(layout.hall, found.plan.floor)
    hall = layout.hall
    warm = tuple(powered_findings(hall, powered, supply.dark, supply.stopped)) if hall else ()
    return Facility(found, power, supply, cooling, powered, cost, stands, warm, assumed)


def not_known(layout: Layout, house: Facility, unmeasured: Sequence[str]) -> list[Finding]:
    """Say in one note why results are null that no other finding explains."""
    power, cooling, reasons = house.power, house.cooling, []
    if np.isnan(power.total_typical_w) and not np.isnan(power.it_max_w):
        lacking = [kind.name for kind in (*layout.host_types(), *layout.switch_types()) if kind.power_typical_w is None]
        reasons.append(f"typical IT power (no figure of {', '.join(lacking)})")
    if np.isnan(cooling.facility_w) and not np.isnan(power.it_max_w):
        reasons.append("facility power (no racks, and no pue of the hall)")
    if np.isnan(power.limit_w).any():
        reasons.append("power limit of racks (neither power_limit nor feeds are given)")
    if unmeasured:
        reasons.append(f"expected range of busbw ({'; '.join(unmeasured)})")
    if not reasons:
        return []
    fix = "give what is missing in the layout, or read these as unknown"
    return [Finding("not-known", "note", "results", f"null: {'; '.join(reasons)}", fix)]


def rack_table(power: Sequence[Mapping[str, Any]], cooling: Sequence[Mapping[str, Any]]) -> Table:
    """Return the rows of racks in ``power`` and ``cooling`` of the JSON as one table."""
    from fabrictool.tabular import Column, Table

    return Table(
        "racks",
        (
            Column("rack", [row["rack"] for row in power]),
            Column("role", [row.get("role") for row in power]),
            Column("hosts", [row.get("hosts") for row in power]),
            Column("units", [row["units_used"] for row in power]),
            Column("IT maximum", [row["it_w"] for row in power], "W"),
            Column("IT typical", [row["it_typical_w"] for row in power], "W"),
            Column("IT at work", [row["it_work_w"] for row in power], "W"),
            Column("swing", [row["swing_w"] for row in power], "W"),
            Column("limit", [row["limit_w"] for row in power], "W"),
            Column("to air", [row["air_w"] for row in cooling], "W"),
            Column("to liquid", [row["liquid_w"] for row in cooling], "W"),
            Column("airflow", [row["airflow_m3_per_s"] for row in cooling], "m3/s"),
            Column("coolant", [row["coolant_kg_per_s"] for row in cooling], "kg/s"),
        ),
    )
