"""Simulated cases: fabrics, faults, ranks and algorithms as the file states them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import Faults, faults_by_name
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree
from fabrictool.layout.workload import RankOrder

CASES = yaml.load(
    (Path(__file__).parent / "data" / "collective-cases.yaml").read_text(),
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
    "incast": ("incast", "direct"),
}
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


def fabric_of_case(fabric: dict[str, Any]) -> Fabric:
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


def faults_of_case(fabric: Fabric, case: dict[str, Any]) -> Faults:
    """Cables of a leaf to a spine that are down or slow: the leaf's uplinks follow its hosts' ports."""
    first = case.get("hosts_per_leaf", 0) + 1
    down = [f"leaf-{leaf + 1:02d}:{first + spine}" for leaf, spine in case.get("failed", ())]
    slow = {f"leaf-{leaf + 1:02d}:{first + spine}": share for leaf, spine, share in case.get("slow", ())}
    return faults_by_name(fabric, links=down, slow=slow)


def ranks_of_case(spec: dict[str, Any]) -> RankOrder:
    """Return the hosts of a job, listed or by a rule."""
    if "hosts" in spec:
        return RankOrder(**{"list": spec["hosts"]})
    placement = spec["placement"]
    order = {"order": placement["kind"], "count": placement["ranks"], "offset": placement.get("offset", 0)}
    return RankOrder(**order, step=placement.get("step", 1))
