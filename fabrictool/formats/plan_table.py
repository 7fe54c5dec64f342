"""Cable plans that others made: point-to-point sheets, cables of NetBox, and tables with columns of any name.

Every value keeps the cell that it stands in, so that what is wrong in a plan can be named there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fabrictool.formats.csv_rows import separator
from fabrictool.formats.imported import Report
from fabrictool.formats.opening import read_all, text_of
from fabrictool.formats.plan_columns import METRES, NEEDED, mapped, unit_of, words
from fabrictool.formats.sheets import FIRST_ROWS, Sheet, is_workbook, sheets
from fabrictool.records import CableEnd, CableRow, Finding, Place
from fabrictool.units import SPEED, parse

FORMAT = "plan"
#: Bytes from the start that decide.
HEAD = 65536
#: Other sheets of a workbook of ours.
OURS = frozenset(
    ("summary", "BOM", "rack elevations", "port maps", "labels", "phases", "trays", "racks", "panels", "findings")
)
_NUMBER = re.compile(r"\s*([-+]?\d+(?:[.,]\d+)?)\s*(.*?)\s*")


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A link of a plan, and where it stands: a row of a sheet, and the column of each thing that it says."""

    cable: CableRow
    sheet: Sheet
    line: int
    columns: Mapping[str, int]

    def place(self, column: str = "") -> str:
        """Return the cell of a column, or the row where the plan has no such column."""
        return self.sheet.place(self.line, self.columns.get(column))


@dataclass(frozen=True, slots=True)
class PlanTable:
    """All links of a plan in order, and what could not be read in it.

    ``unread`` are the ends that rows name which are left out for what is wrong at their other end.
    """

    source: str
    rows: tuple[PlanRow, ...]
    findings: tuple[Finding, ...]
    unread: tuple[CableEnd, ...] = ()


def read_plan(path: str) -> PlanTable:
    """Read a plan from a workbook or CSV file; ``-`` is standard input.

    Raises
    ------
    InputError
        If the file cannot be read, or no sheet has the columns of a plan.
    """
    return plan_table(*read_all(path))


def plan_of_others(path: str, form: str | None = None) -> PlanTable | None:
    """Return the plan in a file that is one by its content, or by ``form``; None for anything else.

    Workbooks are, and CSV whose headers are those of other tools; a table with headers of our own says what
    was seen.
    """
    if form not in (None, FORMAT) or path == "-":
        return None
    name, content = read_all(path)
    if form == FORMAT or is_workbook(content):
        return plan_table(name, content)
    first = next((line for line in text_of(content[:HEAD]).split("\n") if line.strip()), "")
    cells = [cell.strip(' "') for cell in first.split(separator(first))]
    own = {"a_device", "a_node"} & {cell.lower() for cell in cells if "_" in cell}
    told = {"seen", "module", "rx_power_dbm"} & set(words(cells))
    return None if own or told or mapped(cells) is None else plan_table(name, content)


def plan_table(name: str, content: bytes) -> PlanTable:
    """Read a plan from bytes; ``name`` stands for the file in messages."""
    report = Report(name)
    rows: list[PlanRow] = []
    unread: list[CableEnd] = []
    tables = sheets(name, content, report, lambda rows: any(mapped(row) is not None for row in rows))
    passed = []
    for sheet in tables:
        head = _header(sheet)
        if head is None:
            passed.append(sheet)
            continue
        _remarks(sheet, head[0], report)
        reader = _Rows(sheet, *head, report)
        rows += reader.all()
        unread += reader.unread
    if len(passed) == len(tables):
        shown = ", ".join(sheet.name for sheet in tables if sheet.name)
        what = f"no sheet has the columns of a plan ({', '.join(NEEDED)})" + (f"; there are {shown}" if shown else "")
        fix = "name the columns such as A-Node, A-Port, Z-Node, Z-Port in one row above the links"
        raise report.refusal(1, what, fix)
    _passed_over([sheet for sheet in passed if sheet.rows], report)
    return PlanTable(name, tuple(rows), tuple(report.findings), tuple(unread))


