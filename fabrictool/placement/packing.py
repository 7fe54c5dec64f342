"""Filling racks in order: how many fit, and which rack each takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

#: Taken before rounding down, so that 20.4 kW holds two hosts of 10.2 kW.
TOLERANCE = 1e-9


class Load(NamedTuple):
    """What a device takes or a rack has room for: units, W, kg and a number of devices."""

    units: float
    power_w: float
    weight_kg: float
    devices: float = math.inf

    def less(self, each: Load, count: int) -> Load:
        """Return what is left after ``count`` devices have taken their share."""
        return Load(*(room - count * need if need > 0 else room for room, need in zip(self, each, strict=True)))


class Reserve(NamedTuple):
    """What is kept free in each rack for its cabling, (roles, groups) each: units, and kg."""

    units: npt.NDArray[np.float64]
    weight_kg: npt.NDArray[np.float64]

    def load(self, role: int, group: int) -> Load:
        """Return what is kept free in the racks of a role and group."""
        return Load(float(self.units[role, group]), 0, float(self.weight_kg[role, group]), 0)

    def same(self, other: Reserve) -> bool:
        """Say whether as much is kept free."""
        return all(np.array_equal(mine, theirs) for mine, theirs in zip(self, other, strict=True))


def no_reserve(groups: int) -> Reserve:
    """Return that nothing is kept free."""
    return Reserve(np.zeros((2, groups)), np.zeros((2, groups)))


#: A rack that is full, or not there yet.
NOTHING = Load(0, 0, 0, 0)


def most_that_fit(room: Load, each: Load) -> float:
    """Return how many equal devices a rack takes: the least of units, power, weight and number.

    A need of 0 or NaN (unknown) sets no limit; the result is infinite when nothing does.
    """
    ratios = [space / need for space, need in zip(room, each, strict=True) if need > 0]
    bounds = [math.floor(ratio + TOLERANCE) if math.isfinite(ratio) else ratio for ratio in ratios]
    return max(min(bounds, default=math.inf), 0)


@dataclass(slots=True)
class Supply:
    """Racks of one group while they are filled: one open rack, and positions not yet used.

    Parameters
    ----------
    group : int
        Row of the rack group.
    empty : Load
        What an empty rack has room for.
    positions : float
        Racks that may still be opened, infinite where the group has no count.
    """

    group: int
    empty: Load
    positions: float
    open_rack: int = -1
    room: Load = NOTHING

    def take(self, each: Load, count: int, next_rack: int) -> tuple[npt.NDArray[np.int32], int]:
        """Put up to ``count`` equal devices into the open rack, then into new ones.

        Parameters
        ----------
        each : Load
            What one device takes.
        count : int
            Devices to place.
        next_rack : int
            Row of the next rack to be opened.

        Returns
        -------
        racks : ndarray of int32, (placed,)
            Rack of each placed device, in order.
        opened : int
            Racks opened for them.
        """
        beside = int(min(most_that_fit(self.room, each), count))
        rest = count - beside
        per_rack = int(min(most_that_fit(self.empty, each), rest))
        opened = int(min(math.ceil(rest / per_rack), self.positions)) if per_rack else 0
        placed = min(rest, opened * per_rack)
        fresh = next_rack + np.arange(placed, dtype=np.int32) // max(per_rack, 1)
        racks = np.concatenate((np.full(beside, self.open_rack, dtype=np.int32), fresh), dtype=np.int32)
        if opened:
            self.open_rack = next_rack + opened - 1
            self.room = self.empty.less(each, placed - (opened - 1) * per_rack)
            self.positions -= opened
        else:
            self.room = self.room.less(each, beside)
        return racks, opened

    def take_whole(self, trays: int, count: int, next_rack: int) -> tuple[npt.NDArray[np.int32], int]:
        """Put up to ``count`` trays of racks that are one machine each into positions of their own.

        Such a rack is never shared or divided: it stands even where it takes more than a limit allows.

        Returns
        -------
        racks : ndarray of int32, (placed,)
            Rack of each placed tray, in order.
        opened : int
            Positions that they take.
        """
        opened = int(min(math.ceil(count / trays), self.positions))
        self.positions -= opened
        return next_rack + np.arange(min(count, opened * trays), dtype=np.int32) // trays, opened
