"""Moist air: pressure, humidity, density, enthalpy, and the airflow that carries heat off.

References
----------
.. [1] ASHRAE Handbook - Fundamentals (2017), chapter 1, Psychrometrics.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8

ZERO_C_K = 273.15
SEA_LEVEL_PA = 101325.0
DRY_AIR_J_PER_KG_K = 287.042
#: Molar mass of water over that of dry air.
WATER_TO_AIR = 0.621945


def pressure_pa(altitude_m: npt.ArrayLike) -> F8:
    """Return the standard pressure at an altitude, in Pa; below 11 km.

    References
    ----------
    ASHRAE Fundamentals, chapter 1, equation 3.
    """
    base = 1 - 2.25577e-5 * np.asarray(altitude_m, dtype=np.float64)
    return np.asarray(SEA_LEVEL_PA * np.power(base, 5.2559))


def saturation_pressure_pa(temperature_c: npt.ArrayLike) -> F8:
    """Return the pressure of saturated water vapour over liquid water, in Pa; 0 to 200 degC.

    References
    ----------
    ASHRAE Fundamentals, chapter 1, equation 6.
    """
    kelvin = np.asarray(temperature_c, dtype=np.float64) + ZERO_C_K
    polynomial = 1.3914993 + kelvin * (-4.8640239e-2 + kelvin * (4.1764768e-5 - kelvin * 1.4452093e-8))
    return np.asarray(np.exp(-5.8002206e3 / kelvin + polynomial + 6.5459673 * np.log(kelvin)))


def humidity_ratio(temperature_c: npt.ArrayLike, humidity: npt.ArrayLike, total_pa: npt.ArrayLike) -> F8:
    """Return kg of water vapour per kg of dry air.

    Parameters
    ----------
    temperature_c : array_like
        Dry-bulb temperature in degC.
    humidity : array_like
        Relative humidity, 0 to 1.
    total_pa : array_like
        Pressure in Pa.

    References
    ----------
    ASHRAE Fundamentals, chapter 1, equations 12 and 20.
    """
    vapour_pa = np.asarray(humidity, dtype=np.float64) * saturation_pressure_pa(temperature_c)
    return np.asarray(WATER_TO_AIR * vapour_pa / (np.asarray(total_pa) - vapour_pa))


def moist_air_volume_m3_per_kg(temperature_c: npt.ArrayLike, ratio: npt.ArrayLike, total_pa: npt.ArrayLike) -> F8:
    """Return the volume of moist air per kg of dry air, in m3/kg.

    Parameters
    ----------
    temperature_c, ratio, total_pa : array_like
        Temperature in degC, humidity ratio in kg/kg, pressure in Pa.

    References
    ----------
    ASHRAE Fundamentals, chapter 1, equation 26.
    """
    kelvin = np.asarray(temperature_c, dtype=np.float64) + ZERO_C_K
    return np.asarray(DRY_AIR_J_PER_KG_K * kelvin * (1 + 1.607858 * np.asarray(ratio)) / np.asarray(total_pa))


def moist_air_density_kg_per_m3(temperature_c: npt.ArrayLike, ratio: npt.ArrayLike, total_pa: npt.ArrayLike) -> F8:
    """Return the density of moist air (dry air and vapour), in kg/m3; parameters as for the volume."""
    return np.asarray((1 + np.asarray(ratio)) / moist_air_volume_m3_per_kg(temperature_c, ratio, total_pa))


def moist_air_enthalpy_j_per_kg(temperature_c: npt.ArrayLike, ratio: npt.ArrayLike) -> F8:
    """Return the enthalpy of moist air per kg of dry air, in J/kg, 0 at 0 degC dry.

    References
    ----------
    ASHRAE Fundamentals, chapter 1, equation 30.
    """
    celsius, vapour = np.asarray(temperature_c, dtype=np.float64), np.asarray(ratio)
    return np.asarray(1006 * celsius + vapour * (2_501_000 + 1860 * celsius))


def airflow_m3_per_s(
    heat_w: npt.ArrayLike,
    rise_k: npt.ArrayLike,
    inlet_c: npt.ArrayLike,
    humidity: npt.ArrayLike,
    altitude_m: npt.ArrayLike,
) -> F8:
    """Return the airflow at the inlet that carries heat off at a temperature rise, in m3/s.

    Parameters
    ----------
    heat_w : array_like
        Heat in W.
    rise_k : array_like
        Outlet minus inlet temperature, in K.
    inlet_c, humidity : array_like
        Temperature in degC and relative humidity (0 to 1) at the inlet.
    altitude_m : array_like
        Altitude in m.

    Notes
    -----
    V = q v(T, W, p) / (h(T + dT, W) - h(T, W)); no water condenses, so W is constant.
    """
    total_pa = pressure_pa(altitude_m)
    ratio = humidity_ratio(inlet_c, humidity, total_pa)
    outlet_c = np.asarray(inlet_c, dtype=np.float64) + np.asarray(rise_k)
    gain = moist_air_enthalpy_j_per_kg(outlet_c, ratio) - moist_air_enthalpy_j_per_kg(inlet_c, ratio)
    return np.asarray(np.asarray(heat_w) * moist_air_volume_m3_per_kg(inlet_c, ratio, total_pa) / gain)
