"""Weather of a year: files as people have them, synthetic years, and the published hours of free cooling."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from fabrictool.cooling.air import pressure_pa
from fabrictool.cooling.psychrometrics import dew_point_c, wet_bulb_c
from fabrictool.cooling.synthetic import (
    DAYS,
    LIKE_REAL_K,
    MEAN_OF_RANGE,
    MEANS_OVER_EXTREMES,
    Months,
    city,
    city_names,
    synthetic_year,
)
from fabrictool.errors import InputError
from fabrictool.formats.weather import Weather, read_weather

#: Hours of 2024 with T_db + 8 <= T (dry) and T_wb + 4 + 3 <= T (wet): section 5 of the reference.
LIMITS = (18, 22, 27, 32)
PHILADELPHIA = [3361, 4323, 5714, 7192, 4452, 5630, 7505, 8723]
LONDON = [3433, 5918, 7884, 8645, 5259, 7762, 8754, 8784]
SINGAPORE = [0, 0, 0, 131, 0, 0, 0, 4276]
MONTH = np.repeat(np.arange(12), DAYS)


def free_hours(dry: np.ndarray, wet: np.ndarray) -> list[int]:
    return [int((dry + 8 <= t).sum()) for t in LIMITS] + [int((wet + 7 <= t).sum()) for t in LIMITS]


@pytest.fixture(scope="module")
def philadelphia() -> Weather:
    path = Path(__file__).parents[3] / "shared" / "power-cooling-weather-philadelphia-2024.csv.gz"
    if not path.is_file():
        pytest.skip("the hourly weather of Philadelphia is not part of this repository")
    return read_weather(str(path))


def test_a_real_year_has_the_published_hours_of_free_cooling(philadelphia: Weather) -> None:
    """V20 of the reference: exact hours, and the wet bulb's maximum to a thousandth."""
    wet = wet_bulb_c(philadelphia.dry_c, philadelphia.humidity, float(pressure_pa(23)))
    assert len(wet) == 8784
    assert wet.max() == pytest.approx(26.0055, abs=1e-3)
    assert np.sort(wet)[int(np.ceil(0.996 * 8784)) - 1] == pytest.approx(25.2654, abs=0.02)
    assert philadelphia.dry_c.max() == 37.2
    assert free_hours(philadelphia.dry_c, wet) == PHILADELPHIA


def test_a_synthetic_year_of_its_months_has_nearly_the_same_hours(philadelphia: Weather) -> None:
    keep = np.ones(8784, bool)
    keep[59 * 24 : 60 * 24] = False  # 29 February
    dry, humid = (values[keep].reshape(365, 24) for values in (philadelphia.dry_c, philadelphia.humidity))
    rows = [month == MONTH for month in range(12)]
    means = [dry[row].mean(axis=1) for row in rows]
    highs, lows = ([getattr(dry[row], which)(axis=1) for row in rows] for which in ("max", "min"))
    months = Months(
        np.array([high.mean() for high in highs]), np.array([low.mean() for low in lows]),
        np.array([mean.mean() for mean in means]), np.array([mean.std() for mean in means]),
        np.array([humid[row].mean() for row in rows]),
    )  # fmt: skip
    made, moist = synthetic_year(months)
    hours = free_hours(made, wet_bulb_c(made, moist, float(pressure_pa(23))))
    np.testing.assert_allclose(hours[:4], PHILADELPHIA[:4], rtol=0.045)
    np.testing.assert_allclose(hours[4:], PHILADELPHIA[4:], rtol=0.01)
    # what cities take of this file: where means lie between lows and highs, and how much less they vary
    between = [
        (mean.mean() - low.mean()) / (high.mean() - low.mean())
        for mean, high, low in zip(means, highs, lows, strict=True)
    ]
    assert np.mean(between) == pytest.approx(MEAN_OF_RANGE, abs=0.001)
    less = [2 * mean.std() / (high.std() + low.std()) for mean, high, low in zip(means, highs, lows, strict=True)]
    assert np.mean(less) == pytest.approx(MEANS_OVER_EXTREMES, abs=0.002)


def test_dew_points_follow_the_days_and_not_the_hours(philadelphia: Weather) -> None:
    """What synthetic years take to be so: within a month, and in the mean of a day."""
    dew = dew_point_c(philadelphia.dry_c, philadelphia.humidity).reshape(366, 24)
    dry = philadelphia.dry_c.reshape(366, 24)
    assert np.ptp((dew - dew.mean(axis=1, keepdims=True)).mean(axis=0)) < 1.0
    assert np.ptp((dry - dry.mean(axis=1, keepdims=True)).mean(axis=0)) > 8.0
    month = np.repeat(np.arange(12), (31, 29, *DAYS[2:]))
    slopes = [np.polyfit(dry[month == row].mean(axis=1), dew[month == row].mean(axis=1), 1)[0] for row in range(12)]
    assert np.mean(slopes) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("name", city_names())
def test_synthetic_years_keep_the_published_means(name: str) -> None:
    months, elevation, source = city(name)
    dry, humid = synthetic_year(months)
    hour_month = np.repeat(MONTH, 24)
    for values, means in ((dry, months.mean_c), (humid, months.humidity)):
        found = np.bincount(hour_month, values) / np.bincount(hour_month)
        np.testing.assert_allclose(found, means, atol=1e-4)
    for which, published in (("max", months.high_c), ("min", months.low_c)):
        found = [getattr(dry.reshape(365, 24)[month == MONTH], which)(axis=1).mean() for month in range(12)]
        np.testing.assert_allclose(found, published, atol=0.5)
    assert humid.max() <= 1
    assert len(source) > 40
    assert 0 <= elevation < 100


