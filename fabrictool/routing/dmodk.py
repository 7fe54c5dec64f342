"""D-mod-k routing: the destination's key chooses the way up, its own way up is the way down.

References
----------
E. Zahavi, "Fat-Tree Routing and Node Ordering Providing Contention Free Traffic for MPI Global
Collectives", JPDC 72 (2012): up port q = key div W mod (w p), parent q mod w, cable q div w, where W
is the product of the parents' numbers of the levels below.
"""

from __future__ import annotations

import numpy as np

from fabrictool.errors import NotSupportedError, Problem
from fabrictool.fabric import Fabric
from fabrictool.fabric.tables import I4
from fabrictool.kernels.flows import RouteTables


def route_tables(fabric: Fabric, network: int) -> RouteTables:
    """Return the routing tables of a network for all GPUs as ranks.

    Parameters
    ----------
    fabric : Fabric
    network : int
        Row of the network.

    Returns
    -------
    RouteTables

    Raises
    ------
    NotSupportedError
        If the network is no tree, or a GPU has no port or several ports in it.
    """
    _refuse_no_tree(fabric, network)
    port = _rank_ports(fabric, network)
    link = _host_links(fabric, network)
    leaf_port = fabric.ports.peer[port]
    leaf = fabric.ports.device[leaf_port]
    first_up, up_channel, up_parent = _ups(fabric, network)
    stride = _strides(fabric, network, first_up, up_parent)
    key = _keys(fabric, network)[leaf_port]
    own_device, own_channel = _own_paths(leaf, key, first_up, up_channel, up_parent, stride)
    scaled = fabric.gpus.scale_up_bps > 0
    rank = np.arange(len(fabric.gpus), dtype=np.int32)
    scale_up = np.where(scaled, 2 * len(fabric.links) + 2 * rank, -1).astype(np.int32)
    return RouteTables(
        leaf=leaf,
        port_channel=(2 * link[port]).astype(np.int32),
        key=key,
        domain=fabric.gpus.domain,
        scale_up=scale_up,
        own_device=own_device,
        own_channel=own_channel,
        first_up=first_up,
        up_channel=up_channel,
        up_parent=up_parent,
        stride=stride,
    )


def _refuse_no_tree(fabric: Fabric, network: int) -> None:
    facts = fabric.networks[network]
    if not facts.is_tree:
        what = f"d-mod-k routes trees, but network {facts.name} is a {facts.family}"
        fix = "use a fat-tree or a rail-optimized network to compute collectives"
        raise NotSupportedError([Problem("", what, fix, ("networks", facts.name))])


def _rank_ports(fabric: Fabric, network: int) -> I4:
    """Return each GPU's port in a network."""
    pairs, links = fabric.gpu_ports, fabric.links
    inside = np.zeros(len(fabric.ports), bool)
    inside[links.port_a[links.network == network]] = True
    gpu, port = pairs.gpu[inside[pairs.port]], pairs.port[inside[pairs.port]]
    uses = np.bincount(gpu, minlength=len(fabric.gpus))
    name = fabric.networks[network].name
    if (uses == 0).any():
        what = f"{int((uses == 0).sum())} GPUs have no port in network {name}"
        raise NotSupportedError([Problem("", what, "attach a port of every GPU", ("networks", name))])
    if (uses > 1).any():
        what = f"GPUs with {int(uses.max())} ports each in network {name} are not supported yet"
        raise NotSupportedError([Problem("", what, "attach one port of every GPU", ("networks", name))])
    found = np.empty(len(fabric.gpus), np.int32)
    found[gpu] = port
    return found


def _host_links(fabric: Fabric, network: int) -> I4:
    """Return the link row of each port that is a lower end in a network, -1 elsewhere."""
    link = np.full(len(fabric.ports), -1, np.int32)
    rows = np.flatnonzero(fabric.links.network == network).astype(np.int32)
    link[fabric.links.port_a[rows]] = rows
    return link


