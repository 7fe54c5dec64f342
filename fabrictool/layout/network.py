"""Networks of a layout: family, tiers, routing, links and who is attached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from fabrictool.catalogue.fields import (
    NUMBER,
    Count,
    CountOrNone,
    Length,
    Model,
    Name,
    Speed,
    Time,
)
from fabrictool.catalogue.named import Switch
from fabrictool.fabric.tables import DIRECT_FAMILIES
from fabrictool.layout.dragonflies import Dragonfly, DragonflyPlus, with_global_keys

if TYPE_CHECKING:
    pass

Family = Literal[
    "fat-tree",
    "rail-optimized",
    "rail-only",
    "multi-plane",
    "dragonfly",
    "dragonfly-plus",
    "slim-fly",
    "switch-pair",
    "file",
]
#: Length of a cable that neither layout nor plan gives.
CABLE_M = 30.0
CABLE_SOURCE = "30 m fibre of the DGX SuperPOD bill of materials, RA-11333-001 V11 Table 8 (2023-09-22)"
Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False), NUMBER]


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


def _typed(value: object) -> object:
    if isinstance(value, list):
        raise ValueError("switches above the leaves are of one kind; give one {type: …}, or the list under leaf")
    return {"type": value} if isinstance(value, str) else value


def _typed_leaves(value: object) -> object:
    entries = value if isinstance(value, list) else [value]
    return [{"type": entry} if isinstance(entry, str) else entry for entry in entries]


class Tier(Model):
    """Switches of one tier: type, and the exact form where the sizing rule is not wanted."""

    LATER = frozenset({"hosts"})

    type: Switch
    count: Count | None = None
    down: Count | None = None
    up: CountOrNone | None = None
    down_speed_bps: Speed | None = Field(None, alias="down_speed")
    up_speed_bps: Speed | None = Field(None, alias="up_speed")
    groups: Count | None = None


class LeafTier(Tier):
    """Leaves: of a list of them, ``hosts`` says whom each entry serves, by host group, network, pdu or cdu."""

    LATER = frozenset()

    hosts: Annotated[list[Name], Field(min_length=1, max_length=64)] | None = None


class ScalableUnit(Model):
    """Hosts that share a set of leaves, and the leaf ports kept for more."""

    hosts: Count
    reserve: CountOrNone = 0


class Pod(Model):
    """Hosts under one set of second-tier switches of a three-level fat-tree."""

    hosts: Count


class Pgft(Model):
    """Parallel ports generalised fat-tree (Zahavi 2010): level 1 is at the hosts."""

    m: Annotated[list[Count], Field(min_length=1, max_length=4)]
    w: Annotated[list[Count], Field(min_length=1, max_length=4)]
    p: Annotated[list[Count], Field(min_length=1, max_length=4)]

    @model_validator(mode="after")
    def _same_length(self) -> Pgft:
        if not len(self.m) == len(self.w) == len(self.p):
            raise ValueError(
                f"m, w and p have {len(self.m)}, {len(self.w)} and {len(self.p)} numbers; give each one a level"
            )
        return self


class Routing(Model):
    """Routing of a network by name, with the parameters that some routings take.

    ``split`` says how spray shares traffic among minimal ways: equally per hop (default) or per path, or
    weighted by the capacity of the paths onward. ``efficiency`` is the share of a link's speed that it
    reaches, 1 by default. ``hash`` of ECMP is ``mix`` (default: tiers choose independently) or ``crc32``, ``seeds``
    are one for each tier, the hosts' first, ``flows_per_pair`` the queue pairs that a volume is split over, and
    ``planes`` says whether a host with several ports takes one by the hash (default) or in turn. ``pxn`` moves
    traffic to the GPU on the destination's rail inside the host first.
    """

    name: Literal[
        "d-mod-k",
        "s-mod-k",
        "min-hop",
        "up-down",
        "ftree",
        "ecmp",
        "weighted-ecmp",
        "spray",
        "minimal",
        "valiant",
        "ugal",
        "lft",
        "explicit",
    ]
    hash: Literal["mix", "crc32"] | None = None
    seeds: list[int] | None = None
    flows_per_pair: Count | None = None
    paths: str | None = None
    pxn: bool | None = None
    planes: Literal["hash", "round-robin"] | None = None
    split: Literal["per-hop", "per-path", "weighted"] | None = None
    efficiency: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False), NUMBER] | None = None


class LatencyByTier(Model):
    """Latency of the links at hosts and of those between switches."""

    host_s: Time = Field(alias="host")
    fabric_s: Time = Field(alias="fabric")


class LengthByTier(Model):
    """Length of the cables at hosts and of those between switches."""

    host_m: Length = Field(alias="host")
    fabric_m: Length = Field(alias="fabric")


def _by_tier(value: object) -> object:
    return {"host": value, "fabric": value} if isinstance(value, str | int | float) else value


#: How cables are counted.
CableRule = Literal["per-link", "per-cage", "per-upper-cage"]


class Link(Model):
    """Properties of a network's links."""

    latency: Annotated[LatencyByTier, BeforeValidator(_by_tier, json_schema_input_type=str | LatencyByTier)] | None = (
        None
    )
    length: Annotated[LengthByTier, BeforeValidator(_by_tier, json_schema_input_type=str | LengthByTier)] | None = None


