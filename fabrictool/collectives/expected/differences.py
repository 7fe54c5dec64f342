"""Where measured runs lie off what healthy ones reach, and what that usually means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fabrictool.collectives.expected.comparison import Comparison
from fabrictool.collectives.expected.setting import Setting
from fabrictool.formats.measurements import Run
from fabrictool.records import Finding
from fabrictool.units import format_size

_MIB = 2.0**20
_EDGES = (0.0, 1 * _MIB, 16 * _MIB, 64 * _MIB, 256 * _MIB, np.inf)
#: Time over size grows by this factor from one size to the next where something breaks.
_CLIFF = 3.0
#: How near a plateau must be to a whole number of ports to name them.
_PORTS_NEAR = 0.08


@dataclass(frozen=True, slots=True)
class Stretch:
    """Sizes of a run that lie off on one side: smallest, largest, median ratio of measured to expected bandwidth."""

    under: bool
    smallest: float
    largest: float
    ratio: float


def measured_findings(comparison: Comparison) -> Iterator[Finding]:
    """Yield what measured runs show: wrong values, cut logs, stretches off the expected range, cliffs."""
    for row, run in enumerate(comparison.measured.runs):
        where = f"{run.file}:{run.line}"
        yield from _state(run, where)
        for stretch in stretches(comparison, row):
            yield _off(comparison, row, run, stretch, where)
        yield from _cliffs(comparison, row, run)


def _state(run: Run, where: str) -> Iterator[Finding]:
    if run.wrong > 0:
        what = f"{run.collective}: the benchmark found {run.wrong:,} wrong values"
        yield Finding(
            "measured-wrong", "error", where, what, "find the host or link that damages data before any tuning"
        )
    if not run.complete:
        what = f"{run.collective}: the log ends before the summary of this run"
        yield Finding("measured-cut", "note", where, what, "check that the run ended; larger sizes may be missing")


def stretches(comparison: Comparison, row: int) -> list[Stretch]:
    """Return the stretches of sizes at which a run lies off, neighbours on one side joined."""
    rows = comparison.measured
    mine = (rows.run == row) & ~np.isnan(comparison.low) & ~rows.wrong
    found: list[Stretch] = []
    joined = False
    for least, most in pairwise(_EDGES):
        band = mine & (rows.nbytes >= least) & (rows.nbytes < most)
        if not band.any():
            continue
        side = _side(comparison, band)
        if side and joined and found[-1].under == (side == "under"):
            band |= mine & (rows.nbytes >= found[-1].smallest) & (rows.nbytes < least)
            found.pop()
        if side:
            ratio = float(np.median(rows.busbw_bytes_per_s[band] / comparison.expected[band]))
            found.append(Stretch(side == "under", rows.nbytes[band].min(), rows.nbytes[band].max(), ratio))
        joined = bool(side)
    return found


def _side(comparison: Comparison, band: np.ndarray) -> str:
    """Return on which side of the range half of the points of a band lie."""
    busbw = comparison.measured.busbw_bytes_per_s[band]
    if np.mean(busbw < comparison.low[band]) >= 0.5:
        return "under"
    return "over" if np.mean(busbw > comparison.high[band]) >= 0.5 else ""


def _off(comparison: Comparison, row: int, run: Run, stretch: Stretch, where: str) -> Finding:
    sizes = format_size(stretch.smallest)
    sizes += "" if stretch.smallest == stretch.largest else f" to {format_size(stretch.largest)}"
    share = abs(1 - stretch.ratio)
    side = "under" if stretch.under else "over"
    what = f"{run.collective} of {run.ranks} ranks: {sizes} measured {share:.0%} {side} the bandwidth of healthy runs"
    if not stretch.under:
        fix = "state all that the hosts have: links, ports, reduction in the network"
        return Finding("measured-over", "note", where, what, fix)
    return Finding("measured-under", "warning", where, what, _cause(comparison, row, stretch))


def _cause(comparison: Comparison, row: int, stretch: Stretch) -> str:
    """Say where to look for what makes a stretch of sizes slow."""
    if stretch.largest < _MIB:
        return "start-up: look at launch, adapters far from their GPUs, a fallback to TCP"
    if stretch.largest < 256 * _MIB:
        return "protocol or channels: look at the tuner, forced algorithms and protocols, CTAs"
    ports = _ports(comparison, row)
    if ports:
        return f"{ports}: look at the list of adapters, links that are down, and their speeds"
    return "large messages: look at CTAs and channels, PCIe paths of adapters, collisions of routes, slow links"


def _ports(comparison: Comparison, row: int) -> str:
    """Say how many ports carry a plateau, where that is a whole number less than a host has."""
    setting = comparison.placed[row].setting
    if not isinstance(setting, Setting) or not setting.joined or not setting.ports:
        return ""
    rows = comparison.measured
    large = rows.busbw_bytes_per_s[(rows.run == row) & (rows.nbytes >= 256 * _MIB)]
    per_port = 0.95 * float(setting.network_bytes_per_s) / float(setting.ports)
    held, carried = float(setting.ports) * float(setting.per_host), float(large.max()) / per_port
    whole = round(carried)
    if whole < 1 or whole > held / 2 or abs(carried - whole) > _PORTS_NEAR * whole:
        return ""
    return f"about what {whole} of a host's {held:.0f} ports carr{'ies' if whole == 1 else 'y'}"


def _cliffs(comparison: Comparison, row: int, run: Run) -> Iterator[Finding]:
    """Yield where the bandwidth falls to a fraction from one size to the next larger."""
    rows = comparison.measured
    for inside in (False, True):
        mine = np.flatnonzero((rows.run == row) & (rows.in_place == inside))
        mine = mine[np.argsort(rows.nbytes[mine], kind="stable")]
        rate = rows.busbw_bytes_per_s[mine]
        for at in np.flatnonzero(rate[1:] * _CLIFF < rate[:-1]).tolist():
            sizes = f"{format_size(float(rows.nbytes[mine[at]]))} to {format_size(float(rows.nbytes[mine[at + 1]]))}"
            what = f"{run.collective}: from {sizes} the bandwidth falls to {rate[at + 1] / rate[at]:.0%}"
            fix = "look at lossless settings (PFC, ECN), retransmissions, and at the choice of algorithm there"
            yield Finding("measured-cliff", "warning", rows.where(int(mine[at + 1])), what, fix)
            break
