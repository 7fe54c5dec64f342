"""The floor from above: where racks stand, what they are coloured by, what the hall has no place for."""

from __future__ import annotations

import numpy as np
import pytest
import racked

from fabrictool.errors import InputError
from fabrictool.layout.reading import layout_from_tree
from fabrictool.plot.floor import floor_figure, rack_colours
from fabrictool.plot.floor_map import MEASURES, Measure, floor_map
from fabrictool.plot.images import image_bytes
from fabrictool.plot.site import site_of


def site(hosts=8, racks=None, **hall):
    """Racks of 4 hosts of 10.2 kW each, of 45 kW."""
    group = {"name": "h", "type": racked.DGX_H100 | {"name": "h"}, "count": hosts}
    rack = racks or {"type": racked.RACK, "hosts_per_rack": 4, "power_limit": "45 kW"}
    return site_of(layout_from_tree({"name": "plan", "hosts": group, "racks": rack, "hall": hall}))


def test_racks_stand_to_scale_row_by_row():
    """Two rows of two: 0.6 m from rack to rack, a depth of 1.2 m and a cold aisle of 1.5 m between the rows."""
    shown = floor_map(site(16, rows={"count": 2, "racks": 2}, pitch={"cold_aisle": "1.5 m"}))
    rows = shown.to_dict()["racks"]
    assert [(row["rack"], row["row"], row["x_m"], row["y_m"]) for row in rows] == [
        ("r01", "01", 0.3, 0.0), ("r02", "01", pytest.approx(0.9), 0.0),
        ("r03", "02", 0.3, pytest.approx(2.7)), ("r04", "02", pytest.approx(0.9), pytest.approx(2.7))]  # fmt: skip
    assert [row["value"] for row in rows] == [40.8] * 4
    assert shown.measure.limit == 45


@pytest.mark.parametrize(
    "by, unit, value", [("power", "kW", 40.8), ("share", "%", 100 * 40.8 / 45), ("air", "kW", 40.8)]
)
def test_what_racks_are_coloured_by(by, unit, value):
    shown = floor_map(site(), by)
    assert shown.measure.unit == unit
    assert shown.measure.value == pytest.approx([value] * 2)


def test_inlets_are_those_of_the_room():
    """A fifth of the air before a rack is its own exhaust: 24 C + 0.2 / 0.8 x 12 K = 27 C."""
    shown = floor_map(site(supply_temperature="24 C", air_rise="12 K", recirculation=0.2), "inlet")
    assert shown.measure.unit == "°C"
    assert shown.measure.value == pytest.approx([27, 27])


def test_racks_in_air_that_their_devices_do_not_stand_are_marked():
    """Equal tiles starve the cold aisle of dense racks, of which the outer row has a hot aisle to itself."""
    light = racked.host("light", u=8, power_max="3 kW", weight="100 kg", air_fraction=1.0, inlet_max="30 C")
    dense = racked.DGX_H100 | {"inlet_max": "30 C"}
    hosts = [{"name": "d", "type": dense, "count": 4}, {"name": "l", "type": light, "count": 4}]
    hall = {"rows": {"count": 4, "racks": 2}, "containment": "cold-aisle", "supply_temperature": "24 C"}
    plan = {"name": "plan", "hosts": hosts, "racks": {"type": racked.RACK, "hosts_per_rack": 1}, "hall": hall}
    shown = floor_map(site_of(layout_from_tree(plan)), "inlet")
    assert shown.over.tolist() == [True] * 2 + [False] * 6
    assert (shown.measure.value > 30).tolist() == shown.over.tolist()
    assert "warmer than its devices stand" in {text.get_text() for text in floor_figure(shown).legends[0].get_texts()}


