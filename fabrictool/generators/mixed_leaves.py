"""Two-level trees whose leaves differ by whom they serve, such as storage at 1:1 beside hosts at 4:3.

In a rail-optimized network leaves of compute hosts are railed, unit by unit; leaves that serve nobody
but service hosts and what the network manages are filled in order, as in a fat-tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import gcd

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.generators.directors import add_directors, chip_ends
from fabrictool.generators.endpoints import Endpoints
from fabrictool.generators.fat_tree_shape import leaf_count, leaf_ports, places
from fabrictool.generators.fat_trees import attach_hosts
from fabrictool.generators.rails import RailPlan, add_rail_leaves, rail_plan
from fabrictool.generators.site import Site
from fabrictool.generators.tiers import mesh_ends
from fabrictool.layout.network import LeafTier

KEYS = frozenset({"wiring", "levels", "hosts_per_leaf", "oversubscription", "leaf", "spine"})
RAIL_KEYS = frozenset({"wiring", "levels", "rails", "scalable_unit", "oversubscription", "leaf", "spine"})


@dataclass(frozen=True, slots=True)
class LeafPart:
    """Leaves of one entry of the list: a site that knows them alone, the host ports they serve, links of each.

    ``rails`` says how leaves of compute hosts are railed, None for leaves that are filled in order.
    """

    row: int
    site: Site
    ends: Endpoints
    count: int
    down: int
    up: int
    rails: RailPlan | None = None


def mixed_leaves(site: Site, ends: Endpoints) -> None:
    """Add leaves entry by entry, and spines that all of them share.

    Spines are the next number that divides the uplinks of every leaf, so that each leaf reaches
    each spine by equally many links.

    Parameters
    ----------
    site : Site
        Of a network with several entries of ``leaf``, each with its ``hosts``.
    ends : Endpoints

    Raises
    ------
    InputError
        If the entries do not fit under the same spines.
    """
    _obeyed(site)
    parts = [_part(site, ends, row, entry) for row, entry in enumerate(site.network.leaves or [])]
    spines = _spine_count(site, parts, ends.speed_bps)
    leaves = _add_parts(parts)
    down = sum(part.count * part.up for part in parts) // spines
    up = site.tier(2).up or 0
    directors = site.tier(2).type.director is not None
    if directors:
        chips = add_directors(site, 2, spines, down + up, ends.speed_bps)
        upper, per_chip = np.arange(spines, dtype=np.int32), site.ports(2, ends.speed_bps) // chips.shape[1]
    else:
        upper = site.add(2, spines, down, up, ends.speed_bps)
    site.keep_uplinks(2, spines * up, ends.speed_bps)
    first = 1
    for part, lower in zip(parts, leaves, strict=True):
        parallel = part.up // spines
        a, z = mesh_ends(lower[None], upper[None], parallel, part.down + 1, site.network.wiring, first)
        z = chip_ends(chips, per_chip, z, None) if directors else z
        site.rows.add_links(a, z, site.row, site.up_speed(1, ends.speed_bps), site.fabric_latency_s)
        first += part.count * parallel


def _obeyed(site: Site) -> None:
    """Refuse what is stated and does not go with several kinds of leaves."""
    problems = []
    if site.network.levels not in (None, 2):
        what = f"leaves of several kinds make a {site.network.family} network of 2 levels, not {site.network.levels}"
        problems.append(Problem("", what, "use 'levels: 2', or one kind of leaf", (*site.path, "levels")))
    if site.tier(2).groups not in (None, 1):
        what = f"spines over leaves of several kinds make one mesh, not {site.tier(2).groups}"
        problems.append(Problem("", what, "remove groups", (*site.place(2), "groups")))
    for row, entry in enumerate(site.network.leaves or []):
        if entry.groups not in (None, 1):
            what = "leaves have no tier of switches below that falls into groups"
            problems.append(Problem("", what, "remove groups", (*site.path, "leaf", row, "groups")))
    speeds = sorted({entry.up_speed_bps or 0.0 for entry in site.network.leaves or []})
    if len(speeds) > 1:
        what = "the entries of leaf have uplinks of different speeds"
        problems.append(Problem("", what, "give all the same up_speed", (*site.path, "leaf")))
    if problems:
        raise InputError(problems)


def _part(site: Site, ends: Endpoints, row: int, entry: LeafTier) -> LeafPart:
    """Size the leaves of one entry as if they were the only ones."""
    alone = replace(site, network=site.network.model_copy(update={"leaves": [entry]}))
    owned = [place for place, (_, title) in enumerate(ends.owners) if title in (entry.hosts or ())]
    served = ends.chosen(np.flatnonzero(np.isin(ends.owner, owned)))
    served = replace(served, host=np.unique(served.host, return_inverse=True)[1])
    with _in_entry(site, row):
        if site.network.family == "rail-optimized" and not served.service.all():
            plan, served = rail_plan(alone, served)
            return LeafPart(row, alone, served, plan.leaves, plan.down, plan.up, plan)
        down, up = leaf_ports(alone, served, (site.network.oversubscription or [1.0])[0])
        return LeafPart(row, alone, served, leaf_count(alone, served, down), down, up)


@contextmanager
def _in_entry(site: Site, row: int) -> Iterator[None]:
    """Give problems of the leaf their path in the list."""
    leaf = (*site.path, "leaf")
    try:
        yield
    except InputError as error:
        raise InputError(
            replace(problem, path=(*leaf, row, *problem.path[len(leaf) :]))
            if problem.path[: len(leaf)] == leaf
            else problem
            for problem in error.problems
        ) from None


def _spine_count(site: Site, parts: list[LeafPart], host_bps: float) -> int:
    """Return the spines: as stated, else the next number that divides the uplinks of every leaf."""
    ports, given = site.ports(2, host_bps), site.count(2)
    links = sum(part.count * part.up for part in parts)
    common = gcd(*(part.up for part in parts))
    fits = [n for n in range(1, common + 1) if common % n == 0 and n * (ports - (site.tier(2).up or 0)) >= links]
    if not fits or given not in (None, *fits):
        ups = " and ".join(str(part.up) for part in parts)
        how_many = "any number of" if given is None else str(given)
        what = f"{links} uplinks, {ups} a leaf, do not spread evenly over {how_many} spines of {ports} ports"
        more = "give the leaves uplinks with a larger common divisor, or choose larger spines"
        fix = f"use one of {', '.join(map(str, fits))}" if fits else more
        raise InputError([Problem("", what, fix, (*site.path, "spine", "count"))])
    return given or fits[0]


def _add_parts(parts: list[LeafPart]) -> list[I4]:
    """Add the leaves of all entries with their host links; scalable units are counted through."""
    found, unit = [], 0
    for part in parts:
        with _in_entry(part.site, part.row):
            if part.rails is not None:
                found.append(add_rail_leaves(part.site, part.rails, part.ends, unit))
                unit += part.rails.units
                continue
            leaves = part.site.add(1, part.count, part.down, part.up, part.ends.speed_bps)
        attach_hosts(part.site, leaves, part.down, places(part.ends, part.down), part.ends)
        found.append(leaves)
    return found
