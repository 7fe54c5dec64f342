"""Heat, flows and temperatures of each rack, held against what its cooling carries off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.cooling.air import airflow_m3_per_s
from fabrictool.cooling.air_findings import air_findings, inlet_limits_c
from fabrictool.cooling.conditions import air_conditions, liquid_conditions, once
from fabrictool.cooling.doors import Tanks, door_findings, tank_findings, tank_fluids, tanks
from fabrictool.cooling.facility import facility_pue
from fabrictool.cooling.hall_air import HallAir, hall_air
from fabrictool.cooling.hall_plant import PlantYear, plant_year
from fabrictool.cooling.heat import RackHeat, liquid_share, mismatches, rack_heat, share_assumptions
from fabrictool.cooling.limits import airflow_overloads, cooling_overloads, limit_assumptions
from fabrictool.cooling.liquid import coolant_kg_per_s
from fabrictool.cooling.loop_cooling import LoopCooling, coolant_by_rack, loop_cooling
from fabrictool.cooling.loop_devices import condensation, device_findings
from fabrictool.cooling.loop_findings import loop_findings
from fabrictool.cooling.serving import serving
from fabrictool.cooling.tolerances import least_by_rack, tolerances
from fabrictool.fabric.tables import F8, I4, Bool, Fabric
from fabrictool.placement import Placement, Racks, type_figures
from fabrictool.placement.figures import has_figures
from fabrictool.placement.racks import no_racks
from fabrictool.power.racks import RackPower, known
from fabrictool.records import Assumption, Finding

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout
    from fabrictool.tabular import Table


#: Columns of a rack in the JSON output.
_COLUMNS = (
    "air_w", "liquid_w", "airflow_m3_per_s", "coolant_kg_per_s", "inlet_c", "outlet_c", "loop_load", "supply_c",
    "return_c", "bath_c", "oil_m3_per_s", "vapour_kg_per_s",
)  # fmt: skip


@dataclass(frozen=True)
class RackCooling:
    """Heat and flows of racks, (racks,) each; NaN for racks of which no power is known.

    Parameters
    ----------
    rack : tuple of str
        Names of the racks.
    air_w, liquid_w : ndarray
        Heat that the hall's air and that a liquid carries off, in W; together the rack's maximum power.
    airflow_m3_per_s : ndarray
        Air through the servers, in m3/s.
    coolant_kg_per_s : ndarray
        Liquid through cold plates, doors or the tank's heat exchanger, in kg/s.
    inlet_c, outlet_c : ndarray
        Air in front of and behind the devices, in degC; NaN where none passes.
    loop : tuple of str
        Name of the loop that takes a rack's heat, empty for none.
    loop_load : ndarray
        Share of its loop's capacity that is used; NaN without a loop or CDU.
    supply_c, return_c : ndarray
        Coolant to and from a rack, in degC; NaN for racks without.
    tank : Tanks
        Fluids of immersion tanks.
    loops : LoopCooling
    room : HallAir
        Air handlers of the hall.
    wet : ndarray of bool, (devices,)
        Devices that stop without liquid.
    device_rack : ndarray of int32, (devices,)
        Rack of each device, -1 for none.
    device_inlet_max_c : ndarray, (devices,)
        Warmest inlet air that each device stands.
    year : PlantYear or None
        The plant under its weather, where both are stated.
    pue : float
        Facility over IT power, of the year where there is one; NaN where nothing says.
    facility_w : float
        IT maximum times ``pue``, or the most of the year, in W.
    findings, assumptions : tuple
        Racks over their cooling and devices in the wrong racks; defaults that were used.
    """

    rack: tuple[str, ...]
    air_w: F8
    liquid_w: F8
    airflow_m3_per_s: F8
    coolant_kg_per_s: F8
    inlet_c: F8
    outlet_c: F8
    loop: tuple[str, ...]
    loop_load: F8
    supply_c: F8
    return_c: F8
    tank: Tanks
    loops: LoopCooling
    room: HallAir
    wet: Bool
    device_rack: I4
    device_inlet_max_c: F8
    year: PlantYear | None
    pue: float
    facility_w: float
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]

    def on_loop(self, row: int) -> Bool:
        """Say which devices a loop cools, (devices,)."""
        on: Bool = np.append(self.loops.serving.rack, -1)[self.device_rack] == row
        return self.wet & on

    def too_warm(self, inlet_c: float) -> Bool:
        """Say which devices breathe air and do not stand it at a temperature, (devices,)."""
        breathes: Bool = np.append(np.isfinite(self.inlet_c), False)[self.device_rack]
        return breathes & (self.device_inlet_max_c < inlet_c - 1e-6)

    def _column(self, key: str) -> F8:
        values: F8 = getattr(self.tank if key in Tanks._fields else self, key)
        return values

    def table(self) -> Table:
        """Return temperatures and loops of the racks as a table."""
        from fabrictool.tabular import Column, Table

        return Table(
            "air and coolant of racks",
            (
                Column("rack", self.rack),
                Column("air in", self.inlet_c.tolist(), "C"),
                Column("air out", self.outlet_c.tolist(), "C"),
                Column("loop", [name or None for name in self.loop]),
                Column("its load", self.loop_load.tolist()),
                Column("coolant in", self.supply_c.tolist(), "C"),
                Column("coolant out", self.return_c.tolist(), "C"),
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the ``cooling`` object of the JSON output."""
        columns = [np.where(np.isfinite(self._column(key)), self._column(key), np.nan).tolist() for key in _COLUMNS]
        racks = [
            {"rack": name, "loop": loop or None} | {key: known(value) for key, value in zip(_COLUMNS, row, strict=True)}
            for name, loop, *row in zip(self.rack, self.loop, *columns, strict=True)
        ]
        air = self.room.to_dict()
        return {"pue": known(self.pue), "racks": racks, "loops": self.loops.to_rows(), "air": air} | {
            "year": None if self.year is None else self.year.to_dict()
        }


