"""A year of a hall: free cooling, compressors, water and efficiency hour by hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fabrictool.cooling.hall_model import HallPlant, HallState, Measured, hall_state
from fabrictool.cooling.metrics import energy_reuse_effectiveness, energy_reuse_factor, power_usage_effectiveness
from fabrictool.cooling.plant import (
    MOST_COP,
    adiabatic_air_c,
    chiller,
    dry_water_c,
    heat_pump,
    latent_heat_j_per_kg,
    tower_water,
    tower_water_c,
)
from fabrictool.fabric.tables import F8

if TYPE_CHECKING:
    from fabrictool.layout.plant import Plant

#: K that a tower's and a dry cooler's water stay above wet and dry bulb, and of a water-to-water exchanger.
TOWER_K, DRY_K, EXCHANGER_K = 4.0, 8.0, 3.0
CARNOT, PADS, CYCLES = 0.5, 0.8, 5.0
#: K by which the air through a dry cooler warms: for the water that its pads evaporate; assumed.
DRY_AIR_RISE_K = 10.0
JOULES_PER_KWH = 3.6e6


@dataclass(frozen=True, slots=True)
class Circuit:
    """Water that a plant supplies: name, heat that it takes in W, its supply and rise in degC and K, and for what."""

    name: str
    heat_w: float
    required_c: float
    rise_k: float
    of_air: bool = False


class CircuitYear(NamedTuple):
    """A circuit hour by hour: water that outdoor air gives, share that compressors take, their COP."""

    free_c: F8
    mechanical: F8
    cop: F8


@dataclass(frozen=True)
class HallYear:
    """A hall through a year, (hours,) each; energies of the year in J.

    Parameters
    ----------
    circuits : tuple of Circuit
        Chilled water of the air, and facility water of loops.
    years : tuple of CircuitYear
        Of each circuit.
    state : HallState
    water_kg : ndarray
        Made up in each hour.
    reused_w, heat_pump_w : ndarray
        Heat delivered to others, and electricity that lifts it.
    facility_w : ndarray
        All that the facility draws.
    it_w : float
    """

    circuits: tuple[Circuit, ...]
    years: tuple[CircuitYear, ...]
    state: HallState
    water_kg: F8
    reused_w: F8
    heat_pump_w: F8
    facility_w: F8
    it_w: float

    @property
    def hours(self) -> int:
        """Hours that are held."""
        return len(self.facility_w)

    @property
    def pue(self) -> F8:
        """Facility over IT power, (hours,)."""
        return np.asarray(self.facility_w / self.it_w)

    @property
    def plant_w(self) -> F8:
        """What compressors, pumps outside of loops, towers and heat pumps draw, (hours,) in W."""
        s = self.state
        return np.asarray(s.chilled_pumps_w + s.facility_pumps_w + s.chillers_w + s.rejection_w + self.heat_pump_w)

    def means(self) -> dict[str, float]:
        """Return PUE, its parts, WUE in l/kWh, ERF and ERE of the year (ISO/IEC 30134)."""
        it, total, reused = self.it_w * self.hours, float(self.facility_w.sum()), float(self.reused_w.sum())
        s = self.state
        cooling = s.fans_w + s.coolant_pumps_w + s.chilled_pumps_w + s.facility_pumps_w + s.chillers_w + s.rejection_w
        return {
            "pue": float(power_usage_effectiveness(it, total - it)),
            "pue_least": float(self.pue.min()),
            "pue_most": float(self.pue.max()),
            "ppue_cooling": float(power_usage_effectiveness(it, float((cooling + self.heat_pump_w).sum()))),
            "ppue_electrical": float(
                power_usage_effectiveness(it, float((s.electrical_w + 0 * self.facility_w).sum()))
            ),
            "wue_l_per_kwh": float(self.water_kg.sum() / (it * 3600 / JOULES_PER_KWH)),
            "erf": float(energy_reuse_factor(reused, total)),
            "ere": float(energy_reuse_effectiveness(total, reused, it)),
        }


def circuit_year(plant: Plant, circuit: Circuit, dry_c: F8, wet_c: F8) -> CircuitYear:
    """Return what outdoor air does for a circuit, hour by hour.

    Parameters
    ----------
    dry_c, wet_c : ndarray, (hours,)
        Dry and wet bulb in degC.

    Notes
    -----
    An hour is free where T_wb + approach + exchanger <= T_required (tower), or T_db + approach <= T_required (dry
    cooler; behind wetted pads where dry air does not do). With a ``partial`` economiser outdoor air takes what it can
    of the rise, and compressors the rest.
    """
    tower = plant.rejection == "tower"
    approach = _or(plant.approach_k, TOWER_K if tower else DRY_K)
    outdoor = wet_c if tower else _pads_c(plant, circuit, dry_c, wet_c, approach)
    free = (
        tower_water_c(wet_c, approach + _or(plant.exchanger_k, EXCHANGER_K))
        if tower
        else dry_water_c(outdoor, approach)
    )
    short = free > circuit.required_c + 1e-9
    share = {
        "full": short.astype(np.float64),
        "partial": np.clip((free - circuit.required_c) / circuit.rise_k, 0, 1),
        "none": np.ones(len(dry_c)),
    }[plant.economiser]
    shift = approach - (TOWER_K if tower else DRY_K)
    machine = chiller(circuit.required_c, outdoor + shift, tower, _or(plant.carnot, CARNOT), MOST_COP)
    return CircuitYear(free, np.asarray(share if plant.chiller else 0 * share), machine.cop)


def _pads_c(plant: Plant, circuit: Circuit, dry_c: F8, wet_c: F8, approach_k: float) -> F8:
    """Return the air that a dry cooler takes in, in degC: behind its pads where dry air does not do."""
    if plant.rejection != "adiabatic":
        return dry_c
    wetted = adiabatic_air_c(dry_c, wet_c, _or(plant.pads, PADS))
    return np.where(dry_c + approach_k > circuit.required_c, wetted, dry_c)


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def hall_year(
    plant: Plant, circuits: tuple[Circuit, ...], it_w: float, liquid: float, model: HallPlant, measured: Measured,
    dry_c: F8, wet_c: F8,
) -> HallYear:  # fmt: skip
    """Return a hall through the hours of a year.

    Parameters
    ----------
    circuits : tuple of Circuit
        At most one ``of_air`` takes the air's heat; the others that of loops.
    it_w, liquid : float
        IT power in W, and the share of its heat that goes to liquid.
    model : HallPlant
    measured : Measured
    dry_c, wet_c : ndarray, (hours,)
        Outdoor air in degC.
    """
    years = tuple(circuit_year(plant, circuit, dry_c, wet_c) for circuit in circuits)
    air = [year for circuit, year in zip(circuits, years, strict=True) if circuit.of_air]
    wet = [(circuit, year) for circuit, year in zip(circuits, years, strict=True) if not circuit.of_air]
    air_cop = _over(air[0].cop, air[0].mechanical) if air else np.full(len(dry_c), np.inf)
    reuse = plant.reuse
    share = 0.0 if reuse is None or not wet else reuse.share
    state = hall_state(it_w, liquid, air_cop, model, _joint_cop(wet, len(dry_c)), share, measured)
    taken = (state.liquid_w + state.coolant_pumps_w + state.facility_pumps_w) * share
    delivered, lifting = _reused(plant, wet, np.asarray(taken + 0 * dry_c))
    return HallYear(
        circuits, years, state, _water_kg(plant, circuits, state.rejected_w, dry_c, wet_c), delivered, lifting,
        np.asarray(state.total_w + lifting), it_w,
    )  # fmt: skip


def _over(cop: F8, share: F8) -> F8:
    """Return the COP of a compressor that takes a share of the heat alone; inf where it takes none."""
    return np.asarray(np.divide(cop, share, out=np.full(np.shape(cop), np.inf), where=share > 0))


def _joint_cop(wet: list[tuple[Circuit, CircuitYear]], hours: int) -> F8:
    """Return one COP for all loops: their heat over what all compressors draw."""
    heat = sum(circuit.heat_w for circuit, _ in wet)
    drawn = np.zeros(hours)
    for circuit, year in wet:
        drawn = drawn + circuit.heat_w * year.mechanical / year.cop
    return np.asarray(np.divide(heat, drawn, out=np.full(hours, np.inf), where=drawn > 0))


def _reused(plant: Plant, wet: list[tuple[Circuit, CircuitYear]], taken_w: F8) -> tuple[F8, F8]:
    """Return the heat that others get and the electricity that lifts it, in W: nothing where water is warm enough."""
    reuse = plant.reuse
    if reuse is None or not wet:
        return 0 * taken_w, 0 * taken_w
    heat = sum(circuit.heat_w for circuit, _ in wet)
    source = sum(circuit.heat_w * (circuit.required_c + circuit.rise_k) for circuit, _ in wet) / heat
    if source - EXCHANGER_K >= reuse.sink_c:
        return taken_w, 0 * taken_w
    machine = heat_pump(min(source, reuse.sink_c - EXCHANGER_K), reuse.sink_c, reuse.carnot)
    return np.asarray(taken_w * machine.delivered), np.asarray(taken_w * machine.electricity)


def _water_kg(plant: Plant, circuits: tuple[Circuit, ...], rejected_w: F8, dry_c: F8, wet_c: F8) -> F8:
    """Return the water made up in each hour, in kg: a tower's evaporation and blowdown, or what pads evaporate."""
    joules = np.asarray(rejected_w) * 3600.0 + 0 * dry_c
    cycles = _or(plant.cycles, CYCLES)
    if plant.rejection == "tower":
        return tower_water(joules, latent_heat_j_per_kg(wet_c + _or(plant.approach_k, TOWER_K)), cycles).made_up
    if plant.rejection == "dry-cooler":
        return 0 * dry_c
    heat = sum(circuit.heat_w for circuit in circuits) or 1.0
    cooled = np.zeros(len(dry_c))
    for circuit in circuits:
        by_pads = dry_c - _pads_c(plant, circuit, dry_c, wet_c, _or(plant.approach_k, DRY_K))
        cooled = cooled + circuit.heat_w / heat * by_pads
    evaporating = joules * cooled / DRY_AIR_RISE_K
    return tower_water(evaporating, latent_heat_j_per_kg(wet_c), cycles).made_up
