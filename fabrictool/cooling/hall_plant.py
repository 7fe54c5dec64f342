"""The plant of a layout's hall under its weather: what it draws, and what outdoor air does not cool."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.cooling.air import pressure_pa
from fabrictool.cooling.air_units import APPROACH_K, WATER_RISE_K, air_capacity_j_per_m3_k, water_c
from fabrictool.cooling.hall_air import HallAir
from fabrictool.cooling.hall_model import HallPlant, Measured
from fabrictool.cooling.liquid import COOLANTS
from fabrictool.cooling.loop_cooling import RISE_ALLOWED_K, LoopCooling
from fabrictool.cooling.loop_design import APPROACH_K as CDU_APPROACH_K
from fabrictool.cooling.loops import ride_through_s
from fabrictool.cooling.psychrometrics import relative_humidity, wet_bulb_c
from fabrictool.cooling.synthetic import city, city_names, synthetic_year
from fabrictool.cooling.year import (
    CARNOT,
    CYCLES,
    DRY_K,
    EXCHANGER_K,
    JOULES_PER_KWH,
    PADS,
    TOWER_K,
    Circuit,
    HallYear,
    hall_year,
)
from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import F8
from fabrictool.records import Assumption, Finding

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout
    from fabrictool.layout.plant import Plant

FACILITY_RISE_K = 10.0


@dataclass(frozen=True)
class Outdoors:
    """Outdoor air, (hours,) each: dry and wet bulb in degC, and where it comes from."""

    name: str
    dry_c: F8
    wet_c: F8
    assumptions: tuple[Assumption, ...] = ()


@dataclass(frozen=True)
class PlantYear:
    """A hall's plant under its weather.

    Parameters
    ----------
    outdoors : Outdoors
    year : HallYear
    buffer_s : float
        Seconds until stored water is 10 K warmer once towers and compressors stop; NaN without a store.
    findings, assumptions : tuple
    """

    outdoors: Outdoors
    year: HallYear
    buffer_s: float
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]

    @property
    def peak_w(self) -> float:
        """The most that the facility draws in an hour, in W."""
        return float(self.year.facility_w.max())

    def to_dict(self) -> dict[str, Any]:
        """Return ``cooling.year`` of the JSON output."""
        year, hot = self.year, int(np.argmax(self.year.facility_w))
        kwh = 3600 / JOULES_PER_KWH
        return {
            "weather": self.outdoors.name,
            "hours": year.hours,
            **year.means(),
            "it_kwh": year.it_w * year.hours * kwh,
            "facility_kwh": float(year.facility_w.sum()) * kwh,
            "reused_kwh": float(year.reused_w.sum()) * kwh,
            "water_m3": float(year.water_kg.sum()) / 1e3,
            "peak_facility_w": self.peak_w,
            "peak_dry_bulb_c": float(self.outdoors.dry_c[hot]),
            "peak_wet_bulb_c": float(self.outdoors.wet_c[hot]),
            "buffer_s": None if np.isnan(self.buffer_s) else self.buffer_s,
            "circuits": [self._circuit(row) for row in range(len(year.circuits))],
        }

    def _circuit(self, row: int) -> dict[str, Any]:
        circuit, hours = self.year.circuits[row], self.year.years[row]
        free = hours.free_c <= circuit.required_c + 1e-9
        return {
            "circuit": circuit.name,
            "heat_w": circuit.heat_w,
            "required_c": circuit.required_c,
            "free_hours": int(free.sum()),
            "compressor_hours": int((hours.mechanical > 0).sum()),
            "partial_hours": int(((hours.mechanical > 0) & (hours.mechanical < 1)).sum()),
            "warmest_c": float(hours.free_c.max()),
        }


def plant_year(
    layout: Layout, it_w: float, air_w: float, loops: LoopCooling, loose_w: float, room: HallAir, efficiency: float
) -> PlantYear | None:
    """Return a hall's plant under its weather; None where no plant is stated or nothing draws power.

    Parameters
    ----------
    it_w, air_w : float
        IT power of all racks, and its heat to the hall's air, in W.
    loops : LoopCooling
    loose_w : float
        Heat to liquid of racks without a loop, in W.
    room : HallAir
    efficiency : float
        Of the electrical distribution; NaN where none is stated.
    """
    hall = layout.hall
    if hall is None or hall.plant is None or not it_w > 0:
        return None
    plant, outdoors = hall.plant, _outdoors(layout)
    circuits, assumed = _circuits(plant, air_w, loops, loose_w, room)
    model = HallPlant(air_j_per_m3_k=air_capacity_j_per_m3_k(room.conditions), air_rise_k=room.conditions.rise_k)
    if not np.isnan(efficiency):
        model = replace(model, electrical=efficiency)
    year = hall_year(
        plant, circuits, it_w, (it_w - air_w) / it_w, model, _measured(room, loops), outdoors.dry_c, outdoors.wet_c
    )
    return PlantYear(
        outdoors, year, _buffer_s(plant, circuits), tuple(_too_warm(plant, year, loops, room)),
        (*outdoors.assumptions, *assumed, *_assumptions(plant, efficiency, room, loops)),
    )  # fmt: skip


def _outdoors(layout: Layout) -> Outdoors:
    """Return the weather of a hall: a file's, a synthetic year, or the one hour that its plant states."""
    from fabrictool.formats.weather import read_weather

    hall = layout.hall
    plant, file = (hall.plant if hall else None), layout.weather_file()
    altitude = hall.altitude_m if hall and hall.altitude_m is not None else None
    if plant is not None and plant.outdoor is not None and hall is not None and hall.weather is None:
        dry = np.array([plant.outdoor.dry_bulb_c])
        wet = dry if plant.outdoor.wet_bulb_c is None else np.array([plant.outdoor.wet_bulb_c])
        return Outdoors("stated outdoor air", dry, wet)
    if file is not None:
        if not Path(file).is_file():
            fix = f"name a CSV or EPW file beside the layout, or a city: {', '.join(city_names())}"
            raise InputError([Problem("", f"there is no weather file '{file}'", fix, ("hall", "weather"))])
        found = read_weather(file)
        humid = np.where(np.isnan(found.humidity), relative_humidity(found.dry_c, found.dew_c), found.humidity)
        height = altitude if altitude is not None else found.elevation_m or 0.0
        return Outdoors(found.name, found.dry_c, wet_bulb_c(found.dry_c, humid, float(pressure_pa(height))))
    name = hall.weather if hall and hall.weather else ""
    months, elevation, source = city(name)
    dry, humid = synthetic_year(months)
    wet = wet_bulb_c(dry, humid, float(pressure_pa(elevation if altitude is None else altitude)))
    what = "8,760 synthetic hours from its monthly means; no year that ever was"
    return Outdoors(name, dry, wet, (Assumption(f"weather of {name}", what, source),))


