"""What running costs: energy, demand and water charges, capital recovery, and carbon."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fabrictool.fabric.tables import F8, Reals

HOURS_PER_YEAR = 8760


class EnergyBill(NamedTuple):
    """A year of electricity: energy in kWh, charges for energy and for demand, in money."""

    energy_kwh: F8
    energy_cost: F8
    demand_cost: F8

    @property
    def total(self) -> F8:
        """Both charges together."""
        return np.asarray(self.energy_cost + self.demand_cost)

    @property
    def per_kwh(self) -> F8:
        """Both charges over the energy."""
        return np.asarray(self.total / self.energy_kwh)


def energy_bill(
    it_w: Reals, mean_load: Reals, pue: Reals, per_kwh: Reals,
    per_kw_month: Reals = 0.0,
) -> EnergyBill:  # fmt: skip
    """Return what a year of electricity costs.

    Parameters
    ----------
    it_w : float or ndarray
        Maximum IT power in W.
    mean_load : float or ndarray
        Mean over maximum IT power.
    pue : float or ndarray
        Facility over IT power.
    per_kwh, per_kw_month : float or ndarray
        Price of energy, and of each kW of contracted peak a month.

    Notes
    -----
    E = P_IT u PUE 8760 h; demand is charged on P_IT PUE, whatever the load.
    """
    peak_kw = np.asarray(it_w, dtype=np.float64) / 1e3 * pue
    energy = peak_kw * mean_load * HOURS_PER_YEAR
    return EnergyBill(np.asarray(energy), np.asarray(energy * per_kwh), np.asarray(12 * peak_kw * per_kw_month))


def capital_recovery(interest: Reals, years: Reals) -> F8:
    """Return the yearly share of an investment that pays it back with interest: i (1+i)^n / ((1+i)^n - 1)."""
    rate = np.asarray(interest, dtype=np.float64)
    growth = (1 + rate) ** np.asarray(years)
    free = rate == 0
    return np.asarray(np.where(free, 1 / np.asarray(years), rate * growth / np.where(free, 1, growth - 1)))


def carbon_kg(energy_kwh: Reals, grid_kg_per_kwh: Reals) -> F8:
    """Return the emissions of energy from a grid, in kg of CO2 equivalent (scope 2)."""
    return np.asarray(np.asarray(energy_kwh, dtype=np.float64) * grid_kg_per_kwh)
