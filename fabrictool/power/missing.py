"""Types whose power or weight nobody gave: named, never counted as 0."""

from __future__ import annotations

import numpy as np

from fabrictool.fabric.tables import F8, Fabric
from fabrictool.placement import TypeFigures
from fabrictool.placement.figures import has_figures, types_in_use
from fabrictool.records import Finding
from fabrictool.units import format_power


def types_without(figure: F8, fabric: Fabric) -> list[int]:
    """Return the rows of ``Fabric.types`` in use of which a figure (types,) is unknown."""
    used = types_in_use(fabric)
    rows: list[int] = used[np.isnan(figure[used])].tolist()
    return rows


def missing_figures(figures: TypeFigures, fabric: Fabric) -> tuple[Finding, ...]:
    """Return a warning for each type without maximum power, and a note on those without weight."""
    counts = np.bincount(fabric.devices.type[has_figures(fabric)], minlength=len(fabric.types))
    found = [
        _no_power(fabric.types[row], int(counts[row]), float(figures.power_typical_w[row]))
        for row in types_without(figures.power_max_w, fabric)
    ]
    weightless = [fabric.types[row] for row in types_without(figures.weight_kg, fabric)]
    if weightless:
        message = "weight not known; left out of the racks' weight, not counted as 0"
        found.append(Finding("no-weight-data", "note", ", ".join(weightless), message, "give weight in the type"))
    return tuple(found)


def _no_power(name: str, count: int, typical_w: float) -> Finding:
    also = "" if np.isnan(typical_w) else f" (typical {format_power(typical_w)} is)"
    many = f"{count:,} devices of type {name}" if count > 1 else f"1 device of type {name}"
    message = f"{many}: maximum power not known{also}; left out of every sum, not counted as 0"
    return Finding("no-power-data", "warning", name, message, "give power_max in the type")
