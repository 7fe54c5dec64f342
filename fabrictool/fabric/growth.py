"""Rules on growth: which ports are left, and what the hosts to come do to the oversubscription."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fabrictool.fabric.chassis import backplane_links
from fabrictool.fabric.counting import free_ports, oversubscription
from fabrictool.fabric.tables import KINDS, Fabric
from fabrictool.records import Finding


def ports_left(fabric: Fabric, network: int) -> Iterator[Finding]:
    """Yield a note that says which tiers have free ports, and whether the network can grow."""
    free = free_ports(fabric, network)
    cabled = _kinds_with_cables(fabric, network)
    used = [kind for kind in free if kind in cabled]
    if not used:  # as in a listing whose links are lost
        return
    top = used[-1]
    parts = ", ".join(f"{kind} {count:,}" for kind, count in free.items())
    if free[top] > 0:
        message, fix = f"free ports for growth: {parts}", "none needed"
    elif sum(free.values()) > 0:
        message = f"free ports: {parts}: more hosts fit under the switches there are, but no more of those"
        fix = f"to grow further, plan {top} switches with more ports, or a tier above"
    else:
        message, fix = "no port is free: not one more host fits", "plan larger switches, or another tier"
    yield Finding("ports-left", "note", f"network {fabric.networks[network].name}", message, fix)


def _kinds_with_cables(fabric: Fabric, network: int) -> set[str]:
    """Return the kinds of device that links outside of directors lead to."""
    outside = (fabric.links.network == network) & ~backplane_links(fabric)
    return {KINDS[kind] for end in fabric.ends for kind in np.unique(fabric.devices.kind[end[outside]]).tolist()}


def growth_blocks(fabric: Fabric, network: int, asked: tuple[float, ...], reserve: int) -> Iterator[Finding]:
    """Yield a finding if filling the reserved leaf ports oversubscribes the leaves more than asked for.

    Parameters
    ----------
    asked : tuple of float
        Bandwidth down over up, from the leaf up; 1 where nothing is asked for.
    reserve : int
        Ports of each leaf kept for hosts to come.
    """
    built = oversubscription(fabric, network)
    if not reserve or not built:
        return
    a, z = fabric.ends
    tier = fabric.devices.tier
    inside = fabric.links.network == network
    at_hosts, up = inside & (tier[a] == 0), inside & (tier[a] == 1) & (tier[z] > 1)
    per_leaf = np.bincount(a[up], fabric.links.speed_bps[up], len(tier))
    each_bps = float(fabric.links.speed_bps[at_hosts].max())
    down = np.bincount(z[at_hosts], fabric.links.speed_bps[at_hosts], len(tier))
    leaves = per_leaf > 0
    grown = float(((down[leaves] + reserve * each_bps) / per_leaf[leaves]).max())
    limit = asked[0] if asked else 1.0
    if grown > limit * (1 + 1e-9):
        what = f"with the {reserve} reserved ports of a leaf in use it is {grown:.4g}:1, {limit:g}:1 is asked for"
        fix = "lower scalable_unit.reserve, or add uplinks for the hosts to come"
        yield Finding("growth-blocks", "warning", f"network {fabric.networks[network].name}", what, fix)
