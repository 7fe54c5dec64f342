"""Slow, obvious twins of the kernels: written from the published rules, sharing no code with the package.

A hop is ``(tier, index, up port, direction)``: the cable named by its lower end, and which way it is used.
Places count from 0; tier 0 are hosts, their index that of the host port. A scale-up hop is
``("scale-up", gpu, 0, "out" | "in")``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import prod

Hop = tuple[int | str, int, int, str]
Walk = Callable[[int, int], list[Hop]]


@dataclass(frozen=True)
class Pgft:
    """Parallel ports generalised fat-tree, in the words of Zahavi 2010 and 2012.

    ``gpus`` of a host share a scale-up domain and have one port each, numbered host by host.
    """

    m: tuple[int, ...]
    w: tuple[int, ...]
    p: tuple[int, ...]
    gpus: int = 1

    def hosts_below(self, level: int) -> int:
        return prod(self.m[:level])

    def positions(self, level: int) -> int:
        return prod(self.w[:level])

    def walk(self, s: int, d: int) -> list[Hop]:
        """``route(s, d, key = d)`` of D-mod-k, line by line."""
        if self.gpus > 1 and s // self.gpus == d // self.gpus:
            return scale_up(s, d)
        top = next(t for t in range(len(self.m) + 1) if s // self.hosts_below(t) == d // self.hosts_below(t))
        up, down = [], []
        for level in range(top):
            width = self.positions(level)
            port = d // width % (self.w[level] * self.p[level])
            up.append((level, s // self.hosts_below(level) * width + d % width, port, "up"))
            down.append((level, d // self.hosts_below(level) * width + d % width, port, "down"))
        return up + down[::-1]


@dataclass(frozen=True)
class Rails:
    """A rail-optimized fabric of two tiers: GPU g of every host of a scalable unit meets on leaf g."""

    gpus: int
    unit: int
    uplinks: int

    def walk(self, s: int, d: int) -> list[Hop]:
        """The key is the destination's host index: up port ``host mod uplinks``, and down the same cable."""
        (host, rail), (to, lane) = divmod(s, self.gpus), divmod(d, self.gpus)
        if host == to:
            return scale_up(s, d)
        leaf, other = host // self.unit * self.gpus + rail, to // self.unit * self.gpus + lane
        port = to % self.uplinks
        across: list[Hop] = [] if leaf == other else [(1, leaf, port, "up"), (1, other, port, "down")]
        return [(0, s, 0, "up"), *across, (0, d, 0, "down")]


def scale_up(s: int, d: int) -> list[Hop]:
    """Out of one GPU, into the other, by an ideal switch."""
    return [("scale-up", s, 0, "out"), ("scale-up", d, 0, "in")]


def loads(walk: Walk, pairs: Iterable[tuple[int, int]], volume: float = 1.0) -> Counter[Hop]:
    """Flows on each hop, one flow after another."""
    total: Counter[Hop] = Counter()
    for s, d in pairs:
        for hop in walk(s, d):
            total[hop] += volume  # type: ignore[assignment]
    return total


def round_cost(
    walk: Walk,
    flows: Iterable[tuple[int, int, float]],
    seconds_per_byte: Callable[[Hop], float],
    latency_s: Callable[[Hop], float],
) -> tuple[float, float, float]:
    """Seconds per byte of the slowest hop and the longest path's latency, when all flows start together.

    Then the seconds per byte of the slowest hop if only the flows of one source start, of the slowest source.
    """
    carried: Counter[Hop] = Counter()
    own: Counter[tuple[int, Hop]] = Counter()
    longest = 0.0
    for s, d, share in flows:
        for hop in walk(s, d):
            carried[hop] += share  # type: ignore[assignment]
            own[s, hop] += share  # type: ignore[assignment]
        longest = max(longest, sum(latency_s(hop) for hop in walk(s, d)))
    slowest = max((share * seconds_per_byte(hop) for hop, share in carried.items()), default=0.0)
    return slowest, longest, max((share * seconds_per_byte(hop) for (_, hop), share in own.items()), default=0.0)


