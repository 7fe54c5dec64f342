"""Shared fates ranked, and the placement that is said to lower the worst of them really does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fabrictool as ft
from fabrictool.domains import domains
from fabrictool.layout.reading import layout_from_tree
from fabrictool.power.settling import placed

HOST = {"name": "h", "gpus": 4, "nics": 4, "speed": "400G", "u": 8, "power_max": "8 kW",
        "scale_up": {"domain": 4, "speed": "3.6T", "latency": "1 us"}}  # fmt: skip
SWITCH = {"name": "s", "ports": 32, "speed": "400G", "u": 1, "power_max": "2 kW"}


def tree(**placing: str) -> dict[str, Any]:
    network = {"family": "rail-optimized", "speed": "400G", "scalable_unit": {"hosts": 4}, "leaf": {"type": SWITCH},
               "spine": {"type": SWITCH, "count": 4}}  # fmt: skip
    feeds = [{"name": name, "voltage": "415 V", "amps": 80, "from": f"bus-{name}"} for name in "AB"]
    supply = [{"name": "grid", "kind": "utility"}]
    supply += [{"name": f"bus-{name}", "kind": "busway", "racks": 2, "from": "grid"} for name in "AB"]
    return {
        "name": "case", "hosts": {"type": HOST, "count": 16}, "networks": {"compute": network},
        "racks": {"type": "rack-48u", "power_limit": "32 kW", "hosts_per_rack": 4}, "placement": placing,
        "hall": {"rows": {"count": 2}, "feeds": feeds, "supply": supply, "feeds_per_rack": 1},
    }  # fmt: skip


def test_all_kinds_that_share_a_fate_are_ranked() -> None:
    found = ft.impact(layout_from_tree(tree()), domain="all")
    assert {loss.domain.kind for loss in found.ranking} == {"rack", "row", "tray", "feed", "supply"}
    rows = {(loss.domain.kind, loss.domain.name): loss for loss in found.ranking}
    leaves = rows["rack", "r05"]  # sixteen leaves in one rack
    assert (leaves.gone.switches, leaves.gone.rails, leaves.gone.gpus) == ({"leaf": 16}, (1, 2, 3, 4), 0)
    assert (leaves.hosts_lost, leaves.all_reduce_lost) == (16, 1)
    hosts = rows["rack", "r01"]
    assert (hosts.gone.gpus, hosts.hosts_lost, hosts.connected) == (16, 4, True)
    assert hosts.all_reduce_lost == pytest.approx(0.25, abs=0.02)
    assert found.ranking[0].severity >= found.ranking[-1].severity


def test_the_proposed_placement_is_what_it_says() -> None:
    found = ft.impact(layout_from_tree(tree()), domain="rack")
    (finding,) = (row for row in found.findings if row.id == "placement-could-help")
    assert finding.message == "the worst rack, r05, takes 100 % of all-reduce and 100 % of all-to-all"
    assert finding.fix.startswith(
        "placement: {switches: spread}: then r05 is the worst with 24.2 % of all-reduce and 59.9 %"
    )
    assert finding.fix.endswith("in 8 racks (+2)")
    moved = ft.impact(layout_from_tree(tree(switches="spread")), domain="rack")
    worst = moved.ranking[0]
    assert f"{100 * worst.all_reduce_lost:.1f}".rstrip("0").rstrip(".") in finding.fix  # type: ignore[operator]
    assert not [row for row in moved.findings if row.id == "placement-could-help"]


def test_rows_hold_their_racks() -> None:
    layout = layout_from_tree(tree())
    fabric = ft.build(layout)
    placement = placed(layout, fabric)
    rows = domains("row", fabric, layout, placement)
    assert [row.name for row in rows] == ["row-01", "row-02"]
    assert sorted(device for row in rows for device in row.devices) == list(range(len(fabric.devices)))


def test_a_feed_takes_the_racks_that_have_no_other() -> None:
    layout = layout_from_tree(tree())
    fabric = ft.build(layout)
    placement = placed(layout, fabric)
    assert placement is not None
    a, b = domains("feed", fabric, layout, placement)
    assert not set(a.devices) & set(b.devices)
    assert len(a.devices) + len(b.devices) == len(fabric.devices)
    assert np.unique(placement.rack[list(a.devices)]).tolist() == [0, 2, 4]


def test_nothing_is_shared_without_racks() -> None:
    bare = tree()
    del bare["racks"], bare["hall"]
    with pytest.raises(ft.InputError, match="add racks to the layout"):
        ft.impact(layout_from_tree(bare), domain="all")


def test_large_networks_are_bounded_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from fabrictool.changes import ranking

    layout = layout_from_tree(tree())
    monkeypatch.setattr(ranking, "can_move", lambda _: False)
    exact = ft.impact(layout, domain="rack").ranking
    monkeypatch.setattr(ranking, "MOST_SECONDS", 0.0)
    bounded = ft.impact(layout, domain="rack")
    assert "bandwidth-bounds" in {finding.id for finding in bounded.findings}
    by_name = {loss.domain.name: loss for loss in exact}
    for loss in bounded.ranking:
        assert loss.bound
        assert (loss.hosts_lost, loss.gone) == (by_name[loss.domain.name].hosts_lost, by_name[loss.domain.name].gone)
