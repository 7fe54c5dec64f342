"""Pattern files: traffic as one flow a row, ``source,destination,volume`` and optionally ``group,key,path``."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fabrictool.errors import InputError, Problem
from fabrictool.formats.csv_rows import Row, rows
from fabrictool.formats.imported import Report
from fabrictool.formats.opening import read_all, text_of

NEEDED = ("source", "destination")
_SYNONYMS = {"src": "source", "dst": "destination", "dest": "destination", "target": "destination", "bytes": "volume"}


@dataclass(frozen=True, slots=True)
class PatternRow:
    """A flow as a file states it.

    ``source`` and ``destination`` are names of hosts, or numbers of ranks; ``key`` is what an ECMP hash
    is taken over, ``path`` the ports that send, one after another.
    """

    line: int
    source: str
    destination: str
    volume: float = 1.0
    group: str = ""
    key: bytes = b""
    path: tuple[str, ...] = ()


def read_pattern(path: str) -> list[PatternRow]:
    """Read a pattern file.

    Raises
    ------
    InputError
        Naming every row that makes no sense.
    """
    name, content = read_all(path)
    report = Report(name)
    found = [_row(line, row, report) for line, row in rows(text_of(content), _SYNONYMS, NEEDED, report)]
    if report.findings:
        raise InputError([Problem(f"{f.where}:1", f.message, f.fix) for f in report.findings])
    if not found:
        raise report.refusal(1, "holds no flow", "write one flow a row below the header")
    return found


def _row(line: int, row: Row, report: Report) -> PatternRow:
    if not (row["source"] and row["destination"]):
        report.add("row-unreadable", "error", line, "an end of the flow is missing", "name source and destination")
    return PatternRow(
        line,
        row["source"],
        row["destination"],
        _volume(row, line, report),
        row.get("group", ""),
        _key(row, line, report),
        tuple(row.get("path", "").split()),
    )


def _volume(row: Row, line: int, report: Report) -> float:
    text = row.get("volume") or "1"
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < 1e30:
        report.add(
            "cell-unreadable", "error", line, f"volume '{text}' is not a number from 0 to 1e30", "correct the cell"
        )
        return 0.0
    return value


def _key(row: Row, line: int, report: Report) -> bytes:
    text = row.get("key", "").removeprefix("0x")
    try:
        return bytes.fromhex(text)
    except ValueError:
        what = f"key '{text[:40]}' is not hexadecimal"
        report.add("cell-unreadable", "error", line, what, "write two hexadecimal digits a byte")
        return b""


def write_pattern(flows: Iterable[PatternRow]) -> str:
    """Write flows as a pattern file; columns that no flow needs are left out."""
    found: Sequence[PatternRow] = list(flows)
    extra = [
        (title, cells)
        for title, cells in (
            ("group", [flow.group for flow in found]),
            ("key", [flow.key.hex() for flow in found]),
            ("path", [" ".join(flow.path) for flow in found]),
        )
        if any(cells)
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["source", "destination", "volume", *(title for title, _ in extra)])
    for at, flow in enumerate(found):
        volume = int(flow.volume) if flow.volume.is_integer() else flow.volume
        writer.writerow([flow.source, flow.destination, volume, *(cells[at] for _, cells in extra)])
    return out.getvalue()
