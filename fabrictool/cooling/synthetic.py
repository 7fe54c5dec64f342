"""A year of hourly weather from monthly means: their averages hold, and days and hours vary about them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from statistics import NormalDist
from typing import Any

import numpy as np

from fabrictool.cooling.psychrometrics import dew_point_c, relative_humidity
from fabrictool.errors import InputError, Problem, did_you_mean
from fabrictool.fabric.tables import F8

DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
#: Standard deviations by which the records of some eighty years lie beyond a month's mean highs and lows.
RECORD_DEVIATIONS = 3.5
#: Hour of the day at which it is warmest.
WARMEST_HOUR = 15
_MOISTURE_STEPS = 6


@dataclass(frozen=True)
class Months:
    """Monthly means, (12,) each, January first.

    Parameters
    ----------
    high_c, low_c : ndarray
        Mean daily maximum and minimum, in degC.
    deviation_k : ndarray
        Standard deviation of days of the month, in K.
    humidity : ndarray
        Mean relative humidity, 0 to 1.
    """

    high_c: F8
    low_c: F8
    deviation_k: F8
    humidity: F8


@cache
def _cities() -> dict[str, dict[str, Any]]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = resources.files("fabrictool.cooling").joinpath("cities.yaml").read_text(encoding="utf-8")
    return {row["name"]: row for row in yaml.load(text, Loader=loader)["cities"]}


def city_names() -> list[str]:
    """Return the cities of which monthly means ship."""
    return list(_cities())


def city(name: str) -> tuple[Months, float, str]:
    """Return monthly means of a city, its elevation in m and their source.

    Raises
    ------
    InputError
        If none ship of it.
    """
    known = _cities()
    if name not in known:
        what = f"there is no weather of '{name}'"
        raise InputError([Problem("", what, f"{did_you_mean(name, known)} A CSV or EPW file may be named instead",
                                  ("hall", "weather"))])  # fmt: skip
    row = known[name]
    high, low, top, bottom = (np.array(row[k], dtype=np.float64) for k in ("high", "low", "record_high", "record_low"))
    spread = (top - bottom - (high - low)) / (2 * RECORD_DEVIATIONS)
    months = Months(high, low, spread, np.array(row["humidity"]) / 100)
    return months, float(row["elevation_m"]), f"{row['station']}: {row['source']}"


def synthetic_year(months: Months) -> tuple[F8, F8]:
    """Return dry bulb in degC and relative humidity, (8760,), of a year whose months have given means.

    Notes
    -----
    Means run linearly between knots at mid-month that keep every monthly mean. Days of a month take the quantiles of a
    normal distribution, hours a cosine with its crest at 15 h. The dew point follows the days, and is set so that the
    mean humidity of each month holds.
    """
    month = np.repeat(np.arange(12), DAYS)
    mean = _through_months((months.high_c + months.low_c) / 2)
    swing = _through_months((months.high_c - months.low_c) / 2)
    days = mean + months.deviation_k[month] * _daily_quantiles()
    hours = np.cos(2 * np.pi * (np.arange(24) - WARMEST_HOUR) / 24)
    dry = (days[:, None] + swing[:, None] * hours).reshape(-1)
    return dry, _humidity(dry, days, np.repeat(month, 24), months)


def _through_months(means: F8) -> F8:
    """Return a value of each day, (365,), that runs through the year and has the monthly means (12,) asked for."""
    ends = np.cumsum(DAYS)
    middles = ends - np.array(DAYS) / 2
    knots = np.concatenate(([middles[-1] - 365], middles, [middles[0] + 365]))
    day = np.arange(365) + 0.5
    basis = np.stack([np.interp(day, knots, np.concatenate((e[-1:], e, e[:1]))) for e in np.eye(12)], axis=1)
    month = np.repeat(np.arange(12), DAYS)
    average = np.stack([basis[month == row].mean(axis=0) for row in range(12)])
    return np.asarray(basis @ np.linalg.solve(average, means))


def _daily_quantiles() -> F8:
    """Return normal quantiles of the days of each month, (365,), in an order in which warm and cold days take turns."""
    normal, parts = NormalDist(), []
    for days in DAYS:
        quantiles = np.array([normal.inv_cdf((row + 0.5) / days) for row in range(days)])
        parts.append(quantiles[np.argsort(np.sin(2 * np.pi * np.arange(days) / 7.3), kind="stable").argsort()])
    return np.concatenate(parts)


def _humidity(dry_c: F8, days_c: F8, month: np.ndarray, months: Months) -> F8:
    """Return hourly humidity with the monthly means asked for, by shifting each month's dew points."""
    daily = np.repeat(days_c, 24)
    centre = np.array([daily[month == row].mean() for row in range(12)])
    dew = dew_point_c(centre, months.humidity)
    for _ in range(_MOISTURE_STEPS):
        humid = np.minimum(relative_humidity(dry_c, dew[month] + daily - centre[month]), 1.0)
        now = np.bincount(month, humid) / np.bincount(month)
        dew += dew_point_c(centre, np.clip(months.humidity, 0.01, 1)) - dew_point_c(centre, np.clip(now, 0.01, 1))
    return np.asarray(humid)
