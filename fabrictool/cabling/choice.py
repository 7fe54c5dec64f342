"""Which media join two kinds of cage, how far each reaches, and what its ends draw and cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from fabrictool.cabling.cages import CageKind
from fabrictool.cabling.media import Medium, class_of, connector_for, media
from fabrictool.catalogue import store
from fabrictool.catalogue.parts import CableType, TransceiverType

_LANES = (1, 2, 4, 8)
TWISTED, TWISTED_CAGE = "copper", "RJ45"
FIBRES = ("mmf", "smf")


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
    grade : int
        Which of the medium's modules: 0 for those of the least reach.
    max_m : float
        Reach: the least of the medium's and of both modules'.
    a, z : Module
    lengths_m : tuple of float
        To be ordered, within reach.
    usd, usd_per_m : float or None, float
        Of the cable, without modules.
    sku : str
        Stem of its order number, empty if the catalogue has none.
    connector, polarity : str
        What a fibre ends in, and how its fibres cross; empty where a cable has ends of its own.
    strands : int
        Fibre cables that a link takes side by side.
    legs : int
        Ends on the side of a splitter that has several; 1 for a cable with two ends.
    """

    medium: Medium
    grade: int
    max_m: float
    a: Module
    z: Module
    lengths_m: tuple[float, ...]
    usd: float | None
    usd_per_m: float
    sku: str
    connector: str = ""
    polarity: str = ""
    strands: int = 1
    legs: int = 1


