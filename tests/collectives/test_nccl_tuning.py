"""The tuning model against figures that were evaluated independently from the library's equations."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from fabrictool.collectives.nccl.bandwidth import bandwidth
from fabrictool.collectives.nccl.choice import COLLECTIVES, choose, combinations, times_s
from fabrictool.collectives.nccl.latency import latency_s
from fabrictool.collectives.nccl.system import Graph, System
from fabrictool.collectives.nccl.tables import tuning

GOLDEN = Path(__file__).parent.parent / "data" / "nccl-all-reduce.csv"
GB = 1e9
TOLERANCE = 1e-6


def _system(gpu: str, hosts: int, channels: int, gbytes: float, cpu: str = "intel") -> System:
    graph = Graph(channels, gbytes * GB, gbytes * GB)
    return System(gpu, cpu, 8 * hosts, hosts, graph, graph)


SYSTEMS = {
    "H100 1x8": _system("hopper", 1, 16, 20),
    "H100 2x8": _system("hopper", 2, 8, 48),
    "H100 8x8": _system("hopper", 8, 8, 48),
    "H100 64x8": _system("hopper", 64, 8, 48),
    "A100 8x8": _system("ampere", 8, 8, 24, "amd"),
    "B200 8x8": _system("blackwell", 8, 8, 48),
    "V100 4x8": _system("volta", 4, 2, 10),
}


def _golden() -> dict[str, list[dict[str, str]]]:
    lines = [line for line in GOLDEN.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    found: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader(lines):
        found.setdefault(row.pop("system"), []).append(row)
    return found


ROWS = _golden()


def test_every_system_of_the_table_is_tested() -> None:
    assert set(ROWS) == set(SYSTEMS)
    assert sum(len(rows) for rows in ROWS.values()) == 7 * 11


@pytest.mark.parametrize("name", SYSTEMS)
def test_bandwidth_and_latency(name: str) -> None:
    system, tables = SYSTEMS[name], tuning()
    rates, waits = ROWS[name][0], ROWS[name][1]
    assert (rates["row"], waits["row"]) == ("bw GB/s", "lat us")
    for combination in list(rates)[1:-1]:
        algorithm, protocol = combination.split("/")
        if rates[combination] != "-":
            rate = bandwidth(system, tables, "all-reduce", algorithm, protocol) / GB
            assert rate == pytest.approx(float(rates[combination]), rel=TOLERANCE, abs=1e-9)
        if waits[combination] != "-":
            wait = latency_s(system, tables, "all-reduce", algorithm, protocol) * 1e6
            assert wait == pytest.approx(float(waits[combination]), rel=TOLERANCE)


@pytest.mark.parametrize("name", SYSTEMS)
def test_times_and_choices(name: str) -> None:
    system, rows = SYSTEMS[name], ROWS[name][2:]
    sizes = [int(row["row"]) for row in rows]
    among = combinations(system, "all-reduce")
    assert {str(one) for one in among} == {key for key in list(rows[0])[1:-1] if rows[0][key] != "-"}
    times = times_s(system, "all-reduce", among, sizes) * 1e6
    for one, row in zip(among, times, strict=True):
        assert row == pytest.approx([float(golden[str(one)]) for golden in rows], rel=TOLERANCE)
    chosen = choose(system, "all-reduce", sizes)
    assert [str(one) for one in chosen.combination] == [row["chosen"] for row in rows]
    assert chosen.time_s * 1e6 == pytest.approx(times.min(axis=0))


@pytest.mark.parametrize(
    "collective, protocol, gbytes, wait_us, times_us",
    [
        ("all-gather", "ll", 20.723810, 81.5, (84.662353, 132.097647, 51893.490588)),
        ("all-gather", "ll128", 298.260317, 148.4, (148.619728, 151.915640, 3748.415695)),
        ("all-gather", "simple", 390.095238, 296.8, (296.968000, 299.488000, 3049.312000)),
        ("reduce-scatter", "ll", 20.723810, 81.5, (84.662353, 132.097647, 51893.490588)),
        ("reduce-scatter", "ll128", 298.260317, 148.4, (148.619728, 151.915640, 3748.415695)),
        ("reduce-scatter", "simple", 390.095238, 296.8, (296.968000, 299.488000, 3049.312000)),
        ("broadcast", "ll", 20.400000, 9.3, (12.512549, 60.700784, 52643.703137)),
        ("broadcast", "ll128", 293.600000, 18, (18.223215, 21.571444, 3675.158801)),
        ("broadcast", "simple", 384.000000, 22.4, (22.570667, 25.130667, 2818.602667)),
    ],
)
def test_rings_of_other_collectives(
    collective: str, protocol: str, gbytes: float, wait_us: float, times_us: tuple[float, ...]
) -> None:
    system = SYSTEMS["H100 8x8"]
    (one,) = (c for c in combinations(system, collective) if (c.algorithm, c.protocol) == ("ring", protocol))
    assert one.bandwidth_bytes_per_s / GB == pytest.approx(gbytes, rel=TOLERANCE)
    assert one.latency_s * 1e6 == pytest.approx(wait_us, rel=TOLERANCE)
    (times,) = times_s(system, collective, [one], [65536, 1048576, 1073741824]) * 1e6
    assert times == pytest.approx(times_us, rel=TOLERANCE)


def test_pat_where_hosts_have_one_gpu() -> None:
    system = System("hopper", "intel", 64, 64, Graph(2, 48 * GB, 48 * GB))
    (pat,) = (one for one in combinations(system, "all-gather") if one.algorithm == "pat")
    assert (pat.bandwidth_bytes_per_s / GB, pat.latency_s * 1e6) == pytest.approx((72.0, 211.2), rel=TOLERANCE)
    chosen = choose(system, "all-gather", 2**30, algorithm="pat")
    assert chosen.time_s[0] * 1e6 == pytest.approx(15124.28088888889, rel=TOLERANCE)


def test_nvls_in_one_host() -> None:
    graph = Graph(16, 40 * GB, 40 * GB)
    system = System("hopper", "intel", 8, 1, graph, graph)
    chosen = choose(system, "all-reduce", 2**30)
    (nvls,) = set(chosen.combination)
    assert (str(nvls), nvls.latency_s) == ("nvls/simple", pytest.approx(25e-6))
    assert nvls.bandwidth_bytes_per_s / GB == pytest.approx(365.71428571428567, rel=TOLERANCE)
    assert chosen.time_s[0] * 1e6 == pytest.approx(2961.0128, rel=TOLERANCE)


def test_amd_hosts_post_more_slowly() -> None:
    """max(3.4, 3 x 2.0) us for each of the 112 steps inside hosts: 8.4 + 112 x 6 + 14 x 14 us."""
    system = System("hopper", "amd", 64, 8, Graph(8, 48 * GB, 48 * GB))
    assert latency_s(system, tuning(), "all-reduce", "ring", "simple") * 1e6 == pytest.approx(876.4)


def _without(combination: str, **changed: object) -> bool:
    graph = Graph(8, 48 * GB, 48 * GB)
    known: dict[str, object] = {"gpu": "hopper", "cpu": "intel", "ranks": 64, "hosts": 8, "graph": graph, "nvls": graph}
    system = System(**(known | changed))  # type: ignore[arg-type]
    return combination not in {str(one) for one in combinations(system, "all-reduce")}


def test_what_a_combination_needs() -> None:
    assert not _without("ring/ll128")
    assert _without("ring/ll128", nvlink=False)
    assert _without("ring/ll128", near_nics=False)
    assert _without("ring/ll128", gpu="ampere", equal_gpus=False)
    assert not _without("ring/ll128", equal_gpus=False)
    assert _without("nvls-tree/simple", nvls=None)
    assert _without("nvls-tree/simple", hosts=1)
    assert _without("nvls-tree/simple", nvls=Graph(1, 48 * GB, 48 * GB))
    assert _without("nvls/simple")
    assert not _without("nvls/simple", collnet=True)
    assert not _without("collnet-direct/simple", collnet=True)
    assert _without("collnet-direct/simple", collnet=True, nvls=None)


def test_collnet_by_hand() -> None:
    """8 x 48 / (1 - 0) x 0.85 / 2 GB/s; 2 (3.7 + 0.4 x 7) + 31 us, and 384 / 2 GB/s; 2 x 7 x 2.8 + 30 us."""
    graph = Graph(8, 48 * GB, 48 * GB)
    system = System("hopper", "intel", 64, 8, graph, graph, collnet=True)
    found = {str(one): one for one in combinations(system, "all-reduce")}
    direct, chain = found["collnet-direct/simple"], found["collnet-chain/simple"]
    assert (direct.bandwidth_bytes_per_s / GB, direct.latency_s * 1e6) == pytest.approx((163.2, 44.0))
    assert (chain.bandwidth_bytes_per_s / GB, chain.latency_s * 1e6) == pytest.approx((192.0, 69.2))


@pytest.mark.parametrize("collective", COLLECTIVES)
def test_a_curve_is_one_call(collective: str) -> None:
    sizes = 2.0 ** np.arange(3, 35)
    curve = choose(SYSTEMS["H100 64x8"], collective, sizes)
    points = [choose(SYSTEMS["H100 64x8"], collective, size) for size in sizes]
    assert list(curve.combination) == [point.combination[0] for point in points]
    assert curve.time_s.tolist() == [point.time_s[0] for point in points]


def test_what_is_asked_for_is_honoured() -> None:
    system = SYSTEMS["H100 8x8"]
    chosen = choose(system, "all-reduce", [8, 2**30], algorithm="ring", protocol="simple")
    assert [str(one) for one in chosen.combination] == ["ring/simple"] * 2
    assert chosen.time_s * 1e6 == pytest.approx([585.200041, 6324.304000], rel=TOLERANCE)
    with pytest.raises(LookupError, match="pat is not available for all-reduce"):
        choose(system, "all-reduce", 8, algorithm="pat")


def test_sizes_below_the_corrected_ones() -> None:
    """Below 64 B nothing is corrected; at 64 B a tree under Simple has 0.9 of its bandwidth."""
    system = SYSTEMS["H100 8x8"]
    small, first = (
        choose(system, "all-reduce", size, algorithm="tree", protocol="simple").time_s[0] for size in (63, 64)
    )
    assert small == pytest.approx(148.4e-6 + 63 / 144e9)
    assert first == pytest.approx(148.4e-6 + 64 / 144e9 / 0.9)
