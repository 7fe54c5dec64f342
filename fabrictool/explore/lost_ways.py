"""Why there is no way from one endpoint to another, and how far traffic gets."""

from __future__ import annotations

import numpy as np

from fabrictool.kernels.tables import HERE, NOWHERE
from fabrictool.routing.flows import Routing
from fabrictool.routing.forwarding import TableRouting
from fabrictool.routing.inside import ScaleUp
from fabrictool.routing.wiring import Wiring


def lost_way(routing: Routing, source: int, target: int) -> tuple[list[int], str]:
    """Return the channels that traffic gets along, and why no further.

    Parameters
    ----------
    routing : Routing
    source, target : int
        Endpoints without a way.
    """
    inner, wiring = routing.network if isinstance(routing, ScaleUp) else routing, routing.wiring
    for end in (source, target):
        if (wiring.up[end] < 0).all():
            return [], f"no port of {wiring.endpoint_name(end)} in network {wiring.name} is up"
    lanes = np.flatnonzero((wiring.up[source] >= 0) & (wiring.up[target] >= 0)).tolist()
    if not lanes:
        return [], "of the ports of both that are up none are in one plane"
    lanes = [lane for lane in lanes if _part(wiring, source, lane) == _part(wiring, target, lane)]
    if not lanes:
        return [], "no switches and links that are up join them"
    if isinstance(inner, TableRouting):
        return _followed(inner, int(wiring.lanes[source, lanes[0]]), int(wiring.lanes[target, lanes[0]]))
    return [], f"links that are up join them, but {routing.name} takes none of these ways"


def _part(wiring: Wiring, end: int, lane: int) -> int:
    return int(wiring.part[wiring.terminals.seat[wiring.lanes[end, lane]]])


def _followed(routing: TableRouting, source: int, target: int) -> tuple[list[int], str]:
    """Return the channels by the tables from a terminal up to a dead end, or once around a loop."""
    wiring, tables = routing.wiring, routing.tables
    port = wiring.fabric.port_name(int(wiring.terminals.port[target]))
    switch, channels, seen = int(tables.seat[source]), [int(tables.up[source])], list[int]()
    while switch not in seen and (way := int(tables.out[switch, target])) not in (HERE, NOWHERE):
        seen.append(switch)
        channels.append(int(tables.channel[tables.first[switch] + way]))
        switch = int(tables.to[tables.first[switch] + way])
    names = [str(wiring.fabric.names[wiring.switch[row]]) for row in (*seen, switch)]
    if switch in seen:
        return channels, f"the tables send it in a loop: {' - '.join(names[seen.index(switch) :])}"
    return channels, f"{names[-1]} has no entry for {port} that leads on"
