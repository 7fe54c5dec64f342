"""Workbooks: tables and drawings on sheets that are ready to be filtered and printed.

The header and the look of a table are written by XlsxWriter; its rows are put in as text of the sheet, column by
column, which takes a tenth of the time. Texts stand once for all sheets, behind those of XlsxWriter.

References
----------
ECMA-376, Office Open XML, part 1, 18.3 (worksheets) and 22.9.2.19 (escaped characters).
"""

from __future__ import annotations

import datetime
import gc
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from fabrictool.errors import InputError
from fabrictool.formats.sheets import MOST_ROWS, letters

#: What a cell is written as: text, a number, or nothing.
Cell = str | float | int | None
#: Most characters of a cell, and of the name of a sheet.
LONGEST, LONGEST_NAME = 32_767, 31
#: Rows that are packed at once.
ROWS_AT_ONCE = 1024
#: How hard parts are packed: harder takes longer than it saves.
COMPRESSION = 1
#: The part that holds the texts of all cells.
TEXTS = "xl/sharedStrings.xml"
#: Cells of a sheet whose text may be larger than a plain archive holds.
CELLS_OF_2_GIB = 20_000_000
A4 = 9
PLAIN = ""
_UNUSABLE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_SPECIAL = re.compile(r"[&<>\x00-\x1f\ufffe\uffff]|_x|^\s|\s$")
_STYLE = re.compile(r'<c r="[A-Z]+(\d+)" s="(\d+)"')


@dataclass(frozen=True, slots=True)
class Tab:
    """A sheet with a table.

    Parameters
    ----------
    name : str
        At most 31 characters.
    header : sequence of str
    rows : sequence of sequences of Cell
        Text stays text, whatever it looks like.
    printed : int
        Columns from the left that are printed; 0 for all.
    frozen : int
        Columns from the left that stay in sight.
    numbers : mapping of str to str
        How numbers are shown, by column.
    fills : mapping of str to (mapping of str to str)
        By column the colours, six hexadecimal digits, of cells with these texts.
    """

    name: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    printed: int = 0
    frozen: int = 0
    numbers: Mapping[str, str] = field(default_factory=dict)
    fills: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A sheet that is drawn with XlsxWriter: what draws it, given the workbook and the sheet."""

    name: str
    draw: Callable[[Any, Any], None]


def written(sheets: Iterable[Tab | Drawing], title: str = "") -> bytes:
    """Return a workbook.

    Raises
    ------
    InputError
        If a sheet has more rows than a spreadsheet holds, or a cell more characters.
    """
    with _uncollected():
        return _written(list(sheets), title)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from walking millions of cells, which form no cycles, time and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _written(listed: Sequence[Tab | Drawing], title: str) -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_numbers": False, "in_memory": True}) as book:
        book.set_properties({"title": title, "created": datetime.datetime(2000, 1, 1, tzinfo=None)})
        for sheet in listed:
            page = book.add_worksheet(sheet.name[:LONGEST_NAME])
            page.set_paper(A4)
            page.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
            page.set_footer(f"&L{title.replace('&', '&&')}&C&A&RPage &P of &N")
            if isinstance(sheet, Tab):
                _frame(book, page, sheet)
            else:
                sheet.draw(book, page)
    return _filled(out.getvalue(), listed)


def _frame(book: Any, page: Any, tab: Tab) -> None:
    """Write the header and the look of a table, and a row of numbers and one of text that show their formats."""
    if len(tab.rows) >= MOST_ROWS:
        raise InputError(f"sheet {tab.name} has {len(tab.rows):,} rows; a spreadsheet holds {MOST_ROWS - 1:,}",
                         "write one network at a time, or CSV")  # fmt: skip
    head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#E8EDF2", "text_wrap": True, "valign": "top"})
    text = book.add_format({"num_format": "@"})
    looks = {look: book.add_format({"num_format": look}) for look in sorted({*tab.numbers.values()})}
    looks[PLAIN] = book.add_format({"align": "center"})
    last = max(len(tab.rows), 1)
    for column, (name, width) in enumerate(zip(tab.header, _widths(tab), strict=True)):
        page.set_column(column, column, width)
        page.write_string(0, column, name, head)
        page.write_number(1, column, 0, looks[tab.numbers.get(name, PLAIN)])
        page.write_string(2, column, "x", text)
        for word, colour in tab.fills.get(name, {}).items():
            shown = book.add_format({"bg_color": f"#{colour}", "font_color": f"#{_readable_on(colour)}"})
            rule = {"type": "cell", "criteria": "==", "value": f'"{word}"', "format": shown}
            page.conditional_format(1, column, last, column, rule)
    page.freeze_panes(1, tab.frozen)
    page.autofilter(0, 0, last, len(tab.header) - 1)
    page.repeat_rows(0)
    page.hide_gridlines(0)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.print_area(0, 0, last, (tab.printed or len(tab.header)) - 1)


def _readable_on(colour: str) -> str:
    """Return black or white, what is easier to read on a colour, by its luminance (ITU-R BT.601)."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (0, 2, 4))
    return "000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "ffffff"


