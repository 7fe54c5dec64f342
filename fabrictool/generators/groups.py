"""What groups of switches share: hosts filled in order, meshes inside a group, global links between groups.

References
----------
J. Kim, W. J. Dally, S. Scott, D. Abts, "Technology-Driven, Highly-Scalable Dragonfly Topology",
ISCA 2008, doi.org/10.1109/ISCA.2008.19. E. Hastings et al., "Comparing Global Link Arrangements for
Dragonfly Networks", CLUSTER 2015: the absolute and the relative arrangement.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.generators.endpoints import Endpoints
from fabrictool.generators.rows import Ints
from fabrictool.generators.site import TIERS, Site
from fabrictool.generators.tiers import ports_per_cage

Longs = npt.NDArray[np.int64]
Arrangement = Literal["relative", "absolute"]


def equal_runs(*columns: Ints) -> Iterator[slice]:
    """Yield stretches of groups that are equal in all columns, (groups,) each."""
    table = np.stack(columns)
    border = np.flatnonzero((table[:, 1:] != table[:, :-1]).any(axis=0)) + 1
    edges = [0, *border.tolist(), table.shape[1]]
    yield from (slice(start, end) for start, end in pairwise(edges))


def joined_pairs(ports: Ints, per_pair: int | None = None) -> tuple[Longs, Longs, Longs]:
    """Choose which groups each global link joins.

    Every pair gets as many links as the group with the fewest ports allows, then some pairs get one
    more until the ports are used: exactly where a simple graph with these degrees exists, and up to
    one port of equal groups.

    Parameters
    ----------
    ports : (groups,) int
        Global ports of each group.
    per_pair : int, optional
        Links of every pair, in place of as many as there are ports.

    Returns
    -------
    tuple of (links,) int64
        Lower group, upper group, and round: 0 for the first link of a pair.
    """
    groups = len(ports)
    if groups < 2:
        none = np.zeros(0, np.int64)
        return none, none, none
    low, high = np.triu_indices(groups, 1)
    rounds = int(ports.min()) // (groups - 1) if per_pair is None else per_pair
    left = np.zeros(groups, np.int64)
    if per_pair is None:
        left = np.minimum(ports - rounds * (groups - 1), groups - 1).astype(np.int64)
    a, z = _circulant(groups, int(left[0])) if (left == left[0]).all() else _largest_first(left)
    lower = np.concatenate((np.tile(low, rounds), np.minimum(a, z)))
    upper = np.concatenate((np.tile(high, rounds), np.maximum(a, z)))
    return lower, upper, np.repeat(np.arange(rounds + 1), [len(low)] * rounds + [len(a)])


def _circulant(groups: int, degree: int) -> tuple[Longs, Longs]:
    """Join each group to those at the same few distances; an odd rest pairs up opposite or adjacent groups.

    The distances are spread evenly, so that no split of the groups is joined by far fewer links.
    """
    here = np.arange(groups)
    adjacent = degree % 2 == 1 and groups % 2 == 1
    first = 2 if adjacent else 1
    steps = spread(first, (groups - 1) // 2, degree // 2)[:, None]
    a = np.broadcast_to(here, (len(steps), groups)).ravel()
    z = ((here + steps) % groups).ravel()
    if degree % 2 == 0:
        return a, z
    rest = here[: groups - 1 : 2] if adjacent else here[: groups // 2]
    return np.concatenate((a, rest)), np.concatenate((z, rest + (1 if adjacent else groups // 2)))


def spread(first: int, last: int, count: int) -> Longs:
    """Return ``count`` different whole numbers spread evenly from first to last."""
    return first + (2 * np.arange(count) + 1) * (last - first + 1) // (2 * max(1, count))


def _largest_first(left: Longs) -> tuple[Longs, Longs]:
    """Join the group with most ports left to the groups with the next most, again and again.

    References
    ----------
    S. L. Hakimi, "On realizability of a set of integers as degrees of the vertices of a linear
    graph", 1962: this finds a simple graph wherever one exists.
    """
    left = left.copy()
    a, z = [], []
    for _ in range(len(left)):
        most = int(np.argmax(left))
        wanted, left[most] = int(left[most]), 0
        others = np.argsort(-left, kind="stable")[:wanted]
        others = others[left[others] > 0]
        left[others] -= 1
        a.append(np.full(len(others), most))
        z.append(others)
    return np.concatenate(a), np.concatenate(z)


def places_in_group(owner: Longs, other: Longs, turn: Longs, groups: int, arrangement: Arrangement) -> Longs:
    """Number the global link ends of each group from 0, round by round.

    Parameters
    ----------
    owner, other, turn : (ends,) int64
        Group of the end, group that the link leads to, and its round.
    groups : int
    arrangement : {"relative", "absolute"}
        Within a round, ends in order of the distance (other - owner) mod groups, or of the other group.
    """
    ahead = (other - owner) % groups if arrangement == "relative" else other
    order = np.argsort((owner * (int(turn.max(initial=0)) + 1) + turn) * groups + ahead)
    first = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=groups))))
    place = np.empty(len(owner), np.int64)
    place[order] = np.arange(len(owner)) - first[owner[order]]
    return place


def link_groups(
    site: Site,
    switches: I4,
    group_sizes: Ints,
    first_port: Ints,
    pairs: tuple[Longs, Longs, Longs],
    arrangement: Arrangement,
    speed_bps: float,
) -> None:
    """Add the global links: consecutive ends of a group on one switch, equally many on each.

    Parameters
    ----------
    site : Site
    switches : (switches,) int32
        Device rows, group by group.
    group_sizes : (groups,) int
        Switches of each group that bear global links.
    first_port : (groups,) int
        Number of a switch's first global port.
    pairs : tuple
        As of ``joined_pairs``.
    arrangement : {"relative", "absolute"}
    speed_bps : float
    """
    lower, upper, turn = pairs
    owner = np.concatenate((lower, upper))
    groups = len(group_sizes)
    place = places_in_group(owner, np.concatenate((upper, lower)), np.tile(turn, 2), groups, arrangement)
    used = np.maximum(np.bincount(owner, minlength=groups), 1)[owner]
    size = np.asarray(group_sizes, np.int64)[owner]
    switch = place * size // used
    port = place + -switch * used // size  # minus the first place of this switch, rounded up
    first_switch = np.cumsum(group_sizes) - group_sizes
    device = switches[first_switch[owner] + switch]
    number = np.asarray(first_port)[owner] + port
    half = len(lower)
    a, z = (device[:half], number[:half]), (device[half:], number[half:])
    site.rows.add_links(a, z, site.row, speed_bps, site.fabric_latency_s)


def link_meshes(site: Site, members: I4, first_port: int, speed_bps: float) -> None:
    """Join all switches of each group with each other: (groups, members) device rows.

    Port ``first_port`` + k of a switch leads to member k, itself skipped.
    """
    i, j = np.triu_indices(members.shape[1], 1)
    shape = (len(members), len(i))
    a_number = np.broadcast_to(first_port + j - 1, shape).ravel()
    z_number = np.broadcast_to(first_port + i, shape).ravel()
    ends = (members[:, i].ravel(), a_number), (members[:, j].ravel(), z_number)
    site.rows.add_links(*ends, site.row, speed_bps, site.fabric_latency_s)


def fill_hosts(site: Site, switches: I4, room: Ints, ends: Endpoints) -> None:
    """Attach host ports to switches in order, each from its port 1; ``room`` are ports of each switch."""
    at = np.repeat(np.arange(len(switches)), room)[: len(ends.host)]
    first = np.cumsum(room) - room
    upper = (switches[at], np.arange(len(at)) - first[at] + 1)
    site.rows.add_links((ends.device, ends.number), upper, site.row, ends.speed_bps, site.host_latency_s)


def ports_left(site: Site, level: int, down: int, host_bps: float) -> int:
    """Return how many ports for links between switches a switch has beside ``down`` ports downwards."""
    kind, path = site.tier(level).type, site.place(level)
    below, above = site.up_speed(level - 1, host_bps), site.up_speed(level, host_bps)
    each, up_each = (ports_per_cage(kind, bps, TIERS[level - 1], path) for bps in (below, above))
    if below == above:
        return kind.cage_count * each - down
    return (kind.cage_count - -(-down // each)) * up_each


def stated_elsewhere(site: Site, key: str) -> list[Problem]:
    """Refuse counts in the tiers of a network whose ``key`` states them all."""
    return [
        Problem("", f"{tier}.{word} is given, but {key} says how many there are", "remove it", (*site.path, tier, word))
        for tier in TIERS[:2]
        for word in ("count", "down", "up", "groups")
        if getattr(site.network, tier) is not None and getattr(getattr(site.network, tier), word) is not None
    ]


def raise_all(problems: list[Problem | None]) -> None:
    """Raise the problems that there are.

    Raises
    ------
    InputError
        If there are any.
    """
    found = [problem for problem in problems if problem is not None]
    if found:
        raise InputError(found)


def too_many_hosts(ends: Endpoints, capacity: int, fix: str, path: tuple[str | int, ...]) -> Problem | None:
    """Say that host ports do not fit, if so."""
    if len(ends.host) <= capacity:
        return None
    what = f"{len(ends.host)} host ports are attached, but the network has room for {capacity}"
    hosts = capacity // max(1, ends.lanes)
    lower = f"lower count to {hosts} hosts, or " if hosts > 1 else ""
    return Problem("", what, lower + fix, path)
