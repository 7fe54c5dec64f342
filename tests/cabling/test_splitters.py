"""Breakouts: splitters of copper and fibre, twin-port assemblies, and what cannot share a cable."""

from __future__ import annotations

from collections import Counter
from typing import Any

import planned
import pytest
from planned import HALL

from fabrictool.cabling.bill import bill_of_materials
from fabrictool.cabling.findings import plan_findings
from fabrictool.cabling.plan import CablePlan
from fabrictool.cabling.report import PlanReport
from fabrictool.cabling.rows import cable_rows
from fabrictool.fabric.counting import counts, network_counts
from fabrictool.power.optics import optics_of
from fabrictool.records import CableRow

TWIN = planned.switch(16, cages=8, cage="OSFP", vendor="NVIDIA")
#: Low racks side by side under low trays: 1.3 m up and down, 0.6 m along, 0.2 m of turns, 0.6 m of slack at most.
NEAR = HALL | {"rows": {"count": 1, "racks": 9, "network": "near"},
               "trays": HALL["trays"] | {"above": "0 m", "side": "0 m"}}  # fmt: skip
FAR = HALL | {"rows": {"count": 1, "racks": 9, "network": "end"}, "pitch": HALL["pitch"] | {"rack": "8 m"}}
LOW = {"type": {"name": "r16", "u": 16, "tare": "50 kg", "capacity": "900 kg"}, "hosts_per_rack": 4}


def _plan(
    rule: object, nic: dict[str, Any] | None = None, hosts: int = 4, hall: dict[str, Any] = NEAR, **network: Any
) -> CablePlan:
    kind = planned.host(nic or planned.nic(), u=4, vendor="NVIDIA")
    network = {"leaf": TWIN, "hosts_per_leaf": 4, "cables": rule} | network
    return planned.planned(planned.tree(hosts, kind, hall=hall, **network) | {"racks": LOW})


def _host_rows(plan: CablePlan) -> list[CableRow]:
    return [row for row in cable_rows(plan) if row.a.kind == "host"]


def test_a_switch_cage_is_split_to_two_hosts() -> None:
    """Four hosts on two cages of a leaf next to them: two splitters; MCP7Y10 has one OSFP and two QSFP112 ends."""
    plan = _plan({"host": "per-upper-cage"})
    rows = _host_rows(plan)
    assert [(row.cable_id, row.leg, row.a.place.device, row.z.port) for row in rows] == [
        ("C-leaf-01-c1", 1, "h-01", "1"), ("C-leaf-01-c1", 2, "h-02", "2"),
        ("C-leaf-01-c2", 1, "h-03", "3"), ("C-leaf-01-c2", 2, "h-04", "4"),
    ]  # fmt: skip
    assert {(row.media, row.sku, row.lanes) for row in rows[:2]} == {("dac", "MCP7Y10-N003", 4)}
    assert {row.sku for row in rows[2:]} == {"MCP7Y10-N02A"}  # hosts higher up
    bill = [row for row in bill_of_materials(plan) if "splitter" in row.description]
    assert [(row.description, row.length_m, row.quantity) for row in bill] == [
        ("800G passive copper splitter, 1 to 2", 3, 1),
        ("800G passive copper splitter, 1 to 2", 2.5, 1),
    ]
    assert network_counts(plan.fabric)["compute"]["cables"] == len(plan.cables) == 2 + 4


def test_a_splitter_is_as_long_as_its_longest_leg() -> None:
    plan = _plan("per-upper-cage")
    by_cable: dict[str, set[float | None]] = {}
    for row in cable_rows(plan):
        by_cable.setdefault(row.cable_id, set()).add(row.length_m)
    assert {len(lengths) for lengths in by_cable.values()} == {1}
    longest = {name: max(r.route_m or 0 for r in cable_rows(plan) if r.cable_id == name) for name in by_cable}
    for row in cable_rows(plan):
        assert row.length_m is None or row.length_m >= longest[row.cable_id] + plan.slack_m - 0.01


def test_each_end_of_a_splitter_draws_for_itself() -> None:
    """MCP7Y10 takes 0.1 W at most at each of three ends: 0.2 W at two hosts, 0.1 W at the leaf."""
    plan = _plan({"host": "per-upper-cage"})
    watts = {row.cable_id: row.optics_w for row in _host_rows(plan)}
    assert list(watts.values()) == [pytest.approx(0.3), pytest.approx(0.3)]
    device_w = dict(zip(plan.fabric.names, optics_of(plan).device_w.tolist(), strict=True))
    assert [device_w[f"h-0{n}"] for n in (1, 2, 3, 4)] == [pytest.approx(0.1)] * 4


