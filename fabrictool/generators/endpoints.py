"""Hosts with their ports and GPUs, and which of the ports a network takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fabrictool.catalogue.types import HostType
from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import I4, Bool
from fabrictool.generators.latency import SCALE_UP_HOP_S
from fabrictool.generators.rows import Ints, PortPattern, Rows
from fabrictool.generators.tiers import MOST_PER_CAGE
from fabrictool.layout.model import HostGroup
from fabrictool.layout.network import Attach, Network

#: Whose ports: hosts, switches, racks or loops, and a name.
Owner = tuple[str, str]


@dataclass(frozen=True)
class Owners:
    """Devices that have ports for networks, equal but for port numbers.

    ``device``, ``first_port`` and ``first_number`` are rows of devices, row and number of the first
    port of each; ``roles``, ``speed_bps`` and ``adapter`` belong to the ports of one device; ``service``
    tells those apart that are no hosts in counts.
    """

    device: I4
    first_port: Ints
    first_number: Ints
    roles: tuple[str, ...]
    speed_bps: np.ndarray
    adapter: Ints
    service: bool = True


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Host ports that a network takes, host by host.

    ``host`` counts the attached hosts from 0, ``lane`` the ports of a host that are attached,
    ``number`` is the port number at the host and ``port`` its row; ``turn`` counts a host's ports
    that are attached together, by one role; ``link_bps`` is the speed of each link, which all share
    but in a pair of switches; ``adapter`` counts the adapters of a host; ``owner`` is the place of its
    owner in ``owners``, and ``service`` whether that is no host in counts. What a network manages counts
    as a host here.
    """

    host: Ints
    lane: Ints
    device: Ints
    number: Ints
    port: Ints
    speed_bps: float
    turn: Ints
    link_bps: np.ndarray
    adapter: Ints
    owner: Ints
    service: Bool
    owners: tuple[Owner, ...]

    def chosen(self, rows: Ints) -> Endpoints:
        """Return some of the host ports, or all in another order."""
        columns = {name: getattr(self, name) for name in self.__slots__}
        chosen: dict[str, Any] = {
            name: column[rows] for name, column in columns.items() if isinstance(column, np.ndarray)
        }
        return replace(self, **chosen)

    @property
    def host_count(self) -> int:
        """Attached hosts, service hosts included."""
        return int(self.host[-1]) + 1 if len(self.host) else 0

    @property
    def lanes(self) -> int:
        """Largest number of attached ports of one host."""
        return int(self.lane.max()) + 1 if len(self.lane) else 0


