"""What a device of each type takes: units, power, weight and where its heat goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabrictool.catalogue.types import Box, HostType
from fabrictool.fabric.chassis import boxes
from fabrictool.fabric.tables import F8, FACILITIES, Bool, Fabric, Table
from fabrictool.placement.packing import Load
from fabrictool.records import Assumption

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout

#: Height taken for a type that gives none.
ASSUMED_SWITCH_UNITS = 1
ASSUMED_HOST_UNITS = 2
#: As the largest director whose height is known, cs7500.
ASSUMED_DIRECTOR_UNITS = 28
ASSUMED_TRAY_UNITS = 1


@dataclass(frozen=True)
class TypeFigures(Table):
    """Figures of one device by type, aligned with ``Fabric.types``; NaN where nothing is known.

    ``units`` in rack units, ``power_max_w`` and ``power_typical_w`` in W, ``weight_kg`` in kg,
    ``air_fraction`` the share of the heat that goes to air, ``gpus`` a number of accelerators,
    ``trays`` the hosts of a rack that is one machine, 1 for all others.
    """

    units: F8
    power_max_w: F8
    power_typical_w: F8
    weight_kg: F8
    air_fraction: F8
    gpus: F8
    trays: F8

    def each(self, type_row: int) -> Load:
        """Return what one device of a type takes; what is unknown is NaN and sets no limit."""
        return Load(self.units[type_row], self.power_max_w[type_row], self.weight_kg[type_row], 1)


def type_figures(layout: Layout, fabric: Fabric, extra_w: F8 | None = None) -> TypeFigures:
    """Return the figures of each device type that a fabric uses, as the layout gives them.

    ``extra_w`` is added to the maxima, (types,) in W.

    A rack-scale type (with ``trays``) is divided evenly over its trays, as each of them is a host; the trays
    of a rack together have the figures of the rack.
    """
    known: dict[str, Box] = {box.name: box for box in (*layout.switch_types(), *layout.host_types())}
    boxes = [known.get(name) for name in fabric.types]
    trays = np.array([getattr(box, "trays", None) or 1 for box in boxes], dtype=np.float64)
    return TypeFigures(
        units=np.where(trays > 1, np.nan, _column(boxes, "u")),
        power_max_w=_column(boxes, "power_max_w") / trays + (0.0 if extra_w is None else extra_w),
        power_typical_w=_column(boxes, "power_typical_w") / trays,
        weight_kg=_column(boxes, "weight_kg") / trays,
        air_fraction=_column(boxes, "air_fraction"),
        gpus=np.array([box.gpus_per_host if isinstance(box, HostType) else 0 for box in boxes], dtype=np.float64),
        trays=trays,
    )


def _column(boxes: list[Box | None], name: str) -> F8:
    values = [getattr(box, name, None) for box in boxes]
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def with_assumed_units(
    figures: TypeFigures, layout: Layout, fabric: Fabric
) -> tuple[TypeFigures, tuple[Assumption, ...]]:
    """Fill in a height for types that give none, and name each."""
    switches = {
        box.name: ASSUMED_DIRECTOR_UNITS if box.director else ASSUMED_SWITCH_UNITS for box in layout.switch_types()
    }
    units = figures.units.copy()
    assumptions = []
    for row in types_in_use(fabric)[np.isnan(units[types_in_use(fabric)])]:
        name = fabric.types[row]
        tray = figures.trays[row] > 1
        units[row] = switches.get(name, ASSUMED_TRAY_UNITS if tray else ASSUMED_HOST_UNITS)
        what = f"height of {'a tray of ' if tray else ''}{name}"
        assumptions.append(Assumption(what, f"{units[row]:.0f} U", "no figure published; assumed"))
    units[np.isnan(units)] = 0  # PDUs and CDUs, and types that no device has
    return replace(figures, units=units), tuple(assumptions)


def device_units(layout: Layout, fabric: Fabric) -> F8:
    """Return the height of each device in rack units, (devices,), assumed where its type gives none."""
    figures, _ = with_assumed_units(type_figures(layout, fabric), layout, fabric)
    return np.asarray(figures.units[fabric.devices.type])


def types_in_use(fabric: Fabric) -> npt.NDArray[np.int64]:
    """Return the rows of ``Fabric.types`` that a device has, PDUs and CDUs left out."""
    types = fabric.devices.type[has_figures(fabric)]
    return np.flatnonzero(np.bincount(types, minlength=len(fabric.types)))


def has_figures(fabric: Fabric) -> Bool:
    """Say of each device whether it has a place and figures of its own, (devices,).

    PDUs and CDUs have none, as they belong to the building, nor have chips of a director beside the first,
    which stands for the chassis.
    """
    groups = [row for row, title in enumerate(fabric.groups) if title in FACILITIES]
    return boxes(fabric.devices) & ~np.isin(fabric.devices.group, groups)
