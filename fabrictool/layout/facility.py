"""What feeds a hall's racks: elements of the electrical supply from the utility on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from fabrictool import units
from fabrictool.catalogue.fields import NUMBER, Area, Count, Length, Model, Name, Power, Temperature, Voltage

Kind = Literal[
    "utility", "generator", "transformer", "ups", "rectifier", "busway", "panel", "shelf", "dc-dc", "busbar"
]  # fmt: skip
Efficiency = Annotated[float, Field(gt=0, le=1), NUMBER]
#: Load fraction and efficiency there.
Point = tuple[Annotated[float, Field(ge=0, le=2), NUMBER], Efficiency]
#: Named efficiency curves: 80 PLUS grades of internal redundant supplies at 230 V.
Grade = Literal["titanium", "platinum", "gold"]


@dataclass(frozen=True, slots=True)
class Rating:
    """What a module may deliver: apparent power in VA, or real power in W."""

    value: float
    apparent: bool

    def real_w(self, power_factor: float) -> float:
        """Return the real power that it may deliver, in W."""
        return self.value * power_factor if self.apparent else self.value


def _rating(value: object) -> Rating:
    if isinstance(value, str) and value.rstrip().endswith("W"):
        return Rating(units.parse(value, units.POWER), False)
    return Rating(units.parse(value, units.APPARENT_POWER), True)


if TYPE_CHECKING:
    RatingField = Rating
else:
    RatingField = Annotated[
        Rating,
        BeforeValidator(_rating),
        WithJsonSchema({"type": "string", "description": "such as '2.5 MVA' or '33 kW'", "examples": ["2.5 MVA"]}),
    ]


def _one_or_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


#: Elements of the supply that something draws from.
Sources = Annotated[
    list[Name], BeforeValidator(_one_or_list, json_schema_input_type=str | list[str]), Field(max_length=8)
]
#: How each of several equal machines draws from several elements: from all live ones evenly, from the first that is
#: alive, or they take them in turn, each one alone.
Supplied = Literal["all", "first", "in-turn"]


class Powered(Protocol):
    """What draws from the supply beside racks."""

    @property
    def sources(self) -> list[str]:
        """Elements that it hangs on; empty where it does not say."""

    @property
    def supplied(self) -> Supplied | None:
        """How it takes several."""


class Losses(Model):
    """Losses of a module: constant, and at full load beside that; the latter goes with the square of the load."""

    no_load_w: Power | None = Field(None, alias="no_load")
    full_load_w: Power | None = Field(None, alias="full_load")


class Bar(Model):
    """A direct-current copper bar: voltage, length one way, cross-section of each conductor, temperature."""

    voltage_v: Voltage = Field(alias="voltage")
    length_m: Length = Field(alias="length")
    area_m2: Area = Field(alias="area")
    temperature_c: Temperature = Field(20.0, alias="temperature")


class Supply(Model):
    """An element of the electrical supply between the utility and the feeds of racks.

    ``from`` names what it draws from: the first that is alive of several, as a transfer switch does, or with
    ``parallel`` all that are alive, evenly. ``count`` equal modules share its load. With ``racks`` there is one such
    element for each so many racks, in order. ``amps`` is its breaker or bar, of each line at the ``voltage`` that it
    delivers, from line to line.
    """

    name: Name
    kind: Kind
    sources: Sources = Field([], alias="from")
    parallel: bool = False
    rating: RatingField | None = None
    voltage_v: Voltage | None = Field(None, alias="voltage")
    amps: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False), NUMBER] | None = None
    continuous: Annotated[float, Field(gt=0, le=1), NUMBER] | None = None
    count: Annotated[int, Field(strict=True, ge=1, le=64)] = 1
    racks: Count | None = None
    efficiency: Efficiency | Grade | Annotated[list[Point], Field(min_length=2, max_length=32)] | None = None
    losses: Losses | None = None
    bar: Bar | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain_efficiency(cls, data: Any) -> Any:
        """Refuse points that are not in order, or whose loads are fractions of nothing."""
        points = data.get("efficiency") if isinstance(data, dict) else None
        if isinstance(points, list) and all(isinstance(point, list) and len(point) == 2 for point in points):
            loads = [point[0] for point in points]
            if all(isinstance(load, int | float) for load in loads) and loads != sorted(set(loads)):
                raise ValueError("efficiency has points that are not in order of load; sort them by load fraction")
        return data

    @model_validator(mode="after")
    def _one_loss(self) -> Supply:
        ways = [name for name in ("efficiency", "losses", "bar") if getattr(self, name) is not None]
        if len(ways) > 1:
            raise ValueError(f"{' and '.join(ways)} both say what {self.name} loses; keep one of them")
        by_load = isinstance(self.efficiency, list | str) or (self.losses is not None and self.losses.full_load_w)
        if by_load and self.rating is None:
            raise ValueError(f"{ways[0]} is given by load fraction, which needs a rating; add rating")
        if self.continuous is not None and self.amps is None:
            raise ValueError("continuous is a share of a breaker; add amps, or remove it")
        if self.parallel and len(self.sources) < 2:
            raise ValueError("parallel needs two sources or more; list them under from, or remove it")
        return self
