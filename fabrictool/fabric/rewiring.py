"""A fabric with ends of links in other ports: what was really plugged in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from fabrictool.errors import FabricError
from fabrictool.fabric.tables import I4, Fabric, Links, Ports


def rewired(fabric: Fabric, ends: Mapping[int, tuple[int, int]], extra: Sequence[int] = ()) -> Fabric:
    """Return a fabric some of whose links have their ends in other ports.

    Parameters
    ----------
    fabric : Fabric
    ends : mapping of int to (int, int)
        Link by row, to the rows of the ports where its ends are; rows from ``len(fabric.ports)`` on are
        those of ``extra``.
    extra : sequence of int
        Devices that get one more port each.

    Raises
    ------
    FabricError
        If a port is used twice.
    """
    order, place = _order(fabric, extra)
    port_a, port_z = fabric.links.port_a.copy(), fabric.links.port_z.copy()
    for row, (a, z) in ends.items():
        port_a[row], port_z[row] = a, z
    port_a, port_z = place[port_a], place[port_z]
    ports = _with_extra(fabric, extra, order)
    uses = np.bincount(np.concatenate((port_a, port_z)), minlength=len(order))
    if (uses > 1).any():
        raise FabricError(f"{int((uses > 1).sum())} ports would be used twice", "move their other links first")
    peer = np.full(len(order), -1, np.int32)
    peer[port_a], peer[port_z] = port_z, port_a
    tier = fabric.devices.tier[ports.device]
    down = tier[port_a] > tier[port_z]
    lower, upper = np.where(down, port_z, port_a), np.where(down, port_a, port_z)
    links = fabric.links
    table = Links(lower, upper, links.network.copy(), links.speed_bps.copy(), links.latency_s.copy())
    pairs = replace(fabric.gpu_ports, port=place[fabric.gpu_ports.port])
    return replace(fabric, ports=replace(ports, peer=peer), links=table, gpu_ports=pairs)


def _order(fabric: Fabric, extra: Sequence[int]) -> tuple[I4, I4]:
    """Return old rows, extra ones behind them, in new order, and the new row of each old one."""
    device = np.concatenate((fabric.ports.device, np.array(extra, np.int32))).astype(np.int32)
    order = np.argsort(device, kind="stable").astype(np.int32)
    place = np.empty_like(order)
    place[order] = np.arange(len(order), dtype=np.int32)
    return order, place


def _with_extra(fabric: Fabric, extra: Sequence[int], order: I4) -> Ports:
    """Return the ports with one more at each device of ``extra``, numbered on."""
    old = fabric.ports
    if not len(extra):
        return replace(old, **{name: column.copy() for name, column in old.columns().items()})
    device = np.array(extra, np.int32)
    most = [int(old.number[fabric.first_port[row] : fabric.first_port[row + 1]].max(initial=0)) for row in extra]
    before = [list(extra[:place]).count(row) for place, row in enumerate(extra)]
    number = np.array([base + more + 1 for base, more in zip(most, before, strict=True)], np.int16)
    none = np.full(len(extra), -1, np.int16)
    added: dict[str, np.ndarray] = {
        "device": device, "number": number, "cage": number, "speed_bps": np.zeros(len(extra)), "rail": none,
        "plane": none, "peer": np.full(len(extra), -1, np.int32),
    }  # fmt: skip
    columns = {}
    for name, column in old.columns().items():
        more = added.get(name, np.zeros(len(extra), column.dtype)).astype(column.dtype)
        columns[name] = np.concatenate((column, more))[order]
    return Ports(**columns)
