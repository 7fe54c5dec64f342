"""Time and memory of the main steps at 1,024, 16,384 and 131,072 GPUs, compile time apart.

Run as ``python benchmarks/scale.py``. Each size runs in a process of its own, so that peak memory is
that size's; each figure is the median of several runs, the first of which warms up.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

import numpy as np
from timing import median_s

SHAPES = {
    1_024: {"m": [16, 8, 8], "w": [1, 16, 8], "p": [1, 1, 1]},
    16_384: {"m": [32, 32, 16], "w": [1, 32, 32], "p": [1, 1, 1]},
    131_072: {"m": [32, 64, 64], "w": [1, 32, 64], "p": [1, 1, 1]},
}
PORTS = {1_024: (32, 16, 8), 16_384: (64, 64, 16), 131_072: (64, 128, 64)}


def _switch(ports: int) -> dict[str, object]:
    return {"name": f"sw{ports}", "ports": ports, "speed": "400G", "latency": "0 ns"}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(gpus: int) -> dict[str, float]:
    """Return the figures of one size: times in s, memory in MB."""
    from fabrictool.collectives.transport import Transport
    from fabrictool.collectives.workloads import Job, rank_list
    from fabrictool.evaluation import evaluate
    from fabrictool.generators.building import build
    from fabrictool.kernels import flows
    from fabrictool.layout.reading import layout_from_tree
    from fabrictool.layout.workload import RankOrder

    network = {
        "family": "fat-tree",
        "speed": "400G",
        "pgft": SHAPES[gpus],
        **{kind: {"type": _switch(ports)} for kind, ports in zip(("leaf", "spine", "core"), PORTS[gpus], strict=True)},
        "link": {"latency": "500 ns"},
    }
    host = {"name": "h1", "gpus": 1, "nics": 1, "speed": "400G"}
    layout = layout_from_tree(
        {"name": "scale", "hosts": {"type": host, "count": gpus}, "networks": {"compute": network}}
    )
    found: dict[str, float] = {"before [MB]": _peak_mb()}
    found["build [s]"] = median_s(lambda: build(layout))
    fabric = build(layout)
    tables = (fabric.devices, fabric.ports, fabric.links, fabric.gpus, fabric.gpu_ports)
    found["links"] = len(fabric.links)
    found["tables [MB]"] = sum(c.nbytes for table in tables for c in table.columns().values()) / 1e6
    found["after build [MB]"] = _peak_mb()
    found["to igraph [s]"] = median_s(fabric.to_igraph, 3)
    found["route [s]"] = median_s(lambda: Transport(fabric, 0))
    transport = Transport(fabric, 0)
    found["all-to-all loads [s]"] = median_s(transport.all_to_all_loads)
    started = time.perf_counter()
    for kernel in (flows.round_cost, flows.bottleneck_rates, flows.add_loads):
        _ = kernel.compiled
    ranks = rank_list(RankOrder(order="random", seed=1), gpus)
    transport.effective_bisection(2, 0)
    job = Job(0, "all-reduce", "ring", (2.0**30,), RankOrder(order="random", seed=1))
    list(transport.run(job))
    found["load or compile kernels, first use [s]"] = time.perf_counter() - started
    found["20 random bisections [s]"] = median_s(lambda: transport.effective_bisection(20, 0), 3)
    found["random ring [s]"] = median_s(lambda: list(transport.run(job)), 3)
    assert len(np.unique(ranks)) == gpus
    found["score [s]"] = median_s(lambda: evaluate(layout), 3)
    found["peak [MB]"] = _peak_mb()
    return found


def main() -> None:
    """Print one row a figure, one column a size."""
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
        return
    columns = {}
    for gpus in SHAPES:
        run = subprocess.run([sys.executable, __file__, str(gpus)], capture_output=True, text=True, check=True)
        columns[gpus] = json.loads(run.stdout)
    print(f"{'':<42}" + "".join(f"{f'{gpus:,} GPUs':>16}" for gpus in columns))
    for title in columns[1_024]:
        print(f"{title:<42}" + "".join(f"{column[title]:>16.4g}" for column in columns.values()))


if __name__ == "__main__":
    main()
