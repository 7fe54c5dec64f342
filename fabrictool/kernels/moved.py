"""Kernels that move the load of some pairs of a leaf and a destination, and list which pairs cross a channel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.flows import MAX_PATH, RouteTables, detour, straight_climb
from fabrictool.kernels.jit import kernel

I4 = npt.NDArray[np.int32]
I8 = npt.NDArray[np.int64]
F8 = npt.NDArray[np.float64]


@kernel
def add_pair_loads(
    tables: RouteTables, leaf: I4, pair: I8, ranks: F8, destinations: float, load: F8, sent: F8, received: F8
) -> None:
    """Add the load of all ranks under a leaf sending one unit to a destination, pair by pair.

    Parameters
    ----------
    tables : RouteTables
    leaf : (leaves,) int32
        Device rows.
    pair : (pairs,) int64
        Place of the leaf times the number of destinations, plus the destination.
    ranks : (leaves,) float64
        Sending ranks under each leaf; negative ones take their load off.
    destinations : float
        What each pair that has a way counts in ``sent``.
    load : (channels,) float64
        Gets the load of channels between switches.
    sent : (leaves,) float64
        Gets the number of destinations that the leaf reaches.
    received : (destinations,) float64
        Gets the number of ranks that reach the destination.
    """
    path = np.empty(MAX_PATH, np.int32)
    size = len(tables.leaf)
    for at in range(len(pair)):
        row, target = pair[at] // size, pair[at] % size
        if tables.port_channel[target] < 0:
            continue
        count = straight_climb(tables, leaf[row], target, path, 0)
        if count < 0:
            count = detour(tables, leaf[row], target, path, 0)
        if count < 0:
            continue
        amount = ranks[row]
        sent[row] += destinations
        received[target] += amount
        for step in range(count):
            load[path[step]] += amount


@kernel
def list_crossings(tables: RouteTables, leaf: I4, place: I8, pair: I4) -> None:
    """Count for each channel the pairs of a leaf and a destination that cross it, or list them.

    Parameters
    ----------
    tables : RouteTables
    leaf : (leaves,) int32
        Device rows.
    place : (channels,) int64
        Where the pairs of each channel go in ``pair``; is moved on by their number.
    pair : (crossings,) int32
        Gets the pairs, as in ``add_pair_loads``; with no room they are only counted.
    """
    path = np.empty(MAX_PATH, np.int32)
    size = len(tables.leaf)
    for row in range(len(leaf)):
        for target in range(size):
            if tables.port_channel[target] < 0:
                continue
            count = straight_climb(tables, leaf[row], target, path, 0)
            if count < 0:
                count = detour(tables, leaf[row], target, path, 0)
            for step in range(count):
                if len(pair):
                    pair[place[path[step]]] = row * size + target
                place[path[step]] += 1
