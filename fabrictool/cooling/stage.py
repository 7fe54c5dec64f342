"""The stage of cooling: heat of each rack into air and liquid, and all that carries it off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.cooling.air import airflow_m3_per_s
from fabrictool.cooling.air_findings import air_findings, inlet_limits_c, starved_findings
from fabrictool.cooling.conditions import AirConditions, air_conditions, liquid_conditions, once
from fabrictool.cooling.doors import door_findings, tank_findings, tank_fluids, tanks
from fabrictool.cooling.facility import facility_pue
from fabrictool.cooling.hall_air import HallAir, hall_air
from fabrictool.cooling.hall_plant import PlantYear, plant_year
from fabrictool.cooling.heat import RackHeat, liquid_share, mismatches, rack_heat, share_assumptions
from fabrictool.cooling.inlets import Breathing, aisles_of
from fabrictool.cooling.limits import airflow_limits, airflow_overloads, cooling_overloads, limit_assumptions
from fabrictool.cooling.liquid import coolant_kg_per_s
from fabrictool.cooling.loop_cooling import LoopCooling, coolant_by_rack, loop_cooling
from fabrictool.cooling.loop_devices import condensation, device_findings, without_heat
from fabrictool.cooling.loop_findings import loop_findings
from fabrictool.cooling.racks import RackCooling
from fabrictool.cooling.serving import Serving, serving
from fabrictool.cooling.tolerances import Tolerances, least_by_rack, tolerances
from fabrictool.fabric.tables import F8, Bool, Fabric
from fabrictool.placement import Placement, Racks, TypeFigures, type_figures
from fabrictool.placement.figures import has_figures
from fabrictool.placement.racks import Names, no_racks
from fabrictool.power.racks import RackPower
from fabrictool.records import Assumption, Finding

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout


@dataclass(frozen=True)
class _Devices:
    """Devices of a layout in their racks, with what is known of them and of the air and loops around."""

    layout: Layout
    fabric: Fabric
    place: Placement
    figures: TypeFigures
    stands: Tolerances
    air: AirConditions
    serves: Serving

    @cached_property
    def cooling(self) -> Names:
        """How the rack of each device is cooled, (devices,)."""
        return np.append(self.place.racks.cooling, "")[self.place.rack]

    @cached_property
    def share(self) -> F8:
        """Share of each device's heat that leaves in liquid, (devices,)."""
        types, figures = self.fabric.devices.type, self.figures
        return liquid_share(self.cooling, figures.air_fraction[types], figures.gpus[types])

    @cached_property
    def liquid_w(self) -> F8:
        """Heat of each device to liquid, (devices,) in W."""
        return np.asarray(self.share * self.figures.power_max_w[self.fabric.devices.type])

    @property
    def plated(self) -> Bool:
        """Devices under cold plates, (devices,)."""
        return np.asarray((self.cooling == "direct-to-chip") & (self.share > 0))

    @cached_property
    def inlet_max_c(self) -> F8:
        """Warmest inlet air that each device stands, (devices,)."""
        limits = inlet_limits_c(self.layout, self.stands, self.air)
        return np.asarray(limits[self.fabric.devices.type])

    def heat(self, it_w: F8, nameplate_w: F8) -> RackHeat:
        """Return where the heat of each rack goes, (racks,) in W; what a cap holds back is held back of all alike."""
        racks = self.place.racks
        share = np.divide(it_w, nameplate_w, out=0 * it_w + 1, where=nameplate_w > 0)
        plates_w = self.place.sum_by_rack(self.liquid_w) * share
        return rack_heat(racks.cooling, it_w, plates_w, self.serves.door >= 0, _captured(self.layout, racks))

    def loops(self, heat: RackHeat) -> LoopCooling:
        """Return what loops carry of it."""
        types = self.fabric.devices.type
        gpus = self.place.sum_by_rack(np.where(self.plated, self.figures.gpus[types], 0))
        inside = (self.share > 0) & (self.cooling != "rear-door")
        most = least_by_rack(self.place, self.stands.coolant_max_c[types], inside)
        return loop_cooling(self.serves, self.place.racks, heat, gpus, most)

    def room(self, heat: RackHeat) -> HallAir:
        """Return the air of the hall that takes the rest."""
        breathing = np.append(heat.through_w > 0, False)[self.place.rack] & has_figures(self.fabric)
        most = float(self.inlet_max_c[breathing].min(initial=np.inf))
        limit = airflow_limits(self.layout, self.place.racks)
        aisles = aisles_of(self.layout, self.fabric, self.place)
        racks = Breathing(heat.through_w, heat.air_w, np.where(np.isnan(limit), np.inf, limit), aisles)
        return hall_air(self.layout.hall, self.air, racks, most)


