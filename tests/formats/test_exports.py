"""What is written for other tools: read back with no difference, told by content, and right by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import fabrics
import numpy as np
import pytest
from foreign import own, published

from fabrictool.errors import InputError
from fabrictool.explore.routed import routed_network
from fabrictool.explore.simgrid_routes import simgrid_routes
from fabrictool.fabric import Fabric
from fabrictool.fabric.edits import network_alone
from fabrictool.formats import (
    containerlab,
    dot,
    gexf,
    ibutils_topo,
    labels_csv,
    netbox,
    node_link,
    plan_csv,
    point_to_point,
    simgrid,
    slurm,
)  # fmt: skip
from fabrictool.formats.hostlists import compressed, expanded
from fabrictool.formats.neighbourhoods import blocks, neighbourhoods
from fabrictool.formats.plan_rows import cable_rows
from fabrictool.formats.port_naming import named_ports
from fabrictool.formats.recognise import imported, imported_from
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree
from fabrictool.records import CableEnd, CableRow, Place

FABRICS = {
    "ft64": fabrics.pgft((8, 8), (1, 8), (1, 1)),
    "parallel cables": fabrics.pgft((8, 4, 4), (1, 4, 4), (1, 2, 2)),
    "rails": fabrics.rails(12, 4, 4, 4),
    "rail only": fabrics.rail_only(6, 4),
    "dragonfly": fabrics.fabric_of(
        {"name": "host", "type": fabrics.host_type(), "count": 72}, family="dragonfly",
        dragonfly={"p": 2, "a": 4, "h": 2, "groups": 9}, leaf={"type": fabrics.SWITCH},
    ),
    "discovered": own("infiniband/rail_4su.net.gz").fabric,
    "odd names": own("infiniband/ft2_64_swap_mixed.net.gz").fabric,
}  # fmt: skip
WHOLE = {"gexf": gexf.write, "node-link": node_link.write}
LINKED = {"dot": dot.write, "containerlab": containerlab.write}


def back(text: str, form: str) -> Fabric:
    found = imported_from("back", text.encode())
    assert found is not None
    assert found.format == form
    assert {finding.id for finding in found.findings} <= {"same-tier-links"}
    return found.fabric


def links_of(fabric: Fabric, words: list[str] | None = None) -> list[tuple[object, ...]]:
    """Links by both ends' device, number and name, with all that a link has."""
    links, ports = fabric.links, fabric.ports
    label = ports.label if ports.label is not None else np.full(len(ports), "")
    rows = []
    for row, net in enumerate(links.network.tolist()):
        ends = []
        for port in (int(links.port_a[row]), int(links.port_z[row])):
            number = int(ports.number[port])
            word = words[port] if words else str(label[port]) or str(number)
            ends.append((fabric.names[ports.device[port]], number, word))
        rows.append((*ends, float(links.speed_bps[row]), float(links.latency_s[row]), fabric.networks[net].name))
    return sorted(rows)


def devices_of(fabric: Fabric) -> list[tuple[str, int, int]]:
    kind, tier = fabric.devices.kind.tolist(), fabric.devices.tier.tolist()
    return sorted(zip(fabric.names, kind, tier, strict=True))


@pytest.mark.parametrize("form", sorted(LINKED))
@pytest.mark.parametrize("name", sorted(FABRICS))
def test_links_names_kinds_and_ports_come_back(name: str, form: str) -> None:
    before = FABRICS[name]
    after = back(LINKED[form](before), form)
    assert after.name == before.name
    assert links_of(after) == links_of(before)
    assert devices_of(after) == devices_of(before)
    assert after.networks[0].protocol == before.networks[0].protocol


@pytest.mark.parametrize("form", sorted(LINKED))
@pytest.mark.parametrize("scheme", ["cumulus", "sonic", "junos", "mlnx-os"])
def test_ports_come_back_whatever_they_are_called(scheme: str, form: str) -> None:
    before = FABRICS["rails"]
    words = named_ports(before, scheme, {})
    after = back(LINKED[form](before, words), form)  # type: ignore[operator]
    assert links_of(after) == links_of(before, words)