class Cables(Model):
    """How cables are counted, at hosts and between switches: one a link, or one for each occupied cage of an end."""

    host: CableRule = "per-link"
    fabric: CableRule = "per-link"


def _cables(value: object) -> object:
    return {"host": value, "fabric": value} if isinstance(value, str) else value


class Attach(Model):
    """Which ports a network takes: of hosts by role or number (counted from 0), or what it manages.

    One of ``hosts``, ``switches`` (another network), ``racks`` and ``loops`` says whose ports.
    """

    hosts: Name | None = None
    switches: Name | None = None
    racks: Literal["pdu"] | None = None
    loops: Literal["cdu"] | None = None
    role: str | None = None
    ports: list[CountOrNone] | None = None

    @model_validator(mode="after")
    def _whose(self) -> Attach:
        given = [key for key in ("hosts", "switches", "racks", "loops") if getattr(self, key) is not None]
        if len(given) != 1:
            stated = " and ".join(given) if given else "none"
            raise ValueError(f"one of hosts, switches, racks and loops says whose ports, but {stated} is given")
        if self.hosts is None and self.ports is not None:
            raise ValueError(f"ports are numbers of a host's ports; remove them from the entry for {given[0]}")
        if self.hosts is None and self.role not in (None, "mgmt"):
            raise ValueError(f"{given[0]} have ports of role mgmt alone, not '{self.role}'; remove the role")
        return self

    @property
    def owner(self) -> tuple[str, str]:
        """Whose ports are attached: hosts, switches, racks or loops, and the name that goes with it."""
        found = (("hosts", self.hosts), ("switches", self.switches), ("racks", self.racks), ("loops", self.loops))
        return next((key, name) for key, name in found if name is not None)


Ratios = Annotated[
    list[Positive],
    BeforeValidator(lambda v: v if isinstance(v, list) else [v], json_schema_input_type=Positive | list[Positive]),
]


class Network(Model):
    """One network: its family, its switches and who is attached."""

    LATER = frozenset({"sharp"})

    family: Family
    protocol: Literal["infiniband", "ethernet", "efa", "tcp"] = "infiniband"
    speed_bps: Speed | None = Field(None, alias="speed")
    rails: Annotated[int, Field(strict=True, ge=1, le=64)] | None = None
    scalable_unit: ScalableUnit | None = None
    levels: Annotated[int, Field(strict=True, ge=1, le=4)] | None = None
    hosts_per_leaf: Count | None = None
    oversubscription: Ratios | None = None
    k: Annotated[int, Field(strict=True, ge=2, le=1024)] | None = None
    pgft: Pgft | None = None
    pod: Pod | None = None
    dragonfly: Dragonfly | None = None
    dragonfly_plus: DragonflyPlus | None = None
    q: Annotated[int, Field(strict=True, ge=3, le=256)] | None = None
    leaves: (
        Annotated[
            list[LeafTier],
            BeforeValidator(_typed_leaves, json_schema_input_type=str | LeafTier | list[LeafTier]),
            Field(min_length=1, max_length=16),
        ]
        | None
    ) = Field(None, alias="leaf")
    spine: Annotated[Tier, BeforeValidator(_typed, json_schema_input_type=str | Tier)] | None = None
    core: Annotated[Tier, BeforeValidator(_typed, json_schema_input_type=str | Tier)] | None = None
    supercore: Annotated[Tier, BeforeValidator(_typed, json_schema_input_type=str | Tier)] | None = None
    planes: Annotated[int, Field(strict=True, ge=2, le=8)] | None = None
    plane_by: Literal["port", "nic"] | None = None
    isl: Annotated[int, Field(strict=True, ge=1, le=1024)] | None = None
    path: str | None = None
    wiring: Literal["interleaved", "blocked"] = "interleaved"
    cables: Annotated[Cables, BeforeValidator(_cables, json_schema_input_type=str | Cables)] = Cables()
    routing: Annotated[Routing, BeforeValidator(_named, json_schema_input_type=str | Routing)] | None = None
    link: Link = Link()
    attach: list[Attach] | None = None

    @property
    def leaf(self) -> LeafTier | None:
        """The leaves, the first entry where there are several."""
        return self.leaves[0] if self.leaves else None

    @model_validator(mode="before")
    @classmethod
    def _of_family(cls, given: Any) -> Any:
        """Fill in what dragonflies and alike, which are no trees, mean by what they do not say."""
        if not isinstance(given, dict) or given.get("family") not in DIRECT_FAMILIES:
            return given
        return with_global_keys(given)

    @property
    def routing_name(self) -> str:
        """Name of the routing: D-mod-k on trees and minimal ways elsewhere where none is stated."""
        if self.routing is not None:
            return self.routing.name
        return "minimal" if self.family in DIRECT_FAMILIES or self.isl is not None else "d-mod-k"
