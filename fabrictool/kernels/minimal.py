"""Minimal ways to goals, and traffic that spreads over them: what the kernels of spray share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.goals import FAR
from fabrictool.kernels.jit import inner

I2 = npt.NDArray[np.int16]
I4 = npt.NDArray[np.int32]
U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


class Spread(NamedTuple):
    """Minimal ways to goals, and what each way out of a switch weighs.

    A goal is a set of switches: where traffic leaves for a destination. A way out of a switch is minimal
    if it leads one hop nearer to the goal.

    Parameters
    ----------
    first, channel, to : int32
        The ways out of switches, as of ``routing.wiring.Ways``.
    rank : (ways,) int16
        How many of the steps a way's speed reaches.
    step : (steps,) float64
        Differences of speed from one class of links to the next faster one; none where all minimal ways
        out of a switch weigh the same. Else a way weighs the sum, over all minimal paths that begin with
        it, of the speed of the slowest link.
    hops : (goals, switches) uint8
        Links to the nearest switch of each goal, ``FAR`` where there is no way.
    stop : (goals, stops) int32
        The switches of each goal, each named once; -1 after the last.
    cables : (goals, stops, steps) float64
        Links from each of these switches on to the destination that reach a step.
    """

    first: I4
    channel: I4
    to: I4
    rank: I2
    step: F8
    hops: U1
    stop: I4
    cables: F8


class Onward(NamedTuple):
    """The minimal ways out of each switch for the goal at hand, kept as long as distances around it stay the same.

    Goals that follow each other are mostly neighbours, and most switches are equally far from both.

    Parameters
    ----------
    way : (ways,) int32
        From the first way of each switch on: those that are minimal.
    many : (switches,) int32
        How many they are; -1 where that must be looked up.
    order : (switches,) int32
        Switches from which the goal can be reached, the nearest first.
    paths : (switches, steps) float64
        Minimal paths from each switch whose links all reach a step of speed.
    """

    way: I4
    many: I4
    order: I4
    paths: F8


@inner
def push(
    spread: Spread,
    goal: int,
    onward: Onward,
    reached: int,
    amount: F8,
    carried: F8,
    times: float,
    near: Bool,
    keep: bool,
) -> None:
    """Pass on what switches hold, so many times, from the farthest to the goal; those that are near may keep theirs."""
    for place in range(reached - 1, -1, -1):
        switch = onward.order[place]
        held = amount[switch]
        if held > 0.0 and not (keep and near[switch]):
            amount[switch] = 0.0
            first, many = spread.first[switch], onward.many[switch]
            if many < 0:
                many = minimal(spread, goal, switch, onward)
            if many > 0:
                held /= whole(spread, onward.paths, switch, many)
            for at in range(first, first + many):
                way = onward.way[at]
                volume = held * weight(spread, onward.paths, spread.to[way], spread.rank[way])
                carried[way] += volume * times
                amount[spread.to[way]] += volume


@inner
def blank(spread: Spread) -> Onward:
    """Return room for the minimal ways to a goal."""
    switches, ways = len(spread.first) - 1, len(spread.to)
    return Onward(
        np.empty(ways, np.int32),
        np.full(switches, -1, np.int32),
        np.empty(switches, np.int32),
        np.zeros((switches, len(spread.step))),
    )


@inner
def turn(spread: Spread, goal: int, before: int, onward: Onward) -> int:
    """Turn to a goal from the one before, -1 for none; return from how many switches it can be reached."""
    hops, many = spread.hops[goal], onward.many
    if before < 0:
        many[:] = -1
    else:
        for switch in range(len(many)):
            if hops[switch] != spread.hops[before, switch]:
                many[switch] = -1
                for way in range(spread.first[switch], spread.first[switch + 1]):
                    many[spread.to[way]] = -1
    reached = _by_hops(hops, onward.order)
    if len(spread.step):
        _count_paths(spread, goal, onward, reached)
    return reached


@inner
def _by_hops(hops: U1, order: I4) -> int:
    """Write the switches from which a goal can be reached, the nearest first; return how many."""
    start = np.zeros(FAR + 2, np.int64)
    for switch in range(len(hops)):
        start[int(hops[switch]) + 1] += 1
    for level in range(FAR + 1):
        start[level + 1] += start[level]
    reached = start[FAR]
    for switch in range(len(hops)):
        if hops[switch] < FAR:
            order[start[hops[switch]]] = switch
            start[hops[switch]] += 1
    return int(reached)


@inner
def minimal(spread: Spread, goal: int, switch: int, onward: Onward) -> int:
    """Look up the minimal ways out of a switch; return how many."""
    first = spread.first[switch]
    found, nearer = first, int(spread.hops[goal, switch]) - 1
    for way in range(first, spread.first[switch + 1]):
        if int(spread.hops[goal, spread.to[way]]) == nearer:
            onward.way[found] = way
            found += 1
    onward.many[switch] = found - first
    return int(found - first)


@inner
def _count_paths(spread: Spread, goal: int, onward: Onward, reached: int) -> None:
    """Write the number of minimal paths from each switch whose links all reach a step."""
    paths = onward.paths
    paths[:] = 0.0
    for place in range(spread.stop.shape[1]):
        if spread.stop[goal, place] >= 0:
            paths[spread.stop[goal, place]] = spread.cables[goal, place]
    for place in range(reached):
        switch = onward.order[place]
        first, many = spread.first[switch], onward.many[switch]
        if many < 0:
            many = minimal(spread, goal, switch, onward)
        for at in range(first, first + many):
            way = onward.way[at]
            for step in range(spread.rank[way]):
                paths[switch, step] += paths[spread.to[way], step]


@inner
def weight(spread: Spread, paths: F8, switch: int, rank: int) -> float:
    """Return what a way of some rank to a switch weighs."""
    if len(spread.step) == 0:
        return 1.0
    total = 0.0
    for step in range(rank):
        total += spread.step[step] * paths[switch, step]
    return total


@inner
def whole(spread: Spread, paths: F8, switch: int, many: int) -> float:
    """Return what all minimal ways out of a switch weigh together."""
    return weight(spread, paths, switch, len(spread.step)) if len(spread.step) else float(many)
