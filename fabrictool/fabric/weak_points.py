"""Rules on single points of failure: switches and links whose loss cuts hosts off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fabrictool.fabric.articulation import weak_vertices
from fabrictool.fabric.chassis import box_name
from fabrictool.fabric.evenness import switches_of
from fabrictool.fabric.grouping import distinct
from fabrictool.fabric.parts import merged, network_ends
from fabrictool.fabric.tables import I4, KINDS, Bool, Fabric
from fabrictool.records import Finding

#: So many losses inside the graph of switches are followed up host by host; in a regular fabric there are none.
_FOLLOWED = 32
_HOST = KINDS.index("host")


def weak_switches(fabric: Fabric, network: int) -> Iterator[Finding]:
    """Yield one finding for each kind of switch of which a single one, when lost, cuts hosts off."""
    cut = _hosts_on_one_switch(fabric, network)
    points, _ = weak_vertices(_switch_pairs(fabric, network)[0])
    for switch in points[:_FOLLOWED].tolist():
        cut[switch] = max(cut[switch], _cut_off(fabric, network, [switch]))
    kinds = fabric.devices.kind
    for kind in np.unique(kinds[cut > 0]).tolist():
        rows = np.flatnonzero((cut > 0) & (kinds == kind))
        worst = int(rows[cut[rows].argmax()])
        every = np.count_nonzero((kinds == kind) & (fabric.devices.network == network))
        what = (
            f"{len(rows):,} of {every:,} {switches_of(kind)} are single points of failure: "
            f"the loss of {fabric.names[worst]} cuts {_hosts(cut[worst])} off"
        )
        fix = "accept it, or connect each host to two switches that do not depend on each other"
        yield Finding("single-point", "warning", f"network {fabric.networks[network].name}", what, fix)


def weak_directors(fabric: Fabric, network: int) -> Iterator[Finding]:
    """Yield a finding if a whole director, when lost, cuts hosts off."""
    chassis = fabric.devices.chassis
    if chassis is None:
        return
    inside = np.where(fabric.devices.network == network, chassis, -1)
    every = np.unique(inside[inside >= 0])
    found = []
    for number in every[:_FOLLOWED].tolist():
        chips = np.flatnonzero(inside == number).tolist()
        found.append((_cut_off(fabric, network, chips), box_name(fabric, chips[0])))
    weak = [row for row in found if row[0]]
    if weak:
        hosts, name = max(weak)
        what = (
            f"{len(weak):,} of {len(every):,} directors are single points of failure, whatever is redundant inside: "
            f"the loss of {name} cuts {_hosts(hosts)} off"
        )
        fix = "accept it, or join the hosts by two directors, such as one for each of two planes"
        yield Finding("single-director", "warning", f"network {fabric.networks[network].name}", what, fix)


def weak_links(fabric: Fabric, network: int) -> Iterator[Finding]:
    """Yield a finding if a single link between switches, when lost, cuts hosts off."""
    pairs, parallel = _switch_pairs(fabric, network)
    _, bridges = weak_vertices(pairs)
    size = len(fabric.devices)
    single = set((pairs[parallel == 1].astype(np.int64) @ np.array([size, 1])).tolist())
    found = []
    for a, z in bridges[:_FOLLOWED].tolist():
        if a * size + z in single:
            hosts = _cut_off(fabric, network, [], link=(a, z))
            found += [(hosts, a, z)] if hosts else []
    if found:
        hosts, a, z = max(found)
        what = (
            f"{len(found):,} links between switches are single points of failure: "
            f"the loss of that from {fabric.names[a]} to {fabric.names[z]} cuts {_hosts(hosts)} off"
        )
        fix = "add a parallel link, or one to another switch"
        yield Finding("single-point-link", "warning", f"network {fabric.networks[network].name}", what, fix)


def single_homed(fabric: Fabric, network: int) -> Iterator[Finding]:
    """Yield a finding that says how many GPUs lose the network with one link."""
    links = fabric.links
    host_end = links.port_a[(links.network == network) & (fabric.devices.tier[fabric.ends[0]] == 0)]
    uses = np.isin(fabric.gpu_ports.port, host_end)
    ports_of_gpu = np.bincount(fabric.gpu_ports.gpu[uses], minlength=len(fabric.gpus))
    single = len(distinct(fabric.gpu_ports.port[uses & (ports_of_gpu[fabric.gpu_ports.gpu] == 1)]))
    if single:
        message = f"{single:,} single-homed host links: a flap of one stops a job"
        fix = "accept it, or give each GPU two ports on different leaves"
        yield Finding("single-homed", "warning", f"network {fabric.networks[network].name}", message, fix)


def _hosts(count: int) -> str:
    return f"{count:,} host{'' if count == 1 else 's'}"


def _hosts_on_one_switch(fabric: Fabric, network: int) -> I4:
    """Return for each device the hosts, service hosts left out, that have all their links on it."""
    a, z, _ = network_ends(fabric, network)
    at_hosts = fabric.devices.kind[a] == _HOST
    host, switch = a[at_hosts], z[at_hosts]
    size = len(fabric.devices)
    low, high = np.full(size, size, np.int32), np.full(size, -1, np.int32)
    np.minimum.at(low, host, switch)
    np.maximum.at(high, host, switch)
    return np.bincount(low[low == high], minlength=size).astype(np.int32)


def _switch_pairs(fabric: Fabric, network: int) -> tuple[I4, I4]:
    """Return the joined pairs of switches, (pairs, 2), and the parallel links of each."""
    a, z, _ = network_ends(fabric, network)
    between = (fabric.devices.tier[a] > 0) & (fabric.devices.tier[z] > 0) & (a != z)
    low, high = np.minimum(a[between], z[between]), np.maximum(a[between], z[between])
    size = len(fabric.devices)
    code, parallel = np.unique(low.astype(np.int64) * size + high, return_counts=True)
    return np.column_stack((code // size, code % size)).astype(np.int32), parallel.astype(np.int32)


def _cut_off(fabric: Fabric, network: int, switches: Sequence[int], link: tuple[int, int] = (-1, -1)) -> int:
    """Return the hosts that a loss parts from the largest rest of what they were joined to."""
    a, z, _ = network_ends(fabric, network)
    tier = fabric.devices.tier
    between = (tier[a] > 0) & (tier[z] > 0)
    before = merged(np.arange(len(tier), dtype=np.int32), a[between], z[between])
    lost = np.isin(a, switches) | np.isin(z, switches)
    lost |= (np.minimum(a, z) == link[0]) & (np.maximum(a, z) == link[1])
    stays = between & ~lost
    after = merged(np.arange(len(tier), dtype=np.int32), a[stays], z[stays])
    hosts = fabric.devices.kind[a] == _HOST
    left = hosts & ~lost
    good = _in_largest(before[z[left]], after[z[left]])
    return len(np.unique(a[hosts])) - len(np.unique(a[left][good]))


def _in_largest(whole: I4, part: I4) -> Bool:
    """Return which rows lie in the part that holds most rows of its whole."""
    pairs, which, sizes = np.unique(np.column_stack((whole, part)), axis=0, return_inverse=True, return_counts=True)
    most: dict[int, int] = {}
    for row in np.argsort(sizes, kind="stable").tolist():
        most[int(pairs[row, 0])] = row
    largest = np.isin(np.arange(len(pairs)), list(most.values()))
    return np.asarray(largest[which.ravel()])
