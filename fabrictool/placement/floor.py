"""What racks weigh on a floor."""

from __future__ import annotations

import numpy as np

from fabrictool.fabric.tables import F8, Reals

GRAVITY_M_PER_S2 = 9.80665


def floor_load_kg_per_m2(mass_kg: Reals, width_m: Reals, depth_m: Reals, aisle_m: Reals = 0.0) -> F8:
    """Return the load of a rack spread over its footprint and the share of aisle before it, in kg/m2.

    Parameters
    ----------
    mass_kg : float or ndarray
        With what stands in it, in kg.
    width_m, depth_m, aisle_m : float or ndarray
        Of the rack, and the depth of aisle that goes with it, in m.
    """
    area = np.asarray(width_m, dtype=np.float64) * np.add(depth_m, aisle_m)
    return np.asarray(mass_kg / area)


def floor_pressure_pa(load_kg_per_m2: Reals) -> F8:
    """Return a floor load as pressure, in Pa."""
    return np.asarray(np.asarray(load_kg_per_m2, dtype=np.float64) * GRAVITY_M_PER_S2)
