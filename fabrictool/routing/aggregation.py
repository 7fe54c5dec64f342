"""Aggregation trees: switches sum up what comes from below, send it up once, and copy what comes from above.

A tree spans the switches of its members over links that are up, by shortest ways to a root that is as near to the
farthest of them as can be. Each link of it carries every byte once in each direction, however many members are below.

References
----------
R. L. Graham et al., "Scalable hierarchical aggregation protocol (SHArP): a hardware architecture for efficient
data reduction", COM-HPC 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, I4
from fabrictool.routing.wiring import Wiring

I8 = npt.NDArray[np.int64]

#: Roots that are tried; the nearest to all members of these is taken where none is as near as it could be.
MOST_ROOTS = 64


@dataclass(frozen=True)
class AggregationTree:
    """What a tree uses.

    Parameters
    ----------
    up : (links,) int32
        Channels towards the root, those of the members first; the way down is ``up ^ 1``.
    part : (links,) float64
        Sum of the members' parts below each link.
    latency_s : float
        Of the longest way up and the longest way down together.
    depth : int
        Links from the farthest member to the root.
    """

    up: I4
    part: F8
    latency_s: float
    depth: int


def aggregation_tree(
    wiring: Wiring, lane: int, member: I4, part: F8, turn: int = 0, load: F8 | None = None
) -> AggregationTree | None:
    """Return a tree over some endpoints' ports of a lane, None if one of them is not joined with the others.

    Parameters
    ----------
    wiring : Wiring
    lane : int
    member : (members,) int32
        Endpoints.
    part : (members,) float64
        Anything to be summed below each link.
    turn : int
        Which of equally good roots is taken, so that trees side by side spread.
    load : (channels,) float64, optional
        What channels carry already: of equally short ways that over the least loaded is taken.
    """
    terminal = wiring.lanes[member, lane]
    own = wiring.up[member, lane]
    if (own < 0).any():
        return None
    seat = wiring.terminals.seat[terminal]
    if len(np.unique(wiring.part[seat])) > 1:
        return None
    load = np.zeros(len(wiring.channels)) if load is None else load
    found = _spanning(wiring, np.unique(seat), turn, load)
    latency = wiring.channels.latency_s
    below = np.bincount(seat, part, len(wiring.switch))
    needed = np.zeros(len(below), bool)
    needed[seat] = True
    for level in range(int(found.hops.max()), 0, -1):
        at = np.flatnonzero((found.hops == level) & needed)
        np.add.at(below, found.above[at], below[at])
        needed[found.above[at]] = True
    switch = np.flatnonzero(needed & (found.hops > 0))
    up = found.up[switch]
    longest = sum(float((latency[own ^ way] + _to_root(found, latency, way)[seat]).max()) for way in (0, 1))
    return AggregationTree(
        np.concatenate((own, up)).astype(np.int32),
        np.concatenate((part, below[switch])),
        longest,
        int(found.hops[seat].max()) + 1,
    )


@dataclass(frozen=True)
class _Spanning:
    """Of each switch: links to the root (-1: not reached), the next switch on the way, and the channel to it."""

    hops: I8
    above: I8
    up: I8


def _spanning(wiring: Wiring, seat: I4, turn: int, load: F8) -> _Spanning:
    """Return a tree of shortest ways to the best root."""
    if len(seat) == 1:
        return _ways_to(wiring, int(seat[0]), load, seat)
    one = _ways_to(wiring, int(seat[0]), load).hops
    other = _ways_to(wiring, int(seat[one[seat].argmax()]), load).hops
    reached = np.flatnonzero((one >= 0) & (other >= 0))
    farther = np.maximum(one, other)[reached]
    roots = reached[farther == farther.min()]
    best: _Spanning | None = None
    for root in np.roll(roots, -turn)[:MOST_ROOTS].tolist():
        found = _ways_to(wiring, root, load)
        if best is None or found.hops[seat].max() < best.hops[seat].max():
            best = found
        if best.hops[seat].max() == farther.min():
            break
    assert best is not None
    return best


def _ways_to(wiring: Wiring, root: int, load: F8, enough: I4 | None = None) -> _Spanning:
    """Return the shortest ways to a root from all switches that have one, or from those that are enough."""
    ways, size = wiring.ways, len(wiring.switch)
    hops, above, up = (np.full(size, -1, np.int64) for _ in range(3))
    hops[root] = 0
    front, level = np.array([root]), 0
    while len(front) and (enough is None or (hops[enough] < 0).any()):
        level += 1
        count = ways.first[front + 1] - ways.first[front]
        row = np.repeat(ways.first[front] - np.cumsum(count) + count, count) + np.arange(count.sum())
        fresh = hops[ways.to[row]] < 0
        row, here = row[fresh], np.repeat(front, count)[fresh]
        order = np.lexsort((load[ways.channel[row] ^ 1], ways.to[row]))
        front, first = np.unique(ways.to[row[order]], return_index=True)
        taken = order[first]
        hops[front], above[front], up[front] = level, here[taken], ways.channel[row[taken]] ^ 1
    return _Spanning(hops, above, up)


def _to_root(found: _Spanning, latency: F8, way: int) -> F8:
    """Return the latency of each switch's way up (0), or of the way down to it (1), in s."""
    total = np.zeros(len(found.hops))
    for level in range(1, int(found.hops.max()) + 1):
        at = np.flatnonzero(found.hops == level)
        total[at] = total[found.above[at]] + latency[found.up[at] ^ way]
    return total
