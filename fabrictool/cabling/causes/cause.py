"""A mistake: what it did to the plan, and what is to be told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from fabrictool.cabling.board import Board
from fabrictool.fabric.tables import I4
from fabrictool.formats.found import natural

#: Kinds of mistake from the simplest to tell; among those that explain equally much, the first is taken.
ORDER = (
    "rack-exchange", "switch-exchange", "host-exchange", "device-rotation", "rail-rotation", "rail-reversal",
    "rails-swapped", "nic-order", "crossed-splitter-legs", "cages-swapped", "uplinks-swapped", "wrong-tier",
    "wrong-plane", "wrong-rail", "wrong-spine", "wrong-leaf", "wrong-host", "wrong-port", "half-host-exchange",
    "harness-exchange", "cage-block-shift", "swapped-pair", "port-block-shift", "port-rotation",
)  # fmt: skip
K = TypeVar("K", int, str)
Alternative = tuple[str, list[Any]]


@dataclass(slots=True)
class Cause:
    """A mistake that moved ends of cables: what was expected in ``src`` is in ``dst``, which are the same ports.

    Parameters
    ----------
    kind : str
        A word of ``ORDER``.
    subject : list
        What it befell.
    src, dst : (ports,) int32
    message, fix : str
    moves : int
        Cables to be moved, or records to be corrected, to undo it.
    record : bool
        Whether correcting names or maps undoes it, so that no cable need be moved.
    alternatives : list of (kind, subject)
        What the data cannot tell from it.
    gain : int
        Links that it explains.
    links : (links,) int32
        Planned links concerned, when it was found.
    """

    kind: str
    subject: list[Any]
    src: I4
    dst: I4
    message: str
    fix: str
    moves: int
    record: bool = False
    alternatives: list[Alternative] = field(default_factory=list)
    gain: int = 0
    links: I4 = field(default_factory=lambda: np.zeros(0, np.int32))

    @property
    def rank(self) -> tuple[int, int]:
        """Simplicity of what is told, then work."""
        return ORDER.index(self.kind), self.moves


@dataclass(frozen=True, slots=True)
class Evidence:
    """What strangers among the links say: the end expected in ``src`` is in ``dst``, ``kept`` being its other end.

    A link has up to two readings, for the cable may be that of either end.
    """

    src: I4
    dst: I4
    kept: I4

    def where(self, mask: np.ndarray) -> Evidence:
        """Return some of the readings."""
        return Evidence(self.src[mask], self.dst[mask], self.kept[mask])


Finder = Callable[[Board, Evidence], Iterable[Cause]]


def evidence(board: Board) -> Evidence:
    """Return the readings of all links that were seen, but are not expected."""
    x = board.strangers()
    y = board.seen[x]
    kept = np.concatenate((x, y))
    dst = np.concatenate((y, x))
    src = board.expected[kept]
    usable = src >= 0
    return Evidence(src[usable], dst[usable], kept[usable])


def swap(a: list[int] | I4, z: list[int] | I4) -> tuple[I4, I4]:
    """Return ``src`` and ``dst`` that exchange two lists of ports."""
    one, other = np.asarray(a, np.int32), np.asarray(z, np.int32)
    return np.concatenate((one, other)), np.concatenate((other, one))


def grouped(keys: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each key with the rows that have it."""
    if not len(keys):
        return
    order = np.argsort(keys, kind="stable")
    values, first = np.unique(keys[order], return_index=True)
    yield from zip(values.tolist(), np.split(order, first[1:]), strict=True)


def cycles(to: Mapping[K, K], longest: int) -> Iterator[list[K]]:
    """Yield the cycles of a map, each once, up to a length; what leads nowhere is in none."""
    done: set[K] = set()
    for start, first in to.items():
        cycle, at = [start], first
        while at != start and at in to and at not in done and len(cycle) <= longest:
            cycle.append(at)
            at = to[at]
        if at == start and start not in done and len(cycle) <= longest:
            done |= set(cycle)
            yield cycle


def first_first(names: list[str]) -> list[str]:
    """Return a cycle of names from its first one on."""
    start = names.index(min(names, key=natural))
    return names[start:] + names[:start]


def runs(values: list[int], bridged: Callable[[int], bool]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each run of ascending numbers, gaps being bridged where all in them may be."""
    start = last = values[0]
    for value in values[1:]:
        if not all(bridged(between) for between in range(last + 1, value)):
            yield start, last
            start = value
        last = value
    yield start, last
