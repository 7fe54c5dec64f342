"""What a fabric consists of: devices by kind, links, cables, transceivers and free ports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabrictool.fabric.parts import merged
from fabrictool.fabric.tables import KINDS, Bool, Fabric

_SWITCH_TIER = 1


def counts(fabric: Fabric) -> dict[str, int]:
    """Return the numbers of GPUs, hosts, switches, links, cables and transceivers of all networks.

    Service hosts are not counted as hosts. Transceivers are occupied cages: one that two links share
    is one transceiver.
    """
    kind, tier = fabric.devices.kind, fabric.devices.tier
    every = range(len(fabric.networks))
    return {
        "gpus": len(fabric.gpus),
        "hosts": int(np.count_nonzero(kind == KINDS.index("host"))),
        "switches": int(np.count_nonzero(tier >= _SWITCH_TIER)),
        "links": len(fabric.links),
        "cables": sum(cables(fabric, network) for network in every),
        "transceivers": len(occupied_cages(fabric, np.ones(len(fabric.links), bool))),
    }


def network_counts(fabric: Fabric) -> dict[str, dict[str, int]]:
    """Return devices by kind, links and cables of each network; ``managed`` are switches of other networks."""
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
        shown |= {"managed": int(managed.sum())} if managed.any() else {}
        found[network.name] = shown | {"links": int(inside.sum()), "cables": cables(fabric, row)}
    return found


def occupied_cages(fabric: Fabric, links: Bool, ends: Sequence[str] = ("a", "z")) -> np.ndarray:
    """Return the cages that some links plug into, as sorted codes device x 2^16 + cage."""
    ports = fabric.ports
    columns = [fabric.links.port_a if end == "a" else fabric.links.port_z for end in ends]
    used = np.concatenate([column[links] for column in columns])
    return np.unique(ports.device[used].astype(np.int64) << 16 | ports.cage[used])


def cables(fabric: Fabric, network: int, links: Bool | None = None) -> int:
    """Return the cables of a network, or of some of its links.

    One a link, or one for each occupied cage of the lower end, as the network's facts say.
    """
    inside = fabric.links.network == network
    if links is not None:
        inside &= links
    host = _from_outside(fabric, network)
    facts = fabric.networks[network]
    total = 0
    for counted, rule in ((inside & host, facts.host_cables), (inside & ~host, facts.cables)):
        total += int(counted.sum()) if rule == "per-link" else len(occupied_cages(fabric, counted, ("a",)))
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
    """Return bandwidth down over bandwidth up of each tier that has uplinks, the worst switch of each, leaf first."""
    tier = fabric.devices.tier
    a, z = fabric.ends
    inside = (fabric.links.network == network) & ((tier[a] != tier[z]) | _from_outside(fabric, network))
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


@dataclass(frozen=True, slots=True)
class LinkCount:
    """Links between two kinds of device in a network.

    ``per_pair`` is the number of parallel links of each joined pair, None where pairs differ;
    ``groups`` the number of meshes that the two kinds fall apart into.
    """

    network: str
    a: str
    z: str
    count: int
    cables: int
    per_pair: int | None
    groups: int
    speed_bps: float


def link_counts(fabric: Fabric) -> list[LinkCount]:
    """Return the links by network, pair of kinds and speed, from the hosts up."""
    a, z = fabric.ends
    kind, links = fabric.devices.kind, fabric.links
    code = np.column_stack((links.network, kind[a], kind[z], links.speed_bps))
    found = []
    for row in np.unique(code, axis=0):
        inside = (code == row).all(axis=1)
        pairs, uses = np.unique(np.column_stack((a[inside], z[inside])), axis=0, return_counts=True)
        label = merged(np.arange(len(kind), dtype=np.int32), pairs[:, 0], pairs[:, 1])
        found.append(
            LinkCount(
                fabric.networks[int(row[0])].name,
                KINDS[int(row[1])],
                KINDS[int(row[2])],
                int(inside.sum()),
                cables(fabric, int(row[0]), inside),
                int(uses[0]) if (uses == uses[0]).all() else None,
                len(np.unique(label[pairs])),
                float(row[3]),
            )
        )
    for network in fabric.networks:
        for title, count, speed_bps in network.uplinks:
            found.append(LinkCount(network.name, title, "uplink", count, count, None, 1, speed_bps))
    return found
