"""What rejects a hall's heat outdoors: towers or dry coolers, chillers, economisers and the use of waste heat."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fabrictool.catalogue.fields import NUMBER, Model, Ratio, Rise, Temperature, Volume
from fabrictool.layout.cooling import LiquidTemperature
from fabrictool.layout.facility import Sources, Supplied

Reused = Annotated[Ratio, Field(gt=0)]
CarnotShare = Annotated[float, Field(ge=0.1, le=0.9), NUMBER]


class Outdoor(Model):
    """The weather that a plant is held against where no year is given."""

    dry_bulb_c: Temperature = Field(alias="dry_bulb")
    wet_bulb_c: Temperature | None = Field(None, alias="wet_bulb")


class Reuse(Model):
    """Waste heat of the loops that somebody uses: ``share`` of it, at ``sink``; a heat pump lifts it where it must."""

    share: Reused
    sink_c: Temperature = Field(alias="sink")
    carnot: CarnotShare = 0.5


class Plant(Model):
    """How heat leaves the building.

    ``approach`` is that of the tower's water over the wet bulb, or of a dry cooler's over the dry bulb; a tower gives
    its water to the building over an ``exchanger``.
    """

    rejection: Literal["tower", "dry-cooler", "adiabatic"] = "tower"
    approach_k: Rise | None = Field(None, alias="approach")
    exchanger_k: Rise | None = Field(None, alias="exchanger")
    chiller: bool = True
    carnot: CarnotShare | None = None
    economiser: Literal["full", "partial", "none"] = "full"
    chilled_water_c: LiquidTemperature | None = Field(None, alias="chilled_water")
    pads: Annotated[float, Field(gt=0, lt=1), NUMBER] | None = None
    cycles: Annotated[float, Field(gt=1, le=100), NUMBER] | None = None
    buffer_m3: Volume | None = Field(None, alias="buffer")
    outdoor: Outdoor | None = None
    reuse: Reuse | None = None
    sources: Sources = Field([], alias="from")
    supplied: Supplied | None = None
