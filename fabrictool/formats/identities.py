"""GUIDs and LIDs of an InfiniBand network: what a discovery brought, or what we give to a fabric of our own.

A fabric of our own has none. Its switches are numbered in row order, then the ports of hosts, of service
machines and of engines in switches, by device and port. The number is the LID. It also makes the GUID:
``02 fa b0``, a byte for switch or adapter, the number with its *lowest byte first*, and a zero byte, so that an
adapter has 255 GUIDs for its ports. OpenSM keeps devices in the order of GUIDs as they lie in memory, which on
common machines is by their last byte first: with these GUIDs it visits them in the fabric's own order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.errors import InputError
from fabrictool.fabric import KINDS, Fabric
from fabrictool.fabric.tables import I4
from fabrictool.formats.descriptions import LAST_LID

U8 = npt.NDArray[np.uint64]

_SWITCH, _ADAPTER = 0x02FAB001 << 32, 0x02FAB002 << 32
_SERVICE, _AGGREGATION = KINDS.index("service"), KINDS.index("aggregation")


@dataclass(frozen=True)
class Identities:
    """GUIDs and LIDs in a network, 0 where something is not in it.

    Parameters
    ----------
    switch_guid, switch_lid : (devices,) uint64, int32
    port_guid, port_lid : (ports,) uint64, int32
        Of the ports of adapters.
    """

    switch_guid: U8
    switch_lid: I4
    port_guid: U8
    port_lid: I4


def switches_and_ports(fabric: Fabric, network: int) -> tuple[I4, I4]:
    """Return the switches of a network, and the adapter ports on them in the order of their LIDs."""
    devices, links = fabric.devices, fabric.links
    rows = np.flatnonzero(links.network == network)
    inside = devices.network == network
    for end in fabric.ends:
        inside = inside | np.isin(np.arange(len(devices)), end[rows])
    switch = np.flatnonzero(inside & (devices.tier > 0))
    port = links.port_a[rows][devices.tier[fabric.ends[0][rows]] == 0]
    kind = devices.kind[fabric.ports.device[port]]
    order = np.lexsort((port, np.select([kind == _SERVICE, kind == _AGGREGATION], [1, 2], 0)))
    return switch.astype(np.int32), port[order].astype(np.int32)


def switch_guids(fabric: Fabric, switch: I4) -> U8:
    """Return the GUID of each switch, (switches,)."""
    return _with_own(_column(fabric.devices.guid, switch), _made(_SWITCH, np.arange(1, len(switch) + 1)))


def identities(fabric: Fabric, network: int) -> Identities:
    """Return the GUIDs and LIDs of a network.

    Raises
    ------
    InputError
        If there are more switches and ports than unicast LIDs.
    """
    switch, port = switches_and_ports(fabric, network)
    count = len(switch) + len(port)
    if count > LAST_LID:
        what = f"network {fabric.networks[network].name} has {count} switches and adapter ports, but a subnet"
        raise InputError(f"{what} has {LAST_LID} LIDs", "give a part of the fabric, such as one rail")
    number = np.arange(1, count + 1)
    found = Identities(
        np.zeros(len(fabric.devices), np.uint64),
        np.zeros(len(fabric.devices), np.int32),
        np.zeros(len(fabric.ports), np.uint64),
        np.zeros(len(fabric.ports), np.int32),
    )
    found.switch_guid[switch] = switch_guids(fabric, switch)
    made = _made(_ADAPTER, number[len(switch) :]) + np.uint64(1)
    found.port_guid[port] = _with_own(_column(fabric.ports.guid, port), made)
    own = np.concatenate((_column(fabric.devices.lid, switch), _column(fabric.ports.lid, port))).astype(np.int64)
    lids = _with_own_lids(own, number)
    found.switch_lid[switch], found.port_lid[port] = lids[: len(switch)], lids[len(switch) :]
    return found


def _made(base: int, number: npt.NDArray[np.int64]) -> U8:
    low, middle, high = number & 0xFF, number >> 8 & 0xFF, number >> 16 & 0xFF
    return (base | low << 24 | middle << 16 | high << 8).astype(np.uint64)


def _column(column: npt.NDArray[np.uint64] | I4 | None, rows: I4) -> U8:
    return np.zeros(len(rows), np.uint64) if column is None else column[rows].astype(np.uint64)


def _with_own(own: U8, made: U8) -> U8:
    """Return what a fabric states, and what is made where it states nothing or the same twice."""
    _, first, count = np.unique(own, return_index=True, return_counts=True)
    once = np.zeros(len(own), bool)
    once[first[count == 1]] = True
    return np.where(once & (own > 0), own, made)


def _with_own_lids(own: npt.NDArray[np.int64], number: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return stated LIDs, and the lowest free ones, in order, where there are none or one is there twice."""
    lids = _with_own(own.astype(np.uint64), np.zeros(len(own), np.uint64)).astype(np.int64)
    free = np.setdiff1d(np.arange(1, len(own) + np.count_nonzero(lids) + 1), lids)
    missing = np.flatnonzero(lids == 0)
    lids[missing] = free[: len(missing)]
    return lids if len(missing) < len(lids) else number
