"""Device names from place: group, index and, in templates, scalable unit and rail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.fabric.chassis import boxes

if TYPE_CHECKING:
    from fabrictool.fabric.tables import Devices, Fabric


def index_widths(devices: Devices, groups: Sequence[str]) -> tuple[int, ...]:
    """Return the digits of the index in each group's names: those of its count, at least 2."""
    counts = np.bincount(devices.group[boxes(devices)], minlength=len(groups))
    return tuple(max(2, len(str(int(count)))) for count in counts)


def device_names(fabric: Fabric) -> list[str]:
    """Return one name a device, in row order; names that a discovered fabric brought win.

    A chip of a director is called after its chassis and board, such as ``spine-01/L05``.

    Raises
    ------
    InputError
        If a name template cannot be filled in, or gives two devices one name.
    """
    devices = fabric.devices
    names = [""] * len(devices)
    for group, title in enumerate(fabric.groups):
        rows = np.flatnonzero(devices.group == group)
        template = fabric.naming.get(title)
        if template is None:
            width = fabric.widths[group]
            made = [f"{title}-{i:0{width}d}" for i in (devices.index[rows] + 1).tolist()]
        else:
            made = _from_template(template, title, devices, rows)
        for row, name in zip(rows.tolist(), made, strict=True):
            names[row] = name
    if devices.board is not None:
        names = [
            f"{name}/{board}" if board else name for name, board in zip(names, devices.board.tolist(), strict=True)
        ]
    if devices.name is not None:
        names = [given or made for given, made in zip(devices.name.tolist(), names, strict=True)]
    if fabric.naming:
        _refuse_twins(names, fabric)
    return names


def _refuse_twins(names: Sequence[str], fabric: Fabric) -> None:
    """Refuse templates that give two devices one name."""
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        other = first.setdefault(name, row)
        if other != row:
            title = fabric.groups[fabric.devices.group[row]]
            title = title if title in fabric.naming else fabric.groups[fabric.devices.group[other]]
            what = f"two devices get the name '{name}'"
            fix = "tell them apart by {index:02d}, {su} or {rail} in the template"
            raise InputError([Problem("", what, fix, ("naming", title))])


def _from_template(template: str, title: str, devices: Devices, rows: np.ndarray) -> list[str]:
    columns = (devices.index[rows] + 1, devices.pod[rows] + 1, devices.rail[rows] + 1, devices.plane[rows] + 1)
    try:
        return [
            template.format(index=i, su=pod, pod=pod, rail=rail, plane=plane, group=title)
            for i, pod, rail, plane in zip(*(column.tolist() for column in columns), strict=True)
        ]
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        what = f"name template '{template}' cannot be filled in: {error}"
        fix = "use {index:02d}, {su}, {rail}, {plane} and {group}"
        raise InputError([Problem("", what, fix, ("naming", title))]) from None
