"""Spray over all minimal ways: listed answers, a slow twin with networkx as judge, flows against aggregation."""

from __future__ import annotations

from dataclasses import replace

import fabrics
import numpy as np
import pytest
import routing_samples
import spread_twins
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import Faults, faults_by_name, faults_of_rows, random_faults
from fabrictool.kernels import goals as goal_kernels
from fabrictool.kernels import spray as kernels
from fabrictool.kernels import spray_all
from fabrictool.layout.network import Routing as Stated
from fabrictool.routing.choose import routing_of
from fabrictool.routing.flows import Flows, Routing, all_pairs, flows
from fabrictool.routing.minimal_ways import hops_to_seats
from fabrictool.routing.spray import Spray
from fabrictool.routing.wiring import wiring

SPLITS = ["per-hop", "per-path", "weighted"]


def _dual(hosts: int = 8, **more: object) -> Fabric:
    """Hosts of one GPU with two ports, each in a plane of its own."""
    kind = {"name": "h", "gpus": 1, "nics": [{"role": "compute", "count": 1, "ports_each": 2, "speed": "200G"}]}
    shape = {"planes": 2, "plane_by": "port", "hosts_per_leaf": 2, "leaf": {"type": fabrics.SWITCH}}
    return fabrics.fabric_of({"name": "host", "type": kind, "count": hosts}, family="multi-plane", **(shape | more))


def _dragonfly() -> Fabric:
    shape = {"p": 1, "a": 3, "h": 1, "groups": 4}
    group = {"name": "host", "type": fabrics.host_type(), "count": 12}
    return fabrics.fabric_of(group, family="dragonfly", dragonfly=shape, leaf={"type": fabrics.SWITCH})


def _pair() -> Fabric:
    """Hosts with two ports on a pair of joined leaves."""
    kind = {"name": "h", "gpus": 0, "nics": 2, "speed": "100G"}
    return fabrics.fabric_of(
        {"name": "host", "type": kind, "count": 5},
        family="switch-pair",
        isl=2,
        leaf={"type": fabrics.SWITCH},
        speed="200G",
    )


FABRICS = {
    "two levels": fabrics.pgft((3, 4), (1, 3), (1, 1)),
    "parallel cables": fabrics.pgft((3, 2, 2), (1, 2, 2), (1, 2, 1)),
    "three levels": fabrics.pgft((2, 2, 3), (1, 2, 2), (1, 1, 1)),
    "rails": fabrics.rails(4, 2, 2, 2),
    "dual plane": _dual(),
    "dragonfly": _dragonfly(),
    "pair": _pair(),
}


def _faults(fabric: Fabric, links: int, ports: int, slow: int, seed: int) -> Faults:
    """Switch links and host ports that are down, and links at half and a quarter of their speed."""
    rng = np.random.default_rng(seed)
    lower = fabric.devices.tier[fabric.ends[0]]
    down = random_faults(fabric, min(links, int((lower > 0).sum())), 0, seed)
    hosts = rng.choice(np.flatnonzero(lower == 0), ports, replace=False)
    rows = rng.choice(len(fabric.links), slow, replace=False)
    return down | faults_of_rows(
        fabric, hosts, (), dict(zip(rows.tolist(), rng.choice([0.5, 0.25], slow), strict=True))
    )


@pytest.mark.parametrize("name", routing_samples.names("spray_link_load", "minimal_link_load"))
def test_every_cable_carries_what_is_listed(name: str) -> None:
    sample = routing_samples.sample(name)
    routing = Spray("spray", sample.wiring)
    listed = sample.listed(sample.expect.get("spray_link_load") or sample.expect["minimal_link_load"])
    used = routing.usage(sample.flows)
    assert routing.loads(sample.flows) == pytest.approx(listed, rel=1e-9, abs=1e-12)
    assert used.loads(sample.flows.volume, len(listed)) == pytest.approx(listed, rel=1e-9, abs=1e-12)
    assert np.flatnonzero(used.hops < 0).tolist() == sample.expect.get("unreachable", [])


