"""Kernels of effective bisection: draw who sends to whom, and see what each flow gets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.jit import inner, kernel
from fabrictool.kernels.residues import PLACE, RESIDUE, Code

I4 = npt.NDArray[np.int32]
I8 = npt.NDArray[np.int64]
U4 = npt.NDArray[np.uint32]
F8 = npt.NDArray[np.float64]


class Matched(NamedTuple):
    """A regular tree under D-mod-k, and what limits flows on it.

    Parameters
    ----------
    code : Code
        What of each rank says which channels its flows use.
    channels : int
        Upward channels of all levels.
    weight : (levels,) float64
        Load that one flow means, in units of the host links' speed.
    downward : (levels,) bool
        Whether several receivers share a channel down, so that it may limit.
    domain : (ranks,) int32
        Ranks with equal numbers exchange apart from the network.
    """

    code: Code
    channels: int
    weight: F8
    downward: npt.NDArray[np.bool_]
    domain: I4


@kernel
def shuffle(words: U4, order: I4) -> None:
    """Shuffle each row, by Fisher and Yates.

    Parameters
    ----------
    words : (rows, places) uint32
        Random.
    order : (rows, places) int32
        Gets a permutation of the places in each row.
    """
    for row in range(len(order)):
        line = order[row]
        for place in range(len(line)):
            line[place] = place
        for place in range(len(line) - 1, 0, -1):
            other = np.int64(words[row, place]) * (place + 1) >> 32
            line[place], line[other] = line[other], line[place]


@kernel
def matching_rates(tree: Matched, source: I4, target: I4, mean: F8) -> None:
    """Write the mean over flows of 1 / (largest weighted load on the path), where each rank sends or receives once.

    Parameters
    ----------
    tree : Matched
    source, target : (matchings, flows) int32
    mean : (matchings,) float64
        Gets the rates.
    """
    count = np.zeros(2 * tree.channels, np.int32)
    crossed = np.empty((source.shape[1], 2 * len(tree.weight)), np.int32)
    depth = np.empty(source.shape[1], np.int32)
    for row in range(len(mean)):
        for flow in range(source.shape[1]):
            depth[flow] = _cross(tree, source[row, flow], target[row, flow], crossed[flow], count)
        total = 0.0
        for flow in range(source.shape[1]):
            worst = 1.0
            for step in range(depth[flow]):
                worst = max(worst, count[crossed[flow, step]] * tree.weight[step >> 1])
            total += 1.0 / worst
        for flow in range(source.shape[1]):
            for step in range(depth[flow]):
                count[crossed[flow, step]] = 0
        mean[row] = total / source.shape[1]


@inner
def _cross(tree: Matched, source: int, target: int, crossed: I4, count: I4) -> int:
    """Count a flow on the channels above each level, up and down in turn; return how many they are.

    A channel down that cannot limit is not counted: the one up stands for it.
    """
    if tree.domain[source] == tree.domain[target]:
        return 0
    of = tree.code.of
    for level in range(len(tree.weight)):
        if of[source, PLACE, level] == of[target, PLACE, level]:
            return 2 * level
        up = of[source, PLACE, level] + of[target, RESIDUE, level]
        count[up] += 1
        crossed[2 * level] = up
        crossed[2 * level + 1] = up
        if tree.downward[level]:
            down = tree.channels + of[target, PLACE, level] + of[target, RESIDUE, level]
            count[down] += 1
            crossed[2 * level + 1] = down
    return 2 * len(tree.weight)
