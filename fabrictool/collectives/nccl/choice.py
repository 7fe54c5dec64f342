"""What NCCL chooses: the combination of algorithm and protocol whose predicted time is the smallest.

The predicted times rank the combinations; the library never compares them with a clock.

References
----------
NVIDIA NCCL, src/graph/tuning.cc, ``ncclTopoGetAlgoTime``; src/enqueue.cc, ``updateCollCostTable``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fabrictool.collectives.nccl.bandwidth import bandwidth
from fabrictool.collectives.nccl.latency import latency_s
from fabrictool.collectives.nccl.system import System
from fabrictool.collectives.nccl.tables import PROTOCOLS, VERSION, Tuning, tuning
from fabrictool.fabric.tables import F8

#: Algorithms of each collective, in the library's order, which decides between equal times.
COLLECTIVES: dict[str, tuple[str, ...]] = {
    "all-reduce": ("tree", "ring", "collnet-direct", "collnet-chain", "nvls", "nvls-tree"),
    "all-gather": ("ring", "collnet-direct", "nvls", "pat"),
    "reduce-scatter": ("ring", "collnet-direct", "nvls", "pat"),
    "broadcast": ("ring",),
    "reduce": ("ring",),
}
#: Algorithms that exist for one protocol only.
ONLY_SIMPLE = ("collnet-direct", "collnet-chain", "nvls", "nvls-tree", "pat")
#: Ranks of a host that NVLS gathers or scatters at most.
NVLS_MOST = 32
#: The smallest piece of a collective for each channel and rank from which a ring's latency is at its plateau, in B.
PLATEAU_BYTES = 64
#: Sizes, as powers of two times 64 B, up to which a tree's bandwidth is corrected.
CORRECTED = {"tree": 23, "nvls-tree": 24}


@dataclass(frozen=True, slots=True)
class Combination:
    """An algorithm under a protocol: bandwidth in B/s of the collective's size, and latency in s."""

    algorithm: str
    protocol: str
    bandwidth_bytes_per_s: float
    latency_s: float

    def __str__(self) -> str:
        return f"{self.algorithm}/{self.protocol}"


def enabled(system: System, collective: str, algorithm: str, protocol: str) -> bool:
    """Return whether the library considers a combination on a system."""
    if algorithm not in COLLECTIVES[collective] or (algorithm in ONLY_SIMPLE and protocol != "simple"):
        return False
    if protocol == "ll128" and not _ll128(system):
        return False
    return system.ranks > 1 and _fits(system, collective, algorithm)


def _fits(system: System, collective: str, algorithm: str) -> bool:
    """Return whether hosts, GPUs and network have what an algorithm needs."""
    several = system.hosts > 1
    if algorithm == "pat":
        return several and system.per_host == 1
    if algorithm == "nvls-tree":
        return several
    if algorithm == "nvls":
        return (system.collnet or not several) and (collective == "all-reduce" or system.per_host <= NVLS_MOST)
    if algorithm == "collnet-direct":
        return several and system.collnet and system.nvls is not None
    return algorithm != "collnet-chain" or (several and system.collnet)


def _ll128(system: System) -> bool:
    """Return whether stores of 128 B stay whole on all ways: NVLink inside, a near adapter, GPUs that agree."""
    near = system.hosts == 1 or system.near_nics
    joined = system.nvlink or system.per_host == 1
    return joined and near and (system.equal_gpus or system.at_least("hopper"))


@lru_cache(maxsize=256)
def combinations(system: System, collective: str, version: str = VERSION) -> tuple[Combination, ...]:
    """Return what the library may choose from; those that its tables give no bandwidth are left out."""
    tables = tuning(version)
    found = (
        Combination(
            algorithm,
            protocol,
            bandwidth(system, tables, collective, algorithm, protocol),
            latency_s(system, tables, collective, algorithm, protocol),
        )
        for algorithm in COLLECTIVES[collective]
        for protocol in PROTOCOLS
        if enabled(system, collective, algorithm, protocol)
    )
    return tuple(one for one in found if one.bandwidth_bytes_per_s > 0)


def times_s(
    system: System, collective: str, among: Sequence[Combination], nbytes: npt.ArrayLike, version: str = VERSION
) -> F8:
    """Return the predicted time of each combination at each size.

    Parameters
    ----------
    system : System
    collective : str
    among : sequence of Combination
    nbytes : (sizes,) array_like
        Sizes in B, as nccl-tests counts them.

    Returns
    -------
    (combinations, sizes) float64
        In s.
    """
    size = np.atleast_1d(np.asarray(nbytes, np.float64))
    tables = tuning(version)
    latency = np.array([one.latency_s for one in among])[:, None] * np.ones_like(size)
    rate = np.array([one.bandwidth_bytes_per_s for one in among])[:, None] * np.ones_like(size)
    if collective == "all-reduce":
        for row, one in enumerate(among):
            rate[row] *= _correction(system, tables, one, size)
            latency[row] *= _plateau(system, tables, one, size)
    return np.asarray(latency + size / rate, np.float64)


def _correction(system: System, tables: Tuning, one: Combination, size: F8) -> F8:
    """Return the factor on a tree's bandwidth at each size."""
    corrected = CORRECTED.get(one.algorithm, 0)
    if one.algorithm == "nvls-tree" and not (system.at_least("blackwell") and system.x86):
        corrected = 0
    power = np.full(len(size), -1)
    large = size >= 64
    power[large] = np.floor(np.log2(np.floor(size[large] / 64))).astype(int)
    within = (power >= 0) & (power < corrected)
    factors = tables.tree_correction[PROTOCOLS.index(one.protocol)]
    return np.where(within, factors[np.clip(power, 0, len(factors) - 1)], 1.0)


def _plateau(system: System, tables: Tuning, one: Combination, size: F8) -> F8:
    """Return the factor on a ring's latency at each size."""
    if (one.algorithm, one.protocol) != ("ring", "simple") or system.hosts == 1:
        return np.ones_like(size)
    # the library counts channels after doubling them, which moves this step by a factor of two where ring/ll is faster
    piece = size / (system.graph.channels * system.ranks)
    return np.where(piece >= PLATEAU_BYTES, tables.plateau[system.gpu], 1.0)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen at each size, and its predicted time in s, (sizes,) each."""

    combination: tuple[Combination, ...]
    time_s: F8


def choose(
    system: System,
    collective: str,
    nbytes: npt.ArrayLike,
    algorithm: str | None = None,
    protocol: str | None = None,
    version: str = VERSION,
) -> Choice:
    """Return what the library chooses at each size, among all or those of one algorithm or protocol.

    Raises
    ------
    LookupError
        If nothing is left to choose from.
    """
    among = [
        one
        for one in combinations(system, collective, version)
        if algorithm in (None, one.algorithm) and protocol in (None, one.protocol)
    ]
    if not among:
        asked = "/".join(word for word in (algorithm, protocol) if word) or "nothing"
        raise LookupError(f"{asked} is not available for {collective} on this system")
    return fastest(system, collective, among, nbytes, version)


def fastest(
    system: System, collective: str, among: Sequence[Combination], nbytes: npt.ArrayLike, version: str = VERSION
) -> Choice:
    """Return the combination with the smallest predicted time at each size, the first of equals."""
    times = times_s(system, collective, among, nbytes, version)
    return Choice(tuple(among[row] for row in times.argmin(axis=0).tolist()), times.min(axis=0))