@pytest.mark.parametrize("name", routing_samples.names("host_hop_histogram", "hop_histogram"))
def test_pairs_by_links(name: str) -> None:
    sample = routing_samples.sample(name)
    listed = sample.expect.get("host_hop_histogram") or sample.expect["hop_histogram"]
    found = Spray("spray", sample.wiring).all_to_all()[1]
    assert {str(links): pairs for links, pairs in found.items() if links > 0} == listed


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(FABRICS)),
    st.integers(0, 5),
    st.integers(0, 2),
    st.integers(0, 3),
    st.integers(0, 99),
    st.sampled_from(SPLITS),
)
def test_shares_are_those_of_a_slow_twin(name: str, links: int, ports: int, slow: int, seed: int, split: str) -> None:
    found = wiring(FABRICS[name], 0, _faults(FABRICS[name], links, ports, slow, seed))
    pairs = all_pairs(found.hosts)
    chosen = np.random.default_rng(seed).choice(len(pairs), 12)
    demands = flows(pairs.source[chosen], pairs.target[chosen])
    used = Spray("spray", found, split).usage(demands)
    graph = spread_twins.graph_of(found)
    for row, (source, target) in enumerate(zip(demands.source.tolist(), demands.target.tolist(), strict=True)):
        twin = spread_twins.spray(graph, source, target, split, found.channels.speed_bps)
        part = slice(used.first[row], used.first[row + 1])
        own = dict(zip(used.channel[part].tolist(), used.share[part].tolist(), strict=True))
        assert own == pytest.approx({channel: float(share) for channel, share in (twin or {}).items()}, rel=1e-12)
        assert (used.hops[row] < 0) == (twin is None)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(FABRICS)),
    st.integers(0, 6),
    st.integers(0, 2),
    st.integers(0, 3),
    st.integers(0, 99),
    st.sampled_from(SPLITS),
)
def test_aggregation_and_flows_agree(name: str, links: int, ports: int, slow: int, seed: int, split: str) -> None:
    found = wiring(FABRICS[name], 0, _faults(FABRICS[name], links, ports, slow, seed))
    routing = Spray("spray", found, split)
    rng = np.random.default_rng(seed)
    some = flows(*rng.integers(0, found.hosts, (2, 30)), rng.random(30))
    assert routing.loads(some) == pytest.approx(Routing.loads(routing, some), rel=1e-12, abs=1e-12)
    load, hops = routing.all_to_all()
    one_by_one = Routing.all_to_all(routing)
    assert load == pytest.approx(one_by_one[0], rel=1e-12, abs=1e-12)
    assert hops == one_by_one[1]


TALL = fabrics.pgft((2, 4, 8), (1, 3, 3), (1, 1, 1))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 40), st.integers(0, 2), st.integers(0, 99))
def test_all_to_all_of_pods_with_faults_is_that_of_all_pairs(links: int, devices: int, seed: int) -> None:
    """Leaves of a pod are pushed together; with many faults not all switches are equally far from them any more."""
    found = wiring(TALL, 0, random_faults(TALL, links, devices, seed))
    routing = Spray("spray", found)
    pairs = all_pairs(found.hosts)
    load, hops = routing.all_to_all()
    assert load == pytest.approx(routing.loads(pairs), rel=1e-11, abs=1e-11)
    links_of = routing.hops(pairs)
    assert hops == {
        int(length): float(count) for length, count in zip(*np.unique(links_of, return_counts=True), strict=True)
    }


