"""What devices are joined, held, fed and cooled with, and what all of it costs, as a catalogue entry describes it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fabrictool.catalogue.fields import (
    Airflow,
    CoolantFlow,
    Count,
    Length,
    Mass,
    Model,
    Power,
    Pressure,
    Ratio,
    Speed,
    Throughput,
    Time,
)
from fabrictool.catalogue.types import Type


class NicType(Type):
    """A network adapter as a part of its own."""

    ports: Count
    speed_bps: Speed = Field(alias="speed")
    cage: str | None = None
    breakout: list[str] | None = None
    host: str | None = None
    protocols: list[str] | None = None
    role: str | None = None
    power_typical_w: Power | None = Field(None, alias="power_typical")
    power_max_w: Power | None = Field(None, alias="power_max")


class TransceiverType(Type):
    """A pluggable optic; ``links`` ports share it."""

    speed_bps: Speed = Field(alias="speed")
    links: Count = 1
    media: str | None = None
    form: str | None = None
    connector: str | None = None
    reach_m: Length | None = Field(None, alias="reach")
    power_typical_w: Power | None = Field(None, alias="power_typical")
    power_max_w: Power | None = Field(None, alias="power_max")
    use: str | None = None


class CableType(Type):
    """A cable: copper, active optical or fibre; ``links`` links share it."""

    kind: Literal["dac", "acc", "aec", "aoc", "fibre", "fibre splitter", "dac splitter", "copper"]
    speed_bps: Speed | None = Field(None, alias="speed")
    links: Count | None = None
    media: str | None = None
    connector: str | None = None
    ends: list[str] | None = None
    lengths_m: list[Length] | None = Field(None, alias="lengths")
    reach_m: Length | None = Field(None, alias="reach")
    power_per_end_w: Annotated[float, Field(ge=0)] | None = Field(None, alias="power_per_end_w")


class RackType(Type):
    """A rack: its height, its own weight and what it may carry."""

    u: Annotated[int, Field(strict=True, ge=1, le=60)]
    tare_kg: Mass = Field(alias="tare")
    capacity_kg: Mass = Field(alias="capacity")


class CoolingUnitType(Type):
    """A coolant distribution unit or another machine of the cooling plant.

    ``flow`` and ``head`` are what its pumps give to the loop, ``primary_flow`` the facility water that it takes,
    all at its capacity.
    """

    kind: str = "CDU liquid-to-liquid"
    capacity_w: Power = Field(alias="capacity")
    approach_k: Annotated[float, Field(ge=0)] | None = None
    flow_m3_per_s: CoolantFlow | None = Field(None, alias="flow")
    primary_flow_m3_per_s: CoolantFlow | None = Field(None, alias="primary_flow")
    head_pa: Pressure | None = Field(None, alias="head")
    power_w: Power | None = Field(None, alias="power")
    weight_kg: Mass | None = Field(None, alias="weight")
    coolant: str | None = None


class PowerUnitType(Type):
    """A rack power distribution unit or a published power profile of a rack."""

    kind: str
    feeds: str | None = None
    hosts: Count | None = None
    power_w: Power | None = Field(None, alias="power")
    power_idle_w: Power | None = Field(None, alias="power_idle")
    air_fraction: Ratio | None = None
    apparent_power_va: Annotated[float, Field(gt=0)] | None = None
    outlets: str | None = None
    airflow_m3_per_s: Airflow | None = Field(None, alias="airflow")


class StorageDemand(Model):
    """What ``count`` hosts, scalable units or GPUs together ask of the storage."""

    per: Literal["host", "scalable unit", "gpu"]
    count: Count
    read_bytes_per_s: Throughput | None = Field(None, alias="read")
    write_bytes_per_s: Throughput | None = Field(None, alias="write")
    network_bps: Speed | None = Field(None, alias="network")


class StorageType(Type):
    """A storage appliance, or with ``demand`` what a design asks for; ``claim`` marks figures nobody measured."""

    u: Count | None = None
    read_bytes_per_s: Throughput | None = Field(None, alias="read")
    write_bytes_per_s: Throughput | None = Field(None, alias="write")
    accelerators_fed: Count | None = None
    claim: bool = False
    demand: list[StorageDemand] | None = None


class Price(Type):
    """An indicative price in USD of a device type."""

    usd: Annotated[float, Field(ge=0)]


class LinkPrice(Type):
    """Indicative price of connecting two ports: cable by length, transceivers at both ends."""

    media: Literal["dac", "acc", "aec", "aoc", "mmf", "smf", "copper"]
    speed_bps: Speed = Field(alias="speed")
    min_m: Length = Field(alias="min")
    max_m: Length = Field(alias="max")
    latency_s_per_m: Time | None = Field(None, alias="latency_per_m")
    cable_usd: Annotated[float, Field(ge=0)]
    cable_usd_per_m: Annotated[float, Field(ge=0)]
    transceiver_usd: Annotated[float, Field(ge=0)]
    transceiver_w: Annotated[float, Field(ge=0)]
