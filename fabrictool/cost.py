"""What a layout costs to buy, from prices of the layout and indicative ones of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabrictool.cabling.bill import TRANSCEIVER, bill_of_materials
from fabrictool.cabling.plan import CablePlan
from fabrictool.catalogue import store
from fabrictool.catalogue.types import LinkPrice, Price
from fabrictool.fabric import Fabric
from fabrictool.fabric.chassis import boxes
from fabrictool.fabric.counting import cables, internal_links, occupied_cages
from fabrictool.fabric.tables import FACILITIES
from fabrictool.layout.model import Layout
from fabrictool.placement import Placement
from fabrictool.records import Assumption, BomRow, Finding
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

    Where the layout gives a price for every ``cable``, each counts as ``show`` counts them, and with a price for every
    ``transceiver`` beside it so does each occupied cage. Else cables and modules are those of the cable plan.

    Parameters
    ----------
    layout : Layout
        Its ``cost.prices`` go before the catalogue's.
    fabric : Fabric
    placement : Placement or None
        For the number of racks.
    plan : CablePlan
    """
    rows = [*_devices(layout, fabric), *_cabling(layout, fabric, plan)]
    if placement is not None:
        machines = [kind.name for kind in layout.host_types() if kind.trays]
        bought = placement.racks.type[~np.isin(placement.racks.type, machines)]
        types, numbers = np.unique(bought, return_counts=True)
        rows += [
            _row(layout, name, "facility", count) for name, count in zip(types.tolist(), numbers.tolist(), strict=True)
        ]
    assumptions = []
    if len(plan.cables) and plan.assumptions and "cable" not in layout.cost.prices:
        words = f"those of the cable plan, which takes {len(plan.assumptions)} values that the layout does not give"
        assumptions.append(Assumption("media and length of cables", words, "'fabrictool cables' lists them"))
    return CapitalCost(tuple(rows), layout.cost.currency, tuple(assumptions))


def _devices(layout: Layout, fabric: Fabric) -> Iterator[CostRow]:
    devices, alone = fabric.devices, boxes(fabric.devices)
    hosts_each = {kind.name: kind.hosts_each for kind in layout.host_types()}
    bought = np.column_stack((devices.type, devices.tier > 0))[alone]
    pairs, numbers = np.unique(bought, axis=0, return_counts=True)
    for (kind, switch), count in zip(pairs.tolist(), numbers.tolist(), strict=True):
        part = "facility" if fabric.types[kind] in FACILITIES else "network" if switch else "compute"
        yield _row(layout, fabric.types[kind], part, count // hosts_each.get(fabric.types[kind], 1))


def _row(layout: Layout, name: str, part: str, count: int) -> CostRow:
    """Price a thing: at the layout's price, else the catalogue's."""
    if name in layout.cost.prices:
        return CostRow(name, part, count, layout.cost.prices[name], f"layout{_note(layout)}")
    if layout.cost.currency == "USD" and name in store.names("prices"):
        price = store.entry("prices", name)
        assert isinstance(price, Price)
        return CostRow(name, part, count, price.usd, _source(price))
    return CostRow(name, part, count, None, "")


def _note(layout: Layout) -> str:
    return f": {layout.cost.source}" if layout.cost.source else ""


def _source(price: Price | LinkPrice) -> str:
    return f"{price.source}, {price.as_of} (indicative)"


def _cabling(layout: Layout, fabric: Fabric, plan: CablePlan) -> Iterator[CostRow]:
    """Price transceivers, cables and their spares."""
    prices = layout.cost.prices
    bill = bill_of_materials(plan)
    modules = [row for row in bill if row.media == TRANSCEIVER]
    cables_ = [row for row in bill if row.media != TRANSCEIVER]
    if "transceiver" in prices and "cable" in prices:
        yield from _transceivers(layout, fabric)
        modules = []
    elif "transceiver" in prices:
        modules = [replace(row, unit_price=prices["transceiver"], source=f"layout{_note(layout)}") for row in modules]
    if "cable" in prices:
        yield from _cables(layout, fabric)
        cables_ = []
    yield from _bought(layout, [*modules, *cables_])
    lacking = int(np.count_nonzero((plan.cables.option < 0) | np.isnan(plan.cables.length_m)))
    if lacking and "cable" not in prices:
        yield CostRow("cable without a medium", "network", lacking, None, "")


def _bought(layout: Layout, bill: Sequence[BomRow]) -> Iterator[CostRow]:
    """Price what a bill of materials lists, lengths of one kind together, then all spares."""
    kinds: dict[str, list[BomRow]] = {}
    for row in bill:
        kinds.setdefault(row.description, []).append(row)
    for name, rows in kinds.items():
        count = sum(row.quantity for row in rows)
        total = _total([(row.quantity, _price(layout, row)) for row in rows])
        yield CostRow(name, "network", count, None if total is None else total / count, _of(layout, rows[0]))
    kept = [row for row in bill if row.spares]
    if kept:
        count = sum(row.spares for row in kept)
        total = _total([(row.spares, _price(layout, row)) for row in kept])
        each = None if total is None else total / count
        yield CostRow("spare cables and transceivers", "network", count, each, _of(layout, kept[0]))


def _price(layout: Layout, row: BomRow) -> float | None:
    return row.unit_price if row.source.startswith("layout") or layout.cost.currency == "USD" else None


def _of(layout: Layout, row: BomRow) -> str:
    """Return where the price of a row comes from."""
    if _price(layout, row) is None or row.source:
        return row.source
    price = store.entry("link_prices", store.names("link_prices")[0])
    assert isinstance(price, LinkPrice)
    return _source(price)


def _total(rows: Sequence[tuple[int, float | None]]) -> float | None:
    """Return the price of all, None if one is not known."""
    return None if any(price is None for _, price in rows) else sum(count * (price or 0.0) for count, price in rows)


def _transceivers(layout: Layout, fabric: Fabric) -> Iterator[CostRow]:
    """Count occupied cages by their speed, ports x speed of the cage, at the price that the layout gives."""
    ports = fabric.ports
    code = ports.device.astype(np.int64) << 16 | ports.cage
    used = occupied_cages(fabric, ~internal_links(fabric))
    first = np.searchsorted(code, used)
    size = np.searchsorted(code, used, side="right") - first
    speeds, numbers = np.unique(ports.speed_bps[first] * size, return_counts=True)
    for speed, count in zip(speeds.tolist(), numbers.tolist(), strict=True):
        name, price = f"{format_speed(speed)} transceiver", layout.cost.prices["transceiver"]
        yield CostRow(name, "network", count, price, f"layout{_note(layout)}")


def _cables(layout: Layout, fabric: Fabric) -> Iterator[CostRow]:
    """Count cables by speed, at the price that the layout gives."""
    links = fabric.links
    for row in range(len(fabric.networks)):
        for speed in np.unique(links.speed_bps[links.network == row]).tolist():
            count = cables(fabric, row, links.speed_bps == speed)
            if count:  # else all of them are inside directors
                name, price = f"{format_speed(speed)} cable", layout.cost.prices["cable"]
                yield CostRow(name, "network", count, price, f"layout{_note(layout)}")
