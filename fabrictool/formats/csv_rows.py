"""Rows of a CSV file by column, each with its line; separators and headers as people write them."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from fabrictool.formats.imported import Report

#: Longest cell that is read.
LONGEST_CELL = 2**16
Row = dict[str, str]


def header(head: bytes) -> tuple[str, ...]:
    """Return the lower-case words of a CSV text's first line; none if it is no such line."""
    line = head.decode("utf-8-sig", "replace").lstrip("\r\n").splitlines()[:1]
    if not line or "\0" in line[0]:
        return ()
    return _words(line[0].split(separator(line[0])))


def separator(line: str) -> str:
    """Return what separates the cells of a line: a comma, a semicolon or a tabulator."""
    return max(",;\t", key=line.count)


def _words(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(cell.strip().strip('"').strip().lower().replace(" ", "_").replace("-", "_") for cell in cells)


def named(words: Sequence[str], synonyms: Mapping[str, str]) -> tuple[str, ...]:
    """Return a header with synonyms replaced."""
    return tuple(synonyms.get(word, word) for word in words)


def lines(text: str, report: Report) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the cells of each row that is not blank, the header among them.

    Raises
    ------
    InputError
        If a quote is never closed.
    """
    first = next((line for line in text.split("\n") if line.strip()), "")
    reader = csv.reader(io.StringIO(text), delimiter=separator(first), strict=True)
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise report.refusal(start, f"this row cannot be read: {error}", "look for a stray quote") from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield start, cells


def rows(text: str, synonyms: Mapping[str, str], needed: Sequence[str], report: Report) -> Iterator[tuple[int, Row]]:
    """Yield the line and the cells of each row that is not blank.

    Raises
    ------
    InputError
        If a needed column is missing, or a quote is never closed.
    """
    columns: tuple[str, ...] = ()
    for start, cells in lines(text, report):
        if not columns:
            columns = named(_words(cells), synonyms)
            _check(columns, needed, start, report)
            continue
        if len(cells) != len(columns):
            what = f"the row has {len(cells)} cells, the header {len(columns)}"
            report.warn("row-uneven", start, what, "write every cell, empty ones too")
        filled = [*cells, *[""] * (len(columns) - len(cells))]
        yield start, {column: cell.strip()[:LONGEST_CELL] for column, cell in zip(columns, filled, strict=False)}


def _check(columns: Sequence[str], needed: Sequence[str], line: int, report: Report) -> None:
    twice = [column for column, count in Counter(columns).items() if column and count > 1]
    if twice:
        raise report.refusal(line, f"column {' and '.join(twice)} stands twice", "keep one of each")
    missing = [column for column in needed if column not in columns]
    if missing:
        what = f"column {' and '.join(missing)} is missing; there are {', '.join(columns[:20])}"
        raise report.refusal(line, what, f"the header needs {', '.join(needed)}")
