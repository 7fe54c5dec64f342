"""Fit polynomials to CoolProp's properties of coolants; prints them with their largest relative error.

    python benchmarks/fit_coolants.py

What it prints stands in ``fabrictool/cooling/liquid.py``. CoolProp takes seconds to import, so run time does without.
"""

from __future__ import annotations

import numpy as np
from CoolProp.CoolProp import PropsSI

FLUIDS = {"PG25": "INCOMP::MPG[0.25]", "EG25": "INCOMP::MEG[0.25]", "water": "Water"}
PRESSURE_PA = 2e5
TEMPERATURE_C = np.linspace(5, 65, 241)
#: Key, CoolProp's name, degree, and whether the logarithm is fitted.
PROPERTIES = (
    ("density", "D", {"water": 3}, 2, False),
    ("heat_capacity", "C", {"water": 4}, 2, False),
    ("log_viscosity", "V", {"water": 4}, 3, True),
    ("conductivity", "L", {"water": 3}, 2, False),
)


def main() -> None:
    """Print each fit."""
    for title, fluid in FLUIDS.items():
        for key, name, degrees, degree, logarithm in PROPERTIES:
            values = np.array([PropsSI(name, "T", t + 273.15, "P", PRESSURE_PA, fluid) for t in TEMPERATURE_C])
            target = np.log(values) if logarithm else values
            weights = 1.0 if logarithm else 1 / values
            fit = np.polynomial.polynomial.polyfit(
                TEMPERATURE_C, target, degrees.get(title, degree), w=weights * np.ones(241)
            )
            found = np.polynomial.polynomial.polyval(TEMPERATURE_C, fit)
            error = np.abs((np.exp(found) if logarithm else found) / values - 1).max()
            print(f"{title} {key} = ({', '.join(f'{c:.8g}' for c in fit)})  within {error:.1e}")


if __name__ == "__main__":
    main()
