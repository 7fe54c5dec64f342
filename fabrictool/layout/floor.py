"""How racks stand on the floor of the hall, and the trays that cables lie in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from fabrictool.catalogue.fields import Length, Model, Ratio

#: Rows, racks of a row and trays across: more than any hall has.
Some = Annotated[int, Field(strict=True, ge=1, le=10_000)]


class FloorRows(Model):
    """Rows of racks. What is not given follows from the number of racks.

    ``network`` says where racks of switches stand: ``near`` the racks that they join, or at the ``end``.
    """

    count: Some | None = None
    racks: Some | None = None
    network: Literal["near", "end"] = "near"


class Pitch(Model):
    """Distances between racks: in a row from centre to centre, and the aisles between rows."""

    rack_m: Length | None = Field(None, alias="rack")
    depth_m: Length | None = Field(None, alias="depth")
    cold_aisle_m: Length | None = Field(None, alias="cold_aisle")
    hot_aisle_m: Length | None = Field(None, alias="hot_aisle")


class Trays(Model):
    """Cable trays: one over each row, and ``cross`` trays over the rows.

    ``above`` is the height over the tallest rack; ``fill`` the share of ``width`` times ``depth`` that cables may
    take; ``side`` the way from a port to the edge of its rack; ``slack`` what is kept at each end, ``bend`` what is
    added at each turn.
    """

    cross: Some | None = None
    above_m: Length | None = Field(None, alias="above")
    width_m: Annotated[Length, Field(gt=0)] | None = Field(None, alias="width")
    depth_m: Annotated[Length, Field(gt=0)] | None = Field(None, alias="depth")
    fill: Annotated[Ratio, Field(gt=0)] | None = None
    side_m: Length | None = Field(None, alias="side")
    slack_m: Length | None = Field(None, alias="slack")
    bend_m: Length | None = Field(None, alias="bend")


def _count(value: object) -> object:
    return {"count": value} if isinstance(value, int) and not isinstance(value, bool) else value


def _rack(value: object) -> object:
    return {"rack": value} if isinstance(value, str | int | float) and not isinstance(value, bool) else value


def _cross(value: object) -> object:
    return {"cross": value} if isinstance(value, int) and not isinstance(value, bool) else value


FloorRowsField = Annotated[FloorRows, BeforeValidator(_count, json_schema_input_type=int | FloorRows)]
PitchField = Annotated[Pitch, BeforeValidator(_rack, json_schema_input_type=str | Pitch)]
TraysField = Annotated[Trays, BeforeValidator(_cross, json_schema_input_type=int | Trays)]
