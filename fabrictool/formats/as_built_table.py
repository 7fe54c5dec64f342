"""Tables of links as planned or as built, CSV: the columns of a cable plan, and what a port saw."""

from __future__ import annotations

from fabrictool.formats.csv_rows import Row, header, named, rows
from fabrictool.formats.edges_csv import gigabits, quantity
from fabrictool.formats.imported import Report
from fabrictool.formats.plan_csv import SYNONYMS as PLANNED
from fabrictool.records import Dump, Sighting
from fabrictool.units import SPEED

NEEDED = ("a_device", "a_port")
#: Counters by the names that tools print them under, in lower case.
SYNONYMS = {
    **PLANNED, "symbolerrorcounter": "symbol_errors", "symbol_error_counter": "symbol_errors",
    "linkdownedcounter": "link_downed", "link_downed_counter": "link_downed", "effective_ber": "ber",
}  # fmt: skip
_YES, _NO = {"yes", "true", "1", "up", "y"}, {"no", "false", "0", "down", "n", "dark"}


def sniff(head: bytes) -> bool:
    """Return whether the start of a file has the header of a table of links."""
    words = set(named(header(head), SYNONYMS))
    return set(NEEDED) <= words and bool({"z_device", "seen"} & words) and not {"a_kind", "latency"} & words


def read(name: str, text: str) -> Dump:
    """Read a table.

    A row with one end and ``seen: no`` is a dark port; where there is a column ``seen``, a row that leaves it
    blank was not looked at.

    Raises
    ------
    InputError
        If columns are missing or there is no row.
    """
    report = Report(name)
    found = [_sighting(row, line, report) for line, row in rows(text, SYNONYMS, NEEDED, report)]
    if not found:
        raise report.refusal(1, "holds no row", "write one link a row below the header")
    usable = tuple(row for row in found if row is not None)
    looked = {word for row in usable if row.seen is not None for word in (row.device, row.peer) if word}
    return Dump(name, "table", usable, frozenset(looked), report.sorted())


def _sighting(row: Row, line: int, report: Report) -> Sighting | None:
    a, z = ((row.get(f"{side}_device", ""), row.get(f"{side}_port", "")) for side in "az")
    seen = _seen(row, line, report)
    if not all(a) and all(z):
        a, z = z, a
    if not all(a) or (seen and not all(z)):
        report.add("row-unreadable", "error", line, "an end is missing; the row is left out", "name both ends")
        return None
    return Sighting(
        *a,
        *(z if all(z) else ("", "")),
        seen=seen,
        where=report.place(line),
        speed_bps=gigabits(row, line, report) or quantity(row, "speed", SPEED, line, report),
        lanes=int(_number(row, "lanes", line, report) or 0),
        media=row.get("media", ""),
        module=row.get("module", ""),
        cable_id=row.get("cable_id", ""),
        length_m=_number(row, "length_m", line, report),
        rx_power_dbm=_number(row, "rx_power_dbm", line, report),
        tx_power_dbm=_number(row, "tx_power_dbm", line, report),
        symbol_errors=_number(row, "symbol_errors", line, report) or 0.0,
        link_downed=_number(row, "link_downed", line, report) or 0.0,
        ber=_number(row, "ber", line, report),
        network=row.get("network", ""),
        rack=row.get("a_rack", ""),
        peer_rack=row.get("z_rack", ""),
        unit=_unit(row, "a_u"),
        peer_unit=_unit(row, "z_u"),
    )


def _seen(row: Row, line: int, report: Report) -> bool | None:
    if "seen" not in row:
        return True
    word = row["seen"].lower()
    if word and word not in _YES | _NO:
        report.warn("cell-unreadable", line, f"seen '{row['seen']}' is neither yes nor no", "use yes, no, or blank")
    return True if word in _YES else False if word in _NO else None


def _number(row: Row, column: str, line: int, report: Report) -> float | None:
    text = row.get(column, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not -1e6 < value < 1e6:
        report.warn("cell-unreadable", line, f"{column} '{text}' is no number", "correct the cell")
        return None
    return value


def _unit(row: Row, column: str) -> int:
    text = row.get(column, "").removesuffix(".0")
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 4 else 0
