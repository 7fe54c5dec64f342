"""What all shift rounds i -> i + r of a job cost, in closed form where the fabric's regularity is proven."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8
from fabrictool.routing.lines import RankLine, line_peaks, rank_line
from fabrictool.routing.regular import RegularTree

__all__ = ["RankLine", "ShiftCosts", "rank_line", "shift_costs"]

I8 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ShiftCosts:
    """Of each shift: seconds per byte of one flow's share, latency in s, and the level that limits.

    ``alone`` are the seconds per byte of the slowest link on the way, if each flow were alone.
    Level 0 are the host links, level l the links above tier l; negative levels are downward.
    """

    seconds: F8
    latency_s: F8
    level: npt.NDArray[np.int64]
    alone: F8


def shift_costs(steps: I8, line: RankLine, tree: RegularTree) -> ShiftCosts:
    """Return the cost of shifts, each with ``line.near <= step <= ranks - line.near``.

    Parameters
    ----------
    steps : (shifts,) int64
    line : RankLine
    tree : RegularTree
    """
    seconds = np.full(len(steps), tree.host_seconds)
    level = np.zeros(len(steps), np.int64)
    depth = np.zeros(len(steps), np.int64)
    alone = seconds.copy()
    for at in range(tree.levels):
        up, down = line_peaks(steps, line, at, int(tree.classes[at]))
        depth += up > 0
        alone[up > 0] = np.maximum(alone[up > 0], tree.up_seconds[at])
        for count, sign in ((up, 1), (down, -1)):
            cost = count * tree.up_seconds[at]
            more = cost > seconds
            seconds[more], level[more] = cost[more], sign * (at + 1)
    return ShiftCosts(seconds, tree.latency_s[depth], level, alone)
