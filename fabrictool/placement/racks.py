"""Racks as a table, and where each device stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, I4, Table
from fabrictool.records import Assumption, Finding

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout, RackGroup

Names = npt.NDArray[np.str_]
ROLES = ("compute", "network")


@dataclass(frozen=True)
class Racks(Table):
    """Racks that are used, one row each; compute racks come first.

    ``role`` is ``compute`` or ``network``; ``group`` the row of the layout's rack group; ``units`` the
    height; ``limit_w`` what the rack may draw, ``cap_w`` what it is held to and ``cooling_limit_w`` what its cooling
    is given to carry off, NaN where the layout does not say; ``tare_kg`` its own weight and ``capacity_kg`` what it
    may carry.
    """

    name: Names
    role: Names
    type: Names
    cooling: Names
    group: I4
    units: I4
    limit_w: F8
    cap_w: F8
    cooling_limit_w: F8
    tare_kg: F8
    capacity_kg: F8


@dataclass(frozen=True)
class Placement:
    """Where each device of a fabric stands.

    Parameters
    ----------
    rack : ndarray of int32, (devices,)
        Row in ``racks``, -1 for a device without a place; of the chips of a director the first alone has one.
    unit : ndarray of int32, (devices,)
        Lowest rack unit taken, counted from 1; -1 for a device without a place.
    racks : Racks
        The racks in use.
    findings, assumptions : tuple
        What has no place, and which heights were assumed.
    extra_w : ndarray, (types,), or None
        What optics add to the maximum of one device of each type, in W, as racks were filled.
    """

    rack: I4
    unit: I4
    racks: Racks
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]
    extra_w: F8 | None = None

    def sum_by_rack(self, values: npt.ArrayLike) -> F8:
        """Add up a value of each device (devices,) over the racks; NaN, unknown, adds nothing."""
        placed = self.rack >= 0
        weights = np.nan_to_num(np.asarray(values, dtype=np.float64)[placed])
        return np.bincount(self.rack[placed], weights=weights, minlength=len(self.racks)).astype(np.float64)


def rack_table(layout: Layout, group: I4, role: I4, limits_w: F8, names: Sequence[str] | None = None) -> Racks:
    """Describe racks by their group and role (row in ``ROLES``), (racks,) each.

    Parameters
    ----------
    limits_w : ndarray, (groups,)
        What a rack of each group may draw, in W; NaN where there is no limit.
    names : sequence of str, optional
        Of the racks, where a lock keeps them.
    """
    groups = layout.racks or []
    return Racks(
        name=np.array(rack_names(groups, group) if names is None else names, dtype=np.str_),
        role=np.array(ROLES, dtype=np.str_)[role],
        type=np.array([row.type.name for row in groups], dtype=np.str_)[group],
        cooling=np.array([row.cooling for row in groups], dtype=np.str_)[group],
        group=group,
        units=np.array([row.type.u for row in groups], dtype=np.int32)[group],
        limit_w=limits_w[group],
        cap_w=number_or_nan([row.power_cap_w for row in groups])[group],
        cooling_limit_w=number_or_nan([row.cooling_limit_w for row in groups])[group],
        tare_kg=number_or_nan([row.type.tare_kg for row in groups])[group],
        capacity_kg=number_or_nan([row.type.capacity_kg for row in groups])[group],
    )


def no_racks(devices: int) -> Placement:
    """Return the placement of devices of which none has a rack."""
    nowhere, names = np.full(devices, -1, dtype=np.int32), np.zeros(0, dtype="U1")
    rows, values = np.zeros(0, dtype=np.int32), np.zeros(0)
    racks = Racks(names, names, names, names, rows, rows, values, values, values, values, values)
    return Placement(nowhere, nowhere, racks, (), ())


def number_or_nan(values: list[float | None]) -> F8:
    """Return an array with NaN where a value is not given."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def rack_names(groups: list[RackGroup], group: I4) -> list[str]:
    """Name racks ``r01`` on, or ``name-01`` on in a group that has a name.

    Groups without a name share one sequence. The number has the digits that its sequence needs, two at least.
    """
    prefixes = [f"{row.name}-" if row.name else "r" for row in groups]
    first = [prefixes.index(prefix) for prefix in prefixes]
    sequence = np.array(first, dtype=np.int32)[group]
    totals = np.bincount(sequence, minlength=len(groups))
    number = _place_in_sequence(sequence) + 1
    widths = [max(2, len(str(total))) for total in totals]
    return [f"{prefixes[s]}{n:0{widths[s]}d}" for s, n in zip(sequence.tolist(), number.tolist(), strict=True)]


def _place_in_sequence(sequence: I4) -> npt.NDArray[np.int64]:
    """Return how many earlier rows have the same value, (rows,)."""
    order = np.argsort(sequence, kind="stable")
    starts = np.searchsorted(sequence[order], sequence[order])
    place = np.empty(len(sequence), dtype=np.int64)
    place[order] = np.arange(len(sequence)) - starts
    return place


def lowest_units(rack: I4, units: F8) -> I4:
    """Stack devices from the bottom of each rack in row order.

    Parameters
    ----------
    rack : ndarray of int32, (devices,)
        Rack of each device, -1 for none.
    units : ndarray, (devices,)
        Height of each device in rack units.

    Returns
    -------
    ndarray of int32, (devices,)
        Lowest unit of each device, counted from 1; -1 without a rack.
    """
    order = np.argsort(rack, kind="stable")
    below = np.cumsum(units[order]) - units[order]
    base = below[np.searchsorted(rack[order], rack[order])]
    unit = np.empty(len(rack), dtype=np.int32)
    unit[order] = below - base + 1
    return np.where(rack >= 0, unit, -1).astype(np.int32)
