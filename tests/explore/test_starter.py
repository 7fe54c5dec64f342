"""Starters: read, built and scored as they are, at every size that fits."""

import math
import re

import pytest

import fabrictool as ft
from fabrictool.errors import InputError
from fabrictool.explore.proof import cable_ends
from fabrictool.explore.starter import starter
from fabrictool.fabric.counting import free_ports, network_counts
from fabrictool.layout.reading import layout_from_bytes

SIZED = ("fat-tree", "rail-optimized", "rail-only", "multi-plane", "switch-pair")
FAMILIES = (*SIZED, "dragonfly", "dragonfly-plus", "slim-fly")
TREES = ("fat-tree", "rail-optimized")
TYPES = ("generic", "dgx-h100", "dgx-b200", "dgx-b300")
GPUS = {"generic": 1, "dgx-h100": 8, "dgx-b200": 8, "dgx-b300": 8}
COUNTS = (2, 3, 7, 8, 9, 31, 32, 33, 63, 64, 65, 100, 127, 128, 256, 500, 1024, 2048, 3000, 4096)
OPTION = re.compile(r"^(\s*)#(?=\w+:|  )", re.MULTILINE)


def built(text):
    layout = layout_from_bytes("starter.yaml", text.encode())
    return layout, ft.build(layout)