def lanes_of(a: Ending, z: Ending, link_bps: float) -> int:
    """Return the least electrical lanes that both ends carry a link on, 0 if they have none in common."""
    if a.kind.socket is None or z.kind.socket is None:
        return 0
    room = min(end.kind.socket.lanes // end.ports for end in (a, z) if end.kind.socket)
    lane_bps = min(a.kind.lane_bps, z.kind.lane_bps)
    return next((lanes for lanes in _LANES if lanes <= room and lanes * lane_bps >= link_bps * (1 - 1e-9)), 0)


@cache
def options(
    a: Ending, z: Ending, link_bps: float, direct: bool, avoid: frozenset[str] = frozenset()
) -> tuple[Option, ...]:
    """Return the media that may join two ends, in the order in which they are taken.

    Parameters
    ----------
    a, z : Ending
    link_bps : float
        Speed of a link in bit/s.
    direct : bool
        Whether one assembly may fill the cages at both ends.
    avoid : frozenset of str
        Media that are not used.
    """
    if not link_bps or not lanes_of(a, z, link_bps):
        return ()
    return tuple(option for option in _options(a, z, link_bps, direct) if option.medium.name not in avoid)


def _options(a: Ending, z: Ending, link_bps: float, direct: bool) -> Iterator[Option]:
    twisted = [end.kind.cage == TWISTED_CAGE for end in (a, z)]
    for medium in media():
        if any(twisted) if medium.name != TWISTED else not all(twisted):
            continue
        if medium.direct and not (direct or medium.name == TWISTED):
            continue
        ends = [modules_for(end.kind, medium.name, end.speed_bps(link_bps)) for end in (a, z)]
        for grade in range(max(map(len, ends)) if all(ends) else 0):
            pair = [modules[min(grade, len(modules) - 1)] for modules in ends]
            found = _option(medium, grade, (a, z), (pair[0], pair[1]), link_bps)
            if found.lengths_m:
                yield found


def _option(
    medium: Medium, grade: int, ends: tuple[Ending, Ending], modules: tuple[Module, Module], link_bps: float
) -> Option:
    a, z = ends
    lanes = lanes_of(a, z, link_bps)
    plug = None if medium.direct else connector_for(medium.name, lanes, link_bps / lanes)
    strands = -(-lanes // plug.lanes) if plug else 1
    each_bps = (a.speed_bps(link_bps) if medium.direct else link_bps) / strands
    own = class_of(medium.name, each_bps)
    product = _product(a.kind, z.kind, medium, each_bps, modules[0].sku and modules[1].sku)
    if product is not None and product.power_per_end_w is not None:
        modules = (replace(modules[0], power_w=product.power_per_end_w),) * 2
    reach = min(modules[0].reach_m, modules[1].reach_m, (product.reach_m if product else None) or float("inf"))
    stock = product.lengths_m if product and product.lengths_m else medium.lengths_m
    return Option(
        medium, grade, reach, *modules, tuple(length for length in stock if length <= reach),
        own.cable_usd * strands if own and own.cable_usd is not None else None,
        own.cable_usd_per_m * strands if own else 0.0, product.name.upper() if product else "",
        plug.name if plug else medium.connector, plug.polarity if plug else "", strands,
    )  # fmt: skip


@cache
def modules_for(kind: CageKind, medium: str, speed_bps: float) -> tuple[Module, ...]:
    """Return what plugs into a kind of cage at a speed, the shortest reach first; nothing if no such end is known."""
    known = class_of(medium, speed_bps)
    if kind.socket is None:
        return ()
    usd = known.transceiver_usd if known else None
    found = []
    for name in store.names("transceivers") if medium in FIBRES else ():
        entry = store.entry("transceivers", name)
        assert isinstance(entry, TransceiverType)
        fits = entry.vendor == kind.vendor and entry.form in kind.socket.modules
        if fits and (entry.media or "").lower() == medium and abs(entry.speed_bps / speed_bps - 1) < 1e-9:
            reach = entry.reach_m or (known.max_m if known else 0.0)
            found.append(Module(name, entry.part or name.upper(), reach, entry.power_max_w, usd))
    if not found and known is not None:
        found = [Module(known.name, "", known.max_m, known.power_w, usd)]
    return tuple(sorted(found, key=lambda module: module.reach_m))


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


@cache
def splitters(
    a: Ending, z: Ending, link_bps: float, split: int, avoid: frozenset[str] = frozenset()
) -> tuple[Option, ...]:
    """Return the assemblies of several legs that may join a whole cage and cages of one port.

    Parameters
    ----------
    a, z : Ending
    link_bps : float
        Speed of a leg in bit/s.
    split : int
        Legs: positive if the single end is at ``a``, negative at ``z``.
    avoid : frozenset of str
        Media that are not used.
    """
    if not link_bps or not lanes_of(a, z, link_bps):
        return ()
    whole, leg = (a, z) if split > 0 else (z, a)
    found = []
    for medium in media():
        if not medium.direct or medium.name in (TWISTED, *avoid):
            continue
        ends = [
            modules_for(end.kind, medium.name, bps) for end, bps in ((whole, whole.kind.speed_bps), (leg, link_bps))
        ]
        own = class_of(medium.name, whole.kind.speed_bps)
        if not all(ends) or own is None:
            continue
        product = _splitter_of(whole.kind, leg.kind, medium.name, abs(split))
        modules = [modules[0] for modules in ends]
        if product is not None and product.power_per_end_w is not None:
            modules = [replace(module, power_w=product.power_per_end_w) for module in modules]
        reach = (product.reach_m if product else None) or min(module.reach_m for module in modules)
        stock = product.lengths_m if product and product.lengths_m else medium.lengths_m
        lengths = tuple(length for length in stock if length <= reach)
        pair = modules if split > 0 else modules[::-1]
        if lengths:
            sku = product.name.upper() if product else ""
            found.append(Option(medium, 0, reach, pair[0], pair[1], lengths, own.cable_usd, own.cable_usd_per_m, sku,
                                legs=abs(split)))  # fmt: skip
    return tuple(found)


def _splitter_of(whole: CageKind, leg: CageKind, medium: str, legs: int) -> CableType | None:
    """Return the splitter of the catalogue from one kind of cage to several of another."""
    ends = [kind.socket.cables for kind in (whole, leg) if kind.socket]
    for name in store.names("cables"):
        entry = store.entry("cables", name)
        assert isinstance(entry, CableType)
        same = entry.vendor == whole.vendor == leg.vendor and entry.ends == ends and entry.links == legs
        if same and entry.kind == f"{medium} splitter":
            return entry
    return None


def as_splitter(option: Option, legs: int) -> Option:
    """Return a fibre option as the splitter that takes a connector's links apart."""
    sku = ""
    for name in store.names("cables") if option.sku else ():
        entry = store.entry("cables", name)
        assert isinstance(entry, CableType)
        fits = entry.kind == "fibre splitter" and entry.links == legs
        if fits and (entry.media or "").lower().startswith(option.medium.name):
            sku = name.upper()
    return replace(option, legs=legs, sku=sku)


def order_number(option: Option, length_m: float) -> str:
    """Return the order number of a cable, as NVIDIA forms it: ``N030`` is 30 m, ``N01A`` 1.5 m, ``N00A`` 0.5 m.

    References
    ----------
    NVIDIA MCP7Y00-Nxxx product specifications, Ordering Information: N001, N01A, N002, N02A, N003 for 1 to 3 m.
    """
    if not option.sku:
        return ""
    whole = int(length_m)
    return f"{option.sku}-N{whole:03d}" if whole == length_m else f"{option.sku}-N{whole:02d}A"
