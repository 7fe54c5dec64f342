"""Sizes of fat-trees: from an exact PGFT, from k, or from hosts per leaf, oversubscription and pods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabrictool.errors import InputError, NotSupportedError, Problem
from fabrictool.generators.endpoints import Endpoints
from fabrictool.generators.rows import Ints
from fabrictool.generators.site import TIERS, Site
from fabrictool.generators.tiers import upper_count
from fabrictool.layout.network import Tier


@dataclass(frozen=True, slots=True)
class Shape:
    """A fat-tree as a PGFT: children m, parents w and parallel links p of each level, level 1 at the hosts.

    Of ``trees`` equal ones, if they are joined by their kept uplinks alone.
    """

    m: tuple[int, ...]
    w: tuple[int, ...]
    p: tuple[int, ...]
    trees: int = 1

    @property
    def levels(self) -> int:
        """Levels of switches."""
        return len(self.m)

    def capacity(self) -> int:
        """Host ports that fit."""
        return self.trees * int(np.prod(self.m, dtype=np.int64))

    def count(self, level: int) -> int:
        """Switches of a level, 1 being the leaves."""
        return self.trees * int(np.prod(self.m[level:], dtype=np.int64) * np.prod(self.w[:level], dtype=np.int64))

    def switches(self) -> int:
        """Switches of all levels."""
        return sum(self.count(level) for level in range(1, self.levels + 1))

    def meshes(self, level: int) -> int:
        """Meshes that a level forms with the one below; 1 at the leaves."""
        if level == 1:
            return 1
        return self.count(level) // self.w[level - 1]

    def down(self, level: int) -> int:
        """Ports down of a switch of a level."""
        return self.m[level - 1] * self.p[level - 1]

    def up(self, level: int) -> int:
        """Ports up of a switch of a level."""
        return self.w[level] * self.p[level] if level < self.levels else 0


def fat_tree_shape(site: Site, ends: Endpoints) -> Shape:
    """Return the shape of a fat-tree that takes some host ports.

    Raises
    ------
    InputError
        If ports, levels and hosts do not fit together.
    """
    network, path = site.network, site.path
    given = [key for key in ("pgft", "k") if getattr(network, key) is not None]
    if len(given) > 1 or (given and (network.hosts_per_leaf or network.oversubscription or network.pod)):
        what = f"{' and '.join(given)} fix the whole tree, but another way to size it is given too"
        raise InputError([Problem("", what, "keep one of them", (*path, given[0]))])
    if network.pgft is not None:
        shape = Shape(tuple(network.pgft.m), tuple(network.pgft.w), tuple(network.pgft.p))
        if shape.w[0] * shape.p[0] != 1:
            what = f"w[0] x p[0] is {shape.w[0] * shape.p[0]}, but each host port has one leaf"
            raise InputError([Problem("", what, "start w and p with 1", (*path, "pgft"))])
    elif network.k is not None:
        shape = _k_ary(network.k, network.levels or 3, path)
    else:
        shape = _sized(site, ends)
    if network.levels not in (None, shape.levels):
        what = f"levels is {network.levels}, but the rest describes {shape.levels}"
        raise InputError([Problem("", what, "drop levels", (*path, "levels"))])
    _obeyed(site, shape)
    return shape


def _obeyed(site: Site, shape: Shape) -> None:
    """Refuse what is stated of a tier and differs from the tree that the rest describes."""
    problems = []
    for level, kind in enumerate(TIERS, 1):
        if getattr(site.network, kind) is None:
            continue
        if level > shape.levels:
            what = f"a fat-tree of {shape.levels} levels has no {kind} tier"
            problems.append(Problem("", what, f"remove {kind}, or use 'levels: {level}'", (*site.path, kind)))
            continue
        problems += _tier_obeyed(site, shape, level)
    ratios = site.network.oversubscription or []
    if len(ratios) >= max(shape.levels, 2):
        what = f"{len(ratios)} ratios are given, but {shape.levels - 1} tiers have uplinks"
        fix = "give one ratio for each, from the leaf up"
        problems.append(Problem("", what, fix, (*site.path, "oversubscription")))
    if problems:
        raise InputError(problems)


def _tier_obeyed(site: Site, shape: Shape, level: int) -> list[Problem]:
    kind, tier = TIERS[level - 1], site.tier(level)
    built = {"down": shape.down(level), "up": shape.up(level) if level < shape.levels else tier.up}
    given = {"count": site.count(level), "down": tier.down, "up": tier.up, "groups": tier.groups}
    built |= {"count": shape.count(level), "groups": shape.meshes(level)}
    return [
        Problem("", f"{kind}.{key} is {given[key]}, but the rest describes a tree with {value}",
                f"use {value}, or remove it", (*site.path, kind, key))
        for key, value in built.items()
        if given[key] not in (None, value)
    ]  # fmt: skip


def _k_ary(k: int, levels: int, path: tuple[str, ...]) -> Shape:
    if k % 2:
        raise InputError([Problem("", f"k is {k}, but half of k ports go up", f"use {k - 1} or {k + 1}", (*path, "k"))])
    half = k // 2
    return Shape((half,) * (levels - 1) + (k,), (1,) + (half,) * (levels - 1), (1,) * levels)


def _sized(site: Site, ends: Endpoints) -> Shape:
    """Size the tree from hosts per leaf and oversubscription, by counting ports."""
    network, path = site.network, site.path
    if network.leaf is None:
        raise InputError([Problem("", "the leaf's type is not given", "add 'leaf: {type: …}'", path)])
    site.ports(1, ends.speed_bps)
    alone = network.levels is None and network.spine is None and network.leaf.type.director is not None
    if network.levels == 1 or alone:
        return _one_level(site, ends, network.leaf)
    ratios = network.oversubscription or [1.0]
    down, up = leaf_ports(site, ends, ratios[0])
    leaves = leaf_count(site, ends, down)
    levels = network.levels or (3 if network.core or network.pod or leaves > site.ports(2, ends.speed_bps) else 2)
    if levels > 3:
        what = "a fat-tree of 4 levels is sized by pgft or k alone"
        raise NotSupportedError([Problem("", what, "give pgft: {m, w, p}", (*path, "levels"))])
    if levels == 2:
        spines = _uppers(site, 2, leaves, up, ends)
        return Shape((down, leaves), (1, spines), (1, up // spines))
    return _three_levels(site, ends, ratios, (down, up), leaves)


def leaf_count(site: Site, ends: Endpoints, down: int) -> int:
    """Return the leaves that the layout states, else the fewest that hold the host ports."""
    least = int(places(ends, down)[-1]) // down + 1
    leaves = site.count(1) or least
    if leaves < least:
        what = f"{leaves} leaves of {down} ports hold {leaves * down} host ports, but {len(ends.host)} are attached"
        what += "" if leaves * down < len(ends.host) else ", a host's together at one leaf"
        fix = f"raise leaf.count to {least}, or hosts_per_leaf"
        raise InputError([Problem("", what, fix, (*site.path, "leaf"))])
    return leaves


def _one_level(site: Site, ends: Endpoints, leaf: Tier) -> Shape:
    """Return one leaf, or leaves that only uplinks out of the network join, as in out-of-band networks."""
    count = site.count(1)
    down = leaf.down or (site.network.hosts_per_leaf or 0) * ends.lanes
    if leaf.type.director is not None and count not in (None, 1):
        what = f"{count} directors are stated, but nothing joins them"
        fix = "use one, or leaves of another type with 'spine: {type: " + leaf.type.name + "}' over them"
        raise InputError([Problem("", what, fix, (*site.path, "leaf", "count"))])
    if not leaf.up:
        if count not in (None, 1):
            what = f"{count} leaves are stated, but nothing joins them"
            fix = "use 'levels: 2', or give leaf.up, the ports kept for links out of the network"
            raise InputError([Problem("", what, fix, (*site.path, "leaf", "count"))])
        return Shape((down or max(len(ends.host), 1),), (1,), (1,))
    ports = site.ports(1, ends.speed_bps)
    if leaf.type.director is not None:
        return Shape((down or ports - leaf.up,), (1,), (1,))
    apart = (leaf.type.uplink_speed_bps or 0) >= site.up_speed(1, ends.speed_bps) > leaf.type.cage_speed_bps
    room = ports if apart else ports - leaf.up
    down = down or (-(-len(ends.host) // count) if count else max(room, 1))
    return Shape((down,), (1,), (1,), count or int(places(ends, down)[-1]) // down + 1)


def leaf_ports(site: Site, ends: Endpoints, ratio: float) -> tuple[int, int]:
    """Return the leaf's ports down and up, in links."""
    network, path, leaf = site.network, site.path, site.tier(1)
    down_bps, up_bps = site.up_speed(0, ends.speed_bps), site.up_speed(1, ends.speed_bps)
    hosts = (network.hosts_per_leaf or 0) * ends.lanes
    if leaf.down is not None and hosts not in (0, leaf.down):
        what = f"leaf.down is {leaf.down}, but {network.hosts_per_leaf} hosts a leaf have {hosts} ports"
        raise InputError([Problem("", what, f"use 'down: {hosts}', or remove it", (*path, "leaf", "down"))])
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
    up = int(np.ceil(down * down_bps / up_bps / ratio - 1e-9))
    if leaf.up is not None and network.oversubscription and leaf.up != up:
        what = f"leaf.up is {leaf.up}, but {down} links down at an oversubscription of {ratio:g} take {up} up"
        raise InputError([Problem("", what, "give one of them", (*path, "leaf", "up"))])
    up = up if leaf.up is None else leaf.up
    if up < 1:
        what = "the leaf has no uplinks, so its hosts reach nobody else"
        raise InputError([Problem("", what, "give up 1 or more, or leave it out", (*path, "leaf"))])
    return down, up


