"""Racks that are held below their nameplates, and what that leaves to their accelerators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.catalogue.types import HostType
from fabrictool.fabric.tables import F8, Fabric
from fabrictool.placement import Placement
from fabrictool.power.demand import capped_speed
from fabrictool.power.overloads import Overload, kilowatts, overloads, rack_list
from fabrictool.records import Finding

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout

#: Exponents between which the speed of accelerators follows their power where computing limits; assumed.
EXPONENTS = (0.5, 0.3)


def cap_findings(layout: Layout, fabric: Fabric, placement: Placement, nameplate_w: F8) -> Iterator[Finding]:
    """Yield racks whose nameplates are above their cap, with what is left to each accelerator.

    Parameters
    ----------
    nameplate_w : ndarray, (racks,)
        Sum of the maxima of what stands in each rack, in W.
    """
    gpus, gpu_w = _accelerators(layout, fabric, placement)
    for over in overloads(placement, nameplate_w, placement.racks.cap_w):
        yield _finding(over, placement, float(gpus[over.racks[0]]), float(gpu_w[over.racks[0]]))


def _accelerators(layout: Layout, fabric: Fabric, placement: Placement) -> tuple[F8, F8]:
    """Return accelerators of each rack and their power together in W, NaN where a type does not give it, (racks,)."""
    boxes = {box.name: box for box in layout.host_types()}
    found = [boxes.get(name) for name in fabric.types]
    number = np.array([box.gpus_per_host if isinstance(box, HostType) else 0 for box in found], dtype=np.float64)
    each = np.array([(box.gpu_power_w if box else None) or np.nan for box in found], dtype=np.float64)
    power = np.where(number > 0, number * each, 0.0)
    types = fabric.devices.type
    unknown = placement.sum_by_rack(np.isnan(power[types])) > 0
    return placement.sum_by_rack(number[types]), np.where(unknown, np.nan, placement.sum_by_rack(power[types]))


def _finding(over: Overload, placement: Placement, gpus: float, gpu_w: float) -> Finding:
    count, where = len(over.racks), rack_list(placement.racks.name, over.racks)
    what = f"{count:,} rack{'s' if count > 1 else ''} of {kilowatts(over.load, over.limit)}"
    what = what.replace(" of ", " with nameplates of ", 1).replace(" kW", " kW that the cap allows")
    if not gpus or np.isnan(gpu_w):
        fix = "give gpu_power in the type, which says what the cap costs"
        return Finding("power-capped", "warning", where, f"{what}; what that costs is unknown", fix)
    left_w, each_w = over.limit - (over.load - gpu_w), gpu_w / gpus
    if left_w <= 0:
        others = (over.load - gpu_w) / 1e3
        message = f"{what}, but {others:.1f} kW are drawn by what is no accelerator"
        return Finding("cap-too-low", "error", where, message, f"a cap above {others:.1f} kW, or fewer hosts a rack")
    low, high = (100 * float(capped_speed(left_w / gpus, each_w, exponent)) for exponent in EXPONENTS)
    speed = f"{low:.0f}-{high:.0f} % of its speed where computing limits"
    message = f"{what}: {left_w / gpus:,.0f} of {each_w:,.0f} W an accelerator, {speed}"
    return Finding("power-capped", "warning", where, message, "fewer hosts a rack, or accept it")
