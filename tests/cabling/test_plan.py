"""Every link in one cable, breakouts and twin-port cages among them; rows, labels, colours, phases."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import planned
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.cabling.bill import bill_of_materials
from fabrictool.cabling.plan import CablePlan, plan_cables
from fabrictool.cabling.rows import cable_rows
from fabrictool.fabric.counting import counts, network_counts
from fabrictool.layout.reading import read_layout
from fabrictool.records import CableRow

TOPOLOGIES = Path(__file__).parents[2] / "topologies"
TWIN = planned.switch(16, cages=8, cage="OSFP")


def _shipped(name: str) -> CablePlan:
    return planned.plan_of(read_layout(str(TOPOLOGIES / f"{name}.yaml")))


def _asserted(plan: CablePlan) -> list[CableRow]:
    """Assert what is true of every plan, each link in one cable among it, and return its rows."""
    fabric = plan.fabric
    rows = list(cable_rows(plan))
    names = set(fabric.names)
    words = [f"{row.a.place.device}:{row.a.port} - {row.z.place.device}:{row.z.port}" for row in rows]
    outside = np.flatnonzero(plan.cable >= 0).tolist()
    assert Counter(words) == Counter(fabric.link_name(link) for link in outside)  # each link once
    ends = Counter((end.place.device, end.port) for row in rows for end in (row.a, row.z))
    assert max(ends.values()) == 1  # no port twice
    assert {end.place.device for row in rows for end in (row.a, row.z)} <= names
    legs = Counter(row.cable_id for row in rows)
    assert len(legs) == len(plan.cables)
    assert {(row.cable_id, row.leg) for row in rows} == {
        (name, leg) for name, count in legs.items() for leg in range(1, count + 1)
    }
    for row in rows:
        if row.route_m is not None and row.length_m is not None:
            assert row.length_m >= row.route_m + plan.slack_m - 0.01
    return rows


@pytest.mark.parametrize("name", ["ft64", "dgx-superpod-h100-4su-site", "dragonfly-72", "edr-1296-directors",
                                  "roce-2048-2to1", "dgx-superpod-gb200-2su"])  # fmt: skip
def test_every_link_of_shipped_layouts_is_in_one_cable(name: str) -> None:
    plan = _shipped(name)
    _asserted(plan)
    cabled = sum(row["cables"] for row in network_counts(plan.fabric).values())
    assert len(plan.cables) == counts(plan.fabric)["cables"] == cabled


@settings(max_examples=30, deadline=None)
@given(
    hosts=st.integers(2, 24),
    each=st.integers(1, 8),
    cages=st.booleans(),
    per_cage=st.sampled_from(["per-link", "per-cage"]),
    per_rack=st.integers(1, 5),
    racks=st.booleans(),
)
def test_every_link_of_any_layout_is_in_one_cable(
    hosts: int, each: int, cages: bool, per_cage: str, per_rack: int, racks: bool
) -> None:
    leaf = planned.switch(64, **({"cages": 32, "cage": "OSFP"} if cages else {}))
    tree = planned.tree(hosts, planned.host(planned.nic(count=2)), leaf, {}, per_rack, hosts_per_leaf=each,
                        cables=per_cage)  # fmt: skip
    if not racks:
        tree = {key: value for key, value in tree.items() if key != "racks"}
    _asserted(planned.planned(tree))


def test_links_between_two_whole_cages_share_an_assembly() -> None:
    """Two leaves and a spine of twin-port cages: 2 x 4 uplinks, blocked wiring, in 4 cables of two links."""
    tree = planned.tree(hosts=8, leaf=TWIN, hosts_per_leaf=4, cables={"host": "per-link", "fabric": "per-cage"},
                        wiring="blocked")  # fmt: skip
    plan = planned.planned(tree)
    rows = _asserted(plan)
    up = [row for row in rows if row.a.kind == "leaf"]
    assert Counter(row.cable_id for row in up) == Counter({
        "C-leaf-01-c3": 2, "C-leaf-01-c4": 2, "C-leaf-02-c3": 2, "C-leaf-02-c4": 2,
    })  # fmt: skip
    assert {(row.leg, row.a.leg, row.z.leg) for row in up} == {(1, 1, 1), (2, 2, 2)}
    assert {row.media for row in up} == {"dac"}
    assert len(plan.cables) == 8 + 4


def test_a_breakout_is_a_fibre_for_each_leg() -> None:
    """Four hosts of 400G on two cages of 800G: four fibres, four adapters' modules, two twin-port modules."""
    tree = planned.tree(hosts=4, hosts_per_leaf=4, leaf=planned.switch(8, "400G", cages=4, cage="OSFP"))
    plan = planned.planned(tree)
    rows = [row for row in _asserted(plan) if row.a.kind == "host"]
    assert [(row.z.cage, row.z.leg) for row in rows] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert {row.lanes for row in rows} == {4}
    assert {(row.a.optic, row.z.optic, row.a.connector) for row in rows} == {("sr4-400", "2xsr4-800", "MPO-12/APC")}
    modules = {row.description: row.quantity for row in bill_of_materials(plan) if row.media == "transceiver"}
    # two leaf cages to hosts, two up, and two of the spine
    assert modules == {"sr4-400 transceiver for QSFP112 of hosts": 4, "2xsr4-800 transceiver for OSFP of switches": 6}


