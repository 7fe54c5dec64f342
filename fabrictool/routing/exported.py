"""From routings to forwarding tables by LID, as subnet managers load them."""

from __future__ import annotations

import numpy as np

from fabrictool.fabric.tables import I2, I4
from fabrictool.formats.identities import identities
from fabrictool.formats.netfile import descriptions
from fabrictool.kernels.legal import FAR, balance, legal_distances
from fabrictool.kernels.tables import HERE, NOWHERE
from fabrictool.records import Destination, ForwardingTable, SwitchEntries
from fabrictool.routing.balancing import slopes_of
from fabrictool.routing.forwarding import TableRouting
from fabrictool.routing.up_down import ranks, roots
from fabrictool.routing.wiring import Wiring


def forwarding_table(routing: TableRouting, hca: bool = False) -> ForwardingTable:
    """Return the tables of a routing by LID, with ways to switches added, as management needs them.

    Ways to switches climb first, then fall, so that they add no credit loop; as with OpenSM's own up-down,
    switches of the top tier have none to each other. LIDs and GUIDs are those of
    :func:`fabrictool.formats.identities.identities`.

    Parameters
    ----------
    routing : TableRouting
    hca : bool
        How adapters are called, as of :func:`fabrictool.formats.netfile.netfile`.

    Raises
    ------
    InputError
        If there are more devices than LIDs.
    """
    wiring = routing.wiring
    fabric, ids = wiring.fabric, identities(wiring.fabric, wiring.network)
    port, switch = wiring.terminals.port, wiring.switch
    called = descriptions(fabric, wiring.network, hca)
    to = {
        int(ids.switch_lid[row]): Destination("Switch", int(ids.switch_guid[row]), fabric.names[row])
        for row in switch.tolist()
    }
    to |= {
        int(ids.port_lid[row]): Destination("Channel Adapter", int(ids.port_guid[row]), called[row])
        for row in port.tolist()
    }
    lid = np.concatenate((ids.switch_lid[switch], ids.port_lid[port]))
    out = np.concatenate((_ports(wiring, _to_switches(wiring), None), _ports(wiring, routing.out, port)), axis=1)
    order = np.argsort(lid, kind="stable")
    tables = []
    for row, device in enumerate(switch.tolist()):
        ways = out[row, order]
        there = ways >= 0
        tables.append(
            SwitchEntries(
                int(ids.switch_guid[device]), int(ids.switch_lid[device]), fabric.names[device], 0,
                lid[order][there], ways[there], np.zeros(int(there.sum()), np.int32),
            )
        )  # fmt: skip
    return ForwardingTable(routing.name, tuple(tables), to)


def _ports(wiring: Wiring, out: I2, terminal_port: I4 | None) -> I4:
    """Return the port number of each way out, -1 for none; 0, or the terminal's port, where it ends."""
    ways, number = wiring.ways, wiring.fabric.ports.number
    found = np.full(out.shape, -1, np.int32)
    row, column = np.nonzero(out >= 0)
    found[row, column] = ways.number[ways.first[row] + out[row, column]]
    row, column = np.nonzero(out == HERE)
    found[row, column] = 0 if terminal_port is None else number[wiring.fabric.ports.peer[terminal_port[column]]]
    return found


def _to_switches(wiring: Wiring) -> I2:
    """Return the way out of each switch to each other one, (switches, switches)."""
    count = len(wiring.switch)
    slopes = slopes_of(wiring, ranks(wiring, roots(wiring)))
    target = np.arange(count, dtype=np.int32)
    falling = np.full((count, count), FAR, np.uint8)
    legal = falling.copy()
    legal_distances(float(count * (len(slopes.to) + 1)))(slopes, target, falling, legal)
    out = np.full((count, count), NOWHERE, np.int16)
    np.fill_diagonal(out, HERE)
    balance(float(out.size))(slopes, falling, legal, target, target, out)
    return out