@pytest.mark.parametrize("form", sorted(WHOLE))
@pytest.mark.parametrize("name", sorted(FABRICS))
def test_whole_fabrics_come_back_with_every_column(name: str, form: str) -> None:
    before = FABRICS[name]
    after = back(WHOLE[form](before), form)
    assert (after.name, after.names, after.networks, after.widths) == (
        before.name, before.names, before.networks, before.widths,
    )  # fmt: skip
    for table in ("devices", "ports", "links", "gpus", "gpu_ports"):
        columns, found = getattr(before, table).columns(), getattr(after, table).columns()
        for column in columns.keys() - {"type", "group", "name"}:
            assert np.array_equal(columns[column], found[column]), (table, column)


@pytest.mark.parametrize("name", ["ft64", "parallel cables", "rails", "rail only"])
def test_a_topo_comes_back_with_ports_and_speeds(name: str) -> None:
    before = FABRICS[name]
    definitions = ibutils_topo.written_definitions(before)
    known = {word.removesuffix(".ibnl"): ibutils_topo.definition(text) for word, text in definitions.items()}
    found = ibutils_topo.read("back", ibutils_topo.write(before), known)
    assert not found.findings
    untimed = [(a[:2], z[:2], speed) for a, z, speed, *_ in links_of(before)]
    assert [(a[:2], z[:2], speed) for a, z, speed, *_ in links_of(found.fabric)] == untimed
    assert devices_of(found.fabric) == devices_of(before)
    assert np.array_equal(np.sort(found.fabric.ports.number), np.sort(before.ports.number))


def test_a_link_of_a_topo_reads_as_the_grammar_says() -> None:
    text = ibutils_topo.write(FABRICS["ft64"])
    assert "\nsw-512p leaf-01\n# links below: 4x-100G\n   P1 -4x-> h-1p host-01 P1\n" in text


@pytest.mark.parametrize(
    ("sample", "form", "links"),
    [
        ("formats/dot/ref16-topology.dot", "dot", 256),
        ("formats/clab/ref16.clab.yml", "containerlab", 256),
        ("formats/real/nrx-dc1.clab.yaml", "containerlab", 12),
        ("formats/graph/ref16.gexf", "gexf", 256),
        ("formats/graph/ref16.node-link.json", "node-link", 256),
    ],
)
def test_files_of_others_are_told_by_content(sample: str, form: str, links: int) -> None:
    found = published(sample)
    assert (found.format, len(found.fabric.links)) == (form, links)


def test_an_edge_of_ptm_is_one_line_that_names_both_ports() -> None:
    rails = FABRICS["rails"]
    lines = dot.write(rails, named_ports(rails, "cumulus", {})).split("\n")
    assert '  "host-01":"mlx5_0" -- "leaf-01":"swp1" [' in "\n".join(lines)
    assert max(len(line.encode()) for line in lines) <= dot.LONGEST_LINE


def test_dot_of_others_is_read_with_what_the_language_allows() -> None:
    text = """
    /* by hand */ graph lab { // one
      rankdir=LR; node [shape=box]
      subgraph cluster_a { "h 1" [kind=host]; h2 [kind="host"] }
      # a comment
      "h 1":"eth0" -- tor1:swp1 [speed="400G", network=a]; h2:eth0:n -- tor1:"swp2" [speed="400G" network=a];
      tor1 [kind=leaf]
    }"""
    fabric = back(text, "dot")
    assert links_of(fabric) == [
        (("h 1", 1, "eth0"), ("tor1", 1, "swp1"), 400e9, 0.0, "a"),
        (("h2", 1, "eth0"), ("tor1", 2, "swp2"), 400e9, 0.0, "a"),
    ]


def test_interfaces_of_containers_fit_linux() -> None:
    junos = named_ports(FABRICS["rails"], "junos", {})
    text = containerlab.write(FABRICS["rails"], junos)
    assert '"leaf-01:et-0_0_0"' in text
    used = [word.split(":")[1] for line in text.split("\n") if "endpoints" in line for word in line.split('"')[1:4:2]]
    assert all(len(word) <= 15 and "/" not in word and word != "eth0" for word in used)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["gpu08", "gpu01", "gpu02", "gpu03"], "gpu[01-03,08]"),
        (["gpu1", "gpu10"], "gpu[1],gpu[10]"),
        (["a", "b2"], "a,b2"),
        ([f"n{row:03d}-ib" for row in range(9, 12)], "n[009-011]-ib"),
    ],
)  # fmt: skip
def test_hostlists(names: list[str], text: str) -> None:
    found = compressed(names)
    assert found == text.replace("gpu[1],gpu[10]", "gpu1,gpu10")
    assert sorted(expanded(found)) == sorted(names)


