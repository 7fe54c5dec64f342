"""How wide each column of a table is where there is less room than it takes, and what goes below.

Cells wrap between words; a number, a name or a word is never cut, as long as one fits at all. Columns for
which that leaves no room follow in a further block, beside the first column again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_GAP = 3
_EDGES = 2


@dataclass(frozen=True, slots=True)
class Fit:
    """Columns of one block by their places, and how many letters wide each is."""

    places: tuple[int, ...]
    widths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Need:
    """Letters that a column takes: ``whole`` unwrapped, and ``least`` so that no word is cut."""

    whole: int
    least: int

    def within(self, limit: int) -> int:
        """Return the letters that it takes where ``limit`` are wanted at most."""
        return min(self.whole, max(self.least, limit))


def fit(columns: Sequence[Sequence[str]], numbers: Sequence[bool], width: int) -> list[Fit]:
    """Return the blocks in which columns, each its heading and its cells, fit ``width`` letters.

    Cells of columns that are ``numbers`` stay on one line; their headings wrap.
    """
    needs = [_need(*column) for column in zip(columns, numbers, strict=True)]
    rows = _blocks(needs, width)
    return [Fit(tuple(row), tuple(_shared([needs[place] for place in row], width))) for row in rows]


def narrowest(columns: Sequence[Sequence[str]], numbers: Sequence[bool]) -> int:
    """Return the letters of a line in which all columns stand beside each other, with no word cut."""
    return _taken([_need(*column).least for column in zip(columns, numbers, strict=True)])


def _need(texts: Sequence[str], number: bool) -> _Need:
    whole = max((len(text) for text in texts), default=0)
    pieces = [*texts[0].split(), *texts[1:]] if number else [word for text in texts for word in text.split()]
    return _Need(whole, max((len(piece) for piece in pieces), default=0))


def _taken(widths: Sequence[int]) -> int:
    return _EDGES + sum(widths) + _GAP * (len(widths) - 1)


def _blocks(needs: Sequence[_Need], width: int) -> list[list[int]]:
    """Return the fewest blocks that show all columns, each as little wrapped as these allow."""
    fewest = _filled([need.least for need in needs], width)
    for limit in range(_longest(needs), 0, -1):
        blocks = _filled([need.within(limit) for need in needs], width)
        if len(blocks) == len(fewest):
            return blocks
    return fewest


def _filled(widths: Sequence[int], width: int) -> list[list[int]]:
    blocks = [[0]] if widths else [[]]
    for place in range(1, len(widths)):
        if len(blocks[-1]) > 1 and _taken([widths[other] for other in (*blocks[-1], place)]) > width:
            blocks.append([0])
        blocks[-1].append(place)
    return blocks


def _shared(needs: Sequence[_Need], width: int) -> list[int]:
    """Return the widths under the highest common limit that still fits; words are cut where all else fails."""
    for limit in range(_longest(needs), 0, -1):
        widths = [need.within(limit) for need in needs]
        if _taken(widths) <= width:
            return widths
    return _squeezed([need.least for need in needs], width)


def _squeezed(widths: Sequence[int], width: int) -> list[int]:
    for limit in range(max(widths, default=1), 1, -1):
        if _taken([min(one, limit) for one in widths]) <= width:
            return [min(one, limit) for one in widths]
    return [1] * len(widths)


def _longest(needs: Sequence[_Need]) -> int:
    return max((need.whole for need in needs), default=0)