def rack_cooling(
    layout: Layout, fabric: Fabric, placement: Placement | None, power: RackPower, efficiency: float = np.nan
) -> RackCooling:
    """Split each rack's maximum power into air and liquid, and find flows and temperatures that carry it off.

    Parameters
    ----------
    placement : Placement or None
        None for a layout without racks.
    power : RackPower
        Of the same placement.
    efficiency : float
        Of the hall's electrical distribution; NaN where none is stated.
    """
    place_of = placement or no_racks(len(fabric.devices))
    racks, figures, types = place_of.racks, type_figures(layout, fabric), fabric.devices.type
    stands, air = tolerances(layout, fabric), air_conditions(layout.hall)
    serves, limits = serving(layout, racks), inlet_limits_c(layout, stands, air)
    cooling = np.append(racks.cooling, "")[place_of.rack]
    share = liquid_share(cooling, figures.air_fraction[types], figures.gpus[types])
    on_plates = np.where(cooling == "direct-to-chip", share * figures.power_max_w[types], 0.0)
    plates_w = place_of.sum_by_rack(share * figures.power_max_w[types]) + 0 * power.it_w
    heat = rack_heat(racks.cooling, power.it_w, plates_w, serves.door >= 0, captured(layout, racks))
    gpus = place_of.sum_by_rack(np.where(cooling == "direct-to-chip", share > 0, False) * figures.gpus[types])
    coolant_max = least_by_rack(place_of, stands.coolant_max_c[types], (share > 0) & (cooling != "rear-door"))
    loops = loop_cooling(serves, racks, heat, gpus, coolant_max)
    breathes = heat.through_w > 0
    room = hall_air(layout.hall, air, float(np.nansum(heat.air_w)), _least(place_of, fabric, limits[types], breathes))
    inlet_c = np.where(breathes, room.normal.inlet_c, np.nan)
    coolant, liquid_assumed = _coolant(racks, loops, heat)
    fluid = tank_fluids(layout, racks)
    supply_c, return_c = (serves.of_racks(values) for values in (loops.normal.supply_c, loops.normal.return_c))
    air_w, liquid_w = float(np.nansum(heat.air_w)), float(np.nansum(power.it_w - heat.air_w))
    pue, pue_assumed = facility_pue(layout.hall, air_w, liquid_w)
    loose_w = float(np.nansum(np.where(serves.rack < 0, heat.loop_w, 0.0)))
    year = plant_year(layout, air_w + liquid_w, air_w, loops, loose_w, room, efficiency)
    if year is not None and (layout.hall is None or layout.hall.pue is None):
        pue, pue_assumed = year.year.means()["pue"], ()
    warm, warm_assumed = air_findings(layout, fabric, place_of, stands, inlet_c)
    airflow = airflow_m3_per_s(heat.through_w, air.rise_k, air.supply_c, air.humidity, air.altitude_m)
    return RackCooling(
        rack=power.rack,
        air_w=heat.air_w,
        liquid_w=heat.loop_w + heat.behind_w,
        airflow_m3_per_s=airflow,
        coolant_kg_per_s=coolant,
        inlet_c=inlet_c,
        outlet_c=inlet_c + air.rise_k,
        loop=serves.rack_names(),
        loop_load=serves.of_racks(loops.normal.load),
        supply_c=supply_c,
        return_c=return_c,
        tank=tanks(fluid, heat.loop_w, supply_c),
        loops=loops,
        room=room,
        wet=share > 0,
        device_rack=place_of.rack,
        device_inlet_max_c=limits[types],
        pue=pue,
        year=year,
        facility_w=power.it_max_w * pue if year is None else year.peak_w,
        findings=(
            *mismatches(place_of, fabric, figures),
            *cooling_overloads(place_of, fabric, figures, power.it_w, heat.air_w),
            *airflow_overloads(layout, place_of, fabric, figures, heat.through_w, airflow),
            *room.findings(),
            *warm,
            *loop_findings(loops),
            *device_findings(layout, fabric, place_of, stands, on_plates, loops),
            *condensation(loops, air),
            *door_findings(racks, heat, loops, inlet_c + air.rise_k, air.rise_k),
            *tank_findings(racks, fluid, heat.loop_w, return_c),
            *(year.findings if year else ()),
        ),
        assumptions=once((*(air.assumptions if breathes.any() else ()), *room.assumptions, *loops.assumptions,
                          *liquid_assumed, *share_assumptions(cooling, fabric, figures), *limit_assumptions(racks),
                          *warm_assumed, *pue_assumed, *(year.assumptions if year else ()))),
    )  # fmt: skip