def test_racks_take_the_load_of_their_loop():
    """Two racks of 40.8 kW on CDUs of 100 kW each."""
    cdu = {"name": "cdu", "capacity": "100 kW", "approach_k": 5, "flow": "150 l/min", "primary_flow": "150 l/min"}
    loop = {"name": "L", "cdu": cdu, "count": 2, "supply_temperature": "30 C", "rise": "10 K",
            "facility_temperature": "25 C"}  # fmt: skip
    rack = {"type": racked.RACK, "hosts_per_rack": 4, "cooling": "direct-to-chip"}
    host = racked.DGX_H100 | {"name": "h", "air_fraction": 0.0}
    plan = {"name": "plan", "hosts": {"name": "h", "type": host, "count": 8}, "racks": rack, "hall": {"loops": [loop]}}
    place = site_of(layout_from_tree(plan))
    shown = floor_map(place, "loop")
    loops = place.cooling.loops.normal
    assert shown.measure.value == pytest.approx([100 * float(loops.load[0])] * 2)
    assert shown.measure.value == pytest.approx([100 * 81.6e3 / float(loops.capacity_w[0])] * 2, rel=0.01)  # and pumps
    assert shown.measure.limit == 100


def test_liquid_is_what_does_not_go_to_air():
    rack = {"type": racked.RACK, "hosts_per_rack": 4, "cooling": "rear-door"}
    assert floor_map(site(racks=rack), "liquid").measure.value == pytest.approx([40.8, 40.8])


def test_feeds_are_kinds_with_a_colour_each():
    feeds = [{"name": name, "voltage": "415 V", "amps": 63, "redundancy": "4N3R"} for name in "ABCD"]
    shown = floor_map(site(12, feeds=feeds, feeds_per_rack=2), "feeds")
    assert [row["value"] for row in shown.to_dict()["racks"]] == ["A + B", "A + C", "A + D"]
    assert len(set(rack_colours(shown.measure))) == 3


def test_racks_beyond_the_rows_and_over_the_limit_are_marked():
    rack = {"type": racked.RACK, "hosts_per_rack": 4, "power_limit": "40 kW"}
    shown = floor_map(site(14, racks=rack, rows={"count": 1, "racks": 3}))
    assert shown.outside.tolist() == [False, False, False, True]
    assert shown.over.tolist() == [True, True, True, False]
    assert shown.empty == [(pytest.approx(0.9), pytest.approx(2.4)), (pytest.approx(1.5), pytest.approx(2.4))]
    words = {text.get_text() for text in floor_figure(shown).legends[0].get_texts()}
    assert {"over its power limit", "beyond the hall's rows", "no rack"} <= words


def test_racks_are_written_with_name_and_value_on_their_place():
    figure = floor_figure(floor_map(site(16, rows={"count": 2, "racks": 2})), "Hall 7")
    texts = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert texts["r03\n40.8"] == (0.3, pytest.approx(2.4))
    assert {text.get_text() for text in figure.texts} == {"Hall 7", "4 racks in 2 rows"}
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["row 01", "row 02"]
    low, high = figure.axes[0].get_ylim()
    assert low > high  # the first row is at the top


def test_unknown_values_are_white_and_larger_ones_darker():
    colours = rack_colours(Measure("power", "kW", np.array([np.nan, 1.0, 30.0, 60.0])))
    assert colours[0] == "#ffffff"
    light = [sum(int(colour[at : at + 2], 16) for at in (1, 3, 5)) for colour in colours[1:]]
    assert light == sorted(light, reverse=True)


@pytest.mark.parametrize("hosts", [1, 3])
@pytest.mark.parametrize("by", ["power", "kind"])
def test_a_hall_of_one_rack_can_be_drawn(hosts, by):
    assert image_bytes(floor_figure(floor_map(site(hosts), by)), "png").startswith(b"\x89PNG")


def test_without_power_racks_are_coloured_by_kind():
    host = {key: value for key, value in racked.DGX_H100.items() if key != "power_max"} | {"name": "h"}
    plan = {"name": "p", "hosts": {"name": "h", "type": host, "count": 2}, "racks": {"type": racked.RACK}}
    shown = floor_map(site_of(layout_from_tree(plan)))
    assert [row["value"] for row in shown.to_dict()["racks"]] == ["compute"]


@pytest.mark.parametrize(
    "by, message",
    [
        ("powr", "there is no measure 'powr'; did you mean 'power'"),
        ("feeds", "feeds is not known of any rack; state hall.feeds"),
        ("liquid", "heat to liquid is not known of any rack; state racks with cooling"),
    ],
)
def test_what_is_not_known_is_said(by, message):
    with pytest.raises(InputError, match=message):
        floor_map(site(), by)
    assert by in MEASURES or by == "powr"
