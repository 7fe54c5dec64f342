"""Racks as they look from the front: what stands in which unit, ports in use, and the load of each feed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fabrictool.cabling.panel_table import PANEL, panels_in_racks
from fabrictool.errors import InputError, did_you_mean
from fabrictool.fabric import Fabric
from fabrictool.fabric.tables import I4
from fabrictool.placement.elevations import Standing, standing
from fabrictool.placement.figures import device_units
from fabrictool.plot.site import Site
from fabrictool.power.cords import lost_of_rack
from fabrictool.power.limits import POWER_FACTOR, feed_w
from fabrictool.power.racks import known
from fabrictool.power.supply import feeds_of_racks

#: Racks of a layout up to which each is drawn; in larger ones equal racks share a drawing.
EACH = 8


@dataclass(frozen=True, slots=True)
class DeviceFace:
    """A device in a rack: lowest unit and height, and how many of its ports each network uses.

    ``network`` is its network's row, -1 for a device in several and for a patch panel.
    """

    unit: int
    units: int
    device: str
    type: str
    kind: str
    network: int
    ports: int
    used: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FeedLoad:
    """What a feed of a rack carries with all feeds alive, and once those that may fail have failed; in W."""

    feed: str
    load_w: float
    after_loss_w: float
    carries_w: float


@dataclass(frozen=True, slots=True)
class Face:
    """A rack, or several that are equal but for names; what is not known is None."""

    racks: tuple[str, ...]
    role: str
    type: str
    units: int
    units_used: int
    it_w: float | None
    limit_w: float | None
    weight_kg: float | None
    feeds: tuple[FeedLoad, ...]
    devices: tuple[DeviceFace, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the rack as one JSON object."""
        return asdict(self)


def faces(site: Site, racks: Sequence[str] = ()) -> list[Face]:
    """Return the racks to draw.

    Parameters
    ----------
    site : Site
    racks : sequence of str, optional
        Names, or ``all``. By default all of a layout of up to 8 racks; in a larger one the first of each kind
        stands for those that hold the same at the same units.

    Raises
    ------
    InputError
        If there is no such rack.
    """
    names = site.placement.racks.name.tolist()
    strange = [rack for rack in racks if rack not in names and rack != "all"]
    if strange:
        raise InputError(f"--rack: there is no rack '{strange[0]}'", did_you_mean(strange[0], [*names, "all"]))
    chosen = [row for row, name in enumerate(names) if name in racks or "all" in racks or not racks]
    found = list(_each(site, np.array(chosen, np.int32)))
    return found if racks or len(names) <= EACH else _alike(found)


def _alike(found: Sequence[Face]) -> list[Face]:
    """Put racks together that differ in names and the weight of cables only, in the order of the first of each."""
    kinds: dict[object, list[Face]] = {}
    for face in found:
        holds = tuple((d.unit, d.units, d.type, d.kind, d.network, d.used) for d in face.devices)
        feeds = tuple((load.feed, load.load_w) for load in face.feeds)
        kinds.setdefault((face.role, face.type, face.units, face.it_w, face.limit_w, feeds, holds), []).append(face)
    return [_joined(alike) for alike in kinds.values()]


def _joined(alike: Sequence[Face]) -> Face:
    first = alike[0]
    heaviest = max((face.weight_kg for face in alike if face.weight_kg is not None), default=None)
    return Face(
        tuple(rack for face in alike for rack in face.racks), first.role, first.type, first.units, first.units_used,
        first.it_w, first.limit_w, heaviest, first.feeds, first.devices,
    )  # fmt: skip


def _each(site: Site, chosen: I4) -> Iterator[Face]:
    racks, power = site.placement.racks, site.power
    stand = standing(site.fabric, site.placement, device_units(site.layout, site.fabric))
    inside = [(*mine, *panels) for mine, panels in zip(stand, panels_in_racks(site.plan), strict=True)]
    devices = _Devices(site.fabric)
    feeds = feed_loads(site)
    for row in chosen.tolist():
        yield Face(
            (str(racks.name[row]),), str(racks.role[row]), str(racks.type[row]), int(racks.units[row]),
            int(power.units_used[row]), known(power.it_w[row]), known(power.limit_w[row]), known(power.weight_kg[row]),
            feeds[row], tuple(devices.of(found) for found in inside[row]),
        )  # fmt: skip


class _Devices:
    """Looks up what a figure says of a device."""

    def __init__(self, fabric: Fabric) -> None:
        self.network = fabric.devices.network
        self.ports, self.used = port_use(fabric)

    def of(self, found: Standing) -> DeviceFace:
        """Return a device with its place and ports."""
        row = found.row
        if found.kind == PANEL:
            return DeviceFace(found.unit, found.height, found.name, found.type, found.kind, -1, 0, ())
        return DeviceFace(
            found.unit, found.height, found.name, found.type, found.kind, int(self.network[row]), int(self.ports[row]),
            tuple(self.used[row].tolist()),
        )  # fmt: skip


def port_use(fabric: Fabric) -> tuple[I4, I4]:
    """Return the ports of each device, (devices,), and how many each network uses, (devices, networks).

    The first chip of a director counts for all chips, and links inside it do not count.
    """
    devices, networks = fabric.devices, len(fabric.networks)
    stands = np.arange(len(devices))
    if devices.chassis is not None:
        inside = np.flatnonzero(devices.chassis >= 0)
        _, first, which = np.unique(devices.chassis[inside], return_index=True, return_inverse=True)
        stands[inside] = inside[first][which]
    a, z = (stands[end] for end in fabric.ends)
    within = a == z
    used = np.zeros(len(devices) * networks, np.int32)
    for end in (a, z):
        key = end[~within] * networks + fabric.links.network[~within]
        used += np.bincount(key, minlength=len(used)).astype(np.int32)
    ports = np.bincount(stands[fabric.ports.device], minlength=len(devices)).astype(np.int32)
    ports -= 2 * np.bincount(a[within], minlength=len(devices)).astype(np.int32)
    return ports, used.reshape(len(devices), networks)


def feed_loads(site: Site) -> list[tuple[FeedLoad, ...]]:
    """Return the feeds of each rack with their loads, (racks,); none for racks of unknown power, or without feeds."""
    hall = site.layout.hall
    if hall is None or not hall.feeds:
        return [()] * len(site.placement.racks)
    factor = POWER_FACTOR if hall.power_factor is None else hall.power_factor
    has = feeds_of_racks(site.layout, site.power.it_w)
    carries = [feed_w(feed, factor) for feed in hall.feeds]
    count = int(has[0].sum())
    left = max(1, count - lost_of_rack(hall))
    return [
        tuple(
            FeedLoad(hall.feeds[feed].name, it_w / count, it_w / left, carries[feed])
            for feed in np.flatnonzero(row).tolist()
            if not np.isnan(it_w)
        )
        for it_w, row in zip(site.power.it_w.tolist(), has, strict=True)
    ]
