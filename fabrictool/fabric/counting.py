"""What a fabric consists of: devices by kind, links, cables, transceivers and free ports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.chassis import backplane_links, director_count
from fabrictool.fabric.grouping import distinct
from fabrictool.fabric.parts import merged
from fabrictool.fabric.tables import F8, I4, KINDS, Bool, Fabric

_SWITCH_TIER = 1
_SCOPES = (None, "local", "global")


def counts(fabric: Fabric) -> dict[str, int]:
    """Return the numbers of GPUs, hosts, switches, links, cables and transceivers of all networks.

    Service hosts are not counted as hosts, each chip of a director is counted as a switch. Transceivers
    are occupied cages: one that two links share is one transceiver. What joins a switch to its own
    aggregation node, or chips inside a director, is a link, but no cable.
    """
    kind, tier = fabric.devices.kind, fabric.devices.tier
    every = range(len(fabric.networks))
    directors = director_count(fabric.devices)
    return {
        "gpus": len(fabric.gpus),
        "hosts": int(np.count_nonzero(kind == KINDS.index("host"))),
        "switches": int(np.count_nonzero(tier >= _SWITCH_TIER)),
        "links": len(fabric.links),
        "cables": sum(cables(fabric, network) for network in every),
        "transceivers": len(occupied_cages(fabric, ~internal_links(fabric))),
    } | ({"directors": directors} if directors else {})


def network_counts(fabric: Fabric) -> dict[str, dict[str, int]]:
    """Return devices by kind, links and cables of each network.

    ``directors`` are the chassis that some of its switches are chips of, ``managed`` switches of other networks.
    """
    found = {}
    a, z = fabric.ends
    for row, network in enumerate(fabric.networks):
        inside = fabric.links.network == row
        devices = np.union1d(a[inside], z[inside])
        devices = np.union1d(devices, np.flatnonzero(fabric.devices.network == row))
        managed = (fabric.devices.tier[devices] >= _SWITCH_TIER) & (fabric.devices.network[devices] != row)
        devices = devices[~managed]
        by_kind = np.bincount(fabric.devices.kind[devices], minlength=len(KINDS))
        shown = {"hosts": int(by_kind[0])}
        shown |= {kind: int(by_kind[KINDS.index(kind)]) for kind in ("leaf", "spine", "core")}
        shown |= {kind: int(n) for kind, n in zip(KINDS[1:], by_kind[1:], strict=True) if n and kind not in shown}
        directors = director_count(fabric.devices, row)
        shown |= {"directors": directors} if directors else {}
        shown |= {"managed": int(managed.sum())} if managed.any() else {}
        found[network.name] = shown | {"links": int(inside.sum()), "cables": cables(fabric, row)}
    return found


def occupied_cages(fabric: Fabric, links: Bool, ends: Sequence[str] = ("a", "z")) -> np.ndarray:
    """Return the cages that some links plug into, as sorted codes device x 2^16 + cage."""
    ports = fabric.ports
    columns = [fabric.links.port_a if end == "a" else fabric.links.port_z for end in ends]
    used = np.concatenate([column[links] for column in columns])
    return distinct(ports.device[used].astype(np.int64) << 16 | ports.cage[used])


def internal_links(fabric: Fabric) -> Bool:
    """Return which links lie inside a switch or director and so take no cable, (links,)."""
    return aggregation_links(fabric) | backplane_links(fabric)


def aggregation_links(fabric: Fabric) -> Bool:
    """Return which links lead to an aggregation node inside a switch, (links,)."""
    a, z = fabric.ends
    inside = fabric.devices.kind == KINDS.index("aggregation")
    return np.asarray(inside[a] | inside[z], np.bool_)


def cables(fabric: Fabric, network: int, links: Bool | None = None) -> int:
    """Return the cables of a network, or of some of its links.

    One a link, or one for each occupied cage of the lower or the upper end, as the network's facts say.
    """
    inside = (fabric.links.network == network) & ~internal_links(fabric)
    if links is not None:
        inside &= links
    host = _from_outside(fabric, network)
    facts = fabric.networks[network]
    total = 0
    for counted, rule in ((inside & host, facts.host_cables), (inside & ~host, facts.cables)):
        end = "z" if rule == "per-upper-cage" else "a"
        total += int(counted.sum()) if rule == "per-link" else len(occupied_cages(fabric, counted, (end,)))
    return total


def _from_outside(fabric: Fabric, network: int) -> Bool:
    """Say of each link whether its lower end is a host, or a switch that the network only manages."""
    a, devices = fabric.ends[0], fabric.devices
    outside: Bool = (devices.tier[a] == 0) | (devices.network[a] != network)
    return outside


def free_ports(fabric: Fabric, network: int) -> dict[str, int]:
    """Return the free switch ports of a network by kind of switch."""
    devices = fabric.devices
    free = fabric.ports.device[fabric.ports.peer < 0]
    free = free[(devices.network[free] == network) & (devices.tier[free] >= _SWITCH_TIER)]
    present = np.unique(devices.kind[(devices.network == network) & (devices.tier >= _SWITCH_TIER)])
    by_kind = np.bincount(devices.kind[free], minlength=len(KINDS))
    for kind, count, _ in fabric.networks[network].uplinks:
        by_kind[KINDS.index(kind)] -= count
    return {KINDS[kind]: int(by_kind[kind]) for kind in present}


def oversubscription(fabric: Fabric, network: int) -> list[float]:
    """Return bandwidth down over bandwidth up of each tier that has uplinks, the worst switch of each, leaf first.

    Links between switches of one tier are neither; switches whose links have no known speed are left out.
    Global links lead up; their share is that of whole groups, since a group's switches share them.
    """
    if fabric.networks[network].has_groups:
        return _oversubscription_of_groups(fabric, network)
    tier = fabric.devices.tier
    a, z = fabric.ends
    inside = (fabric.links.network == network) & ~aggregation_links(fabric)
    inside &= (tier[a] != tier[z]) | _from_outside(fabric, network)
    speed = fabric.links.speed_bps[inside]
    up = np.bincount(a[inside], speed, len(tier)).astype(np.float64)
    down = np.bincount(z[inside], speed, len(tier))
    for kind, count, each_bps in fabric.networks[network].uplinks:
        keeps = (fabric.devices.network == network) & (fabric.devices.kind == KINDS.index(kind))
        up[keeps] += count * each_bps / keeps.sum()
    found = []
    for level in range(_SWITCH_TIER, int(tier.max(initial=0)) + 1):
        rows = (fabric.devices.network == network) & (tier == level) & (up > 0)
        if rows.any():
            found.append(float((down[rows] / up[rows]).max()))
    return found


def _oversubscription_of_groups(fabric: Fabric, network: int) -> list[float]:
    pod, tier = fabric.devices.pod, fabric.devices.tier
    a, z = fabric.ends
    inside = fabric.links.network == network
    sideways = inside & (link_scopes(fabric) == _SCOPES.index("global"))

    def bandwidth(end: I4, links: Bool) -> F8:
        size = int(pod.max(initial=0)) + 1
        return np.bincount(pod[end[links]], fabric.links.speed_bps[links], size).astype(np.float64)

    found = []
    for level in range(_SWITCH_TIER, int(tier.max(initial=0)) + 1):
        down = bandwidth(z, inside & (tier[z] == level) & (tier[a] < level))
        up = bandwidth(a, inside & (tier[a] == level) & ((tier[z] > level) | sideways))
        up = up + bandwidth(z, sideways & (tier[z] == level))
        if (up > 0).any():
            found.append(float((down[up > 0] / up[up > 0]).max()))
    return found


def link_scopes(fabric: Fabric) -> npt.NDArray[np.int64]:
    """Return for each link its place in (none, local, global): inside a group of switches or between two."""
    a, z = fabric.ends
    grouped = np.array([network.has_groups for network in fabric.networks], bool)
    between = grouped[fabric.links.network] & (fabric.devices.tier[a] >= _SWITCH_TIER)
    apart = fabric.devices.pod[a] != fabric.devices.pod[z]
    return np.where(between, 1 + apart, 0).astype(np.int64)


@dataclass(frozen=True, slots=True)
class LinkCount:
    """Links between two kinds of device in a network.

    ``per_pair`` is the number of parallel links of each joined pair, None where pairs differ;
    ``groups`` the number of meshes that the two kinds fall apart into; ``scope`` is "local" or
    "global" where switches form groups.
    """

    network: str
    a: str
    z: str
    count: int
    cables: int
    per_pair: int | None
    groups: int
    speed_bps: float
    scope: str | None = None


def link_counts(fabric: Fabric) -> list[LinkCount]:
    """Return the links by network, pair of kinds, scope and speed, from the hosts up."""
    a, z = fabric.ends
    kind, links = fabric.devices.kind, fabric.links
    speeds, speed = np.unique(links.speed_bps, return_inverse=True)
    sort = (links.network, kind[a], kind[z], link_scopes(fabric), speed)
    shape = (max(1, len(fabric.networks)), len(KINDS), len(KINDS), len(_SCOPES), max(1, len(speeds)))
    code = np.ravel_multi_index(tuple(column.astype(np.int64) for column in sort), shape)
    found = []
    for row in np.unique(code):
        network, lower, upper, scope, at = (int(part) for part in np.unravel_index(row, shape))
        title = fabric.networks[network].name
        counted = _counted(fabric, network, code == row)
        found.append(LinkCount(title, KINDS[lower], KINDS[upper], *counted, float(speeds[at]), _SCOPES[scope]))
    for facts in fabric.networks:
        for title, count, speed_bps in facts.uplinks:
            found.append(LinkCount(facts.name, title, "uplink", count, count, None, 1, speed_bps))
    return found


def _counted(fabric: Fabric, network: int, inside: Bool) -> tuple[int, int, int | None, int]:
    """Return links, cables, links of each joined pair and meshes of some links."""
    a, z = fabric.ends
    pairs, uses = np.unique(a[inside].astype(np.int64) << 32 | z[inside], return_counts=True)
    low, high = (pairs >> 32).astype(np.int32), (pairs & 0xFFFFFFFF).astype(np.int32)
    label = merged(np.arange(len(fabric.devices), dtype=np.int32), low, high)
    per_pair = int(uses[0]) if (uses == uses[0]).all() else None
    return int(inside.sum()), cables(fabric, network, inside), per_pair, len(np.unique(label[low]))
