"""Exports, and graph libraries as independent judges of what generators wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import fabrics
import igraph
import networkx as nx
import numpy as np
import pytest
from scipy.sparse import csgraph

from fabrictool.fabric import KINDS, Fabric
from fabrictool.routing.dmodk import rank_tables
from fabrictool.routing.loads import paths

FABRICS: dict[str, Callable[[], Fabric]] = {
    "ft16": lambda: fabrics.pgft((4, 4), (1, 4), (1, 1)),
    "ft64 2:1": lambda: fabrics.pgft((8, 8), (1, 4), (1, 1)),
    "k = 4": lambda: fabrics.pgft((2, 2, 4), (1, 2, 2), (1, 1, 1)),
    "parallel cables": lambda: fabrics.pgft((8, 4, 4), (1, 4, 4), (1, 2, 2)),
    "last pod half full": lambda: fabrics.pgft((4, 4, 3), (1, 4, 4), (1, 1, 1), ports=39),
    "rails, a host missing": lambda: fabrics.rails(7, 4, 4, 2, 4),
}
FULL = ("ft16", "k = 4", "parallel cables")
_built: dict[str, Fabric] = {}


def _fabric(name: str) -> Fabric:
    if name not in _built:
        _built[name] = FABRICS[name]()
    return _built[name]


@pytest.fixture(params=FABRICS)
def fabric(request: pytest.FixtureRequest) -> Fabric:
    return _fabric(request.param)


def _links(fabric: Fabric) -> list[tuple[str, str]]:
    a, z = fabric.ends
    return [(fabric.names[i], fabric.names[j]) for i, j in zip(a.tolist(), z.tolist(), strict=True)]


def test_the_multigraph_has_every_device_and_every_parallel_link(fabric: Fabric) -> None:
    graph = fabric.to_networkx()
    assert isinstance(graph, nx.MultiGraph)
    assert list(graph.nodes) == fabric.names
    assert graph.number_of_edges() == len(fabric.links)
    expected = Counter(frozenset(pair) for pair in _links(fabric))
    assert Counter(frozenset(pair) for pair in graph.edges()) == expected


def test_attributes_of_networkx_are_the_columns(fabric: Fabric) -> None:
    graph = fabric.to_networkx()
    for row, name in enumerate(fabric.names):
        device = graph.nodes[name]
        assert device["kind"] == KINDS[fabric.devices.kind[row]]
        assert device["type"] == fabric.types[fabric.devices.type[row]]
        for column in ("tier", "pod", "rail", "plane", "index", "latency_s"):
            assert device[column] == getattr(fabric.devices, column)[row]
        assert device["network"] == (None if device["tier"] == 0 else "compute")
    for a, z, key, link in graph.edges(keys=True, data=True):
        ends = {f"{a}:{link['a_port']} - {z}:{link['z_port']}", f"{z}:{link['a_port']} - {a}:{link['z_port']}"}
        assert fabric.link_name(key) in ends
        assert link["link"] == key
        assert (link["speed_bps"], link["latency_s"], link["network"]) == (400e9, 5e-7, "compute")
        assert link["rail"] == fabric.ports.rail[fabric.links.port_a[key]]
        assert link["a_cage"] == fabric.ports.cage[fabric.links.port_a[key]]


def test_igraph_keeps_row_order_and_the_same_attributes(fabric: Fabric) -> None:
    graph, other = fabric.to_igraph(), fabric.to_networkx()
    assert isinstance(graph, igraph.Graph)
    assert graph.vs["name"] == fabric.names
    assert [{*edge.tuple} for edge in graph.es] == [{*pair} for pair in zip(*fabric.ends, strict=True)]
    devices, links = set(other.nodes[fabric.names[0]]), set(next(iter(other.edges(data=True)))[2])
    assert set(graph.vs.attributes()) == devices | {"name"}
    assert set(graph.es.attributes()) == links
    for attribute in devices:
        assert graph.vs[attribute] == [other.nodes[name][attribute] for name in fabric.names]
    by_key = {key: link for _, _, key, link in other.edges(keys=True, data=True)}
    for attribute in links:
        assert graph.es[attribute] == [by_key[row][attribute] for row in range(len(fabric.links))]


def test_the_adjacency_counts_parallel_links(fabric: Fabric) -> None:
    matrix = fabric.to_scipy()
    names = fabric.names
    assert (matrix != matrix.T).nnz == 0
    assert matrix.sum() == 2 * len(fabric.links)
    expected = nx.to_numpy_array(fabric.to_networkx(), nodelist=names, dtype=int)
    assert np.array_equal(matrix.toarray(), expected)
    assert np.array_equal(fabric.to_igraph().get_adjacency_sparse().toarray(), expected)


def test_the_adjacency_of_one_network() -> None:
    fabric = _fabric("ft16")
    assert (fabric.to_scipy("compute") != fabric.to_scipy()).nnz == 0
    with pytest.raises(ValueError, match="storage"):
        fabric.to_scipy("storage")


def test_both_libraries_find_one_component(fabric: Fabric) -> None:
    assert nx.is_connected(fabric.to_networkx())
    assert fabric.to_igraph().is_connected()
    assert csgraph.connected_components(fabric.to_scipy(), directed=False)[0] == 1


def test_walks_have_the_length_of_shortest_paths(fabric: Fabric) -> None:
    """Between hosts that do not share a scale-up domain; igraph measures the distances."""
    tables, ranks = rank_tables(fabric, 0)[0], len(fabric.gpus)
    source, target = (column.ravel().astype(np.int32) for column in np.divmod(np.arange(ranks * ranks), ranks))
    _, length = paths(tables, source, target)
    hosts = fabric.gpus.host
    distance = np.array(fabric.to_igraph().distances())[hosts[source], hosts[target]]
    apart = hosts[source] != hosts[target]
    if fabric.networks[0].family == "fat-tree":
        assert np.array_equal(length[apart], distance[apart])
    else:  # a rail is a rank's own, so the way to another rail is longer than between their hosts
        same_rail = fabric.gpus.index[source] == fabric.gpus.index[target]
        assert np.array_equal(length[apart & same_rail], distance[apart & same_rail])
        assert (length[apart & ~same_rail] == 4).all()


def test_walks_are_paths_in_the_graph(fabric: Fabric) -> None:
    tables, ranks = rank_tables(fabric, 0)[0], len(fabric.gpus)
    rng = np.random.default_rng(1)
    source = rng.integers(0, ranks, 100).astype(np.int32)
    target = rng.integers(0, ranks, 100).astype(np.int32)
    apart = fabric.gpus.host[source] != fabric.gpus.host[target]
    source, target = source[apart], target[apart]
    walks, length = paths(tables, source, target)
    a, z = fabric.ends
    for s, d, row, count in zip(source, target, walks, length, strict=True):
        at = fabric.gpus.host[s]
        for channel in row[:count]:
            lower, upper = a[channel // 2], z[channel // 2]
            before, after = (lower, upper) if channel % 2 == 0 else (upper, lower)
            assert before == at
            at = after
        assert at == fabric.gpus.host[d]


@pytest.mark.parametrize("name", FULL)
def test_halves_of_a_full_tree_are_joined_by_half_as_many_links_as_hosts(name: str) -> None:
    fabric = _fabric(name)
    assert _flow_between_halves(fabric) == len(fabric.gpus) // 2


def test_halves_of_a_tree_at_two_to_one_are_joined_by_a_quarter() -> None:
    assert _flow_between_halves(_fabric("ft64 2:1")) == 16


def _flow_between_halves(fabric: Fabric) -> int:
    graph: nx.DiGraph[object] = nx.DiGraph()
    matrix = fabric.to_scipy().tocoo()
    for i, j, count in zip(*matrix.coords, matrix.data, strict=True):
        graph.add_edge(int(i), int(j), capacity=int(count))
    hosts = np.flatnonzero(fabric.devices.tier == 0).tolist()
    half = len(hosts) // 2
    graph.add_edges_from((("from", host) for host in hosts[:half]), capacity=1)
    graph.add_edges_from(((host, "to") for host in hosts[half:]), capacity=1)
    flow = nx.maximum_flow_value(graph, "from", "to")
    judge = fabric.to_igraph()
    judge.es["capacity"] = 1
    first, last = judge.add_vertex().index, judge.add_vertex().index
    judge.add_edges([(first, host) for host in hosts[:half]] + [(last, host) for host in hosts[half:]])
    judge.es["capacity"] = [1] * judge.ecount()
    assert judge.maxflow_value(first, last, "capacity") == flow
    return int(flow)
