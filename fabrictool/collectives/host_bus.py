"""What the bus of a host (PCIe) carries for its adapters, where host types state it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fabrictool.catalogue.types import HostType, SwitchType
from fabrictool.fabric.tables import F8, Bool
from fabrictool.routing.wiring import Wiring

I8 = npt.NDArray[np.integer]


def limited(wiring: Wiring, types: Mapping[str, HostType | SwitchType]) -> tuple[Wiring, Bool]:
    """Return a network whose host links are no faster than the buses behind them, and which links that slows.

    Ports of one adapter in the network share its bus evenly.

    Parameters
    ----------
    wiring : Wiring
    types : mapping of str to HostType or SwitchType
        By name.

    Returns
    -------
    tuple of Wiring and (links,) bool
    """
    slowed = np.zeros(wiring.channels.links, bool)
    port_bps = _port_bps(wiring, types)
    up = wiring.terminals.up
    known = np.flatnonzero(np.isfinite(port_bps) & (up >= 0))
    if not len(known):
        return wiring, slowed
    speed = wiring.channels.speed_bps.copy()
    link = up[known] // 2
    slowed[link] = port_bps[known] < speed[2 * link]
    for way in (0, 1):
        speed[2 * link + way] = np.minimum(speed[2 * link + way], port_bps[known])
    return replace(wiring, channels=replace(wiring.channels, speed_bps=speed)), slowed


def _port_bps(wiring: Wiring, types: Mapping[str, HostType | SwitchType]) -> F8:
    """Return what the bus leaves each terminal, in bit/s, infinite where that is not stated, (terminals,)."""
    fabric, port = wiring.fabric, wiring.terminals.port
    device, number = fabric.ports.device[port].astype(np.int64), fabric.ports.number[port]
    found = np.full(len(port), np.inf)
    for row, name in enumerate(fabric.types):
        kind = types.get(name)
        if not isinstance(kind, HostType) or all(nic.pcie_bps is None for nic in kind.nics):
            continue
        mine = np.flatnonzero((fabric.devices.type[device] == row) & (number >= 1) & (number <= kind.ports))
        adapter, bus_bps = _adapters(kind)
        at = number[mine] - 1
        code = device[mine] * kind.ports + adapter[at]
        _, which, share = np.unique(code, return_inverse=True, return_counts=True)
        found[mine] = bus_bps[at] / share[which]
    return found


def _adapters(kind: HostType) -> tuple[I8, F8]:
    """Return the adapter of each port of a host, and what the bus carries for it, (ports,) each."""
    count = [nic.count for nic in kind.nics]
    each = np.repeat([nic.ports_each for nic in kind.nics], count)
    bus = np.repeat([np.inf if nic.pcie_bps is None else nic.pcie_bps for nic in kind.nics], count)
    return np.repeat(np.arange(len(each)), each), np.repeat(bus, each)
