"""What feeds a hall's racks: elements of the electrical supply from the utility on."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from fabrictool.catalogue.fields import NUMBER, ApparentPower, Count, Model, Name

Kind = Literal["utility", "generator", "transformer", "ups", "rectifier", "busway", "panel"]
Efficiency = Annotated[float, Field(gt=0, le=1), NUMBER]
#: Load fraction and efficiency there.
Point = tuple[Annotated[float, Field(ge=0, le=2), NUMBER], Efficiency]


def _one_or_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Supply(Model):
    """An element of the electrical supply between the utility and the feeds of racks.

    ``from`` names what it draws from: the first that is alive of several, as a transfer switch does. ``count`` equal
    modules share its load. With ``racks`` there is one such element for each so many racks, in order.
    """

    name: Name
    kind: Kind
    sources: Annotated[
        list[Name], BeforeValidator(_one_or_list, json_schema_input_type=str | list[str]), Field(max_length=8)
    ] = Field([], alias="from")
    rating_va: ApparentPower | None = Field(None, alias="rating")
    count: Annotated[int, Field(strict=True, ge=1, le=64)] = 1
    racks: Count | None = None
    efficiency: Efficiency | Annotated[list[Point], Field(min_length=2, max_length=32)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain_efficiency(cls, data: Any) -> Any:
        """Refuse points that are not in order, or whose loads are fractions of nothing."""
        points = data.get("efficiency") if isinstance(data, dict) else None
        if isinstance(points, list) and all(isinstance(point, list) and len(point) == 2 for point in points):
            loads = [point[0] for point in points]
            if all(isinstance(load, int | float) for load in loads) and loads != sorted(set(loads)):
                raise ValueError("efficiency has points that are not in order of load; sort them by load fraction")
            if "rating" not in data:
                raise ValueError("efficiency is given by load fraction, which needs a rating; add rating")
        return data
