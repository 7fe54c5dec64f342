"""Schedules without barriers: chunks that go on as soon as they have arrived."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fabrictool.collectives.entries import CHUNKS, I8, Group, Pipeline, Round, Schedule

#: Flows of a schedule whose rounds may overlap: they are held in memory together.
MOST_FLOWS = 4_000_000


def double_binary_tree(group: Group) -> Schedule:
    """Two trees with S/2 each, in chunks: up to the root as children deliver, and down again.

    A chunk follows the one before it on the same edge. Each rank is inside one tree and a leaf of the
    other.

    References
    ----------
    P. Sanders, J. Speck, J. L. Träff, "Two-tree algorithms for full bandwidth broadcast, reduction and
    scan", Parallel Computing 35(12), 2009; the trees are those of NCCL (src/graph/trees.cc, 2.30.7).
    """
    chunks = group.chunks or CHUNKS
    parents = tree_parents(group.size)
    parts = [_both_ways(parent, chunks) for parent in (parents, second_tree(parents))]
    flows = len(parts[0].source)
    yield Pipeline(
        np.concatenate([part.source for part in parts]),
        np.concatenate([part.target for part in parts]),
        np.full(2 * flows, 0.5 / chunks),
        np.concatenate([part.later + at * flows for at, part in enumerate(parts)]),
        np.concatenate([part.earlier + at * flows for at, part in enumerate(parts)]),
    )


def tree_parents(size: int) -> I8:
    """Return the parent of each rank in a binary tree of ranks in order; -1 for rank 0, the root.

    With b the lowest bit of a rank, its parent is the rank without b and with 2 b, or, beyond the last
    rank, without b alone.
    """
    rank = np.arange(size, dtype=np.int64)
    low = rank & -rank
    above = (rank ^ low) | (low << 1)
    return np.where(rank == 0, -1, np.where(above < size, above, rank ^ low))


def second_tree(parents: I8) -> I8:
    """Return the parents of the other tree: mirrored for an even number of ranks, else shifted by one."""
    size = len(parents)
    if size % 2:
        rank = (np.arange(size) - 1) % size
        return np.where(parents[rank] < 0, -1, (parents[rank] + 1) % size)
    return np.where(parents[::-1] < 0, -1, size - 1 - parents[::-1])


def _both_ways(parent: I8, chunks: int) -> Pipeline:
    """Return a tree's flows, chunk by chunk on each edge: all edges upwards, then all downwards."""
    child = np.flatnonzero(parent >= 0)
    above, edges = parent[child], len(child)
    edge = np.full(len(parent), -1)
    edge[child] = np.arange(edges)
    inner = edge[above] >= 0
    waits = [
        (edge[above[inner]], np.arange(edges)[inner]),  # up, on what the child brought
        (edges + np.arange(edges)[inner], edges + edge[above[inner]]),  # down, on what came down to the parent
        _at_the_root(above, edge, edges),
    ]
    chunk = np.arange(chunks)
    later = [np.add.outer(one * chunks, chunk).ravel() for one, _ in waits]
    earlier = [np.add.outer(one * chunks, chunk).ravel() for _, one in waits]
    following = np.add.outer(np.arange(2 * edges) * chunks, chunk[1:]).ravel()
    source, target = np.concatenate((child, above)), np.concatenate((above, child))
    return Pipeline(
        np.repeat(source, chunks).astype(np.int32),
        np.repeat(target, chunks).astype(np.int32),
        np.full(2 * edges * chunks, 1.0 / chunks),
        np.concatenate((*later, following)),
        np.concatenate((*earlier, following - 1)),
    )


def _at_the_root(above: I8, edge: I8, edges: int) -> tuple[I8, I8]:
    """Return pairs of edges: down from the root waits for up of each child of the root."""
    first = np.flatnonzero(edge[above] < 0)
    return edges + np.repeat(first, len(first)), np.tile(first, len(first))


def overlapped(schedule: Schedule, size: int) -> Pipeline:
    """Return a schedule's rounds without barriers: a rank goes on when its own part of a round has ended.

    A flow starts when those of the round before that its source sent or received have ended.

    Raises
    ------
    ValueError
        If there are more than ``MOST_FLOWS`` flows.
    """
    rounds = [one for entry in schedule for one in entry.rounds(size)]
    if sum(one.repeat * len(one.source) for one in rounds) > MOST_FLOWS:
        raise ValueError(f"more than {MOST_FLOWS:,} flows")
    found = list(_chained(rounds, size))
    whole = [one for one in rounds for _ in range(one.repeat)]
    return Pipeline(
        np.concatenate([one.source for one in whole]),
        np.concatenate([one.target for one in whole]),
        np.concatenate([one.shares for one in whole]),
        np.concatenate([later for later, _ in found]),
        np.concatenate([earlier for _, earlier in found]),
    )


def _chained(rounds: Iterable[Round], size: int) -> Iterable[tuple[I8, I8]]:
    """Yield what flows of each round wait for: flows at their source in the last round that it took part in."""
    last: list[I8] = [np.zeros(0, np.int64), np.zeros(0, np.int64)]  # ranks, and the flow of theirs
    start = 0
    for one in rounds:
        for _ in range(one.repeat):
            flow = start + np.arange(len(one.source))
            yield _joined(one.source, flow, *last)
            ranks, mine = np.concatenate((one.source, one.target)), np.concatenate((flow, flow))
            kept = ~np.isin(last[0], ranks)
            last = [np.concatenate((last[0][kept], ranks)), np.concatenate((last[1][kept], mine))]
            start += len(flow)


def _joined(source: np.ndarray, flow: I8, ranks: I8, mine: I8) -> tuple[I8, I8]:
    """Return pairs (flow, earlier flow) of the same rank."""
    order = np.argsort(ranks, kind="stable")
    first, after = (np.searchsorted(ranks[order], source, side) for side in ("left", "right"))
    count = after - first
    at = np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
    return np.repeat(flow, count), mine[order][at]
