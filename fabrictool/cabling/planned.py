"""The plan that an as-built fabric is held against: ports with what each is to be plugged into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from fabrictool.cabling.port_words import cage_and_leg
from fabrictool.fabric.tables import KINDS, Fabric
from fabrictool.formats.found import natural
from fabrictool.records import Sighting

#: Where nothing is known.
NONE = -1


@dataclass(slots=True)
class PlannedLink:
    """A link of the plan: ports, and what its cable is to be; ``row`` is its place in the plan's fabric."""

    a: int
    z: int
    row: int
    speed_bps: float = 0.0
    lanes: int = 0
    media: str = ""
    cable: str = ""
    length_m: float | None = None
    network: int = 0


@dataclass(slots=True)
class PlannedDevice:
    """A device of the plan; ``planned`` is False for one that was only seen."""

    name: str
    tier: int
    kind: str
    rail: int = NONE
    plane: int = NONE
    rack: str = ""
    unit: int = 0
    planned: bool = True
    ports: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class PlannedPort:
    """A port: its device, what it is called, and its cage and leg, counted from 0; cage -1 is unknown."""

    device: int
    label: str
    cage: int
    leg: int
    row: int = NONE


@dataclass(slots=True)
class Plan:
    """Devices, ports and links, which grow by what is seen but was not planned; ``legs`` counts links by cable."""

    fabric: Fabric
    devices: list[PlannedDevice] = field(default_factory=list)
    ports: list[PlannedPort] = field(default_factory=list)
    links: list[PlannedLink] = field(default_factory=list)
    legs: dict[str, int] = field(default_factory=dict)

    def port_name(self, port: int) -> str:
        """Return ``device:port``."""
        row = self.ports[port]
        return f"{self.devices[row.device].name}:{row.label}"

    def cage_name(self, port: int) -> str:
        """Return ``device:cage`` of a port: its label without the leg."""
        row = self.ports[port]
        return f"{self.devices[row.device].name}:{self.cage_label(port)}"

    def cage_label(self, port: int) -> str:
        """Return what a port's cage is called."""
        row = self.ports[port]
        known = cage_and_leg(row.label)
        return known[2] if known and known[2] else f"cage {row.cage + 1}" if row.cage >= 0 else row.label

    def add_device(self, name: str) -> int:
        """Add a device that was seen, but is not planned."""
        self.devices.append(PlannedDevice(name, NONE, "unknown", planned=False))
        return len(self.devices) - 1

    def add_port(self, device: int, label: str) -> int:
        """Return a port of a device, made if the plan has none of that label."""
        ports = self.devices[device].ports
        if label not in ports:
            known = cage_and_leg(label)
            cage, leg = (known[0], known[1]) if known else (NONE, 0)
            ports[label] = len(self.ports)
            self.ports.append(PlannedPort(device, label, cage, leg))
        return ports[label]


def planned(fabric: Fabric, rows: Iterable[Sighting] = (), racks: dict[str, tuple[str, int]] | None = None) -> Plan:
    """Return the plan that a fabric is, with what rows of a cable plan know beside it.

    Parameters
    ----------
    fabric : Fabric
    rows : iterable of Sighting
        Rows of the plan, found by their ports.
    racks : mapping of str to (rack, unit), optional
        Where devices stand.
    """
    plan = Plan(fabric)
    _add_devices(plan, racks or {})
    _add_ports(plan)
    links = fabric.links
    columns = (links.port_a, links.port_z, links.speed_bps, links.network)
    for row, (a, z, speed, network) in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        if "aggregation" not in {plan.devices[plan.ports[port].device].kind for port in (a, z)}:  # no cable
            plan.links.append(PlannedLink(a, z, row, speed, network=network))
    _add_rows(plan, rows)
    _name_cables(plan)
    return plan


def _add_devices(plan: Plan, racks: dict[str, tuple[str, int]]) -> None:
    table = plan.fabric.devices
    columns = (table.tier, table.kind, table.rail, table.plane)
    rows = zip(plan.fabric.names, *(column.tolist() for column in columns), strict=True)
    for name, tier, kind, rail, plane in rows:
        rack, unit = racks.get(name, ("", 0))
        plan.devices.append(PlannedDevice(name, tier, KINDS[kind], rail, plane, rack, unit))


def _add_ports(plan: Plan) -> None:
    table = plan.fabric.ports
    labels = [str(number) for number in table.number.tolist()]
    if table.label is not None:
        labels = [label or number for label, number in zip(table.label.tolist(), labels, strict=True)]
    device, cage = table.device.astype(np.int64), table.cage.astype(np.int64)
    group = device * 2**16 + cage
    first = np.zeros(len(group), np.int64)
    order = np.argsort(group, kind="stable")
    new = np.r_[True, np.diff(group[order]) != 0] if len(group) else np.zeros(0, bool)
    first[order] = np.flatnonzero(new)[np.cumsum(new) - 1]
    place = np.empty(len(group), np.int64)
    place[order] = np.arange(len(group))
    legs = (place - first).tolist()
    for row, (owner, label, at, leg) in enumerate(
        zip(table.device.tolist(), labels, table.cage.tolist(), legs, strict=True)
    ):
        plan.ports.append(PlannedPort(owner, label, at, leg, row))
        plan.devices[owner].ports[label] = row


def _add_rows(plan: Plan, rows: Iterable[Sighting]) -> None:
    """Give links and devices what the rows of a cable plan say of them."""
    link_at = {end: link for link in plan.links for end in (link.a, link.z)}
    by_name = {device.name: row for row, device in enumerate(plan.devices)}
    for row in rows:
        for name, rack, unit in ((row.device, row.rack, row.unit), (row.peer, row.peer_rack, row.peer_unit)):
            if rack and name in by_name:
                device = plan.devices[by_name[name]]
                device.rack, device.unit = rack, unit
        if row.device in by_name:
            port = plan.devices[by_name[row.device]].ports.get(row.port)
            link = link_at.get(port) if port is not None else None
            if link is not None:
                link.lanes, link.media, link.cable, link.length_m = row.lanes, row.media, row.cable_id, row.length_m


def _name_cables(plan: Plan) -> None:
    """Let links of one cage share a cable where the network's cables are those of cages, and nothing names them."""
    for link in plan.links:
        facts = plan.fabric.networks[link.network]
        host = plan.devices[plan.ports[link.a].device].tier == 0
        rule = facts.host_cables if host else facts.cables
        if not link.cable and rule != "per-link":
            link.cable = f"cable at {plan.cage_name(link.z if rule == 'per-upper-cage' else link.a)}"
    plan.legs = dict(Counter(link.cable for link in plan.links if link.cable))


def in_order(plan: Plan, device: int) -> list[int]:
    """Return the ports of a device in the order of their names."""
    return sorted(plan.devices[device].ports.values(), key=lambda port: natural(plan.ports[port].label))
