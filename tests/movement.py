"""Schedules carried out on data: what each message holds, from the published rules; it shares no code with the package.

A vector is a list of atoms. ``Machine`` keeps for each rank and atom whose contributions are in it, as a set of
bits; it refuses to add a contribution twice. What was sent is kept round by round as (source, target, atoms).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

Message = tuple[int, int, frozenset[int]]
Sent = list[Counter[tuple[int, int]]]


class Machine:
    """Ranks with a vector each."""

    def __init__(self, held: list[list[int]]) -> None:
        self.held = held
        self.sent: Sent = []

    def round(self, messages: Iterable[Message], add: bool) -> None:
        """Send what ranks hold before the round; receivers add it, or take it instead of theirs."""
        listed = [one for one in messages if one[0] != one[1] and one[2]]
        arriving = [(to, atom, self.held[by][atom]) for by, to, atoms in listed for atom in atoms]
        for to, atom, value in arriving:
            assert not (add and self.held[to][atom] & value), "a contribution counts twice"
            self.held[to][atom] = self.held[to][atom] | value if add else value
        counts: Counter[tuple[int, int]] = Counter()
        for by, to, atoms in listed:
            counts[by, to] += len(atoms)
        self.sent.append(counts)

    def rounds(self) -> list[dict[tuple[int, int], Fraction]]:
        """Return shares of the vector by sender and receiver, round by round, rounds without messages left out."""
        size = len(self.held[0])
        return [{pair: Fraction(count, size) for pair, count in one.items()} for one in self.sent if one]


def own_vectors(ranks: int, atoms: int) -> Machine:
    """Each rank holds a vector of its own."""
    return Machine([[1 << rank] * atoms for rank in range(ranks)])


def only(ranks: int, atoms: int, owned: list[frozenset[int]]) -> Machine:
    """Each rank holds some finished atoms, and nothing else."""
    full = (1 << ranks) - 1
    return Machine([[full if atom in owned[rank] else 0 for atom in range(atoms)] for rank in range(ranks)])


def is_done(machine: Machine, wanted: list[frozenset[int]]) -> bool:
    """Whether each rank has all contributions to the atoms that it wants."""
    full = (1 << len(machine.held)) - 1
    return all(machine.held[rank][atom] == full for rank, atoms in enumerate(wanted) for atom in atoms)


def cut(atoms: list[int], parts: int) -> list[frozenset[int]]:
    """Cut a list of atoms into equal runs."""
    assert len(atoms) % parts == 0
    step = len(atoms) // parts
    return [frozenset(atoms[at * step : (at + 1) * step]) for at in range(parts)]


# Folding onto a power of two


def kept_ranks(ranks: int) -> tuple[list[int], dict[int, int]]:
    """Return the ranks that go on, and for each rank aside its proxy."""
    whole = 1
    while 2 * whole <= ranks:
        whole *= 2
    proxy = {2 * at: 2 * at + 1 for at in range(ranks - whole)}
    return [rank for rank in range(ranks) if rank not in proxy], proxy


def recursive(machine: Machine, owned: list[frozenset[int]], halving: bool, doubling: bool) -> None:
    """Halve and double over the kept ranks; ``owned`` are the atoms that each of them is left with."""
    ranks, _ = kept_ranks(len(machine.held))
    distances = [1 << bit for bit in range(len(ranks).bit_length() - 1)]

    def run(place: int, length: int) -> frozenset[int]:
        start = place // length * length
        return frozenset().union(*owned[start : start + length])

    for distance in reversed(distances) if halving else ():
        machine.round(
            ((ranks[q], ranks[q ^ distance], run(q ^ distance, distance)) for q in range(len(ranks))), add=True
        )
    for distance in distances if doubling else ():
        machine.round(((ranks[q], ranks[q ^ distance], run(q, distance)) for q in range(len(ranks))), add=False)


# Rings, and domains of any size


def scatter_ring(machine: Machine, rings: list[tuple[list[int], list[frozenset[int]]]]) -> None:
    """Reduce-scatter in rings side by side: member g of a ring is left with its g-th part."""
    for turn in range(max(len(members) for members, _ in rings) - 1):
        machine.round(
            ((members[g], members[(g + 1) % len(members)], parts[(g - 1 - turn) % len(members)])
             for members, parts in rings if turn < len(members) - 1 for g in range(len(members))),
            add=True,
        )  # fmt: skip


def gather_ring(machine: Machine, rings: list[tuple[list[int], list[frozenset[int]]]]) -> None:
    """All-gather in rings side by side: member g begins with its g-th part."""
    for turn in range(max(len(members) for members, _ in rings) - 1):
        machine.round(
            ((members[g], members[(g + 1) % len(members)], parts[(g - turn) % len(members)])
             for members, parts in rings if turn < len(members) - 1 for g in range(len(members))),
            add=False,
        )  # fmt: skip


class Hierarchy:
    """A vector over domains: a stretch for each domain's ranks, cut alike into parts for ranks and for leaders."""

    def __init__(self, domains: list[list[int]]) -> None:
        self.domains = domains
        self.leaders = min(map(len, domains))
        grain = len(domains) * self.leaders
        for members in domains:
            grain *= len(members)
        ends = [0]
        for members in domains:
            ends.append(ends[-1] + len(members) * grain)
        self.atoms = ends[-1]
        self.stretches = [list(range(a, z)) for a, z in pairwise(ends)]

    def parts(self, count: int) -> list[frozenset[int]]:
        """Return the vector in parts, each with as much of every stretch."""
        cuts = [cut(stretch, count) for stretch in self.stretches]
        return [frozenset().union(*(one[at] for one in cuts)) for at in range(count)]

    def inside(self) -> list[tuple[list[int], list[frozenset[int]]]]:
        return [(members, self.parts(len(members))) for members in self.domains]

    def moves(self, within: list[frozenset[int]] | None = None) -> list[tuple[int, int, frozenset[int]]]:
        """Return what leaders and ranks hold of each other's parts: (rank, leader, atoms)."""
        found = []
        for row, members in enumerate(self.domains):
            for rank, mine in zip(members, self.parts(len(members)), strict=True):
                for leader, theirs in zip(members, self.parts(self.leaders), strict=False):
                    atoms = mine & theirs
                    found.append((rank, leader, atoms if within is None else atoms & within[row]))
        return [one for one in found if one[0] != one[1]]

    def to_leaders(self, machine: Machine, within: list[frozenset[int]] | None = None) -> None:
        machine.round(self.moves(within), add=False)

    def from_leaders(self, machine: Machine, within: list[frozenset[int]] | None = None) -> None:
        machine.round([(leader, rank, atoms) for rank, leader, atoms in self.moves(within)], add=False)

    def between(self, by_owner: bool) -> list[tuple[list[int], list[frozenset[int]]]]:
        """Return a ring over the domains for each leader: equal parts, or what the domains' own ranks want."""
        rings = []
        for at, part in enumerate(self.parts(self.leaders)):
            owned = [part & frozenset(stretch) for stretch in self.stretches]
            members = [domain[at] for domain in self.domains]
            rings.append((members, owned if by_owner else cut(sorted(part), len(self.domains))))
        return rings

    def blocks(self) -> list[frozenset[int]]:
        """Return the block of each rank."""
        found = dict[int, frozenset[int]]()
        for members, stretch in zip(self.domains, self.stretches, strict=True):
            found |= dict(zip(members, cut(stretch, len(members)), strict=True))
        return [found[rank] for rank in range(len(found))]


# All-to-all: a token for each ordered pair of ranks


class Mail:
    """Tokens (source, target) at ranks; each is 1/N of what its source sends."""

    def __init__(self, ranks: int) -> None:
        self.ranks = ranks
        self.at = {(source, target): source for source in range(ranks) for target in range(ranks)}
        self.sent: list[dict[tuple[int, int], Fraction]] = []

    def round(self, moves: dict[tuple[int, int], int]) -> None:
        """Move tokens to ranks."""
        found: dict[tuple[int, int], Fraction] = defaultdict(Fraction)
        for token, to in moves.items():
            if self.at[token] != to:
                found[self.at[token], to] += Fraction(1, self.ranks)
        self.at |= moves
        if found:
            self.sent.append(dict(found))

    @property
    def delivered(self) -> bool:
        return all(rank == target for (_, target), rank in self.at.items())
