"""Pydantic field types for quantities: written with a unit, held as an SI number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from fabrictool import units


def _quantity(dimension: units.Dimension) -> Any:
    description = f"a {dimension.name} with its unit, such as '{dimension.example}' (held in {dimension.unit})"
    return Annotated[
        float,
        BeforeValidator(lambda value: units.parse(value, dimension)),
        WithJsonSchema({"type": "string", "description": description, "examples": [dimension.example]}),
    ]


if TYPE_CHECKING:  # the checker sees what a value is held as
    Speed = float
    Throughput = float
    Size = float
    PacketBuffer = float
    Time = float
    Power = float
    Length = float
    Mass = float
    Temperature = float
    Rise = float
    Altitude = float
    Voltage = float
    Airflow = float
    CoolantFlow = float
    ApparentPower = float
    Area = float
    Pressure = float
    Volume = float
else:
    Speed = _quantity(units.SPEED)
    Throughput = _quantity(units.THROUGHPUT)
    Size = _quantity(units.SIZE)
    PacketBuffer = _quantity(units.BUFFER)
    Time = _quantity(units.TIME)
    Power = _quantity(units.POWER)
    Length = _quantity(units.LENGTH)
    Mass = _quantity(units.MASS)
    Temperature = _quantity(units.TEMPERATURE)
    Rise = _quantity(units.RISE)
    Altitude = _quantity(units.ALTITUDE)
    Voltage = _quantity(units.VOLTAGE)
    Airflow = _quantity(units.AIRFLOW)
    CoolantFlow = _quantity(units.COOLANT_FLOW)
    ApparentPower = _quantity(units.APPARENT_POWER)
    Area = _quantity(units.AREA)
    Pressure = _quantity(units.PRESSURE)
    Volume = _quantity(units.VOLUME)
Ratio = Annotated[
    float,
    BeforeValidator(units.parse_ratio),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string"}]}),
]


def _no_truth(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is not a number; write one, such as 1.5")
    return value


#: In front of every plain number: true and false are none.
NUMBER = BeforeValidator(_no_truth)
Count = Annotated[int, Field(strict=True, ge=1, le=10_000_000)]
#: Things that one device has, such as ports; they are numbered in 16 bits.
Few = Annotated[int, Field(strict=True, ge=1, le=4000)]
FewOrNone = Annotated[int, Field(strict=True, ge=0, le=4000)]
CountOrNone = Annotated[int, Field(strict=True, ge=0, le=10_000_000)]
Name = Annotated[str, Field(strict=True, min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$")]


class Model(BaseModel):
    """Base of everything a user may write: frozen, and unknown keys are errors.

    ``LATER`` are keys of the layout's grammar that this version does not read yet.
    """

    LATER: ClassVar[frozenset[str]] = frozenset()

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False, serialize_by_alias=True)
