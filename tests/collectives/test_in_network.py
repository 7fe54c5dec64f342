"""Switches that reduce: trees over real fabrics, their loads, times in closed form, and who refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import fabrics
import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.catalogue.store import entry, names
from fabrictool.collectives.runs import run_jobs
from fabrictool.collectives.schedules import ALGORITHMS
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.errors import InputError
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import Faults, faults_by_name, random_faults
from fabrictool.layout.workload import RankOrder
from fabrictool.routing.aggregation import aggregation_tree
from fabrictool.routing.ranks import rank_wiring

GIB = 2.0**30
G, M, A_N, A_R, B_N, B_R = 8, 8, 1e-6, 1e-6, 450e9, 50e9
TREE = fabrics.pgft((8, 8), (1, 8), (1, 1))
DEEP = fabrics.pgft((4, 4, 4), (1, 4, 4), (1, 1, 1))


def _hosts(count: int, unit: int, spines: int, **more: Any) -> Fabric:
    """Hosts of 8 GPUs: 450 GB/s and 1 us between GPUs of a host, 50 GB/s and 500 ns a link outside."""
    kind = fabrics.host_type(8) | {"scale_up": {"domain": 8, "speed": "3.6T", "latency": "500 ns"}}
    leaf, spine = {"type": fabrics.SWITCH, "up": spines}, {"type": fabrics.SWITCH, "count": spines}
    parts: dict[str, Any] = {"family": "rail-optimized", "rails": 8, "scalable_unit": {"hosts": unit}}
    return fabrics.fabric_of({"name": "host", "type": kind, "count": count}, **parts, leaf=leaf, spine=spine, **more)


RAILS = _hosts(8, 8, 8)
UNITS = _hosts(16, 4, 8)


def _run(
    fabric: Fabric, collective: str, algorithm: str, ranks: list[int] | None = None, faults: Faults | None = None,
    nbytes: float = GIB, model: str = "rounds", **more: Any
) -> CollectiveResult:  # fmt: skip
    order = RankOrder() if ranks is None else RankOrder.model_validate({"list": ranks})
    transport = Transport(fabric, 0, faults)
    return next(iter(transport.run(Job(0, collective, algorithm, (nbytes,), order, model, **more))))


@pytest.mark.parametrize("nbytes", [8.0, 2.0**20, GIB])
@pytest.mark.parametrize(("fabric", "tree_s"), [(TREE, 1e-6), (DEEP, 1.5e-6)])
def test_sharp_with_one_port_a_rank(fabric: Fabric, tree_s: float, nbytes: float) -> None:
    """2 a_tree + S/B: 2 and 3 links of 500 ns up to the root, and S up and down at once."""
    for collective in ("all-reduce", "reduce", "broadcast"):
        found = _run(fabric, collective, "sharp", nbytes=nbytes)
        assert found.time_s == pytest.approx(2 * tree_s + nbytes / B_R, rel=1e-12)
        assert found.time_s >= found.bound_s
    assert _run(fabric, "all-reduce", "sharp", list(range(4)), nbytes=nbytes).time_s == pytest.approx(
        1e-6 + nbytes / B_R, rel=1e-12
    )  # under one leaf


@pytest.mark.parametrize("ranks", [2, 3, 7, 64])
def test_sharp_moves_half_of_what_a_ring_does(ranks: int) -> None:
    """The bound is S/B where switches reduce, 2 (N - 1)/N S/B where ranks do."""
    chosen = list(range(0, ranks))
    sharp, ring = (_run(TREE, "all-reduce", name, chosen) for name in ("sharp", "ring"))
    assert sharp.bound_s == pytest.approx(GIB / B_R)
    assert ring.bound_s == pytest.approx(2 * (ranks - 1) / ranks * GIB / B_R)
    if ranks > 2:
        assert sharp.time_s < ring.bound_s


@pytest.mark.parametrize("chunks", [None, 100])
def test_sharp_with_rails(chunks: int | None) -> None:
    """2 (G - 1)/G S/B_n + (S/G)/B_r + latencies, a tree a rail; in chunks the larger, and the first chunk."""
    inside, between = 2 * (G - 1) / G * GIB / B_N, GIB / G / B_R
    once = 2 * (G - 1) * A_N + A_R
    found = _run(RAILS, "all-reduce", "sharp", chunks=chunks)
    wanted = inside + between + once
    if chunks:
        wanted = once + (inside + between) / chunks + A_N + (1 - 1 / chunks) * max(inside, between)
    assert found.time_s == pytest.approx(wanted, rel=1e-9)
    assert found.time_s >= found.bound_s


def test_sharp_scatters_and_gathers_by_halves() -> None:
    """Each GPU of 8 hosts ends or begins with S/64: a tree brings S/8 on one way, and a ring inside the rest."""
    for collective in ("reduce-scatter", "all-gather"):
        found = _run(RAILS, collective, "sharp")
        inside = (G - 1) * (A_N + GIB / G / B_N)
        assert found.time_s == pytest.approx(inside + A_R + GIB / G / B_R, rel=1e-9)


@pytest.mark.parametrize("ranks", range(2, 9))
def test_nvls_in_one_domain(ranks: int) -> None:
    """S (G + 1)/G out of and into each GPU (collectives by multimem ld_reduce and st); S for each half."""
    chosen = list(range(ranks))
    found = _run(RAILS, "all-reduce", "nvls", chosen)
    assert found.time_s == pytest.approx(2 * A_N + (ranks + 1) / ranks * GIB / B_N, rel=1e-12)
    limit = B_N * 2 * (ranks - 1) / (ranks + 1)
    assert found.busbw_bytes_per_s == pytest.approx(limit, rel=1e-2)
    for collective in ("reduce-scatter", "all-gather"):
        assert _run(RAILS, collective, "nvls", chosen).time_s == pytest.approx(A_N + GIB / B_N, rel=1e-12)
    if ranks == 8:
        ring = _run(RAILS, "all-reduce", "ring", chosen)
        large = [one.time_s - one.latency_s for one in (found, ring)]
        assert large[0] / large[1] == pytest.approx(0.642857, abs=1e-6)


def test_planes_share_what_a_tree_carries() -> None:
    """Two ports of 200G a GPU on planes of their own: a tree on each with half of S/G, as one port of 400G has."""
    kind = {"name": "h", "gpus": 8, "nics": [{"count": 8, "ports_each": 2, "speed": "200G"}]}
    kind |= {"scale_up": {"domain": 8, "speed": "3.6T", "latency": "500 ns"}}
    switch = {"name": "sw", "ports": 64, "speed": "200G", "latency": "0 ns"}
    leaf, spine = {"type": switch, "down": 32, "up": 32}, {"type": switch, "count": 32}
    shape = {"family": "multi-plane", "planes": 2, "plane_by": "port", "speed": "200G", "leaf": leaf, "spine": spine}
    fabric = fabrics.fabric_of({"name": "host", "type": kind, "count": 16}, **shape)
    found = _run(fabric, "all-reduce", "sharp")
    assert found.time_s == pytest.approx(2 * (G - 1) * (A_N + GIB / G / B_N) + 2 * A_R + GIB / G / B_R, rel=1e-9)
    rings = _run(fabric, "all-reduce", "hierarchical")
    between = 2 * 15 * (2 * A_R + GIB / G / 16 / B_R)
    assert rings.time_s == pytest.approx(2 * (G - 1) * (A_N + GIB / G / B_N) + between, rel=1e-9)


@pytest.mark.parametrize("chunks", [1, 16])
def test_nvls_tree(chunks: int) -> None:
    """Trees over 8 hosts with S/2 of each rail: up and down 4 levels, 2 S/G in and out of each adapter in all."""
    inside, level = GIB / B_N, GIB / 2 / G / B_R
    first = 2 * (A_N + inside / chunks) + sum(A_R + load * level / chunks for load in _loads_by_level())
    rest = A_R + (1 - 1 / chunks) * max(GIB * (G + 1) / G / B_N, 2 * GIB / G / B_R) if chunks > 1 else 0.0
    found = _run(RAILS, "all-reduce", "nvls-tree", chunks=chunks)
    assert found.time_s == pytest.approx(first + rest, rel=1e-9)
    assert found.time_s >= found.bound_s == pytest.approx(2 * 7 / 8 * GIB / G / B_R)


def _loads_by_level() -> list[int]:
    """Return how many halves of S/G meet at an adapter in each level of NCCL's trees of 8: the tree and its mirror."""
    parents = [[-1, 2, 4, 2, 0, 6, 4, 6], [1, 3, 1, 7, 5, 3, 5, -1]]

    def depth(tree: list[int], host: int) -> int:
        return 0 if tree[host] < 0 else 1 + depth(tree, tree[host])

    up = []
    for level in range(3, 0, -1):
        pairs = [(host, tree[host]) for tree in parents for host in range(8) if depth(tree, host) == level]
        ends = [[pair[end] for pair in pairs] for end in (0, 1)]
        up.append(max(max(map(one.count, one)) for one in ends))
    return [*up, *reversed(up)]


