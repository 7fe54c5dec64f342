"""The layout as data: what stands in the file, in SI units, frozen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, model_validator

from fabrictool.catalogue.fields import (
    NUMBER,
    Airflow,
    Altitude,
    Count,
    Model,
    Name,
    Power,
    Pressure,
    Ratio,
    Rise,
    Temperature,
    Voltage,
    Volume,
)
from fabrictool.catalogue.named import Host, Rack
from fabrictool.catalogue.types import HostType, SwitchType
from fabrictool.layout.cabling import Cabling
from fabrictool.layout.cooling import AirClassName, AirSpread, AirUnits, Captured, Containment, Loop, Share, TankFluid
from fabrictool.layout.facility import Supply
from fabrictool.layout.floor import FloorRowsField, PitchField, TraysField
from fabrictool.layout.network import Network, Positive, Routing
from fabrictool.layout.placing import Placing
from fabrictool.layout.plant import Plant
from fabrictool.layout.workload import Job, Workload

if TYPE_CHECKING:
    from fabrictool.layout.source import Source
    from fabrictool.locks import Lock

Cooling = Literal["air", "rear-door", "direct-to-chip", "immersion"]


def _one_or_list(value: object) -> object:
    return [value] if isinstance(value, dict) else value


_TEMPLATE = re.compile(r"([A-Za-z0-9_.+-]|\{(index|su|pod|rail|plane)(:0?\d?d)?\}|\{group\})+")


def _template(value: str) -> str:
    if len(value) > 64 or not _TEMPLATE.fullmatch(value):
        raise ValueError(
            f"'{value[:40]}' is no name template; use words with {{index:02d}}, {{su}}, {{rail}}, {{group}}"
        )
    return value


Template = Annotated[str, Field(strict=True), AfterValidator(_template)]


class HostGroup(Model):
    """Equal hosts: ``count`` of one type, racks where the type is a rack of hosts.

    Service hosts take ports but are no hosts in counts.
    """

    name: Name = ""
    type: Host
    count: Count
    role: Literal["compute", "service"] = "compute"

    @model_validator(mode="before")
    @classmethod
    def _name_from_type(cls, data: Any) -> Any:
        """A group without a name bears that of its type."""
        if isinstance(data, dict) and "name" not in data and "type" in data:
            kind = data["type"]
            data = {"name": kind["name"] if isinstance(kind, dict) and "name" in kind else kind} | data
        return data

    @property
    def hosts(self) -> int:
        """Hosts: each tray of a rack is one."""
        return self.count * self.type.hosts_each


class RackGroup(Model):
    """Racks of one kind. Without ``count`` there are as many as it takes."""

    name: Name | None = None
    type: Rack
    count: Count | None = None
    hosts_per_rack: Count | None = None
    power_limit_w: Power | None = Field(None, alias="power_limit")
    power_cap_w: Power | None = Field(None, alias="power_cap")
    cooling: Cooling = "air"
    loop: Name | None = None
    door: Name | None = None
    capture: Captured | None = None
    fluid: TankFluid | None = None
    cooling_limit_w: Power | None = Field(None, alias="cooling_limit")
    airflow_limit_m3_per_s: Airflow | None = Field(None, alias="airflow_limit")
    pdus: Annotated[int, Field(strict=True, ge=1, le=16)] | None = None


class Feed(Model):
    """An electrical feed of racks: one circuit of ``amps`` at ``voltage``, from line to line with three phases."""

    name: Name
    voltage_v: Voltage = Field(alias="voltage")
    phases: Literal[1, 3, "dc"] = 3
    amps: Positive
    continuous: Annotated[float, Field(gt=0, le=1), NUMBER] | None = None
    redundancy: Annotated[str, Field(pattern=r"^(N|N\+1|2N|3N2R|4N3R)$")] = "N"
    source: Name | None = Field(None, alias="from")


class Hall(Model):
    """The room: how racks stand and where cables lie, air, feeds and loops."""

    site: Name | None = None
    room: Name | None = None
    rows: FloorRowsField | None = None
    pitch: PitchField | None = None
    trays: TraysField | None = None

    supply_temperature_c: Temperature | None = Field(None, alias="supply_temperature")
    air_rise_k: Rise | None = Field(None, alias="air_rise")
    humidity: Ratio | None = None
    altitude_m: Altitude | None = Field(None, alias="altitude")
    containment: Containment | None = None
    recirculation: Share | None = None
    air_spread: AirSpread | None = None
    air_class: AirClassName | None = None
    air_units: Annotated[list[AirUnits], Field(min_length=1, max_length=64)] | None = None
    volume_m3: Volume | None = Field(None, alias="volume")
    plant: Plant | None = None
    weather: Annotated[str, Field(strict=True, min_length=1, max_length=4096)] | None = None
    power_factor: Annotated[float, Field(gt=0, le=1), NUMBER] | None = None
    pue: Annotated[float, Field(ge=1, le=5), NUMBER] | None = None
    feeds: Annotated[list[Feed], Field(min_length=1, max_length=8)] | None = None
    feeds_per_rack: Annotated[int, Field(strict=True, ge=1, le=8)] | None = None
    supply: Annotated[list[Supply], Field(min_length=1, max_length=64)] | None = None
    swing_limit_w: Power | None = Field(None, alias="swing_limit")
    floor_limit_pa: Annotated[Pressure, Field(gt=0)] | None = Field(None, alias="floor_limit")
    diversity: Annotated[float, Field(gt=0, le=1), NUMBER] | None = None
    loops: Annotated[list[Loop], Field(min_length=1, max_length=64)] | None = None


class Slow(Model):
    """A link at a fraction of its speed."""

    link: str
    factor: Annotated[float, Field(gt=0, le=1), NUMBER]


class Failed(Model):
    """Links and devices that are down."""

    links: list[str] = []
    devices: list[str] = []


class Scenario(Model):
    """What differs from a healthy fabric with the default jobs."""

    failed: Failed | None = None
    slow: list[Slow] | None = None
    jobs: Annotated[list[Job], Field(min_length=1, max_length=256)] | None = None
    sharing: Literal["max-min", "inverse-latency"] = "max-min"


class Cost(Model):
    """Prices that the catalogue lacks or that the user knows better, each of one device."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    prices: dict[str, Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False), NUMBER]] = {}
    source: str | None = None


