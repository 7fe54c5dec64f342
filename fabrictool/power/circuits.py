"""Currents of circuits: phases, neutral, imbalance, and the breaker that carries a load."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fabrictool.fabric.tables import F8, Reals

#: Standard ratings of breakers in A: NEC 2023, 240.6(A), and the IEC series.
NEC_A = (
    15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80, 90, 100, 110, 125, 150, 175, 200, 225, 250, 300, 350, 400, 450, 500,
    600, 700, 800, 1000, 1200, 1600, 2000, 2500, 3000, 4000, 5000, 6000,
)  # fmt: skip
IEC_A = (
    6, 10, 13, 16, 20, 25, 32, 40, 50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630, 800, 1000, 1250, 1600,
    2000, 2500, 3200, 4000, 5000, 6300,
)  # fmt: skip


def line_to_neutral_v(voltage_ll_v: Reals) -> F8:
    """Return the voltage to neutral of a three-phase system from that between lines, in V."""
    return np.asarray(np.asarray(voltage_ll_v, dtype=np.float64) / math.sqrt(3))


def current_a(power_w: Reals, voltage_v: Reals, power_factor: Reals = 1.0, phases: Reals = 3) -> F8:
    """Return the current of each line of a balanced circuit, in A.

    Parameters
    ----------
    power_w : float or ndarray
        Real power in W.
    voltage_v : float or ndarray
        From line to line with three phases, else across the load, in V.
    power_factor : float or ndarray
        Of the load; 1 for direct current.
    phases : float or ndarray
        3, or 1 for single-phase and direct current.

    Notes
    -----
    I = P / (sqrt(3) V_LL pf), or P / (V pf).
    """
    root = np.where(np.asarray(phases) == 3, math.sqrt(3), 1.0)
    return np.asarray(np.asarray(power_w, dtype=np.float64) / (root * voltage_v * np.asarray(power_factor)))


def breaker_a(load_a: Reals, continuous: float, ratings_a: Sequence[float] = NEC_A) -> F8:
    """Return the smallest standard breaker that carries a continuous load, in A; inf where none does.

    Parameters
    ----------
    load_a : float or ndarray
        Load in A.
    continuous : float
        Share of the rating that a continuous load may take: 0.8 by NEC 210.20(A), 1.0 by IEC 60364.
    ratings_a : sequence of float
        Ascending standard ratings in A.
    """
    ratings = np.append(np.asarray(ratings_a, dtype=np.float64), np.inf)
    needed = np.asarray(load_a, dtype=np.float64) / continuous
    return np.asarray(ratings[np.searchsorted(ratings[:-1], needed * (1 - 1e-12), side="left")])


def neutral_a(phases_a: Reals) -> F8:
    """Return the current of the neutral, in A, at equal power factor and without harmonics.

    Parameters
    ----------
    phases_a : float or ndarray, (..., 3)
        Current of each phase in A.

    Notes
    -----
    I_N = sqrt(Ia^2 + Ib^2 + Ic^2 - Ia Ib - Ib Ic - Ic Ia).
    """
    a, b, c = np.moveaxis(np.asarray(phases_a, dtype=np.float64), -1, 0)
    return np.asarray(np.sqrt(np.maximum(((a - b) ** 2 + (b - c) ** 2 + (c - a) ** 2) / 2, 0)))


def delta_lines_a(branches_a: Reals) -> F8:
    """Return the currents of lines A, B, C, (..., 3), from those of branches AB, BC, CA at equal power factor.

    Notes
    -----
    I_A = sqrt(I_ab^2 + I_ca^2 + I_ab I_ca), and so on round.
    """
    branches = np.asarray(branches_a, dtype=np.float64)
    before = np.roll(branches, 1, axis=-1)
    return np.asarray(np.sqrt(branches**2 + before**2 + branches * before))


def imbalance(phases_a: Reals) -> F8:
    """Return the largest deviation of a phase from their mean, over the mean; 0 without load. (..., 3) in."""
    phases = np.asarray(phases_a, dtype=np.float64)
    mean = phases.mean(axis=-1)
    worst = np.abs(phases - mean[..., None]).max(axis=-1)
    return np.asarray(np.divide(worst, mean, out=np.zeros_like(worst), where=mean > 0))