def test_uses_along_a_single_path_stand_in_its_order() -> None:
    routing = Spray("spray", wiring(fabrics.pgft((2, 2, 2), (1, 1, 1), (1, 1, 1)), 0))
    used = routing.usage(flows([0], [7]))
    tiers = routing.wiring.fabric.devices.tier[routing.wiring.fabric.ends[1][used.channel // 2]]
    assert tiers.tolist() == [1, 2, 3, 3, 2, 1]
    assert used.hops.tolist() == [6]


def test_half_of_the_links_onward_get_half_the_traffic_by_paths_alone() -> None:
    """Reference 2.5: per hop, a next hop with half its onward cables dead still gets a full share."""
    fabric = fabrics.pgft((2, 2, 2), (1, 2, 2), (1, 1, 1))
    faults = faults_by_name(fabric, links=["spine-01:3"])  # leaf 1's first spine keeps one of two cores
    found = wiring(fabric, 0, faults)
    up = {split: _share_over(found, split, "leaf-01:3") for split in SPLITS}
    assert up == {"per-hop": 1 / 2, "per-path": 1 / 3, "weighted": 1 / 3}


def test_a_slow_link_counts_as_much_as_it_carries_when_weighted() -> None:
    """Leaf to two spines, one link at a quarter of its speed: 1/4 against 1."""
    fabric = fabrics.pgft((2, 2), (1, 2), (1, 1))
    found = wiring(fabric, 0, faults_by_name(fabric, slow={"leaf-01:3": 0.25}))
    up = {split: _share_over(found, split, "leaf-01:3") for split in SPLITS}
    assert up == {"per-hop": 1 / 2, "per-path": 1 / 2, "weighted": 1 / 5}


def _share_over(found, split: str, port: str) -> float:  # type: ignore[no-untyped-def]
    """The share of a flow from the first to the last host that goes over a port's link."""
    load = Spray("spray", found, split).loads(flows([0], [found.hosts - 1]))
    link = next(row for row in range(len(found.fabric.links)) if found.fabric.link_name(row).startswith(f"{port} "))
    return float(load[2 * link])


@pytest.mark.parametrize("split", SPLITS)
def test_a_permutation_of_a_full_tree_loads_no_channel_above_one(split: str) -> None:
    """Reference 2.5: full fat-tree, any permutation has max load 1."""
    routing = Spray("spray", wiring(fabrics.pgft((4, 4, 8), (1, 4, 4), (1, 1, 1)), 0), split)
    shuffled = np.random.default_rng(5).permutation(128)
    assert routing.loads(flows(np.arange(128), shuffled)).max() == pytest.approx(1)


def test_plain_and_compiled_kernels_agree() -> None:
    found = wiring(FABRICS["pair"], 0, _faults(FABRICS["pair"], 1, 1, 2, 3))
    routing = Spray("spray", found, "weighted")
    _, rows = routing._rows(all_pairs(found.hosts))
    answers = []
    for run in (kernels.spread_loads.plain, kernels.spread_loads.compiled):
        load, leaving = np.zeros(len(found.channels)), np.empty(rows.seat.shape)
        arriving = np.empty((len(rows.goal), routing.spread.stop.shape[1]))
        run(routing.spread, rows, load, leaving, arriving)
        answers.append(np.concatenate([load, leaving.ravel(), arriving.ravel()]))
    assert np.array_equal(*answers)


def test_plain_and_compiled_all_to_all_agree() -> None:
    routing = Spray("spray", wiring(TALL, 0, random_faults(TALL, 5, 1, 1)))
    size, answers = len(routing.goals), []
    members = np.arange(1.0, size + 1)
    for run in (spray_all.spread_all.plain, spray_all.spread_all.compiled):
        load, sent, received = np.zeros(len(routing.wiring.channels)), np.zeros(size), np.zeros(size)
        hops = np.zeros(goal_kernels.FAR + 1)
        run(routing.spread, routing.goals.seat[:, 0].copy(), members, load, sent, received, hops)
        answers.append(np.concatenate([load, sent, received, hops]))
    assert answers[0] == pytest.approx(answers[1], rel=1e-12)


def test_distances_to_more_goals_than_a_word_has_bits() -> None:
    """A ring of 70 switches: distances are those around it, the shorter way."""
    fabric = _ring(70)
    found = wiring(fabric, 0)
    hops = hops_to_seats(found, np.arange(70, dtype=np.int32)[:, None])
    apart = np.abs(np.subtract.outer(np.arange(70), np.arange(70)))
    assert np.array_equal(hops, np.minimum(apart, 70 - apart))
    again = np.full_like(hops, goal_kernels.FAR)
    goal_kernels.goal_hops.compiled(found.ways.first, found.ways.to, np.arange(70, dtype=np.int32)[:, None], again)
    assert np.array_equal(hops, again)


def _ring(switches: int) -> Fabric:
    from fabrictool.formats import edges_csv

    lines = ["a_device,a_kind,a_port,z_device,z_kind,z_port,speed"]
    for row in range(switches):
        lines.append(f"h{row:03d},host,1,s{row:03d},switch,3,100G")
        lines.append(f"s{row:03d},switch,1,s{(row + 1) % switches:03d},switch,2,100G")
    return edges_csv.read("ring", "\n".join(lines)).fabric


def test_a_host_without_a_live_port_is_said_to_be_unreachable() -> None:
    fabric = FABRICS["two levels"]
    dead = int(np.flatnonzero(fabric.devices.tier[fabric.ends[0]] == 0)[4])
    routing = Spray("spray", wiring(fabric, 0, faults_of_rows(fabric, [dead])))
    load, hops = routing.all_to_all()
    assert hops[-1] == 2 * 11
    assert load[2 * dead] == load[2 * dead + 1] == 0
    used = routing.usage(flows([4, 0], [0, 1]))
    assert used.hops.tolist() == [-1, 2]
    assert used.first.tolist() == [0, 0, 2]


def test_routings_by_name_and_options() -> None:
    found = wiring(FABRICS["two levels"], 0)
    chosen = routing_of(found, Stated(name="spray", split="per-path", efficiency=0.97))
    assert (chosen.split, chosen.efficiency) == ("per-path", 0.97)  # type: ignore[attr-defined]
    assert routing_of(found, Stated(name="weighted-ecmp")).split == "weighted"  # type: ignore[attr-defined]
    assert routing_of(wiring(FABRICS["dragonfly"], 0)).split == "per-hop"  # type: ignore[attr-defined]


def test_no_flows() -> None:
    routing = Spray("spray", wiring(FABRICS["pair"], 0))
    none = Flows(*(np.zeros(0, np.int32) for _ in range(2)), np.zeros(0))
    assert not routing.loads(none).any()
    assert len(routing.usage(replace(none)).hops) == 0
