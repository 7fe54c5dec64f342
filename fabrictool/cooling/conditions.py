"""Under which conditions a hall cools: what the layout gives, and stated defaults for the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from fabrictool.cooling.inlets import Reach
from fabrictool.cooling.loops import BOILING
from fabrictool.records import Assumption

if TYPE_CHECKING:
    from fabrictool.layout.cooling import Loop
    from fabrictool.layout.model import Hall

T = TypeVar("T", float, str)

_TC99 = "ASHRAE TC 9.9 Thermal Guidelines, 5th edition (2021)"
_PROFILE = "DGX B200 rack profile: 150 CFM/kW is 11.84 K"


_PLATES = (30.0, "common operating point 27-32 C")
_DOORS = (17.0, "ASHRAE facility-water class W17")
_FLUIDS = {"PG25": "common for direct liquid cooling; assumed", "water": "facility water; assumed"}
#: Share of the air at racks' inlets that is exhaust however much supply there is, by how aisles are contained; assumed.
RECIRCULATION = {"none": 0.15, "partial": 0.10, "cold-aisle": 0.05, "hot-aisle": 0.05, "chimney": 0.02}
#: Among which racks tiles' air is shared, by how aisles are contained: cold rooms around hot aisles are one pool.
REACH: dict[str | None, Reach] = {"cold-aisle": "aisle", "hot-aisle": "hall", "chimney": "hall"}
REACHES = {"aisle": "the racks of its aisle share it", "near": "what a rack leaves goes to those next to it"}


@dataclass(frozen=True, slots=True)
class AirConditions:
    """Air of a hall: supply in degC, rise in K, relative humidity, altitude in m, recirculation from 0 to below 1.

    ``reach`` says which racks share the air of a tile.
    """

    supply_c: float
    rise_k: float
    humidity: float
    altitude_m: float
    recirculation: float
    reach: Reach = "hall"
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
        _recirculation(hall, assumed),
        _reach(hall, assumed),
        tuple(assumed),
    )


def _recirculation(hall: Hall | None, assumed: list[Assumption]) -> float:
    what = "recirculation: exhaust in racks' inlet air"
    if hall is not None and hall.recirculation is not None:
        return hall.recirculation
    if hall is None or hall.containment is None:
        assumed.append(
            Assumption(what, "0 %", "no containment is stated: inlets are taken to be at supply temperature")
        )
        return 0.0
    share = RECIRCULATION[hall.containment]
    assumed.append(Assumption(what, f"{100 * share:g} %", f"containment {hall.containment}; assumed"))
    return share


def _reach(hall: Hall | None, assumed: list[Assumption]) -> Reach:
    """Return which racks share the air of a tile: all, where nothing is stated of aisles or handlers."""
    if hall is None or (hall.containment is None and hall.air_units is None and hall.air_spread is None):
        return "hall"
    reach = REACH.get(hall.containment, "near")
    if hall.air_spread == "balanced" or reach == "hall":
        return "hall"
    if hall.air_spread is None:
        how = f"one equal tile before each rack; {REACHES[reach]}"
        assumed.append(Assumption("supply air over the floor", how, "raised floor; assumed, see air_spread"))
    if hall.air_units is None:
        why = "no air handlers are stated"
        assumed.append(Assumption("supply air of the hall", "as much as its racks take together", why))
    return reach


def liquid_conditions(loop: Loop | None, doors: bool) -> LiquidConditions:
    """Return the liquid of a loop, or of racks without one.

    Parameters
    ----------
    doors : bool
        Whether rear doors alone take it: their water is colder than the supply air, or it could not take the heat back.
    """
    assumed: list[Assumption] = []
    supply, rise, coolant = (
        (None, None, None) if loop is None else (loop.supply_temperature_c, loop.rise_k, loop.coolant)
    )
    if coolant is not None and coolant in BOILING:
        return LiquidConditions(BOILING[coolant].saturation_c, 0.0, coolant)
    what, (least, source) = ("rear-door ", _DOORS) if doors else ("", _PLATES)
    fluid = "water" if doors else "PG25"
    water = "water " if doors else "coolant "
    return LiquidConditions(
        _or(supply, least, f"{what}{water}supply temperature", f"{least:g} C", source, assumed),
        _or(rise, 10.0, f"{what}{water}temperature rise", "10 K", "common for direct liquid cooling, 5-20 K", assumed),
        _or(coolant, fluid, f"{what}coolant", fluid, _FLUIDS[fluid], assumed),
        tuple(assumed),
    )


def _or(given: T | None, default: T, what: str, value: str, source: str, assumed: list[Assumption]) -> T:
    """Return what is given, else the default and a note of it."""
    if given is not None:
        return given
    assumed.append(Assumption(what, value, source))
    return default


def once(assumptions: Iterable[Assumption]) -> tuple[Assumption, ...]:
    """Return each assumption once, in order."""
    return tuple(dict.fromkeys(assumptions))
