"""Which panel port, trunk and plug each fibre takes, as if none was ever laid before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.grouping import grouped
from fabrictool.fabric.tables import F8, I4

Rows = npt.NDArray[np.int64]
Names = npt.NDArray[np.str_]
#: The unit of a panel for which one is to be found.
UNKNOWN = -2


@dataclass(frozen=True)
class Fibres:
    """Fibres that go over panels: cable, strand from 0, first link, option, (fibres,); racks at both ends, (2, n)."""

    cable: I4
    strand: I4
    link: I4
    option: I4
    rack: I4


@dataclass(frozen=True)
class Patching:
    """Panels, rack by rack, trunks, and what of them each fibre takes.

    Parameters
    ----------
    rack, size, unit : ndarray of int32, (panels,)
        Rack, ports, and rack unit of each panel, 0 over the rack, ``UNKNOWN`` where it is to be found.
    name : ndarray of str, (panels,)
    panel, port : ndarray of int32, (2, fibres)
        Panel at both ends, and port on it from 0.
    trunk, plug : ndarray of int32, (fibres,)
    trunk_name : ndarray of str, (trunks,)
    ends : ndarray of int32, (2, trunks)
        Racks of trunks.
    option, plugs : ndarray of int32, (trunks,)
    trunk_m, cord_m : ndarray, (trunks,) and (2, fibres)
        Lengths that are given, in m; NaN where they are to be found.
    side : mapping of int to bool
        Racks whose panels are known to be at the front, or not.
    """

    rack: I4
    size: I4
    unit: I4
    name: Names
    panel: I4
    port: I4
    trunk: I4
    plug: I4
    trunk_name: Names
    ends: I4
    option: I4
    plugs: I4
    trunk_m: F8
    cord_m: F8
    side: dict[int, bool]


def new_patching(fibres: Fibres, racks: Sequence[str], plugs: int, size: int) -> Patching:
    """Give fibres ports, trunks and plugs in their order; those of a kind between two racks share trunks.

    Parameters
    ----------
    racks : sequence of str
        Names.
    plugs, size : int
        Of each trunk, and ports of each panel.
    """
    turn = within(fibres.rack.ravel().astype(np.int64)).reshape(fibres.rack.shape)
    count = -(-np.bincount(fibres.rack.ravel(), minlength=len(racks)) // size)
    first = np.cumsum(count) - count
    rack = np.repeat(np.arange(len(racks), dtype=np.int32), count)
    number = np.arange(len(rack)) - first[rack] + 1
    kinds, place = grouped(fibres.rack.min(axis=0), fibres.rack.max(axis=0), fibres.option)
    at = within(place)
    bundles, trunk = grouped(place, at // plugs)
    both = np.array([kinds[row] for row, _ in bundles], np.int32).reshape(-1, 3)
    panels, trunks = len(rack), len(bundles)
    return Patching(
        rack, np.full(panels, size, np.int32), np.full(panels, UNKNOWN, np.int32),
        np.array([f"{racks[row]}-P{n}" for row, n in zip(rack.tolist(), number.tolist(), strict=True)], np.str_),
        (first[fibres.rack] + turn // size).astype(np.int32), (turn % size).astype(np.int32),
        trunk.astype(np.int32), (at % plugs).astype(np.int32), np.array(_trunk_names(both[:, :2], racks), np.str_),
        np.ascontiguousarray(both[:, :2].T), both[:, 2].copy(), np.full(trunks, plugs, np.int32),
        np.full(trunks, np.nan), np.full(fibres.rack.shape, np.nan), {},
    )  # fmt: skip


def _trunk_names(ends: I4, racks: Sequence[str]) -> list[str]:
    """Return what each trunk is called: T, its racks, and its number among theirs."""
    number = within(ends[:, 0].astype(np.int64) * len(racks) + ends[:, 1]) + 1
    rows = zip(ends.tolist(), number.tolist(), strict=True)
    return [trunk_name(racks[a], racks[z], place) for (a, z), place in rows]


def trunk_name(rack_a: str, rack_z: str, number: int) -> str:
    """Return what a trunk between two racks is called."""
    return f"T-{rack_a}-{rack_z}-{number:02d}"


def within(group: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return how many earlier rows are of the same group, (rows,)."""
    order = np.argsort(group, kind="stable")
    place = np.empty(len(group), np.int64)
    place[order] = np.arange(len(group)) - np.searchsorted(group[order], group[order])
    return place