def kinds(text):
    """Return leaves, spines, cores and free ports of leaves."""
    _, fabric = built(text)
    (found,) = network_counts(fabric).values()
    return found["leaf"], found["spine"], found["core"], free_ports(fabric, 0)["leaf"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("host_type", TYPES)
def test_every_size_is_built_or_refused_with_the_largest(family, host_type):
    if host_type == "generic" and family in ("multi-plane", "switch-pair"):
        return  # one port has no planes and no second leaf
    for hosts in COUNTS:
        try:
            text = starter(family, hosts, host_type)
        except InputError as error:
            largest = int(re.search(r"ask for ([\d,]+) hosts at most", str(error))[1].replace(",", ""))
            assert largest < hosts
            assert len(built(starter(family, largest, host_type))[1].gpus) == largest * GPUS[host_type]
            continue
        layout, fabric = built(text)
        assert layout.hosts[0].count == hosts
        assert len(fabric.gpus) == hosts * GPUS[host_type]
        assert len(fabric.networks) == 1


@pytest.mark.parametrize(
    "family, host_type, largest",
    [
        ("fat-tree", "generic", 64**3 // 4),  # k^3/4 hosts of a k-ary tree, Leiserson 1985, Al-Fares 2008
        ("fat-tree", "dgx-h100", 64**3 // 4 // 8),
        ("rail-optimized", "dgx-h100", 64**3 // 4 // 8),
        ("rail-only", "dgx-h100", 32 * 64),  # each rail a two-level tree of k^2/2 ports
        ("multi-plane", "dgx-h100", 64**3 // 4),
        ("switch-pair", "dgx-h100", 8),  # 4 links a host and leaf, as many between the leaves
    ],
)
def test_largest_sizes_are_the_known_ones(family, host_type, largest):
    with pytest.raises(InputError, match=f"ask for {largest:,} hosts at most"):
        starter(family, largest + 1, host_type)
    if largest < 10_000:
        assert len(built(starter(family, largest, host_type))[1].gpus) == largest * GPUS[host_type]


@pytest.mark.parametrize("host_type, hosts", [("dgx-h100", 256), ("dgx-b300", 1296)])
def test_two_levels_reach_as_far_as_published(host_type, hosts):
    """2,048 GPUs under 64-port switches; 10,368 is NVIDIA's figure for two levels of Quantum-X800."""
    assert kinds(starter("rail-optimized", hosts, host_type))[2] == 0
    assert "levels: 3" in starter("rail-optimized", hosts + 1, host_type)


@pytest.mark.parametrize(
    "hosts, leaves, spines",
    [(31, 8, 4), (63, 16, 8), (95, 24, 16), (127, 32, 16), (256, 64, 32)],
)
def test_rail_optimized_takes_the_published_switches(hosts, leaves, spines):
    """DGX SuperPOD RA-11333-001 Table 4: 95 hosts take 16 spines, the divisor after the quotient 12.

    256 hosts take 96 switches: 64 leaves and 32 spines.
    """
    assert kinds(starter("rail-optimized", hosts, "dgx-h100"))[:3] == (leaves, spines, 0)


@pytest.mark.parametrize(
    "family, hosts, leaves, spines",
    [
        ("rail-only", 64, 8, 0),  # a rail is one switch
        ("rail-only", 65, 24, 16),
        ("rail-only", 128, 32, 16),
        ("multi-plane", 64, 8, 0),
        ("multi-plane", 128, 32, 16),
        ("fat-tree", 8, 2, 1),
        ("fat-tree", 256, 64, 32),
    ],
)
def test_other_families_take_as_many_as_their_closed_forms(family, hosts, leaves, spines):
    found = kinds(starter(family, hosts, "dgx-h100"))
    assert found[:2] == (leaves, spines)


def brute_force(hosts, ports, ratio, reserve):
    """Return the fewest switches of a two-level tree of single-port hosts, by trying every leaf and spine number."""
    best = None
    for down in range(1, ports + 1):
        up, leaves = math.ceil(down / ratio), max(2, math.ceil(hosts / down))
        if down + up + reserve > ports or math.ceil(hosts / down) < 2:
            continue
        for spines in range(1, up + 1):
            if up % spines == 0 and leaves * (up // spines) <= ports:
                best = min(best or leaves + spines, leaves + spines)
                break
    return best


@pytest.mark.parametrize("hosts", [10, 64, 100, 333, 777, 1500])
@pytest.mark.parametrize("ratio", [1.0, 1.5, 3.0])
@pytest.mark.parametrize("reserve", [0, 5])
def test_no_smaller_regular_set_exists(hosts, ratio, reserve):
    text = starter("fat-tree", hosts, oversubscription=ratio, reserve=reserve)
    leaves, spines, _, free = kinds(text)
    assert leaves + spines == brute_force(hosts, 64, ratio, reserve)
    assert free >= reserve * leaves
    assert f"switches: {leaves} + {spines} = {leaves + spines}" in text


@pytest.mark.parametrize(
    "family, hosts, growth",
    [
        ("fat-tree", 100, 900),
        ("fat-tree", 3000, 2000),
        ("rail-optimized", 100, 150),
        ("rail-only", 40, 400),
        ("multi-plane", 40, 400),
    ],
)
def test_growth_moves_no_cable(family, hosts, growth):
    """The grown layout, made from today's text, holds every link of today at the same ports."""
    text = starter(family, hosts, "generic" if family == "fat-tree" else "dgx-h100", growth=growth)
    small = built(text)[1]
    grown_text = text.replace(f"count: {hosts}", f"count: {hosts + growth}")
    leaves = re.search(r"leaf: {type: qm9700, count: (\d+)}", text)
    if leaves:  # a tree of pods grows by whole pods
        grown_text = grown_text.replace(leaves[0], "leaf: {type: qm9700, count: 160}")
    grown = built(grown_text)[1]
    assert cable_ends(small) < cable_ends(grown)
    assert "no cable of today moves" in text


@pytest.mark.parametrize("switch, short", [("qm9700", True), ("sn5400", False)])
def test_a_tree_beyond_the_addresses_of_infiniband_says_so(switch, short):
    """49,151 unicast LIDs: 6,000 hosts of 8 ports leave 1,151 for switches."""
    text = starter("fat-tree", 6000, "dgx-h100", switch_type=switch)
    assert ("# - addresses: a subnet has 49,151 (LIDs), too few for" in text) == short
    assert "addresses" not in starter("fat-tree", 4000, "dgx-h100", switch_type=switch)


def test_growth_that_would_move_cables_is_refused():
    with pytest.raises(InputError, match="300 hosts and 300 more later without moving cables"):
        starter("rail-optimized", 300, growth=300)


@pytest.mark.parametrize("speed, lanes", [("400G", 8), ("200G", 16), ("100G", 32)])
def test_slower_links_split_the_ports_of_hosts(speed, lanes):
    _, fabric = built(starter("rail-optimized", 16, "dgx-h100", speed))
    assert network_counts(fabric)["compute"]["links"] >= 16 * lanes


@pytest.mark.parametrize("family", TREES)
@pytest.mark.parametrize("host_type", TYPES)
@pytest.mark.parametrize("hosts", [2, 33, 64])
def test_scores_without_an_error(family, host_type, hosts):
    layout, _ = built(starter(family, hosts, host_type))
    evaluation = ft.evaluate(layout)
    assert evaluation.ok, [str(f) for f in evaluation.findings]
    assert all(row["message"] for row in evaluation.to_dict()["findings"])
    assert {row.collective for row in evaluation.collectives} == {"all-reduce", "all-to-all"}


@pytest.mark.parametrize("family, hosts", [("rail-only", 80), ("multi-plane", 64), ("switch-pair", 8)])
def test_families_without_a_joint_tier_score_without_an_error(family, hosts):
    layout, _ = built(starter(family, hosts))
    assert ft.evaluate(layout).ok


@pytest.mark.parametrize("family", TREES)
@pytest.mark.parametrize("host_type", TYPES)
@pytest.mark.parametrize("hosts", [32, 64])
def test_every_option_is_valid_too(family, host_type, hosts):
    text = starter(family, hosts, host_type)
    options, found = OPTION.subn(r"\1", text)
    assert found >= 10
    layout, _ = built(options)
    assert layout.workload is not None
    assert layout.cost.prices
    assert layout.networks["compute"].oversubscription == [2.0]
    assert ft.evaluate(layout).ok


@pytest.mark.parametrize(
    "speed, switch, protocol, name",
    [
        (None, None, "infiniband", "qm9700"),
        ("200G", None, "infiniband", "qm8790"),
        ("800G", None, "infiniband", "q3400-ra"),
        ("100G", None, "ethernet", "switch-64x100G"),
        ("400G", "sn5600", "ethernet", "sn5600"),
    ],
)
def test_speed_and_switch(speed, switch, protocol, name):
    layout, _ = built(starter("fat-tree", 100, speed=speed, switch_type=switch))
    network = layout.networks["compute"]
    assert (network.protocol, network.leaf.type.name) == (protocol, name)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("fat-tree", 1), "1 host makes no network; ask for 2 hosts or more"),
        (("fat-tree", -5), "-5 hosts make no network"),
        (("fat-tree", 8, "dgx-h10"), "no host type 'dgx-h10'; did you mean 'dgx-h100'?"),
        (("fat-tree", 8, "dgx-h100", "800G"), "compute ports of 400G, not 800G; use --speed 400G"),
        (("fat-tree", 8, "dgx-h100", "10G"), "split into 40 links of 10G; a port has at most 8 lanes"),
        (("fat-tree", 8, None, "400 GB"), "is a size, not a speed"),
        (("fat-tree", 8, None, None, "qm970"), "no switch type 'qm970'; did you mean"),
        (("fat-tree", 8, None, "800G", "qm8790"), "qm8790 has ports of 200G at most, not 800G"),
        (
            ("fat-tree", 8, None, None, "nvlink5-switch-tray"),
            "joins GPUs inside a rack, not hosts; choose an InfiniBand",
        ),
        (("fat-tree", 8, "ufm-appliance"), "no GPU with a compute port"),
        (("rail-optimised", 8), "did you mean 'rail-optimized'?"),
    ],
)
def test_what_cannot_be_made_says_why(arguments, message):
    with pytest.raises(InputError, match=re.escape(message)):
        starter(*arguments)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"oversubscription": 0}, "--oversubscription: 0 is no ratio of speeds"),
        ({"oversubscription": float("nan")}, "is no ratio of speeds"),
        ({"reserve": -1}, "--reserve: -1 is less than nothing"),
        ({"growth": -2}, "--growth: -2 is less than nothing"),
        ({"reserve": 62}, "ask for 2,048 hosts at most"),
        ({"reserve": 63}, "a leaf has 1 port to use for 1 link of a host"),
        ({"reserve": 64}, "--reserve: 64 ports of each leaf kept free leave none of the 64 of qm9700; use 62 or less"),
        ({"growth": 70_000}, "64 hosts and 70,000 more to come do not fit"),
    ],
)
def test_intents_that_cannot_be_met_say_which_limit_is_hit(changes, message):
    with pytest.raises(InputError, match=re.escape(message)):
        starter("fat-tree", **({"hosts": 64} | ({"hosts": 3000} if changes.get("reserve") == 62 else {}) | changes))