@pytest.mark.parametrize(("name", "measured"), [("london", LONDON), ("singapore", SINGAPORE)])
def test_the_real_hours_of_a_city_are_those_of_a_synthetic_year_a_little_warmer_or_colder(
    name: str, measured: list[int]
) -> None:
    """Nothing is fitted to these hours: the year comes from published means and records alone."""
    months, elevation, _ = city(name)
    dry, humid = synthetic_year(months)
    wet = wet_bulb_c(dry, humid, float(pressure_pa(elevation)))
    most, least = free_hours(dry - LIKE_REAL_K, wet - LIKE_REAL_K), free_hours(dry + LIKE_REAL_K, wet + LIKE_REAL_K)
    for low, real, high in zip(least, measured, most, strict=True):
        assert low <= real <= high + 24  # 2024 had a day more


def test_records_lie_as_far_out_as_the_largest_of_so_many_days() -> None:
    """Of 30,000 draws of as many normal days, the largest is on average where the records are put."""
    months = city("singapore")[0]
    spread = months.deviation_k[0] / MEANS_OVER_EXTREMES
    days = np.random.default_rng(0).standard_normal((60, 90 * 365)).max(axis=1)
    reach = 36 - months.high_c.max() + months.low_c.min() - 19.4
    assert reach / 2 / spread == pytest.approx(days.mean(), abs=3 * days.std() / 60**0.5)


def year(dry: str = "10.5", humid: str = "60", hours: int = 8760) -> str:
    return "".join(f"{row},{dry},{humid}\n" for row in range(hours))


def test_csv_files_are_read_by_their_headings(tmp_path: Path) -> None:
    path = tmp_path / "year.csv"
    for heading, dry in (
        ("hour,T_db_C,RH_pct", 10.5), ("time,temperature_2m (°C),relative_humidity_2m (%)", 10.5),
        ("Hour;Dry Bulb [C];Rel Humidity", 10.5), ("hour,temp_F,rh", (10.5 - 32) / 1.8),
    ):  # fmt: skip
        body = year().replace(",", ";") if ";" in heading else year()
        path.write_text(f"# hourly\n{heading}\n{body}" if "," in heading else f"{heading}\n{body}")
        found = read_weather(str(path))
        assert (len(found.dry_c), found.dry_c[0], found.humidity[0]) == (8760, pytest.approx(dry), 0.6)
    place = "latitude,longitude,elevation\n39.9,-75.1,23.0\n\n"  # as Open-Meteo writes it
    path.write_text(place + "time,temperature_2m (°C),relative_humidity_2m (%)\n" + year())
    assert len(read_weather(str(path)).dry_c) == 8760
    path.write_text("hour,T_db_C,dew_point_C\n" + year(humid="4"))
    found = read_weather(str(path))
    assert np.isnan(found.humidity).all()
    assert found.dew_c[0] == 4


def test_epw_files_are_read_with_their_elevation(tmp_path: Path) -> None:
    head = "LOCATION,Nowhere,-,XXX,TMY,999999,40.0,-75.0,-5.0,23.0\n" + "X\n" * 7
    row = "2024,1,1,1,0,A7,10.5,4.0,{},101325,0\n"
    path = tmp_path / "year.epw.gz"
    path.write_bytes(gzip.compress((head + row.format(60) * 8759 + row.format(999)).encode()))
    found = read_weather(str(path))
    assert (found.elevation_m, found.dry_c[0], found.humidity[0]) == (23, 10.5, 0.6)
    assert (found.dew_c[-1], np.isnan(found.humidity[-1])) == (4, True)


WRONG = [
    ("", "year.csv:1: is empty"),
    ("hour,RH_pct\n1,2\n", "year.csv:1: no column of a dry bulb among hour, rh_pct"),
    ("hour,T_db_C\n1,2\n", "no column of relative humidity or dew point"),
    ("hour,T_db_C,RH_pct\n" + year(hours=24), "year.csv:25: has 24 hours, but a year has 8,760 or 8,784"),
    ("hour,T_db_C,RH_pct\n" + year("283"), "year.csv:2: 283 C is no outdoor temperature"),
    ("hour,T_db_C,RH_pct\n" + year(humid="250"), "year.csv:2: 250 % is no relative humidity"),
    ("hour,T_db_C,RH_pct\n" + year(humid="-1"), "-1 % is no relative humidity"),
    ("hour,T_db_C,RH_pct\n" + year("warm"), "year.csv:2: t_db_c: 'warm' is not a number"),
    ("hour,T_db_C,RH_pct\n" + year("nan"), "t_db_c: is not a finite number"),
    ("hour,T_db_C,dew_C\n" + year(humid="20"), "dew point of 20 C is above the dry bulb of 10.5 C"),
    ("LOCATION,a\n" + "x\n" * 7 + "2024,1,1\n", "field 7: 'nothing' is not a number"),
    ("\0\0binary", "year.csv:1:"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_files_that_are_no_weather_are_refused_with_their_line(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "year.csv"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_weather(str(path))
    assert words in str(error.value)
