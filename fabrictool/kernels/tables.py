"""Kernels that follow forwarding tables: one way for each destination, from wherever it starts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.jit import inner, kernel

I2 = npt.NDArray[np.int16]
I4 = npt.NDArray[np.int32]
I8 = npt.NDArray[np.int64]
F8 = npt.NDArray[np.float64]

#: Ways out of a switch that are no channel to another switch.
HERE, NOWHERE = -2, -1
#: Destinations whose columns of the tables are taken out at a time: 128 bytes of each row.
COLUMNS = 64


class Forwarding(NamedTuple):
    """Forwarding tables as kernels read them.

    Parameters
    ----------
    out : (switches, terminals) int16
        Way out for each destination: a place among the switch's own ways, ``HERE`` where the terminal is on
        this switch and is up, ``NOWHERE`` without a way.
    first, channel, to : int32
        The ways out of switches, as of ``routing.wiring.Ways``.
    seat, up : (terminals,) int32
        Switch of each terminal, and its channel to it, -1 where it is down.
    """

    out: I2
    first: I4
    channel: I4
    to: I4
    seat: I4
    up: I4


@inner
def follow(tables: Forwarding, source: int, target: int, path: I4) -> int:
    """Write the channels from one terminal to another; return how many, -1 if there is no way or it loops."""
    if tables.up[source] < 0 or tables.up[target] < 0:
        return -1
    path[0] = tables.up[source]
    switch = tables.seat[source]
    count = 1
    while count < len(path):
        way = tables.out[switch, target]
        if way == HERE:
            path[count] = tables.up[target] ^ 1
            return count + 1
        if way == NOWHERE:
            return -1
        way += tables.first[switch]
        path[count] = tables.channel[way]
        switch = tables.to[way]
        count += 1
    return -1


@kernel
def table_paths(tables: Forwarding, source: I4, target: I4, paths: I4, length: I4) -> None:
    """Write the path of each flow between terminals.

    Parameters
    ----------
    tables : Forwarding
    source, target : (flows,) int32
        Terminals; -1 for none.
    paths : (flows, most) int32
        Gets the channels; a way of more than this loops.
    length : (flows,) int32
        Gets the number of channels, -1 where there is no way.
    """
    for flow in range(len(source)):
        if source[flow] < 0 or target[flow] < 0:
            length[flow] = -1
        else:
            length[flow] = follow(tables, source[flow], target[flow], paths[flow])


@kernel
def table_loads(
    tables: Forwarding, target: I4, sent: F8, load: F8, crossing: F8, hops: F8, arrived: F8, served: F8, longest: int
) -> None:
    """Add the load between switches when each switch sends to each destination, switch by switch, not flow by flow.

    For each destination the switches are visited from the far end of its tree inwards, in the order of the one before
    where that still holds. Tables have a row a switch, so the columns of many destinations are taken out at a time.

    Parameters
    ----------
    tables : Forwarding
    target : (destinations,) int32
        Terminals.
    sent : (switches,) float64
        Volume that starts at each switch for each destination.
    load, crossing : (channels,) float64
        Get the volume, and the number of destinations, of channels between switches.
    hops : (longest + 1,) float64
        Gets the volume by links on its way, host links included; the first place that which never arrives.
    arrived : (destinations,) float64
        Gets the volume that arrives at each.
    served : (switches,) float64
        Gets the number of destinations that what each switch sends arrives at.
    longest : int
        More links than these on a way are a loop.
    """
    switches = len(tables.first) - 1
    first, to = tables.first, tables.to
    out = np.empty((COLUMNS, switches), np.int16)
    depth, order = np.full(switches, -1, np.int32), np.empty(switches, np.int32)
    stack, start = np.empty(switches, np.int32), np.empty(longest + 1, np.int32)
    amount, ways = np.empty(switches), np.zeros(longest + 1)
    count, volume = 0, 0.0
    for low in range(0, len(target), COLUMNS):
        some = target[low : low + COLUMNS]
        for switch in range(switches):
            for place in range(len(some)):
                out[place, switch] = tables.out[switch, some[place]]
        for place in range(len(some)):
            column, live = out[place], tables.up[some[place]] >= 0
            if not _fits(first, to, column, live, depth):
                depth[:] = -1
                for switch in range(switches):
                    if depth[switch] == -1:
                        _measure(first, to, column, live, switch, depth, stack, longest - 2)
                count, volume = _sort(depth, start, order), _sum_up(depth, sent, ways)
            hops += ways
            arrived[low + place] = volume
            for switch in range(switches):
                amount[switch] = sent[switch]
                served[switch] += 1.0 if depth[switch] >= 0 else 0.0
            _push(first, tables.channel, to, column, depth, order, count, amount, load, crossing)


@inner
def _fits(first: I4, to: I4, column: I2, live: bool, depth: I4) -> bool:
    """Return whether depths hold for another destination too: those on one switch mostly have the same."""
    for switch in range(len(column)):
        way = column[switch]
        if way >= 0:
            beyond = depth[to[first[switch] + way]]
            if depth[switch] != (beyond + 1 if beyond >= 0 else -2):
                return False
        elif depth[switch] != (0 if way == HERE and live else -2):
            return False
    return True


@inner
def _sum_up(depth: I4, sent: F8, ways: F8) -> float:
    """Write what switches send by links on its way, that which never arrives first; return what arrives."""
    ways[:] = 0.0
    for switch in range(len(depth)):
        ways[depth[switch] + 2 if depth[switch] >= 0 else 0] += sent[switch]
    return float(ways[1:].sum())


@inner
def _push(
    first: I4, channel: I4, to: I4, column: I2, depth: I4, order: I4, count: int, amount: F8, load: F8, crossing: F8
) -> None:
    """Pass on what switches send and receive for a destination, the farthest first."""
    for place in range(count - 1, -1, -1):
        switch = order[place]
        if depth[switch] > 0 and amount[switch] > 0.0:
            way = first[switch] + column[switch]
            load[channel[way]] += amount[switch]
            crossing[channel[way]] += 1.0
            amount[to[way]] += amount[switch]


@inner
def _sort(depth: I4, start: I4, order: I4) -> int:
    """Write the switches that lead to a destination in order of depth; return how many."""
    start[:] = 0
    for switch in range(len(depth)):
        if depth[switch] >= 0:
            start[depth[switch] + 1] += 1
    for level in range(len(start) - 1):
        start[level + 1] += start[level]
    for switch in range(len(depth)):
        if depth[switch] >= 0:
            order[start[depth[switch]]] = switch
            start[depth[switch]] += 1
    return int(start[-1])


@inner
def _measure(first: I4, to: I4, column: I2, live: bool, switch: int, depth: I4, stack: I4, deepest: int) -> None:
    """Set how many switches a switch is from a destination's: -2 for one that never gets there."""
    count = 0
    here = switch
    while depth[here] == -1:
        way = column[here]
        if way == HERE:
            depth[here] = 0 if live else -2
        elif way == NOWHERE:
            depth[here] = -2
        else:
            stack[count] = here
            count += 1
            depth[here] = -3
            here = to[first[here] + way]
    found = depth[here] if depth[here] >= 0 else -2
    while count > 0:
        count -= 1
        if found >= 0:
            found = found + 1 if found < deepest else -2
        depth[stack[count]] = found
