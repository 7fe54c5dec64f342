"""Hosts with their ports and GPUs, and which of the ports a network takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fabrictool.catalogue.types import HostType
from fabrictool.errors import NotSupportedError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.generators.latency import SCALE_UP_HOP_S
from fabrictool.generators.rows import Ints, PortPattern, Rows
from fabrictool.layout.model import Attach, HostGroup, Network


@dataclass(frozen=True)
class Hosts:
    """Rows of one host group: devices, first port of each, and the role of each port of a host."""

    group: HostGroup
    device: I4
    first_port: Ints
    roles: tuple[str, ...]
    speed_bps: np.ndarray


@dataclass(frozen=True)
class Endpoints:
    """Host ports that a network takes, host by host.

    ``host`` counts the attached hosts from 0, ``lane`` the ports of a host that are attached,
    ``number`` is the port number at the host and ``port`` its row.
    """

    host: Ints
    lane: Ints
    device: Ints
    number: Ints
    port: Ints
    speed_bps: float

    @property
    def host_count(self) -> int:
        """Attached hosts, service hosts included."""
        return int(self.host[-1]) + 1 if len(self.host) else 0

    @property
    def lanes(self) -> int:
        """Largest number of attached ports of one host."""
        return int(self.lane.max()) + 1 if len(self.lane) else 0


def host_pattern(kind: HostType) -> tuple[PortPattern, tuple[str, ...]]:
    """Return the ports of a host of a type, numbered adapter by adapter, and the role of each."""
    cages, speeds, roles = [], [], []
    base = 0
    for nic in kind.nics:
        count = nic.cages or nic.ports
        cages.append(base + np.arange(nic.ports) * count // nic.ports)
        base += count
        speeds.append(np.full(nic.ports, nic.speed_bps))
        words = nic.role.split("+")
        roles += [words[i % nic.ports_each % len(words)] for i in range(nic.ports)]
    cage = np.concatenate(cages) if cages else np.zeros(0, int)
    speed = np.concatenate(speeds) if speeds else np.zeros(0)
    return PortPattern(np.arange(1, len(cage) + 1), cage, speed), tuple(roles)


def add_hosts(rows: Rows, groups: list[HostGroup]) -> dict[str, Hosts]:
    """Add all host groups with ports and GPUs."""
    added = {}
    for row, group in enumerate(groups):
        if group.type.trays:
            what = f"{group.type.name} is a rack of {group.type.trays} hosts"
            fix = "describe one tray as an inline host with scale_up over several hosts"
            raise NotSupportedError([Problem("", what, fix, ("hosts", row, "type"))])
        pattern, roles = host_pattern(group.type)
        kind = "host" if group.role == "compute" else group.role
        first = rows.port_count
        device = rows.add_devices(group.count, kind, 0, group.type.name, group.name, pattern)
        ports = first + np.arange(group.count) * len(pattern)
        hosts = Hosts(group, device, ports, roles, pattern.speed_bps)
        if group.role == "compute" and group.type.gpus:
            _add_gpus(rows, hosts)
        added[group.name] = hosts
    return added


def _add_gpus(rows: Rows, hosts: Hosts) -> None:
    """Add a group's GPUs in rank order, and let each use the compute ports that are its own."""
    kind, count = hosts.group.type, hosts.group.count
    host = np.repeat(hosts.device, kind.gpus)
    index = np.tile(np.arange(kind.gpus), count)
    place = np.arange(len(host))
    size = kind.scale_up.domain if kind.scale_up else 1
    speed = kind.scale_up.speed_bps if kind.scale_up else 0.0
    latency = _scale_up_latency(kind)
    gpu = rows.add_gpus(host, rows.gpu_count + place // size * size, index, speed, latency)
    compute = np.array([i for i, role in enumerate(hosts.roles) if role == "compute"], np.int32)
    ports, gpus = len(compute), kind.gpus
    if not ports:
        return
    many = max(ports, gpus)
    of_gpu, of_port = np.arange(many) * gpus // many, np.arange(many) * ports // many
    pair_gpu = (gpu[0] + np.arange(count)[:, None] * gpus + of_gpu).ravel()
    pair_port = (hosts.first_port[:, None] + compute[of_port]).ravel()
    rows.add_gpu_ports(pair_gpu, pair_port)


def _scale_up_latency(kind: HostType) -> float:
    if kind.scale_up is None:
        return 0.0
    return SCALE_UP_HOP_S if kind.scale_up.latency_s is None else kind.scale_up.latency_s


def attached(hosts: Mapping[str, Hosts], network: Network, name: str) -> Endpoints:
    """Return the host ports that a network takes.

    Raises
    ------
    NotSupportedError
        If the attached ports have more than one speed.
    """
    attaches = network.attach or [Attach(hosts=group) for group in hosts]
    parts: list[tuple[Ints, ...]] = []
    speeds: set[float] = set()
    done = 0
    for attach in attaches:
        group = hosts[attach.hosts]
        wanted = _wanted(group, attach)
        if not len(wanted):
            continue
        count = group.group.count
        port = (group.first_port[:, None] + wanted).ravel()
        parts.append(
            (
                np.repeat(np.arange(done, done + count), len(wanted)),
                np.tile(np.arange(len(wanted)), count),
                np.repeat(group.device, len(wanted)),
                np.tile(wanted + 1, count),
                port,
            )
        )
        speeds |= set(group.speed_bps[wanted].tolist())
        done += count
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] or [np.zeros(0, int)] * 5
    host, lane, device, number, port = columns
    return Endpoints(host, lane, device, number, port, _one_speed(speeds, network, name))


def _wanted(hosts: Hosts, attach: Attach) -> Ints:
    """Return the places of the ports asked for: by number, by role, else all of role compute or of no role."""
    if attach.ports is not None:
        return np.array(attach.ports, np.int64)
    role = attach.role or "compute"
    return np.array([i for i, word in enumerate(hosts.roles) if word == role], np.int64)


def _one_speed(speeds: set[float], network: Network, name: str) -> float:
    if network.speed_bps is not None and any(speed < network.speed_bps for speed in speeds):
        what = f"links of {network.speed_bps / 1e9:g}G do not fit host ports of {min(speeds) / 1e9:g}G"
        raise NotSupportedError(
            [Problem("", what, "lower speed to that of the host ports", ("networks", name, "speed"))]
        )
    if network.speed_bps is not None:
        return network.speed_bps
    if len(speeds) > 1:
        what = "host ports of " + " and ".join(f"{speed / 1e9:g}G" for speed in sorted(speeds)) + " are attached"
        raise NotSupportedError([Problem("", what, "give the network one speed", ("networks", name))])
    return speeds.pop() if speeds else 0.0
