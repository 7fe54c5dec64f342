"""Rows that are alike, as numpy finds them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fabrictool.fabric.grouping import unique_rows


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 2**62), st.integers(0, 1)), max_size=30))
def test_rows_are_those_of_numpy(rows: list[tuple[int, int, int]]) -> None:
    table = np.array(rows, np.int64).reshape(-1, 3)
    found, which = unique_rows(table)
    expected, place = np.unique(table, axis=0, return_inverse=True)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(which, place.ravel())


def test_long_codes_do_not_overflow() -> None:
    table = np.random.default_rng(0).integers(0, 500, (400, 9))
    found, which = unique_rows(table)
    np.testing.assert_array_equal(found[which], table)
    np.testing.assert_array_equal(found, np.unique(table, axis=0))
