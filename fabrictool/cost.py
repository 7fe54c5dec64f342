"""What a layout costs to buy, from prices of the layout and indicative ones of the catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.cabling.bill import modules_by_cage, structured_parts
from fabrictool.cabling.choice import Module
from fabrictool.cabling.plan import CablePlan
from fabrictool.catalogue import store
from fabrictool.catalogue.parts import LinkPrice, Price
from fabrictool.fabric import Fabric
from fabrictool.fabric.chassis import boxes
from fabrictool.fabric.grouping import grouped
from fabrictool.fabric.tables import FACILITIES
from fabrictool.layout.model import Layout
from fabrictool.placement import Placement
from fabrictool.records import Assumption, Finding
from fabrictool.units import format_speed


@dataclass(frozen=True, slots=True)
class CostRow:
    """Equal things to buy; ``unit_price`` is None where nobody states one."""

    name: str
    part: str
    count: int
    unit_price: float | None
    source: str

    @property
    def total(self) -> float | None:
        """Price of all of them."""
        return None if self.unit_price is None else self.count * self.unit_price


@dataclass(frozen=True)
class CapitalCost:
    """Rows of what is bought; totals are None as soon as one price is missing."""

    rows: tuple[CostRow, ...]
    currency: str
    assumptions: tuple[Assumption, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of what has no price."""
        return tuple(row.name for row in self.rows if row.unit_price is None)

    @property
    def capex(self) -> float | None:
        """Price of everything."""
        return _sum(self.rows)

    @property
    def network(self) -> float | None:
        """Price of switches, transceivers and cables."""
        return _sum(tuple(row for row in self.rows if row.part == "network"))

    @property
    def network_share(self) -> float | None:
        """Network over everything."""
        return self.network / self.capex if self.capex and self.network is not None else None

    @property
    def sources(self) -> tuple[str, ...]:
        """Where the prices come from, each once."""
        return tuple(dict.fromkeys(row.source for row in self.rows if row.unit_price is not None))

    @property
    def known(self) -> float:
        """Price of what has one."""
        return sum(row.total or 0.0 for row in self.rows)

    def findings(self) -> list[Finding]:
        """Name what has no price."""
        if not self.missing:
            return []
        message = f"no price: {', '.join(self.missing)} (not taken as 0)"
        fix = "give them under cost: {prices: {…}} in the layout"
        return [Finding("no-price", "note", "cost", message, fix)]

    def to_dict(self) -> dict[str, object]:
        """Return the ``cost`` object of the JSON output."""
        rows = [
            {"name": r.name, "part": r.part, "count": r.count, "unit_price": r.unit_price, "total": r.total,
             "source": r.source}
            for r in self.rows
        ]  # fmt: skip
        return {
            "capex": self.capex,
            "network_share": self.network_share,
            "currency": self.currency,
            "network": self.network,
            "known": self.known,
            "missing": list(self.missing),
            "rows": rows,
        }


def _sum(rows: tuple[CostRow, ...]) -> float | None:
    totals = [row.total for row in rows]
    return None if not totals or None in totals else float(sum(total for total in totals if total is not None))


def capital_cost(layout: Layout, fabric: Fabric, placement: Placement | None, plan: CablePlan) -> CapitalCost:
    """Price hosts, switches, transceivers, cables and racks.

    Parameters
    ----------
    layout : Layout
        Its ``cost.prices`` go before the catalogue's.
    fabric : Fabric
    placement : Placement or None
        For the number of racks.
    plan : CablePlan
        For cables by medium and length, and the modules at their ends; spares are left out.
    """
    rows = [*_devices(layout, fabric), *_transceivers(layout, plan), *_cables(layout, plan)]
    if placement is not None:
        machines = [kind.name for kind in layout.host_types() if kind.trays]
        bought = placement.racks.type[~np.isin(placement.racks.type, machines)]
        types, numbers = np.unique(bought, return_counts=True)
        rows += [
            _row(layout, name, "facility", count) for name, count in zip(types.tolist(), numbers.tolist(), strict=True)
        ]
    assumptions = [row for row in plan.assumptions if row.what.startswith("length of ")]
    return CapitalCost(tuple(rows), layout.cost.currency, tuple(assumptions))


