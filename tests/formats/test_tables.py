"""Plans, neutral tables and graphs: stated counts, and round trips without loss."""

from __future__ import annotations

from pathlib import Path

import networkx
import numpy as np
import pytest
from foreign import ids, kinds, own, pairs, published

import fabrictool as ft
from fabrictool.errors import InputError
from fabrictool.fabric import Fabric, counting
from fabrictool.formats import edges_csv, graphml, plan_csv
from fabrictool.formats.recognise import imported_from

LAYOUTS = sorted((Path(__file__).parents[2] / "topologies").glob("*.yaml"))
SMALL = [path for path in LAYOUTS if path.stem in {"ft64", "k-ary-8", "dgx-superpod-h100-1su"}]


def built(path: Path) -> Fabric:
    return ft.build(ft.read_layout(str(path)))


def read_back(text: str) -> Fabric:
    found = imported_from("back", text.encode())
    assert found is not None
    assert not found.findings
    return found.fabric


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.stem)
def test_graphml_keeps_every_column(path: Path) -> None:
    before = built(path)
    after = read_back(graphml.write(before))
    assert (after.name, after.names, after.networks, after.widths) == (
        before.name, before.names, before.networks, before.widths,
    )  # fmt: skip
    for table in ("devices", "ports", "links", "gpus", "gpu_ports"):
        columns, found = getattr(before, table).columns(), getattr(after, table).columns()
        for name in columns.keys() - {"type", "group"}:
            assert np.array_equal(columns[name], found[name]), (table, name)
    words = [[fabric.types[row] for row in fabric.devices.type] for fabric in (before, after)]
    assert words[0] == words[1]


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.stem)
def test_graphml_is_what_networkx_reads(path: Path, tmp_path: Path) -> None:
    fabric = built(path)
    (tmp_path / "f.graphml").write_text(graphml.write(fabric))
    graph = networkx.read_graphml(tmp_path / "f.graphml", force_multigraph=True)
    assert graph.number_of_nodes() == len(fabric.devices)
    assert graph.number_of_edges() == len(fabric.links)
    speeds = sum(speed for *_, speed in graph.edges(data="speed_bps"))
    assert speeds == pytest.approx(fabric.links.speed_bps.sum(), rel=1e-12)


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.stem)
def test_edges_keep_links_names_kinds_and_tiers(path: Path) -> None:
    before = built(path)
    after = read_back(edges_csv.write(before))
    assert links_of(after) == links_of(before)
    assert devices_of(after) == {name: row for name, row in devices_of(before).items() if name in after.names}
    assert counting.network_counts(after) == counting.network_counts(before)


def links_of(fabric: Fabric) -> list[tuple[str, float, float, str]]:
    links = fabric.links
    return sorted(
        (fabric.link_name(row), float(links.speed_bps[row]), float(links.latency_s[row]), fabric.networks[net].name)
        for row, net in enumerate(links.network.tolist())
    )


def devices_of(fabric: Fabric) -> dict[str, tuple[int, int]]:
    kind, tier = fabric.devices.kind.tolist(), fabric.devices.tier.tolist()
    return dict(zip(fabric.names, zip(kind, tier, strict=True), strict=True))


@pytest.mark.parametrize("writer", [graphml.write, edges_csv.write])
def test_a_discovered_fabric_keeps_labels_and_aggregation_nodes(writer: object) -> None:
    before = own("infiniband/rail_4su.net.gz").fabric
    after = read_back(writer(before))  # type: ignore[operator]
    assert links_of(after) == links_of(before)
    assert devices_of(after) == devices_of(before)


def test_edges_infer_tiers_of_plain_switches() -> None:
    before = built(next(path for path in LAYOUTS if path.stem == "k-ary-8"))
    text = edges_csv.write(before)
    for kind in ("leaf", "spine", "core"):
        text = text.replace(f",{kind},", ",switch,")
    assert devices_of(read_back(text)) == devices_of(before)


def test_edges_take_units_and_bare_numbers() -> None:
    text = (
        "a_device,a_kind,a_port,z_device,z_kind,z_port,speed,latency,network,a_group,z_group\n"
        "h1,host,1,s1,switch,1,400G,500 ns,c,0,0\nh2,host,1,s1,switch,2,400000000000,5e-7,c,1,0\n"
    )
    fabric = read_back(text)
    assert fabric.links.speed_bps.tolist() == [400e9, 400e9]
    assert fabric.links.latency_s.tolist() == pytest.approx([5e-7, 5e-7], rel=1e-12)
    assert fabric.devices.pod.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("row", "finding"),
    [
        ("h3,host,1,s1,leaf,3,fast,,", "cell-unreadable"),
        ("h3,host,1,,leaf,3,400G,,", "row-unreadable"),
        ("h3,host,1,s1,leaf,1,400G,,", "port-used-twice"),
        ("h3,host,1,s1,spine,3,400G,,", "kind-differs"),
        ("h3,host,1,s1,leaf", "row-uneven"),
        ("h3,fridge,1,s1,leaf,3,400G,,", "kind-unknown"),
    ],
)
def test_what_is_wrong_in_a_row_is_a_finding_at_its_line(row: str, finding: str) -> None:
    head = "a_device,a_kind,a_port,z_device,z_kind,z_port,speed,latency,network\n"
    found = edges_csv.read("e.csv", f"{head}h1,host,1,s1,leaf,1,400G,,\nh2,host,1,s1,leaf,2,400G,,\n{row}\n")
    assert (finding, "4") in ids(found)


