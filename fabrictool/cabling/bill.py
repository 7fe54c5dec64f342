"""What a cable plan takes to order: cables by length, modules by kind, spares."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

import numpy as np

from fabrictool.cabling.choice import Module, Option, order_number
from fabrictool.cabling.media import spares
from fabrictool.cabling.plan import CablePlan
from fabrictool.records import BomRow
from fabrictool.units import format_speed


def bill_of_materials(plan: CablePlan) -> list[BomRow]:
    """Return the cables to order by medium and length, then the modules, with spares by rule."""
    return [*_cables(plan), *_modules(plan)]


def _kept(part: str, quantity: int) -> int:
    rule = spares(part)
    return max(rule.least, math.ceil(quantity * rule.share)) if quantity else 0


def _cables(plan: CablePlan) -> Iterator[BomRow]:
    speed = plan.fabric.links.speed_bps[plan.cables.link] * plan.cables.links
    counted: Counter[tuple[str, str, str, float, float, float | None]] = Counter()
    columns = (plan.cables.option.tolist(), plan.cables.length_m.tolist(), speed.tolist())
    for option, length, bps in zip(*columns, strict=True):
        if option < 0 or math.isnan(length):
            continue
        chosen = plan.options[option]
        price = None if chosen.usd is None else (chosen.usd + chosen.usd_per_m * length) / chosen.strands
        each = (chosen.medium.name, _title(chosen), order_number(chosen, length), bps / chosen.strands, length, price)
        counted[each] += chosen.strands
    for (name, title, sku, bps, length, price), count in sorted(counted.items(), key=lambda item: item[0][:5]):
        yield BomRow(sku, f"{format_speed(bps)} {title}", name, length, count, _kept("cable", count), price)


def _title(chosen: Option) -> str:
    """Say what a cable is: its medium, and of a fibre what it ends in and how its fibres cross."""
    ends = f", {chosen.connector}, type {chosen.polarity}" if chosen.polarity else ""
    return f"{chosen.medium.title}{ends}"


def modules_of(plan: CablePlan) -> dict[int, Module]:
    """Return what plugs into each cage that takes a module, by row of the cage."""
    links = plan.fabric.links
    option = np.append(plan.cables.option, -1)[plan.cable]
    found: dict[int, Module] = {}
    for row, chosen in enumerate(plan.options):
        if chosen.medium.direct:
            continue
        mine = option == row
        for ports, module in ((links.port_a, chosen.a), (links.port_z, chosen.z)):
            found |= dict.fromkeys(np.unique(plan.cages.of_port[ports[mine]]).tolist(), module)
    return found


def _modules(plan: CablePlan) -> Iterator[BomRow]:
    cages, kinds = plan.cages.cages.kind.tolist(), plan.cages.kinds
    counted: Counter[tuple[str, str, float | None]] = Counter()
    for cage, module in modules_of(plan).items():
        kind = kinds[cages[cage]]
        counted[
            module.sku,
            f"{module.name} transceiver for {kind.cage} of {kind.at}es".replace("hostes", "hosts"),
            module.usd,
        ] += 1
    for (sku, title, usd), count in sorted(counted.items(), key=lambda item: item[0][:2]):
        yield BomRow(sku, title, "transceiver", None, count, _kept("transceiver", count), usd)