class Layout(Model):
    """A whole layout: hosts, networks, racks, hall, scenario, workload and cost."""

    name: Name
    hosts: Annotated[
        list[HostGroup],
        BeforeValidator(_one_or_list, json_schema_input_type=HostGroup | list[HostGroup]),
        Field(min_length=1),
    ]
    networks: dict[Name, Network] = {}
    racks: (
        Annotated[
            list[RackGroup],
            BeforeValidator(_one_or_list, json_schema_input_type=RackGroup | list[RackGroup]),
            Field(min_length=1),
        ]
        | None
    ) = None
    placement: Placing = Placing()
    hall: Hall | None = None
    naming: dict[str, Template] = {}
    scenario: Scenario | None = None
    workload: Workload | None = None
    cost: Cost = Cost()
    cabling: Cabling = Cabling()

    _source: Source | None = PrivateAttr(None)
    _lock: Lock | None = PrivateAttr(None)

    @property
    def source(self) -> Source | None:
        """Where the keys of this layout stand, if it was read from text."""
        return self._source

    def remember_source(self, source: Source) -> None:
        """Keep the places of the keys, for messages of later stages."""
        self._source = source

    @property
    def lock(self) -> Lock | None:
        """What the world has seen of this layout: names, places, ports and cables that stay, if it is locked."""
        return self._lock

    def remember_lock(self, lock: Lock | None) -> None:
        """Keep the lock, for all later stages."""
        self._lock = lock

    def stated_routing(self, network: str) -> Routing | None:
        """Return the routing that is stated for a network, its file relative to the layout's; None for the default."""
        routing = self.networks[network].routing
        if routing is None or routing.paths is None or self._source is None:
            return routing
        return routing.model_copy(update={"paths": str(Path(self._source.name).parent / routing.paths)})

    def weather_file(self) -> str | None:
        """Return the file of the hall's weather, relative to the layout's; None where it names a city or nothing."""
        name = self.hall.weather if self.hall else None
        if name is None or not re.search(r"[./\\]", name):
            return None
        return name if self._source is None else str(Path(self._source.name).parent / name)

    def switch_types(self) -> list[SwitchType]:
        """Return the switch types of all networks, each once."""
        tiers = [t for n in self.networks.values() for t in (*(n.leaves or ()), n.spine, n.core, n.supercore) if t]
        return list({tier.type.name: tier.type for tier in tiers}.values())

    def host_types(self) -> list[HostType]:
        """Return the host types, each once."""
        return list({group.type.name: group.type for group in self.hosts}.values())

    def types(self) -> dict[str, HostType | SwitchType]:
        """Return the host and switch types by name."""
        found: dict[str, HostType | SwitchType] = {kind.name: kind for kind in self.switch_types()}
        return found | {kind.name: kind for kind in self.host_types()}
