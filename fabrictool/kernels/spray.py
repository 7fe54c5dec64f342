"""Kernels that spread traffic over all minimal ways, destination by destination."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.goals import FAR
from fabrictool.kernels.jit import inner, kernel
from fabrictool.kernels.minimal import Onward, Spread, blank, minimal, push, turn, weight, whole

I2 = npt.NDArray[np.int16]
I4 = npt.NDArray[np.int32]
I8 = npt.NDArray[np.int64]
F8 = npt.NDArray[np.float64]


class Rows(NamedTuple):
    """Traffic to goals, in ascending order of goals.

    Parameters
    ----------
    goal : (rows,) int32
    seat : (rows, lanes) int32
        Switches that the sender's ports lead to, -1 for none.
    rank : (rows, lanes) int16
        Steps that the speeds of the ports reach.
    volume : (rows,) float64
    """

    goal: I4
    seat: I4
    rank: I2
    volume: F8


@kernel
def spread_loads(spread: Spread, rows: Rows, load: F8, leaving: F8, arriving: F8) -> None:
    """Add the load between switches of traffic spread over all minimal ways, all rows of a goal together.

    Parameters
    ----------
    spread : Spread
    rows : Rows
    load : (channels,) float64
        Gets the volume on channels between switches.
    leaving : (rows, lanes) float64
        Gets the part of each row that leaves by each port of its sender; none where there is no way.
    arriving : (rows, stops) float64
        Gets the part of each row that arrives at each switch of its goal.
    """
    switches, stops = len(spread.first) - 1, spread.stop.shape[1]
    onward = blank(spread)
    amount = np.zeros(switches)
    arrival = np.zeros((switches, stops))
    near = np.zeros(switches, np.bool_)
    carried = np.zeros(len(spread.to))  # by way and not by channel: what a switch sends stands together
    row, reached = 0, 0
    while row < len(rows.goal):
        goal = rows.goal[row]
        reached = turn(spread, goal, rows.goal[row - 1] if row else -1, onward)
        if stops > 1:
            _follow_back(spread, goal, onward, reached, arrival)
        while row < len(rows.goal) and rows.goal[row] == goal:
            _depart(spread, rows, row, onward.paths, leaving)
            _set_out(rows, row, leaving, amount, arrival, arriving)
            row += 1
        push(spread, goal, onward, reached, amount, carried, 1.0, near, False)
    for way in range(len(carried)):
        load[spread.channel[way]] += carried[way]


@inner
def _follow_back(spread: Spread, goal: int, onward: Onward, reached: int, arrival: F8) -> None:
    """Write which part of what starts at each switch arrives at each switch of a goal."""
    arrival[:] = 0.0
    for place in range(spread.stop.shape[1]):
        if spread.stop[goal, place] >= 0:
            arrival[spread.stop[goal, place], place] = 1.0
    for place in range(reached):
        switch = onward.order[place]
        first, many = spread.first[switch], onward.many[switch]
        if many < 0:
            many = minimal(spread, goal, switch, onward)
        total = whole(spread, onward.paths, switch, many)
        for at in range(first, first + many):
            way = onward.way[at]
            part = weight(spread, onward.paths, spread.to[way], spread.rank[way]) / total
            for stop in range(spread.stop.shape[1]):
                arrival[switch, stop] += part * arrival[spread.to[way], stop]


@inner
def _depart(spread: Spread, rows: Rows, row: int, paths: F8, leaving: F8) -> None:
    """Write the part of a row that leaves by each port of its sender: those that lie on minimal ways."""
    hops = spread.hops[rows.goal[row]]
    nearest = FAR
    for lane in range(rows.seat.shape[1]):
        if rows.seat[row, lane] >= 0:
            nearest = min(nearest, int(hops[rows.seat[row, lane]]))
    total = 0.0
    for lane in range(rows.seat.shape[1]):
        seat = rows.seat[row, lane]
        leaving[row, lane] = 0.0
        if seat >= 0 and hops[seat] == nearest and nearest < FAR:
            leaving[row, lane] = weight(spread, paths, seat, rows.rank[row, lane])
            total += leaving[row, lane]
    if total > 0.0:
        for lane in range(rows.seat.shape[1]):
            leaving[row, lane] /= total


@inner
def _set_out(rows: Rows, row: int, leaving: F8, amount: F8, arrival: F8, arriving: F8) -> None:
    """Put a row on the switches that its sender's ports lead to, and write where it will arrive."""
    arriving[row] = 0.0
    for lane in range(rows.seat.shape[1]):
        part = leaving[row, lane]
        if part > 0.0:
            seat = rows.seat[row, lane]
            amount[seat] += part * rows.volume[row]
            if arriving.shape[1] == 1:
                arriving[row, 0] += part
            else:
                for stop in range(arriving.shape[1]):
                    arriving[row, stop] += part * arrival[seat, stop]


@kernel
def spread_usage(spread: Spread, rows: Rows, count: I8, channel: I4, share: F8, leaving: F8, arriving: F8) -> None:
    """Write the channels between switches that each row uses, nearest to the sender first.

    Parameters
    ----------
    spread : Spread
    rows : Rows
    count : (rows,) int64
        Gets the number of channels.
    channel, share : (uses,) int32 and float64
        Get them and the part of the row's volume on each; empty to count alone.
    leaving, arriving : (rows, lanes) and (rows, stops) float64
        As of ``spread_loads``.
    """
    switches = len(spread.first) - 1
    onward = blank(spread)
    amount = np.zeros(switches)
    now, then = np.empty(switches, np.int32), np.empty(switches, np.int32)
    at = 0
    for row in range(len(rows.goal)):
        goal, before = rows.goal[row], rows.goal[row - 1] if row else -1
        if goal != before:
            turn(spread, goal, before, onward)
        _depart(spread, rows, row, onward.paths, leaving)
        active = _begin(rows, row, leaving, amount, now)
        start = at
        while active and spread.hops[goal, now[0]] > 0:
            active, at = _next_layer(spread, goal, onward, now[:active], then, amount, channel, share, at)
            now, then = then, now
        count[row] = at - start
        for place in range(spread.stop.shape[1]):
            stop = spread.stop[goal, place]
            arriving[row, place] = amount[stop] if stop >= 0 else 0.0
        for place in range(active):
            amount[now[place]] = 0.0


@inner
def _begin(rows: Rows, row: int, leaving: F8, amount: F8, now: I4) -> int:
    """Put a whole row on the switches where it starts; write them, and return how many."""
    active = 0
    for lane in range(rows.seat.shape[1]):
        if leaving[row, lane] > 0.0:
            seat = rows.seat[row, lane]
            if amount[seat] == 0.0:
                now[active] = seat
                active += 1
            amount[seat] += leaving[row, lane]
    return active


@inner
def _next_layer(
    spread: Spread, goal: int, onward: Onward, now: I4, then: I4, amount: F8, channel: I4, share: F8, at: int
) -> tuple[int, int]:
    """Move a layer of switches one hop on, writing uses from place ``at``; return how many follow, and the place."""
    active = 0
    for switch in now:
        held = amount[switch]
        amount[switch] = 0.0
        first, many = spread.first[switch], onward.many[switch]
        if many < 0:
            many = minimal(spread, goal, switch, onward)
        held /= whole(spread, onward.paths, switch, many)
        for place in range(first, first + many):
            way = onward.way[place]
            there = spread.to[way]
            part = held * weight(spread, onward.paths, there, spread.rank[way])
            if amount[there] == 0.0:
                then[active] = there
                active += 1
            amount[there] += part
            if len(channel):
                channel[at], share[at] = spread.channel[way], part
            at += 1
    return active, at
