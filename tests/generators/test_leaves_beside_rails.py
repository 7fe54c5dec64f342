"""Storage and other services on leaves of their own beside the rails of GPU hosts, under the same spines."""

from __future__ import annotations

from typing import Any

import fabrics
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.cli.show import summary
from fabrictool.errors import InputError
from fabrictool.fabric import Fabric
from fabrictool.fabric.counting import network_counts
from fabrictool.fabric.rules import Stated, design_findings
from fabrictool.routing.dmodk import rank_tables
from fabrictool.routing.loads import paths

SWITCH = {"name": "sw", "ports": 64, "speed": "400G"}


def _groups(hosts: int, gpus: int, stores: int) -> list[dict[str, Any]]:
    store = {"name": "s", "gpus": 0, "nics": 1, "speed": "400G"}
    return [
        {"name": "dgx", "type": fabrics.host_type(gpus), "count": hosts},
        {"name": "store", "type": store, "count": stores, "role": "service"},
    ]


def _build(hosts: int = 16, gpus: int = 4, stores: int = 12, unit: int = 8, **network: Any) -> Fabric:
    leaf = [{"type": SWITCH, "hosts": ["dgx"]}, {"type": SWITCH, "hosts": ["store"], "down": 6, "up": 4}]
    parts = {"family": "rail-optimized", "scalable_unit": {"hosts": unit}, "leaf": leaf} | network
    return fabrics.fabric_of(_groups(hosts, gpus, stores), **parts)


def test_storage_beside_rails() -> None:
    """2 units x 4 rails of 8 uplinks and 2 leaves of 4: 72 links, which 2 spines of 64 ports take evenly."""
    fabric = _build()
    assert network_counts(fabric)["compute"] == {
        "hosts": 16, "leaf": 10, "spine": 2, "core": 0, "service": 12, "links": 64 + 12 + 72, "cables": 148,
    }  # fmt: skip
    spines = fabric.ends[1][fabric.devices.tier[fabric.ends[0]] == 1]
    assert np.unique(spines, return_counts=True)[1].tolist() == [36, 36]
    graph = fabric.to_networkx()
    assert {name for name in graph["leaf-09"] if name.startswith("store")} == {f"store-{n:02d}" for n in range(1, 7)}
    assert {name for name in graph["leaf-02"] if name.startswith("dgx")} == {f"dgx-{n:02d}" for n in range(1, 9)}
    findings = design_findings(fabric, {"compute": Stated(kinds_of_leaf=2)})
    assert not [row for row in findings if row.id in ("wrong-rail", "rail-split", "unequal-uplinks")]


def test_rails_are_wired_as_they_would_be_alone() -> None:
    alone = fabrics.fabric_of(
        _groups(16, 4, 12)[:1], family="rail-optimized", scalable_unit={"hosts": 8}, leaf={"type": SWITCH}
    )
    beside, graph = _build().to_networkx(), alone.to_networkx()
    ends = ("dgx", "leaf")
    expected = {frozenset(edge[:2]) for edge in graph.edges() if {name.split("-")[0] for name in edge[:2]} == {*ends}}
    assert expected <= {frozenset(edge[:2]) for edge in beside.edges()}
    assert [row["hops"]["compute"] for row in (summary(alone), summary(_build()))] == [{"2": 112, "4": 128}] * 2


def test_two_kinds_of_gpu_hosts_have_units_that_count_through() -> None:
    groups = [*_groups(16, 4, 0)[:1], {"name": "big", "type": fabrics.host_type(8) | {"name": "b"}, "count": 4}]
    leaf = [{"type": SWITCH, "hosts": ["dgx"]}, {"type": SWITCH, "hosts": ["big"], "up": 8}]
    network = {"family": "rail-optimized", "scalable_unit": {"hosts": 8}, "leaf": leaf}
    fabric = fabrics.fabric_of(groups, **network)
    leaves = fabric.devices.tier == 1
    assert np.unique(fabric.devices.pod[leaves], return_counts=True)[1].tolist() == [4, 4, 8]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 20), st.integers(1, 4), st.integers(1, 30), st.integers(1, 8), st.integers(1, 12), st.integers(1, 4)
)
def test_any_storage_beside_any_rails(hosts: int, gpus: int, stores: int, unit: int, down: int, up: int) -> None:
    """Every port is used once, leaves reach all spines alike, and GPUs reach each other; or it is refused."""
    leaf = [
        {"type": SWITCH, "hosts": ["dgx"], "up": 4},
        {"type": SWITCH, "hosts": ["store"], "down": down, "up": 4 * up},
    ]
    links = -(-hosts // unit) * gpus * 4 + -(-stores // down) * 4 * up
    if links > 4 * 64:
        with pytest.raises(InputError, match="do not spread evenly"):
            _build(hosts, gpus, stores, unit, leaf=leaf)
        return
    fabric = _build(hosts, gpus, stores, unit, leaf=leaf)
    ends = np.concatenate((fabric.links.port_a, fabric.links.port_z))
    assert len(np.unique(ends)) == len(ends)
    graph, tier = fabric.to_networkx(), fabric.devices.tier
    names = np.array(fabric.names)
    for name in names[tier == 1]:
        assert len({graph.number_of_edges(name, spine) for spine in names[tier == 2]}) == 1
    assert {graph.degree(name) for name in names[fabric.devices.kind == 1]} == {1}
    assert nx.is_connected(nx.Graph(graph))
    source, target = np.argwhere(~np.eye(hosts * gpus, dtype=bool)).T.astype(np.int32)
    _, length = paths(rank_tables(fabric, 0)[0], source, target)
    assert (length > 0).all()


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"levels": 3}, "leaves of several kinds make a rail-optimized network of 2 levels, not 3; use 'levels: 2'"),
    ({"core": {"type": SWITCH}}, "a rail-optimized network takes no 'core'"),
    ({"scalable_unit": None}, "the size of a scalable unit is not given; add 'scalable_unit: .hosts: 32.'"),
    ({"rails": 3}, "a host has 4 attached ports, but there are 3 rails; use 'rails: 4'"),
    ({"spine": {"type": SWITCH, "count": 3}}, "72 uplinks, 8 and 4 a leaf, .* use one of 2, 4"),
]


@pytest.mark.parametrize(("network", "words"), WRONG)
def test_what_does_not_go_beside_rails(network: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        _build(**network)
