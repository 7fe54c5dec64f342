"""Racks on the floor: row and position of each, its coordinates, and the trays over them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.fabric.tables import F8, I4, Fabric
from fabrictool.placement.locked import kept_cells
from fabrictool.placement.racks import ROLES, Placement
from fabrictool.records import Assumption, Finding

if TYPE_CHECKING:
    from fabrictool.layout.floor import FloorRows
    from fabrictool.layout.model import Hall, Layout

#: Height of a rack unit in m (EIA-310) and of what is under the lowest one: frame and casters.
UNIT_M = 0.04445
BASE_M = 0.1
#: What is taken where the layout does not say, with where it comes from; lengths in m.
DEFAULTS: dict[str, dict[str, tuple[float, str]]] = {
    "pitch": {
        "rack_m": (0.6, "width of a 19-inch cabinet"),
        "depth_m": (1.2, "depth of a cabinet for servers of 0.9 m"),
        "cold_aisle_m": (1.2, "width of a cold aisle, ANSI/TIA-942-A as suppliers quote it"),
        "hot_aisle_m": (1.0, "planning value: room to pull out a power supply"),
    },
    "trays": {
        "above_m": (0.3, "headroom over pathways, 300 mm recommended (RISA data centre directives)"),
        "width_m": (0.6, "planning value: as wide as a rack"),
        "depth_m": (0.15, "planning value: a tray of 150 mm"),
        "fill": (0.4, "planning value: the usual limit of conduits"),
        "side_m": (0.3, "half the width of a rack, to its vertical cable manager"),
        "slack_m": (0.3, "planning value: enough to pull a device out by a third of its depth"),
        "bend_m": (0.05, "planning value: a turn of 50 mm radius instead of a corner"),
    },
}
#: Racks of a row for each tray across, where the layout does not say how many there are.
RACKS_PER_CROSS = 10


@dataclass(frozen=True)
class Floor:
    """Where racks stand and trays lie.

    Parameters
    ----------
    row, position : ndarray of int32, (racks,)
        Row and place in it, both from 0.
    x_m, y_m : ndarray, (racks,)
        Centre of each rack along and across the rows, in m.
    row_y_m : ndarray, (rows,)
        Centre of each row, and so of the tray over it.
    cross_x_m : ndarray, (trays across,)
        Where trays cross the rows.
    tray_m : float
        Height of the trays over the floor.
    pitch, trays : mapping of str to float
        Distances as given or assumed, in m; ``fill`` is a share.
    site, room : str
        Empty where the layout does not say.
    per_row : int
        Racks that a row has room for.
    findings, assumptions : tuple
    """

    row: I4
    position: I4
    x_m: F8
    y_m: F8
    row_y_m: F8
    cross_x_m: F8
    tray_m: float
    pitch: dict[str, float]
    trays: dict[str, float]
    site: str
    room: str
    per_row: int
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]

    def row_name(self, row: int) -> str:
        """Return what a row is called: its number from 1."""
        return f"{row + 1:02d}"


def floor_of(layout: Layout, fabric: Fabric, placement: Placement) -> Floor:
    """Put racks on the floor, row by row from the left.

    Rows and racks of a row are those that the layout states; by default the floor is as square as it gets.
    Racks of switches stand in the middle of the racks that they join, or at the end.

    Parameters
    ----------
    layout : Layout
        Its ``hall`` says how racks stand.
    fabric : Fabric
        Says which racks are joined.
    placement : Placement
        Gives the racks.
    """
    hall = layout.hall
    figures, assumptions = _figures(hall)
    count, pitch, trays = len(placement.racks), figures["pitch"], figures["trays"]
    rows = hall.rows if hall else None
    total, each, findings = _grid(rows, count, pitch)
    order = _order(fabric, placement, near=rows is None or rows.network == "near")
    place = np.empty(count, np.int32)
    place[order] = np.arange(count, dtype=np.int32)
    if layout.lock is not None and len(layout.lock.racks):
        stated = rows is not None and rows.racks is not None
        total, each, place = kept_cells(layout.lock, placement.racks.name.tolist(), order, total, each, stated)
    row, position = place // each, place % each
    row_y = _row_centres(total, pitch)
    given = hall.trays.cross if hall and hall.trays else None
    crossings = given or max(2, 1 + math.ceil(each / RACKS_PER_CROSS))
    where = (
        np.linspace(0, each * pitch["rack_m"], crossings) if crossings > 1 else np.array([each / 2 * pitch["rack_m"]])
    )
    tallest = int(placement.racks.units.max(initial=0))
    return Floor(
        row=row,
        position=position,
        x_m=np.asarray((position + 0.5) * pitch["rack_m"], np.float64),
        y_m=row_y[row],
        row_y_m=row_y,
        cross_x_m=where,
        tray_m=BASE_M + tallest * UNIT_M + trays["above_m"],
        pitch=pitch,
        trays=trays,
        site=(hall.site if hall else None) or "",
        room=(hall.room if hall else None) or "",
        per_row=each,
        findings=findings,
        assumptions=(*_arrangement(rows, given, total, each, crossings), *assumptions),
    )


def _figures(hall: Hall | None) -> tuple[dict[str, dict[str, float]], list[Assumption]]:
    """Return the distances of ``pitch`` and ``trays``, and what was assumed of them."""
    figures: dict[str, dict[str, float]] = {}
    assumptions = []
    for part, defaults in DEFAULTS.items():
        stated = getattr(hall, part) if hall else None
        figures[part] = {}
        for key, (default, source) in defaults.items():
            value = getattr(stated, key) if stated else None
            figures[part][key] = default if value is None else value
            if value is None:
                title = f"hall.{part}.{key.removesuffix('_m')}"
                shown = f"{default:g} m" if key.endswith("_m") else f"{default:.0%}"
                assumptions.append(Assumption(title, shown, source))
    return figures, assumptions


def _grid(rows: FloorRows | None, count: int, pitch: dict[str, float]) -> tuple[int, int, tuple[Finding, ...]]:
    """Return the number of rows and of racks in each, and what does not fit the rows that are stated."""
    total, each = (rows.count, rows.racks) if rows else (None, None)
    if total and each:
        short = count - total * each
        if short <= 0:
            return total, each, ()
        more = math.ceil(count / each) - total
        rows_of = f"{total:,} row{'s' if total > 1 else ''} of {each:,}"
        message = f"{count:,} racks stand in {rows_of}: {short:,} without a place"
        fix = f"{more:,} more row{'s' if more > 1 else ''}, or {math.ceil(count / total):,} racks a row"
        return (
            total + more,
            each,
            (Finding("floor-too-small", "error", "hall", f"{message}; they are planned in further rows", fix),),
        )
    if total:
        return total, max(1, math.ceil(count / total)), ()
    if not each:
        deep = pitch["depth_m"] + (pitch["cold_aisle_m"] + pitch["hot_aisle_m"]) / 2
        each = max(1, round(math.sqrt(count * deep / max(pitch["rack_m"], 1e-3))))
    return max(1, math.ceil(count / each)), each, ()


def _row_centres(rows: int, pitch: dict[str, float]) -> F8:
    """Return the centre of each row across the hall: cold and hot aisles take turns."""
    aisles = np.where(np.arange(rows) % 2, pitch["cold_aisle_m"], pitch["hot_aisle_m"])
    steps = pitch["depth_m"] + aisles
    steps[0] = 0
    return np.asarray(np.cumsum(steps), np.float64)


def _arrangement(
    rows: FloorRows | None, crossings: int | None, total: int, each: int, taken: int
) -> Iterator[Assumption]:
    if rows is None or rows.count is None or rows.racks is None:
        value = f"{total:,} row{'s' if total > 1 else ''} of up to {each:,} racks"
        yield Assumption("hall.rows", value, "as square a floor as it gets")
    if rows is None or rows.network == "near":
        yield Assumption("place of network racks", "among the racks that they join", "shortest cables")
    if crossings is None:
        yield Assumption(
            "hall.trays.cross", f"{taken}", f"one at each end of the rows and every {RACKS_PER_CROSS} racks"
        )


def _order(fabric: Fabric, placement: Placement, near: bool) -> I4:
    """Return racks in the order of their positions on the floor."""
    compute = placement.racks.role == ROLES[0]
    key = np.where(compute, np.cumsum(compute) - 1.0, np.inf)
    if near:
        seat = np.where(placement.rack >= 0, np.append(key, np.inf)[placement.rack], np.inf)
        centre = _centres(fabric, np.where(np.isfinite(seat), seat, np.nan))
        placed = (placement.rack >= 0) & ~np.isnan(centre)
        total = np.bincount(placement.rack[placed], centre[placed], len(key))
        number = np.bincount(placement.rack[placed], minlength=len(key))
        mean = np.divide(total, number, out=np.full(len(key), compute.sum() / 2), where=number > 0)
        key = np.where(compute, key, mean - 0.5)
    return np.argsort(key, kind="stable").astype(np.int32)


def _centres(fabric: Fabric, seat: F8) -> F8:
    """Return for each device the mean place of what it joins from below, (devices,); hosts keep theirs."""
    centre, (a, z) = seat.copy(), fabric.ends
    for tier in range(1, int(fabric.devices.tier.max(initial=0)) + 1):
        from_below = (fabric.devices.tier[z] == tier) & (fabric.devices.tier[a] < tier) & ~np.isnan(centre[a])
        total = np.bincount(z[from_below], centre[a[from_below]], len(centre))
        number = np.bincount(z[from_below], minlength=len(centre))
        centre = np.where(number > 0, total / np.maximum(number, 1), centre)
    return centre
