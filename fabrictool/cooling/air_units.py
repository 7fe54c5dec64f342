"""Air handlers of a hall: whether they blow and cool enough, with all of them and after a loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fabrictool.cooling.air import (
    humidity_ratio,
    moist_air_density_kg_per_m3,
    pressure_pa,
)
from fabrictool.cooling.banks import attainable_c
from fabrictool.cooling.conditions import AirConditions
from fabrictool.cooling.exchangers import counterflow_effectiveness, rated_conductance_w_per_k
from fabrictool.cooling.inlets import Breathing, inlets_c, supply_over_need
from fabrictool.cooling.psychrometrics import moist_heat_capacity_j_per_kg_k
from fabrictool.cooling.room import moving_power_w
from fabrictool.fabric.tables import F8
from fabrictool.records import Assumption

if TYPE_CHECKING:
    from fabrictool.layout.cooling import AirUnits
    from fabrictool.layout.model import Hall

APPROACH_K, WATER_RISE_K = 8.0, 6.0
FAN_PA, FAN_EFFICIENCY = 400.0, 0.6


@dataclass(frozen=True)
class AirState:
    """Air of a hall with so many of its handlers running.

    Parameters
    ----------
    running : ndarray, (groups,)
        Handlers of each group.
    heat_w, fans_w : float
        That they take, fans included, and what fans draw.
    need_m3_per_s, airflow_m3_per_s : float
        Air that racks take together, and that handlers blow; inf where none is stated.
    supply_c, return_c, inlet_c : float
        In degC; the inlet is the mean of all air that racks breathe.
    recirculation, bypass : float
        Share of the racks' inlet air that is exhaust, and of the handlers' air that passes no rack.
    return_index : float
        In %: above 100 air recirculates, below it by-passes.
    capacity_w, load : float
        Heat that handlers take at the supply temperature, and the share of it that is used; NaN without handlers.
    racks_c, rack_recirculation : ndarray, (racks,)
        Inlet air of each rack in degC, and the share of it that is exhaust; NaN where none passes.
    excess_k : float
        How much warmer it is before the warmest rack than it would be with enough supply air.
    """

    running: F8
    heat_w: float
    fans_w: float
    need_m3_per_s: float
    airflow_m3_per_s: float
    supply_c: float
    return_c: float
    inlet_c: float
    recirculation: float
    bypass: float
    return_index: float
    capacity_w: float
    load: float
    racks_c: F8
    rack_recirculation: F8
    excess_k: float

    @property
    def warmest_c(self) -> float:
        """The warmest inlet air, in degC; the supply where no rack breathes."""
        breathes = np.isfinite(self.rack_recirculation)
        return float(self.racks_c[breathes].max()) if breathes.any() else self.supply_c

    def to_dict(self) -> dict[str, Any]:
        """Return the state in JSON; null for what takes handlers that are not stated."""
        keys = ("heat_w", "fans_w", "need_m3_per_s", "airflow_m3_per_s", "supply_c", "return_c", "inlet_c")
        keys_too = ("warmest_c", "recirculation", "bypass", "return_index", "capacity_w", "load")
        values = {key: getattr(self, key) for key in (*keys, *keys_too)}
        running = [int(number) for number in self.running.tolist()]
        return {"running": running} | {key: value if np.isfinite(value) else None for key, value in values.items()}


def lost_at_once(units: AirUnits) -> int:
    """Return the handlers of a group that may fail at once."""
    return {"N": 1, "N+1": 1, "N+2": 2, "2N": -(-units.count // 2)}[units.redundancy]


def air_capacity_j_per_m3_k(air: AirConditions) -> float:
    """Return the heat that a volume of supply air takes up, in J/(m3 K)."""
    total = pressure_pa(air.altitude_m)
    ratio = humidity_ratio(air.supply_c, air.humidity, total)
    density = moist_air_density_kg_per_m3(air.supply_c, ratio, total)
    return float(density * moist_heat_capacity_j_per_kg_k(air.supply_c, air.humidity, total))


def air_state(hall: Hall | None, air: AirConditions, racks: Breathing, running: F8 | None = None) -> AirState:
    """Return the air of a hall.

    Parameters
    ----------
    racks : Breathing
        That give heat to the hall's air.
    running : ndarray, (groups,), optional
        Handlers of each group; all of them by default.

    Notes
    -----
    Where racks take more air than reaches them, they breathe exhaust for the rest. Where coils take less heat than
    there is at the supply temperature, air gets warmer until they do. All groups share the heat by their airflow and
    mix.
    """
    units = (hall.air_units if hall else None) or []
    rate = air_capacity_j_per_m3_k(air)
    need = np.nan_to_num(racks.through_w) / (rate * air.rise_k)
    heat_w, asked = float(np.nansum(racks.air_w)), float(need.sum())
    if not units:
        mixed = _mixed(racks, air, air.supply_c, need, asked)
        back = mixed.mean_c + (heat_w / (rate * asked) if asked > 0 else 0.0)
        nan = float("nan")
        return AirState(
            np.zeros(0), heat_w, 0.0, asked, np.inf, air.supply_c, back, mixed.mean_c, mixed.share, nan, nan, nan, nan,
            mixed.inlet_c, mixed.recirculation, mixed.excess_k,
        )  # fmt: skip
    count = np.array([group.count for group in units], dtype=np.float64) if running is None else running
    flow = np.array([group.airflow_m3_per_s for group in units])
    total = float((count * flow).sum())
    fans = float((count * np.array([fans_w(group) for group in units])).sum())
    if total <= 0:
        return _without_air(count, heat_w, asked, need)
    heat = heat_w + fans
    supply, capacity = _supply(units, air, rate, heat, count, flow)
    mixed = _mixed(racks, air, supply, need, total)
    return AirState(
        count, heat, fans, asked, total, supply, supply + heat / (rate * total), mixed.mean_c, mixed.share,
        1 - asked * (1 - mixed.share) / total, 100 * asked / total, capacity,
        heat / capacity if capacity > 0 else np.inf, mixed.inlet_c, mixed.recirculation, mixed.excess_k,
    )  # fmt: skip


def _without_air(count: F8, heat_w: float, asked: float, need: F8) -> AirState:
    """Return a hall in which nothing blows: air before racks gets as warm as there is time."""
    hot, nan = float("inf"), float("nan")
    inlets, all_of_it = np.where(need > 0, hot, nan), np.where(need > 0, 1.0, nan)
    return AirState(
        count, heat_w, 0.0, asked, 0.0, hot, hot, hot, 1.0, nan, nan, 0.0, hot, inlets, all_of_it, hot
    )  # fmt: skip


class _Mixed(NamedTuple):
    """Inlets of racks in degC and their share of exhaust, (racks,), NaN where no air passes; and their means."""

    inlet_c: F8
    recirculation: F8
    mean_c: float
    share: float
    excess_k: float


def _mixed(racks: Breathing, air: AirConditions, supply_c: float, need: F8, supply_m3_per_s: float) -> _Mixed:
    """Return what racks breathe of so much supply air."""
    breathes, asked = need > 0, float(need.sum())
    if asked <= 0:
        none = np.full(len(need), np.nan)
        return _Mixed(none, none, supply_c, air.recirculation, 0.0)
    reaches = supply_over_need(need, supply_m3_per_s, racks.aisles, air.reach)
    limit = np.divide(racks.most_m3_per_s, need, out=np.full(len(need), np.inf), where=breathes)
    share = np.clip(1 - np.minimum(reaches, limit), air.recirculation, 1.0)
    warms = air.rise_k * np.divide(np.nan_to_num(racks.air_w), racks.through_w, out=0 * need, where=breathes)
    inlet = inlets_c(supply_c, need, warms, share, racks.aisles.hot)
    enough = inlets_c(supply_c, need, warms, np.full(len(need), air.recirculation), racks.aisles.hot)
    return _Mixed(
        np.where(breathes, inlet, np.nan),
        np.where(breathes, share, np.nan),
        supply_c + float(need @ (inlet - supply_c) / asked),  # so that rounding takes no mean below the supply
        float(need @ share / asked),
        float(inlet[breathes].max() - enough[breathes].max()),
    )


def fans_w(group: AirUnits) -> float:
    """Return what the fans of one handler draw, in W: as stated, else by airflow and pressure."""
    if group.fans_w is not None:
        return group.fans_w
    pressure = FAN_PA if group.fan_pressure_pa is None else group.fan_pressure_pa
    return float(moving_power_w(group.airflow_m3_per_s, pressure, FAN_EFFICIENCY))


def water_c(group: AirUnits, air: AirConditions) -> float:
    """Return the chilled water to a group's coils, in degC: as stated, else what makes it work as it is rated."""
    if group.water_temperature_c is not None:
        return group.water_temperature_c
    return air.supply_c - (APPROACH_K if group.approach_k is None else group.approach_k)


