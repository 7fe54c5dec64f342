"""All-to-all that knows scale-up domains, of any sizes: straight, by PXN, and in two steps.

Between a domain of A and one of C ranks, min(A, C) ranks of each send and receive where messages keep to rails; what is
meant for the ranks beyond these is handed on at the end.

References
----------
NVIDIA, "Doubling all2all performance with NCCL 2.12" (PXN: PCI x NVLink), 2022; C. Hwang et al., "Tutel: adaptive
mixture-of-experts at scale", MLSys 2023, 4.3 (two-dimensional hierarchical all-to-all: messages between hosts are G
times larger and G times fewer).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from fabrictool.collectives.domains import I8, Domains, domains_of
from fabrictool.collectives.entries import Group, Round, Schedule, Shifts
from fabrictool.collectives.hierarchy import phased
from fabrictool.collectives.pipelines import MOST_FLOWS
from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import F8


@dataclass(frozen=True)
class _Exchange:
    """What the ranks of domains send each other; blocks are of S/N."""

    domains: Domains

    @property
    def steps(self) -> range:
        """How far on the domains are that each sends to, one after another."""
        return range(1, len(self.domains))

    @property
    def regular(self) -> bool:
        """Whether equal domains follow each other in rank order."""
        return self.domains.even and bool((np.diff(self.domains.rank) == 1).all())

    def shifts(self) -> Shifts:
        """Return what equal domains that follow each other send, rail by rail, step by step."""
        size = int(self.domains.sizes[0])
        return Shifts(np.arange(1, len(self.domains)) * size, size / len(self.domains.rank))

    def _round(self, row: I8, source: I8, target: I8, blocks: I8 | F8, ahead: int = 0) -> Iterator[Round]:
        """Yield a round of flows from the ``source``-th rank of domains to the ``target``-th of those ahead."""
        domains = self.domains
        there = (row + ahead) % len(domains)
        ends = domains.rank[domains.first[row] + source], domains.rank[domains.first[there] + target]
        kept = ends[0] != ends[1]
        if kept.any():
            yield Round(ends[0][kept], ends[1][kept], blocks[kept] / len(domains.rank))

    def inside(self) -> Iterator[Round]:
        """Yield what ranks of a domain send each other for themselves."""
        size = self.domains.sizes
        row, source, target = _pairs(size, size)
        yield from self._round(row, source, target, np.ones(len(row)))

    def straight(self, step: int) -> Iterator[Round]:
        """Yield what all ranks of a domain send to all of the one ``step`` on."""
        size = self.domains.sizes
        row, source, target = _pairs(size, np.roll(size, -step))
        yield from self._round(row, source, target, np.ones(len(row)), step)

    def stage(self, step: int) -> Iterator[Round]:
        """Yield what ranks give those of their domain that send to the domain ``step`` on."""
        size = self.domains.sizes
        other = np.roll(size, -step)
        row, source, rail = _pairs(size, np.minimum(size, other))
        yield from self._round(row, source, rail, _served(rail, size[row], other[row]))

    def stage_all(self) -> Iterator[Round]:
        """Yield what ranks give each other for themselves and for all other domains at once."""
        size = self.domains.sizes
        row, source, rail = _pairs(size, size)
        blocks = np.ones(len(row))
        for kind, many in zip(*np.unique(size, return_counts=True), strict=True):
            used = rail < kind
            others = many - (size[row] == kind)
            blocks[used] += (others * _served(rail, size[row], np.full(len(row), kind)))[used]
        yield from self._round(row, source, rail, blocks)

    def across(self, step: int) -> Iterator[Round]:
        """Yield what each domain sends to that ``step`` on, rail by rail."""
        size = self.domains.sizes
        other = np.roll(size, -step)
        row, rail, _ = _pairs(np.minimum(size, other), np.ones_like(size))
        yield from self._round(row, rail, rail, size[row] * _served(rail, size[row], other[row]), step)

    def hand_on(self) -> Iterator[Round]:
        """Yield what came from smaller domains for ranks beyond their rails, all at once."""
        size = self.domains.sizes
        found = []
        for kind, many in zip(*np.unique(size, return_counts=True), strict=True):
            row, extra, _ = _pairs(np.maximum(size - kind, 0), np.ones_like(size))
            found.append((row, (kind + extra) % kind, kind + extra, np.full(len(row), float(kind * many))))
        row, rail, rank, blocks = (np.concatenate(column) for column in zip(*found, strict=True))
        yield from self._round(row, rail, rank, blocks)


def _pairs(one: I8, other: I8) -> tuple[I8, I8, I8]:
    """Return all pairs of numbers below two counts, for each of some rows: the row, and both numbers."""
    row = np.repeat(np.arange(len(one)), one * other)
    start = np.cumsum(one * other) - one * other
    first, second = np.divmod(np.arange(len(row)) - start[row], np.maximum(other, 1)[row])
    return row, first, second


def _served(rail: I8, size: I8, other: I8) -> I8:
    """Return how many ranks of a domain of ``other`` ranks a rail serves that comes from one of ``size``."""
    found: I8 = -((rail - other) // np.minimum(size, other))
    return found


def node_shift(group: Group) -> Schedule:
    """In-domain pairs, then for each r all pairs of domain n with domain n + r, with S/N each."""
    this = _Exchange(domains_of(group))
    yield from this.inside()
    for step in this.steps:
        yield from this.straight(step)


def pxn(group: Group) -> Schedule:
    """In-domain pairs; then for each r a staging inside domains and (n, g) -> (n + r, g) with G S/N."""
    yield from _pipelined(group, _pxn(_Exchange(domains_of(group))))


def _pxn(this: _Exchange) -> Schedule:
    if this.regular:
        for entry in this.inside():
            yield replace(entry, repeat=len(this.domains))
        yield this.shifts()
        return
    yield from this.inside()
    for step in this.steps:
        yield from this.stage(step)
        yield from this.across(step)
    yield from this.hand_on()


def hierarchical(group: Group) -> Schedule:
    """Blocks go to the rank on the target's rail inside, then from domain n to n + r for each r with G S/N."""
    yield from _pipelined(group, _hierarchical(_Exchange(domains_of(group))))


def _hierarchical(this: _Exchange) -> Schedule:
    yield from this.stage_all()
    if this.regular:
        yield this.shifts()
        return
    for step in this.steps:
        yield from this.across(step)
    yield from this.hand_on()


def _pipelined(group: Group, schedule: Schedule) -> Schedule:
    """Yield a schedule in the chunks that are stated.

    Raises
    ------
    InputError
        If it has more than ``MOST_FLOWS`` flows, which chunks hold in memory together.
    """
    if not group.chunks:
        yield from schedule
        return
    rounds: list[Round] = []
    flows = 0
    for entry in schedule:
        for one in entry.rounds(group.size):
            rounds.append(one)
            flows += len(one.source)
            if flows > MOST_FLOWS:
                what = f"chunks over {group.size:,} ranks are more than {MOST_FLOWS:,} messages at once"
                raise InputError([Problem("", what, "use fewer ranks, or leave chunks out")])
    yield from phased(group, rounds)
