"""The closed form of shift rounds against following every flow, shift by shift."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.collectives.carriers import Lane
from fabrictool.collectives.costs import Meter
from fabrictool.collectives.entries import Shifts
from fabrictool.collectives.shifts import rank_line, shift_costs
from fabrictool.collectives.transport import Transport
from fabrictool.fabric import Fabric, edit
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree

SWITCH = {"name": "sw", "ports": 256, "speed": "400G", "latency": "100 ns"}


def _fabric(network: dict[str, Any], count: int, gpus: int, scale_up: bool) -> Fabric:
    host: dict[str, Any] = {"name": "h", "gpus": gpus, "nics": gpus, "speed": "400G"}
    if scale_up and gpus > 1:
        host["scale_up"] = {"domain": gpus, "speed": "3.6T", "latency": "300 ns"}
    common = {"speed": "400G", "leaf": {"type": SWITCH}, "link": {"latency": {"host": "1 us", "fabric": "400 ns"}}}
    tree = {"name": "t", "hosts": {"type": host, "count": count}, "networks": {"compute": network | common}}
    return build(layout_from_tree(tree))


@st.composite
def fat_trees(draw: st.DrawFn) -> Fabric:
    levels = draw(st.integers(2, 3))
    gpus = draw(st.integers(1, 4))
    m = [gpus * draw(st.integers(1, 4)), *(draw(st.integers(1, 4)) for _ in range(levels - 1))]
    w = [1, *(draw(st.integers(1, 4)) for _ in range(levels - 1))]
    p = [1, *(draw(st.integers(1, 2)) for _ in range(levels - 1))]
    room = int(np.prod(m)) // gpus
    count = draw(st.integers(2, max(2, room)))
    m[-1] *= 1 if count <= room else 2
    if int(np.prod(m)) // gpus < count:
        m[0] *= 2
    network = {"family": "fat-tree", "pgft": {"m": m, "w": w, "p": p}}
    return _fabric(network, count, gpus, draw(st.booleans()))


@st.composite
def rail_fabrics(draw: st.DrawFn) -> Fabric:
    hosts_per_su, gpus = draw(st.integers(1, 7)), draw(st.integers(1, 4))
    count = draw(st.integers(2, 20))
    network = {
        "family": "rail-optimized",
        "scalable_unit": {"hosts": hosts_per_su},
        "oversubscription": draw(st.sampled_from([0.5, 1, 1.5, 2, 3])),
    }
    return _fabric(network, count, gpus, draw(st.booleans()))


def _assert_agrees(fabric: Fabric, ranks: np.ndarray) -> bool:
    """Compare both ways for every shift that the closed form serves; say whether it serves any."""
    transport = Transport(fabric, 0)
    if transport.trees[0] is None:
        return False
    line = rank_line(ranks, transport.lanes[0], transport.trees[0])
    if line is None:
        return False
    steps = np.arange(line.near, len(ranks) - line.near + 1)
    steps = steps[(steps > 0) & (steps < len(ranks))]
    found = shift_costs(steps, line, transport.trees[0])
    for at, step in enumerate(steps):
        meter = Meter(Lane(transport.wiring, transport.lanes[0], None), ranks)
        cost = meter.cost(iter([Shifts(np.array([step]), 1.0)]))
        assert found.seconds[at] == pytest.approx(cost.seconds_per_byte, rel=1e-12), f"shift {step}"
        assert found.latency_s[at] == pytest.approx(cost.latency_s, rel=1e-12), f"shift {step}"
    return len(steps) > 0


@settings(max_examples=60, deadline=None)
@given(st.one_of(fat_trees(), rail_fabrics()), st.data())
def test_closed_form_is_exact(fabric: Fabric, draw: st.DataObject) -> None:
    gpus = len(fabric.gpus)
    offset = draw.draw(st.integers(0, gpus - 2))
    count = draw.draw(st.integers(2, gpus - offset))
    _assert_agrees(fabric, np.arange(offset, offset + count, dtype=np.int32))


@pytest.mark.parametrize("count", [7, 8, 9, 15, 16])
def test_serves_rails_with_missing_hosts(count: int) -> None:
    network = {"family": "rail-optimized", "scalable_unit": {"hosts": 4}}
    fabric = _fabric(network, count, 4, scale_up=True)
    assert _assert_agrees(fabric, np.arange(len(fabric.gpus), dtype=np.int32))


def test_claims_nothing_for_a_fabric_with_a_lost_or_slow_link() -> None:
    fabric = _fabric({"family": "fat-tree", "pgft": {"m": [4, 4], "w": [1, 4], "p": [1, 1]}}, 16, 1, scale_up=False)
    assert Transport(fabric, 0).trees[0] is not None
    assert Transport(edit(fabric, drop=["leaf-01:5"]), 0).trees[0] is None
    assert Transport(edit(fabric, slow={"leaf-01:5": 0.5}), 0).trees[0] is None


def test_claims_nothing_for_ranks_out_of_order() -> None:
    fabric = _fabric({"family": "fat-tree", "pgft": {"m": [4, 4], "w": [1, 4], "p": [1, 1]}}, 16, 1, scale_up=False)
    transport = Transport(fabric, 0)
    assert transport.trees[0] is not None
    shuffled = np.random.default_rng(1).permutation(16).astype(np.int32)
    assert rank_line(shuffled, transport.lanes[0], transport.trees[0]) is None
