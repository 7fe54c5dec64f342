"""Rack elevations and port maps: what stands where, what feeds carry, and which port leads where."""

from __future__ import annotations

import re

import pytest
import racked

from fabrictool.cabling.burden import burden_of
from fabrictool.errors import InputError
from fabrictool.evaluation import evaluate
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree
from fabrictool.plot.elevation import elevation, elevation_figures
from fabrictool.plot.faces import faces
from fabrictool.plot.images import page_files
from fabrictool.plot.pages import Keys, fitting
from fabrictool.plot.port_maps import port_maps
from fabrictool.plot.site import site_of

FEED = {"voltage": "415 V", "amps": 63, "continuous": 0.8}


def plan(hosts=8, racks=None, hall=None, **network):
    switch = {"name": "sw", "ports": 16, "cages": 8, "speed": "400G", "u": 1, "power_max": "1 kW"}
    host = racked.DGX_H100 | {"name": "h", "nics": 2}
    shape = {"family": "rail-optimized", "rails": 2, "scalable_unit": {"hosts": 8}, "leaf": {"type": switch},
             "spine": {"type": switch}}  # fmt: skip
    group = {"name": "h", "type": host, "count": hosts}
    tree = {"name": "plan", "hosts": group, "networks": {"compute": shape | network},
            "racks": racks or {"type": racked.RACK, "hosts_per_rack": 4}}  # fmt: skip
    return layout_from_tree(tree if hall is None else tree | {"hall": hall})


def test_a_rack_shows_devices_by_unit_with_their_ports():
    site = site_of(plan())
    first, second, switches = faces(site)
    assert [face.racks for face in (first, second, switches)] == [("r01",), ("r02",), ("r03",)]
    assert [(d.device, d.unit, d.units, d.ports, d.used) for d in first.devices] == [
        (f"h-{n:02d}", 1 + 8 * (n - 1), 8, 2, (2,)) for n in range(1, 5)
    ]
    assert (first.it_w, first.units_used, first.role) == (40800, 32, "compute")
    cables_kg = burden_of(site.plan).cables_kg[0]
    assert first.weight_kg == pytest.approx(150 + 4 * 130.45 + cables_kg)
    leaves = [d for d in switches.devices if d.kind == "leaf"]
    assert [(d.device, d.used, d.ports, d.network) for d in leaves] == [
        ("leaf-01", (16,), 16, 0), ("leaf-02", (16,), 16, 0)]  # fmt: skip


def test_equal_racks_of_a_large_layout_share_a_drawing():
    """66 hosts, 4 a rack: 16 full racks, one with two hosts, then racks of switches."""
    site = site_of(plan(hosts=66))
    shown = faces(site)
    assert len(shown[0].racks) == 16
    assert shown[1].racks == ("r17",)
    assert sum(len(face.racks) for face in shown) == len(site.placement.racks)
    assert len(faces(site, ["all"])) == len(site.placement.racks)
    assert [face.racks for face in faces(site, ["r03", "r17"])] == [("r03",), ("r17",)]


def test_two_feeds_share_the_load_and_one_carries_it_alone():
    """Three phases of 415 V and 63 A at 80 % and 0.95: sqrt(3) 415 x 63 x 0.8 x 0.95 = 34.42 kW."""
    feeds = [FEED | {"name": name, "redundancy": "2N"} for name in "AB"]
    (first, *_) = faces(site_of(plan(hall={"feeds": feeds, "power_factor": 0.95})))
    assert [load.feed for load in first.feeds] == ["A", "B"]
    assert [(load.load_w, load.after_loss_w) for load in first.feeds] == [(20400, 40800)] * 2
    assert first.feeds[0].carries_w == pytest.approx(34416.2, abs=0.1)


def test_four_systems_give_each_rack_two_feeds_in_turn():
    feeds = [FEED | {"name": name, "redundancy": "4N3R"} for name in "ABCD"]
    shown = faces(site_of(plan(hall={"feeds": feeds, "feeds_per_rack": 2})))
    assert [[load.feed for load in face.feeds] for face in shown] == [["A", "B"], ["A", "C"], ["A", "D"]]
    assert shown[0].feeds[0].after_loss_w == 2 * shown[0].feeds[0].load_w


