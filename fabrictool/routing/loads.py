"""What links carry: for a list of flows along their paths, for all-to-all by aggregation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fabrictool.fabric.tables import F8, I4
from fabrictool.kernels import flows
from fabrictool.kernels.flows import MAX_PATH, RouteTables
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
    source, target = domain_pairs(tables.domain, tables.scale_up)
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


def domain_pairs(domain: I4, scale_up: I4) -> tuple[I4, I4]:
    """Return all ordered pairs of ranks of one scale-up domain, each rank with itself included."""
    rank = np.arange(len(domain), dtype=np.int32)
    label = np.where(scale_up < 0, -1 - rank, domain)
    order = np.argsort(label, kind="stable").astype(np.int32)
    sizes = np.unique(label[order], return_counts=True)[1]
    start = np.cumsum(sizes) - sizes
    source = np.repeat(order, np.repeat(sizes, sizes))
    run = np.repeat(start, sizes * sizes)
    within = np.arange(len(source)) - np.repeat(np.cumsum(sizes * sizes) - sizes * sizes, sizes * sizes)
    target = order[run + within % np.repeat(sizes, sizes * sizes)]
    return source, target


def effective_bisection(
    tables: RouteTables, channel_speed_bps: F8, trials: int, seed: int, part: I4 | None = None
) -> tuple[float, float]:
    """Return the effective bisection bandwidth and its standard error, as shares of the host speed.

    Parameters
    ----------
    tables : RouteTables
    channel_speed_bps : (channels,) float64
    trials : int
        Random matchings of one half of the ranks with the other.
    seed : int
    part : (ranks,) int32, optional
        Ranks with different numbers cannot reach each other and are never paired.

    References
    ----------
    T. Hoefler, T. Schneider, A. Lumsdaine, "Multistage switches are not crossbars: effects of static
    routing in high-performance networks", CLUSTER 2008.
    """
    host_bps = float(channel_speed_bps[tables.port_channel[tables.port_channel >= 0]].max(initial=0.0))
    weight = np.divide(host_bps, channel_speed_bps, out=np.zeros_like(channel_speed_bps), where=channel_speed_bps > 0)
    weight[tables.scale_up[tables.scale_up >= 0]] = weight[tables.scale_up[tables.scale_up >= 0] + 1] = 0.0
    load = np.zeros(len(channel_speed_bps))
    run = flows.bottleneck_rates(3 * (len(tables.leaf) // 2))
    return mean_of_trials(
        lambda one, other: run(tables, one, other, weight, load), trials, seed, len(tables.leaf), part
    )


def mean_of_trials(
    rate: Callable[[I4, I4], float], trials: int, seed: int, size: int, part: I4 | None = None
) -> tuple[float, float]:
    """Return the mean rate of random matchings of one half of the ranks with the other, and its standard error.

    Parameters
    ----------
    rate : callable
        Of two arrays of ranks, senders and receivers: the mean over flows of what they get.
    trials, seed : int
    size : int
        Ranks.
    part : (ranks,) int32, optional
        Ranks with different numbers are never paired.
    """
    rng = np.random.default_rng(seed)
    half = size // 2
    rates = []
    for _ in range(trials):
        order = rng.permutation(size).astype(np.int32)
        if part is not None:
            order = _paired_inside(order, part)
            half = len(order) // 2
        rates.append(rate(order[:half], order[half : 2 * half]) if half else 0.0)
    return float(np.mean(rates)), float(np.std(rates, ddof=1) / np.sqrt(trials)) if trials > 1 else 0.0


def _paired_inside(order: I4, part: I4) -> I4:
    """Return one half of the ranks, then their partners, each pair of one part."""
    by_part = order[np.argsort(part[order], kind="stable")]
    label = part[by_part]
    place = np.arange(len(by_part)) - np.searchsorted(label, label)
    size = np.bincount(label)[label]
    return np.concatenate((by_part[place < size // 2], by_part[(place >= size // 2) & (place < size // 2 * 2)]))
