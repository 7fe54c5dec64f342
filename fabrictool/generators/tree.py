"""Joins tiers of switches into trees: parts of a tier under groups of the next.

A tier is an array of device rows, (parts, positions): part s is a subtree, position x a switch of its
top level. The next tier joins some parts at a time; switches at positions that are equal modulo the
number of groups share its switches, so positions of different groups never meet above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.generators.directors import add_directors, chip_ends
from fabrictool.generators.rows import Ints
from fabrictool.generators.site import TIERS, Site
from fabrictool.generators.tiers import mesh_ends, upper_count


@dataclass(frozen=True, slots=True)
class Joint:
    """How a tier stands above the one below.

    Parameters
    ----------
    children : int
        Parts that one part of this tier joins.
    groups : int
        Position groups of the tier below.
    parents : int
        Switches of each group of a part.
    parallel : int
        Links between each child and parent.
    """

    children: int
    groups: int
    parents: int
    parallel: int

    @property
    def up(self) -> int:
        """Links up of each switch below."""
        return self.parents * self.parallel


def raise_tree(site: Site, level: int, lower: I4, down: int, joints: list[Joint], host_bps: float) -> None:
    """Add the tiers above one, and all links between them.

    Parameters
    ----------
    site : Site
    level : int
        Of the tier below, 1 for leaves.
    lower : (parts, positions) int32
        Its device rows.
    down : int
        Ports down of each of its switches.
    joints : list of Joint
        One for each tier above, from below.
    host_bps : float
        Speed of the host links in bit/s.
    """
    for at, joint in enumerate(joints):
        parts, positions = lower.shape
        above = parts // joint.children
        count = above * joint.groups * joint.parents
        upper_down = joint.children * (positions // joint.groups) * joint.parallel
        top = at + 1 == len(joints)
        upper_up = (site.tier(level + 1).up or 0) if top else joints[at + 1].up
        pod = -1 if top or above == 1 else np.repeat(np.arange(above), joint.groups * joint.parents)
        if top and site.tier(level + 1).type.director is not None:
            chips = add_directors(site, level + 1, count, upper_down + upper_up, host_bps)
            a, z = _ends(site, lower, np.arange(count, dtype=np.int32).reshape(above, -1), joint, down + 1)
            per_chip = site.ports(level + 1, host_bps) // chips.shape[1]
            z = chip_ends(chips, per_chip, z, (upper_down // joint.parallel, joint.parallel))
        else:
            upper = site.add(level + 1, count, upper_down, upper_up, host_bps, pod).reshape(above, -1)
            a, z = _ends(site, lower, upper, joint, down + 1)
            lower, down = upper, upper_down
        site.rows.add_links(a, z, site.row, site.up_speed(level, host_bps), site.fabric_latency_s)
        level += 1
        if top:
            site.keep_uplinks(level, count * upper_up, host_bps)


def _ends(site: Site, lower: I4, upper: I4, joint: Joint, first_up: int) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
    """Return both ends of the links of two tiers; parent j of group g stands at position j x groups + g."""
    above, positions = len(upper), lower.shape[1]
    below = lower.reshape(above, joint.children, positions // joint.groups, joint.groups).transpose(0, 3, 1, 2)
    parents = upper.reshape(above, joint.parents, joint.groups).transpose(0, 2, 1)
    meshes = above * joint.groups
    return mesh_ends(
        below.reshape(meshes, -1), parents.reshape(meshes, -1), joint.parallel, first_up, site.network.wiring
    )


def top_joint(site: Site, level: int, parts: int, positions: int, up: int, host_bps: float) -> Joint:
    """Return how a top tier joins all parts: as few groups and switches as divide the uplinks evenly.

    Groups and switches that the layout states are obeyed.

    Raises
    ------
    InputError
        If they do not fit.
    """
    ports = site.ports(level, host_bps)
    given, groups = site.count(level), site.tier(level).groups
    place = site.place(level)
    if groups is not None and positions % groups:
        what = f"{positions} switches of a group below do not spread over {groups} groups"
        raise InputError([Problem("", what, f"use a divisor of {positions}", (*place, "groups"))])
    for tried in [groups] if groups else [n for n in range(1, positions + 1) if positions % n == 0]:
        each = upper_count(parts * positions // tried, up, ports)
        if each is not None and given is not None:
            stated = given // tried
            each = stated if given % tried == 0 and stated >= each and up % stated == 0 else None
        if each is not None:
            return Joint(parts, tried, each, up // each)
    raise InputError([_no_fit(site, level, parts * positions, up, ports)])


def _no_fit(site: Site, level: int, lower: int, up: int, ports: int) -> Problem:
    count = site.tier(level).count
    how_many = "few enough" if count is None else str(count)
    what = (
        f"{lower} {TIERS[level - 2]} switches with {up} uplinks each do not spread evenly "
        f"over {how_many} switches of {ports} ports"
    )
    divisors = ", ".join(str(n) for n in range(1, up + 1) if up % n == 0)
    fix = f"switches of a group must divide the {up} uplinks ({divisors}) and have ports enough"
    return Problem("", what, fix, site.place(level))


def divided(total: int, groups: int, what: str, path: tuple[str | int, ...]) -> int:
    """Return a total over equal groups.

    Raises
    ------
    InputError
        If it does not divide.
    """
    if total % groups:
        text = f"{total} {what} do not fall into {groups} equal groups"
        raise InputError([Problem("", text, f"use a divisor of {total}", path)])
    return total // groups


def chunks(order: Ints, groups: int) -> Ints:
    """Return positions in ``order`` cut into equal groups, ascending inside each: (groups, members)."""
    return np.sort(order.reshape(groups, -1), axis=1)
