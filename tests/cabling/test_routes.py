"""Ways of cables: lengths worked out by hand, trays by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import planned
import pytest
from planned import HALL

from fabrictool.cabling.rows import cable_rows
from fabrictool.placement.standing import UNIT_M

#: Four hosts of 8 units in racks 1 to 4, two leaves and a spine in rack 5: units 1, 2, 3.
TREE = planned.tree()


def _rows(**hall: Any) -> dict[str, Any]:
    plan = planned.planned(TREE | {"hall": HALL | hall})
    return {row.cable_id: row for row in cable_rows(plan)}


def test_a_rack_unit_is_that_of_eia_310() -> None:
    assert pytest.approx(0.0254 * 1.75) == UNIT_M


def test_ways_by_hand() -> None:
    """Rack pitch 0.6 m; rows 1.2 m of rack + 1.2 m of cold aisle apart; the tray across in the middle, over rack 2.

    Trays hang 0.1 + 42 x 0.04445 + 0.3 = 2.2669 m high. Hosts of 8 units are reached at 0.1 + 4 x 0.04445
    = 0.2778 m, switches of unit 1, 2, 3 at 0.122225, 0.166675, 0.211125 m.
    """
    rows = _rows()
    up_down = 2 * 2.2669 - 0.2778
    ways = {
        # up and down, along row 1 and row 2, between rows, twice 0.3 m in the rack, six turns
        "C-h-01-1": up_down - 0.122225 + 0.6 + 2.4 + 0.6 + 0.3,
        "C-h-02-1": up_down - 0.122225 + 0.0 + 2.4 + 0.6 + 0.3,
        "C-h-03-1": up_down - 0.166675 + 0.6 + 2.4 + 0.6 + 0.3,
        # rack 4 and rack 5 stand side by side in row 2: four turns
        "C-h-04-1": up_down - 0.166675 + 0.6 + 0.6 + 0.2,
        # inside rack 5: from port to edge, up, and back; two turns
        "C-leaf-01-3": 0.0889 + 0.6 + 0.1,
        "C-leaf-02-3": 0.04445 + 0.6 + 0.1,
    }
    assert {name: rows[name].route_m for name in ways} == pytest.approx(ways, abs=0.005)  # rounded to 1 cm
    assert {row.slack_m for row in rows.values()} == {0.6}
    # of lengths in stock the next: 8.03 + 0.6 m of optical cable 10 m, 5.49 + 0.6 of retimed copper 7 m
    assert {name: rows[name].length_m for name in ways} == {
        "C-h-01-1": 10, "C-h-02-1": 10, "C-h-03-1": 10, "C-h-04-1": 7, "C-leaf-01-3": 1.5, "C-leaf-02-3": 1.5,
    }  # fmt: skip


def test_trays_on_a_way() -> None:
    rows = _rows()
    assert rows["C-h-01-1"].tray_path == "row-01/x1:01-02/row-02"
    assert rows["C-h-04-1"].tray_path == "row-02"
    assert rows["C-leaf-01-3"].tray_path == ""


def test_the_tray_across_that_is_nearest_is_taken() -> None:
    """With two trays across, at x = 0 and 1.8 m, racks at 0.3 and 0.9 m are joined over the first: 1.2 m along."""
    rows = _rows(trays=HALL["trays"] | {"cross": 2})
    assert rows["C-h-01-1"].tray_path == "row-01/x1:01-02/row-02"
    assert rows["C-h-01-1"].route_m == pytest.approx(8.033775 - 0.6 + 1.2, abs=0.005)
    # rack 3 at 1.5 m is as far from 0.9 m over the other: 0.3 + 0.9 = 1.2 m
    assert rows["C-h-03-1"].tray_path == "row-01/x2:01-02/row-02"


def test_ports_at_the_other_side_of_the_rack_cost_its_depth() -> None:
    """Air that enters at the connectors puts a switch's ports to the front; those of hosts are at the rear."""
    front = planned.switch(airflow_direction="C2P")
    plan = planned.planned(planned.tree(leaf=front))
    rows = {row.cable_id: row for row in cable_rows(plan)}
    assert rows["C-h-01-1"].route_m == pytest.approx(8.033775 + 1.2, abs=0.005)
    assert (rows["C-h-01-1"].a.side, rows["C-h-01-1"].z.side) == ("rear", "front")
    assert rows["C-leaf-01-3"].route_m == pytest.approx(0.7889, abs=0.005)


def test_places() -> None:
    row = _rows()["C-h-04-1"]
    place = row.a.place
    assert (place.site, place.room, place.row, place.rack, place.unit) == ("dc1", "hall-a", "02", "r04", 1)
    assert (row.z.place.rack, row.z.place.unit) == ("r05", 2)


def test_a_length_is_never_less_than_the_straight_line() -> None:
    plan = planned.planned(planned.tree(hosts=16, hall=HALL | {"rows": {"racks": 5}}, hosts_per_leaf=4,
                                        leaf=planned.switch(8)))  # fmt: skip
    floor, seats = plan.floor, plan.seats
    assert floor is not None
    assert seats is not None
    a, z = (end[plan.cables.link] for end in plan.fabric.ends)
    ra, rz = seats.rack[a], seats.rack[z]
    flat = np.hypot(floor.x_m[ra] - floor.x_m[rz], floor.y_m[ra] - floor.y_m[rz])
    straight = np.hypot(flat, seats.height_m[a] - seats.height_m[z])
    assert len(plan.cables) == 32
    assert (plan.cables.route_m >= straight).all()
    assert (plan.cables.length_m >= plan.cables.route_m + plan.slack_m).all()


def test_where_no_rack_is_the_length_is_assumed() -> None:
    tree = {key: value for key, value in TREE.items() if key not in ("racks", "hall")}
    plan = planned.planned(tree)
    assert np.isnan(plan.cables.route_m).all()
    (taken,) = [row for row in plan.assumptions if row.what.startswith("length of 8 links")]
    assert taken.value == "30 m"
    assert {row.route_m for row in cable_rows(plan)} == {None}


def test_stated_lengths_stand_for_ways_that_are_not_known() -> None:
    tree = planned.tree(link={"length": {"host": "2 m", "fabric": "40 m"}})
    plan = planned.planned({key: value for key, value in tree.items() if key not in ("racks", "hall")})
    assert {(row.a.kind, row.media, row.length_m) for row in cable_rows(plan)} == {
        ("host", "dac", 2.0), ("leaf", "mmf", 50.0),
    }  # fmt: skip
    assert [row for row in plan.assumptions if row.what.startswith("length of")] == []
    placed = list(cable_rows(planned.planned(tree)))
    assert placed[0].length_m == 10  # a way that is known goes before


def test_rows_that_are_too_few_are_an_error() -> None:
    plan = planned.planned(TREE | {"hall": HALL | {"rows": {"count": 1, "racks": 4}}})
    assert plan.floor is not None
    (finding,) = plan.floor.findings
    assert (finding.id, finding.severity, finding.where) == ("floor-too-small", "error", "hall")
    assert finding.message.startswith("5 racks stand in 1 row of 4: 1 without a place")
    assert finding.fix == "1 more row, or 5 racks a row"
