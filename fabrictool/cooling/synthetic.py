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
#: Standard deviation of daily means over that of daily highs and lows: 2024 in Philadelphia (hourly, Open-Meteo).
MEANS_OVER_EXTREMES = 0.90
#: How far a day's mean lies from its low to its high where nobody publishes it: likewise.
MEAN_OF_RANGE = 0.475
#: Hour of the day at which it is warmest.
WARMEST_HOUR = 15
#: By how much real years of 2024 are warmer or colder than synthetic ones, at most, where hours of cooling are known.
LIKE_REAL_K = 1.5
_MOISTURE_STEPS, _SHAPE_STEPS = 8, 60


@dataclass(frozen=True)
class Months:
    """Monthly means, (12,) each, January first.

    Parameters
    ----------
    high_c, low_c, mean_c : ndarray
        Means of daily maximum, minimum and mean, in degC.
    deviation_k : ndarray
        Standard deviation of the daily means of a month, in K.
    humidity : ndarray
        Mean relative humidity, 0 to 1.
    """

    high_c: F8
    low_c: F8
    mean_c: F8
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
        fix = f"{did_you_mean(name, known)}. Cities are {', '.join(known)}; a CSV or EPW file may be named instead"
        raise InputError([Problem("", what, fix, ("hall", "weather"))])
    row = known[name]
    high, low = (np.array(row[key], dtype=np.float64) for key in ("high", "low"))
    mean = np.array(row["mean"]) if "mean" in row else low + MEAN_OF_RANGE * (high - low)
    humid = np.array(row["humidity"]) / 100
    months = Months(high, low, mean, MEANS_OVER_EXTREMES * _deviation_k(row, high, low), humid)
    return months, float(row["elevation_m"]), f"{row['station']}: {row['source']}"


def _deviation_k(row: dict[str, Any], high_c: F8, low_c: F8) -> F8:
    """Return the standard deviation of daily highs and lows of each month, (12,) in K, by what records there are.

    Notes
    -----
    The largest of n normal values is expected where (n - 0.375) / (n + 0.25) of them are below.

    References
    ----------
    G. Blom, Statistical Estimates and Transformed Beta-Variables, 1958.
    """
    years, top, bottom = row["record_years"], row["record_high"], row["record_low"]
    if np.ndim(top) == 0:
        days = years * 365
        reach = np.full(12, top - high_c.max() + low_c.min() - bottom)
    else:
        days = years * 365 / 12
        reach = np.array(top) - high_c + low_c - np.array(bottom)
    return np.asarray(reach / (2 * NormalDist().inv_cdf((days - 0.375) / (days + 0.25))))


def synthetic_year(months: Months) -> tuple[F8, F8]:
    """Return dry bulb in degC and relative humidity, (8760,), of a year whose months have given means.

    Notes
    -----
    Means run linearly between knots at mid-month that keep every monthly mean. Days of a month take the quantiles of a
    normal distribution; hours a power of a cosine with its crest at 15 h, so that high, low and mean of a day are as
    published. The dew point stays through a day and follows the days, as far as the air holds the moisture, and is
    set so that the mean humidity of each month holds.
    """
    month = np.repeat(np.arange(12), DAYS)
    low, high, mean = (_through_months(values) for values in (months.low_c, months.high_c, months.mean_c))
    warmer = months.deviation_k[month] * _daily_quantiles()
    share = (months.mean_c - months.low_c) / (months.high_c - months.low_c)
    hours = _through_day(float(share.mean()))
    # hours keep the mean of the day, whatever its month's share of the range is
    dry = (mean + warmer)[:, None] + (high - low)[:, None] * (hours - hours.mean())
    return dry.reshape(-1), _humidity(dry.reshape(-1), mean + warmer, np.repeat(month, 24), months)


def _through_day(mean: float) -> F8:
    """Return where each hour lies from the low of a day to its high, (24,), with a given mean over the day."""
    wave = (1 + np.cos(2 * np.pi * (np.arange(24) - WARMEST_HOUR) / 24)) / 2
    flat, sharp = 1 / 16, 16.0
    for _ in range(_SHAPE_STEPS):
        power = (flat * sharp) ** 0.5
        flat, sharp = (power, sharp) if (wave**power).mean() > mean else (flat, power)
    return np.asarray(wave ** (flat * sharp) ** 0.5)


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
