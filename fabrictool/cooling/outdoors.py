"""The weather that a hall's plant stands in: of a file, of a city's monthly means, or one stated hour."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.cooling.air import pressure_pa
from fabrictool.cooling.psychrometrics import relative_humidity, wet_bulb_c
from fabrictool.cooling.synthetic import LIKE_REAL_K, city, city_names, synthetic_year
from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import F8
from fabrictool.records import Assumption

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout
    from fabrictool.layout.plant import Outdoor


@dataclass(frozen=True)
class Outdoors:
    """Outdoor air, (hours,) each: dry and wet bulb in degC, and where it comes from.

    ``within_k`` is by how much a real year may be warmer or colder all through; 0 where it is one.
    """

    name: str
    dry_c: F8
    wet_c: F8
    within_k: float = 0.0
    assumptions: tuple[Assumption, ...] = ()


def outdoors(layout: Layout) -> Outdoors:
    """Return the weather of a hall: a file's, a synthetic year, or the one hour that its plant states.

    Raises
    ------
    InputError
        If there is no such file, it holds no year, or nobody publishes means of such a city.
    """
    hall, file = layout.hall, layout.weather_file()
    stated = hall.plant.outdoor if hall and hall.plant else None
    if hall is not None and hall.weather is None and stated is not None:
        return _one_hour(stated)
    altitude_m = None if hall is None else hall.altitude_m
    if file is not None:
        return _of_file(file, altitude_m)
    return _of_city(hall.weather if hall and hall.weather else "", altitude_m)


def _one_hour(stated: Outdoor) -> Outdoors:
    dry = np.array([stated.dry_bulb_c])
    wet = dry if stated.wet_bulb_c is None else np.array([stated.wet_bulb_c])
    return Outdoors("stated outdoor air", dry, wet)


def _of_file(file: str, altitude_m: float | None) -> Outdoors:
    from fabrictool.formats.weather import read_weather

    if not Path(file).is_file():
        fix = f"name a CSV or EPW file beside the layout, or a city: {', '.join(city_names())}"
        raise InputError([Problem("", f"there is no weather file '{file}'", fix, ("hall", "weather"))])
    found = read_weather(file)
    humid = np.where(np.isnan(found.humidity), relative_humidity(found.dry_c, found.dew_c), found.humidity)
    height = altitude_m if altitude_m is not None else found.elevation_m or 0.0
    return Outdoors(found.name, found.dry_c, wet_bulb_c(found.dry_c, humid, float(pressure_pa(height))))


def _of_city(name: str, altitude_m: float | None) -> Outdoors:
    months, elevation_m, source = city(name)
    dry, humid = synthetic_year(months)
    wet = wet_bulb_c(dry, humid, float(pressure_pa(elevation_m if altitude_m is None else altitude_m)))
    what = f"a synthetic year of its monthly means, no real one and not for sizing: good to {LIKE_REAL_K:g} K"
    return Outdoors(name, dry, wet, LIKE_REAL_K, (Assumption(f"weather of {name}", what, source),))
