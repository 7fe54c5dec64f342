"""Slow, obvious twins of the kernels: written from the published rules, sharing no code with the package.

A hop is ``(tier, index, up port, direction)``: the cable named by its lower end, and which way it is used.
Places count from 0; tier 0 are hosts, their index that of the host port. A scale-up hop is
``("scale-up", gpu, 0, "out" | "in")``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
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
) -> tuple[float, float]:
    """Seconds per byte of the slowest hop and the longest path's latency, when all flows start together."""
    carried: Counter[Hop] = Counter()
    longest = 0.0
    for s, d, share in flows:
        for hop in walk(s, d):
            carried[hop] += share  # type: ignore[assignment]
        longest = max(longest, sum(latency_s(hop) for hop in walk(s, d)))
    return max((share * seconds_per_byte(hop) for hop, share in carried.items()), default=0.0), longest


def mean_bottleneck_rate(walk: Walk, pairs: list[tuple[int, int]], weight: Callable[[Hop], float]) -> float:
    """Mean over flows of 1 / (largest weighted load on its path), never more than 1."""
    carried = loads(walk, pairs)
    worst = [max([1.0, *(carried[hop] * weight(hop) for hop in walk(s, d))]) for s, d in pairs]
    return sum(1 / value for value in worst) / len(worst)
