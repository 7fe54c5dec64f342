"""Coolants: density and heat capacity over temperature, and the flow that carries heat off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from numpy.polynomial.polynomial import polyval

from fabrictool.fabric.tables import F8


@dataclass(frozen=True, slots=True)
class Coolant:
    """A liquid as polynomials in degC, ascending; good for 5 to 65 degC.

    Parameters
    ----------
    density : tuple of float
        In kg/m3.
    heat_capacity : tuple of float
        In J/(kg K).
    log_viscosity : tuple of float
        Natural logarithm of the dynamic viscosity in Pa s.
    conductivity : tuple of float
        In W/(m K).
    """

    density: tuple[float, ...]
    heat_capacity: tuple[float, ...]
    log_viscosity: tuple[float, ...]
    conductivity: tuple[float, ...]

    def density_kg_per_m3(self, temperature_c: npt.ArrayLike) -> F8:
        """Return the density in kg/m3 at a temperature in degC."""
        return _at(self.density, temperature_c)

    def heat_capacity_j_per_kg_k(self, temperature_c: npt.ArrayLike) -> F8:
        """Return the specific heat capacity in J/(kg K) at a temperature in degC."""
        return _at(self.heat_capacity, temperature_c)

    def viscosity_pa_s(self, temperature_c: npt.ArrayLike) -> F8:
        """Return the dynamic viscosity in Pa s at a temperature in degC."""
        return np.asarray(np.exp(_at(self.log_viscosity, temperature_c)))

    def conductivity_w_per_m_k(self, temperature_c: npt.ArrayLike) -> F8:
        """Return the thermal conductivity in W/(m K) at a temperature in degC."""
        return _at(self.conductivity, temperature_c)

    def prandtl(self, temperature_c: npt.ArrayLike) -> F8:
        """Return the Prandtl number at a temperature in degC: c mu / k."""
        viscous = self.heat_capacity_j_per_kg_k(temperature_c) * self.viscosity_pa_s(temperature_c)
        return np.asarray(viscous / self.conductivity_w_per_m_k(temperature_c))


def _at(coefficients: tuple[float, ...], temperature_c: npt.ArrayLike) -> F8:
    return np.asarray(polyval(np.asarray(temperature_c, dtype=np.float64), np.array(coefficients)))


#: Propylene and ethylene glycol at 25 % by mass, and water: fits to CoolProp 8.0.0 at 2 bar by
#: benchmarks/fit_coolants.py, within 1.5e-4 (viscosity and water's conductivity 3.1e-4).
COOLANTS: Mapping[str, Coolant] = MappingProxyType(
    {
        "PG25": Coolant(
            density=(1026.1483, -0.28921097, -0.0028951182),
            heat_capacity=(3871.6697, 2.4669326, -0.0010952145),
            log_viscosity=(-5.2002732, -0.047240961, 3.5458117e-4, -1.2943746e-6),
            conductivity=(0.44940157, 9.3780347e-4, -6.8199331e-7),
        ),
        "EG25": Coolant(
            density=(1037.1347, -0.24677517, -0.0029361899),
            heat_capacity=(3762.4409, 2.4614746, -0.0022091576),
            log_viscosity=(-5.6000779, -0.037808323, 2.3833825e-4, -6.9350338e-7),
            conductivity=(0.464774, 0.0010941156, -1.8267514e-06),
        ),
        "water": Coolant(
            density=(1000.0629, 0.030929144, -0.0065525877, 2.2707506e-5),
            heat_capacity=(4217.3805, -2.9905529, 0.083984627, -0.0010386772, 5.3033348e-6),
            log_viscosity=(-6.3267927, -0.034262224, 3.102723e-4, -2.4954228e-6, 1.0281828e-8),
            conductivity=(0.55642821, 0.0024076643, -1.7619744e-05, 6.2894597e-08),
        ),
    }
)


def coolant_kg_per_s(heat_w: npt.ArrayLike, rise_k: npt.ArrayLike, supply_c: npt.ArrayLike, coolant: str) -> F8:
    """Return the mass flow that carries heat off at a temperature rise, in kg/s.

    Parameters
    ----------
    heat_w : array_like
        Heat in W.
    rise_k : array_like
        Return minus supply temperature, in K.
    supply_c : array_like
        Supply temperature in degC; properties are taken at the mean temperature.
    coolant : {"PG25", "EG25", "water"}
        Which liquid.
    """
    rise = np.asarray(rise_k, dtype=np.float64)
    mean_c = np.asarray(supply_c) + rise / 2
    return np.asarray(np.asarray(heat_w) / (COOLANTS[coolant].heat_capacity_j_per_kg_k(mean_c) * rise))


def coolant_m3_per_s(heat_w: npt.ArrayLike, rise_k: npt.ArrayLike, supply_c: npt.ArrayLike, coolant: str) -> F8:
    """Return the volume flow that carries heat off, in m3/s at the mean temperature; see `coolant_kg_per_s`."""
    mean_c = np.asarray(supply_c, dtype=np.float64) + np.asarray(rise_k) / 2
    mass = coolant_kg_per_s(heat_w, rise_k, supply_c, coolant)
    return np.asarray(mass / COOLANTS[coolant].density_kg_per_m3(mean_c))
