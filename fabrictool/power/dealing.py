"""Racks' circuits dealt to the phases of what they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fabrictool.fabric.tables import F8, Bool
from fabrictool.power.cords import LOWEST_STAR_V
from fabrictool.power.parts import Rows
from fabrictool.power.phasors import C16, balanced_lines, delta_lines, star_lines

if TYPE_CHECKING:
    from fabrictool.layout.model import Feed

#: Single-phase voltages between two lines: 200 and 208 V, and from 380 V on; 120, 230, 240, 277 and 347 V are to
#: neutral.
TWO_LINES_V = ((190.0, 215.0), (348.0, np.inf))
#: Weight of all elements beside one, so small that it decides ties only.
_TIE = 1e-9


def between_lines(feed: Feed) -> bool:
    """Say whether loads on a feed hang between two lines, not between a line and neutral."""
    if feed.phases == 3:
        return feed.voltage_v < LOWEST_STAR_V
    return any(low <= feed.voltage_v <= high for low, high in TWO_LINES_V)


def line_v(feed: Feed) -> float:
    """Return the voltage between the lines that a feed comes from, in V; of direct current, its own."""
    to_neutral = feed.phases == 1 and not between_lines(feed)
    return feed.voltage_v * float(np.sqrt(3)) if to_neutral else feed.voltage_v


def feed_lines(feed: Feed, share: F8, phase: Rows) -> C16:
    """Return what a rack loads each line with over what it draws from a feed, (racks, 3).

    Parameters
    ----------
    share : ndarray, (racks, 3)
        Of its power on each phase of a three-phase feed.
    phase : ndarray of int64, (racks,)
        That each rack's single-phase circuit is on: A, B, C, or AB, BC, CA.
    """
    if feed.phases == "dc":
        return balanced_lines(np.ones(len(share)))
    shares = share if feed.phases == 3 else np.eye(3)[phase]
    return delta_lines(shares) if between_lines(feed) else star_lines(shares)


def dealt_phases(load_w: F8, has: Bool, which: Rows, carried_w: F8) -> Rows:
    """Return the phase of each rack's single-phase circuit, (racks,), the heaviest first on the phase with least.

    Parameters
    ----------
    load_w : ndarray, (racks,)
        What each draws there, in W.
    has : ndarray of bool, (racks,)
        Which have such a circuit; 0 for all others.
    which : ndarray of int64, (racks,)
        The element that it comes from.
    carried_w : ndarray, (elements, 3)
        What the phases of each element carry already; filled up. Of phases that carry as much, the one takes that
        carries least in all elements together, so that what is behind them is even too.
    """
    phase = np.zeros(len(load_w), np.int64)
    rows, total = np.flatnonzero(has), carried_w.sum(axis=0)
    for row in rows[np.argsort(-load_w[rows], kind="stable")].tolist():
        carried = carried_w[which[row]]
        phase[row] = one = int((carried + _TIE * total).argmin())
        carried[one] += load_w[row]
        total[one] += load_w[row]
    return phase
