"""Strategies of placement: which switches share a rack, and over how many racks hosts spread."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, I4, Fabric
from fabrictool.placement.packing import TOLERANCE

Rows = npt.NDArray[np.int64]


def bundles(strategy: str, fabric: Fabric, rows: Rows) -> list[Rows]:
    """Return devices in the order in which racks are filled, those that begin a rack of their own apart.

    Parameters
    ----------
    strategy : {"in-order", "by-unit", "spread", "by-rail", "dealt", "in-rack"}
        By unit the switches of each scalable unit or pod stay together, by rail the leaves of each rail; everything
        else follows. Spread is by unit, with the switches above the units dealt to them.
    rows : ndarray of int64
        Device rows of switches and service hosts.
    """
    devices, tier = fabric.devices, fabric.devices.tier[rows]
    if strategy in ("by-unit", "spread", "in-rack"):
        key = np.where(tier > 0, devices.pod[rows], -1)
    elif strategy == "by-rail":
        key = np.where(tier == 1, devices.rail[rows].astype(np.int32), -1)
    else:
        return [rows] if len(rows) else []
    above = np.flatnonzero((key < 0) & (tier > 1))
    units = np.unique(key[key >= 0])
    if strategy == "spread" and len(units):
        key[above] = units[np.arange(len(above)) % len(units)]
    key = np.where(key < 0, np.iinfo(np.int32).max, key)
    order = np.argsort(key, kind="stable")
    return np.split(rows[order], np.flatnonzero(np.diff(key[order])) + 1) if len(rows) else []


def dealt(rack: I4, racks: I4, types: Rows, takes: F8, room: F8) -> I4 | None:
    """Deal devices in turn to racks, type by type; None if a rack cannot take its share.

    Parameters
    ----------
    rack : ndarray of int32, (rows,)
        Rack of each device in order, -1 for none.
    racks : ndarray of int32
        Those that are dealt to.
    types : ndarray, (rows,)
    takes : ndarray, (rows, 3)
        Units, W and kg of each device; NaN takes nothing.
    room : ndarray, (3, racks)
        What an empty rack has room for; NaN is no limit.
    """
    place = np.full(len(rack), -1, np.int32)
    start = 0
    for kind in dict.fromkeys(types.tolist()):
        mine = np.flatnonzero((types == kind) & (rack >= 0))
        place[mine] = racks[(start + np.arange(len(mine))) % len(racks)]
        start += len(mine)
    on = place >= 0
    for column, limit in zip(takes.T, room, strict=True):
        load = np.bincount(place[on], weights=np.nan_to_num(column[on]), minlength=room.shape[1])
        if (load > np.where(np.isnan(limit), np.inf, limit) * (1 + TOLERANCE)).any():
            return None
    return place


def beside_hosts(fabric: Fabric, rows: Rows, rack: I4, takes: F8, left: F8) -> Rows:
    """Put leaves into the racks of the hosts under them where there is room, in order; return those without.

    Parameters
    ----------
    rows : ndarray of int64
        Device rows of switches and service hosts.
    rack : ndarray of int32, (devices,)
        Filled in place.
    takes : ndarray, (devices, 3)
        Units, W and kg of each device; NaN takes nothing.
    left : ndarray, (racks, 3)
        What is left in each rack; lowered in place.
    """
    a, z = fabric.ends
    under = (fabric.devices.tier[a] == 0) & (rack[a] >= 0)
    order = np.argsort(z[under], kind="stable")
    leaf, seat = z[under][order], rack[a[under]][order]
    first = np.searchsorted(leaf, rows)
    last = np.searchsorted(leaf, rows, side="right")
    rest = []
    for row, start, end in zip(rows.tolist(), first.tolist(), last.tolist(), strict=True):
        need = np.nan_to_num(takes[row])
        racks = np.unique(seat[start:end]) if fabric.devices.tier[row] == 1 else np.zeros(0, np.int32)
        fits = racks[(left[racks] >= need * (1 - TOLERANCE)).all(axis=1)]
        if not len(fits):
            rest.append(row)
            continue
        chosen = fits[left[fits, 0].argmax()]
        rack[row] = chosen
        left[chosen] -= need
    return np.array(rest, dtype=np.int64)


def evenly(hosts: int, racks: int) -> I4:
    """Return the rack of each host when all racks are used alike, (hosts,): numbers differ by one at most."""
    return (np.arange(hosts, dtype=np.int64) * racks // max(hosts, 1)).astype(np.int32)
