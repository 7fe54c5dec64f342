"""Collective times against published closed forms: alpha-beta, hierarchical, PXN, fabric bounds."""

from __future__ import annotations

from typing import Any

import fabrics
import numpy as np
import pytest

from fabrictool.collectives.schedules import bus_factor
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.fabric import Fabric
from fabrictool.layout.workload import RankOrder

GIB = 2.0**30
MICRO = {"latency": {"host": "1 us", "fabric": "0 ns"}}
_networks: dict[Any, Transport] = {}


def _one_switch(ranks: int) -> Transport:
    """N hosts on one ideal switch: 2 us and 50 GB/s between any two."""
    if ranks not in _networks:
        group = {"name": "host", "type": fabrics.host_type(), "count": ranks}
        leaf = {"type": {"name": "sw", "ports": 2048, "speed": "400G", "latency": "0 ns"}}
        fabric = fabrics.fabric_of(group, family="fat-tree", levels=1, leaf=leaf, link=MICRO)
        _networks[ranks] = Transport(fabric, 0)
    return _networks[ranks]


def _result(
    transport: Transport, collective: str, algorithm: str | None, nbytes: float, **more: Any
) -> CollectiveResult:
    return next(iter(transport.run(Job(0, collective, algorithm, (nbytes,), RankOrder(), **more))))


# Thakur, Rabenseifner, Gropp, IJHPCA 19(1), 2005, section 4; Bruck et al., TPDS 8(11), 1997: N, S, and times with
# a = 2 us, B = 50 GB/s of ring, Rabenseifner and recursive doubling all-reduce, pairwise and Bruck all-to-all and
# binomial broadcast
GOLDEN = [
    (8, 1024, 2.803584e-05, 1.203584e-05, 6.06144e-06, 1.401792e-05, 6.03072e-06, 6.06144e-06),
    (8, 2**20, 6.470016e-05, 4.870016e-05, 6.891456e-05, 3.235008e-05, 3.745728e-05, 6.891456e-05),
    (8, 2**30, 0.03760896384, 0.03759296384, 0.06443050944, 0.01880448192, 0.03221825472, 0.06443050944),
    (64, 1024, 0.00025204032, 2.404032e-05, 1.212288e-05, 0.00012602016, 1.206144e-05, 1.212288e-05),
    (64, 2**20, 0.00029328768, 6.528768e-05, 0.00013782912, 0.00014664384, 7.491456e-05, 0.00013782912),
    (64, 2**30, 0.04253058432, 0.04230258432, 0.1288610189, 0.02126529216, 0.06443650944, 0.1288610189),
    (256, 1024, 0.0010200408, 3.20408e-05, 1.616384e-05, 0.0005100204, 1.608192e-05, 1.616384e-05),
    (256, 2**20, 0.0010617792, 7.37792e-05, 0.00018377216, 0.0005308896, 9.988608e-05, 0.00018377216),
    (256, 2**30, 0.0438019008, 0.0428139008, 0.1718146918, 0.0219009504, 0.08591534592, 0.1718146918),
    (1024, 1024, 0.00409204092, 4.004092e-05, 2.02048e-05, 0.00204602046, 2.01024e-05, 2.02048e-05),
    (1024, 2**20, 0.00413390208, 8.190208e-05, 0.0002297152, 0.00206695104, 0.0001248576, 0.0002297152),
    (1024, 2**30, 0.04699972992, 0.04294772992, 0.2147683648, 0.02349986496, 0.1073941824, 0.2147683648),
]
SCHEDULES = [
    ("all-reduce", "ring"),
    ("all-reduce", "halving-doubling"),
    ("all-reduce", "recursive-doubling"),
    ("all-to-all", "pairwise"),
    ("all-to-all", "bruck"),
    ("broadcast", "binomial"),
]


@pytest.mark.parametrize("model", ["rounds", "alpha-beta"])
@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: f"{row[0]} ranks, {row[1]} B")
def test_alpha_beta_costs(row: tuple[float, ...], model: str) -> None:
    transport = _one_switch(int(row[0]))
    for (collective, algorithm), time_s in zip(SCHEDULES, row[2:], strict=True):
        assert _result(transport, collective, algorithm, row[1], model=model).time_s == pytest.approx(time_s, rel=2e-9)


