"""Multi-plane fabrics: each port of an adapter, or each adapter, in a plane of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.generators import fat_tree, rails
from fabrictool.generators.endpoints import Endpoints
from fabrictool.generators.site import Site

KEYS = frozenset({"planes", "plane_by"}) | rails.KEYS | fat_tree.KEYS


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
    railed = bool(network.rails or network.scalable_unit)
    generator = rails.rail_optimized if railed else fat_tree.fat_tree
    foreign = (fat_tree.KEYS - rails.KEYS) if railed else (rails.KEYS - fat_tree.KEYS)
    given = sorted(key for key in foreign if getattr(network, key, None) is not None)
    if given:
        what = f"planes {'with rails' if railed else 'of fat-trees'} take no '{given[0]}'"
        raise InputError([Problem("", what, "remove it", (*site.path, given[0]))])
    for plane in range(planes):
        inside = np.flatnonzero(ends.lane % planes == plane)
        generator(replace(site, plane=plane, planes=planes), _part(ends, inside, planes))


def _part(ends: Endpoints, inside: np.ndarray, planes: int) -> Endpoints:
    """Return the endpoints of one plane."""
    return Endpoints(
        ends.host[inside],
        ends.lane[inside] // planes,
        ends.device[inside],
        ends.number[inside],
        ends.port[inside],
        ends.speed_bps,
        ends.turn[inside],
        ends.link_bps[inside],
    )
