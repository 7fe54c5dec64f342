"""Lower bounds: what no schedule can beat, from the links that leave each part of a fabric.

References
----------
E. Chan, M. Heimlich, A. Purkayastha, R. van de Geijn, "Collective communication: theory, practice,
and experience", CCPE 19 (2007); P. Patarasuk, X. Yuan, JPDC 69(2), 2009 (total traffic of an
all-reduce between K parties is at least 2 (K - 1) S).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrictool.fabric import Fabric
from fabrictool.fabric.parts import joined_by_tier, merged, network_ends
from fabrictool.fabric.tables import F8, I4
from fabrictool.kernels.flows import RouteTables
from fabrictool.routing.channels import Channels


@dataclass(frozen=True, slots=True)
class Parts:
    """A job's ranks in parts: ranks of each part, and what leaves it, in bit/s, (parts,) each."""

    title: str
    ranks: F8
    capacity_bps: F8


@dataclass(frozen=True, slots=True)
class Bound:
    """A lower bound of a collective: the larger of a latency and a bandwidth part."""

    latency_s: float
    seconds_per_byte: float
    title: str

    def time_s(self, nbytes: float) -> float:
        """Return the bound for a size in bytes."""
        return max(self.latency_s, nbytes * self.seconds_per_byte)


def partitions(fabric: Fabric, network: int, ranks: I4, lanes: list[RouteTables]) -> list[Parts]:
    """Return the ranks in parts: GPUs, scale-up domains with their hosts, then what each tier joins.

    A part of tier l is what hosts, domains and switches up to tier l connect; what leaves it are its
    links to higher tiers.
    """
    gpus, links, devices = fabric.gpus, fabric.links, fabric.devices
    port_bps = sum((links.speed_bps[lane.port_channel[ranks] // 2] for lane in lanes), np.zeros(len(ranks)))
    parts = [Parts("GPU", np.ones(len(ranks)), port_bps + gpus.scale_up_bps[ranks])]
    a, z, speed = network_ends(fabric, network)
    high, low = np.maximum(devices.tier[a], devices.tier[z]), np.minimum(devices.tier[a], devices.tier[z])
    alone = merged(np.arange(len(devices), dtype=np.int32), *_domain_edges(fabric))
    for tier, label in enumerate(joined_by_tier(fabric, network, alone)[:-1]):
        leaving = (high > tier) & (low <= tier)
        out = np.where(devices.tier[a] <= tier, a, z)[leaving]
        capacity = np.bincount(label[out], speed[leaving], minlength=len(devices)).astype(np.float64)
        where, count = np.unique(label[gpus.host[ranks]], return_counts=True)
        title = "NIC" if tier == 0 else f"links above tier {tier}"
        parts.append(Parts(title, count.astype(np.float64), capacity[where]))
    return parts


def _domain_edges(fabric: Fabric) -> tuple[I4, I4]:
    """Return pairs of hosts that a scale-up domain joins."""
    domain, host = fabric.gpus.domain, fabric.gpus.host
    scaled = np.flatnonzero(fabric.gpus.scale_up_bps > 0)
    same = np.flatnonzero(domain[scaled][1:] == domain[scaled][:-1])
    return host[scaled[same]], host[scaled[same + 1]]


def bound(collective: str, parts: list[Parts], tables: RouteTables, ranks: I4, channels: Channels) -> Bound:
    """Return the lower bound of a collective on the ranks that ``parts`` are of."""
    size = len(ranks)
    if size < 2:
        return Bound(0.0, 0.0, "one rank")
    best, title = 0.0, "nothing"
    for part in parts:
        if len(part.ranks) > 1:
            seconds = _seconds_per_byte(collective, part, size)
            if seconds > best * (1 + 1e-12):
                best, title = seconds, part.title
    return Bound(_latency_s(collective, size, tables, ranks, channels), best, title)


def _seconds_per_byte(collective: str, part: Parts, size: int) -> float:
    """Return seconds per byte of the collective's size that must leave or enter the parts."""
    byte_s = 8.0 / np.where(part.capacity_bps > 0, part.capacity_bps, np.nan)
    inside = part.ranks
    if collective == "all-reduce":
        count = len(inside)
        together = 2 * (count - 1) * 8.0 / part.capacity_bps.sum() if part.capacity_bps.sum() else np.nan
        return float(np.nanmax((*byte_s, together)))
    if collective in ("all-gather", "reduce-scatter"):
        return float(np.nanmax((size - inside) / size * byte_s))
    if collective == "all-to-all":
        return float(np.nanmax(inside * (size - inside) / size * byte_s))
    if collective in ("broadcast", "reduce"):
        return float(np.nanmin(byte_s)) if len(inside) > 1 else 0.0
    return 0.0


def _latency_s(collective: str, size: int, tables: RouteTables, ranks: I4, channels: Channels) -> float:
    """Return start-ups times the shortest path between any two ranks."""
    latency = channels.latency_s
    port = tables.port_channel[ranks]
    shortest = np.sort(latency[port] + latency[port ^ 1])[0] if size > 1 else 0.0
    scaled = tables.scale_up[ranks]
    if (scaled >= 0).any():
        shortest = min(shortest, float((latency[scaled[scaled >= 0]] * 2).min()))
    startups = 1 if collective == "all-to-all" else int(np.ceil(np.log2(size)))
    return float(startups * shortest)
