"""The kernel of OpenSM's fat-tree engine: from each destination up its tree, giving ways to what lies below.

Two walks call each other. One climbs: it chooses for each switch the port by which traffic will come *down* to the
destination. At every switch that it reaches the other one descends, and gives every switch below its way *up*.
Both are recursive in OpenSM; here each keeps its own stack.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.jit import inner, kernel
from fabrictool.kernels.tables import NOWHERE

I2 = npt.NDArray[np.int16]
I4 = npt.NDArray[np.int32]
Bool = npt.NDArray[np.bool_]

#: Directions of bundles.
UP, DOWN, SAME = 0, 1, 2
_UNREACHED = 1 << 30


class Bundles(NamedTuple):
    """Parallel cables from a switch to a neighbour, with what is routed over each.

    Parameters
    ----------
    first : (3 switches + 1,) int32
        Offsets into ``order`` by switch and direction.
    order : (bundles,) int32
        Bundles; within a switch and direction kept by use, then by key of the neighbour.
    to : (bundles,) int32
        The neighbour.
    key : (switches,) int32
        Place of each switch in OpenSM's indexing of the tree.
    cable : (bundles + 1,) int32
        Offsets into cables.
    back : (cables,) int32
        The neighbour's way over the cable to this switch.
    root, carries : (switches,) bool
        Whether a switch is a root, and whether adapters are on it.
    rising, falling : (bundles,) int32
        Destinations whose traffic goes up over a bundle seen from above, and comes down it seen from below.
    cable_rising, cable_falling : (cables,) int32
        The same by cable.
    """

    first: I4
    order: I4
    to: I4
    key: I4
    cable: I4
    back: I4
    root: Bool
    carries: Bool
    rising: I4
    falling: I4
    cable_rising: I4
    cable_falling: I4


class Stack(NamedTuple):
    """Where a walk is: for each step the switch, where it came from, the links to the destination by this walk,
    the next bundle, and the bundle and cable it left by.

    Parameters
    ----------
    switch, before, length, place, bundle, cable : (switches + 2,) int32
    primary, created : (switches + 2,) bool
    """

    switch: I4
    before: I4
    length: I4
    place: I4
    bundle: I4
    cable: I4
    primary: Bool
    created: Bool


@kernel
def fat_tree(bundles: Bundles, leaf: I4, column: I4, climbing: Stack, descending: Stack, out: I2) -> None:
    """Write the way out of every switch for destinations, one after the other.

    Parameters
    ----------
    bundles : Bundles
        Counters are 0 at the start.
    leaf, column : (destinations,) int32
        Switch and column of the table of each destination; column -1 is a dummy that only keeps the phase.
    climbing, descending : Stack
        Room for both walks.
    out : (switches, columns) int16
        Holds ``NOWHERE``; gets the ways, but on the destination's own switch.
    """
    hops = np.empty(len(out), np.int32)
    way = np.empty(len(out), np.int16)
    for goal in range(len(leaf)):
        hops[:] = _UNREACHED
        way[:] = NOWHERE
        hops[leaf[goal]] = 1
        way[leaf[goal]] = 0
        _climb(bundles, leaf[goal], column[goal] < 0, hops, way, climbing, descending)
        if column[goal] >= 0:
            for switch in range(len(out)):
                if switch != leaf[goal]:
                    out[switch, column[goal]] = way[switch]


@inner
def _climb(bundles: Bundles, start: int, dummy: bool, hops: I4, way: I2, stack: Stack, below: Stack) -> None:
    """Walk up from a leaf: the least used bundle is the main way, all others are secondary ones."""
    depth = 0
    stack.switch[0], stack.before[0], stack.length[0], stack.place[0], stack.primary[0] = start, -1, 1, -1, True
    while depth >= 0:
        here = stack.switch[depth]
        if stack.place[depth] < 0:
            below.switch[0], below.before[0], below.length[0] = here, stack.before[depth], stack.length[depth]
            stack.created[depth] = _descend(bundles, dummy, hops, way, below)
            stack.place[depth] = 0
            if bundles.root[here]:
                depth = _return(bundles, stack, depth)
                continue
            _sort(bundles, 3 * here + UP, bundles.falling)
            _sort(bundles, 3 * here + SAME, bundles.falling)
        at = stack.place[depth]
        stack.place[depth] += 1
        ups = bundles.first[3 * here + DOWN] - bundles.first[3 * here + UP]
        sides = bundles.first[3 * here + 3] - bundles.first[3 * here + SAME]
        if at >= ups + sides:
            depth = _return(bundles, stack, depth)
        elif _step_up(bundles, at, ups, hops, way, stack, depth):
            depth += 1


@inner
def _step_up(bundles: Bundles, at: int, ups: int, hops: I4, way: I2, stack: Stack, depth: int) -> bool:
    """Give a neighbour above or beside its way down, unless it has one as short; return whether to go there."""
    here = stack.switch[depth]
    low = bundles.first[3 * here + UP] + at if at < ups else bundles.first[3 * here + SAME] + at - ups
    bundle = bundles.order[low]
    there = bundles.to[bundle]
    length = stack.length[depth] + 1
    main = stack.primary[depth] and at == 0
    fresh = way[there] == NOWHERE or length < hops[there]
    if not (main or fresh):
        return False
    cable = _least(bundles.cable_falling, bundles.cable[bundle], bundles.cable[bundle + 1])
    if main:
        bundles.falling[bundle] += 1
        bundles.cable_falling[cable] += 1
    if fresh:
        way[there], hops[there] = bundles.back[cable], length
    stack.cable[depth] = cable if at >= ups else -1
    stack.bundle[depth] = bundles.order[bundles.first[3 * here + UP]]
    stack.switch[depth + 1], stack.before[depth + 1], stack.length[depth + 1] = there, here, length
    stack.place[depth + 1] = -1
    stack.primary[depth + 1] = main
    return True


@inner
def _return(bundles: Bundles, stack: Stack, depth: int) -> int:
    """Leave a switch of the climb; return the depth of the one before it."""
    before = depth - 1
    if before >= 0:
        if stack.created[depth]:
            stack.created[before] = True
            if stack.cable[before] >= 0:  # came back over a sideways cable
                bundles.falling[stack.bundle[before]] += 1
                bundles.cable_falling[stack.cable[before]] += 1
        stack.cable[before] = -1
    return before


@inner
def _descend(bundles: Bundles, dummy: bool, hops: I4, way: I2, stack: Stack) -> bool:
    """Walk down from a switch, but not to where the climb came from; return whether an adapter was met."""
    depth = 0
    stack.place[0] = -1
    while True:
        here = stack.switch[depth]
        downs = bundles.first[3 * here + SAME] - bundles.first[3 * here + DOWN]
        sides = 0 if dummy else bundles.first[3 * here + 3] - bundles.first[3 * here + SAME]
        if stack.place[depth] < 0:
            stack.created[depth], stack.place[depth] = bundles.carries[here], 0
            _sort(bundles, 3 * here + DOWN, bundles.rising)
            _sort(bundles, 3 * here + SAME, bundles.rising)
        at = stack.place[depth]
        stack.place[depth] += 1
        if at >= downs + sides or (downs == 0 and not bundles.carries[here]):
            if depth == 0:
                return bool(stack.created[0])
            depth -= 1
            if stack.created[depth + 1]:
                stack.created[depth] = True
                bundles.rising[stack.bundle[depth]] += 1
                bundles.cable_rising[stack.cable[depth]] += 1
        elif _step_down(bundles, bundles.first[3 * here + DOWN] + at, hops, way, stack, depth):
            depth += 1


@inner
def _step_down(bundles: Bundles, place: int, hops: I4, way: I2, stack: Stack, depth: int) -> bool:
    """Give a neighbour below its way up, unless it has one as short; return whether to go there."""
    bundle = bundles.order[place]
    there = bundles.to[bundle]
    length = stack.length[depth] + 1
    if there == stack.before[depth] or length >= hops[there]:
        return False
    cable = _least(bundles.cable_rising, bundles.cable[bundle], bundles.cable[bundle + 1])
    way[there], hops[there] = bundles.back[cable], length
    stack.bundle[depth], stack.cable[depth] = bundle, cable
    stack.switch[depth + 1], stack.before[depth + 1], stack.length[depth + 1] = there, -1, length
    stack.place[depth + 1] = -1
    return True


@inner
def _least(used: I4, low: int, high: int) -> int:
    best = low
    for cable in range(low + 1, high):
        if used[cable] < used[best]:
            best = cable
    return best


@inner
def _sort(bundles: Bundles, group: int, used: I4) -> None:
    """Bring the bundles of a switch and direction in order: they nearly are."""
    order = bundles.order
    for high in range(bundles.first[group] + 1, bundles.first[group + 1]):
        moved, at = order[high], high
        while at > bundles.first[group] and _later(bundles, order[at - 1], moved, used):
            order[at] = order[at - 1]
            at -= 1
        order[at] = moved


@inner
def _later(bundles: Bundles, first: int, second: int, used: I4) -> bool:
    if used[first] != used[second]:
        return bool(used[first] > used[second])
    return bool(bundles.key[bundles.to[first]] > bundles.key[bundles.to[second]])
