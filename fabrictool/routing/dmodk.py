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
from fabrictool.fabric.faults import Faults
from fabrictool.fabric.grouping import distinct
from fabrictool.fabric.parts import is_tiered
from fabrictool.fabric.tables import I4
from fabrictool.kernels.flows import RouteTables
from fabrictool.routing.ranks import rank_wiring
from fabrictool.routing.wiring import Wiring


def route_tables(wiring: Wiring) -> list[RouteTables]:
    """Return the routing tables of a network for all endpoints, one for each lane of their ports.

    Raises
    ------
    NotSupportedError
        If the network is no tree.
    """
    fabric, network = wiring.fabric, wiring.network
    if not is_tiered(fabric, network):
        facts = fabric.networks[network]
        what = f"D-mod-k routes trees, but in network {facts.name} ({facts.family}) links join switches sideways"
        raise NotSupportedError([Problem("", what, "use minimal, min-hop or spray", ("networks", facts.name))])
    ups = _ups(fabric, network)
    stride = _strides(fabric, network, ups[0], ups[2])
    keys = _keys(fabric, network)
    dead = np.r_[np.repeat(wiring.faults.links.dead, 2), False]
    live = (ups[0], np.where(dead[ups[1]], -1, ups[1]).astype(np.int32), ups[2])
    width = _parents(ups[0], ups[2], len(fabric.devices))
    return [_tables(wiring, lane, keys, live, width, stride) for lane in wiring.lanes.T]


def rank_tables(fabric: Fabric, network: int, faults: Faults | None = None) -> list[RouteTables]:
    """Return the routing tables of a network for all GPUs as ranks, one for each port of a GPU.

    Raises
    ------
    NotSupportedError
        If the network is no tree, or GPUs have no port or unequally many ports in it.
    """
    return route_tables(rank_wiring(fabric, network, faults))


def _tables(wiring: Wiring, lane: I4, keys: I4, ups: tuple[I4, I4, I4], width: I4, stride: np.ndarray) -> RouteTables:
    """Return the tables of one port of each endpoint."""
    there, terminals, ports = lane >= 0, wiring.terminals, wiring.fabric.ports
    leaf = np.where(there, wiring.switch[terminals.seat[lane]], -1).astype(np.int32)
    key = np.where(there, keys[ports.peer[terminals.port[lane]]], 0).astype(np.int32)
    own_device, own_channel = _own_paths(leaf, key, *ups, stride)
    return RouteTables(
        leaf=leaf,
        port_channel=np.where(there, terminals.up[lane], -1).astype(np.int32),
        key=key,
        domain=wiring.domain,
        scale_up=wiring.scale_up,
        own_device=own_device,
        own_channel=own_channel,
        first_up=ups[0],
        up_channel=ups[1],
        up_parent=ups[2],
        width=width,
        stride=stride,
    )


def _parents(first_up: I4, up_parent: I4, devices: int) -> I4:
    """Return the number of parents of each device, (devices,)."""
    device = np.repeat(np.arange(devices), np.diff(first_up))
    pairs = distinct(device.astype(np.int64) << 32 | up_parent)
    counts: I4 = np.bincount(pairs >> 32, minlength=devices).astype(np.int32)
    return counts


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
    parents = _parents(first_up, up_parent, len(fabric.devices))
    stride = np.ones(levels, np.int64)
    for level in range(1, levels):
        below = used & (fabric.devices.tier == level)
        stride[level] = stride[level - 1] * max(1, int(parents[below].max(initial=1)))
    return stride


def _keys(fabric: Fabric, network: int) -> I4:
    """Return the key of each leaf port: its place among all host ports, or on rails that of its host.

    A place that is empty keeps its key, so that a missing host does not shift the others.
    """
    ports, links = fabric.ports, fabric.links
    host_port = links.port_a[(links.network == network) & (fabric.devices.tier[fabric.ends[0]] == 0)]
    leaf_port = ports.peer[host_port]
    railed = ports.rail[host_port] >= 0
    key = np.zeros(len(ports), np.int32)
    key[leaf_port] = np.where(
        railed, _host_places(fabric, ports.device[host_port]), _leaf_places(fabric, network, leaf_port)
    )
    return key


def _host_places(fabric: Fabric, host: I4) -> np.ndarray:
    """Return the place of hosts: their index in their group, after all groups attached before."""
    group, index = fabric.devices.group[host], fabric.devices.index[host].astype(np.int64)
    present, first = np.unique(group, return_index=True)
    base = np.zeros(int(group.max(initial=0)) + 1, np.int64)
    done = 0
    for title in present[np.argsort(first)]:
        base[title] = done
        done += int(index[group == title].max()) + 1
    return base[group] + index


def _leaf_places(fabric: Fabric, network: int, leaf_port: I4) -> np.ndarray:
    """Return the place of leaf ports among the host ports of their plane, leaf by leaf."""
    devices, ports = fabric.devices, fabric.ports
    per_leaf = int(ports.number[leaf_port].max(initial=1))
    leaves = np.flatnonzero((devices.network == network) & (devices.tier == 1))
    plane = devices.plane[leaves]
    order = np.lexsort((devices.index[leaves], plane))
    place = np.arange(len(leaves)) - np.searchsorted(plane[order], plane[order])
    ordinal = np.zeros(len(devices), np.int64)
    ordinal[leaves[order]] = place
    return ordinal[ports.device[leaf_port]] * per_leaf + ports.number[leaf_port] - 1


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
