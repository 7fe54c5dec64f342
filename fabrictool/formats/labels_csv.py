"""Labels for a label printer: one row for each end of a link, as import lists of Brady, Epson and Brother take it.

The identifier has the form of ANSI/TIA-606-B as it is published: near rack-unit:port / far rack-unit:port, and the
other way round at the other end; a row's own texts of labels win.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

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
    writer.writerows([guarded(str(cell)) for cell in cells] for cells in labels(rows))
    return out.getvalue()


def labels(rows: Iterable[CableRow]) -> Iterator[tuple[str | int, ...]]:
    """Yield the cells of each label, in the order of :data:`COLUMNS`."""
    for row in rows:
        near, far = (identifier(end) for end in (row.a, row.z))
        length = f"{row.length_m:g}m" if row.length_m is not None else ""
        cable = " ".join(word for word in (row.media, length) if word)
        yield row.cable_id, "A", near, far, cable, row.a.label or f"{near}/{far}", 1
        yield row.cable_id, "Z", far, near, cable, row.z.label or f"{far}/{near}", 1


def identifier(end: CableEnd) -> str:
    """Return where an end is plugged: rack, unit and port number, or the device where no rack is known."""
    place, port = end.place, end.port or end.interface
    if not place.rack:
        return f"{place.device}:{port}"
    return f"{place.rack}-{place.unit:02d}:{port}" if place.unit is not None else f"{place.rack}:{place.device}:{port}"


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
