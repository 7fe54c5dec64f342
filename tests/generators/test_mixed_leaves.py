"""Leaves of several kinds under the same spines."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.errors import InputError, NotSupportedError
from fabrictool.fabric import Fabric
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_bytes, layout_from_tree

SWITCH = {"name": "sw64", "ports": 64, "speed": "400G"}


def _tree(leaves: list[dict[str, Any]], hosts: int = 64, stores: int = 24, **network: Any) -> dict[str, Any]:
    kinds = [{"name": name, "gpus": 0, "nics": 1, "speed": "400G"} for name in ("h", "s")]
    groups = [
        {"name": "host", "type": kinds[0], "count": hosts},
        {"name": "store", "type": kinds[1], "count": stores, "role": "service"},
    ]
    one = {"family": "fat-tree", "speed": "400G", "leaf": leaves} | network
    return {"name": "t", "hosts": groups, "networks": {"storage": one}}


def _entry(group: str, **more: Any) -> dict[str, Any]:
    return {"type": SWITCH, "hosts": [group]} | more


def _build(leaves: list[dict[str, Any]], **more: Any) -> Fabric:
    return build(layout_from_tree(_tree(leaves, **more)))


BOTH = [_entry("host", down=32, up=24), _entry("store", down=12, up=12)]


def test_hosts_and_storage_under_one_set_of_spines() -> None:
    """2 leaves x 24 + 2 x 12 uplinks: 72 links, of which a spine of 64 ports takes no more than 64: two spines."""
    fabric = _build(BOTH)
    tier = fabric.devices.tier
    assert [int(np.count_nonzero(tier == level)) for level in (1, 2)] == [4, 2]
    spine = fabric.ends[1][tier[fabric.ends[0]] == 1]
    assert np.unique(spine, return_counts=True)[1].tolist() == [36, 36]
    assert nx.is_connected(nx.Graph(fabric.to_networkx()))


def test_order_of_entries_is_order_of_leaves() -> None:
    fabric = _build(BOTH)
    pairs = {(fabric.names[a].split("-")[0], fabric.names[z]) for a, z in zip(*fabric.ends, strict=True)}
    assert {pair for pair in pairs if pair[0] in ("host", "store")} == {
        ("host", "leaf-01"), ("host", "leaf-02"), ("store", "leaf-03"), ("store", "leaf-04")
    }  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 40), st.integers(1, 40), st.integers(1, 32), st.integers(1, 32), st.integers(1, 4))
def test_all_pairs_of_leaf_and_spine_are_joined_alike(
    hosts: int, stores: int, down: int, other: int, parallel: int
) -> None:
    """Over the whole space: every port is used once, every host is attached, each leaf's uplinks are even."""
    leaves = [_entry("host", down=down, up=8), _entry("store", down=other, up=8 * parallel)]
    if -(-hosts // down) * 8 + -(-stores // other) * 8 * parallel > 8 * 64:  # 8 is the largest common divisor
        with pytest.raises(InputError, match="do not spread evenly"):
            _build(leaves, hosts=hosts, stores=stores)
        return
    fabric = _build(leaves, hosts=hosts, stores=stores)
    ends = np.concatenate((fabric.links.port_a, fabric.links.port_z))
    assert len(np.unique(ends)) == len(ends)
    graph = fabric.to_networkx()
    tier = fabric.devices.tier
    for leaf in np.flatnonzero(tier == 1).tolist():
        uses = [graph.number_of_edges(leaf, spine) for spine in np.flatnonzero(tier == 2).tolist()]
        assert len(set(uses)) == 1
    assert int(np.count_nonzero(tier[fabric.ends[0]] == 0)) == hosts + stores


WRONG: list[tuple[list[dict[str, Any]], dict[str, Any], str]] = [
    ([_entry("host"), {"type": SWITCH}], {}, "entry 2 of leaf does not say whom it serves; add 'hosts: .group.'"),
    ([_entry("host"), _entry("stor")], {}, "'stor' is not attached to storage; did you mean 'store'"),
    ([_entry("host"), _entry("host")], {}, "'host' is served by two entries of leaf; keep it in one"),
    ([_entry("host")], {}, "no entry of leaf serves 'store'; add it to the hosts of one"),
    (BOTH, {"spine": {"type": SWITCH, "count": 5}}, "72 uplinks, 24 and 12 a leaf, .* use one of 2, 3, 4, 6, 12"),
    (BOTH, {"levels": 3}, "leaves of several kinds make a fat-tree network of 2 levels, not 3"),
    (BOTH, {"k": 4}, "a fat-tree network takes no 'k'"),
    (BOTH, {"spine": {"type": SWITCH, "groups": 2}}, "make one mesh, not 2; remove groups"),
    ([BOTH[0] | {"groups": 2}, BOTH[1]], {}, "leaves have no tier of switches below that falls into groups"),
    ([_entry("host", down=60, up=24), BOTH[1]], {}, "a leaf needs 84 ports for 60 links down and 24 up"),
    ([_entry("host", count=1, down=32), BOTH[1]], {}, "1 leaves of 32 ports hold 32 host ports, but 64 are"),
    ([BOTH[0] | {"up_speed": "200G"}, BOTH[1]], {}, "uplinks of different speeds; give all the same up_speed"),
]


@pytest.mark.parametrize(("leaves", "network", "words"), WRONG)
def test_entries_that_do_not_fit(leaves: list[dict[str, Any]], network: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        _build(leaves, **network)


LINES = """\
name: t
hosts:
  - {name: h, type: {name: h, gpus: 0, nics: 1, speed: 400G}, count: 8}
  - {name: s, type: {name: s, gpus: 0, nics: 1, speed: 400G}, count: 8}
networks:
  n:
    family: fat-tree
    leaf:
      - {type: qm9700, hosts: [h], down: 32, up: 12}
      - {type: qm9700, hosts: [s], down: 32, up: 12}
"""


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("[h], down: 32", "[h], down: 60", "x.yaml:9:9: a leaf needs 72 ports"),
        ("[s], down: 32", "[s], down: 60", "x.yaml:10:9: a leaf needs 72 ports"),
        ("[s], down: 32", "[s], count: 1, down: 4", "x.yaml:10:9: 1 leaves of 4 ports"),
        (", hosts: [s]", "", "x.yaml:10:9: entry 2 of leaf does not say"),
        ("hosts: [s]", "hosts: [x]", "x.yaml:10:24: 'x' is not attached"),
    ],
)
def test_an_entry_is_found_by_its_line(old: str, new: str, place: str) -> None:
    with pytest.raises(InputError, match=place):
        build(layout_from_bytes("x.yaml", LINES.replace(old, new).encode()))


def test_other_families_take_one_kind_of_leaf() -> None:
    tree = _tree(BOTH)
    tree["networks"]["storage"] |= {"family": "rail-only", "scalable_unit": {"hosts": 8}}
    words = "a rail-only network has leaves of one kind; keep one entry of leaf, or use fat-tree or rail-optimized"
    with pytest.raises(NotSupportedError, match=words):
        build(layout_from_tree(tree))
