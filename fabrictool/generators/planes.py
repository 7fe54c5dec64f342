"""Multi-plane fabrics: each port of an adapter, or each adapter, in a plane of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.generators import fat_trees, rails
from fabrictool.generators.endpoints import Endpoints
from fabrictool.generators.site import Site

KEYS = frozenset({"planes", "plane_by"}) | rails.KEYS | fat_trees.KEYS


def multi_plane(site: Site, ends: Endpoints) -> None:
    """Add equal planes, each rail-optimized where rails or scalable units are given, else a fat-tree.

    Port k of a host, counted adapter by adapter, is in plane k mod planes; the counts that a layout
    states are sums over planes.

    Parameters
    ----------
    site : Site
        Of a network with ``planes``.
    ends : Endpoints

    Raises
    ------
    InputError
        If ports do not spread evenly over the planes.

    References
    ----------
    C. Zhao et al., "Insights into DeepSeek-V3", ISCA 2025 (multi-plane fat-tree); K. Qian et al.,
    "Alibaba HPN", SIGCOMM 2024 (dual-ToR, dual-plane).
    """
    network = site.network
    planes = network.planes
    if planes is None:
        raise InputError([Problem("", "the number of planes is not given", "add 'planes: 2'", site.path)])
    if ends.lanes % planes:
        what = f"the {ends.lanes} attached ports of a host do not spread over {planes} planes"
        divisors = ", ".join(str(n) for n in range(2, ends.lanes + 1) if ends.lanes % n == 0)
        fix = f"use one of {divisors}" if divisors else "attach more ports"
        raise InputError([Problem("", what, fix, (*site.path, "planes"))])
    _obeyed(site, ends, planes)
    railed = bool(network.rails or network.scalable_unit)
    generator = rails.rail_optimized if railed else fat_trees.fat_tree
    foreign = (fat_trees.KEYS - rails.KEYS) if railed else (rails.KEYS - fat_trees.KEYS)
    given = sorted(key for key in foreign if getattr(network, key, None) is not None)
    if given:
        what = f"planes {'with rails' if railed else 'of fat-trees'} take no '{given[0]}'"
        raise InputError([Problem("", what, "remove it", (*site.path, given[0]))])
    for plane in range(planes):
        inside = np.flatnonzero(ends.lane % planes == plane)
        part = ends.chosen(inside)
        generator(replace(site, plane=plane, planes=planes), replace(part, lane=part.lane // planes))


def _obeyed(site: Site, ends: Endpoints, planes: int) -> None:
    """Refuse a way to tell planes apart that the adapters do not have."""
    ports = np.unique(np.column_stack((ends.device, ends.adapter)), axis=0, return_counts=True)[1]
    path = (*site.path, "plane_by")
    if site.network.plane_by == "port" and (ports % planes).any():
        what = f"an adapter with {int(ports.min())} attached ports does not spread over {planes} planes"
        fix = "use 'plane_by: nic', or a speed that splits the ports"
        raise InputError([Problem("", what, fix, path)])
    if site.network.plane_by == "nic" and (ports > 1).any():
        what = f"an adapter with {int(ports.max())} attached ports would be in several planes"
        raise InputError([Problem("", what, "use 'plane_by: port'", path)])
