"""Schedules against the same carried out on data: every rank ends with what it should have, and messages are alike.

The right side of each comparison plays the algorithm through atom by atom (``movement.py``), and checks that no
contribution is counted twice and none is missing; its messages must then be those of the schedule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from movement import (
    Hierarchy,
    Machine,
    Mail,
    cut,
    gather_ring,
    is_done,
    kept_ranks,
    only,
    own_vectors,
    recursive,
    scatter_ring,
)

from fabrictool.collectives.domains import by_sorting, domains_of
from fabrictool.collectives.entries import Group
from fabrictool.collectives.schedules import ALGORITHMS

SIZES = [2, 3, 4, 5, 6, 7, 8, 12, 13, 16, 31]


def _group(size: int, domains: list[list[int]] | None = None) -> Group:
    domain = np.arange(size, dtype=np.int32)
    for number, members in enumerate(domains or ()):
        domain[members] = number
    return Group(size, domain)


def _scheduled(collective: str, algorithm: str, group: Group) -> list[dict[tuple[int, int], float]]:
    """Return the shares that a schedule sends, round by round."""
    found = []
    for entry in ALGORITHMS[collective][algorithm].rounds(group):
        for one in entry.rounds(group.size):
            shares: dict[tuple[int, int], float] = defaultdict(float)
            for by, to, share in zip(one.source.tolist(), one.target.tolist(), one.shares.tolist(), strict=True):
                assert by != to
                shares[by, to] += share
            found += [dict(shares)] * one.repeat
    return found


def _agree(found: list[dict[tuple[int, int], float]], wanted: list[dict[tuple[int, int], Fraction]]) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert one == pytest.approx({pair: float(share) for pair, share in other.items()}, rel=1e-12)


def _blocks(size: int, each: int = 1) -> list[frozenset[int]]:
    return cut(list(range(size * each)), size)


def _folded(size: int, machine: Machine, before: list[frozenset[int]], add: bool) -> None:
    """Let ranks aside send atoms to their proxies."""
    _, proxy = kept_ranks(size)
    machine.round(((rank, to, before[rank]) for rank, to in proxy.items()), add)


def _unfolded(size: int, machine: Machine, after: Callable[[int], frozenset[int]]) -> None:
    _, proxy = kept_ranks(size)
    machine.round(((by, rank, after(rank)) for rank, by in proxy.items()), add=False)


@pytest.mark.parametrize("size", SIZES)
def test_halving_doubling(size: int) -> None:
    """Rabenseifner's all-reduce: 2^p parts of the vector over the ranks that are kept."""
    ranks, _ = kept_ranks(size)
    machine, whole = own_vectors(size, len(ranks)), frozenset(range(len(ranks)))
    _folded(size, machine, [whole] * size, add=True)
    recursive(machine, cut(sorted(whole), len(ranks)), halving=True, doubling=True)
    _unfolded(size, machine, lambda rank: whole)
    assert is_done(machine, [whole] * size)
    _agree(_scheduled("all-reduce", "halving-doubling", _group(size)), machine.rounds())


@pytest.mark.parametrize("size", SIZES)
def test_recursive_doubling(size: int) -> None:
    ranks, _ = kept_ranks(size)
    machine, whole = own_vectors(size, 1), frozenset({0})
    _folded(size, machine, [whole] * size, add=True)
    for bit in range(len(ranks).bit_length() - 1):
        machine.round(((ranks[q], ranks[q ^ 1 << bit], whole) for q in range(len(ranks))), add=True)
    _unfolded(size, machine, lambda rank: whole)
    assert is_done(machine, [whole] * size)
    _agree(_scheduled("all-reduce", "recursive-doubling", _group(size)), machine.rounds())


def _owned(size: int) -> list[frozenset[int]]:
    """Return the blocks that each kept rank stands for: its own, and that of the rank aside."""
    ranks, proxy = kept_ranks(size)
    aside = {to: rank for rank, to in proxy.items()}
    return [frozenset({rank, aside.get(rank, rank)}) for rank in ranks]


