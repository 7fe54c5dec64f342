"""Constants of the tuning model, as data with the version they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import yaml

from fabrictool.fabric.tables import F8

#: Version of the tables that ship.
VERSION = "2.30.7"
PROTOCOLS = ("ll", "ll128", "simple")
ALGORITHMS = ("tree", "ring", "collnet-direct", "collnet-chain", "nvls", "nvls-tree", "pat")
#: GPU generations, oldest first.
GENERATIONS = ("volta", "ampere", "hopper", "blackwell")
CPUS = ("intel", "amd", "arm", "power", "mixed")

US = 1e-6
GBYTES = 1e9

ByAlgorithm = Mapping[str, F8]
ByGpu = Mapping[str, F8]


@dataclass(frozen=True, slots=True)
class Tuning:
    """Constants of one version, in s and B/s.

    Rows by protocol have columns ll, ll128, simple; ``most`` rows have columns for 1, 2 and more hosts.

    Attributes
    ----------
    version, source, as_of : str
    base_latency_s : mapping of algorithm to (3,) float64
        By protocol.
    hw_latency_s : mapping of nvlink, pci, net to such a mapping
    ll_most : mapping of GPU generation to (3,) float64
        Most of the protocol ll, all channels together, in B/s.
    channel_most : mapping of ring-ll128, tree-ll128, tree, nvls-tree to such a mapping
        Most of one channel in B/s.
    nvls_efficiency, plateau : mapping of GPU generation to a factor
    net_overhead_s : mapping of CPU to s
    tree_correction : (3, 24) float64
        Factor on a tree's bandwidth by protocol at 64 B x 2^i.
    nvlink_share : mapping of GPU generation to a factor
        Bandwidth of an NVLink as the library counts it, of what is published.
    pcie_x16 : mapping of GPU generation to B/s
        Of a slot of 16 lanes, each direction.
    search_one_host, search_hosts : mapping of GPU generation to float64 array
        Bandwidths of a channel that the search tries, falling, in B/s.
    generation : mapping of a GPU's name to its generation
    """

    version: str
    source: str
    as_of: str
    base_latency_s: ByAlgorithm
    hw_latency_s: Mapping[str, ByAlgorithm]
    ll_most: ByGpu
    channel_most: Mapping[str, ByGpu]
    nvls_efficiency: Mapping[str, float]
    plateau: Mapping[str, float]
    net_overhead_s: Mapping[str, float]
    tree_correction: F8
    nvlink_share: Mapping[str, float]
    pcie_x16: Mapping[str, float]
    search_one_host: ByGpu
    search_hosts: ByGpu
    generation: Mapping[str, str]


@cache
def tuning(version: str = VERSION) -> Tuning:
    """Return the tables of a version of NCCL.

    Raises
    ------
    FileNotFoundError
        If there is no such table.
    """
    text = resources.files("fabrictool.collectives.nccl").joinpath(f"nccl-{version}.yaml").read_text(encoding="utf-8")
    raw: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    speeds = raw["search_gbytes_per_s"]
    return Tuning(
        version=raw["version"],
        source=raw["source"],
        as_of=raw["as_of"],
        base_latency_s=_rows(raw["base_latency_us"], US),
        hw_latency_s={place: _rows(rows, US) for place, rows in raw["hw_latency_us"].items()},
        ll_most=_rows(raw["ll_most_gbytes_per_s"], GBYTES),
        channel_most={
            name: _rows(raw[f"{name.replace('-', '_')}_gbytes_per_s"], GBYTES)
            for name in ("ring-ll128", "tree-ll128", "tree", "nvls-tree")
        },
        nvls_efficiency=raw["nvls_efficiency"],
        plateau=raw["plateau"],
        net_overhead_s={cpu: US * value for cpu, value in raw["net_overhead_us"].items()},
        tree_correction=np.array([raw["tree_correction"][protocol] for protocol in PROTOCOLS], np.float64),
        nvlink_share={
            gpu: counted / raw["nvlink_published_gbytes_per_s"][gpu]
            for gpu, counted in raw["nvlink_gbytes_per_s"].items()
        },
        pcie_x16={gpu: GBYTES * value for gpu, value in raw["pcie_x16_gbytes_per_s"].items()},
        search_one_host=_rows(speeds["one_host"], GBYTES),
        search_hosts=_rows(speeds["hosts"], GBYTES),
        generation=raw["generation"],
    )


def _rows(rows: Mapping[str, list[float]], unit: float) -> dict[str, F8]:
    return {name: unit * np.array(row, np.float64) for name, row in rows.items()}
