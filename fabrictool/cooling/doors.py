"""Rear doors and tanks: what their exchangers must do, and what they cannot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from fabrictool.cooling.heat import RackHeat
from fabrictool.cooling.loop_cooling import LoopCooling
from fabrictool.cooling.loops import BOILING, tank_m3_per_s
from fabrictool.fabric.tables import F8, Bool
from fabrictool.placement import Racks
from fabrictool.power.overloads import rack_list
from fabrictool.records import Finding

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout

#: Effectiveness that rear doors reach; assumed.
DOOR_EFFECTIVENESS = 0.8
#: K from a loop's supply to the cold oil of a tank, as of a CDU, and by how much oil warms; assumed.
TANK_APPROACH_K, OIL_RISE_K = 5.0, 10.0

Names = npt.NDArray[np.str_]


def door_effectiveness(air_w_per_k: F8, water_w_per_k: F8, heat_w: F8, air_c: F8, water_c: F8) -> F8:
    """Return the effectiveness that a door must have: heat over the most that any exchanger moves; inf if none can.

    Parameters
    ----------
    air_w_per_k, water_w_per_k : ndarray
        Heat capacity rates.
    heat_w : ndarray
        That it is to take.
    air_c, water_c : ndarray
        Air behind the devices and water to the door, in degC.

    Notes
    -----
    q / (C_min (T_air - T_water)).
    """
    most = np.minimum(air_w_per_k, water_w_per_k) * (air_c - water_c)
    return np.asarray(np.divide(heat_w, most, out=np.full(np.shape(heat_w), np.inf), where=most > 0))


def door_findings(racks: Racks, heat: RackHeat, loops: LoopCooling, outlet_c: F8, rise_k: float) -> Iterator[Finding]:
    """Yield racks whose doors cannot take what they are to: water too warm, or too much of it asked."""
    serving = loops.serving
    alone = (racks.cooling == "rear-door") & (serving.rack >= 0)
    row = np.where(alone, serving.rack, serving.door)
    taken = np.where(alone, heat.loop_w, heat.behind_w)
    has = (row >= 0) & (taken > 0)
    state = loops.normal
    supply, back = (np.append(values, np.nan)[row] for values in (state.supply_c, state.return_c))
    has &= np.isfinite(supply)
    warms = np.where(has, back - supply, 1.0)
    water = np.divide(taken, warms, out=np.full(len(row), np.inf), where=warms > 0)  # one that boils stays as warm
    needed = door_effectiveness(
        heat.through_w / rise_k, water, taken, np.where(has, outlet_c, 0), np.where(has, supply, 0)
    )
    for chosen, impossible in (
        (has & (needed >= 1), True),
        (has & (needed < 1) & (needed > DOOR_EFFECTIVENESS), False),
    ):
        rows = np.flatnonzero(chosen)
        if len(rows):
            yield _door(racks, rows, needed, outlet_c, supply, impossible)


def _door(racks: Racks, rows: npt.NDArray[np.int64], needed: F8, air_c: F8, water_c: F8, impossible: bool) -> Finding:
    worst = rows[np.argmax(needed[rows])]
    streams = f"from air of {air_c[worst]:.3g} C with water of {water_c[worst]:.3g} C"
    fix = "colder water, more air rise, or a smaller 'capture'"
    where = rack_list(racks.name, rows)
    if impossible:
        return Finding("door-too-warm", "error", where, f"no door takes that much heat {streams}", fix)
    message = (
        f"the door needs an effectiveness of {needed[worst]:.2f} {streams}; about {DOOR_EFFECTIVENESS:g} is reached"
    )
    return Finding("door-too-small", "warning", where, message, fix)


class Tanks(NamedTuple):
    """Immersion tanks, (racks,) each, NaN for other racks: warmest fluid in degC, oil or vapour moved in m3/s, kg/s."""

    bath_c: F8
    oil_m3_per_s: F8
    vapour_kg_per_s: F8


def tank_fluids(layout: Layout, racks: Racks) -> Names:
    """Return the fluid of each rack's tank, empty for other racks."""
    fluids = np.array([str(group.fluid or "oil") for group in layout.racks or []] or [""])
    return np.where(racks.cooling == "immersion", fluids[racks.group], "")


def tanks(fluid: Names, heat_w: F8, supply_c: F8) -> Tanks:
    """Return what moves in immersion tanks.

    Parameters
    ----------
    fluid : ndarray of str, (racks,)
        ``oil`` or one of ``BOILING``; empty for racks that are no tanks.
    heat_w, supply_c : ndarray, (racks,)
        Heat of each, and the coolant that takes it from the tank, in degC.
    """
    oil = fluid == "oil"
    bath = np.where(oil, supply_c + TANK_APPROACH_K + OIL_RISE_K, np.nan)
    vapour = np.full(len(fluid), np.nan)
    for name, known in BOILING.items():
        here = fluid == name
        bath, vapour = np.where(here, known.saturation_c, bath), np.where(here, heat_w / known.latent_j_per_kg, vapour)
    return Tanks(bath, np.where(oil, tank_m3_per_s(heat_w, OIL_RISE_K), np.nan), vapour)


def tank_findings(racks: Racks, fluid: Names, heat_w: F8, return_c: F8) -> Iterator[Finding]:
    """Yield tanks whose vapour cannot condense, and fluids that nobody makes any more.

    Parameters
    ----------
    return_c : ndarray, (racks,)
        Coolant that leaves the tank's condenser, in degC.
    """
    for name, known in BOILING.items():
        here = (fluid == name) & (heat_w > 0)
        rows = np.flatnonzero(here & (return_c >= known.saturation_c))
        if len(rows):
            back = float(return_c[rows].max())
            boils = f"{name} boils at {known.saturation_c:.3g} C"
            message = f"coolant would leave at {back:.3g} C, but {boils}: no vapour condenses"
            fix = f"supply_temperature and rise of the loop that stay below {known.saturation_c:.3g} C"
            yield Finding("tank-cannot-condense", "error", rack_list(racks.name, rows), message, fix)
    legacy: Bool = fluid == "Novec649"
    if legacy.any():
        where = rack_list(racks.name, np.flatnonzero(legacy))
        message = "the maker of Novec 649 ended production at the end of 2025"
        yield Finding("fluid-discontinued", "note", where, message, "plan for another fluid")
