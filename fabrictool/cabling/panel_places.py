"""Where patch panels hang: in the highest free units of their racks, on the side of the ports that they serve."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.cabling.patching import UNKNOWN, Names, Patching
from fabrictool.cabling.routes import Seats
from fabrictool.fabric.tables import F8, I4, Bool, Fabric, Table
from fabrictool.placement import Placement
from fabrictool.placement.standing import BASE_M, UNIT_M


@dataclass(frozen=True)
class PanelPlaces(Table):
    """Patch panels of one unit, one row each, rack by rack, with their names and ports.

    ``unit`` is the rack unit, 0 for a panel over the rack, -1 for one that found no room.
    """

    rack: I4
    name: Names
    ports: I4
    unit: I4

    def count(self, which: Bool, racks: int) -> I4:
        """Return how many of some panels are those of each rack, (racks,); ``which`` is (panels,)."""
        return np.bincount(self.rack[which], minlength=racks).astype(np.int32)


def places_of_panels(
    fabric: Fabric, placement: Placement, seats: Seats, made: Patching, overhead: bool
) -> PanelPlaces:  # fmt: skip
    """Give panels the highest units that are free, from the top down; those that have one keep it if it is free.

    A rack that is one machine has no room for panels: theirs hang over it, as all do that are asked to.

    Parameters
    ----------
    made : Patching
        The panels, with the units that are known.
    overhead : bool
        Whether new ones hang over their racks.
    """
    racks, unit = placement.racks, made.unit.copy()
    over = np.isin(racks.type, fabric.types) | overhead
    unit[(unit == UNKNOWN) & over[made.rack]] = 0
    for row in np.unique(made.rack[unit != 0]).tolist():
        free = _free_units(seats, row, int(racks.units[row]))
        mine = np.flatnonzero((made.rack == row) & (unit != 0)).tolist()
        for panel in mine:
            if unit[panel] in free:
                free.remove(int(unit[panel]))
            else:
                unit[panel] = UNKNOWN
        for panel in mine:
            if unit[panel] == UNKNOWN:
                unit[panel] = free.pop(0) if free else -1
    return PanelPlaces(made.rack, made.name, made.size, unit)


def _free_units(seats: Seats, rack: int, units: int) -> list[int]:
    """Return the free units of a rack, the highest first."""
    taken: set[int] = set()
    for device in np.flatnonzero((seats.rack == rack) & (seats.unit > 0)).tolist():
        low = int(seats.unit[device])
        taken.update(range(low, low + max(1, math.ceil(seats.units[device] - 1e-6))))
    return [unit for unit in range(units, 0, -1) if unit not in taken]


def panel_heights_m(places: PanelPlaces, placement: Placement) -> F8:
    """Return how high each panel hangs over the floor, (panels,) in m: in its unit, else over the rack."""
    top_m = BASE_M + placement.racks.units[places.rack] * UNIT_M
    return np.where(places.unit > 0, BASE_M + (places.unit - 0.5) * UNIT_M, top_m)


def sides_of_racks(racks: int, rack: npt.NDArray[np.integer], front: Bool) -> Bool:
    """Say of each rack whether panels are at its front, (racks,): where most of the ports are that they serve."""
    ahead = np.bincount(rack, weights=np.where(front, 1.0, -1.0), minlength=racks)
    return np.asarray(ahead > 0)
