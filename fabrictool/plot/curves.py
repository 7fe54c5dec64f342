"""Bus bandwidth over message size as numbers, ready to draw or to print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.collectives.expected.ranges import expected_range
from fabrictool.collectives.workloads import CollectiveResult, Job, jobs_asked_for
from fabrictool.errors import InputError, Problem
from fabrictool.evaluation import evaluate_collectives, evaluate_measured
from fabrictool.layout.workload import RankOrder

if TYPE_CHECKING:
    from fabrictool.collectives.expected.comparison import Comparison
    from fabrictool.fabric import Fabric
    from fabrictool.formats.measurements import Measurements
    from fabrictool.layout.model import Layout

#: 8 B to 16 GiB in powers of two.
SIZES = tuple(2.0**power for power in range(3, 35))


@dataclass(frozen=True)
class Curve:
    """One collective over message sizes: sizes in bytes, bandwidths in B/s, (sizes,) each.

    ``expected_bytes_per_s`` is the range of healthy runs at each size, empty where unknown; ``measured`` are sizes and
    bandwidths. ``algorithms`` are those of the sizes, and ``algorithm`` is ``auto`` where they differ. ``limited_by``
    and ``bottleneck`` are of the largest size; at ``half_nbytes`` latency and bandwidth take equal time, None if that
    is at no size drawn.
    """

    collective: str
    algorithm: str
    model: str
    network: str
    ranks: int
    nbytes: tuple[float, ...]
    busbw_bytes_per_s: tuple[float, ...]
    bound_bytes_per_s: tuple[float, ...]
    limited_by: str
    bottleneck: str | None
    half_nbytes: float | None
    algorithms: tuple[str, ...] = ()
    expected_bytes_per_s: tuple[tuple[float, float], ...] = ()
    measured: tuple[tuple[float, float], ...] = ()

    @property
    def top_bytes_per_s(self) -> float:
        """Bus bandwidth at the largest size, in B/s."""
        return self.busbw_bytes_per_s[-1]

    def to_dict(self) -> dict[str, Any]:
        """Return the curve as one JSON object."""
        return asdict(self) | {"nbytes": [int(nbytes) for nbytes in self.nbytes]}


def busbw_curves(
    layout: Layout,
    fabric: Fabric,
    collectives: Sequence[str] | None = None,
    algorithm: str | None = None,
    ranks: int | None = None,
    model: str = "rounds",
) -> list[Curve]:
    """Return bus bandwidth over message size, one curve for each collective and algorithm.

    Parameters
    ----------
    layout : Layout
    fabric : Fabric
        Built from it.
    collectives : sequence of str, optional
        In place of those that the layout states.
    algorithm : str, optional
        Of all collectives; by default each one's own.
    ranks : int, optional
        Use the first so many GPUs.
    model : {"rounds", "alpha-beta", "bound"}

    Raises
    ------
    FabrictoolError
        If a collective cannot be computed on this layout, or none needs the network.
    """
    names = list(dict.fromkeys(collectives)) if collectives else None
    jobs = jobs_asked_for(layout, names, algorithm, SIZES, ranks, "linear", model, 0)
    results = evaluate_collectives(layout, fabric, _different(jobs))
    if not results:
        what = "no network joins all GPUs by one port each, so there is no bandwidth to draw"
        raise InputError(what, "attach one port of every GPU to one network")
    _refuse_unreachable(results)
    curves = [_curve(list(rows)) for _, rows in groupby(results, key=lambda row: row.job)]
    if all(curve.top_bytes_per_s == 0 for curve in curves):
        raise InputError("a single rank communicates with nobody, so there is no bandwidth to draw", "use 2 or more")
    return curves


def measured_curves(
    layout: Layout,
    fabric: Fabric,
    measured: Measurements,
    collectives: Sequence[str] | None = None,
    algorithm: str | None = None,
    model: str = "rounds",
) -> list[Curve]:
    """Return a curve for each collective and number of ranks that were measured, with its points and expected range.

    Parameters
    ----------
    layout, fabric, algorithm, model
        As of :func:`busbw_curves`.
    measured : Measurements
    collectives : sequence of str, optional
        Only these.

    Raises
    ------
    FabrictoolError
        If nothing asked for was measured, or not on this layout.
    """
    beside = evaluate_measured(layout, fabric, measured, model)
    kinds: dict[tuple[str, int], list[int]] = {}
    for row, run in enumerate(measured.runs):
        if not collectives or run.collective in collectives:
            kinds.setdefault((run.collective, len(beside.placed[row].gpus)), []).append(row)
    if not kinds:
        raise InputError(f"--measured: {' and '.join(collectives or ())} was not measured", "leave --collective out")
    jobs = [
        Job(at, name, algorithm, SIZES, RankOrder.model_validate({"list": beside.placed[rows[0]].gpus.tolist()}), model)
        for at, ((name, _), rows) in enumerate(kinds.items())
    ]
    results = evaluate_collectives(layout, fabric, jobs)
    _refuse_unreachable(results)
    by_job = groupby(results, key=lambda row: row.job)
    return [
        _with_measured(_curve(found := list(rows)), found, beside, members)
        for (_, rows), members in zip(by_job, kinds.values(), strict=True)
    ]


def _with_measured(curve: Curve, results: list[CollectiveResult], beside: Comparison, rows: list[int]) -> Curve:
    setting, points = beside.placed[rows[0]].setting, beside.measured
    mine = np.isin(points.run, rows)
    pairs = zip(points.nbytes[mine].tolist(), points.busbw_bytes_per_s[mine].tolist(), strict=True)
    expected = (
        ()
        if isinstance(setting, str)
        else tuple(expected_range(setting, row.collective, row.nbytes, row.bound_s or 0.0) for row in results)
    )
    return replace(curve, expected_bytes_per_s=expected, measured=tuple(pairs))


def _refuse_unreachable(results: list[CollectiveResult]) -> None:
    """Refuse collectives that have no time, because some ranks have no path to each other."""
    lost = {row.job: row for row in results if row.time_s is None}
    fix = "choose an algorithm that changes rails inside domains, such as pxn or hierarchical, or join the rails"
    problems = [Problem("", f"{row.collective} by {row.algorithm}: {row.limited_by}", fix) for row in lost.values()]
    if problems:
        raise InputError(problems)


def _different(jobs: list[Job]) -> list[Job]:
    """Return the jobs that differ in more than their sizes, the first of each."""
    kept: dict[tuple[str, ...], Job] = {}
    for job in jobs:
        kept.setdefault((job.collective, str(job.algorithm), job.model, job.ranks.model_dump_json()), job)
    return list(kept.values())


def _curve(rows: list[CollectiveResult]) -> Curve:
    last = rows[-1]
    algorithms = tuple(row.algorithm for row in rows)
    one = len(set(algorithms)) == 1
    return Curve(
        last.collective,
        last.algorithm if one else "auto",
        last.model,
        last.network,
        last.ranks,
        tuple(row.nbytes for row in rows),
        tuple(row.busbw_bytes_per_s or 0.0 for row in rows),
        tuple(row.bound_busbw_bytes_per_s or 0.0 for row in rows),
        last.limited_by,
        last.bottleneck,
        _half(last) if one else None,
        algorithms,
    )


def _half(last: CollectiveResult) -> float | None:
    """Return the size at which half of the time is latency, from a size at which less is."""
    latency_s = last.latency_s or 0.0
    bandwidth_s = (last.time_s or 0.0) - latency_s
    if bandwidth_s <= 0 or latency_s <= 0:
        return None
    half = latency_s / bandwidth_s * last.nbytes
    return half if SIZES[0] <= half <= SIZES[-1] else None
