"""Under which conditions a hall cools: what the layout gives, and stated defaults for the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from fabrictool.records import Assumption

if TYPE_CHECKING:
    from fabrictool.layout.model import Hall, Loop

T = TypeVar("T", float, str)

_TC99 = "ASHRAE TC 9.9 Thermal Guidelines, 5th edition (2021)"
_PROFILE = "DGX B200 rack profile: 150 CFM/kW is 11.84 K"


@dataclass(frozen=True, slots=True)
class AirConditions:
    """Air at the racks' inlets: temperature in degC, rise in K, relative humidity and altitude in m."""

    supply_c: float
    rise_k: float
    humidity: float
    altitude_m: float
    assumptions: tuple[Assumption, ...] = ()


@dataclass(frozen=True, slots=True)
class LiquidConditions:
    """Liquid at the racks: supply temperature in degC, rise in K and which coolant."""

    supply_c: float
    rise_k: float
    coolant: str
    assumptions: tuple[Assumption, ...] = ()


def air_conditions(hall: Hall | None) -> AirConditions:
    """Return the air of a hall."""
    assumed: list[Assumption] = []
    supply, rise, humidity, altitude = (
        getattr(hall, key, None) for key in ("supply_temperature_c", "air_rise_k", "humidity", "altitude_m")
    )
    return AirConditions(
        _or(supply, 25.0, "supply air temperature", "25 C", f"{_TC99}: recommended 18-27 C", assumed),
        _or(rise, 12.0, "air temperature rise", "12 K", _PROFILE, assumed),
        _or(humidity, 0.5, "relative humidity of supply air", "50 %", f"within {_TC99}; assumed", assumed),
        _or(altitude, 0.0, "altitude", "0 m", "sea level; assumed", assumed),
        tuple(assumed),
    )


def liquid_conditions(hall: Hall | None) -> LiquidConditions:
    """Return the liquid of cold plates and immersion tanks: the technology loop."""
    loop, assumed = _loop(hall)
    supply, rise, coolant = _given(loop)
    return LiquidConditions(
        _or(supply, 30.0, "coolant supply temperature", "30 C", "common operating point 27-32 C", assumed),
        _or(rise, 10.0, "coolant temperature rise", "10 K", "common for direct liquid cooling, 5-20 K", assumed),
        _or(coolant, "PG25", "coolant", "PG25", "common for direct liquid cooling; assumed", assumed),
        tuple(assumed),
    )


def door_conditions(hall: Hall | None) -> LiquidConditions:
    """Return the water of rear doors: colder than the supply air, or it could not take the heat back."""
    loop, assumed = _loop(hall)
    supply, rise, coolant = _given(loop)
    return LiquidConditions(
        _or(supply, 17.0, "rear-door water supply temperature", "17 C", "ASHRAE facility-water class W17", assumed),
        _or(rise, 10.0, "rear-door water temperature rise", "10 K", "as for direct liquid cooling; assumed", assumed),
        _or(coolant, "water", "rear-door coolant", "water", "facility water; assumed", assumed),
        tuple(assumed),
    )


def _given(loop: Loop | None) -> tuple[float | None, float | None, str | None]:
    return (None, None, None) if loop is None else (loop.supply_temperature_c, loop.rise_k, loop.coolant)


def _loop(hall: Hall | None) -> tuple[Loop | None, list[Assumption]]:
    """Return the loop that serves the racks: the first one; that is an assumption where loops differ."""
    loops = (hall.loops if hall else None) or []
    if not loops:
        return None, []
    if len({_given(loop) for loop in loops}) == 1:
        return loops[0], []
    source = f"the first of {len(loops)} loops with different temperatures or coolants"
    return loops[0], [Assumption("loop of all racks that take liquid", loops[0].name, source)]


def _or(given: T | None, default: T, what: str, value: str, source: str, assumed: list[Assumption]) -> T:
    """Return what is given, else the default and a note of it."""
    if given is not None:
        return given
    assumed.append(Assumption(what, value, source))
    return default


def once(assumptions: Iterable[Assumption]) -> tuple[Assumption, ...]:
    """Return each assumption once, in order."""
    return tuple(dict.fromkeys(assumptions))
