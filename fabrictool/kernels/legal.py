"""Kernels for distances between switches, and for the balancing of forwarding tables over ways of equal length."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.jit import inner, kernel
from fabrictool.kernels.tables import HERE, NOWHERE

I2 = npt.NDArray[np.int16]
I4 = npt.NDArray[np.int32]
U1 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]

#: A distance that stands for none; the longest that is told from it is one less.
FAR = 255


class Slopes(NamedTuple):
    """Ways between switches, and which of them climb.

    Parameters
    ----------
    first, to : int32
        The ways out of switches, as of ``routing.wiring.Ways``.
    climbs, returns : (ways,) bool
        Whether a way climbs, and whether the step back over it does.
    """

    first: I4
    to: I4
    climbs: Bool
    returns: Bool


@kernel
def legal_distances(slopes: Slopes, target: I4, falling: U1, legal: U1) -> None:
    """Write how far every switch is from targets on ways that climb first, then fall.

    A state is a switch with whether its way on to the target climbs; all states are searched breadth first,
    from the target backwards.

    Parameters
    ----------
    slopes : Slopes
    target : (targets,) int32
        Switches.
    falling, legal : (targets, switches) uint8
        Hold ``FAR``; get the links on the shortest way that falls only, and on the shortest legal one.
    """
    queue = np.empty(2 * len(slopes.first), np.int32)
    for row in range(len(target)):
        queue[0], head, tail = 2 * target[row], 0, 1
        falling[row, target[row]], legal[row, target[row]] = 0, 0
        while head < tail:
            state = queue[head]
            head += 1
            tail = _extend(slopes, state, falling[row], legal[row], queue, tail)


@inner
def _extend(slopes: Slopes, state: int, falling: U1, legal: U1, queue: I4, tail: int) -> int:
    """Enter the switches before a state; return the new end of the queue."""
    here, climbing = state // 2, state % 2 == 1
    length = int(legal[here] if climbing else falling[here]) + 1
    if length >= FAR:
        return tail
    for way in range(slopes.first[here], slopes.first[here + 1]):
        before = slopes.to[way]
        if slopes.returns[way]:
            if length < legal[before]:
                legal[before] = length
                queue[tail] = 2 * before + 1
                tail += 1
        elif not climbing and length < falling[before]:
            falling[before], legal[before] = length, min(length, legal[before])
            queue[tail] = 2 * before
            tail += 1
    return tail


@kernel
def balance(slopes: Slopes, falling: U1, legal: U1, column: I4, row: I4, out: I2) -> None:
    """Write the way out of every switch for every destination: of the shortest legal ones the least used.

    Each switch decides alone and counts every destination that it has an entry for. Ways that are equally
    used go by their order. An entry that is there is kept while it is one of the shortest.

    Parameters
    ----------
    slopes : Slopes
    falling, legal : (seats, switches) uint8
        As of ``legal_distances``.
    column, row : (destinations,) int32
        Columns of the table in routing order, those of a seat together, and the seat of each.
    out : (switches, columns) int16
        Holds ``HERE`` where a destination is on the switch, else an entry from before or ``NOWHERE``.
    """
    near = np.empty(int(np.max(np.diff(slopes.first))) if len(slopes.to) else 0, np.int32)
    used = np.empty(len(near), np.int32)
    for switch in range(len(slopes.first) - 1):
        used[:] = 0
        seat, count, place, level = -1, 0, 0, 0
        for at in range(len(column)):
            if row[at] != seat:
                seat = row[at]
                count = _shortest(slopes, falling[seat], legal[seat], switch, near)
                place, level = count, 0
            way = out[switch, column[at]]
            if way == HERE or count == 0:
                out[switch, column[at]] = way if way == HERE else NOWHERE
                continue
            if way == NOWHERE or not _among(near, count, way):
                place, level = _least_used(near, count, used, place, level)
                way = near[place]
            out[switch, column[at]] = way
            used[way] += 1


@inner
def _shortest(slopes: Slopes, falling: U1, legal: U1, switch: int, near: I4) -> int:
    """Write the ways out of a switch that are on a shortest legal way; return how many."""
    count, low = 0, slopes.first[switch]
    if legal[switch] == FAR:
        return 0
    for way in range(low, slopes.first[switch + 1]):
        there = slopes.to[way]
        beyond = legal[there] if slopes.climbs[way] else falling[there]
        if int(beyond) + 1 == legal[switch]:
            near[count] = way - low
            count += 1
    return count


@inner
def _among(near: I4, count: int, way: int) -> bool:
    place = 0
    while place < count and near[place] != way:
        place += 1
    return place < count


@inner
def _least_used(near: I4, count: int, used: I4, place: int, level: int) -> tuple[int, int]:
    """Return the place of the first least used way, and how often it is used.

    No way is used less than the level, and those before the place are used more: so the search goes on there.
    """
    while place < count and used[near[place]] > level:
        place += 1
    if place < count:
        return place, level
    level, first = used[near[0]], 0
    for other in range(1, count):
        if used[near[other]] < level:
            level, first = used[near[other]], other
    return first, level
