"""Time of curves over message size, of choosing algorithms, and of very large jobs, compile time apart.

Run as ``python benchmarks/curves.py``. Each figure is the median of several runs on a built and routed fabric.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from scale import PORTS, SHAPES
from timing import median_s

if TYPE_CHECKING:
    from fabrictool.collectives.transport import Transport
    from fabrictool.collectives.workloads import Job

#: 20 sizes, 8 B to 16 GiB.
SIZES = tuple(2.0 ** np.linspace(3, 34, 20).round())


def _tree(gpus: int) -> Transport:
    """A fat-tree with one GPU a host."""
    host = {"name": "h1", "gpus": 1, "nics": 1, "speed": "400G"}
    kinds = {
        kind: {"type": {"name": f"sw{ports}", "ports": ports, "speed": "400G", "latency": "0 ns"}}
        for kind, ports in zip(("leaf", "spine", "core"), PORTS[gpus], strict=True)
    }
    return _routed(host, gpus, {"family": "fat-tree", "speed": "400G", "pgft": SHAPES[gpus], **kinds})


def _rails(gpus: int) -> Transport:
    """Rails of 8 GPUs a host on leaves of 64 hosts."""
    host = {"name": "h8", "gpus": 8, "nics": 8, "speed": "400G"}
    host["scale_up"] = {"domain": 8, "speed": "3.6T", "latency": "500 ns"}
    units = gpus // 8 // 64
    switch = {"name": "sw", "ports": max(128, 8 * units), "speed": "400G", "latency": "0 ns"}
    network = {
        "family": "rail-optimized", "speed": "400G", "rails": 8, "scalable_unit": {"hosts": 64},
        "leaf": {"type": switch, "down": 64, "up": 64}, "spine": {"type": switch, "count": 64},
    }  # fmt: skip
    return _routed(host, gpus // 8, network)


def _routed(host: dict[str, object], hosts: int, network: dict[str, object]) -> Transport:
    from fabrictool.collectives.transport import Transport
    from fabrictool.generators.building import build
    from fabrictool.layout.reading import layout_from_tree

    tree = {"name": "curves", "hosts": {"type": host, "count": hosts}}
    tree["networks"] = {"compute": network | {"link": {"latency": "500 ns"}}}
    return Transport(build(layout_from_tree(tree)), 0)


def _anew(network: Transport, job: Job) -> None:
    """Run a job on a routed network that remembers nothing of earlier ones."""
    from fabrictool.collectives.runs import run_jobs

    network._floors.clear()
    run_jobs(network, [job])


def main() -> None:
    """Print one line a figure."""
    from fabrictool.collectives.workloads import Job
    from fabrictool.kernels import flows
    from fabrictool.layout.workload import RankOrder

    _ = flows.round_cost.compiled
    asked = [
        (16_384, "all-reduce", "ring", SIZES),
        (16_384, "all-reduce", "hierarchical", SIZES),
        (16_384, "all-to-all", "pairwise", SIZES),
        (16_384, "all-reduce", "auto", SIZES),
        (16_384, "all-to-all", "auto", SIZES),
        (131_072, "all-reduce", "ring", (2.0**30,)),
        (131_072, "all-reduce", "hierarchical", (2.0**30,)),
    ]
    for gpus in (16_384, 131_072):
        for title, network in (("tree", _tree(gpus)), ("rails", _rails(gpus))):
            for size, collective, algorithm, sizes in asked:
                if size != gpus:
                    continue
                job = Job(0, collective, algorithm, sizes, RankOrder())
                took_s = median_s(lambda job=job, network=network: _anew(network, job), 3)
                cpu_s = time.process_time()
                _anew(network, job)
                cpu_s = time.process_time() - cpu_s
                what = f"{gpus:>8,} GPUs  {title:<6}{collective} {algorithm:<14}{len(sizes):>3} sizes"
                print(f"{what} {took_s * 1e3:9.1f} ms, {cpu_s * 1e3:9.1f} ms of processor")


if __name__ == "__main__":
    main()
