"""Shared fates ranked, and the placement that is said to lower the worst of them really does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fabrictool as ft
from fabrictool.changes.better import SWITCHES
from fabrictool.changes.ranking import Loss, Reckoning
from fabrictool.domains import domains
from fabrictool.layout.model import Layout
from fabrictool.layout.reading import layout_from_tree
from fabrictool.power.settling import placed
from fabrictool.records import Finding

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


def other_placements(layout: Layout, kind: str, routing: str | None = None) -> dict[str, Loss]:
    """Return the worst loss of a kind under each placement of switches."""
    found = {}
    for switches in SWITCHES:
        placing = layout.placement.model_copy(update={"switches": switches})
        moved = layout.model_copy(update={"placement": placing})
        found[switches] = ft.impact(moved, domain=kind, routing=routing).ranking[0]
    return found


def told(layout: Layout, kind: str, routing: str | None = None) -> Finding:
    (finding,) = (f for f in ft.impact(layout, domain=kind, routing=routing).findings if f.id.startswith("placement-"))
    return finding


@pytest.mark.parametrize("kind", ["rack", "row"])
def test_networks_that_are_routed_anew_get_the_best_placement_that_was_tried(kind: str) -> None:
    layout = layout_from_tree(tree())
    least = min(loss.severity for loss in other_placements(layout, kind, "ecmp").values())
    finding = told(layout, kind, "ecmp")
    assert finding.id == "placement-could-help"
    switches = finding.fix.split("switches: ")[1].split("}")[0]
    assert other_placements(layout, kind, "ecmp")[switches].severity == least


def test_where_routing_takes_too_long_what_is_left_at_most_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fabrictool.changes.better._reckoning", lambda losses, _: Reckoning(losses, bounded=True))
    layout = layout_from_tree(tree())
    finding = told(layout, "rack", "ecmp")
    assert finding.message == "the worst rack, r05, takes 100 % of all-reduce and 100 % of all-to-all"
    switches = finding.fix.split("switches: ")[1].split("}")[0]
    worst = other_placements(layout, "rack", "ecmp")
    assert worst[switches].severity < worst["in-order"].severity
    assert "% of all-to-all (by bounds), in " in finding.fix
    lost = float(finding.fix.split("the worst with ")[1].split(" %")[0])
    assert lost == pytest.approx(100 * (worst[switches].all_reduce_lost or 0), abs=1.5)


def test_placements_that_there_is_no_time_for_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fabrictool.changes.better.MOST_SEARCHED_SECONDS", 0.0)
    finding = told(layout_from_tree(tree()), "rack", "ecmp")
    assert (finding.id, finding.where) == ("placement-not-searched", "rack r05")
    assert all(switches in finding.message for switches in ("by-unit", "spread", "by-rail", "dealt"))


def test_it_is_said_where_no_placement_helps() -> None:
    """One rack holds all there is."""
    small = tree()
    small["hosts"]["count"] = 4
    small["networks"]["compute"] |= {"family": "fat-tree", "leaf": {"type": SWITCH}, "levels": 1}
    for key in ("spine", "scalable_unit"):
        del small["networks"]["compute"][key]
    small["racks"] = {"type": "rack-48u", "power_limit": "80 kW", "hosts_per_rack": 4}
    finding = told(layout_from_tree(small), "row")
    assert finding.id == "placement-none-better"
    assert finding.where == "row row-01"
