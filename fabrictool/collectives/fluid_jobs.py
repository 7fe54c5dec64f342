"""Jobs under the model ``fluid``: those of a scenario at the same time, on the links that they share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType

import numpy as np

from fabrictool.catalogue.types import HostType
from fabrictool.collectives.carriers import Lane
from fabrictool.collectives.costs import ScheduleCost, UnreachableError
from fabrictool.collectives.fluid import FluidTime, Stream, fluid_times
from fabrictool.collectives.host_models import HOST_MODELS
from fabrictool.collectives.pipelines import overlapped
from fabrictool.collectives.transport import Prepared, Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.errors import FabrictoolError, InputError, Problem


def run_stated(
    transport: Transport,
    jobs: Iterable[Job],
    sharing: str = "max-min",
    types: Mapping[str, HostType] = MappingProxyType({}),
) -> list[CollectiveResult]:
    """Run jobs whose algorithms are stated or default: those that are at once or of a scenario together if fluid.

    Parameters are those of :func:`fabrictool.collectives.runs.run_jobs`.

    Raises
    ------
    FabrictoolError
        With the problems of all jobs.
    """
    listed = list(jobs)
    together = [job for job in listed if job.model == "fluid" and (job.at_once or job.path[:1] == ("scenario",))]
    found: dict[int, list[CollectiveResult]] = {}
    problems: list[Problem] = []
    beside = {job.number for job in together}
    for group in [[job] for job in listed if job.number not in beside] + ([together] if together else []):
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
        return [HOST_MODELS[job.model](transport, job, types) for job in group]
    if group[0].model != "fluid":
        return [list(transport.run(job)) for job in group]
    prepared = [transport.prepared(job) for job in group]
    sizes = max(len(job.sizes) for job in group)
    rows: list[list[CollectiveResult]] = [[] for _ in group]
    for at in range(sizes):
        for row, result in zip(rows, _at_sizes(transport, group, prepared, at, sharing), strict=True):
            row.append(result)
    return rows


def _at_sizes(
    transport: Transport, group: list[Job], prepared: list[Prepared], at: int, sharing: str
) -> list[CollectiveResult]:
    """Return the results of jobs at their sizes of one place in their lists."""
    busy = [row for row, one in enumerate(prepared) if len(one.ranks) > 1]
    streams = [_stream(transport, group[row], prepared[row], group[row].sizes[at]) for row in busy]
    nothing = FluidTime(0.0, 0.0, np.zeros(len(transport.channels)))
    try:
        times = dict(zip(busy, fluid_times(transport.routing, streams, sharing), strict=True))
    except UnreachableError as error:
        return [transport.no_result(job, len(one.ranks), job.sizes[at], error.why)
                for job, one in zip(group, prepared, strict=True)]  # fmt: skip
    found = []
    for row, (job, one) in enumerate(zip(group, prepared, strict=True)):
        time = times.get(row, nothing)
        full = np.flatnonzero(time.full_s)
        spent = dict(zip(full.tolist(), (time.full_s[full] / job.sizes[at]).tolist(), strict=True))
        alone = transport.alone(one)
        cost = ScheduleCost(time.latency_s, (time.time_s - time.latency_s) / job.sizes[at], spent, alone)
        found.append(transport.result(job, one.name, len(one.ranks), job.sizes[at], cost, one.floor))
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