@pytest.mark.parametrize("speed", ["fast", "-400", "nan", "1e30", "400 GB"])
def test_a_speed_in_gigabits_that_cannot_be_is_named_and_not_taken_as_none(speed: str) -> None:
    plan = plan_csv.read("p.csv", f"a_device,a_port,z_device,z_port,speed_gbps\nh1,1,leaf1,1,{speed}\n")
    assert ("cell-unreadable", "2") in ids(plan)
    graph = networkx.MultiGraph()
    graph.add_edge("h1", "leaf1", speed_gbps=speed)
    found = graphml.read("g.graphml", "\n".join(networkx.generate_graphml(graph)))
    assert "cell-unreadable" in [finding.id for finding in found.findings]


@pytest.mark.parametrize(("speed", "bits"), [("400", 400e9), ("400.0", 400e9), ("400G", 400e9), ("0", 0.0), ("", 0.0)])
def test_a_speed_in_gigabits(speed: str, bits: float) -> None:
    plan = plan_csv.read("p.csv", f"a_device,a_port,z_device,z_port,speed_gbps\nh1,1,leaf1,1,{speed}\n")
    assert plan.fabric.links.speed_bps.tolist() == [bits]
    assert "cell-unreadable" not in [name for name, _ in ids(plan)]


def test_missing_columns_are_named() -> None:
    with pytest.raises(InputError, match=r"e\.csv:1:1: column z_device is missing"):
        edges_csv.read("e.csv", "a_device,speed\nx,400G\n")


def test_the_reference_plan_has_its_stated_counts() -> None:
    # samples/formats.md section 13: 16 hosts x 8 rails, 8 leaves, 4 spines, 128 + 128 links
    found = own("plans/plan-ref16.csv")
    assert kinds(found.fabric) == {"host": 16, "leaf": 8, "spine": 4}
    assert pairs(found.fabric) == {("host", "leaf"): 128, ("leaf", "spine"): 128}
    assert found.cables == {"plan": 128}
    assert not found.findings
    leaf = found.fabric.names.index("leaf3")
    assert found.fabric.devices.rail[leaf] == 3


def test_legs_of_a_cage_share_it() -> None:
    fabric = own("plans/plan-ref16.csv").fabric
    port = next(row for row in range(len(fabric.ports)) if fabric.port_name(row) == "leaf0:swp9s1")
    assert fabric.ports.cage[port] == 8  # counted from 0


def test_the_cable_schedule_is_a_plan() -> None:
    found = own("plans/cable-schedule-sample.csv")
    assert kinds(found.fabric) == {"host": 1, "leaf": 6}
    assert (len(found.fabric.links), found.cables) == (6, {"plan": 6})
    assert set(found.fabric.links.speed_bps.tolist()) == {400e9}


def test_a_foreign_graph_gives_ports_to_the_right_end() -> None:
    fabric = own("plans/ref16.graphml").fabric
    plan = own("plans/plan-ref16.csv").fabric
    names = [{graph.link_name(row) for row in range(256)} for graph in (fabric, plan)]
    assert names[0] == names[1]


def test_a_published_connectivity_map() -> None:
    # samples/formats/real/SOURCES.md: 176 links: 80 server-leaf, 96 leaf-spine
    found = published("formats/real/ocp-opg64-connectivity-map.csv")
    assert pairs(found.fabric) == {("host", "leaf"): 80, ("leaf", "spine"): 96}
    assert found.cables == {"plan": 176}


def test_published_cables_of_an_inventory() -> None:
    found = published("formats/real/nrx-dc1-netbox-cables.csv")
    assert (kinds(found.fabric), len(found.fabric.links)) == ({"host": 4, "leaf": 4, "spine": 2}, 12)


def test_separators_and_headers_of_others() -> None:
    text = "Cable ID;A-Node;A-Port;Z-Node;Z-Port\nc1;gpu1;1;leaf1;1\nc1;gpu2;1;leaf1;2\n"
    found = plan_csv.read("p.csv", text)
    assert (kinds(found.fabric), found.cables) == ({"host": 2, "leaf": 1}, {"plan": 1})


def test_broken_graphs_say_where() -> None:
    with pytest.raises(InputError, match=r"^g:\d+:\d+: is not whole XML"):
        imported_from("g", b'<?xml version="1.0"?>\n<graphml xmlns="x">\n<graph>\n<node')


@pytest.mark.parametrize("row", ["h{n},host,1,s1,leaf,{n},1G,,net{n}", "h{n},host,1,s1,leaf,p{n},1G,,c"])
def test_more_networks_or_ports_than_tables_hold_are_refused(row: str) -> None:
    head = "a_device,a_kind,a_port,z_device,z_kind,z_port,speed,latency,network\n"
    text = head + "\n".join(row.format(n=n) for n in range(1, 33000))
    with pytest.raises(InputError, match="more than 127 networks, 32,767 types"):
        edges_csv.read("e.csv", text)
