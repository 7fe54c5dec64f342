"""Published measurements with their clusters stated as layouts, the way a user would state them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from fabrictool.collectives.expected.from_fabric import setting_of
from fabrictool.collectives.expected.setting import Setting
from fabrictool.formats.measurements import busbw_factor
from fabrictool.generators.building import build
from fabrictool.layout.model import Layout
from fabrictool.layout.reading import layout_from_tree

DATA = Path(__file__).parent / "data" / "measured"
#: GB/s of a GPU into its scale-up domain, each direction; GPUs that are alone in their hosts have none.
_SCALE_UP = {"V100": 150, "A100": 300, "H100": 450, "H200": 450, "H20": 450, "B200": 900, "B300": 900, "GB200": 900}
_SCALE_UP |= {"MI300X": 448, "MI355X": 538, "H800": 200}
_PROTOCOLS = {"IB": "infiniband", "IB?": "infiniband", "?": "infiniband", "OPA": "infiniband", "NVLink": "infiniband"}
_PROTOCOLS |= {"RoCE": "ethernet", "EFA": "efa", "TCPXO": "tcp", "TCP": "tcp"}
_SWITCH = {"name": "any", "ports": 512, "speed": "400G", "latency": "0 ns"}
RACK = 72


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured point: where, what, and what the source says of it."""

    cluster: str
    gpu: str
    per_host: int
    hosts: int
    nics: int
    nic_gbit: float
    protocol: str
    collective: str
    nbytes: float
    time_s: float
    state: str
    algorithm: str
    library: str

    @property
    def ranks(self) -> int:
        """Ranks that took part."""
        return self.per_host * self.hosts

    @property
    def modelled(self) -> bool:
        """Whether NCCL, RCCL or XLA on NCCL ran on accelerators; MPI and kernels of one's own are other libraries."""
        return not (self.gpu.startswith("CPU") or "OSU" in self.library or "mscclpp" in self.library)


def points() -> list[Measured]:
    """Return all published points, of one host and of several."""
    return [*_several(), *_one()]


def _several() -> Iterator[Measured]:
    with (DATA / "multi-host.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            yield Measured(
                row["cluster"], row["gpu"].split(" ")[0].split("-")[0], int(row["gpus_per_node"]), int(row["nodes"]),
                int(row["nics_per_node"]), float(row["nic_Gbps"]), _PROTOCOLS[row["protocol"]],
                _word(row["collective"]), float(row["size_bytes"]), float(row["time_us"]) * 1e-6, row["state"],
                _held_to(row["algo_forced"]), row["library"],
            )  # fmt: skip


def _one() -> Iterator[Measured]:
    with (DATA / "one-host.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            gpu = next(name for name in ("A100", "H100", "GB200") if name in row["config"])
            ranks, collective, nbytes = int(row["ranks"]), _word(row["collective"]), float(row["size_bytes"])
            if row["time_us"]:
                time_s = float(row["time_us"]) * 1e-6
            else:
                time_s = busbw_factor(collective, ranks) * nbytes / (float(row["busbw_GBps"]) * 1e9)
            yield Measured(
                row["config"],
                gpu,
                ranks,
                1,
                8,
                400,
                "infiniband",
                collective,
                nbytes,
                time_s,
                "healthy",
                "auto",
                "NCCL",
            )


def _word(collective: str) -> str:
    return {"alltoall": "all-to-all"}.get(collective, collective.replace("_", "-"))


def _held_to(forced: str) -> str:
    if forced.startswith(("Ring", "NVLS off")):
        return "ring"
    return "sharp" if forced.startswith("CollNet") else "auto"


@cache
def cluster_layout(gpu: str, per_host: int, hosts: int, nics: int, nic_gbit: float, protocol: str) -> Layout:
    """State a cluster: hosts with accelerators and adapters, one leaf for each port, at least two hosts."""
    kind: dict[str, object] = {"name": "h", "gpu": gpu, "gpus": per_host, "nics": nics, "speed": f"{nic_gbit:g}G"}
    domain = RACK if gpu == "GB200" else per_host
    if domain > 1:
        kind["scale_up"] = {"domain": domain, "speed": f"{_SCALE_UP[gpu] * 8}G", "latency": "500 ns"}
    network = {"family": "rail-only", "rails": nics, "protocol": protocol, "leaf": {"type": _SWITCH}}
    return layout_from_tree(
        {
            "name": "measured",
            "hosts": {"name": "h", "type": kind, "count": max(hosts, 2)},
            "networks": {"compute": network},
        }
    )


@cache
def cluster_setting(gpu: str, per_host: int, hosts: int, nics: int, nic_gbit: float, protocol: str) -> Setting:
    """Return what the calibrated model takes from a cluster's layout."""
    layout = cluster_layout(gpu, per_host, hosts, nics, nic_gbit, protocol)
    fabric = build(layout)
    kinds = {kind.name: kind.gpu for kind in layout.host_types()}
    return setting_of(fabric, 0, np.arange(per_host * hosts, dtype=np.int32), kinds)


def setting(point: Measured) -> Setting:
    """Return the setting of a point."""
    return cluster_setting(point.gpu, point.per_host, point.hosts, point.nics, point.nic_gbit, point.protocol)
