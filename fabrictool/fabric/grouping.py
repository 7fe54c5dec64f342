"""Rows that are alike in several columns of whole numbers, without a loop over rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.integer]
I8 = npt.NDArray[np.int64]


def grouped(*columns: Ints) -> tuple[list[tuple[int, ...]], I8]:
    """Return the distinct rows of columns, in ascending order, and which of them each row is.

    Parameters
    ----------
    columns : ndarray of whole numbers, (rows,) each
        At least one.

    Returns
    -------
    list of tuple of int
    ndarray of int64, (rows,)
    """
    count = len(columns[0])
    if not count:
        return [], np.zeros(0, np.int64)
    code, size = np.zeros(count, np.int64), 1
    for column in columns:
        low = int(column.min())
        width = int(column.max()) - low + 1
        if size > 2**62 // width:
            code, size = _dense(code)
        code, size = code * width + (column.astype(np.int64) - low), size * width
    code, distinct = _dense(code, size)
    first = np.zeros(distinct, np.int64)
    first[code[::-1]] = np.arange(count - 1, -1, -1)
    return list(zip(*(column[first].tolist() for column in columns), strict=True)), code


def _dense(code: I8, size: int | None = None) -> tuple[I8, int]:
    """Return codes without gaps, in the same order, and how many there are; all lie below ``size`` if it is given."""
    if size is not None and size <= 4 * len(code) + 1024:
        there = np.bincount(code, minlength=1) > 0
        place = np.cumsum(there) - 1
        return place[code], int(place[-1]) + 1
    distinct, place = np.unique(code, return_inverse=True)
    return place.ravel(), len(distinct)


def parts(group: I8, groups: int) -> list[I8]:
    """Return the rows of each group, ascending, in the order of groups."""
    order = np.argsort(group, kind="stable")
    return np.split(order, np.cumsum(np.bincount(group, minlength=groups)))[:-1]
