"""Credit loops: counts of published graphs, verdicts of ibdmchk, and a slow twin."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import fabrics
import networkx as nx
import numpy as np
import opensm
import pytest
from foreign import own
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.errors import NotSupportedError
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import random_faults
from fabrictool.formats.recognise import imported_from
from fabrictool.kernels.dependencies import turns
from fabrictool.layout.network import Routing as Stated
from fabrictool.routing.choose import routing_of
from fabrictool.routing.dependencies import dependencies, table_turns, unreachable_pairs, up_down_violations
from fabrictool.routing.flows import Flows, Routing, Usage, all_pairs, usage_of_paths
from fabrictool.routing.imported import read_routing
from fabrictool.routing.min_hop import min_hop
from fabrictool.routing.modk import ModK
from fabrictool.routing.up_down import up_down
from fabrictool.routing.wiring import Wiring, wiring

Sample = dict[str, Any]
FT64, K4 = ((8, 8), (1, 8), (1, 1)), ((2, 2, 4), (1, 2, 2), (1, 1, 1))
LISTED = sorted(path.stem for path in opensm.DATA.glob("opensm-*.json"))
DUMPED = sorted(tuple(path.name.split(".")[:2]) for path in opensm.DATA.glob("*.lfts.gz"))
NAMES = {"minhop": "min-hop", "updn": "up-down", "ftree": "ftree"}


def test_d_mod_k_has_the_graph_of_the_reference() -> None:
    found = dependencies(ModK("d-mod-k", wiring(fabrics.pgft(*FT64), 0)))
    assert (len(found.channels), len(found.edges), found.loops) == (256, 1472, [])


@pytest.mark.parametrize("name", LISTED)
def test_opensm_s_tables_have_the_listed_graphs(name: str) -> None:
    sample = json.loads((opensm.DATA / f"{name}.json").read_text())
    params, expect = sample["fabric"]["params"], sample["expect"]
    fabric = fabrics.pgft(tuple(params["m"]), tuple(params["w"]), tuple(params["p"]))
    routing = routing_of(wiring(fabric, 0), Stated(name=NAMES[name.split("-")[2]]))
    found = dependencies(routing)
    assert (len(found.channels), len(found.edges)) == (expect["cdg_nodes"], expect["cdg_edges"])
    assert bool(found.loops) == expect["credit_loop"]
    assert len(up_down_violations(routing)) == 0
    load, _ = routing.all_to_all()
    assert load.max() == expect["edge_forwarding_index"]


@pytest.mark.parametrize(("case", "engine"), DUMPED)
def test_verdicts_are_those_of_ibdmchk(case: str, engine: str) -> None:
    stated = json.loads((opensm.DATA / f"{case}.expected.json").read_text())["engines"][engine]
    routing, _ = read_routing(
        wiring(own(f"infiniband/{case}.net.gz").fabric, 0), str(opensm.DATA / f"{case}.{engine}.lfts.gz")
    )
    found = dependencies(routing)
    assert (not found.loops) == (stated["ibdmchk_credit_loops"] == "none")
    assert len(unreachable_pairs(routing)) == stated["unrouted_pairs"] == 0


def test_min_hop_on_a_ring_of_six_waits_in_circles_and_up_down_does_not() -> None:
    found = wiring(own("infiniband/ring6.net.gz").fabric, 0)
    loops = dependencies(min_hop(found)).loops
    assert loops
    assert {len(loop) for loop in loops} == {6}
    for loop in loops:
        _is_a_circle(found, loop)
    assert dependencies(up_down(found)).loops == []
    assert len(up_down_violations(up_down(found))) == 0
    assert len(up_down_violations(min_hop(found))) > 0


def _is_a_circle(found: Wiring, loop: list[int]) -> None:
    """Each channel ends on the switch where the next starts."""
    ports, links = found.fabric.ports, found.fabric.links
    start = {channel: ports.device[(links.port_a, links.port_z)[channel % 2][channel // 2]] for channel in loop}
    end = {channel: ports.device[(links.port_z, links.port_a)[channel % 2][channel // 2]] for channel in loop}
    for channel, following in zip(loop, [*loop[1:], loop[0]], strict=True):
        assert end[channel] == start[following]


@dataclass(frozen=True)
class Stated4(Routing):
    """The paths of a sample, by its own channels."""

    name: str
    wiring: Wiring
    paths: dict[tuple[int, int], list[int]]

    def usage(self, flows: Flows) -> Usage:
        paths = [self.paths[pair] for pair in zip(flows.source.tolist(), flows.target.tolist(), strict=True)]
        longest = max(len(path) for path in paths)
        padded = np.array([path + [-1] * (longest - len(path)) for path in paths], np.int32)
        return usage_of_paths(padded, np.array([len(path) for path in paths], np.int32))


@pytest.mark.parametrize("name", ["ring4-shortest", "ring4-updown"])
def test_rings_of_four_have_the_listed_graphs(name: str) -> None:
    sample = json.loads((opensm.DATA / f"{name}.json").read_text())
    ring = wiring(_ring(sample), 0)
    channel = _our_channels(sample, ring)
    demands = [(int(source[1:]), int(target[1:])) for source, target, _ in sample["demands"]]
    paths = [[channel[c] for c in path] for path in sample["paths"]]
    found = dependencies(Stated4("explicit", ring, dict(zip(demands, paths, strict=True))))
    expect = sample["expect"]
    assert (len(found.channels), len(found.edges)) == (expect["cdg_nodes"], expect["cdg_edges"])
    assert found.loops == [[channel[c] for c in part] for part in expect["cdg_cyclic_components"]]
    if found.loops:
        _is_a_circle(ring, found.loops[0])


def _ring(sample: Sample) -> Fabric:
    used: dict[str, int] = {}
    rows = ["a_device,a_kind,a_port,z_device,z_kind,z_port,speed,latency,network"]
    for a, z, _ in sample["fabric"]["cables"]:
        for name in (a, z):
            used[name] = used.get(name, 0) + 1
        kind = "host" if a[0] == "H" else "leaf"
        rows.append(f"{a},{kind},{used[a]},{z},leaf,{used[z]},100G,0 ns,compute")
    found = imported_from("ring.csv", "\n".join(rows).encode())
    assert found is not None
    return found.fabric


def _our_channels(sample: Sample, ring: Wiring) -> list[int]:
    a, z = ring.fabric.ends
    names = ring.fabric.names
    link = {(names[i], names[j]): row for row, (i, j) in enumerate(zip(a.tolist(), z.tolist(), strict=True))}
    found = []
    for u, v, _ in sample["fabric"]["cables"]:
        up = 2 * link[u, v] if (u, v) in link else 2 * link[v, u] + 1
        found += [up, up ^ 1]
    return found


def test_split_flows_are_refused() -> None:
    class Split(ModK):
        def usage(self, flows: Flows) -> Usage:
            used = super().usage(flows)
            return Usage(used.first, used.channel, used.share / 2, used.hops)

    with pytest.raises(NotSupportedError, match="splits flows over several paths"):
        dependencies(Split("s-mod-k", wiring(fabrics.pgft(*K4), 0)))


FABRICS = {
    "three levels": fabrics.pgft(*K4),
    "parallel cables": fabrics.pgft((4, 2, 2), (1, 2, 2), (1, 2, 2)),
    "rails": fabrics.rails(4, 4, 2, 2),
    "ring": own("infiniband/ring6.net.gz").fabric,
}


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(FABRICS)), st.integers(0, 6), st.integers(0, 99), st.sampled_from([min_hop, up_down]))
def test_tables_and_their_paths_give_the_same_graph(name: str, links: int, seed: int, route) -> None:  # type: ignore[no-untyped-def]
    """Twin: all paths one by one, and cycles as networkx sees them."""
    found = wiring(FABRICS[name], 0, random_faults(FABRICS[name], min(links, 6), 0, seed))
    routing = route(found)
    pairs = all_pairs(found.hosts)
    used = routing.usage(pairs)
    edges = set()
    for flow in range(len(pairs)):
        path = used.channel[used.first[flow] : used.first[flow + 1]].tolist()
        edges |= set(pairwise(path))
    graph = dependencies(routing)
    assert {tuple(edge) for edge in graph.edges.tolist()} == edges
    parts = [part for part in nx.strongly_connected_components(nx.DiGraph(edges)) if len(part) > 1]
    assert sorted(sorted(loop) for loop in graph.loops) == sorted(sorted(part) for part in parts)
    lost = np.column_stack((pairs.source, pairs.target))[used.hops < 0]
    assert unreachable_pairs(routing).tolist() == lost.tolist()
    if route is up_down:
        assert graph.loops == []
        assert len(up_down_violations(routing)) == 0


def test_s_mod_k_depends_as_d_mod_k_does_the_other_way_round() -> None:
    found = wiring(FABRICS["rails"], 0)
    forward, back = (dependencies(ModK(name, found)) for name in ("d-mod-k", "s-mod-k"))
    assert {(b ^ 1, a ^ 1) for a, b in forward.edges.tolist()} == {tuple(edge) for edge in back.edges.tolist()}


def test_the_compiled_kernel_does_what_the_plain_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    routing = up_down(wiring(FABRICS["parallel cables"], 0))
    plain = np.concatenate(list(table_turns(routing)))
    monkeypatch.setattr("fabrictool.routing.dependencies.turns", lambda _: turns.compiled)
    assert np.array_equal(plain, np.concatenate(list(table_turns(routing))))
