"""Collectives over any routing: by tables, by source, over direct networks; healthy and with faults."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import fabrics
import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.collectives.carriers import Lane, Routed
from fabrictool.collectives.congestion import congestion_of
from fabrictool.collectives.costs import Meter, UnreachableError
from fabrictool.collectives.entries import Group, Round
from fabrictool.collectives.networks import transports
from fabrictool.collectives.schedules import ALGORITHMS
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import Job
from fabrictool.errors import InputError, NotSupportedError
from fabrictool.fabric.faults import faults_by_name, random_faults
from fabrictool.formats import edges_csv
from fabrictool.layout.network import Routing as Stated
from fabrictool.layout.workload import RankOrder
from fabrictool.routing.choose import ROUTINGS
from fabrictool.routing.flows import Flows, Routing, Usage, usage_of_paths
from fabrictool.routing.modk import ModK
from fabrictool.routing.wiring import Wiring

TREES = {
    "two levels": fabrics.pgft((4, 4), (1, 4), (1, 1)),
    "parallel cables": fabrics.pgft((4, 2, 2), (1, 4, 2), (1, 2, 2)),
    "tapered, two GPUs a host": fabrics.pgft((4, 4), (1, 2), (1, 1), gpus=2),
    "rails": fabrics.rails(4, 4, 2, 2),
}
PLANES = {"family": "multi-plane", "planes": 2, "plane_by": "port", "rails": 1, "scalable_unit": {"hosts": 4}}
#: Each algorithm of each collective; permutations have tests of their own, with stated pairs.
PAIRS = [
    (name, word) for name, known in ALGORITHMS.items() for word in known if name not in ("permutation", "all-to-all-v")
]
OF_MESSAGES = [(name, word) for name, word in PAIRS if not ALGORITHMS[name][word].reduces]


@dataclass(frozen=True)
class First(Routing):
    """The first of the shortest ways that a search by hand finds."""

    name: str
    wiring: Wiring

    def usage(self, flows: Flows) -> Usage:
        ways, terminals = self.wiring.ways, self.wiring.terminals
        path = np.zeros((len(flows), 16), np.int32)
        length = np.full(len(flows), -1, np.int32)
        for row, (source, target) in enumerate(zip(flows.source, flows.target, strict=True)):
            start, end = self.wiring.lanes[source, 0], self.wiring.lanes[target, 0]
            back: dict[int, tuple[int, int]] = {int(terminals.seat[start]): (-1, -1)}
            queue = deque(back)
            while queue:
                here = queue.popleft()
                for way in range(ways.first[here], ways.first[here + 1]):
                    if int(ways.to[way]) not in back:
                        back[int(ways.to[way])] = (here, int(ways.channel[way]))
                        queue.append(int(ways.to[way]))
            at = int(terminals.seat[end])
            if at not in back or terminals.up[start] < 0 or terminals.up[end] < 0:
                continue
            steps = [int(terminals.up[end]) ^ 1]
            while back[at][1] >= 0:
                at, channel = back[at]
                steps.append(channel)
            steps.append(int(terminals.up[start]))
            path[row, : len(steps)], length[row] = steps[::-1], len(steps)
        return usage_of_paths(path, length)


@pytest.fixture
def minimal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have some minimal routing, whichever the package brings."""
    monkeypatch.setitem(ROUTINGS, "minimal", lambda wiring, stated: First(stated.name, wiring))


def _group(transport: Transport) -> Group:
    ranks, wiring = transport.alive, transport.wiring
    return Group(len(ranks), np.where(wiring.scale_up[ranks] >= 0, wiring.domain[ranks], -1 - ranks))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(TREES)), st.sampled_from(OF_MESSAGES), st.integers(0, 4), st.integers(0, 99))
def test_a_kernel_and_what_flows_use_cost_the_same(name: str, pair: tuple[str, str], links: int, seed: int) -> None:
    """D-mod-k by kernel and closed form, by its usage, and by its forwarding tables."""
    fabric = TREES[name]
    transport = Transport(fabric, 0, random_faults(fabric, links, 0, seed))
    assert isinstance(transport.routing, ModK)
    costs = []
    for carrier in (*transport.carriers("rounds"), Routed(transport.routing), Routed(transport.routing.table())):
        try:
            rounds = ALGORITHMS[pair[0]][pair[1]].rounds(_group(transport))
            found = Meter(carrier, transport.alive).cost(rounds)
            costs.append((found.latency_s, found.seconds_per_byte, found.alone or 0.0))
        except UnreachableError:
            costs.append((-1.0, -1.0, -1.0))
    assert costs[1] == pytest.approx(costs[0], rel=1e-12)
    assert costs[2] == pytest.approx(costs[0], rel=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(sorted(TREES)), st.integers(0, 4), st.integers(0, 99))
