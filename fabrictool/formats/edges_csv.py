"""``edges.csv``: a fabric as one link a row, enough for any tool to write and read."""

from __future__ import annotations

import contextlib
import csv
import io

from fabrictool.fabric import Fabric
from fabrictool.formats.cabled import Cabled, End
from fabrictool.formats.csv_rows import Row, header, rows
from fabrictool.formats.imported import Imported, Report
from fabrictool.formats.linked import bare, link_texts
from fabrictool.units import SPEED, TIME, Dimension, parse

FORMAT = "edges-csv"
COLUMNS = (
    "a_device", "a_kind", "a_port", "z_device", "z_kind", "z_port", "speed", "latency", "network", "a_group", "z_group",
)  # fmt: skip
NEEDED = ("a_device", "z_device")
_OWN = {"a_kind", "z_kind", "speed", "latency"}
_PLAN = {"cable_id", "cable", "bundle"}


def sniff(head: bytes) -> bool:
    """Return whether the start of a file has this table's header."""
    words = header(head)
    return set(NEEDED) <= set(words) and bool(_OWN & set(words)) and not _PLAN & set(words)


def read(name: str, text: str) -> Imported:
    """Read a table of links.

    Raises
    ------
    InputError
        If columns are missing or there is no link.
    """
    report = Report(name)
    cabled = Cabled(report)
    for line, row in rows(text, {}, NEEDED, report):
        if not (row["a_device"] and row.get("z_device")):
            report.add("row-unreadable", "error", line, "a device is missing; the row is left out", "name both ends")
            continue
        a, z = (
            End(row[f"{s}_device"], row.get(f"{s}_kind", ""), row.get(f"{s}_port", ""), row.get(f"{s}_group", ""))
            for s in "az"
        )
        speed, latency = quantity(row, "speed", SPEED, line, report), quantity(row, "latency", TIME, line, report)
        cabled.add(line, a, z, speed, latency, row.get("network") or "network")
    if not cabled.devices:
        raise report.refusal(1, "holds no link", "write one link a row below the header")
    fabric = cabled.fabric(name, "unknown")
    return Imported(FORMAT, fabric, report.sorted(), stated={"links": len(fabric.links)})


def quantity(row: Row, column: str, dimension: Dimension, line: int, report: Report) -> float:
    """Return a quantity with its unit, or as a bare number in the unit used inside; 0 if there is none."""
    text = row.get(column, "")
    if not text:
        return 0.0
    try:
        value = float(text)
    except ValueError:
        try:
            return parse(text, dimension)
        except ValueError as error:
            report.add("cell-unreadable", "error", line, f"{column}: {error}", "correct the cell")
            return 0.0
    if value == 0 or dimension.low <= value <= dimension.high:
        return value
    what = f"{column} {text} is out of range: {dimension.low:g} to {dimension.high:g} {dimension.unit}"
    report.add("cell-unreadable", "error", line, what, "correct the cell")
    return 0.0


def gigabits(row: Row, line: int, report: Report) -> float:
    """Return ``speed_gbps``, a bare number in Gbit/s or a speed with its unit, as bit/s; 0 if there is none."""
    text = row.get("speed_gbps", "")
    with contextlib.suppress(ValueError):  # what is no bare number has a unit, or is reported as it is written
        text = str(float(text) * 1e9)
    return quantity({"speed_gbps": text}, "speed_gbps", SPEED, line, report)


def write(fabric: Fabric) -> str:
    """Return a fabric's links as a table; devices without a link, and free ports, are not in it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for link in link_texts(fabric):
        ends = (word for end in (link.a, link.z) for word in (end.device, end.kind, end.port))
        writer.writerow((*ends, bare(link.speed_bps), bare(link.latency_s), link.network, link.a.group, link.z.group))
    return out.getvalue()
