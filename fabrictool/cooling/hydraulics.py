"""Liquid in pipes, plates and branches: friction, pressure drop, shares of flow, velocity limits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fabrictool.fabric.tables import F8, Reals

LAMINAR_BELOW = 2040.0
_NEWTON_STEPS = 4


def haaland_friction(reynolds: Reals, relative_roughness: Reals) -> F8:
    """Return Darcy's friction factor of turbulent flow by Haaland's explicit formula (1983)."""
    rough = (np.asarray(relative_roughness, dtype=np.float64) / 3.7) ** 1.11
    return np.asarray((-1.8 * np.log10(rough + 6.9 / np.asarray(reynolds))) ** -2)


def swamee_jain_friction(reynolds: Reals, relative_roughness: Reals) -> F8:
    """Return Darcy's friction factor of turbulent flow by the explicit formula of Swamee and Jain (1976)."""
    rough = np.asarray(relative_roughness, dtype=np.float64) / 3.7
    return np.asarray(0.25 / np.log10(rough + 5.74 / np.asarray(reynolds) ** 0.9) ** 2)


def friction_factor(reynolds: Reals, relative_roughness: Reals) -> F8:
    """Return Darcy's friction factor: 64 / Re below 2,040, Colebrook's above.

    Notes
    -----
    Colebrook (1939): 1/sqrt f = -2 log10(e / 3.7 + 2.51 / (Re sqrt f)), by Newton's method from Haaland's formula.
    """
    number = np.asarray(reynolds, dtype=np.float64)
    rough, turbulent = np.asarray(relative_roughness) / 3.7, np.maximum(number, LAMINAR_BELOW)
    root = haaland_friction(turbulent, relative_roughness) ** -0.5
    for _ in range(_NEWTON_STEPS):
        inside = rough + 2.51 * root / turbulent
        root = root - (root + 2 * np.log10(inside)) / (1 + 2 * 2.51 / (turbulent * inside * np.log(10)))
    laminar = 64 / np.maximum(number, 1e-12)
    return np.where(number < LAMINAR_BELOW, laminar, root**-2)


class PipeFlow(NamedTuple):
    """Flow in a pipe: velocity in m/s, Reynolds number, Darcy's friction factor, pressure drop in Pa."""

    velocity_m_per_s: F8
    reynolds: F8
    friction: F8
    drop_pa: F8


def pipe_flow(
    flow_m3_per_s: Reals, diameter_m: Reals, length_m: Reals, roughness_m: Reals,
    fittings: Reals, density_kg_per_m3: Reals, viscosity_pa_s: Reals,
) -> PipeFlow:  # fmt: skip
    """Return the pressure drop of a pipe with fittings.

    Parameters
    ----------
    flow_m3_per_s, diameter_m, length_m, roughness_m : float or ndarray
        Of the pipe.
    fittings : float or ndarray
        Sum of the loss coefficients of bends, valves and couplings.
    density_kg_per_m3, viscosity_pa_s : float or ndarray
        Of the liquid.

    Notes
    -----
    Darcy and Weisbach: dp = (f L / D + sum K) rho v^2 / 2; Re = rho v D / mu.
    """
    bore = np.asarray(diameter_m, dtype=np.float64)
    velocity = np.asarray(flow_m3_per_s / (np.pi * bore**2 / 4))
    reynolds = np.asarray(density_kg_per_m3 * velocity * bore / viscosity_pa_s)
    friction = friction_factor(reynolds, roughness_m / bore)
    drop = (friction * length_m / bore + fittings) * density_kg_per_m3 * velocity**2 / 2
    return PipeFlow(velocity, reynolds, friction, np.asarray(drop))


def velocity_limit_m_per_s(diameter_m: Reals) -> F8:
    """Return the largest velocity that spares a pipe: 1.5 m/s below 25 mm, 1.8 to 75 mm, 2.1 above.

    References
    ----------
    ASHRAE liquid cooling guideline, as recalled.
    """
    bore = np.asarray(diameter_m, dtype=np.float64)
    return np.where(bore < 0.025, 1.5, np.where(bore <= 0.075, 1.8, 2.1))


def drop_exponent(drops_pa: tuple[float, float], flows: tuple[float, float]) -> float:
    """Return n of dp = R V^n through two points of a cold plate's or coupling's curve; 1.6 to 2 is common."""
    return float(np.log(drops_pa[1] / drops_pa[0]) / np.log(flows[1] / flows[0]))


def branch_flows(total: Reals, resistance: Reals, exponent: float = 2.0) -> F8:
    """Return the flow of each of parallel branches, which share one pressure drop, (branches,).

    Notes
    -----
    With dp = R V^n, V_i goes with R_i^(-1/n).
    """
    ease = np.asarray(resistance, dtype=np.float64) ** (-1 / exponent)
    return np.asarray(total * ease / ease.sum())
