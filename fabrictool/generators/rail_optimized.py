"""Rail-optimized fabrics of two levels: port r of every host of a scalable unit meets on leaf r."""

from __future__ import annotations

import numpy as np

from fabrictool.errors import InputError, NotSupportedError, Problem
from fabrictool.generators.endpoints import Endpoints
from fabrictool.generators.latency import LinkLatency
from fabrictool.generators.rows import Rows
from fabrictool.generators.tiers import TierPlan, add_tier, mesh_ends, upper_count
from fabrictool.layout.model import Network, Tier

KEYS = frozenset({"rails", "scalable_unit", "oversubscription", "levels", "leaf", "spine"})


def rail_optimized(
    rows: Rows, network: Network, name: str, row: int, ends: Endpoints, latency: LinkLatency, prefix: str
) -> None:
    """Add leaves, spines and links; leaves and spines are those of full scalable units.

    Leaf index is su x rails + rail; hosts fill the units in order, the last may be short.
    Spines are the next divisor of a leaf's uplinks, as in the published designs.

    Parameters
    ----------
    rows, network, name, row, ends, latency, prefix
        As of ``fat_tree``.

    Raises
    ------
    InputError
        If hosts, rails and ports do not fit together.
    """
    path = ("networks", name)
    rails, hosts_per_su, leaf = _required(network, ends, path)
    ratio = (network.oversubscription or [1.0])[0]
    down_bps = leaf.down_speed_bps or ends.speed_bps
    up_bps = leaf.up_speed_bps or (network.spine.down_speed_bps if network.spine else None) or ends.speed_bps
    up = int(np.ceil(hosts_per_su * down_bps / up_bps / ratio - 1e-9))
    if leaf.up is not None and network.oversubscription and leaf.up != up:
        what = f"leaf.up is {leaf.up}, but {hosts_per_su} links down at an oversubscription of {ratio:g} take {up} up"
        raise InputError([Problem("", what, "give one of them", (*path, "leaf", "up"))])
    up = up if leaf.up is None else leaf.up
    if up < 1:
        what = "the leaf has no uplinks, so a rail reaches no other"
        fix = "leave up out, or use the family rail-only for rails without spines"
        raise InputError([Problem("", what, fix, (*path, "leaf", "up"))])
    units = -(-ends.host_count // hosts_per_su)
    leaves = units * rails
    _obeyed(network, leaves, path)
    spine = network.spine or Tier(type=leaf.type)
    spines = _spines(spine, leaves, up, up_bps, path)
    reserve = network.scalable_unit.reserve if network.scalable_unit else 0
    down = hosts_per_su + reserve
    plan = TierPlan("leaf", 1, leaf.type, leaves, down, up, down_bps, up_bps, (*path, "leaf"))
    place = np.arange(leaves)
    leaf_rows = add_tier(rows, plan, row, prefix + "leaf", place // rails, place % rails)
    parallel = up // spines
    plan = TierPlan("spine", 2, spine.type, spines, leaves * parallel, 0, up_bps, up_bps, (*path, "spine"))
    spine_rows = add_tier(rows, plan, row, prefix + "spine")
    at = leaf_rows[ends.host // hosts_per_su * rails + ends.lane]
    lower = (ends.device, ends.number)
    rows.add_links(lower, (at, ends.host % hosts_per_su + 1), row, ends.speed_bps, latency.host_s)
    rows.set_rails(ends.port, ends.lane)
    a, z = mesh_ends(leaf_rows[None, :], spine_rows[None, :], parallel, down + 1, network.wiring)
    rows.add_links(a, z, row, up_bps, latency.fabric_s)


def _required(network: Network, ends: Endpoints, path: tuple[str, ...]) -> tuple[int, int, Tier]:
    problems = []
    if network.leaf is None:
        problems.append(Problem("", "the leaf's type is not given", "add 'leaf: {type: …}'", path))
    if network.scalable_unit is None:
        fix = "add 'scalable_unit: {hosts: 32}'"
        problems.append(Problem("", "the size of a scalable unit is not given", fix, path))
    if network.levels not in (None, 2):
        what = f"a rail-optimized fabric of {network.levels} levels is not supported yet"
        raise NotSupportedError([Problem("", what, "use 2 levels", (*path, "levels"))])
    rails = network.rails or ends.lanes
    if ends.lanes > rails:
        what = f"a host has {ends.lanes} attached ports, but there are {rails} rails"
        problems.append(Problem("", what, f"use 'rails: {ends.lanes}', or attach fewer ports", (*path, "rails")))
    if problems or network.leaf is None or network.scalable_unit is None:
        raise InputError(problems)
    if network.leaf.down is not None and network.leaf.down != network.scalable_unit.hosts:
        what = f"leaf.down is {network.leaf.down}, but a scalable unit has {network.scalable_unit.hosts} hosts"
        fix = f"use 'down: {network.scalable_unit.hosts}'; other splits are not supported yet"
        raise NotSupportedError([Problem("", what, fix, (*path, "leaf", "down"))])
    return rails, network.scalable_unit.hosts, network.leaf


def _obeyed(network: Network, leaves: int, path: tuple[str, ...]) -> None:
    """Refuse what is stated of a tier and would not be built."""
    problems = []
    for kind, tier in (("leaf", network.leaf), ("spine", network.spine)):
        if tier is not None and tier.groups not in (None, 1):
            what = f"{tier.groups} groups of a {kind} tier are not supported yet"
            problems.append(Problem("", what, "remove it", (*path, kind, "groups")))
    if network.leaf is not None and network.leaf.count not in (None, leaves):
        what = f"leaf.count is {network.leaf.count}, but hosts, scalable units and rails take {leaves} leaves"
        problems.append(Problem("", what, f"use {leaves}, or remove it", (*path, "leaf", "count")))
    for key in ("down", "up"):
        if network.spine is not None and getattr(network.spine, key) is not None:
            what = f"'{key}' of spines is not supported yet"
            problems.append(Problem("", what, "remove it", (*path, "spine", key)))
    if network.oversubscription and len(network.oversubscription) > 1:
        what = f"{len(network.oversubscription)} ratios are given, but only the leaves have uplinks"
        problems.append(Problem("", what, "give one", (*path, "oversubscription")))
    if problems:
        raise InputError(problems)


def _spines(spine: Tier, leaves: int, up: int, speed_bps: float, path: tuple[str, ...]) -> int:
    ports = spine.type.cage_count * int(spine.type.cage_speed_bps / speed_bps * (1 + 1e-9))
    least = upper_count(leaves, up, ports) if ports else None
    if least is None:
        what = f"{leaves} leaves with {up} uplinks each do not fit under spines of {ports} ports"
        fix = f"at most {ports} leaves: use larger spines or fewer scalable units; a core tier is not supported yet"
        raise InputError([Problem("", what, fix, (*path, "spine"))])
    if spine.count is None:
        return least
    if up % spine.count or spine.count < least:
        fits = [n for n in range(least, up + 1) if up % n == 0]
        what = f"{leaves * up} uplinks do not spread evenly over {spine.count} spines of {ports} ports"
        raise InputError([Problem("", what, f"use one of {', '.join(map(str, fits))}", (*path, "spine", "count"))])
    return spine.count
