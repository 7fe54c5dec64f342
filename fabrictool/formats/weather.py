"""Hourly weather of a year: CSV with a dry bulb and humidity or dew point, and EnergyPlus weather files (EPW)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import F8
from fabrictool.formats.csv_rows import separator
from fabrictool.formats.opening import read_all, text_of

#: Hours of a year, and of a leap year.
YEARS = (8760, 8784)
COLDEST_C, WARMEST_C = -80.0, 60.0
_EPW_LINES, _MOST_PREFACE, _MOST_LINES = 8, 30, 20_000
_EPW = {"dry": 6, "dew": 7, "humidity": 8, "pressure": 9}
_EPW_MISSING = {"dry": 99.9, "dew": 99.9, "humidity": 999.0, "pressure": 999999.0}
#: Words of headings, the surest first.
_WORDS = {
    "dry": ("t_db", "tdb", "drybulb", "dry_bulb", "temperature_2m", "dry", "temp", "tavg", "t_c"),
    "humidity": ("rh", "humidity", "relhum"),
    "dew": ("dew", "dwpt", "t_dp", "tdp"),
}


@dataclass(frozen=True)
class Weather:
    """A year of weather, (hours,) each.

    Parameters
    ----------
    name, source : str
    dry_c, humidity, dew_c : ndarray
        Dry bulb in degC, relative humidity from 0 to 1, and dew point in degC, of which one is known: NaN elsewhere.
    elevation_m : float or None
        None where the file does not say.
    """

    name: str
    source: str
    dry_c: F8
    humidity: F8
    dew_c: F8
    elevation_m: float | None = None


def read_weather(path: str) -> Weather:
    """Read a year of hourly weather, ``.gz`` and ``.xz`` too.

    Raises
    ------
    InputError
        With each thing that is wrong, as ``file:line``.
    """
    name, content = read_all(path)
    text = text_of(content)
    line = text.lstrip("\n").split("\n", 1)[0]
    try:
        rows = list(islice(csv.reader(io.StringIO(text), delimiter=separator(line)), _MOST_LINES))
    except csv.Error as error:
        raise InputError([Problem(f"{name}:1", f"is no CSV or EPW file: {error}", "give hourly weather")]) from None
    if not rows or not any(map(any, rows)):
        raise InputError([Problem(f"{name}:1", "is empty", "give a CSV or EPW file of a year")])
    rows[0] = rows[0] or [""]
    if rows[0][0].strip().upper() == "LOCATION":
        return _epw(name, rows)
    return _csv(name, rows)


def _csv(name: str, rows: list[list[str]]) -> Weather:
    first = _heading(rows)
    heading = [cell.strip().lower() for cell in rows[first]]
    places = _places(heading)
    if places["dry"] is None or (places["humidity"] is None and places["dew"] is None):
        lacking = "a dry bulb" if places["dry"] is None else "relative humidity or dew point"
        fix = "head the columns such as hour,T_db_C,RH_pct"
        raise InputError(
            [Problem(f"{name}:{first + 1}", f"no column of {lacking} among {', '.join(heading[:12])}", fix)]
        )
    body = [(line, cells) for line, cells in enumerate(rows[first + 1 :], first + 2) if any(cells)]
    dry = _fahrenheit(heading[places["dry"]], _column(name, body, places["dry"], heading[places["dry"]]))
    nothing = np.full(len(body), np.nan)
    if places["humidity"] is not None:
        humid = _column(name, body, places["humidity"], heading[places["humidity"]]) / 100
        return _checked(name, body, dry, humid, nothing, None)
    place = places["dew"] or 0
    dew = _fahrenheit(heading[place], _column(name, body, place, heading[place]))
    return _checked(name, body, dry, nothing, dew, None)


def _heading(rows: list[list[str]]) -> int:
    """Return the row of headings: the first that has what is needed, as some files start with their place."""
    for row, cells in enumerate(rows[:_MOST_PREFACE]):
        places = _places([cell.strip().lower() for cell in cells])
        if places["dry"] is not None and (places["humidity"] is not None or places["dew"] is not None):
            return row
    return next((row for row, cells in enumerate(rows) if cells and not cells[0].lstrip().startswith("#")), 0)


def _places(heading: Sequence[str]) -> dict[str, int | None]:
    return {key: _place(heading, words) for key, words in _WORDS.items()}


def _epw(name: str, rows: list[list[str]]) -> Weather:
    body = [(line, cells) for line, cells in enumerate(rows[_EPW_LINES:], _EPW_LINES + 1) if any(cells)]
    columns = {key: _column(name, body, place, f"field {place + 1}") for key, place in _EPW.items()}
    missing = [line for row, (line, _) in enumerate(body) if columns["dry"][row] >= _EPW_MISSING["dry"]]
    if missing:
        raise InputError([Problem(f"{name}:{missing[0]}", f"{len(missing)} hours have no dry bulb", "fill them in")])
    humid = columns["humidity"] / 100
    gaps = columns["humidity"] >= _EPW_MISSING["humidity"]
    humid, dew = np.where(gaps, np.nan, humid), np.where(gaps, columns["dew"], np.nan)
    try:
        elevation: float | None = float(rows[0][9])
    except (IndexError, ValueError):
        elevation = None
    return _checked(name, body, columns["dry"], humid, dew, elevation)


def _place(heading: Sequence[str], words: Sequence[str]) -> int | None:
    for word in words:
        for row, cell in enumerate(heading):
            if re.search(rf"(^|[^a-z]){re.escape(word)}|^{re.escape(word)}", cell):
                return row
    return None


def _fahrenheit(heading: str, values: F8) -> F8:
    """Return degC of a column whose heading may say that it is in degF."""
    return (values - 32) / 1.8 if re.search(r"(°|deg|_|\[|\()f\b", heading) else values


def _column(name: str, body: list[tuple[int, list[str]]], place: int, title: str) -> F8:
    values, wrong = np.full(len(body), np.nan), []
    for row, (line, cells) in enumerate(body):
        try:
            values[row] = float(cells[place])
        except (IndexError, ValueError):
            shown = cells[place] if place < len(cells) else "nothing"
            wrong.append(
                Problem(f"{name}:{line}", f"{title}: '{shown[:40]}' is not a number", "give one for every hour")
            )
    wrong += [
        Problem(f"{name}:{body[row][0]}", f"{title}: is not a finite number", "give one for every hour")
        for row in np.flatnonzero(~np.isfinite(values)).tolist()
        if not wrong
    ]
    if wrong:
        raise InputError(wrong[:20])
    return values


def _checked(
    name: str, body: list[tuple[int, list[str]]], dry: F8, humid: F8, dew: F8, elevation_m: float | None
) -> Weather:
    lines, problems = [line for line, _ in body], []
    if len(dry) not in YEARS:
        what = f"has {len(dry):,} hours, but a year has 8,760 or 8,784"
        problems.append(Problem(f"{name}:{lines[-1] if lines else 1}", what, "give one row for each hour of a year"))
    for row in np.flatnonzero((dry < COLDEST_C) | (dry > WARMEST_C))[:10].tolist():
        what = f"{dry[row]:g} C is no outdoor temperature; accepted are {COLDEST_C:g} to {WARMEST_C:g} C"
        problems.append(Problem(f"{name}:{lines[row]}", what, "check the column's unit"))
    for row in np.flatnonzero((humid <= 0) | (humid > 1.1))[:10].tolist():
        what = f"{100 * humid[row]:.4g} % is no relative humidity; accepted are above 0 to 100 %"
        problems.append(Problem(f"{name}:{lines[row]}", what, "check the column's unit"))
    for row in np.flatnonzero(dew > dry + 0.5)[:10].tolist():
        what = f"dew point of {dew[row]:g} C is above the dry bulb of {dry[row]:g} C"
        problems.append(Problem(f"{name}:{lines[row]}", what, "check the columns"))
    if problems:
        raise InputError(problems)
    return Weather(name, f"file {name}", dry, np.minimum(humid, 1.0), np.minimum(dew, dry), elevation_m)