@pytest.mark.parametrize("size", SIZES)
def test_recursive_halving_reduce_scatter(size: int) -> None:
    machine, whole = own_vectors(size, size), frozenset(range(size))
    _folded(size, machine, [whole] * size, add=True)
    recursive(machine, _owned(size), halving=True, doubling=False)
    _unfolded(size, machine, lambda rank: frozenset({rank}))
    assert is_done(machine, _blocks(size))
    _agree(_scheduled("reduce-scatter", "halving-doubling", _group(size)), machine.rounds())


@pytest.mark.parametrize("size", SIZES)
def test_recursive_doubling_all_gather(size: int) -> None:
    machine, whole = only(size, size, _blocks(size)), frozenset(range(size))
    _folded(size, machine, _blocks(size), add=False)
    recursive(machine, _owned(size), halving=False, doubling=True)
    _unfolded(size, machine, lambda rank: whole - {rank})
    assert is_done(machine, [whole] * size)
    _agree(_scheduled("all-gather", "recursive-doubling", _group(size)), machine.rounds())


def _powers(size: int) -> list[int]:
    return [1 << bit for bit in range(10) if 1 << bit < size]


@pytest.mark.parametrize("size", SIZES)
def test_bruck_all_gather(size: int) -> None:
    """After k = 1, 2, 4 .. rank i has the blocks i to i + 2 k - 1."""
    machine = only(size, size, _blocks(size))
    for step in _powers(size):
        held = range(min(step, size - step))
        machine.round(
            ((i, (i - step) % size, frozenset((i + at) % size for at in held)) for i in range(size)), add=False
        )
    assert is_done(machine, [frozenset(range(size))] * size)
    _agree(_scheduled("all-gather", "bruck", _group(size)), machine.rounds())


@pytest.mark.parametrize("size", SIZES)
def test_bruck_reduce_scatter(size: int) -> None:
    machine = own_vectors(size, size)
    for step in reversed(_powers(size)):
        theirs = range(min(step, size - step))
        machine.round(
            ((i, (i + step) % size, frozenset((i + step + at) % size for at in theirs)) for i in range(size)),
            add=True,
        )
    assert is_done(machine, _blocks(size))
    _agree(_scheduled("reduce-scatter", "bruck", _group(size)), machine.rounds())


@pytest.mark.parametrize("size", SIZES)
def test_broadcast_by_scatter_and_ring(size: int) -> None:
    whole = frozenset(range(size))
    machine = only(size, size, [whole] + [frozenset()] * (size - 1))
    for step in reversed(_powers(size)):
        heads = range(step, size, 2 * step)
        machine.round(((to - step, to, whole & set(range(to, to + step))) for to in heads), add=False)
    gather_ring(machine, [(list(range(size)), _blocks(size))])
    assert is_done(machine, [whole] * size)
    _agree(_scheduled("broadcast", "ring", _group(size)), machine.rounds())


@pytest.mark.parametrize("size", SIZES)
def test_reduce_by_ring_and_gather(size: int) -> None:
    whole = frozenset(range(size))
    machine = own_vectors(size, size)
    scatter_ring(machine, [(list(range(size)), _blocks(size))])
    for step in _powers(size):
        heads = range(step, size, 2 * step)
        machine.round(((by, by - step, whole & set(range(by, by + step))) for by in heads), add=False)
    assert is_done(machine, [whole])
    _agree(_scheduled("reduce", "ring", _group(size)), machine.rounds())


#: Ranks by domain: equal, unequal, mixed up, one alone, one domain, all alone.
DOMAINS = [
    [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]],
    [[0, 1, 2], [3, 4], [5, 6]],
    [[0, 2, 4, 6], [1, 3, 5]],
    [[0, 1, 2, 3, 4], [5, 6, 7], [8, 9]],
    [[0, 1, 2], [3]],
    [[0, 1, 2, 3, 4]],
    [[0], [1], [2], [3], [4]],
]


