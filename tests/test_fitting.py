"""Tables where there is less room than they take: nothing is cut, and columns that do not fit stand below."""

import pytest

from fabrictool.fitting import Fit, fit
from fabrictool.tabular import Column, Table


def test_what_fits_stands_side_by_side_unwrapped():
    assert fit([["rack", "r01"], ["power [W]", "40,800"]], [False, True], 80) == [Fit((0, 1), (4, 9))]
    assert fit([["rack", "r01"], ["power [W]", "40,800"]], [False, True], 2 + 4 + 3 + 9) == [Fit((0, 1), (4, 9))]


def test_words_wrap_and_numbers_do_not():
    columns = [["finding", "one two three"], ["power lost [W]", "1 021 324"]]
    # 7 + 9 letters, 3 between them, 2 at the edges: the heading of numbers wraps, they do not.
    assert fit(columns, [False, True], 21) == [Fit((0, 1), (7, 9))]


def test_columns_without_room_follow_beside_the_first():
    columns = [["name", "spine-01"], *([f"loss {n}", "1,021,324"] for n in range(3))]
    # Two columns of figures take 2 + 8 + 2 x (3 + 9) = 34 letters, three take 46.
    assert [block.places for block in fit(columns, [False, True, True, True], 45)] == [(0, 1, 2), (0, 3)]


def test_blocks_are_as_few_as_words_allow():
    columns = [["id", "x"], ["first", "a b c d e f g h"], ["second", "a b c d e f g h"]]
    assert [block.places for block in fit(columns, [False] * 3, 30)] == [(0, 1, 2)]


@pytest.mark.parametrize("width", [1, 2, 5, 20, 40, 110])
@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_every_column_is_in_one_block(count, width):
    columns = [[f"column {n}", "some words", ""] for n in range(count)]
    places = [place for block in fit(columns, [False] * count, width) for place in block.places]
    assert [place for place in places if place] == list(range(1, count))


def test_a_printed_table_cuts_no_word():
    names, losses = ["x3:01-02", "dgx-001:1 - leaf-01:1"], ["1,021,324", "478,448"]
    columns = [Column("lost", names), *(Column(f"pairs lost {n}", losses, align="right") for n in range(8))]
    text = Table("losses", tuple(columns)).render(60)
    assert max(len(line) for line in text.splitlines()) <= 60
    assert text.count("1,021,324") == 8
    assert text.count("leaf-01:1") == text.count("losses") == text.count("continued") + 1 > 1
