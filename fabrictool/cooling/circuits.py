"""Water circuits between a hall and its plant: that of the air, one for each loop, and one for racks without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fabrictool.cooling.air_units import APPROACH_K, WATER_RISE_K, water_c
from fabrictool.cooling.hall_air import HallAir
from fabrictool.cooling.loop_cooling import LoopCooling
from fabrictool.cooling.loop_design import APPROACH_K as CDU_APPROACH_K
from fabrictool.cooling.year import Circuit
from fabrictool.records import Assumption

if TYPE_CHECKING:
    from fabrictool.layout.plant import Plant

FACILITY_RISE_K = 10.0
#: Facility water of racks that hang on no loop, in degC: coolant of 30 C less an approach of 5 K; assumed.
LOOSE_C = 25.0

_Found = tuple[Circuit, tuple[Assumption, ...]]


def circuits_of(
    plant: Plant, air_w: float, loops: LoopCooling, loose_w: float, room: HallAir
) -> tuple[tuple[Circuit, ...], tuple[Assumption, ...]]:
    """Return the water circuits that a plant serves, and what was assumed of them.

    Parameters
    ----------
    air_w, loose_w : float
        Heat to the hall's air, and to liquid of racks without a loop, in W.
    loops : LoopCooling
    room : HallAir
    """
    found = [_of_air(plant, air_w, room)] if air_w > 0 else []
    found += [_of_loop(loops, row) for row in range(len(loops.serving.stated)) if len(heated(loops, row))]
    if loose_w > 0:
        why = Assumption(
            "facility water of racks without a loop", f"{LOOSE_C:g} C", "30 C less an approach of 5 K; assumed"
        )
        found.append((Circuit("liquid", loose_w, LOOSE_C, FACILITY_RISE_K), (why,)))
    return tuple(circuit for circuit, _ in found), tuple(one for _, assumed in found for one in assumed)


def heated(loops: LoopCooling, row: int) -> np.ndarray:
    """Return which loops that a row of the layout's stands for take heat."""
    return np.flatnonzero((loops.serving.stated_row == row) & (loops.design.heat_w > 0))


def _of_air(plant: Plant, air_w: float, room: HallAir) -> _Found:
    """Return the chilled water of the air: as cold as the coldest handlers need it."""
    stated = [water_c(group, room.conditions) for group in room.units]
    if plant.chilled_water_c is not None:
        stated = [plant.chilled_water_c]
    rise = min((group.water_rise_k or WATER_RISE_K for group in room.units), default=WATER_RISE_K)
    if stated:
        return Circuit("air", air_w, min(stated), rise, of_air=True), ()
    water = room.conditions.supply_c - APPROACH_K
    why = Assumption("chilled water of the air", f"{water:g} C", f"supply air less {APPROACH_K:g} K; assumed")
    return Circuit("air", air_w, water, rise, of_air=True), (why,)


def _of_loop(loops: LoopCooling, row: int) -> _Found:
    """Return the facility water of a loop that takes heat."""
    on, loop = heated(loops, row), loops.serving.stated[row]
    d, first = loops.design, on[0]
    assumed: tuple[Assumption, ...] = ()
    water = float(d.facility_c[first])
    if np.isnan(water):
        less = 0.0 if d.coolant[first] == "water" else CDU_APPROACH_K
        water = float(d.supply_c[first]) - less
        why = "its water comes from the plant" if not less else f"its supply less {less:g} K; assumed"
        assumed = (Assumption(f"facility water of loop {loop.name}", f"{water:g} C", why),)
    rise = float(loops.normal.facility_return_c[first]) - water
    rise = rise if np.isfinite(rise) and rise > 0 else FACILITY_RISE_K
    return Circuit(loop.name, float(d.heat_w[on].sum()), water, rise), assumed
