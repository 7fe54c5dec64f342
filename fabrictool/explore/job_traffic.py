"""The traffic of collectives as one pattern: what all rounds together put on the links."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fabrictool.collectives.entries import Group, Schedule
from fabrictool.collectives.schedules import ALGORITHMS, default_algorithm
from fabrictool.collectives.workloads import group_of, jobs_of, rank_list
from fabrictool.errors import InputError, NotSupportedError, Problem, did_you_mean
from fabrictool.fabric.tables import F8, I4
from fabrictool.layout.model import Layout
from fabrictool.routing.flows import Flows, flows
from fabrictool.routing.wiring import Wiring

#: Flows of all rounds together; a pairwise all-to-all of 2,236 ranks has so many.
MOST_FLOWS = 5_000_000


def is_collective(word: str) -> bool:
    """Return whether a pattern word names a collective, such as ``all-reduce`` or ``all-reduce:ring``."""
    name, _, algorithm = word.partition(":")
    return name in ALGORITHMS and (name != "all-to-all" or bool(algorithm))


def collective_flows(wiring: Wiring, word: str) -> Flows:
    """Return the flows of a collective over all hosts of a wiring, in bytes for one byte of its size.

    Raises
    ------
    InputError
        If there is no such algorithm, or it does not fit the ranks.
    """
    name, _, algorithm = word.partition(":")
    ranks = np.arange(wiring.hosts, dtype=np.int32)
    group = Group(len(ranks), _domains(wiring, ranks), rail=wiring.rail[ranks])
    return _merged(wiring, [_volumes(name, algorithm, group, ranks)])


def scenario_flows(wiring: Wiring, layout: Layout | None) -> Flows:
    """Return the flows of all jobs of a layout together, in bytes: those that share a fabric.

    Raises
    ------
    InputError
        If the layout states no jobs, or one does not fit the ranks.
    """
    if layout is None or layout.scenario is None or not layout.scenario.jobs:
        raise InputError("pattern 'jobs' needs scenario.jobs in a layout file", "state jobs, or use another pattern")
    found = []
    for job in jobs_of(layout):
        every = rank_list(job.ranks, wiring.hosts, job.path)
        members = [every] if job.split is None else [every[one] for one in job.split.members(len(every), job.path)]
        for ranks in members:
            if len(ranks) < 2:
                continue
            group = group_of(job, _domains(wiring, ranks), np.arange(len(ranks)), wiring.rail[ranks])
            named = (job.algorithm or "").replace("auto", "")
            source, target, volume = _volumes(job.collective, named, group, ranks)
            found.append((source, target, volume * job.sizes[0]))
    return _merged(wiring, found)


def _domains(wiring: Wiring, ranks: I4) -> I4:
    """Return the scale-up domain of each rank; one of its own for a rank without."""
    domain: I4 = np.where(wiring.domain[ranks] >= 0, wiring.domain[ranks], -1 - np.arange(len(ranks), dtype=np.int32))
    return domain


def _volumes(name: str, algorithm: str, group: Group, ranks: I4) -> tuple[I4, I4, F8]:
    """Return source and target endpoints and bytes of each flow of all rounds."""
    if name not in ALGORITHMS:
        raise NotSupportedError(f"collective '{name}' is not supported yet", did_you_mean(name, ALGORITHMS))
    chosen = algorithm or default_algorithm(name, group)
    if chosen not in ALGORITHMS[name]:
        what = f"{name} by '{chosen}' is not known"
        raise InputError([Problem("", what, f"use one of {', '.join(ALGORITHMS[name])}")])
    if ALGORITHMS[name][chosen].reduces:
        what = f"{chosen} reduces in switches, so its traffic is no flows between ranks"
        raise InputError(what, "use another algorithm, or score for its time")
    rounds, count = [], 0
    for one in _rounds(ALGORITHMS[name][chosen].rounds(group), group.size):
        rounds.append(one)
        count += len(one[0])
        if count > MOST_FLOWS:
            what = f"{name} by {chosen} over {len(ranks):,} ranks has more than {MOST_FLOWS:,} flows"
            raise InputError(what, "use pattern all-to-all, whose loads are the same in sum, or shifts")
    source = np.concatenate([row[0] for row in rounds])
    target = np.concatenate([row[1] for row in rounds])
    volume = np.concatenate([row[2] for row in rounds])
    return ranks[source], ranks[target], volume


def _rounds(schedule: Schedule, size: int) -> Iterator[tuple[I4, I4, F8]]:
    for entry in schedule:
        for one in entry.rounds(size):
            yield one.source, one.target, one.shares * one.repeat


def _merged(wiring: Wiring, parts: list[tuple[I4, I4, F8]]) -> Flows:
    """Return one flow for each ordered pair, in order."""
    code = np.concatenate([s.astype(np.int64) * wiring.endpoints + t for s, t, _ in parts])
    pair, row = np.unique(code, return_inverse=True)
    volume = np.bincount(row, np.concatenate([volume for _, _, volume in parts]))
    return flows(pair // wiring.endpoints, pair % wiring.endpoints, volume)
