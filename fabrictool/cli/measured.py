"""What was measured, on the first screen of ``score``: points beside the model and healthy runs, and fits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
import numpy as np

from fabrictool.units import format_size, format_time

if TYPE_CHECKING:
    from fabrictool.collectives.expected.comparison import Comparison
    from fabrictool.collectives.expected.fit import Fit

#: Rows of a run without ``-v``.
SHOWN = 8
_COLOURS = {"under": "red", "over": "cyan"}


def measured_lines(comparison: Comparison | None, verbose: bool) -> Iterator[str]:
    """Yield a heading, the points of each run, and the fits; without ``verbose`` some sizes of each run."""
    if comparison is None:
        return
    runs = comparison.measured.runs
    title = f"{'MEASURED':<9}"
    heads = f"{'measured#':>10}  {'time#':>9}  {'model~':>8}  {'healthy runs~':>15}"
    yield f"{click.style(title, bold=True)}{'GB/s busbw of ' + _count(len(runs), 'run'):<42} {heads}"
    for row in range(len(runs)):
        yield from _run(comparison, row, verbose)
    for fit in comparison.fits.values():
        yield _fit(fit)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _run(comparison: Comparison, row: int, verbose: bool) -> Iterator[str]:
    rows = comparison.measured
    run, mine = rows.runs[row], np.flatnonzero(rows.run == row)
    if not verbose:
        mine = mine[rows.in_place[mine] == rows.in_place[mine].min()]
        mine = mine[np.unique(np.linspace(0, len(mine) - 1, SHOWN).round().astype(int))]
    verdicts = comparison.verdicts
    for at in mine.tolist():
        what = f"{run.collective}  {run.ranks or 'all'} ranks  {format_size(float(rows.nbytes[at]))}"
        what += "  in place" if rows.in_place[at] and verbose else ""
        figures = f"{_gb(rows.busbw_bytes_per_s[at]):>10}  {format_time(float(rows.time_s[at])):>9}"
        healthy = "" if verdicts[at] is None else f"{_gb(comparison.low[at])} to {_gb(comparison.high[at])}"
        verdict = verdicts[at] or "nothing to hold it against"
        yield f" {what:<50} {figures}  {_gb(comparison.modelled[at]):>8}  {healthy:>15}  {_styled(verdict)}".rstrip()


def _styled(verdict: str) -> str:
    return click.style(verdict, fg=_COLOURS[verdict]) if verdict in _COLOURS else verdict


def _gb(value: float) -> str:
    return "" if np.isnan(value) else f"{value / 1e9:.3g}"


def _fit(fit: Fit) -> str:
    startup, busbw = "start-up unknown (no short messages)", "large messages unknown (none measured)"
    if fit.startup_range_s is not None:
        low, high = fit.startup_range_s
        startup = f"start-up {fit.startup_s * 1e6:.3g} us ({low * 1e6:.3g} to {high * 1e6:.3g})"
    if fit.busbw_range_bytes_per_s is not None:
        low, high = fit.busbw_range_bytes_per_s
        busbw = f"large messages {_gb(fit.busbw_bytes_per_s)} GB/s ({_gb(low)} to {_gb(high)})"
        busbw += f", {fit.efficiency_factor:.0%} of the median healthy run"
    return f" fit of {fit.collective}, {fit.points} points: {startup}; {busbw}  ~"