def host_pattern(kind: HostType, splits: Sequence[int] = ()) -> tuple[PortPattern, tuple[str, ...], Ints]:
    """Return the ports of a host of a type, numbered adapter by adapter, the role and the adapter of each.

    ``splits`` says for each group of adapters into how many slower ports each port is broken out.
    """
    cages, speeds, roles, adapters = [], [], [], []
    base, first = 0, 0
    for nic, split in zip(kind.nics, splits or [1] * len(kind.nics), strict=True):
        count = nic.cages or nic.ports
        ports = nic.ports * split
        cages.append(base + np.arange(ports) * count // ports)
        base += count
        speeds.append(np.full(ports, nic.speed_bps / split))
        adapters.append(first + np.arange(ports) // (nic.ports_each * split))
        first += nic.count
        words = nic.role.split("+")
        roles += [words[i // split % nic.ports_each % len(words)] for i in range(ports)]
    cage = np.concatenate(cages) if cages else np.zeros(0, int)
    speed = np.concatenate(speeds) if speeds else np.zeros(0)
    adapter = np.concatenate(adapters) if adapters else np.zeros(0, int)
    return PortPattern(np.arange(1, len(cage) + 1), cage, speed), tuple(roles), adapter


def port_splits(group: HostGroup, networks: Mapping[str, Network]) -> list[int]:
    """Return into how many ports each port of a group's adapters is broken out.

    A port faster than the links of the network that takes it by role is split into as many as it
    carries.

    Raises
    ------
    InputError
        If two networks ask for different splits of one adapter.
    """
    splits = [1] * len(group.type.nics)
    for name, network in networks.items():
        for attach in _attaches(network, [group.name]):
            if attach.hosts != group.name or attach.ports is not None or network.speed_bps is None:
                continue
            role = attach.role or "compute"
            for row, nic in enumerate(group.type.nics):
                split = int(nic.speed_bps / network.speed_bps * (1 + 1e-9))
                if role not in nic.role.split("+") or split < 2:
                    continue
                if split > MOST_PER_CAGE:
                    what = f"a port of {nic.speed_bps / 1e9:g}G would be broken out to {split} slower ones"
                    fix = f"a port has at most {MOST_PER_CAGE} lanes: raise the speed, or attach slower ports"
                    raise InputError([Problem("", what, fix, ("networks", name, "speed"))])
                if splits[row] not in (1, split):
                    what = f"{group.name}'s {nic.role} ports are split {splits[row]} and {split} ways"
                    fix = "give the networks on one adapter the same speed"
                    raise InputError([Problem("", what, fix, ("networks", name, "speed"))])
                splits[row] = split
    return splits


def add_hosts(rows: Rows, groups: list[HostGroup], networks: Mapping[str, Network]) -> dict[Owner, Owners]:
    """Add all host groups with ports and GPUs."""
    added: dict[Owner, Owners] = {}
    for group in groups:
        pattern, roles, adapter = host_pattern(group.type, port_splits(group, networks))
        kind = "host" if group.role == "compute" else group.role
        first = rows.port_count
        device = rows.add_devices(group.hosts, kind, 0, group.type.name, group.name, pattern)
        ports = first + np.arange(group.hosts) * len(pattern)
        hosts = Owners(device, ports, np.ones(group.hosts, int), roles, pattern.speed_bps, adapter, kind != "host")
        if group.role == "compute" and group.type.gpus:
            _add_gpus(rows, group.type, hosts)
        added["hosts", group.name] = hosts
    return added


def _attaches(network: Network, groups: Iterable[str]) -> list[Attach]:
    return network.attach or [Attach(hosts=group) for group in groups]


def _add_gpus(rows: Rows, kind: HostType, hosts: Owners) -> None:
    """Add a group's GPUs in rank order, and let each use the compute ports that are its own."""
    count, gpus = len(hosts.device), kind.gpus_per_host
    host = np.repeat(hosts.device, gpus)
    index = np.tile(np.arange(gpus), count)
    place = np.arange(len(host))
    size = kind.scale_up.domain if kind.scale_up else 1
    speed = kind.scale_up.speed_bps if kind.scale_up else 0.0
    latency = scale_up_latency_s(kind)
    gpu = rows.add_gpus(host, rows.gpu_count + place // size * size, index, speed, latency)
    compute = np.array([i for i, role in enumerate(hosts.roles) if role == "compute"], np.int32)
    ports = len(compute)
    if not ports:
        return
    many = max(ports, gpus)
    of_gpu, of_port = np.arange(many) * gpus // many, np.arange(many) * ports // many
    pair_gpu = (gpu[0] + np.arange(count)[:, None] * gpus + of_gpu).ravel()
    pair_port = (hosts.first_port[:, None] + compute[of_port]).ravel()
    rows.add_gpu_ports(pair_gpu, pair_port)


def scale_up_latency_s(kind: HostType) -> float:
    """Return the latency of one hop to the switch of a host's scale-up domain: given, else the default."""
    if kind.scale_up is None:
        return 0.0
    return SCALE_UP_HOP_S if kind.scale_up.latency_s is None else kind.scale_up.latency_s


def attached(owners: Mapping[Owner, Owners], network: Network, name: str) -> Endpoints:
    """Return the ports that a network takes.

    Raises
    ------
    InputError
        If the attached ports have more than one speed.
    """
    groups = [title for key, title in owners if key == "hosts"]
    attaches = _attaches(network, groups)
    parts: list[tuple[Ints, ...]] = []
    for row, attach in enumerate(attaches):
        devices = owners[attach.owner]
        wanted = _wanted(devices, attach)
        count = len(devices.device)
        port = (devices.first_port[:, None] + wanted).ravel()
        number = (devices.first_number[:, None] + wanted).ravel()
        turn = np.tile(np.arange(len(wanted)), count)
        link_bps = np.tile(np.minimum(devices.speed_bps[wanted], network.speed_bps or np.inf), count)
        adapter = np.tile(devices.adapter[wanted], count)
        whose = (np.full(len(port), row), np.full(len(port), devices.service))
        parts.append((np.repeat(devices.device, len(wanted)), number, port, turn, link_bps, adapter, *whose))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] or [np.zeros(0, int)] * 8
    return _in_host_order(columns, _speed(columns[4], network, name), tuple(attach.owner for attach in attaches))


def _in_host_order(columns: list[Ints], speed_bps: float, owners: tuple[Owner, ...]) -> Endpoints:
    """Count hosts in the order that they are attached in, and the ports of each."""
    device, number, port, turn, link_bps, adapter, owner, service = columns
    _, first, place = np.unique(device, return_index=True, return_inverse=True)
    host = np.argsort(np.argsort(first))[place] if len(first) else place
    order = np.argsort(host, kind="stable")
    host = host[order]
    lane = np.arange(len(host)) - np.searchsorted(host, host)
    rest = (turn[order], link_bps[order], adapter[order], owner[order], service[order].astype(bool), owners)
    return Endpoints(host, lane, device[order], number[order], port[order], speed_bps, *rest)


def _wanted(hosts: Owners, attach: Attach) -> Ints:
    """Return the places of the ports asked for: by number, by role, else all of role compute or of no role."""
    if attach.hosts is None:
        return np.arange(len(hosts.roles))
    if attach.ports is not None:
        return np.array(attach.ports, np.int64)
    role = attach.role or "compute"
    return np.array([i for i, word in enumerate(hosts.roles) if word == role], np.int64)


def _speed(link_bps: np.ndarray, network: Network, name: str) -> float:
    """Return the one speed of a network's host links; a pair of switches takes each port's own."""
    slowest, fastest = link_bps.min(initial=np.inf), link_bps.max(initial=0.0)
    if network.family == "switch-pair" or not len(link_bps):
        return float(fastest)
    if network.speed_bps is not None and slowest < network.speed_bps:
        what = f"links of {network.speed_bps / 1e9:g}G do not fit host ports of {slowest / 1e9:g}G"
        raise InputError([Problem("", what, "lower speed to that of the host ports", ("networks", name, "speed"))])
    if slowest < fastest:
        what = f"host ports of {slowest / 1e9:g}G and {fastest / 1e9:g}G are attached"
        raise InputError([Problem("", what, "give the network one speed", ("networks", name))])
    return float(fastest)
