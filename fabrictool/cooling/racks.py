"""Heat and flows of each rack, held against what its cooling carries off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.cooling.air import airflow_m3_per_s
from fabrictool.cooling.conditions import (
    LiquidConditions,
    air_conditions,
    door_conditions,
    liquid_conditions,
    once,
)
from fabrictool.cooling.facility import facility_pue
from fabrictool.cooling.heat import liquid_share, mismatches, share_assumptions
from fabrictool.cooling.limits import cooling_overloads, limit_assumptions
from fabrictool.cooling.liquid import coolant_kg_per_s
from fabrictool.fabric.tables import F8, Fabric
from fabrictool.placement import Placement, Racks, type_figures
from fabrictool.placement.racks import no_racks
from fabrictool.power.racks import RackPower, known
from fabrictool.records import Assumption, Finding

if TYPE_CHECKING:
    from fabrictool.layout.model import Hall, Layout


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
    pue : float
        Facility over IT power; NaN where nothing says.
    facility_w : float
        IT maximum times ``pue``, in W.
    findings, assumptions : tuple
        Racks over their cooling and devices in the wrong racks; defaults that were used.
    """

    rack: tuple[str, ...]
    air_w: F8
    liquid_w: F8
    airflow_m3_per_s: F8
    coolant_kg_per_s: F8
    pue: float
    facility_w: float
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the ``cooling`` object of the JSON output."""
        keys = ("air_w", "liquid_w", "airflow_m3_per_s", "coolant_kg_per_s")
        columns = [getattr(self, key).tolist() for key in keys]
        racks = [
            {"rack": name} | {key: known(value) for key, value in zip(keys, row, strict=True)}
            for name, *row in zip(self.rack, *columns, strict=True)
        ]
        return {"pue": known(self.pue), "racks": racks}


def rack_cooling(layout: Layout, fabric: Fabric, placement: Placement | None, power: RackPower) -> RackCooling:
    """Split each rack's maximum power into air and liquid, and find the flows that carry it off.

    Parameters
    ----------
    placement : Placement or None
        None for a layout without racks.
    power : RackPower
        Of the same placement.
    """
    place_of = placement or no_racks(len(fabric.devices))
    racks, figures, types = place_of.racks, type_figures(layout, fabric), fabric.devices.type
    cooling = np.append(racks.cooling, "")[place_of.rack]
    share = liquid_share(cooling, figures.air_fraction[types], figures.gpus[types])
    capped = np.divide(power.it_w, power.nameplate_w, out=np.ones_like(power.it_w), where=power.nameplate_w > 0)
    liquid_w = place_of.sum_by_rack(share * figures.power_max_w[types]) * capped + 0 * power.it_w
    air_w = power.it_w - liquid_w
    airflow, air_assumed = _airflow(racks, layout.hall, air_w, power.it_w)
    coolant, liquid_assumed = _coolant(racks, layout.hall, liquid_w)
    pue, pue_assumed = facility_pue(layout.hall, float(np.nansum(air_w)), float(np.nansum(liquid_w)))
    assumed = (*air_assumed, *liquid_assumed, *share_assumptions(cooling, fabric, figures))
    return RackCooling(
        rack=power.rack,
        air_w=air_w,
        liquid_w=liquid_w,
        airflow_m3_per_s=airflow,
        coolant_kg_per_s=coolant,
        pue=pue,
        facility_w=power.it_max_w * pue,
        findings=(
            *mismatches(place_of, fabric, figures),
            *cooling_overloads(place_of, fabric, figures, power.it_w, air_w),
        ),
        assumptions=once((*assumed, *limit_assumptions(racks), *pue_assumed)),
    )


def _airflow(racks: Racks, hall: Hall | None, air_w: F8, it_w: F8) -> tuple[F8, tuple[Assumption, ...]]:
    """Return the air through each rack's servers, in m3/s: a rear door takes back heat that went through air."""
    through_w = np.where(racks.cooling == "rear-door", it_w, air_w)
    if not (through_w > 0).any():
        return through_w, ()
    air = air_conditions(hall)
    flow = airflow_m3_per_s(through_w, air.rise_k, air.supply_c, air.humidity, air.altitude_m)
    return flow, air.assumptions


def _coolant(racks: Racks, hall: Hall | None, liquid_w: F8) -> tuple[F8, tuple[Assumption, ...]]:
    """Return the liquid that each rack takes, in kg/s."""
    flow = liquid_w.copy()
    assumed: tuple[Assumption, ...] = ()
    doors = racks.cooling == "rear-door"
    for chosen, conditions in ((doors, door_conditions), (~doors, liquid_conditions)):
        if (liquid_w[chosen] > 0).any():
            liquid: LiquidConditions = conditions(hall)
            flow[chosen] = coolant_kg_per_s(liquid_w[chosen], liquid.rise_k, liquid.supply_c, liquid.coolant)
            assumed += liquid.assumptions
    return flow, assumed
