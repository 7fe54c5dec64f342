"""Cost models: what a schedule takes on a fabric, as a latency and seconds per byte.

In all models here a collective's time is linear in its size, so one pass over the rounds serves
every size: ``time_s = latency_s + nbytes * seconds_per_byte``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fabrictool.collectives.entries import Round, Schedule, Shifts
from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import F8, I4
from fabrictool.routing.channels import Channels
from fabrictool.routing.wiring import Wiring

#: Models that this version computes; ``bound`` is computed beside each of the others.
MODELS = ("rounds", "alpha-beta", "loggp", "bound", "fluid", "nccl")
#: Flows of rounds that are routed together: enough to pay a call, and few megabytes.
FLOWS_AT_ONCE = 1 << 16
#: Rounds of a schedule whose costs are kept, in case they come again.
MOST_KEPT = 64


class UnreachableError(InputError):
    """Two ranks that exchange messages have no path."""

    @property
    def why(self) -> str:
        """Which ranks, without the way out."""
        return self.problems[0].what


@dataclass(frozen=True, slots=True)
class ScheduleCost:
    """Cost of a schedule: ``latency_s + nbytes * seconds_per_byte``.

    ``spent`` says which channel was the slowest for how many of the seconds per byte; ``alone`` how many of them
    it would take if the messages of each rank were alone on their ways, None where nothing is shared.
    """

    latency_s: float
    seconds_per_byte: float
    spent: Mapping[int, float]
    alone: float | None = None

    def time_s(self, nbytes: float) -> float:
        """Return the time for a size in bytes."""
        return self.latency_s + nbytes * self.seconds_per_byte


def time_split(time_s: float, cost: ScheduleCost, nbytes: float) -> tuple[float, float, float]:
    """Return latency, serialisation and congestion of a time, in s; what bytes take longer than alone is congestion."""
    latency_s = min(cost.latency_s, time_s)
    alone = cost.seconds_per_byte if cost.alone is None else cost.alone
    serialisation_s = min(nbytes * alone, time_s - latency_s)
    congestion_s = time_s - latency_s - serialisation_s
    return latency_s, serialisation_s, congestion_s if congestion_s > 1e-12 * time_s else 0.0


class RoundCost(NamedTuple):
    """Cost of flows that start together.

    Seconds per byte of the slowest channel, that channel (-1: none), the longest path's latency in s,
    the first flow without a path (-1: all have one), and the seconds per byte that the slowest rank's messages
    would take if each rank's were alone on their ways.
    """

    seconds_per_byte: float
    channel: int
    latency_s: float
    lost: int
    alone: float


@dataclass(frozen=True, slots=True)
class KnownShifts:
    """Shifts whose cost has a closed form: which steps, their latency together, seconds per byte by channel.

    ``alone`` are the seconds per byte of the rounds together if each flow were alone.
    """

    steps: npt.NDArray[np.bool_]
    latency_s: float
    spent: Sequence[tuple[int, float]]
    alone: float


class Carrier(ABC):
    """What carries the messages of a job's ranks, and what their rounds cost.

    Attributes
    ----------
    wiring : Wiring
        Its endpoints are the ranks.
    """

    wiring: Wiring

    @abstractmethod
    def costs(self, rounds: Sequence[Round], ranks: I4) -> Iterable[RoundCost]:
        """Return the cost of each round; ``ranks`` are the endpoints of the places in the job."""

    def known(self, shifts: Shifts, ranks: I4) -> KnownShifts | None:
        """Return what is known of shifts without following their flows."""
        return None


def seconds_per_byte(channels: Channels, ends: I4, model: str) -> F8:
    """Return the seconds that a byte takes on each channel; 0 where a model sees no limit.

    Parameters
    ----------
    channels : Channels
    ends : integer ndarray
        Channels between hosts and switches, one direction of each.
    model : {"rounds", "alpha-beta"}
        ``alpha-beta`` knows only the ends: host links and scale-up, no congestion between switches.
    """
    speed = channels.speed_bps
    seconds = np.divide(8.0, speed, out=np.zeros_like(speed), where=speed > 0)
    if model == "alpha-beta":
        inside = np.ones(len(seconds), bool)
        inside[ends] = inside[ends ^ 1] = False
        inside[2 * channels.links :] = False
        seconds[inside] = 0.0
    return seconds


@dataclass
class Meter:
    """Adds up what rounds cost on a fabric, channel by channel.

    Parameters
    ----------
    carrier : Carrier
    ranks : (ranks,) int32
        Endpoint of each place in the job.
    """

    carrier: Carrier
    ranks: I4
    latency_s: float = 0.0
    alone: float = 0.0
    spent: dict[int, float] = field(default_factory=dict)
    _kept: dict[int, tuple[Round, RoundCost]] = field(default_factory=dict, init=False)

    def cost(self, schedule: Schedule) -> ScheduleCost:
        """Return what a schedule costs: the sum over rounds of their slowest link and longest path.

        Raises
        ------
        UnreachableError
            If two ranks have no path.
        """
        waiting: list[Round] = []
        flows = 0
        for one in self._followed(schedule, waiting):
            waiting.append(one)
            flows += len(one.source)
            if flows >= FLOWS_AT_ONCE:
                self._count(waiting)
                flows = 0
        self._count(waiting)
        return ScheduleCost(self.latency_s, sum(self.spent.values()), self.spent, self.alone)

    def _followed(self, schedule: Schedule, waiting: list[Round]) -> Iterator[Round]:
        """Yield the rounds whose flows must be followed, and add what is known of the others."""
        for entry in schedule:
            if not isinstance(entry, Shifts):
                yield from entry.rounds(len(self.ranks))
                continue
            left, known = entry.steps, self.carrier.known(entry, self.ranks)
            if known is not None:
                self._count(waiting)  # sums keep the order of the rounds
                self.latency_s += known.latency_s
                self.alone += known.alone
                for channel, seconds in known.spent:
                    self._spend(channel, seconds)
                left = left[~known.steps]
            yield from Shifts(left, entry.share).rounds(len(self.ranks))

    def _count(self, waiting: list[Round]) -> None:
        """Add what rounds cost, and forget them."""
        for entry, cost in self._costs(waiting):
            if cost.lost >= 0:
                places = (entry.source[cost.lost], entry.target[cost.lost])
                one, other = (self.carrier.wiring.rank_name(int(self.ranks[place])) for place in places)
                what = f"{one} cannot reach {other} in this network"
                raise UnreachableError([Problem("", what, "join them by switches or a scale-up domain")])
            self._spend(cost.channel, entry.repeat * cost.seconds_per_byte)
            self.latency_s += entry.repeat * cost.latency_s
            self.alone += entry.repeat * cost.alone
        waiting.clear()

    def _costs(self, waiting: list[Round]) -> Iterator[tuple[Round, RoundCost]]:
        """Yield rounds with what they cost; one that a schedule has several times is followed once."""
        fresh = {id(entry): entry for entry in waiting if id(entry) not in self._kept}
        found = dict(zip(fresh, self.carrier.costs(list(fresh.values()), self.ranks), strict=True))
        for entry in waiting:
            yield entry, found[id(entry)] if id(entry) in found else self._kept[id(entry)][1]
        for key, cost in found.items():
            if len(self._kept) < MOST_KEPT:
                self._kept[key] = fresh[key], cost

    def _spend(self, channel: int, seconds: float) -> None:
        self.spent[channel] = self.spent.get(channel, 0.0) + seconds