@pytest.mark.parametrize("ranks", [2, 3, 5, 7, 12, 100])
def test_costs_of_any_number_of_ranks(ranks: int) -> None:
    """ring: 2 (N - 1)(a + S/N/B); pairwise: (N - 1)(a + S/N/B); binomial: ceil(log2 N)(a + S/B)."""
    transport, step_s = _one_switch(ranks), 2e-6 + GIB / ranks / 50e9
    assert _result(transport, "all-reduce", "ring", GIB).time_s == pytest.approx(2 * (ranks - 1) * step_s)
    assert _result(transport, "all-gather", "ring", GIB).time_s == pytest.approx((ranks - 1) * step_s)
    assert _result(transport, "reduce-scatter", "ring", GIB).time_s == pytest.approx((ranks - 1) * step_s)
    assert _result(transport, "all-to-all", "pairwise", GIB).time_s == pytest.approx((ranks - 1) * step_s)
    rounds = int(np.ceil(np.log2(ranks)))
    assert _result(transport, "broadcast", "binomial", GIB).time_s == pytest.approx(rounds * (2e-6 + GIB / 50e9))


A, B = 2e-6, 50e9


@pytest.mark.parametrize("nbytes", [1024.0, 2.0**20, GIB])
@pytest.mark.parametrize("ranks", [2, 3, 5, 6, 7, 8, 12, 100, 1000, 1024])
def test_costs_of_folding_and_of_blocks(ranks: int, nbytes: float) -> None:
    """Thakur et al., section 4, with 2 (a + S/B) for ranks beyond a power of two; Bruck et al.; van de Geijn."""
    whole, steps = 1 << (ranks.bit_length() - 1), int(np.ceil(np.log2(ranks)))
    down, most = whole.bit_length() - 1, (ranks - 1) / ranks * nbytes / B
    fold = 2 * (A + nbytes / B) if ranks > whole else 0.0
    wanted = {
        ("all-reduce", "halving-doubling"): 2 * down * A + 2 * (whole - 1) / whole * nbytes / B + fold,
        ("all-reduce", "recursive-doubling"): down * (A + nbytes / B) + fold,
        ("all-gather", "bruck"): steps * A + most,
        ("reduce-scatter", "bruck"): steps * A + most,
        ("broadcast", "ring"): (steps + ranks - 1) * A + 2 * most,
        ("reduce", "ring"): (steps + ranks - 1) * A + 2 * most,
        ("all-to-all", "pairwise-xor"): ((1 << steps) - 1) * (A + nbytes / ranks / B),
    }
    if ranks == whole:
        wanted["all-gather", "recursive-doubling"] = wanted["reduce-scatter", "halving-doubling"] = down * A + most
    for pair, time_s in wanted.items():
        assert _result(_one_switch(ranks), *pair, nbytes).time_s == pytest.approx(time_s, rel=1e-9), pair


def test_recursive_gathering_over_six_ranks() -> None:
    """Four go on with 2, 2, 1 and 1 blocks: 1/6 in, then 2/6 and 4/6 at most, and 5/6 out; a scatter backwards."""
    transport = _one_switch(6)
    gather = 4 * A + (1 + 2 + 4 + 5) / 6 * GIB / B
    assert _result(transport, "all-gather", "recursive-doubling", GIB).time_s == pytest.approx(gather)
    scatter = 4 * A + (6 + 4 + 2 + 1) / 6 * GIB / B
    assert _result(transport, "reduce-scatter", "halving-doubling", GIB).time_s == pytest.approx(scatter)


@pytest.mark.parametrize("chunks", [1, 4, 100])
@pytest.mark.parametrize("collective", ["broadcast", "reduce"])
def test_pipelined_chain(collective: str, chunks: int) -> None:
    """(N - 2 + C)(a + S/(C B)), Thakur et al.; the best C is sqrt((N - 2) S/(a B))."""
    time_s = (12 - 2 + chunks) * (A + GIB / chunks / B)
    assert _result(_one_switch(12), collective, "ring", GIB, chunks=chunks).time_s == pytest.approx(time_s)


@pytest.mark.parametrize(
    ("collective", "factors"),
    [
        ("all-reduce", (1.75, 1.96875, 1.9921875, 1.998046875)),
        ("reduce-scatter", (0.875, 0.984375, 0.99609375, 0.9990234375)),
        ("all-gather", (0.875, 0.984375, 0.99609375, 0.9990234375)),
        ("all-to-all", (0.875, 0.984375, 0.99609375, 0.9990234375)),
        ("broadcast", (1, 1, 1, 1)),
        ("reduce", (1, 1, 1, 1)),
    ],
)
def test_bus_factors(collective: str, factors: tuple[float, ...]) -> None:
    """NVIDIA nccl-tests, doc/PERFORMANCE.md, for 8, 64, 256 and 1,024 ranks."""
    assert tuple(bus_factor(collective, ranks) for ranks in (8, 64, 256, 1024)) == factors


