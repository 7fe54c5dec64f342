"""Regularity that closed forms rest on, proven for the fabric at hand or not claimed at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.fabric import Fabric
from fabrictool.fabric.grouping import codes, distinct
from fabrictool.fabric.parts import joined_by_tier
from fabrictool.fabric.tables import I4
from fabrictool.kernels.flows import RouteTables
from fabrictool.routing.channels import Channels
from fabrictool.routing.residues import CodedTree, coded_tree

I8 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RegularTree:
    """A healthy tree in which D-mod-k depends on keys by their residue alone.

    Level l of the columns is tier l + 1: the leaves first, the top tier left out.

    Parameters
    ----------
    block : (levels, ranks) int32
        What switches up to each tier join: equal numbers mean the same part. On rails a leaf is a
        part of its own.
    classes : (levels,) int64
        Keys of equal residue modulo this use the same upward channel out of a part.
    host_seconds : float
        Seconds a byte takes on a host link.
    up_seconds : (levels,) float64
        Seconds a byte takes on the channels above each level, in both directions.
    latency_s : (levels + 1,) float64
        Of a path that turns at each tier, the leaves first.
    coded : CodedTree
        The same tree by numbers, for counting flows.
    """

    block: I4
    classes: I8
    host_seconds: float
    up_seconds: npt.NDArray[np.float64]
    latency_s: npt.NDArray[np.float64]
    coded: CodedTree

    @property
    def levels(self) -> int:
        """Levels that have uplinks."""
        return len(self.classes)


def regular_tree(fabric: Fabric, network: int, tables: RouteTables, channels: Channels) -> RegularTree | None:
    """Return the regular tree that a network is, or None where that is not so.

    Checked are: as many uplinks on every switch of a tier; equal speed and latency of all links of
    a tier and of all host links; one port for each rank; and that all switches of a part lead to
    the same parents, position by position, as in a PGFT.
    """
    tier = fabric.devices.tier
    switches = np.flatnonzero((fabric.devices.network == network) & (tier > 0))
    top = int(tier[switches].max(initial=1))
    ups = np.diff(tables.first_up)
    host = _uniform(channels, tables.port_channel) if (tables.port_channel >= 0).all() else None
    if host is None or len(distinct(tables.port_channel)) < len(tables.port_channel):
        return None
    block = _blocks(fabric, network, tables, top)
    classes, seconds, latency = [], [], [host[1]]
    for level in range(top - 1):
        rows = switches[tier[switches] == level + 1]
        count = int(ups[rows[0]])
        links = _uniform(channels, _up_channels(tables, rows))
        if count == 0 or (ups[rows] != count).any() or links is None:
            return None
        above = block[level + 1] if level + 2 < top else np.zeros(len(tables.leaf), np.int32)
        if not _same_parents(tables, rows, count, level, above):
            return None
        classes.append(int(tables.stride[level]) * count)
        seconds.append(links[0])
        latency.append(latency[-1] + links[1])
    if not _own_paths_by_residue(tables, block):
        return None
    coded = coded_tree(tables, block, np.array(classes, np.int64))
    if coded is None:
        return None
    return RegularTree(block, np.array(classes, np.int64), host[0], np.array(seconds), np.array(latency), coded)


def _uniform(channels: Channels, up: I4) -> tuple[float, float] | None:
    """Return seconds per byte of channels and latency of up and down together, if all are alike."""
    speed, latency = channels.speed_bps, channels.latency_s[up] + channels.latency_s[up ^ 1]
    both = np.concatenate((speed[up], speed[up ^ 1]))
    if not len(up) or both[0] <= 0 or np.ptp(both) > 0 or np.ptp(latency) > 1e-12 * latency.max():
        return None
    return 8.0 / float(both[0]), float(latency[0])


def _up_channels(tables: RouteTables, rows: I4) -> I4:
    mask = np.zeros(len(tables.first_up), bool)
    mask[rows] = True
    chosen: I4 = tables.up_channel[np.repeat(mask[:-1], np.diff(tables.first_up))]
    return chosen


def _same_parents(tables: RouteTables, rows: I4, count: int, level: int, above: I4) -> bool:
    """Whether switches that share a parent share all, and each such set is some positions of a part.

    In a PGFT a set is one position. Leaf chips of a director are several, which its spine chips join: then
    a rank's part of the level above (ranks,) and its position must say which set its own path crosses.
    """
    positions = int(tables.stride[level])
    first = tables.first_up[rows]
    parents = tables.up_parent[first[:, None] + np.arange(count)]
    sets, which, uses = np.unique(parents, axis=0, return_inverse=True, return_counts=True)
    seen = np.concatenate([distinct(row) for row in sets])
    if len(distinct(seen)) < len(seen):
        return False
    if len(sets) % positions == 0:
        return int(uses.min()) >= 1
    set_of = np.full(len(tables.first_up) - 1, -1, np.int64)
    set_of[rows] = which.ravel()
    place = above.astype(np.int64) << 32 | tables.key % positions
    return codes(place, set_of[tables.own_device[:, level]])[1] == len(distinct(place))


def _blocks(fabric: Fabric, network: int, tables: RouteTables, top: int) -> I4:
    """Return for each level below the top a number of the part that each rank belongs to."""
    parts = joined_by_tier(fabric, network, through_hosts=False) if top > 2 else []
    rows = [tables.leaf, *(parts[level + 1][tables.leaf] for level in range(1, top - 1))]
    return np.array(rows[: top - 1], np.int32).reshape(top - 1, len(tables.leaf))


def _own_paths_by_residue(tables: RouteTables, block: I4) -> bool:
    """Whether a rank's part and residue say which switch of each tier its own path crosses, and no two coincide."""
    for level in range(len(block)):
        residue = tables.key % tables.stride[level]
        device = tables.own_device[:, level].astype(np.int64)
        place = block[level].astype(np.int64) << 32 | residue
        if not codes(place, device)[1] == len(distinct(place)) == len(distinct(device)):
            return False
    return True
