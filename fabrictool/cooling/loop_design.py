"""What loops are built for: temperatures, coolant, and the CDUs with the figures that their makers publish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.cooling.banks import capacity_w
from fabrictool.cooling.conditions import LiquidConditions
from fabrictool.cooling.exchangers import rated_conductance_w_per_k
from fabrictool.cooling.liquid import COOLANTS
from fabrictool.cooling.loops import BOILING
from fabrictool.fabric.tables import F8
from fabrictool.placement.racks import number_or_nan
from fabrictool.records import Assumption

if TYPE_CHECKING:
    from fabrictool.catalogue.parts import CoolingUnitType
    from fabrictool.cooling.serving import Serving
    from fabrictool.layout.cooling import Loop

#: Coolant that a CDU moves at its capacity, in m3/s per W: 1.5 l/min per kW, 10 K of PG25.
FLOW_M3_PER_J = 1.5e-3 / 60 / 1e3
APPROACH_K = 5.0
#: Of PG25 at 30 degC.
RATED_J_PER_M3_K = 4.00343e6
PUMP_EFFICIENCY = 0.65
#: What CDUs draw over the heat that they move: 12.24 kW of a CHx2000's 2 MW.
PUMP_SHARE = 0.006


@dataclass(frozen=True)
class LoopDesign:
    """Figures of loops as they are built, (loops,) each; NaN where a loop states no CDU.

    Parameters
    ----------
    heat_w : ndarray
        From its racks, in W.
    supply_c, rise_k : ndarray
        Of the coolant, in degC and K; the rise of one that boils is 0.
    coolant : tuple of str
    j_per_m3_k, cold_j_per_m3_k : ndarray
        Heat that coolant and facility water take up, in J/(m3 K).
    flow_m3_per_s : ndarray
        Coolant that carries the heat off at the rise.
    facility_c : ndarray
        Supply of facility water, in degC.
    count, lost : ndarray
        CDUs that there are, and that may fail at once.
    ua_w_per_k, unit_cold_w_per_k, unit_flow_m3_per_s, unit_power_w, unit_head_pa : ndarray
        Of one CDU: conductance times area, heat capacity rate of its facility water with the valve open, coolant that
        it pumps at most, what it draws, and what its pumps hold against.
    assumptions : tuple of Assumption
    """

    heat_w: F8
    supply_c: F8
    rise_k: F8
    coolant: tuple[str, ...]
    j_per_m3_k: F8
    cold_j_per_m3_k: F8
    flow_m3_per_s: F8
    facility_c: F8
    count: F8
    lost: F8
    ua_w_per_k: F8
    unit_cold_w_per_k: F8
    unit_flow_m3_per_s: F8
    unit_power_w: F8
    unit_head_pa: F8
    assumptions: tuple[Assumption, ...]


def loop_design(serving: Serving, conditions: tuple[LiquidConditions, ...], heat_w: F8) -> LoopDesign:
    """Return the design of each loop for the heat of its racks.

    Parameters
    ----------
    conditions : tuple of LiquidConditions
        Of each loop that the layout states.
    heat_w : ndarray, (loops,)
    """
    stated, row = serving.stated, serving.stated_row
    units = [loop.unit for loop in stated]
    supply = np.array([liquid.supply_c for liquid in conditions])
    rise = np.array([0.0 if liquid.coolant in BOILING else liquid.rise_k for liquid in conditions])
    hot = np.array([_heat_capacity(liquid) for liquid in conditions])
    flow = heat_w / np.where(np.isinf(hot), 1.0, np.where(np.isinf(hot), 0.0, hot) * rise)[row]
    boils = np.isinf(hot)[row]
    flow = np.where(boils, heat_w * np.array([_boiled(liquid) for liquid in conditions])[row], flow)
    rating = number_or_nan([None if unit is None else unit.capacity_w for unit in units])
    approach = number_or_nan([None if u is None else _or(u.approach_k, APPROACH_K) for u in units])
    facility = _given([loop.facility_temperature_c for loop in stated], supply - approach)
    pumped = number_or_nan([None if unit is None else unit.flow_m3_per_s for unit in units])
    primary = _given(
        [None if u is None else u.primary_flow_m3_per_s for u in units], _given(pumped, rating * FLOW_M3_PER_J)
    )
    cold = np.array([_water(t) for t in np.nan_to_num(facility, nan=20.0)])
    # makers rate with a coolant that does not boil
    rated_hot = _given(pumped, rating * FLOW_M3_PER_J) * np.where(np.isinf(hot), RATED_J_PER_M3_K, hot)
    ua = rated_conductance_w_per_k(rating, rated_hot, primary * cold, approach)
    count, sized = _counts(serving, rating, heat_w, supply, rise, facility, primary * cold, ua)
    stated_flow = number_or_nan([loop.facility_flow_m3_per_s for loop in stated])
    unit_cold = np.where(np.isnan(stated_flow[row]), (primary * cold)[row], (stated_flow * cold)[row] / count)
    return LoopDesign(
        heat_w, supply[row], rise[row], tuple(conditions[r].coolant for r in row.tolist()),
        hot[row], cold[row], flow, facility[row], count, _lost(serving, count), ua[row], unit_cold, pumped[row],
        number_or_nan([None if unit is None else unit.power_w for unit in units])[row],
        number_or_nan([None if unit is None else unit.head_pa for unit in units])[row],
        (*sized, *_assumptions(stated, units)),
    )  # fmt: skip


def _given(values: list[float | None] | F8, default: F8) -> F8:
    """Return values, and a default where none is given."""
    known = number_or_nan(values) if isinstance(values, list) else values
    return np.where(np.isnan(known), default, known)


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _heat_capacity(liquid: LiquidConditions) -> float:
    """Return what a coolant takes up, in J/(m3 K); inf for one that boils."""
    if liquid.coolant in BOILING:
        return np.inf
    mean, fluid = liquid.supply_c + liquid.rise_k / 2, COOLANTS[liquid.coolant]
    return float(fluid.density_kg_per_m3(mean) * fluid.heat_capacity_j_per_kg_k(mean))


def _boiled(liquid: LiquidConditions) -> float:
    """Return the liquid that boils a heat off, in m3/J; 0 for one that does not boil."""
    from fabrictool.cooling.loops import boiling_m3_per_s

    return float(boiling_m3_per_s(1.0, liquid.coolant)) if liquid.coolant in BOILING else 0.0


def _water(temperature_c: float) -> float:
    water = COOLANTS["water"]
    return float(water.density_kg_per_m3(temperature_c) * water.heat_capacity_j_per_kg_k(temperature_c))


def _counts(
    serving: Serving, rating: F8, heat_w: F8, supply: F8, rise: F8, facility: F8, cold: F8, ua: F8
) -> tuple[F8, tuple[Assumption, ...]]:
    """Return the CDUs of each loop: those stated, else as many as its heat takes and its redundancy adds."""
    row, made = serving.stated_row, []
    count = number_or_nan([None if loop.cdu is None else loop.count for loop in serving.stated])[row]
    each = capacity_w(supply, rise, cold, ua, facility)[row]
    heat = heat_w * (1 + PUMP_SHARE)
    needed = np.maximum(np.ceil(np.divide(heat, each, out=np.ones_like(heat), where=each > 0) - 1e-9), 1)
    spare = np.array([{"N": 0, "N+1": 1, "N+2": 2, "2N": 0}[loop.redundancy] for loop in serving.stated])[row]
    double = np.array([2.0 if loop.redundancy == "2N" else 1.0 for loop in serving.stated])[row]
    open_ = np.isnan(count) & ~np.isnan(rating[row])
    count = np.where(open_, needed * double + spare, count)
    for name, number in zip(np.array(serving.name)[open_].tolist(), count[open_].tolist(), strict=True):
        made.append(
            Assumption(f"CDUs of loop {name}", f"{number:.0f}", "as many as its heat takes with its redundancy")
        )
    return count, tuple(made[:8])


def _lost(serving: Serving, count: F8) -> F8:
    """Return the CDUs that may fail at once: one of N or N+1, two of N+2, a half of 2N."""
    words = np.array([loop.redundancy for loop in serving.stated], dtype="U3")[serving.stated_row]
    return np.where(words == "2N", np.ceil(count / 2), np.where(words == "N+2", 2.0, 1.0))


def _assumptions(stated: tuple[Loop, ...], units: list[CoolingUnitType | None]) -> tuple[Assumption, ...]:
    made = []
    for loop, unit in zip(stated, units, strict=True):
        if unit is None:
            continue
        if unit.approach_k is None:
            made.append(
                Assumption(f"approach of {unit.name} at its capacity", f"{APPROACH_K:g} K", "vendor ratings at 3-6 K")
            )
        if loop.facility_temperature_c is None:
            what = f"facility water of loop {loop.name}"
            made.append(
                Assumption(what, "its supply less the CDU's approach", "as CDUs are rated; give facility_temperature")
            )
        if unit.flow_m3_per_s is None:
            made.append(Assumption(f"coolant flow of {unit.name} at its capacity", "1.5 l/min per kW", "10 K of PG25"))
        if unit.primary_flow_m3_per_s is None and loop.facility_flow_m3_per_s is None:
            made.append(
                Assumption(f"facility water through {unit.name}", "as much as its coolant", "common rating; assumed")
            )
        if unit.power_w is None and loop.pressure_drop_pa is None and loop.pipe is None:
            made.append(
                Assumption(f"electricity of {unit.name}", "0.6 % of its heat", "CoolIT CHx2000: 12.24 kW of 2 MW")
            )
    return tuple(made)
