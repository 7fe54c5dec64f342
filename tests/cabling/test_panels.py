"""Structured cabling: cords, trunks and panels by hand, and what must be so of any."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import planned
import pytest
from planned import HALL

from fabrictool.cabling.bill import bill_of_materials
from fabrictool.cabling.elevations import rack_elevations
from fabrictool.cabling.findings import plan_findings
from fabrictool.cabling.panel_table import hanging, panel_table
from fabrictool.cabling.report import PlanReport
from fabrictool.cabling.rows import cable_rows
from fabrictool.errors import InputError
from fabrictool.evaluation import evaluate
from fabrictool.layout.reading import layout_from_tree

#: Four hosts of twin-port leaves: fibres everywhere, as copper does not fit half a cage.
TWIN = planned.switch(8, cages=4, cage="OSFP")


def _tree(hall: dict[str, Any] = HALL, hosts: int = 4, **panels: Any) -> dict[str, Any]:
    return planned.tree(hosts, hosts_per_leaf=4, leaf=TWIN, hall=hall) | {"cabling": {"panels": panels}}


def test_cords_and_trunks_by_hand() -> None:
    """Racks of 42 units: a panel hangs in the highest, 0.1 + 41.5 x 0.04445 = 1.944675 m over the floor.

    Hosts are reached at 0.2778 m, the leaf at 0.122225 m. A cord: up to the panel, 0.6 m at the sides, 0.3 m of slack,
    two turns: 2.667 m at a host, 2.822 m at the leaf, so 3 m. A trunk: 0.6 m at the sides, 2 x (0.3 + 0.022) m to the
    tray, 0.3 m of turns (0.2 m within a row), 0.6 m of slack, and the way over the trays: 0.6 m along to the tray
    across and 2.4 m on it from racks 1 and 3, 2.4 m from rack 2, 0.6 m from rack 4: 5.14, 4.54 and 2.64 m.
    """
    plan = planned.planned(_tree())
    assert plan.panels is not None
    assert set(plan.panels.patched.cord_a_m.tolist()) == {3}
    assert set(plan.panels.patched.cord_z_m.tolist()) == {3}
    assert len(plan.panels.trunks) == 4  # one from each host's rack; leaf and spine stand together
    rows = {row.a.place.device: row for row in cable_rows(plan) if row.a.kind == "host"}
    assert [rows[f"h-0{n}"].length_m for n in (1, 2, 3, 4)] == [3 + 7 + 3, 3 + 5 + 3, 3 + 7 + 3, 3 + 3 + 3]


def test_cords_and_trunks_over_racks_by_hand() -> None:
    """Racks end 0.1 + 42 x 0.04445 = 1.9669 m high; trunks begin over them, so without sides, 4.5 m from rack 1."""
    plan = planned.planned(_tree(mount="overhead"))
    assert plan.panels is not None
    assert set(plan.panels.places.unit.tolist()) == {0}
    assert plan.panels.hung.sum() == plan.panels.homeless.sum() == 0
    rows = {row.a.place.device: row for row in cable_rows(plan) if row.a.kind == "host"}
    assert [rows[f"h-0{n}"].length_m for n in (1, 2, 3, 4)] == [3 + 5 + 3, 3 + 5 + 3, 3 + 5 + 3, 3 + 3 + 3]


def test_parts_to_order() -> None:
    bill = {row.description: row for row in bill_of_materials(planned.planned(_tree()))}
    cord = bill["patch cord, multimode fibre OM4, MPO-12/APC, type B, female"]
    assert (cord.quantity, cord.length_m, cord.unit_price) == (8, 3, 77.5)  # 70 USD + 2.5 USD/m
    trunks = [row for row in bill_of_materials(planned.planned(_tree())) if row.media == "trunk"]
    assert [(row.length_m, row.quantity, row.unit_price) for row in trunks] == [
        (3, 1, None),
        (5, 1, None),
        (7, 2, None),
    ]
    assert trunks[0].description == "trunk of 12, multimode fibre OM4, MPO-12/APC, type B, male"
    assert bill["patch panel of one unit, 32 adapters for MPO, key up to key up"].quantity == 5


def test_trunks_fill_up_and_no_port_is_used_twice() -> None:
    """Sixteen hosts in four racks on one leaf of 16: four fibres from each rack, three to a trunk."""
    leaf = planned.switch(32, cages=16, cage="OSFP")
    tree = planned.tree(16, hosts_per_leaf=16, leaf=leaf, per_rack=4) | {
        "cabling": {"panels": {"trunk": 3, "ports": 8}}
    }
    tree["racks"] = {"type": "rack-42u", "hosts_per_rack": 4}
    plan = planned.planned(tree)
    panels = plan.panels
    assert panels is not None
    assert sorted(panels.trunks.used.tolist()) == [1, 1, 1, 1, 3, 3, 3, 3]
    assert Counter(panels.ports.tolist()) == {4: 4, 16: 1}
    assert sorted(panels.units.tolist()) == [1, 1, 1, 1, 2]
    rows = panel_table(plan).to_dicts()
    ends = Counter((row[f"{side}_panel"], row[f"{side}_panel_port"]) for row in rows for side in "az")
    assert max(ends.values()) == 1
    plugs = Counter((row["trunk"], row["plug"]) for row in rows)
    assert max(plugs.values()) == 1
    assert len(rows) == 16


def test_the_table_says_what_is_patched_to_what() -> None:
    assert panel_table(planned.planned(_tree())).to_csv().splitlines()[:2] == [
        "cable_id,strand,a_device,a_port,a_cord [m],a_panel,a_panel_unit,a_panel_port,trunk,plug,trunk_length [m],"
        "z_panel,z_panel_unit,z_panel_port,z_cord [m],z_device,z_port",
        "C-h-01-1,1,h-01,1,3.0,r01-P1,42,1,T-r01-r05-01,1,7.0,r05-P1,42,1,3.0,leaf-01,1",
    ]


def test_what_is_short_or_of_other_networks_is_one_cable() -> None:
    assert len(planned.planned(_tree(beyond="8 m")).panels.patched) == 3  # rack 4 to 5 takes 7 m; others 10
    with pytest.raises(InputError, match="there is no network 'comput'; did you mean 'compute'"):
        layout_from_tree(_tree(networks=["comput"]))


def test_too_long_over_panels_is_an_error() -> None:
    """Racks 21 m apart: rack 1 is 48.6 m from rack 3, so 50 m as one cable, but 3 + 50 + 3 m in parts."""
    far = HALL | {"rows": {"count": 1, "racks": 6, "network": "end"}, "pitch": HALL["pitch"] | {"rack": "21 m"}}
    tree = _tree(far, hosts=2)
    tree["networks"]["compute"]["hosts_per_leaf"] = 2
    plan = planned.planned(tree)
    (finding,) = [finding for finding in plan_findings(plan) if finding.id == "panels-beyond-reach"]
    assert finding.severity == "error"
    assert finding.message == (
        "1 way over patch panels is longer than its modules reach: h-01:1 - leaf-01:1 takes 56 m of cords and trunk, "
        "the limit is 50 m"
    )


def test_no_panels_unless_asked_for() -> None:
    report = PlanReport(planned.planned(planned.tree()))
    assert (report.plan.panels, report.panels()) == (None, None)
    assert "panels" not in report.lists()


def test_panels_that_nothing_goes_over_are_a_note() -> None:
    tree = planned.tree() | {"cabling": {"panels": {}}}
    bare = {key: value for key, value in tree.items() if key not in ("racks", "hall")}
    said = [
        [finding.message for finding in plan_findings(planned.planned(case)) if finding.id == "no-panels"]
        for case in (tree, bare)
    ]
    assert said == [
        ["patch panels are asked for, but no fibre with an MPO connector leaves its rack"],
        ["patch panels are asked for, but there are no racks"],
    ]


def test_figures() -> None:
    found = PlanReport(planned.planned(_tree())).to_dict()
    assert (found["panels"]["fibres"], found["panels"]["cords"], found["panels"]["trunks"]) == (4, 8, 4)
    assert found["panels"]["polarity"] == "B"
    assert sum(row["cables"] for row in found["phases"]) == found["cables"]


def test_lengths_of_parts_cover_the_way() -> None:
    plan = planned.planned(_tree(hosts=8))
    assert plan.panels is not None
    rows = plan.panels.patched
    parts = rows.cord_a_m + plan.panels.trunks.length_m[rows.trunk] + rows.cord_z_m
    np.testing.assert_array_equal(plan.cables.length_m[rows.cable], parts)
    assert (parts >= plan.cables.route_m[rows.cable] + plan.slack_m).all()


def test_panels_hang_in_the_highest_free_units() -> None:
    """Six hosts of 8 U fill 48 U: five stand in a rack with two panels of 4 ports for their fibres."""
    tree = _tree(hosts=10, ports=4)
    tree["racks"] = {"type": "rack-48u"}
    found = evaluate(layout_from_tree(tree))
    panels = found.facility.plan.panels
    assert panels is not None
    assert found.placement is not None
    hung = [(one.name, one.unit, one.side) for one in hanging(found.facility.plan) if one.rack == "r01"]
    assert hung == [("r01-P1", 48, "rear"), ("r01-P2", 47, "rear")]
    assert np.bincount(found.placement.rack)[:2].tolist() == [5, 5]  # six would fit without panels
    assert found.power.units_used.tolist()[:2] == [42, 42]
    assert not [row for row in found.findings if row.id == "panels-no-room"]
    racks = rack_elevations(found.facility.plan)
    first = next(rack for rack in racks if rack.rack == "r01")
    assert [(one.name, one.unit) for one in first.devices if one.kind == "panel"] == [("r01-P1", 48), ("r01-P2", 47)]


def test_racks_that_are_full_by_order_have_no_room() -> None:
    """Six hosts of 8 U fill 48 U where the layout says that they stand together."""
    tree = _tree(hosts=6)
    tree["racks"] = {"type": "rack-48u", "hosts_per_rack": 6}
    tree["networks"]["compute"]["hosts_per_leaf"] = 3
    found = evaluate(layout_from_tree(tree))
    (finding,) = [row for row in found.findings if row.id == "panels-no-room"]
    assert (finding.severity, finding.where) == ("error", "rack r01")
    assert finding.message == "rack r01 has no units left for patch panels: 1 of 1 hang nowhere"
    assert [row.unit for row in hanging(found.facility.plan)] == [-1, 48]


def test_devices_go_before_panels() -> None:
    """With one position for hosts, units kept free would leave a host without a place: the panel has none instead."""
    tree = _tree(hosts=6)
    tree["racks"] = {"type": "rack-48u", "count": 2}
    tree["networks"]["compute"]["hosts_per_leaf"] = 3
    found = evaluate(layout_from_tree(tree))
    ids = [row.id for row in found.findings if row.severity == "error"]
    assert "panels-no-room" in ids
    assert "unplaced" not in ids


def test_no_two_things_share_a_unit_whatever_the_rack() -> None:
    for hosts, per_unit in ((5, 1), (12, 2), (16, 3), (31, 4)):
        tree = _tree(hosts=hosts, ports=per_unit)
        tree["racks"] = {"type": "rack-48u"}
        for rack in rack_elevations(evaluate(layout_from_tree(tree)).facility.plan):
            taken = Counter(unit for one in rack.devices for unit in range(one.unit, one.unit + one.height))
            assert max(taken.values()) == 1
            assert set(taken) <= set(range(1, rack.units + 1))


def test_cables_and_panels_weigh_on_racks() -> None:
    """A host of 130 kg in each rack; 13 m of fibre at 10 g/m, half of it here; and a panel of 4 kg."""
    kind = planned.host(weight="130 kg")
    tree = _tree() | {"hosts": {"name": "h", "type": kind, "count": 4}}
    found = evaluate(layout_from_tree(tree))
    assert found.power.load_kg[0] == pytest.approx(130 + 13 * 0.010 / 2 + 4)
    bare = {key: value for key, value in tree.items() if key != "cabling"}
    assert evaluate(layout_from_tree(bare)).power.load_kg[0] == pytest.approx(130 + 10 * 0.010 / 2)


def test_racks_keep_room_for_the_weight_of_cables() -> None:
    """Four hosts of 100 kg are all that a rack of 400 kg carries: with their cables it would carry too much."""
    kind = planned.host(weight="100 kg")
    rack = {"name": "r", "u": 48, "tare": "100 kg", "capacity": "400 kg"}
    tree = planned.tree(8, kind, TWIN, planned.HALL, hosts_per_leaf=4) | {"racks": {"type": rack}}
    found = evaluate(layout_from_tree(tree))
    assert found.placement is not None
    assert np.bincount(found.placement.rack)[:3].tolist() == [3, 3, 2]
    assert 300 < found.power.load_kg[0] < 301
    full = tree | {"racks": {"type": rack, "hosts_per_rack": 4}}
    (over,) = [row for row in evaluate(layout_from_tree(full)).findings if row.id == "rack-over-weight"]
    assert over.message.startswith("2 racks at up to 400.")
