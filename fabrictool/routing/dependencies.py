"""Channel dependencies of a routing: whether links can wait for each other in a circle.

References
----------
Dally, Seitz, "Deadlock-free message routing in multiprocessor interconnection networks", IEEE Transactions on
Computers C-36 (5), 1987: without virtual channels a routing is free of deadlock if and only if its dependency
graph has no cycle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.errors import NotSupportedError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.kernels.dependencies import turns
from fabrictool.routing.channels import sending_ports
from fabrictool.routing.flows import Flows, Routing, Usage, flows
from fabrictool.routing.forwarding import TableRouting, reach
from fabrictool.routing.modk import ModK
from fabrictool.routing.up_down import ranks, roots
from fabrictool.routing.wiring import Wiring

I8 = npt.NDArray[np.int64]

#: Flows that are followed at once.
_FLOWS = 1 << 20


@dataclass(frozen=True)
class Dependencies:
    """What channels a routing uses, and which directly one after the other.

    Parameters
    ----------
    channels : (channels,) int32
        Channels in use, in ascending order.
    edges : (edges, 2) int32
        Channel, and the one that traffic on it waits for next; in ascending order.
    loops : list of list of int
        Channels that can wait for each other in a circle, one list for each cyclic strongly connected
        component. Where it is a simple cycle each channel depends on the next, and the last on the first.
    """

    channels: I4
    edges: I4
    loops: list[list[int]]


def dependencies(routing: Routing, stated: Flows | None = None) -> Dependencies:
    """Return the channel dependencies of a routing with every endpoint sending to every other, or of stated flows.

    Raises
    ------
    NotSupportedError
        If the routing splits flows over several paths, whose order usage does not tell.
    """
    if isinstance(routing, ModK) and routing.name == "d-mod-k" and stated is None:
        routing = routing.table()
    pairs = (
        table_turns(routing)
        if isinstance(routing, TableRouting) and stated is None
        else _turns_of_paths(routing, stated)
    )
    key = np.unique(np.concatenate([np.zeros(0, np.int64), *pairs]))
    edges = np.column_stack(np.divmod(key, len(routing.wiring.channels))).astype(np.int32)
    return Dependencies(np.unique(edges).astype(np.int32), edges, _loops(edges))


def credit_loops(routing: Routing, most_entries: int) -> int | None:
    """Return the number of circles in which channels can wait for each other, None where that is not counted.

    D-mod-k and S-mod-k have none: every way climbs, then falls. Forwarding tables are followed up to
    ``most_entries``; a routing that splits flows has no order of channels to look at.
    """
    if isinstance(routing, ModK):
        return 0
    if isinstance(routing, TableRouting) and routing.out.size <= most_entries:
        return len(dependencies(routing).loops)
    return None


def up_down_violations(routing: Routing) -> I4:
    """Return the dependencies that fall first, then climb: channels, (violations, 2).

    Ranks are links to the switches of the top tier; without violations a routing has no credit loop.
    """
    return falls_then_climbs(routing.wiring, dependencies(routing))


def falls_then_climbs(wiring: Wiring, found: Dependencies) -> I4:
    """Return those of some dependencies that fall first, then climb: channels, (violations, 2)."""
    edges = found.edges
    rank = np.full(len(wiring.fabric.devices), np.iinfo(np.int32).max, np.int64)
    rank[wiring.switch] = ranks(wiring, roots(wiring))
    sender, receiver = _ends(wiring)
    between = (wiring.place[sender] >= 0) & (wiring.place[receiver] >= 0)
    falls = between & (rank[receiver] > rank[sender])
    climbs = between & (rank[receiver] < rank[sender])
    return edges[falls[edges[:, 0]] & climbs[edges[:, 1]]]


def unreachable_pairs(routing: Routing) -> I4:
    """Return the ordered pairs of hosts that no way joins, (pairs, 2)."""
    wiring = routing.wiring
    if isinstance(routing, TableRouting):
        return np.concatenate([np.zeros((0, 2), np.int32), *_unreached(routing)])
    lost = [np.column_stack((part.source, part.target))[used.hops < 0] for part, used in _usages(routing, wiring.hosts)]
    return np.concatenate([np.zeros((0, 2), np.int32), *lost])


def table_turns(routing: TableRouting) -> Iterator[I8]:
    """Yield pairs of channels that tables use one after the other, as first times channels plus second."""
    wiring, tables = routing.wiring, routing.tables
    ways, count = wiring.ways, len(wiring.channels)
    way = np.full(count + 1, -1, np.int32)
    way[ways.channel] = np.arange(len(ways.channel)) - np.repeat(ways.first[:-1], np.diff(ways.first))
    for lane in wiring.lanes.T:
        terminal = lane[lane >= 0]
        terminal = np.unique(terminal[tables.up[terminal] >= 0]).astype(np.int32)
        terminal = terminal[np.argsort(tables.seat[terminal], kind="stable")]
        carried = np.bincount(tables.seat[terminal], minlength=len(wiring.switch))
        port = np.zeros(len(tables.up), np.int32)
        first = np.cumsum(carried) - carried
        port[terminal] = np.arange(len(terminal)) - np.repeat(first, carried)
        out = np.diff(ways.first)
        block = np.concatenate(([0], np.cumsum((out + 1).astype(np.int64) * (out + carried))))
        seen = np.zeros(int(block[-1]), np.uint8)
        run = turns(float(len(terminal) * len(wiring.switch)))
        run(tables, terminal, (carried > 0).astype(np.uint8), way[ways.channel ^ 1], port, block, seen)
        for switch in range(len(wiring.switch)):
            into = ways.channel[ways.first[switch] : ways.first[switch + 1]]
            own = tables.up[terminal[first[switch] : first[switch] + carried[switch]]]
            marks = seen[block[switch] : block[switch + 1]].reshape(len(into) + 1, -1)
            pairs = _pairs(marks, into, own)
            yield pairs[:, 0] * count + pairs[:, 1]


def _pairs(marks: npt.NDArray[np.uint8], way: I4, own: I4) -> I8:
    """Return the channels of the marks of a switch; its terminals send to all but themselves, (pairs, 2)."""
    row, column = np.nonzero(marks)
    out = np.concatenate((way, own ^ 1)).astype(np.int64)
    passing = row < len(way)
    through = np.column_stack(((way ^ 1)[row[passing]], out[column[passing]]))
    starts = column[~passing]
    local: I8 = np.column_stack((np.repeat(own, len(starts)), np.tile(out[starts], len(own)))).astype(np.int64)
    return np.concatenate((through, local[local[:, 0] != local[:, 1] ^ 1]))


def _turns_of_paths(routing: Routing, stated: Flows | None) -> Iterator[I8]:
    """Yield pairs of channels along the paths of flows, by default all pairs; where a path ends is none."""
    sender, receiver = _ends(routing.wiring)
    least = 1 / max(routing.wiring.lanes.shape[1], 1)
    every = _usages(routing, routing.wiring.endpoints) if stated is None else [(stated, routing.usage(stated))]
    for _, used in every:
        if (used.share < least * (1 - 1e-9)).any():
            what = f"routing '{routing.name}' splits flows over several paths"
            raise NotSupportedError(
                [Problem("", what, "ask for dependencies of a routing with one path for each flow")]
            )
        before, after = used.channel[:-1], used.channel[1:]
        flow = np.repeat(np.arange(len(used.hops)), np.diff(used.first))
        joined = (flow[:-1] == flow[1:]) & (receiver[before] == sender[after])
        yield np.unique(before[joined].astype(np.int64) * len(routing.wiring.channels) + after[joined])


def _usages(routing: Routing, count: int) -> Iterator[tuple[Flows, Usage]]:
    """Yield flows between all pairs of the first endpoints, some sources at a time, and what they use."""
    step = max(1, _FLOWS // max(count, 1))
    for low in range(0, count, step):
        source, target = np.divmod(np.arange(low * count, min(low + step, count) * count), count)
        part = flows(source[source != target], target[source != target])
        yield part, routing.usage(part)


def _unreached(routing: TableRouting) -> Iterator[I4]:
    wiring = routing.wiring
    lanes = wiring.lanes[: wiring.hosts].T
    seat, up = wiring.terminals.seat, wiring.terminals.up
    reached = [reach(routing, np.maximum(lane, 0)) for lane in lanes]
    for source in range(wiring.hosts):
        lost = np.ones(wiring.hosts, bool)
        lost[source] = False
        for lane, found in zip(lanes, reached, strict=True):
            if lane[source] >= 0 and up[lane[source]] >= 0:
                lost &= ~(found[seat[lane[source]]] & (lane >= 0))
        target = np.flatnonzero(lost)
        yield np.column_stack((np.full(len(target), source), target)).astype(np.int32)


def _ends(wiring: Wiring) -> tuple[I4, I4]:
    """Return the device that each channel leads from and to; scale-up channels lead between -1 and -1."""
    ports, links = wiring.fabric.ports, sending_ports(wiring.fabric)
    sender = np.full(len(wiring.channels), -1, np.int32)
    receiver = sender.copy()
    sender[: len(links)] = ports.device[links]
    receiver[: len(links)] = ports.device[ports.peer[links]]
    return sender, receiver


def _loops(edges: I4) -> list[list[int]]:
    """Return the cyclic components of a graph, in the order of their lowest channels."""
    if not len(edges):
        return []
    size = int(edges.max()) + 1
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(edges), np.int8), (edges[:, 0], edges[:, 1])), shape=(size, size)).tocsr()
    _, part = connected_components(graph, connection="strong")
    cyclic = np.flatnonzero(np.bincount(part) > 1)
    inside = edges[(part[edges[:, 0]] == part[edges[:, 1]]) & np.isin(part[edges[:, 0]], cyclic)]
    found = [_in_order(inside[part[inside[:, 0]] == component]) for component in cyclic.tolist()]
    return sorted(found, key=min)


def _in_order(edges: I4) -> list[int]:
    """Return the channels of a component from the lowest on, each by the next where it is a simple cycle."""
    after = dict(edges[::-1].tolist())
    if len(after) < len(edges):
        return sorted(after)
    order = [int(edges[:, 0].min())]
    while after[order[-1]] != order[0]:
        order.append(after[order[-1]])
    return order