def _ups(fabric: Fabric, network: int) -> tuple[I4, I4, I4]:
    """Return offsets by device, and upward channels and parents in order of cable, then parent."""
    a, z = fabric.ends
    tier = fabric.devices.tier
    rows = np.flatnonzero((fabric.links.network == network) & (tier[a] > 0) & (tier[z] > tier[a]))
    child, parent = a[rows], z[rows]
    port = fabric.ports.number[fabric.links.port_a[rows]]
    order = np.lexsort((port, parent, child))
    rows, child, parent = rows[order], child[order], parent[order]
    fresh = np.r_[True, (child[1:] != child[:-1]) | (parent[1:] != parent[:-1])] if len(rows) else np.zeros(0, bool)
    start = np.flatnonzero(fresh)
    cable = np.arange(len(rows)) - np.repeat(start, np.diff(np.r_[start, len(rows)]))
    order = np.lexsort((parent, cable, child))
    counts = np.bincount(child, minlength=len(fabric.devices))
    first = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    return first, (2 * rows[order]).astype(np.int32), parent[order].astype(np.int32)


def _strides(fabric: Fabric, network: int, first_up: I4, up_parent: I4) -> np.ndarray:
    """Return W of each level: the product of the numbers of parents below it."""
    used = (fabric.devices.network == network) & (fabric.devices.tier > 0)
    levels = int(fabric.devices.tier[used].max()) if used.any() else 1
    device = np.repeat(np.arange(len(fabric.devices)), np.diff(first_up))
    pairs = np.unique(device.astype(np.int64) << 32 | up_parent)
    parents = np.bincount(pairs >> 32, minlength=len(fabric.devices))
    stride = np.ones(levels, np.int64)
    for level in range(1, levels):
        below = used & (fabric.devices.tier == level)
        stride[level] = stride[level - 1] * max(1, int(parents[below].max(initial=1)))
    return stride


def _keys(fabric: Fabric, network: int) -> I4:
    """Return the key of each leaf port: its place among all host ports of the same rail.

    A place that is empty keeps its key, so that a missing host does not shift the others.
    """
    devices, ports, links = fabric.devices, fabric.ports, fabric.links
    host_port = links.port_a[(links.network == network) & (devices.tier[ports.device[links.port_a]] == 0)]
    leaf_port = ports.peer[host_port]
    per_leaf = int(ports.number[leaf_port].max(initial=1))
    leaves = np.flatnonzero((devices.network == network) & (devices.tier == 1))
    rail = devices.rail[leaves]
    order = np.lexsort((devices.index[leaves], rail))
    fresh = np.r_[True, rail[order][1:] != rail[order][:-1]] if len(leaves) else np.zeros(0, bool)
    start = np.flatnonzero(fresh)
    place = np.arange(len(leaves)) - np.repeat(start, np.diff(np.r_[start, len(leaves)]))
    ordinal = np.zeros(len(devices), np.int64)
    ordinal[leaves[order]] = place
    key = np.zeros(len(ports), np.int32)
    key[leaf_port] = ordinal[ports.device[leaf_port]] * per_leaf + ports.number[leaf_port] - 1
    return key


def _own_paths(leaf: I4, key: I4, first_up: I4, up_channel: I4, up_parent: I4, stride: np.ndarray) -> tuple[I4, I4]:
    """Return devices and upward channels that each rank's own key leads to, (ranks, levels) each."""
    levels = len(stride)
    device = np.full((len(leaf), levels), -1, np.int32)
    channel = np.full((len(leaf), levels), -1, np.int32)
    device[:, 0] = leaf
    for level in range(levels - 1):
        here = device[:, level]
        first = first_up[here]
        ups = np.where(here >= 0, first_up[here + 1] - first, 0)
        on = ups > 0
        choice = first[on] + key[on] // stride[level] % ups[on]
        channel[on, level] = up_channel[choice]
        device[on, level + 1] = up_parent[choice]
    return device, channel
