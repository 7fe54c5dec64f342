"""Cages of a fabric's ports: what each is, how fast, and how many ports it holds."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.cabling.media import Socket, socket_of, usual_cage
from fabrictool.catalogue.types import HostType, SwitchType
from fabrictool.fabric.grouping import grouped
from fabrictool.fabric.tables import F8, I4, Fabric, Table
from fabrictool.layout.model import Layout
from fabrictool.records import Assumption
from fabrictool.units import format_speed

_UPLINK = re.compile(r"\S+$")
UNKNOWN, MANAGEMENT = "", "RJ45"


@dataclass(frozen=True, slots=True)
class CageKind:
    """Cages alike: their device type, socket (None if not known), speed in bit/s, and power that they supply in W."""

    type: str
    vendor: str
    at: str
    cage: str
    socket: Socket | None
    speed_bps: float
    power_w: float | None
    assumed: bool

    @property
    def lane_bps(self) -> float:
        """Most that one electrical lane carries, 0 if not known."""
        return max(self.socket.lane_bps, self.speed_bps / self.socket.lanes) if self.socket else 0.0


@dataclass(frozen=True)
class Cages(Table):
    """Cages that hold ports, one row each: device, number (from 0), ports, and row in the list of kinds."""

    device: I4
    number: I4
    ports: I4
    kind: I4


@dataclass(frozen=True, slots=True)
class CagePlan:
    """All cages, their kinds, and the cage of each port, (ports,)."""

    cages: Cages
    kinds: tuple[CageKind, ...]
    of_port: I4

    @property
    def speed_bps(self) -> F8:
        """Speed of each cage, (cages,), in bit/s."""
        return np.array([kind.speed_bps for kind in self.kinds])[self.cages.kind]

    def assumptions(self) -> list[Assumption]:
        """Name each kind of cage that its type does not give."""
        found: dict[tuple[str, str, float], Assumption] = {}
        for kind in self.kinds:
            if kind.assumed:
                what = f"cage of {kind.type} at {format_speed(kind.speed_bps)}"
                found[kind.type, kind.cage, kind.speed_bps] = Assumption(what, kind.cage, "usual for this speed")
        return list(found.values())


def cages_of(layout: Layout | None, fabric: Fabric) -> CagePlan:
    """Return the cages of a fabric's ports as the types of its devices give them."""
    ports = fabric.ports
    code = ports.device.astype(np.int64) << 16 | ports.cage
    unique, of_port, number = np.unique(code, return_inverse=True, return_counts=True)
    device, cage = (unique >> 16).astype(np.int32), (unique & 0xFFFF).astype(np.int32)
    speed = np.bincount(of_port, ports.speed_bps, len(unique))
    word, words = _words(layout, fabric, device, cage)
    at_host = fabric.devices.tier[device] == 0
    types = fabric.devices.type[device].astype(np.int64)
    rows, kind = grouped(types, at_host.astype(np.int8), word, np.round(speed / 1e6).astype(np.int64))
    kinds = tuple(_kind(layout, fabric.types[row[0]], bool(row[1]), words[row[2]], row[3] * 1e6) for row in rows)
    cages = Cages(device, cage, number.astype(np.int32), kind.astype(np.int32))
    return CagePlan(cages, kinds, of_port.astype(np.int32))


def _kind(layout: Layout | None, title: str, at_host: bool, word: str, speed_bps: float) -> CageKind:
    at = "host" if at_host else "switch"
    assumed = not word and speed_bps > 0
    word = word or usual_cage(speed_bps) if speed_bps else word
    known = _boxes(layout).get(title)
    power_w = getattr(known, "cage_power_w", None)
    return CageKind(
        title, getattr(known, "vendor", None) or "", at, word, socket_of(word, at), speed_bps, power_w, assumed
    )


def _boxes(layout: Layout | None) -> dict[str, SwitchType | HostType]:
    if layout is None:
        return {}
    switches: dict[str, SwitchType | HostType] = {box.name: box for box in layout.switch_types()}
    return switches | {box.name: box for box in layout.host_types()}


def _words(layout: Layout | None, fabric: Fabric, device: I4, cage: I4) -> tuple[I4, list[str]]:
    """Return what the type of each cage's device calls it: row in a list of words, (cages,)."""
    words = [UNKNOWN]
    found = np.zeros(len(device), np.int32)
    known = _boxes(layout)
    type_of = fabric.devices.type[device]
    for row, title in enumerate(fabric.types):
        box = known.get(title)
        mine = np.flatnonzero(type_of == row)
        if box is None:
            listed = [MANAGEMENT] if title in ("pdu", "cdu") else [UNKNOWN]
        else:
            listed = _switch_words(box) if isinstance(box, SwitchType) else _host_words(box)
        words += [word for word in dict.fromkeys(listed) if word not in words]
        places = np.array([words.index(word) for word in listed] or [0], np.int32)
        found[mine] = places[np.minimum(cage[mine], len(places) - 1)]
    return found, words


def _switch_words(kind: SwitchType) -> list[str]:
    """Return the word of each cage; after the last come ports for management."""
    count = kind.cage_count if kind.director is None else kind.ports
    match = _UPLINK.search(kind.uplinks or "")
    uplinks = [match[0] if match else UNKNOWN] * (kind.uplink_cages or 0)
    return [kind.cage or UNKNOWN] * count + uplinks + [MANAGEMENT]


def _host_words(kind: HostType) -> list[str]:
    return [nic.cage or UNKNOWN for nic in kind.nics for _ in range(nic.cages or nic.ports)]


def used_cages(plan: CagePlan, ports: npt.NDArray[np.integer]) -> I4:
    """Return how many of some ports each cage holds, (cages,)."""
    return np.bincount(plan.of_port[ports], minlength=len(plan.cages)).astype(np.int32)
