"""How far NCCL's own reckoning is from measured times; the figures stand in docs/models.md.

``tests/data/measured/multi-host.csv`` names the source of each point. Taken are healthy clusters with the library's
defaults, out of place; GPUs of one generation, as many adapters as GPUs at most (ports of one GPU count as one).
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from fabrictool.collectives.nccl.choice import COLLECTIVES, choose
from fabrictool.collectives.nccl.search import Machine, heads, rings, trees
from fabrictool.collectives.nccl.system import System
from fabrictool.collectives.nccl.tables import tuning

POINTS = Path(__file__).parents[1] / "data" / "measured" / "multi-host.csv"
NVLINK = {"volta": 150e9, "ampere": 300e9, "hopper": 450e9, "blackwell": 900e9}
RACK = 72
MIB = 2**20


def _system(row: dict[str, str]) -> System | None:
    """Return what NCCL sees of a cluster, None where its GPUs are of another kind."""
    tables = tuning()
    gpu = tables.generation.get(row["gpu"].split("-")[0].split(" ")[0])
    if gpu is None:
        return None
    ranks, hosts, nics = (int(row[key]) for key in ("ranks", "nodes", "nics_per_node"))
    if row["gpu"] == "GB200":
        ranks = ranks if row["cluster"].startswith("xla") else int(row["gpus_per_node"]) * hosts
        hosts, nics = -(-ranks // RACK), RACK
    gpus = ranks // hosts
    port = float(row["nic_Gbps"]) / 8 * 1e9 * max(1, nics // gpus)
    scale_up = NVLINK[gpu] * tables.nvlink_share[gpu]
    machine = Machine(gpu, gpus, scale_up, min(nics, gpus), min(port, tables.pcie_x16[gpu]), hosts == 1)
    ring = rings(machine, tables)
    assert ring is not None
    cpu = "amd" if gpu == "ampere" else "intel"
    return System(gpu, cpu, ranks, hosts, ring, heads(machine, tables), tree=trees(machine, tables, ring))


def _ratios() -> list[tuple[float, float]]:
    """Return the size of each point in B, and its predicted over its measured time."""
    found = []
    with POINTS.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            collective, usual = row["collective"].replace("_", "-"), row["algo_forced"] == "default"
            kept = row["state"] == "healthy" and row["place"] != "ip" and usual and row["time_us"]
            if not kept or collective not in COLLECTIVES or row["library"].startswith("mscclpp"):
                continue
            system = _system(row)
            if system is not None:
                (time_s,) = choose(system, collective, float(row["size_bytes"])).time_s
                found.append((float(row["size_bytes"]), time_s * 1e6 / float(row["time_us"])))
    return found


@pytest.mark.parametrize(
    "least, most, points, median, p80",
    [(0, 16 * MIB, 175, 1.03, 2.10), (16 * MIB, 256 * MIB, 72, 0.36, 0.77), (256 * MIB, np.inf, 189, 0.052, 0.156)],
)
def test_errors_of_the_documentation(least: float, most: float, points: int, median: float, p80: float) -> None:
    ratios = np.array([ratio for nbytes, ratio in _ratios() if least <= nbytes < most])
    errors = np.exp(np.abs(np.log(ratios))) - 1
    assert len(ratios) == points
    assert np.quantile(errors, [0.5, 0.8]) == pytest.approx([median, p80], rel=0.02)
