"""Carriers: rounds on the tables of D-mod-k by kernel, and on any routing by what its flows use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabrictool.collectives.carried import carried
from fabrictool.collectives.costs import Carrier, KnownShifts, RoundCost, seconds_per_byte
from fabrictool.collectives.entries import Round, Shifts
from fabrictool.collectives.shifts import rank_line, shift_costs
from fabrictool.fabric.tables import F8, I4
from fabrictool.kernels import flows as kernels
from fabrictool.kernels.flows import RouteTables
from fabrictool.routing.flows import Routing
from fabrictool.routing.inside import ScaleUp
from fabrictool.routing.regular import RegularTree
from fabrictool.routing.wiring import Wiring

#: Flows of shifts that are routed one by one; of more, shifts equally far apart stand for all.
MOST_SHIFTED = 1 << 18


def shifts_apart(steps: int, ranks: int) -> int:
    """Return every how many-th of a job's shifts is followed where no closed form knows them."""
    return max(1, -(-steps * ranks // MOST_SHIFTED))


def _by_sender(entry: Round) -> tuple[I4, I4, F8]:
    """Return senders, receivers and shares of a round's flows, those of one sender together."""
    share = entry.shares.copy()
    if (entry.source[1:] >= entry.source[:-1]).all():
        return entry.source, entry.target, share
    order = np.argsort(entry.source, kind="stable")
    return entry.source[order], entry.target[order], share[order]


@dataclass(frozen=True)
class Lane(Carrier):
    """One port of each rank under D-mod-k: every flow has one path, which a kernel follows.

    Parameters
    ----------
    wiring : Wiring
    tables : RouteTables
    tree : RegularTree or None
        Regularity of the network, where proven; shifts are then counted in closed form.
    model : {"rounds", "alpha-beta"}
        ``rounds`` is exact for equal flows with a barrier after each round.
    lanes : int
        Ports of each rank that a message is split over; ``tables`` are those of one of them.
    """

    wiring: Wiring
    tables: RouteTables
    tree: RegularTree | None
    model: str = "rounds"
    lanes: int = 1

    @cached_property
    def _seconds(self) -> F8:
        up, channels = self.tables.port_channel, self.wiring.channels
        seconds = seconds_per_byte(channels, up[up >= 0], self.model)
        seconds[: 2 * channels.links] /= self.lanes
        return seconds

    def costs(self, rounds: Sequence[Round], ranks: I4) -> Iterator[RoundCost]:
        """Yield the cost of each round; reductions in switches are no flows of this kernel."""
        assert not any(entry.trees for entry in rounds)
        latency_s = self.wiring.channels.latency_s
        size = len(latency_s)
        scratch = kernels.Scratch(np.zeros(size), np.zeros(size), np.full(size, -1, np.int32), np.empty(size, np.int32))
        run = kernels.round_cost(3.0 * sum(len(entry.source) for entry in rounds))
        for entry in rounds:
            sender, to, share = _by_sender(entry)
            found = run(self.tables, ranks[sender], ranks[to], sender, share, self._seconds, latency_s, scratch)
            yield RoundCost(float(found[0]), int(found[1]), float(found[2]), int(found[3]), float(found[4]))

    def known(self, shifts: Shifts, ranks: I4, free: bool = False) -> KnownShifts | None:
        """Return shifts in closed form where that is proven; the few near the ends are left.

        With ``free`` only those in which host links alone limit: each flow then has all of its own.
        """
        if self.tree is None or self.model != "rounds":
            return None
        line = rank_line(ranks, self.tables, self.tree)
        if line is None:
            return None
        middle = (shifts.steps >= line.near) & (shifts.steps <= len(ranks) - line.near)
        found = shift_costs(shifts.steps[middle], line, self.tree)
        if free:
            middle[middle] = found.level == 0
            found = shift_costs(shifts.steps[middle], line, self.tree)
        spent = [
            (self._example(level, int(ranks[0])), shifts.share / self.lanes * float(found.seconds[at].sum()))
            for level in np.unique(found.level).tolist()
            for at in [found.level == level]
        ]
        alone = shifts.share / self.lanes * float(found.alone.sum())
        return KnownShifts(middle, float(found.latency_s.sum()), spent, alone)

    def _example(self, level: int, first: int) -> int:
        """Return one of the channels of a level: those of the first rank."""
        if level == 0:
            return int(self.tables.port_channel[first])
        channel = int(self.tables.own_channel[first, abs(level) - 1])
        return channel if level > 0 else channel ^ 1


@dataclass(frozen=True)
class Routed(Carrier):
    """Any routing between hosts, and scale-up inside a domain.

    A channel carries its share of a flow that is split; the flow's latency is then the mean over its ways.

    Parameters
    ----------
    routing : Routing
    model : {"rounds", "alpha-beta"}
    """

    routing: Routing
    model: str = "rounds"

    @property
    def wiring(self) -> Wiring:  # type: ignore[override]
        """The network that is routed."""
        return self.routing.wiring

    @cached_property
    def _seconds(self) -> F8:
        up = self.wiring.up
        seconds = seconds_per_byte(self.wiring.channels, up[up >= 0], self.model)
        seconds[: 2 * self.wiring.channels.links] /= self.routing.efficiency
        return seconds

    def known(self, shifts: Shifts, ranks: I4) -> KnownShifts | None:
        """Return what shifts equally far apart tell of all, where there are too many to follow each."""
        apart = shifts_apart(len(shifts.steps), len(ranks))
        if apart == 1:
            return None
        chosen = Shifts(shifts.steps[apart // 2 :: apart], shifts.share)
        spent: dict[int, float] = {}
        latency_s, alone, times = 0.0, 0.0, len(shifts.steps) / len(chosen.steps)
        for cost in self.costs(list(chosen.rounds(len(ranks))), ranks):
            if cost.lost >= 0:
                return None
            spent[cost.channel] = spent.get(cost.channel, 0.0) + times * cost.seconds_per_byte
            latency_s += times * cost.latency_s
            alone += times * cost.alone
        return KnownShifts(np.ones(len(shifts.steps), bool), latency_s, list(spent.items()), alone)

    def costs(self, rounds: Sequence[Round], ranks: I4) -> Iterator[RoundCost]:
        """Yield the cost of each round; all are routed at once."""
        for one in carried(ScaleUp(self.routing), rounds, ranks):
            seconds = one.usage.loads(one.share, len(self.wiring.channels)) * self._seconds
            slowest = int(seconds.argmax()) if len(seconds) else -1
            lost = np.flatnonzero(one.usage.hops < 0)
            sender = np.repeat(one.sender, np.diff(one.usage.first))
            sent = np.repeat(one.share, np.diff(one.usage.first)) * one.usage.share
            yield RoundCost(
                float(seconds[slowest]) if slowest >= 0 else 0.0,
                slowest if slowest >= 0 and seconds[slowest] > 0 else -1,
                float(one.latency_s.max(initial=0.0)),
                int(lost[0]) if len(lost) else -1,
                _alone(sender, one.usage.channel, sent, self._seconds),
            )


def _alone(sender: I4, channel: I4, share: F8, seconds: F8) -> float:
    """Return the seconds of the slowest channel if each sender were alone: its uses are (uses,) each."""
    if not len(sender):
        return 0.0
    code = sender.astype(np.int64) * len(seconds) + channel
    used, row = np.unique(code, return_inverse=True)
    return float((np.bincount(row, share) * seconds[used % len(seconds)]).max())