@pytest.mark.parametrize("text", ["gpu[01-", "gpu[3-1]", "gpu[a]", "gpu[1-9999999]"])
def test_broken_hostlists(text: str) -> None:
    with pytest.raises(ValueError, match=r"bracket|counts down|no number"):
        expanded(text)


def test_rails_of_a_unit_are_one_switch_of_slurm() -> None:
    """12 hosts in units of 4: the 4 rail leaves of a unit are one switch, all spines are one above them."""
    text = slurm.write(FABRICS["rails"])
    assert [line for line in text.split("\n") if line and not line.startswith("#")] == [
        "SwitchName=tier1-1 Nodes=host-[01-04]",
        "SwitchName=tier1-2 Nodes=host-[05-08]",
        "SwitchName=tier1-3 Nodes=host-[09-12]",
        "SwitchName=tier2-1 Switches=tier1-[1-3]",
    ]
    assert "# tier1-1: leaf-01, leaf-02, leaf-03, leaf-04" in text
    assert slurm.write(FABRICS["rails"], plugin="block").split("\n")[1:5] == [
        "BlockName=block001 Nodes=host-[01-04]", "BlockName=block002 Nodes=host-[05-08]",
        "BlockName=block003 Nodes=host-[09-12]", "BlockSizes=4,8",
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(FABRICS))
@pytest.mark.parametrize("plugin", ["tree", "block", "yaml"])
def test_each_host_is_once_in_slurm_and_the_tree_comes_back(name: str, plugin: str) -> None:
    fabric = FABRICS[name]
    found = imported_from("back", slurm.write(fabric, plugin=plugin).encode())
    assert found is not None
    assert found.format == "slurm"
    assert {finding.id for finding in found.findings} <= {"rate-unknown", "tier-unknown"}
    hosts = [name for name, kind in zip(fabric.names, fabric.devices.kind.tolist(), strict=True) if kind == 0]
    got = found.fabric
    assert sorted(n for n, kind in zip(got.names, got.devices.kind.tolist(), strict=True) if kind == 0) == sorted(hosts)
    groups = blocks(fabric, 0) if plugin == "block" else neighbourhoods(fabric, 0)
    assert parents(got) == {child: above for group in groups for child, above in below(group)}


def below(group: object) -> list[tuple[str, str]]:
    own_name, hosts, parts = group.name, group.hosts, group.parts  # type: ignore[attr-defined]
    inner = [pair for part in parts for pair in below(part)]
    return [*((host, own_name) for host in hosts), *((part.name, own_name) for part in parts), *inner]


def parents(fabric: Fabric) -> dict[str, str]:
    a, z = fabric.ends
    return {fabric.names[i]: fabric.names[j] for i, j in zip(a.tolist(), z.tolist(), strict=True)}


def test_a_dragonfly_is_routers_then_groups_then_all() -> None:
    (top,) = neighbourhoods(FABRICS["dragonfly"], 0)
    assert [len(top.parts), len(top.parts[0].parts), len(top.parts[0].parts[0].hosts)] == [9, 4, 2]


def test_racks_of_scale_up_are_blocks() -> None:
    tray = {"name": "t", "gpus": 4, "nics": 4, "speed": "400G",
            "scale_up": {"domain": 16, "speed": "3.6T", "latency": "500 ns"}}  # fmt: skip
    fabric = fabrics.fabric_of(
        {"name": "tray", "type": tray, "count": 16}, family="rail-optimized", rails=4,
        scalable_unit={"hosts": 16}, leaf={"type": fabrics.SWITCH}, spine={"type": fabrics.SWITCH, "count": 1},
    )  # fmt: skip
    assert [len(group.hosts) for group in blocks(fabric, 0)] == [4, 4, 4, 4]
    assert "BlockSizes=4,8,16" in slurm.write(fabric, plugin="block")