def _passed_over(passed: Sequence[Sheet], report: Report) -> None:
    """Say once which sheets have no columns of a plan; those of a workbook of ours are no surprise."""
    if not passed or OURS.issuperset(sheet.name for sheet in passed):
        return
    names = ", ".join(sheet.name for sheet in passed)
    what = f"{len(passed)} sheets have no columns of a plan: {names}; they are passed over"
    if len(passed) == 1:
        what = "this sheet has no columns of a plan: it is passed over"
    _add(report, "sheet-passed", "note", passed[0].place(0), what, "name their columns if they hold cables")


def _header(sheet: Sheet) -> tuple[int, dict[str, int]] | None:
    for row in range(min(len(sheet.rows), FIRST_ROWS)):
        columns = mapped(sheet.rows[row])
        if columns is not None:
            return row, columns
    return None


def _remarks(sheet: Sheet, head: int, report: Report) -> None:
    if sheet.hidden:
        what = f"sheet {sheet.name} is hidden, and its links count"
        _add(report, "sheet-hidden", "warning", sheet.place(head), what, "show it, or remove it")
    if sheet.formulas:
        first = sheet.place(*min(sheet.formulas))
        what = f"{len(sheet.formulas)} cells hold formulas: the values that were stored last are read"
        _add(report, "cell-formula", "note", first, what, "store values where the file was not saved by a spreadsheet")
    below = [area for area in sheet.merged if area[1][0] + 1 > sheet.lines[head]]
    for (top, left), (bottom, right) in below:
        row = next((at for at, line in enumerate(sheet.lines) if line == top + 1), head)
        what = f"{bottom - top + 1} x {right - left + 1} cells are merged: their value counts in each"
        _add(report, "cell-merged", "note", sheet.place(row, left), what, "write the value in every row")


def _add(report: Report, identity: str, severity: str, where: str, message: str, fix: str) -> None:
    report.findings.append(Finding(identity, severity, where, message, fix))  # type: ignore[arg-type]


