"""The plant of a layout's hall under its weather: what it draws, and what outdoor air does not cool."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.cooling.air_units import air_capacity_j_per_m3_k
from fabrictool.cooling.circuits import circuits_of
from fabrictool.cooling.hall_air import HallAir
from fabrictool.cooling.hall_model import HallPlant, Measured
from fabrictool.cooling.liquid import COOLANTS
from fabrictool.cooling.loop_cooling import RISE_ALLOWED_K, LoopCooling
from fabrictool.cooling.loops import ride_through_s
from fabrictool.cooling.outdoors import Outdoors, outdoors
from fabrictool.cooling.plant_findings import plant_assumptions, too_warm
from fabrictool.cooling.year import JOULES_PER_KWH, Circuit, HallYear, hall_year
from fabrictool.records import Assumption, Finding

if TYPE_CHECKING:
    from fabrictool.cooling.at_work import CoolingAtWork
    from fabrictool.layout.model import Layout
    from fabrictool.layout.plant import Plant


@dataclass(frozen=True)
class PlantYear:
    """A hall's plant under its weather.

    Parameters
    ----------
    outdoors : Outdoors
    plant : Plant
    model : HallPlant
    measured : Measured
    year : HallYear
        At the racks' maxima.
    buffer_s : float
        Seconds until stored water is 10 K warmer once towers and compressors stop; NaN without a store.
    findings, assumptions : tuple
    """

    outdoors: Outdoors
    plant: Plant
    model: HallPlant
    measured: Measured
    year: HallYear
    buffer_s: float
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]

    @property
    def peak_w(self) -> float:
        """The most that the facility draws in an hour, in W."""
        return float(self.year.facility_w.max())

    def at_load(self, work: CoolingAtWork, electrical_w: float) -> HallYear:
        """Return the same year where IT draws less: flows go with the heat, pressures with the square of a flow.

        Parameters
        ----------
        work : CoolingAtWork
        electrical_w : float
            Lost in distribution, in W; NaN leaves it to the model.
        """
        air_w, liquid_w = (sum(c.heat_w for c in self.year.circuits if c.of_air is air) for air in (True, False))
        of_air = work.air_w / air_w if air_w > 0 else 0.0
        of_liquid = work.liquid_w / liquid_w if liquid_w > 0 else 0.0
        circuits = tuple(
            replace(circuit, heat_w=circuit.heat_w * (of_air if circuit.of_air else of_liquid))
            for circuit in self.year.circuits
        )
        m = self.model
        model = replace(
            m, air_pa=m.air_pa * of_air**2, chilled_pa=m.chilled_pa * of_air**2,
            coolant_pa=m.coolant_pa * of_liquid**2, facility_pa=m.facility_pa * of_liquid**2,
        )  # fmt: skip
        pumps_w = np.nan if np.isnan(self.measured.loop_pumps_w) else float(work.pumps_w.sum())
        known, outside = Measured(work.fans_w, pumps_w, electrical_w), self.outdoors
        share = work.liquid_w / work.it_w
        return hall_year(self.plant, circuits, work.it_w, share, model, known, outside.dry_c, outside.wet_c)

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

        def free_hours(warmer_k: float) -> int:
            return int(np.count_nonzero(hours.free_c + warmer_k <= circuit.required_c + 1e-9))

        within = self.outdoors.within_k
        return {
            "circuit": circuit.name,
            "heat_w": circuit.heat_w,
            "required_c": circuit.required_c,
            "free_hours": free_hours(0),
            "free_hours_within": [free_hours(within), free_hours(-within)] if within else None,
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
    plant, outside = hall.plant, outdoors(layout)
    circuits, assumed = circuits_of(plant, air_w, loops, loose_w, room)
    model = HallPlant(air_j_per_m3_k=air_capacity_j_per_m3_k(room.conditions), air_rise_k=room.conditions.rise_k)
    if not np.isnan(efficiency):
        model = replace(model, electrical=efficiency)
    known = _measured(room, loops)
    year = hall_year(plant, circuits, it_w, (it_w - air_w) / it_w, model, known, outside.dry_c, outside.wet_c)
    return PlantYear(
        outside, plant, model, known, year, _buffer_s(plant, circuits), tuple(too_warm(plant, year, loops, room)),
        (*outside.assumptions, *assumed, *plant_assumptions(plant, efficiency)),
    )  # fmt: skip


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