def _circuits(
    plant: Plant, air_w: float, loops: LoopCooling, loose_w: float, room: HallAir
) -> tuple[tuple[Circuit, ...], tuple[Assumption, ...]]:
    """Return the water circuits that the plant serves: that of the air, and one for each loop that is stated."""
    found, assumed = [], []
    if air_w > 0:
        units = room.units
        given = [water_c(group, room.conditions) for group in units]
        water = plant.chilled_water_c if plant.chilled_water_c is not None else min(given, default=np.nan)
        if np.isnan(water):
            water = room.conditions.supply_c - APPROACH_K
            assumed.append(
                Assumption("chilled water of the air", f"{water:g} C", f"supply air less {APPROACH_K:g} K; assumed")
            )
        rise = min((group.water_rise_k or WATER_RISE_K for group in units), default=WATER_RISE_K)
        found.append(Circuit("air", air_w, water, rise, of_air=True))
    d, state = loops.design, loops.normal
    for row, loop in enumerate(loops.serving.stated):
        on = np.flatnonzero((loops.serving.stated_row == row) & (d.heat_w > 0))
        if not len(on):
            continue
        first, water = on[0], d.facility_c[on[0]]
        if np.isnan(water):
            less = 0.0 if d.coolant[first] == "water" else CDU_APPROACH_K
            water = d.supply_c[first] - less
            why = "its water comes from the plant" if not less else f"its supply less {less:g} K; assumed"
            assumed.append(Assumption(f"facility water of loop {loop.name}", f"{water:g} C", why))
        rise = state.facility_return_c[first] - water
        rise = rise if np.isfinite(rise) and rise > 0 else FACILITY_RISE_K
        found.append(Circuit(loop.name, float(d.heat_w[on].sum()), float(water), float(rise)))
    if loose_w > 0:
        assumed.append(
            Assumption("facility water of racks without a loop", "25 C", "30 C less an approach of 5 K; assumed")
        )
        found.append(Circuit("liquid", loose_w, 25.0, FACILITY_RISE_K))
    return tuple(found), tuple(assumed)


def _measured(room: HallAir, loops: LoopCooling) -> Measured:
    """Return what is known of fans and loop pumps: of all loops with heat, or nothing."""
    used = loops.design.heat_w > 0
    pumps = loops.normal.pumps_w[used]
    known = used.any() and bool((pumps > 0).all())
    return Measured(room.normal.fans_w if room.units else np.nan, float(pumps.sum()) if known else np.nan)


def _buffer_s(plant: Plant, circuits: tuple[Circuit, ...]) -> float:
    """Return how long stored water takes the heat of all circuits before it is 10 K warmer, in s; NaN without any."""
    if plant.buffer_m3 is None or not circuits:
        return float("nan")
    water = COOLANTS["water"]
    stored = plant.buffer_m3 * float(water.density_kg_per_m3(30) * water.heat_capacity_j_per_kg_k(30))
    return float(ride_through_s(stored, RISE_ALLOWED_K, sum(circuit.heat_w for circuit in circuits)))


def _too_warm(plant: Plant, year: HallYear, loops: LoopCooling, room: HallAir) -> Iterator[Finding]:
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
            on = np.flatnonzero((loops.serving.stated_row == row) & (loops.design.heat_w > 0))
            return float(loops.normal.supply_c[on].max()), float(loops.most_c[on].min()), "coolant"
    return 30.0, np.inf, "coolant"


def _assumptions(plant: Plant, efficiency: float, room: HallAir, loops: LoopCooling) -> Iterator[Assumption]:
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
