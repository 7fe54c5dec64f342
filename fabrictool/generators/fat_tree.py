"""Fat-trees of two and three levels: by hosts per leaf and oversubscription, by k, or as an exact PGFT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from fabrictool.errors import InputError, NotSupportedError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.generators.endpoints import Endpoints
from fabrictool.generators.latency import LinkLatency
from fabrictool.generators.rows import Ints, Rows
from fabrictool.generators.tiers import TierPlan, add_tier, mesh_ends, upper_count
from fabrictool.layout.model import Network, Tier

KEYS = frozenset({"levels", "hosts_per_leaf", "oversubscription", "k", "pgft", "pod", "leaf", "spine", "core"})
_TIERS = ("leaf", "spine", "core")


@dataclass(frozen=True, slots=True)
class Shape:
    """A fat-tree as a PGFT: children m, parents w and parallel links p of each level, level 1 at the hosts.

    ``subtrees`` switches groups of the top level that really exist: fewer than ``m[-1]`` children
    may be there.
    """

    m: tuple[int, ...]
    w: tuple[int, ...]
    p: tuple[int, ...]

    @property
    def levels(self) -> int:
        """Levels of switches."""
        return len(self.m)

    def capacity(self) -> int:
        """Host ports that fit."""
        return int(np.prod(self.m, dtype=np.int64))

    def count(self, level: int) -> int:
        """Switches of a level, 1 being the leaves."""
        return int(np.prod(self.m[level:], dtype=np.int64) * np.prod(self.w[:level], dtype=np.int64))

    def down(self, level: int) -> int:
        """Ports down of a switch of a level."""
        return self.m[level - 1] * self.p[level - 1]

    def up(self, level: int) -> int:
        """Ports up of a switch of a level."""
        return self.w[level] * self.p[level] if level < self.levels else 0


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
    shape, lanes_per_leaf = _shape(network, ends, path)
    if ends.host_count and len(ends.host) > shape.capacity():
        what = f"{len(ends.host)} host ports do not fit a fat-tree for {shape.capacity()}"
        raise InputError([Problem("", what, "lower count, or enlarge the tree", path)])
    tiers = _add_switches(rows, network, name, row, shape, ends, prefix)
    _attach_hosts(rows, row, tiers[0], lanes_per_leaf, ends, latency)
    for level in range(1, shape.levels):
        speed = _up_speed(network, level, ends)
        _join(rows, row, shape, level, tiers[level - 1], tiers[level], network, speed, latency.fabric_s)


def _shape(network: Network, ends: Endpoints, path: tuple[str, ...]) -> tuple[Shape, int]:
    """Return the tree's shape and how many host ports one leaf takes."""
    given = [key for key in ("pgft", "k") if getattr(network, key) is not None]
    if len(given) > 1 or (given and (network.hosts_per_leaf or network.oversubscription or network.pod)):
        what = f"{' and '.join(given)} fix the whole tree, but another way to size it is given too"
        raise InputError([Problem("", what, "keep one of them", (*path, given[0]))])
    if network.pgft is not None:
        shape = Shape(tuple(network.pgft.m), tuple(network.pgft.w), tuple(network.pgft.p))
        if shape.w[0] * shape.p[0] != 1:
            what = f"w[0] x p[0] is {shape.w[0] * shape.p[0]}, but each host port has one leaf"
            raise InputError([Problem("", what, "start w and p with 1", (*path, "pgft"))])
        if not 2 <= shape.levels <= 3:
            _unsupported_levels(shape.levels, (*path, "pgft"))
    elif network.k is not None:
        shape = _k_ary(network.k, network.levels or 3, path)
    else:
        shape = _sized(network, ends, path)
    if network.levels not in (None, shape.levels):
        what = f"levels is {network.levels}, but the rest describes {shape.levels}"
        raise InputError([Problem("", what, "drop levels", (*path, "levels"))])
    return shape, shape.m[0]


def _unsupported_levels(levels: int, path: tuple[str | int, ...]) -> NoReturn:
    what = f"a fat-tree of {levels} levels"
    raise NotSupportedError([Problem("", f"{what} is not supported yet", "use 2 or 3 levels", path)])


def _k_ary(k: int, levels: int, path: tuple[str, ...]) -> Shape:
    if k % 2:
        raise InputError([Problem("", f"k is {k}, but half of k ports go up", f"use {k - 1} or {k + 1}", (*path, "k"))])
    if not 2 <= levels <= 3:
        _unsupported_levels(levels, (*path, "levels"))
    half = k // 2
    return Shape((half,) * (levels - 1) + (k,), (1,) + (half,) * (levels - 1), (1,) * levels)


