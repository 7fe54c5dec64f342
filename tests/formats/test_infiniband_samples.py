"""Counts of every InfiniBand sample as its table states them (samples/infiniband/README.md)."""

from __future__ import annotations

import json

import numpy as np
import pytest
from foreign import DATA, ids, kinds, own, pairs, published

from fabrictool.fabric import counting, parts

COUNTS = json.loads((DATA / "infiniband" / "counts.json").read_text())

#: Case, to hosts, leaves, spines and cores of its shape.
SHAPES = {
    "ft2_64": (64, 8, 8, 0),
    "ft2_64_faillink": (64, 8, 8, 0),
    "ft2_64_swap_isl": (64, 8, 8, 0),
    "ft2_64_swap_mixed": (64, 8, 8, 0),
    "ft2_over3to1": (96, 8, 4, 0),
    "rail_4su": (32, 16, 8, 0),
    "ft3_k8": (128, 32, 32, 16),
    "ring6": (12, 6, 0, 0),
}


@pytest.mark.parametrize("case", SHAPES)
def test_generated_fabrics_have_the_counts_of_an_independent_parser(case: str) -> None:
    found, stated = own(f"infiniband/{case}.net.gz"), COUNTS[case]
    assert found.stated["switches"] == stated["switches"]
    assert found.stated["channel_adapters"] == stated["cas"]
    assert found.stated["links"] == len(found.fabric.links) == stated["links"]
    assert found.stated["switch_links"] == stated["switch_switch_links"]
    assert set(found.fabric.links.speed_bps.tolist()) == {200e9}


@pytest.mark.parametrize(("case", "shape"), SHAPES.items())
def test_tiers_follow_from_the_hosts(case: str, shape: tuple[int, ...]) -> None:
    found = kinds(own(f"infiniband/{case}.net.gz").fabric)
    assert tuple(found.get(kind, 0) for kind in ("host", "leaf", "spine", "core")) == shape


def test_a_ring_is_said_to_be_no_tree_and_has_its_real_distances() -> None:
    found = own("infiniband/ring6.net.gz")
    assert [finding.id for finding in found.findings] == ["same-tier-links"]
    # 12 hosts on 6 switches: 1 other on the same switch, then 4, 4 and 2 at one, two and three switches' distance
    assert parts.hop_counts(found.fabric, 0) == {2: 12, 3: 48, 4: 48, 5: 24}


def test_adapters_of_a_host_are_its_rails() -> None:
    fabric = own("infiniband/rail_4su.net.gz").fabric
    devices, ports = fabric.devices, fabric.ports
    host = devices.kind[ports.device] == 0
    assert np.bincount(ports.rail[host]).tolist() == [32, 32, 32, 32]
    names = dict(zip(fabric.names, devices.rail.tolist(), strict=True))
    assert [names[f"su{su}-rail{rail}"] for su in (1, 4) for rail in (1, 4)] == [0, 3, 0, 3]
    assert fabric.link_name(0) == "dgx001:mlx5_0 - su1-rail1:1"


def test_hosts_stand_in_the_order_of_their_lids() -> None:
    devices = own("infiniband/rail_4su.net.gz").fabric.devices
    lids = devices.lid[devices.kind == 0]
    assert (np.diff(lids) > 0).all()
    assert lids[0] == 25


def test_identities_of_the_file_are_kept() -> None:
    fabric = own("infiniband/ft2_64.net.gz").fabric
    row = fabric.names.index("node0001")
    port = fabric.first_port[row]
    assert (fabric.devices.guid[row], fabric.ports.guid[port]) == (0xB8599F0300000010, 0xB8599F0300000011)
    assert (fabric.devices.lid[row], fabric.ports.lid[port]) == (17, 17)
    assert fabric.devices.guid[fabric.names.index("leaf001")] == 0x0C42A10300000010


@pytest.mark.parametrize("form", ["ibnetdiscover.out", "ibnetdiscover-p.out", "opensm-subnet.lst"])
def test_every_tool_s_listing_of_one_fabric_gives_the_same_links(form: str) -> None:
    netfile = own("infiniband/ft2_64_faillink.net.gz").fabric
    found = own(f"infiniband/ft2_64_faillink.{form}.gz")
    assert not found.findings
    names = {found.fabric.link_name(row) for row in range(127)}
    assert names == {netfile.link_name(row) for row in range(127)}
    assert "leaf003:13 - spine005:3" not in names
    assert set(found.fabric.links.speed_bps.tolist()) == {200e9}


def test_topo_reads_definitions_beside_it() -> None:
    found = own("infiniband/ft2_64.topo")
    netfile = own("infiniband/ft2_64.net.gz").fabric
    assert kinds(found.fabric) == {"host": 64, "leaf": 8, "spine": 8}
    plain = {netfile.link_name(row).replace(":mlx5_0", ":1") for row in range(128)}
    assert {found.fabric.link_name(row) for row in range(128)} == plain
    assert [finding.id for finding in found.findings] == ["rate-unknown"]


