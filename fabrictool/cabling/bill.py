"""What a cable plan takes to order: cables by length, modules by kind, spares."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

import numpy as np

from fabrictool.cabling.choice import Module, Option, order_number
from fabrictool.cabling.media import Spares, spares
from fabrictool.cabling.plan import CablePlan
from fabrictool.fabric.grouping import grouped
from fabrictool.records import BomRow
from fabrictool.units import format_speed

#: What stands for the medium of a module.
TRANSCEIVER = "transceiver"


def bill_of_materials(plan: CablePlan) -> list[BomRow]:
    """Return the cables to order by medium and length, then the modules, with spares by rule."""
    return [*_cables(plan), *structured_parts(plan), *_modules(plan)]


def spare_rule(plan: CablePlan, part: str) -> Spares:
    """Return how many spares of a ``cable`` or ``transceiver`` are kept: as the layout says, else by the rule."""
    usual, stated = spares(part), plan.cabling.spares
    own = (stated.cables if part == "cable" else stated.transceivers) if stated else None
    if own is None:
        return usual
    share, least = (usual.share if own.share is None else own.share), (usual.least if own.least is None else own.least)
    return Spares(share, least, "layout")


def _kept(plan: CablePlan, part: str, quantity: int) -> int:
    rule = spare_rule(plan, part)
    return max(rule.least, math.ceil(quantity * rule.share - 1e-9)) if quantity else 0


def _cables(plan: CablePlan) -> Iterator[BomRow]:
    """Yield fibres and assemblies: those of equal options are of one speed."""
    whole = np.ones(len(plan.cables), np.bool_)
    if plan.panels is not None:
        whole[plan.panels.patched.cable] = False
    known = np.flatnonzero((plan.cables.option >= 0) & ~np.isnan(plan.cables.length_m) & whole)
    bps = (plan.fabric.links.speed_bps[plan.cables.link] * plan.cables.links)[known]
    length_mm = np.round(plan.cables.length_m[known] * 1e3).astype(np.int64)
    rows, place = grouped(plan.cables.option[known], np.round(bps / 1e6).astype(np.int64), length_mm)
    counted: Counter[tuple[str, str, str, float, float, float | None]] = Counter()
    for (option, mbps, mm), count in zip(rows, np.bincount(place, minlength=len(rows)).tolist(), strict=True):
        chosen, length = plan.options[option], mm / 1e3
        price = None if chosen.usd is None else (chosen.usd + chosen.usd_per_m * length) / chosen.strands
        speed_bps = mbps * 1e6 / chosen.strands
        each = (chosen.medium.name, _title(chosen), order_number(chosen, length), speed_bps, length, price)
        counted[each] += count * chosen.strands
    for (name, title, sku, speed_bps, length, price), count in sorted(counted.items(), key=lambda item: item[0][:5]):
        yield BomRow(sku, f"{format_speed(speed_bps)} {title}", name, length, count, _kept(plan, "cable", count), price)


def structured_parts(plan: CablePlan) -> Iterator[BomRow]:
    """Yield patch cords, trunks and panels."""
    panels = plan.panels
    if panels is None:
        return
    patched, trunks = panels.patched, panels.trunks
    mm = np.round(np.concatenate((patched.cord_a_m, patched.cord_z_m)) * 1e3).astype(np.int64)
    rows, place = grouped(np.tile(trunks.option[patched.trunk], 2), mm)
    for (option, length), count in zip(rows, np.bincount(place, minlength=len(rows)).tolist(), strict=True):
        chosen, metres = plan.options[option], length / 1e3
        price = None if chosen.usd is None else (chosen.usd + chosen.usd_per_m * metres) / chosen.strands
        title = f"patch cord, {_title(chosen)}, female"
        kept = _kept(plan, "cable", count)
        yield BomRow(order_number(chosen, metres), title, chosen.medium.name, metres, count, kept, price)
    rows, place = grouped(trunks.option, trunks.plugs, np.round(trunks.length_m * 1e3).astype(np.int64))
    for (option, plugs, length), count in zip(rows, np.bincount(place, minlength=len(rows)).tolist(), strict=True):
        title = f"trunk of {plugs}, {_title(plan.options[option])}, male"
        yield BomRow("", title, "trunk", length / 1e3, count, _kept(plan, "cable", count), None)
    for ports, count in sorted(Counter(panels.places.ports.tolist()).items()):
        title = f"patch panel of one unit, {ports} adapters for MPO, key up to key up"
        yield BomRow("", title, "panel", None, count, 0, None)


def _title(chosen: Option) -> str:
    """Say what a cable is: its medium, and of a fibre what it ends in and how its fibres cross."""
    ends = f", {chosen.connector}, type {chosen.polarity}" if chosen.polarity else ""
    split = f" splitter, 1 to {chosen.legs}" if chosen.legs > 1 else ""
    return f"{chosen.medium.title}{split}{ends}"


def modules_by_cage(plan: CablePlan) -> list[tuple[int, Module, int]]:
    """Return the modules by kind of cage: row of the kind, module, and how many."""
    links = plan.fabric.links
    option = np.append(plan.cables.option, -1)[plan.cable]
    inside: list[Module] = []
    taken = np.full(len(plan.cages.cages), -1, np.int32)
    for row, chosen in enumerate(plan.options):
        if chosen.medium.direct:
            continue
        mine = option == row
        for ports, module in ((links.port_a, chosen.a), (links.port_z, chosen.z)):
            if module not in inside:
                inside.append(module)
            taken[plan.cages.of_port[ports[mine]]] = inside.index(module)
    cages = np.flatnonzero(taken >= 0)
    rows, place = grouped(plan.cages.cages.kind[cages], taken[cages])
    counts = np.bincount(place, minlength=len(rows)).tolist()
    return [(kind, inside[module], count) for (kind, module), count in zip(rows, counts, strict=True)]


def _modules(plan: CablePlan) -> Iterator[BomRow]:
    counted: Counter[tuple[str, str, float | None]] = Counter()
    for row, module, count in modules_by_cage(plan):
        kind = plan.cages.kinds[row]
        title = f"{module.name} transceiver for {kind.cage} of {'switches' if kind.at == 'switch' else 'hosts'}"
        counted[module.sku, title, module.usd] += count
    for (sku, title, usd), count in sorted(counted.items(), key=lambda item: item[0][:2]):
        yield BomRow(sku, title, TRANSCEIVER, None, count, _kept(plan, "transceiver", count), usd)
