"""Losses of conversion: chains of stages, efficiency curves, UPS, transformers, and direct-current bars."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fabrictool.fabric.tables import F8, Reals

#: Efficiency at 10, 20, 50 and 100 % load of internal redundant supplies at 230 V: the 80 PLUS table.
#: Below the first point the curve stays level.
PSU_LOADS = (0.1, 0.2, 0.5, 1.0)
PSU_CURVES = {
    "titanium": (0.90, 0.94, 0.96, 0.91),
    "platinum": (0.90, 0.90, 0.94, 0.91),
    "gold": (0.88, 0.88, 0.92, 0.88),
}
#: Loss of a double-conversion UPS over its rating: constant, linear and square in the load fraction; assumed.
UPS_LOSS = (0.010, 0.015, 0.015)

COPPER_OHM_M = 1.724e-8  # at 20 degC, IACS
COPPER_PER_K = 0.00393


def chain_input_w(load_w: Reals, efficiencies: Reals) -> F8:
    """Return what a chain of stages draws for a load, in W: P / prod(eta); efficiencies along the last axis."""
    return np.asarray(np.asarray(load_w, dtype=np.float64) / np.prod(np.asarray(efficiencies), axis=-1))


def stage_input_w(output_w: Reals, fixed_w: Reals, efficiency: Reals) -> F8:
    """Return what a conversion stage with a fixed loss draws, in W: (P + fixed) / eta.

    References
    ----------
    Brewer et al., SC 2024, arXiv:2410.05133 (RAPS).
    """
    return np.asarray((np.asarray(output_w, dtype=np.float64) + fixed_w) / np.asarray(efficiency))


def curve_efficiency(load: Reals, loads: Reals, efficiencies: Reals) -> F8:
    """Return the efficiency at load fractions, linear between points and level beyond them."""
    return np.asarray(np.interp(np.asarray(load, dtype=np.float64), np.asarray(loads), np.asarray(efficiencies)))


def psu_efficiency(load: Reals, grade: str = "titanium") -> F8:
    """Return the efficiency of a power supply at load fractions by its 80 PLUS grade."""
    return curve_efficiency(load, np.array(PSU_LOADS), np.array(PSU_CURVES[grade]))


def ups_loss_w(load_w: Reals, rating_w: Reals, loss: tuple[float, float, float] = UPS_LOSS) -> F8:
    """Return the loss of a UPS in W: rating (p0 + p1 x + p2 x^2) at load fraction x."""
    fraction = np.divide(load_w, rating_w)
    return np.asarray(rating_w * (loss[0] + fraction * (loss[1] + fraction * loss[2])))


def transformer_loss_w(load_w: Reals, rating_w: Reals, no_load_w: float, full_load_w: float) -> F8:
    """Return the loss of a transformer in W: no-load loss and, at the square of the load, the loss of its windings."""
    return np.asarray(no_load_w + full_load_w * np.divide(load_w, rating_w) ** 2)


class BarLoss(NamedTuple):
    """A direct-current bar under load: current in A, voltage drop in V, loss in W."""

    current_a: F8
    drop_v: F8
    loss_w: F8


def busbar_ohm(length_m: Reals, area_m2: Reals, temperature_c: Reals = 20.0) -> F8:
    """Return the resistance of a copper conductor, in ohm; its length is there and back."""
    warm = 1 + COPPER_PER_K * (np.asarray(temperature_c, dtype=np.float64) - 20)
    return np.asarray(COPPER_OHM_M * np.divide(length_m, area_m2) * warm)


def dc_bar(power_w: Reals, voltage_v: Reals, resistance_ohm: Reals) -> BarLoss:
    """Return current, drop and loss of a bar that feeds a load: I = P / V, dV = I R, loss = I^2 R."""
    current = np.asarray(np.asarray(power_w, dtype=np.float64) / voltage_v)
    return BarLoss(current, np.asarray(current * resistance_ohm), np.asarray(current**2 * resistance_ohm))


def supplies_verdict(supplies: int, lost: int, supply_w: float, max_w: float, boot_supplies: int = 0) -> str:
    """Say whether a machine runs with some of its power supplies lost: ``full``, ``degraded`` or ``off``.

    Parameters
    ----------
    supplies, lost : int
        Power supplies there are, and without power.
    supply_w, max_w : float
        What one supplies, and what the machine draws at most, in W.
    boot_supplies : int
        The fewest with which it keeps running, slower.
    """
    live = supplies - lost
    if live > 0 and live * supply_w >= max_w * (1 - 1e-9):
        return "full"
    return "degraded" if boot_supplies and live >= boot_supplies else "off"
