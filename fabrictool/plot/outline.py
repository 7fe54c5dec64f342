"""What a figure of a network shows: boxes of devices by tier, and the bundles of links between them.

Small networks are shown device by device. In larger ones equal devices share a box: hosts on the same
leaves, then switches of one rail, unit, plane or part, as finely as the figure stays readable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fabrictool.fabric import KINDS, Fabric
from fabrictool.fabric.parts import merged, network_ends
from fabrictool.fabric.tables import I4, Bool

#: Networks of up to so many devices are shown device by device.
SMALL = 100
#: Most boxes of a tier, and most bundles between two tiers, that can be told apart on a page.
MOST_BOXES = 64
MOST_BUNDLES = 200


@dataclass(frozen=True, slots=True)
class Box:
    """Devices that are shown as one.

    ``rail``, ``plane`` and ``pod`` are -1 where they differ or there are none; ``part`` counts the
    connected parts of the network's switches; hosts have the part of none, -1.
    """

    tier: int
    kind: str
    title: str
    devices: tuple[int, ...]
    rail: int
    plane: int
    pod: int
    part: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """Links between two boxes, the lower one first, as places in the list of boxes; ``rail`` and ``plane`` as there."""

    a: int
    z: int
    links: tuple[int, ...]
    rail: int
    plane: int


@dataclass(frozen=True)
class Outline:
    """Boxes and bundles of a network; ``single`` where each box is one device."""

    fabric: Fabric
    network: int
    boxes: tuple[Box, ...]
    bundles: tuple[Bundle, ...]
    single: bool

    @property
    def tiers(self) -> list[int]:
        """Tiers from the hosts up."""
        return sorted({box.tier for box in self.boxes})

    @property
    def parts(self) -> int:
        """Connected parts of the switches."""
        return len({box.part for box in self.boxes if box.part >= 0})

    def to_dict(self) -> dict[str, Any]:
        """Return the outline as one JSON object, with counts in place of rows."""
        boxes = [asdict(box) | {"devices": len(box.devices)} for box in self.boxes]
        bundles = [asdict(bundle) | {"links": len(bundle.links)} for bundle in self.bundles]
        return {"network": self.fabric.networks[self.network].name, "boxes": boxes, "bundles": bundles}


def outline(fabric: Fabric, network: int) -> Outline:
    """Return what to show of a network.

    Parameters
    ----------
    fabric : Fabric
    network : int
        Its row.
    """
    tier = _levels(fabric, network)
    a, z = _upwards(*network_ends(fabric, network)[:2], tier)
    inside = np.zeros(len(fabric.devices), bool)
    inside[a], inside[z] = True, True
    inside |= fabric.devices.network == network
    single = int(inside.sum()) <= SMALL
    part = _parts(tier, a, z, inside)
    label = np.full(len(fabric.devices), -1, np.int64)
    hosts = np.flatnonzero(inside & (tier == 0))
    label[hosts] = np.arange(len(hosts)) if single else _same_leaves(fabric, hosts, a, z)
    for level in range(1, int(tier[inside].max(initial=0)) + 1):
        rows = np.flatnonzero(inside & (tier == level))
        label[rows] = label.max(initial=-1) + 1 + _partition(fabric, rows, part, label, (a, z), single)
    if len(np.unique(label[hosts])) > MOST_BOXES and not single:
        onto = (tier[a] == 0) & (tier[z] > 0)
        label[hosts] = _same_leaves(fabric, hosts, a[onto], label[z[onto]])
        switches = inside & (tier > 0)
        label[switches] += len(hosts)  # apart from the new numbers of hosts
    boxes = _boxes(fabric, label, part, tier)
    return Outline(fabric, network, boxes, _bundles(fabric, network, boxes), single)


def _levels(fabric: Fabric, network: int) -> np.ndarray:
    """Return the tier of each device in a network: 0 for what it serves, such as switches that it manages."""
    return np.where(np.isin(fabric.devices.network, (network, -1)), fabric.devices.tier, 0)


def _upwards(a: I4, z: I4, tier: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both ends of links, the lower tier first."""
    down = tier[a] > tier[z]
    return np.where(down, z, a), np.where(down, a, z)


def _parts(tier: np.ndarray, a: np.ndarray, z: np.ndarray, inside: Bool) -> I4:
    """Return the connected part of each switch, counted from 0 in row order; -1 for hosts."""
    between = (tier[a] > 0) & (tier[z] > 0)
    label = merged(np.arange(len(tier), dtype=np.int32), a[between], z[between])
    switches = inside & (tier > 0)
    part = np.full(len(tier), -1, np.int32)
    part[switches] = np.unique(label[switches], return_inverse=True)[1]
    return part


