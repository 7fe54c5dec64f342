"""Dragonfly+ against closed forms, the listed cables of small ones, and networkx."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fabrics
import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.cli.show import summary
from fabrictool.errors import InputError
from fabrictool.fabric import Fabric
from fabrictool.fabric.counting import link_counts, oversubscription
from fabrictool.generators.building import build
from fabrictool.layout.reading import read_layout

TOPOLOGIES = Path(__file__).parents[2] / "topologies"
SAMPLES = Path(__file__).parent.parent / "data" / "routing"
SHAPE = {"groups": 9, "leaves": 4, "spines": 4, "hosts_per_leaf": 1, "global_per_spine": 2}


def _dragonfly_plus(shape: dict[str, Any], hosts: int, ports: int = 64, gpus: int = 1) -> Fabric:
    switch = {"name": "sw", "ports": ports, "speed": "400G"}
    group = {"name": "host", "type": fabrics.host_type(gpus), "count": hosts}
    return fabrics.fabric_of(group, family="dragonfly-plus", dragonfly_plus=shape, leaf={"type": switch})


@pytest.mark.parametrize(
    ("k", "groups", "hosts", "switches", "between", "per_pair"),
    [(36, 19, 6156, 342, 3078, 18), (36, 325, 105300, 5850, 52650, 1), (40, 401, 160400, 8020, 80200, 1)],
)
def test_full_dragonfly_plus(k: int, groups: int, hosts: int, switches: int, between: int, per_pair: int) -> None:
    """Shpiner et al. 2017: k/2 leaves and spines a group, (k/2)^2 hosts and global ports; every port in use."""
    half = k // 2
    shape = {"groups": groups, "leaves": half, "spines": half, "hosts_per_leaf": half, "global_per_spine": half}
    fabric = _dragonfly_plus(shape, hosts, k)
    tier, pod = fabric.devices.tier, fabric.devices.pod
    assert ((tier == 1).sum(), (tier == 2).sum()) == (switches, switches)
    assert {(row.a, row.z, row.scope): row.count for row in link_counts(fabric)} == {
        ("host", "leaf", None): hosts,
        ("leaf", "spine", "local"): hosts,
        ("spine", "spine", "global"): between,
    }
    assert (fabric.ports.peer >= 0).all()
    assert oversubscription(fabric, 0) == [1.0, 1.0]
    a, z = fabric.ends
    sideways = tier[a] == 2
    pairs, uses = np.unique(np.column_stack((pod[a], pod[z]))[sideways], axis=0, return_counts=True)
    assert len(pairs) == groups * (groups - 1) // 2
    assert set(uses.tolist()) == {per_pair}


@pytest.mark.parametrize("name", ["dfp5-adjacent", "dfp5-rand", "dfp9-valiant-adjacent"])
def test_listed_cables_and_distances(name: str) -> None:
    sample = json.loads((SAMPLES / f"{name}.json").read_text())
    keys = ("groups", "leaves", "spines", "hosts_per_leaf", "global_per_spine")
    shape = {key: sample["fabric"]["params"][key] for key in keys}
    fabric = _dragonfly_plus(shape, len(sample["fabric"]["hosts"]), 12)
    title = dict(zip(sample["fabric"]["hosts"] + sample["fabric"]["switches"], fabric.names, strict=True))
    assert len(title) == len(fabric.devices)
    listed = sorted(sorted((title[a], title[z])) for a, z, _ in sample["fabric"]["cables"])
    a, z = (end.tolist() for end in fabric.ends)
    assert sorted(sorted((fabric.names[i], fabric.names[j])) for i, j in zip(a, z, strict=True)) == listed
    found = summary(fabric)
    if "host_hop_histogram" in sample["expect"]:
        assert found["hops"]["compute"] == sample["expect"]["host_hop_histogram"]
        assert found["bisection_links"]["compute"] == sample["expect"]["mincut_halves"]


@settings(max_examples=50, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "groups": st.integers(1, 12),
            "leaves": st.integers(1, 4),
            "spines": st.integers(1, 4),
            "hosts_per_leaf": st.integers(1, 3),
            "global_per_spine": st.integers(0, 6),
            "arrangement": st.sampled_from(["relative", "absolute"]),
        }
    ),
    st.integers(1, 2),
)
def test_any_dragonfly_plus_is_whole_or_refused(shape: dict[str, Any], gpus: int) -> None:
    hosts = shape["groups"] * shape["leaves"] * shape["hosts_per_leaf"]
    possible = shape["spines"] * shape["global_per_spine"] >= shape["groups"] - 1
    if hosts < 2 or not possible:
        with pytest.raises(InputError):
            _dragonfly_plus(shape, hosts, gpus=gpus)
        return
    fabric = _dragonfly_plus(shape, hosts, gpus=gpus)
    graph = fabric.to_networkx()
    leaves = [name for name, kind in graph.nodes(data="kind") if kind == "leaf"]
    spines = [name for name, kind in graph.nodes(data="kind") if kind == "spine"]
    down = gpus * shape["hosts_per_leaf"]
    assert {graph.degree(leaf) for leaf in leaves} == {down + shape["spines"]}
    degrees = [graph.degree(spine) - shape["leaves"] for spine in spines]
    assert max(degrees) - min(degrees) <= 1
    between = sum(degrees)
    ports = shape["spines"] * shape["global_per_spine"] * shape["groups"]
    assert between == (ports - ports % 2 if shape["groups"] > 1 else 0)
    switches = graph.subgraph(leaves + spines)
    away = dict(networkx.all_pairs_shortest_path_length(switches))
    assert max(away[a][z] for a in leaves for z in leaves) <= 5


def test_a_group_for_storage_beside_those_for_compute() -> None:
    """8 groups of 4 + 4 switches and one of 2 + 2, all with 8 global ports: a link to each of the 8 others."""
    groups = [{"count": 8}, {"leaves": 2, "spines": 2, "hosts_per_leaf": 3, "global_per_spine": 4}]
    fabric = _dragonfly_plus(SHAPE | {"groups": groups}, 8 * 4 + 6, 12)
    tier, pod = fabric.devices.tier, fabric.devices.pod
    assert [np.bincount(pod[tier == level]).tolist() for level in (1, 2)] == [[4] * 8 + [2]] * 2
    hosts = pod[fabric.ends[1]][tier[fabric.ends[0]] == 0]
    assert np.bincount(hosts).tolist() == [4] * 8 + [6]
    a, z = (pod[end][tier[fabric.ends[0]] == 2] for end in fabric.ends)
    assert len(np.unique(np.column_stack((a, z)), axis=0)) == 36
    assert [row.count for row in link_counts(fabric) if row.scope == "local"] == [8 * 16 + 4]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"leaves": st.integers(1, 3), "spines": st.integers(1, 3)},
            optional={
                "count": st.integers(1, 3), "hosts_per_leaf": st.integers(1, 3), "global_per_spine": st.integers(0, 6),
            },
        ),
        min_size=1, max_size=5,
    ),
    st.sampled_from(["relative", "absolute"]),
)  # fmt: skip
def test_any_unequal_groups_are_whole_or_refused(groups: list[dict[str, int]], arrangement: str) -> None:
    each = [SHAPE | row for row in groups for _ in range(row.get("count", 1))]
    room = [row["leaves"] * row["hosts_per_leaf"] for row in each]
    ports = [row["spines"] * row["global_per_spine"] for row in each]
    shape = SHAPE | {"groups": groups, "arrangement": arrangement}
    if sum(room) < 2 or min(ports) < len(each) - 1:
        with pytest.raises(InputError):
            _dragonfly_plus(shape, sum(room))
        return
    fabric = _dragonfly_plus(shape, sum(room))
    graph, pod = fabric.to_networkx(), dict(zip(fabric.names, fabric.devices.pod.tolist(), strict=True))
    used = [0] * len(each)
    joined = set()
    for a, z in graph.edges():
        if pod[a] != pod[z] and not a.startswith("host"):
            used[pod[a]] += 1
            used[pod[z]] += 1
            joined.add(frozenset((pod[a], pod[z])))
    assert len(joined) == len(each) * (len(each) - 1) // 2
    assert all(have <= limit for have, limit in zip(used, ports, strict=True))
    leaves = [name for name, kind in graph.nodes(data="kind") if kind == "leaf"]
    for leaf in leaves:
        row = each[pod[leaf]]
        assert graph.degree(leaf) == row["spines"] + row["hosts_per_leaf"]
    away = dict(networkx.all_pairs_shortest_path_length(networkx.Graph(graph)))
    assert max(away[a][z] for a in leaves for z in leaves) <= 3


@pytest.mark.parametrize(
    ("change", "hosts", "ports", "words"),
    [
        ({"groups": [{"count": 8}, {"global_per_spine": 1}]}, 36, 6, "4 spines with 1 global ports have 4, too few"),
        ({"groups": [{"count": 8}, {"leaves": 9}]}, 36, 6, "a spine of 9 links down and 2 up .* free 5 ports"),
        ({"groups": [4, 4]}, 8, 6, "a mapping of what differs from the others, such as {leaves: 8}"),
        ({"groups": [{"count": 8}, {"leafs": 9}]}, 36, 6, "leafs"),
        ({"groups": 30}, 36, 6, "at most 9 groups, or global_per_spine of 8 or more"),
        ({}, 36, 5, "free 1 port by lowering leaves or global_per_spine"),
        ({"hosts_per_leaf": 4}, 36, 6, "free 2 ports by lowering hosts_per_leaf or spines"),
        ({}, 37, 6, "lower count to 36 hosts"),
    ],
)
def test_errors_name_the_nearest_possible_value(change: dict[str, Any], hosts: int, ports: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        _dragonfly_plus(SHAPE | change, hosts, ports)


def test_shipped_layout_has_the_counts_of_its_source() -> None:
    fabric = build(read_layout(str(TOPOLOGIES / "dragonfly-plus-6156.yaml")))
    found = summary(fabric)
    assert found["network_counts"]["compute"] | {"cables": 0} == {
        "hosts": 6156, "leaf": 342, "spine": 342, "core": 0, "links": 6156 + 6156 + 3078, "cables": 0,
    }  # fmt: skip
    assert found["hops"]["compute"].keys() == {"2", "4", "5"}
