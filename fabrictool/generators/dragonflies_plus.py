"""Dragonfly+: groups of leaves and spines in full meshes, the spines of different groups joined."""

from __future__ import annotations

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.generators import groups
from fabrictool.generators.endpoints import Endpoints
from fabrictool.generators.site import TIERS, Site
from fabrictool.generators.tiers import mesh_ends
from fabrictool.layout.dragonflies import DragonflyPlus

KEYS = frozenset({"dragonfly_plus", "leaf", "spine"})


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
    down = shape.hosts_per_leaf * ends.lanes
    capacity = shape.groups * shape.leaves * down
    groups.raise_all(
        [
            *groups.stated_elsewhere(site, "dragonfly_plus"),
            _too_few_ports(site, 1, down, shape.spines, ("hosts_per_leaf", "spines"), ends.speed_bps),
            _too_few_ports(
                site, 2, shape.leaves, shape.global_per_spine, ("leaves", "global_per_spine"), ends.speed_bps
            ),
            _too_many_groups(shape, path),
            groups.too_many_hosts(ends, capacity, "add groups or raise hosts_per_leaf", path),
        ]
    )
    _build(site, shape, down, ends)


def _build(site: Site, shape: DragonflyPlus, down: int, ends: Endpoints) -> None:
    number = np.arange(shape.groups)
    count = shape.groups * shape.leaves
    leaves = site.add(1, count, down, shape.spines, ends.speed_bps, np.repeat(number, shape.leaves))
    count = shape.groups * shape.spines
    spines = site.add(2, count, shape.leaves, shape.global_per_spine, ends.speed_bps, np.repeat(number, shape.spines))
    groups.fill_hosts(site, leaves, np.full(len(leaves), down), ends)
    lower, upper = leaves.reshape(shape.groups, -1), spines.reshape(shape.groups, -1)
    a, z = mesh_ends(lower, upper, 1, down + 1)
    site.rows.add_links(a, z, site.row, site.up_speed(1, ends.speed_bps), site.fabric_latency_s)
    sizes = np.full(shape.groups, shape.spines)
    pairs = groups.joined_pairs(sizes * shape.global_per_spine, shape.links_per_pair)
    first = np.full(shape.groups, shape.leaves + 1)
    speed = site.up_speed(2, ends.speed_bps)
    groups.link_groups(site, spines, sizes, first, pairs, shape.arrangement, speed)


def _too_few_ports(
    site: Site, level: int, down: int, up: int, words: tuple[str, str], host_bps: float
) -> Problem | None:
    """Say that a switch has too few ports, if so; ``words`` are the keys that say how many it needs."""
    short = up - groups.ports_left(site, level, down, host_bps)
    if short <= 0:
        return None
    what = f"a {TIERS[level - 1]} of {down} links down and {up} up does not fit {site.tier(level).type.name}"
    fix = (
        f"free {short} port{'' if short == 1 else 's'} by lowering {words[0]} or {words[1]}, or choose a larger switch"
    )
    return Problem("", what, fix, (*site.path, "dragonfly_plus", words[1]))


def _too_many_groups(shape: DragonflyPlus, path: tuple[str, ...]) -> Problem | None:
    """Say that groups have too few global ports to reach all others, if so."""
    ports, per_pair = shape.spines * shape.global_per_spine, shape.links_per_pair or 1
    others = shape.groups - 1
    if ports >= others * per_pair:
        return None
    links = "a link" if per_pair == 1 else f"{per_pair} links"
    what = f"{shape.spines} spines with {shape.global_per_spine} global ports have {ports}, too few for {links} "
    what += f"to each of {others} other groups"
    need = -(-others * per_pair // shape.spines)
    most = ports // per_pair + 1
    fix = f"use at most {most} group{'' if most == 1 else 's'}, or global_per_spine of {need} or more"
    return Problem("", what, fix, (*path, "groups"))
