"""What devices, parts of a fabric and rows of racks draw idle, while they wait, while they compute, and on average."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fabrictool.fabric import KINDS, Fabric
from fabrictool.fabric.tables import F8, Bool
from fabrictool.layout.model import Layout
from fabrictool.power.levels import Levels
from fabrictool.power.optics import Optics, without_optics

if TYPE_CHECKING:
    from fabrictool.facility import Facility


def _columns(levels: Levels) -> tuple[F8, F8, F8, F8]:
    return levels.idle_w, levels.low_w, levels.high_w, levels.mean_w


def device_w(layout: Layout, fabric: Fabric, levels: Levels, optics: Optics) -> F8:
    """Return idle, waiting, computing and mean power of each device, (devices, 4) in W.

    Typical figures of switches hold no optics, nor do maxima whose basis says so: what plugs in comes on top.
    """
    boxes = {box.name: box for box in layout.switch_types()}
    typical = np.array([name in boxes and boxes[name].power_typical_w is not None for name in fabric.types])
    bare = (typical | without_optics(layout, fabric))[fabric.devices.type] & (fabric.devices.tier > 0)
    columns = np.column_stack(_columns(levels))[fabric.devices.type]
    return np.asarray(columns + np.where(bare, optics.device_w, 0.0)[:, None])


def row_swings(house: Facility, swing_w: F8) -> dict[str, float]:
    """Return how far each row of racks swings, in W."""
    floor = house.plan.floor
    if floor is None:
        return {}
    total = np.bincount(floor.row, weights=np.nan_to_num(swing_w))
    return {floor.row_name(row): value for row, value in enumerate(total.tolist())}


def held(drawn_w: F8, it_w: F8) -> F8:
    """Return what racks draw, at most what they may."""
    return np.where(np.isnan(drawn_w), np.nan, np.fmin(drawn_w, it_w))


def parts_of(fabric: Fabric, columns: F8, counted: Bool) -> dict[str, F8]:
    """Return idle, waiting, computing and mean power by part; what is unknown is left out, as in every sum."""
    devices = fabric.devices
    counted = counted & np.isfinite(columns).all(axis=1)
    part = np.where(devices.tier > 0, 2 + devices.network, (devices.kind != KINDS.index("host")).astype(int))
    names = ["hosts", "service hosts", *(f"{network.name} switches" for network in fabric.networks)]
    found = {}
    for row, name in enumerate(names):
        mine = counted & (part == row)
        if mine.any():
            found[name] = columns[mine].sum(axis=0)
    return found


def capped(parts: dict[str, F8], house: Facility, free_w: list[F8], held_w: list[F8]) -> dict[str, F8]:
    """Take what caps of racks hold back off the hosts, whose accelerators they slow down."""
    if house.placement is None or "hosts" not in parts:
        return parts
    capped = np.isfinite(house.placement.racks.cap_w)
    cut = np.array([np.nansum((free - held)[capped]) for free, held in zip(free_w, held_w, strict=True)])
    return parts | {"hosts": parts["hosts"] - cut}
