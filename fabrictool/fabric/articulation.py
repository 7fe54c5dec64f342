"""Articulation points and bridges of the graph of switches: what splits a network when it is lost."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fabrictool.fabric.grouping import codes
from fabrictool.fabric.tables import I4, Bool

Pairs = I4


def weak_vertices(pairs: Pairs) -> tuple[I4, Pairs]:
    """Return the articulation points and the bridges of a simple undirected graph.

    Parameters
    ----------
    pairs : (edges, 2) int32
        Vertices that an edge joins, each edge once.

    Returns
    -------
    points : (points,) int32
        Vertices whose loss splits a connected part, in ascending order.
    bridges : (bridges, 2) int32
        Edges whose loss does.

    Notes
    -----
    Of vertices with the same neighbours, of which a tree of switches is full, two say as much as all:
    the search runs over what is left when the others are put aside.

    References
    ----------
    J. Hopcroft, R. Tarjan, "Algorithm 447: efficient algorithms for graph manipulation", CACM 16(6), 1973.
    """
    if not len(pairs):
        return np.empty(0, np.int32), np.empty((0, 2), np.int32)
    kept = _without_twins(pairs)
    inside = kept[pairs].all(axis=1)
    points, bridges = _search(_neighbours(pairs[inside]))
    aside = pairs[~inside]
    degree = np.bincount(pairs.ravel())
    bridges += [tuple(pair) for pair in aside[(degree[aside] == 1).any(axis=1)].tolist()]
    return np.array(sorted(points), np.int32), np.array(sorted(bridges), np.int32).reshape(-1, 2)


def _without_twins(pairs: Pairs) -> Bool:
    """Return the vertices to keep: two of each set with the same neighbours."""
    size = int(pairs.max()) + 1
    rng = np.random.default_rng(0)
    mark = rng.integers(1, 2**63, size, np.uint64)
    found = np.zeros((2, size), np.uint64)
    for way in (0, 1):
        np.add.at(found[0], pairs[:, way], mark[pairs[:, 1 - way]])
        np.bitwise_xor.at(found[1], pairs[:, way], mark[pairs[:, 1 - way]])
    alike, _ = codes(*found)
    order = np.argsort(alike, kind="stable")
    first = np.searchsorted(alike[order], alike[order])
    kept = np.zeros(size, bool)
    kept[order] = np.arange(size) - first < 2
    return kept


def _neighbours(pairs: Pairs) -> dict[int, list[int]]:
    both = np.concatenate((pairs, pairs[:, ::-1]))
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    vertices, first = np.unique(both[:, 0], return_index=True)
    return {
        vertex: near.tolist() for vertex, near in zip(vertices.tolist(), np.split(both[:, 1], first[1:]), strict=True)
    }


def _search(near: dict[int, list[int]]) -> tuple[set[int], list[tuple[int, ...]]]:
    """Search in depth from a vertex of each part; return articulation points and bridges."""
    points: set[int] = set()
    bridges: list[tuple[int, ...]] = []
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    for root in near:
        if root in order:
            continue
        children = 0
        for above, below in _closed(root, near, order, low):
            children += above == root
            if above != root and low[below] >= order[above]:
                points.add(above)
            if low[below] > order[above]:
                bridges.append((min(above, below), max(above, below)))
        if children > 1:
            points.add(root)
    return points, bridges


def _closed(
    root: int, near: dict[int, list[int]], order: dict[int, int], low: dict[int, int]
) -> Iterator[tuple[int, int]]:
    """Yield each vertex of a search tree after all below it, as (parent, vertex), with ``low`` made for it."""
    order[root] = low[root] = len(order)
    path: list[tuple[int, int, Iterator[int]]] = [(-1, root, iter(near[root]))]
    while path:
        parent, vertex, rest = path[-1]
        for other in rest:
            if other not in order:
                order[other] = low[other] = len(order)
                path.append((vertex, other, iter(near[other])))
                break
            if other != parent:
                low[vertex] = min(low[vertex], order[other])
        else:
            path.pop()
            if parent >= 0:
                low[parent] = min(low[parent], low[vertex])
                yield parent, vertex
