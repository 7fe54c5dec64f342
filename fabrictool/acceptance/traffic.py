"""What the network carries in a run, who shares links with whom in a round, and which parts could slow which run.

A run is taken as one fluid: all its flows keep step, as those of a ring or of a long all-to-all do. A part's
*strain* on a run is the load over the speed of the part while the run goes as fast as it can: 1 where it is full,
so that a part left with 1/f of its speed takes the run to 1 / (strain f) if that is below 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.acceptance.ladder import ALL_REDUCE, Run
from fabrictool.acceptance.subject import Ints, Subject
from fabrictool.fabric.tables import F8, I4
from fabrictool.routing.flows import Usage, flows
from fabrictool.routing.rates import max_min_rates

#: Flows of one run that are followed one by one; runs of more use everything, and tell nothing about one part.
MOST_FLOWS = 1 << 18
#: What a ring reaches of the speed of NVLink: 370 of 450 GB/s (NVIDIA/nccl issue 1455).
SCALE_UP_SHARE = 0.82
#: Parts that are less full than this slow no run noticeably, however faults go.
_LEAST_STRAIN = 0.02


@dataclass(frozen=True)
class Strains:
    """Which parts strain which runs, as a CSR over runs.

    Parameters
    ----------
    first : (runs + 1,) int64
        Offsets.
    part : (uses,) int64
        Links by row, then hosts' insides: number of links + place of the host.
    strain : (uses,) float64
    rate : (runs,) float64
        Volume a run moves in its round, in bit/s for each unit of its flows' volume; NaN where not followed.
    alone : (runs,) float64
        The same with nothing beside it.
    linked : (runs,) float64
        The same by links of the network alone, infinite where a run uses none.
    """

    first: npt.NDArray[np.int64]
    part: npt.NDArray[np.int64]
    strain: F8
    rate: F8
    alone: F8
    linked: F8


def run_flows(subject: Subject, run: Run) -> tuple[I4, I4, F8] | None:
    """Return source and target ranks and volumes of a run's flows, None where there are too many to follow.

    Units are scale-up domains, or hosts. Of an all-reduce, every GPU is on a ring with its like in the next unit,
    and those rings pass through all GPUs of a unit. Of an all-to-all, data changes to the target's rail inside
    units first (PXN) unless the run forbids that.
    """
    units = units_of(subject, run)
    count, each = units.shape
    inside = _inside(units)
    if run.test == ALL_REDUCE:
        if count == 1:
            return _joined([(units.ravel(), np.roll(units.ravel(), -1), 1.0)])
        ring = (units.ravel(), np.roll(units, -1, axis=0).ravel(), 1.0)
        return _joined([ring, (*inside, each - 1.0)])
    if count * count * each * (1 if run.pxn else each) > MOST_FLOWS:
        return None
    return _joined([*_all_to_all(units, run.pxn), (*inside, (each - 1.0) * (count if run.pxn else 1))])


def units_of(subject: Subject, run: Run) -> I4:
    """Return the ranks of a run by scale-up domain, (domains, ranks), or by host where domains hold unequally many."""
    ranks = subject.endpoint[np.ix_(run.hosts, run.gpus)]
    domain = subject.domain[list(run.hosts)]
    _, sizes = np.unique(domain, return_counts=True)
    if (sizes != sizes[0]).any():
        return ranks
    order = np.argsort(domain, kind="stable") if len(sizes) < len(domain) else np.arange(len(domain))
    return ranks[order].reshape(len(sizes), -1)


def _inside(units: I4) -> tuple[I4, I4]:
    """Return the hops from each rank to the next one in its unit."""
    return units.ravel(), np.roll(units, -1, axis=1).ravel()


def _all_to_all(units: I4, pxn: bool) -> list[tuple[I4, I4, float]]:
    count, each = units.shape
    one, other = np.nonzero(~np.eye(count, dtype=bool))
    if pxn:
        return [(units[one].ravel(), units[other].ravel(), float(each))]
    source = np.repeat(units[one], each, axis=1).ravel()
    return [(source, np.tile(units[other], (1, each)).ravel(), 1.0)]


def _joined(parts: Sequence[tuple[I4, I4, float]]) -> tuple[I4, I4, F8]:
    source, target, volume = [], [], []
    for start, end, each in parts:
        apart = (start != end) & (each > 0)
        source.append(start[apart])
        target.append(end[apart])
        volume.append(np.full(int(apart.sum()), each))
    return np.concatenate(source), np.concatenate(target), np.concatenate(volume)


def strains(subject: Subject, runs: Sequence[Run], together: bool = True) -> Strains:
    """Return the strains of runs that are in one round, so that they share what they meet on, or of each alone."""
    speed = speeds(subject)
    usage = _by_run(subject, runs, len(speed))
    known = np.diff(usage.first) > 0
    run = np.repeat(np.arange(len(runs)), np.diff(usage.first))
    most = speed[usage.channel] / usage.share
    alone, linked = np.full((2, len(runs)), np.inf)
    np.minimum.at(alone, run, most)
    network = usage.channel < 2 * subject.transport.wiring.channels.links
    np.minimum.at(linked, run[network], most[network])
    rate = max_min_rates(usage, speed) if len(usage.channel) and together else np.where(known, alone, np.nan)
    own = rate[run] * usage.share
    load = np.bincount(usage.channel, own, len(speed))[usage.channel] if together else own
    full = load / speed[usage.channel]
    first, part, strain = _by_part(subject, len(runs), run, usage.channel, full)
    return Strains(first, part, strain, rate, np.where(known, alone, np.nan), np.where(known, linked, np.nan))


def speeds(subject: Subject) -> F8:
    """Return the speed of each channel as collectives get it, in bit/s."""
    channels = subject.transport.wiring.channels
    speed = channels.speed_bps.copy()
    speed[: 2 * channels.links] *= subject.routing.efficiency
    speed[2 * channels.links :] *= SCALE_UP_SHARE
    return speed


def _by_run(subject: Subject, runs: Sequence[Run], channels: int) -> Usage:
    """Return what each run uses of each channel, its flows taken together."""
    found = [run_flows(subject, run) for run in runs]
    parts = [(number, flow) for number, flow in enumerate(found) if flow is not None]
    if not parts:
        return Usage(np.zeros(len(runs) + 1, np.int64), np.zeros(0, np.int32), np.zeros(0), np.full(len(runs), -1))
    owner = np.repeat([number for number, _ in parts], [len(flow[0]) for _, flow in parts])
    source, target, volume = (np.concatenate([flow[column] for _, flow in parts]) for column in range(3))
    used = subject.routing.usage(flows(source, target, volume))
    count = np.diff(used.first)
    key = np.repeat(owner, count).astype(np.int64) * channels + used.channel
    distinct, where = np.unique(key, return_inverse=True)
    share = np.bincount(where.ravel(), np.repeat(volume, count) * used.share).astype(np.float64)
    run, channel = np.divmod(distinct, channels)
    first = np.concatenate(([0], np.cumsum(np.bincount(run, minlength=len(runs)))))
    return Usage(first.astype(np.int64), channel.astype(np.int32), share, np.zeros(len(runs), np.int32))


def _by_part(
    subject: Subject, count: int, run: Ints, channel: I4, full: F8
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], F8]:
    """Return strains by link, the worse of its ways, and by host for what is inside."""
    fabric, links = subject.fabric, subject.transport.wiring.channels.links
    place = np.full(len(fabric.devices), 0, np.int64)
    place[subject.device] = np.arange(len(subject.device))
    gpu = np.maximum(channel - 2 * links, 0) // 2
    inside = links + place[fabric.gpus.host[gpu]] if len(fabric.gpus) else np.full(len(channel), links)
    part = np.where(channel < 2 * links, channel // 2, inside)
    kept = full >= _LEAST_STRAIN
    parts = links + len(subject.device)
    key, where = np.unique(run[kept] * parts + part[kept], return_inverse=True)
    worst = np.zeros(len(key))
    np.maximum.at(worst, where.ravel(), np.minimum(full[kept], 1.0))
    owner, part = np.divmod(key, parts)
    first = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=count)))).astype(np.int64)
    return first, part, worst