def test_bandwidths_are_those_of_nccl_tests() -> None:
    result = _result(_one_switch(64), "all-reduce", "ring", GIB)
    assert result.algbw_bytes_per_s == pytest.approx(GIB / 0.04253058432)
    assert result.busbw_bytes_per_s == pytest.approx(GIB / 0.04253058432 * 1.96875)


def test_bound_of_all_to_all_at_two_to_one() -> None:
    """R (N - H)/N S/B with 16 hosts under a leaf: 0.040265318 s; the schedule takes 0.041949724 s."""
    fabric = fabrics.pgft((16, 16), (1, 8), (1, 1))
    result = _result(Transport(fabric, 0), "all-to-all", "pairwise", GIB)
    assert result.bound_s == pytest.approx(0.040265318, abs=1e-9)
    assert result.bound_s == pytest.approx(2 * 240 / 256 * GIB / 50e9, rel=1e-12)
    assert result.time_s == pytest.approx(0.04194972352, rel=1e-9)


@pytest.mark.parametrize(
    ("collective", "share"), [("all-reduce", 2 * 63 / 64), ("all-gather", 63 / 64), ("all-to-all", 63 / 64)]
)
def test_bounds_of_a_full_tree_are_those_of_the_hosts(collective: str, share: float) -> None:
    """Chan et al., CCPE 19, 2007: bytes that must leave a rank; all-reduce 2 (N - 1)/N S."""
    fabric = fabrics.pgft((8, 8), (1, 8), (1, 1))
    result = _result(Transport(fabric, 0), collective, None, GIB)
    assert result.bound_s == pytest.approx(share * GIB / 50e9, rel=1e-12)


def _dgx(hosts: int, unit: int, spines: int, scale_up: str = "3.6T", **more: Any) -> Fabric:
    """Hosts of 8 GPUs: 450 GB/s and 1 us between GPUs of a host, 50 GB/s and 500 ns a link outside."""
    kind = fabrics.host_type(8) | {"scale_up": {"domain": 8, "speed": scale_up, "latency": "500 ns"}}
    leaf, spine = {"type": fabrics.SWITCH, "up": spines}, {"type": fabrics.SWITCH, "count": spines}
    parts: dict[str, Any] = {"family": "rail-optimized", "rails": 8, "scalable_unit": {"hosts": unit}}
    parts |= {"leaf": leaf, "spine": spine} | more
    parts = {key: value for key, value in parts.items() if value is not None}
    group = {"name": "host", "type": kind, "count": hosts}
    return fabrics.fabric_of(group, **parts)


@pytest.mark.parametrize(
    ("hosts", "unit", "time_s", "busbw"),
    # 2 [(G - 1) a_n + (G - 1)/G S/B_n] + 2 (M - 1) a_r + 2 (M - 1)/M (S/G)/B_r
    [(8, 8, 0.008901283129, 237.486), (16, 8, 0.009282827449, 229.532), (32, 16, 0.009514599609, 224.822)],
)
def test_hierarchical_all_reduce(hosts: int, unit: int, time_s: float, busbw: float) -> None:
    result = _result(Transport(_dgx(hosts, unit, unit), 0), "all-reduce", None, GIB)
    assert result.algorithm == "hierarchical"
    assert result.time_s == pytest.approx(time_s, rel=1e-9)
    assert result.busbw_bytes_per_s == pytest.approx(busbw * 1e9, rel=1e-5)


RAIL_ONLY: dict[str, Any] = {
    "family": "rail-only",
    "leaf": {"type": fabrics.SWITCH},
    "spine": None,
    "scalable_unit": None,
}
G, M, A_N, A_R, B_N, B_R = 8, 8, 1e-6, 1e-6, 450e9, 50e9


def test_hierarchical_halves_of_an_all_reduce() -> None:
    transport = Transport(_dgx(8, 8, 8), 0)
    inside, between = (G - 1) * (A_N + GIB / G / B_N), (M - 1) * (A_R + GIB / G / M / B_R)
    for collective in ("reduce-scatter", "all-gather"):
        assert _result(transport, collective, "hierarchical", GIB).time_s == pytest.approx(inside + between)
    deal, steps = A_N + (G - 1) / G * GIB / B_N, 3 * (A_R + GIB / G / B_R)
    for collective in ("broadcast", "reduce"):
        assert _result(transport, collective, "hierarchical", GIB).time_s == pytest.approx(deal + steps + inside)
    stage, across = A_N + (G - 1) / G * GIB / B_N, (M - 1) * (A_R + GIB / M / G / B_R * G)
    assert _result(transport, "all-to-all", "hierarchical", GIB).time_s == pytest.approx(stage + across)


