"""igraph is the judge."""

import igraph
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.fabric.articulation import weak_vertices


def _judged(pairs: np.ndarray) -> tuple[list[int], list[tuple[int, int]]]:
    graph = igraph.Graph(n=int(pairs.max()) + 1, edges=pairs)
    return sorted(graph.articulation_points()), sorted(graph.es[edge].tuple for edge in graph.bridges())


@settings(max_examples=300, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda p: p[0] < p[1]), min_size=1))
def test_any_small_graph(edges: set[tuple[int, int]]) -> None:
    pairs = np.array(sorted(edges), np.int32)
    points, bridges = weak_vertices(pairs)
    assert (points.tolist(), [tuple(pair) for pair in bridges.tolist()]) == _judged(pairs)


@pytest.mark.parametrize("edges", [(0, 400), (390, 410)])
def test_sparse_random_graphs(edges: tuple[int, int]) -> None:
    rng = np.random.default_rng(edges[0])
    pairs = np.unique(np.sort(rng.integers(0, 300, (edges[1], 2)), axis=1), axis=0).astype(np.int32)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    points, bridges = weak_vertices(pairs)
    assert (points.tolist(), [tuple(pair) for pair in bridges.tolist()]) == _judged(pairs)


def test_no_edge_is_weak_nowhere() -> None:
    points, bridges = weak_vertices(np.empty((0, 2), np.int32))
    assert len(points) == len(bridges) == 0
