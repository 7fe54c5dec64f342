"""Loads of three lines as phasors: they add up over racks and levels, whatever hangs between which lines.

A load is written as the complex power of each line A, B, C, (..., 3) in W: the line's current times the voltage to
neutral, at the power factor of the load and turned so that a load between that line and neutral is real. The real parts
add up to the power; the magnitudes are those of the currents.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, Reals

C16 = npt.NDArray[np.complex128]

_THIRTY: Final = np.exp(1j * np.pi / 6)
_TURN: Final = np.exp(-2j * np.pi / 3)


def star_lines(phases_w: Reals) -> C16:
    """Return the lines of loads between each line and neutral, (..., 3) in W."""
    return np.asarray(phases_w, dtype=np.complex128)


def delta_lines(branches_w: Reals) -> C16:
    """Return the lines of loads between lines AB, BC and CA, (..., 3) in W."""
    branches = np.asarray(branches_w, dtype=np.float64)
    return np.asarray((branches * _THIRTY + np.roll(branches, 1, axis=-1) / _THIRTY) / np.sqrt(3))


def balanced_lines(power_w: Reals) -> C16:
    """Return the lines of loads that draw from all three alike, (..., 3) from (...) in W."""
    return np.repeat(np.asarray(power_w, dtype=np.complex128)[..., None] / 3, 3, axis=-1)


def through_delta(lines_w: C16) -> C16:
    """Return what a transformer from delta to star draws from its lines for what hangs on its star, (..., 3) in W.

    Notes
    -----
    A phase of the star draws from two lines, so that nothing of the neutral's current gets through:
    I_A = (I_a - I_b) / sqrt(3), and so on round.
    """
    return np.asarray((lines_w - _TURN * np.roll(lines_w, -1, axis=-1)) / (np.sqrt(3) * _THIRTY))


def stacked(first: C16 | F8, second: C16 | F8) -> C16:
    """Return the lines of two groups of loads as those of one."""
    return np.concatenate((first, second)).astype(np.complex128)


def lines_power_w(lines_w: C16) -> F8:
    """Return the power of three lines together, (...) in W."""
    return np.asarray(lines_w.sum(axis=-1).real)


def neutral_of(lines_w: C16) -> F8:
    """Return what the neutral of three lines carries, (...), in the same unit, without harmonics."""
    return np.asarray(np.abs(lines_w @ _TURN ** np.arange(3)))


def lines_a(lines_w: C16, voltage_ll_v: Reals, power_factor: float) -> F8:
    """Return the current of each line, (..., 3) in A."""
    return np.asarray(np.abs(lines_w) * np.sqrt(3) / (np.asarray(voltage_ll_v, np.float64) * power_factor))