#: File, to switches, channel adapters, aggregation nodes, links, links between switches.
PUBLISHED = {
    "jabl-ibtopotool-1.ibnetdiscover.txt": (2, 4, 0, 7, 2),
    "jabl-ibtopotool-2.ibnetdiscover.txt": (1, 2, 0, 2, 0),
    "jabl-ibtopotool-3.ibnetdiscover.txt": (2, 6, 0, 10, 4),
    "jabl-ibtopotool-4.ibnetdiscover.txt": (1, 1, 0, 1, 0),
    "superbenchmark-8sw.ibnetdiscover.txt": (8, 10, 1, 18, 7),
    "sharp-4sw.ibnetdiscover.txt": (4, 8, 4, 12, 4),
    "sharp-4sw-invalid-lids.ibnetdiscover.txt": (4, 12, 4, 16, 4),
    "hdr-206sw-1130hca.ibnetdiscover.txt.gz": (206, 1336, 206, 3572, 2236),
}


@pytest.mark.parametrize(("name", "counts"), PUBLISHED.items())
def test_published_listings_have_their_stated_counts(name: str, counts: tuple[int, ...]) -> None:
    found = published(f"infiniband/real/{name}")
    stated = (
        found.stated["switches"],
        found.stated["channel_adapters"],
        found.set_apart["aggregation_nodes"],
        found.stated["links"],
        found.stated["switch_links"],
    )
    assert stated == counts
    assert len(found.fabric.links) == counts[3]


def test_a_large_cluster_has_three_tiers_and_hosts_of_eight_adapters() -> None:
    fabric = published("infiniband/real/hdr-206sw-1130hca.ibnetdiscover.txt.gz").fabric
    assert kinds(fabric) == {"host": 150, "leaf": 56, "spine": 80, "core": 70, "aggregation": 206}
    assert pairs(fabric)["host", "leaf"] + pairs(fabric)["host", "spine"] == 1130
    assert counting.counts(fabric)["cables"] == 3572 - 206
    rails = fabric.ports.rail[fabric.devices.kind[fabric.ports.device] == 0]
    assert np.bincount(rails[rails >= 0]).tolist() == [140] * 8


def test_invalid_lids_are_reported_where_they_stand() -> None:
    found = published("infiniband/real/sharp-4sw-invalid-lids.ibnetdiscover.txt")
    invalid = [finding for finding in found.findings if finding.id == "lid-invalid"]
    assert [finding.where.rpartition(":")[2] for finding in invalid] == ["10", "32", "34", "45"]
    assert {finding.severity for finding in invalid} == {"warning"}


def test_an_undefined_aggregation_node_is_reported_and_kept() -> None:
    found = published("infiniband/real/superbenchmark-8sw.ibnetdiscover.txt")
    assert ids(found) == [("undefined-peer", "10")]
    assert kinds(found.fabric) == {"host": 10, "leaf": 5, "spine": 2, "core": 1, "aggregation": 1}


def test_ends_that_disagree_take_the_slower_rate() -> None:
    found = published("infiniband/real/jabl-ibtopotool-1.ibnetdiscover.txt")
    assert [place for kind, place in ids(found) if kind == "rates-disagree"] == ["15", "18"]
    assert sorted(found.fabric.links.speed_bps.tolist())[:2] == [2.5e9, 2.5e9]


def test_a_port_listing_with_down_ports() -> None:
    found = published("infiniband/real/treydock-ports.ibnetdiscover-p.txt")
    assert kinds(found.fabric) == {"host": 3, "leaf": 3, "spine": 1}
    assert len(found.fabric.links) == 4
    free = [found.fabric.port_name(row) for row in np.flatnonzero(found.fabric.ports.peer < 0).tolist()]
    assert free == ["ib-i4l1s01:37", "ib-i7l2s01:80"]


#: File, to hosts, switches, links between switches and in all: a 4-ary 2-tree has 4 + 4 switches and 16 hosts.
TREES = {
    "ibmgtsim-4-ary-2-tree.topo": (16, 8, 16, 32),
    "ibmgtsim-4-ary-2-tree-missing-sw-link.topo": (14, 8, 15, 29),
    "ibmgtsim-4-ary-2-tree-links-at-same-rank-1.topo": (16, 8, 19, 35),
}


@pytest.mark.parametrize(("name", "counts"), TREES.items())
def test_trees_of_ibutils(name: str, counts: tuple[int, ...]) -> None:
    fabric = published(f"infiniband/formats/{name}").fabric
    switch = fabric.devices.tier > 0
    a, z = fabric.ends
    between = int((switch[a] & switch[z]).sum())
    assert (int((~switch).sum()), int(switch.sum()), between, len(fabric.links)) == counts
    assert kinds(fabric)["leaf"] == kinds(fabric)["spine"] == 4
