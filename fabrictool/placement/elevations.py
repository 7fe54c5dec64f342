"""What stands in which unit of every rack."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fabrictool.fabric.chassis import box_name
from fabrictool.fabric.tables import F8, KINDS, Fabric
from fabrictool.placement.racks import Placement


@dataclass(frozen=True, slots=True)
class Standing:
    """A device in a rack: its row, name, type, kind, lowest unit and height in units; a director under its own name."""

    row: int
    name: str
    type: str
    kind: str
    unit: int
    height: int


def standing(fabric: Fabric, placement: Placement, units: F8) -> list[tuple[Standing, ...]]:
    """Return what stands in each rack, (racks,), from the bottom up.

    Parameters
    ----------
    fabric : Fabric
    placement : Placement
    units : ndarray, (devices,)
        Height of each device in rack units.
    """
    order = np.lexsort((placement.unit, placement.rack))
    bounds = np.searchsorted(placement.rack[order], np.arange(len(placement.racks) + 1))
    inside = np.split(order, bounds)[1:-1]
    return [tuple(_standing(fabric, placement, units, rows)) for rows in inside]


def _standing(fabric: Fabric, placement: Placement, units: F8, rows: np.ndarray) -> Iterator[Standing]:
    devices = fabric.devices
    for row in rows.tolist():
        yield Standing(
            row, box_name(fabric, row), fabric.types[devices.type[row]], KINDS[int(devices.kind[row])],
            int(placement.unit[row]), max(1, math.ceil(units[row] - 1e-6)),
        )  # fmt: skip