def _widths(tab: Tab) -> list[int]:
    step = max(len(tab.rows) // 200, 1)
    shown = tab.rows[::step]
    return [
        min(60, 3 + max(len(title), *(len(str("" if row[column] is None else row[column])) for row in shown), 5))
        for column, title in enumerate(tab.header)
    ]


def _filled(content: bytes, sheets: Sequence[Tab | Drawing]) -> bytes:
    """Put the rows of tables into a workbook that has their frames."""
    tabs = {f"xl/worksheets/sheet{place}.xml": sheet for place, sheet in enumerate(sheets, 1) if isinstance(sheet, Tab)}
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as frame,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as archive,
    ):
        texts = _Texts(frame.read(TEXTS).decode())
        for part in frame.infolist():
            tab, xml = tabs.get(part.filename), frame.read(part)
            large = tab is not None and len(tab.rows) * len(tab.header) > CELLS_OF_2_GIB
            if part.filename != TEXTS:
                with archive.open(part.filename, "w", force_zip64=large) as stream:
                    for piece in [xml] if tab is None else _with_rows(xml.decode(), tab, texts):
                        stream.write(piece)
        with archive.open(TEXTS, "w", force_zip64=len(texts) > CELLS_OF_2_GIB) as stream:
            for piece in texts.written():
                stream.write(piece)
    return out.getvalue()


class _Texts(dict[str, str]):
    """Texts of cells, each as the end of the cells that hold it: its place among all texts of the workbook.

    ``sheet`` is the one that is being written.
    """

    def __init__(self, xml: str) -> None:
        super().__init__()
        self.sheet = ""
        self.xml, _, _ = xml.rpartition("</sst>")
        self.before = self.xml.count("<si>")

    def __missing__(self, text: str) -> str:
        if len(text) > LONGEST:
            what = f"sheet {self.sheet}: a cell has {len(text):,} characters; a spreadsheet holds {LONGEST:,}"
            raise InputError(what, "shorten it, or write CSV")
        self[text] = f"{self.before + len(self)}</v></c>"
        return self[text]

    def written(self) -> Iterator[bytes]:
        """Yield the part that holds all texts."""
        yield re.sub(r' (?:uniqueCount|count)="\d+"', "", self.xml, count=2).encode()
        listed = list(self)
        for start in range(0, len(listed), ROWS_AT_ONCE):
            yield "".join(map(_element, listed[start : start + ROWS_AT_ONCE])).encode()
        yield b"</sst>"


def _element(text: str) -> str:
    """Return text as the element that holds it."""
    if not _SPECIAL.search(text):
        return f"<si><t>{text}</t></si>"
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = _UNUSABLE.sub(lambda match: f"_x{ord(match[0]):04X}_", plain)
    space = ' xml:space="preserve"' if text != text.strip() else ""
    return f"<si><t{space}>{plain}</t></si>"


def _with_rows(xml: str, tab: Tab, texts: _Texts) -> Iterator[bytes]:
    """Yield the text of a sheet with a table's rows in place of the two that show formats."""
    head, _, rest = xml.partition('<row r="2"')
    shown, _, tail = rest.partition("</sheetData>")
    styles: dict[str, list[str]] = {"3": []}
    styles["2"] = re.findall(r'<c r="[A-Z]+2" s="(\d+)"', f'<row r="2"{shown}')
    for row, style in _STYLE.findall(shown):
        if row == "3":
            styles["3"].append(style)
    last = f"{letters(len(tab.header) - 1)}{len(tab.rows) + 1}"
    yield re.sub(r'<dimension ref="[^"]*"', f'<dimension ref="A1:{last}"', head).encode()
    texts.sheet = tab.name
    yield from _rows(tab, styles["2"], styles["3"], texts)
    yield f"</sheetData>{tail}".encode()


def _rows(tab: Tab, of_number: Sequence[str], of_text: Sequence[str], texts: _Texts) -> Iterator[bytes]:
    columns = [
        (f'<c r="{letters(column)}', f'" s="{number}"><v>', f'" s="{text}" t="s"><v>')
        for column, (number, text) in enumerate(zip(of_number, of_text, strict=True))
    ]
    for start in range(0, len(tab.rows), ROWS_AT_ONCE):
        rows = tab.rows[start : start + ROWS_AT_ONCE]
        lines = [str(line) for line in range(start + 2, start + 2 + len(rows))]
        cells = [
            _column(lines, column, *around, texts) for column, around in zip(zip(*rows, strict=True), columns,
                                                                             strict=True)
        ]  # fmt: skip
        opened = [f'<row r="{line}">' for line in lines]
        yield "".join(map("".join, zip(opened, *cells, repeat("</row>", len(rows)), strict=True))).encode()


def _column(
    lines: Sequence[str], cells: Sequence[Cell], begin: str, number: str, text: str, texts: Mapping[str, str]
) -> list[str]:
    """Return the cells of a column, empty where there is nothing to write."""
    if {*map(type, cells)} == {str}:
        words: Any = cells
        return [f"{begin}{line}{text}{texts[word]}" if word else "" for line, word in zip(lines, words, strict=True)]
    return [
        f"{begin}{line}{text}{texts[cell]}" if cell and isinstance(cell, str)
        else "" if cell == "" or cell is None or cell - cell != 0
        else f"{begin}{line}{number}{cell}</v></c>"
        for line, cell in zip(lines, cells, strict=True)
    ]  # fmt: skip
