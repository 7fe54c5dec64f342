"""Models that ask more of hosts than the fabric holds: their host types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from fabrictool.catalogue.types import HostType
from fabrictool.collectives import loggp_jobs, nccl_jobs
from fabrictool.collectives.loggp_jobs import host_of
from fabrictool.collectives.nccl_jobs import derived
from fabrictool.collectives.paced import Paced, Stretch, paced_times
from fabrictool.collectives.schedules import bus_factor
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import Alternative, CollectiveResult, Job
from fabrictool.errors import FabrictoolError, InputError, Problem
from fabrictool.records import Assumption
from fabrictool.routing.channels import channel_name

Types = Mapping[str, HostType]
T = TypeVar("T")


class HostModel(NamedTuple):
    """A model: what a job takes alone, and the stretches that it shares links in, size by size."""

    run: Callable[[Transport, Job, Types], list[CollectiveResult]]
    stretches: Callable[[Transport, Job, Sequence[CollectiveResult], Types], list[list[Stretch]]]


HOST_MODELS = {
    "loggp": HostModel(loggp_jobs.run_loggp, loggp_jobs.stretches),
    "nccl": HostModel(nccl_jobs.run_nccl, nccl_jobs.stretches),
}
SOURCE = "'loggp:' of the host types; by default o is in the latencies, g is what NCCL 2.30.7 reckons for posting"
#: Part of a time by which it may differ from that alone: rounding.
EXACT = 1e-9


def run_at_once(transport: Transport, jobs: Sequence[Job], types: Types) -> list[list[CollectiveResult]]:
    """Return the results of jobs of one model that run at the same time, job by job.

    Raises
    ------
    FabrictoolError
        If a job makes no sense.
    """
    model = HOST_MODELS[jobs[0].model]
    found = of_all(jobs, lambda job: model.run(transport, job, types))
    running = [row for row, one in enumerate(found) if all(result.time_s for result in one)]
    if len(running) < 2:
        return found
    stretches = [model.stretches(transport, jobs[row], found[row], types) for row in running]
    for at in range(max(len(one) for one in stretches)):
        there = [(row, one[at]) for row, one in zip(running, stretches, strict=True) if at < len(one)]
        times = paced_times([one for _, one in there], len(transport.channels))
        for (row, _), paced in zip(there, times, strict=True):
            found[row][at] = _held(transport, found[row][at], paced)
    return found


def of_all(jobs: Sequence[Job], work: Callable[[Job], T]) -> list[T]:
    """Return what is done with each job.

    Raises
    ------
    InputError
        With the problems of all of them.
    """
    found: list[T] = []
    problems: list[Problem] = []
    for job in jobs:
        try:
            found.append(work(job))
        except FabrictoolError as error:
            problems += error.problems
    if problems:
        raise InputError(dict.fromkeys(problems))
    return found


def _held(transport: Transport, alone: CollectiveResult, paced: Paced) -> CollectiveResult:
    """Return a result that takes longer than alone, because a link is shared; the choice stays as it is."""
    before_s = alone.time_s or 0.0
    if paced.time_s <= before_s * (1 + EXACT):
        return alone
    congestion_s = (alone.congestion_s or 0.0) + paced.time_s - before_s
    time_s = (alone.latency_s or 0.0) + (alone.serialisation_s or 0.0) + congestion_s
    algbw = alone.nbytes / time_s
    found = replace(
        alone, time_s=time_s, congestion_s=congestion_s, algbw_bytes_per_s=algbw,
        busbw_bytes_per_s=algbw * bus_factor(alone.collective, alone.ranks),
        alternatives=_not_before(alone.alternatives, time_s),
    )  # fmt: skip
    if paced.channel < 0 or paced.held_s < time_s / 2:
        return found
    return replace(
        found, bottleneck=channel_name(transport.fabric, paced.channel), limited_by=transport.kind(paced.channel)
    )


def _not_before(others: Sequence[Alternative] | None, time_s: float) -> tuple[Alternative, ...] | None:
    """Return what other choices would take, which is no less where links leave no more."""
    return None if others is None else tuple(one._replace(time_s=max(one.time_s, time_s)) for one in others)


def host_assumptions(transport: Transport, jobs: Iterable[Job], types: Mapping[str, HostType]) -> list[Assumption]:
    """Name what jobs that have run rest on beside the fabric, each once."""
    found: dict[Assumption, None] = {}
    for job in jobs:
        ranks = transport.ranks_of(job)
        if job.model == "nccl" and len(ranks) > 1:
            found |= dict.fromkeys(derived(transport, job, types).assumptions)
        if job.model == "loggp" and len(ranks) > 1:
            host = host_of(transport, ranks, types)
            value = f"o {host.overhead_s * 1e6:g} us at each end, g {host.gap_s * 1e6:g} us"
            found[Assumption("LogGP of hosts", value, SOURCE)] = None
    return list(found)