def _same_leaves(fabric: Fabric, hosts: np.ndarray, a: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Number hosts by kind, type and the set of leaves, or of their labels, that they are on."""
    code = (fabric.devices.kind.astype(np.int64) << 32 | fabric.devices.type.astype(np.int64)).tolist()
    order = np.lexsort((z, a))
    a, z = a[order], z[order]
    first, last = np.searchsorted(a, hosts), np.searchsorted(a, hosts, side="right")
    seen: dict[tuple[int, bytes], int] = {}
    return np.array(
        [
            seen.setdefault((code[host], np.unique(z[i:j]).tobytes()), len(seen))
            for host, i, j in zip(hosts.tolist(), first, last, strict=True)
        ],
        np.int64,
    )


def _partition(
    fabric: Fabric, rows: np.ndarray, part: I4, label: np.ndarray, ends: tuple[I4, I4], single: bool
) -> np.ndarray:
    """Number switches of a tier by box, as finely as boxes and bundles stay few."""
    devices = fabric.devices
    own = np.arange(len(rows))
    if single:
        return own
    a, z = ends
    up = np.isin(z, rows) & ~np.isin(a, rows)
    below, place = label[a[up]], np.searchsorted(rows, z[up])
    too_many_below = len(np.unique(below)) > MOST_BOXES  # hosts: they are put together by what is chosen here
    columns = [part[rows], devices.plane[rows], devices.pod[rows], devices.rail[rows]]
    choices: tuple[list[Any], ...] = ([own], columns, columns[:3], [*columns[:2], columns[3]], columns[:2])
    for keys in choices:
        found: np.ndarray = np.unique(np.column_stack(keys), axis=0, return_inverse=True)[1].ravel()
        bundles = len(np.unique(np.column_stack((below, found[place])), axis=0))
        if found.max() < MOST_BOXES and (bundles <= MOST_BUNDLES or too_many_below):
            return found
    return np.zeros(len(rows), np.int64)


def _boxes(fabric: Fabric, label: np.ndarray, part: I4, tier: np.ndarray) -> tuple[Box, ...]:
    """Return the boxes in order of tier, then of what they hold."""
    devices = fabric.devices
    boxes = []
    for value in np.unique(label[label >= 0]):
        rows = np.flatnonzero(label == value)
        kind = KINDS[int(devices.kind[rows[0]])]
        boxes.append(
            Box(
                int(tier[rows[0]]),
                kind,
                fabric.names[rows[0]] if len(rows) == 1 else f"{len(rows):,}",
                tuple(rows.tolist()),
                _common(devices.rail[rows]),
                _common(devices.plane[rows]),
                _common(devices.pod[rows]),
                _common(part[rows]),
            )
        )
    return tuple(boxes)


def _common(values: Sequence[int] | np.ndarray) -> int:
    """Return the one value of all, -1 if they differ."""
    found = np.unique(values)
    return int(found[0]) if len(found) == 1 else -1


def _bundles(fabric: Fabric, network: int, boxes: Sequence[Box]) -> tuple[Bundle, ...]:
    """Return the links between boxes; those inside a box are left out."""
    at = np.full(len(fabric.devices), -1, np.int64)
    for place, box in enumerate(boxes):
        at[list(box.devices)] = place
    rows = np.flatnonzero(fabric.links.network == network)
    a, z = fabric.ends
    ends = _upwards(a[rows], z[rows], _levels(fabric, network))
    low, high = at[ends[0]], at[ends[1]]
    rail, plane = _link_rails(fabric, rows), np.maximum(fabric.devices.plane[a[rows]], fabric.devices.plane[z[rows]])
    pairs, which = np.unique(np.column_stack((low, high)), axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(which.ravel()))[:-1])
    return tuple(
        Bundle(int(x), int(y), tuple(rows[group].tolist()), _common(rail[group]), _common(plane[group]))
        for (x, y), group in zip(pairs.tolist(), groups, strict=True)
        if x != y
    )


def _link_rails(fabric: Fabric, rows: np.ndarray) -> np.ndarray:
    """Return the rail of each link: that of the host's port, else of the switch below."""
    lower = fabric.links.port_a[rows]
    rail: np.ndarray = np.maximum(fabric.ports.rail[lower], fabric.devices.rail[fabric.ports.device[lower]])
    return rail
