"""Device types as a catalogue entry or a layout describes them.

One schema serves both: what stands in the catalogue may be written inline in a layout.
Quantities carry their unit in the file and stand here in SI, with the unit in the name.
An absent value is unknown; it is never taken as zero.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from fabrictool.catalogue.communication import LogGP, Nccl
from fabrictool.catalogue.directors import Director
from fabrictool.catalogue.fields import (
    Airflow,
    CoolantFlow,
    Count,
    Few,
    FewOrNone,
    Length,
    Mass,
    Model,
    Name,
    PacketBuffer,
    Power,
    Ratio,
    Speed,
    Temperature,
    Time,
)

#: What a switch can sum up of messages that pass.
Reduction = Literal["none", "short", "stream"]

#: Ports of a host of any kind.
MOST_PORTS = 4000


class Type(Model):
    """What every type has: a name, and where its figures come from."""

    name: Name
    vendor: str | None = None
    part: str | None = None
    note: str | None = None
    source: str | None = None
    as_of: str | None = None


class Box(Type):
    """A type that stands in a rack and draws power.

    ``heat_max`` is given only where the vendor publishes more heat than power.
    """

    u: Annotated[int, Field(strict=True, ge=1, le=60)] | None = None
    depth_m: Length | None = Field(None, alias="depth")
    weight_kg: Mass | None = Field(None, alias="weight")
    power_typical_w: Power | None = Field(None, alias="power_typical")
    power_max_w: Power | None = Field(None, alias="power_max")
    power_idle_w: Power | None = Field(None, alias="power_idle")
    heat_max_w: Power | None = Field(None, alias="heat_max")
    power_basis: str | None = None
    psu: str | None = None
    airflow_m3_per_s: Airflow | None = Field(None, alias="airflow")
    airflow_direction: str | None = None
    air_fraction: Ratio | None = None
    inlet_min_c: Temperature | None = Field(None, alias="inlet_min")
    inlet_max_c: Temperature | None = Field(None, alias="inlet_max")
    coolant: str | None = None
    coolant_inlet_max_c: Temperature | None = Field(None, alias="coolant_inlet_max")
    coolant_flow_m3_per_s: CoolantFlow | None = Field(None, alias="coolant_flow")


class SwitchType(Box):
    """A switch: ``ports`` logical ports of ``speed``, in ``cages`` cages.

    ``ports`` and ``speed`` say how the switch is used when nothing else is asked for; a cage may be
    broken out to several slower ports as long as its speed carries them; ``cage_power`` is what it supplies
    to a module. ``uplink_cages`` of
    ``uplink_speed`` stand beside them, for links up that are too fast for the others. ``buffer`` is the
    packet memory that all ports share; ``mac_addresses`` and ``routes`` are table sizes (IPv4); ``reduction`` is
    what it can sum up of messages that pass: nothing, short ones, or a stream of any length.
    With ``director`` it is a chassis of many chips: ``ports`` are those outside, power, units and weight those
    of the chassis, and ``latency`` and ``buffer`` those of each chip.
    """

    protocol: str | None = None
    role: str | None = None
    ports: Few
    speed_bps: Speed = Field(alias="speed")
    cages: Few | None = None
    cage: str | None = None
    cage_power_w: Power | None = Field(None, alias="cage_power")
    breakout: list[str] | None = None
    max_ports: Count | None = None
    uplinks: str | None = None
    uplink_cages: Count | None = None
    uplink_speed_bps: Speed | None = Field(None, alias="uplink_speed")
    latency_s: Time | None = Field(None, alias="latency")
    asic: str | None = None
    buffer_bytes: PacketBuffer | None = Field(None, alias="buffer")
    buffer_source: str | None = None
    mac_addresses: Count | None = None
    routes: Count | None = None
    reduction: Reduction | None = None
    reduction_source: str | None = None
    managed: bool | None = None
    availability: str | None = None
    director: Director | None = None

    @model_validator(mode="after")
    def _cages_divide_ports(self) -> SwitchType:
        if self.cages is not None and self.ports % self.cages:
            raise ValueError(
                f"{self.ports} ports do not fill {self.cages} cages evenly; give a multiple, or leave cages out"
            )
        if (self.uplink_cages is None) != (self.uplink_speed_bps is None):
            raise ValueError("uplink_cages and uplink_speed belong together; give both")
        return self

    @model_validator(mode="after")
    def _chips_share_ports(self) -> SwitchType:
        if self.director is None:
            return self
        if self.uplink_cages is not None:
            raise ValueError("a director has no uplink_cages; count all ports outside as ports")
        self.director.check_ports(self.ports, self.cage_count)
        return self

    @property
    def chip_ports(self) -> int:
        """Ports outside of each leaf chip of a director; of another switch all ports."""
        return self.ports // (self.director.leaf_chips if self.director else 1)

    @property
    def chip_links(self) -> int:
        """Links inside a director between each leaf and spine chip."""
        if self.director is None:
            return 0
        return self.director.links_per_pair or self.chip_ports // self.director.spine_chips

    @property
    def cage_count(self) -> int:
        """Physical cages; as many as ports where nothing else is known."""
        return self.cages or self.ports

    @property
    def cage_speed_bps(self) -> float:
        """Speed of a whole cage in bit/s."""
        return float(self.speed_bps * (self.ports // self.cage_count))


class Nic(Model):
    """A group of equal network adapters of a host; ports are numbered adapter by adapter.

    ``pcie`` is what the host's bus carries for each adapter in each direction, where that is known to be a limit.
    """

    role: str = "compute"
    count: Few
    ports_each: Few = 1
    speed_bps: Speed = Field(alias="speed")
    pcie_bps: Speed | None = Field(None, alias="pcie")
    cage: str | None = None
    cages: Few | None = None
    kind: str | None = None
    note: str | None = None

    @property
    def ports(self) -> int:
        """Ports of the whole group."""
        return self.count * self.ports_each


class ScaleUp(Model):
    """A scale-up domain: GPUs joined by NVLink, xGMI or alike through an ideal switch.

    ``speed`` is per GPU and direction, all ``links_per_gpu`` links together; ``latency`` is per hop to that switch,
    ``reduction`` what that switch can sum up.
    """

    kind: str | None = None
    domain: Count
    speed_bps: Speed = Field(alias="speed")
    links_per_gpu: Count | None = None
    latency_s: Time | None = Field(None, alias="latency")
    reduction: Reduction | None = None


class HostType(Box):
    """A host, or a rack of hosts where ``trays`` is given: GPUs, adapters and a scale-up domain.

    Of a rack of hosts, ``gpus``, power, weight and cooling are those of the rack, ``nics`` those of one tray.
    """

    gpus: FewOrNone
    gpu: str | None = None
    gpu_power_w: Power | None = Field(None, alias="gpu_power")
    power_peak_w: Power | None = Field(None, alias="power_peak")
    scale_up: ScaleUp | None = None
    nics: list[Nic]
    nccl: Nccl | None = None
    loggp: LogGP | None = None
    trays: Count | None = None
    gpus_per_tray: Count | None = None
    hosts_per_blade: Count | None = None
    blades_per_chassis: Count | None = None
    hosts_per_rack: Count | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain_nics(cls, data: Any) -> Any:
        """Read ``nics: 8, speed: 400G`` as one group of eight compute adapters."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        speed = data.pop("speed", None)
        nics = data.get("nics")
        if isinstance(nics, int) and not isinstance(nics, bool):
            if speed is None:
                raise ValueError("nics given as a number need a speed beside them, such as speed: 400G")
            bus = {"pcie": data.pop("pcie")} if "pcie" in data else {}
            data["nics"] = [{"count": nics, "speed": speed} | bus] if nics else []
        elif speed is not None:
            raise ValueError("speed belongs into each entry of nics when nics is a list")
        elif "pcie" in data:
            raise ValueError("pcie belongs into each entry of nics when nics is a list")
        return data

    @model_validator(mode="after")
    def _parts_fit(self) -> HostType:
        if self.ports > MOST_PORTS:
            raise ValueError(f"a host of {self.ports} ports is more than can be numbered; give at most {MOST_PORTS}")
        if self.gpus_per_tray is not None and self.trays is None:
            raise ValueError("gpus_per_tray belongs to a rack of hosts; give trays, or remove it")
        if self.trays and self.gpus_per_host * self.trays != self.gpus:
            what = f"{self.trays} trays of {self.gpus_per_host} GPUs do not make a rack of {self.gpus}"
            raise ValueError(f"{what}; give {self.gpus_per_host * self.trays}, or another gpus_per_tray")
        gpus = self.gpus_per_host
        if gpus and self.scale_up:
            domain = self.scale_up.domain
            if domain % gpus and gpus % domain:
                raise ValueError(
                    f"a scale-up domain of {domain} does not hold whole hosts of {gpus} GPUs; give a multiple"
                )
        return self

    @property
    def hosts_each(self) -> int:
        """Hosts that one of this type is: the trays of a rack, else 1."""
        return self.trays or 1

    @property
    def gpus_per_host(self) -> int:
        """GPUs of a host: of one tray where the type is a rack of hosts."""
        return self.gpus // self.hosts_each if self.gpus_per_tray is None else self.gpus_per_tray

    @property
    def ports(self) -> int:
        """Network ports of a host, all roles together."""
        return sum(nic.ports for nic in self.nics)
