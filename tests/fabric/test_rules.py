"""Each rule fires on a fabric broken for it, once for each cause, and is silent on the whole one."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import fabrics
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.design import rule_findings
from fabrictool.fabric import Fabric, NetworkFacts, edit
from fabrictool.fabric.rules import Stated, design_findings
from fabrictool.fabric.scale import longest_path
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree, read_layout
from fabrictool.records import Finding

SHIPPED = sorted((Path(__file__).parents[2] / "topologies").glob("*.yaml"))
# What fires on purpose: hosts with one port, or with all ports on one leaf, depend on that leaf.
ON_PURPOSE = {"single-homed", "single-point", "ports-left"}


def _found(fabric: Fabric, identity: str, **stated: object) -> list[Finding]:
    asked = {network.name: Stated(**stated) for network in fabric.networks}  # type: ignore[arg-type]
    return [finding for finding in design_findings(fabric, asked) if finding.id == identity]


def _one(fabric: Fabric, identity: str, **stated: object) -> Finding:
    (finding,) = _found(fabric, identity, **stated)
    return finding


@pytest.fixture(scope="module")
def tree() -> Fabric:
    return fabrics.pgft((4, 4), (1, 4), (1, 1))


@pytest.fixture(scope="module")
def rails() -> Fabric:
    """Two scalable units of 4 hosts with 4 rails, 8 leaves, 4 spines."""
    return fabrics.rails(8, 4, 4, 4, up=4)


@pytest.fixture(scope="module")
def planes() -> Fabric:
    host = {"name": "h", "gpus": 1, "nics": [{"count": 1, "ports_each": 2, "speed": "400G"}]}
    leaf = {"type": {"name": "sw", "ports": 16, "speed": "400G"}}
    return fabrics.fabric_of(
        {"name": "host", "type": host, "count": 16}, family="multi-plane", planes=2, hosts_per_leaf=4, leaf=leaf
    )


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_shipped_layouts_break_no_rule_by_accident(path: Path) -> None:
    layout = read_layout(str(path))
    assert {finding.id for finding in rule_findings(layout, build(layout))} <= ON_PURPOSE


def test_a_whole_rail_fabric_and_planes_break_none(rails: Fabric, planes: Fabric) -> None:
    assert {finding.id for finding in design_findings(rails)} <= {"single-homed", "ports-left"}
    assert {finding.id for finding in design_findings(planes)} <= {"ports-left"}


def test_a_lost_uplink_makes_uplinks_unequal(tree: Fabric) -> None:
    leaf = _one(edit(tree, drop=["leaf-03:6"]), "unequal-uplinks")
    assert leaf.severity == "warning"
    assert "1 of 4 leaf switches" in leaf.message
    assert "leaf-03 has 3 of 1.2T in sum, leaf-01 4 of 1.6T" in leaf.message
    assert "leaf-03" in leaf.fix


def test_a_slow_uplink_makes_uplinks_unequal_and_its_spine_of_two_speeds(tree: Fabric) -> None:
    slow = edit(tree, slow={"leaf-03:6": 0.5})
    assert "leaf-03 has 4 of 1.4T" in _one(slow, "unequal-uplinks").message
    assert "1 spine switches have links of two speeds: spine-02 200G and 400G" in _one(slow, "mixed-speeds").message


def test_blocking_is_held_against_what_is_asked_for(tree: Fabric) -> None:
    broken = edit(tree, drop=["leaf-03:6"])
    finding = _one(broken, "more-blocking", oversubscription=(1.0,))
    assert finding.severity == "error"
    assert finding.message == "tier 1 is 1.333:1 where 1:1 is asked for"
    assert not _found(broken, "more-blocking", oversubscription=(4 / 3,))
    assert not _found(broken, "more-blocking")


def test_rails_exchanged_at_a_host(rails: Fabric) -> None:
    broken = edit(
        rails,
        drop=["host-03:1", "host-03:2"],
        add=[("host-03:1", "leaf-02:3"), ("host-03:2", "leaf-01:3")],
    )
    finding = _one(broken, "wrong-rail")
    assert finding.severity == "error"
    assert finding.message == ("2 host ports are on a leaf of another rail: host-03:1 - leaf-02:3 is of rail 1")
    assert finding.fix.startswith("replug host-03:")
    assert not _found(broken, "rail-split")


def test_a_rail_wired_to_two_leaves(rails: Fabric) -> None:
    """Rail 3 of a host in the first unit goes to the leaf of rail 3 in the second."""
    broken = edit(
        rails,
        drop=["host-02:3", "host-06:3"],
        add=[("host-02:3", "leaf-07:2"), ("host-06:3", "leaf-03:2")],
    )
    finding = _one(broken, "rail-split")
    assert finding.severity == "error"
    assert finding.message.startswith("2 host ports are on another leaf than their rail's neighbours: host-02:3")
    assert "host-02, host-06" in finding.fix
    assert not _found(broken, "wrong-rail")


def test_inferred_rails_are_a_warning_and_need_a_pattern(rails: Fabric) -> None:
    facts = (NetworkFacts("compute", "infiniband", "file"),)
    broken = edit(rails, drop=["host-03:1", "host-03:2"], add=[("host-03:1", "leaf-02:3"), ("host-03:2", "leaf-01:3")])
    assert _one(replace(broken, networks=facts), "wrong-rail").severity == "warning"
    rng = np.random.default_rng(1)
    rail = rng.permutation(broken.ports.rail)
    shuffled = replace(broken, networks=facts, ports=replace(broken.ports, rail=rail))
    assert not _found(shuffled, "wrong-rail")


def test_planes_that_touch(planes: Fabric) -> None:
    leaves = [name for name in planes.names if name.startswith("leaf")]
    first, other = leaves[0], leaves[-1]
    kept = {planes.link_name(row).partition(" - ")[2]: row for row in range(len(planes.links))}
    hosts = [next(word for word in kept if word.startswith(f"{leaf}:")) for leaf in (first, other)]
    ends = [planes.link_name(kept[word]).partition(" - ")[0] for word in hosts]
    broken = edit(planes, drop=hosts, add=[(ends[0], hosts[1]), (ends[1], hosts[0])])
    finding = _one(broken, "planes-touch")
    assert finding.severity == "error"
    assert finding.message.startswith("2 links join two planes:")


def test_hosts_on_one_leaf_depend_on_it(tree: Fabric, rails: Fabric) -> None:
    finding = _one(tree, "single-point")
    assert finding.message == (
        "4 of 4 leaf switches are single points of failure: the loss of leaf-01 cuts 4 hosts off"
    )
    assert not _found(rails, "single-point")


def test_a_last_spine_and_a_last_link_are_single_points(tree: Fabric) -> None:
    one_spine = edit(tree, drop=["spine-02", "spine-03", "spine-04"])
    spine = [finding for finding in _found(one_spine, "single-point") if "spine" in finding.message]
    assert [row.message for row in spine] == [
        "1 of 1 spine switches are single points of failure: the loss of spine-01 cuts 12 hosts off"
    ]
    link = _one(one_spine, "single-point-link")
    assert link.message.startswith("4 links between switches are single points of failure:")
    assert link.message.endswith("cuts 4 hosts off")


def test_parallel_links_are_no_single_point() -> None:
    doubled = fabrics.pgft((4, 4), (1, 1), (1, 2))
    assert not _found(doubled, "single-point-link")
    assert _one(edit(doubled, drop=["leaf-02:5"]), "single-point-link").message.startswith("1 links")


def test_two_ports_on_two_leaves_are_not_single_homed(tree: Fabric, planes: Fabric) -> None:
    assert _one(tree, "single-homed").message == "16 single-homed host links: a flap of one stops a job"
    assert not _found(planes, "single-homed")


def test_paths_of_infiniband_end_at_63_links() -> None:
    """Hosts at both ends of a chain of n switches are n + 1 links apart."""
    assert longest_path(_chain(62), 0) == 63
    assert not _found(_chain(62), "too-many-hops")
    finding = _one(_chain(63), "too-many-hops")
    assert finding.severity == "error"
    assert finding.message == "some hosts are 64 links apart, a subnet manager reaches 63"


def _chain(switches: int) -> Fabric:
    """A row of switches with a host at each end, wired out of a fabric of switch pairs."""
    pair = {"name": "sw", "ports": 4, "speed": "400G", "latency": "0 ns"}
    whole = fabrics.pgft((1, switches), (1, 1), (1, 1), leaf={"type": pair}, spine={"type": pair | {"ports": switches}})
    ends = ("leaf", f"{switches:0{max(2, len(str(switches)))}d}")
    width = len(ends[1])
    names = [f"leaf-{n:0{width}d}" for n in range(1, switches + 1)]
    hosts = [name for name in whole.names if name.startswith("host")]
    joints = [(f"{a}:3", f"{z}:4") for a, z in pairwise(names)]
    return edit(whole, drop=[*hosts[1:-1], "spine-01"], add=joints)


@pytest.mark.parametrize(("tiers", "refused"), [(1, True), (2, False), (3, False)])
def test_ftree_routes_two_to_eight_tiers(tiers: int, refused: bool) -> None:
    fabric = fabrics.pgft((2,) * tiers, (1,) + (2,) * (tiers - 1), (1,) * tiers)
    assert bool(_found(fabric, "tree-rank", routing="ftree")) == refused


def test_lids_run_out() -> None:
    """A pod of a three-level tree of 64-port switches is 1,024 hosts and 64 switches, over 1,024 cores."""
    leaf = {"type": {"name": "sw", "ports": 64, "speed": "400G", "latency": "0 ns"}}

    def pods(count: int) -> Fabric:
        return fabrics.pgft((32, 32, count), (1, 32, 32), (1, 1, 1), leaf=leaf)

    fits = pods(42)  # 42 x 1,024 hosts + 42 x 64 switches + 1,024 cores = 46,720 of 49,151
    warned = _one(fits, "lid-space")
    assert warned.severity == "warning"
    assert "takes 46,720 of 49,151 unicast LIDs" in warned.message
    assert "731 of 768 blocks of 64" in warned.message
    beyond = _one(pods(45), "lid-space")  # 45 x 1,088 + 1,024 = 49,984
    assert beyond.severity == "error"
    assert "takes 49,984" in beyond.message
    assert not _found(pods(39), "lid-space")  # 43,456, below 90 %


def test_each_rail_without_spines_is_a_subnet_of_its_own() -> None:
    host = fabrics.host_type(16, scale_up="3.6T")
    leaf = {"type": {"name": "big", "ports": 4000, "speed": "400G"}}
    rails = fabrics.fabric_of({"name": "host", "type": host, "count": 4000}, family="rail-only", leaf=leaf)
    assert len(rails.links) == 64000
    assert not _found(rails, "lid-space")


def test_tables_are_held_against_published_sizes_only(tree: Fabric) -> None:
    ethernet = replace(tree, networks=(NetworkFacts("compute", "ethernet", "fat-tree"),))
    assert not _found(ethernet, "mac-table")
    finding = _one(ethernet, "mac-table", mac_addresses={"sw": 15})
    assert finding.message == "16 host ports, sw holds 15 MAC addresses"
    assert not _found(ethernet, "mac-table", mac_addresses={"sw": 16})
    assert _found(ethernet, "route-table", routes={"sw": 8})
    assert not _found(tree, "mac-table", mac_addresses={"sw": 1})


def test_growth_into_reserved_ports_may_block() -> None:
    tree = {
        "name": "g",
        "hosts": {"name": "host", "type": fabrics.host_type(4), "count": 8},
        "networks": {
            "compute": {
                "family": "rail-optimized",
                "scalable_unit": {"hosts": 4, "reserve": 2},
                "leaf": {"type": fabrics.SWITCH, "up": 4},
                "spine": {"type": fabrics.SWITCH, "count": 4},
            }
        },
    }
    layout = layout_from_tree(tree)
    (finding,) = [row for row in rule_findings(layout, build(layout)) if row.id == "growth-blocks"]
    assert finding.message == "with the 2 reserved ports of a leaf in use it is 1.5:1, 1:1 is asked for"
    tree["networks"]["compute"]["leaf"]["up"] = 6  # type: ignore[index]
    tree["networks"]["compute"]["spine"]["count"] = 6  # type: ignore[index]
    layout = layout_from_tree(tree)
    assert "growth-blocks" not in {row.id for row in rule_findings(layout, build(layout))}


def test_ports_left(tree: Fabric) -> None:
    assert _one(tree, "ports-left").message == "free ports for growth: leaf 2,016, spine 2,032"
    full = fabrics.pgft((4, 8), (1, 4), (1, 1), leaf={"type": fabrics.SWITCH | {"ports": 8}})
    assert _one(full, "ports-left").message == "no port is free: not one more host fits"


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 8), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2))
def test_whole_rails_of_any_size_are_silent(unit: int, gpus: int, units: int, short: int) -> None:
    """Also where the last scalable unit is short of hosts."""
    fabric = fabrics.rails(max(2, unit * units - short), gpus, unit, 1, up=unit)
    assert {finding.id for finding in design_findings(fabric)} <= {*ON_PURPOSE, "single-point-link"}
