"""What a plant without compressors leaves too warm, and what is assumed of any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.cooling.circuits import heated
from fabrictool.cooling.hall_air import HallAir
from fabrictool.cooling.loop_cooling import LoopCooling
from fabrictool.cooling.year import (
    CARNOT,
    CYCLES,
    DRY_K,
    EXCHANGER_K,
    PADS,
    TOWER_K,
    Circuit,
    HallYear,
)
from fabrictool.records import Assumption, Finding

if TYPE_CHECKING:
    from fabrictool.layout.plant import Plant


def too_warm(plant: Plant, year: HallYear, loops: LoopCooling, room: HallAir) -> Iterator[Finding]:
    """Yield circuits that outdoor air alone does not keep as cold as they are to be."""
    for circuit, hours in zip(year.circuits, year.years, strict=True) if not plant.chiller else ():
        over = float(hours.free_c.max()) - circuit.required_c
        if over <= 1e-9:
            continue
        count = int((hours.free_c > circuit.required_c + 1e-9).sum())
        now, most, what = _stands(circuit, loops, room)
        hot = f"{circuit.required_c + over:.3g} C, not {circuit.required_c:.3g} C"
        when = "" if year.hours == 1 else f" in the warmest hour, and is too warm in {count:,} of {year.hours:,} hours"
        message = f"outdoor air gives {hot}{when}: {what} up to {now + over:.3g} C"
        wrong = now + over > most + 1e-6
        message += f", above {most:.3g} C that devices stand" if wrong else ""
        fix = f"a chiller, or devices that stand water of {np.ceil(10 * (circuit.required_c + over)) / 10:g} C"
        fix += "" if plant.rejection != "dry-cooler" else ", or rejection: adiabatic or tower"
        yield Finding("plant-too-warm", "error" if wrong else "warning", f"circuit {circuit.name}", message, fix)


def _stands(circuit: Circuit, loops: LoopCooling, room: HallAir) -> tuple[float, float, str]:
    """Return what a circuit's devices get, what they stand, in degC, and what it is."""
    if circuit.of_air:
        return room.normal.warmest_c, room.most_c, "inlet air"
    for row, loop in enumerate(loops.serving.stated):
        if loop.name == circuit.name:
            on = heated(loops, row)
            return float(loops.normal.supply_c[on].max()), float(loops.most_c[on].min()), "coolant"
    return 30.0, np.inf, "coolant"


def plant_assumptions(plant: Plant, efficiency: float) -> Iterator[Assumption]:
    """Name the figures of a plant that the layout does not give; an ``efficiency`` of NaN is that of none."""
    tower = plant.rejection == "tower"
    if plant.approach_k is None:
        value = f"{TOWER_K if tower else DRY_K:g} K over the {'wet' if tower else 'dry'} bulb"
        yield Assumption(f"approach of the {plant.rejection}", value, "towers 3-5 K, dry coolers 8-12 K; assumed")
    if tower and plant.exchanger_k is None:
        yield Assumption("exchanger between tower and hall", f"{EXCHANGER_K:g} K", "common; assumed")
    if plant.rejection == "adiabatic" and plant.pads is None:
        yield Assumption("effectiveness of wetted pads", f"{PADS:g}", "0.7 to 0.9; assumed")
    if plant.rejection != "dry-cooler" and plant.cycles is None:
        yield Assumption("cycles of concentration", f"{CYCLES:g}", "common for treated water; assumed")
    if plant.chiller and plant.carnot is None:
        yield Assumption("chillers", f"{CARNOT:g} of Carnot's COP, 15 at most", "0.45 to 0.6; assumed")
    if np.isnan(efficiency):
        yield Assumption("efficiency of the distribution", "0.941", "transformer 0.99, UPS 0.96, busway 0.99; assumed")
    yield Assumption(
        "pumps, fans of rejection and the rest", "250 and 200 kPa, 1.5 % of rejected heat, 1 % of IT", "assumed"
    )
    yield Assumption("IT power through the year", "its maximum", "PUE hardly depends on it; energy goes with it")