def test_the_weight_of_a_splitter_is_that_of_one_cable() -> None:
    """Half of it at either side: two splitters of 3 and 2.5 m of 110 g/m, and fibres of 10 g/m up."""
    plan = _plan({"host": "per-upper-cage"}, wiring="blocked")
    weights = PlanReport(plan).rack_weights_kg()
    up = sum(row.length_m or 0 for row in cable_rows(plan) if row.a.kind == "leaf")
    fibre = {row.media for row in cable_rows(plan) if row.a.kind == "leaf"}
    assert fibre == {"mmf"}
    assert weights["r01"] == pytest.approx((3 + 2.5) * 0.110 / 2)
    assert sum(weights.values()) == pytest.approx((3 + 2.5) * 0.110 + up * 0.010)


def test_a_host_cage_is_split_to_two_leaves() -> None:
    """A twin-port adapter on two leaves with cages of one port: a splitter from each host."""
    kind = planned.host(planned.nic(cage="OSFP twin-port", count=2, cages=1), u=4)
    leaf = planned.switch(16, cage="QSFP112")
    tree = planned.tree(4, kind, leaf, NEAR, 4, cables={"host": "per-cage"})
    tree["networks"]["compute"] = {
        "family": "rail-optimized", "rails": 2, "scalable_unit": {"hosts": 4}, "speed": "400G", "leaf": {"type": leaf},
        "spine": {"type": leaf}, "cables": {"host": "per-cage"},
    }  # fmt: skip
    plan = planned.planned(tree)
    rows = _host_rows(plan)
    assert Counter(row.cable_id for row in rows) == {f"C-h-0{n}-c1": 2 for n in (1, 2, 3, 4)}
    assert {(row.cable_id, row.z.place.device) for row in rows if row.a.place.device == "h-02"} == {
        ("C-h-02-c1", "leaf-01"), ("C-h-02-c1", "leaf-02"),
    }  # fmt: skip


def test_where_no_splitter_is_long_enough_each_link_has_a_fibre_and_a_note() -> None:
    plan = _plan({"host": "per-upper-cage"}, hall=FAR)
    rows = _host_rows(plan)
    assert Counter(row.media for row in rows) == {"mmf": 4}
    assert len({row.cable_id for row in rows}) == 4
    (finding,) = [finding for finding in plan_findings(plan) if finding.id == "cables-counted"]
    assert (finding.severity, finding.where) == ("note", "network compute")
    assert finding.message == "8 cables are planned where 6 are counted: no assembly joins all links of every cage"


def test_narrow_links_share_the_connector_of_a_fibre() -> None:
    """A cage of four ports of 200G has two MPO-12: each goes to two hosts over a 1:2 splitter.

    Two straight cables carry two uplinks each.
    """
    leaf = planned.switch(32, "200G", cages=8, cage="OSFP", vendor="NVIDIA")
    plan = _plan("per-link", planned.nic("200G"), leaf=leaf, speed="200G", hall=FAR)
    rows = _host_rows(plan)
    assert [(row.cable_id, row.leg, row.z.port) for row in rows] == [
        ("C-leaf-01-1", 1, "1"), ("C-leaf-01-1", 2, "2"), ("C-leaf-01-3", 1, "3"), ("C-leaf-01-3", 2, "4"),
    ]  # fmt: skip
    assert {row.lanes for row in rows} == {2}
    bill = {row.description: row.quantity for row in bill_of_materials(plan) if "splitter, 1 to 2" in row.description}
    assert bill == {"400G multimode fibre OM4 splitter, 1 to 2, MPO-12/APC, type B": 2}
    notes = [finding.message for finding in plan_findings(plan) if finding.id == "cables-counted"]
    assert notes == ["4 cables are planned where 8 are counted: narrow links share the connectors of fibres"]


def test_a_module_with_a_splitter_and_a_straight_fibre_is_named() -> None:
    """Three hosts of 200G on a cage of four ports: two share a connector over a splitter, the third has one alone."""
    leaf = planned.switch(32, "200G", cages=8, cage="OSFP", vendor="NVIDIA")
    plan = _plan("per-link", planned.nic("200G"), hosts=3, leaf=leaf, speed="200G", hall=FAR, hosts_per_leaf=3)
    (finding,) = [finding for finding in plan_findings(plan) if finding.id == "fibres-unlike"]
    assert finding.message == (
        "1 modules have a splitter and a straight fibre, such as cage 1 of leaf-01; they take two alike"
    )


def test_every_rule_gives_the_count_of_show_where_all_is_near() -> None:
    for rule in ("per-link", "per-cage", "per-upper-cage"):
        plan = _plan({"host": rule, "fabric": "per-cage"}, hosts=8, wiring="blocked")
        assert len(plan.cables) == counts(plan.fabric)["cables"], rule
