"""Labels for a label printer: one row for each end of a cable, as import lists of Brady, Epson and Brother take it.

The identifier has the form of ANSI/TIA-606-B: near rack-unit:port / far rack-unit:port, and the other way round
at the other end.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from fabrictool.records import CableEnd, CableRow

FORMAT = "labels"
COLUMNS = ("cable_id", "end", "line1_near", "line2_far", "line3_cable", "tia606_link", "qty")
#: A cell that starts so is a formula for spreadsheets.
_FORMULA = ("=", "+", "-", "@")


def write(rows: Iterable[CableRow]) -> str:
    """Return the labels of both ends of every cable; of a cable with several links, those of each."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        a, z = (identifier(end) for end in (row.a, row.z))
        length = f"{row.length_m:g}m" if row.length_m is not None else ""
        cable = " ".join(word for word in (row.media, length) if word)
        for end, near, far, own in (("A", a, z, row.a.label), ("Z", z, a, row.z.label)):
            cells = (row.cable_id, end, near, far, cable, own or f"{near}/{far}", 1)
            writer.writerow([guarded(str(cell)) for cell in cells])
    return out.getvalue()


def identifier(end: CableEnd) -> str:
    """Return where an end is plugged: rack, unit and port, or the device where no rack is known."""
    place, port = end.place, end.interface or end.port
    if not place.rack:
        return f"{place.device}:{port}"
    return f"{place.rack}-{place.unit:02d}:{port}" if place.unit is not None else f"{place.rack}:{place.device}:{port}"


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
