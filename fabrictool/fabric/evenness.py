"""Rules on evenness: equal uplinks within a tier, one speed at a spine, no more blocking than asked for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fabrictool.fabric.counting import oversubscription
from fabrictool.fabric.grouping import grouped
from fabrictool.fabric.tables import F8, I4, KINDS, Fabric
from fabrictool.records import Finding
from fabrictool.units import format_speed

_SHOWN = 3


def listed(names: list[str]) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def switches_of(kind: int) -> str:
    """Return what switches of a kind are called together."""
    return "routers" if KINDS[kind] == "router" else f"{KINDS[kind]} switches"


def unequal_uplinks(fabric: Fabric, network: int, lowest: int = 1) -> Iterator[Finding]:
    """Yield one finding for each kind of switch whose switches differ in links up or in their speed.

    Switches of one kind, type and plane are compared, from tier ``lowest`` on; those with the most common
    uplinks are the rule.
    """
    links, bps = _uplinks(fabric, network)
    devices = fabric.devices
    switches = np.flatnonzero((devices.network == network) & (devices.tier >= lowest))
    alike = np.column_stack((devices.kind, devices.type, devices.plane))[switches]
    odd: dict[int, list[int]] = {}
    usual: dict[int, int] = {}
    for label in np.unique(alike, axis=0):
        rows = switches[(alike == label).all(axis=1)]
        pairs, which, sizes = np.unique(
            np.column_stack((links[rows], bps[rows])), axis=0, return_inverse=True, return_counts=True
        )
        if len(pairs) > 1:
            rule = int(np.lexsort((pairs[:, 0], sizes))[-1])
            odd.setdefault(int(label[0]), []).extend(rows[which.ravel() != rule].tolist())
            usual.setdefault(int(label[0]), int(rows[which.ravel() == rule][0]))
    for kind, rows_of in odd.items():
        model, first = usual[kind], rows_of[0]
        what = (
            f"{len(rows_of):,} of {np.count_nonzero(devices.kind[switches] == kind):,} {switches_of(kind)} have "
            f"unequal uplinks: {fabric.names[first]} has {links[first]}{_sum(bps[first])}, "
            f"{fabric.names[model]} {links[model]}{_sum(bps[model])}"
        )
        fix = f"give {listed([fabric.names[row] for row in rows_of])} the uplinks of the others"
        yield Finding("unequal-uplinks", "warning", f"network {fabric.networks[network].name}", what, fix)


def _sum(bps: float) -> str:
    return f" of {format_speed(bps)} in sum" if bps else ""


def _uplinks(fabric: Fabric, network: int) -> tuple[I4, F8]:
    """Return the links up of each device and the sum of their speeds in bit/s, (devices,) each."""
    a, z = fabric.ends
    tier = fabric.devices.tier
    up = (fabric.links.network == network) & (tier[a] < tier[z])
    count = np.bincount(a[up], minlength=len(tier)).astype(np.int32)
    return count, np.bincount(a[up], fabric.links.speed_bps[up], len(tier)).astype(np.float64)


def mixed_speeds(fabric: Fabric, network: int) -> Iterator[Finding]:
    """Yield one finding for each kind of switch above the leaves with links of two speeds to the tier below."""
    a, z = fabric.ends
    tier, speed = fabric.devices.tier, fabric.links.speed_bps
    below = (fabric.links.network == network) & (tier[a] > 0) & (tier[a] < tier[z]) & (speed > 0)
    found, _ = grouped(z[below], np.round(speed[below]).astype(np.int64))
    pairs = np.array(found, np.int64).reshape(-1, 2)
    switches, speeds = np.unique(pairs[:, 0].astype(np.int32), return_counts=True)
    mixed = switches[speeds > 1]
    for kind in np.unique(fabric.devices.kind[mixed]).tolist():
        rows = mixed[fabric.devices.kind[mixed] == kind]
        example = " and ".join(format_speed(bps) for bps in pairs[pairs[:, 0] == rows[0], 1])
        what = f"{len(rows):,} {switches_of(kind)} have links of two speeds: {fabric.names[rows[0]]} {example}"
        fix = "bring them to one speed: equal shares over unequal links fill the slow ones first"
        yield Finding("mixed-speeds", "warning", f"network {fabric.networks[network].name}", what, fix)


def more_blocking(fabric: Fabric, network: int, asked: tuple[float, ...]) -> Iterator[Finding]:
    """Yield a finding if the worst switch of a tier is oversubscribed more than asked for."""
    built = oversubscription(fabric, network)
    beyond = [
        f"tier {tier} is {have:.4g}:1 where {want:g}:1 is asked for"
        for tier, (have, want) in enumerate(zip(built, asked, strict=False), 1)
        if have > want * (1 + 1e-9)
    ]
    if beyond:
        fix = "add uplinks, restore lost ones, or raise oversubscription"
        where = f"network {fabric.networks[network].name}"
        yield Finding("more-blocking", "error", where, "; ".join(beyond), fix)
