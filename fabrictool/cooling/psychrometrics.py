"""Dew point and wet bulb of moist air.

References
----------
.. [1] ASHRAE Handbook - Fundamentals (2017), chapter 1, Psychrometrics.
"""

from __future__ import annotations

import numpy as np

from fabrictool.cooling.air import WATER_TO_AIR, ZERO_C_K, humidity_ratio, saturation_pressure_pa
from fabrictool.fabric.tables import F8, Reals

TRIPLE_C = 0.01
#: Newton steps for the dew point and halvings for the wet bulb: both then stand to 1e-6 K.
_STEPS, _HALVINGS = 30, 44


def vapour_pressure_pa(temperature_c: Reals) -> F8:
    """Return the pressure of saturated vapour over ice below the triple point and over water above, in Pa.

    References
    ----------
    [1]_, equations 5 and 6; -100 to 200 degC.
    """
    celsius = np.asarray(temperature_c, dtype=np.float64)
    kelvin = celsius + ZERO_C_K
    series = -9.677843e-3 + kelvin * (6.2215701e-7 + kelvin * (2.0747825e-9 - kelvin * 9.484024e-13))
    ice = np.exp(-5.6745359e3 / kelvin + 6.3925247 + kelvin * series + 4.1635019 * np.log(kelvin))
    return np.where(celsius <= TRIPLE_C, ice, saturation_pressure_pa(celsius))


def _relative_slope(celsius: F8) -> F8:
    """Return the derivative of the logarithm of `vapour_pressure_pa`, in 1/K."""
    kelvin = celsius + ZERO_C_K
    ice = -9.677843e-3 + kelvin * (2 * 6.2215701e-7 + kelvin * (3 * 2.0747825e-9 - kelvin * 4 * 9.484024e-13))
    water = -4.8640239e-2 + kelvin * (2 * 4.1764768e-5 - kelvin * 3 * 1.4452093e-8)
    below = 5.6745359e3 / kelvin**2 + ice + 4.1635019 / kelvin
    return np.where(celsius <= TRIPLE_C, below, 5.8002206e3 / kelvin**2 + water + 6.5459673 / kelvin)


def dew_point_c(temperature_c: Reals, humidity: Reals) -> F8:
    """Return the temperature at which vapour starts to condense, in degC (of frost below the triple point).

    Parameters
    ----------
    temperature_c : float or ndarray
        Dry bulb in degC.
    humidity : float or ndarray
        Relative humidity, above 0 and at most 1.
    """
    dry = np.asarray(temperature_c, dtype=np.float64)
    target = np.log(np.asarray(humidity) * vapour_pressure_pa(dry))
    found = np.array(np.broadcast_to(dry, np.broadcast(dry, target).shape))
    for _ in range(_STEPS):
        step = (np.log(vapour_pressure_pa(found)) - target) / _relative_slope(found)
        found = np.clip(found - step, -100.0, dry)
        if np.max(np.abs(step), initial=0.0) < 1e-9:
            break
    return np.asarray(found)


def wet_bulb_c(temperature_c: Reals, humidity: Reals, total_pa: Reals) -> F8:
    """Return the temperature of adiabatic saturation, in degC; between dew point and dry bulb.

    Parameters
    ----------
    temperature_c, humidity, total_pa : float or ndarray
        Dry bulb in degC, relative humidity (0 to 1), pressure in Pa.

    References
    ----------
    [1]_, equations 33 and 35.
    """
    dry, humid, total = np.broadcast_arrays(
        np.asarray(temperature_c, dtype=np.float64), np.asarray(humidity), np.asarray(total_pa)
    )
    ratio = WATER_TO_AIR * humid * vapour_pressure_pa(dry) / (total - humid * vapour_pressure_pa(dry))
    low, high = dew_point_c(dry, np.maximum(humid, 1e-6)), dry.astype(np.float64)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = _ratio_at_wet_bulb(dry, middle, total) > ratio
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.asarray((low + high) / 2)


def _ratio_at_wet_bulb(dry_c: F8, wet_c: F8, total_pa: F8) -> F8:
    """Return the humidity ratio of air of a dry and a wet bulb."""
    saturated_pa = vapour_pressure_pa(wet_c)
    saturated = WATER_TO_AIR * saturated_pa / (total_pa - saturated_pa)
    water = ((2501 - 2.326 * wet_c) * saturated - 1.006 * (dry_c - wet_c)) / (2501 + 1.86 * dry_c - 4.186 * wet_c)
    ice = ((2830 - 0.24 * wet_c) * saturated - 1.006 * (dry_c - wet_c)) / (2830 + 1.86 * dry_c - 2.1 * wet_c)
    return np.where(wet_c >= 0, water, ice)


def relative_humidity(temperature_c: Reals, dew_c: Reals) -> F8:
    """Return the relative humidity (0 to 1) of air whose dew point is known."""
    return np.asarray(vapour_pressure_pa(dew_c) / vapour_pressure_pa(temperature_c))


def moist_heat_capacity_j_per_kg_k(temperature_c: Reals, humidity: Reals, total_pa: Reals) -> F8:
    """Return the heat capacity of moist air per kg of it, in J/(kg K): (1006 + 1860 W) / (1 + W)."""
    ratio = humidity_ratio(temperature_c, humidity, total_pa)
    return np.asarray((1006 + 1860 * ratio) / (1 + ratio))
