"""Cost models: what a schedule takes on a fabric, as a latency and seconds per byte.

In all models here a collective's time is linear in its size, so one pass over the rounds serves
every size: ``time_s = latency_s + nbytes * seconds_per_byte``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fabrictool.collectives.schedules import Round, Schedule, Shifts
from fabrictool.collectives.shifts import rank_line, shift_costs
from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import F8, I4
from fabrictool.kernels import flows
from fabrictool.kernels.flows import RouteTables
from fabrictool.routing.channels import Channels
from fabrictool.routing.regular import RegularTree

#: Models that this version computes; ``bound`` is computed beside each of the others.
MODELS = ("rounds", "alpha-beta", "bound")


class UnreachableError(InputError):
    """Two ranks that exchange messages have no path."""


@dataclass(frozen=True, slots=True)
class ScheduleCost:
    """Cost of a schedule: ``latency_s + nbytes * seconds_per_byte``.

    ``spent`` says which channel was the slowest for how many of the seconds per byte.
    """

    latency_s: float
    seconds_per_byte: float
    spent: Mapping[int, float]

    def time_s(self, nbytes: float) -> float:
        """Return the time for a size in bytes."""
        return self.latency_s + nbytes * self.seconds_per_byte


def seconds_per_byte(channels: Channels, tables: RouteTables, model: str) -> F8:
    """Return the seconds that a byte takes on each channel; 0 where a model sees no limit.

    Parameters
    ----------
    channels : Channels
    tables : RouteTables
    model : {"rounds", "alpha-beta"}
        ``alpha-beta`` knows only the ends: host links and scale-up, no congestion between switches.
    """
    speed = channels.speed_bps
    seconds = np.divide(8.0, speed, out=np.zeros_like(speed), where=speed > 0)
    if model == "alpha-beta":
        ends = np.concatenate((tables.port_channel, tables.port_channel ^ 1))
        inside = np.ones(len(seconds), bool)
        inside[ends] = False
        inside[2 * channels.links :] = False
        seconds[inside] = 0.0
    return seconds


@dataclass
class Meter:
    """Adds up what rounds cost on a fabric, channel by channel.

    Parameters
    ----------
    tables : RouteTables
    channels : Channels
    tree : RegularTree or None
        Regularity of the network, where proven; shifts are then counted in closed form.
    ranks : (ranks,) int32
        GPU of each place in the job.
    model : {"rounds", "alpha-beta"}
        ``rounds`` is exact for equal flows with a barrier after each round.
    steps : float
        Channels that all flows of all rounds cross, about; little work runs uncompiled.
    lanes : int
        Ports of each GPU that a message is split over; ``tables`` are those of one of them.
    """

    tables: RouteTables
    channels: Channels
    tree: RegularTree | None
    ranks: I4
    model: str = "rounds"
    steps: float = float("inf")
    lanes: int = 1
    latency_s: float = 0.0
    spent: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Prepare scratch arrays."""
        self._seconds = seconds_per_byte(self.channels, self.tables, self.model)
        self._seconds[: 2 * self.channels.links] /= self.lanes
        self._load = np.zeros(len(self.channels))
        self._touched = np.empty(len(self.channels), np.int32)

    def cost(self, schedule: Schedule) -> ScheduleCost:
        """Return what a schedule costs: the sum over rounds of their slowest link and longest path.

        Raises
        ------
        UnreachableError
            If two ranks have no path.
        """
        for entry in schedule:
            if isinstance(entry, Shifts):
                self._shifts(entry)
            else:
                self._round(entry, self.steps)
        return ScheduleCost(self.latency_s, sum(self.spent.values()), self.spent)

    def _spend(self, channel: int, seconds: float) -> None:
        self.spent[channel] = self.spent.get(channel, 0.0) + seconds

    def _round(self, entry: Round, steps: float) -> None:
        source, target = self.ranks[entry.source], self.ranks[entry.target]
        share = np.full(len(source), entry.share)
        cost, channel, latency, lost = flows.round_cost(steps)(
            self.tables, source, target, share, self._seconds, self.channels.latency_s, self._load, self._touched
        )
        if lost >= 0:
            what = f"GPU {source[lost]} cannot reach GPU {target[lost]} in this network"
            raise UnreachableError([Problem("", what, "join them by switches or a scale-up domain")])
        self._spend(int(channel), entry.repeat * float(cost))
        self.latency_s += entry.repeat * float(latency)

    def _shifts(self, entry: Shifts) -> None:
        """Count shifts in closed form where that is proven, the few near the ends flow by flow."""
        size = len(self.ranks)
        line = rank_line(self.ranks, self.tables, self.tree) if self.tree and self.model == "rounds" else None
        middle = np.zeros(len(entry.steps), bool)
        if line is not None and self.tree is not None:
            middle = (entry.steps >= line.near) & (entry.steps <= size - line.near)
            found = shift_costs(entry.steps[middle], line, self.tree)
            self.latency_s += float(found.latency_s.sum())
            for level in np.unique(found.level).tolist():
                seconds = entry.share / self.lanes * float(found.seconds[found.level == level].sum())
                self._spend(self._example(level), seconds)
        edge = Shifts(entry.steps[~middle], entry.share)
        steps = 3.0 * size * len(edge.steps)
        for one in edge.rounds(size):
            self._round(one, steps)

    def _example(self, level: int) -> int:
        """Return one of the channels of a level: those of the first rank."""
        first = int(self.ranks[0])
        if level == 0:
            return int(self.tables.port_channel[first])
        channel = int(self.tables.own_channel[first, abs(level) - 1])
        return channel if level > 0 else channel ^ 1