def _uppers(site: Site, level: int, lower: int, up: int, ends: Endpoints, groups: int = 1) -> int:
    """Return the number of upper switches of one of ``groups`` meshes: as given, else by the divisor rule."""
    ports, place, total = site.ports(level, ends.speed_bps), site.place(level), site.count(level)
    below = f"{lower} {TIERS[level - 2]} switches"
    need = upper_count(lower, up, ports)
    if total is None:
        if need is None:
            what = f"{below} with {up} uplinks each need more than {up} switches of {ports} ports"
            raise InputError([Problem("", what, "add a level, or choose larger switches", place)])
        return need
    count, rest = divmod(total, groups)
    fits = [n for n in range(need or up + 1, up + 1) if up % n == 0]
    if rest or count not in fits:
        what = f"{total} switches of {ports} ports do not take {up} uplinks evenly from each of {below}"
        what += f", in {groups} groups" if groups > 1 else ""
        fix = f"use one of {', '.join(str(n * groups) for n in fits)}" if fits else "add a level"
        raise InputError([Problem("", what, fix, (*place, "count"))])
    return count


def _three_levels(
    site: Site, ends: Endpoints, ratios: Sequence[float], leaf_ports: tuple[int, int], leaves: int
) -> Shape:
    """Size pods and cores: pods of the size asked for, else as few as hold the leaves, with the fewest switches."""
    ratio = ratios[1] if len(ratios) > 1 else 1.0
    shapes, errors = [], []
    for per_pod in _pod_sizes(site, ends, ratio, leaf_ports[0], leaves):
        try:
            shapes.append(_pods(site, ends, ratio, leaf_ports, leaves, per_pod))
        except InputError as error:
            errors.append(error)
    if not shapes:
        raise errors[-1]
    given = site.count(1)
    return min(shapes, key=lambda shape: (given not in (None, shape.count(1)), shape.switches()))