class _Rows:
    """Reads the rows of one sheet."""

    def __init__(self, sheet: Sheet, head: int, columns: Mapping[str, int], report: Report) -> None:
        self.sheet, self.head, self.columns, self.report = sheet, head, columns, report
        self.unread: list[CableEnd] = []

    def all(self) -> Iterator[PlanRow]:
        """Yield the links below the header; of a cable with several ports at one end, a link for each."""
        title = self._needed(self.head)
        for row in range(self.head + 1, len(self.sheet.rows)):
            needed = self._needed(row)
            if needed == title:
                continue  # the header again, as on each printed page
            missing = [column for column, cell in zip(NEEDED, needed, strict=True) if not cell]
            if missing:
                self._half(row, missing)
                continue
            yield from self._links(row)

    def cell(self, row: int, column: str) -> str:
        """Return the text of a cell, empty where there is none."""
        at = self.columns.get(column)
        cells = self.sheet.rows[row]
        return cells[at] if at is not None and at < len(cells) else ""

    def _needed(self, row: int) -> list[str]:
        return [self.cell(row, column).lower() for column in NEEDED]

    def _half(self, row: int, missing: Sequence[str]) -> None:
        if len(missing) == len(NEEDED):
            return
        first = self.columns[missing[0]]
        what, fix = f"{' and '.join(missing)} is blank: the row is left out", "name both ends"
        if (row, first) in self.sheet.formulas:
            what = f"{missing[0]} is a formula without a stored value: the row is left out"
            fix = "open the file in a spreadsheet and save it, or write the value"
        _add(self.report, "row-unreadable", "error", self.sheet.place(row, first), what, fix)
        self._left_out(row, missing)

    def _left_out(self, row: int, bad: Sequence[str]) -> None:
        """Keep the ends of a row that nothing is wrong with."""
        for side in "az":
            named = f"{side}_device", f"{side}_port"
            if not set(named) & set(bad):
                self.unread.append(self._end(row, side, *(self.cell(row, column) for column in named)))

    def _links(self, row: int) -> Iterator[PlanRow]:
        for column in ("a_port", "z_port"):
            if (row, self.columns[column]) in self.sheet.dates:
                what = f"{column} is a date ({self.cell(row, column)}): a spreadsheet took a port such as 1/2 for one"
                where = self.sheet.place(row, self.columns[column])
                _add(self.report, "cell-date", "error", where, what, "format the column as text and write it again")
                self._left_out(row, [column])
                return
        a, z = ([self._split(row, f"{side}_{word}") for word in ("device", "port")] for side in "az")
        count = max(len(words) for words in (*a, *z))
        for leg in range(count):
            ends = [self._end(row, side, *(words[min(leg, len(words) - 1)] for words in pair))
                    for side, pair in (("a", a), ("z", z))]  # fmt: skip
            yield PlanRow(self._cable(row, leg, ends[0], ends[1]), self.sheet, row, self.columns)

    def _split(self, row: int, column: str) -> list[str]:
        return [part.strip() for part in self.cell(row, column).split(",")]

    def _end(self, row: int, side: str, device: str, port: str) -> CableEnd:
        unit = self.cell(row, f"{side}_u").upper().removeprefix("U").removeprefix("R").strip()
        place = Place(
            device, self.cell(row, f"{side}_site"), self.cell(row, f"{side}_room"), self.cell(row, f"{side}_row"),
            self.cell(row, f"{side}_rack"), int(unit) if unit.isdecimal() and len(unit) < 4 else None,
        )  # fmt: skip
        return CableEnd(
            place, self.cell(row, f"{side}_kind"), port, self.cell(row, f"{side}_alias"),
            self._count(row, f"{side}_cage", 0), self._count(row, f"{side}_leg", 1), self.cell(row, f"{side}_side"),
            self.cell(row, f"{side}_optic"), self.cell(row, f"{side}_connector"), self.cell(row, f"{side}_label"),
        )  # fmt: skip

    def _cable(self, row: int, leg: int, a: CableEnd, z: CableEnd) -> CableRow:
        stated = self.cell(row, "leg")
        identity = self.cell(row, "cable_id") or self.cell(row, "cable_label") or self.cell(row, "link")
        return CableRow(
            identity, int(stated) if stated.isdecimal() and int(stated) > 0 else leg + 1, self.cell(row, "network"),
            a, z, self.cell(row, "media").lower(), self.cell(row, "sku"), self._speed(row),
            self._count(row, "lanes", 0), self._count(row, "plane", -1), self._count(row, "rail", -1),
            self._length(row, "route_m"), self._length(row, "slack_m"), self._length(row, "length"),
            self.cell(row, "bundle"), self.cell(row, "tray_path"), self.cell(row, "colour"),
            self._amount(row, "optics_w"), self._amount(row, "price"),
            self.cell(row, "phase"), self.cell(row, "status") or "planned",
        )  # fmt: skip

    def _count(self, row: int, column: str, absent: int) -> int:
        text = self.cell(row, column)
        return int(text) if text.isdecimal() and len(text) < 6 else absent

    def _speed(self, row: int) -> float:
        """Return the speed of a link in bit/s: with its unit, or a bare number of Gbit/s."""
        column = "speed_gbps" if "speed_gbps" in self.columns else "speed"
        text = self.cell(row, column)
        match = _NUMBER.fullmatch(text)
        if not text:
            return 0.0
        if match and match[2].lower() in {"", "gb/s", "gbit/s", "gbps", "gbe", "ge", "gb"}:
            value = float(match[1].replace(",", "."))
            return value if value >= 1e6 else float(round(value * 1e9))  # a speed is whole bit/s
        try:
            return parse(text, SPEED)
        except ValueError as error:
            self._unreadable(row, column, str(error))
            return 0.0

    def _amount(self, row: int, column: str) -> float | None:
        """Return a bare number, None if blank."""
        text = self.cell(row, column)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            return value
        self._unreadable(row, column, f"'{text}' is no number")
        return None

    def _length(self, row: int, column: str) -> float | None:
        """Return a length in m: with its unit, by the column of units or the header, else in m; None if blank."""
        text = self.cell(row, column)
        if not text:
            return None
        match = _NUMBER.fullmatch(text)
        unit = ((match[2] if match else "") or self.cell(row, "length_unit") or self._unit(column)).lower().rstrip(".")
        if match and unit in METRES:
            value = float(match[1].replace(",", ".")) * METRES[unit]
            if value >= 0:
                return value
        self._unreadable(row, column, f"'{text}' is no length")
        return None

    def _unit(self, column: str) -> str:
        (word,) = words([self.cell(self.head, column)])
        return unit_of(word) or "m"

    def _unreadable(self, row: int, column: str, what: str) -> None:
        where = self.sheet.place(row, self.columns[column])
        _add(self.report, "cell-unreadable", "error", where, f"{column}: {what}", "correct the cell")
