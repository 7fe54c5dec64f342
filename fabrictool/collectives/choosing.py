"""``auto``: the algorithm that a model finds the fastest at each size, and what the others would take."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

from fabrictool.collectives.schedules import ALGORITHMS, Algorithm
from fabrictool.collectives.workloads import Alternative, CollectiveResult, Job, Unsuitable
from fabrictool.errors import FabrictoolError

#: Flows that an algorithm may have to be tried: a second's work; one that is named is run whatever it has.
MOST_FLOWS = 1 << 22
#: Algorithms whose rounds are shifts, which are known in closed form or from some of them.
SHIFTED = ("pairwise", "pxn")
#: Models that choose by themselves, or have nothing to choose.
OWN_CHOICE = ("nccl", "bound")

Run = Callable[[Job], list[CollectiveResult]]


class Tried(NamedTuple):
    """Results of each algorithm that fits, size by size, and why the others do not."""

    results: dict[str, list[CollectiveResult]]
    unsuitable: tuple[Unsuitable, ...]


def run_auto(job: Job, groups: int, ranks: int, run: Run) -> list[CollectiveResult]:
    """Return a job's results, at each size by the algorithm that takes the least time.

    Parameters
    ----------
    job : Job
    groups : int
        That run the collective at once.
    ranks : int
        Of each.
    run : callable
        Runs a job by a stated algorithm.

    Raises
    ------
    FabrictoolError
        If no algorithm fits, with what each one misses.
    """
    tried = try_all(job, groups, ranks, run)
    if not tried.results:
        return run(replace(job, algorithm=None))
    return [_best(rows, tried.unsuitable) for rows in zip(*tried.results.values(), strict=True)]


def try_all(job: Job, groups: int, ranks: int, run: Run) -> Tried:
    """Run a job by every algorithm that fits its ranks; those whose ranks cannot reach each other do not."""
    results: dict[str, list[CollectiveResult]] = {}
    unsuitable = []
    for name, algorithm in ALGORITHMS.get(job.collective, {}).items():
        why = _too_many(name, algorithm, groups, ranks)
        if not why:
            try:
                found = run(replace(job, algorithm=name, chunks=job.chunks if algorithm.chunked else None, tried=True))
            except FabrictoolError as error:
                why = error.problems[0].what
            else:
                why = next((row.limited_by for row in found if row.time_s is None), "")
                results |= {} if why else {name: found}
        if why:
            unsuitable.append(Unsuitable(name, why))
    return Tried(results, tuple(unsuitable))


def _too_many(name: str, algorithm: Algorithm, groups: int, ranks: int) -> str:
    """Return why an algorithm is too much to try, "" if it is not."""
    count = groups * algorithm.flow_count(ranks)
    if (name in SHIFTED and groups == 1) or count <= MOST_FLOWS:
        return ""
    return f"its {count:,.0f} messages are too many to be tried: name it to run it"


def _best(rows: Iterable[CollectiveResult], unsuitable: tuple[Unsuitable, ...]) -> CollectiveResult:
    """Return the fastest of results at one size, the first of equals, beside what the others take.

    Its bound is that of all of them: what no schedule can beat, be it one that switches reduce for.
    """
    first, *others = sorted(rows, key=lambda row: row.time_s or 0.0)
    bounds = [row.bound_s for row in (first, *others) if row.bound_s is not None]
    taken = tuple(Alternative(row.algorithm, float(row.time_s or 0.0)) for row in others)
    return replace(first, alternatives=taken, unsuitable=unsuitable, bound_s=min(bounds, default=None))
