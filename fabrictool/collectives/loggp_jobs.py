"""Jobs under the model ``loggp``: any schedule, each message alone on its way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from fabrictool.catalogue.types import HostType
from fabrictool.collectives.carried import carried
from fabrictool.collectives.carriers import shifts_apart
from fabrictool.collectives.costs import ScheduleCost, UnreachableError
from fabrictool.collectives.entries import Round, Schedule, Shifts
from fabrictool.collectives.loggp import GAP_S, OVERHEAD_S, Host, Messages, Paths, round_times_s
from fabrictool.collectives.paced import Stretch
from fabrictool.collectives.transport import Prepared, Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.errors import Problem
from fabrictool.fabric.tables import F8, I4
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
        return [transport.no_result(job, len(ranks), nbytes, error.why) for nbytes in job.sizes]
    results = []
    for nbytes, time_s, free_s in zip(job.sizes, times, free[1:], strict=True):
        cost = ScheduleCost(latency_s, (time_s - latency_s) / nbytes, {})
        result = transport.result(job, one.name, len(ranks), nbytes, cost, one.floor)
        held = time_s - free_s > (result.time_s or 0.0) / 2
        results.append(replace(result, limited_by="per-message overhead") if held else result)
    return results


def stretches(
    transport: Transport, job: Job, results: Sequence[CollectiveResult], types: Mapping[str, HostType]
) -> list[list[Stretch]]:
    """Return the rounds of a job whose results are known, at each size, for jobs that run at once."""
    one = transport.prepared(job)
    found: list[list[Stretch]] = [[] for _ in results]
    sizes, host = (0.0, *(result.nbytes for result in results)), host_of(transport, one.ranks, types)
    if len(one.ranks) < 2:
        return found
    for entry, often in _rounds(one.algorithm.rounds(one.group), len(one.ranks)):
        sent, paths, busy_s = _messages(transport, entry, one.ranks)
        latency_s, *times = (often * round_times_s(sent, paths, sizes, host)).tolist()
        for at, (nbytes, time_s) in enumerate(zip(sizes[1:], times, strict=True)):
            found[at].append(Stretch.of(latency_s, time_s - latency_s, often * nbytes * busy_s))
    return found


def host_of(transport: Transport, ranks: I4, types: Mapping[str, HostType]) -> Host:
    """Return what messages cost the hosts of ranks: the most that any of their types states."""
    devices = transport.fabric.devices
    used = np.unique(devices.type[transport.wiring.device[ranks]]).tolist()
    kinds = [types[name] for name in (transport.fabric.types[row] for row in used) if name in types]
    stated = [kind.loggp for kind in kinds if kind.loggp is not None]
    overheads = [one.overhead_s for one in stated if one.overhead_s is not None]
    gaps = [one.gap_s for one in stated if one.gap_s is not None]
    return Host(max(overheads, default=OVERHEAD_S), max(gaps, default=GAP_S))


def _times(
    transport: Transport, one: Prepared, sizes: tuple[float, ...], host: Host
) -> tuple[list[float], list[float]]:
    """Return the time at each size, in s, and what it would be if messages cost their hosts nothing."""
    if len(one.ranks) < 2:
        return [0.0] * len(sizes), [0.0] * len(sizes)
    times, free = np.zeros(len(sizes)), np.zeros(len(sizes))
    for entry, often in _rounds(one.algorithm.rounds(one.group), len(one.ranks)):
        sent, paths, _ = _messages(transport, entry, one.ranks)
        times += often * round_times_s(sent, paths, sizes, host)
        free += often * round_times_s(sent, paths, sizes, Host(0.0, 0.0))
    return times.tolist(), free.tolist()


def _rounds(schedule: Schedule, size: int) -> Iterator[tuple[Round, float]]:
    """Yield rounds and how often each runs; of very many shifts some equally far apart stand for all."""
    for entry in schedule:
        if not isinstance(entry, Shifts):
            yield from ((one, one.repeat) for one in entry.rounds(size))
            continue
        step = shifts_apart(len(entry.steps), size)
        chosen = entry.steps[step // 2 :: step]
        for one in Shifts(chosen, entry.share).rounds(size):
            yield one, len(entry.steps) / len(chosen)


def _messages(transport: Transport, entry: Round, ranks: I4) -> tuple[Messages, Paths, F8]:
    """Return the messages of a round, their paths, each as if it were alone, and what all keep busy.

    A reduction in switches is a message of the first rank of its tree. Channels are busy for so many seconds for one
    byte of the collective's size, (channels,).
    """
    wiring, routing = transport.wiring, transport.routing
    (used,) = carried(ScaleUp(routing), [entry], ranks)
    lost = np.flatnonzero(used.usage.hops < 0)
    if len(lost):
        names = [wiring.rank_name(int(ranks[end[lost[0]]])) for end in (entry.source, entry.target)]
        what = f"{names[0]} cannot reach {names[1]} in this network"
        raise UnreachableError([Problem("", what, "join them by switches or a scale-up domain")])
    channels = wiring.channels
    a_byte_s = np.divide(8.0, channels.speed_bps, out=np.zeros(len(channels)), where=channels.speed_bps > 0)
    a_byte_s[: 2 * channels.links] /= routing.efficiency
    slow = used.usage.share * a_byte_s[used.usage.channel]
    seconds = np.zeros(len(used.share))
    np.maximum.at(seconds, np.repeat(np.arange(len(seconds)), np.diff(used.usage.first)), slow)
    target = np.concatenate((entry.target, used.sender[len(entry.target) :]))
    busy_s = used.usage.loads(used.share, len(channels)) * a_byte_s
    return Messages(used.sender, target, used.share), Paths(used.latency_s, seconds), busy_s
