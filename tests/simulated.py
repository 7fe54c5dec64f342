"""Simulated cases: fabrics, faults, ranks and algorithms as the file states them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from fabrictool.collectives.transport import Transport
from fabrictool.collectives.volumes import StatedVolumes
from fabrictool.collectives.workloads import Job
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import Faults, faults_by_name
from fabrictool.fabric.grouping import I8
from fabrictool.fabric.tables import I4
from fabrictool.generators.building import build
from fabrictool.layout.network import Routing as Stated
from fabrictool.layout.reading import layout_from_tree
from fabrictool.layout.workload import RankOrder
from fabrictool.routing.flows import Flows, Routing, Usage, all_pairs
from fabrictool.routing.wiring import Wiring

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
    "alltoallv_shift": ("all-to-all-v", "pairwise"),
    "alltoallv_once": ("all-to-all-v", "direct"),
    "double_binary_tree": ("all-reduce", "double-binary-tree"),
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


@dataclass(frozen=True)
class RandomSpines(Routing):
    """Up to the spine that a generator draws for each pair, as the file's ``ecmp_random``: channels by pair, a CSR."""

    name: str
    wiring: Wiring
    first: I8
    channel: I4

    def usage(self, flows: Flows) -> Usage:
        pair = flows.source.astype(np.int64) * self.wiring.hosts + flows.target
        count = np.diff(self.first)[pair]
        first = np.concatenate(([0], np.cumsum(count)))
        place = np.repeat(self.first[pair] - first[:-1], count) + np.arange(first[-1])
        return Usage(first, self.channel[place], np.ones(len(place)), count.astype(np.int32))


def _random_spines(transport: Transport, case: dict[str, Any]) -> RandomSpines:
    """Return random routes, put together from the channels of those that D-mod-k takes."""
    spines, each = case["spines"], case["hosts_per_leaf"]
    known = all_pairs(case["hosts"])
    used = transport.routing.usage(known)
    paths = [used.channel[a:z].tolist() for a, z in pairwise(used.first.tolist())]
    ends = list(zip(known.source.tolist(), known.target.tolist(), strict=True))
    over = {(s // each, d // each, d % spines): path[1:3] for (s, d), path in zip(ends, paths, strict=True) if path[2:]}
    found: list[list[int]] = [[] for _ in range(case["hosts"] ** 2)]
    for (s, d), path in zip(ends, paths, strict=True):
        spine = random.Random(case["seed"] * 1000003 + s * 65536 + d).randrange(spines)
        inside = over[s // each, d // each, spine] if len(path) > 2 else []
        found[s * case["hosts"] + d] = [path[0], *inside, path[-1]]
    first = np.concatenate(([0], np.cumsum([len(path) for path in found], dtype=np.int64)))
    return RandomSpines("ecmp_random", transport.wiring, first, np.array([*chain(*found)], np.int32))


ROUTINGS = {"dmodk": "d-mod-k", "smodk": "s-mod-k", "ecmp_random": "d-mod-k"}


def transport_of_case(case: dict[str, Any]) -> Transport:
    """Return a case's network, ready to run its jobs."""
    stated = case["fabric"]
    fabric, routing = fabric_of_case(stated), stated.get("routing", "dmodk")
    transport = Transport(fabric, 0, faults_of_case(fabric, stated), Stated(name=ROUTINGS[routing]))
    if routing == "ecmp_random":
        transport.routing, transport.lanes = _random_spines(transport, stated), []
    return transport


def jobs_of_case(case: dict[str, Any], model: str) -> list[Job]:
    """Return a case's jobs, which run at the same time."""
    return [_job(case, at, spec, model) for at, spec in enumerate(case["jobs"])]


def _job(case: dict[str, Any], at: int, spec: dict[str, Any], model: str) -> Job:
    collective, algorithm = ALGORITHMS[spec["alg"]]
    pairs = tuple((rank, to) for rank, to in enumerate(spec.get("perm", ())) if rank != to)
    volumes = None
    if collective == "all-to-all-v":
        count = len(spec["hosts"]) if "hosts" in spec else spec["placement"]["ranks"]
        source, target = np.divmod(np.arange(count * count, dtype=np.int32), count)
        nbytes = spec["size_bytes"] / count * (1 + (7 * source + 3 * target) % 5) / 3
        volumes = StatedVolumes("as stated", source, source, target, nbytes)
    return Job(
        at, collective, algorithm, (spec["size_bytes"],), ranks_of_case(spec), model, pairs, ("scenario", "jobs", at),
        chunks=spec.get("chunks"), volumes=volumes,
    )  # fmt: skip


def ranks_of_case(spec: dict[str, Any]) -> RankOrder:
    """Return the hosts of a job, listed or by a rule."""
    if "hosts" in spec:
        return RankOrder(**{"list": spec["hosts"]})
    placement = spec["placement"]
    order = {"order": placement["kind"], "count": placement["ranks"], "offset": placement.get("offset", 0)}
    return RankOrder(**order, step=placement.get("step", 1))
