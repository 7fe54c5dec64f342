"""Parts of a fabric: what switches up to each tier join, distances between hosts, and cuts."""

from __future__ import annotations

import numpy as np

from fabrictool.fabric.tables import F8, I4, Bool, Fabric
from fabrictool.fabric.walks import pairs_by_links

#: Distances are not counted where more switches than these form no tree: the search takes their number squared.
MOST_SEARCHED = 16_384


def network_ends(fabric: Fabric, network: int) -> tuple[I4, I4, F8]:
    """Return the devices at both ends of a network's links, and the links' speeds in bit/s."""
    rows = np.flatnonzero(fabric.links.network == network)
    a, z = fabric.ends
    return a[rows], z[rows], fabric.links.speed_bps[rows]


def merged(label: I4, a: I4, z: I4) -> I4:
    """Return labels in which both ends of every edge agree; the smallest label of a part wins.

    Parameters
    ----------
    label : (devices,) int32
        Labels before: rows of devices.
    a, z : (edges,) int32
        Devices that edges join.
    """
    label = label.copy()
    while True:
        before = label.copy()
        low = np.minimum(label[a], label[z])
        np.minimum.at(label, label[a], low)
        np.minimum.at(label, label[z], low)
        np.minimum.at(label, a, low)
        np.minimum.at(label, z, low)
        label = label[label]
        if np.array_equal(label, before):
            return label


def joined_by_tier(fabric: Fabric, network: int, label: I4 | None = None, through_hosts: bool = True) -> list[I4]:
    """Return for each tier a label of each device: equal labels are joined by switches up to that tier.

    Parameters
    ----------
    fabric : Fabric
    network : int
    label : (devices,) int32, optional
        What is joined already, such as hosts of one scale-up domain.
    through_hosts : bool
        Whether a host joins the leaves that it is on; False keeps rails apart.

    Returns
    -------
    list of (devices,) int32
        Tier 0, hosts alone, first; the top tier last.
    """
    tier = fabric.devices.tier
    a, z, _ = network_ends(fabric, network)
    above = np.maximum(tier[a], tier[z])
    joins = through_hosts | (np.minimum(tier[a], tier[z]) > 0)
    label = np.arange(len(tier), dtype=np.int32) if label is None else label
    labels = [label]
    for level in range(1, int(above.max(initial=0)) + 1):
        inside = (above <= level) & joins
        label = merged(label, a[inside], z[inside])
        labels.append(label)
    return labels


def attached_hosts(fabric: Fabric, network: int) -> I4:
    """Return the hosts of a network, service hosts left out, in row order."""
    a, _, _ = network_ends(fabric, network)
    hosts = np.unique(a[fabric.devices.kind[a] == 0])
    return hosts.astype(np.int32)


def hop_counts(fabric: Fabric, network: int) -> dict[int, int] | None:
    """Return the number of ordered pairs of hosts by links on the shortest way through switches.

    In a tiered fabric two hosts that meet at tier l are 2 l links apart; elsewhere all switches are
    searched, and None stands for more than ``MOST_SEARCHED`` of them. Pairs that never meet stand
    under -1.
    """
    if not is_tiered(fabric, network):
        return _searched(fabric, network)
    hosts = attached_hosts(fabric, network)
    found: dict[int, int] = {}
    near = 0
    for tier, label in enumerate(joined_by_tier(fabric, network)[1:], 1):
        sizes = np.unique(label[hosts], return_counts=True)[1].astype(np.int64)
        pairs = int((sizes * (sizes - 1)).sum())
        if pairs > near:
            found[2 * tier] = pairs - near
        near = pairs
    apart = len(hosts) * (len(hosts) - 1) - near
    return found | ({-1: apart} if apart else {})


def _searched(fabric: Fabric, network: int) -> dict[int, int] | None:
    """Return pairs of hosts by distance, by searching from every switch at once."""
    kind, tier = fabric.devices.kind, fabric.devices.tier
    switches = np.flatnonzero((fabric.devices.network == network) & (tier > 0))
    if len(switches) > MOST_SEARCHED:
        return None
    place = np.full(len(tier), -1, np.int32)
    place[switches] = np.arange(len(switches))
    a, z, _ = network_ends(fabric, network)
    between, at_host = (place[a] >= 0) & (place[z] >= 0), (kind[a] == 0) & (place[z] >= 0)
    ends = (place[a[between]], place[z[between]], a[at_host], place[z[at_host]])
    found = pairs_by_links(len(switches), *ends) if at_host.any() else {}
    hosts, seated = len(attached_hosts(fabric, network)), len(np.unique(a[at_host]))
    lost = hosts * (hosts - 1) - seated * (seated - 1)
    return found | ({-1: found.get(-1, 0) + lost} if lost else {})


def is_tiered(fabric: Fabric, network: int) -> bool:
    """Return whether every link of a network leads to the next tier up."""
    tier = fabric.devices.tier
    a, z, _ = network_ends(fabric, network)
    return bool((tier[z] - tier[a] == 1).all())


def switch_components(fabric: Fabric, network: int) -> int:
    """Return the number of connected parts of a network's switches."""
    tier = fabric.devices.tier
    a, z, _ = network_ends(fabric, network)
    between = (tier[a] > 0) & (tier[z] > 0)
    label = merged(np.arange(len(tier), dtype=np.int32), a[between], z[between])
    switches = (fabric.devices.network == network) & (tier > 0)
    return len(np.unique(label[switches]))


def halves_cut(fabric: Fabric, network: int, dead: Bool | None = None) -> int:
    """Return the fewest links that part the first half of the hosts from the second, by max-flow.

    Links that are ``dead``, (links,), part nothing; the halves are those of all hosts, also of cut-off ones.

    Hosts fill leaves, units, pods and groups in order, so halves in this order follow the fabric's
    own borders: in a tree no equal split cuts fewer. Where groups are joined sideways, another split
    may cut fewer links.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import maximum_flow

    hosts = attached_hosts(fabric, network)
    if len(hosts) < 2:
        return 0
    size = len(fabric.devices)
    node = np.arange(size + 2, dtype=np.int32)
    node[hosts[: len(hosts) // 2]] = size
    node[hosts[len(hosts) // 2 :]] = size + 1
    a, z = fabric.ends
    live = (fabric.links.network == network) & (True if dead is None else ~dead)
    a, z = node[a[live]], node[z[live]]
    ones = np.ones(2 * len(a), np.int32)
    both = (ones, (np.concatenate((a, z)), np.concatenate((z, a))))
    capacity = coo_array(both, shape=(size + 2, size + 2)).tocsr().astype(np.int32)
    return int(maximum_flow(capacity, size, size + 1).flow_value)
