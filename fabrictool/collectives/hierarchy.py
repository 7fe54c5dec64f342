"""Hierarchical schedules: inside scale-up domains, then from domain to domain on every rail at once, then inside.

Domains may be of any sizes. Between them as many ranks of each take part as the smallest has; the
ranks beyond hand their parts to these before, and get them back after.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from fabrictool.collectives.domains import domains_of
from fabrictool.collectives.entries import Group, Round, Schedule


def all_reduce(group: Group) -> Schedule:
    """Reduce-scatter inside each domain, a ring over the domains for each leader, all-gather inside."""
    found = domains_of(group)
    inside = list(found.ring_inside())
    between = [replace(entry, repeat=2 * entry.repeat) for entry in found.ring_between()]
    yield from phased(group, inside, found.to_leaders(), between, found.from_leaders(), inside)


def reduce_scatter(group: Group) -> Schedule:
    """A ring inside each domain, then one over the domains for each leader."""
    found = domains_of(group)
    phases = found.ring_inside(), found.to_leaders(), found.scatter_between(), found.hand_out()
    yield from phased(group, *phases)


def all_gather(group: Group) -> Schedule:
    """A ring over the domains for each leader, then one inside each domain."""
    found = domains_of(group)
    phases = found.hand_in(), found.gather_between(), found.from_leaders(), found.ring_inside()
    yield from phased(group, *phases)


def broadcast(group: Group) -> Schedule:
    """Rank 0 deals S out to the leaders of its domain, these send it on to other domains, then all gather inside."""
    found = domains_of(group)
    phases = found.deal(), found.binomial_between(), found.from_leaders(), found.ring_inside()
    yield from phased(group, *phases)


def reduce(group: Group) -> Schedule:
    """The broadcast backwards: reduce-scatter inside, reduce between domains, gather at rank 0."""
    found = domains_of(group)
    forth = [*found.deal(), *found.binomial_between()]
    back = [entry.backwards() for entry in reversed(forth)]
    yield from phased(group, found.ring_inside(), found.to_leaders(), back)


def phased(group: Group, *phases: Iterable[Round], chunks: int | None = None) -> Schedule:
    """Yield the rounds of phases one after another, or pipelined in chunks; by default those stated for the group.

    The first chunk goes through all rounds; meanwhile the others keep the links busy, and take as long as the
    link that carries most of all phases together.
    """
    rounds = [entry for phase in phases for entry in phase]
    count = chunks or group.chunks or 1
    for entry in rounds:
        yield entry.scaled(1 / count)
    if count > 1:
        yield together([entry.scaled(entry.repeat * (1 - 1 / count)) for entry in rounds])


def together(rounds: list[Round]) -> Round:
    """Return one round of all that is in some, each once."""
    source, target, share = (
        np.concatenate([getattr(entry, end) for entry in rounds]) for end in ("source", "target", "shares")
    )
    return Round(source, target, share, 1, tuple(one for entry in rounds for one in entry.trees))
