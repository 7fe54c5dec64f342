"""How large a fat-tree is: by hosts per leaf and oversubscription, by k, or as an exact PGFT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from fabrictool.errors import InputError, NotSupportedError, Problem
from fabrictool.generators.endpoints import Endpoints
from fabrictool.generators.rows import Ints
from fabrictool.generators.tiers import ports_per_cage, upper_count
from fabrictool.layout.model import Network, Tier

TIERS = ("leaf", "spine", "core")


@dataclass(frozen=True, slots=True)
class Shape:
    """A fat-tree as a PGFT: children m, parents w and parallel links p of each level, level 1 at the hosts."""

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

    def switches(self) -> int:
        """Switches of all levels."""
        return sum(self.count(level) for level in range(1, self.levels + 1))

    def down(self, level: int) -> int:
        """Ports down of a switch of a level."""
        return self.m[level - 1] * self.p[level - 1]

    def up(self, level: int) -> int:
        """Ports up of a switch of a level."""
        return self.w[level] * self.p[level] if level < self.levels else 0


def shape_of(network: Network, ends: Endpoints, path: tuple[str, ...]) -> tuple[Shape, int]:
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
    _obeyed(network, shape, path)
    return shape, shape.m[0]


def _obeyed(network: Network, shape: Shape, path: tuple[str, ...]) -> None:
    """Refuse what is stated of a tier and differs from the tree that the rest describes."""
    problems = []
    for level, kind in enumerate(TIERS, 1):
        tier = getattr(network, kind)
        if tier is None:
            continue
        if level > shape.levels:
            what = f"a fat-tree of {shape.levels} levels has no {kind} tier"
            problems.append(Problem("", what, f"remove {kind}, or use 'levels: {level}'", (*path, kind)))
            continue
        built = {"count": shape.count(level), "down": shape.down(level), "up": shape.up(level)}
        for key, value in built.items():
            given = getattr(tier, key)
            if given not in (None, value):
                what = f"{kind}.{key} is {given}, but the rest describes a tree with {value}"
                problems.append(Problem("", what, f"use {value}, or remove it", (*path, kind, key)))
        if tier.groups not in (None, 1):
            what = f"{kind}s in {tier.groups} groups are not supported yet"
            problems.append(Problem("", what, "remove it", (*path, kind, "groups")))
    ratios = network.oversubscription or []
    if len(ratios) >= shape.levels:
        what = f"{len(ratios)} ratios are given, but {shape.levels - 1} tiers have uplinks"
        problems.append(Problem("", what, "give one ratio for each, from the leaf up", (*path, "oversubscription")))
    if problems:
        raise InputError(problems)


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
    least = int(places(ends, down)[-1]) // down + 1
    leaves = network.leaf.count or least
    if leaves < least:
        what = f"{leaves} leaves of {down} ports hold {leaves * down} host ports, but {len(ends.host)} are attached"
        raise InputError([Problem("", what, "raise leaf.count or hosts_per_leaf", (*path, "leaf"))])
    spine = network.spine or Tier(type=network.leaf.type)
    ports = _ports(spine, up_speed(network, 1, ends), (*path, "spine" if network.spine else "leaf"))
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
    down_bps, up_bps = leaf.down_speed_bps or ends.speed_bps, up_speed(network, 1, ends)
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


def _uppers(
    tier: Tier, lower: int, up: int, ports: int, path: tuple[str, ...], what_below: str, groups: int = 1
) -> int:
    """Return the number of upper switches of one of ``groups`` meshes: as given, else by the divisor rule."""
    need = upper_count(lower, up, ports)
    if tier.count is None:
        if need is None:
            what = f"{lower} {what_below} with {up} uplinks each need more than {up} switches of {ports} ports"
            raise InputError([Problem("", what, "add a level, or choose larger switches", path)])
        return need
    count, rest = divmod(tier.count, groups)
    fits = [n for n in range(need or up + 1, up + 1) if up % n == 0]
    if rest or count not in fits:
        what = (
            f"{tier.count} switches of {ports} ports do not take {up} uplinks evenly from each of {lower} {what_below}"
        )
        what += f", in {groups} groups" if groups > 1 else ""
        fix = f"use one of {', '.join(str(n * groups) for n in fits)}" if fits else "add a level"
        raise InputError([Problem("", what, fix, (*path, "count"))])
    return count


def _three_levels(
    network: Network, ends: Endpoints, ratios: Sequence[float], down: int, up: int, leaves: int, path: tuple[str, ...]
) -> Shape:
    """Size pods and cores: pods of the size asked for, else as few as hold the leaves, with the fewest switches."""
    assert network.leaf is not None
    spine = network.spine or Tier(type=network.leaf.type)
    ratio = ratios[1] if len(ratios) > 1 else 1.0
    if network.pod is not None:
        sizes: Sequence[int] = [min(_leaves_per_pod(network.pod.hosts, ends, down, path), leaves)]
    else:
        most = min(_half(spine, ratio, ends, network), leaves)
        sizes = range(-(-leaves // -(-leaves // most)), most + 1)
    shapes, errors = [], []
    for per_pod in sizes:
        try:
            shapes.append(_pods(network, ends, spine, ratio, (down, up), leaves, per_pod, path))
        except InputError as error:
            errors.append(error)
    if not shapes:
        raise errors[-1]
    given = network.leaf.count
    return min(shapes, key=lambda shape: (given not in (None, shape.count(1)), shape.switches()))


def _pods(
    network: Network, ends: Endpoints, spine: Tier, ratio: float, leaf_ports: tuple[int, int], leaves: int,
    per_pod: int, path: tuple[str, ...],
) -> Shape:  # fmt: skip
    """Return the tree with pods of some leaves; tiers' counts are totals over all pods."""
    down, up = leaf_ports
    pods = -(-leaves // per_pod)
    down_bps, up_bps = up_speed(network, 1, ends), up_speed(network, 2, ends)
    spines = _uppers(
        spine, per_pod, up, _ports(spine, down_bps, (*path, "spine")), (*path, "spine"), "leaves of a pod", pods
    )
    if spine.count is None:
        spines = _least_spines(spines, up, per_pod, _half(spine, ratio, ends, network), (*path, "spine"))
    spine_up = spine.up or max(1, int(np.ceil(per_pod * up // spines * down_bps / up_bps / ratio - 1e-9)))
    core = network.core or Tier(type=spine.type)
    each = _uppers(core, pods, spine_up, _ports(core, up_bps, (*path, "core")), (*path, "core"), "pods", spines)
    return Shape((down, per_pod, pods), (1, spines, each), (1, up // spines, spine_up // each))


def _least_spines(least: int, up: int, leaves: int, half: int, path: tuple[str | int, ...]) -> int:
    """Return the smallest divisor of a leaf's uplinks that leaves each spine its ports up."""
    for spines in range(least, up + 1):
        if up % spines == 0 and leaves * up // spines <= half:
            return spines
    what = f"a pod of {leaves} leaves takes all ports of its spines, but {half} of each may go down"
    raise InputError([Problem("", what, f"use pods of at most {half} leaves, or larger spines", path)])


def _half(spine: Tier, ratio: float, ends: Endpoints, network: Network) -> int:
    """Return how many of a spine's ports go down when the others carry 1/ratio of them up."""
    ports = _ports(spine, up_speed(network, 1, ends), ("networks", "spine"))
    return spine.down or max(1, int(ports * ratio / (1 + ratio) + 1e-9))


def _leaves_per_pod(hosts: int, ends: Endpoints, down: int, path: tuple[str, ...]) -> int:
    lanes = hosts * ends.lanes
    if lanes % down:
        what = f"a pod of {hosts} hosts does not fill leaves of {down} ports"
        raise InputError([Problem("", what, f"use a multiple of {down // ends.lanes}", (*path, "pod"))])
    return lanes // down


def _ports(tier: Tier, speed_bps: float, path: tuple[str | int, ...]) -> int:
    """Return the ports of a tier's switch when all are broken out to a speed."""
    return tier.type.cage_count * ports_per_cage(tier.type, speed_bps, str(path[-1]), path)


def up_speed(network: Network, level: int, ends: Endpoints) -> float:
    """Return the speed of the links above a level, in bit/s: stated by either tier, else the network's."""
    lower = getattr(network, TIERS[level - 1])
    upper = getattr(network, TIERS[level]) if level < len(TIERS) else None
    if lower is not None and lower.up_speed_bps is not None:
        return float(lower.up_speed_bps)
    if upper is not None and upper.down_speed_bps is not None:
        return float(upper.down_speed_bps)
    return ends.speed_bps if level == 1 else up_speed(network, level - 1, ends)


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
