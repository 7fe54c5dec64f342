"""Groups of ranks under the model ``rounds``: their rounds of one number start together, on links that they share.

A group's round ends with its own slowest flow, so that groups differ in time where their ways do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fabrictool.collectives.carried import Carried, joined, reduced
from fabrictool.collectives.costs import ScheduleCost, UnreachableError
from fabrictool.collectives.costs import seconds_per_byte as channel_seconds
from fabrictool.collectives.entries import Round, Schedule, Trees
from fabrictool.errors import Problem
from fabrictool.fabric.tables import F8, I4
from fabrictool.routing.flows import Routing, Usage, flows
from fabrictool.routing.inside import ScaleUp


@dataclass(frozen=True)
class Alike:
    """Groups that run one schedule: their numbers, (groups,), and the endpoints of their ranks, (groups, size)."""

    schedule: Schedule
    number: I4
    ranks: I4

    def rounds(self) -> Iterator[Round]:
        """Yield the rounds of one of them."""
        for entry in self.schedule:
            yield from entry.rounds(self.ranks.shape[1])


@dataclass(frozen=True)
class Step:
    """Flows of all groups that start together: endpoints, bytes for one byte of the size, and group, (flows,) each.

    ``trees`` are reductions in switches beside them, with the endpoints and the number of their group.
    """

    source: I4
    target: I4
    share: F8
    group: I4
    repeat: int
    trees: tuple[tuple[Trees, I4, int], ...] = ()


def steps(parts: Sequence[Alike]) -> Iterator[Step]:
    """Yield the rounds of all groups side by side, as long as any has one left."""
    rounds = [part.rounds() for part in parts]
    heads = [next(one, None) for one in rounds]
    left = [head.repeat if head else 0 for head in heads]
    while any(head is not None for head in heads):
        times = min(count for head, count in zip(heads, left, strict=True) if head is not None)
        yield _joined([(part, head) for part, head in zip(parts, heads, strict=True) if head is not None], times)
        for row, head in enumerate(heads):
            left[row] -= times
            if head is not None and left[row] == 0:
                heads[row] = after = next(rounds[row], None)
                left[row] = after.repeat if after is not None else 0


def _joined(running: Sequence[tuple[Alike, Round]], times: int) -> Step:
    columns = [
        (
            part.ranks[:, head.source].ravel(),
            part.ranks[:, head.target].ravel(),
            np.tile(head.shares, len(part.number)),
            np.repeat(part.number, len(head.source)),
        )
        for part, head in running
    ]
    source, target, share, group = (np.concatenate(column) for column in zip(*columns, strict=True))
    trees = tuple(
        (one, ranks, number)
        for part, head in running
        for one in head.trees
        for ranks, number in zip(part.ranks, part.number.tolist(), strict=True)
    )
    return Step(source, target, share, group, times, trees)


@dataclass
class GroupMeter:
    """Adds up what rounds cost each of some groups that run at once.

    Parameters
    ----------
    routing : Routing
        Of the network.
    model : {"rounds", "alpha-beta"}
    groups : int

    Attributes
    ----------
    latency_s, seconds_per_byte, alone : (groups,) float64
        As of a ScheduleCost.
    """

    routing: Routing
    model: str
    groups: int
    latency_s: F8 = field(init=False)
    seconds_per_byte: F8 = field(init=False)
    alone: F8 = field(init=False)
    _spent: list[tuple[I4, I4, F8]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        """Start with nothing, and find what a byte takes on each channel, in s."""
        self.latency_s, self.seconds_per_byte, self.alone = (np.zeros(self.groups) for _ in range(3))
        wiring = self.routing.wiring
        self._seconds = channel_seconds(wiring.channels, wiring.up[wiring.up >= 0], self.model)
        self._seconds[: 2 * wiring.channels.links] /= self.routing.efficiency

    def count(self, parts: Sequence[Alike]) -> None:
        """Add what each group's schedule costs while the others run theirs.

        Raises
        ------
        UnreachableError
            If two ranks that exchange messages have no path.
        """
        for step in steps(parts):
            self._count(step)

    def cost(self, group: int) -> ScheduleCost:
        """Return what was added for a group."""
        spent: dict[int, float] = {}
        for groups, channel, busy_s in self._spent:
            row = int(np.searchsorted(groups, group))
            if row < len(groups) and groups[row] == group:
                spent[int(channel[row])] = spent.get(int(channel[row]), 0.0) + float(busy_s[row])
        latency_s, seconds, alone = (float(column[group]) for column in self._columns)
        return ScheduleCost(latency_s, seconds, spent, alone)

    @property
    def _columns(self) -> tuple[F8, F8, F8]:
        return self.latency_s, self.seconds_per_byte, self.alone

    def _carried(self, step: Step) -> tuple[Carried, I4]:
        """Return what the flows of a step use, and the group of each."""
        wiring = self.routing.wiring
        used = ScaleUp(self.routing).usage(flows(step.source, step.target))
        self._refuse_lost(step, used)
        parts = [Carried(step.source, used, used.along(wiring.channels.latency_s), step.share)]
        group, load = [step.group], np.zeros(len(wiring.channels) if step.trees else 0)
        for trees, ranks, number in step.trees:
            one = reduced(wiring, trees, ranks, number, load)
            parts.append(replace(one, sender=ranks[one.sender]))
            group.append(np.full(len(one.share), number, np.int32))
        return joined(parts), np.concatenate(group)

    def _count(self, step: Step) -> None:
        one, of_flow = self._carried(step)
        used = one.usage
        flow = np.repeat(np.arange(len(one.share)), np.diff(used.first))
        sent, group = one.share[flow] * used.share, of_flow[flow]
        load = np.bincount(used.channel, sent, len(self._seconds))
        busy = load[used.channel] * self._seconds[used.channel]
        order = np.lexsort((-np.arange(len(busy)), busy, group))  # of equals the first on the way
        last = np.flatnonzero(np.r_[group[order][1:] != group[order][:-1], True])
        worst = order[last]
        self._spent.append((group[worst], used.channel[worst], step.repeat * busy[worst]))
        self.seconds_per_byte[group[worst]] += step.repeat * busy[worst]
        self.latency_s += step.repeat * _largest(of_flow, one.latency_s, self.groups)
        own = _own_load(one.sender[flow], used.channel, sent) * self._seconds[used.channel]
        self.alone += step.repeat * _largest(group, own, self.groups)

    def _refuse_lost(self, step: Step, used: Usage) -> None:
        lost = np.flatnonzero(used.hops < 0)
        if len(lost):
            names = (self.routing.wiring.rank_name(int(end[lost[0]])) for end in (step.source, step.target))
            what = "{} cannot reach {} in this network".format(*names)
            raise UnreachableError([Problem("", what, "join them by switches or a scale-up domain")])


def _largest(group: I4, value: F8, groups: int) -> F8:
    """Return the largest value of each group, 0 where it has none, (groups,)."""
    found = np.zeros(groups)
    np.maximum.at(found, group, value)
    return found


def _own_load(sender: I4, channel: I4, sent: F8) -> F8:
    """Return what the sender of each use puts on its channel altogether, (uses,)."""
    code = sender.astype(np.int64) * (int(channel.max(initial=0)) + 1) + channel
    _, row = np.unique(code, return_inverse=True)
    return np.asarray(np.bincount(row, sent)[row], np.float64)