def test_without_redundancy_nothing_is_taken_over():
    feeds = [FEED | {"name": name} for name in "AB"]
    (first, *_) = faces(site_of(plan(hall={"feeds": feeds})))
    assert {(load.load_w, load.after_loss_w) for load in first.feeds} == {(20400, 20400)}


def test_the_ports_of_a_leaf_lead_to_its_hosts_and_spines():
    fabric = build(plan())
    leaf, spine = port_maps(fabric)
    assert (leaf.device, leaf.used, leaf.ports, len(leaf.cages)) == ("leaf-01", 16, 16, 8)
    ports = [port for cage in leaf.cages for port in cage.ports]
    down, up = ports[:8], ports[8:]
    assert [(port.peer, port.peer_port) for port in down] == [(f"h-{n:02d}", "1") for n in range(1, 9)]
    assert {port.peer for port in up} == {"spine-01"}
    assert [port.up for port in ports] == [False] * 8 + [True] * 8
    assert {port.rail for port in ports} == {0}
    leads = {(port.peer, port.peer_port): port.port for cage in spine.cages for port in cage.ports}
    assert all(leads["leaf-01", port.port] == port.peer_port for port in up)


def test_every_rail_has_its_colour():
    keys = Keys(build(plan()))
    assert keys.of("compute", 0) != keys.of("compute", 1)
    assert [words for _, words in keys.patches({("compute", 1), ("compute", 0), ("compute", -1)})] == [
        "compute rail 1", "compute rail 2", "compute, no rail"]  # fmt: skip


def test_pages_hold_the_names_that_they_show():
    shown = elevation(plan(hosts=66))
    figures = elevation_figures(shown, "Hall 7")
    texts = {text.get_text() for text in figures[0].axes[0].texts}
    assert {"Hall 7: racks", "r01 … r16", "16 racks alike", "40.8 kW"} <= texts
    assert any("one drawn of each kind" in text for text in texts)
    ports = {text.get_text() for text in figures[-1].axes[0].texts}
    assert {"h-01:1", "leaf-01"} <= ports


def test_all_racks_go_on_pages_of_eight():
    shown = elevation(plan(hosts=66), racks=["all"])
    figures = elevation_figures(shown)
    assert len(figures) == -(-len(shown.faces) // 8)
    assert not shown.maps
    files = page_files(figures, "x.svg")
    assert [name for name, _ in files][:2] == ["x.svg", "x-2.svg"]
    ((name, document),) = page_files(figures, "x.pdf")
    assert name == "x.pdf"
    assert len(re.findall(rb"/Type /Page\b", document)) == len(figures)


def test_an_evaluation_gives_the_racks_of_its_layout():
    layout = plan()
    assert elevation(evaluate(layout)).faces == elevation(layout).faces


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"racks": ["r99"]}, "there is no rack 'r99'"),
        ({"devices": ["leaf-99"]}, "there is no device 'leaf-99'"),
    ],
)
def test_what_is_not_there_is_named(arguments, message):
    with pytest.raises(InputError, match=message):
        elevation(plan(), **arguments)


def test_without_racks_ports_can_be_drawn_and_racks_not():
    layout = plan().model_copy(update={"racks": None})
    assert elevation(layout, devices=["leaf-02"]).maps[0].device == "leaf-02"
    with pytest.raises(InputError, match="no racks to draw; add racks"):
        elevation(layout)
    with pytest.raises(InputError, match="a fabric from elsewhere has no racks to draw"):
        elevation(build(layout))


@pytest.mark.parametrize(
    "labels, width, expected",
    [(["short"], 1.0, ("short", 7)), (["much too long for it", "short"], 0.25, ("short", 5)),
     (["storage-leaf-01:17"], 0.35, ("sto…:17", 5))],
)  # fmt: skip
def test_labels_shrink_before_they_are_cut(labels, width, expected):
    assert fitting(labels, width, (7, 5)) == expected