@pytest.mark.parametrize("chunks", [2, 16, 1000])
def test_pipelined_hierarchical_all_reduce(chunks: int) -> None:
    """The first chunk goes through all phases, then the link that carries most is busy with the others."""
    inside, between = 2 * (G - 1) / G * GIB / B_N, 2 * (M - 1) / M * GIB / G / B_R
    first = 2 * (G - 1) * A_N + 2 * (M - 1) * A_R + (inside + between) / chunks
    rest = A_N + (1 - 1 / chunks) * max(inside, between)
    result = _result(Transport(_dgx(8, 8, 8), 0), "all-reduce", "hierarchical", GIB, chunks=chunks)
    assert result.time_s == pytest.approx(first + rest, rel=1e-9)
    assert result.time_s >= result.bound_s


@pytest.mark.parametrize("chunks", [2, 16, 1000])
def test_pipelined_all_to_all_over_rails(chunks: int) -> None:
    """max((N - G)/N S/B_r, M (G - 1) S/(N B_n)) once chunks are many, and before it all of the first chunk."""
    transport = Transport(_dgx(8, 8, 8), 0)
    across, inside = (G * M - G) / (G * M) * GIB / B_R, (G - 1) / G * GIB / B_N
    for algorithm, rounds in (("pxn", M), ("hierarchical", 1)):
        first = rounds * A_N + (M - 1) * A_R + (inside + across) / chunks
        found = _result(transport, "all-to-all", algorithm, GIB, chunks=chunks)
        assert found.time_s == pytest.approx(first + A_R + (1 - 1 / chunks) * max(inside, across), rel=1e-9)
        assert found.time_s >= found.bound_s


@pytest.mark.parametrize("missing", [63, 40, 3])
@pytest.mark.parametrize("joined", [True, False])
def test_a_host_without_one_of_its_gpus(missing: int, joined: bool) -> None:
    """Seven rails carry all: 7 x S/7 where there were 8 x S/8; the eighth GPU of whole hosts hands its part to others.

    It does not matter which is missing, nor whether anything joins the rails.
    """
    fabric = _dgx(8, 8, 8) if joined else _dgx(8, 8, 8, **RAIL_ONLY)
    ring = 6 * (A_N + GIB / 7 / B_N) + A_N + GIB / 8 / B_N
    hand = A_N + GIB / 8 / B_N  # part 8 of 8 lies in part 7 of 7
    between = 2 * (M - 1) * (A_R + GIB / 7 / M / B_R)
    order = RankOrder.model_validate({"list": [rank for rank in range(64) if rank != missing]})
    result = next(iter(Transport(fabric, 0).run(Job(0, "all-reduce", None, (GIB,), order))))
    assert result.algorithm == "hierarchical"
    assert result.time_s == pytest.approx(2 * ring + 2 * hand + between, rel=1e-9)


def test_ranks_in_any_order_find_their_domains() -> None:
    transport = Transport(_dgx(8, 8, 8), 0)
    linear = _result(transport, "all-reduce", "hierarchical", GIB).time_s
    for seed in range(3):
        order = RankOrder(order="random", seed=seed)
        result = next(iter(transport.run(Job(0, "all-reduce", "hierarchical", (GIB,), order))))
        assert result.time_s == pytest.approx(linear, rel=1e-12)


@pytest.mark.parametrize(
    ("hosts", "unit", "spines", "pxn", "direct"),
    [
        (16, 8, 8, 0.022266490524, 0.020294148658),
        (16, 8, 4, 0.031661731484, 0.039084630578),
        (32, 16, 16, 0.022985579164, 0.020931992569),
    ],
)
def test_all_to_all_over_rails(hosts: int, unit: int, spines: int, pxn: float, direct: float) -> None:
    """Simulated barrier schedules, SimGrid 3.32: forwarding to the target's rail, and to every GPU of host n + r."""
    transport = Transport(_dgx(hosts, unit, spines), 0)
    assert _result(transport, "all-to-all", "pxn", GIB).time_s == pytest.approx(pxn, rel=1e-6)
    assert _result(transport, "all-to-all", "node-shift", GIB).time_s == pytest.approx(direct, rel=1e-6)


@pytest.mark.parametrize("nbytes", [1e3, 1e9])
def test_point_to_point(nbytes: float) -> None:
    """One hop of 2 us and S/B for a full ring of neighbours; a reduce is a broadcast backwards."""
    transport = Transport(fabrics.pgft((4, 4), (1, 4), (1, 1)), 0)
    times = {
        name: next(iter(transport.run(Job(0, name, None, (nbytes,), RankOrder())))).time_s
        for name in ("send-recv", "broadcast", "reduce")
    }
    assert times["send-recv"] == pytest.approx(2e-6 + nbytes / 50e9)
    assert times["reduce"] == pytest.approx(times["broadcast"])
