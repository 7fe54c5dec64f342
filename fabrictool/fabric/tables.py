"""Column tables of a fabric. Row order is identity within one fabric; names come from place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import igraph
    import networkx
    from scipy.sparse import csr_array

I1 = npt.NDArray[np.int8]
I2 = npt.NDArray[np.int16]
I4 = npt.NDArray[np.int32]
F8 = npt.NDArray[np.float64]
#: What formulas take: one number or an array of them.
Reals = F8 | float
Bool = npt.NDArray[np.bool_]

#: Kinds of device; the code in ``Devices.kind`` is the place in this tuple. An ``aggregation`` node is an engine
#: inside an InfiniBand switch that shows up as an adapter on a port of its own: no host, no cable.
KINDS = ("host", "service", "leaf", "spine", "core", "supercore", "router", "aggregation")
#: Families whose switches are no tree: same-tier links join groups, and hosts meet over sideways hops.
DIRECT_FAMILIES = ("dragonfly", "dragonfly-plus", "slim-fly")


#: Groups of devices that belong to the building: no IT load, and in no position of a rack.
FACILITIES = ("pdu", "cdu")


class Table:
    """Columns of equal length, made read-only on entry."""

    def __post_init__(self) -> None:
        """Freeze the columns and refuse unequal lengths."""
        lengths = set()
        for column in fields(self):  # type: ignore[arg-type]
            value = getattr(self, column.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
                lengths.add(len(value))
        if len(lengths) > 1:
            raise ValueError(f"columns of {type(self).__name__} have {sorted(lengths)} rows")

    def __len__(self) -> int:
        for column in fields(self):  # type: ignore[arg-type]
            value = getattr(self, column.name)
            if isinstance(value, np.ndarray):
                return len(value)
        return 0

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns that are there, by name."""
        values = {column.name: getattr(self, column.name) for column in fields(self)}  # type: ignore[arg-type]
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


@dataclass(frozen=True)
class Devices(Table):
    """Hosts and switches, one row each.

    ``kind`` is a place in ``KINDS``; ``tier`` is 0 for hosts and service machines, 1 for leaves;
    ``type`` is a place in ``Fabric.types``; ``group`` a place in ``Fabric.groups`` (name of the host
    group, or of the kind); ``network`` is -1 for devices in several; ``pod`` is the scalable unit or
    pod, -1 for none; ``index`` the 0-based place that names the device within its group and network;
    ``latency_s`` the time a device adds to each path through it. Chips of directors bear the number of
    their ``chassis``, -1 elsewhere, and may have the ``board`` behind the chassis' name, such as L01.
    """

    kind: npt.NDArray[np.uint8]
    tier: I1
    type: I2
    group: I2
    network: I1
    plane: I2
    rail: I2
    pod: I4
    index: I4
    latency_s: F8
    name: npt.NDArray[np.str_] | None = None
    guid: npt.NDArray[np.uint64] | None = None
    lid: I4 | None = None
    chassis: I4 | None = None
    board: npt.NDArray[np.str_] | None = None


@dataclass(frozen=True)
class Ports(Table):
    """Numbered ports, grouped by device in ascending order of device and number.

    ``cage`` is counted from 0. ``peer`` is the port at the other end, -1 if free; following it twice leads
    back. ``label`` is what its owner calls a port, such as ``swp1s0`` or ``mlx5_0``, empty where the number
    says it all; labels, GUIDs and LIDs (0 for none) are there in fabrics that were read from elsewhere.
    """

    device: I4
    number: I2
    cage: I2
    speed_bps: F8
    rail: I2
    plane: I2
    peer: I4
    label: npt.NDArray[np.str_] | None = None
    guid: npt.NDArray[np.uint64] | None = None
    lid: I4 | None = None


@dataclass(frozen=True)
class Links(Table):
    """Logical links between two ports; ``port_a`` is on the lower tier."""

    port_a: I4
    port_z: I4
    network: I1
    speed_bps: F8
    latency_s: F8


@dataclass(frozen=True)
class Gpus(Table):
    """Accelerators in rank order: host by host.

    ``scale_up_bps`` is the speed into the scale-up domain per direction, 0 where there is none;
    ``scale_up_latency_s`` the latency of one hop to the domain's ideal switch.
    """

    host: I4
    domain: I4
    index: I2
    scale_up_bps: F8
    scale_up_latency_s: F8


