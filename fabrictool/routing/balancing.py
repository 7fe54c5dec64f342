"""OpenSM's balancing: shortest legal ways, each switch on its own taking the one it has used least.

The rules are those of ``osm_ucast_mgr.c`` and ``osm_switch.c`` of OpenSM 3.3.23 with LMC 0 and default options.

References
----------
linux-rdma/opensm, ``opensm/osm_ucast_mgr.c`` (``sort_ports_by_switch_load``), ``opensm/osm_switch.c``
(``osm_switch_recommend_path``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.fabric import KINDS
from fabrictool.fabric.tables import I2, I4, Bool
from fabrictool.formats.identities import switch_guids
from fabrictool.kernels.legal import FAR, Slopes, balance, legal_distances
from fabrictool.kernels.tables import HERE, NOWHERE
from fabrictool.routing.distances import distances
from fabrictool.routing.forwarding import TableRouting
from fabrictool.routing.wiring import Wiring, without_faults

U1 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Destinations:
    """What a subnet manager routes to: terminals, and then the engines in switches, which count though no
    traffic of ours goes there.

    Parameters
    ----------
    seat : (destinations,) int32
        Switch, as a place in ``Wiring.switch``; -1 for a port on no switch.
    number : (destinations,) int16
        Port of the switch.
    up : (destinations,) bool
        Whether the link is up.
    """

    seat: I4
    number: I2
    up: Bool

    def order(self, visit: I4) -> I4:
        """Return those that are up in routing order: switches with most of them first, then by port.

        ``visit`` is the place of each switch in the order of GUIDs, (switches,).
        """
        live = np.flatnonzero(self.up & (self.seat >= 0))
        seat = self.seat[live]
        carried = np.bincount(seat, minlength=len(visit))
        return live[np.lexsort((self.number[live], visit[seat], -carried[seat]))].astype(np.int32)


def destinations(wiring: Wiring) -> Destinations:
    """Return the destinations of a wiring; the first are its terminals."""
    fabric, links = wiring.fabric, wiring.fabric.links
    kind = fabric.devices.kind[fabric.ports.device[links.port_a]]
    engine = np.flatnonzero((links.network == wiring.network) & (kind == KINDS.index("aggregation")))
    link_of = np.full(len(fabric.ports), -1, np.int32)
    link_of[links.port_a] = np.arange(len(links), dtype=np.int32)
    link = np.concatenate((link_of[wiring.terminals.port], engine))
    far = links.port_z[link]
    return Destinations(
        wiring.place[fabric.ports.device[far]], fabric.ports.number[far], ~wiring.faults.links.dead[link]
    )


def visiting_order(wiring: Wiring) -> I4:
    """Return the place of each switch in OpenSM's order, by GUIDs with their last byte first, (switches,)."""
    place = np.empty(len(wiring.switch), np.int32)
    order = np.argsort(switch_guids(wiring.fabric, wiring.switch).byteswap(), kind="stable")
    place[order] = np.arange(len(order), dtype=np.int32)
    return place


def balanced(name: str, wiring: Wiring, rank_of: Callable[[Wiring], I4] | None = None) -> TableRouting:
    """Return balanced tables.

    With faults the tables of the healthy network are the start, and only what they broke is routed anew, as a
    subnet manager does that finds its entries in the switches.

    Parameters
    ----------
    name : str
    wiring : Wiring
    rank_of : callable, optional
        Gives the rank of each switch of a wiring: ways climb to lower ranks first, then fall. Without, all
        ways may be used.
    """
    rank = None if rank_of is None else rank_of(wiring)
    start = balanced(name, without_faults(wiring), rank_of) if wiring.faults else None
    return repaired(name, wiring, rank, start)


def repaired(name: str, wiring: Wiring, rank: I4 | None, start: TableRouting | None) -> TableRouting:
    """Return tables that keep the entries of others while they are live and shortest, and balance the rest.

    Parameters
    ----------
    name : str
    wiring : Wiring
    rank : (switches,) int32, optional
        As of ``Slopes``; without, every way may be used.
    start : TableRouting, optional
        Tables of the same network with other faults.
    """
    goals = destinations(wiring)
    visit = visiting_order(wiring)
    column = goals.order(visit)
    out = np.full((len(wiring.switch), len(goals.seat)), NOWHERE, np.int16)
    if start is not None:
        live = wiring.terminals.up >= 0
        out[:, : len(live)] = np.where(live, _carried(start, wiring), NOWHERE)
    out[goals.seat[column], column] = HERE
    seat, row = np.unique(goals.seat[column], return_inverse=True)
    slopes = slopes_of(wiring, np.zeros(len(wiring.switch), np.int32) if rank is None else rank)
    falling, legal = _lengths(wiring, slopes, seat.astype(np.int32), rank is not None)
    balance(float(out.size))(slopes, falling, legal, column, row.astype(np.int32), out)
    return TableRouting(name, wiring, np.ascontiguousarray(out[:, : len(wiring.terminals)]))


def slopes_of(wiring: Wiring, rank: I4) -> Slopes:
    """Return which ways climb: those to a lower rank, and among equal ranks those to a lower GUID.

    Ways between roots, of rank 0, fall in both directions.
    """
    ways = wiring.ways
    order = np.argsort(switch_guids(wiring.fabric, wiring.switch), kind="stable")
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    here, there = np.repeat(np.arange(len(order)), np.diff(ways.first)), ways.to
    level = (rank[here] == rank[there]) & (rank[here] > 0)
    climbs = (rank[there] < rank[here]) | (level & (place[there] < place[here]))
    returns = (rank[here] < rank[there]) | (level & (place[here] < place[there]))
    return Slopes(ways.first, ways.to, climbs, returns)


def _lengths(wiring: Wiring, slopes: Slopes, target: I4, ranked: bool) -> tuple[U1, U1]:
    if not ranked:
        found = distances(wiring, target)
        return found, found
    falling = np.full((len(target), len(wiring.switch)), FAR, np.uint8)
    legal = falling.copy()
    legal_distances(float(len(target) * (len(slopes.to) + 1)))(slopes, target, falling, legal)
    return falling, legal


def _carried(start: TableRouting, wiring: Wiring) -> I2:
    """Return the entries of tables in the ways of another wiring, ``NOWHERE`` where their link is down."""
    old, new = start.wiring.ways, wiring.ways
    way = np.full(len(wiring.channels) + 1, NOWHERE, np.int16)
    way[new.channel] = np.arange(len(new.channel)) - np.repeat(new.first[:-1], np.diff(new.first))
    at = np.where(start.out >= 0, old.first[:-1, None] + start.out, 0)
    channel = np.where(start.out >= 0, old.channel[at] if len(old.channel) else -1, -1)
    return way[channel]
