"""The routing ``up-down`` of OpenSM: shortest among the ways that climb towards roots first, then fall."""

from __future__ import annotations

import numpy as np

from fabrictool.fabric.tables import I4
from fabrictool.routing.balancing import balanced
from fabrictool.routing.forwarding import TableRouting
from fabrictool.routing.wiring import Wiring

#: Rank of a switch from which no root can be reached.
UNRANKED = np.iinfo(np.int32).max


def up_down(wiring: Wiring) -> TableRouting:
    """Return the tables of up-down, which have no credit loops unless roots are joined in a circle.

    References
    ----------
    Schroeder et al., "Autonet: a high-speed, self-configuring local area network", JSAC 9 (8), 1991;
    linux-rdma/opensm, ``opensm/osm_ucast_updn.c``.
    """
    return balanced("up-down", wiring, lambda found: ranks(found, roots(found)))


def roots(wiring: Wiring) -> I4:
    """Return the roots of each connected part, as places in ``wiring.switch``: its switches of the top tier.

    Where these are joined sideways and carry terminals, as in a ring or a dragonfly, they are no roots of a
    tree: the first of them is the part's only root.
    """
    ways, tier = wiring.ways, wiring.fabric.devices.tier[wiring.switch]
    sender = np.repeat(np.arange(len(tier)), np.diff(ways.first))
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(sender), np.int8), (sender, ways.to)), shape=(len(tier), len(tier)))
    parts, part = connected_components(links, directed=False)
    top = np.zeros(parts, tier.dtype)
    np.maximum.at(top, part, tier)
    highest = tier == top[part]
    seated = np.isin(np.arange(len(tier)), wiring.terminals.seat)
    flat = np.zeros(parts, bool)
    flat[part[sender[highest[sender] & highest[ways.to] & seated[sender]]]] = True
    _, first = np.unique(np.where(highest, part, parts), return_index=True)
    alone = np.zeros(len(tier), bool)
    alone[first] = True
    return np.flatnonzero(highest & (alone | ~flat[part])).astype(np.int32)


def ranks(wiring: Wiring, root: I4) -> I4:
    """Return the links from each switch to the nearest root, ``UNRANKED`` where there is no way, (switches,)."""
    rank = np.full(len(wiring.switch), UNRANKED, np.int32)
    sender, to = np.repeat(np.arange(len(rank)), np.diff(wiring.ways.first)), wiring.ways.to
    edge = np.zeros(len(rank), bool)
    edge[root] = True
    depth = 0
    while edge.any():
        rank[edge] = depth
        depth += 1
        reached = np.zeros(len(rank), bool)
        reached[to[edge[sender]]] = True
        edge = reached & (rank == UNRANKED)
    return rank
