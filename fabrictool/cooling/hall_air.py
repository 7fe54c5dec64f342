"""The air of a hall in normal running and with handlers lost: as results, findings and seconds that it lasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.cooling.air_units import AirState, air_capacity_j_per_m3_k, air_state, lost_at_once, unit_assumptions
from fabrictool.cooling.conditions import AirConditions, air_conditions
from fabrictool.cooling.inlets import Breathing, one_rack
from fabrictool.cooling.loops import ride_through_s
from fabrictool.fabric.tables import F8
from fabrictool.power.overloads import TOLERANCE, kilowatts
from fabrictool.records import Assumption, Finding, Severity

if TYPE_CHECKING:
    from fabrictool.layout.cooling import AirUnits
    from fabrictool.layout.model import Hall


#: By how much too little air must warm an inlet to be named: doors that cool all exhaust leave air to breathe again.
NOTICED_K = 0.1


@dataclass(frozen=True)
class HallAir:
    """Air of a hall.

    Parameters
    ----------
    hall : Hall or None
    racks : Breathing
    conditions : AirConditions
    normal : AirState
    after_loss : tuple of AirState
        With the handlers of each group lost that its redundancy lets fail.
    with_one_lost : tuple of AirState
        With one handler of each group lost.
    ride_s : float
        Seconds until the room's air has warmed to ``most_c`` once fans or chilled water stop; NaN where nothing says.
    most_c : float
        Inlet air that all devices stand, in degC.
    """

    hall: Hall | None
    racks: Breathing
    conditions: AirConditions
    normal: AirState
    after_loss: tuple[AirState, ...]
    with_one_lost: tuple[AirState, ...]
    ride_s: float
    most_c: float
    assumptions: tuple[Assumption, ...]

    @property
    def units(self) -> tuple[AirUnits, ...]:
        """Handlers as stated."""
        return tuple((self.hall.air_units if self.hall else None) or ())

    def with_running(self, running: F8) -> AirState:
        """Return the air with so many handlers of each group running, (groups,)."""
        return air_state(self.hall, self.conditions, self.racks, running)

    def to_dict(self) -> dict[str, Any]:
        """Return ``cooling.air`` of the JSON output."""
        after = [
            {"lost": group.name, "units": lost_at_once(group)} | state.to_dict()
            for group, state in zip(self.units, self.after_loss, strict=True)
        ]
        groups = [group.name for group in self.units]
        lasts = self.ride_s if np.isfinite(self.ride_s) else None
        return {"groups": groups} | self.normal.to_dict() | {"ride_through_s": lasts, "after_loss": after}

    def findings(self) -> tuple[Finding, ...]:
        """Return what handlers cannot do, normally and after a loss."""
        normal = list(_short(self.normal, self, "", "error", "hall"))
        if normal:
            return tuple(normal)
        found: list[Finding] = []
        for group, state in zip(self.units, self.after_loss, strict=True):
            lost = lost_at_once(group)
            once = f"once {lost} of {group.count} {group.name} {'has' if lost == 1 else 'have'} failed: "
            severity: Severity = "warning" if group.redundancy == "N" else "error"
            found += _short(state, self, once, severity, f"hall, air handlers {group.name}")
        return tuple(found)


def no_air() -> dict[str, Any]:
    """Return ``cooling.air`` of a fabric of which no hall is known."""
    nothing = dict.fromkeys(air_state(None, air_conditions(None), one_rack(0.0)).to_dict())
    return {"groups": []} | nothing | {"running": [], "ride_through_s": None, "after_loss": []}


def hall_air(hall: Hall | None, air: AirConditions, racks: Breathing, most_c: float) -> HallAir:
    """Return the air of a hall for the heat that racks give to it.

    Parameters
    ----------
    racks : Breathing
    most_c : float
        Inlet air that all devices stand, in degC.
    """
    units = tuple((hall.air_units if hall else None) or ())
    count = np.array([group.count for group in units], dtype=np.float64)
    normal = air_state(hall, air, racks)

    def without(row: int, lost: int) -> AirState:
        left = count.copy()
        left[row] = max(left[row] - lost, 0)
        return air_state(hall, air, racks, left)

    volume = hall.volume_m3 if hall and hall.volume_m3 else float("nan")
    stored = volume * air_capacity_j_per_m3_k(air)
    warming, heat_w = max(most_c - normal.warmest_c, 0.0), float(np.nansum(racks.air_w))
    ride = float(ride_through_s(stored, warming, heat_w)) if heat_w > 0 else float("nan")
    return HallAir(
        hall, racks, air, normal, tuple(without(row, lost_at_once(group)) for row, group in enumerate(units)),
        tuple(without(row, 1) for row in range(len(units))), ride, most_c, unit_assumptions(hall),
    )  # fmt: skip


def _short(state: AirState, hall: HallAir, once: str, severity: Severity, where: str) -> Iterator[Finding]:
    """Yield what is short in a state: air, or cold."""
    suffix = "-after-loss" if once else ""
    fresh = state.need_m3_per_s * (1 - hall.conditions.recirculation)
    if not state.need_m3_per_s > 0:
        return
    if not state.airflow_m3_per_s > 0:
        message = f"{once}none is left to blow the {_flow(fresh)} m3/s that racks take"
        yield Finding(f"hall-short-of-air{suffix}", severity, where, message, "more air handlers, redundancy N+1")
        return
    if fresh > state.airflow_m3_per_s * (1 + TOLERANCE) and state.excess_k > NOTICED_K:
        needed = _needed(hall, fresh / max(state.airflow_m3_per_s, 1e-9), state)
        message = (
            f"{once}handlers blow {_flow(state.airflow_m3_per_s)} of {_flow(fresh)} m3/s of supply air that racks "
            f"take: {100 * state.recirculation:.0f} % of their inlet air is exhaust, up to {state.warmest_c:.3g} C"
        )
        yield Finding(f"hall-short-of-air{suffix}", severity, where, message, f"{needed}, or a larger air_rise")
    if state.load > 1 + TOLERANCE:
        needed = _needed(hall, state.load, state)
        message = (
            f"{once}{kilowatts(state.heat_w, state.capacity_w)} that handlers take: supply air rises from "
            f"{hall.conditions.supply_c:.3g} to {state.supply_c:.3g} C"
        )
        yield Finding(f"hall-over-cooling{suffix}", severity, where, message, f"{needed}, or colder chilled water")


def _flow(m3_per_s: float) -> str:
    return f"{m3_per_s:,.0f}" if m3_per_s >= 1000 else f"{m3_per_s:.3g}"


def _needed(hall: HallAir, factor: float, state: AirState) -> str:
    """Say how many handlers there would have to be, counting those lost."""
    running, stated = float(state.running.sum()), sum(group.count for group in hall.units)
    if not np.isfinite(factor) or factor > 1e4:
        return "more air handlers"
    return f"{np.ceil(running * factor - TOLERANCE) + stated - running:.0f} air handlers"
