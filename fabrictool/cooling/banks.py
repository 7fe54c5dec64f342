"""Banks of equal heat exchangers under control: what they hold a supply temperature against.

A CDU takes heat from coolant, an air handler and a rear door from air; all give it to colder water.
"""

from __future__ import annotations

import numpy as np

from fabrictool.cooling.exchangers import counterflow_effectiveness
from fabrictool.fabric.tables import F8

_HALVINGS = 60


def attainable_c(heat_w: F8, hot_w_per_k: F8, cold_w_per_k: F8, ua_w_per_k: F8, cold_in_c: F8) -> F8:
    """Return the temperature to which the hot side of an exchanger comes down, in degC.

    Parameters
    ----------
    heat_w : ndarray
        That one exchanger moves, in W.
    hot_w_per_k, cold_w_per_k : ndarray
        Heat capacity rates, in W/K; the hot one is inf for a vapour that condenses.
    ua_w_per_k, cold_in_c : ndarray
        Conductance times area, and the temperature at which the cold side enters.

    Notes
    -----
    T_hot,in = T_cold,in + q / (eps C_min); T_hot,out = T_hot,in - q / C_hot.
    """
    least = np.minimum(hot_w_per_k, cold_w_per_k)
    ratio = least / np.maximum(hot_w_per_k, cold_w_per_k)
    moved = counterflow_effectiveness(ua_w_per_k / least, ratio) * least
    return np.asarray(cold_in_c + heat_w / moved - heat_w / hot_w_per_k)


def capacity_w(supply_c: F8, rise_k: F8, cold_w_per_k: F8, ua_w_per_k: F8, cold_in_c: F8) -> F8:
    """Return the most heat that an exchanger takes at a supply temperature and a rise of the hot side, in W.

    Parameters
    ----------
    supply_c, rise_k : ndarray
        Of the hot side: what leaves the exchanger, in degC, and how much warmer it returns; 0 for a vapour.
    cold_w_per_k, ua_w_per_k, cold_in_c : ndarray
        As for `attainable_c`.

    Notes
    -----
    The flow of the hot side goes with the heat; 0 where the cold side is not colder than the supply.
    """
    span = supply_c + rise_k - cold_in_c
    low = np.zeros(np.broadcast(span, cold_w_per_k, ua_w_per_k).shape)
    high = np.minimum(cold_w_per_k, ua_w_per_k) * np.maximum(span, 0) * (1 + 1e-9) + low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        hot = np.divide(middle, rise_k, out=np.full(middle.shape, np.inf), where=(rise_k > 0) & (middle > 0))
        holds = attainable_c(middle, hot, cold_w_per_k, ua_w_per_k, cold_in_c) <= supply_c
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
    return np.where(supply_c > cold_in_c, low, 0.0)


def throttled_w_per_k(heat_w: F8, hot_w_per_k: F8, supply_c: F8, ua_w_per_k: F8, cold_in_c: F8, most_w_per_k: F8) -> F8:
    """Return the heat capacity rate of the cold side that just holds a supply temperature, in W/K; at most all.

    Parameters
    ----------
    heat_w, hot_w_per_k, ua_w_per_k, cold_in_c : ndarray
        As for `attainable_c`.
    supply_c : ndarray
        What the hot side is to leave at, in degC.
    most_w_per_k : ndarray
        With the valve wide open.
    """
    hot_in = supply_c + heat_w / hot_w_per_k
    low = np.minimum(heat_w / np.maximum(hot_in - cold_in_c, 1e-9), most_w_per_k)
    high = np.broadcast_to(most_w_per_k, low.shape)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        positive = np.maximum(middle, 1e-9)
        short = attainable_c(heat_w, hot_w_per_k, positive, ua_w_per_k, cold_in_c) > supply_c
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return np.asarray(high)
