"""Loops in a state: flows and temperatures that their running CDUs hold, what they resist and how long they last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.cooling.banks import attainable_c, capacity_w, throttled_w_per_k
from fabrictool.cooling.hydraulics import pipe_flow
from fabrictool.cooling.liquid import COOLANTS
from fabrictool.cooling.loop_design import PUMP_EFFICIENCY, PUMP_SHARE, LoopDesign
from fabrictool.cooling.room import moving_power_w
from fabrictool.fabric.tables import F8
from fabrictool.placement.racks import number_or_nan

if TYPE_CHECKING:
    from fabrictool.cooling.serving import Serving


@dataclass(frozen=True)
class LoopState:
    """Loops with so many CDUs running, (loops,) each; NaN where it takes a CDU that none is stated of.

    Parameters
    ----------
    running : ndarray
        CDUs; a loop with none moves no heat.
    supply_c, return_c : ndarray
        Of the coolant, in degC.
    flow_m3_per_s : ndarray
        Of the coolant.
    facility_flow_m3_per_s, facility_return_c : ndarray
        Facility water and the temperature at which it leaves.
    capacity_w, load : ndarray
        Heat that the CDUs take at the design's supply temperature and this rise, and the share of it that is used.
    drop_pa, pumps_w : ndarray
        Pressure that pumps overcome, and what CDUs draw.
    """

    running: F8
    supply_c: F8
    return_c: F8
    flow_m3_per_s: F8
    facility_flow_m3_per_s: F8
    facility_return_c: F8
    capacity_w: F8
    load: F8
    drop_pa: F8
    pumps_w: F8


def loop_state(serving: Serving, design: LoopDesign, running: F8) -> LoopState:
    """Return the state of loops in which so many CDUs run, (loops,).

    Notes
    -----
    CDUs share heat and flow. Where they pump less than the design asks for, the rise grows; where they take less heat
    than there is at the supply temperature of the design, the loop warms until they do.
    """
    d = design
    units = np.where(running > 0, running, np.nan)
    most = units * d.unit_flow_m3_per_s
    flow = np.where(most < d.flow_m3_per_s, most, d.flow_m3_per_s)
    flow = np.where(np.isnan(running), d.flow_m3_per_s, np.where(running > 0, flow, 0.0))
    boils = np.isinf(d.j_per_m3_k)
    rate = np.where(boils, np.inf, flow * np.where(boils, 1.0, d.j_per_m3_k))
    rise = np.where(boils, 0.0, np.divide(d.heat_w, rate, out=np.zeros_like(rate), where=rate > 0))
    drop = pressure_drop_pa(serving, d, flow)
    pumps = pumps_w(d, running, flow, drop)
    each = np.maximum((d.heat_w + pumps) / units, 1e-9)
    hot = np.maximum(rate / units, 1e-9)
    warmest = attainable_c(each, hot, d.unit_cold_w_per_k, d.ua_w_per_k, d.facility_c)
    held = np.isnan(warmest) | (warmest <= d.supply_c)
    supply = np.where(held, d.supply_c, warmest)
    supply = np.where(running == 0, np.inf, supply)
    cold = throttled_w_per_k(each, hot, supply, d.ua_w_per_k, d.facility_c, d.unit_cold_w_per_k)
    capacity = units * capacity_w(
        d.supply_c, np.where(boils, 0, each / hot), d.unit_cold_w_per_k, d.ua_w_per_k, d.facility_c
    )
    return LoopState(
        running, supply, supply + rise, flow,
        units * cold / d.cold_j_per_m3_k, d.facility_c + each / cold,
        np.where(running == 0, 0.0, capacity),
        np.where(running == 0, np.inf, (d.heat_w + pumps) / np.maximum(capacity, 1e-9)), drop, pumps,
    )  # fmt: skip


def pressure_drop_pa(serving: Serving, design: LoopDesign, flow_m3_per_s: F8) -> F8:
    """Return the pressure that pumps overcome at a flow, in Pa: what is stated at the design's, and pipes; NaN without.

    Notes
    -----
    What is stated holds for plates, couplings and manifolds, and goes with the square of the flow.
    """
    row, stated = serving.stated_row, serving.stated
    given = number_or_nan([loop.pressure_drop_pa for loop in stated])[row]
    share = np.divide(
        flow_m3_per_s, design.flow_m3_per_s, out=np.ones_like(flow_m3_per_s), where=design.flow_m3_per_s > 0
    )
    bore = number_or_nan([loop.pipe.diameter_m if loop.pipe else None for loop in stated])[row]
    length = number_or_nan([loop.pipe.length_m if loop.pipe else None for loop in stated])[row]
    rough = number_or_nan([loop.pipe.roughness_m if loop.pipe else None for loop in stated])[row]
    fittings = number_or_nan([loop.pipe.fittings if loop.pipe else None for loop in stated])[row]
    mean = design.supply_c + design.rise_k / 2
    density, viscosity = np.full(len(row), np.nan), np.full(len(row), np.nan)
    for name in set(design.coolant) & set(COOLANTS):
        on = np.array(design.coolant) == name
        density[on], viscosity[on] = COOLANTS[name].density_kg_per_m3(mean[on]), COOLANTS[name].viscosity_pa_s(mean[on])
    pipes = pipe_flow(np.maximum(flow_m3_per_s, 1e-12), bore, length, rough, fittings, density, viscosity).drop_pa
    both = np.nan_to_num(given * share**2) + np.nan_to_num(pipes)
    return np.where(np.isnan(given) & np.isnan(pipes), np.nan, both)


def pumps_w(design: LoopDesign, running: F8, flow_m3_per_s: F8, drop_pa: F8) -> F8:
    """Return what CDUs draw, in W: by flow and pressure, else as their maker says, else 0.6 % of the heat; 0 without.

    Parameters
    ----------
    running, flow_m3_per_s, drop_pa : ndarray, (loops,)
    """
    by_flow = moving_power_w(flow_m3_per_s, drop_pa, PUMP_EFFICIENCY)
    published = np.where(np.isnan(design.unit_power_w), PUMP_SHARE * design.heat_w, design.unit_power_w * running)
    drawn = np.where(np.isnan(drop_pa), published, by_flow)
    return np.where(np.isnan(running), np.nan_to_num(by_flow), drawn)
