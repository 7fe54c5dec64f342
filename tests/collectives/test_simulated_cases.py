"""Our times against simulated ones: SimGrid 3.32, flow model CM02, one barrier after each round.

``tests/data/collective-cases.yaml`` states fabrics, algorithms, times and tolerances in its head.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from simulated import ALGORITHMS, CASES, fabric_of_case, faults_of_case, ranks_of_case

from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import Job, rank_list
from fabrictool.layout.network import Routing as Stated
from fabrictool.layout.workload import RankOrder

ROUTINGS = {"dmodk": "d-mod-k", "smodk": "s-mod-k"}


def _covered(case: dict[str, Any]) -> bool:
    fabric = case["fabric"]
    return (
        case["class"] == "exact"
        and len(case["jobs"]) == 1
        and case["jobs"][0]["alg"] in ALGORITHMS
        and fabric.get("routing", "dmodk") in ROUTINGS
    )


CHOSEN = [case for case in CASES if _covered(case)]


@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case["id"])
def test_agrees_with_the_simulator(case: dict[str, Any]) -> None:
    fabric = fabric_of_case(case["fabric"])
    stated = Stated(name=ROUTINGS[case["fabric"].get("routing", "dmodk")])
    transport = Transport(fabric, 0, faults_of_case(fabric, case["fabric"]), stated)
    spec = case["jobs"][0]
    collective, algorithm = ALGORITHMS[spec["alg"]]
    pairs = tuple((rank, to) for rank, to in enumerate(spec.get("perm", ())) if rank != to)
    job = Job(0, collective, algorithm, (spec["size_bytes"],), ranks_of_case(spec), pairs=pairs)
    result = next(iter(transport.run(job)))
    expected = case["bottleneck_s"][0]
    assert result.time_s == pytest.approx(expected, rel=case["rtol"])
    if spec["size_bytes"] / result.ranks >= 50:  # below, the simulator rounds the transfer itself to 0
        assert result.time_s == pytest.approx(case["time_s"][0], rel=case["rtol"])
        if "busbw_GBps" in case:
            assert result.busbw_bytes_per_s / 1e9 == pytest.approx(case["busbw_GBps"], rel=2e-5)
    assert result.time_s >= result.bound_s * (1 - 1e-12)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case["collective"] == "incast"], ids=lambda case: case["id"]
)
def test_incast_takes_its_bottleneck(case: dict[str, Any]) -> None:
    """63 ranks send to the first: its link is the limit; the simulator's start-ups differ by one latency."""
    spec = case["jobs"][0]
    job = Job(0, "incast", None, (spec["size_bytes"],), ranks_of_case(spec))
    result = next(iter(Transport(fabric_of_case(case["fabric"]), 0).run(job)))
    assert result.time_s == pytest.approx(case["bottleneck_s"][0], rel=1e-9)
    assert result.bound_s == pytest.approx(63 * spec["size_bytes"] / 50e9)


def test_covers_what_the_file_holds() -> None:
    """The cases of the algorithms, fabrics and routing that stand today: none is left out silently."""
    assert sum(bool(case["fabric"].get("failed") or case["fabric"].get("slow")) for case in CHOSEN) == 12
    assert len(CHOSEN) >= 86
    by_algorithm = {
        name: sum(case["jobs"][0]["alg"] == name for case in CHOSEN) for name in ALGORITHMS if name != "incast"
    }
    assert min(by_algorithm.values()) > 0


def test_linear_ranks_are_the_gpus_in_order() -> None:
    assert rank_list(RankOrder(), 8).tolist() == list(range(8))
    assert rank_list(RankOrder(order="stride", step=3, count=3, offset=1), 10).tolist() == [1, 4, 7]
    assert np.array_equal(np.sort(rank_list(RankOrder(order="random", seed=3), 100)), np.arange(100))
