"""Workbooks that are written: two independent readers find what was put in, and the look of a sheet."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, overload

import openpyxl
import pytest
import python_calamine
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from fabrictool.errors import InputError
from fabrictool.formats.imported import Report
from fabrictool.formats.sheets import MOST_ROWS, sheets
from fabrictool.formats.workbooks import Cell, Drawing, Tab, written

AWKWARD = [
    "1/2", "007", "=1+1", "+1", "-", "@x", "1.0", "1e5", "TRUE", "#N/A", "a&b", "<b>", 'say "x"', "é ü 漢字 🙂", "x\ty",
    "two\nlines", "_x000D_", "_x41_", "a" * 32_767,
]  # fmt: skip


def opened(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


def test_text_stays_text_for_two_readers() -> None:
    content = written([Tab("t", ("text", "number"), [(word, row + 0.5) for row, word in enumerate(AWKWARD)])])
    cells = opened(content)["t"].iter_rows(min_row=2, values_only=True)
    assert [text for text, _ in cells] == AWKWARD
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    rows = book.get_sheet_by_name("t").to_python()[1:]
    assert [row[1] for row in rows] == [row + 0.5 for row in range(len(AWKWARD))]
    assert {type(row[0]) for row in rows} == {str}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.text(max_size=20)),
            st.one_of(st.none(), st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False)),
        ),
        max_size=8,
    )
)
def test_every_cell_comes_back(rows: list[tuple[Cell, Cell]]) -> None:
    """Exact floats, and any text that XML has letters for; carriage returns and control letters as they were."""
    sheet = opened(written([Tab("t", ("text", "number"), rows)]))["t"]
    found = [tuple(cells) for cells in sheet.iter_rows(min_row=2, max_row=len(rows) + 1, values_only=True)]
    expected = [(text or None, number) for text, number in rows]
    assert [number for _, number in found] == [number for _, number in expected]
    # openpyxl decodes no letter but the underscore: what it leaves is decoded here
    assert [text and unescape(text) for text, _ in found] == [text and unescape(text) for text, _ in expected]


def test_not_a_number_is_a_blank_cell() -> None:
    sheet = opened(written([Tab("t", ("a", "b"), [(float("nan"), float("inf"))])]))["t"]
    assert [sheet["A2"].value, sheet["B2"].value] == [None, None]


def test_a_sheet_is_ready_to_filter_and_print() -> None:
    rows = [(f"c{row}", row / 2, "blue") for row in range(300)]
    tab = Tab("cables", ("id", "length", "colour"), rows, 2, 1, {"length": "0.0#"}, {"colour": {"blue": "1f77b4"}})
    sheet = opened(written([tab], "A & B"))["cables"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.dimensions) == ("B2", "A1:C301", "A1:C301")
    assert (sheet.print_title_rows, sheet.print_area) == ("$1:$1", "'cables'!$A$1:$B$301")
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize, sheet.page_setup.fitToHeight) == (
        "landscape", 9, 0,
    )  # fmt: skip
    assert sheet.oddFooter.left.text == "A && B"  # a single one would begin a code
    assert [sheet[place].number_format for place in ("A2", "B2", "C301")] == ["@", "0.0#", "@"]
    (area,) = sheet.conditional_formatting
    assert str(area.sqref) == "C2:C301"
    assert area.rules[0].dxf.fill.bgColor.rgb == "FF1F77B4"
    assert all(sheet.column_dimensions[letter].width >= 8 for letter in "ABC")


def test_a_table_without_rows_has_its_header() -> None:
    content = written([Tab("t", ("a", "b"), [])])
    assert [cell.value for cell in opened(content)["t"][1]] == ["a", "b"]
    assert opened(content)["t"].max_row == 1
    assert sheets("x", content, Report("x"))[0].rows == (("a", "b"),)


def test_drawings_stand_among_tables() -> None:
    def draw(_: Any, page: Any) -> None:
        page.write_string(0, 0, "drawn")

    book = opened(written([Tab("one", ("a",), [("x",)]), Drawing("two", draw), Tab("three", ("b",), [("y",)])]))
    assert book.sheetnames == ["one", "two", "three"]
    assert [book["one"]["A2"].value, book["two"]["A1"].value, book["three"]["A2"].value] == ["x", "drawn", "y"]


def test_the_same_tables_give_the_same_bytes() -> None:
    tabs = [Tab("t", ("a", "b"), [("x", 1.5), ("y", 2)])]
    assert written(tabs, "t") == written(tabs, "t")


class Endless(Sequence[tuple[str]]):
    """A table of more rows than a spreadsheet holds."""

    @overload
    def __getitem__(self, row: int) -> tuple[str]: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[tuple[str]]: ...
    def __getitem__(self, row: int | slice) -> tuple[str] | Sequence[tuple[str]]:
        return ("x",) if isinstance(row, int) else [("x",)]

    def __len__(self) -> int:
        return MOST_ROWS


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (Endless(), "sheet t has 1,048,576 rows; a spreadsheet holds 1,048,575"),
        ([("a" * 32_768,)], "a cell has 32,768 characters; a spreadsheet holds 32,767"),
    ],
)
def test_what_no_spreadsheet_holds_is_refused(rows: Sequence[Sequence[Cell]], said: str) -> None:
    with pytest.raises(InputError, match=said) as error:
        written([Tab("t", ("a",), rows)])
    assert error.value.problems[0].fix
