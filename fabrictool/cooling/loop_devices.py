"""Devices on loops: the coolant and the flow that they ask for, moisture on cold pipes, and what nobody publishes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.cooling.conditions import AirConditions
from fabrictool.cooling.loop_cooling import LoopCooling
from fabrictool.cooling.loop_findings import LITRES_PER_MIN, alike
from fabrictool.cooling.psychrometrics import dew_point_c
from fabrictool.cooling.tolerances import Tolerances
from fabrictool.fabric.tables import F8, Bool, Fabric
from fabrictool.placement import Placement, Racks
from fabrictool.power.overloads import TOLERANCE, rack_list
from fabrictool.records import Finding

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout

#: By how much coolant stays above the dew point of the room, in K.
DEW_MARGIN_K = 2.0


def device_findings(
    layout: Layout, fabric: Fabric, placement: Placement, stands: Tolerances, liquid_w: F8, loops: LoopCooling
) -> Iterator[Finding]:
    """Yield what devices under cold plates ask for and do not get, one finding for each type and loop.

    Parameters
    ----------
    liquid_w : ndarray, (devices,)
        Heat of each device to its cold plates, in W; 0 where it has none.
    """
    rows = np.append(loops.serving.rack, -1)[placement.rack]
    plated = (np.nan_to_num(liquid_w) > 0) & (rows >= 0)
    coolants = {box.name: box.coolant for box in (*layout.switch_types(), *layout.host_types())}
    unknown = []
    for kind in np.unique(fabric.devices.type[plated]).tolist():
        name, here = fabric.types[kind], plated & (fabric.devices.type == kind)
        racks = np.unique(placement.rack[here]).astype(np.int64)
        if np.isnan(stands.coolant_max_c[kind]):
            unknown.append(name)
        loop = int(rows[here][0])
        wants, has = coolants.get(name), loops.design.coolant[loop]
        if wants is not None and wants != has:
            message = f"{name} are made for {wants}, but loop {loops.serving.name[loop]} has {has}"
            yield Finding("coolant-mismatch", "warning", rack_list(placement.racks.name, racks), message,
                          f"coolant: {wants} for this loop, or ask the vendor")  # fmt: skip
        heat = loops.design.heat_w[rows[here]]
        given = liquid_w[here] / heat * loops.normal.flow_m3_per_s[rows[here]]
        least, need = float(given.min()), float(stands.coolant_m3_per_s[kind])
        if least < need * (1 - TOLERANCE):
            rise = loops.normal.return_c[loop] - loops.normal.supply_c[loop]
            message = f"{name} get {LITRES_PER_MIN * least:.3g} of {LITRES_PER_MIN * need:.3g} l/min that they ask for"
            fix = f"rise: {np.floor(10 * rise * least / need) / 10:g} K or less, in place of {rise:.3g} K"
            yield Finding("coolant-short", "warning", rack_list(placement.racks.name, racks), message, fix)
    if unknown:
        message = f"no largest coolant temperature is known of {', '.join(unknown)}: supply is held against nothing"
        yield Finding("no-coolant-data", "note", ", ".join(unknown), message, "give coolant_inlet_max in the type")


def condensation(loops: LoopCooling, air: AirConditions) -> Iterator[Finding]:
    """Yield loops so cold that the room's moisture condenses on pipes and plates."""
    if air.humidity <= 0:
        return
    dew = float(dew_point_c(air.supply_c, air.humidity))
    cold = (loops.normal.supply_c < dew + DEW_MARGIN_K) & (loops.design.heat_w > 0)
    for row, where, _ in alike(loops, cold):
        message = (
            f"supplies {loops.normal.supply_c[row]:.3g} C, but the room's dew point is {dew:.3g} C: "
            f"coolant stays {DEW_MARGIN_K:g} K above it"
        )
        fix = f"supply_temperature of {np.ceil(10 * (dew + DEW_MARGIN_K)) / 10:g} C or more, or drier air"
        yield Finding("condensation", "warning", where, message, fix)


def without_heat(racks: Racks, dark: Bool, loops: LoopCooling) -> Iterator[Finding]:
    """Yield the racks on loops of which no power is known: their heat is in no loop.

    Parameters
    ----------
    dark : ndarray of bool, (racks,)
    """
    rows = np.flatnonzero(dark & (loops.serving.rack >= 0))
    if len(rows):
        names = sorted({loops.serving.name[row] for row in loops.serving.rack[rows].tolist()})
        message = f"no power is known of them: the heat of loop {', '.join(names[:8])} is larger than what is counted"
        yield Finding(
            "no-cooling-data", "warning", rack_list(racks.name, rows), message, "give power_max in their types"
        )
