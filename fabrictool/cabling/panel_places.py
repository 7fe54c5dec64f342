"""Where patch panels hang: in the highest free units of their racks, on the side of the ports that they serve."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.cabling.routes import Seats
from fabrictool.fabric.tables import F8, I4, Bool, Fabric, Table
from fabrictool.placement import Placement
from fabrictool.placement.standing import BASE_M, UNIT_M


@dataclass(frozen=True)
class PanelPlaces(Table):
    """Patch panels of one unit, one row each, rack by rack: ``number`` counts from 1 in each rack.

    ``unit`` is the rack unit, 0 for a panel over the rack, -1 for one that found no room.
    """

    rack: I4
    number: I4
    unit: I4

    def count(self, which: Bool, racks: int) -> I4:
        """Return how many of some panels are those of each rack, (racks,); ``which`` is (panels,)."""
        return np.bincount(self.rack[which], minlength=racks).astype(np.int32)


def places_of_panels(fabric: Fabric, placement: Placement, seats: Seats, panels: I4, overhead: bool) -> PanelPlaces:
    """Give panels the highest units that are free, from the top down.

    A rack that is one machine has no room for panels: theirs hang over it, as all do that are asked to.

    Parameters
    ----------
    panels : ndarray of int32, (racks,)
        How many each rack needs.
    overhead : bool
        Whether all hang over their racks.
    """
    racks = placement.racks
    rack = np.repeat(np.arange(len(racks), dtype=np.int32), panels)
    number = (np.arange(len(rack)) - np.repeat(np.cumsum(panels) - panels, panels) + 1).astype(np.int32)
    unit = np.zeros(len(rack), np.int32)
    over = np.isin(racks.type, fabric.types) | overhead
    for row in np.flatnonzero((panels > 0) & ~over).tolist():
        free = _free_units(seats, row, int(racks.units[row]))[: panels[row]]
        unit[rack == row] = free + [-1] * (int(panels[row]) - len(free))
    return PanelPlaces(rack, number, unit)


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
