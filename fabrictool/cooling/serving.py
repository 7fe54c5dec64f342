"""Which loop each rack hangs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8
from fabrictool.placement import Racks
from fabrictool.records import Assumption

if TYPE_CHECKING:
    from fabrictool.layout.cooling import Loop
    from fabrictool.layout.model import Layout

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Serving:
    """Loops and the racks on them; several loops may stand under one name of the layout, one for so many racks.

    Parameters
    ----------
    stated : tuple of Loop
        As the layout gives them.
    name : tuple of str, (loops,)
    stated_row : ndarray of int64, (loops,)
        Row in ``stated``.
    rack : ndarray of int64, (racks,)
        Loop of each rack, -1 for none.
    door : ndarray of int64, (racks,)
        Loop of the rear door behind a rack with cold plates, -1 for none.
    assumptions : tuple of Assumption
    """

    stated: tuple[Loop, ...]
    name: tuple[str, ...]
    stated_row: Rows
    rack: Rows
    door: Rows
    assumptions: tuple[Assumption, ...] = ()

    def served(self, row: int) -> npt.NDArray[np.bool_]:
        """Say which racks hang on any loop of a row of ``stated``, by plates, tanks or doors, (racks,)."""
        stated = np.append(self.stated_row, -1)
        here: npt.NDArray[np.bool_] = (stated[self.rack] == row) | (stated[self.door] == row)
        return here

    def rack_names(self) -> tuple[str, ...]:
        """Return the name of each rack's loop, empty for none."""
        names = (*self.name, "")
        return tuple(names[row] for row in self.rack.tolist())

    def sum_by_loop(self, values: F8, doors: F8 | None = None) -> F8:
        """Add up a value of racks (racks,) over loops, and one of doors behind cold plates; NaN adds nothing."""
        on = self.rack >= 0
        total = np.bincount(self.rack[on], np.nan_to_num(values[on]), len(self.name)).astype(np.float64)
        if doors is not None:
            behind = self.door >= 0
            total += np.bincount(self.door[behind], np.nan_to_num(doors[behind]), len(self.name))
        return total

    def of_racks(self, values: F8) -> F8:
        """Return the value of each rack's loop, (racks,); NaN for racks without one."""
        return np.append(values, np.nan)[self.rack]


def serving(layout: Layout, racks: Racks) -> Serving:
    """Return the loops of a hall: racks that take liquid hang on the one that their group names, else the first."""
    loops = tuple((layout.hall.loops if layout.hall else None) or ())
    rows = {loop.name: row for row, loop in enumerate(loops)}
    groups = layout.racks or []
    wet = racks.cooling != "air"
    of_group = np.array([rows.get(group.loop or "", 0) for group in groups] or [0], dtype=np.int64)
    of_rack = np.where(wet & bool(loops), of_group[racks.group], -1)
    of_door = np.array([rows.get(group.door or "", -1) for group in groups] or [-1], dtype=np.int64)[racks.group]
    names: list[str] = []
    stated_row: list[int] = []
    rack, door = np.full(len(racks), -1, dtype=np.int64), np.full(len(racks), -1, dtype=np.int64)
    for row, loop in enumerate(loops):
        on = np.flatnonzero((of_rack == row) | (of_door == row))
        each = loop.racks or max(len(on), 1)
        count = max(1, -(-len(on) // each))
        which = np.full(len(racks), -1, dtype=np.int64)
        which[on] = len(names) + np.arange(len(on)) // each
        rack, door = np.where(of_rack == row, which, rack), np.where(of_door == row, which, door)
        names += _names(loop, count)
        stated_row += [row] * count
    return Serving(loops, tuple(names), np.array(stated_row, dtype=np.int64), rack, door, _assumed(layout, loops, wet))


def _names(loop: Loop, count: int) -> list[str]:
    if loop.racks is None:
        return [loop.name]
    width = max(2, len(str(count)))
    return [f"{loop.name}-{number + 1:0{width}d}" for number in range(count)]


def _assumed(layout: Layout, loops: tuple[Loop, ...], wet: npt.NDArray[np.bool_]) -> tuple[Assumption, ...]:
    open_groups = [group for group in layout.racks or [] if group.cooling != "air" and group.loop is None]
    if len(loops) < 2 or not open_groups or not wet.any():
        return ()
    return (Assumption("loop of racks that name none", loops[0].name, f"the first of {len(loops)} loops"),)
