"""The smallest set of mistakes that explains what was seen.

Every finder proposes mistakes of its kind; each is judged by making it in the plan: how many more links then
agree with what was seen, less those that agreed before. The one that explains most is taken, the simplest to
tell among equals, and made in the plan; then the rest is judged again. So whole racks come before devices,
devices before blocks, blocks before single ends, and what several mistakes did to one port comes apart as they
are undone one after the other.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from fabrictool.cabling.board import Board
from fabrictool.cabling.causes.blocks import block_shifts, cage_swaps
from fabrictool.cabling.causes.cause import Cause, Evidence, Finder, evidence
from fabrictool.cabling.causes.devices import device_exchanges
from fabrictool.cabling.causes.hosts import host_orders
from fabrictool.cabling.causes.pairs import moved_around, single_ends

_Key = tuple[int, int, int, int]
FINDERS: tuple[Finder, ...] = (device_exchanges, host_orders, block_shifts, cage_swaps, single_ends, moved_around)


def search(board: Board) -> list[Cause]:
    """Return the mistakes that were found, which are made in the board's plan, the largest first."""
    found: list[Cause] = []
    while True:
        readings = evidence(board)
        if not len(readings.src):
            return found
        taken = list(_greedy(board, _proposed(board, readings)))
        if not taken:
            return found
        found += taken


def _proposed(board: Board, readings: Evidence) -> Iterable[Cause]:
    for finder in FINDERS:
        yield from finder(board, readings)


def _judged(board: Board, cause: Cause) -> tuple[int, _Key]:
    """Return the links that a cause explains, and its place in line; each link that it breaks takes another cause."""
    gain, broken, clash = board.gain(cause.src, cause.dst)
    return gain if gain >= clash else 0, (broken - gain, clash, *cause.rank)


def _greedy(board: Board, causes: Iterable[Cause]) -> Iterable[Cause]:
    """Take the best until none explains anything; gains only shrink, so only the best need be judged again."""
    heap: list[tuple[_Key, int, Cause]] = []
    for number, cause in enumerate(causes):
        gain, key = _judged(board, cause)
        if gain > 0:
            heap.append((key, number, cause))
    heapq.heapify(heap)
    while heap:
        old, number, cause = heapq.heappop(heap)
        gain, key = _judged(board, cause)
        if gain <= 0:
            continue
        if key != old and heap and key > heap[0][0]:
            heapq.heappush(heap, (key, number, cause))
            continue
        cause.gain = gain
        cause.links = board.apply(cause.src, cause.dst)
        yield cause
