"""Counting on regular trees by parts and residues, against walking every flow through the switches."""

from __future__ import annotations

from typing import Any

import fabrics
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.formats.recognise import imported_from
from fabrictool.kernels.residues import add_coded_loads
from fabrictool.routing.flows import Flows, Routing, joined_usage, usage_of_paths
from fabrictool.routing.loads import paths
from fabrictool.routing.modk import ModK
from fabrictool.routing.wiring import Wiring, wiring


def _two_planes() -> Wiring:
    """Eight hosts with a port in each of two planes: two leaves and two spines each."""
    rows = ["a_device,a_kind,a_port,z_device,z_kind,z_port,speed"]
    for plane in "ab":
        rows += [f"h{i},host,{plane},leaf-{plane}{i // 4},leaf,{i % 4 + 1},200G" for i in range(8)]
        ups = [(leaf, spine) for leaf in range(2) for spine in range(2)]
        rows += [f"leaf-{plane}{a},leaf,{z + 5},spine-{plane}{z},spine,{a + 1},200G" for a, z in ups]
    found = imported_from("edges.csv", "\n".join(rows).encode())
    assert found is not None
    return wiring(found.fabric, 0)


WIRINGS = {
    "two levels": wiring(fabrics.pgft((4, 4), (1, 4), (1, 1)), 0),
    "parallel cables": wiring(fabrics.pgft((8, 4, 4), (1, 4, 4), (1, 2, 2)), 0),
    "odd": wiring(fabrics.pgft((6, 3, 4), (1, 3, 2), (1, 1, 1)), 0),
    "not full": wiring(fabrics.pgft((4, 4), (1, 4), (1, 1), ports=13), 0),
    "one switch": wiring(fabrics.pgft((4,), (1,), (1,)), 0),
    "rails": wiring(fabrics.rails(8, 4, 4, 4), 0),
    "planes": _two_planes(),
}


@st.composite
def _cases(draw: Any) -> tuple[ModK, Flows]:
    seen = WIRINGS[draw(st.sampled_from(sorted(WIRINGS)))]
    ends = st.lists(st.integers(0, seen.hosts - 1), min_size=1, max_size=20)
    source = np.array(draw(ends), np.int32)
    target = np.array([draw(st.integers(0, seen.hosts - 1)) for _ in source], np.int32)
    volume = np.array([float(draw(st.integers(1, 9))) for _ in source])
    return ModK(draw(st.sampled_from(["d-mod-k", "s-mod-k"])), seen), Flows(source, target, volume)


@settings(max_examples=150, deadline=None)
@given(_cases())
def test_paths_and_loads_are_those_of_walks(case: tuple[ModK, Flows]) -> None:
    routing, flows = case
    assert all(tree is not None for tree in routing.trees)
    walked, back = [], routing.name == "s-mod-k"
    for tables in routing.lanes:
        path, length = paths(tables, *((flows.target, flows.source) if back else (flows.source, flows.target)))
        if back:
            path = np.array([np.r_[row[:n][::-1] ^ 1, row[n:]] for row, n in zip(path, length, strict=True)], np.int32)
        walked.append(usage_of_paths(path, length))
    exact, found = joined_usage(walked), routing.usage(flows)
    for column in ("first", "channel", "share", "hops"):
        assert np.array_equal(getattr(found, column), getattr(exact, column))
    assert np.array_equal(routing.loads(flows), exact.loads(flows.volume, len(routing.wiring.channels)))


@pytest.mark.parametrize("name", sorted(WIRINGS))
@pytest.mark.parametrize("stated", ["d-mod-k", "s-mod-k"])
def test_all_to_all_is_the_sum_of_all_pairs(name: str, stated: str) -> None:
    routing = ModK(stated, WIRINGS[name])
    load, hops = routing.all_to_all()
    one_by_one = Routing.all_to_all(routing)
    assert np.array_equal(load, one_by_one[0])
    assert hops == one_by_one[1]


def test_compiled_kernel_agrees_with_the_plain_one() -> None:
    routing = ModK("d-mod-k", WIRINGS["parallel cables"])
    tree = routing.trees[0]
    assert tree is not None
    rng = np.random.default_rng(2)
    source, target = rng.integers(0, 128, (2, 500), np.int32)
    found = np.zeros((4, tree.coded.size))
    add_coded_loads.plain(tree.coded.code, source, target, rng.random(500), *found[:2])
    rng = np.random.default_rng(2)
    rng.integers(0, 128, (2, 500), np.int32)
    add_coded_loads.compiled(tree.coded.code, source, target, rng.random(500), *found[2:])
    assert np.array_equal(found[:2], found[2:])
