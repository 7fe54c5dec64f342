"""Fat-trees of one to four levels: by hosts per leaf and oversubscription, by k, or as an exact PGFT."""

from __future__ import annotations

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.generators.directors import add_directors
from fabrictool.generators.endpoints import Endpoints
from fabrictool.generators.fat_tree_shape import Shape, fat_tree_shape, places
from fabrictool.generators.rows import Ints
from fabrictool.generators.site import Site
from fabrictool.generators.tree import Joint, raise_tree

KEYS = frozenset(
    {"wiring", "levels", "hosts_per_leaf", "oversubscription", "k", "pgft", "pod", "leaf", "spine", "core", "supercore"}
)


def fat_tree(site: Site, ends: Endpoints) -> None:
    """Add the switches and links of a fat-tree.

    Parameters
    ----------
    site : Site
        Of a network with exactly one of ``pgft``, ``k`` or a leaf with its hosts.
    ends : Endpoints
        Host ports to attach.

    Raises
    ------
    InputError
        If ports, levels and hosts do not fit together.
    """
    shape = fat_tree_shape(site, ends)
    if shape.levels == 1 and site.tier(1).type.director is not None:
        _one_director(site, shape.m[0], ends)
        return
    place = places(ends, shape.m[0])
    if place[-1] >= shape.capacity():
        apart = "" if place[-1] < len(place) else ", leaf by leaf with a host's ports together"
        what = f"{len(place)} host ports do not fit a fat-tree for {shape.capacity()}{apart}"
        raise InputError([Problem("", what, "lower count, or enlarge the tree", site.path)])
    count = shape.count(1)
    pod: Ints | int = np.arange(count) // shape.m[1] if shape.levels > 2 else -1
    up = shape.up(1) if shape.levels > 1 else site.tier(1).up or 0
    leaves = site.add(1, count, shape.down(1), up, ends.speed_bps, pod)
    attach_hosts(site, leaves, shape.m[0], place, ends)
    if shape.levels == 1:
        site.keep_uplinks(1, count * up, ends.speed_bps)
    raise_tree(site, 1, leaves[:, None], shape.down(1), _joints(shape), ends.speed_bps)


def _one_director(site: Site, down: int, ends: Endpoints) -> None:
    """Add a director as the whole tree: hosts fill its leaf chips in order."""
    up = site.tier(1).up or 0
    chips = add_directors(site, 1, 1, down + up, ends.speed_bps)[0]
    per_chip = site.ports(1, ends.speed_bps) // len(chips)
    place = places(ends, per_chip)
    if place[-1] >= len(chips) * per_chip:
        what = f"{len(place)} host ports do not fit the {len(chips)} x {per_chip} ports, a host's together at one chip"
        raise InputError([Problem("", what, "lower count, or choose a larger director", (*site.path, "leaf"))])
    attach_hosts(site, chips, per_chip, place, ends)
    site.keep_uplinks(1, up, ends.speed_bps)


def _joints(shape: Shape) -> list[Joint]:
    """Return a PGFT level by level: child (H, x) goes to parents (H div m, x + W j), each position a group."""
    positions = np.cumprod(shape.w).tolist()
    return [Joint(shape.m[at], positions[at - 1], shape.w[at], shape.p[at]) for at in range(1, shape.levels)]


def attach_hosts(site: Site, leaves: I4, per_leaf: int, place: Ints, ends: Endpoints) -> None:
    """Link host ports to the leaf ports at their places."""
    upper = (leaves[place // per_leaf], place % per_leaf + 1)
    site.rows.add_links((ends.device, ends.number), upper, site.row, ends.speed_bps, site.host_latency_s)
    if site.plane >= 0:
        site.rows.set_rails(ends.port, np.full(len(ends.port), -1), site.plane)
