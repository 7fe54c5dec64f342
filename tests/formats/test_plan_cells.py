"""Rows of a plan that no shipped layout has: anything that a cable may be comes back from both forms of a table."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.formats import plan_csv
from fabrictool.formats.plan_cells import COLUMNS, plan_cells, sheet_columns
from fabrictool.formats.plan_table import plan_table
from fabrictool.formats.workbooks import Tab, written
from fabrictool.records import CableEnd, CableRow, Place

#: Names as people give them: no commas, which stand between several ports of a cell, nor blanks around.
WORD = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters=","), min_size=1, max_size=8
)  # fmt: skip
MAYBE = st.one_of(st.just(""), WORD)
LOWER = MAYBE.map(str.lower).filter(lambda word: word == word.lower())
METRES = st.one_of(st.none(), st.integers(0, 10**6).map(lambda value: value / 100))
NUMBER = st.one_of(st.none(), st.floats(0, 1e7))
PLACE = st.builds(Place, WORD, MAYBE, MAYBE, MAYBE, MAYBE, st.one_of(st.none(), st.integers(0, 999)))


@st.composite
def ends(draw: st.DrawFn) -> CableEnd:
    cage = draw(st.integers(0, 128))
    leg = draw(st.integers(1, 8)) if cage else 1
    return CableEnd(draw(PLACE), draw(MAYBE), draw(WORD), draw(MAYBE), cage, leg, *(draw(MAYBE) for _ in range(4)))


ROW = st.builds(
    CableRow, WORD, st.integers(1, 99), MAYBE, ends(), ends(), LOWER, MAYBE,
    st.integers(0, 3_200_000).map(lambda value: value * 1e6), st.integers(0, 16), st.integers(-1, 99),
    st.integers(-1, 99), METRES, METRES, METRES, MAYBE, MAYBE, MAYBE, NUMBER, NUMBER, MAYBE, WORD,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=4))
def test_any_plan_comes_back(rows: list[CableRow]) -> None:
    cells = [plan_cells(row) for row in rows]
    columns = sheet_columns(cells)
    order = [COLUMNS.index(name) for name in columns]
    book = written([Tab("cables", columns, [[line[place] for place in order] for line in cells])])
    for name, content in (("p.csv", plan_csv.write(rows).encode()), ("p.xlsx", book)):
        found = plan_table(name, content)
        assert found.findings == ()
        assert [row.cable for row in found.rows] == rows
