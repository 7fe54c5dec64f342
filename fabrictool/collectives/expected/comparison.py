"""Measured points beside what a layout's model says and what healthy runs reach, with fits and what is off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabrictool.catalogue.types import HostType
from fabrictool.collectives.expected.constants import Calibration, calibration
from fabrictool.collectives.expected.fit import Fit, fitted
from fabrictool.collectives.expected.from_fabric import UnmeasuredError, setting_of
from fabrictool.collectives.expected.placing import gpus_of
from fabrictool.collectives.expected.ranges import expected_range, expected_time_s
from fabrictool.collectives.expected.setting import COLLECTIVES, Setting
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.errors import InputError
from fabrictool.fabric.tables import I4
from fabrictool.formats.measurements import Measurements
from fabrictool.layout.workload import RankOrder

if TYPE_CHECKING:
    from fabrictool.tabular import Table

F8 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Placed:
    """A run on the layout: GPU of each rank, its setting or why there is none, a model's result for each size."""

    gpus: I4
    setting: Setting | str
    results: Mapping[float, CollectiveResult]


@dataclass(frozen=True)
class Comparison:
    """Measured points with what the layout's model and the calibrated one say of each.

    Parameters
    ----------
    measured : Measurements
    placed : tuple of Placed
        Of each run.
    modelled, expected, low, high : (P,) float array
        Bus bandwidth in B/s of the layout's model, and of healthy runs: the median, and the range of eight of ten.
        NaN where unknown.
    fits : mapping of str to Fit
        By collective.
    """

    measured: Measurements
    placed: tuple[Placed, ...]
    modelled: F8
    expected: F8
    low: F8
    high: F8
    fits: Mapping[str, Fit]

    @property
    def verdicts(self) -> list[str | None]:
        """Return under, in range or over for each point; None where nothing is expected."""
        busbw = self.measured.busbw_bytes_per_s
        words = np.where(busbw < self.low, "under", np.where(busbw > self.high, "over", "in range"))
        return [None if np.isnan(low) else str(word) for low, word in zip(self.low, words, strict=True)]

    def calibration_for(self, collective: str, setting: Setting) -> Calibration:
        """Return the calibration that these measurements give: of the collective, or else of the largest fit."""
        known = calibration()
        if not self.fits:
            return known
        fit = self.fits.get(collective) or max(self.fits.values(), key=lambda each: each.points)
        found = fit.calibration(known, setting)
        return found if collective == fit.collective else replace(found, one=known.one, several=known.several)

    def to_dict(self) -> dict[str, object]:
        """Return the keys of the JSON output."""
        rows = self.measured
        figures = {
            "busbw_bytes_per_s": rows.busbw_bytes_per_s, "modelled_busbw_bytes_per_s": self.modelled,
            "expected_busbw_bytes_per_s": self.expected,
        }  # fmt: skip
        points = [
            {"run": int(rows.run[at]), "where": rows.where(at), "nbytes": int(rows.nbytes[at]),
             "place": "in-place" if rows.in_place[at] else "out-of-place", "time_s": float(rows.time_s[at])}
            | {name: _number(values[at]) for name, values in figures.items()}
            | {"expected_busbw_range": None if verdict is None else (float(self.low[at]), float(self.high[at])),
               "verdict": verdict, "wrong": bool(rows.wrong[at])}
            for at, verdict in enumerate(self.verdicts)
        ]  # fmt: skip
        runs = [
            {"file": run.file, "line": run.line, "tool": run.tool, "collective": run.collective,
             "ranks": run.ranks or None, "hosts": run.host_count or None, "label": run.label, "complete": run.complete,
             "wrong": None if run.wrong < 0 else run.wrong}
            for run in rows.runs
        ]  # fmt: skip
        return {"runs": runs, "points": points, "fits": [fit.to_dict() for fit in self.fits.values()]}

    def table(self) -> Table:
        """Return the points as a table."""
        from fabrictool.tabular import Column, Table
        from fabrictool.units import format_size

        rows = self.measured
        return Table(
            "measured",
            (
                Column("where", [rows.where(at) for at in range(len(rows))]),
                Column("collective", list(rows.collective)),
                Column("ranks", rows.ranks.tolist()),
                Column("size", rows.nbytes.tolist(), format=format_size, align="right", key="nbytes"),
                Column("place", ["in" if inside else "out" for inside in rows.in_place]),
                Column("time", rows.time_s.tolist(), "s"),
                Column("busbw", rows.busbw_bytes_per_s.tolist(), "B/s"),
                Column("modelled", [_number(value) for value in self.modelled], "B/s"),
                Column("low", [_number(value) for value in self.low], "B/s"),
                Column("high", [_number(value) for value in self.high], "B/s"),
                Column("verdict", self.verdicts),
            ),
        )

    def fit_table(self) -> Table:
        """Return the fits as a table."""
        from fabrictool.tabular import Column, Table

        fits = list(self.fits.values())
        startup = [fit.startup_range_s or (None, None) for fit in fits]
        busbw = [fit.busbw_range_bytes_per_s or (None, None) for fit in fits]
        return Table(
            "fits",
            (
                Column("collective", [fit.collective for fit in fits]),
                Column("points", [fit.points for fit in fits]),
                Column("start-up", [fit.startup_s for fit in fits], "s"),
                Column("start-up from", [low for low, _ in startup], "s"),
                Column("start-up to", [high for _, high in startup], "s"),
                Column("busbw", [fit.busbw_bytes_per_s for fit in fits], "B/s"),
                Column("busbw from", [low for low, _ in busbw], "B/s"),
                Column("busbw to", [high for _, high in busbw], "B/s"),
            ),
        )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def compared(
    measured: Measurements, networks: Sequence[Transport], types: Mapping[str, HostType], model: str = "rounds"
) -> Comparison:
    """Put measured points beside the model and what healthy runs reach.

    Parameters
    ----------
    measured : Measurements
    networks : sequence of Transport
        The layout's networks that carry collectives; the first is used.
    types : mapping of str to HostType
        The host types of the layout by name.
    model : str
        Of the layout's results.

    Raises
    ------
    InputError
        If no network carries collectives, or a run has more ranks than the layout.
    """
    if not networks:
        what = "no network carries collectives between all ranks, so there is nothing to compare with what was measured"
        raise InputError(what, "attach every GPU to one network")
    transport = networks[0]
    kinds = {name: kind.gpu for name, kind in types.items()}
    placed = tuple(_placed(measured, row, transport, kinds, model) for row in range(len(measured.runs)))
    columns = np.full((4, len(measured)), np.nan)
    for at, row in enumerate(measured.run.tolist()):
        columns[:, at] = _figures(measured.runs[row].collective, float(measured.nbytes[at]), placed[row])
    modelled, expected, low, high = columns
    return Comparison(measured, placed, modelled, expected, low, high, _fits(measured, placed))


