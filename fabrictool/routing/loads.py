"""What links carry: for a list of flows along their paths, for all-to-all by aggregation."""

from __future__ import annotations

import numpy as np

from fabrictool.fabric.tables import F8, I4
from fabrictool.kernels import flows
from fabrictool.kernels.flows import MAX_PATH, RouteTables
from fabrictool.routing.inside import domain_pairs
from fabrictool.routing.regular import RegularTree


def paths(tables: RouteTables, source: I4, target: I4) -> tuple[I4, I4]:
    """Return the explicit path of each flow.

    Returns
    -------
    tuple of (flows, MAX_PATH) and (flows,) int32
        Channels, and how many of them count; -1 where there is no path.
    """
    out = np.full((len(source), MAX_PATH), -1, np.int32)
    length = np.empty(len(source), np.int32)
    flows.flow_paths(3 * len(source))(tables, source, target, out, length)
    return out, length


def flow_loads(tables: RouteTables, source: I4, target: I4, channel_count: int) -> F8:
    """Return the number of flows on each channel, (channels,)."""
    load = np.zeros(channel_count)
    flows.add_loads(3 * len(source))(tables, source, target, 1.0, load)
    return load


def all_to_all_loads(
    tables: RouteTables, channel_count: int, tree: RegularTree | None = None
) -> tuple[F8, dict[int, float]]:
    """Return the load when every rank sends one unit to every rank of another scale-up domain.

    Aggregated, never pair by pair: by parts and residue classes on a regular tree, else by one climb
    for each leaf and destination. What stays inside domains is taken off again.

    Returns
    -------
    tuple of (channels,) float64 and dict of int to float
        The load, and ordered pairs of ranks by links between them; pairs without a way stand under -1.
    """
    load = np.zeros(channel_count)
    hops = _regular_loads(tables, tree, load) if tree is not None else _leaf_loads(tables, load)
    if (tables.scale_up >= 0).any():
        source, target = domain_pairs(np.where(tables.scale_up < 0, -1, tables.domain).astype(np.int32))
        network_only = tables._replace(scale_up=np.full(len(tables.leaf), -1, np.int32))
        path, length = paths(network_only, source, target)
        used = path[np.arange(path.shape[1]) < length[:, None]]
        load -= np.bincount(used, minlength=channel_count)
        for links, pairs in zip(*np.unique(length, return_counts=True), strict=True):
            hops[int(links)] = hops.get(int(links), 0.0) - float(pairs)
    return load, {links: pairs for links, pairs in sorted(hops.items()) if pairs}


def regular_flow_loads(
    tables: RouteTables, tree: RegularTree, source: I4, target: I4, volume: F8, channel_count: int
) -> F8:
    """Return the volume of flows on each channel of a regular tree, scale-up left out, (channels,)."""
    load = np.zeros(channel_count)
    tree.coded.put_loads(source, target, volume, load)
    load[tables.port_channel] = np.bincount(source, volume, len(tables.leaf))
    load[tables.port_channel ^ 1] = np.bincount(target, volume, len(tables.leaf))
    return load


def _regular_loads(tables: RouteTables, tree: RegularTree, load: F8) -> dict[int, float]:
    """Set loads by closed form; return pairs by links.

    Out of each part to the keys of each residue elsewhere, and back to those inside from all others.
    """
    size, coded = len(tables.leaf), tree.coded
    up, down = np.empty(coded.size), np.empty(coded.size)
    near, hops = 0, {}
    for at, level in enumerate(coded.levels):
        ranks = level.ranks[:, None]
        up[level.part] = (ranks * (level.inside.sum(axis=0) - level.inside)).ravel()
        down[level.part] = (level.inside * (size - ranks)).ravel()
        pairs = int((level.ranks**2).sum())
        hops[2 * at + 2] = float(pairs - near)
        near = pairs
    coded.put(up, down, load)
    hops[2 * tree.levels + 2] = float(size**2 - near)
    hops[2] -= size
    load[tables.port_channel] = load[tables.port_channel ^ 1] = size - 1
    return hops


def _leaf_loads(tables: RouteTables, load: F8) -> dict[int, float]:
    """Set loads by a climb for each leaf and destination; return pairs by links."""
    leaf, row, ranks = np.unique(tables.leaf, return_inverse=True, return_counts=True)
    sent, hops = np.zeros(len(leaf)), np.zeros(MAX_PATH + 1)
    run = flows.add_leaf_loads(3.0 * len(leaf) * len(tables.leaf))
    run(tables, leaf.astype(np.int32), ranks.astype(np.float64), load, hops, sent)
    np.add.at(load, tables.port_channel, sent[row])
    found = {links or -1: float(hops[links]) for links in np.flatnonzero(hops).tolist()}
    _take_themselves(tables, load, found)
    return found


def _take_themselves(tables: RouteTables, load: F8, hops: dict[int, float]) -> None:
    """Take off what each rank would send to itself, over its leaf and back."""
    live = tables.port_channel[tables.port_channel >= 0]
    load[live] -= 1.0
    load[live ^ 1] -= 1.0
    for links, pairs in ((2, len(live)), (-1, len(tables.leaf) - len(live))):
        hops[links] = hops.get(links, 0.0) - float(pairs)
