"""A hall in steady state: where IT power goes, and what carries it off draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fabrictool.cooling.room import moving_power_w
from fabrictool.fabric.tables import F8, Reals


@dataclass(frozen=True, slots=True)
class HallPlant:
    """What a hall's distribution and cooling are like; pressures in Pa, rises in K, rho c in J/(m3 K).

    ``electrical`` is the efficiency of transformer, UPS and distribution together, ``losses_inside`` the share of
    their losses that the hall's air takes up, ``rejection`` what towers or dry coolers draw over the heat that they
    reject, ``other`` what the rest draws over IT power.
    """

    electrical: float = 0.99 * 0.96 * 0.99
    air_j_per_m3_k: float = 1.19 * 1010
    air_rise_k: float = 12.0
    air_pa: float = 400.0
    fan_efficiency: float = 0.6
    coolant_j_per_m3_k: float = 4.00343e6
    coolant_rise_k: float = 10.0
    coolant_pa: float = 250e3
    pump_efficiency: float = 0.65
    chilled_j_per_m3_k: float = 4.176431e6
    chilled_rise_k: float = 6.0
    chilled_pa: float = 250e3
    facility_j_per_m3_k: float = 4.161552e6
    facility_rise_k: float = 10.0
    facility_pa: float = 200e3
    rejection: float = 0.015
    other: float = 0.01
    losses_inside: float = 0.3


class HallState(NamedTuple):
    """Flows of energy in W (air and coolant in m3/s); ``total_w`` is what the utility delivers."""

    air_w: F8
    liquid_w: F8
    electrical_w: F8
    air_m3_per_s: F8
    fans_w: F8
    coolant_m3_per_s: F8
    coolant_pumps_w: F8
    chilled_pumps_w: F8
    facility_pumps_w: F8
    chillers_w: F8
    rejected_w: F8
    rejection_w: F8
    other_w: F8
    total_w: F8
    pue: F8


@dataclass(frozen=True, slots=True)
class Measured:
    """What of a hall is known better than by the model: fans and loop pumps in W, and losses of distribution in W.

    NaN leaves it to the model.
    """

    fans_w: float = np.nan
    loop_pumps_w: float = np.nan
    electrical_w: float = np.nan


def hall_state(
    it_w: Reals, liquid: Reals, chiller_cop: Reals, plant: HallPlant | None = None, liquid_cop: Reals = np.inf,
    reused: Reals = 0.0, measured: Measured | None = None,
) -> HallState:  # fmt: skip
    """Return the energy flows of a hall.

    Parameters
    ----------
    it_w : float or ndarray
        IT power in W.
    liquid : float or ndarray
        Share of its heat that goes to liquid.
    chiller_cop : float or ndarray
        Of the chiller of the air's heat; inf where an economiser does without.
    plant : HallPlant, optional
    liquid_cop : float or ndarray
        Of the chiller of the loops' heat; inf where towers or dry coolers do without.
    reused : float or ndarray
        Share of the loops' heat that somebody else takes, 0 to 1: it is not chilled and not rejected.
    measured : Measured, optional

    Notes
    -----
    Heat to air is that of air-cooled equipment, of fans and of electrical losses inside; chilled water takes it, then
    the compressor. Heat to liquid is that of cold plates and of the loop's pumps. Towers reject both.
    """
    p, known = plant or HallPlant(), measured or Measured()
    it = np.asarray(it_w, dtype=np.float64)
    to_liquid, to_air = np.asarray(liquid * it), np.asarray((1 - np.asarray(liquid, dtype=np.float64)) * it)
    electrical = np.asarray(_known(known.electrical_w, it * (1 / p.electrical - 1)))
    air = to_air / (p.air_j_per_m3_k * p.air_rise_k)
    fans = _known(known.fans_w, moving_power_w(air, p.air_pa, p.fan_efficiency))
    coolant = to_liquid / (p.coolant_j_per_m3_k * p.coolant_rise_k)
    loop_pumps = _known(known.loop_pumps_w, moving_power_w(coolant, p.coolant_pa, p.pump_efficiency))
    warm_air = to_air + fans + p.losses_inside * electrical
    chilled_pumps = moving_power_w(
        warm_air / (p.chilled_j_per_m3_k * p.chilled_rise_k), p.chilled_pa, p.pump_efficiency
    )
    warm_loop = to_liquid + loop_pumps
    facility_flow = warm_loop / (p.facility_j_per_m3_k * p.facility_rise_k)
    facility_pumps = moving_power_w(facility_flow, p.facility_pa, p.pump_efficiency)
    left = (warm_loop + facility_pumps) * (1 - np.asarray(reused, dtype=np.float64))
    chillers = np.asarray((warm_air + chilled_pumps) / np.asarray(chiller_cop, dtype=np.float64))
    chillers = chillers + left / np.asarray(liquid_cop, dtype=np.float64)
    rejected = warm_air + chilled_pumps + chillers + left
    rejection, other = p.rejection * rejected, p.other * it
    total = it + electrical + fans + loop_pumps + chilled_pumps + facility_pumps + chillers + rejection + other
    return HallState(
        to_air, to_liquid, electrical, air, fans, coolant, loop_pumps, chilled_pumps, facility_pumps, chillers,
        rejected, rejection, other, total, np.divide(total, it, out=np.ones_like(total), where=it > 0),
    )  # fmt: skip


def _known(given_w: float, modelled_w: F8) -> F8:
    """Return what is known, else what the model says."""
    return modelled_w if np.isnan(given_w) else np.asarray(given_w + 0 * modelled_w)
