"""Rules of cabling: cages and what plugs into them, media with reach and power, spares, colours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from fabrictool import units
from fabrictool.catalogue import store
from fabrictool.catalogue.parts import LinkPrice

#: Lanes each way of the widest connector that splits.
PLUG_LANES = 4


@dataclass(frozen=True, slots=True)
class Socket:
    """A kind of cage: what it is called, where it sits, its electrical lanes and their speed, and modules that fit.

    ``at`` is ``switch`` or ``host``, empty where it makes no difference; ``cables`` is the end of a cable.
    """

    cage: str
    at: str
    lanes: int
    lane_bps: float
    modules: tuple[str, ...]
    cables: str
    source: str


@dataclass(frozen=True, slots=True)
class Medium:
    """What a cable is made of: lengths in stock in m, jacket in mm and g/m, NetBox's type of cable."""

    name: str
    title: str
    direct: bool
    lengths_m: tuple[float, ...]
    diameter_mm: float
    g_per_m: float
    connector: str
    colour: str
    netbox: str
    source: str


@dataclass(frozen=True, slots=True)
class MediumClass:
    """Reach, power and price of a medium at one speed of the cage; None is unknown.

    Power and transceiver price are those of one end.
    """

    name: str
    media: str
    speed_bps: float
    max_m: float
    power_w: float | None
    cable_usd: float | None
    cable_usd_per_m: float
    transceiver_usd: float | None
    source: str


@dataclass(frozen=True, slots=True)
class Connector:
    """What fibres end in: media and fastest lane in bit/s that it is for, lanes each way, and how fibres cross."""

    name: str
    polarity: str
    media: tuple[str, ...]
    lanes: int
    lane_bps: float
    source: str


@dataclass(frozen=True, slots=True)
class Spares:
    """How many parts are kept beside those used: a share of them, and at least so many."""

    share: float
    least: int
    source: str


@cache
def _rules() -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = resources.files("fabrictool.cabling").joinpath("data", "cabling.yaml").read_text(encoding="utf-8")
    rules: dict[str, Any] = yaml.load(text, Loader=loader)
    return rules


@cache
def media() -> tuple[Medium, ...]:
    """Return the media in the order in which they are taken."""
    return tuple(
        Medium(
            row["name"],
            row["title"],
            row.get("direct", False),
            tuple(float(length) for length in row["lengths"]),
            row["diameter_mm"],
            row["g_per_m"],
            row.get("connector", ""),
            row.get("colour", ""),
            row["netbox"],
            row["source"],
        )
        for row in _rules()["media"]
    )


@cache
def medium_classes() -> tuple[MediumClass, ...]:
    """Return reach, power and price of media by speed: those of the catalogue's link prices, then those without one."""
    found = []
    for name in store.names("link_prices"):
        price = store.entry("link_prices", name)
        assert isinstance(price, LinkPrice)
        found.append(
            MediumClass(
                name,
                price.media,
                price.speed_bps,
                price.max_m,
                price.transceiver_w,
                price.cable_usd,
                price.cable_usd_per_m,
                price.transceiver_usd,
                f"{price.source}, {price.as_of} (indicative)",
            )
        )
    for row in _rules()["classes"]:
        speed_bps = units.parse(row["speed"], units.SPEED)
        title = f"{row['media']}-{row['speed'].removesuffix('G')}"
        source = f"{row['source']} ({row['as_of']})"
        found.append(MediumClass(title, row["media"], speed_bps, row["max"], row.get("power"), None, 0.0, None, source))
    return tuple(found)


def class_of(media_name: str, speed_bps: float) -> MediumClass | None:
    """Return the class of a medium for cages of a speed, None if there is none."""
    for row in medium_classes():
        if row.media == media_name and abs(row.speed_bps / speed_bps - 1) < 1e-9:
            return row
    return None


@cache
def connectors() -> tuple[Connector, ...]:
    """Return the connectors of fibres, in the order in which they are taken."""
    return tuple(
        Connector(
            row["connector"], row["polarity"], tuple(row["media"]), row["lanes"],
            units.parse(row["lane"], units.SPEED), f"{row['source']} ({row['as_of']})",
        )
        for row in _rules()["connectors"]
    )  # fmt: skip


def connector_for(media_name: str, lanes: int, lane_bps: float) -> Connector | None:
    """Return the connector of a link of so many lanes: the first whose lanes are enough, else that of most lanes."""
    fit = [row for row in connectors() if media_name in row.media and lane_bps <= row.lane_bps * (1 + 1e-9)]
    return next((row for row in fit if row.lanes >= lanes), max(fit, key=lambda row: row.lanes, default=None))


@cache
def sockets() -> tuple[Socket, ...]:
    """Return the kinds of cage."""
    return tuple(
        Socket(
            row["cage"],
            row.get("at", ""),
            row["lanes"],
            units.parse(row["lane"], units.SPEED),
            tuple(row.get("modules", ())),
            row["cables"],
            f"{row['source']} ({row['as_of']})",
        )
        for row in _rules()["sockets"]
    )


def socket_of(cage: str, at: str) -> Socket | None:
    """Return the kind of cage that a type calls by a word, at a switch or a host."""
    return next((row for row in sockets() if row.cage == cage and row.at in ("", at)), None)


def usual_cage(speed_bps: float) -> str:
    """Return the cage that ports of a speed usually have; empty beyond all."""
    for row in _rules()["usual"]:
        if speed_bps <= units.parse(row["up_to"], units.SPEED) * (1 + 1e-9):
            return str(row["cage"])
    return ""


@cache
def spares(part: str) -> Spares:
    """Return the rule for spare parts: ``cable`` or ``transceiver``."""
    row = next(row for row in _rules()["spares"] if row["part"] == part)
    return Spares(row["share"], row["least"], row["source"])


def rail_colours() -> tuple[str, ...]:
    """Return the colours of rails, in turn."""
    return tuple(_rules()["colours"]["rails"])


def colour_hex(colour: str) -> str:
    """Return a colour as six hexadecimal digits, empty if it has none."""
    return str(_rules()["colours"]["hex"].get(colour, ""))


@cache
def bundle_rule() -> tuple[int, str]:
    """Return how many cables a bundle holds at most, and the source."""
    row = _rules()["bundle"]
    return int(row["most"]), f"{row['source']} ({row['as_of']})"


@cache
def panel_weight() -> tuple[float, str]:
    """Return what a patch panel of one unit weighs in kg, and the source."""
    row = _rules()["panel"]
    return float(row["weight_kg"]), f"{row['source']} ({row['as_of']})"
