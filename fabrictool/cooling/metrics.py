"""Efficiency of a facility in the standards' numbers."""

from __future__ import annotations

import numpy as np

from fabrictool.fabric.tables import F8, Reals


def power_usage_effectiveness(it: Reals, *overheads: Reals) -> F8:
    """Return PUE from IT energy and all overheads in one unit; with one overhead it is that part's pPUE.

    References
    ----------
    ISO/IEC 30134-2; partial PUE by The Green Grid.
    """
    total = np.asarray(it, dtype=np.float64)
    for overhead in overheads:
        total = total + np.asarray(overhead)
    return np.asarray(total / np.asarray(it))


def energy_reuse_factor(reused: Reals, facility: Reals) -> F8:
    """Return the share of the facility's energy that is used elsewhere (ERF, ISO/IEC 30134-6)."""
    return np.asarray(np.asarray(reused, dtype=np.float64) / facility)


def energy_reuse_effectiveness(facility: Reals, reused: Reals, it: Reals) -> F8:
    """Return facility less reused energy over IT energy (ERE, The Green Grid): (1 - ERF) PUE."""
    return np.asarray(np.subtract(facility, reused) / np.asarray(it, dtype=np.float64))


def water_usage_effectiveness(water_l: Reals, it_kwh: Reals) -> F8:
    """Return litres of water per kWh of IT energy (WUE, ISO/IEC 30134-9)."""
    return np.asarray(np.asarray(water_l, dtype=np.float64) / it_kwh)


def carbon_usage_effectiveness(grid_kg_per_kwh: Reals, pue: Reals) -> F8:
    """Return kg of CO2 equivalent per kWh of IT energy (CUE, ISO/IEC 30134-8)."""
    return np.asarray(np.asarray(grid_kg_per_kwh, dtype=np.float64) * pue)