def mean_bottleneck_rate(walk: Walk, pairs: list[tuple[int, int]], weight: Callable[[Hop], float]) -> float:
    """Mean over flows of 1 / (largest weighted load on its path), never more than 1."""
    carried = loads(walk, pairs)
    worst = [max([1.0, *(carried[hop] * weight(hop) for hop in walk(s, d))]) for s, d in pairs]
    return sum(1 / value for value in worst) / len(worst)


def max_min_rates(uses: list[dict[int, Fraction]], capacity: list[Fraction]) -> list[Fraction | None]:
    """Max-min fair rates by filling all flows alike, in exact fractions; None for a flow that uses nothing.

    ``uses`` has for each flow the share of its rate that each channel carries.
    """
    rate: list[Fraction | None] = [Fraction(0) if used else None for used in uses]
    rising = {flow for flow, used in enumerate(uses) if used}
    while rising:
        room, slope = list(capacity), [Fraction(0)] * len(capacity)
        for flow, used in enumerate(uses):
            for channel, share in used.items():
                room[channel] -= share * (rate[flow] or 0)
                slope[channel] += share if flow in rising else 0
        step = min(room[channel] / slope[channel] for channel in range(len(room)) if slope[channel])
        for flow in rising:
            rate[flow] = (rate[flow] or Fraction(0)) + step
        full = {channel for channel in range(len(room)) if slope[channel] and room[channel] == step * slope[channel]}
        rising = {flow for flow in rising if not full & set(uses[flow])}
    return rate


def equal_split(links: dict[int, tuple[str, str]], hosts: set[str], source: str, target: str) -> dict[int, Fraction]:
    """Shares of a flow that every switch splits evenly over its links to neighbours one hop nearer; empty if none.

    ``links`` has the ends of each live channel; hosts are never passed through.
    """
    hops = {target: 0}
    wave = [target]
    while wave:
        nearer, wave = set(wave), []
        for sender, receiver in links.values():
            passes = receiver == target or receiver not in hosts
            if receiver in nearer and sender not in hops and passes:
                hops[sender] = hops[receiver] + 1
                wave.append(sender)
    share: dict[int, Fraction] = {}
    amount = {source: Fraction(1)} if source in hops else {}
    while amount and set(amount) != {target}:
        here = max(amount, key=lambda name: hops[name])
        out = [
            channel
            for channel, (sender, receiver) in links.items()
            if sender == here and hops.get(receiver) == hops[here] - 1 and (receiver == target or receiver not in hosts)
        ]
        part = amount.pop(here) / len(out)
        for channel in out:
            share[channel] = part
            amount[links[channel][1]] = amount.get(links[channel][1], Fraction(0)) + part
    return share


def fluid(
    uses: list[dict[int, Fraction]],
    nbytes: list[Fraction],
    latency: list[Fraction],
    waits: list[set[int]],
    capacity: list[Fraction],
) -> list[Fraction]:
    """When each flow ends, in exact fractions: it waits for others, then its latency, then shares max-min."""
    count, now = len(uses), Fraction(0)
    left, ends = list(nbytes), [Fraction(-1)] * count
    start = [latency[flow] if not waits[flow] else None for flow in range(count)]
    while min(ends) < 0:
        on = [f for f in range(count) if ends[f] < 0 and start[f] is not None and (start[f] or 0) <= now]
        rate = dict(zip(on, max_min_rates([uses[f] for f in on], capacity), strict=True))
        times = [left[f] / (rate[f] or 1) for f in on]
        times += [at - now for f in range(count) if ends[f] < 0 and (at := start[f]) is not None and at > now]
        step = min(times)
        now += step
        for flow in on:
            left[flow] -= (rate[flow] or 1) * step
            if left[flow] == 0:
                ends[flow] = now
        for flow in range(count):
            if start[flow] is None and all(ends[other] >= 0 for other in waits[flow]):
                start[flow] = now + latency[flow]
    return ends
