"""Dragonflies against closed forms of the paper, the Frontier system, and networkx on small ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fabrics
import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.cli.show import summary
from fabrictool.errors import InputError, NotSupportedError
from fabrictool.evaluation import evaluate
from fabrictool.fabric import Fabric
from fabrictool.fabric.counting import link_counts, oversubscription
from fabrictool.layout.reading import layout_from_tree
from fabrictool.routing.dmodk import rank_tables

TOPOLOGIES = Path(__file__).parents[2] / "topologies"
SW7 = {"name": "router7", "ports": 7, "speed": "400G"}
KIM = {"p": 2, "a": 4, "h": 2, "groups": 9}


def _dragonfly(shape: dict[str, Any], hosts: int, ports: int = 64, gpus: int = 1, **more: Any) -> Fabric:
    switch = {"name": "router", "ports": ports, "speed": "400G"}
    group = {"name": "host", "type": fabrics.host_type(gpus), "count": hosts}
    return fabrics.fabric_of(group, **({"family": "dragonfly", "dragonfly": shape, "leaf": {"type": switch}} | more))


def _counted(fabric: Fabric) -> dict[tuple[str, str, str | None], int]:
    return {(row.a, row.z, row.scope): row.count for row in link_counts(fabric)}


def _routers(fabric: Fabric) -> networkx.MultiGraph[str]:
    graph = fabric.to_networkx()
    return graph.subgraph([name for name, tier in graph.nodes(data="tier") if tier])


@pytest.mark.parametrize(
    ("shape", "hosts", "ports", "routers", "local", "between"),
    [(KIM, 72, 7, 36, 54, 36), ({"p": 4, "a": 8, "h": 4, "groups": 33}, 1056, 15, 264, 924, 528)],
)
@pytest.mark.parametrize("arrangement", ["relative", "absolute"])
def test_balanced_dragonflies_of_the_paper(
    shape: dict[str, Any], hosts: int, ports: int, routers: int, local: int, between: int, arrangement: str
) -> None:
    """Kim et al. 2008, section 3.1: a = 2p = 2h, g = a h + 1; every port in use, three hops at most."""
    fabric = _dragonfly(shape | {"arrangement": arrangement}, hosts, ports)
    assert (fabric.devices.tier == 1).sum() == routers
    assert _counted(fabric) == {
        ("host", "router", None): hosts,
        ("router", "router", "local"): local,
        ("router", "router", "global"): between,
    }
    assert (fabric.ports.peer >= 0).all()
    assert networkx.diameter(_routers(fabric)) == 3


def test_frontier() -> None:
    """74 compute groups of 32 switches with 16 host ports, 4 links a pair of groups: taper 57 %."""
    shape = {"p": 16, "a": 32, "h": 17, "groups": 74, "links_per_pair": 4}
    fabric = _dragonfly(shape, 9472, gpus=4)
    assert (fabric.devices.tier == 1).sum() == 2368
    assert _counted(fabric) == {
        ("host", "router", None): 37888,
        ("router", "router", "local"): 36704,
        ("router", "router", "global"): 10804,
    }
    assert 1 / oversubscription(fabric, 0)[0] == pytest.approx(292 / 512)
    router = fabric.devices.tier == 1
    used = np.bincount(fabric.ports.device, fabric.ports.peer >= 0)[router]
    assert set(used.tolist()) == {16 + 31 + 9, 16 + 31 + 10}


def test_frontier_with_its_groups_for_storage_and_management() -> None:
    """2,464 switches in 80 groups: 74 of 32 and 6 of 16."""
    groups = [{"count": 74}, {"count": 6, "a": 16}]
    fabric = _dragonfly({"p": 16, "a": 32, "h": 20, "groups": groups, "links_per_pair": 4}, 9472, 67, gpus=4)
    router = fabric.devices.tier == 1
    assert router.sum() == 2464
    assert np.bincount(fabric.devices.pod[router]).tolist() == [32] * 74 + [16] * 6
    assert _counted(fabric)["router", "router", "global"] == 80 * 79 // 2 * 4


def test_ports_in_order_hosts_local_global() -> None:
    fabric = _dragonfly(KIM, 72, 7)
    ends = {fabric.link_name(link) for link in range(len(fabric.links))}
    assert {"host-01:1 - router-01:1", "host-02:1 - router-01:2", "host-03:1 - router-02:1"} <= ends
    assert {"router-01:3 - router-02:3", "router-01:4 - router-03:3", "router-03:5 - router-04:5"} <= ends
    # relative: the first global port of group 0 leads to group 1, whose last one leads back
    assert {"router-01:6 - router-08:7", "router-01:7 - router-12:6", "router-04:7 - router-33:6"} <= ends


def test_absolute_arrangement_starts_with_group_0() -> None:
    fabric = _dragonfly(KIM | {"arrangement": "absolute"}, 72, 7)
    ends = {fabric.link_name(link) for link in range(len(fabric.links))}
    assert {"router-01:6 - router-05:6", "router-04:7 - router-33:6", "router-08:7 - router-33:7"} <= ends


@st.composite
def _shapes(draw: st.DrawFn) -> dict[str, Any]:
    group = st.one_of(
        st.integers(1, 6),
        st.fixed_dictionaries({"a": st.integers(1, 6)}, optional={"p": st.integers(0, 3), "h": st.integers(0, 6)}),
    )
    groups = draw(st.one_of(st.integers(1, 12), st.lists(group, min_size=1, max_size=8)))
    shape = {"p": draw(st.integers(1, 4)), "a": draw(st.integers(1, 6)), "h": draw(st.integers(1, 8)), "groups": groups}
    if draw(st.booleans()):
        shape["links_per_pair"] = draw(st.integers(1, 3))
    return shape | {"arrangement": draw(st.sampled_from(["relative", "absolute"]))}


@settings(max_examples=60, deadline=None)
@given(_shapes(), st.integers(2, 10), st.integers(1, 2))
def test_any_dragonfly_is_whole_or_refused(shape: dict[str, Any], hosts: int, gpus: int) -> None:
    try:
        fabric = _dragonfly(shape, hosts, gpus=gpus)
    except InputError:
        return
    graph, pod, names = _routers(fabric), fabric.devices.pod, fabric.names
    groups = pod.max() + 1
    per_pair = np.zeros((groups, groups), int)
    place = {name: int(pod[row]) for row, name in enumerate(names)}
    for a, z in graph.edges():
        per_pair[tuple(sorted((place[a], place[z])))] += 1
    sizes = np.bincount(pod[fabric.devices.tier == 1])
    assert np.diag(per_pair).tolist() == (sizes * (sizes - 1) // 2).tolist()
    between = per_pair[np.triu_indices(groups, 1)]
    if "links_per_pair" in shape:
        assert (between == shape["links_per_pair"]).all()
    elif len(between):
        assert between.min() >= 1
        assert between.max() - between.min() <= 1
    assert networkx.is_connected(graph)
    _evenly_spread(fabric, graph, place)


def _evenly_spread(fabric: Fabric, graph: networkx.MultiGraph[str], place: dict[str, int]) -> None:
    """Each router joins every other of its group once; a group's global links lie evenly on its routers."""
    for group in {place[name] for name in graph}:
        members = [name for name in graph if place[name] == group]
        inside = graph.subgraph(members)
        assert networkx.density(networkx.Graph(inside)) == (1 if len(members) > 1 else 0)
        outside = [graph.degree(name) - len(members) + 1 for name in members]
        assert max(outside) - min(outside) <= 1


