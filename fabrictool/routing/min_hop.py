"""The routing ``min-hop`` of OpenSM: shortest ways, balanced by each switch on its own."""

from __future__ import annotations

from fabrictool.routing.balancing import balanced
from fabrictool.routing.forwarding import TableRouting
from fabrictool.routing.wiring import Wiring


def min_hop(wiring: Wiring) -> TableRouting:
    """Return the tables of min-hop.

    Ways may turn down and up again, so that a network that is no tree can have credit loops.
    """
    return balanced("min-hop", wiring)