@pytest.mark.parametrize("family", ["multi-plane", "switch-pair"])
def test_one_port_is_too_few_for_two_ways(family):
    with pytest.raises(InputError, match=r"generic has (1 link|one port)"):
        starter(family, 8, "generic")


def test_a_network_from_a_file_has_nothing_to_size():
    with pytest.raises(InputError, match="so there is nothing to size; write 'family: file'"):
        starter("file")


def test_racks_of_hosts_are_filled():
    text = starter("rail-optimized", 64, "gb200-nvl72")
    layout, fabric = built(text)
    assert "# - hosts: each tray of a rack is one; 64 asked for -> 4 racks of 18 = 72" in text
    assert (layout.hosts[0].count, layout.hosts[0].hosts, len(fabric.gpus)) == (4, 72, 288)
    assert ft.evaluate(layout).ok


def test_racks_of_hosts_grow_by_whole_racks():
    text = starter("fat-tree", 64, "gb200-nvl72", growth=9)
    assert "# - hosts to come: 9 asked for -> 1 rack more = 18" in text
    grown = built(text.replace("count: 4", "count: 5"))[1]
    assert cable_ends(built(text)[1]) < cable_ends(grown)
    assert "0 racks more" in starter("fat-tree", 64, "gb200-nvl72", growth=8)


def test_the_largest_number_of_hosts_in_racks_is_whole_racks():
    with pytest.raises(InputError, match="ask for 16,380 hosts at most"):  # 64^3 / 4 / 4 = 16,384 hosts of 4 ports
        starter("fat-tree", 17_000, "gb200-nvl72")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_a_starter_without_options(family):
    assert built(starter(family))[0].hosts[0].count == (8 if family == "switch-pair" else 64)


def test_a_port_is_split_to_eight_at_most():
    """64 cages of 800G are 512 ports of 10G or of 100G."""
    text = starter("fat-tree", 300, speed="10G", switch_type="sn5600")
    assert "of 512 ports" in text


@pytest.mark.parametrize("growth", [1, 4, 5])
def test_a_pair_of_switches_keeps_ports_for_growth(growth):
    text = starter("switch-pair", 3, growth=growth)
    small, grown = built(text)[1], built(text.replace("count: 3", f"count: {3 + growth}"))[1]
    assert cable_ends(small) < cable_ends(grown)
    assert f"down: {4 * (3 + growth)}" in text


def test_comments_stand_in_one_column():
    lines = [line for line in starter("rail-optimized").split("\n") if "  # " in line]
    columns = [line.index("  # ") for line in lines if len(line.split("  # ")[0].rstrip()) < 36]
    assert len(columns) > 8
    assert set(columns) == {36}