def test_labels_name_both_ends_and_turn_round() -> None:
    (row,) = [row for row in cable_rows(planned.planned(planned.tree())) if row.cable_id == "C-h-04-1"]
    assert row.a.label == "r04-01:1/r05-02:2"
    assert row.z.label == "r05-02:2/r04-01:1"


def test_cables_are_named_by_their_lower_end_so_that_growth_renames_none() -> None:
    few = {row.cable_id: (row.a.port, row.z.place.device) for row in cable_rows(planned.planned(planned.tree(4)))}
    leaf = planned.switch(8)
    small = {row.cable_id: row.z.place.device for row in cable_rows(planned.planned(planned.tree(4, leaf=leaf)))}
    large = {row.cable_id: row.z.place.device for row in cable_rows(planned.planned(planned.tree(8, leaf=leaf)))}
    assert few["C-h-03-1"] == ("1", "leaf-02")
    hosts = {name for name in small if name.startswith("C-h-")}
    assert {name: small[name] for name in hosts} == {name: large[name] for name in hosts}


def test_colours_go_by_rail_else_by_network() -> None:
    rows = list(cable_rows(_shipped("dgx-superpod-h100-4su-site")))
    by_rail = {row.rail: row.colour for row in rows if row.network == "compute" and row.a.kind == "host"}
    # ANSI/TIA-598-D: blue, orange, green, brown, slate, white, red, black
    assert [by_rail[rail] for rail in range(8)] == [
        "blue", "orange", "green", "brown", "slate", "white", "red", "black",
    ]  # fmt: skip
    assert {row.colour for row in rows if row.network == "storage"} == {"orange"}


def test_phases_are_scalable_units() -> None:
    rows = list(cable_rows(_shipped("dgx-superpod-h100-4su")))
    steps = Counter(row.phase for row in rows)
    # 32 hosts x 8 rails to leaves, 8 leaves x 32 uplinks; the last unit has 31 hosts, UFM's 4 links go with it
    assert steps == {"compute su-01": 512, "compute su-02": 512, "compute su-03": 512, "compute su-04": 508}


def test_a_fabric_from_elsewhere_has_cables_but_no_places() -> None:
    fabric = _shipped("ft64").fabric
    plan = plan_cables(None, fabric, None)
    rows = _asserted(plan)
    assert {row.a.place.rack for row in rows} == {""}
    assert {(row.route_m, row.slack_m, row.tray_path) for row in rows} == {(None, None, "")}


def _no_cables() -> dict[str, Any]:
    return {"name": "empty", "hosts": {"name": "h", "type": planned.host(), "count": 2}, "racks": {"type": "rack-42u"}}


def test_a_layout_without_networks_has_no_cables() -> None:
    plan = planned.planned(_no_cables())
    assert (len(plan.cables), list(cable_rows(plan)), bill_of_materials(plan)) == (0, [], [])