def _least(placement: Placement, fabric: Fabric, limit_c: F8, breathes: Bool) -> float:
    """Return the warmest air that all devices (devices,) in racks through which air passes stand; inf without any."""
    here = np.append(breathes, False)[placement.rack] & has_figures(fabric)
    return float(limit_c[here].min(initial=np.inf))


def captured(layout: Layout, racks: Racks) -> F8:
    """Return the share of the heat in a door's air that it takes back, (racks,): all unless the layout says less."""
    groups = layout.racks or []
    return np.array([1.0 if group.capture is None else group.capture for group in groups] or [1.0])[racks.group]


def _coolant(racks: Racks, loops: LoopCooling, heat: RackHeat) -> tuple[F8, tuple[Assumption, ...]]:
    """Return the liquid that each rack takes, in kg/s; of racks without a loop at stated defaults."""
    flow = np.where(loops.serving.rack >= 0, coolant_by_rack(loops, heat), heat.loop_w)
    assumed: tuple[Assumption, ...] = ()
    doors, alone = racks.cooling == "rear-door", loops.serving.rack < 0
    for chosen, kind in ((doors & alone, True), (~doors & alone, False)):
        if (heat.loop_w[chosen] > 0).any():
            liquid = liquid_conditions(None, kind)
            flow[chosen] = coolant_kg_per_s(heat.loop_w[chosen], liquid.rise_k, liquid.supply_c, liquid.coolant)
            assumed += liquid.assumptions
    return flow, assumed
