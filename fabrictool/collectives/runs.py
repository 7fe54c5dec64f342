"""Runs the jobs of a workload or scenario: chooses algorithms where ``auto`` asks for it, then runs each model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from fabrictool.catalogue.types import HostType
from fabrictool.collectives.choosing import OWN_CHOICE, run_auto
from fabrictool.collectives.fluid_jobs import AT_ONCE, run_stated
from fabrictool.collectives.group_jobs import (
    IN_ROUNDS,
    Groups,
    groups_of,
    jobs_of_groups,
    run_each,
    run_in_rounds,
    slowest,
)
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.errors import FabrictoolError, InputError, Problem


def run_jobs(
    transport: Transport,
    jobs: Iterable[Job],
    sharing: str = "max-min",
    types: Mapping[str, HostType] = MappingProxyType({}),
) -> list[CollectiveResult]:
    """Run jobs: those of a scenario that share links at the same time, all others one after another.

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
    runner, together = Runner(transport, sharing, types), _together(listed)
    found: dict[int, list[CollectiveResult]] = {}
    problems: list[Problem] = []
    for job in listed:
        if job.algorithm == "auto" or job.number not in together:
            try:
                found[job.number] = runner.alone(job)
            except FabrictoolError as error:
                problems += error.problems
    settled = [_settled(job, found) for job in listed if job.number in together]
    try:
        at_once = runner.at_once([job for job in settled if job.algorithm != "auto"]) if settled else {}
    except FabrictoolError as error:
        problems += error.problems
    if problems:
        raise InputError(dict.fromkeys(problems))
    for number, rows in at_once.items():
        found[number] = _with_choice(rows, found.get(number))
    return [row for job in listed for row in found[job.number]]


@dataclass(frozen=True)
class Runner:
    """Runs jobs on a network, with how flows share its links, and host types by name."""

    transport: Transport
    sharing: str
    types: Mapping[str, HostType]

    def alone(self, job: Job) -> list[CollectiveResult]:
        """Return the results of a job with nobody beside it, size by size.

        Raises
        ------
        FabrictoolError
            If its algorithm, its ranks or their groups make no sense.
        """
        if job.algorithm == "auto":
            return run_auto(job, *self._shape(job), self.alone)
        if job.split is None:
            return self._stated([job])
        groups = groups_of(self.transport, job)
        if job.model in IN_ROUNDS:
            return run_in_rounds(self.transport, groups)
        return run_each(self.transport, groups, self._stated)

    def at_once(self, jobs: Sequence[Job]) -> dict[int, list[CollectiveResult]]:
        """Return the results of jobs that run at the same time, by the number of each."""
        found: dict[int, list[CollectiveResult]] = {}
        parts: list[tuple[Job, Groups | None, list[Job]]] = []
        for job in jobs:
            groups = groups_of(self.transport, job) if job.split is not None else None
            first = sum(len(listed) for _, _, listed in parts)
            own_jobs = [replace(job, number=first)]
            parts.append((job, groups, jobs_of_groups(self.transport, groups, first) if groups else own_jobs))
        rows = self._stated([one for _, _, listed in parts for one in listed])
        for job, groups, listed in parts:
            own = {one.number for one in listed}
            mine = [row for row in rows if row.job in own]
            if groups is None:
                found[job.number] = [replace(row, job=job.number) for row in mine]
            elif listed:
                found[job.number] = slowest(self.transport, groups, listed, mine)
            else:
                found[job.number] = run_each(self.transport, groups, self._stated)
        return found

    def _stated(self, jobs: list[Job]) -> list[CollectiveResult]:
        return run_stated(self.transport, jobs, self.sharing, self.types)

    def _shape(self, job: Job) -> tuple[int, int]:
        """Return how many groups of how many ranks a job has, at most."""
        if job.split is None:
            return 1, len(self.transport.ranks_of(job))
        groups = groups_of(self.transport, job)
        return len(groups.members), groups.largest


def _own_choice(job: Job) -> Job:
    """Return a job without ``auto`` where the model chooses by itself."""
    return replace(job, algorithm=None) if job.algorithm == "auto" and job.model in OWN_CHOICE else job


def _together(jobs: list[Job]) -> set[int]:
    """Return the numbers of the jobs that run at the same time as others of their model."""
    found = [job for job in jobs if job.model in AT_ONCE and job.path[:1] == ("scenario",)]
    count = Counter(job.model for job in found)
    return {job.number for job in found if count[job.model] > 1}


def _settled(job: Job, chosen: Mapping[int, list[CollectiveResult]]) -> Job:
    """Return a job with the algorithm that was chosen for it."""
    found = chosen.get(job.number)
    return replace(job, algorithm=found[0].algorithm or None) if found else job


def _with_choice(found: list[CollectiveResult] | None, chosen: list[CollectiveResult] | None) -> list[CollectiveResult]:
    """Return results of a job, with what was chosen for it."""
    if found is None or chosen is None:
        return found or chosen or []
    return [
        replace(row, alternatives=one.alternatives, unsuitable=one.unsuitable, bound_s=one.bound_s)
        for row, one in zip(found, chosen, strict=True)
    ]
