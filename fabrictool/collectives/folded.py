"""Recursive halving and doubling over any number of ranks: the surplus over a power of two is folded in and out.

References
----------
R. Thakur, R. Rabenseifner, W. Gropp, "Optimization of collective communication operations in
MPICH", IJHPCA 19(1), 2005, 4.5: with N = 2^p + r, each of the first r even ranks hands its data to the next
rank before the 2^p that are left begin, and takes the result from it after they have ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.collectives.entries import Group, Round, Schedule, all_ranks
from fabrictool.fabric.tables import F8, I4


@dataclass(frozen=True)
class Folding:
    """Which ranks stand aside, and who stands for them.

    Parameters
    ----------
    aside, proxy : (surplus,) int32
        Ranks beyond a power of two, and the rank that each hands its data to.
    kept : (2^p,) int32
        Ranks that go on, in order.
    """

    aside: I4
    proxy: I4
    kept: I4

    @property
    def ranks(self) -> int:
        """How many there are of both."""
        return len(self.aside) + len(self.kept)

    def enter(self, share: float) -> Iterator[Round]:
        """Yield the round before: those aside send to their proxies."""
        if len(self.aside):
            yield Round(self.aside, self.proxy, share)

    def leave(self, share: float) -> Iterator[Round]:
        """Yield the round after: proxies send back."""
        if len(self.aside):
            yield Round(self.proxy, self.aside, share)

    def exchanges(self, distance: int, share: float | F8) -> Round:
        """Return the round of exchanges at a distance that is a power of two; shares are of ``kept``."""
        return Round(self.kept, self.kept[all_ranks(len(self.kept)) ^ distance], share)

    def blocks(self, distance: int) -> F8:
        """Return how many ranks' blocks the run of ``distance`` that each kept rank is in stands for, (2^p,)."""
        own = np.ones(len(self.kept))
        own[: len(self.aside)] = 2.0
        return np.repeat(own.reshape(-1, distance).sum(axis=1), distance)


def folding(size: int) -> Folding:
    """Return how a number of ranks folds onto the largest power of two that it holds."""
    surplus = size - (1 << (size.bit_length() - 1))
    aside = 2 * all_ranks(surplus)
    kept = np.concatenate((aside + 1, np.arange(2 * surplus, size))).astype(np.int32)
    return Folding(aside, (aside + 1).astype(np.int32), kept)


def _distances(folded: Folding) -> list[int]:
    return [1 << bit for bit in range(len(folded.kept).bit_length() - 1)]


def recursive_doubling(group: Group) -> Schedule:
    """All-reduce, distances 1, 2, 4 ..: i <-> i xor d with all of S."""
    folded = folding(group.size)
    yield from folded.enter(1.0)
    for distance in _distances(folded):
        yield folded.exchanges(distance, 1.0)
    yield from folded.leave(1.0)


def halving_doubling(group: Group) -> Schedule:
    """All-reduce: halving from the largest distance down with S d/2^p, then doubling back up (Rabenseifner)."""
    folded = folding(group.size)
    halving = [folded.exchanges(d, d / len(folded.kept)) for d in reversed(_distances(folded))]
    yield from folded.enter(1.0)
    yield from halving
    yield from reversed(halving)
    yield from folded.leave(1.0)


def halving_scatter(group: Group) -> Schedule:
    """Reduce-scatter by recursive halving: each sends what the half of its partner ends up with."""
    folded = folding(group.size)
    yield from folded.enter(1.0)
    for distance in reversed(_distances(folded)):
        theirs = folded.blocks(distance)[all_ranks(len(folded.kept)) ^ distance]
        yield folded.exchanges(distance, theirs / group.size)
    yield from folded.leave(1 / group.size)


def doubling_gather(group: Group) -> Schedule:
    """All-gather by recursive doubling: each sends all that it has."""
    folded = folding(group.size)
    yield from folded.enter(1 / group.size)
    for distance in _distances(folded):
        yield folded.exchanges(distance, folded.blocks(distance) / group.size)
    yield from folded.leave((group.size - 1) / group.size)


def pairwise_xor(group: Group) -> Schedule:
    """All-to-all: i <-> i xor r with S/N for each r below the next power of two; ranks without a partner wait."""
    ranks = all_ranks(group.size)
    for step in range(1, 1 << (group.size - 1).bit_length()):
        partner: npt.NDArray[np.int32] = ranks ^ np.int32(step)
        met = partner < group.size
        yield Round(ranks[met], partner[met], 1 / group.size)
