"""The scale-up domains of a job's ranks, of any size each, and the rings inside and between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabrictool.collectives.entries import Group, Round
from fabrictool.fabric.tables import F8, I4

I8 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Domains:
    """Ranks by scale-up domain; ranks without one are domains of one.

    The first ``leaders`` ranks of each domain send to their like in other domains. They are on the same rails
    where the domains have rails in common.

    Parameters
    ----------
    rank : (ranks,) int32
        Places of ranks, domain by domain in order of their first ranks.
    first : (domains + 1,) int64
        Offsets.
    """

    rank: I4
    first: I8

    def __len__(self) -> int:
        return len(self.first) - 1

    @cached_property
    def sizes(self) -> I8:
        """Ranks of each domain, (domains,)."""
        return np.diff(self.first)

    @property
    def leaders(self) -> int:
        """Ranks of each domain that send to others: as many as the smallest has."""
        return int(self.sizes.min())

    @property
    def even(self) -> bool:
        """Whether all domains are of one size."""
        return bool((self.sizes == self.sizes[0]).all())

    @cached_property
    def leader(self) -> I4:
        """Leaders, (domains, leaders)."""
        found: I4 = self.rank[self.first[:-1, None] + np.arange(self.leaders)]
        return found

    def ring_inside(self) -> Iterator[Round]:
        """Yield a ring in each domain with S / its ranks; smaller domains end earlier.

        As a reduce-scatter rank g of G is left with the g-th part of G, as an all-gather it begins with it.
        """
        size = np.repeat(self.sizes, self.sizes)
        start = np.repeat(self.first[:-1], self.sizes)
        target = self.rank[start + (np.arange(len(size)) - start + 1) % size]
        done = 1
        for turns in np.unique(size[size > 1]).tolist():
            on = size >= turns
            yield Round(self.rank[on], target[on], 1.0 / turns if self.even else 1.0 / size[on], turns - done)
            done = turns

    def to_leaders(self) -> Iterator[Round]:
        """Yield the round in which larger domains hand the parts that a ring left to their leaders."""
        found = [self._cuts(size) for size in np.unique(self.sizes).tolist() if size > self.leaders]
        if found:
            source, target, share = (np.concatenate(column) for column in zip(*found, strict=True))
            yield Round(source, target, share)

    def from_leaders(self) -> Iterator[Round]:
        """Yield the round in which leaders of larger domains give each rank its part for a ring."""
        for entry in self.to_leaders():
            yield entry.backwards()

    def _cuts(self, size: int) -> tuple[I4, I4, F8]:
        """Return who hands whom how much in domains of a size: the g-th part of ``size`` to whose parts it meets."""
        cut = np.unique(np.r_[np.arange(size + 1) * self.leaders, np.arange(self.leaders + 1) * size])
        here, there = cut[:-1] // self.leaders, cut[:-1] // size
        moved = here != there
        start = self.first[:-1][self.sizes == size][:, None]
        share = np.tile(np.diff(cut)[moved] / (size * self.leaders), len(start))
        return self.rank[start + here[moved]].ravel(), self.rank[start + there[moved]].ravel(), share

    def ring_between(self) -> Iterator[Round]:
        """Yield a ring over the domains for each leader, with S / leaders / domains."""
        if len(self) > 1:
            share = 1 / self.leaders / len(self)
            yield Round(self.leader.ravel(), np.roll(self.leader, -1, axis=0).ravel(), share, len(self) - 1)

    def scatter_between(self) -> Iterator[Round]:
        """Yield the same as a reduce-scatter that leaves each domain with the blocks of its own ranks."""
        yield from self._weighted(-1)

    def gather_between(self) -> Iterator[Round]:
        """Yield the same as an all-gather of the blocks of each domain's ranks."""
        yield from self._weighted(0)

    def _weighted(self, ahead: int) -> Iterator[Round]:
        """Yield a ring in which domain d sends in round j what belongs to domain d - j + ``ahead``."""
        if self.even:
            yield from self.ring_between()
            return
        domain = np.arange(len(self))
        target = np.roll(self.leader, -1, axis=0).ravel()
        for turn in range(len(self) - 1):
            owned = self.sizes[(domain - turn + ahead) % len(self)] / len(self.rank)
            yield Round(self.leader.ravel(), target, np.repeat(owned / self.leaders, self.leaders))

    def hand_out(self) -> Iterator[Round]:
        """Yield the round in which leaders give each rank of their domain its own block of S / N."""
        part = self.sizes / len(self.rank)
        for entry in self.from_leaders():
            domain = np.searchsorted(self.first, np.argsort(self.rank)[entry.source], "right") - 1
            yield Round(entry.source, entry.target, entry.share * part[domain])

    def hand_in(self) -> Iterator[Round]:
        """Yield the round in which ranks give their leaders their own blocks."""
        for entry in self.hand_out():
            yield entry.backwards()

    def deal(self) -> Iterator[Round]:
        """Yield the round in which rank 0 gives each other leader of its domain, the first, S / leaders."""
        target = self.leader[0][self.leader[0] != 0]
        if len(target):
            yield Round(np.zeros_like(target), target, 1 / self.leaders)

    def binomial_between(self) -> Iterator[Round]:
        """Yield a binomial broadcast from the first domain for each leader with S / leaders."""
        step = 1
        while step < len(self):
            source = np.arange(min(step, len(self) - step))
            yield Round(self.leader[source].ravel(), self.leader[source + step].ravel(), 1 / self.leaders)
            step *= 2


def domains_of(group: Group) -> Domains:
    """Return the scale-up domains of a group.

    A domain's ranks stand in order of their rails, all first ranks of rails before all second ones; rails that
    every domain has go before others.
    """
    inside = group.per_domain()
    if inside is not None and _alike(group, inside):
        return Domains(np.arange(group.size, dtype=np.int32), np.arange(0, group.size + 1, inside, dtype=np.int64))
    return by_sorting(group)


def _alike(group: Group, inside: int) -> bool:
    """Return whether equal domains that stand together have rails in one order, that of ``by_sorting``."""
    if group.rail is None:
        return True
    rail = group.rail.reshape(-1, inside)
    one = by_sorting(Group(inside, np.zeros(inside, np.int32), rail=rail[0]))
    return bool((rail == rail[0]).all() and (np.diff(one.rank) == 1).all())


def by_sorting(group: Group) -> Domains:
    """Return the scale-up domains of a group, whatever the order of ranks."""
    _, seen, domain, sizes = np.unique(group.domain, return_index=True, return_inverse=True, return_counts=True)
    row = np.argsort(np.argsort(seen))[domain]  # domains in order of their first ranks
    rail = np.full(group.size, -1, np.int64) if group.rail is None else group.rail.astype(np.int64)
    turn = _occurrence(row, rail)
    key = np.unique(np.column_stack((turn, rail)), axis=0, return_inverse=True)[1].reshape(-1)
    common = np.bincount(key) == len(sizes)
    order = np.lexsort((key, ~common[key], row)).astype(np.int32)
    return Domains(order, np.concatenate(([0], np.cumsum(np.bincount(row)))))


def _occurrence(row: I8, rail: I8) -> I8:
    """Return how many earlier ranks of its domain are on the same rail as each rank, (ranks,)."""
    order = np.lexsort((rail, row))
    begins = np.r_[True, (np.diff(row[order]) != 0) | (np.diff(rail[order]) != 0)]
    start = np.flatnonzero(begins)[np.cumsum(begins) - 1]
    found = np.empty(len(row), np.int64)
    found[order] = np.arange(len(row)) - start
    return found
