"""Rail-optimized and rail-only fabrics: port r of every host of a scalable unit meets on rail r.

A plane's leaves are counted su by su, rail by rail; a rail of a unit may have several leaves over
consecutive hosts, or neighbouring rails may share a leaf. Spines stand over equal groups of leaves,
in order of rail, unit and leaf, so that groups are whole rails or parts of one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.generators.endpoints import Endpoints
from fabrictool.generators.rows import Ints
from fabrictool.generators.site import Site
from fabrictool.generators.tiers import upper_count
from fabrictool.generators.tree import Joint, chunks, divided, raise_tree, top_joint

KEYS = frozenset({"wiring", "rails", "scalable_unit", "oversubscription", "levels", "leaf", "spine", "core"})
RAIL_ONLY_KEYS = frozenset({"wiring", "rails", "scalable_unit", "oversubscription", "levels", "leaf", "spine"})


@dataclass(frozen=True, slots=True)
class RailPlan:
    """Leaves of one plane.

    Parameters
    ----------
    rails, hosts : int
        Rails, and hosts of a scalable unit.
    units : int
        Scalable units, the last of which may be short of hosts.
    per_leaf : int
        Hosts of one rail on one leaf.
    shared : int
        Neighbouring rails on one leaf.
    reserve : int
        Ports of a leaf kept for more hosts.
    up : int
        Links up of a leaf.
    """

    rails: int
    hosts: int
    units: int
    per_leaf: int
    shared: int
    reserve: int
    up: int

    @property
    def blocks(self) -> int:
        """Leaves of a rail of a unit."""
        return -(-self.hosts // self.per_leaf)

    @property
    def columns(self) -> int:
        """Leaves of a unit."""
        return self.rails // self.shared * self.blocks

    @property
    def leaves(self) -> int:
        """Leaves of the plane."""
        return self.units * self.columns

    @property
    def down(self) -> int:
        """Ports down of a leaf."""
        return self.per_leaf * self.shared + self.reserve

    def by_rail(self) -> Ints:
        """Return the leaves in order of rail, unit and block."""
        order = np.arange(self.leaves).reshape(self.units, self.rails // self.shared, self.blocks)
        return order.transpose(1, 0, 2).ravel()


def rail_optimized(site: Site, ends: Endpoints) -> None:
    """Add leaves, spines and, for more leaves than spines have ports, cores; sized for full scalable units.

    Spines are the next divisor of a leaf's uplinks, as in the published designs.

    Parameters
    ----------
    site : Site
    ends : Endpoints
        Host ports to attach; port r of a host is on rail r.

    Raises
    ------
    InputError
        If hosts, rails and ports do not fit together.
    """
    _obeyed(site)
    plan, ends = rail_plan(site, ends)
    leaves = add_rail_leaves(site, plan, ends)
    joints, lower = _upper_tiers(site, plan, leaves, ends)
    raise_tree(site, 1, lower[:, None], plan.down, joints, ends.speed_bps)


def rail_only(site: Site, ends: Endpoints) -> None:
    """Add rails without any tier between them: a leaf for each rail, or a leaf-spine for each rail.

    Parameters
    ----------
    site, ends
        As of ``rail_optimized``.

    References
    ----------
    W. Wang et al., "Rail-only: a low-cost high-performance network for training LLMs with trillion
    parameters", arXiv:2307.12169.
    """
    ends = _in_places(ends, site.network.rails or ends.lanes)
    tall = site.network.spine is not None or site.network.levels == 2
    whole = site.network.leaf is not None and site.network.scalable_unit is None
    if whole and not tall and ends.host_count > site.ports(1, ends.speed_bps):
        tall = True
    plan = _plan(site, ends, uplinks=tall)
    leaves = add_rail_leaves(site, plan, ends)
    if not tall:
        if plan.columns != plan.leaves or plan.blocks > 1:
            what = f"a rail of {ends.host_count} hosts needs several leaves of {plan.per_leaf}, and spines over them"
            raise InputError([Problem("", what, "add 'spine: {type: …}'", site.path)])
        return
    groups = plan.rails // plan.shared
    joint = _spine_joint(site, plan, groups, ends)
    order = chunks(plan.by_rail(), groups)
    raise_tree(site, 1, leaves[order.ravel()][:, None], plan.down, [joint], ends.speed_bps)


def rail_plan(site: Site, ends: Endpoints) -> tuple[RailPlan, Endpoints]:
    """Return how host ports fall on railed leaves with uplinks, and the ports in their places.

    Raises
    ------
    InputError
        If hosts, rails and ports do not fit together.
    """
    ends = _in_places(ends, site.network.rails or ends.lanes)
    return _plan(site, ends, uplinks=True), ends


def _in_places(ends: Endpoints, rails: int) -> Endpoints:
    """Let neighbouring service hosts share the place of a host, one rail after the other, while their ports fit."""
    if not ends.service.any():
        return ends
    _, first, ports = np.unique(ends.host, return_index=True, return_counts=True)
    service = ends.service[first]
    opens, start = np.ones(len(first), int), np.zeros(len(first), int)
    for host in np.flatnonzero(service[1:] & service[:-1]) + 1:
        used = start[host - 1] + ports[host - 1]
        if used + ports[host] <= rails:
            opens[host], start[host] = 0, used
    place = np.cumsum(opens) - 1
    return replace(ends, host=place[ends.host], lane=ends.lane + start[ends.host])


def _obeyed(site: Site) -> None:
    """Refuse what is stated and would not be built."""
    network, problems = site.network, []
    if network.leaf is not None and network.leaf.groups is not None:
        what = "leaves have no tier of switches below that falls into groups"
        problems.append(Problem("", what, "give groups of the spine or the core", (*site.path, "leaf", "groups")))
    if network.levels not in (None, 2, 3):
        what = f"a {network.family} fabric has 2 or 3 levels, not {network.levels}"
        problems.append(Problem("", what, "use 2 or 3, or leave it out", (*site.path, "levels")))
    ratios = len(network.oversubscription or [])
    tall = network.core is not None or network.levels == 3
    if ratios > 2 or (ratios == 2 and not tall):
        what = f"{ratios} ratios are given, but {'leaves and spines' if tall else 'only the leaves'} have uplinks"
        fix = "give one for each tier with uplinks, from the leaf up"
        problems.append(Problem("", what, fix, (*site.path, "oversubscription")))
    if problems:
        raise InputError(problems)


def _plan(site: Site, ends: Endpoints, uplinks: bool) -> RailPlan:
    """Return how rails and scalable units fall on leaves."""
    network, path = site.network, site.path
    rails = network.rails or ends.lanes
    if ends.lanes > rails:
        what = f"a host has {ends.lanes} attached ports, but there are {rails} rails"
        raise InputError([Problem("", what, f"use 'rails: {ends.lanes}', or attach fewer ports", (*path, "rails"))])
    leaf = site.tier(1)
    ports = site.ports(1, ends.speed_bps)
    if network.scalable_unit is not None:
        hosts, reserve = network.scalable_unit.hosts, network.scalable_unit.reserve
    elif network.family == "rail-optimized":
        fix = "add 'scalable_unit: {hosts: 32}'"
        raise InputError([Problem("", "the size of a scalable unit is not given", fix, path)])
    else:
        hosts, reserve = leaf.down or (ports // 2 if uplinks else ports), 0
        hosts = min(hosts, ends.host_count)
    per_leaf, shared = _share(leaf.down, hosts, rails, (*path, "leaf", "down"))
    if leaf.down is not None and leaf.down > per_leaf * shared:
        reserve = max(reserve, leaf.down - per_leaf * shared)
    up = _leaf_up(site, ends, per_leaf * shared) if uplinks else 0
    return RailPlan(rails, hosts, -(-ends.host_count // hosts), per_leaf, shared, reserve, up)


def _share(down: int | None, hosts: int, rails: int, path: tuple[str | int, ...]) -> tuple[int, int]:
    """Return the hosts of one rail on a leaf, and the neighbouring rails that share it."""
    if down is None or down == hosts:
        return hosts, 1
    if down < hosts:
        if hosts % down:
            what = f"leaves of {down} ports down do not share the {hosts} hosts of a scalable unit evenly"
            close = [n for n in range(1, hosts + 1) if hosts % n == 0]
            raise InputError([Problem("", what, f"use one of {', '.join(map(str, close))}", path)])
        return down, 1
    shared = min(down // hosts, rails)
    if rails % shared:
        what = f"a leaf of {down} ports takes {shared} rails of {hosts} hosts, but there are {rails} rails"
        raise InputError([Problem("", what, "use a number of rails that it divides, or a smaller leaf.down", path)])
    return hosts, shared


def _leaf_up(site: Site, ends: Endpoints, down: int) -> int:
    """Return the links up of a leaf: as given, else what the oversubscription asks for."""
    leaf, ratio = site.tier(1), (site.network.oversubscription or [1.0])[0]
    speeds = site.up_speed(0, ends.speed_bps) / site.up_speed(1, ends.speed_bps)
    up = int(np.ceil(down * speeds / ratio - 1e-9))
    if leaf.up is not None and site.network.oversubscription and leaf.up != up:
        what = f"leaf.up is {leaf.up}, but {down} links down at an oversubscription of {ratio:g} take {up} up"
        raise InputError([Problem("", what, "give one of them", (*site.path, "leaf", "up"))])
    up = up if leaf.up is None else leaf.up
    if up < 1:
        what = "the leaf has no uplinks, so a rail reaches no other"
        fix = "leave up out, or use the family rail-only for rails without spines"
        raise InputError([Problem("", what, fix, (*site.path, "leaf", "up"))])
    return up


def add_rail_leaves(site: Site, plan: RailPlan, ends: Endpoints, first_unit: int = 0) -> I4:
    """Add a plane's leaves with their host links; ``first_unit`` is the number of the first scalable unit.

    Raises
    ------
    InputError
        If another number of leaves is stated.
    """
    given = site.count(1)
    if given not in (None, plan.leaves):
        what = f"leaf.count is {given} a plane, but hosts, scalable units and rails take {plan.leaves} leaves"
        raise InputError([Problem("", what, f"use {plan.leaves}, or remove it", (*site.path, "leaf", "count"))])
    place = np.arange(plan.leaves)
    rail = place // plan.blocks % (plan.rails // plan.shared) if plan.shared == 1 else -1
    leaves = site.add(1, plan.leaves, plan.down, plan.up, ends.speed_bps, first_unit + place // plan.columns, rail)
    unit, within = ends.host // plan.hosts, ends.host % plan.hosts
    column = ends.lane // plan.shared * plan.blocks + within // plan.per_leaf
    number = ends.lane % plan.shared * plan.per_leaf + within % plan.per_leaf + 1
    upper = (leaves[unit * plan.columns + column], number)
    site.rows.add_links((ends.device, ends.number), upper, site.row, ends.speed_bps, site.host_latency_s)
    site.rows.set_rails(ends.port, ends.lane, site.plane)
    return leaves


def _upper_tiers(site: Site, plan: RailPlan, leaves: I4, ends: Endpoints) -> tuple[list[Joint], I4]:
    """Return the joints above the leaves, and the leaves in the order that they are joined in."""
    spine = site.tier(2)
    flat = site.network.core is None and site.network.levels in (None, 2)
    fits = upper_count(plan.leaves, plan.up, site.ports(2, ends.speed_bps)) is not None
    if flat and (fits or site.network.levels == 2) and spine.groups is None:
        joint = _spine_joint(site, plan, 1, ends)
        return [joint], leaves
    if flat and spine.groups is not None and site.network.levels == 2:
        groups = spine.groups
    else:
        groups = spine.groups or _spine_groups(site, plan, ends)
    joint = _spine_joint(site, plan, groups, ends, below_core=True)
    order = chunks(plan.by_rail(), groups).ravel()
    down = joint.children * joint.parallel
    core = top_joint(site, 3, groups, joint.parents, _spine_up(site, down, ends), ends.speed_bps)
    return [joint, core], leaves[order]


def _spine_groups(site: Site, plan: RailPlan, ends: Endpoints) -> int:
    """Return the fewest groups of leaves, whole rails or parts of one, whose spines keep ports for uplinks."""
    columns, ports = plan.rails // plan.shared, site.ports(2, ends.speed_bps)
    ratio = _ratio(site, 1)
    half = int(ports * ratio / (1 + ratio) + 1e-9)
    per_rail = plan.leaves // columns
    for parts in (n for n in range(1, per_rail + 1) if per_rail % n == 0):
        if upper_count(per_rail // parts, plan.up, half) is not None:
            return columns * parts
    what = f"spines of {ports} ports are too small for leaves with {plan.up} uplinks"
    raise InputError([Problem("", what, "choose larger spines", site.place(2))])


def _ratio(site: Site, level: int) -> float:
    ratios = site.network.oversubscription or []
    return ratios[level] if len(ratios) > level else 1.0


def _spine_up(site: Site, down: int, ends: Endpoints) -> int:
    """Return the links up of a spine below cores."""
    speeds = site.up_speed(1, ends.speed_bps) / site.up_speed(2, ends.speed_bps)
    return site.tier(2).up or max(1, int(np.ceil(down * speeds / _ratio(site, 1) - 1e-9)))


def _spine_joint(site: Site, plan: RailPlan, groups: int, ends: Endpoints, below_core: bool = False) -> Joint:
    """Return how spines stand over one of ``groups`` equal groups of leaves."""
    members = divided(plan.leaves, groups, "leaves", (*site.place(2), "groups"))
    ports = site.ports(2, ends.speed_bps)
    if below_core:
        ports = site.tier(2).down or int(ports * _ratio(site, 1) / (1 + _ratio(site, 1)) + 1e-9)
    least = upper_count(members, plan.up, ports)
    given = site.count(2)
    each = least if given is None else divided(given, groups, "spines", (*site.place(2), "count"))
    if each is None or least is None or each < least or plan.up % each:
        fits = [n * groups for n in range(least or plan.up + 1, plan.up + 1) if plan.up % n == 0]
        what = (
            f"{members} leaves with {plan.up} uplinks each do not spread evenly "
            f"under {each or 'any number of'} spines of {ports} ports"
        )
        more = "use larger spines, or more groups below a core tier"
        fix = f"use one of {', '.join(map(str, fits))}" if fits else more
        raise InputError([Problem("", what, fix, (*site.place(2), "count") if given else site.place(2))])
    return Joint(members, 1, each, plan.up // each)
