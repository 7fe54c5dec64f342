"""Tables of others, from workbooks (.xlsx, .xlsb, .ods) and CSV: rows of text with the place of every cell."""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fabrictool.formats.csv_rows import lines
from fabrictool.formats.imported import Report
from fabrictool.formats.opening import MAX_BYTES, text_of

if TYPE_CHECKING:
    import python_calamine

ZIP = b"PK\x03\x04"
#: Most rows of a table: what a spreadsheet holds.
MOST_ROWS = 1_048_576
#: Most columns of a sheet that are looked at.
MOST_COLUMNS = 200
#: Rows from the top of a sheet that tell whether the others are asked for.
FIRST_ROWS = 30
#: Says, given the first rows of a sheet, whether the others are asked for.
Wanted = Callable[[Sequence[Sequence[str]]], bool]
_DATES = (datetime.date, datetime.time, datetime.timedelta)
_ANY_FORMULA = re.compile(rb"<f[ />]")
_FORMULA = re.compile(r'<c r="([A-Z]+)(\d+)"[^>]*><f')


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as it stands in a file.

    Parameters
    ----------
    source : str
        Name of the file.
    name : str
        Of the sheet; empty for a file that is one table.
    lines : tuple of int
        Line in the file, or row of the sheet, of each row.
    rows : tuple of tuple of str
        Cells; whole numbers without a point.
    dates, formulas : frozenset of (row, column)
        Cells that hold a date, and those that hold a formula, both counted from 0 in ``rows``.
    """

    source: str
    name: str
    lines: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    dates: frozenset[tuple[int, int]] = frozenset()
    formulas: frozenset[tuple[int, int]] = frozenset()
    hidden: bool = False
    merged: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = field(default=())

    def place(self, row: int, column: int | None = None) -> str:
        """Return where a cell or a whole row is: ``file[sheet!C7]``, ``file:7``."""
        line = self.lines[row]
        if not self.name:
            return f"{self.source}:{line}" + ("" if column is None else f":{column + 1}")
        return f"{self.source}[{self.name}!{'' if column is None else letters(column)}{line}]"


def letters(column: int) -> str:
    """Return what a spreadsheet calls a column, counted from 0: A, B, …, Z, AA."""
    found, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(65 + rest) + found
    return found


def is_workbook(content: bytes) -> bool:
    """Return whether a file is a workbook, and no other archive."""
    if not content.startswith(ZIP):
        return False
    if b"[Content_Types].xml" in content[:4096] or b"mimetypeapplication/vnd.oasis" in content[:100]:
        return True
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "[Content_Types].xml" in archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def sheets(name: str, content: bytes, report: Report, wanted: Wanted = lambda _: True) -> list[Sheet]:
    """Return the tables of a workbook or a CSV file.

    Parameters
    ----------
    name : str
    content : bytes
    report : Report
    wanted : callable
        Given the first rows of a sheet of a workbook, says whether the others are asked for too.

    Raises
    ------
    InputError
        If the file is cut, protected by a password, or no table.
    """
    if not content.startswith(ZIP):
        return [_from_csv(name, text_of(content), report)]
    return _from_workbook(name, content, report, wanted)


def _from_csv(name: str, text: str, report: Report) -> Sheet:
    places: list[int] = []
    rows: list[tuple[str, ...]] = []
    for line, cells in lines(text, report):
        if len(rows) >= MOST_ROWS:
            raise report.refusal(line, f"holds more than {MOST_ROWS:,} rows", "give the plan in parts")
        places.append(line)
        rows.append(tuple(cell.strip() for cell in cells[:MOST_COLUMNS]))
    return Sheet(name, "", tuple(places), tuple(rows))


def _from_workbook(name: str, content: bytes, report: Report, wanted: Wanted) -> list[Sheet]:
    import python_calamine

    formulas = _formulas(content, report)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        return [_sheet(name, book, row, formulas, wanted) for row in range(len(book.sheet_names))]
    except python_calamine.PasswordError:
        raise report.refusal(1, "is protected by a password", "save it without one") from None
    except (python_calamine.CalamineError, ValueError, OverflowError) as error:
        what = f"is no whole workbook: {str(error)[:100]}"
        raise report.refusal(1, what, "copy it again, or save it as .xlsx or CSV") from None


def _sheet(
    name: str, book: python_calamine.CalamineWorkbook, row: int, formulas: dict[str, frozenset[tuple[int, int]]],
    wanted: Wanted,
) -> Sheet:  # fmt: skip
    import python_calamine

    sheet, facts = book.get_sheet_by_index(row), book.sheets_metadata[row]
    cells = sheet.to_python(skip_empty_area=False)
    merged = tuple(((a[0], a[1]), (z[0], z[1])) for a, z in sheet.merged_cell_ranges or ())
    _fill(cells, merged)
    kept = [place for place, values in enumerate(cells) if any(value != "" for value in values)]
    texts = [_texts(cells[old]) for old in kept[:FIRST_ROWS]]
    if wanted(texts):
        texts += [_texts(cells[old]) for old in kept[FIRST_ROWS:]]
    kept = kept[: len(texts)]
    new = {old: place for place, old in enumerate(kept)}
    dates = {
        (new[old], column)
        for old in kept
        for column, value in enumerate(cells[old][:MOST_COLUMNS])
        if isinstance(value, _DATES)
    }
    found = {(new[line], column) for line, column in formulas.get(facts.name, ()) if line in new}
    return Sheet(
        name, facts.name, tuple(old + 1 for old in kept),
        tuple(texts),
        frozenset(dates), frozenset(found), facts.visible != python_calamine.SheetVisibleEnum.Visible, merged,
    )  # fmt: skip


def _fill(cells: list[list[Any]], merged: Sequence[tuple[Any, Any]]) -> None:
    """Give every cell of a merged area its value, as a reader sees it."""
    for (top, left), (bottom, right) in merged:
        if top < len(cells) and left < len(cells[top]):
            for row in cells[top : bottom + 1]:
                row[left : right + 1] = [cells[top][left]] * len(row[left : right + 1])


def _texts(cells: Sequence[Any]) -> tuple[str, ...]:
    return tuple([value.strip() if isinstance(value, str) else _text(value) for value in cells[:MOST_COLUMNS]])


def _text(value: Any) -> str:
    """Return a cell as text: every number of a workbook is a float, and a port 1.0 is port 1."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def _formulas(content: bytes, report: Report) -> dict[str, frozenset[tuple[int, int]]]:
    """Return the cells of each sheet that hold a formula, by row and column of the sheet from 0."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MAX_BYTES:
                raise report.refusal(1, f"unpacks to more than {MAX_BYTES // 2**20} MiB", "split the workbook")
            return {title: _cells(archive.read(path)) for title, path in _parts(archive) if path in archive.namelist()}
    except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError, OSError, EOFError) as error:
        what = f"is no whole workbook: {str(error)[:100] or type(error).__name__}"
        raise report.refusal(1, what, "copy it again, or save it as .xlsx or CSV") from None


def _parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield the name of each sheet with its part of an .xlsx archive; nothing in other workbooks."""
    from html import unescape

    if "xl/workbook.xml" not in archive.namelist():
        return
    book = archive.read("xl/workbook.xml").decode("utf-8", "replace")
    links = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    target = {}
    for link in re.findall(r"<Relationship\b[^>]*>", links):
        facts = dict(re.findall(r'(\w+)="([^"]*)"', link))
        target[facts.get("Id", "")] = facts.get("Target", "").removeprefix("/xl/")
    for sheet in re.findall(r"<sheet\b[^>]*>", book):
        facts = dict(re.findall(r'([\w:]+)="([^"]*)"', sheet))
        yield unescape(facts.get("name", "")), f"xl/{target.get(facts.get('r:id', ''), '')}"


def _cells(xml: bytes) -> frozenset[tuple[int, int]]:
    if _ANY_FORMULA.search(xml) is None:
        return frozenset()
    return frozenset((int(row) - 1, _column(word)) for word, row in _FORMULA.findall(xml.decode("utf-8", "replace")))


def _column(word: str) -> int:
    found = 0
    for letter in word:
        found = 26 * found + ord(letter) - 64
    return found - 1
