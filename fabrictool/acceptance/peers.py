"""Runs beside their peers: how far one may fall below the others of its step by chance.

References
----------
P. J. Rousseeuw, C. Croux, "Alternatives to the median absolute deviation", JASA 88(424), 1993: the MAD's consistency
factor 1.4826 and its efficiency of 37 %, by which a spread from n runs is worth that of 0.37 n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrictool.fabric.tables import F8

#: A healthy step raises a false alarm against peers so often, whatever its runs: gates raise as many.
FAMILY = 0.005
#: What is less below its peers is no fault worth looking for.
LEAST = 0.05
_MAD, _EFFICIENCY = 1.4826, 0.37
_LEAST_SPREAD = 0.005
#: Peers that a comparison needs, and from which on a step's own spread is used.
FEWEST, _OWN = 4, 16
#: Runs this much apart from each other are of two kinds, and the faster ones set the standard.
_GAP, _SHARE = float(np.log(1.15)), 0.2


@dataclass(frozen=True, slots=True)
class Peers:
    """What runs of one kind have in common.

    Parameters
    ----------
    base : float
        Their usual deviation from what is expected, a logarithm.
    spread : float
        Of one run about it, as a standard deviation.
    limit : float
        Below ``base`` by more than this a run is slow.
    """

    base: float
    spread: float
    limit: float


def base_of(deviation: F8) -> float:
    """Return the usual deviation: the median, of the faster ones where runs fall into two kinds."""
    order = np.sort(deviation)
    gaps = np.flatnonzero(np.diff(order) > _GAP) + 1
    for start in gaps[::-1].tolist():
        if len(order) - start >= max(2, _SHARE * len(order)):
            return float(np.median(order[start:]))
    return float(np.median(order))


def spread_of(deviation: F8, base: float) -> float:
    """Return the spread of runs about their base, slow ones counting as far off but not as how far."""
    return max(_LEAST_SPREAD, _MAD * float(np.median(np.abs(deviation - base))))


def peers_of(deviation: F8, pooled: F8) -> Peers | None:
    """Return what runs have in common, None for too few.

    Parameters
    ----------
    deviation : (runs,) float64
        Logarithm of measured over expected.
    pooled : (all runs,) float64
        Deviations of all runs of the ladder from their bases, which few peers borrow the spread of.
    """
    count = len(deviation)
    if count < FEWEST:
        return None
    base = base_of(deviation)
    residual = deviation - base if count >= _OWN else np.concatenate((deviation - base, pooled))
    spread = spread_of(residual, 0.0)
    about = float(np.sqrt(1 + np.pi / 2 / count))  # the median of few is itself off
    return Peers(base, spread, max(LEAST, about * chance(count, _EFFICIENCY * len(residual)) * spread))


def chance(count: int, freedom: float) -> float:
    """Return how many spreads the slowest of ``count`` healthy runs falls below once in 200 times (Student's t)."""
    from scipy.special import stdtrit

    return float(stdtrit(max(2.0, freedom), 1.0 - FAMILY / count))