def test_what_slurm_takes_and_what_it_refuses_are_findings() -> None:
    text = "SwitchName=a Nodes=n[1-2]\nSwitchName=b Nodes=n[2-3]\nSwitchName=t Switches=a,b,c\nPort=3\n"
    found = imported_from("topology.conf", text.encode())
    assert found is not None
    assert [(finding.id, finding.where) for finding in found.findings if finding.id != "rate-unknown"] == [
        ("two-parents", "topology.conf:2"), ("switch-unknown", "topology.conf:3"),
        ("line-unreadable", "topology.conf:4"),
    ]  # fmt: skip


def test_names_of_topograph_are_the_switches_own() -> None:
    found = published("formats/real/topograph-tree.conf")
    assert {"core", "spine-1", "leaf-1-1"} <= set(found.fabric.names)


def test_one_network_of_several() -> None:
    nic = [{"role": "compute", "count": 2, "speed": "400G"}, {"role": "storage", "count": 1, "speed": "200G"}]
    site = build(layout_from_tree({
        "name": "two", "hosts": {"name": "host", "type": {"name": "h", "gpus": 2, "nics": nic}, "count": 8},
        "networks": {
            "compute": {"family": "fat-tree", "hosts_per_leaf": 4, "leaf": {"type": fabrics.SWITCH}},
            "storage": {"family": "switch-pair", "isl": 2, "leaf": {"type": fabrics.SWITCH},
                        "attach": [{"hosts": "host", "role": "storage"}]},
        },
    }))  # fmt: skip
    alone = network_alone(site, 1)
    assert len(alone.links) == 8 + 2
    assert set(alone.names) < set(site.names)
    assert links_of(back(dot.write(alone), "dot")) == [row for row in links_of(site) if row[-1] == "storage"]


@pytest.mark.parametrize("form", ["ethernet", "infiniband", "links"])
@pytest.mark.parametrize("scheme", ["number", "cumulus", "infiniband-split"])
@pytest.mark.parametrize("name", ["ft64", "parallel cables", "rails", "rail only"])
def test_sheets_come_back_with_devices_and_ports(name: str, scheme: str, form: str) -> None:
    before = FABRICS[name]
    words = named_ports(before, scheme, {})
    found = imported_from("back.xlsx", point_to_point.write(cable_rows(before, words), form))
    assert found is not None
    assert found.format == "point-to-point"
    bare = [(a[::2], z[::2]) for a, z, *_ in links_of(before, words)]
    assert sorted((a[::2], z[::2]) for a, z, *_ in links_of(found.fabric)) == sorted(bare)
    assert [row[0] for row in devices_of(found.fabric)] == [row[0] for row in devices_of(before)]
    assert [row[2] for row in devices_of(found.fabric)] == [row[2] for row in devices_of(before)]


@pytest.mark.parametrize("name", sorted(FABRICS))
def test_a_plan_comes_back_with_links_kinds_and_networks(name: str) -> None:
    before = FABRICS[name]
    after = back(plan_csv.write(cable_rows(before)), "plan-csv")
    untimed = [(a[::2], z[::2], speed, network) for a, z, speed, _, network in links_of(before)]
    assert sorted((a[::2], z[::2], speed, net) for a, z, speed, _, net in links_of(after)) == sorted(untimed)
    linked = {before.names[row] for end in before.ends for row in end.tolist()}
    assert devices_of(after) == [row for row in devices_of(before) if row[0] in linked]


def test_both_ends_of_a_cable_get_a_label_that_names_both() -> None:
    """The form of the sample: near unit and port, far unit and port, and the other way round."""
    end = [CableEnd(Place(name, rack=rack, unit=unit), kind, port) for name, rack, unit, kind, port in
           (("gpu01", "R01", 1, "host", "rail0"), ("leaf0", "NET01", 40, "leaf", "swp1s0"))]  # fmt: skip
    rows = labels_csv.write([CableRow("C-leaf0-1", 1, "compute", *end, media="aoc-split", length_m=3.0)]).splitlines()
    assert rows == [
        "cable_id,end,line1_near,line2_far,line3_cable,tia606_link,qty",
        "C-leaf0-1,A,R01-01:rail0,NET01-40:swp1s0,aoc-split 3m,R01-01:rail0/NET01-40:swp1s0,1",
        "C-leaf0-1,Z,NET01-40:swp1s0,R01-01:rail0,aoc-split 3m,NET01-40:swp1s0/R01-01:rail0,1",
    ]
    assert labels_csv.guarded("=1+1") == "'=1+1"


