"""Collects the rows of a fabric block by block, so that no port or link costs a Python step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fabrictool.fabric import KINDS, Devices, Fabric, GpuPorts, Gpus, LinkRows, NetworkFacts, PortRows, assemble
from fabrictool.fabric.tables import I4

Ints = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class PortPattern:
    """The ports of one device, repeated for each device of a block; (ports,) each."""

    number: Ints
    cage: Ints
    speed_bps: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.number)

    def with_ports(self, speeds_bps: Iterable[float]) -> PortPattern:
        """Add ports after the last, each in a cage of its own."""
        speed = np.array(list(speeds_bps))
        more = np.arange(1, len(speed) + 1)
        number = np.concatenate((self.number, self.number.max(initial=0) + more))
        cage = np.concatenate((self.cage, self.cage.max(initial=-1) + more))
        return PortPattern(number, cage, np.concatenate((self.speed_bps, speed)))


@dataclass(frozen=True, slots=True)
class ManagementPorts:
    """Management ports of switches that one network takes of another: device rows, port rows and numbers."""

    device: I4
    port: Ints
    number: Ints


@dataclass
class Rows:
    """Blocks of rows on their way into a fabric."""

    _devices: dict[str, list[npt.NDArray[Any]]] = field(default_factory=dict)
    _ports: dict[str, list[npt.NDArray[Any]]] = field(default_factory=dict)
    _links: dict[str, list[npt.NDArray[Any]]] = field(default_factory=dict)
    _rails: list[tuple[Ints, Ints, int]] = field(default_factory=list)
    _chips: list[tuple[I4, Ints, npt.NDArray[np.str_]]] = field(default_factory=list)
    _group_counts: dict[str, int] = field(default_factory=dict)
    management_bps: dict[int, dict[int, float]] = field(default_factory=dict)
    _management: dict[tuple[int, int], list[ManagementPorts]] = field(default_factory=dict)
    uplinks: dict[int, list[tuple[str, int, float]]] = field(default_factory=dict)
    _gpus: dict[str, list[npt.NDArray[Any]]] = field(default_factory=dict)
    _gpu_ports: list[tuple[Ints, Ints]] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    device_count: int = 0
    chassis_count: int = 0
    port_count: int = 0
    gpu_count: int = 0

    def add_devices(
        self,
        count: int,
        kind: str,
        tier: int,
        type_name: str,
        group: str,
        pattern: PortPattern,
        latency_s: float = 0.0,
        network: int = -1,
        pod: Ints | int = -1,
        rail: Ints | int = -1,
        plane: int = -1,
        index: Ints | None = None,
        managed: bool = True,
    ) -> I4:
        """Add ``count`` devices with equal ports; return their rows.

        Unless ``index`` is given, a group's indices go on where they ended.
        Switches of a network in ``management_bps`` get a port after the others for each network that
        manages them, unless they are not ``managed`` by themselves.
        """
        managers = self.management_bps.get(network, {}) if tier and managed else {}
        pattern = pattern.with_ports(managers.values()) if managers else pattern
        start = self._group_counts.get(group, 0)
        self._group_counts[group] = start + count
        rows = np.arange(self.device_count, self.device_count + count, dtype=np.int32)
        _put(self._devices, count, np.uint8, kind=KINDS.index(kind))
        _put(self._devices, count, np.int8, tier=tier, network=network)
        _put(self._devices, count, np.int16, type=_place(self.types, type_name), group=_place(self.groups, group))
        _put(self._devices, count, np.int16, plane=plane, rail=rail)
        _put(self._devices, count, np.int32, pod=pod, index=np.arange(start, start + count) if index is None else index)
        _put(self._devices, count, np.float64, latency_s=latency_s)
        for manager, place in zip(managers, range(len(pattern) - len(managers), len(pattern)), strict=True):
            ports_of = self.port_count + np.arange(count) * len(pattern) + place
            taken = ManagementPorts(rows, ports_of, np.full(count, pattern.number[place]))
            self._management.setdefault((network, manager), []).append(taken)
        ports = count * len(pattern)
        _put(self._ports, ports, np.int32, device=np.repeat(rows, len(pattern)))
        _put(self._ports, ports, np.int16, number=np.tile(pattern.number.astype(np.int16), count))
        _put(self._ports, ports, np.int16, cage=np.tile(pattern.cage.astype(np.int16), count))
        _put(self._ports, ports, np.float64, speed_bps=np.tile(pattern.speed_bps, count))
        self.device_count += count
        self.port_count += ports
        return rows

    def add_links(
        self, a: tuple[Ints, Ints], z: tuple[Ints, Ints], network: int, speed_bps: float, latency_s: float
    ) -> None:
        """Add links between ends (device rows, port numbers) of equal length; ``a`` is the lower tier."""
        count = len(a[0])
        _put(self._links, count, np.int32, a_device=a[0], a_number=a[1], z_device=z[0], z_number=z[1])
        _put(self._links, count, np.int8, network=network)
        _put(self._links, count, np.float64, speed_bps=speed_bps, latency_s=latency_s)

    def add_gpus(self, host: Ints, domain: Ints, index: Ints, speed_bps: float, latency_s: float) -> Ints:
        """Add GPUs; return their rows."""
        count = len(host)
        _put(self._gpus, count, np.int32, host=host, domain=domain)
        _put(self._gpus, count, np.int16, index=index)
        _put(self._gpus, count, np.float64, scale_up_bps=speed_bps, scale_up_latency_s=latency_s)
        self.gpu_count += count
        return np.arange(self.gpu_count - count, self.gpu_count, dtype=np.int32)

    def add_gpu_ports(self, gpu: Ints, port: Ints) -> None:
        """Let GPUs use ports, by rows of equal length."""
        self._gpu_ports.append((gpu, port))

    def set_rails(self, port: Ints, rail: Ints, plane: int = -1) -> None:
        """Say which rail and plane ports belong to, by rows of equal length."""
        self._rails.append((port, rail, plane))

    def set_chips(self, device: I4, chassis: Ints, board: npt.NDArray[np.str_]) -> None:
        """Say which devices are chips of directors: rows, numbers of the chassis and boards of equal length."""
        self._chips.append((device, chassis, board))

    def keep_uplinks(self, network: int, kind: str, count: int, speed_bps: float) -> None:
        """Keep ports of a kind of switch for links out of a network."""
        self.uplinks.setdefault(network, []).append((kind, count, speed_bps))

    def management_ports(self, network: int, manager: int) -> ManagementPorts:
        """Return the ports of a network's switches that another manages them by."""
        blocks = self._management[network, manager]
        return ManagementPorts(
            *(np.concatenate([getattr(block, name) for block in blocks]) for name in ("device", "port", "number"))
        )

    def assemble(self, name: str, networks: list[NetworkFacts], naming: Mapping[str, str]) -> Fabric:
        """Join all blocks and check them."""
        ports = _joined(self._ports)
        rail = np.full(self.port_count, -1, np.int16)
        plane = np.full(self.port_count, -1, np.int16)
        for rows, values, where in self._rails:
            rail[rows], plane[rows] = values, where
        gpus = {**dict.fromkeys(_GPU_COLUMNS, np.zeros(0)), **_joined(self._gpus)}
        links = {**dict.fromkeys(_LINK_COLUMNS, np.zeros(0)), **_joined(self._links)}
        pairs = [np.concatenate(side) for side in zip(*self._gpu_ports, strict=True)] or [np.zeros(0), np.zeros(0)]
        return assemble(
            name,
            Devices(**_joined(self._devices), **self._chip_columns()),
            PortRows(**ports, rail=rail, plane=plane),
            LinkRows(**{key: links[key].astype(kind, copy=False) for key, kind in _LINK_COLUMNS.items()}),
            Gpus(**{key: gpus[key].astype(kind, copy=False) for key, kind in _GPU_COLUMNS.items()}),
            GpuPorts(pairs[0].astype(np.int32), pairs[1].astype(np.int32)),
            self.types,
            self.groups,
            networks,
            {title: naming[title] for title in naming if title in self.groups},
        )

    def _chip_columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return chassis and board of each device, if there are directors."""
        if not self._chips:
            return {}
        chassis = np.full(self.device_count, -1, np.int32)
        board = np.full(self.device_count, "", "<U12")
        for rows, numbers, boards in self._chips:
            chassis[rows], board[rows] = numbers, boards
        return {"chassis": chassis, "board": board}


_LINK_COLUMNS: dict[str, type[np.generic]] = {
    **dict.fromkeys(("a_device", "a_number", "z_device", "z_number"), np.int32),
    "network": np.int8,
    "speed_bps": np.float64,
    "latency_s": np.float64,
}
_GPU_COLUMNS: dict[str, type[np.generic]] = {
    "host": np.int32,
    "domain": np.int32,
    "index": np.int16,
    "scale_up_bps": np.float64,
    "scale_up_latency_s": np.float64,
}


def _put(blocks: dict[str, list[npt.NDArray[Any]]], count: int, dtype: type[np.generic], /, **columns: object) -> None:
    for name, value in columns.items():
        column = np.asarray(value, dtype)
        blocks.setdefault(name, []).append(column if column.shape == (count,) else np.full(count, column))


def _joined(blocks: dict[str, list[npt.NDArray[Any]]]) -> dict[str, npt.NDArray[Any]]:
    return {name: parts[0] if len(parts) == 1 else np.concatenate(parts) for name, parts in blocks.items()}


def _place(words: list[str], word: str) -> int:
    if word not in words:
        words.append(word)
    return words.index(word)
