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
    first, order, falling = bundles.first, bundles.order, bundles.falling
    depth = 0
    stack.switch[0], stack.before[0], stack.length[0], stack.place[0], stack.primary[0] = start, -1, 1, -1, True
    while depth >= 0:
        here = stack.switch[depth]
        if stack.place[depth] < 0:
            below.switch[0], below.before[0], below.length[0] = here, stack.before[depth], stack.length[depth]
            stack.created[depth] = _descend(bundles, dummy, hops, way, below)
            stack.place[depth] = first[3 * here]
            _sort(order, first[3 * here], first[3 * here + 1], falling, bundles.to, bundles.key)
            _sort(order, first[3 * here + 2], first[3 * here + 3], falling, bundles.to, bundles.key)
        if bundles.root[here] or not _step_up(bundles, hops, way, stack, depth):
            depth -= 1
            if depth >= 0 and stack.created[depth + 1]:
                stack.created[depth] = True
                if stack.cable[depth] >= 0:  # came back over a sideways cable
                    falling[order[first[3 * stack.switch[depth]]]] += 1
                    bundles.cable_falling[stack.cable[depth]] += 1
        else:
            depth += 1


@inner
def _step_up(bundles: Bundles, hops: I4, way: I2, stack: Stack, depth: int) -> bool:
    """Find the next neighbour above or beside that has no way as short, give it one, and enter it."""
    first, order, to = bundles.first, bundles.order, bundles.to
    here, length = stack.switch[depth], stack.length[depth] + 1
    low, top, side, high = first[3 * here], first[3 * here + 1], first[3 * here + 2], first[3 * here + 3]
    at = stack.place[depth]
    main = stack.primary[depth] and at == low and at < top
    while at < high and not main:
        at = side if at == top and at < side else at
        if at >= high or way[to[order[at]]] == NOWHERE or length < hops[to[order[at]]]:
            break
        at += 1
    if at >= high:
        return False
    there = to[order[at]]
    cable = _least(bundles.cable_falling, bundles.cable[order[at]], bundles.cable[order[at] + 1])
    if main:
        bundles.falling[order[at]] += 1
        bundles.cable_falling[cable] += 1
    if way[there] == NOWHERE or length < hops[there]:
        way[there], hops[there] = bundles.back[cable], length
    stack.place[depth], stack.cable[depth] = at + 1, cable if at >= side else -1
    stack.switch[depth + 1], stack.before[depth + 1], stack.length[depth + 1] = there, here, length
    stack.place[depth + 1], stack.primary[depth + 1] = -1, main
    return True


@inner
def _descend(bundles: Bundles, dummy: bool, hops: I4, way: I2, stack: Stack) -> bool:
    """Walk down from a switch, but not to where the climb came from; return whether an adapter was met.

    Every neighbour below that has no way as short is given the way up to the switch.
    """
    first, order, to, carries = bundles.first, bundles.order, bundles.to, bundles.carries
    depth, end = 0, 2 if dummy else 3
    stack.place[0] = -1
    while True:
        here, length, before = stack.switch[depth], stack.length[depth] + 1, stack.before[depth]
        low, side, high = first[3 * here + 1], first[3 * here + 2], first[3 * here + end]
        at = stack.place[depth]
        if at < 0:
            stack.created[depth] = carries[here]
            _sort(order, low, side, bundles.rising, to, bundles.key)
            _sort(order, side, first[3 * here + 3], bundles.rising, to, bundles.key)
            at = high if low == side and not carries[here] else low
        while at < high and (length >= hops[to[order[at]]] or to[order[at]] == before):
            at += 1
        stack.place[depth] = at + 1
        if at < high:
            _enter_below(bundles, order[at], length, hops, way, stack, depth)
            depth += 1
        elif depth == 0:
            return bool(stack.created[0])
        else:
            depth -= 1
            if stack.created[depth + 1]:
                stack.created[depth] = True
                bundles.rising[stack.bundle[depth]] += 1
                bundles.cable_rising[stack.cable[depth]] += 1


@inner
def _enter_below(bundles: Bundles, bundle: int, length: int, hops: I4, way: I2, stack: Stack, depth: int) -> None:
    there = bundles.to[bundle]
    cable = _least(bundles.cable_rising, bundles.cable[bundle], bundles.cable[bundle + 1])
    way[there], hops[there] = bundles.back[cable], length
    stack.bundle[depth], stack.cable[depth] = bundle, cable
    stack.switch[depth + 1], stack.before[depth + 1], stack.length[depth + 1] = there, -1, length
    stack.place[depth + 1] = -1


@inner
def _least(used: I4, low: int, high: int) -> int:
    best = low
    for cable in range(low + 1, high):
        if used[cable] < used[best]:
            best = cable
    return best


@inner
def _sort(order: I4, low: int, high: int, used: I4, to: I4, key: I4) -> None:
    """Bring the bundles of a switch and direction in order of use and neighbour: they nearly are."""
    for top in range(low + 1, high):
        moved, at = order[top], top
        while at > low and (
            used[order[at - 1]] > used[moved]
            or (used[order[at - 1]] == used[moved] and key[to[order[at - 1]]] > key[to[moved]])
        ):
            order[at] = order[at - 1]
            at -= 1
        order[at] = moved
