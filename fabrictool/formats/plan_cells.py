"""A row of a cable plan as cells of a table, in one schema for CSV files and sheets."""

from __future__ import annotations

from collections.abc import Iterable

from fabrictool.formats.workbooks import Cell
from fabrictool.records import CableEnd, CableRow

#: All columns, in the order of CSV files.
COLUMNS = (
    "cable_id", "leg", "network", "bundle", "a_kind", "a_rack", "a_u", "a_device", "a_port", "a_cage", "z_kind",
    "z_rack", "z_u", "z_device", "z_port", "z_cage", "media", "sku", "speed_gbps", "lanes", "plane", "route_m",
    "slack_m", "length_m", "tray_path", "label_a", "label_z", "status", "rail", "phase", "colour", "optics_w", "price",
    *(f"{side}_{word}" for side in "az" for word in (
        "alias", "site", "room", "row", "cage_leg", "face", "optic", "connector")),
)  # fmt: skip
#: Columns that whoever lays a cable looks at, in the order of sheets; the others follow.
FIRST = (
    "cable_id", "leg", "phase", "network", "colour", "media", "length_m", "a_rack", "a_u", "a_device", "a_port",
    "a_alias", "z_rack", "z_u", "z_device", "z_port", "z_alias", "tray_path", "bundle", "status",
)  # fmt: skip


def plan_cells(row: CableRow) -> tuple[Cell, ...]:
    """Return a row's cells in the order of :data:`COLUMNS`; what is not known is None or empty."""
    a, z = row.a, row.z
    return (
        row.cable_id, row.leg, row.network, row.bundle, *_end(a), *_end(z), row.media, row.sku,
        row.speed_bps / 1e9 or None, row.lanes or None, row.plane if row.plane >= 0 else None, row.route_m,
        row.slack_m, row.length_m, row.tray_path, a.label, z.label, row.status, row.rail if row.rail >= 0 else None,
        row.phase, row.colour, row.optics_w, row.price, *_more(a), *_more(z),
    )  # fmt: skip


def _end(end: CableEnd) -> tuple[Cell, ...]:
    place = end.place
    return end.kind, place.rack, place.unit, place.device, end.port or end.interface, end.cage or None


def _more(end: CableEnd) -> tuple[Cell, ...]:
    alias, place = end.interface if end.port else "", end.place
    leg = end.leg if end.cage else None
    return (alias, place.site, place.room, place.row, leg, end.side, end.optic, end.connector)


def sheet_columns(rows: Iterable[tuple[Cell, ...]]) -> tuple[str, ...]:
    """Return the columns of a sheet in their order, without those that are empty in all rows."""
    columns = zip(COLUMNS, zip(*rows, strict=True), strict=True)
    used = {name for name, cells in columns if any(cells) or not {*cells} <= {None, ""}}
    return tuple(name for name in dict.fromkeys((*FIRST, *COLUMNS)) if name in used or name in FIRST[:2])


def as_text(cell: Cell) -> str:
    """Return a cell as text that reads back as the same value."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return "" if cell is None else str(cell)
