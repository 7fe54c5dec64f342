"""What cools a hall: liquid loops with their CDUs, air, and how a layout states temperatures by class."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from fabrictool import units
from fabrictool.catalogue.fields import (
    Airflow,
    CoolantFlow,
    Count,
    Length,
    Model,
    Name,
    Power,
    Pressure,
    Ratio,
    Rise,
    Volume,
)
from fabrictool.catalogue.named import CoolingUnit
from fabrictool.catalogue.parts import CoolingUnitType
from fabrictool.layout.facility import Sources, Supplied

#: Largest supply temperature of ASHRAE's classes of facility water (W) and of technology loops (S), in degC.
WATER_CLASSES = {"W17": 17.0, "W27": 27.0, "W32": 32.0, "W40": 40.0, "W45": 45.0}
LOOP_CLASSES = {"S30": 30.0, "S40": 40.0, "S45": 45.0, "S50": 50.0}
#: What a liquid in a loop, a door or at a facility's side may have, in degC.
COLDEST_C, WARMEST_C = 2.0, 70.0

#: At which coolants that boil do so, at the pressure of their table in `fabrictool.cooling.loops`, in degC.
SATURATION_C = {"Novec649": 49.05165, "R134a": 40.0, "R1233zd(E)": 40.0, "R1234ze(E)": 40.0, "R245fa": 40.0}

Redundancy = Literal["N", "N+1", "N+2", "2N"]
Coolants = Literal["PG25", "EG25", "water", "R134a", "R1233zd(E)", "R1234ze(E)", "R245fa"]
TankFluid = Literal["oil", "Novec649", "R1233zd(E)"]
AirClassName = Literal["A1", "A2", "A3", "A4", "H1"]
Containment = Literal["none", "partial", "cold-aisle", "hot-aisle", "chimney"]
AirSpread = Literal["even", "balanced"]


def _temperature(value: object) -> float:
    """Read a temperature, or the name of a class as its largest supply."""
    known = WATER_CLASSES | LOOP_CLASSES
    if isinstance(value, str) and value.strip().upper() in known:
        return known[value.strip().upper()]
    if isinstance(value, str) and value.strip().upper() in ("W+", "W5"):
        raise ValueError("class W+ has no largest temperature; write one, such as '48 C'")
    return units.parse(value, units.TEMPERATURE)


def _liquid(value: float) -> float:
    if not COLDEST_C <= value <= WARMEST_C:
        raise ValueError(
            f"{value:g} C is no temperature of such a liquid; accepted are {COLDEST_C:g} to {WARMEST_C:g} C"
        )
    return value


def _positive(value: float) -> float:
    if value <= 0:
        raise ValueError("0 is no size; give a larger one, or leave the key out")
    return value


#: Of a liquid, in degC.
LiquidTemperature = Annotated[
    float,
    BeforeValidator(_temperature),
    AfterValidator(_liquid),
    WithJsonSchema(
        {
            "type": "string",
            "description": "a temperature with its unit, or a class such as W32 or S30 (held in degC)",
            "examples": ["30 C"],
        }
    ),
]
Share = Annotated[Ratio, Field(lt=1)]
Captured = Annotated[Ratio, Field(gt=0)]
Bore = Annotated[Length, AfterValidator(_positive)]
Drop = Annotated[Pressure, AfterValidator(_positive)]


class Pipe(Model):
    """The pipe of a loop that carries all its flow, there and back."""

    diameter_m: Bore = Field(alias="diameter")
    length_m: Length = Field(alias="length")
    fittings: Annotated[float, Field(ge=0, le=1e4)] = 0.0
    roughness_m: Length = Field(45e-6, alias="roughness", json_schema_extra={"default": "45 um of steel"})


class Loop(Model):
    """A liquid loop for racks that take liquid: its CDUs, temperatures, and what its pipes resist.

    With ``racks`` there is one such loop for each so many of the racks that name it, in order.
    """

    name: Name
    cdu: CoolingUnit | None = None
    count: Annotated[Count, Field(le=1000)] | None = None
    redundancy: Redundancy = "N"
    racks: Count | None = None
    supply_temperature_c: LiquidTemperature | None = Field(None, alias="supply_temperature")
    rise_k: Rise | None = Field(None, alias="rise")
    coolant: Coolants | None = None
    facility_temperature_c: LiquidTemperature | None = Field(None, alias="facility_temperature")
    facility_flow_m3_per_s: CoolantFlow | None = Field(None, alias="facility_flow")
    approach_k: Rise | None = Field(None, alias="approach")
    pressure_drop_pa: Drop | None = Field(None, alias="pressure_drop")
    pipe: Pipe | None = None
    volume_m3: Volume | None = Field(None, alias="volume")
    pumps_on_ups: bool | None = None
    sources: Sources = Field([], alias="from")
    supplied: Supplied | None = None

    @property
    def unit(self) -> CoolingUnitType | None:
        """Its CDU, with the approach that the loop gives."""
        if self.cdu is None or self.approach_k is None:
            return self.cdu
        return self.cdu.model_copy(update={"approach_k": self.approach_k})


class AirUnits(Model):
    """Equal air handlers: computer-room units, in-row coolers or a fan wall.

    ``capacity`` is the heat that one takes from its ``airflow`` at ``approach``: supply air less chilled water.
    """

    name: Name
    count: Annotated[Count, Field(le=10_000)]
    redundancy: Redundancy = "N"
    capacity_w: Power = Field(alias="capacity")
    airflow_m3_per_s: Airflow = Field(alias="airflow")
    approach_k: Rise | None = Field(None, alias="approach")
    water_temperature_c: LiquidTemperature | None = Field(None, alias="water_temperature")
    water_rise_k: Rise | None = Field(None, alias="water_rise")
    fans_w: Power | None = Field(None, alias="fans")
    fan_pressure_pa: Drop | None = Field(None, alias="fan_pressure")
    sources: Sources = Field([], alias="from")
    supplied: Supplied | None = None
