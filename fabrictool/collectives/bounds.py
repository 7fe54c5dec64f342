"""Lower bounds: what no schedule can beat, from the links that leave each part of a fabric.

References
----------
E. Chan, M. Heimlich, A. Purkayastha, R. van de Geijn, "Collective communication: theory, practice,
and experience", CCPE 19 (2007); P. Patarasuk, X. Yuan, JPDC 69(2), 2009 (total traffic of an
all-reduce between K parties is at least 2 (K - 1) S).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.collectives.costs import ScheduleCost
from fabrictool.collectives.entries import Group, Round, Volumes
from fabrictool.collectives.schedules import ALGORITHMS
from fabrictool.fabric import Fabric
from fabrictool.fabric.parts import is_tiered, joined_by_tier, merged, network_ends
from fabrictool.fabric.tables import F8, I4
from fabrictool.routing.wiring import Wiring


@dataclass(frozen=True, slots=True)
class Parts:
    """A job's ranks in parts.

    Parameters
    ----------
    title : str
        What limits there.
    ranks, capacity_bps : (parts,) float64
        Ranks of each part, and what leaves it, in bit/s.
    of : (ranks,) int
        Part of each rank.
    """

    title: str
    ranks: F8
    capacity_bps: F8
    of: npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Bound:
    """A lower bound of a collective: the larger of a latency and a bandwidth part.

    ``alone`` are the seconds per byte that GPUs and adapters alone would ask for.
    """

    latency_s: float
    seconds_per_byte: float
    title: str
    alone: float = 0.0

    def time_s(self, nbytes: float) -> float:
        """Return the bound for a size in bytes."""
        return max(self.latency_s, nbytes * self.seconds_per_byte)

    def cost(self, nbytes: float) -> ScheduleCost:
        """Return the bound for a size in bytes as a cost: all latency, or none."""
        if nbytes * self.seconds_per_byte < self.latency_s:
            return ScheduleCost(self.latency_s, 0.0, {})
        return ScheduleCost(0.0, self.seconds_per_byte, {}, self.alone)


def partitions(wiring: Wiring, ranks: I4) -> list[Parts]:
    """Return the ranks in parts: each alone, scale-up domains with their hosts, then what more and more links join.

    What leaves a part are the links with one end in it, at the speed that is left of them. Of a tree the
    parts of tier l are what hosts, domains and switches up to tier l connect; elsewhere hosts on one
    switch, then switches of one group.
    """
    fabric, speed = wiring.fabric, wiring.channels.speed_bps
    port_bps = np.where(wiring.up[ranks] >= 0, speed[wiring.up[ranks]], 0.0).sum(axis=1)
    scaled = wiring.scale_up[ranks]
    own_bps = port_bps + np.where(scaled >= 0, speed[scaled], 0.0)
    parts = [Parts("GPU", np.ones(len(ranks)), own_bps, np.arange(len(ranks)))]
    rows = np.flatnonzero(fabric.links.network == wiring.network)
    a, z = (end[rows] for end in fabric.ends)
    for title, label in _labels(wiring):
        leaving = label[a] != label[z]
        left = speed[2 * rows[leaving]]
        capacity: F8 = np.bincount(label[a][leaving], left, minlength=len(label)).astype(np.float64)
        capacity += np.bincount(label[z][leaving], left, minlength=len(label))
        where, of, count = np.unique(label[wiring.device[ranks]], return_inverse=True, return_counts=True)
        parts.append(Parts(title, count.astype(np.float64), capacity[where], of))
    return parts


def _labels(wiring: Wiring) -> Iterator[tuple[str, I4]]:
    """Yield ways to part the devices, fine to coarse: what limits there, and a label of each device."""
    fabric, network = wiring.fabric, wiring.network
    alone = merged(np.arange(len(fabric.devices), dtype=np.int32), *_domain_edges(fabric))
    if is_tiered(fabric, network):
        for level, label in enumerate(joined_by_tier(fabric, network, alone)[:-1]):
            yield "NIC" if level == 0 else f"links above tier {level}", label
        return
    yield "NIC", alone
    a, z, _ = network_ends(fabric, network)
    tier, pod = fabric.devices.tier, fabric.devices.pod
    at_host = (tier[a] == 0) | (tier[z] == 0)
    label = merged(alone, a[at_host], z[at_host])
    yield "links between switches", label
    if fabric.networks[network].has_groups:
        near = at_host | (pod[a] == pod[z])
        yield "links between groups", merged(label, a[near], z[near])


def _domain_edges(fabric: Fabric) -> tuple[I4, I4]:
    """Return pairs of hosts that a scale-up domain joins."""
    domain, host = fabric.gpus.domain, fabric.gpus.host
    scaled = np.flatnonzero(fabric.gpus.scale_up_bps > 0)
    same = np.flatnonzero(domain[scaled][1:] == domain[scaled][:-1])
    return host[scaled[same]], host[scaled[same + 1]]


#: Collectives in which each flow carries all of the size.
POINT_TO_POINT = ("send-recv", "permutation", "incast")


def bound(
    collective: str, parts: list[Parts], wiring: Wiring, ranks: I4, group: Group | None = None, reduces: str = ""
) -> Bound:
    """Return the lower bound of a collective on the ranks that ``parts`` are of.

    Parameters
    ----------
    collective : str
    parts : list of Parts
    wiring : Wiring
    ranks : (ranks,) int32
    group : Group, optional
        Who sends to whom.
    reduces : {"", "network", "domain"}
        Which switches reduce: then what leaves a part may be the sum of all in it.
    """
    size = len(ranks)
    if size < 2:
        return Bound(0.0, 0.0, "one rank")
    if collective in POINT_TO_POINT and group is not None:
        flows_s = _of_flows(collective, parts[0], group)
        return Bound(latency_s(collective, wiring, ranks), flows_s, "GPU", flows_s)
    best, title, alone = 0.0, "nothing", 0.0
    for part in parts:
        if len(part.ranks) > 1:
            seconds = _seconds_per_byte(collective, part, size, group.volumes if group else None, reduces)
            if seconds > best * (1 + 1e-12):
                best, title = seconds, part.title
            if part.title in ("GPU", "NIC"):
                alone = best
    return Bound(latency_s(collective, wiring, ranks, reduces), best, title, alone)


def _seconds_per_byte(collective: str, part: Parts, size: int, volumes: Volumes | None, reduces: str) -> float:
    """Return seconds per byte of the collective's size that must leave or enter the parts."""
    joined = part.capacity_bps > 0
    if not joined.any():
        return 0.0
    byte_s, inside = 8.0 / part.capacity_bps[joined], part.ranks[joined]
    if collective == "all-reduce":
        exchanged = 0.0 if sums_up(reduces, part) else 2 * (len(part.ranks) - 1) * 8.0 / part.capacity_bps.sum()
        return float(max(byte_s.max(), exchanged))
    if collective in ("all-gather", "reduce-scatter"):
        return float(((size - inside) / size * byte_s).max())
    if collective == "all-to-all":
        return float((inside * (size - inside) / size * byte_s).max())
    if collective in ("broadcast", "reduce"):
        return float(byte_s.min())
    return float((_crossing(part, volumes)[joined] * byte_s).max()) if volumes is not None else 0.0