def _placed(
    measured: Measurements, row: int, transport: Transport, kinds: Mapping[str, str | None], model: str
) -> Placed:
    run = measured.runs[row]
    gpus = gpus_of(run, transport.fabric)
    sizes = tuple(dict.fromkeys(measured.nbytes[measured.run == row].tolist()))
    order = RankOrder.model_validate({"list": gpus.tolist()})
    results = transport.run(Job(0, run.collective, None, tuple(size for size in sizes if size >= 1), order, model))
    by_size = {result.nbytes: result for result in results}
    if run.collective not in COLLECTIVES:
        return Placed(gpus, f"{run.collective} was measured nowhere", by_size)
    try:
        return Placed(gpus, setting_of(transport.fabric, transport.network, gpus, kinds), by_size)
    except UnmeasuredError as error:
        return Placed(gpus, str(error), by_size)


def _figures(collective: str, nbytes: float, placed: Placed) -> tuple[float, float, float, float]:
    """Return bus bandwidth as modelled, and as healthy runs reach it: median, low, high."""
    result = placed.results.get(nbytes)
    modelled = result.busbw_bytes_per_s if result and result.busbw_bytes_per_s else np.nan
    if isinstance(placed.setting, str) or result is None:
        return modelled, np.nan, np.nan, np.nan
    least_s = result.bound_s or 0.0
    low, high = expected_range(placed.setting, collective, nbytes, least_s)
    middle = expected_time_s(placed.setting, collective, nbytes, least_s)
    return modelled, _busbw(placed.setting, collective, nbytes) / middle, low, high


def _busbw(setting: Setting, collective: str, nbytes: float) -> float:
    from fabrictool.collectives.expected.times import factor

    return float(factor(setting, collective)) * nbytes


def _fits(measured: Measurements, placed: Sequence[Placed]) -> dict[str, Fit]:
    """Return a fit for each collective with at least three points that are right."""
    settings = [placed[row].setting for row in measured.run.tolist()]
    names = np.array(measured.collective)
    usable = (
        np.array([not isinstance(setting, str) for setting in settings], bool)
        & ~measured.wrong
        & (measured.nbytes >= 1)
    )
    found = {}
    for name in dict.fromkeys(measured.collective):
        rows = np.flatnonzero(usable & (names == name))
        if len(rows) >= 3:
            mine = [setting for at in rows if not isinstance(setting := settings[at], str)]
            found[name] = fitted(name, mine, measured.nbytes[rows], measured.time_s[rows], calibration())
    return found
