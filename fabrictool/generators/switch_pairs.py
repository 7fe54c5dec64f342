"""Two leaves joined by inter-switch links, as in small converged sites."""

from __future__ import annotations

import numpy as np

from fabrictool.catalogue.types import SwitchType
from fabrictool.errors import InputError, Problem
from fabrictool.generators.endpoints import Endpoints
from fabrictool.generators.groups import raise_all
from fabrictool.generators.rows import Ints, PortPattern
from fabrictool.generators.site import Site
from fabrictool.generators.tiers import ports_per_cage, refuse_director

KEYS = frozenset({"isl", "leaf"})


def switch_pair(site: Site, ends: Endpoints) -> None:
    """Add two leaves: port k of a host goes to leaf k mod 2, and ``isl`` links join the leaves.

    Where ``leaf.down`` is stated, so many ports of each leaf are for hosts, and what is not used yet stays free.

    Parameters
    ----------
    site : Site
    ends : Endpoints

    Raises
    ------
    InputError
        If the leaves have too few ports, no links join them, or the leaf states what a pair does not take.
    """
    raise_all([_foreign_count(site)])
    isl = site.network.isl
    if not isl:
        fix = "add 'isl: 8', the links between the two"
        raise InputError([Problem("", "the number of inter-switch links is not given", fix, site.path)])
    fastest = float(ends.link_bps.max(initial=0.0))
    speed = site.network.speed_bps or fastest
    ends = ends.chosen(np.lexsort((ends.turn, ends.host, -ends.link_bps)))
    side = ends.turn % 2
    kind = site.tier(1).type
    refuse_director(kind, site.place(1))
    wanted = _wanted(site, [ends.link_bps[side == leaf] for leaf in (0, 1)])
    pattern, numbers = _pattern(kind, wanted, isl, speed, site.place(1))
    leaves = site.rows.add_devices(
        2, "leaf", 1, kind.name, site.prefix + "leaf", pattern, kind.latency_s or 0.0, site.row
    )
    for bps, numbered in zip(np.unique(ends.link_bps)[::-1].tolist(), numbers, strict=False):
        for leaf in (0, 1):
            rows = np.flatnonzero((ends.link_bps == bps) & (side == leaf))
            upper = (np.repeat(leaves[leaf], len(rows)), numbered[: len(rows)])
            site.rows.add_links((ends.device[rows], ends.number[rows]), upper, site.row, bps, site.host_latency_s)
    between = numbers[-1]
    first, second = (np.repeat(leaf, isl) for leaf in leaves)
    site.rows.add_links((first, between), (second, between), site.row, speed, site.fabric_latency_s)


def _foreign_count(site: Site) -> Problem | None:
    """Return what the leaf states that a pair does not take."""
    tier = site.tier(1)
    if tier.count not in (None, 2):
        what = f"{tier.count} leaves make no pair"
        return Problem("", what, "remove it, or use 'family: fat-tree'", (*site.place(1), "count"))
    for key in ("up", "groups", "down_speed", "up_speed"):
        if getattr(tier, f"{key}_bps" if "speed" in key else key) is not None:
            what = f"a pair of switches takes no '{key}' of its leaves"
            return Problem("", what, "remove it; 'isl' says how many links join the two", (*site.place(1), key))
    return None


def _wanted(site: Site, sides: list[np.ndarray]) -> list[tuple[float, int]]:
    """Return the host ports of each leaf by speed, fastest first: of both leaves the larger number.

    Raises
    ------
    InputError
        If ``leaf.down`` states fewer than are attached, or ports of several speeds are.
    """
    down, path = site.tier(1).down, (*site.place(1), "down")
    wanted = [(bps, max(int((side == bps).sum()) for side in sides)) for bps in _speeds(sides)]
    if down is None or not wanted:
        return wanted
    if len(wanted) > 1:
        what = f"down is {down}, but host ports of {len(wanted)} speeds are attached"
        raise InputError([Problem("", what, "remove it, or attach ports of one speed", path)])
    bps, used = wanted[0]
    if down < used:
        what = f"down is {down}, but {used} host ports are attached to a leaf"
        raise InputError([Problem("", what, f"use {used} or more, or attach fewer ports", path)])
    return [(bps, down)]


def _pattern(
    kind: SwitchType, wanted: list[tuple[float, int]], isl: int, isl_bps: float, path: tuple[str, ...]
) -> tuple[PortPattern, list[Ints]]:
    """Return the ports of each leaf and the numbers used: of links by falling speed, then of those between.

    ``wanted`` are host ports by falling speed; both leaves are wired alike.
    """
    used: list[Ints] = []
    number, cages, speeds = 1, [], []
    cage = 0
    for bps, count in [*wanted, (isl_bps, isl)]:
        each = ports_per_cage(kind, bps, "leaf", path)
        filled = -(-count // each) * each
        cages.append(cage + np.arange(filled) // each)
        speeds.append(np.full(filled, bps))
        used.append(number + np.arange(count))
        number, cage = number + filled, cage + filled // each
    if cage > kind.cage_count:
        what = f"each leaf needs {cage} cages, but {kind.name} has {kind.cage_count}"
        raise InputError([Problem("", what, "attach fewer ports or hosts, or choose a larger switch", path)])
    each = ports_per_cage(kind, isl_bps, "leaf", path)
    spare = (kind.cage_count - cage) * each
    cages.append(cage + np.arange(spare) // each)
    speeds.append(np.full(spare, isl_bps))
    all_cages = np.concatenate(cages)
    pattern = PortPattern(np.arange(1, len(all_cages) + 1), all_cages, np.concatenate(speeds))
    return pattern, used


def _speeds(sides: list[np.ndarray]) -> list[float]:
    """Return the speeds of host links, fastest first."""
    found: list[float] = np.unique(np.concatenate(sides))[::-1].tolist()
    return found
