"""What the bus of a host (PCIe) carries for its adapters, where host types state it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from fabrictool.catalogue.types import HostType, SwitchType
from fabrictool.fabric.tables import F8, Bool
from fabrictool.routing.channels import channels
from fabrictool.routing.wiring import Wiring, with_buses

I8 = npt.NDArray[np.integer]


def limited(wiring: Wiring, types: Mapping[str, HostType | SwitchType]) -> Wiring:
    """Return a network whose host links are no faster than the buses behind them.

    Ports of one adapter in the network share its bus evenly.

    Parameters
    ----------
    wiring : Wiring
    types : mapping of str to HostType or SwitchType
        By name.
    """
    port_bps = _port_bps(wiring, types)
    if not np.isfinite(port_bps).any():
        return wiring
    links = wiring.fabric.links
    link_of = np.full(len(wiring.fabric.ports), -1, np.int64)
    link_of[links.port_a] = np.arange(len(links))
    bus_bps = np.full(len(links), np.inf)
    bus_bps[link_of[wiring.terminals.port]] = port_bps
    return with_buses(wiring, bus_bps)


def slowed(wiring: Wiring) -> Bool:
    """Return the links that their bus makes slower than they are, (links,)."""
    none = np.zeros(wiring.channels.links, bool)
    speed = channels(wiring.fabric, wiring.faults).speed_bps[: 2 * wiring.channels.links : 2]
    found: Bool = none if wiring.bus_bps is None else wiring.bus_bps < speed
    return found


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