def _devices(layout: Layout, fabric: Fabric) -> Iterator[CostRow]:
    devices, alone = fabric.devices, boxes(fabric.devices)
    hosts_each = {kind.name: kind.hosts_each for kind in layout.host_types()}
    pairs, place = grouped(devices.type[alone], (devices.tier > 0)[alone].astype(np.int8))
    for (kind, switch), count in zip(pairs, np.bincount(place).tolist(), strict=True):
        part = "facility" if fabric.types[kind] in FACILITIES else "network" if switch else "compute"
        yield _row(layout, fabric.types[kind], part, count // hosts_each.get(fabric.types[kind], 1))


def _row(layout: Layout, name: str, part: str, count: int, unit: float | None = None, source: str = "") -> CostRow:
    """Price a thing: the layout's price, the one passed, or the catalogue's."""
    if name in layout.cost.prices:
        return CostRow(name, part, count, layout.cost.prices[name], f"layout{_note(layout)}")
    if unit is not None:
        return CostRow(name, part, count, unit, source)
    if layout.cost.currency == "USD" and name in store.names("prices"):
        price = store.entry("prices", name)
        assert isinstance(price, Price)
        return CostRow(name, part, count, price.usd, _source(price))
    return CostRow(name, part, count, None, "")


def _note(layout: Layout) -> str:
    return f": {layout.cost.source}" if layout.cost.source else ""


def _source(price: Price | LinkPrice) -> str:
    return f"{price.source}, {price.as_of} (indicative)"


def _usd(layout: Layout, value: float | None) -> float | None:
    """Return a price of the catalogue, None where the layout counts in another currency or it is unknown."""
    return value if layout.cost.currency == "USD" and value is not None and not np.isnan(value) else None


def _links_source() -> str:
    price = store.entry("link_prices", store.names("link_prices")[0])
    assert isinstance(price, LinkPrice)
    return _source(price)


def _stated(layout: Layout, word: str, part: str, counts: Mapping[str, int]) -> Iterator[CostRow]:
    """Yield what the layout gives one price for, whatever it is made of."""
    for name, count in counts.items():
        yield CostRow(f"{name} {word}", part, count, layout.cost.prices[word], f"layout{_note(layout)}")


def _cables(layout: Layout, plan: CablePlan) -> Iterator[CostRow]:
    """Yield the planned cables by speed, medium and length; what nothing is known of has no price."""
    cables = plan.cables
    speed = np.round(plan.fabric.links.speed_bps[cables.link] * cables.links / 1e6).astype(np.int64)
    if "cable" in layout.cost.prices:
        speeds, numbers = np.unique(speed, return_counts=True)
        yield from _stated(layout, "cable", "network", _by_speed(speeds, numbers))
        return
    length = np.where(np.isnan(cables.length_m), -1, np.round(np.nan_to_num(cables.length_m) * 1e3)).astype(np.int64)
    over = np.zeros(len(cables), np.bool_)
    if plan.panels is not None:
        over[plan.panels.patched.cable] = True
    kinds, which = grouped(speed[~over], cables.option[~over], length[~over])
    counts, source = np.bincount(which, minlength=len(kinds)), _links_source()
    rows: dict[tuple[str, float | None], int] = {}
    for (bps, option, millimetres), count in zip(kinds, counts.tolist(), strict=True):
        name, price = f"{format_speed(bps * 1e6)} cable", None
        if option >= 0 and millimetres >= 0:
            chosen, metres = plan.options[option], millimetres / 1e3
            name = f"{format_speed(bps * 1e6)} {chosen.medium.title} {metres:g} m"
            price = _usd(layout, None if chosen.usd is None else chosen.usd + chosen.usd_per_m * metres)
        rows[name, price] = rows.get((name, price), 0) + count
    for (name, price), count in rows.items():
        yield CostRow(name, "network", count, price, source if price is not None else "")
    for part in structured_parts(plan):
        price = _usd(layout, part.unit_price)
        name = part.description if part.length_m is None else f"{part.description} {part.length_m:g} m"
        yield CostRow(name, "network", part.quantity, price, source if price is not None else "")


def _by_speed(speeds: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]) -> dict[str, int]:
    return {format_speed(bps * 1e6): count for bps, count in zip(speeds.tolist(), numbers.tolist(), strict=True)}


def _transceivers(layout: Layout, plan: CablePlan) -> Iterator[CostRow]:
    """Yield the modules in cages that fibres end in, by what they are."""
    found = modules_by_cage(plan)
    if "transceiver" in layout.cost.prices:
        counts: Counter[str] = Counter()
        for row, _, count in sorted(found, key=lambda row: plan.cages.kinds[row[0]].speed_bps):
            counts[format_speed(plan.cages.kinds[row].speed_bps)] += count
        yield from _stated(layout, "transceiver", "network", counts)
        return
    modules: Counter[Module] = Counter()
    for _, module, count in found:
        modules[module] += count
    for module, count in modules.items():
        price = _usd(layout, module.usd)
        yield CostRow(
            f"{module.name} transceiver", "network", count, price, _links_source() if price is not None else ""
        )
