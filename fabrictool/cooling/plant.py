"""Machines that reject heat: chillers, towers, dry coolers, heat pumps, and the water they evaporate."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fabrictool.cooling.air import ZERO_C_K
from fabrictool.fabric.tables import F8, Reals

#: K between the chilled water and what evaporates, and from the wet or dry bulb to what condenses.
EVAPORATOR_K, TOWER_K, DRY_K = 2.0, 4.0 + 5.0 + 3.0, 12.0
#: Share of Carnot's efficiency, and the most that a compressor's least lift allows; assumed.
CARNOT_SHARE, MOST_COP = 0.5, 15.0


class Chiller(NamedTuple):
    """A chiller: evaporation and condensation in degC, and coefficients of performance of Carnot and of itself."""

    evaporator_c: F8
    condenser_c: F8
    carnot: F8
    cop: F8


def chiller(
    water_c: Reals, outdoor_c: Reals, wet: Reals, share: float = CARNOT_SHARE,
    most: float = np.inf,
) -> Chiller:  # fmt: skip
    """Return how a chiller runs at an outdoor temperature.

    Parameters
    ----------
    water_c : float or ndarray
        Supply of chilled water, in degC.
    outdoor_c : float or ndarray
        Wet bulb where ``wet``, with a tower; else dry bulb, air cooled; in degC.
    wet : float or ndarray of bool
    share : float
        Of Carnot's efficiency, 0.45 to 0.6.
    most : float
        Cap on the coefficient of performance.

    Notes
    -----
    COP = share T_e / (T_c - T_e) in kelvin; T_e = T_water - 2, T_c = T_wb + 4 + 5 + 3 or T_db + 12. Where it is
    colder outside than evaporation needs, the lift does not limit and the cap holds.
    """
    evaporator = np.asarray(water_c, dtype=np.float64) - EVAPORATOR_K
    condenser = np.asarray(outdoor_c, dtype=np.float64) + np.where(wet, TOWER_K, DRY_K)
    lift = condenser - evaporator
    kelvin = evaporator + ZERO_C_K
    carnot = np.where(lift > 0, kelvin / np.where(lift > 0, lift, 1.0), np.inf)
    return Chiller(evaporator, condenser, carnot, np.minimum(share * carnot, most))


def tower_water_c(wet_bulb_c: Reals, approach_k: Reals = 4.0) -> F8:
    """Return the water that a cooling tower supplies, in degC: wet bulb and an approach of 3 to 5 K."""
    return np.asarray(np.asarray(wet_bulb_c, dtype=np.float64) + approach_k)


def dry_water_c(dry_bulb_c: Reals, approach_k: Reals = 8.0) -> F8:
    """Return the water that a dry cooler supplies, in degC: dry bulb and an approach of 8 to 12 K."""
    return np.asarray(np.asarray(dry_bulb_c, dtype=np.float64) + approach_k)


def adiabatic_air_c(dry_bulb_c: Reals, wet_bulb_c: Reals, effectiveness: Reals = 0.8) -> F8:
    """Return air behind wetted pads, in degC: between wet and dry bulb; effectiveness 0.7 to 0.9."""
    dry = np.asarray(dry_bulb_c, dtype=np.float64)
    return np.asarray(dry - effectiveness * (dry - wet_bulb_c))


class WaterUse(NamedTuple):
    """Water of a tower: evaporated, blown down and made up, in kg or l."""

    evaporated: F8
    blown_down: F8
    made_up: F8


def latent_heat_j_per_kg(temperature_c: Reals) -> F8:
    """Return the heat of evaporation of water, in J/kg; a line through CoolProp's values, 20 to 40 degC within 2e-5."""
    return np.asarray(2_501_075.0 - 2376.1 * np.asarray(temperature_c, dtype=np.float64))


def tower_water(heat_j: Reals, latent_j_per_kg: Reals, cycles: Reals) -> WaterUse:
    """Return the water that a tower takes for a heat that it rejects by evaporation alone.

    Parameters
    ----------
    heat_j : float or ndarray
        In J.
    latent_j_per_kg : float or ndarray
        Heat of evaporation.
    cycles : float or ndarray
        Cycles of concentration, above 1.

    Notes
    -----
    Evaporation q / h; blowdown evaporation / (cycles - 1).
    """
    evaporated = np.asarray(np.asarray(heat_j, dtype=np.float64) / latent_j_per_kg)
    blown = np.asarray(evaporated / (np.asarray(cycles) - 1))
    return WaterUse(evaporated, blown, evaporated + blown)


class HeatPump(NamedTuple):
    """A heat pump: COP of Carnot and of itself, heat delivered and electricity taken per unit of source heat."""

    carnot: F8
    cop: F8
    delivered: F8
    electricity: F8


def heat_pump(source_c: Reals, sink_c: Reals, share: Reals) -> HeatPump:
    """Return how a heat pump lifts waste heat: COP = share T_h / (T_h - T_l), delivered = COP / (COP - 1)."""
    sink = np.asarray(sink_c, dtype=np.float64) + ZERO_C_K
    carnot = np.asarray(sink / np.subtract(sink_c, source_c))
    cop = np.asarray(share * carnot)
    return HeatPump(carnot, cop, np.asarray(cop / (cop - 1)), np.asarray(1 / (cop - 1)))
