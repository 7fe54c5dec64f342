"""The topology figure: which boxes and lines stand for what, where they stand, and stable bytes."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from fabrics import SWITCH, fabric_of, host_type, pgft

import fabrictool as ft
from fabrictool.errors import InputError
from fabrictool.plot.arranging import frames, places
from fabrictool.plot.images import FORMATS, image_bytes
from fabrictool.plot.lines import RAILS, colour_of
from fabrictool.plot.outline import MOST_BOXES, MOST_BUNDLES, outline
from fabrictool.plot.topology import topology_figure, topology_outlines
from fabrictool.plot.wording import link_lines, row_lines

TOPOLOGIES = Path(__file__).parents[2] / "topologies"


def shipped(name):
    return ft.build(ft.read_layout(str(TOPOLOGIES / name)))


@pytest.fixture(scope="module")
def superpod():
    return outline(shipped("dgx-superpod-h100-4su.yaml"), 0)


def rail_only(hosts=128):
    group = {"name": "dgx", "type": "dgx-h100", "count": hosts}
    return fabric_of(group, family="rail-only", rails=8, speed="400G", leaf={"type": "qm9700"})


def multi_plane():
    group = {"name": "dgx", "type": "dgx-h100", "count": 128}
    return fabric_of(group, family="multi-plane", planes=8, speed="400G", leaf={"type": "qm9700"})


def of_tier(shown, tier):
    return [box for box in shown.boxes if box.tier == tier]


def test_a_small_network_is_shown_device_by_device():
    shown = outline(shipped("ft64.yaml"), 0)
    assert shown.single
    assert [len(of_tier(shown, tier)) for tier in (0, 1, 2)] == [64, 8, 8]
    assert len(shown.bundles) == 64 + 64
    assert {box.title for box in of_tier(shown, 2)} == {f"spine-{n:02d}" for n in range(1, 9)}


def test_a_superpod_is_units_over_rails(superpod):
    """Four units of 32, 32, 32 and 31 hosts and UFM on 32 leaves; 16 spines share a box."""
    assert sorted(len(box.devices) for box in of_tier(superpod, 0)) == [1, 31, 32, 32, 32]
    assert [box.rail for box in of_tier(superpod, 1)] == [*range(8)] * 4
    assert [len(box.devices) for box in of_tier(superpod, 2)] == [16]
    uplinks = [len(bundle.links) for bundle in superpod.bundles if superpod.boxes[bundle.a].tier == 1]
    assert uplinks == [32] * 32


@pytest.mark.parametrize("make", [rail_only, multi_plane])
def test_what_no_switch_joins_stands_apart(make):
    """8 rails or planes of 4 leaves and 2 spines, each in a frame and a colour of its own."""
    shown = outline(make(), 0)
    assert shown.parts == 8
    assert len(frames(shown, places(shown, 0, 1))) == 16
    for part in range(8):
        boxes = [box for box in shown.boxes if box.part == part]
        assert sorted(box.tier for box in boxes) == [1] * 4 + [2] * 2
        assert {colour_of(shown, box) for box in boxes} == {RAILS[part]}


@pytest.mark.parametrize("name", sorted(path.name for path in TOPOLOGIES.glob("*.yaml")))
def test_boxes_hold_every_device_and_bundles_every_link_between_them(name):
    fabric = shipped(name)
    if len(fabric.devices) > 10_000:
        pytest.skip("large; the same code")
    for shown in topology_outlines(fabric):
        inside = np.flatnonzero(fabric.links.network == shown.network)
        ends = np.concatenate([end[inside] for end in fabric.ends])
        expected = np.union1d(ends, np.flatnonzero(fabric.devices.network == shown.network))
        assert sorted(device for box in shown.boxes for device in box.devices) == expected.tolist()
        at = {device: row for row, box in enumerate(shown.boxes) for device in box.devices}
        apart = [link for link in inside.tolist() if at[fabric.ends[0][link]] != at[fabric.ends[1][link]]]
        assert sorted(link for bundle in shown.bundles for link in bundle.links) == apart
        if not shown.single:
            assert all(len(of_tier(shown, tier)) <= MOST_BOXES for tier in shown.tiers)
            assert len(shown.bundles) <= MOST_BUNDLES * len(shown.tiers)


def test_boxes_of_a_tier_do_not_overlap(superpod):
    for shown in (superpod, outline(rail_only(), 0), outline(pgft((4, 4, 8), (1, 4, 4), (1, 1, 1)), 0)):
        found = places(shown, 0.5, 1.5)
        for tier in shown.tiers:
            row = sorted((found[at] for at, box in enumerate(shown.boxes) if box.tier == tier), key=lambda p: p.x)
            assert all(a.x + a.width / 2 < b.x - b.width / 2 for a, b in pairwise(row))


def test_hosts_stand_under_their_leaves_where_there_is_room():
    """A 3-level tree of 128 hosts: 32 leaves with 4 hosts each."""
    shown = outline(pgft((4, 4, 8), (1, 4, 4), (1, 1, 1)), 0)
    found = places(shown, 0.5, 1.5)
    below = [bundle for bundle in shown.bundles if shown.boxes[bundle.a].tier == 0]
    assert len(below) == 32
    assert all(found[bundle.a].x == pytest.approx(found[bundle.z].x) for bundle in below)


def test_one_or_all_networks():
    layout = {
        "name": "two",
        "hosts": {"name": "dgx", "type": "dgx-h100", "count": 8},
        "networks": {
            "compute": {"family": "rail-only", "rails": 8, "speed": "400G", "leaf": {"type": "qm9700"}},
            "storage": {
                "family": "switch-pair",
                "isl": 4,
                "leaf": {"type": "qm9700"},
                "attach": [{"hosts": "dgx", "role": "storage"}],
            },
        },
    }
    fabric = ft.build(ft.layout_from_tree(layout))
    assert len(topology_outlines(fabric)) == 2
    (pair,) = topology_outlines(fabric, "storage")
    assert pair.to_dict()["network"] == "storage"
    across = [bundle for bundle in pair.bundles if pair.boxes[bundle.a].tier == pair.boxes[bundle.z].tier]
    assert [len(bundle.links) for bundle in across] == [4]
    assert len(topology_figure(fabric).axes) == 2
    with pytest.raises(InputError, match=r"no network 'storag'; did you mean 'storage'\?"):
        topology_outlines(fabric, "storag")


def test_managed_switches_are_served_and_no_part_of_the_network():
    """Management of a site: 8 leaves of its own; the switches of other networks stand among the hosts."""
    fabric = shipped("dgx-superpod-h100-4su-site.yaml")
    (shown,) = topology_outlines(fabric, "oob")
    row = fabric.network_row("oob")
    above = [device for box in shown.boxes if box.tier > 0 for device in box.devices]
    assert above == np.flatnonzero(fabric.devices.network == row).tolist()
    below = [box.kind for box in shown.boxes if box.tier == 0]
    assert {"host", "service", "leaf", "spine"} <= set(below)
    assert any("managed leaves" in line for line in row_lines(shown, 0))
    assert link_lines(shown, 0)[0] == f"{(fabric.links.network == row).sum():,} x 1G"


def test_units_stand_at_leaves_and_groups_above():
    words = [text.get_text() for text in topology_figure(shipped("dgx-superpod-gb200-2su.yaml")).axes[0].texts]
    assert "SU 2" in words
    assert "SU 3" not in words
    assert "group 8: 6 x qm9700" in words


def test_json_counts_add_up(superpod):
    document = json.loads(json.dumps(superpod.to_dict()))
    assert sum(box["devices"] for box in document["boxes"]) == 127 + 1 + 32 + 16
    assert sum(bundle["links"] for bundle in document["bundles"]) == 1016 + 4 + 1024


def test_the_figure_says_how_many():
    figure = topology_figure(shipped("dgx-superpod-h100-4su.yaml"))
    words = [text.get_text() for text in figure.axes[0].texts]
    assert "32 leaves · qm9700\n4 free ports" in words
    assert "1,024 x 400G, 2 a pair\na line: 32 links" in words
    assert "SU 4" in words
    assert "rail 8" in words


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_figure_is_the_same_file(form):
    first, second = (image_bytes(topology_figure(shipped("ft64.yaml")), form) for _ in range(2))
    assert first == second


def test_a_title_is_taken_literally():
    figure = topology_figure(fabric_of({"name": "h", "type": host_type(), "count": 4}, family="fat-tree",
                                       hosts_per_leaf=2, leaf={"type": SWITCH}), title="a $5 <b> _c_")  # fmt: skip
    assert figure.texts[0].get_text() == "a $5 <b> _c_"
    assert image_bytes(figure, "svg").startswith(b"<?xml")