def _supply(
    units: list[AirUnits], air: AirConditions, rate: float, heat_w: float, count: F8, flow: F8
) -> tuple[float, float]:
    """Return the supply that coils hold, in degC, and the heat that they take at the one asked for, in W."""
    hot = rate * flow
    rated = np.array([group.capacity_w for group in units])
    cold = rated / np.array([WATER_RISE_K if group.water_rise_k is None else group.water_rise_k for group in units])
    approach = np.array([APPROACH_K if group.approach_k is None else group.approach_k for group in units])
    ua = rated_conductance_w_per_k(rated, hot, cold, approach)
    water = np.array([water_c(group, air) for group in units])
    each = heat_w * flow / (count * flow).sum()
    reached = attainable_c(np.maximum(each, 1e-9), hot, cold, ua, water)
    mixed = float((count * flow * np.maximum(reached, air.supply_c)).sum() / (count * flow).sum())
    least = np.minimum(hot, cold)
    moved = counterflow_effectiveness(ua / least, least / np.maximum(hot, cold)) * least
    takes = moved * np.maximum(air.supply_c - water, 0) / np.maximum(1 - moved / hot, 1e-12)
    # groups share heat by airflow, so the first that is full sets what all take
    share = flow / (count * flow).sum()
    full = np.where(count > 0, takes / share, np.inf)
    return mixed, float(full.min())


def unit_assumptions(hall: Hall | None) -> tuple[Assumption, ...]:
    """Name the figures of air handlers that the layout does not give."""
    made = []
    for group in (hall.air_units if hall else None) or []:
        if group.approach_k is None:
            made.append(
                Assumption(f"approach of {group.name}", f"{APPROACH_K:g} K", "supply air less chilled water; assumed")
            )
        if group.water_temperature_c is None:
            made.append(
                Assumption(f"chilled water of {group.name}", "supply air less the approach", "as it is rated; assumed")
            )
        if group.water_rise_k is None:
            made.append(
                Assumption(f"rise of water in {group.name}", f"{WATER_RISE_K:g} K", "common for chilled water; assumed")
            )
        if group.fans_w is None and group.fan_pressure_pa is None:
            made.append(
                Assumption(f"fans of {group.name}", f"{FAN_PA:g} Pa at {FAN_EFFICIENCY:g}", "reference hall; assumed")
            )
    return tuple(made)