def _sized(network: Network, ends: Endpoints, path: tuple[str, ...]) -> Shape:
    """Size the tree from hosts per leaf and oversubscription, by counting ports."""
    if network.leaf is None:
        raise InputError([Problem("", "the leaf's type is not given", "add 'leaf: {type: …}'", path)])
    ratios = network.oversubscription or [1.0]
    down, up = _leaf_ports(network, ends, ratios[0], path)
    leaves = network.leaf.count or max(1, -(-len(ends.host) // down))
    if leaves * down < len(ends.host):
        what = f"{leaves} leaves of {down} ports hold {leaves * down} host ports, but {len(ends.host)} are attached"
        raise InputError([Problem("", what, "raise leaf.count or hosts_per_leaf", (*path, "leaf"))])
    spine = network.spine or network.leaf
    ports = _ports(spine, _up_speed(network, 1, ends))
    levels = network.levels or (3 if network.core or network.pod or leaves > ports else 2)
    if not 2 <= levels <= 3:
        _unsupported_levels(levels, (*path, "levels"))
    if levels == 2:
        spines = _uppers(spine, leaves, up, ports, (*path, "spine"), "leaves")
        return Shape((down, leaves), (1, spines), (1, up // spines))
    return _three_levels(network, ends, ratios, down, up, leaves, path)


def _leaf_ports(network: Network, ends: Endpoints, ratio: float, path: tuple[str, ...]) -> tuple[int, int]:
    """Return the leaf's ports down and up, in links."""
    leaf = network.leaf
    assert leaf is not None
    down_bps, up_bps = leaf.down_speed_bps or ends.speed_bps, _up_speed(network, 1, ends)
    if leaf.down is not None:
        down = leaf.down
    elif network.hosts_per_leaf is not None:
        down = network.hosts_per_leaf * ends.lanes
    else:
        capacity = leaf.type.ports * leaf.type.speed_bps
        down = int(capacity * ratio / (1 + ratio) / down_bps / ends.lanes + 1e-9) * ends.lanes
    if down < 1:
        what = f"no host fits a {leaf.type.name}: a host has {ends.lanes} ports here"
        raise InputError([Problem("", what, "choose a larger leaf or give hosts_per_leaf", (*path, "leaf"))])
    up = leaf.up if leaf.up is not None else int(np.ceil(down * down_bps / up_bps / ratio - 1e-9))
    if up < 1:
        what = "the leaf has no uplinks, so its hosts reach nobody else"
        raise InputError([Problem("", what, "give up 1 or more, or leave it out", (*path, "leaf"))])
    return down, up


def _uppers(tier: Tier, lower: int, up: int, ports: int, path: tuple[str, ...], what_below: str) -> int:
    """Return the number of upper switches: as given, else by the divisor rule."""
    if tier.count is None:
        count = upper_count(lower, up, ports)
        if count is None:
            what = f"{lower} {what_below} with {up} uplinks each need more than {up} switches of {ports} ports"
            raise InputError([Problem("", what, "add a level, or choose larger switches", path)])
        return count
    if up % tier.count:
        divisors = [n for n in range(1, up + 1) if up % n == 0]
        given = tier.count
        close = min(divisors, key=lambda n: abs(n - given))
        what = f"{up} uplinks do not spread evenly over {tier.count} switches"
        raise InputError([Problem("", what, f"use a divisor of {up}, such as {close}", (*path, "count"))])
    if lower * up > tier.count * ports:
        need = upper_count(lower, up, ports)
        what = (
            f"{lower} {what_below} bring {lower * up} links, but {tier.count} switches have {tier.count * ports} ports"
        )
        raise InputError([Problem("", what, f"use {need} switches" if need else "add a level", (*path, "count"))])
    return tier.count


def _three_levels(
    network: Network, ends: Endpoints, ratios: Sequence[float], down: int, up: int, leaves: int, path: tuple[str, ...]
) -> Shape:
    """Size pods and cores: as many spines as a leaf has uplinks, half of a spine's ports down at 1:1."""
    assert network.leaf is not None
    spine, core = network.spine or network.leaf, network.core or network.spine or network.leaf
    ratio = ratios[1] if len(ratios) > 1 else 1.0
    up_bps = _up_speed(network, 2, ends)
    spine_ports = spine.type.ports * spine.type.speed_bps
    per_pod = _leaves_per_pod(network, ends, down, spine, spine_ports, ratio, path)
    per_pod = min(per_pod, leaves)
    spines = _uppers(
        spine, per_pod, up, _ports(spine, _up_speed(network, 1, ends)), (*path, "spine"), "leaves of a pod"
    )
    if spine.count is None:
        spines = max(
            spines,
            min(
                n
                for n in range(spines, up + 1)
                if up % n == 0 and per_pod * up // n <= _half(spine, ratio, ends, network)
            ),
        )
    spine_down = per_pod * up // spines
    spine_up = spine.up or max(1, int(np.ceil(spine_down * _up_speed(network, 1, ends) / up_bps / ratio - 1e-9)))
    pods = -(-leaves // per_pod)
    each = _uppers(Tier(type=core.type, count=None), pods, spine_up, _ports(core, up_bps), (*path, "core"), "pods")
    if core.count is not None and core.count != each * spines:
        what = f"{core.count} cores, but {spines} spines a pod with {spine_up} uplinks each take {each * spines}"
        raise InputError([Problem("", what, f"use {each * spines} or drop count", (*path, "core", "count"))])
    return Shape((down, per_pod, pods), (1, spines, each), (1, up // spines, spine_up // each))


def _half(spine: Tier, ratio: float, ends: Endpoints, network: Network) -> int:
    """Return how many of a spine's ports go down when the others carry 1/ratio of them up."""
    ports = _ports(spine, _up_speed(network, 1, ends))
    return spine.down or max(1, int(ports * ratio / (1 + ratio) + 1e-9))


def _leaves_per_pod(
    network: Network, ends: Endpoints, down: int, spine: Tier, spine_ports: float, ratio: float, path: tuple[str, ...]
) -> int:
    if network.pod is not None:
        lanes = network.pod.hosts * ends.lanes
        if lanes % down:
            what = f"a pod of {network.pod.hosts} hosts does not fill leaves of {down} ports"
            raise InputError([Problem("", what, f"use a multiple of {down // ends.lanes}", (*path, "pod"))])
        return lanes // down
    return _half(spine, ratio, ends, network)


def _ports(tier: Tier, speed_bps: float) -> int:
    """Return the ports of a tier's switch when all are broken out to a speed."""
    return tier.type.cage_count * int(tier.type.cage_speed_bps / speed_bps * (1 + 1e-9))


def _up_speed(network: Network, level: int, ends: Endpoints) -> float:
    """Return the speed of the links above a level, in bit/s: stated by either tier, else the network's."""
    lower = getattr(network, _TIERS[level - 1])
    upper = getattr(network, _TIERS[level]) if level < len(_TIERS) else None
    if lower is not None and lower.up_speed_bps is not None:
        return float(lower.up_speed_bps)
    if upper is not None and upper.down_speed_bps is not None:
        return float(upper.down_speed_bps)
    return ends.speed_bps if level == 1 else _up_speed(network, level - 1, ends)


def _add_switches(
    rows: Rows, network: Network, name: str, row: int, shape: Shape, ends: Endpoints, prefix: str
) -> list[I4]:
    tiers = []
    below = network.leaf
    speed = (network.leaf.down_speed_bps if network.leaf else None) or ends.speed_bps
    for level in range(1, shape.levels + 1):
        tier = getattr(network, _TIERS[level - 1]) or below
        if tier is None:
            raise InputError([Problem("", "the leaf's type is not given", "add 'leaf: {type: …}'", ("networks", name))])
        below = tier
        up_speed = _up_speed(network, level, ends)
        kind, count = _TIERS[level - 1], shape.count(level)
        place = ("networks", name, kind)
        plan = TierPlan(kind, level, tier.type, count, shape.down(level), shape.up(level), speed, up_speed, place)
        per_pod = shape.count(level) // shape.m[-1] if level < shape.levels else count
        pod = np.arange(count) // per_pod if level < shape.levels and shape.levels > 2 else -1
        tiers.append(add_tier(rows, plan, row, prefix + kind, pod))
        speed = up_speed
    return tiers


def _attach_hosts(rows: Rows, row: int, leaves: I4, per_leaf: int, ends: Endpoints, latency: LinkLatency) -> None:
    """Fill the leaves port by port, keeping a host's ports together where they fit."""
    place = np.arange(len(ends.host))
    if ends.lanes > 1 and per_leaf % ends.lanes:
        whole = per_leaf // ends.lanes
        if whole:
            place = (ends.host // whole) * per_leaf + (ends.host % whole) * ends.lanes + ends.lane
    leaf: Ints = place // per_leaf
    upper = (leaves[leaf], place % per_leaf + 1)
    rows.add_links((ends.device, ends.number), upper, row, ends.speed_bps, latency.host_s)


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