@dataclass(frozen=True)
class GpuPorts(Table):
    """A GPU may use a port: several ports for each GPU, or several GPUs for each port."""

    gpu: I4
    port: I4


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """What a network is, beside its rows.

    Parameters
    ----------
    name, protocol, family : str
    cables, host_cables : {"per-link", "per-cage", "per-upper-cage"}
        How cables are counted between switches and at hosts.
    uplinks : tuple of (kind, count, speed in bit/s)
        Switch ports kept for links out of the network, with no device behind.
    way_m : tuple of float, optional
        How long the cables at hosts and between switches are that latencies of links hold for, where that is known.
    """

    name: str
    protocol: str
    family: str
    cables: str = "per-link"
    host_cables: str = "per-link"
    uplinks: tuple[tuple[str, int, float], ...] = ()
    way_m: tuple[float, float] | None = None

    @property
    def is_tree(self) -> bool:
        """Whether every way between hosts goes up, then down."""
        return self.family not in DIRECT_FAMILIES

    @property
    def has_groups(self) -> bool:
        """Whether links between switches are local to a group or global, between groups."""
        return self.family.startswith("dragonfly")


@dataclass(frozen=True)
class Fabric:
    """All networks of a layout as frozen tables.

    Parameters
    ----------
    name : str
        Name of the layout.
    types, groups : tuple of str
        Names that ``Devices.type`` and ``Devices.group`` point at.
    networks : tuple of NetworkFacts
        What ``network`` columns point at.
    widths : tuple of int
        Digits of the index in device names, by group.
    naming : mapping of str to str
        Name templates by group, such as ``leaf{index:02d}``.
    """

    name: str
    devices: Devices
    ports: Ports
    links: Links
    gpus: Gpus
    gpu_ports: GpuPorts
    types: tuple[str, ...]
    groups: tuple[str, ...]
    networks: tuple[NetworkFacts, ...]
    widths: tuple[int, ...]
    naming: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        hosts = np.count_nonzero(self.devices.kind == KINDS.index("host"))
        switches = np.count_nonzero(self.devices.tier > 0)
        return f"<Fabric {self.name}: {hosts:,} hosts, {switches:,} switches, {len(self.links):,} links>"

    @cached_property
    def first_port(self) -> I4:
        """Row of the first port of each device, and the number of ports: a CSR offset, (devices + 1,)."""
        counts = np.bincount(self.ports.device, minlength=len(self.devices))
        return np.concatenate(([0], np.cumsum(counts))).astype(np.int32)

    @cached_property
    def ends(self) -> tuple[I4, I4]:
        """Devices at the lower and the upper end of each link, (links,) each."""
        return self.ports.device[self.links.port_a], self.ports.device[self.links.port_z]

    @cached_property
    def names(self) -> list[str]:
        """Names of all devices, in row order."""
        from fabrictool.fabric.naming import device_names

        return device_names(self)

    def network_row(self, name: str) -> int:
        """Return the row of a network.

        Raises
        ------
        KeyError
            If there is no network of that name.
        """
        return [network.name for network in self.networks].index(name)

    def port_name(self, port: int) -> str:
        """Return ``device:number`` of a port, or ``device:label`` if it has a label."""
        label = self.ports.label[port] if self.ports.label is not None else ""
        return f"{self.names[self.ports.device[port]]}:{label or self.ports.number[port]}"

    def link_name(self, link: int) -> str:
        """Return both ends of a link, the lower tier first."""
        return f"{self.port_name(int(self.links.port_a[link]))} - {self.port_name(int(self.links.port_z[link]))}"

    def to_networkx(self) -> networkx.MultiGraph[str]:
        """Return a networkx MultiGraph of devices with every attribute."""
        from fabrictool.fabric.graphs import to_networkx

        return to_networkx(self)

    def to_igraph(self) -> igraph.Graph:
        """Return an igraph Graph of devices with every attribute."""
        from fabrictool.fabric.graphs import to_igraph

        return to_igraph(self)

    def to_scipy(self, network: Sequence[str] | str | None = None) -> csr_array:
        """Return the symmetric device adjacency, entries being numbers of links."""
        from fabrictool.fabric.graphs import to_scipy

        return to_scipy(self, network)

    def save(self, path: str) -> None:
        """Write the fabric to an ``.npz`` file without loss."""
        from fabrictool.fabric.store import save

        save(self, path)