@settings(max_examples=40, deadline=None)
@given(_shapes(), st.integers(2, 10), st.integers(1, 3))
def test_hops_as_networkx_counts_them(shape: dict[str, Any], hosts: int, gpus: int) -> None:
    try:
        fabric = _dragonfly(shape, hosts, gpus=gpus)
    except InputError:
        return
    graph = fabric.to_networkx()
    away = dict(networkx.all_pairs_shortest_path_length(_routers(fabric)))
    at = {f: set(graph[f]) for f, tier in graph.nodes(data="tier") if tier == 0}
    expected: dict[str, int] = {}
    for source, near in at.items():
        for target, far in at.items():
            if source != target:
                links = 2 + min(away[a][z] for a in near for z in far)
                expected[str(links)] = expected.get(str(links), 0) + 1
    assert summary(fabric)["hops"]["compute"] == expected


@pytest.mark.parametrize(
    ("change", "hosts", "ports", "words"),
    [
        ({"groups": 10}, 72, 7, "at most 9 groups, or h of 3 or more"),
        ({"links_per_pair": 2}, 72, 7, "at most 5 groups, or h of 4 or more"),
        ({"groups": [4, 4, {"h": 0}]}, 10, 7, "use at most 1 group, or h of 1 or more"),
        ({}, 73, 7, "lower count to 72 hosts"),
        ({}, 72, 6, "lower h to 1 or lower a to 3"),
        ({"a": None}, 72, 7, "the number of routers in a group is not given"),
        ({"groups": 0}, 72, 7, "at least 1"),
        ({"arrangement": "random"}, 72, 7, "known are absolute, relative"),
        ({"radix": 7}, 72, 7, "unknown key 'radix'"),
    ],
)
def test_errors_name_the_nearest_possible_value(change: dict[str, Any], hosts: int, ports: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        _dragonfly(KIM | change, hosts, ports)


def test_all_errors_at_once_and_counts_in_two_places() -> None:
    with pytest.raises(InputError) as caught:
        _dragonfly(KIM | {"groups": 20}, 200, leaf={"type": SW7, "count": 36})
    said = [problem.what for problem in caught.value.problems]
    assert len(said) == 3
    assert said[0] == "leaf.count is given, but dragonfly says how many there are"
    assert "each of 19 other groups" in said[1]
    assert "room for 160" in said[2]


def test_d_mod_k_refuses_a_dragonfly() -> None:
    fabric = _dragonfly(KIM, 72, 7)
    with pytest.raises(NotSupportedError, match="D-mod-k routes trees, but in network compute \\(dragonfly\\)"):
        rank_tables(fabric, 0)


def test_routing_is_minimal_unless_told_and_d_mod_k_is_refused_by_score() -> None:
    network = {"family": "dragonfly", "dragonfly": KIM, "leaf": {"type": SW7}}
    tree = {"name": "d", "hosts": {"type": fabrics.host_type(), "count": 72}, "networks": {"compute": network}}
    assert layout_from_tree(tree).networks["compute"].routing_name == "minimal"
    layout = layout_from_tree(tree | {"networks": {"compute": network | {"routing": "d-mod-k"}}})
    with pytest.raises(NotSupportedError, match="use minimal"):
        evaluate(layout)


def test_links_per_pair_and_arrangement_may_stand_in_the_network() -> None:
    inside = _dragonfly(KIM | {"groups": 3, "links_per_pair": 2, "arrangement": "absolute"}, 24)
    beside = _dragonfly(KIM | {"groups": 3}, 24, links_per_pair=2, arrangement="absolute")
    assert (inside.ports.peer == beside.ports.peer).all()
    assert len(beside.links) == 24 + 3 * 6 + 3 * 2
    with pytest.raises(InputError, match="unknown key 'arrangement'"):
        _dragonfly(KIM | {"arrangement": "absolute"}, 72, arrangement="relative")
