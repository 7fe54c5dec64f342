"""Dragonflies: routers joined all-to-all in groups, and groups joined by global links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.generators import groups
from fabrictool.generators.endpoints import Endpoints
from fabrictool.generators.rows import Ints
from fabrictool.generators.site import Site
from fabrictool.generators.tiers import TierPlan, add_tier
from fabrictool.layout.dragonflies import Dragonfly

KEYS = frozenset({"dragonfly", "leaf"})


@dataclass(frozen=True, slots=True)
class GroupSizes:
    """Of each group: host ports p and global ports h of a router, and routers a; (groups,) int each."""

    p: Ints
    a: Ints
    h: Ints

    @property
    def global_ports(self) -> Ints:
        """Global ports of each group."""
        return self.a * self.h

    def runs(self) -> Iterator[slice]:
        """Yield stretches of equal groups."""
        yield from groups.equal_runs(self.p, self.a, self.h)


def dragonfly(site: Site, ends: Endpoints) -> None:
    """Add the routers and links of a dragonfly.

    Ports of a router: p for hosts, a - 1 for the other routers of its group, h global ones. The
    global ports of a group are numbered router by router; where some stay free, each router has
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
    J. Kim, W. J. Dally, S. Scott, D. Abts, "Technology-Driven, Highly-Scalable Dragonfly Topology",
    ISCA 2008, section 3: at most a h + 1 groups; balanced where a = 2 p = 2 h.
    """
    given = site.network.dragonfly
    path = (*site.path, "dragonfly")
    if given is None:
        fix = "add 'dragonfly: {p: 2, a: 4, h: 2, groups: 9}'"
        raise InputError([Problem("", "the size of the dragonfly is not given", fix, site.path)])
    sizes = group_sizes(given, path)
    capacity = int((sizes.p * sizes.a).sum())
    groups.raise_all(
        [
            *groups.stated_elsewhere(site, "dragonfly"),
            _router_ports(site, sizes, ends.speed_bps),
            _global_ports(sizes, given.links_per_pair or 1, path),
            groups.too_many_hosts(ends, capacity, "add groups or raise p", path),
        ]
    )
    speed = site.up_speed(1, ends.speed_bps)
    routers = _routers(site, sizes, ends.speed_bps, speed)
    groups.fill_hosts(site, routers, np.repeat(sizes.p, sizes.a), ends)
    pairs = groups.joined_pairs(sizes.global_ports, given.links_per_pair)
    groups.link_groups(site, routers, sizes.a, sizes.p + sizes.a, pairs, given.arrangement, speed)


def group_sizes(given: Dragonfly, path: tuple[str, ...]) -> GroupSizes:
    """Return the sizes of all groups.

    Raises
    ------
    InputError
        If the routers of a group are not given.
    """
    if any(each.a is None for each in given.groups) and given.a is None:
        fix = "add 'a: …', the routers of a group"
        raise InputError([Problem("", "the number of routers in a group is not given", fix, path)])
    count = [each.count for each in given.groups]
    p, a, h = (
        np.repeat([getattr(given, key) if getattr(each, key) is None else getattr(each, key) for each in given.groups],
                  count)
        for key in "pah"
    )  # fmt: skip
    return GroupSizes(p, a, h)


def _routers(site: Site, sizes: GroupSizes, host_bps: float, speed_bps: float) -> I4:
    """Add the routers, group by group, and the links inside the groups."""
    kind, found = site.tier(1).type, []
    down_bps = site.up_speed(0, host_bps)
    number = np.arange(len(sizes.a))
    for run in sizes.runs():
        p, a, h = (int(column[run.start]) for column in (sizes.p, sizes.a, sizes.h))
        group = np.repeat(number[run], a)
        plan = TierPlan("router", 1, kind, len(group), p, a - 1 + h, down_bps, speed_bps, site.place(1))
        routers = add_tier(site.rows, plan, site.row, site.prefix + "router", group)
        groups.link_meshes(site, routers.reshape(-1, a), p + 1, speed_bps)
        found.append(routers)
    return np.concatenate(found)


def _router_ports(site: Site, sizes: GroupSizes, host_bps: float) -> Problem | None:
    """Say which router needs more ports than its type has."""
    for run in sizes.runs():
        p, a, h = (int(column[run.start]) for column in (sizes.p, sizes.a, sizes.h))
        room = groups.ports_left(site, 1, p, host_bps)
        if room < a - 1 + h:
            kind = site.tier(1).type.name
            what = f"a router of {p} host ports, {a - 1} local and {h} global ones does not fit {kind}"
            short = a - 1 + h - room
            fixes = [f"lower {word} to {value - short}" for word, value in (("h", h), ("a", a)) if value > short]
            return Problem("", what, f"{' or '.join([*fixes, 'choose a larger switch'])}", (*site.path, "dragonfly"))
    return None


def _global_ports(sizes: GroupSizes, per_pair: int, path: tuple[str, ...]) -> Problem | None:
    """Say which group has too few global ports to reach all others."""
    ports = sizes.global_ports
    least, others = int(ports.min()), len(ports) - 1
    if least >= others * per_pair:
        return None
    at = int(ports.argmin())
    a, h = int(sizes.a[at]), int(sizes.h[at])
    links = "a link" if per_pair == 1 else f"{per_pair} links"
    what = f"{a} routers with {h} global ports have {least}, too few for {links} to each of {others} other groups"
    most = least // per_pair + 1
    fix = f"use at most {most} group{'' if most == 1 else 's'}, or h of {-(-others * per_pair // a)} or more"
    return Problem("", what, fix, (*path, "groups"))