def test_congestion_by_kernel_and_by_usage_is_the_same(name: str, links: int, seed: int) -> None:
    fabric = TREES[name]
    transport = Transport(fabric, 0, random_faults(fabric, links, 0, seed))
    by_kernel = congestion_of(transport, 3)
    transport.lanes, transport.trees = [], []
    by_usage = congestion_of(transport, 3)
    assert by_usage.max_link_load == pytest.approx(by_kernel.max_link_load, rel=1e-12)
    assert by_usage.effective_bisection == pytest.approx(by_kernel.effective_bisection, rel=1e-12)
    assert dict(by_usage.hot_links) == pytest.approx(dict(by_kernel.hot_links))


@pytest.mark.parametrize("shift", range(1, 16))
def test_s_mod_k_costs_what_a_walk_by_the_sources_key_does(shift: int) -> None:
    """Rodriguez et al., CLUSTER 2009: the way from s to d by the key of s is the way back from d to s by it."""
    twin, fabric = reference.Pgft((4, 4), (1, 2), (1, 1)), fabrics.pgft((4, 4), (1, 2), (1, 1))
    transport = Transport(fabric, 0, stated=Stated(name="s-mod-k"))

    def walk(s: int, d: int) -> list[reference.Hop]:
        turned = {"up": "down", "down": "up"}
        return [(tier, index, port, turned[way]) for tier, index, port, way in reversed(twin.walk(d, s))]

    places = np.arange(16, dtype=np.int32)
    entry = Round(places, (places + shift) % 16, 1.0)
    (cost,) = transport.carriers("rounds")[0].costs([entry], places)
    flows = [(s, (s + shift) % 16, 1.0) for s in range(16)]
    expected = reference.round_cost(walk, flows, lambda hop: 8 / 400e9, lambda hop: 500e-9)
    assert (cost.seconds_per_byte, cost.latency_s, cost.alone) == pytest.approx(expected, rel=1e-12)


@pytest.mark.usefixtures("minimal")
def test_a_dragonfly_by_hand() -> None:
    """2 groups of 2 routers with a host each, and one link between the groups.

    Shifts by 1 and 3 send one flow across either way, the shift by 2 two: 1 + 2 + 1 transfers of a byte.
    """
    shape = {"p": 1, "a": 2, "h": 1, "groups": 2}
    router = {"type": {"name": "r", "ports": 8, "speed": "400G", "latency": "0 ns"}}
    group = {"name": "host", "type": fabrics.host_type(), "count": 4}
    fabric = fabrics.fabric_of(group, family="dragonfly", dragonfly=shape | {"links_per_pair": 1}, leaf=router)
    transport = Transport(fabric, 0)
    job = Job(0, "all-to-all", "pairwise", (4.0,), RankOrder())
    result = next(iter(transport.run(job)))
    assert result.time_s - result.latency_s == pytest.approx(4 * 8 / 400e9, rel=1e-12)
    assert result.limited_by == "latency"
    assert result.bottleneck is not None and result.time_s >= result.bound_s > 0  # noqa: PT018


@pytest.mark.usefixtures("minimal")
@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["dragonfly", "slim-fly", "switch-pair"]), st.sampled_from(PAIRS), st.sampled_from([8, 16]))
def test_no_result_is_better_than_its_bound_without_a_tree(family: str, pair: tuple[str, str], count: int) -> None:
    transport = Transport(_direct(family), 0)
    order = RankOrder.model_validate({"order": "random", "count": count, "seed": 1})
    for model in ("rounds", "alpha-beta", "bound"):
        try:
            result = next(iter(transport.run(Job(0, *pair, (1e6,), order, model))))
        except InputError:
            continue
        assert result.time_s >= result.bound_s * (1 - 1e-12) > 0
        assert result.time_s >= result.latency_s


def _direct(family: str) -> fabrics.Fabric:
    switch = {"type": {"name": "r", "ports": 64, "speed": "400G", "latency": "0 ns"}}
    group = {"name": "host", "type": fabrics.host_type(), "count": 32}
    shape = {"dragonfly": {"dragonfly": {"p": 2, "a": 4, "h": 2, "groups": 4}}, "slim-fly": {"q": 5}}
    if family == "switch-pair":
        return fabrics.fabric_of(group | {"count": 16}, family=family, leaf=switch, isl=4)
    return fabrics.fabric_of(group, family=family, leaf=switch, **shape[family])


@pytest.mark.usefixtures("minimal")
@pytest.mark.parametrize("family", ["dragonfly", "slim-fly", "switch-pair"])
def test_the_default_routing_without_a_tree_is_minimal(family: str) -> None:
    found, refused = transports(_direct(family))
    assert [transport.routing.name for transport in found] == ["minimal"]
    assert not refused
    congestion = congestion_of(found[0], 0)
    assert (congestion.routing, congestion.pattern) == ("minimal", "all-to-all")
    assert 0 < congestion.effective_bisection <= 1
    assert congestion.max_link_load >= 1 - 1e-12


