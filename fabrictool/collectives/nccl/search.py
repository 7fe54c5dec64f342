"""Channels that NCCL's search finds on hosts whose GPUs are joined by a switch, in closed form.

The library searches rings, trees and heads by trial at falling speeds. Where every GPU reaches every other
through a switch and has its share of the adapters, what it finds depends only on how often a speed fits into
the links: this module counts that. Published logs of HGX A100, H100 and GB200 agree (see the tests).

References
----------
NVIDIA NCCL, src/graph/search.cc, ``ncclTopoCompute``, ``ncclTopoSearchTryNvls``, ``ncclTopoDupChannels``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fabrictool.collectives.nccl.system import Graph
from fabrictool.collectives.nccl.tables import GENERATIONS, Tuning
from fabrictool.fabric.tables import F8

#: Channels of a ring at most before they are doubled, and heads of NVLS.
MOST_CHANNELS = 32
#: The search goes on below the best speed found, as long as the next is more than this share of it.
SLOWER = 0.49
#: Bandwidth is counted in MB/s.
ROUND = 1e6


@dataclass(frozen=True, slots=True)
class Machine:
    """A host, or a scale-up domain that counts as one: what its ranks have.

    Parameters
    ----------
    gpu : str
        Generation.
    gpus : int
        Ranks in it.
    scale_up_bytes_per_s : float
        NVLink of each GPU, all links together, as the library counts it; 0 for none.
    nics : int
        Adapters into the network, of all its ranks together.
    nic_bytes_per_s : float
        Of each, no more than its slot carries.
    alone : bool
        Whether it is the only one.
    """

    gpu: str
    gpus: int
    scale_up_bytes_per_s: float
    nics: int
    nic_bytes_per_s: float
    alone: bool

    def speeds(self, tables: Tuning) -> F8:
        """Return the speeds that are tried, falling, in B/s."""
        speeds = (tables.search_one_host if self.alone else tables.search_hosts)[self.gpu]
        return speeds[speeds <= self.fastest]

    @property
    def fastest(self) -> float:
        """The fastest way of a channel, in B/s."""
        return self.scale_up_bytes_per_s if self.alone else self.nic_bytes_per_s

    @property
    def total(self) -> float:
        """What leaves a GPU, in B/s: the search ends when channels carry that."""
        return self.scale_up_bytes_per_s if self.gpus > 1 else self.nic_bytes_per_s

    def at_least(self, gpu: str) -> bool:
        """Return whether the GPUs are of a generation or a later one."""
        return GENERATIONS.index(self.gpu) >= GENERATIONS.index(gpu)


def _times(speed: float, capacity: float) -> int:
    """Return how often a speed fits into a capacity."""
    return int((capacity + ROUND / 2) // speed)


def _chains(machine: Machine, count: int, speed: float) -> bool:
    """Return whether chains through all GPUs fit, each leaving another GPU last."""
    sends = -(-count * (machine.gpus - 1) // machine.gpus)
    return sends <= _times(speed, machine.scale_up_bytes_per_s)


def _rings_at(machine: Machine, speed: float) -> int:
    """Return how many rings fit at a speed: closed over NVLink in one host, from adapter to adapter between hosts."""
    if machine.alone:
        return min(MOST_CHANNELS, _times(speed, machine.scale_up_bytes_per_s))
    count = min(MOST_CHANNELS, machine.nics * _times(speed, machine.nic_bytes_per_s))
    if machine.gpus == 1:
        return count
    if machine.nics == 1:  # the last GPU passes on to the first, which has the adapter
        return min(count, _times(speed, machine.scale_up_bytes_per_s))
    while count and not _chains(machine, count, speed):
        count -= 1
    return count


def _best(machine: Machine, speeds: F8, fits: Callable[[float], int]) -> tuple[int, float]:
    """Return the number of channels and the speed that carry most, the fastest of equals."""
    count, best = 0, 0.0
    for speed in speeds.tolist():
        if count and speed / best <= SLOWER:
            break
        found = fits(speed)
        if found * speed > count * best:
            count, best = found, speed
        if count * best >= machine.total or count == MOST_CHANNELS:
            break
    return count, best


def rings(machine: Machine, tables: Tuning) -> Graph | None:
    """Return the rings, few fast channels doubled; None where none are found."""
    speeds = machine.speeds(tables)
    count, speed = _best(machine, speeds, lambda speed: _rings_at(machine, speed))
    if not count:
        return None
    slow = machine.at_least("hopper") and speed < 50e9 and count > 4
    if speed >= 25e9 and not slow:
        doubled = min(2 * count, MOST_CHANNELS)
        speed, count = speed / -(-doubled // count), doubled
    faster = [other for other in speeds.tolist() if other > speed and _rings_at(machine, other) >= count]
    speed = max(faster, default=speed)
    return Graph(count, speed, speed)


def _trees_at(machine: Machine, count: int, inside: float, between: float) -> bool:
    """Return whether trees fit, each a chain through all GPUs with one adapter."""
    if machine.gpus > 1 and not _chains(machine, count, inside):
        return False
    return machine.alone or -(-count // machine.nics) <= _times(between, machine.nic_bytes_per_s)


def trees(machine: Machine, tables: Tuning, ring: Graph) -> Graph:
    """Return the trees: as many channels as rings, faster inside where there is room."""
    speeds, count = machine.speeds(tables).tolist(), ring.channels
    between = next((speed for speed in speeds if _trees_at(machine, count, speed, speed)), ring.inter_bytes_per_s)
    inside = between
    tried = (tables.search_one_host if machine.alone else tables.search_hosts)[machine.gpu]
    for speed in sorted(speed for speed in tried.tolist() if speed > between):
        if inside >= 2 * between or not _trees_at(machine, count, speed, between):
            break
        inside = speed
    return Graph(count, inside, between)


def heads(machine: Machine, tables: Tuning) -> Graph | None:
    """Return the channels of NVLS, one for each head, which sends and receives twice; None where there are none."""
    if machine.gpus < 2 or not machine.scale_up_bytes_per_s or not machine.at_least("hopper"):
        return None
    most = min(MOST_CHANNELS, machine.gpus)
    if not machine.alone:
        most = min(most, machine.nics)
    count, inside = _most_heads(machine, machine.speeds(tables), most)
    if not count:
        return None
    return Graph(count, inside, _between_heads(machine, tables, inside))


def _most_heads(machine: Machine, speeds: F8, most: int) -> tuple[int, float]:
    """Return the heads and their speed: more heads are better than faster ones; in one host all GPUs are."""
    count, best = 0, 0.0
    for speed in speeds.tolist():
        if count and speed / best <= SLOWER:
            break
        found = min(most, _times(speed, machine.scale_up_bytes_per_s) - 1)
        if machine.alone and found < most:
            continue
        if found > count or found * speed > count * best:
            count, best = found, speed
        if count == min(MOST_CHANNELS, machine.gpus) or count * best >= machine.total:
            break
    return count, best


def _between_heads(machine: Machine, tables: Tuning, inside: float) -> float:
    """Return the speed of heads towards other hosts, raised up to twice that inside."""
    between = inside
    tried = (tables.search_one_host if machine.alone else tables.search_hosts)[machine.gpu]
    for speed in sorted(speed for speed in tried.tolist() if speed > inside):
        if between >= 2 * inside or not (machine.alone or speed <= machine.nic_bytes_per_s):
            break
        between = speed
    return between
