"""Dragonfly+: groups of leaves and spines in full meshes, the spines of different groups joined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.generators import groups
from fabrictool.generators.endpoints import Endpoints
from fabrictool.generators.rows import Ints
from fabrictool.generators.site import TIERS, Site
from fabrictool.generators.tiers import mesh_ends
from fabrictool.layout.dragonflies import DragonflyPlus

KEYS = frozenset({"dragonfly_plus", "leaf", "spine"})


@dataclass(frozen=True, slots=True)
class PlusSizes:
    """Of each group: leaves, spines, host ports of a leaf and global ports of a spine; (groups,) int each."""

    leaves: Ints
    spines: Ints
    down: Ints
    up: Ints

    @property
    def global_ports(self) -> Ints:
        """Global ports of each group."""
        return self.spines * self.up

    def runs(self) -> Iterator[tuple[slice, int, int, int, int]]:
        """Yield stretches of equal groups, and the sizes of one."""
        for run in groups.equal_runs(self.leaves, self.spines, self.down, self.up):
            at = run.start
            yield run, int(self.leaves[at]), int(self.spines[at]), int(self.down[at]), int(self.up[at])


def dragonfly_plus(site: Site, ends: Endpoints) -> None:
    """Add the leaves, spines and links of a dragonfly+.

    The global ports of a group are numbered spine by spine; where some stay free, each spine has
    equally many in use, or one less.

    Parameters
    ----------
    site : Site
    ends : Endpoints

    Raises
    ------
    InputError
        If groups, ports and hosts do not fit together.

    References
    ----------
    A. Shpiner, Z. Haramaty, S. Eliad, V. Zdornov, B. Gafni, E. Zahavi, "Dragonfly+: Low Cost Topology
    for Scaling Datacenters", HiPINEB 2017, doi.org/10.1109/HiPINEB.2017.11: with k-port switches,
    k/2 leaves and k/2 spines a group, at most (k/2)^2 + 1 groups.
    """
    shape = site.network.dragonfly_plus
    path = (*site.path, "dragonfly_plus")
    if shape is None:
        fix = "add 'dragonfly_plus: {groups: 9, leaves: 4, spines: 4, hosts_per_leaf: 1, global_per_spine: 2}'"
        raise InputError([Problem("", "the size of the dragonfly+ is not given", fix, site.path)])
    sizes = _sizes(shape, ends.lanes)
    capacity = int((sizes.leaves * sizes.down).sum())
    groups.raise_all(
        [
            *groups.stated_elsewhere(site, "dragonfly_plus"),
            *_too_few_ports(site, sizes, ends.speed_bps),
            _too_many_groups(sizes, shape.links_per_pair or 1, path),
            groups.too_many_hosts(ends, capacity, "add groups or raise hosts_per_leaf", path),
        ]
    )
    _build(site, shape, sizes, ends)


def _sizes(shape: DragonflyPlus, lanes: int) -> PlusSizes:
    """Return the sizes of all groups; ``lanes`` are the attached ports of a host."""
    count = [each.count for each in shape.groups]
    leaves, spines, hosts, up = (
        np.repeat([getattr(shape, key) if getattr(each, key) is None else getattr(each, key) for each in shape.groups],
                  count)
        for key in ("leaves", "spines", "hosts_per_leaf", "global_per_spine")
    )  # fmt: skip
    return PlusSizes(leaves, spines, hosts * lanes, up)


def _build(site: Site, shape: DragonflyPlus, sizes: PlusSizes, ends: Endpoints) -> None:
    number = np.arange(len(sizes.leaves))
    runs = list(sizes.runs())
    lower = [
        site.add(1, len(number[run]) * leaves, down, spines, ends.speed_bps, np.repeat(number[run], leaves))
        for run, leaves, spines, down, _ in runs
    ]
    upper = [
        site.add(2, len(number[run]) * spines, leaves, up, ends.speed_bps, np.repeat(number[run], spines))
        for run, leaves, spines, _, up in runs
    ]
    groups.fill_hosts(site, np.concatenate(lower), np.repeat(sizes.down, sizes.leaves), ends)
    speed = site.up_speed(1, ends.speed_bps)
    for (_, leaves, spines, down, _), below, above in zip(runs, lower, upper, strict=True):
        a, z = mesh_ends(below.reshape(-1, leaves), above.reshape(-1, spines), 1, down + 1)
        site.rows.add_links(a, z, site.row, speed, site.fabric_latency_s)
    pairs = groups.joined_pairs(sizes.global_ports, shape.links_per_pair)
    speed = site.up_speed(2, ends.speed_bps)
    first = sizes.leaves + 1
    groups.link_groups(site, np.concatenate(upper), sizes.spines, first, pairs, shape.arrangement, speed)


def _too_few_ports(site: Site, sizes: PlusSizes, host_bps: float) -> list[Problem]:
    """Say which leaf and which spine have too few ports, the worst of each."""
    leaf, spine = ("hosts_per_leaf", "spines"), ("leaves", "global_per_spine")
    found = [_short_of(site, 1, down, spines, leaf, host_bps) for _, _, spines, down, _ in sizes.runs()]
    found += [_short_of(site, 2, leaves, up, spine, host_bps) for _, leaves, _, _, up in sizes.runs()]
    worst: dict[str, tuple[int, Problem]] = {}
    for short, problem in found:
        key = str(problem.path[-1])
        if short > worst.get(key, (0, problem))[0]:
            worst[key] = short, problem
    return [problem for _, problem in worst.values()]


def _short_of(
    site: Site, level: int, down: int, up: int, words: tuple[str, str], host_bps: float
) -> tuple[int, Problem]:
    """Return how many ports a switch lacks; ``words`` are the keys that say how many it needs."""
    short = up - groups.ports_left(site, level, down, host_bps)
    what = f"a {TIERS[level - 1]} of {down} links down and {up} up does not fit {site.tier(level).type.name}"
    fix = (
        f"free {short} port{'' if short == 1 else 's'} by lowering {words[0]} or {words[1]}, or choose a larger switch"
    )
    return short, Problem("", what, fix, (*site.path, "dragonfly_plus", words[1]))


def _too_many_groups(sizes: PlusSizes, per_pair: int, path: tuple[str, ...]) -> Problem | None:
    """Say that a group has too few global ports to reach all others, if so."""
    at = int(sizes.global_ports.argmin())
    spines, each, ports = int(sizes.spines[at]), int(sizes.up[at]), int(sizes.global_ports[at])
    others = len(sizes.spines) - 1
    if ports >= others * per_pair:
        return None
    links = "a link" if per_pair == 1 else f"{per_pair} links"
    what = f"{spines} spines with {each} global ports have {ports}, too few for {links} "
    what += f"to each of {others} other groups"
    need = -(-others * per_pair // spines)
    most = ports // per_pair + 1
    fix = f"use at most {most} group{'' if most == 1 else 's'}, or global_per_spine of {need} or more"
    return Problem("", what, fix, (*path, "groups"))
