"""Racks too heavy for the floor that they stand on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.fabric.tables import F8
from fabrictool.placement import Placement
from fabrictool.placement.floor import floor_load_kg_per_m2, floor_pressure_pa
from fabrictool.placement.standing import Floor
from fabrictool.power.overloads import TOLERANCE, rack_list
from fabrictool.records import Assumption, Finding

if TYPE_CHECKING:
    from fabrictool.layout.model import Hall

#: What a floor carries where the layout does not say, in Pa: rated 3 by ANSI/TIA-942.
FLOOR_PA = 12e3
SOURCE = "design live load of a hall rated 3, ANSI/TIA-942"


def floor_pa(floor: Floor, weight_kg: F8) -> tuple[F8, F8]:
    """Return the load of racks on their footprint, and with their share of both aisles, (racks,) each in Pa."""
    width, depth = floor.pitch["rack_m"], floor.pitch["depth_m"]
    aisle = (floor.pitch["cold_aisle_m"] + floor.pitch["hot_aisle_m"]) / 2
    bare = floor_pressure_pa(floor_load_kg_per_m2(weight_kg, width, depth))
    return bare, floor_pressure_pa(floor_load_kg_per_m2(weight_kg, width, depth, aisle))


def floor_findings(hall: Hall | None, placement: Placement, floor: Floor | None, weight_kg: F8) -> Iterator[Finding]:
    """Yield racks over what the floor carries: an error with their share of the aisles, else a warning.

    Parameters
    ----------
    weight_kg : ndarray, (racks,)
        Of racks with what stands in them, as far as it is known, in kg.
    """
    if floor is None or not len(placement.racks):
        return
    limit = FLOOR_PA if hall is None or hall.floor_limit_pa is None else hall.floor_limit_pa
    bare, shared = floor_pa(floor, weight_kg)
    hall_over = shared > limit * (1 + TOLERANCE)
    rows = np.flatnonzero(hall_over)
    if len(rows):
        fix = "fewer devices a rack, or a stronger floor"
        message = _words(placement, int(rows[bare[rows].argmax()]), bare, shared, weight_kg, limit)
        yield Finding("floor-overload", "error", rack_list(placement.racks.name, rows), message, fix)
    rows = np.flatnonzero((bare > limit * (1 + TOLERANCE)) & ~hall_over)
    if len(rows):
        fix = "let a structural engineer decide, or spread the load by plates"
        message = _words(placement, int(rows[bare[rows].argmax()]), bare, shared, weight_kg, limit)
        yield Finding("floor-load", "warning", rack_list(placement.racks.name, rows), message, fix)


def _words(placement: Placement, rack: int, bare: F8, shared: F8, weight_kg: F8, limit_pa: float) -> str:
    loads = f"{bare[rack] / 1e3:.1f} kPa on its footprint, {shared[rack] / 1e3:.1f} kPa with its share of the aisles"
    name, kg = placement.racks.name[rack], weight_kg[rack]
    return f"{name} of {kg:,.0f} kg: {loads}; the floor carries {limit_pa / 1e3:g} kPa"


def floor_assumptions(hall: Hall | None, floor: Floor | None) -> tuple[Assumption, ...]:
    """Name the load that the floor is taken to carry, where racks stand on it and nobody says."""
    if floor is None or (hall is not None and hall.floor_limit_pa is not None):
        return ()
    return (Assumption("load that the floor carries", f"{FLOOR_PA / 1e3:g} kPa", SOURCE),)