@pytest.mark.parametrize("scheme", ["number", "cumulus"])
@pytest.mark.parametrize("name", sorted(FABRICS))
def test_a_folder_of_netbox_comes_back(name: str, scheme: str, tmp_path: Path) -> None:
    before = FABRICS[name]
    words = named_ports(before, scheme, {})
    for file, text in netbox.write(netbox.Inventory(before, words), cable_rows(before, words)).items():
        (tmp_path / file).write_text(text)
    found = imported(str(tmp_path))
    assert found is not None
    assert found.format == "netbox"
    assert {finding.id for finding in found.findings} <= {"same-tier-links"}
    untimed = [(a, z, speed, network) for a, z, speed, _, network in links_of(before, words)]
    assert [(a, z, speed, network) for a, z, speed, _, network in links_of(found.fabric)] == untimed
    assert devices_of(found.fabric) == devices_of(before)


def test_cables_of_several_links_are_trunks_with_their_ends_in_order() -> None:
    fabric = FABRICS["ft64"]
    rows = [replace(row, cable_id="C1", leg=leg) for leg, row in enumerate(list(cable_rows(fabric))[:2], 1)]
    text = netbox.write(netbox.Inventory(fabric, ["x"] * len(fabric.ports)), rows)["08-cables.csv"]
    assert text.splitlines()[1] == (
        '"host-01,host-02",dcim.interface,"1,1","leaf-01,leaf-01",dcim.interface,"1,2",planned,C1,compute,trunk-2c1p'
    )


def test_interfaces_of_netbox_have_its_words_for_speeds() -> None:
    """400 Gbit/s are 400000000 kbit/s; InfiniBand at 400 Gbit/s is NDR."""
    fabric = FABRICS["ft64"]
    files = netbox.write(netbox.Inventory(fabric, ["p"] * len(fabric.ports)), cable_rows(fabric))
    assert files["07-interfaces.csv"].splitlines()[1] == "host-01,p,1,infiniband-ndr,400000000,true"
    assert netbox.interface_type(400e9, None) == "400gbase-x-osfp"
    assert netbox.interface_type(3e9, None) == "other"


@pytest.mark.parametrize("name", ["ft64", "parallel cables", "rails", "dragonfly"])
def test_a_platform_of_simgrid_comes_back(name: str) -> None:
    before = FABRICS[name]
    routes = simgrid_routes(routed_network(before, "min-hop" if name == "dragonfly" else "d-mod-k"))
    after = back("".join(simgrid.write(before, 0, routes)), "simgrid")
    assert after.name == before.name
    assert links_of(after) == links_of(before)
    linked = {before.names[row] for end in before.ends for row in end.tolist()}
    assert devices_of(after) == [row for row in devices_of(before) if row[0] in linked]


def test_a_route_of_simgrid_is_the_way_up_and_down() -> None:
    """Host 1 to host 9 of a full two-level tree: up, up by the spine of the target's index, down, down."""
    fabric = FABRICS["ft64"]
    routes = simgrid_routes(routed_network(fabric, "d-mod-k"))
    way = next(route for route in routes.routes if (route.source, route.target) == ("host-01", "host-09"))
    ends = [fabric.link_name(channel // 2) for channel in way.channels]
    assert [channel % 2 for channel in way.channels] == [0, 0, 1, 1]
    assert ends == [
        "host-01:1 - leaf-01:1", "leaf-01:9 - spine-01:1", "leaf-02:9 - spine-01:2", "host-09:1 - leaf-02:1",
    ]  # fmt: skip


def test_what_simgrid_cannot_hold_is_refused() -> None:
    with pytest.raises(InputError, match="divides traffic"):
        simgrid_routes(routed_network(FABRICS["ft64"], "spray"))
    large = fabrics.pgft((32, 16), (1, 16), (1, 1))
    with pytest.raises(InputError, match="512 endpoints"):
        simgrid_routes(routed_network(large, "d-mod-k"))


def test_platforms_of_others_do_not_say_what_their_links_join() -> None:
    with pytest.raises(InputError, match="do not say what they join"):
        published("formats/sim/ref4-simgrid.xml")
