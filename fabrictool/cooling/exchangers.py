"""Heat exchangers by effectiveness and number of transfer units.

References
----------
.. [1] Kays, London, Compact Heat Exchangers (1984); Incropera, Fundamentals of Heat and Mass Transfer, chapter 11.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fabrictool.fabric.tables import F8, Reals


def counterflow_effectiveness(ntu: Reals, ratio: Reals) -> F8:
    """Return the effectiveness of a counterflow exchanger at NTU and C_min / C_max; NTU / (1 + NTU) where equal."""
    units, capacity = np.broadcast_arrays(np.asarray(ntu, dtype=np.float64), np.asarray(ratio, dtype=np.float64))
    equal = np.abs(1 - capacity) < 1e-9
    gone = -np.expm1(-units * (1 - capacity))
    general = gone / np.where(equal, 1.0, gone + (1 - capacity) * (1 - gone))
    return np.asarray(np.where(equal, units / (1 + units), general))


def parallel_effectiveness(ntu: Reals, ratio: Reals) -> F8:
    """Return the effectiveness of a parallel-flow exchanger at NTU and C_min / C_max."""
    both = 1 + np.asarray(ratio, dtype=np.float64)
    return np.asarray(-np.expm1(-np.asarray(ntu) * both) / both)


def crossflow_effectiveness(ntu: Reals, ratio: Reals) -> F8:
    """Return the effectiveness of a crossflow exchanger, both streams unmixed, by the usual approximation."""
    units, capacity = np.broadcast_arrays(np.asarray(ntu, dtype=np.float64), np.asarray(ratio, dtype=np.float64))
    small = capacity < 1e-12
    safe = np.where(small, 1.0, capacity)
    general = -np.expm1(units**0.22 / safe * np.expm1(-safe * units**0.78))
    return np.where(small, -np.expm1(-units), general)


class Exchange(NamedTuple):
    """What an exchanger does: effectiveness, heat in W, outlets of the hot and the cold stream in degC."""

    effectiveness: F8
    heat_w: F8
    hot_out_c: F8
    cold_out_c: F8


def counterflow_exchange(
    ua_w_per_k: Reals, hot_w_per_k: Reals, cold_w_per_k: Reals, hot_in_c: Reals,
    cold_in_c: Reals,
) -> Exchange:  # fmt: skip
    """Return the heat that a counterflow exchanger moves: a CDU's plates, a rear door, a chilled-water coil.

    Parameters
    ----------
    ua_w_per_k : float or ndarray
        Conductance times area, in W/K.
    hot_w_per_k, cold_w_per_k : float or ndarray
        Heat capacity rates of the streams, in W/K.
    hot_in_c, cold_in_c : float or ndarray
        Inlet temperatures in degC.

    Notes
    -----
    NTU = UA / C_min; q = eps C_min (T_hot,in - T_cold,in).
    """
    hot, cold = np.asarray(hot_w_per_k, dtype=np.float64), np.asarray(cold_w_per_k, dtype=np.float64)
    least = np.minimum(hot, cold)
    effectiveness = counterflow_effectiveness(ua_w_per_k / least, least / np.maximum(hot, cold))
    heat = effectiveness * least * np.subtract(hot_in_c, cold_in_c)
    return Exchange(
        effectiveness, np.asarray(heat), np.asarray(hot_in_c - heat / hot), np.asarray(cold_in_c + heat / cold)
    )


def rated_conductance_w_per_k(heat_w: Reals, hot_w_per_k: Reals, cold_w_per_k: Reals, approach_k: Reals) -> F8:
    """Return the UA of a counterflow exchanger that moves a heat at an approach of hot outlet over cold inlet, in W/K.

    Notes
    -----
    The logarithmic mean of the temperature differences at both ends: UA = q / LMTD.
    """
    heat = np.asarray(heat_w, dtype=np.float64)
    near = np.asarray(approach_k, dtype=np.float64)
    # streams too small for the heat leave no difference at the other end
    far = np.maximum(near + heat / hot_w_per_k - heat / cold_w_per_k, 1e-6 * near)
    equal = np.abs(far - near) < 1e-9 * near
    mean = np.where(equal, near, (far - near) / np.where(equal, 1.0, np.log(np.where(equal, np.e, far / near))))
    return np.asarray(heat / mean)
