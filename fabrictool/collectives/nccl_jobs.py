"""Jobs under the model ``nccl``: what the library would choose at each size, and the time that it predicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from fabrictool.catalogue.types import HostType
from fabrictool.collectives.carried import carried
from fabrictool.collectives.costs import ScheduleCost
from fabrictool.collectives.nccl.asked import Asked, among, check
from fabrictool.collectives.nccl.choice import times_s
from fabrictool.collectives.nccl.derive import Derived, derive, hosts_of
from fabrictool.collectives.paced import Stretch
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import Alternative, CollectiveResult, Job
from fabrictool.errors import InputError
from fabrictool.fabric.parts import merged
from fabrictool.fabric.tables import I4
from fabrictool.routing.inside import ScaleUp
from fabrictool.routing.wiring import Wiring


def run_nccl(transport: Transport, job: Job, types: Mapping[str, HostType]) -> list[CollectiveResult]:
    """Return what NCCL would choose for a job and the time that it predicts, size by size.

    Raises
    ------
    InputError
        If something is not known of the hosts, or what is asked for is not to be had.
    """
    asked = Asked(job.collective, job.algorithm, job.protocol, job.path)
    check(asked)
    ranks = transport.ranks_of(job)
    why = _why_not(transport.wiring, ranks)
    if why:
        return [transport.no_result(job, len(ranks), nbytes, why) for nbytes in job.sizes]
    floor = transport.prepared(replace(job, algorithm=None, protocol=None, model="bound")).floor
    if len(ranks) == 1:
        nothing = ScheduleCost(0.0, 0.0, {})
        return [transport.result(job, "none", 1, nbytes, nothing, floor) for nbytes in job.sizes]
    system = derived(transport, job, types).system
    options = among(system, asked)
    results = []
    for nbytes, times in zip(job.sizes, times_s(system, job.collective, options, job.sizes).T.tolist(), strict=True):
        first, *others = sorted(zip(times, range(len(options)), strict=True))
        time_s, one = first[0], options[first[1]]
        cost = ScheduleCost(one.latency_s, (time_s - one.latency_s) / nbytes, {})
        result = transport.result(job, str(one), len(ranks), nbytes, cost, floor)
        taken = tuple(Alternative(str(options[row]), took_s) for took_s, row in others)
        limited = "latency" if one.latency_s > time_s / 2 else "channels"
        free = (job.algorithm, job.protocol) == (None, None)
        results.append(replace(result, limited_by=limited, alternatives=taken if free else None))
    return results


def stretches(
    transport: Transport, job: Job, results: Sequence[CollectiveResult], types: Mapping[str, HostType]
) -> list[list[Stretch]]:
    """Return a job whose results are known as one stretch at each size, for jobs that run at once.

    The library keeps all of its channels busy until the end, so a link carries its part of the bytes evenly. Which part
    that is, is taken from the schedule that the collective has where none is named.
    """
    one = transport.prepared(replace(job, algorithm=None, protocol=None, model="rounds"))
    entries = [each for entry in one.algorithm.rounds(one.group) for each in entry.rounds(len(one.ranks))]
    channels, routing = transport.channels, ScaleUp(transport.routing)
    a_byte_s = np.divide(8.0, channels.speed_bps, out=np.zeros(len(channels)), where=channels.speed_bps > 0)
    a_byte_s[: 2 * channels.links] /= transport.routing.efficiency
    busy_s = np.zeros(len(channels))
    for entry, used in zip(entries, carried(routing, entries, one.ranks), strict=True):
        busy_s += entry.repeat * used.usage.loads(used.share, len(channels)) * a_byte_s
    times = ((row.nbytes, row.latency_s or 0.0, row.time_s or 0.0) for row in results)
    return [[Stretch.of(first_s, time_s - first_s, nbytes * busy_s)] for nbytes, first_s, time_s in times]


def derived(transport: Transport, job: Job, types: Mapping[str, HostType]) -> Derived:
    """Return what NCCL would see of a job's ranks.

    Raises
    ------
    InputError
        If something is not known, at the job's model.
    """
    try:
        return derive(transport.wiring, transport.ranks_of(job), types)
    except InputError as error:
        path = (*job.path, "model") if job.path else ()
        raise InputError([replace(problem, path=path) for problem in error.problems]) from None


def _why_not(wiring: Wiring, ranks: I4) -> str:
    """Return why ranks cannot run a collective, "" if they can."""
    if not len(ranks):
        return "all hosts of its ranks are down"
    lost = apart(wiring, ranks) if (wiring.gpu[ranks] >= 0).all() else None
    return f"{wiring.rank_name(lost[0])} cannot reach {wiring.rank_name(lost[1])} in this network" if lost else ""


def apart(wiring: Wiring, ranks: I4) -> tuple[int, int] | None:
    """Return two ranks that neither switches nor scale-up nor their hosts join, None where all are joined.

    The library passes data on inside a host (PXN), so ranks on different rails of a host are joined.
    """
    host = hosts_of(wiring, ranks)
    hosts, of_host = np.unique(host, return_inverse=True)
    parts = np.stack([wiring.parts_of(lane)[ranks] for lane in range(wiring.lanes.shape[1])], axis=1)
    rank, lane = np.nonzero((parts >= 0) & (wiring.up[ranks] >= 0))
    nodes = np.arange(len(hosts) + int(parts.max(initial=-1)) + 1, dtype=np.int32)
    label = merged(nodes, of_host[rank].astype(np.int32), len(hosts) + parts[rank, lane])[of_host]
    other = np.flatnonzero(label != label[0])
    return (int(ranks[0]), int(ranks[other[0]])) if len(other) else None
