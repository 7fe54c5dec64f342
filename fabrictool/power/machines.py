"""What draws from a hall's supply beside racks: pumps, fans and the plant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.fabric.tables import F8, Bool
from fabrictool.power.parts import DIRECT, Rows

if TYPE_CHECKING:
    from fabrictool.layout.facility import Powered
    from fabrictool.layout.model import Hall


@dataclass(frozen=True)
class Machines:
    """Machines one by one, (machines,) each.

    Parameters
    ----------
    name : tuple of str
    power_w : ndarray
        What each draws, in W.
    position : ndarray of int64
        The rack that each stands beside, which says which of several equal elements it hangs on.
    board : tuple of str, (boards,)
        Elements of the supply that any hangs on, those of each in its order; one may stand there several times.
    has : ndarray of bool, (machines, boards)
    first : ndarray of bool
        Machines that draw from their first live board; others from all live ones evenly.
    """

    name: tuple[str, ...]
    power_w: F8
    position: Rows
    board: tuple[str, ...]
    has: Bool
    first: Bool

    def __len__(self) -> int:
        return len(self.name)


NO_MACHINES = Machines((), np.zeros(0), np.zeros(0, np.int64), (), np.zeros((0, 0), bool), np.zeros(0, bool))


@dataclass(frozen=True)
class Group:
    """Equal machines: how they hang, and for each its name, power in W and the rack that it stands beside."""

    stated: Powered
    name: Sequence[str]
    power_w: float
    position: Rows


def machines_of(hall: Hall, groups: Sequence[Group]) -> Machines:
    """Return machines that hang on a hall's supply; those that do not say how, like racks on all feeds' elements."""
    default = tuple(default_boards(hall))
    ways = [tuple(group.stated.sources) or default for group in groups]
    start = dict(zip(dict.fromkeys(ways), _starts(dict.fromkeys(ways)), strict=True))
    board = tuple(name for way in start for name in way)
    count = [len(group.name) for group in groups]
    has = np.zeros((sum(count), len(board)), bool)
    first = np.zeros(len(has), bool)
    end = 0
    for group, way in zip(groups, ways, strict=True):
        mine, at = np.arange(end, end + len(group.name)), start[way]
        end += len(group.name)
        if group.stated.supplied == "in-turn":
            has[mine, at + np.arange(len(mine)) % len(way)] = True
        else:
            has[mine, at : at + len(way)] = True
        first[mine] = bool(group.stated.sources) and group.stated.supplied != "all"
    return Machines(
        tuple(name for group in groups for name in group.name),
        np.repeat(np.array([group.power_w for group in groups]), count),
        np.concatenate([np.zeros(0, np.int64), *(group.position for group in groups)]),
        board, has, first,
    )  # fmt: skip


def _starts(ways: Iterable[tuple[str, ...]]) -> list[int]:
    """Return where the boards of each way begin among all."""
    return [0, *accumulate(len(way) for way in ways)][:-1]


def default_boards(hall: Hall) -> list[str]:
    """Return the elements that racks' feeds come from, or behind them the last that deliver alternating current."""
    known = {element.name: element for element in hall.supply or ()}
    ahead = [feed.source for feed in hall.feeds or () if feed.source is not None]
    found: list[str] = []
    while ahead:
        element = known[ahead.pop(0)]
        if element.kind in DIRECT:
            ahead += element.sources
        elif element.name not in found:
            found.append(element.name)
    return found
