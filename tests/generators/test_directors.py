"""Directors: their chips as public maps of chips list them, with networkx as the judge of wiring and distances."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import fabrics
import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fabrictool.catalogue.store import find
from fabrictool.catalogue.types import SwitchType
from fabrictool.cli.show import summary
from fabrictool.errors import FabrictoolError, InputError, NotSupportedError
from fabrictool.explore.equipment import switch_ports
from fabrictool.fabric import Fabric, edit
from fabrictool.fabric.counting import counts, free_ports, network_counts
from fabrictool.fabric.faults import faults_by_name
from fabrictool.fabric.rules import design_findings
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree, read_layout
from fabrictool.plot.outline import outline
from fabrictool.plot.wording import row_lines
from fabrictool.routing.channels import channels
from fabrictool.routing.dmodk import rank_tables
from fabrictool.routing.loads import all_to_all_loads, paths
from fabrictool.routing.regular import regular_tree

TOPOLOGIES = Path(__file__).parents[2] / "topologies"
EDGE = {"name": "edge", "ports": 36, "speed": "100G"}


def _director(leaf_chips: int, spine_chips: int, ports: int, **more: Any) -> dict[str, Any]:
    chips = {"leaf_chips": leaf_chips, "spine_chips": spine_chips}
    return {"name": "dir", "ports": ports, "speed": "400G", "director": chips | more}


def _tree(hosts: int, speed: str = "100G", **network: Any) -> Fabric:
    group = {"name": "host", "type": fabrics.host_type(1, speed), "count": hosts}
    return fabrics.fabric_of(group, **({"family": "fat-tree"} | network))


@pytest.mark.parametrize(
    ("name", "ports", "leaf_chips", "spine_chips", "per_pair"),
    [("cs7500", 648, 36, 18, 1), ("cs7510", 324, 18, 9, 2), ("cs7520", 216, 12, 6, 3), ("cs8500", 800, 40, 20, 1)],
)
def test_chips_of_infiniband_directors(name: str, ports: int, leaf_chips: int, spine_chips: int, per_pair: int) -> None:
    """Maps of leaf and spine chips in the public script Drawing IB Topo from ibnetdiscovery, 2023-06-10."""
    speed = "200G" if name == "cs8500" else "100G"
    fabric = _tree(ports, speed, leaf={"type": name})
    graph = fabric.to_networkx()
    lower = [f"leaf-01/L{n // 2 + 1:02d}" + "/U2" * (n % 2) for n in range(leaf_chips)]
    upper = [f"leaf-01/S{n + 1:02d}" for n in range(spine_chips)]
    assert {row for row in graph if not row.startswith("host")} == {*lower, *upper}
    assert {graph.number_of_edges(a, z) for a in lower for z in upper} == {per_pair}
    assert {graph.degree(chip) for chip in (*lower, *upper)} == {2 * ports // leaf_chips}
    assert (fabric.ports.peer >= 0).all()
    assert counts(fabric) == {
        "gpus": ports, "hosts": ports, "switches": leaf_chips + spine_chips, "links": 2 * ports,
        "cables": ports, "transceivers": 2 * ports, "directors": 1,
    }  # fmt: skip


@pytest.mark.parametrize("hosts", [324, 648])
def test_one_director_is_a_whole_cluster(hosts: int) -> None:
    """18 hosts on each leaf chip, so pairs on one are 2 links apart, all others 4."""
    found = summary(_tree(hosts, leaf={"type": "cs7500"}))
    assert found["network_counts"]["compute"] == {
        "hosts": hosts, "leaf": 36, "spine": 18, "core": 0, "directors": 1, "links": hosts + 648, "cables": hosts,
    }  # fmt: skip
    assert found["hops"]["compute"] == {"2": hosts * 17, "4": hosts * (hosts - 18)}
    assert found["bisection_links"]["compute"] == hosts // 2
    assert found["oversubscription"]["compute"] == 1.0
    assert found["free_ports"]["compute"] == {"leaf": 648 - hosts, "spine": 0}


def test_directors_over_leaves() -> None:
    """36 leaves x 18 uplinks over two directors: 18 leaves share 9 chips of each, and are 4 links apart."""
    fabric = _tree(648, hosts_per_leaf=18, leaf={"type": EDGE}, spine={"type": "cs7500", "count": 2})
    found = summary(fabric)
    assert found["network_counts"]["compute"] == {
        "hosts": 648, "leaf": 36, "spine": 72, "core": 36, "directors": 2, "links": 2592, "cables": 1296,
    }  # fmt: skip
    assert found["hops"]["compute"] == {"2": 648 * 17, "4": 648 * 17 * 18, "6": 648 * 18 * 18}
    assert found["oversubscription_by_tier"]["compute"] == [1.0, 1.0]
    graph = fabric.to_networkx()
    spread = Counter(name.split("/")[0] for name in graph["leaf-01"] if not name.startswith("host"))
    assert spread == {"spine-01": 9, "spine-02": 9}
    assert set(graph["leaf-01"]) - {*fabric.names[:648]} == set(graph["leaf-18"]) - {*fabric.names[:648]}
    assert not set(graph["leaf-01"]) & set(graph["leaf-19"])


def test_cores_may_be_directors() -> None:
    layers = {"leaf": {"type": EDGE}, "core": {"type": "cs7500"}, "pod": {"hosts": 324}}
    found = network_counts(_tree(1944, levels=3, hosts_per_leaf=18, **layers))["compute"]
    assert {key: found[key] for key in ("leaf", "spine", "core", "supercore", "directors")} == {
        "leaf": 108, "spine": 108, "core": 648, "supercore": 324, "directors": 18,
    }  # fmt: skip


def test_rails_end_in_directors() -> None:
    leaf, unit = {"type": {"name": "sw", "ports": 64, "speed": "400G"}}, {"hosts": 32}
    group = {"name": "host", "type": fabrics.host_type(8, "400G"), "count": 64}
    kind = _director(16, 8, 512)
    fabric = fabrics.fabric_of(group, family="rail-optimized", scalable_unit=unit, leaf=leaf, spine={"type": kind})
    assert network_counts(fabric)["compute"]["directors"] == 1
    assert [row is not None for row in _regular(fabric)] == [True]
    assert {row.split("/")[0] for row in fabric.names if "/" in row} == {"spine-01"}


def _regular(fabric: Fabric) -> list[Any]:
    return [regular_tree(fabric, 0, table, channels(fabric)) for table in rank_tables(fabric, 0)]


def test_planes_have_directors_of_their_own() -> None:
    group = {"name": "host", "type": {"name": "h", "gpus": 1, "nics": 2, "speed": "400G"}, "count": 8}
    fabric = fabrics.fabric_of(group, family="multi-plane", planes=2, leaf={"type": _director(4, 2, 16)})
    assert network_counts(fabric)["compute"]["directors"] == 2
    planes = {(row.split("/")[0], plane) for row, plane in zip(fabric.names, fabric.devices.plane, strict=True)}
    assert {row for row in planes if row[0].startswith("leaf")} == {("leaf-01", 0), ("leaf-02", 1)}
    assert summary(fabric)["components"]["compute"] == 2


def test_ports_outside_are_broken_out() -> None:
    """20 ports of 200G on a leaf chip are 40 of 100G; links inside stay at 200G."""
    fabric = _tree(1600, "100G", leaf={"type": "cs8500"})
    tier, speed = fabric.devices.tier[fabric.ends[0]], fabric.links.speed_bps
    assert set(speed[tier == 0]) == {100e9}
    assert set(speed[tier == 1]) == {200e9}
    assert summary(fabric)["oversubscription"]["compute"] == 1.0
    assert counts(fabric)["transceivers"] == 1600 + 800


def test_storage_beside_hosts_under_one_director() -> None:
    groups = [
        {"name": "h", "type": fabrics.host_type(1, "100G"), "count": 72},
        {"name": "s", "type": {"name": "s", "gpus": 0, "nics": 1, "speed": "100G"}, "count": 20, "role": "service"},
    ]
    leaf = [{"type": EDGE, "hosts": ["h"], "down": 18, "up": 18}, {"type": EDGE, "hosts": ["s"], "down": 12, "up": 12}]
    fabric = fabrics.fabric_of(groups, family="fat-tree", leaf=leaf, spine={"type": "cs7520", "count": 2})
    graph = fabric.to_networkx()
    assert nx.is_connected(nx.Graph(graph))
    directors = Counter(name.split("/")[0] for leaf in ("leaf-01", "leaf-05") for name in graph[leaf] if "/" in name)
    assert directors == {"spine-01": 9 + 6, "spine-02": 9 + 6}
    _all_paths(fabric)


@st.composite
def over_leaves(draw: st.DrawFn) -> Fabric:
    """Leaves under directors of any number of chips; what does not fit is drawn again."""
    leaf_chips, spine_chips = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    per_chip, links = draw(st.integers(1, 8)), draw(st.integers(1, 3))
    up, directors, down = draw(st.integers(1, 8)), draw(st.integers(1, 3)), draw(st.integers(1, 4))
    kind = _director(leaf_chips, spine_chips, leaf_chips * per_chip, links_per_pair=links)
    leaf = {"type": fabrics.SWITCH, "down": down, "up": up}
    hosts = draw(st.integers(2, 24))
    try:
        return _tree(hosts, "400G", levels=2, leaf=leaf, spine={"type": kind, "count": directors})
    except InputError:
        assume(False)
        raise


@settings(max_examples=80, deadline=None)
@given(over_leaves())
def test_any_directors_over_leaves(fabric: Fabric) -> None:
    """Every leaf reaches every director alike, every port is used once, and no chip has more links than ports."""
    ends = np.concatenate((fabric.links.port_a, fabric.links.port_z))
    assert len(np.unique(ends)) == len(ends)
    graph = fabric.to_networkx()
    leaves = [name for name in graph if name.startswith("leaf")]
    directors = {name.split("/")[0] for name in graph if "/" in name}
    assert len(directors) == counts(fabric)["directors"]
    for leaf in leaves:
        links = Counter(name.split("/")[0] for _, name in graph.edges(leaf) if "/" in name)
        assert set(links) == directors
        assert len(set(links.values())) == 1
    inside = [(a, z) for a, z in graph.edges() if "/" in a and "/" in z]
    assert {a.split("/")[0] for a, _ in inside} == directors
    assert all(a.split("/")[0] == z.split("/")[0] for a, z in inside)
    assert counts(fabric)["cables"] == len(fabric.links) - len(inside)
    _all_paths(fabric)


def _all_paths(fabric: Fabric) -> None:
    """Check that D-mod-k leads from each rank to each other, and is no shorter than networkx's way."""
    ranks, ports = len(fabric.gpus), fabric.gpu_ports.port
    device = fabric.ports.device[ports]
    source, target = np.argwhere(~np.eye(ranks, dtype=bool)).T.astype(np.int32)
    ways, length = paths(rank_tables(fabric, 0)[0], source, target)
    away = dict(nx.all_pairs_shortest_path_length(nx.Graph(fabric.to_networkx())))
    a, z = fabric.ends
    for s, t, way, count in zip(source.tolist(), target.tolist(), ways.tolist(), length.tolist(), strict=True):
        here = int(device[s])
        for channel in way[:count]:
            low, high = int(a[channel // 2]), int(z[channel // 2])
            assert here == (high if channel % 2 else low)
            here = low if channel % 2 else high
        assert here == device[t]
        assert count >= away[fabric.names[device[s]]][fabric.names[device[t]]]


@pytest.mark.parametrize(
    ("chips", "up", "count"), [((4, 6, 24), 4, 1), ((4, 2, 16), 4, 2), ((8, 4, 32), 8, 4), ((6, 3, 18), 6, 2)]
)
def test_closed_forms_hold_over_directors(chips: tuple[int, int, int], up: int, count: int) -> None:
    """Regular by proof, so loads from residues equal those from every pair; and routes are the shortest."""
    leaf = {"type": fabrics.SWITCH, "down": 4, "up": up}
    fabric = _tree(24, "400G", levels=2, leaf=leaf, spine={"type": _director(*chips), "count": count})
    table, size = rank_tables(fabric, 0)[0], len(channels(fabric))
    tree = _regular(fabric)[0]
    assert tree is not None
    assert np.allclose(all_to_all_loads(table, size, tree)[0], all_to_all_loads(table, size, None)[0])
    source, target = np.argwhere(~np.eye(24, dtype=bool)).T.astype(np.int32)
    _, length = paths(table, source, target)
    away = dict(nx.all_pairs_shortest_path_length(nx.Graph(fabric.to_networkx())))
    names = fabric.names
    assert length.tolist() == [away[names[a]][names[z]] for a, z in zip(source, target, strict=True)]


def test_a_lost_chip_leaves_its_chassis() -> None:
    fabric = _tree(16, "400G", leaf={"type": _director(4, 4, 16)})
    assert counts(edit(fabric, drop=["leaf-01/L01"]))["directors"] == 1
    assert counts(edit(fabric, drop=["leaf-01/S02"]))["cables"] == 16


def test_a_whole_director_is_lost_by_its_name() -> None:
    fabric = _tree(72, hosts_per_leaf=18, leaf={"type": EDGE}, spine={"type": "cs7520", "count": 2})
    found = network_counts(edit(fabric, drop=["spine-02"]))["compute"]
    assert {key: found[key] for key in ("spine", "core", "directors", "cables")} == {
        "spine": 12, "core": 6, "directors": 1, "cables": 72 + 36,
    }  # fmt: skip
    faults = faults_by_name(fabric, devices=["spine-02"])
    assert [int(faults.device.sum()), int(faults.links.dead.sum())] == [18, 36 + 216]
    with pytest.raises(InputError, match="spine-03: no such device; did you mean 'spine-0"):
        faults_by_name(fabric, devices=["spine-03"])


def test_a_director_has_one_management_port() -> None:
    group = {"name": "h", "type": fabrics.host_type(1, "400G"), "count": 16}
    networks = {
        "compute": {"family": "fat-tree", "leaf": {"type": _director(4, 4, 16)}},
        "mgmt": {
            "family": "fat-tree", "protocol": "ethernet", "levels": 1, "leaf": {"type": "sn2201"},
            "attach": [{"switches": "compute"}, {"hosts": "h", "ports": [0]}],
        },
    }  # fmt: skip
    group["type"]["nics"] = [{"count": 1, "speed": "400G"}, {"role": "bmc", "count": 1, "speed": "1G"}]
    del group["type"]["speed"]
    networks["mgmt"]["attach"][1] = {"hosts": "h", "role": "bmc"}
    fabric = build(layout_from_tree({"name": "t", "hosts": group, "networks": networks}))
    managed = [fabric.names[row] for row in fabric.ends[0][fabric.links.network == 1] if "/" in fabric.names[row]]
    assert managed == ["leaf-01/L01"]
    assert free_ports(fabric, 0) == {"leaf": 0, "spine": 0}


WRONG_TYPES: list[tuple[dict[str, Any], str]] = [
    (_director(5, 2, 16), "16 ports do not spread over 5 leaf chips evenly; use 4 or 8 leaf chips"),
    (
        _director(4, 3, 16),
        "4 links of a leaf chip do not spread over 3 spine chips evenly; give links_per_pair, or use 2 or 4",
    ),
    (_director(4, 4, 16, chips_per_leaf_board=3), "4 leaf chips do not fill boards of 3 evenly; use boards of 2 or 4"),
    (_director(4, 4, 16) | {"cages": 2}, "2 cages do not spread over 4 leaf chips evenly; use 2 leaf chips"),
    (_director(4, 4, 16) | {"uplink_cages": 2, "uplink_speed": "800G"}, "a director has no uplink_cages"),
    (_director(4, 4, 16, chips=3), "chips"),
]


@pytest.mark.parametrize(("kind", "words"), WRONG_TYPES)
def test_types_that_do_not_fit(kind: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        _tree(16, "400G", leaf={"type": kind})


KIND = _director(4, 4, 16)
PGFT = {"m": [2] * 4, "w": [1] * 4, "p": [1] * 4}
OVER = {"leaf": {"type": fabrics.SWITCH, "down": 4, "up": 4}}
WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"leaf": {"type": KIND}}, 17, "a leaf needs 17 ports, but dir has 16 ports; use more directors"),
    ({"leaf": {"type": KIND, "count": 2}}, 16, "2 directors are stated, but nothing joins them; use one, or leaves of"),
    ({"leaf": {"type": KIND}, "levels": 2}, 16, "dir is a director of leaf and spine chips, which stands at the top"),
    ({"leaf": {"type": KIND}, "spine": {"type": KIND}}, 16, "dir is a director of leaf and spine chips"),
    (OVER | {"spine": {"type": KIND}, "core": {"type": KIND}, "levels": 3}, 16, "stands at the top of a tree alone"),
    (OVER | {"spine": {"type": KIND, "count": 1}}, 20, "16 ports do not take 4 uplinks .* use one of 2, 4"),
    ({"family": "rail-only", "leaf": {"type": KIND}}, 16, "dir is a director of leaf and spine chips"),
    ({"family": "switch-pair", "isl": 2, "leaf": {"type": KIND}}, 4, "dir is a director"),
    ({"family": "slim-fly", "q": 5, "leaf": {"type": KIND}}, 50, "dir is a director"),
    (
        {"leaf": {"type": fabrics.SWITCH}, "pgft": PGFT, "supercore": {"type": KIND}},
        16, "whose spine chips would be a level of their own above supercore; use directors one tier lower",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("network", "hosts", "words"), WRONG)
def test_places_where_no_director_stands(network: dict[str, Any], hosts: int, words: str) -> None:
    with pytest.raises(FabrictoolError, match=words) as caught:
        _tree(hosts, "400G", **network)
    assert isinstance(caught.value, InputError | NotSupportedError)
    assert len(caught.value.problems) == 1


def test_uplinks_out_of_a_director_are_kept() -> None:
    fabric = _tree(12, "400G", leaf={"type": KIND, "up": 4})
    assert free_ports(fabric, 0) == {"leaf": 0, "spine": 0}
    with pytest.raises(InputError, match="a leaf needs 17 ports, but dir has 16 ports"):
        _tree(13, "400G", leaf={"type": KIND, "up": 4, "down": 13})


def test_every_director_of_the_catalogue_says_where_it_is_from() -> None:
    for name in ("cs7500", "cs7510", "cs7520", "cs8500", "cn5000-dcs"):
        kind = find("switches", name, "switch type")
        assert isinstance(kind, SwitchType)
        assert kind.director is not None
        assert kind.source
        assert kind.as_of


def test_one_director_is_a_single_point_of_failure_and_two_are_none() -> None:
    said = [row.message for row in design_findings(_tree(324, leaf={"type": "cs7500"})) if row.id == "single-director"]
    assert said == [
        "1 of 1 directors are single points of failure, whatever is redundant inside: "
        "the loss of leaf-01 cuts 324 hosts off"
    ]
    two = _tree(72, hosts_per_leaf=18, leaf={"type": EDGE}, spine={"type": "cs7520", "count": 2})
    assert "single-director" not in {row.id for row in design_findings(two)}


def test_chips_are_called_chips_where_types_are_listed() -> None:
    fabric = _tree(324, leaf={"type": "cs7500"})
    assert row_lines(outline(fabric, 0), 1)[0] == "36 leaves · cs7500 chip"


def test_a_starter_of_directors_is_refused() -> None:
    with pytest.raises(NotSupportedError, match="cs7500 is a director; a starter of it is not supported yet"):
        switch_ports("cs7500", 100e9)


def test_shipped_layout_fills_two_directors() -> None:
    found = summary(build(read_layout(str(TOPOLOGIES / "edr-1296-directors.yaml"))))
    assert found["network_counts"]["compute"] == {
        "hosts": 1296, "leaf": 72, "spine": 72, "core": 36, "directors": 2, "links": 3888, "cables": 2592,
    }  # fmt: skip
    assert found["free_ports"]["compute"] == {"leaf": 0, "spine": 0, "core": 0}
    assert found["hops"]["compute"] == {"2": 1296 * 17, "4": 1296 * 17 * 18, "6": 1296 * 54 * 18}
