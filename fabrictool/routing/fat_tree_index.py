"""How OpenSM's fat-tree engine sees a network: bundles of parallel cables by rank, and an index of switches.

References
----------
linux-rdma/opensm, ``opensm/osm_ucast_ftree.c``: ``fabric_make_indexing``, ``fabric_get_new_tuple``.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from fabrictool.fabric.tables import I4, Bool
from fabrictool.kernels.fat_tree import DOWN, SAME, UP, Bundles
from fabrictool.routing.up_down import UNRANKED
from fabrictool.routing.wiring import Wiring

_Index = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cables:
    """Parallel cables from each switch to each neighbour, in the order of their first ports.

    Parameters
    ----------
    group : (bundles,) int32
        Switch times 3, plus the direction.
    to : (bundles,) int32
    first : (bundles + 1,) int32
        Offsets into the ways of ``way``.
    way : (cables,) int32
        Ways of the wiring.
    """

    group: I4
    to: I4
    first: I4
    way: I4


def cables(wiring: Wiring, rank: I4) -> Cables:
    """Return the bundles between switches that have a rank."""
    ways = wiring.ways
    here = np.repeat(np.arange(len(rank)), np.diff(ways.first)).astype(np.int64)
    there = ways.to.astype(np.int64)
    live = np.flatnonzero((rank[here] != UNRANKED) & (rank[there] != UNRANKED) & (here != there))
    here, there = here[live], there[live]
    direction = np.select([rank[there] < rank[here], rank[there] > rank[here]], [UP, DOWN], SAME)
    _, first, bundle = np.unique(here * len(rank) + there, return_index=True, return_inverse=True)
    order = np.lexsort((live, first[bundle], direction, here))
    starts = np.flatnonzero(np.diff(first[bundle][order], prepend=-1))
    group = 3 * here[order][starts] + direction[order][starts]
    offsets = np.append(starts, len(order)).astype(np.int32)
    return Cables(group.astype(np.int32), there[order][starts].astype(np.int32), offsets, live[order].astype(np.int32))


def bundles_of(wiring: Wiring, rank: I4, found: Cables, index: I4, carries: Bool) -> Bundles:
    """Return bundles for the kernel, those of a switch and direction by index of the neighbour."""
    ways = wiring.ways
    place = np.full(len(wiring.channels), -1, np.int32)
    place[ways.channel] = np.arange(len(ways.channel)) - np.repeat(ways.first[:-1], np.diff(ways.first))
    first = np.searchsorted(found.group, np.arange(3 * len(rank) + 1)).astype(np.int32)
    order = np.lexsort((np.arange(len(found.to)), index[found.to], found.group)).astype(np.int32)
    counts = [np.zeros(size, np.int32) for size in (len(found.to), len(found.to), len(found.way), len(found.way))]
    return Bundles(
        first, order, found.to, index, found.first, place[ways.channel[found.way] ^ 1], rank == 0, carries, *counts
    )


def index_of_switches(found: Cables, rank: I4, start: int, leaf_rank: int) -> I4:
    """Return the place of each switch in OpenSM's index, those that it never meets last, (switches,).

    The index is a tuple: rank, then a digit for each rank. Breadth first from a leaf, a switch gives each
    neighbour that has none its own tuple with the digit of the higher rank replaced by the lowest free one.
    """
    walk = _Walk(found, rank)
    walk.give(start, (int(rank[start]), *(0 for _ in range(leaf_rank))))
    queue = deque([start])
    while queue:
        here = queue.popleft()
        if rank[here] < leaf_rank:
            queue.extend(walk.neighbours(here, DOWN))
        if rank[here] > 0:
            queue.extend(walk.neighbours(here, UP))
    last = (UNRANKED,)
    tuples = [walk.index.get(switch, last) for switch in range(len(rank))]
    place = {index: row for row, index in enumerate(sorted(set(tuples)))}
    return np.array([place[index] for index in tuples], np.int32)


@dataclass(slots=True)
class _Walk:
    """Which switch has which index so far."""

    found: Cables
    rank: I4
    index: dict[int, _Index] = field(default_factory=dict)
    taken: set[_Index] = field(default_factory=set)
    free: dict[_Index, int] = field(default_factory=dict)

    def give(self, switch: int, index: _Index) -> None:
        self.index[switch] = index
        self.taken.add(index)

    def neighbours(self, here: int, direction: int) -> list[int]:
        """Give the neighbours above or below an index; return those that had none."""
        low, high = np.searchsorted(self.found.group, [3 * here + direction, 3 * here + direction + 1])
        new = []
        for there in self.found.to[low:high].tolist():
            if there not in self.index:
                self.give(there, self._next(self.index[here], direction))
                new.append(there)
        return new

    def _next(self, index: _Index, direction: int) -> _Index:
        step = 1 if direction == DOWN else -1
        digit = index[0] + 1 if direction == DOWN else index[0]
        made = [index[0] + step, *index[1:]]
        made[digit] = -1
        family = tuple(made)
        made[digit] = self.free.get(family, 0)
        while tuple(made) in self.taken:
            made[digit] += 1
        self.free[family] = made[digit] + 1
        return tuple(made)
