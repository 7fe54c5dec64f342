"""Air handlers of a hall: whether they blow and cool enough, with all of them and after a loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.cooling.air import (
    humidity_ratio,
    moist_air_density_kg_per_m3,
    pressure_pa,
)
from fabrictool.cooling.banks import attainable_c
from fabrictool.cooling.conditions import AirConditions
from fabrictool.cooling.exchangers import counterflow_effectiveness, rated_conductance_w_per_k
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
        Air that racks ask for, and that handlers blow; inf where none is stated.
    supply_c, return_c, inlet_c : float
        In degC.
    recirculation, bypass : float
        Share of the racks' inlet air that is exhaust, and of the handlers' air that passes no rack.
    return_index : float
        In %: above 100 air recirculates, below it by-passes.
    capacity_w, load : float
        Heat that handlers take at the supply temperature, and the share of it that is used; NaN without handlers.
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

    def to_dict(self) -> dict[str, Any]:
        """Return the state in JSON; null for what takes handlers that are not stated."""
        keys = ("heat_w", "fans_w", "need_m3_per_s", "airflow_m3_per_s", "supply_c", "return_c", "inlet_c")
        keys_too = ("recirculation", "bypass", "return_index", "capacity_w", "load")
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


def air_state(hall: Hall | None, air: AirConditions, heat_w: float, running: F8 | None = None) -> AirState:
    """Return the air of a hall.

    Parameters
    ----------
    heat_w : float
        Of racks to the hall's air, in W.
    running : ndarray, (groups,), optional
        Handlers of each group; all of them by default.

    Notes
    -----
    Where racks ask for more air than handlers blow, they breathe exhaust for the rest: r = 1 - V_unit / V_racks. Where
    coils take less heat than there is at the supply temperature, air gets warmer until they do. All groups share the
    heat by their airflow and mix.
    """
    units = (hall.air_units if hall else None) or []
    rate = air_capacity_j_per_m3_k(air)
    need = heat_w / (rate * air.rise_k)
    if not units:
        inlet = air.supply_c + air.recirculation / (1 - air.recirculation) * air.rise_k
        none, nan = np.zeros(0), float("nan")
        back = inlet + air.rise_k
        return AirState(
            none, heat_w, 0.0, need, np.inf, air.supply_c, back, inlet, air.recirculation, nan, nan, nan, nan
        )
    count = np.array([group.count for group in units], dtype=np.float64) if running is None else running
    flow = np.array([group.airflow_m3_per_s for group in units])
    total = float((count * flow).sum())
    fans = float((count * np.array([_fans_w(group) for group in units])).sum())
    if total <= 0:
        hot, nan = float("inf"), float("nan")
        return AirState(count, heat_w, 0.0, need, 0.0, hot, hot, hot, 1.0, nan, nan, 0.0, hot)
    heat = heat_w + fans
    supply, capacity = _supply(units, air, rate, heat, count, flow)
    share = max(air.recirculation, 1 - total / need) if need > 0 else air.recirculation
    inlet = supply + share / (1 - share) * air.rise_k
    return AirState(
        count, heat, fans, need, total, supply, supply + heat / (rate * total), inlet, share,
        1 - need * (1 - share) / total, 100 * need / total, capacity, heat / capacity if capacity > 0 else np.inf,
    )  # fmt: skip


def _fans_w(group: AirUnits) -> float:
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
