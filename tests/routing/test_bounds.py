"""Cuts, concurrent flow, bounds and distances: listed answers, other libraries, and what must hold among them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, permutations
from typing import Any

import fabrics
import igraph
import networkx
import numpy as np
import pytest
import sampled
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.errors import InputError, NotSupportedError
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import faults_of_rows, random_faults
from fabrictool.formats.recognise import imported_from
from fabrictool.kernels.hops import FAR, switch_hops
from fabrictool.routing import concurrent_flow as flow_module
from fabrictool.routing import cuts
from fabrictool.routing.concurrent_flow import concurrent_flow, throughput_bound
from fabrictool.routing.cuts import bisection_width, halves_cut_bps
from fabrictool.routing.flows import flows
from fabrictool.routing.hops import hops_between, host_hops
from fabrictool.routing.modk import ModK
from fabrictool.routing.patterns import pattern_flows
from fabrictool.routing.rates import max_min_rates
from fabrictool.routing.wiring import Wiring, wiring


def _from_edges(rows: list[str]) -> Fabric:
    found = imported_from(
        "edges.csv", "\n".join(["a_device,a_kind,a_port,z_device,z_kind,z_port,speed", *rows]).encode()
    )
    assert found is not None
    return found.fabric


def _two_ports(hosts: int = 8) -> Fabric:
    """Hosts on two leaves each, four to a pair of leaves, and all leaves on two spines."""
    rows = []
    for host in range(hosts):
        rows += [f"h{host},host,{p + 1},leaf{host // 4 * 2 + p},leaf,{host % 4 + 1},100G" for p in (0, 1)]
    for leaf in range(hosts // 2):
        rows += [f"leaf{leaf},leaf,{5 + s},spine{s},spine,{leaf + 1},200G" for s in (0, 1)]
    return _from_edges(rows)


SMALL = {
    "two levels": fabrics.pgft((4, 4), (1, 4), (1, 1)),
    "three levels": fabrics.pgft((2, 2, 4), (1, 2, 2), (1, 1, 1)),
    "oversubscribed": fabrics.pgft((4, 3), (1, 2), (1, 1)),
    "two ports a host": _two_ports(),
}


@pytest.mark.parametrize("name", sampled.names("mincut_halves"))
def test_min_cut_between_halves_of_samples(name: str) -> None:
    sample = sampled.sample(name)
    assert halves_cut_bps(sample.wiring) / sampled.UNIT_BPS == sample.expect["mincut_halves"]


@pytest.mark.parametrize("name", sampled.names("mcf_theta"))
def test_maximum_concurrent_flow_of_samples(name: str) -> None:
    sample = sampled.sample(name)
    found = concurrent_flow(sample.wiring, sample.flows) / sampled.UNIT_BPS
    assert found == pytest.approx(sample.expect["mcf_theta"], abs=1e-7)


@pytest.mark.parametrize("name", sampled.names("tub"))
def test_throughput_bound_of_samples(name: str) -> None:
    sample = sampled.sample(name)
    assert throughput_bound(sample.wiring) == sample.expect["tub"]


def test_throughput_bound_of_ft64_and_of_one_switch() -> None:
    """128 channels over 8 leaves x 8 hosts x 2 hops."""
    assert throughput_bound(wiring(fabrics.pgft((8, 8), (1, 8), (1, 1)), 0)) == 1.0
    assert throughput_bound(wiring(fabrics.pgft((4,), (1,), (1,)), 0)) == float("inf")


@pytest.mark.parametrize("name", sampled.names("host_hop_histogram"))
def test_distances_between_hosts_of_samples(name: str) -> None:
    sample = sampled.sample(name)
    listed = {int(links): pairs for links, pairs in sample.expect["host_hop_histogram"].items()}
    assert host_hops(sample.wiring) == listed


def _graph(seen: Wiring, hosts: bool) -> networkx.MultiGraph:
    """Return the live links as a graph: switches by their place, hosts as ("host", endpoint)."""
    graph = networkx.MultiGraph()
    graph.add_nodes_from(range(len(seen.switch)))
    here = np.repeat(np.arange(len(seen.switch)), np.diff(seen.ways.first))
    for a, z, channel in zip(here.tolist(), seen.ways.to.tolist(), seen.ways.channel.tolist(), strict=True):
        if channel % 2 == 0:
            graph.add_edge(a, z, capacity=float(seen.channels.speed_bps[channel]))
    for host, lanes in enumerate(seen.lanes[: seen.hosts].tolist() if hosts else []):
        graph.add_node(("host", host))
        for lane in lanes:
            if lane >= 0 and seen.terminals.up[lane] >= 0:
                speed = float(seen.channels.speed_bps[seen.terminals.up[lane]])
                graph.add_edge(("host", host), int(seen.terminals.seat[lane]), capacity=speed)
    return graph


def _cut(seen: Wiring, first: set[int]) -> float:
    """Return the min cut by networkx, with parallel links added up."""
    graph = networkx.Graph()
    for a, z, capacity in _graph(seen, True).edges(data="capacity"):
        known = graph.get_edge_data(a, z, {"capacity": 0.0})["capacity"]
        graph.add_edge(a, z, capacity=known + capacity)
    for host in range(seen.hosts):
        graph.add_edge("from" if host in first else "to", ("host", host))
    return float(networkx.maximum_flow_value(graph, "from", "to"))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(SMALL)), st.integers(0, 6), st.integers(0, 1), st.integers(0, 99))
def test_min_cut_is_that_of_networkx(name: str, links: int, devices: int, seed: int) -> None:
    seen = wiring(SMALL[name], 0, random_faults(SMALL[name], links, devices, seed))
    assert halves_cut_bps(seen) == _cut(seen, set(range(seen.hosts // 2)))


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["oversubscribed", "two ports a host"]), st.integers(0, 4), st.integers(0, 99))
def test_bisection_width_is_the_least_cut_of_all_halves(name: str, links: int, seed: int) -> None:
    seen = wiring(SMALL[name], 0, random_faults(SMALL[name], links, 0, seed))
    cutter = cuts._Cutter(seen)
    sides = (np.isin(np.arange(seen.hosts), some) for some in combinations(range(seen.hosts), seen.hosts // 2))
    found = bisection_width(seen)
    assert found.exact
    assert found.width_bps == min(cutter.cut_bps(side) for side in sides)


@pytest.mark.parametrize(
    ("shape", "links"),
    [(((4, 4), (1, 4), (1, 1)), 8), (((4, 4), (1, 2), (1, 1)), 4), (((2, 2, 4), (1, 2, 2), (1, 1, 1)), 8)],
)
def test_exact_bisection_width_of_full_trees_is_half_of_the_hosts_over_the_oversubscription(
    shape: Any, links: int
) -> None:
    found = bisection_width(wiring(fabrics.pgft(*shape), 0))
    assert found == cuts.BisectionWidth(links * 400e9, True, "all splits")


def test_bound_of_larger_fabrics_by_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bisection_width(wiring(fabrics.pgft((8, 8), (1, 8), (1, 1)), 0)) == cuts.BisectionWidth(
        32 * 400e9, False, "halves in order"
    )
    # interleaved islands: four leaves of two pairs that only one link joins, so that halves in order cut more
    rows = [f"h{i},host,1,leaf{i % 4},leaf,{i // 4 + 1},100G" for i in range(8)]
    pairs = [(0, 2)] * 4 + [(1, 3)] * 4 + [(0, 1)]
    rows += [f"leaf{a},leaf,{10 + i},leaf{z},leaf,{20 + i},100G" for i, (a, z) in enumerate(pairs)]
    seen = wiring(_from_edges(rows), 0)
    assert bisection_width(seen) == cuts.BisectionWidth(100e9, True, "all splits")
    monkeypatch.setattr(cuts, "MOST_SPLITS", 0)
    monkeypatch.setattr(cuts, "_VECTORS", 2)
    assert bisection_width(seen) == cuts.BisectionWidth(100e9, False, "spectral halves")


def test_one_host_has_no_halves() -> None:
    with pytest.raises(InputError, match="no halves"):
        bisection_width(replace(wiring(SMALL["two levels"], 0), hosts=1))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(SMALL)), st.integers(0, 3), st.integers(0, 99))
def test_concurrent_flow_is_between_max_min_rates_and_cuts(name: str, links: int, seed: int) -> None:
    """No routing beats it, no cut is beaten by it, and a link more never lowers it."""
    fabric = SMALL[name]
    faults = random_faults(fabric, links, 0, seed)
    seen = wiring(fabric, 0, faults)
    demand = pattern_flows(f"random:{seed}", seen.hosts)
    theta = concurrent_flow(seen, demand)
    rate = max_min_rates(ModK("d-mod-k", seen).usage(demand), seen.channels.speed_bps)
    assert theta >= np.nan_to_num(rate).min() * (1 - 1e-7)
    crossing = int(np.count_nonzero((demand.source < seen.hosts // 2) & (demand.target >= seen.hosts // 2)))
    if crossing:
        assert theta <= halves_cut_bps(seen) / crossing * (1 + 1e-7)
    mended = np.flatnonzero(faults.links.dead)[1:]
    assert concurrent_flow(wiring(fabric, 0, faults_of_rows(fabric, mended)), demand) >= theta * (1 - 1e-7)


def test_concurrent_flow_under_one_leaf_of_nothing_and_without_a_way() -> None:
    seen = wiring(SMALL["two levels"], 0)
    assert concurrent_flow(seen, flows([0, 1], [2, 2])) == 200e9
    assert concurrent_flow(seen, flows([1], [1])) == float("inf")
    fabric = SMALL["two levels"]
    lone = faults_of_rows(fabric, np.flatnonzero(fabric.ends[0] == fabric.names.index("leaf-01")).tolist())
    assert concurrent_flow(wiring(fabric, 0, lone), flows([0], [9])) == 0.0


def test_a_program_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = wiring(SMALL["two levels"], 0)
    monkeypatch.setattr(flow_module, "MOST_UNKNOWNS", 100)
    with pytest.raises(NotSupportedError, match="has 128 unknowns, the limit is 100"):
        concurrent_flow(seen, pattern_flows("all-to-all", 16))
    monkeypatch.setattr(flow_module, "MOST_LEAVES", 3)
    with pytest.raises(NotSupportedError, match="on 4 switches, the limit is 3"):
        throughput_bound(seen)


def test_the_worst_permutation_of_switches_by_trying_all() -> None:
    seen = wiring(fabrics.pgft((2, 2, 2), (1, 2, 1), (1, 1, 1)), 0, None)
    hops = hops_between(seen)
    leaf = np.unique(seen.terminals.seat)
    worst = max(sum(hops[i, j] for i, j in zip(leaf, order, strict=True)) for order in permutations(leaf))
    assert throughput_bound(seen) == pytest.approx(len(seen.ways.to) / (2 * worst))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(SMALL)), st.integers(0, 6), st.integers(0, 2), st.integers(0, 99))
def test_distances_are_those_of_igraph(name: str, links: int, devices: int, seed: int) -> None:
    seen = wiring(SMALL[name], 0, random_faults(SMALL[name], links, devices, seed))
    graph = _graph(seen, False)
    judge = np.array(igraph.Graph(len(seen.switch), [(a, z) for a, z, _ in graph.edges]).distances())
    judge[np.isinf(judge)] = FAR
    assert np.array_equal(hops_between(seen), judge)
    found: dict[int, int] = {}
    full = _graph(seen, True)
    for host in range(seen.hosts):
        inner = full.copy()
        inner.remove_nodes_from([("host", i) for i in range(seen.hosts) if i != host])
        away = networkx.single_source_shortest_path_length(inner, ("host", host))
        for other in range(seen.hosts):
            if other != host:
                seats = [away[switch] + 1 for switch in full[("host", other)] if switch in away]
                found[min(seats, default=-1)] = found.get(min(seats, default=-1), 0) + 1
    assert host_hops(seen) == found


def test_compiled_search_agrees_with_the_plain_one_beyond_one_pass() -> None:
    """A ring of 600 switches: more sources than a pass holds, and some farther apart than a byte counts."""
    for size, farthest in ((70, 35), (600, 300)):
        first = np.arange(0, 2 * size + 1, 2, dtype=np.int32)
        to = np.column_stack(((np.arange(size) - 1) % size, (np.arange(size) + 1) % size)).astype(np.int32).ravel()
        forms = [switch_hops.compiled] + ([switch_hops.plain] if size < 100 else [])
        for form in forms:
            hops = np.zeros((size, size), np.uint8)
            assert form(first, to, np.arange(size, dtype=np.int32), hops) == farthest
            away = abs(np.arange(size)[:, None] - np.arange(size))
            near = np.minimum(away, size - away)
            assert np.array_equal(hops[near < FAR], near[near < FAR])
