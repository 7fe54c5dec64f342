"""What a layout costs to buy, from prices of the layout and indicative ones of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fabrictool.catalogue import store
from fabrictool.catalogue.types import LinkPrice, Price
from fabrictool.fabric import Fabric
from fabrictool.fabric.chassis import boxes
from fabrictool.fabric.counting import cables, internal_links, occupied_cages
from fabrictool.fabric.tables import FACILITIES
from fabrictool.layout.model import Layout
from fabrictool.layout.network import CABLE_M, CABLE_SOURCE
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


def capital_cost(layout: Layout, fabric: Fabric, placement: Placement | None) -> CapitalCost:
    """Price hosts, switches, transceivers, cables and racks.

    Parameters
    ----------
    layout : Layout
        Its ``cost.prices`` go before the catalogue's.
    fabric : Fabric
    placement : Placement or None
        For the number of racks.
    """
    rows = [*_devices(layout, fabric), *_transceivers(layout, fabric), *_cables(layout, fabric)]
    if placement is not None:
        machines = [kind.name for kind in layout.host_types() if kind.trays]
        bought = placement.racks.type[~np.isin(placement.racks.type, machines)]
        types, numbers = np.unique(bought, return_counts=True)
        rows += [
            _row(layout, name, "facility", count) for name, count in zip(types.tolist(), numbers.tolist(), strict=True)
        ]
    optical = [row for row in rows if row.name.endswith((" cable", " transceiver")) and "layout" not in row.source]
    assumptions = []
    if optical:
        what = "media and length of cables"
        assumptions.append(Assumption(what, f"multimode fibre of {CABLE_M:g} m on every link", CABLE_SOURCE))
    return CapitalCost(tuple(rows), layout.cost.currency, tuple(assumptions))


def _devices(layout: Layout, fabric: Fabric) -> Iterator[CostRow]:
    devices, alone = fabric.devices, boxes(fabric.devices)
    hosts_each = {kind.name: kind.hosts_each for kind in layout.host_types()}
    bought = np.column_stack((devices.type, devices.tier > 0))[alone]
    pairs, numbers = np.unique(bought, axis=0, return_counts=True)
    for (kind, switch), count in zip(pairs.tolist(), numbers.tolist(), strict=True):
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


def _link_price(layout: Layout, speed_bps: float) -> LinkPrice | None:
    """Return the price of a multimode link of a speed."""
    if layout.cost.currency != "USD":
        return None
    for name in store.names("link_prices"):
        price = store.entry("link_prices", name)
        assert isinstance(price, LinkPrice)
        if price.media == "mmf" and abs(price.speed_bps / speed_bps - 1) < 1e-9:
            return price
    return None


def _transceivers(layout: Layout, fabric: Fabric) -> Iterator[CostRow]:
    """Count occupied cages by their speed: ports x speed of the cage."""
    ports = fabric.ports
    code = ports.device.astype(np.int64) << 16 | ports.cage
    used = occupied_cages(fabric, ~internal_links(fabric))
    first = np.searchsorted(code, used)
    size = np.searchsorted(code, used, side="right") - first
    speeds, numbers = np.unique(ports.speed_bps[first] * size, return_counts=True)
    for speed, count in zip(speeds.tolist(), numbers.tolist(), strict=True):
        name = f"{format_speed(speed)} transceiver"
        if "transceiver" in layout.cost.prices:
            yield CostRow(name, "network", count, layout.cost.prices["transceiver"], f"layout{_note(layout)}")
            continue
        price = _link_price(layout, speed)
        yield _row(
            layout, name, "network", count, price.transceiver_usd if price else None, _source(price) if price else ""
        )


def _cables(layout: Layout, fabric: Fabric) -> Iterator[CostRow]:
    links = fabric.links
    for row in range(len(fabric.networks)):
        inside = links.network == row
        speeds = np.unique(links.speed_bps[inside])
        for speed in speeds.tolist():
            count = cables(fabric, row, links.speed_bps == speed)
            if not count:
                continue  # all of them inside directors
            name = f"{format_speed(speed)} cable"
            if "cable" in layout.cost.prices:
                yield CostRow(name, "network", count, layout.cost.prices["cable"], f"layout{_note(layout)}")
                continue
            price = _link_price(layout, speed)
            unit = price.cable_usd + price.cable_usd_per_m * CABLE_M if price else None
            yield _row(layout, name, "network", count, unit, _source(price) if price else "")
