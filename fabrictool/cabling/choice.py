"""Which media join two kinds of cage, how far each reaches, and what its ends draw and cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from fabrictool.cabling.cages import CageKind
from fabrictool.cabling.media import Medium, class_of, media
from fabrictool.catalogue import store
from fabrictool.catalogue.types import CableType, TransceiverType

_LANES = (1, 2, 4, 8)
TWISTED = "copper"


@dataclass(frozen=True, slots=True)
class Ending:
    """One end of a kind of link: the kind of its cage, and the ports that share it."""

    kind: CageKind
    ports: int

    def speed_bps(self, link_bps: float) -> float:
        """Speed of what plugs in: that of the whole cage where ports share it."""
        return link_bps if self.ports == 1 else self.kind.speed_bps


@dataclass(frozen=True, slots=True)
class Module:
    """What plugs into one end; None is unknown. ``sku`` is empty where the catalogue has no such module."""

    name: str
    sku: str
    reach_m: float
    power_w: float | None
    usd: float | None


@dataclass(frozen=True, slots=True)
class Option:
    """A medium that may join two ends.

    Parameters
    ----------
    medium : Medium
    max_m : float
        Reach: the least of the medium's and of both modules'.
    a, z : Module
    lengths_m : tuple of float
        To be ordered, within reach.
    usd, usd_per_m : float or None, float
        Of the cable, without modules.
    sku : str
        Stem of its order number, empty if the catalogue has none.
    """

    medium: Medium
    max_m: float
    a: Module
    z: Module
    lengths_m: tuple[float, ...]
    usd: float | None
    usd_per_m: float
    sku: str


def lanes_of(a: Ending, z: Ending, link_bps: float) -> int:
    """Return the least electrical lanes that both ends carry a link on, 0 if they have none in common."""
    if a.kind.socket is None or z.kind.socket is None:
        return 0
    room = min(end.kind.socket.lanes // end.ports for end in (a, z) if end.kind.socket)
    lane_bps = min(a.kind.lane_bps, z.kind.lane_bps)
    return next((lanes for lanes in _LANES if lanes <= room and lanes * lane_bps >= link_bps * (1 - 1e-9)), 0)


@cache
def options(a: Ending, z: Ending, link_bps: float, direct: bool) -> tuple[Option, ...]:
    """Return the media that may join two ends, in the order in which they are taken.

    Parameters
    ----------
    a, z : Ending
    link_bps : float
        Speed of a link in bit/s.
    direct : bool
        Whether one assembly may fill the cages at both ends.
    """
    if not link_bps or not lanes_of(a, z, link_bps):
        return ()
    return tuple(_options(a, z, link_bps, direct))


def _options(a: Ending, z: Ending, link_bps: float, direct: bool) -> Iterator[Option]:
    sockets = a.kind.cage, z.kind.cage
    twisted = [cage == "RJ45" for cage in sockets]
    for medium in media():
        if any(twisted) if medium.name != TWISTED else not all(twisted):
            continue
        if medium.direct and not (direct or medium.name == TWISTED):
            continue
        ends = [module_for(end.kind, medium.name, end.speed_bps(link_bps)) for end in (a, z)]
        if ends[0] is None or ends[1] is None:
            continue
        each_bps = a.speed_bps(link_bps) if medium.direct else link_bps
        own = class_of(medium.name, each_bps)
        product = _product(a.kind, z.kind, medium, each_bps, ends[0].sku and ends[1].sku)
        reach = min(ends[0].reach_m, ends[1].reach_m, (product.reach_m if product else None) or float("inf"))
        stock = tuple(product.lengths_m) if product and product.lengths_m else medium.lengths_m
        lengths = tuple(length for length in stock if length <= reach)
        price = (own.cable_usd, own.cable_usd_per_m) if own else (None, 0.0)
        if lengths:
            yield Option(medium, reach, ends[0], ends[1], lengths, *price, product.name.upper() if product else "")


@cache
def module_for(kind: CageKind, medium: str, speed_bps: float) -> Module | None:
    """Return what plugs into a kind of cage at a speed, None if no such module or cable end is known."""
    known = class_of(medium, speed_bps)
    if kind.socket is None:
        return None
    for name in store.names("transceivers") if medium in ("mmf", "smf") else ():
        entry = store.entry("transceivers", name)
        assert isinstance(entry, TransceiverType)
        fits = entry.vendor == kind.vendor and entry.form in kind.socket.modules
        if fits and (entry.media or "").lower() == medium and abs(entry.speed_bps / speed_bps - 1) < 1e-9:
            reach = entry.reach_m or (known.max_m if known else 0.0)
            usd = known.transceiver_usd if known else None
            return Module(name, entry.part or name.upper(), reach, entry.power_max_w, usd)
    if known is None:
        return None
    return Module(known.name, "", known.max_m, known.power_w, known.transceiver_usd)


def _product(a: CageKind, z: CageKind, medium: Medium, speed_bps: float, both_known: str) -> CableType | None:
    """Return the cable of the catalogue that joins two kinds of cage."""
    for name in store.names("cables"):
        entry = store.entry("cables", name)
        assert isinstance(entry, CableType)
        if medium.direct:
            ends = [kind.socket.cables for kind in (a, z) if kind.socket]
            fits = entry.ends == ends and entry.vendor == a.vendor == z.vendor and entry.kind == medium.name
            if fits and abs((entry.speed_bps or 0) / speed_bps - 1) < 1e-9:
                return entry
        elif both_known and entry.kind == "fibre" and (entry.media or "").lower().startswith(medium.name):
            return entry
    return None


def order_number(option: Option, length_m: float) -> str:
    """Return the order number of a cable, as NVIDIA forms it: ``N030`` is 30 m, ``N01A`` 1.5 m, ``N00A`` 0.5 m."""
    if not option.sku:
        return ""
    whole = int(length_m)
    return f"{option.sku}-N{whole:03d}" if whole == length_m else f"{option.sku}-N{whole:02d}A"
