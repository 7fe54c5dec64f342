"""Jobs whose algorithms are stated or default: those that run at once on the links that they share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from fabrictool.catalogue.types import HostType
from fabrictool.collectives.carriers import Lane
from fabrictool.collectives.costs import ScheduleCost, UnreachableError
from fabrictool.collectives.fluid import FluidTime, Stream, fluid_times
from fabrictool.collectives.host_models import HOST_MODELS, of_all, run_at_once
from fabrictool.collectives.pipelines import overlapped
from fabrictool.collectives.transport import Prepared, Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.errors import FabrictoolError, InputError, Problem

#: Models under which jobs that run at the same time share links.
AT_ONCE = ("fluid", *HOST_MODELS)


def run_stated(
    transport: Transport,
    jobs: Iterable[Job],
    sharing: str = "max-min",
    types: Mapping[str, HostType] = MappingProxyType({}),
) -> list[CollectiveResult]:
    """Run jobs: those of one model that are at once, or of a scenario, together where the model lets them share links.

    Parameters are those of :func:`fabrictool.collectives.runs.run_jobs`.

    Raises
    ------
    FabrictoolError
        With the problems of all jobs.
    """
    listed = list(jobs)
    together: dict[str, list[Job]] = {}
    for job in listed:
        if job.model in AT_ONCE and (job.at_once or job.path[:1] == ("scenario",)):
            together.setdefault(job.model, []).append(job)
    found: dict[int, list[CollectiveResult]] = {}
    problems: list[Problem] = []
    beside = {job.number for group in together.values() for job in group}
    for group in [[job] for job in listed if job.number not in beside] + list(together.values()):
        try:
            found |= {job.number: rows for job, rows in zip(group, _run(transport, group, sharing, types), strict=True)}
        except FabrictoolError as error:
            problems += error.problems
    if problems:
        raise InputError(dict.fromkeys(problems))
    return [row for job in listed for row in found[job.number]]


def _run(
    transport: Transport, group: list[Job], sharing: str, types: Mapping[str, HostType]
) -> list[list[CollectiveResult]]:
    """Return the results of jobs that run at the same time, job by job."""
    if group[0].model in HOST_MODELS:
        return run_at_once(transport, group, types)
    if group[0].model != "fluid":
        return [list(transport.run(job)) for job in group]
    rows: list[list[CollectiveResult]] = [[] for _ in group]
    runs: list[_Run] = []
    for row, (job, one) in enumerate(zip(group, of_all(group, transport.prepared), strict=True)):
        try:
            runs.append(_Run(row, job, one, transport.alone(one)))
        except UnreachableError as error:
            rows[row] = [transport.no_result(job, len(one.ranks), nbytes, error.why) for nbytes in job.sizes]
    for at in range(max((len(one.job.sizes) for one in runs), default=0)):
        here = [one for one in runs if at < len(one.job.sizes)]
        for run, result in zip(here, _at_sizes(transport, here, at, sharing), strict=True):
            rows[run.row].append(result)
    return rows


class _Run(NamedTuple):
    """A job with its place among others, ready to run, and its seconds per byte if its ranks were alone."""

    row: int
    job: Job
    ready: Prepared
    alone: float


def _at_sizes(transport: Transport, runs: Sequence[_Run], at: int, sharing: str) -> list[CollectiveResult]:
    """Return the results of jobs at their sizes of one place in their lists."""
    busy = [one for one in runs if len(one.ready.ranks) > 1]
    streams = [_stream(transport, one.job, one.ready, one.job.sizes[at]) for one in busy]
    nothing = FluidTime(0.0, 0.0, np.zeros(len(transport.channels)))
    times = dict(zip((one.row for one in busy), fluid_times(transport.routing, streams, sharing), strict=True))
    found = []
    for row, job, ready, alone in runs:
        time, nbytes = times.get(row, nothing), job.sizes[at]
        full = np.flatnonzero(time.full_s)
        spent = dict(zip(full.tolist(), (time.full_s[full] / nbytes).tolist(), strict=True))
        cost = ScheduleCost(time.latency_s, (time.time_s - time.latency_s) / nbytes, spent, alone)
        found.append(transport.result(job, ready.name, len(ready.ranks), nbytes, cost, ready.floor))
    return found


def _stream(transport: Transport, job: Job, one: Prepared, nbytes: float) -> Stream:
    """Return a job as the model runs it.

    Raises
    ------
    InputError
        If its rounds overlap and have too many flows.
    """
    schedule = one.algorithm.rounds(one.group)
    if job.overlap and one.algorithm.reduces:
        what = f"rounds of {one.name} do not overlap: switches reduce for all ranks at once"
        raise InputError([Problem("", what, "remove 'overlap', or use another algorithm", job.path)])
    if job.overlap:
        try:
            schedule = iter([overlapped(schedule, len(one.ranks))])
        except ValueError as error:
            raise InputError([Problem("", f"overlapping rounds have {error}", "use fewer ranks", job.path)]) from None
    if len(transport.lanes) != 1:
        return Stream(schedule, one.ranks, nbytes)
    (lane,) = transport.carriers("rounds")
    assert isinstance(lane, Lane)
    return Stream(schedule, one.ranks, nbytes, partial(lane.known, free=True))
