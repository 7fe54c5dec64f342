"""Grouping of rows against the plain loop."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fabrictool.fabric.grouping import distinct, grouped, parts


@given(
    st.lists(
        st.tuples(st.integers(-3, 3), st.integers(0, 2**40), st.integers(-(2**31), 2**31 - 1), st.integers(0, 5)),
        max_size=40,
    )
)
def test_groups_are_the_distinct_rows_in_order(rows: list[tuple[int, int, int, int]]) -> None:
    columns = [np.array([row[place] for row in rows], np.int64) for place in range(4)]
    distinct, place = grouped(*columns)
    assert distinct == sorted(set(rows))
    assert [distinct[group] for group in place.tolist()] == rows
    expected = [[at for at, row in enumerate(rows) if row == group] for group in distinct]
    assert [part.tolist() for part in parts(place, len(distinct))] == expected


def test_many_columns_do_not_overflow() -> None:
    """Nine columns of 500 values are 500^9 codes, more than 64 bits hold."""
    table = np.random.default_rng(0).integers(0, 500, (400, 9))
    distinct, place = grouped(*table.T)
    np.testing.assert_array_equal(np.array(distinct)[place], table)
    np.testing.assert_array_equal(distinct, np.unique(table, axis=0))


def test_wide_columns_do_not_overflow() -> None:
    """Random words of 64 bits, each in two rows."""
    word = np.random.default_rng(0).integers(1, 2**63, (200, 2), np.uint64)
    rows, place = grouped(*np.concatenate((word, word)).T)
    assert rows == sorted(map(tuple, word.tolist()))
    np.testing.assert_array_equal(place[:200], place[200:])


@given(
    st.lists(st.integers(-(2**31), 2**31 - 1) | st.integers(-5, 5), max_size=50), st.sampled_from([np.int32, np.int64])
)
def test_distinct_values_are_those_of_a_sorted_set(values: list[int], kind: type[np.integer]) -> None:
    found = distinct(np.array(values, kind))
    assert found.tolist() == sorted(set(values))
    assert found.dtype == kind
