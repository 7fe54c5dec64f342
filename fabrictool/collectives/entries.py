"""What schedules are made of: flows that start together, many shifts, and flows that wait for others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, I2, I4

I8 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Trees:
    """Reductions in switches: each group of ranks has a tree whose every channel carries the same bytes once.

    In a pass each member's bytes go up to the root of its tree, where all are summed, and the sum comes down to
    all members. Of a pass ``(up, down)`` the word ``all`` means that a channel carries all of the bytes, ``part``
    that it carries the parts of the members below.

    Parameters
    ----------
    member : (members,) int32
        Places in the job's rank list, group by group.
    first : (groups + 1,) int64
        Offsets.
    part : (members,) float64
        Part of the bytes that belongs to each; 1 together in each group.
    share : float
        Bytes of each group for one byte of the collective's size.
    passes : tuple of (str, str)
    inside : bool
        Whether the switch of the members' scale-up domain reduces, else those of the network.
    """

    member: I4
    first: I8
    part: F8
    share: float
    passes: tuple[tuple[str, str], ...]
    inside: bool

    def shares(self, part: F8) -> tuple[F8, F8]:
        """Return what channels carry up and down in all passes, given the sums of the parts below them."""
        whole = np.ones(len(part))
        up = sum((part if word == "part" else whole for word, _ in self.passes), np.zeros(len(part)))
        down = sum((part if word == "part" else whole for _, word in self.passes), np.zeros(len(part)))
        return up, down


@dataclass(frozen=True)
class Round:
    """Flows that start together; the next round starts when all have ended.

    Parameters
    ----------
    source, target : (flows,) int32
        Places in the job's rank list.
    share : float or (flows,) float64
        Bytes of each flow for one byte of the collective's size.
    repeat : int
        How often the round runs.
    trees : tuple of Trees
        Reductions in switches that start together with the flows.
    """

    source: I4
    target: I4
    share: float | F8
    repeat: int = 1
    trees: tuple[Trees, ...] = ()

    @property
    def shares(self) -> F8:
        """Bytes of each flow for one byte of the collective's size, (flows,)."""
        return np.broadcast_to(np.asarray(self.share, np.float64), self.source.shape)

    def rounds(self, size: int) -> Iterator[Round]:
        """Yield the round itself."""
        yield self

    def backwards(self) -> Round:
        """Return the round with its flows the other way."""
        return Round(self.target, self.source, self.share, self.repeat)

    def scaled(self, factor: float) -> Round:
        """Return the round with other shares; repeats are no part of them."""
        trees = tuple(replace(one, share=one.share * factor) for one in self.trees)
        return replace(self, share=self.share * factor, trees=trees)


@dataclass(frozen=True)
class Volumes:
    """What ranks send to others, in bytes, (flows,) each: sources, targets and bytes for one byte of the size."""

    source: I4
    target: I4
    share: F8


@dataclass(frozen=True)
class Shifts:
    """Rounds i -> i + r over a job's ranks, one for each r of ``steps``, each flow with ``share``."""

    steps: npt.NDArray[np.int64]
    share: float

    def rounds(self, size: int) -> Iterator[Round]:
        """Yield the rounds one by one."""
        for step in self.steps.tolist():
            yield shift(size, step, self.share)


@dataclass(frozen=True)
class Pipeline:
    """Flows that each start when those they wait for have ended: there is no barrier.

    Parameters
    ----------
    source, target : (flows,) int32
        Places in the job's rank list.
    share : (flows,) float64
        Bytes of each flow for one byte of the collective's size.
    later, earlier : (waits,) int64
        Flow ``later[i]`` starts after flow ``earlier[i]`` has ended.
    """

    source: I4
    target: I4
    share: F8
    later: I8
    earlier: I8

    @property
    def shares(self) -> F8:
        """Bytes of each flow for one byte of the collective's size, (flows,)."""
        return self.share

    @property
    def trees(self) -> tuple[Trees, ...]:
        """Reductions in switches: a pipeline has none."""
        return ()

    def rounds(self, size: int) -> Iterator[Round]:
        """Yield the flows in rounds: each in the first round after those that it waits for."""
        stage = self._stages()
        order = np.argsort(stage, kind="stable")
        for flow in np.split(order, np.cumsum(np.bincount(stage))[:-1]):
            yield Round(self.source[flow], self.target[flow], self.share[flow])

    def _stages(self) -> I8:
        """Return how many flows one after another come before each, (flows,)."""
        flows = len(self.source)
        order = np.argsort(self.earlier, kind="stable")
        later = self.later[order]
        first = np.concatenate(([0], np.cumsum(np.bincount(self.earlier, minlength=flows))))
        waits = np.bincount(self.later, minlength=flows)
        stage, ready, now = np.zeros(flows, np.int64), np.flatnonzero(waits == 0), 0
        while len(ready):
            stage[ready] = now
            count = first[ready + 1] - first[ready]
            start = np.repeat(first[ready] - np.cumsum(count) + count, count)
            freed, times = np.unique(later[start + np.arange(count.sum())], return_counts=True)
            waits[freed] -= times
            ready, now = freed[waits[freed] == 0], now + 1
        return stage


Schedule = Iterator[Round | Shifts | Pipeline]

#: Parts that a message is cut into where a schedule pipelines and nothing else is stated.
CHUNKS = 16


@dataclass(frozen=True)
class Group:
    """Ranks that communicate.

    Parameters
    ----------
    size : int
    domain : (size,) int32
        Scale-up domain of each.
    pairs : tuple of (int, int)
        Who sends to whom, where that is stated.
    chunks : int
        Parts that a message is cut into, where that is stated.
    volumes : Volumes, optional
        What each rank sends to each other, where that is stated.
    rail : (size,) int16, optional
        Rail of each, -1 for none.
    """

    size: int
    domain: I4
    pairs: tuple[tuple[int, int], ...] = ()
    chunks: int | None = None
    volumes: Volumes | None = None
    rail: I2 | None = None

    def per_domain(self) -> int | None:
        """Return the ranks of each domain if they are equal and stand together, else None."""
        start = np.flatnonzero(np.r_[True, self.domain[1:] != self.domain[:-1]])
        runs = np.diff(start, append=self.size)
        if len(np.unique(self.domain[start])) != len(runs) or (runs != runs[0]).any():
            return None
        return int(runs[0])


def all_ranks(size: int) -> I4:
    """Return the places of all ranks."""
    return np.arange(size, dtype=np.int32)


def shift(size: int, step: int, share: float, repeat: int = 1) -> Round:
    """Return a round in which each rank sends to the rank that is ``step`` on."""
    ranks = all_ranks(size)
    return Round(ranks, (ranks + step) % size, share, repeat)
