"""Rules on scale: LIDs and forwarding tables of InfiniBand, path lengths, address tables of Ethernet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from fabrictool.fabric.parts import merged, network_ends
from fabrictool.fabric.tables import I4, Fabric
from fabrictool.records import Finding, Severity

#: Unicast LIDs of a subnet, 0x0001 to 0xBFFF: InfiniBand Architecture Specification 1, release 1.4, 4.1.3.
UNICAST_LIDS = 0xBFFF
#: Entries that a subnet manager reads and writes of a linear forwarding table at once: same, chapter 14.2.5.
LFT_BLOCK = 64
#: Share of the LIDs from which a finding warns that they run out.
_LIDS_SHORT = 0.9
#: Links on a directed route, by which a subnet manager finds switches: same, chapter 14.2; OpenSM reserves
#: 64 places for a path, the first of which is unused (IB_SUBNET_PATH_HOPS_MAX in ib_types.h).
DIRECTED_HOPS = 63
#: Switch tiers that OpenSM's ftree engine accepts: opensm(8), section "Fat-tree Routing Algorithm".
FTREE_RANKS = (2, 8)


def lid_space(fabric: Fabric, network: int) -> Iterator[Finding]:
    """Yield a finding if a subnet takes more LIDs than there are, or nearly all.

    Every connected port of a channel adapter and every switch takes one (LMC 0). Switches that are not
    joined, such as rails or planes, are subnets of their own.
    """
    if fabric.networks[network].protocol != "infiniband":
        return
    a, z, _ = network_ends(fabric, network)
    tier = fabric.devices.tier
    subnet = _subnets(fabric, network)
    size = len(tier)
    lids = np.bincount(subnet[z[tier[a] == 0]], minlength=size)
    switches = np.flatnonzero((fabric.devices.network == network) & (tier > 0))
    lids += np.bincount(subnet[switches], minlength=size)
    need = int(lids.max())
    if need > _LIDS_SHORT * UNICAST_LIDS:
        blocks, most = -(-(need + 1) // LFT_BLOCK), (UNICAST_LIDS + 1) // LFT_BLOCK
        what = (
            f"a subnet takes {need:,} of {UNICAST_LIDS:,} unicast LIDs (adapter ports and switches), "
            f"{blocks:,} of {most} blocks of {LFT_BLOCK} in every forwarding table"
        )
        fix = "split it into subnets: planes, rails, or islands joined by InfiniBand routers"
        severity: Severity = "error" if need > UNICAST_LIDS else "warning"
        yield Finding("lid-space", severity, f"network {fabric.networks[network].name}", what, fix)


def _subnets(fabric: Fabric, network: int) -> I4:
    """Return a label of each device; switches that links join have one."""
    a, z, _ = network_ends(fabric, network)
    tier = fabric.devices.tier
    between = (tier[a] > 0) & (tier[z] > 0)
    return merged(np.arange(len(tier), dtype=np.int32), a[between], z[between])


def path_lengths(fabric: Fabric, network: int, routing: str = "") -> Iterator[Finding]:
    """Yield findings on paths longer than InfiniBand reaches, and on trees that a routing refuses."""
    where = f"network {fabric.networks[network].name}"
    infiniband = fabric.networks[network].protocol == "infiniband"
    links = longest_path(fabric, network) if infiniband else 0
    if links > DIRECTED_HOPS:
        what = f"some hosts are {links} links apart, a subnet manager reaches {DIRECTED_HOPS}"
        yield Finding("too-many-hops", "error", where, what, "join switches more directly, or split the subnet")
    tiers = int(fabric.devices.tier[fabric.devices.network == network].max(initial=0))
    low, high = FTREE_RANKS
    if routing == "ftree" and not low <= tiers <= high:
        what = f"{tiers} tier{'s' if tiers != 1 else ''} of switches, but ftree routes {low} to {high}"
        yield Finding("tree-rank", "error", where, what, "use up-down or min-hop, or another number of tiers")


def longest_path(fabric: Fabric, network: int) -> int:
    """Return the links between the two hosts that are farthest apart, at least.

    Breadth first from a host's switch to the farthest, and again from there: exact in trees, a lower
    bound in other graphs.
    """
    a, z, _ = network_ends(fabric, network)
    tier = fabric.devices.tier
    at_hosts, between = tier[a] == 0, (tier[a] > 0) & (tier[z] > 0)
    ends = np.unique(z[at_hosts])
    if not len(ends):
        return 0
    lower, upper = a[between], z[between]
    far = _distances(len(tier), lower, upper, int(ends[0]))[ends]
    again = _distances(len(tier), lower, upper, int(ends[far.argmax()]))[ends]
    return 2 + int(again.max())


def _distances(size: int, a: I4, z: I4, start: int) -> I4:
    """Return the links from one device to each, -1 where there is no way."""
    found = np.full(size, -1, np.int32)
    found[start] = 0
    steps = 0
    while True:
        near = (found[a] == steps) & (found[z] < 0), (found[z] == steps) & (found[a] < 0)
        if not (near[0].any() or near[1].any()):
            return found
        steps += 1
        found[z[near[0]]] = steps
        found[a[near[1]]] = steps


def address_tables(
    fabric: Fabric, network: int, mac_addresses: Mapping[str, int], routes: Mapping[str, int]
) -> Iterator[Finding]:
    """Yield findings where host ports outnumber the published table sizes of a switch type.

    Parameters
    ----------
    mac_addresses, routes : mapping of str to int
        By switch type. A flat network takes a MAC address for every host port, a routed one a host route
        unless leaves announce one prefix each.
    """
    if fabric.networks[network].protocol == "infiniband":
        return
    need = int(np.count_nonzero(fabric.devices.tier[network_ends(fabric, network)[0]] == 0))
    switches = (fabric.devices.network == network) & (fabric.devices.tier > 0)
    types = [fabric.types[row] for row in np.unique(fabric.devices.type[switches]).tolist()]
    sizes = (("mac-table", "MAC addresses", mac_addresses, "route between leaves"),
             ("route-table", "routes", routes, "announce one prefix for each leaf"))  # fmt: skip
    for identity, title, known, fix in sizes:
        small = {name: known[name] for name in types if name in known and known[name] < need}
        for name, size in small.items():
            what = f"{need:,} host ports, {name} holds {size:,} {title}"
            yield Finding(identity, "warning", f"network {fabric.networks[network].name}", what, fix)
