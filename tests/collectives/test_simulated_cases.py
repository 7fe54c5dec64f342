"""Our times against simulated ones: SimGrid 3.32, flow model CM02, one barrier after each round.

``tests/data/collective-cases.yaml`` states fabrics, algorithms, times and tolerances in its head.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import Job, rank_list
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import Faults, faults_by_name
from fabrictool.generators.building import build
from fabrictool.layout.network import Routing as Stated
from fabrictool.layout.reading import layout_from_tree
from fabrictool.layout.workload import RankOrder

CASES = yaml.load(
    (Path(__file__).parent.parent / "data" / "collective-cases.yaml").read_text(),
    getattr(yaml, "CSafeLoader", yaml.SafeLoader),
)["cases"]
ALGORITHMS = {
    "ring_allreduce": ("all-reduce", "ring"),
    "ring_reduce_scatter": ("reduce-scatter", "ring"),
    "hd_allreduce": ("all-reduce", "halving-doubling"),
    "recursive_doubling_allreduce": ("all-reduce", "recursive-doubling"),
    "hier_allreduce": ("all-reduce", "hierarchical"),
    "alltoall_shift": ("all-to-all", "pairwise"),
    "alltoall_xor": ("all-to-all", "pairwise-xor"),
    "alltoall_once": ("all-to-all", "direct"),
    "alltoall_bruck": ("all-to-all", "bruck"),
    "alltoall_pxn": ("all-to-all", "pxn"),
    "alltoall_nodeshift": ("all-to-all", "node-shift"),
    "binomial_bcast": ("broadcast", "binomial"),
    "permutation": ("permutation", "direct"),
}
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
_fabrics: dict[str, Fabric] = {}


def _network(fabric: dict[str, Any]) -> dict[str, Any]:
    switch = {"name": "sw", "ports": 512, "speed": "400G", "latency": "0 ns"}
    host_s = fabric["lat"]
    latency = {"host": f"{host_s * 1e9} ns", "fabric": f"{fabric.get('lat_fabric', host_s) * 1e9} ns"}
    common = {"speed": "400G", "leaf": {"type": switch}, "link": {"latency": latency}}
    if fabric["kind"] == "ft2":
        shape = {"m": [fabric["hosts_per_leaf"], fabric["leaves"]], "w": [1, fabric["spines"]], "p": [1, 1]}
        return {"family": "fat-tree", "pgft": shape} | common
    if fabric["kind"] == "ft3":
        return {"family": "fat-tree", "k": fabric["k"]} | common
    if not fabric["spines"]:
        return {"family": "rail-only", "rails": 8} | common
    common["leaf"] |= {"up": fabric["spines"]}
    unit = {"hosts": fabric["nodes_per_group"]}
    spine = {"type": switch, "count": fabric["spines"]}
    return {"family": "rail-optimized", "rails": 8, "scalable_unit": unit, "spine": spine} | common


def _fabric(fabric: dict[str, Any]) -> Fabric:
    key = str(fabric)
    if key not in _fabrics:
        gpus = fabric.get("gpus_per_node", 1)
        host: dict[str, Any] = {"name": "h", "gpus": gpus, "nics": gpus, "speed": "400G"}
        if gpus > 1:
            speed, latency = f"{fabric['nvl_bw'] / 1e9} GB/s", f"{fabric['nvl_lat'] * 1e9} ns"
            host["scale_up"] = {"domain": gpus, "speed": speed, "latency": latency}
        hosts = {"type": host, "count": fabric["hosts"] // gpus}
        tree = {"name": "case", "hosts": hosts, "networks": {"compute": _network(fabric)}}
        _fabrics[key] = build(layout_from_tree(tree))
    return _fabrics[key]


def _faults(fabric: Fabric, case: dict[str, Any]) -> Faults:
    """Cables of a leaf to a spine that are down or slow: the leaf's uplinks follow its hosts' ports."""
    first = case.get("hosts_per_leaf", 0) + 1
    down = [f"leaf-{leaf + 1:02d}:{first + spine}" for leaf, spine in case.get("failed", ())]
    slow = {f"leaf-{leaf + 1:02d}:{first + spine}": share for leaf, spine, share in case.get("slow", ())}
    return faults_by_name(fabric, links=down, slow=slow)


def _ranks(spec: dict[str, Any]) -> RankOrder:
    placement = spec["placement"]
    if placement["kind"] == "random":
        return RankOrder(**{"list": spec["hosts"]})
    order = {"order": placement["kind"], "count": placement["ranks"], "offset": placement.get("offset", 0)}
    return RankOrder(**order, step=placement.get("step", 1))


@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case["id"])
def test_agrees_with_the_simulator(case: dict[str, Any]) -> None:
    fabric = _fabric(case["fabric"])
    stated = Stated(name=ROUTINGS[case["fabric"].get("routing", "dmodk")])
    transport = Transport(fabric, 0, _faults(fabric, case["fabric"]), stated)
    spec = case["jobs"][0]
    collective, algorithm = ALGORITHMS[spec["alg"]]
    pairs = tuple((rank, to) for rank, to in enumerate(spec.get("perm", ())) if rank != to)
    job = Job(0, collective, algorithm, (spec["size_bytes"],), _ranks(spec), pairs=pairs)
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
    job = Job(0, "incast", None, (spec["size_bytes"],), _ranks(spec))
    result = next(iter(Transport(_fabric(case["fabric"]), 0).run(job)))
    assert result.time_s == pytest.approx(case["bottleneck_s"][0], rel=1e-9)
    assert result.bound_s == pytest.approx(63 * spec["size_bytes"] / 50e9)


def test_covers_what_the_file_holds() -> None:
    """The cases of the algorithms, fabrics and routing that stand today: none is left out silently."""
    assert sum(bool(case["fabric"].get("failed") or case["fabric"].get("slow")) for case in CHOSEN) == 12
    assert len(CHOSEN) >= 86
    by_algorithm = {name: sum(case["jobs"][0]["alg"] == name for case in CHOSEN) for name in ALGORITHMS}
    assert min(by_algorithm.values()) > 0


def test_linear_ranks_are_the_gpus_in_order() -> None:
    assert rank_list(RankOrder(), 8).tolist() == list(range(8))
    assert rank_list(RankOrder(order="stride", step=3, count=3, offset=1), 10).tolist() == [1, 4, 7]
    assert np.array_equal(np.sort(rank_list(RankOrder(order="random", seed=3), 100)), np.arange(100))
