"""What rows of a plan that stands in a file take to order, where they lie and what they weigh."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fabrictool.cabling.bill import TRANSCEIVER
from fabrictool.cabling.media import Medium, class_of, connectors, media, spares
from fabrictool.cabling.plan_checks import media_kinds
from fabrictool.cabling.trays import UNKNOWN_MM, TrayLoad
from fabrictool.catalogue import store
from fabrictool.catalogue.parts import TransceiverType
from fabrictool.placement.standing import DEFAULTS
from fabrictool.records import BomRow, CableRow
from fabrictool.units import format_speed

_HOSTS = ("host", "service")
#: Rows of one cable, in the order of its legs.
Cable = Sequence[CableRow]


def by_cable(rows: Iterable[CableRow]) -> list[Cable]:
    """Return the rows of each cable, cables in the order of their first rows."""
    found: defaultdict[str, list[CableRow]] = defaultdict(list)
    for row in rows:
        found[row.cable_id].append(row)
    return list(found.values())


def medium_of(word: str) -> Medium | None:
    """Return the medium that a plan's word means, by our names, NetBox's, or what people write; None if unknown."""
    known = {row.name: row for row in media()}
    lowered = word.strip().lower()
    named = known.get(lowered) or next((row for row in media() if row.netbox == lowered), None)
    kinds = media_kinds(lowered)
    return named or (known.get(kinds[0]) if kinds else None)


def summary_of(cables: Sequence[Cable]) -> list[dict[str, Any]]:
    """Return cables by network and medium: number, lengths in m, power of optics in W, price; None where unknown."""
    kinds: defaultdict[tuple[str, str], list[Cable]] = defaultdict(list)
    for cable in cables:
        kinds[cable[0].network, _media_word(cable[0])].append(cable)
    found = []
    networks = list(dict.fromkeys(network for network, _ in kinds))
    for (network, medium), alike in sorted(kinds.items(), key=lambda item: (networks.index(item[0][0]), item[0][1])):
        firsts = [cable[0] for cable in alike]
        lengths = [row.length_m for row in firsts]
        found.append({
            "network": network, "media": medium or None, "cables": len(alike),
            "links": sum(len(cable) for cable in alike), "shortest_m": _known(min, lengths),
            "longest_m": _known(max, lengths), "length_m": _known(sum, lengths),
            "route_m": _known(sum, [row.route_m for row in firsts]),
            "optics_w": _known(sum, [row.optics_w for row in firsts]),
            "price": _known(sum, [row.price for row in firsts]),
        })  # fmt: skip
    return found


def _media_word(row: CableRow) -> str:
    medium = medium_of(row.media)
    return medium.name if medium is not None else row.media


def _known(function: Any, values: Sequence[float | None]) -> float | None:
    """Return a figure of values, None if one of them is unknown."""
    return None if any(value is None for value in values) else function(values)


def strands_of(row: CableRow) -> int:
    """Return the fibres that a link takes side by side, where its connector has too few lanes; else 1."""
    plug = next((one for one in connectors() if one.name == row.a.connector), None)
    return -(-row.lanes // plug.lanes) if plug is not None and row.lanes else 1


def bill_of_rows(cables: Sequence[Cable]) -> list[BomRow]:
    """Return cables to order by medium, order number, speed and length, then modules, with spares by rule."""
    counted: Counter[tuple[str, str, float, float, int, str]] = Counter()
    for cable in cables:
        first, strands = cable[0], strands_of(cable[0])
        speed_bps = sum(row.speed_bps for row in cable) / strands
        ends = first.a.connector if first.a.connector == first.z.connector else ""
        length = math.nan if first.length_m is None else first.length_m
        counted[_media_word(first), first.sku, speed_bps, length, len(cable), ends] += strands
    found = []
    for (word, sku, speed_bps, length, legs, ends), count in sorted(counted.items(), key=lambda item: repr(item[0])):
        title, known = _title(word, speed_bps, legs, ends), None if math.isnan(length) else length
        price = _price(word, speed_bps, known)
        found.append(BomRow(sku, title, word, known, count, _spares("cable", count), price))
    found.sort(key=lambda row: (row.media, row.sku, row.description, row.length_m or 0.0))
    return [*found, *_modules(cables)]


def _title(word: str, speed_bps: float, legs: int, ends: str) -> str:
    medium = medium_of(word)
    title = medium.title if medium is not None else word or "cable of unknown medium"
    polarity = next((one.polarity for one in connectors() if one.name == ends), "")
    words = [f"{format_speed(speed_bps)} " if speed_bps else "", title, f" of {legs} links" if legs > 1 else "",
             f", {ends}" if ends and polarity else "", f", type {polarity}" if polarity else ""]  # fmt: skip
    return "".join(words)


def _price(word: str, speed_bps: float, length_m: float | None) -> float | None:
    known = class_of(word, speed_bps) if speed_bps else None
    if known is None or known.cable_usd is None or length_m is None:
        return None
    return known.cable_usd + known.cable_usd_per_m * length_m


def _spares(part: str, quantity: int) -> int:
    rule = spares(part)
    return max(rule.least, math.ceil(quantity * rule.share - 1e-9))


def _modules(cables: Sequence[Cable]) -> Iterator[BomRow]:
    """Yield modules by what the rows call them: one in each cage, or port where cages are not told."""
    cages: dict[tuple[str, str], tuple[str, str]] = {}
    for end in (end for cable in cables for row in cable for end in (row.a, row.z)):
        if end.optic:
            at = "hosts" if end.kind in _HOSTS else "switches"
            cages[end.place.device, f"cage {end.cage}" if end.cage else end.port] = (end.optic, at)
    for (optic, at), count in sorted(Counter(cages.values()).items()):
        name, known = _transceiver(optic)
        media_word = (known.media or "").lower() if known is not None else ""
        price = class_of(media_word, known.speed_bps) if known is not None and media_word else None
        usd = price.transceiver_usd if price else None
        sku = optic if known is not None else ""
        title = f"{name or optic} {TRANSCEIVER} of {at}"
        yield BomRow(sku, title, TRANSCEIVER, None, count, _spares(TRANSCEIVER, count), usd)


def _transceiver(word: str) -> tuple[str, TransceiverType | None]:
    """Return the module of the catalogue with a name or an order number, and its name."""
    for name in store.names("transceivers"):
        entry = store.entry("transceivers", name)
        if isinstance(entry, TransceiverType) and word.lower() in (name.lower(), (entry.part or "").lower()):
            return name, entry
    return "", None


def tray_loads_of(cables: Sequence[Cable]) -> list[TrayLoad]:
    """Return what lies in each tray that rows name, as if all lay side by side in a tray of the usual size."""
    count: Counter[str] = Counter()
    area: defaultdict[str, float] = defaultdict(float)
    room = DEFAULTS["trays"]["width_m"][0] * DEFAULTS["trays"]["depth_m"][0]
    for cable in cables:
        medium = medium_of(cable[0].media)
        section = math.pi / 4 * ((medium.diameter_mm if medium else UNKNOWN_MM) / 1e3) ** 2 * strands_of(cable[0])
        for name in cable[0].tray_path.split("/"):
            if name.strip():
                count[name.strip()] += 1
                area[name.strip()] += section
    return [TrayLoad(name, count[name], area[name], area[name] / room) for name in sorted(count)]


def weights_kg(cables: Sequence[Cable]) -> dict[str, float]:
    """Return the weight of the cables that end in each rack, half of each at either end, in kg."""
    found: defaultdict[str, float] = defaultdict(float)
    for cable in cables:
        medium = medium_of(cable[0].media)
        grams = (medium.g_per_m if medium else 0.0) * (cable[0].length_m or 0.0) * strands_of(cable[0])
        half = grams / 2e3 / len(cable)
        for row in cable:
            for end in (row.a, row.z):
                if end.place.rack:
                    found[end.place.rack] += half
    return dict(sorted(found.items()))


def phases_of_rows(cables: Sequence[Cable]) -> list[dict[str, Any]]:
    """Return the steps that rows name: cables, links, and metres to lay."""
    steps: Mapping[str, list[Cable]] = defaultdict(list)
    for cable in cables:
        steps[cable[0].phase].append(cable)
    return [
        {"phase": name, "cables": len(alike), "links": sum(len(cable) for cable in alike),
         "length_m": _known(sum, [cable[0].length_m for cable in alike])}
        for name, alike in sorted(steps.items())
    ]  # fmt: skip