def sums_up(reduces: str, part: Parts) -> bool:
    """Return whether switches that reduce stand between the parts."""
    return reduces == "network" or (reduces == "domain" and part.title == "GPU")


def _crossing(part: Parts, volumes: Volumes) -> F8:
    """Return what leaves or enters each part, whichever is more, (parts,)."""
    source, target = part.of[volumes.source], part.of[volumes.target]
    share = np.where(source != target, volumes.share, 0.0)
    carried: F8 = np.maximum(*(np.bincount(end, share, len(part.ranks)) for end in (source, target)))
    return carried


def _of_flows(collective: str, alone: Parts, group: Group) -> float:
    """Return seconds per byte of the flows that the busiest rank sends or receives."""
    (algorithm,) = ALGORITHMS[collective].values()
    carried = np.zeros(group.size)
    for entry in algorithm.rounds(group):
        assert isinstance(entry, Round)
        ends = (np.bincount(end, entry.shares, group.size) for end in (entry.source, entry.target))
        carried += np.maximum(*ends)
    capacity = np.where(alone.capacity_bps > 0, alone.capacity_bps, np.nan)
    return float(np.nanmax(carried * 8.0 / capacity, initial=0.0))


def latency_s(collective: str, wiring: Wiring, ranks: I4, reduces: str = "") -> float:
    """Return start-ups times the shortest path between any two ranks; switches that reduce need but one."""
    latency = wiring.channels.latency_s
    up, scaled = wiring.up[ranks], wiring.scale_up[ranks]
    up, scaled = up[up >= 0], scaled[scaled >= 0]
    ways = np.concatenate((latency[up] + latency[up ^ 1], latency[scaled] * 2))
    once = bool(reduces) or collective in ("all-to-all", "all-to-all-v", *POINT_TO_POINT)
    startups = 1 if once else int(np.ceil(np.log2(len(ranks))))
    return float(startups * ways.min(initial=np.inf)) if len(ways) else 0.0