@st.composite
def domains(draw: st.DrawFn) -> list[list[int]]:
    """Up to 4 domains of 1 to 4 ranks each, in any order of ranks; the first domain has rank 0."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    ranks = draw(st.permutations(range(sum(sizes))))
    found = [sorted(ranks[sum(sizes[:at]) : sum(sizes[: at + 1])]) for at in range(len(sizes))]
    return sorted(found)


def _size(parts: list[list[int]]) -> int:
    return sum(map(len, parts))


@pytest.mark.parametrize("parts", DOMAINS, ids=str)
def test_hierarchical_all_reduce(parts: list[list[int]]) -> None:
    _assert_hierarchical_all_reduce(parts)


@settings(max_examples=40, deadline=None)
@given(domains())
def test_hierarchical_all_reduce_over_any_domains(parts: list[list[int]]) -> None:
    _assert_hierarchical_all_reduce(parts)


def _assert_hierarchical_all_reduce(parts: list[list[int]]) -> None:
    this, size = Hierarchy(parts), _size(parts)
    machine, whole = own_vectors(size, this.atoms), frozenset(range(this.atoms))
    scatter_ring(machine, this.inside())
    this.to_leaders(machine)
    scatter_ring(machine, this.between(by_owner=False))
    gather_ring(machine, this.between(by_owner=False))
    this.from_leaders(machine)
    gather_ring(machine, this.inside())
    assert is_done(machine, [whole] * size)
    _agree(_scheduled("all-reduce", "hierarchical", _group(size, parts)), machine.rounds())


@settings(max_examples=40, deadline=None)
@given(domains())
def test_hierarchical_reduce_scatter(parts: list[list[int]]) -> None:
    this, size = Hierarchy(parts), _size(parts)
    machine = own_vectors(size, this.atoms)
    scatter_ring(machine, this.inside())
    this.to_leaders(machine)
    scatter_ring(machine, this.between(by_owner=True))
    this.from_leaders(machine, [frozenset(stretch) for stretch in this.stretches])
    assert is_done(machine, this.blocks())
    _agree(_scheduled("reduce-scatter", "hierarchical", _group(size, parts)), machine.rounds())


@settings(max_examples=40, deadline=None)
@given(domains())
def test_hierarchical_all_gather(parts: list[list[int]]) -> None:
    this, size = Hierarchy(parts), _size(parts)
    machine, whole = only(size, this.atoms, this.blocks()), frozenset(range(this.atoms))
    this.to_leaders(machine, [frozenset(stretch) for stretch in this.stretches])
    gather_ring(machine, this.between(by_owner=True))
    this.from_leaders(machine)
    gather_ring(machine, this.inside())
    assert is_done(machine, [whole] * size)
    _agree(_scheduled("all-gather", "hierarchical", _group(size, parts)), machine.rounds())


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(1, 6), st.data())
def test_domains_in_order_need_no_sorting(count: int, inside: int, draw: st.DataObject) -> None:
    rail = draw.draw(st.lists(st.integers(-1, 3), min_size=inside, max_size=inside))
    rails = np.array(rail * count, np.int16)
    if draw.draw(st.booleans()):
        rails = np.array(draw.draw(st.permutations(rails.tolist())), np.int16)
    domain = np.repeat(np.array(draw.draw(st.permutations(range(count))), np.int32), inside)
    group = Group(count * inside, domain, rail=rails)
    fast, sorted_ = domains_of(group), by_sorting(group)
    assert (fast.rank.tolist(), fast.first.tolist()) == (sorted_.rank.tolist(), sorted_.first.tolist())


def _binomial_pairs(count: int) -> list[list[tuple[int, int]]]:
    return [[(at, at + step) for at in range(min(step, count - step))] for step in _powers(count)]


@settings(max_examples=40, deadline=None)
@given(domains())
def test_hierarchical_broadcast_and_reduce(parts: list[list[int]]) -> None:
    this, size = Hierarchy(parts), _size(parts)
    whole = frozenset(range(this.atoms))
    machine = only(size, this.atoms, [whole] + [frozenset()] * (size - 1))
    dealt = list(zip(parts[0], this.parts(this.leaders), strict=False))
    steps = [
        [(parts[n][at], parts[m][at], part) for n, m in pairs for at, part in enumerate(this.parts(this.leaders))]
        for pairs in _binomial_pairs(len(parts))
    ]
    machine.round(((0, to, part) for to, part in dealt), add=False)
    for step in steps:
        machine.round(step, add=False)
    this.from_leaders(machine)
    gather_ring(machine, this.inside())
    assert is_done(machine, [whole] * size)
    _agree(_scheduled("broadcast", "hierarchical", _group(size, parts)), machine.rounds())

    machine = own_vectors(size, this.atoms)
    scatter_ring(machine, this.inside())
    this.to_leaders(machine)
    for step in reversed(steps):
        machine.round(((to, by, part) for by, to, part in step), add=True)
    machine.round(((by, 0, part) for by, part in dealt), add=False)
    assert is_done(machine, [whole])
    _agree(_scheduled("reduce", "hierarchical", _group(size, parts)), machine.rounds())


@pytest.mark.parametrize("size", SIZES)
def test_all_to_all_by_partners(size: int) -> None:
    mail = Mail(size)
    for step in range(1, 32):
        mail.round({(i, i ^ step): i ^ step for i in range(size) if i ^ step < size})
    assert mail.delivered
    _agree(_scheduled("all-to-all", "pairwise-xor", _group(size)), mail.sent)


@pytest.mark.parametrize("size", SIZES)
def test_bruck_all_to_all(size: int) -> None:
    """What has x ranks to go moves in the round of each bit of x."""
    mail = Mail(size)
    for step in _powers(size):
        togo = {token: (token[1] - token[0]) % size for token in mail.at}
        mail.round({token: (mail.at[token] + step) % size for token in mail.at if togo[token] & step})
    assert mail.delivered
    _agree(_scheduled("all-to-all", "bruck", _group(size)), mail.sent)


class _Rails:
    """Where tokens are and go in domains."""

    def __init__(self, parts: list[list[int]]) -> None:
        self.parts = parts
        self.seat = {rank: (row, at) for row, members in enumerate(parts) for at, rank in enumerate(members)}

    def ahead(self, token: tuple[int, int]) -> int:
        """Return how many domains on the target is."""
        return (self.seat[token[1]][0] - self.seat[token[0]][0]) % len(self.parts)

    def by(self, token: tuple[int, int], end: int) -> int:
        """Return the rank in the domain of an end that is on the target's rail."""
        rails = min(len(self.parts[self.seat[rank][0]]) for rank in token)
        return self.parts[self.seat[token[end]][0]][self.seat[token[1]][1] % rails]


