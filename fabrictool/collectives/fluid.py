"""The model ``fluid``: flows of all jobs share links max-min fairly, and what one leaves is given to the others.

A flow waits the latency of its way, then sends. A job's next round starts when the last flow of the one
before has ended; in a pipeline a flow starts when those have ended that it waits for.

References
----------
H. Casanova et al., "Versatile, scalable, and accurate simulation of distributed applications and
platforms", JPDC 74(10), 2014: flows as fluids, with completion events; weights of 1/latency as in CM02.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from fabrictool.collectives.carried import carried
from fabrictool.collectives.costs import FLOWS_AT_ONCE, KnownShifts, UnreachableError
from fabrictool.collectives.entries import Pipeline, Round, Schedule, Shifts
from fabrictool.collectives.symmetry import one_of_each
from fabrictool.collectives.underway import Running, advanced, one_by_one, without_bytes
from fabrictool.errors import NotSupportedError, Problem
from fabrictool.fabric.tables import F8, I4
from fabrictool.routing.flows import Routing, Usage
from fabrictool.routing.inside import ScaleUp

#: Events after which a simulation is given up: some minutes' work.
MOST_EVENTS = 10_000_000


@dataclass(frozen=True)
class Stream:
    """A job as the model runs it: its schedule, the endpoints of its ranks, and its size in bytes.

    ``known`` tells what some shifts take of which the links between switches limit none.
    """

    schedule: Schedule
    ranks: I4
    nbytes: float
    known: Callable[[Shifts, I4], KnownShifts | None] | None = None


@dataclass
class FluidTime:
    """When a job ended, the latencies on its longest way together, both in s, and seconds that channels were full."""

    time_s: float
    latency_s: float
    full_s: F8


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
    plant = _Plant(ScaleUp(routing), sharing == "inverse-latency")
    if len(streams) == 1:
        return [_alone(plant, streams[0])]
    return _together(plant, streams)


@dataclass
class _Plant:
    """The network: how it routes, and how much each channel carries, in bytes per s."""

    routing: ScaleUp
    weighted: bool
    speed: F8 = field(init=False)

    def __post_init__(self) -> None:
        channels = self.routing.wiring.channels
        self.speed = channels.speed_bps / 8.0
        self.speed[: 2 * channels.links] *= self.routing.efficiency

    def running(self, stream: Stream, entries: Sequence[Round | Pipeline]) -> Iterator[Running]:
        """Yield entries of a schedule as they run; all are routed at once."""
        for entry, one in zip(entries, carried(self.routing, entries, stream.ranks), strict=True):
            self._refuse_lost(one.usage, stream.ranks[entry.source], stream.ranks[entry.target])
            yield Running.of(entry, one.usage, one.share * stream.nbytes, one.latency_s, self.weighted)

    def _refuse_lost(self, used: Usage, source: I4, target: I4) -> None:
        lost = np.flatnonzero(used.hops < 0)
        if len(lost):
            names = (self.routing.wiring.rank_name(int(end[lost[0]])) for end in (source, target))
            what = "{} cannot reach {} in this network".format(*names)
            raise UnreachableError([Problem("", what, "join them by switches or a scale-up domain")])


def _alone(plant: _Plant, stream: Stream) -> FluidTime:
    """Return what a job takes by itself: the sum over its entries, each run once."""
    total = FluidTime(0.0, 0.0, np.zeros(len(plant.speed)))
    few: list[Running] = []
    for one in _running(plant, stream, total):
        total.latency_s += (one.again + 1) * without_bytes(one)
        alike = one_of_each(one, plant.speed)
        if alike is not None:
            some, speed, kind = alike
            time_s, full_s = _each([some], speed)
            total.time_s += time_s
            total.full_s += full_s[kind]
            continue
        few.append(one)
        if sum(len(each.nbytes) for each in few) >= FLOWS_AT_ONCE:
            _add(total, few, plant.speed)
            few = []
    _add(total, few, plant.speed)
    return total


def _add(total: FluidTime, few: Sequence[Running], speed: F8) -> None:
    """Add what entries take one after another."""
    if few:
        time_s, full_s = _each(few, speed)
        total.time_s += time_s
        total.full_s += full_s


def _together(plant: _Plant, streams: Sequence[Stream]) -> list[FluidTime]:
    """Return what jobs take that start together and share the network."""
    found = [FluidTime(0.0, 0.0, np.zeros(len(plant.speed))) for _ in streams]
    rest = [_running(plant, stream, None) for stream in streams]
    now_s = 0.0
    under_way: dict[int, Running] = {}
    waiting = list(range(len(streams)))
    while True:
        for job in waiting:
            entry = next(rest[job], None)
            if entry is None:
                found[job].time_s = now_s
                continue
            found[job].latency_s += (entry.again + 1) * without_bytes(entry)
            entry.begin(now_s)
            under_way[job] = entry
        if not under_way:
            return found
        jobs = list(under_way)
        now_s, full = _ended([under_way[job] for job in jobs], plant.speed, now_s)
        for job, seconds in zip(jobs, full, strict=True):
            found[job].full_s += seconds
        waiting = [job for job in jobs if under_way[job].ended]
        for job in waiting:
            del under_way[job]


def _running(plant: _Plant, stream: Stream, known: FluidTime | None) -> Iterator[Running]:
    """Yield a job's entries as they run; what is known of shifts is added to ``known`` instead, if given."""
    entries: list[Round | Pipeline] = []
    count = 0
    for entry in stream.schedule:
        for one in _followed(entry, stream, known) if isinstance(entry, Shifts) else [entry]:
            if not len(one.source) and not one.trees:
                continue
            entries.append(one)
            count += len(one.source)
            if count >= FLOWS_AT_ONCE:
                yield from plant.running(stream, entries)
                entries, count = [], 0
    if entries:
        yield from plant.running(stream, entries)


def _followed(shifts: Shifts, stream: Stream, known: FluidTime | None) -> Iterator[Round]:
    """Yield the rounds of shifts whose flows must be followed, and add what is known of the others."""
    left = shifts.steps
    found = stream.known(shifts, stream.ranks) if stream.known is not None and known is not None else None
    if found is not None and known is not None:
        left = left[~found.steps]
        known.latency_s += found.latency_s
        known.time_s += found.latency_s
        for channel, seconds in found.spent:
            known.full_s[channel] += seconds * stream.nbytes
            known.time_s += seconds * stream.nbytes
    return Shifts(left, shifts.share).rounds(len(stream.ranks))


def _each(running: Sequence[Running], speed: F8) -> tuple[float, F8]:
    """Return what entries take one after another, and the seconds that channels are full.

    Raises
    ------
    NotSupportedError
        If there are more than ``MOST_EVENTS`` events.
    """
    found = one_by_one(running, speed, MOST_EVENTS)
    if found is None:
        raise _too_many()
    return found


def _ended(running: Sequence[Running], speed: F8, now_s: float) -> tuple[float, F8]:
    """Let entries run until one has ended; return the time and the seconds that channels were full.

    Raises
    ------
    NotSupportedError
        If there are more than ``MOST_EVENTS`` events.
    """
    now_s, went_on, full = advanced(running, speed, now_s, MOST_EVENTS)
    if not went_on:
        raise _too_many()
    return now_s, full


def _too_many() -> NotSupportedError:
    what = f"the jobs have more than {MOST_EVENTS:,} starts and ends of flows"
    return NotSupportedError([Problem("", what, "use model rounds, fewer ranks, or another algorithm")])
