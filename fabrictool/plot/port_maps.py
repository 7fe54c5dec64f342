"""Port maps: which port of a device leads where, cage by cage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fabrictool.errors import InputError, did_you_mean
from fabrictool.fabric import KINDS, Fabric
from fabrictool.fabric.chassis import backplane_links, chassis_names, type_title

#: Port maps that are drawn where none is asked for: the first switch of so many kinds.
MOST = 10


@dataclass(frozen=True, slots=True)
class PortFace:
    """A port: what it is called, and where it leads; ``peer`` is empty for a free one, rail and plane -1 for none.

    ``up`` says whether it leads to a higher tier.
    """

    port: str
    speed_bps: float
    peer: str
    peer_port: str
    network: str
    rail: int
    plane: int
    up: bool


@dataclass(frozen=True, slots=True)
class CageFace:
    """A cage with its ports in order; counted from 1."""

    cage: int
    ports: tuple[PortFace, ...]


@dataclass(frozen=True, slots=True)
class PortMap:
    """The ports of a device."""

    device: str
    kind: str
    type: str
    cages: tuple[CageFace, ...]

    @property
    def used(self) -> int:
        """Ports that lead somewhere."""
        return sum(bool(port.peer) for cage in self.cages for port in cage.ports)

    @property
    def ports(self) -> int:
        """All ports."""
        return sum(len(cage.ports) for cage in self.cages)

    def to_dict(self) -> dict[str, Any]:
        """Return the map as one JSON object."""
        return asdict(self)


def port_maps(fabric: Fabric, devices: Sequence[str] = ()) -> list[PortMap]:
    """Return the port maps to draw.

    Parameters
    ----------
    fabric : Fabric
    devices : sequence of str, optional
        Their names; that of a director gives all of its chips with cables. By default the first switch of each kind
        and type in each network.

    Raises
    ------
    InputError
        If there is no such device.
    """
    named = {name: [row] for row, name in enumerate(fabric.names)}
    named |= {name: _with_cables(fabric, chips) for name, chips in chassis_names(fabric).items()}
    strange = [name for name in devices if name not in named]
    if strange:
        raise InputError(f"--device: there is no device '{strange[0]}'", did_you_mean(strange[0], named))
    rows = [row for name in devices for row in named[name]] if devices else _first_of_each(fabric)
    return [_port_map(fabric, row) for row in rows]


def _with_cables(fabric: Fabric, chips: Sequence[int]) -> list[int]:
    """Return the chips of a director that links lead out of."""
    outside = ~backplane_links(fabric)
    ends = np.concatenate([end[outside] for end in fabric.ends])
    return [chip for chip in chips if chip in ends]


def _first_of_each(fabric: Fabric) -> list[int]:
    devices = fabric.devices
    switches = np.flatnonzero(devices.tier > 0)
    keys = np.column_stack((devices.network[switches], devices.kind[switches], devices.type[switches]))
    _, first = np.unique(keys, axis=0, return_index=True)
    rows: list[int] = switches[np.sort(first)].tolist()
    return rows[:MOST]


def _port_map(fabric: Fabric, device: int) -> PortMap:
    first, last = fabric.first_port[device : device + 2].tolist()
    cages: dict[int, list[PortFace]] = {}
    network = _networks_of(fabric, first, last)
    for port in range(first, last):
        cages.setdefault(int(fabric.ports.cage[port]), []).append(_port_face(fabric, port, network.get(port, "")))
    faces = tuple(CageFace(cage + 1, tuple(ports)) for cage, ports in sorted(cages.items()))
    return PortMap(
        fabric.names[device], KINDS[int(fabric.devices.kind[device])], type_title(fabric, device), faces
    )  # fmt: skip


def _networks_of(fabric: Fabric, first: int, last: int) -> dict[int, str]:
    """Return the network of each port in use of a range."""
    found = {}
    for end in (fabric.links.port_a, fabric.links.port_z):
        rows = np.flatnonzero((end >= first) & (end < last))
        for row in rows.tolist():
            found[int(end[row])] = fabric.networks[int(fabric.links.network[row])].name
    return found


def _port_face(fabric: Fabric, port: int, network: str) -> PortFace:
    ports, devices = fabric.ports, fabric.devices
    peer = int(ports.peer[port])
    if peer < 0:
        return PortFace(_word(fabric, port), float(ports.speed_bps[port]), "", "", "", -1, -1, False)
    ends = [int(ports.device[end]) for end in (port, peer)]
    rail = max(int(ports.rail[end]) for end in (port, peer))
    plane = max(int(ports.plane[end]) for end in (port, peer))
    return PortFace(
        _word(fabric, port), float(ports.speed_bps[port]), fabric.names[ends[1]], _word(fabric, peer), network,
        max(rail, *(int(devices.rail[end]) for end in ends)), max(plane, *(int(devices.plane[end]) for end in ends)),
        bool(devices.tier[ends[1]] > devices.tier[ends[0]]),
    )  # fmt: skip


def _word(fabric: Fabric, port: int) -> str:
    label = fabric.ports.label[port] if fabric.ports.label is not None else ""
    return str(label or fabric.ports.number[port])
