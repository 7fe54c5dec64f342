"""What goes with a domain, and whether the rest still holds together."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fabrictool.changes.capacity import State
from fabrictool.fabric import KINDS, Fabric
from fabrictool.fabric.tables import Bool
from fabrictool.records import Domain
from fabrictool.routing.wiring import Wiring


@dataclass(frozen=True, slots=True)
class Gone:
    """What stands in a domain, or loses all its links with it.

    Parameters
    ----------
    gpus : int
        Accelerators of hosts that are down.
    switches : dict of str to int
        Switches that are down, by kind.
    rails, planes : tuple of int
        Rails and planes that lose a switch, from 1.
    """

    gpus: int = 0
    switches: dict[str, int] = field(default_factory=dict)
    rails: tuple[int, ...] = ()
    planes: tuple[int, ...] = ()


def gone_with(fabric: Fabric, domain: Domain, gpus_of: npt.NDArray[np.int64]) -> Gone:
    """Return what goes down with a domain; ``gpus_of`` are the accelerators of each device, (devices,)."""
    if not domain.devices:
        return Gone()
    rows = np.array(domain.devices, dtype=np.int64)
    devices = fabric.devices
    switches = rows[devices.tier[rows] > 0]
    kinds, counts = np.unique(devices.kind[switches], return_counts=True)
    by_kind = {KINDS[kind]: count for kind, count in zip(kinds.tolist(), counts.tolist(), strict=True)}
    return Gone(int(gpus_of[rows].sum()), by_kind, _numbers(devices.rail[switches]), _numbers(devices.plane[switches]))


def gpus_by_device(fabric: Fabric) -> npt.NDArray[np.int64]:
    """Return the accelerators of each device, (devices,)."""
    return np.bincount(fabric.gpus.host, minlength=len(fabric.devices)).astype(np.int64)


def pairs_apart(before: State, alive: Bool, pairs: int) -> int:
    """Return the ordered pairs of endpoints that are alive, reached each other before and no longer do.

    Parameters
    ----------
    alive : ndarray of bool, (hosts,)
        Endpoints that are alive afterwards.
    pairs : int
        Ordered pairs that reach each other afterwards.
    """
    left, endpoints = int(np.count_nonzero(alive)), int(np.count_nonzero(before.alive))
    if before.pairs == endpoints * (endpoints - 1):
        return max(left * (left - 1) - pairs, 0)
    wiring = before.wiring
    count = np.bincount(part_of(wiring)[alive])
    return max(int((count * (count - 1)).sum()) - pairs, 0)


def part_of(wiring: Wiring) -> npt.NDArray[np.int64]:
    """Return which connected part of its network each endpoint is on by its first port, (hosts,)."""
    first = wiring.lanes[: wiring.hosts, 0]
    return np.asarray(wiring.part[wiring.terminals.seat[first]], dtype=np.int64)


def _numbers(column: npt.NDArray[np.integer]) -> tuple[int, ...]:
    found = np.unique(column)
    return tuple((found[found >= 0] + 1).tolist())
