"""Electrical feeds: apparent power, and what is left of several when some fail."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from fabrictool.errors import InputError
from fabrictool.fabric.tables import F8

#: Systems among which each redundancy shares the load; one of them may fail.
SYSTEMS = {"2N": 2, "3N2R": 3, "4N3R": 4}


def three_phase_va(voltage_ll_v: npt.ArrayLike, current_a: npt.ArrayLike) -> F8:
    """Return the apparent power of a balanced three-phase circuit, in VA.

    Parameters
    ----------
    voltage_ll_v : array_like
        Voltage from line to line, in V.
    current_a : array_like
        Current of each line, in A.

    Notes
    -----
    S = sqrt(3) V_LL I.
    """
    return np.asarray(math.sqrt(3) * np.asarray(voltage_ll_v, dtype=np.float64) * np.asarray(current_a))


def single_phase_va(voltage_v: npt.ArrayLike, current_a: npt.ArrayLike) -> F8:
    """Return the apparent power of a single-phase circuit, in VA: S = V I."""
    return np.asarray(np.asarray(voltage_v, dtype=np.float64) * np.asarray(current_a))


def lost_feeds(redundancy: str, feeds: int) -> int:
    """Return how many of a rack's feeds may fail at once without harm.

    Parameters
    ----------
    redundancy : {"N", "N+1", "2N", "3N2R", "4N3R"}
        N: none; N+1: one; 2N, 3N2R, 4N3R: one of two, three or four equal systems.
    feeds : int
        Feeds of a rack.

    Raises
    ------
    InputError
        If that number of feeds cannot give the redundancy.
    """
    if redundancy == "N":
        return 0
    systems = SYSTEMS.get(redundancy, feeds)
    if feeds < 2 or feeds % systems:
        needed = "two feeds or more" if redundancy == "N+1" else f"a multiple of {systems} feeds"
        raise InputError(
            f"redundancy {redundancy} needs {needed}, but the hall has {feeds}", "list each feed of a rack"
        )
    return feeds // systems


def carried_w(feed_w: npt.ArrayLike, redundancy: str) -> float:
    """Return what feeds carry together in the worst failure that their redundancy must survive, in W.

    Parameters
    ----------
    feed_w : array_like, (feeds,)
        What each feed carries continuously, in W.
    redundancy : {"N", "N+1", "2N", "3N2R", "4N3R"}
        Which feeds may fail; the largest are taken as lost.

    Raises
    ------
    InputError
        If the number of feeds does not suit the redundancy.
    """
    ascending = np.sort(np.asarray(feed_w, dtype=np.float64))
    return float(ascending[: len(ascending) - lost_feeds(redundancy, len(ascending))].sum())
