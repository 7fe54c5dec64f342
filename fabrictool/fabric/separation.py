"""Rules on separation: planes that never meet, rails that keep to their leaves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fabrictool.fabric.evenness import listed
from fabrictool.fabric.tables import I4, Bool, Fabric
from fabrictool.records import Finding, Severity

#: Share of the host ports that must follow a rail pattern for a discovered fabric to be held against it.
_PATTERN = 0.75


def planes_touch(fabric: Fabric, network: int) -> Iterator[Finding]:
    """Yield a finding if links join two planes."""
    links, ports, devices = fabric.links, fabric.ports, fabric.devices
    a, z = fabric.ends
    lower = np.where(devices.tier[a] == 0, ports.plane[links.port_a], devices.plane[a])
    upper = devices.plane[z]
    bad = np.flatnonzero((links.network == network) & (lower >= 0) & (upper >= 0) & (lower != upper))
    if len(bad):
        row = int(bad[0])
        what = (
            f"{len(bad):,} links join two planes: {fabric.link_name(row)} leads from plane {lower[row] + 1} "
            f"to plane {upper[row] + 1}"
        )
        fix = "plug each into a switch of its own plane: a fault in one plane must not reach the other"
        yield Finding("planes-touch", "error", f"network {fabric.networks[network].name}", what, fix)


def wrong_rails(fabric: Fabric, network: int) -> Iterator[Finding]:
    """Yield a finding if host ports are on a leaf that serves another rail."""
    rows, rail, leaf = _railed(fabric, network)
    bad = rows[_off_rail(rail, leaf)]
    if len(bad) and _follows(fabric, network, len(bad), len(rows)):
        yield _misplaced(fabric, network, bad, "wrong-rail", "on a leaf of another rail")


def split_rails(fabric: Fabric, network: int) -> Iterator[Finding]:
    """Yield a finding if a rail of neighbouring hosts is wired to two leaves.

    Hosts that share a leaf on one rail share one on every rail; a port elsewhere, such as in another
    scalable unit, splits its rail.
    """
    rows, rail, leaf = _railed(fabric, network)
    good = ~_off_rail(rail, leaf)
    rows, leaf = rows[good], leaf[good]
    if not len(rows):
        return
    host = fabric.ends[0][rows]
    block = _most_common(leaf, _most_common(host, leaf))
    bad = rows[block != _most_common(host, block)]
    if len(bad) and _follows(fabric, network, len(bad), len(rows)):
        yield _misplaced(fabric, network, bad, "rail-split", "on another leaf than their rail's neighbours")


def _railed(fabric: Fabric, network: int) -> tuple[I4, I4, I4]:
    """Return links of host ports that are on a rail, the rail within its plane, and the leaf."""
    ports = fabric.ports
    a, z = fabric.ends
    at_hosts = (fabric.links.network == network) & (fabric.devices.tier[a] == 0)
    rows = np.flatnonzero(at_hosts & (ports.rail[fabric.links.port_a] >= 0)).astype(np.int32)
    port = fabric.links.port_a[rows]
    return rows, (ports.plane[port].astype(np.int32) + 1) << 16 | ports.rail[port], z[rows]


def _off_rail(rail: I4, leaf: I4) -> Bool:
    """Return which ports are of a rail that has less than half the ports of their leaf's main rail."""
    pairs, which, uses = np.unique(np.column_stack((leaf, rail)), axis=0, return_inverse=True, return_counts=True)
    most = np.zeros(int(leaf.max(initial=0)) + 1, np.int64)
    np.maximum.at(most, pairs[:, 0], uses)
    return np.asarray(2 * uses[which.ravel()] < most[leaf])


def _most_common(key: I4, value: I4) -> I4:
    """Return for each row the most common value among the rows of its key, the smallest of equals."""
    pairs, uses = np.unique(np.column_stack((key, value)), axis=0, return_counts=True)
    order = np.lexsort((-pairs[:, 1], uses, pairs[:, 0]))
    last = np.flatnonzero(np.diff(pairs[order, 0], append=-1))
    found = np.full(int(key.max(initial=0)) + 1, -1, np.int32)
    found[pairs[order[last], 0]] = pairs[order[last], 1]
    return found[key]


def _follows(fabric: Fabric, network: int, bad: int, total: int) -> bool:
    """Say whether a network has rails by design, or enough of its ports follow the pattern."""
    return fabric.networks[network].family != "file" or bad <= (1 - _PATTERN) * total


def _misplaced(fabric: Fabric, network: int, bad: I4, identity: str, where: str) -> Finding:
    """Return the finding; only a warning where rails are inferred from the cabling itself."""
    example = fabric.link_name(int(bad[0]))
    hosts = sorted({fabric.names[row] for row in fabric.ends[0][bad].tolist()})
    rail = int(fabric.ports.rail[fabric.links.port_a[bad[0]]]) + 1
    what = f"{len(bad):,} host ports are {where}: {example} is of rail {rail}"
    fix = f"replug {listed(hosts)}: traffic within a rail must not cross the spines"
    severity: Severity = "warning" if fabric.networks[network].family == "file" else "error"
    return Finding(identity, severity, f"network {fabric.networks[network].name}", what, fix)
