"""Which devices share a rack under each strategy, counted by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rail_units import shared, tree

import fabrictool as ft
from fabrictool.fabric import Fabric
from fabrictool.layout.reading import layout_from_tree
from fabrictool.placement import Placement, place
from fabrictool.placement.strategies import evenly
from fabrictool.power.supply import balanced_feeds, rack_feeds


def placed(**keys: Any) -> tuple[Fabric, Placement]:
    layout = layout_from_tree(tree(**keys))
    fabric = ft.build(layout)
    found = place(layout, fabric)
    assert found is not None
    return fabric, found


def test_in_order_switches_fill_racks() -> None:
    fabric, found = placed()
    assert shared(fabric, found, 1, "pod") == [[0] * 4 + [1] * 4 + [2] * 4 + [3] * 4, []]
    assert [len(row) for row in shared(fabric, found, 2, "index")] == [0, 4]


def test_by_unit_leaves_of_a_unit_have_a_rack() -> None:
    fabric, found = placed(switches="by-unit")
    assert shared(fabric, found, 1, "pod") == [[0] * 4, [1] * 4, [2] * 4, [3] * 4, []]
    assert shared(fabric, found, 2, "index") == [[], [], [], [], [0, 1, 2, 3]]


def test_spread_deals_spines_to_the_units() -> None:
    fabric, found = placed(switches="spread")
    assert shared(fabric, found, 1, "pod") == [[0] * 4, [1] * 4, [2] * 4, [3] * 4]
    assert shared(fabric, found, 2, "index") == [[0], [1], [2], [3]]


def test_by_rail_leaves_of_a_rail_have_a_rack() -> None:
    fabric, found = placed(switches="by-rail")
    assert shared(fabric, found, 1, "rail") == [[0] * 4, [1] * 4, [2] * 4, [3] * 4, []]


def test_dealt_racks_hold_a_share_of_each_kind() -> None:
    fabric, found = placed(switches="dealt")
    assert shared(fabric, found, 1, "pod") == [[0, 0, 1, 1, 2, 2, 3, 3]] * 2
    assert [len(row) for row in shared(fabric, found, 2, "index")] == [2, 2]


def test_switches_that_fit_one_rack_are_dealt_to_two() -> None:
    """Twenty switches of 2 kW fit one rack of 130 kW, whose loss would take the whole network."""
    fabric, found = placed(limit="130 kW", switches="in-order")
    assert len(shared(fabric, found, 1, "pod")) == 1
    fabric, found = placed(limit="130 kW", switches="dealt")
    assert shared(fabric, found, 1, "pod") == [[0, 0, 1, 1, 2, 2, 3, 3]] * 2
    assert shared(fabric, found, 2, "index") == [[0, 2], [1, 3]]
    hosts = len(np.unique(found.rack[fabric.devices.tier == 0]))
    fabric, found = placed(limit="130 kW", switches="dealt", racks={"count": hosts + 1})
    assert [len(row) for row in shared(fabric, found, 1, "pod")] == [16]  # no position is left for another


def test_leaves_stand_beside_their_hosts_where_there_is_room() -> None:
    """Four hosts of 8 kW in 36 kW leave room for two switches of 2 kW; the other two of each unit stand apart."""
    fabric, found = placed(switches="in-rack", limit="36 kW", racks={"hosts_per_rack": 4})
    leaves = np.flatnonzero(fabric.devices.tier == 1)
    beside = found.racks.role[found.rack[leaves]] == "compute"
    assert beside.sum() == 8
    for row in leaves[beside]:
        hosts = fabric.devices.tier[found.rack == found.rack[row]] == 0
        assert hosts.sum() == 4
        assert fabric.devices.pod[row] == found.rack[row]
    load = found.sum_by_rack(np.where(fabric.devices.tier == 0, 8, 2))
    assert load[:4].tolist() == [36] * 4


def test_hosts_spread_over_all_positions() -> None:
    fabric, found = placed_even(10)
    hosts = found.sum_by_rack(fabric.devices.tier == 0)
    assert sorted(hosts[found.racks.role == "compute"].tolist()) == [2.0] * 8
    assert found.findings == ()


def placed_even(count: int) -> tuple[Fabric, Placement]:
    layout = layout_from_tree(tree(racks={"count": count}, hosts=16) | {"placement": {"hosts": "even"}})
    fabric = ft.build(layout)
    found = place(layout, fabric)
    assert found is not None
    return fabric, found


@pytest.mark.parametrize(
    ("racks", "placing", "identity"),
    [
        ({}, {"hosts": "even"}, "placement-not-even"),
        ({"count": 6}, {"hosts": "even"}, "placement-not-even"),
    ],
)
def test_what_cannot_be_done_is_said(racks: dict[str, Any], placing: dict[str, str], identity: str) -> None:
    layout = layout_from_tree(tree(racks=racks) | {"placement": placing})
    found = place(layout, ft.build(layout))
    assert found is not None
    assert [finding.id for finding in found.findings] == [identity]


@settings(max_examples=30, deadline=None)
@given(
    units=st.integers(1, 5), limit=st.integers(8, 60),
    switches=st.sampled_from(["in-order", "by-unit", "spread", "by-rail", "dealt", "in-rack"]),
)  # fmt: skip
def test_every_device_has_a_place_and_no_rack_is_over_its_limit(units: int, limit: int, switches: str) -> None:
    fabric, found = placed(hosts=4 * units, limit=f"{limit} kW", switches=switches)
    assert (found.rack >= 0).all()
    load = found.sum_by_rack(np.where(fabric.devices.tier == 0, 8, 2))
    assert (load <= limit + 1e-9).all()
    assert set(found.rack.tolist()) == set(range(len(found.racks)))
    on = np.column_stack((found.rack, found.unit))
    assert len(np.unique(on, axis=0)) == len(on)


@given(st.integers(1, 200), st.integers(1, 50))
def test_evenly_differs_by_one_at_most(hosts: int, racks: int) -> None:
    count = np.bincount(evenly(hosts, racks), minlength=racks)
    assert count.sum() == hosts
    assert count.max() - count.min() <= 1


@given(st.lists(st.floats(1e3, 5e4), min_size=1, max_size=60))
def test_balanced_feeds_carry_no_more_than_those_in_turn_by_a_rack(watts: list[float]) -> None:
    """The heaviest first to what carries least: no system is above the mean by more than half a rack."""
    drawn = np.array(watts)
    has = balanced_feeds(drawn, 4, 2)
    assert (has.sum(axis=1) == 2).all()
    load = (has * drawn[:, None] / 2).sum(axis=0)
    assert load.sum() == pytest.approx(drawn.sum())
    assert load.max() - load.min() <= drawn.max() / 2 * (1 + 1e-9)
    assert rack_feeds(len(drawn), 4, 2).sum() == has.sum()
