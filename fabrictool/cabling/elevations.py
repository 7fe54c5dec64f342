"""Rack elevations: what stands in which unit of every rack, drawn on a sheet, racks of a row side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from fabrictool.cabling.panel_table import panels_in_racks
from fabrictool.cabling.plan import CablePlan
from fabrictool.placement.elevations import Standing, standing

#: Racks side by side on a printed page.
RACKS_A_PAGE = 4
#: Height of a printed page in points, of a row at most, and lines of a band beside its units.
PAGE_POINTS, ROW_POINTS, TITLES = 740, 15, 4
COLOURS = {"host": "DDEBF7", "service": "FFF2CC", "leaf": "E2EFDA", "spine": "FCE4D6", "core": "F8CBAD",
           "router": "E4DFEC", "switch": "EDEDED", "panel": "D9D9D9"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Elevation:
    """A rack with what stands in it; row and position count from 1."""

    rack: str
    row: int
    position: int
    units: int
    cables: int
    devices: tuple[Standing, ...]


def rack_elevations(plan: CablePlan) -> list[Elevation]:
    """Return the racks of a plan in the order of the floor, row by row; none where nothing has a place."""
    placement, seats, floor, fabric = plan.placement, plan.seats, plan.floor, plan.fabric
    if placement is None or seats is None or floor is None:
        return []
    devices = standing(fabric, placement, seats.units)
    inside = [(*mine, *panels) for mine, panels in zip(devices, panels_in_racks(plan), strict=True)]
    ends = np.concatenate([seats.rack[end[plan.cables.link]] for end in fabric.ends])
    cables = np.bincount(ends[ends >= 0], minlength=len(placement.racks)).tolist()
    columns = (placement.racks.name, floor.row + 1, floor.position + 1, placement.racks.units)
    racks = [
        Elevation(name, row, position, units, cables[rack], inside[rack])
        for rack, (name, row, position, units) in enumerate(zip(*(column.tolist() for column in columns), strict=True))
    ]
    return sorted(racks, key=lambda rack: (rack.row, rack.position))


def elevations(plan: CablePlan) -> Callable[[Any, Any], None] | None:
    """Return what draws all racks on a sheet, None where nothing has a place."""
    racks = rack_elevations(plan)
    return (lambda book, page: _Sheet(book, page).draw(racks)) if racks else None


def _bands(racks: list[Elevation]) -> Iterator[list[Elevation]]:
    """Yield racks of one row that are printed side by side."""
    for _, of_row in groupby(racks, key=lambda rack: rack.row):
        listed = list(of_row)
        for start in range(0, len(listed), RACKS_A_PAGE):
            yield listed[start : start + RACKS_A_PAGE]


class _Sheet:
    """Draws bands of racks below each other, one on each printed page."""

    def __init__(self, book: Any, page: Any) -> None:
        self.book, self.page = book, page
        edge = {"border": 1, "font_size": 9, "align": "center", "valign": "vcenter", "shrink": True}
        self.title = book.add_format({"bold": True, "font_size": 12})
        self.name = book.add_format({"bold": True, "align": "center", "font_size": 11})
        self.small = book.add_format({"align": "center", "font_size": 8, "font_color": "#595959"})
        self.number = book.add_format({"font_size": 7, "align": "right", "font_color": "#7F7F7F"})
        self.free = book.add_format({"left": 1, "right": 1, "top": 4, "bottom": 4, "bg_color": "#FAFAFA"})
        self.device = {kind: book.add_format({**edge, "bg_color": f"#{colour}"}) for kind, colour in COLOURS.items()}

    def draw(self, racks: list[Elevation]) -> None:
        """Draw all bands, each from a new page on."""
        page = self.page
        page.set_column(0, 0, 4)
        page.set_column(1, RACKS_A_PAGE, 17)
        page.set_portrait()
        page.hide_gridlines(2)
        page.center_horizontally()
        top, breaks = 0, []
        for band in _bands(racks):
            top = self._band(top, band)
            breaks.append(top)
        page.set_h_pagebreaks(breaks[:-1])
        page.print_area(0, 0, top - 1, RACKS_A_PAGE)
        page.freeze_panes(0, 1)

    def _band(self, top: int, band: list[Elevation]) -> int:
        """Draw racks side by side from a row on, and return the row below."""
        units = max(rack.units for rack in band)
        points = min(ROW_POINTS, PAGE_POINTS / (units + TITLES))
        for line in range(units + TITLES):
            self.page.set_row(top + line, points)
        last = f" to {band[-1].position}" if len(band) > 1 else ""
        self.page.write_string(top, 1, f"row {band[0].row:02d}, racks {band[0].position}{last}", self.title)
        for unit in range(units, 0, -1):
            self.page.write_number(top + TITLES - 1 + units - unit, 0, unit, self.number)
        for column, rack in enumerate(band, 1):
            self.page.write_string(top + 1, column, rack.rack, self.name)
            used = sum(device.height for device in rack.devices)
            self.page.write_string(top + 2, column, f"{used} of {rack.units} U, {rack.cables:,} cables", self.small)
            self._rack(top + TITLES - 1 + units, column, rack)
        return top + TITLES + units

    def _rack(self, floor: int, column: int, rack: Elevation) -> None:
        """Draw a rack whose lowest unit is in the row above ``floor``."""
        taken: set[int] = set()
        for device in rack.devices:
            top = device.unit + device.height - 1
            look = self.device.get(device.kind, self.device["switch"])
            text = f"{device.name}  ({device.type})"
            if device.height > 1:
                self.page.merge_range(floor - top, column, floor - device.unit, column, text, look)
            else:
                self.page.write_string(floor - top, column, text, look)
            taken |= set(range(device.unit, top + 1))
        for unit in set(range(1, rack.units + 1)) - taken:
            self.page.write_blank(floor - unit, column, None, self.free)
