"""Distances between hosts where switches are no tree: breadth first between the switches that hosts are on."""

from __future__ import annotations

import numpy as np

from fabrictool.fabric.tables import F8, I4, Fabric


def is_tiered(fabric: Fabric, network: int) -> bool:
    """Return whether every link of a network leads to the next tier up."""
    tier = fabric.devices.tier
    inside = fabric.links.network == network
    a, z = (end[inside] for end in fabric.ends)
    return bool((tier[z] - tier[a] == 1).all())


def switch_distances(fabric: Fabric, network: int, switches: I4) -> F8:
    """Return the links between some switches on shortest ways over switches, (switches, switches); inf if none."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    tier = fabric.devices.tier
    inside = fabric.links.network == network
    a, z = (end[inside] for end in fabric.ends)
    between = (tier[a] > 0) & (tier[z] > 0)
    size = len(tier)
    ends = (a[between], z[between])
    graph = coo_array((np.ones(int(between.sum())), ends), shape=(size, size)).tocsr()
    found: F8 = dijkstra(graph, directed=False, indices=switches, unweighted=True)[:, switches]
    return found


def hop_counts(fabric: Fabric, network: int, hosts: I4) -> dict[int, int]:
    """Return the number of ordered pairs of hosts by links on the shortest way; -1 for pairs without one.

    Hosts never pass on what others send. Hosts on the same switches are one class, so that work grows with
    the classes.
    """
    classes, sizes = _classes(fabric, network, hosts)
    if not classes:
        return {-1: len(hosts) * (len(hosts) - 1)} if len(hosts) > 1 else {}
    flat = np.concatenate(classes)
    switches, place = np.unique(flat, return_inverse=True)
    first = np.concatenate(([0], np.cumsum([len(row) for row in classes[:-1]]))).astype(np.intp)
    apart = switch_distances(fabric, network, switches.astype(np.int32))[np.ix_(place, place)]
    apart = np.minimum.reduceat(np.minimum.reduceat(apart, first, axis=0), first, axis=1)
    pairs = np.outer(sizes, sizes) - np.diag(sizes)
    hops = apart[np.isfinite(apart)].astype(np.int64) + 2
    counts = np.bincount(hops, pairs[np.isfinite(apart)]).astype(np.int64)
    found = {hop: int(count) for hop, count in enumerate(counts.tolist()) if count}
    lost = len(hosts) * (len(hosts) - 1) - sum(found.values())
    return found | ({-1: lost} if lost else {})


def _classes(fabric: Fabric, network: int, hosts: I4) -> tuple[list[I4], np.ndarray]:
    """Return the switches of each class of hosts, and the hosts of each class."""
    a, z = fabric.ends
    mine = (fabric.links.network == network) & np.isin(a, hosts) & (fabric.devices.tier[z] > 0)
    on: dict[int, set[int]] = {}
    for host, switch in zip(a[mine].tolist(), z[mine].tolist(), strict=True):
        on.setdefault(host, set()).add(switch)
    sizes: dict[tuple[int, ...], int] = {}
    for switches in on.values():
        key = tuple(sorted(switches))
        sizes[key] = sizes.get(key, 0) + 1
    return [np.array(key, np.int32) for key in sizes], np.array(list(sizes.values()), np.int64)
