"""The model ``fluid``: flows of all jobs share links max-min fairly, and what one leaves is given to the others.

A flow waits the latency of its way, then sends; a job's next round starts when the last flow of the one
before has ended.

References
----------
H. Casanova et al., "Versatile, scalable, and accurate simulation of distributed applications and
platforms", JPDC 74(10), 2014: flows as fluids, with completion events; weights of 1/latency as in CM02.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fabrictool.collectives.costs import UnreachableError
from fabrictool.collectives.entries import Round, Schedule
from fabrictool.errors import NotSupportedError, Problem
from fabrictool.fabric.tables import F8, I4
from fabrictool.routing.flows import Routing, Usage, flows
from fabrictool.routing.inside import ScaleUp
from fabrictool.routing.rates import max_min_rates

Bool = npt.NDArray[np.bool_]

#: Events after which a simulation is given up: an hour's work, about.
MOST_EVENTS = 1_000_000
#: Part of a flow that counts as nothing left.
_END = 1e-12


@dataclass(frozen=True)
class Stream:
    """A job as the model runs it: its schedule, the endpoints of its ranks, and its size in bytes."""

    schedule: Schedule
    ranks: I4
    nbytes: float


@dataclass(frozen=True)
class FluidTime:
    """When a job ended, the latencies of its rounds together, both in s, and seconds that channels were full."""

    time_s: float
    latency_s: float
    full_s: F8


@dataclass
class _Running:
    """A round under way: what its flows use, when each may start, and what is left of it, in bytes."""

    usage: Usage
    start_s: F8
    left: F8
    latency: F8
    size: F8

    @property
    def open(self) -> Bool:
        """Which flows have not ended."""
        found: Bool = self.left > _END * self.size
        return found


@dataclass
class _Job:
    """A job under way."""

    rounds: Iterator[Round]
    stream: Stream
    running: _Running | None = None
    repeats: int = 0
    entry: Round | None = None
    ended_s: float = 0.0
    latency_s: float = 0.0
    full_s: F8 = field(default_factory=lambda: np.zeros(0))


def fluid_times(routing: Routing, streams: Sequence[Stream], sharing: str = "max-min") -> list[FluidTime]:
    """Return when each of some jobs ends that start together.

    Parameters
    ----------
    routing : Routing
        Of the network; what stays in a scale-up domain does not touch it.
    streams : sequence of Stream
    sharing : {"max-min", "inverse-latency"}
        Whether flows on a channel get equal rates, or rates in proportion to 1 / latency of their ways.

    Raises
    ------
    UnreachableError
        If two ranks that exchange messages have no way.
    NotSupportedError
        If there are more than ``MOST_EVENTS`` events.
    """
    return _Simulation(ScaleUp(routing), streams, sharing == "inverse-latency").run()


class _Simulation:
    """Goes from event to event: a flow starts, or a flow ends."""

    def __init__(self, routing: ScaleUp, streams: Sequence[Stream], weighted: bool) -> None:
        self.routing, self.weighted = routing, weighted
        channels = routing.wiring.channels
        self.speed_bps = channels.speed_bps.copy()
        self.speed_bps[: 2 * channels.links] *= routing.efficiency
        self.now_s = 0.0
        self.jobs = [_Job(_rounds(s.schedule, len(s.ranks)), s, full_s=np.zeros(len(channels))) for s in streams]

    def run(self) -> list[FluidTime]:
        for job in self.jobs:
            self._next_round(job)
        for _ in range(MOST_EVENTS):
            under_way = [job for job in self.jobs if job.running is not None]
            if not under_way:
                return [FluidTime(job.ended_s, job.latency_s, job.full_s) for job in self.jobs]
            self._step(under_way)
        what = f"the jobs have more than {MOST_EVENTS:,} starts and ends of flows"
        raise NotSupportedError([Problem("", what, "use model rounds, fewer ranks, or another algorithm")])

    def _next_round(self, job: _Job) -> None:
        """Start the next round of a job, or end it."""
        if job.repeats == 0:
            job.entry = next(job.rounds, None)
            job.repeats = job.entry.repeat if job.entry is not None else 0
            if job.entry is None:
                job.running, job.ended_s = None, self.now_s
                return
            job.running = self._routed(job, job.entry)
        assert job.running is not None
        job.repeats -= 1
        job.running.left = job.running.size.copy()
        job.running.start_s = self.now_s + job.running.latency
        job.latency_s += float(job.running.latency.max(initial=0.0))
        if not len(job.running.left):
            self._next_round(job)

    def _routed(self, job: _Job, entry: Round) -> _Running:
        ranks = job.stream.ranks
        source, target = ranks[entry.source], ranks[entry.target]
        used = self.routing.usage(flows(source, target))
        lost = np.flatnonzero(used.hops < 0)
        if len(lost):
            names = (self.routing.wiring.rank_name(int(end[lost[0]])) for end in (source, target))
            what = "{} cannot reach {} in this network".format(*names)
            raise UnreachableError([Problem("", what, "join them by switches or a scale-up domain")])
        flow = np.repeat(np.arange(len(source)), np.diff(used.first))
        own = self.routing.wiring.channels.latency_s[used.channel] * used.share
        latency = np.bincount(flow, own, len(source)).astype(np.float64)
        size = entry.shares * job.stream.nbytes
        return _Running(used, np.zeros(0), size.copy(), latency, size)

    def _step(self, under_way: list[_Job]) -> None:
        """Let all that have started send until the next flow starts or ends."""
        running = [job.running for job in under_way if job.running is not None]
        sending = [part.open & (part.start_s <= self.now_s * (1 + 1e-15)) for part in running]
        waiting = [part.start_s[part.open & ~on].min(initial=np.inf) for part, on in zip(running, sending, strict=True)]
        rates = self._rates(running, sending)
        ends = [
            (part.left[on] / rate).min(initial=np.inf) for part, on, rate in zip(running, sending, rates, strict=True)
        ]
        step_s = max(0.0, min(*ends, min(waiting) - self.now_s))
        self._note_full(under_way, sending, rates, step_s)
        self.now_s += step_s
        if min(waiting) - self.now_s <= 0:
            self.now_s = max(self.now_s, float(min(waiting)))
        for job, part, on, rate in zip(under_way, running, sending, rates, strict=True):
            part.left[on] = np.where(part.left[on] / rate <= step_s * (1 + 1e-12), 0.0, part.left[on] - rate * step_s)
            if not part.open.any():
                self._next_round(job)

    def _rates(self, running: list[_Running], sending: list[Bool]) -> list[F8]:
        """Return the rate of each flow that sends, in bytes per s, job by job."""
        usage, weight = _joined(running, sending)
        if not self.weighted:
            weight = np.ones_like(weight)
        weight = weight / weight.max(initial=1.0)
        scaled = Usage(usage.first, usage.channel, usage.share * np.repeat(weight, np.diff(usage.first)), usage.hops)
        rate = max_min_rates(scaled, self.speed_bps) * weight / 8.0
        return np.split(rate, np.cumsum([int(on.sum()) for on in sending])[:-1])

    def _note_full(self, under_way: list[_Job], sending: list[Bool], rates: list[F8], step_s: float) -> None:
        """Count the time for which each channel is full, for the jobs that use it."""
        if step_s == 0.0:
            return
        used = [_chosen(job.running.usage, on) for job, on in zip(under_way, sending, strict=True) if job.running]
        loads = [part.loads(rate * 8.0, len(self.speed_bps)) for part, rate in zip(used, rates, strict=True)]
        full = np.sum(loads, axis=0) >= self.speed_bps * (1 - 1e-9)
        for job, load in zip(under_way, loads, strict=True):
            job.full_s[full & (load > 0)] += step_s


def _rounds(schedule: Schedule, size: int) -> Iterator[Round]:
    for entry in schedule:
        yield from entry.rounds(size)


def _chosen(usage: Usage, on: Bool) -> Usage:
    """Return the usage of some flows."""
    if on.all():
        return usage
    count = np.diff(usage.first)
    kept = np.repeat(on, count)
    first = np.concatenate(([0], np.cumsum(count[on], dtype=np.int64)))
    return Usage(first, usage.channel[kept], usage.share[kept], usage.hops[on])


def _joined(running: list[_Running], sending: list[Bool]) -> tuple[Usage, F8]:
    """Return the usage of all flows that send, and 1 / latency of each."""
    parts = [_chosen(part.usage, on) for part, on in zip(running, sending, strict=True)]
    latency = np.concatenate([part.latency[on] for part, on in zip(running, sending, strict=True)])
    first = np.concatenate(([0], np.cumsum(np.concatenate([np.diff(part.first) for part in parts]), dtype=np.int64)))
    usage = Usage(
        first,
        np.concatenate([part.channel for part in parts]),
        np.concatenate([part.share for part in parts]),
        np.concatenate([part.hops for part in parts]),
    )
    return usage, 1.0 / np.maximum(latency, 1e-12)
