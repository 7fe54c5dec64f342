"""What one lost spine, leaf or host link costs, from the loads as they are: a line, not a ranking.

On a regular healthy tree under D-mod-k all that crossed a link from a switch to a parent goes over the same
cable to the next parent, and on from there alike. So the busiest link afterwards carries its own load and
that of its neighbour. What else moves, at switches far away, is spread over many links and left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.changes.all_reduce import AllReduce, all_reduce, seconds_per_byte, whole_hosts
from fabrictool.changes.effects import lost_share
from fabrictool.fabric import KINDS
from fabrictool.fabric.tables import F8, I4
from fabrictool.kernels.flows import RouteTables
from fabrictool.routing.flows import Routing
from fabrictool.routing.modk import ModK
from fabrictool.routing.wiring import Wiring


@dataclass(frozen=True, slots=True)
class IfLost:
    """What the worst of a kind takes of all-reduce and all-to-all bandwidth, as shares."""

    kind: str
    all_reduce_lost: float
    all_to_all_lost: float


def if_lost(routing: Routing) -> list[IfLost]:
    """Return what the worst single switch of each tier and the worst host link cost, the top tier first.

    Parameters
    ----------
    routing : Routing
        Of a wiring whose only endpoints are hosts or GPUs, as ``of_hosts`` makes it.

    Returns
    -------
    list of IfLost
        Empty where loads cannot be told so simply: with faults, without proven regularity, with several ports
        for each endpoint, or under another routing than D-mod-k. ``ranking`` knows those.
    """
    if not isinstance(routing, ModK) or routing.name != "d-mod-k" or len(routing.trees) != 1 or not routing.trees[0]:
        return []
    wiring, tables = routing.wiring, routing.lanes[0]
    seconds = seconds_per_byte(wiring)
    plan = all_reduce(wiring, np.ones(wiring.hosts, bool))
    loads = [routing.loads(step.flows) * seconds for step in plan.rounds]
    busy = routing.all_to_all()[0] * seconds
    return [*_switches(wiring, tables, plan, loads, busy), *_at_hosts(wiring)]


def _switches(wiring: Wiring, tables: RouteTables, plan: AllReduce, loads: list[F8], busy: F8) -> list[IfLost]:
    """Return what the worst switch of each tier above the leaves costs, the top first."""
    child, link, other = _neighbours(tables)
    parent = tables.up_parent
    tier, kind = wiring.fabric.devices.tier, wiring.fabric.devices.kind
    before = [float(load.max(initial=0.0)) for load in loads]
    found = []
    for level in np.unique(tier[parent])[::-1].tolist():
        here = tier[parent] == level
        pairs = [np.column_stack((link[here], other[here]))]
        pairs.append(_above(tables, parent[here], tables.up_parent[_next(tables, child)][here]))
        crossed = np.concatenate(pairs)
        after = [max(then, _worst(load, crossed)) for then, load in zip(before, loads, strict=True)]
        rate, rate_after = plan.busbw_bytes_per_s(before), plan.busbw_bytes_per_s(after)
        slowest = float(busy.max(initial=0.0))
        found.append(
            IfLost(
                KINDS[kind[parent[here][0]]],
                lost_share(rate or 0.0, rate_after or 0.0) or 0.0,
                1 - slowest / max(slowest, _worst(busy, crossed)) if slowest else 0.0,
            )
        )
    return found


def _next(tables: RouteTables, child: I4) -> npt.NDArray[np.int64]:
    """Return for each upward channel the place of that of the same switch and cable to the next parent."""
    place = np.arange(len(child))
    choice, parents = place - tables.first_up[child], tables.width[child]
    turned: npt.NDArray[np.int64] = place + (choice % parents + 1) % parents - choice % parents
    return turned


def _neighbours(tables: RouteTables) -> tuple[I4, I4, I4]:
    """Return for each upward channel its switch, itself, and its neighbour."""
    child = np.repeat(np.arange(len(tables.first_up) - 1, dtype=np.int32), np.diff(tables.first_up))
    return child, tables.up_channel, tables.up_channel[_next(tables, child)]


def _above(tables: RouteTables, lost: I4, heir: I4) -> npt.NDArray[np.int32]:
    """Return the upward channels of lost switches beside those of the switches that take over."""
    lost, first = np.unique(lost, return_index=True)
    heir = heir[first]
    ups = np.diff(tables.first_up)[lost]
    own = np.repeat(tables.first_up[lost], ups) + np.arange(ups.sum()) - np.repeat(np.cumsum(ups) - ups, ups)
    beside = own + np.repeat(tables.first_up[heir] - tables.first_up[lost], ups)
    return np.column_stack((tables.up_channel[own], tables.up_channel[beside]))


def _worst(load: F8, pairs: npt.NDArray[np.int32]) -> float:
    """Return the largest sum of the loads of two channels, or of both the other way."""
    both = [load[pairs ^ way].sum(axis=1) for way in (0, 1)]
    return float(np.max(both, initial=0.0))


def _at_hosts(wiring: Wiring) -> list[IfLost]:
    """Return what the worst leaf and the worst host link cost: the endpoints on it, and the hosts that these break."""
    device, seat = wiring.device, wiring.terminals.seat[wiring.lanes[:, 0]]
    size = wiring.hosts
    under = np.bincount(seat, minlength=len(wiring.switch))
    leaf = int(under.argmax())
    alive = seat != leaf
    broken = size - int(np.count_nonzero(whole_hosts(wiring, alive)))
    each = int(np.bincount(device).max())
    return [IfLost("leaf", broken / size, int(under[leaf]) / size), IfLost("host link", each / size, 1 / size)]