@pytest.mark.parametrize("missing", [63, 17])
def test_domains_of_different_sizes(missing: int) -> None:
    """Seven trees for seven rails: S/7 where there were S/8."""
    ranks = [rank for rank in range(64) if rank != missing]
    found = _run(RAILS, "all-reduce", "sharp", ranks)
    ring = 6 * (A_N + GIB / 7 / B_N) + A_N + GIB / 8 / B_N
    assert found.time_s == pytest.approx(2 * ring + 2 * (A_N + GIB / 8 / B_N) + A_R + GIB / 7 / B_R, rel=1e-9)


def _part_of(fabric: Fabric, tree: Any) -> networkx.DiGraph:
    graph = networkx.DiGraph()
    low, high = fabric.ends
    for channel in tree.up.tolist():
        ends = int(low[channel // 2]), int(high[channel // 2])
        graph.add_edge(*(ends if channel % 2 == 0 else ends[::-1]), channel=channel)
    return graph


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([TREE, DEEP, UNITS]), st.integers(0, 12), st.integers(0, 3), st.integers(0, 99), st.data())
def test_a_tree_joins_its_members_over_what_is_up(
    fabric: Fabric, links: int, devices: int, seed: int, draw: st.DataObject
) -> None:
    """One way up from each device, all to one root, no dead link, no branch without members, parts summed up."""
    faults = random_faults(fabric, links, devices, seed)
    wiring = rank_wiring(fabric, 0, faults)
    step = 8 if fabric is UNITS else 1
    member = np.array(sorted(draw.draw(st.sets(st.integers(0, wiring.endpoints // step - 1), min_size=2)))) * step
    part = np.arange(1.0, len(member) + 1)
    tree = aggregation_tree(wiring, 0, member.astype(np.int32), part, draw.draw(st.integers(0, 9)))
    alive = networkx.Graph()
    for link, (low, high) in enumerate(zip(*fabric.ends, strict=True)):
        if not wiring.faults.links.dead[link] and fabric.links.network[link] == 0:
            alive.add_edge(int(low), int(high))
    hosts = wiring.device[member].tolist()
    switches = alive.subgraph([node for node in alive if fabric.devices.tier[node] > 0 or node in hosts])
    if step == 1:
        joined = all(host in switches for host in hosts) and networkx.node_connected_component(
            switches, hosts[0]
        ).issuperset(hosts)
        assert (tree is not None) == joined
    if tree is None:
        return
    graph = _part_of(fabric, tree)
    assert networkx.is_tree(graph.to_undirected())
    roots = [node for node in graph if graph.out_degree(node) == 0]
    assert len(roots) == 1
    assert all(graph.out_degree(node) == 1 for node in graph if node != roots[0])
    assert {node for node in graph if graph.in_degree(node) == 0} == set(hosts)
    assert not wiring.faults.links.dead[tree.up // 2].any()
    below = dict(zip(tree.up.tolist(), tree.part.tolist(), strict=True))
    for one, _, channel in graph.edges(data="channel"):
        inside = networkx.ancestors(graph, one) | {one}
        assert below[channel] == sum(value for host, value in zip(hosts, part, strict=True) if host in inside)
    depth = max(networkx.shortest_path_length(graph, host, roots[0]) for host in hosts)
    assert tree.depth == depth
    assert tree.latency_s == pytest.approx(2 * depth * 500e-9)


def test_a_tree_of_an_healthy_fabric_is_as_low_as_can_be() -> None:
    for fabric, depth in ((TREE, 2), (DEEP, 3)):
        wiring = rank_wiring(fabric, 0)
        everyone = np.arange(64, dtype=np.int32)
        for turn in range(3):
            tree = aggregation_tree(wiring, 0, everyone, np.ones(64), turn)
            assert tree is not None
            assert (tree.depth, len(tree.up)) == ((depth, 64 + 8) if depth == 2 else (depth, 64 + 16 + 4))


def test_trees_of_rails_spread_over_spines() -> None:
    """Eight rails over four units, a root each: no link between switches carries two trees."""
    found = _run(UNITS, "all-reduce", "sharp")
    inside = 2 * (G - 1) * (A_N + GIB / G / B_N)
    assert found.time_s == pytest.approx(inside + 2 * A_R + GIB / G / B_R, rel=1e-9)
    wiring = rank_wiring(UNITS, 0)
    rails = [np.arange(rail, 128, 8, dtype=np.int32) for rail in range(8)]
    trees = [aggregation_tree(wiring, 0, rail, np.ones(16), turn) for turn, rail in enumerate(rails)]
    used = np.concatenate([tree.up for tree in trees if tree is not None])
    assert len(np.unique(used)) == len(used)


def test_a_tree_goes_around_what_is_down_and_is_slowed_by_what_is_slow() -> None:
    """A spine less is nothing lost; a leaf's uplink at a quarter is met by the tree that uses it."""
    healthy = _run(TREE, "all-reduce", "sharp").time_s
    down = faults_by_name(TREE, devices=["spine-01"])
    assert _run(TREE, "all-reduce", "sharp", faults=down).time_s == pytest.approx(healthy)
    slow = faults_by_name(TREE, slow={"host-05:1": 0.25})
    assert _run(TREE, "all-reduce", "sharp", faults=slow).time_s == pytest.approx(2e-6 + 4 * GIB / B_R)


IN_SWITCHES = [(name, word) for name, known in ALGORITHMS.items() for word, one in known.items() if one.reduces]


@pytest.mark.parametrize("model", ["alpha-beta", "loggp", "fluid"])
@pytest.mark.parametrize("pair", IN_SWITCHES)
def test_models_agree_where_nothing_is_shared(pair: tuple[str, str], model: str) -> None:
    """For LogGP a stream begins with its first byte, and messages have gaps; that is little of a GiB."""
    ranks = list(range(8 if pair[1] == "nvls" else 64))
    times = []
    for one in ("rounds", model):
        job = Job(0, *pair, (GIB,), RankOrder.model_validate({"list": ranks}), one, chunks=_chunks(pair))
        times.append(run_jobs(Transport(RAILS, 0), [job])[0])
    assert times[1].time_s == pytest.approx(times[0].time_s, rel=0.01)
    assert times[1].bound_s == times[0].bound_s
    if model == "fluid":
        assert times[1].time_s <= times[0].time_s * (1 + 1e-9)
        assert times[1].time_s == pytest.approx(times[0].time_s, rel=1e-9) or pair[1] == "nvls-tree"


def _chunks(pair: tuple[str, str]) -> int | None:
    return 1 if pair[1] == "nvls-tree" else None


def test_jobs_side_by_side_share_the_links_of_trees() -> None:
    """Two trees over the same adapters take turns; two over different leaves do not meet."""
    both = [_placed(range(8)), _placed(range(8))]
    apart = [_placed(range(8)), _placed(range(8, 16))]
    for jobs, factor in ((both, 2), (apart, 1)):
        for result in run_jobs(Transport(TREE, 0), [replace(job, number=at) for at, job in enumerate(jobs)]):
            assert result.time_s == pytest.approx(1e-6 + factor * GIB / B_R, rel=1e-9)


def _placed(ranks: range) -> Job:
    order = RankOrder.model_validate({"list": list(ranks)})
    return Job(0, "all-reduce", "sharp", (GIB,), order, "fluid", path=("scenario", "jobs", 0))


def test_rounds_of_trees_do_not_overlap() -> None:
    job = Job(0, "all-reduce", "sharp", (GIB,), RankOrder(), "fluid", overlap=True)
    with pytest.raises(InputError, match="rounds of sharp do not overlap"):
        run_jobs(Transport(TREE, 0), [job])


@pytest.mark.parametrize(
    ("algorithm", "ranks", "words"),
    [
        ("nvls", 16, "nvls needs ranks in one scale-up domain, not in 2; use one of ring, hierarchical, "),
        (
            "sharp",
            8,
            "sharp needs ranks in several scale-up domains, not 8 in one, .*; use one of ring, .*, nvls",
        ),
    ],
)
def test_ranks_that_do_not_fit(algorithm: str, ranks: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        _run(RAILS, "all-reduce", algorithm, list(range(ranks)))


def test_ranks_without_domains_have_no_switch_to_reduce() -> None:
    with pytest.raises(InputError, match="nvls-tree needs scale-up domains of several ranks, not 64 ranks that share"):
        _run(TREE, "all-reduce", "nvls-tree")


def test_one_rank_takes_no_time() -> None:
    for collective, known in ALGORITHMS.items():
        for name, algorithm in known.items():
            if algorithm.reduces:
                assert _run(RAILS, collective, name, [5]).time_s == 0


def test_rails_that_nothing_joins() -> None:
    """Ranks of one rail have a tree; one GPU each of two rails has none."""
    lone = fabrics.rail_only(4, 4)
    assert _run(lone, "all-reduce", "sharp").time_s is not None
    lost = _run(lone, "all-reduce", "sharp", [0, 5])
    assert lost.time_s is None
    assert lost.limited_by.startswith("GPU 0 cannot reach GPU 5 in this network")


def _stating(fabric: Fabric, **more: Any) -> Transport:
    return Transport(fabric, 0, types=more)


@pytest.mark.parametrize(
    ("host", "switch", "algorithm", "words"),
    [
        ("dgx-h100", "qm9700", "sharp", None),
        ("dgx-h100", "qm9700", "nvls-tree", None),
        ("dgx-a100", "qm8790", "sharp", None),
        (
            "dgx-a100",
            "qm8790",
            "nvls-tree",
            "dgx-a100 does not in its scale-up domain; use one of ring, .*, sharp$",
        ),
        ("dgx-h100", "sb7800", "sharp", "and sb7800 reduces short ones only; use one of ring"),
        (
            "dgx-h100",
            "sn5600",
            "sharp",
            "sn5600 does not say that it does in the network; use one of .* 'reduc",
        ),
    ],
)
def test_what_types_state(host: str, switch: str, algorithm: str, words: str | None) -> None:
    kinds = {"hosts": host, "switches": switch}
    types = {name: entry(kind, name) for kind, name in kinds.items()}
    speed = {"qm8790": "200G", "sb7800": "100G"}.get(switch, "400G")
    group = {"name": "host", "type": {"name": host, "gpus": 8, "nics": 8, "speed": speed}
             | {"scale_up": {"domain": 8, "speed": "3.6T", "latency": "500 ns"}}, "count": 2}  # fmt: skip
    protocol = "ethernet" if switch == "sn5600" else "infiniband"
    leaf = {"type": {"name": switch, "ports": 64, "speed": speed, "latency": "0 ns"}}
    fabric = fabrics.fabric_of(group, family="rail-only", rails=8, leaf=leaf, speed=speed, protocol=protocol)
    transport = Transport(fabric, 0, types=types)
    job = Job(0, "all-reduce", algorithm, (GIB,), RankOrder())
    if words is None:
        results = list(transport.run(job))
        assert results[0].time_s
        assert transport.assumptions(results) == []
    else:
        with pytest.raises(InputError, match=words):
            list(transport.run(job))


def test_types_that_state_nothing_are_an_assumption() -> None:
    transport = Transport(RAILS, 0)
    results = [_run(RAILS, "all-reduce", name) for name in ("sharp", "nvls-tree", "ring")]
    found = transport.assumptions(results)
    assert {row.what for row in found} == {"switches of sw", "switches of h"}
    assert all("reduce at line rate" in row.value for row in found)


def test_every_switch_that_reduces_names_its_source() -> None:
    known = [one for one in (entry("switches", name) for name in names("switches")) if one.reduction]
    assert {one.name for one in known if one.reduction == "stream"} == {
        "qm8700", "qm8790", "cs8500", "qm9700", "qm9790", "q3400-ra"
    }  # fmt: skip
    assert all(one.reduction_source for one in known)
