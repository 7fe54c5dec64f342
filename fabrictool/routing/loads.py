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
    source, target = _with_themselves(tables)
    network_only = tables._replace(scale_up=np.full(len(tables.leaf), -1, np.int32))
    path, length = paths(network_only, source, target)
    used = path[np.arange(path.shape[1]) < length[:, None]]
    load -= np.bincount(used, minlength=channel_count)
    for links, pairs in zip(*np.unique(length, return_counts=True), strict=True):
        hops[int(links)] = hops.get(int(links), 0.0) - float(pairs)
    return load, {links: pairs for links, pairs in sorted(hops.items()) if pairs}


def _regular_loads(tables: RouteTables, tree: RegularTree, load: F8) -> dict[int, float]:
    """Add loads by closed form; return pairs by links, each rank with itself included."""
    size = len(tables.leaf)
    near, hops = 0, {}
    for level in range(tree.levels):
        _add_class_loads(tables, tree, level, load)
        sizes = np.unique(tree.block[level], return_counts=True)[1].astype(np.int64)
        hops[2 * level + 2] = float((sizes**2).sum() - near)
        near = int((sizes**2).sum())
    hops[2 * tree.levels + 2] = float(size**2 - near)
    load[tables.port_channel] += size
    load[tables.port_channel ^ 1] += size
    return hops


def _leaf_loads(tables: RouteTables, load: F8) -> dict[int, float]:
    """Add loads by a climb for each leaf and destination; return pairs by links, each rank with itself included."""
    leaf, row, ranks = np.unique(tables.leaf, return_inverse=True, return_counts=True)
    sent, hops = np.zeros(len(leaf)), np.zeros(MAX_PATH + 1)
    run = flows.add_leaf_loads(3.0 * len(leaf) * len(tables.leaf))
    run(tables, leaf.astype(np.int32), ranks.astype(np.float64), load, hops, sent)
    np.add.at(load, tables.port_channel, sent[row])
    return {links or -1: float(hops[links]) for links in np.flatnonzero(hops).tolist()}


def _add_class_loads(tables: RouteTables, tree: RegularTree, level: int, load: F8) -> None:
    """Add the load above a level: out of each part to the keys of each residue class elsewhere, and back."""
    block, first, part, ranks = np.unique(tree.block[level], return_index=True, return_inverse=True, return_counts=True)
    classes = int(tree.classes[level])
    residue, example = np.unique(tables.key % classes, return_index=True)
    inside = np.zeros((len(block), classes), np.int64)
    np.add.at(inside, (part, tables.key % classes), 1)
    inside = inside[:, residue]
    elsewhere = inside.sum(axis=0) - inside
    device = np.repeat(tables.leaf[first], len(residue))
    key = np.tile(tables.key[example], len(block))
    for at in range(level + 1):
        start = tables.first_up[device]
        choice = start + key // tables.stride[at] % (tables.first_up[device + 1] - start)
        channel, device = tables.up_channel[choice], tables.up_parent[choice]
    np.add.at(load, channel, (ranks[:, None] * elsewhere).ravel())
    np.add.at(load, channel ^ 1, (inside * (len(tables.leaf) - ranks[:, None])).ravel())


def _with_themselves(tables: RouteTables) -> tuple[I4, I4]:
    """Return all ordered pairs of ranks of one scale-up domain, each rank with itself included."""
    rank = np.arange(len(tables.leaf), dtype=np.int32)
    source, target = domain_pairs(np.where(tables.scale_up < 0, -1, tables.domain).astype(np.int32))
    return np.concatenate((source, rank)), np.concatenate((target, rank))
