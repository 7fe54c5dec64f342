"""The figure of power: racks against limits, feeds and supply in normal running and at their worst."""

from __future__ import annotations

import pytest
import racked

from fabrictool.errors import InputError
from fabrictool.layout.reading import layout_from_tree
from fabrictool.plot.images import image_bytes
from fabrictool.plot.power import power_figure
from fabrictool.plot.power_rows import MOST_GAUGES, power_rows
from fabrictool.plot.site import site_of

FEEDS = [
    {
        "name": name,
        "voltage": "415 V",
        "amps": 63,
        "continuous": 1.0,
        "redundancy": "2N",
        "from": f"busway-{name.lower()}",
    }
    for name in "AB"
]


def shown(hosts=8, each=4, limit="45 kW", supply=None, host=racked.DGX_H100, feeds=None):
    group = {"name": "h", "type": host | {"name": "h"}, "count": hosts}
    rack = {"type": racked.RACK, "hosts_per_rack": each} | ({"power_limit": limit} if limit else {})
    hall = {"feeds": feeds} if feeds else {}
    hall |= {"supply": supply} if supply else {}
    return power_rows(site_of(layout_from_tree({"name": "plan", "hosts": group, "racks": rack, "hall": hall})))


def busways(rating="400 kVA", racks=8):
    return [{"name": f"busway-{side}", "kind": "busway", "rating": rating, "racks": racks} for side in "ab"]


def test_racks_are_given_with_their_limits():
    document = shown().to_dict()
    assert document["racks"] == [
        {"rack": f"r0{n}", "role": "compute", "it_w": 40800, "it_typical_w": None, "limit_w": 45000} for n in (1, 2)
    ]
    assert document["gauges"] == []


def test_feeds_and_elements_are_gauges_the_fullest_first():
    """Two racks of 40.8 kW: a busway of 400 kVA at 0.95 carries half, and all once the other has failed."""
    rows = shown(supply=busways(), feeds=FEEDS).gauges
    assert [(row.kind, row.name) for row in rows[:2]] == [("feed", "A at r01"), ("feed", "B at r01")]
    assert rows[0].share > rows[-1].share
    busway = next(row for row in rows if row.name == "busway-a-01")
    assert (busway.load_w, busway.worst_w) == (40800, 81600)
    assert busway.limit_w == pytest.approx(380e3)
    assert busway.cause == "once busway-b-01 has failed"
    assert not busway.over


def test_an_element_over_its_rating_stands_first():
    rows = shown(supply=busways("50 kVA"), feeds=FEEDS).gauges
    assert rows[0].over
    assert rows[0].share == pytest.approx(81.6 / 47.5)


def test_of_many_elements_the_fullest_are_drawn():
    found = shown(hosts=4 * 40, supply=busways(racks=1), feeds=FEEDS)
    assert len(found.gauges) == MOST_GAUGES
    assert found.left_out == 2 * 40 + 2 - MOST_GAUGES
    assert "less loaded ones are not drawn" in power_figure(found).axes[1].get_xlabel()


def test_a_loop_is_held_against_the_cdus_that_are_left():
    cdu = {"name": "cdu", "capacity": "100 kW", "approach_k": 5, "flow": "150 l/min", "primary_flow": "150 l/min"}
    loop = {"name": "L", "cdu": cdu, "count": 2, "redundancy": "N+1", "supply_temperature": "30 C", "rise": "10 K",
            "facility_temperature": "25 C"}  # fmt: skip
    rack = {"type": racked.RACK, "hosts_per_rack": 4, "cooling": "direct-to-chip"}
    group = {"name": "h", "type": racked.DGX_H100 | {"name": "h", "air_fraction": 0.0}, "count": 8}
    plan = {"name": "plan", "hosts": group, "racks": rack, "hall": {"loops": [loop]}}
    (row,) = power_rows(site_of(layout_from_tree(plan))).gauges
    assert (row.kind, row.name, row.cause) == ("loop", "L", "once a CDU has failed")
    assert row.load_w == row.worst_w == pytest.approx(81600, rel=0.01)  # and the heat of pumps
    assert row.worst_limit_w == pytest.approx(row.limit_w / 2)
    assert row.share == pytest.approx(row.worst_w / row.worst_limit_w)


def test_bars_are_as_high_as_racks_draw_and_overloads_stand_out():
    figure = power_figure(shown(hosts=6, limit="30 kW"), "Hall 7")
    axes = figure.axes[0]
    heights = {bar.get_x() + bar.get_width() / 2: (bar.get_height(), bar.get_facecolor()) for bar in axes.patches}
    assert {round(at): height for at, (height, _) in heights.items()} == {0: 40.8, 1: 20.4}
    assert heights[0.0][1] != heights[1.0][1]
    assert [line.get_label() for line in axes.lines] == ["limit"]
    assert set(axes.lines[0].get_ydata()) == {30.0}
    assert {text.get_text() for text in figure.texts} == {
        "Hall 7", "2 racks · IT at most 61.2 kW · 1 over the limit"}  # fmt: skip


def test_racks_of_unknown_power_are_named():
    blank = {key: value for key, value in racked.DGX_H100.items() if key != "power_max"}
    groups = [{"name": "h", "type": racked.DGX_H100 | {"name": "h"}, "count": 1},
              {"name": "b", "type": blank | {"name": "b"}, "count": 1}]  # fmt: skip
    plan = {"name": "plan", "hosts": groups, "racks": {"type": racked.RACK, "hosts_per_rack": 1}}
    figure = power_figure(power_rows(site_of(layout_from_tree(plan))))
    assert figure.texts[1].get_text() == "2 racks · IT at most 10.2 kW · of 1 nothing is known · no data: b"
    assert [(text.get_text(), text.get_position()[0]) for text in figure.axes[0].texts] == [("?", 1)]


def test_a_hall_of_which_nothing_is_known_has_no_figure():
    blank = {key: value for key, value in racked.DGX_H100.items() if key != "power_max"}
    with pytest.raises(InputError, match="not known of any rack; give power_max of h"):
        shown(hosts=1, host=blank, limit=None)


def test_many_racks_fit_one_figure():
    figure = power_figure(shown(hosts=1000, each=1))
    assert len(figure.axes[0].get_xticklabels()) <= 41
    assert image_bytes(figure, "png").startswith(b"\x89PNG")
