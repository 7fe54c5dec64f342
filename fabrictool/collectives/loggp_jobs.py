"""Jobs under the model ``loggp``: any schedule, each message alone on its way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from fabrictool.catalogue.types import HostType
from fabrictool.collectives.carriers import shifts_apart
from fabrictool.collectives.costs import ScheduleCost, UnreachableError
from fabrictool.collectives.entries import Round, Schedule, Shifts
from fabrictool.collectives.loggp import GAP_S, OVERHEAD_S, Host, Messages, Paths, round_times_s
from fabrictool.collectives.transport import Prepared, Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.errors import Problem
from fabrictool.fabric.tables import I4
from fabrictool.routing.flows import flows
from fabrictool.routing.inside import ScaleUp


def run_loggp(transport: Transport, job: Job, types: Mapping[str, HostType]) -> list[CollectiveResult]:
    """Return what a job takes at each size.

    Raises
    ------
    InputError
        If the algorithm does not fit the ranks.
    """
    ranks = transport.ranks_of(job)
    if not len(ranks):
        return [transport.no_result(job, 0, nbytes, "all hosts of its ranks are down") for nbytes in job.sizes]
    one = transport.prepared(job)
    try:
        (latency_s, *times), free = _times(transport, one, (0.0, *job.sizes), host_of(transport, ranks, types))
    except UnreachableError as error:
        return [transport.no_result(job, len(ranks), nbytes, str(error)) for nbytes in job.sizes]
    results = []
    for nbytes, time_s, free_s in zip(job.sizes, times, free[1:], strict=True):
        cost = ScheduleCost(latency_s, (time_s - latency_s) / nbytes, {})
        result = transport.result(job, one.name, len(ranks), nbytes, cost, one.floor)
        held = time_s - free_s > (result.time_s or 0.0) / 2
        results.append(replace(result, limited_by="per-message overhead") if held else result)
    return results


def host_of(transport: Transport, ranks: I4, types: Mapping[str, HostType]) -> Host:
    """Return what messages cost the hosts of ranks: the most that any of their types states."""
    devices = transport.fabric.devices
    used = np.unique(devices.type[transport.wiring.device[ranks]]).tolist()
    kinds = [types[name] for name in (transport.fabric.types[row] for row in used) if name in types]
    stated = [kind.loggp for kind in kinds if kind.loggp is not None]
    overheads = [one.overhead_s for one in stated if one.overhead_s is not None]
    gaps = [one.gap_s for one in stated if one.gap_s is not None]
    return Host(max(overheads, default=OVERHEAD_S), max(gaps, default=GAP_S))


@dataclass(frozen=True, slots=True)
class _Ways:
    """The paths of a job's messages; sources and targets are places among its ranks."""

    transport: Transport
    ranks: I4

    def __call__(self, source: I4, target: I4) -> Paths:
        """Return paths, each as if its message were alone."""
        wiring, routing = self.transport.wiring, self.transport.routing
        ends = self.ranks[source], self.ranks[target]
        used = ScaleUp(routing).usage(flows(*ends))
        lost = np.flatnonzero(used.hops < 0)
        if len(lost):
            names = [wiring.rank_name(int(end[lost[0]])) for end in ends]
            what = f"{names[0]} cannot reach {names[1]} in this network"
            raise UnreachableError([Problem("", what, "join them by switches or a scale-up domain")])
        flow = np.repeat(np.arange(len(source)), np.diff(used.first))
        channels = wiring.channels
        latency = np.zeros(len(source))
        np.add.at(latency, flow, used.share * channels.latency_s[used.channel])
        slow = used.share * 8.0 / channels.speed_bps[used.channel]
        slow[used.channel < 2 * channels.links] /= routing.efficiency
        seconds = np.zeros(len(source))
        np.maximum.at(seconds, flow, slow)
        return Paths(latency, seconds)


def _times(
    transport: Transport, one: Prepared, sizes: tuple[float, ...], host: Host
) -> tuple[list[float], list[float]]:
    """Return the time at each size, in s, and what it would be if messages cost their hosts nothing."""
    if len(one.ranks) < 2:
        return [0.0] * len(sizes), [0.0] * len(sizes)
    ways, times, free = _Ways(transport, one.ranks), np.zeros(len(sizes)), np.zeros(len(sizes))
    for sent in _messages(one.algorithm.rounds(one.group), len(one.ranks)):
        paths = ways(sent.source, sent.target)
        times += sent.repeat * round_times_s(sent, paths, sizes, host)
        free += sent.repeat * round_times_s(sent, paths, sizes, Host(0.0, 0.0))
    return times.tolist(), free.tolist()


def _messages(schedule: Schedule, size: int) -> Iterator[Messages]:
    """Yield the rounds of a schedule; of very many shifts some equally far apart stand for all."""
    for entry in schedule:
        if not isinstance(entry, Shifts):
            yield from (_of_round(one) for one in entry.rounds(size))
            continue
        step = shifts_apart(len(entry.steps), size)
        chosen = entry.steps[step // 2 :: step]
        times = len(entry.steps) / max(len(chosen), 1)
        for shift in Shifts(chosen, entry.share).rounds(size):
            yield _of_round(shift, times)


def _of_round(entry: Round, times: float = 1.0) -> Messages:
    return Messages(entry.source, entry.target, entry.shares, entry.repeat * times)
