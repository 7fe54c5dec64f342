"""What devices of each type stand: air and coolant at their inlets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.fabric.tables import F8, Bool, Fabric, Table
from fabrictool.placement import Placement
from fabrictool.placement.racks import number_or_nan

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout


@dataclass(frozen=True)
class Tolerances(Table):
    """Limits of one device by type, aligned with ``Fabric.types``; NaN where nothing is published.

    ``inlet_min_c`` and ``inlet_max_c`` of air, ``coolant_max_c`` of coolant at the inlet, ``coolant_m3_per_s`` the
    coolant that it asks for.
    """

    inlet_min_c: F8
    inlet_max_c: F8
    coolant_max_c: F8
    coolant_m3_per_s: F8


def tolerances(layout: Layout, fabric: Fabric) -> Tolerances:
    """Return what each device type of a fabric stands, as the layout or the catalogue gives it."""
    known = {box.name: box for box in (*layout.switch_types(), *layout.host_types())}
    boxes = [known.get(name) for name in fabric.types]
    trays = np.array([getattr(box, "trays", None) or 1 for box in boxes], dtype=np.float64)

    def column(key: str) -> F8:
        return number_or_nan([getattr(box, key, None) for box in boxes])

    return Tolerances(
        column("inlet_min_c"), column("inlet_max_c"), column("coolant_inlet_max_c"),
        column("coolant_flow_m3_per_s") / trays,
    )  # fmt: skip


def least_by_rack(placement: Placement, values: F8, chosen: Bool) -> F8:
    """Return the smallest value (devices,) of the chosen devices in each rack; inf where a rack has none."""
    on = chosen & (placement.rack >= 0) & ~np.isnan(values)
    least = np.full(len(placement.racks), np.inf)
    np.minimum.at(least, placement.rack[on], values[on])
    return least
