"""New devices around those that a lock keeps, under each strategy: counted by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rail_units import shared, tree

import fabrictool as ft
from fabrictool.cable_plan import planned_cables
from fabrictool.fabric import Fabric
from fabrictool.layout.reading import layout_from_tree
from fabrictool.locks import Lock
from fabrictool.locks.reading import lock_from_text
from fabrictool.locks.text import lock_text
from fabrictool.placement import Placement, place
from fabrictool.placement.racks import ROLES


def locked(before: dict[str, Any]) -> Lock:
    """Return the lock of a layout, as it comes from its file."""
    layout = layout_from_tree(before)
    return lock_from_text("case.lock", lock_text(planned_cables(layout, ft.build(layout)).lock))


def grown(before: dict[str, Any], after: dict[str, Any]) -> tuple[Fabric, Placement, Placement]:
    """Return an edited layout's fabric, and its placements without and with the lock of the layout before.

    Whatever was locked stands where it stood.
    """
    lock = locked(before)
    layout = layout_from_tree(after)
    free = place(layout, ft.build(layout))
    layout.remember_lock(lock)
    fabric = ft.build(layout)
    found = place(layout, fabric)
    assert free is not None
    assert found is not None
    racks = found.racks.name.tolist()
    where = {name: (racks[rack], unit) for name, rack, unit in zip(fabric.names, found.rack.tolist(),
                                                                   found.unit.tolist(), strict=True)}  # fmt: skip
    devices = lock.devices
    for name, rack, unit in zip(devices.name, devices.rack, devices.unit.tolist(), strict=True):
        assert where[name] == (rack, unit)
    assert (found.rack >= 0).all()
    _no_unit_twice(layout_from_tree(after), fabric, found)
    return fabric, free, found


def _no_unit_twice(layout: Any, fabric: Fabric, found: Placement) -> None:
    heights = {kind.name: int(kind.u or 1) for kind in (*layout.host_types(), *layout.switch_types())}
    taken = [
        (rack, unit + more)
        for rack, unit, kind in zip(found.rack.tolist(), found.unit.tolist(), fabric.devices.type.tolist(), strict=True)
        for more in range(heights[fabric.types[kind]])
    ]
    assert len(taken) == len(set(taken))


@pytest.mark.parametrize("switches", ["by-unit", "spread"])
def test_the_leaves_of_a_new_unit_have_a_rack(switches: str) -> None:
    fabric, free, found = grown(tree(switches=switches), tree(hosts=24, switches=switches))
    pods = [[unit] * 4 for unit in range(6)]
    assert [row for row in shared(fabric, found, 1, "pod") if row] == pods
    assert [row for row in shared(fabric, free, 1, "pod") if row] == pods  # as without a lock


def test_in_order_the_same_leaves_fill_the_racks_there_are() -> None:
    """So the tests above can fail: sixteen leaves and four spines stand in two racks of 32 kW, twelve places free."""
    fabric, _, found = grown(tree(), tree(hosts=24))
    assert shared(fabric, found, 1, "pod") == [[0] * 4 + [1] * 4 + [2] * 4 + [3] * 4, [4] * 4 + [5] * 4]


def test_a_new_strategy_holds_for_what_is_new_alone() -> None:
    """What was filled in order stays; the leaves of units 5 and 6 get racks of their own."""
    fabric, _, found = grown(tree(), tree(hosts=24, switches="by-unit"))
    assert shared(fabric, found, 1, "pod") == [[0] * 4 + [1] * 4 + [2] * 4 + [3] * 4, [], [4] * 4, [5] * 4]


def test_new_leaves_of_a_rail_join_their_rail() -> None:
    fabric, _, found = grown(tree(switches="by-rail"), tree(hosts=24, switches="by-rail"))
    assert [row for row in shared(fabric, found, 1, "rail") if row] == [[rail] * 6 for rail in range(4)]


def test_new_leaves_are_dealt_to_the_racks_of_switches() -> None:
    """Eight new leaves: four go to each of the racks that hold eight leaves and two spines."""
    more = {"racks": {"power_limit": "60 kW"}}
    fabric, _, found = grown(tree(switches="dealt", **more), tree(hosts=24, switches="dealt", **more))
    assert [len(row) for row in shared(fabric, found, 1, "pod")] == [12, 12]
    assert [len(row) for row in shared(fabric, found, 2, "index")] == [2, 2]


def test_a_hall_that_had_no_switches_deals_them_to_two_racks() -> None:
    before = tree()
    del before["networks"]
    fabric, _, found = grown(before, tree(switches="dealt", limit="130 kW"))
    assert [len(row) for row in shared(fabric, found, 1, "pod")] == [8, 8]
    assert [len(row) for row in shared(fabric, found, 2, "index")] == [2, 2]


def test_new_leaves_stand_beside_the_hosts_under_them() -> None:
    """Hosts of 8 kW fill racks of 40 kW by four and leave the leaves of their unit 8 kW: room for four of 2 kW."""
    more = {"racks": {"power_limit": "40 kW", "hosts_per_rack": 4}}
    fabric, _, found = grown(tree(switches="in-rack", **more), tree(hosts=24, switches="in-rack", **more))
    leaves = np.flatnonzero(fabric.devices.tier == 1)
    role = np.array([ROLES.index(role) for role in found.racks.role.tolist()])
    assert (role[found.rack[leaves]] == 0).all()
    hosts = np.flatnonzero(fabric.devices.tier == 0)
    for leaf in leaves.tolist():
        under = found.rack[hosts[fabric.devices.index[hosts] // 4 == fabric.devices.pod[leaf]]]
        assert set(under.tolist()) == {int(found.rack[leaf])}


def test_leaves_beside_hosts_are_no_hosts_of_their_racks() -> None:
    """A rack of four hosts at most that holds three and four leaves has room for a fourth host."""
    more = {"racks": {"power_limit": "40 kW", "hosts_per_rack": 4}}
    fabric, _, found = grown(tree(hosts=15, switches="in-rack", **more), tree(hosts=16, switches="in-rack", **more))
    hosts = np.flatnonzero(fabric.devices.tier == 0)
    assert np.unique(found.rack[hosts], return_counts=True)[1].tolist() == [4, 4, 4, 4]


def even(hosts: int, strategy: str) -> dict[str, Any]:
    """Five racks of 70 kW: six hosts of 8 units and 8 kW fit each, all switches fit one."""
    return tree(hosts=hosts, limit="70 kW", racks={"count": 5}) | {"placement": {"hosts": strategy}}


@pytest.mark.parametrize(("strategy", "counts"), [("even", [4, 4, 4, 4]), ("fill", [2, 2, 6, 6])])
def test_new_hosts_even_out_what_racks_hold(strategy: str, counts: list[int]) -> None:
    """Eight hosts stand by two in four racks; eight more make that four each, or fill two racks."""
    fabric, _, found = grown(even(8, "even"), even(16, strategy))
    hosts = np.flatnonzero(fabric.devices.tier == 0)
    assert sorted(np.unique(found.rack[hosts], return_counts=True)[1].tolist()) == counts


def test_new_hosts_open_the_positions_that_are_left() -> None:
    """Eight hosts fill two racks, by six and two; the eight new ones even out the second and two more."""
    fabric, _, found = grown(even(8, "fill"), even(16, "even"))
    hosts = np.flatnonzero(fabric.devices.tier == 0)
    assert np.unique(found.rack[hosts], return_counts=True)[1].tolist() == [6, 4, 3, 3]


def test_where_no_position_is_left_new_switches_take_what_is_free() -> None:
    """Nine racks of ten: four of hosts, four of a unit's leaves, one of spines. The tenth takes the new hosts."""
    more: dict[str, Any] = {"racks": {"count": 10}}
    fabric, _, found = grown(tree(switches="by-unit", **more), tree(hosts=20, switches="by-unit", **more))
    assert shared(fabric, found, 1, "pod") == [[0] * 4 + [4] * 4, [1] * 4, [2] * 4, [3] * 4, []]
