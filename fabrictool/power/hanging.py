"""How racks and cooling hang on a hall's electrical supply: which feeds each has, and through which elements."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabrictool.fabric.tables import F8, Bool
from fabrictool.power.parts import Part, Rows
from fabrictool.power.phasors import C16


@dataclass(frozen=True)
class Entry:
    """A way into the supply: a feed of racks, or a board that cooling hangs on.

    Parameters
    ----------
    part : int
        Part that it comes from, -1 for none.
    has : ndarray of bool, (rows,)
        Which rows hang on it.
    lines : ndarray of complex, (rows, 3)
        What a row loads each line with, over what it draws there.
    """

    part: int
    has: Bool
    lines: C16


@dataclass(frozen=True)
class Bundle:
    """Rows that are alike in all that is above a part, gathered.

    Parameters
    ----------
    element : ndarray of int64, (bundles,)
        Which of the part's elements each is behind.
    sources : tuple of ndarray of int64, (bundles,)
        The bundle of each source of the part that it belongs to.
    of_row : ndarray of int64, (rows,)
    """

    element: Rows
    sources: tuple[Rows, ...]
    of_row: Rows

    def __len__(self) -> int:
        return len(self.element)


@dataclass(frozen=True)
class Hanging:
    """Rows that hang on a supply: racks first.

    Parameters
    ----------
    parts : tuple of Part
        From the racks up: each after all that draw from it.
    entries : tuple of Entry
    first : ndarray of bool, (rows,)
        Rows that draw from the first live entry of theirs; all others share their power over all live ones evenly.
    """

    parts: tuple[Part, ...]
    entries: tuple[Entry, ...]
    first: Bool

    @cached_property
    def bundles(self) -> tuple[Bundle, ...]:
        """Bundles of each part."""
        made: list[Bundle | None] = [None] * len(self.parts)
        for row in reversed(range(len(self.parts))):
            part = self.parts[row]
            above = [found.of_row for found in (made[source] for source in part.sources) if found is not None]
            kinds, of_row = np.unique(np.column_stack((part.which, *above)), axis=0, return_inverse=True)
            made[row] = Bundle(kinds[:, 0], tuple(kinds[:, 1:].T), of_row.reshape(-1))
        return tuple(found for found in made if found is not None)

    @cached_property
    def classes(self) -> tuple[Rows, Rows]:
        """Rows that are alike in every state: one row of each class, and the class of each row."""
        behind = [self.bundles[e.part].of_row if e.part >= 0 else np.zeros(len(self.first), int) for e in self.entries]
        key = np.column_stack((*behind, *(entry.has for entry in self.entries), self.first))
        _, of_class, which = np.unique(key, axis=0, return_index=True, return_inverse=True)
        return of_class, which.reshape(-1)

    def drawn(self, rows_w: F8) -> tuple[C16, ...]:
        """Return what each class would load the lines of each entry with if it drew all its power there, (classes, 3).

        Parameters
        ----------
        rows_w : ndarray, (rows,)
            What each row draws, in W.
        """
        first, which = self.classes
        return tuple(gathered(entry.lines * rows_w[:, None], which, len(first)) for entry in self.entries)


def gathered(lines_w: C16, which: Rows, count: int) -> C16:
    """Add up lines, (rows, 3), by what each row belongs to, (count, 3)."""
    key = (which[:, None] * 6 + np.arange(6)).ravel()
    flat = np.ascontiguousarray(lines_w).view(np.float64).ravel()
    return np.bincount(key, weights=flat, minlength=6 * count).view(np.complex128).reshape(count, 3)
