"""Runs the jobs of a workload or scenario: chooses algorithms where ``auto`` asks for it, then runs each model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from fabrictool.catalogue.types import HostType
from fabrictool.collectives.choosing import OWN_CHOICE, run_auto
from fabrictool.collectives.fluid_jobs import run_jobs as run_stated
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.errors import FabrictoolError, InputError, Problem


def run_jobs(
    transport: Transport,
    jobs: Iterable[Job],
    sharing: str = "max-min",
    types: Mapping[str, HostType] = MappingProxyType({}),
) -> list[CollectiveResult]:
    """Run jobs: fluid ones of a scenario at the same time, all others one after another.

    Parameters
    ----------
    transport : Transport
    jobs : iterable of Job
        Where the algorithm is ``auto``, the fastest is taken at each size; for jobs that run at the same time the one
        that is the fastest alone.
    sharing : {"max-min", "inverse-latency"}
        How flows of the model ``fluid`` share a link.
    types : mapping of str to HostType, optional
        Host types by name, for the models that ask more of hosts than the fabric holds.

    Raises
    ------
    FabrictoolError
        With the problems of all jobs.
    """
    listed = [_own_choice(job) for job in jobs]
    chosen: dict[int, list[CollectiveResult]] = {}
    problems: list[Problem] = []

    def run(job: Job) -> list[CollectiveResult]:
        return run_stated(transport, [job], sharing, types)

    for job in listed:
        if job.algorithm == "auto":
            try:
                chosen[job.number] = run_auto(job, len(transport.ranks_of(job)), run)
            except FabrictoolError as error:
                problems += error.problems
    together, found = _together(listed), []
    settled = [_settled(job, chosen) for job in listed if job.number in together or job.algorithm != "auto"]
    try:
        found = run_stated(transport, [job for job in settled if job.algorithm != "auto"], sharing, types)
    except FabrictoolError as error:
        problems += error.problems
    if problems:
        raise InputError(dict.fromkeys(problems))
    by_job: dict[int, list[CollectiveResult]] = {}
    for row in found:
        by_job.setdefault(row.job, []).append(row)
    return [row for job in listed for row in _with_choice(by_job.get(job.number), chosen.get(job.number))]


def _own_choice(job: Job) -> Job:
    """Return a job without ``auto`` where the model chooses by itself."""
    return replace(job, algorithm=None) if job.algorithm == "auto" and job.model in OWN_CHOICE else job


def _together(jobs: list[Job]) -> set[int]:
    """Return the numbers of the jobs that run at the same time, if there are several."""
    found = {job.number for job in jobs if job.model == "fluid" and job.path[:1] == ("scenario",)}
    return found if len(found) > 1 else set()


def _settled(job: Job, chosen: Mapping[int, list[CollectiveResult]]) -> Job:
    """Return a job with the algorithm that was chosen for it."""
    return replace(job, algorithm=chosen[job.number][0].algorithm) if job.number in chosen else job


def _with_choice(found: list[CollectiveResult] | None, chosen: list[CollectiveResult] | None) -> list[CollectiveResult]:
    """Return results of a job, with what was chosen for it."""
    if found is None or chosen is None:
        return found or chosen or []
    return [
        replace(row, alternatives=one.alternatives, unsuitable=one.unsuitable)
        for row, one in zip(found, chosen, strict=True)
    ]
