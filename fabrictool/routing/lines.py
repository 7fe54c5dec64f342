"""Ranks as lines of consecutive keys, and what shifts along them put on a regular tree, in closed form.

On a regular tree the flows out of a part lead to consecutive keys, so the busiest upward channel
carries as many as the fullest residue class of one or two intervals holds; downwards alike. Only
few parts differ: the first, the last, one in between, and the one whose targets wrap around.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.grouping import distinct
from fabrictool.fabric.tables import I4
from fabrictool.kernels.flows import RouteTables
from fabrictool.routing.regular import RegularTree

I8 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RankLine:
    """Ranks as ``lanes`` parallel lines of consecutive keys, cut into parts at the same places.

    Parameters
    ----------
    lanes : int
        1, or the rails that ranks of one host are spread over.
    length : int
        Ranks of each lane.
    key : int
        Key of the first.
    starts : list of (parts + 1,) int64
        Where the parts of each level start in a lane, and the end.
    near : int
        From this shift on, and as far from the end, no flow stays inside a domain or host.
    """

    lanes: int
    length: int
    key: int
    starts: list[I8]
    near: int


def rank_line(ranks: I4, tables: RouteTables, tree: RegularTree) -> RankLine | None:
    """Return the job's ranks as lines of consecutive keys, or None if they are not."""
    key = tables.key[ranks].astype(np.int64)
    size = len(ranks)
    lanes = int(np.argmax(key != key[0])) if (key != key[0]).any() else size
    if size % lanes or (lanes > 1 and tree.levels > 1):
        return None
    length = size // lanes
    if not np.array_equal(key, key[0] + np.arange(size) // lanes):
        return None
    starts = []
    for level in range(tree.levels):
        cuts = _cuts(tree.block[level][ranks].reshape(length, lanes))
        if cuts is None:
            return None
        starts.append(cuts)
    near = _near(np.where(tables.scale_up[ranks] >= 0, tables.domain[ranks], -1 - ranks))
    return None if near is None else RankLine(lanes, length, int(key[0]), starts, max(near, lanes))


def _cuts(block: npt.NDArray[np.int32]) -> I8 | None:
    """Return where parts start along the lanes, if in all lanes alike and equally far apart inside."""
    change = block[1:] != block[:-1]
    if len(change) and not (change == change[:, :1]).all():
        return None
    cuts = np.concatenate(([0], np.flatnonzero(change[:, 0]) + 1, [len(block)])).astype(np.int64)
    inner = np.diff(cuts)[1:-1]
    parts = len(cuts) - 1
    if len(np.unique(block[cuts[:-1]])) != parts * block.shape[1] or (len(inner) and np.ptp(inner) > 0):
        return None
    edge = np.diff(cuts)[[0, -1]].max()
    return None if len(inner) and edge > inner[0] else cuts


def _near(domain: npt.NDArray[np.integer]) -> int | None:
    """Return the largest domain if every domain is one run of ranks."""
    runs = np.flatnonzero(np.r_[True, domain[1:] != domain[:-1]])
    if len(runs) != len(distinct(domain)):
        return None
    return int(np.diff(np.r_[runs, len(domain)]).max())


def line_peaks(steps: I8, line: RankLine, level: int, classes: int) -> tuple[I8, I8]:
    """Return the flows on the busiest channel out of and into any part of a level, (shifts,) each.

    Parameters
    ----------
    steps : (shifts,) int64
        Each with ``line.near <= step <= ranks - line.near``.
    line : RankLine
    level : int
    classes : int
        Of ``RegularTree``.
    """
    if line.lanes == 1 and _even(line.starts[level]) and line.length % classes == 0:
        starts = line.starts[level]
        leavers = np.minimum(np.minimum(steps, line.length - steps), starts[1]) if len(starts) > 2 else 0 * steps
        busiest = -(-leavers // classes)
        return busiest, busiest
    whole, rest = np.divmod(steps, line.lanes)
    up, down = _counts(whole, rest == 0, line, level, classes)
    if line.lanes > 1:
        further = _counts(whole + 1, rest == 0, line, level, classes)
        up = np.where(rest > 0, np.maximum(up, further[0]), up)
        down = np.where(rest > 0, np.maximum(down, further[1]), down)
    return up, down


def _even(starts: I8) -> bool:
    """Whether all parts are of one size."""
    return bool((np.diff(starts) == starts[1]).all())


def _counts(shift: I8, same: npt.NDArray[np.bool_], line: RankLine, level: int, classes: int) -> tuple[I8, I8]:
    """Return the flows on the busiest channel out of and into any part, for shifts along a lane.

    ``same`` says where a flow stays in its lane, so that it may end in the part it starts from.
    """
    starts = line.starts[level]
    parts = len(starts) - 1
    wrapped = np.searchsorted(starts, line.length - shift, side="right") - 1
    up = np.zeros(len(shift), np.int64)
    down = np.zeros(len(shift), np.int64)
    special = [np.array(part) for part in {0, min(1, parts - 1), max(parts - 2, 0), parts - 1}]
    for part in (*special, np.clip(wrapped, 0, parts - 1)):
        start, end = starts[part], starts[part + 1]
        up = np.maximum(up, _up_count(shift, same, start, end, line, classes))
        size = end - start
        low, high = np.maximum(0, size + shift - line.length), np.minimum(shift, size)
        inward = np.where(same, np.maximum(high - low, 0), size)
        down = np.maximum(down, -(-inward // classes))
    return up, down


def _up_count(shift: I8, same: npt.NDArray[np.bool_], start: I8, end: I8, line: RankLine, classes: int) -> I8:
    """Return the fullest residue class among the keys that a part's flows leave it for."""
    first, last = start + shift, end + shift
    over = first >= line.length
    first, last = np.where(over, first - line.length, first), np.where(over, last - line.length, last)
    ahead = _outside(first, np.minimum(last, line.length), start, end, same)
    behind = _outside(np.zeros_like(first), np.maximum(last - line.length, 0), start, end, same)
    return _fullest(ahead, behind, line.key, classes)


def _outside(low: I8, high: I8, start: I8, end: I8, same: npt.NDArray[np.bool_]) -> tuple[I8, I8]:
    """Return an interval without the part itself; it is never longer than the part."""
    touches = same & (low < end) & (high > start)
    left = touches & (low < start)
    new_low = np.where(touches & ~left, np.maximum(low, end), low)
    new_high = np.where(left, start, high)
    return new_low, np.maximum(new_high, new_low)


def _fullest(one: tuple[I8, I8], other: tuple[I8, I8], key: int, classes: int) -> I8:
    """Return how many keys of two intervals fall at most on one residue."""
    turns_1, rest_1 = np.divmod(one[1] - one[0], classes)
    turns_2, rest_2 = np.divmod(other[1] - other[0], classes)
    place_1, place_2 = (one[0] + key) % classes, (other[0] + key) % classes
    meet = ((place_2 - place_1) % classes < rest_1) | ((place_1 - place_2) % classes < rest_2)
    meet &= (rest_1 > 0) & (rest_2 > 0)
    return turns_1 + turns_2 + meet + ((rest_1 > 0) | (rest_2 > 0))
