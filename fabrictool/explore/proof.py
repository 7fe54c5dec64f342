"""Proves a sized layout by counting: builds it, and looks at every switch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.errors import FabrictoolError
from fabrictool.explore.sizing import Intent
from fabrictool.fabric import Fabric
from fabrictool.fabric.counting import free_ports, network_counts, oversubscription
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_bytes

#: Kinds of switch that a proof counts.
SWITCHES = ("leaf", "spine", "core", "router")


@dataclass(frozen=True, slots=True)
class Proof:
    """A sized fabric and what was counted on it; ``grown`` is None where no growth is asked for."""

    fabric: Fabric
    grown: Fabric | None
    counts: dict[str, int]
    free: dict[str, int]
    oversubscription: float | None

    @property
    def switches(self) -> int:
        """Switches of all kinds."""
        return sum(self.counts.get(kind, 0) for kind in SWITCHES)


def prove(text: str, grown_text: str | None, intent: Intent) -> Proof | None:
    """Build a layout and the grown one; return what was counted, None if anything falls short of what is asked.

    Parameters
    ----------
    text, grown_text : str
        Layouts for the hosts of now and of later.
    intent : Intent
        Every leaf must keep its reserve, no leaf may be more oversubscribed than asked, and no cable may move
        or change its ports when the fabric grows.
    """
    try:
        fabric = _built(text)
        grown = None if grown_text is None else _built(grown_text)
    except FabrictoolError:
        return None
    every = [fabric] if grown is None else [fabric, grown]
    if not all(_as_asked(one, intent) for one in every) or (grown and not cable_ends(fabric) <= cable_ends(grown)):
        return None
    ratios = oversubscription(fabric, 0)
    counts = network_counts(fabric)[fabric.networks[0].name]
    return Proof(fabric, grown, counts, free_ports(fabric, 0), ratios[0] if ratios else None)


def pods_of(text: str) -> tuple[int, int] | None:
    """Return leaves of a pod and cores of a layout of three levels, None if it cannot be built."""
    try:
        fabric = _built(text)
    except FabrictoolError:
        return None
    devices = fabric.devices
    first = (devices.tier == 1) & (devices.pod == 0) & (devices.plane <= 0)
    return int(first.sum()), int((devices.tier == 3).sum())


def _built(text: str) -> Fabric:
    return build(layout_from_bytes("new", text.encode()))


def _as_asked(fabric: Fabric, intent: Intent) -> bool:
    """Return whether every leaf keeps its reserve and its oversubscription, and every host port has a link."""
    leaves = fabric.devices.tier == 1
    unused = np.bincount(fabric.ports.device[fabric.ports.peer < 0], minlength=len(fabric.devices))
    ratios = oversubscription(fabric, 0)
    linked = np.isin(fabric.gpu_ports.port, fabric.links.port_a)
    within = not ratios or intent.family == "switch-pair" or ratios[0] <= intent.oversubscription * (1 + 1e-9)
    return bool((unused[leaves] >= intent.reserve).all() and within and linked.all())


def cable_ends(fabric: Fabric) -> set[tuple[int, ...]]:
    """Return both ends of every link by place: kind, index and port number."""
    devices, ports = fabric.devices, fabric.ports
    ends: list[npt.NDArray[np.int64]] = []
    for port in (fabric.links.port_a, fabric.links.port_z):
        at = ports.device[port]
        ends += [column.astype(np.int64) for column in (devices.kind[at], devices.index[at], ports.number[port])]
    return set(map(tuple, np.column_stack(ends).astype(int).tolist()))