def test_a_routing_asked_for_that_cannot_be_used_is_an_error() -> None:
    fabric = _direct("slim-fly")
    with pytest.raises(NotSupportedError, match="D-mod-k routes trees"):
        transports(fabric, stated={"compute": Stated(name="d-mod-k")})


def test_a_rank_with_one_of_two_planes_left_takes_the_other() -> None:
    """Two ports a GPU in two planes: with one leaf down its hosts send all by the other port, at half the speed."""
    kind = {"name": "h", "gpus": 1, "nics": [{"role": "compute", "count": 1, "ports_each": 2, "speed": "200G"}]}
    switch = {"name": "sw", "ports": 64, "speed": "200G", "latency": "0 ns"}
    parts = PLANES | {"leaf": {"type": switch, "up": 4}, "spine": {"type": switch, "count": 4}}
    fabric = fabrics.fabric_of({"name": "host", "type": kind, "count": 8}, speed="200G", **parts)
    ring = Job(0, "all-reduce", "ring", (2.0**30,), RankOrder())
    whole = next(iter(Transport(fabric, 0).run(ring)))
    leaf = fabric.names[int(np.flatnonzero(fabric.devices.tier == 1)[0])]
    hurt = Transport(fabric, 0, faults_by_name(fabric, devices=[leaf]))
    halved = next(iter(hurt.run(ring)))
    assert all(isinstance(carrier, Lane) for carrier in Transport(fabric, 0).carriers("rounds"))
    assert halved.time_s - halved.latency_s == pytest.approx(2 * (whole.time_s - whole.latency_s), rel=1e-12)
    assert congestion_of(hurt, 0).effective_bisection > 0


def test_ranks_on_a_host_that_is_down_take_part_in_nothing() -> None:
    fabric = TREES["rails"]
    faults = faults_by_name(fabric, devices=["host-02"])
    transport = Transport(fabric, 0, faults)
    result = next(iter(transport.run(Job(0, "all-reduce", "ring", (1e6,), RankOrder()))))
    assert (result.ranks, result.time_s is not None) == (12, True)
    only = RankOrder.model_validate({"list": [4, 5, 6]})
    none = next(iter(transport.run(Job(0, "all-reduce", "ring", (1e6,), only))))
    assert (none.ranks, none.time_s, none.limited_by) == (0, None, "all hosts of its ranks are down")


def test_a_leaf_that_is_down_leaves_its_ranks_without_a_way() -> None:
    fabric = TREES["two levels"]
    transport = Transport(fabric, 0, faults_by_name(fabric, devices=["leaf-02"]))
    result = next(iter(transport.run(Job(0, "all-reduce", "ring", (1e6,), RankOrder()))))
    assert (result.time_s, result.limited_by) == (
        None,
        "GPU 3 cannot reach GPU 4 in this network",
    )
    assert congestion_of(transport, 0).pattern == "all-to-all within what is still joined"


def test_shifts_too_many_to_follow_are_told_from_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """FT16 under S-mod-k: every 4th of 15 shifts, all with load 1 on a full tree, tells the same as all of them."""
    transport = Transport(TREES["two levels"], 0, stated=Stated(name="s-mod-k"))
    job = Job(0, "all-to-all", "pairwise", (1e9,), RankOrder())
    (exact,) = transport.run(job)
    assert transport.assumptions([exact]) == []
    monkeypatch.setattr("fabrictool.collectives.carriers.MOST_SHIFTED", 64)
    (sampled,) = transport.run(job)
    assert sampled.time_s - sampled.latency_s == pytest.approx(exact.time_s - exact.latency_s, rel=1e-12)
    assert sampled.latency_s == pytest.approx(15 * 2e-6, rel=1e-12)  # the shifts 3, 7 and 11 all leave their leaves
    assert transport.assumptions([sampled])[0].value == "1 shift in 4 followed, the others alike"


def test_routings_that_can_deadlock_are_an_error() -> None:
    """Reference 2.3: min-hop on a ring of four switches waits in a circle, up-down does not."""
    rows = ["a_device,a_kind,a_port,z_device,z_kind,z_port,speed,latency,network"]
    rows += [f"h{i},host,1,s{i},leaf,1,100G,0,net" for i in range(4)]
    rows += [f"s{i},leaf,3,s{(i + 1) % 4},leaf,2,100G,0,net" for i in range(4)]
    fabric = edges_csv.read("ring.csv", "\n".join(rows) + "\n").fabric
    for name, loops in (("min-hop", 1), ("up-down", 0)):
        found = congestion_of(Transport(fabric, 0, stated=Stated(name=name)), 0)
        assert found.credit_loops == loops
        assert [finding.id for finding in found.findings("net")] == ["credit-loop"] * loops
    assert congestion_of(Transport(TREES["rails"], 0), 0).credit_loops == 0
