"""Air in a room: recirculation and by-pass, limits of ASHRAE's classes, and fans."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from fabrictool.errors import InputError
from fabrictool.fabric.tables import F8, Reals


@dataclass(frozen=True, slots=True)
class AirClass:
    """A class of equipment: recommended and allowable inlet in degC, largest dew point, and derating.

    The allowable maximum falls by 1 K for every ``derate_m`` above 900 m.
    """

    recommended_c: tuple[float, float]
    allowable_c: tuple[float, float]
    dew_max_c: float
    derate_m: float


#: ASHRAE TC 9.9, Thermal Guidelines, 5th edition (2021), table 2.1; of H1 dew point and derating are assumed.
AIR_CLASSES = MappingProxyType(
    {
        "A1": AirClass((18, 27), (15, 32), 17, 300),
        "A2": AirClass((18, 27), (10, 35), 21, 300),
        "A3": AirClass((18, 27), (5, 40), 24, 175),
        "A4": AirClass((18, 27), (5, 45), 24, 125),
        "H1": AirClass((18, 22), (5, 25), 17, 500),
    }
)
DERATED_ABOVE_M = 900.0


def inlet_max_c(air_class: str, altitude_m: Reals) -> F8:
    """Return the largest allowable inlet temperature of a class at an altitude, in degC."""
    limits = AIR_CLASSES[air_class]
    above = np.maximum(np.asarray(altitude_m, dtype=np.float64) - DERATED_ABOVE_M, 0)
    return np.asarray(limits.allowable_c[1] - above / limits.derate_m)


def recirculated_inlet_c(supply_c: Reals, rise_k: Reals, recirculation: Reals) -> F8:
    """Return the inlet temperature of a rack that breathes part of its own exhaust, in degC.

    Parameters
    ----------
    supply_c, rise_k : float or ndarray
        Supply temperature in degC, and rise through the equipment in K.
    recirculation : float or ndarray
        Share of the inlet air that is the rack's own exhaust, 0 to below 1; it is the supply heat index (SHI) too.

    Notes
    -----
    T_in = T_s + r / (1 - r) dT.
    """
    share = np.asarray(recirculation, dtype=np.float64)
    return np.asarray(supply_c + share / (1 - share) * rise_k)


def supply_heat_index(supply_c: Reals, inlet_c: Reals, outlet_c: Reals) -> F8:
    """Return how much of the rise happens before the inlet, 0 to 1: (T_in - T_s) / (T_out - T_s)."""
    return np.asarray(np.subtract(inlet_c, supply_c) / np.subtract(outlet_c, supply_c))


class RoomAir(NamedTuple):
    """Air of a room: by-pass share, inlet, outlet and return temperature in degC, return temperature index in %."""

    bypass: F8
    inlet_c: F8
    outlet_c: F8
    return_c: F8
    return_index: F8


def room_air(
    it_m3_per_s: Reals, unit_m3_per_s: Reals, recirculation: Reals, supply_c: Reals,
    rise_k: Reals,
) -> RoomAir:  # fmt: skip
    """Return how the air of equipment and of air handlers mixes.

    Parameters
    ----------
    it_m3_per_s, unit_m3_per_s : float or ndarray
        Air through the equipment and through the air handlers.
    recirculation : float or ndarray
        Share of the equipment's inlet air that is exhaust.
    supply_c, rise_k : float or ndarray
        Of the air handlers in degC, and through the equipment in K.

    Raises
    ------
    InputError
        If the equipment would take more fresh air than the air handlers blow.

    Notes
    -----
    1 - b = V_IT (1 - r) / V_unit; T_return = T_s + V_IT dT / V_unit; RTI = 100 (T_return - T_s) / dT.
    """
    equipment, unit = np.asarray(it_m3_per_s, dtype=np.float64), np.asarray(unit_m3_per_s, dtype=np.float64)
    fresh = equipment * (1 - np.asarray(recirculation))
    if np.any(fresh > unit * (1 + 1e-12)):
        what = (
            f"equipment takes {float(np.max(fresh)):g} m3/s of fresh air, but air handlers blow {float(np.min(unit)):g}"
        )
        raise InputError(what, "give more air, or a larger recirculation")
    inlet = recirculated_inlet_c(supply_c, rise_k, recirculation)
    back = np.asarray(supply_c + equipment * rise_k / unit)
    index = 100 * equipment / unit
    return RoomAir(np.asarray(1 - fresh / unit), inlet, np.asarray(inlet + rise_k), back, np.asarray(index))


def fan_at_speed(flow_m3_per_s: Reals, pressure_pa: Reals, power_w: Reals, ratio: Reals) -> tuple[F8, F8, F8]:
    """Return flow, pressure and power of a fan (or pump) at a ratio of its speed, on the same system curve.

    Notes
    -----
    Q ~ N, dp ~ N^2, P ~ N^3.
    """
    speed = np.asarray(ratio, dtype=np.float64)
    return np.asarray(flow_m3_per_s * speed), np.asarray(pressure_pa * speed**2), np.asarray(power_w * speed**3)


def moving_power_w(flow_m3_per_s: Reals, pressure_pa: Reals, efficiency: Reals) -> F8:
    """Return what a fan or pump draws, in W: V dp / eta, motor included in eta."""
    return np.asarray(np.asarray(flow_m3_per_s, dtype=np.float64) * pressure_pa / np.asarray(efficiency))
