"""``edges.csv``: a fabric as one link a row, enough for any tool to write and read."""

from __future__ import annotations

import contextlib
import csv
import io

from fabrictool.fabric import KINDS, Fabric
from fabrictool.formats.cabled import Cabled, End
from fabrictool.formats.csv_rows import Row, header, rows
from fabrictool.formats.imported import Imported, Report
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
    kind = [KINDS[code] for code in fabric.devices.kind.tolist()]
    pod = fabric.devices.pod.tolist()
    links, ports = fabric.links, fabric.ports
    word = [str(number) for number in ports.number.tolist()]
    if ports.label is not None:
        word = [label or number for label, number in zip(ports.label.tolist(), word, strict=True)]
    columns = (links.port_a, links.port_z, *fabric.ends, links.speed_bps, links.latency_s, links.network)
    for i, j, a, z, speed, latency, network in zip(*(column.tolist() for column in columns), strict=True):
        ends = (fabric.names[a], kind[a], word[i], fabric.names[z], kind[z], word[j])
        groups = ["" if pod[row] < 0 else pod[row] for row in (a, z)]
        writer.writerow((*ends, _bare(speed), _bare(latency), fabric.networks[network].name, *groups))
    return out.getvalue()


def _bare(value: float) -> str:
    """Write a number so that reading it gives the same one; unknown is blank."""
    if not value:
        return ""
    return str(int(value)) if value.is_integer() else repr(value)
