"""Schedules whose switches reduce: those of the network (SHARP), of a scale-up domain (NVLS), and both in turn.

References
----------
R. L. Graham et al., "Scalable hierarchical aggregation protocol (SHArP)", COM-HPC 2016; NVIDIA NCCL 2.30.7,
src/device/all_reduce.h (NVLS: each rank reads its part summed by the switch, and stores it to all at once) and
src/graph/trees.cc (trees over domains).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fabrictool.collectives.domains import I8, Domains, domains_of
from fabrictool.collectives.entries import CHUNKS, Group, Round, Schedule, Trees
from fabrictool.collectives.hierarchy import phased
from fabrictool.collectives.pipelines import second_tree, tree_parents
from fabrictool.fabric.tables import F8, I4

Passes = tuple[tuple[str, str], ...]

REDUCE: Passes = (("all", "part"),)
GATHER: Passes = (("part", "all"),)
ALL: Passes = (("all", "all"),)


def _reduction(member: I4, part: F8, share: float, passes: Passes, inside: bool) -> Round:
    """Return a round with one tree for each row of members; parts are (groups, members) too."""
    none = np.zeros(0, np.int32)
    first = np.arange(len(member) + 1, dtype=np.int64) * member.shape[1]
    return Round(none, none, 0.0, 1, (Trees(member.ravel(), first, part.ravel(), share, passes, inside),))


def _over_rails(found: Domains, passes: Passes, part: F8) -> Round:
    """Return a tree for each leader over the domains; ``part`` is that of each domain."""
    rails = found.leaders
    return _reduction(found.leader.T, np.tile(part, (rails, 1)), 1 / rails, passes, inside=False)


def _root(found: Domains) -> F8:
    """Return parts that give all to the first domain."""
    return np.eye(1, len(found)).ravel()


def sharp_all_reduce(group: Group) -> Schedule:
    """Reduce-scatter inside each domain, a tree over the switches for each leader, all-gather inside."""
    found = domains_of(group)
    tree = _over_rails(found, ALL, found.sizes / group.size)
    inside = list(found.ring_inside())
    yield from phased(group, inside, found.to_leaders(), [tree], found.from_leaders(), inside)


def sharp_reduce_scatter(group: Group) -> Schedule:
    """Reduce-scatter inside each domain, then a tree for each leader; each domain gets its ranks' blocks."""
    found = domains_of(group)
    tree = _over_rails(found, REDUCE, found.sizes / group.size)
    yield from phased(group, found.ring_inside(), found.to_leaders(), [tree], found.hand_out())


def sharp_all_gather(group: Group) -> Schedule:
    """A tree for each leader that copies each domain's blocks to all, then all-gather inside."""
    found = domains_of(group)
    tree = _over_rails(found, GATHER, found.sizes / group.size)
    yield from phased(group, found.hand_in(), [tree], found.from_leaders(), found.ring_inside())


def sharp_broadcast(group: Group) -> Schedule:
    """Rank 0 deals S out to leaders of its domain, a tree for each copies it to all domains, then all-gather inside."""
    found = domains_of(group)
    tree = _over_rails(found, GATHER, _root(found))
    yield from phased(group, found.deal(), [tree], found.from_leaders(), found.ring_inside())


def sharp_reduce(group: Group) -> Schedule:
    """Reduce-scatter inside each domain, a tree for each leader to the domain of rank 0, and gather there."""
    found = domains_of(group)
    tree = _over_rails(found, REDUCE, _root(found))
    gathered = [entry.backwards() for entry in found.deal()]
    yield from phased(group, found.ring_inside(), found.to_leaders(), [tree], gathered)


def _inside(found: Domains, passes: Passes) -> Iterator[Round]:
    """Yield a round in which the switch of each domain reduces, or copies; parts are those of leaders."""
    for size in np.unique(found.sizes).tolist():
        if size > 1:
            start = found.first[:-1][found.sizes == size][:, None]
            part = (np.arange(size) < found.leaders) / found.leaders
            yield _reduction(found.rank[start + np.arange(size)], np.tile(part, (len(start), 1)), 1.0, passes, True)


def nvls_all_reduce(group: Group) -> Schedule:
    """Each rank reads its part of S summed by the switch and stores it to all: S (G + 1)/G in and out of each."""
    yield from _inside(domains_of(group), (*REDUCE, *GATHER))


def nvls_reduce_scatter(group: Group) -> Schedule:
    """Each rank reads its part of S summed by the switch: S out of each, S/G in."""
    yield from _inside(domains_of(group), REDUCE)


def nvls_all_gather(group: Group) -> Schedule:
    """Each rank stores its block to all: S/G out of each, S in."""
    yield from _inside(domains_of(group), GATHER)


def nvls_tree(group: Group) -> Schedule:
    """The switch of each domain reduces, two trees over the domains for each leader do, and the switches copy.

    Chunks follow each other through all of it.
    """
    found = domains_of(group)
    up = list(_tree_levels(found))
    down = [entry.backwards() for entry in reversed(up)]
    inside = list(_inside(found, REDUCE)), list(_inside(found, GATHER))
    yield from phased(group, inside[0], up, down, inside[1], chunks=group.chunks or CHUNKS)


def _tree_levels(found: Domains) -> Iterator[Round]:
    """Yield what goes up two binary trees over the domains, from the farthest level on, S / 2 / leaders each."""
    trees = [tree_parents(len(found))]
    trees.append(second_tree(trees[0]))
    depths = [_depth(parent) for parent in trees]
    for level in range(max(int(depth.max()) for depth in depths), 0, -1):
        child = [np.flatnonzero(depth == level) for depth in depths]
        above = np.concatenate([parent[at] for parent, at in zip(trees, child, strict=True)])
        below = np.concatenate(child)
        yield Round(found.leader[below].ravel(), found.leader[above].ravel(), 0.5 / found.leaders)


def _depth(parent: I8) -> I8:
    """Return how many parents are above each."""
    depth, at = np.zeros(len(parent), np.int64), parent.copy()
    while (at >= 0).any():
        depth[at >= 0] += 1
        at = np.where(at >= 0, parent[at], -1)
    return depth
