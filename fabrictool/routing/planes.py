"""Planes that do not meet: what a pair of endpoints can use of its ports.

References
----------
K. Qian et al., "Alibaba HPN: A Data Center Network for Large Language Model Training", SIGCOMM 2024: the two ports
of an adapter lead to two top-of-rack switches whose planes do not meet above.
"""

from __future__ import annotations

import numpy as np

from fabrictool.fabric.parts import merged
from fabrictool.fabric.tables import F8, I4
from fabrictool.routing.wiring import Wiring


def joined_parts(wiring: Wiring) -> I4:
    """Return a label of each switch, (switches,): live links join switches of equal labels."""
    ways, own = wiring.ways, np.arange(len(wiring.switch), dtype=np.int32)
    return merged(own, np.repeat(own, np.diff(ways.first)), ways.to)


def usable_rates(wiring: Wiring, source: I4, target: I4) -> F8:
    """Return what the ports of pairs of endpoints let through, in bit/s.

    In each joined part of the network it is the lesser of the speeds of both ends' live ports there. Planes that are
    not joined are parts of their own: with port 0 of one end and port 1 of the other down, two planes carry nothing.

    Parameters
    ----------
    wiring : Wiring
    source, target : (pairs,) int32
        Endpoints.

    Returns
    -------
    (pairs,) float64
    """
    lanes, terminals = wiring.lanes, wiring.terminals
    up = np.where(lanes >= 0, terminals.up[lanes], -1)
    label, number = np.unique(joined_parts(wiring), return_inverse=True)
    part = number.reshape(-1)[terminals.seat[lanes]]
    out, into = (np.where(up >= 0, wiring.channels.speed_bps[up ^ back], 0.0) for back in (0, 1))
    total = np.zeros(len(source))
    for place in range(len(label)):
        inside = part == place
        total += np.minimum((out * inside).sum(axis=1)[source], (into * inside).sum(axis=1)[target])
    return total