def _pod_sizes(site: Site, ends: Endpoints, ratio: float, down: int, leaves: int) -> Sequence[int]:
    """Return how many leaves a pod may have."""
    pod, groups = site.network.pod, site.tier(2).groups
    if pod is not None:
        lanes = pod.hosts * ends.lanes
        if lanes % down:
            what = f"a pod of {pod.hosts} hosts does not fill leaves of {down} ports"
            raise InputError([Problem("", what, f"use a multiple of {down // ends.lanes}", (*site.path, "pod"))])
        return [min(lanes // down, leaves)]
    if groups is not None:
        return [-(-leaves // groups)]
    most = min(_half(site, ratio, ends), leaves)
    return range(-(-leaves // -(-leaves // most)), most + 1)


def _pods(site: Site, ends: Endpoints, ratio: float, leaf_ports: tuple[int, int], leaves: int, per_pod: int) -> Shape:
    """Return the tree with pods of some leaves; tiers' counts are totals over all pods."""
    down, up = leaf_ports
    pods = -(-leaves // per_pod)
    spines = _uppers(site, 2, per_pod, up, ends, pods)
    if site.count(2) is None:
        spines = _least_spines(spines, up, per_pod, _half(site, ratio, ends), site.place(2))
    speeds = site.up_speed(1, ends.speed_bps) / site.up_speed(2, ends.speed_bps)
    spine_up = site.tier(2).up or max(1, int(np.ceil(per_pod * up // spines * speeds / ratio - 1e-9)))
    each = _uppers(site, 3, pods, spine_up, ends, spines)
    return Shape((down, per_pod, pods), (1, spines, each), (1, up // spines, spine_up // each))


def _least_spines(least: int, up: int, leaves: int, half: int, path: tuple[str | int, ...]) -> int:
    """Return the smallest divisor of a leaf's uplinks that leaves each spine its ports up."""
    for spines in range(least, up + 1):
        if up % spines == 0 and leaves * up // spines <= half:
            return spines
    what = f"a pod of {leaves} leaves takes all ports of its spines, but {half} of each may go down"
    raise InputError([Problem("", what, f"use pods of at most {half} leaves, or larger spines", path)])


def _half(site: Site, ratio: float, ends: Endpoints) -> int:
    """Return how many of a spine's ports go down when the others carry 1/ratio of them up."""
    return site.tier(2).down or max(1, int(site.ports(2, ends.speed_bps) * ratio / (1 + ratio) + 1e-9))


def places(ends: Endpoints, per_leaf: int) -> Ints:
    """Return each host port's place, counted over all leaves: in order, a host's ports at one leaf if they fit."""
    place = np.arange(len(ends.host))
    ports = np.bincount(ends.host)
    end = np.cumsum(ports)
    apart = (end - 1) // per_leaf != (end - ports) // per_leaf
    if not (apart & (ports <= per_leaf)).any():
        return place
    start, free = [], 0
    for count in ports.tolist():
        left = per_leaf - free % per_leaf
        free += left if left < count <= per_leaf else 0
        start.append(free)
        free += count
    return np.array(start)[ends.host] + ends.lane
