"""Fat-trees of two and three levels as rows: switches of each tier, then the links between tiers."""

from __future__ import annotations

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.generators.endpoints import Endpoints
from fabrictool.generators.latency import LinkLatency
from fabrictool.generators.rows import Rows
from fabrictool.generators.sizing import TIERS, Shape, places, shape_of, up_speed
from fabrictool.generators.tiers import TierPlan, add_tier, mesh_ends
from fabrictool.layout.model import Network

KEYS = frozenset({"levels", "hosts_per_leaf", "oversubscription", "k", "pgft", "pod", "leaf", "spine", "core"})


def fat_tree(
    rows: Rows, network: Network, name: str, row: int, ends: Endpoints, latency: LinkLatency, prefix: str
) -> None:
    """Add the switches and links of a fat-tree.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    network : Network
        Of family ``fat-tree``: exactly one of ``pgft``, ``k`` or a leaf with its hosts.
    name, row : str, int
        Of the network.
    ends : Endpoints
        Host ports to attach.
    latency : LinkLatency
        In s.
    prefix : str
        Of the switches' group names.

    Raises
    ------
    InputError
        If ports, levels and hosts do not fit together.
    """
    path = ("networks", name)
    shape, lanes_per_leaf = shape_of(network, ends, path)
    place = places(ends, lanes_per_leaf)
    if place[-1] >= shape.capacity():
        apart = "" if place[-1] < len(place) else ", leaf by leaf with a host's ports together"
        what = f"{len(place)} host ports do not fit a fat-tree for {shape.capacity()}{apart}"
        raise InputError([Problem("", what, "lower count, or enlarge the tree", path)])
    tiers = _add_switches(rows, network, name, row, shape, ends, prefix)
    upper = (tiers[0][place // lanes_per_leaf], place % lanes_per_leaf + 1)
    rows.add_links((ends.device, ends.number), upper, row, ends.speed_bps, latency.host_s)
    for level in range(1, shape.levels):
        speed = up_speed(network, level, ends)
        _join(rows, row, shape, level, tiers[level - 1], tiers[level], network, speed, latency.fabric_s)


def _add_switches(
    rows: Rows, network: Network, name: str, row: int, shape: Shape, ends: Endpoints, prefix: str
) -> list[I4]:
    tiers = []
    below = network.leaf
    speed = (network.leaf.down_speed_bps if network.leaf else None) or ends.speed_bps
    for level in range(1, shape.levels + 1):
        tier = getattr(network, TIERS[level - 1]) or below
        if tier is None:
            raise InputError([Problem("", "the leaf's type is not given", "add 'leaf: {type: …}'", ("networks", name))])
        below = tier
        above = up_speed(network, level, ends)
        kind, count = TIERS[level - 1], shape.count(level)
        place = ("networks", name, kind)
        plan = TierPlan(kind, level, tier.type, count, shape.down(level), shape.up(level), speed, above, place)
        per_pod = shape.count(level) // shape.m[-1] if level < shape.levels else count
        pod = np.arange(count) // per_pod if level < shape.levels and shape.levels > 2 else -1
        tiers.append(add_tier(rows, plan, row, prefix + kind, pod))
        speed = above
    return tiers


def _join(
    rows: Rows,
    row: int,
    shape: Shape,
    level: int,
    lower: I4,
    upper: I4,
    network: Network,
    speed: float,
    latency_s: float,
) -> None:
    """Wire level to level + 1: child (subtree H, position x) goes to parents (H div m, x + W j)."""
    m, w, p = shape.m[level], shape.w[level], shape.p[level]
    positions = int(np.prod(shape.w[:level], dtype=np.int64))
    children = lower.reshape(-1, m, positions).transpose(0, 2, 1).reshape(-1, m)
    parents = upper.reshape(-1, w, positions).transpose(0, 2, 1).reshape(-1, w)
    a, z = mesh_ends(children, parents, p, shape.down(level) + 1, network.wiring)
    rows.add_links(a, z, row, speed, latency_s)
