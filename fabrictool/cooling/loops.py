"""Coolant distribution units, chips, stores of cold and boiling liquids."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from fabrictool.fabric.tables import F8, Reals


class UnitCount(NamedTuple):
    """CDUs that a heat needs, with one spare, and the heat of each in W: all running, and with one lost."""

    needed: F8
    with_spare: F8
    each_w: F8
    each_after_loss_w: F8


def unit_count(heat_w: Reals, capacity_w: Reals) -> UnitCount:
    """Return how many units of a capacity carry a heat, N and N+1."""
    heat = np.asarray(heat_w, dtype=np.float64)
    needed = np.ceil(heat / np.asarray(capacity_w) - 1e-9)
    return UnitCount(
        np.asarray(needed), np.asarray(needed + 1), np.asarray(heat / (needed + 1)), np.asarray(heat / needed)
    )


def derated_capacity_w(
    rated_w: Reals, rated_return_c: Reals, rated_facility_c: Reals, return_c: Reals,
    facility_c: Reals,
) -> F8:  # fmt: skip
    """Return what a CDU moves at other temperatures and equal flows, in W.

    Parameters
    ----------
    rated_w : float or ndarray
        At the rated temperatures, in W.
    rated_return_c, return_c : float or ndarray
        Return of the technology loop, in degC.
    rated_facility_c, facility_c : float or ndarray
        Supply of the facility's water, in degC.

    Notes
    -----
    Effectiveness is constant at equal flows: q goes with T_return - T_facility.
    """
    rated = np.subtract(rated_return_c, rated_facility_c)
    return np.asarray(np.asarray(rated_w, dtype=np.float64) * np.subtract(return_c, facility_c) / rated)


def case_temperature_c(heat_w: Reals, plate_k_per_w: Reals, inlet_c: Reals, capacity_w_per_k: Reals) -> F8:
    """Return a chip's case temperature under a cold plate, in degC: T_in + q (R + 1 / (2 C))."""
    return np.asarray(inlet_c + np.multiply(heat_w, plate_k_per_w + 0.5 / np.asarray(capacity_w_per_k)))


def ride_through_s(store_j_per_k: Reals, rise_k: Reals, heat_w: Reals) -> F8:
    """Return how long a well-mixed store takes a heat before it has warmed by a rise, in s: M c dT / q."""
    return np.asarray(np.multiply(store_j_per_k, rise_k) / np.asarray(heat_w, dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Boiling:
    """A fluid that boils off heat, at saturation: temperature in degC, pressure in Pa, latent heat in J/kg, density."""

    saturation_c: float
    saturation_pa: float
    latent_j_per_kg: float
    liquid_kg_per_m3: float


#: CoolProp 8.0.0. Production of Novec 649 (FK-5-1-12) ended in 2025.
BOILING = MappingProxyType(
    {
        "Novec649": Boiling(49.05165, 101325.0, 87947.53, 1526.968),
        "R1233zd(E)": Boiling(40.0, 216101.5, 183112.4, 1225.809),
        "R134a": Boiling(40.0, 1016593.0, 163019.3, 1146.739),
        "R1234ze(E)": Boiling(40.0, 766451.2, 154800.1, 1111.508),
        "R245fa": Boiling(40.0, 250647.0, 182314.6, 1296.704),
    }
)


def boiling_m3_per_s(heat_w: Reals, fluid: str, exit_quality: Reals = 0.7) -> F8:
    """Return the liquid flow that boils a heat off, in m3/s.

    Parameters
    ----------
    heat_w : float or ndarray
        In W.
    fluid : str
        One of ``BOILING``.
    exit_quality : float or ndarray
        Vapour share at the outlet, below dry-out; 0.7 leaves a margin.
    """
    known = BOILING[fluid]
    return np.asarray(
        np.asarray(heat_w, dtype=np.float64) / (known.latent_j_per_kg * exit_quality) / known.liquid_kg_per_m3
    )


def tank_m3_per_s(
    heat_w: Reals, rise_k: Reals, density_kg_per_m3: Reals = 820.0,
    heat_capacity_j_per_kg_k: Reals = 2200.0,
) -> F8:  # fmt: skip
    """Return the oil that a single-phase tank circulates, in m3/s; by default a typical PAO or ester."""
    return np.asarray(np.asarray(heat_w, dtype=np.float64) / (density_kg_per_m3 * heat_capacity_j_per_kg_k * rise_k))
