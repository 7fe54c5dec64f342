"""Networks of a real site: storage, in-band and out-of-band beside compute, and whom each serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fabrictool.errors import InputError
from fabrictool.evaluation import evaluate
from fabrictool.fabric import KINDS, Fabric
from fabrictool.fabric.counting import cables, network_counts, occupied_cages, oversubscription
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree, read_layout

SITE = Path(__file__).parents[2] / "topologies" / "dgx-superpod-h100-4su-site.yaml"
SWITCH = {"name": "sw16", "ports": 16, "speed": "400G"}
ACCESS = {"name": "access", "ports": 48, "speed": "1G", "uplink_cages": 4, "uplink_speed": "100G"}


@pytest.fixture(scope="module")
def site() -> Fabric:
    return build(read_layout(str(SITE)))


def _cables(fabric: Fabric, network: str, *groups: str) -> int:
    """Count the cables of a network whose lower end is a device of some groups."""
    rows = [fabric.groups.index(group) for group in groups]
    inside = np.isin(fabric.devices.group[fabric.ends[0]], rows)
    return cables(fabric, fabric.network_row(network), inside)


BILL = [
    # RA-11333-001 V11, Appendix A, Tables 7 and 8: network, groups at the lower end, cables
    ("compute", ["dgx"], 1016),  # 2,040 NDR cables are 1,016 at hosts and 1,024 between switches
    ("compute", ["leaf"], 1024),
    ("compute", ["ufm"], 4),  # four transceivers at UFM appliances
    ("storage", ["dgx", "storage-leaf"], 494),  # storage NDR cables, 254 of them at hosts
    ("storage", ["dgx"], 254),
    ("storage", ["appliance"], 48),  # cables 2 x 200G
    ("storage", ["ufm-storage"], 4),
    ("inband", ["dgx"], 254),
    ("inband", ["admin"], 8),
    ("inband", ["nfs"], 8),
    ("inband", ["inband-leaf"], 24),
    ("oob", ["dgx"], 127),
    ("oob", ["leaf", "spine", "storage-leaf", "storage-spine"], 64),
    ("oob", ["admin", "ufm", "ufm-storage"], 8),
    ("oob", ["inband-leaf", "inband-spine"], 8),
    ("oob", ["pdu"], 108),
]  # fmt: skip


@pytest.mark.parametrize(("network", "groups", "count"), BILL)
def test_cables_of_the_bill_of_materials(network: str, groups: list[str], count: int, site: Fabric) -> None:
    assert _cables(site, network, *groups) == count


def test_switches_of_the_bill_of_materials(site: Fabric) -> None:
    """48 and 16 QM9700, 8 SN4600C, 8 SN2201."""
    counts = network_counts(site)
    totals = {name: row["leaf"] + row["spine"] for name, row in counts.items()}
    assert totals == {"compute": 48, "storage": 16, "inband": 8, "oob": 8}
    assert counts["oob"]["managed"] == 48 + 16 + 8
    assert "managed" not in counts["compute"]


def test_transceivers_of_the_bill_of_materials(site: Fabric) -> None:
    """Occupied cages of the compute network: 1,536 at switches, 508 at hosts. Storage: 254 at hosts, and at
    switches 369 hold the 254 + 2 x 240 + 4 ports that do not go to appliances."""
    for network, at_hosts in (("compute", 508), ("storage", 127 * 2)):
        inside = site.links.network == site.network_row(network)
        dgx = site.devices.group[site.ends[0]] == site.groups.index("dgx")
        assert len(occupied_cages(site, inside & dgx, ("a",))) == at_hosts
    compute = site.links.network == 0
    switch = site.devices.network == 0
    cages = occupied_cages(site, compute)
    assert np.count_nonzero(switch[cages >> 16]) == 1536
    assert (254 + 2 * 240 + 4) / 2 == 369


def test_uplinks_and_racks_of_the_bill_of_materials(site: Fabric) -> None:
    uplinks = {facts.name: sum(count for _, count, _ in facts.uplinks) for facts in site.networks}
    assert uplinks == {"compute": 0, "storage": 0, "inband": 4, "oob": 16}
    done = evaluate(read_layout(str(SITE)))
    assert (done.ok, done.counts["racks"]) == (True, 38)
    assert done.placement is not None
    pdu = site.devices.group == site.groups.index("pdu")
    assert (done.placement.rack[pdu] == -1).all()


def test_storage_is_oversubscribed_for_hosts_alone(site: Fabric) -> None:
    """4:3 at the leaves of hosts; those of storage carry 12 ports and at most one for UFM over 12 uplinks."""
    assert oversubscription(site, site.network_row("storage")) == pytest.approx([32 / 24])
    leaf = np.flatnonzero(site.devices.group == site.groups.index("storage-leaf"))
    inside = site.links.network == site.network_row("storage")
    up = np.bincount(site.ends[0][inside], minlength=len(site.devices))[leaf]
    assert up.tolist() == [24] * 8 + [12] * 4


def test_every_port_ends_one_cable(site: Fabric) -> None:
    ends = np.concatenate((site.links.port_a, site.links.port_z))
    assert len(np.unique(ends)) == len(ends) == 2 * sum(cables(site, row) for row in range(4))


def _tree(**changes: Any) -> dict[str, Any]:
    """Eight hosts on a compute network, managed by an out-of-band one."""
    kind = {"name": "h", "gpus": 1, "nics": [{"count": 1, "speed": "400G"}, {"role": "bmc", "count": 1, "speed": "1G"}]}
    oob = {"family": "fat-tree", "protocol": "ethernet", "levels": 1, "leaf": {"type": ACCESS}}
    attach = [{"hosts": "host", "role": "bmc"}, {"switches": "compute", "role": "mgmt"}]
    networks = {
        "compute": {"family": "fat-tree", "hosts_per_leaf": 4, "leaf": {"type": SWITCH}},
        "oob": oob | {"attach": attach},
    }
    return {"name": "t", "hosts": {"name": "host", "type": kind, "count": 8}, "networks": networks} | changes


def test_management_ports_stand_after_the_others() -> None:
    fabric = build(layout_from_tree(_tree()))
    plain = _tree()
    del plain["networks"]["oob"]
    alone = build(layout_from_tree(plain))
    managed = fabric.links.network == 1
    assert sorted(fabric.ports.number[fabric.links.port_a[managed]].tolist()) == [2] * 8 + [17] * 3
    assert fabric.ports.speed_bps[fabric.links.port_a[managed]].tolist() == [1e9] * 11
    data = [fabric.link_name(row) for row in np.flatnonzero(~managed).tolist()]
    assert data == [alone.link_name(row) for row in range(len(alone.links))]


def test_a_manager_may_stand_before_those_it_manages() -> None:
    tree = _tree()
    tree["networks"] = dict(reversed(tree["networks"].items()))
    counts = network_counts(build(layout_from_tree(tree)))
    assert list(counts) == ["oob", "compute"]
    assert counts["oob"]["managed"] == counts["compute"]["leaf"] + counts["compute"]["spine"] == 3


def test_pdus_follow_racks_and_cdus_follow_loops() -> None:
    tree = _tree(
        racks=[{"name": "a", "type": "rack-48u", "hosts_per_rack": 3, "pdus": 3}, {"type": "rack-48u", "count": 2}],
        hall={"loops": [{"name": "L1", "count": 2}, {"name": "L2", "count": 1}]},
    )
    tree["networks"]["oob"]["attach"] += [{"racks": "pdu"}, {"loops": "cdu"}]
    layout = layout_from_tree(tree)
    fabric = build(layout)
    sizes = {group: int(np.count_nonzero(fabric.devices.group == row)) for row, group in enumerate(fabric.groups)}
    assert (sizes["pdu"], sizes["cdu"]) == (3 * 3 + 2 * 2, 3)
    assert set(fabric.devices.kind[fabric.devices.group >= fabric.groups.index("pdu")].tolist()) >= {1}
    done = evaluate(layout)
    assumed = {row.what: row.value for row in done.assumptions}
    assert assumed["PDUs of a rack rack-48u"] == "2"
    assert assumed["racks a that have PDUs"] == "those that hosts take"
    assert not [row for row in done.findings if "pdu" in row.where or row.id == "unplaced"]


def test_access_leaves_keep_uplinks_in_cages_of_their_own() -> None:
    tree = _tree()
    tree["networks"]["oob"]["leaf"] = {"type": ACCESS, "count": 2, "up": 4, "up_speed": "100G"}
    fabric = build(layout_from_tree(tree))
    counts = network_counts(fabric)["oob"]
    assert (counts["leaf"], counts["links"]) == (2, 11)
    assert fabric.networks[1].uplinks == (("leaf", 8, 100e9),)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"switches": "compute", "hosts": "host"}, "one of hosts, switches, racks and loops says whose ports, but hosts"),
    ({"role": "bmc"}, "whose ports, but none is given"),
    ({"switches": "compute", "role": "bmc"}, "switches have ports of role mgmt alone, not 'bmc'; remove the role"),
    ({"switches": "compute", "ports": [0]}, "ports are numbers of a host's ports; remove them"),
    ({"switches": "computer"}, "there is no network 'computer'; did you mean 'compute'?"),
    ({"switches": "oob"}, "network oob manages its own switches; give them to a network apart from it"),
    ({"racks": "pdu"}, "PDUs are attached, but there are no racks; add 'racks'"),
    ({"loops": "cdu"}, "CDUs are attached, but no loop says how many it has; add 'count' to hall.loops"),
]


@pytest.mark.parametrize(("entry", "words"), WRONG)
def test_attachments_that_make_no_sense(entry: dict[str, Any], words: str) -> None:
    tree = _tree()
    tree["networks"]["oob"]["attach"].append(entry)
    with pytest.raises(InputError, match=words.replace("?", r"\?")):
        layout_from_tree(tree)


STATED: list[tuple[dict[str, Any], str]] = [
    ({"racks": {"type": "rack-48u", "pdus": 2}}, "no network attaches the PDUs that are stated; attach them by"),
    ({"hall": {"loops": [{"name": "L", "count": 2}]}}, "no network attaches the CDUs that are stated"),
]


@pytest.mark.parametrize(("more", "words"), STATED)
def test_what_nobody_attaches(more: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        layout_from_tree(_tree(**more))


def test_racks_must_be_counted_before_their_pdus() -> None:
    tree = _tree(racks={"type": "rack-48u"})
    tree["networks"]["oob"]["attach"].append({"racks": "pdu"})
    with pytest.raises(InputError, match="not known before they are filled; give count or hosts_per_rack"):
        build(layout_from_tree(tree))


def test_networks_that_manage_one_another() -> None:
    tree = _tree()
    tree["networks"]["compute"]["attach"] = [{"hosts": "host"}, {"switches": "oob"}]
    with pytest.raises(InputError, match="network compute manages switches of one that manages its own"):
        build(layout_from_tree(tree))


def test_a_fault_of_a_managed_network_is_said_once() -> None:
    tree = _tree()
    tree["networks"]["compute"]["hosts_per_leaf"] = 12
    with pytest.raises(InputError) as found:
        build(layout_from_tree(tree))
    assert len(found.value.problems) == 1


def test_leaves_without_uplinks_are_one() -> None:
    tree = _tree()
    tree["networks"]["oob"]["leaf"] = {"type": ACCESS, "count": 2}
    with pytest.raises(InputError, match="2 leaves are stated, but nothing joins them; use 'levels: 2'"):
        build(layout_from_tree(tree))


def test_service_hosts_share_the_place_of_a_host() -> None:
    """Two appliances of two ports each fill the place that a 128th host would have: no fifth unit."""
    hosts = [{"name": "dgx", "type": "dgx-h100", "count": 127}, {"name": "ufm", "type": "ufm-appliance", "count": 4}]
    hosts[1]["role"] = "service"
    network = {"family": "rail-optimized", "rails": 8, "scalable_unit": {"hosts": 32}, "leaf": "qm9700"}
    network["attach"] = [{"hosts": "dgx", "role": "compute"}, {"hosts": "ufm", "ports": [0, 1]}]
    fabric = build(layout_from_tree({"name": "t", "hosts": hosts, "networks": {"compute": network}}))
    assert network_counts(fabric)["compute"]["leaf"] == 32
    ufm = fabric.devices.kind[fabric.ends[0]] == KINDS.index("service")
    assert len(np.unique(fabric.ends[1][ufm])) == 8