@settings(max_examples=40, deadline=None)
@given(domains())
def test_all_to_all_over_domains(parts: list[list[int]]) -> None:
    size, rails = _size(parts), _Rails(parts)
    tokens = {token: rails.ahead(token) for token in Mail(size).at}
    steps = range(1, len(parts))

    two = Mail(size)
    two.round({token: token[1] if ahead == 0 else rails.by(token, 0) for token, ahead in tokens.items()})
    for step in steps:
        two.round({token: rails.by(token, 1) for token, ahead in tokens.items() if ahead == step})
    two.round({token: token[1] for token in tokens})
    assert two.delivered
    _agree(_scheduled("all-to-all", "hierarchical", _group(size, parts)), two.sent)

    straight = Mail(size)
    for step in (0, *steps):
        straight.round({token: token[1] for token, ahead in tokens.items() if ahead == step})
    assert straight.delivered
    _agree(_scheduled("all-to-all", "node-shift", _group(size, parts)), straight.sent)


@settings(max_examples=40, deadline=None)
@given(domains())
def test_pxn(parts: list[list[int]]) -> None:
    """Messages of equal domains in order are staged in rounds of their own, all first; the sum is the same."""
    size, rails = _size(parts), _Rails(parts)
    mail = Mail(size)
    tokens = {token: rails.ahead(token) for token in mail.at}
    mail.round({token: token[1] for token, ahead in tokens.items() if ahead == 0})
    for step in range(1, len(parts)):
        mail.round({token: rails.by(token, 0) for token, ahead in tokens.items() if ahead == step})
        mail.round({token: rails.by(token, 1) for token, ahead in tokens.items() if ahead == step})
    mail.round({token: token[1] for token in tokens})
    assert mail.delivered
    found = _scheduled("all-to-all", "pxn", _group(size, parts))
    _agree(_ordered(found), _ordered(mail.sent))


def _ordered(rounds: list) -> list:  # type: ignore[type-arg]
    return sorted(rounds, key=lambda one: sorted((pair, float(share)) for pair, share in one.items()))
