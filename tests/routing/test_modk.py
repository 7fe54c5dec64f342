"""D-mod-k and S-mod-k: paths, aggregated loads and forwarding tables agree, healthy and with things that are down."""

from __future__ import annotations

from dataclasses import replace

import fabrics
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.fabric.faults import faults_by_name, random_faults
from fabrictool.kernels.tables import table_loads
from fabrictool.routing import forwarding
from fabrictool.routing.flows import Routing, all_pairs
from fabrictool.routing.modk import ModK
from fabrictool.routing.wiring import wiring

TREES = {
    "two levels": ((4, 4), (1, 4), (1, 1)),
    "parallel cables": ((8, 4, 4), (1, 4, 4), (1, 2, 2)),
    "odd": ((6, 3, 4), (1, 3, 2), (1, 1, 1)),
    "three levels": ((2, 2, 4), (1, 2, 2), (1, 1, 1)),
    "oversubscribed": ((4, 4, 3), (1, 2, 2), (1, 2, 1)),
}
FABRICS = {name: fabrics.pgft(*shape) for name, shape in TREES.items()} | {
    "rails": fabrics.rails(8, 4, 4, 4),
    "rail-only": fabrics.rail_only(4, 3),
}


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(FABRICS)),
    st.integers(0, 12),
    st.integers(0, 2),
    st.integers(0, 99),
    st.sampled_from(["d-mod-k", "s-mod-k"]),
)
def test_three_ways_to_count_agree(name: str, links: int, devices: int, seed: int, routing: str) -> None:
    fabric = FABRICS[name]
    between = int((fabric.devices.tier[fabric.ends[0]] > 0).sum())
    found = ModK(routing, wiring(fabric, 0, random_faults(fabric, min(links, between), devices, seed)))
    flows = all_pairs(found.wiring.hosts)
    used = found.usage(flows)
    load, hops = found.all_to_all()
    assert np.array_equal(load, used.loads(flows.volume, len(load)))
    one_by_one = Routing.all_to_all(found)
    assert np.array_equal(load, one_by_one[0])
    assert hops == one_by_one[1]
    if routing == "d-mod-k":
        table = found.table()
        followed = table.usage(flows)
        assert np.array_equal(used.hops, followed.hops)
        assert np.array_equal(used.channel, followed.channel)
        assert np.array_equal(load, table.all_to_all()[0])
        assert hops == table.all_to_all()[1]


@pytest.mark.parametrize("name", ["two levels", "parallel cables", "three levels"])
def test_each_down_channel_of_a_healthy_tree_carries_one_destination(name: str) -> None:
    """Zahavi 2012: on trees of full bisection, seen from the tables."""
    table = ModK("d-mod-k", wiring(FABRICS[name], 0)).table()
    down = table.destinations()[1 : 2 * table.wiring.channels.links : 2]
    assert down.max() == 1


def test_a_dead_cable_sends_its_destinations_to_the_next_parent() -> None:
    """FT16: host 5 goes over spine 2; with leaf 1's cable to it down it goes over spine 3, and back alike."""
    fabric = FABRICS["two levels"]
    faults = faults_by_name(fabric, links=["leaf-01:6"])
    routing = ModK("d-mod-k", wiring(fabric, 0, faults))
    used = routing.usage(all_pairs(16))
    names = _path(routing, used, 0, 5)
    assert names[1] == "leaf-01:7 - spine-03:1"
    assert _path(routing, used, 5, 1)[1:3] == ["leaf-02:7 - spine-03:2", "leaf-01:7 - spine-03:1"]
    assert _path(routing, used, 4, 9)[1] == "leaf-02:6 - spine-02:2"


def _path(routing: ModK, used, source: int, target: int) -> list[str]:  # type: ignore[no-untyped-def]
    flows = all_pairs(routing.wiring.hosts)
    row = int(np.flatnonzero((flows.source == source) & (flows.target == target))[0])
    channels = used.channel[used.first[row] : used.first[row + 1]]
    return [routing.wiring.fabric.link_name(int(channel) // 2) for channel in channels]


def test_compiled_aggregation_over_tables_agrees_with_the_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """More destinations than are taken out of the tables at a time, some of them cut off."""
    fabric = FABRICS["parallel cables"]
    table = ModK("d-mod-k", wiring(fabric, 0, random_faults(fabric, 30, 3, 4))).table()
    monkeypatch.setattr(forwarding, "table_loads", lambda _: table_loads.plain)
    plain = table.all_to_all()
    monkeypatch.setattr(forwarding, "table_loads", lambda _: table_loads.compiled)
    compiled = replace(table).all_to_all()
    assert np.array_equal(plain[0], compiled[0])
    assert plain[1] == compiled[1]
    assert plain[1][-1] > 0