def _devices(layout: Layout, fabric: Fabric, placement: Placement | None) -> _Devices:
    place = placement or no_racks(len(fabric.devices))
    stands, air = tolerances(layout, fabric), air_conditions(layout.hall)
    return _Devices(layout, fabric, place, type_figures(layout, fabric), stands, air, serving(layout, place.racks))


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
    devices = _devices(layout, fabric, placement)
    heat = devices.heat(power.it_w, power.nameplate_w)
    loops, room = devices.loops(heat), devices.room(heat)
    serves, air, racks = devices.serves, devices.air, devices.place.racks
    inlet_c = room.normal.racks_c
    coolant, liquid_assumed = _coolant(racks, loops, heat)
    pue, year, pue_assumed = _facility(layout, heat, loops, room, efficiency)
    supply_c = serves.of_racks(loops.normal.supply_c)
    result = RackCooling(
        rack=power.rack,
        air_w=heat.air_w,
        liquid_w=heat.loop_w + heat.behind_w,
        airflow_m3_per_s=airflow_m3_per_s(heat.through_w, air.rise_k, air.supply_c, air.humidity, air.altitude_m),
        coolant_kg_per_s=coolant,
        inlet_c=inlet_c,
        outlet_c=inlet_c + air.rise_k,
        recirculation=room.normal.rack_recirculation,
        loop=serves.rack_names(),
        loop_load=np.where(np.isnan(power.it_w), np.nan, serves.of_racks(loops.normal.load)),
        supply_c=supply_c,
        return_c=serves.of_racks(loops.normal.return_c),
        tank=tanks(tank_fluids(layout, racks), heat.loop_w, supply_c),
        loops=loops,
        room=room,
        wet=devices.share > 0,
        device_rack=devices.place.rack,
        device_inlet_max_c=devices.inlet_max_c,
        year=year,
        pue=pue,
        facility_w=power.it_max_w * pue if year is None or _stated_pue(layout) else year.peak_w,
        findings=(),
        assumptions=(),
    )
    return _told(devices, heat, power, result, (*liquid_assumed, *pue_assumed))


def _told(
    devices: _Devices, heat: RackHeat, power: RackPower, result: RackCooling, assumed: tuple[Assumption, ...]
) -> RackCooling:
    """Return a result with its findings and assumptions."""
    layout, fabric, place, figures = devices.layout, devices.fabric, devices.place, devices.figures
    dark = np.isnan(power.it_w) & (place.racks.cooling != "air")
    warm, warm_assumed = air_findings(layout, fabric, place, devices.stands, result.inlet_c)
    racks, loops, air, year = place.racks, result.loops, devices.air, result.year
    on_plates = np.where(devices.cooling == "direct-to-chip", devices.liquid_w, 0.0)
    findings: tuple[Finding, ...] = (
        *mismatches(place, fabric, figures),
        *cooling_overloads(place, fabric, figures, power.it_w, heat.air_w),
        *airflow_overloads(layout, place, fabric, figures, heat.through_w, result.airflow_m3_per_s),
        *result.room.findings(),
        *starved_findings(place.racks, result.room),
        *warm,
        *loop_findings(loops),
        *without_heat(place.racks, dark, loops),
        *device_findings(layout, fabric, place, devices.stands, on_plates, loops),
        *condensation(loops, air),
        *door_findings(racks, heat, loops, result.outlet_c, air.rise_k),
        *tank_findings(racks, tank_fluids(layout, racks), heat.loop_w, result.return_c),
        *(year.findings if year else ()),
    )
    assumptions = (
        *(air.assumptions if (heat.through_w > 0).any() else ()),
        *result.room.assumptions,
        *loops.assumptions,
        *share_assumptions(devices.cooling, fabric, figures),
        *limit_assumptions(racks),
        *warm_assumed,
        *assumed,
        *(year.assumptions if year else ()),
    )
    return replace(result, findings=findings, assumptions=once(assumptions))


def _facility(
    layout: Layout, heat: RackHeat, loops: LoopCooling, room: HallAir, efficiency: float
) -> tuple[float, PlantYear | None, tuple[Assumption, ...]]:
    """Return the PUE of a hall, its year where a plant is stated, and what was assumed."""
    air_w, liquid_w = float(np.nansum(heat.air_w)), float(np.nansum(heat.loop_w + heat.behind_w))
    loose_w = float(np.nansum(np.where(loops.serving.rack < 0, heat.loop_w, 0.0)))
    year = plant_year(layout, air_w + liquid_w, air_w, loops, loose_w, room, efficiency)
    if year is not None and not _stated_pue(layout):
        return year.year.means()["pue"], year, ()
    pue, assumed = facility_pue(layout.hall, air_w, liquid_w)
    return pue, year, assumed


def _stated_pue(layout: Layout) -> bool:
    return layout.hall is not None and layout.hall.pue is not None


def _captured(layout: Layout, racks: Racks) -> F8:
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
