"""Air at the racks' inlets against what devices stand: temperature, cold and moisture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.cooling.conditions import AirConditions, air_conditions
from fabrictool.cooling.psychrometrics import dew_point_c
from fabrictool.cooling.room import AIR_CLASSES, inlet_max_c
from fabrictool.cooling.tolerances import Tolerances
from fabrictool.fabric.tables import F8, Bool, Fabric
from fabrictool.placement import Placement, Racks
from fabrictool.placement.figures import has_figures
from fabrictool.power.overloads import TOLERANCE, rack_list
from fabrictool.records import Assumption, Finding

if TYPE_CHECKING:
    from fabrictool.cooling.hall_air import HallAir
    from fabrictool.layout.model import Layout

DEFAULT_CLASS = "A2"
#: By how much warmer than others' a rack's inlet must be for too little air to be named.
NOTICED_K = 1.0
#: Above which ASHRAE's classes say nothing, in m.
HIGHEST_M = 3050.0


def air_findings(
    layout: Layout, fabric: Fabric, placement: Placement, stands: Tolerances, inlet_c: F8
) -> tuple[tuple[Finding, ...], tuple[Assumption, ...]]:
    """Return inlets that devices do not stand, one finding for each type, and the class that was assumed.

    Parameters
    ----------
    inlet_c : ndarray, (racks,)
        Air in front of the devices, in degC; NaN where none passes.
    """
    hall = layout.hall
    air = air_conditions(hall)
    name = DEFAULT_CLASS if hall is None or hall.air_class is None else hall.air_class
    most = inlet_limits_c(layout, stands, air)
    least = np.where(np.isnan(stands.inlet_min_c), AIR_CLASSES[name].allowable_c[0], stands.inlet_min_c)
    at = np.append(inlet_c, np.nan)[placement.rack]
    at = np.where(has_figures(fabric), at, np.nan)
    types = fabric.devices.type
    found = [
        *_beyond(fabric, placement, at, most[types], 1, air.supply_c),
        *_beyond(fabric, placement, at, least[types], -1, air.supply_c),
        *_recommended(at, name, (at >= least[types] - 1e-6) & (at <= most[types] + 1e-6), placement),
        *_damp(air.supply_c, air.humidity, air.altitude_m, name, bool(np.isfinite(at).any())),
    ]
    breathing = np.isfinite(at) & np.isnan(stands.inlet_max_c[types])
    if not breathing.any() or (hall is not None and hall.air_class is not None):
        return tuple(found), ()
    limit = float(inlet_max_c(name, air.altitude_m))
    value = f"{name}: {AIR_CLASSES[name].allowable_c[0]:g} to {limit:.3g} C"
    source = "ASHRAE TC 9.9 Thermal Guidelines, 5th edition (2021), table 2.1; assumed"
    return tuple(found), (Assumption("air class of devices that state no inlet temperature", value, source),)


def inlet_limits_c(layout: Layout, stands: Tolerances, air: AirConditions) -> F8:
    """Return the warmest inlet air that each type stands, (types,) in degC: its own, else that of the hall's class."""
    hall = layout.hall
    name = DEFAULT_CLASS if hall is None or hall.air_class is None else hall.air_class
    return np.where(np.isnan(stands.inlet_max_c), inlet_max_c(name, air.altitude_m), stands.inlet_max_c)


def _beyond(
    fabric: Fabric, placement: Placement, at_c: F8, limit_c: F8, sign: int, supply_c: float
) -> Iterator[Finding]:
    """Yield one finding for each type whose air is too warm (sign 1) or too cold (-1)."""
    wrong = sign * (at_c - limit_c) > 1e-6
    for row in np.unique(fabric.devices.type[wrong]).tolist():
        chosen = np.flatnonzero(wrong & (fabric.devices.type == row))
        worst = chosen[np.argmax(sign * at_c[chosen])]
        over = abs(float(at_c[worst] - limit_c[worst]))
        racks = np.unique(placement.rack[chosen]).astype(np.int64)
        where, word = rack_list(placement.racks.name, racks), ("most", "least")[sign < 0]
        message = f"inlet air of {at_c[worst]:.3g} C, but {fabric.types[row]} stands {limit_c[worst]:.3g} C at {word}"
        if sign > 0:
            colder = np.floor(10 * (supply_c - over)) / 10
            fix = f"supply_temperature of {colder:g} C, or less recirculation by containment"
            yield Finding("inlet-too-warm", "error", where, message, fix)
        else:
            yield Finding(
                "inlet-too-cold", "warning", where, message, f"supply_temperature of {np.ceil(supply_c + over):g} C"
            )


def starved_findings(racks: Racks, room: HallAir) -> Iterator[Finding]:
    """Yield racks before which tiles blow less than they take, though handlers blow enough for all of them."""
    state, least = room.normal, room.conditions.recirculation
    if state.need_m3_per_s * (1 - least) > state.airflow_m3_per_s * (1 + TOLERANCE):
        return
    coolest = float(np.nanmin(state.racks_c, initial=np.inf))
    rows = np.flatnonzero((state.rack_recirculation > least + 1e-9) & (state.racks_c > coolest + NOTICED_K))
    if not len(rows):
        return
    worst = rows[np.argmax(state.racks_c[rows])]
    share, at = float(state.rack_recirculation[worst]), float(state.racks_c[worst])
    message = (
        f"tiles blow less than racks take: up to {100 * share:.0f} % of their inlet air is exhaust, "
        f"{at:.3g} C where other racks have {coolest:.3g} C"
    )
    fix = "air_spread: balanced (tiles or in-row coolers by what racks take), containment, or more racks with less heat"
    yield Finding("rack-short-of-air", "warning", rack_list(racks.name, rows), message, fix)


def _recommended(at_c: F8, name: str, allowed: Bool, placement: Placement) -> Iterator[Finding]:
    """Yield a note on inlets that are allowed but not recommended."""
    low, high = AIR_CLASSES[name].recommended_c
    outside = allowed & ((at_c > high + 1e-6) | (at_c < low - 1e-6))
    if not outside.any():
        return
    racks = np.unique(placement.rack[outside]).astype(np.int64)
    worst = float(at_c[outside][np.argmax(np.abs(at_c[outside] - (low + high) / 2))])
    message = f"inlet air of {worst:.3g} C is allowed, but {low:g} to {high:g} C are recommended for class {name}"
    fix = "accept it for the hours that it lasts, or change supply_temperature"
    yield Finding("inlet-not-recommended", "note", rack_list(placement.racks.name, racks), message, fix)


def _damp(supply_c: float, humidity: float, altitude_m: float, name: str, breathing: bool) -> Iterator[Finding]:
    """Yield what is said of moisture and height, where any device breathes the hall's air."""
    if not breathing:
        return
    if humidity > 0:
        dew, most = float(dew_point_c(supply_c, humidity)), AIR_CLASSES[name].dew_max_c
        if dew > most:
            message = f"dew point of {dew:.3g} C, above {most:g} C of class {name}"
            yield Finding("air-too-damp", "warning", "hall", message, "drier air: a lower humidity at this temperature")
    if altitude_m > HIGHEST_M:
        message = f"{altitude_m:,.0f} m is above {HIGHEST_M:,.0f} m, where ASHRAE's classes end"
        yield Finding("altitude", "warning", "hall", message, "ask the vendors for limits at this height")
