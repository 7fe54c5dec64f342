"""The result of ``route`` as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.fabric import KINDS
from fabrictool.tabular import Column, Table
from fabrictool.units import format_speed

if TYPE_CHECKING:
    from fabrictool.explore.routes import Routes


def tables(routes: Routes) -> list[Table]:
    """Return loads by tier, the busiest links, the metrics, and the findings."""
    found = [_figures(routes), _by_tier(routes), _hot(routes)]
    if routes.findings:
        keys = ("severity", "id", "where", "message", "fix")
        columns = tuple(Column(key, [getattr(row, key) for row in routes.findings]) for key in keys)
        found.append(Table("findings", columns))
    return [table for table in found if len(table)]


def _figures(routes: Routes) -> Table:
    wiring = routes.wiring
    title = f"{routes.layout}: network {wiring.name}, {routes.routing.name}, {routes.pattern}"
    rows: dict[str, str] = {
        wiring.title: f"{wiring.hosts:,}",
        "links apart: pairs": _hops(routes),
        "busiest link, in busiest host links": f"{routes.relative.max(initial=0.0):.4g}",
    }
    if routes.rates_bps is not None and len(routes.rates_bps):
        rates = routes.rates_bps[~np.isnan(routes.rates_bps)] / 1e9
        if len(rates):
            spread = f"{rates.min():.4g} to {rates.max():.4g}, mean {rates.mean():.4g}"
            rows["max-min fair rates [Gbit/s]"] = spread
    rows |= {key.replace("_", " "): _text(key, value) for key, value in routes.metrics.items() if value is not None}
    return Table(title, (Column("of", list(rows)), Column("value", list(rows.values()))))


def _hops(routes: Routes) -> str:
    parts = [f"{links}: {_number(pairs)}" for links, pairs in sorted(routes.hops.items()) if links >= 0]
    lost = [f"no way: {_number(routes.hops[-1])}"] if -1 in routes.hops else []
    return ", ".join(parts + lost)


def _number(value: float) -> str:
    return f"{int(value):,}" if float(value).is_integer() else f"{value:,.6g}"


def _text(key: str, value: Any) -> str:
    if isinstance(value, dict):
        listed = {word: item for word, item in value.items() if word != "violations"}  # their number stands beside
        shown = {word: len(item) if isinstance(item, list) else item for word, item in listed.items()}
        return ", ".join(f"{word.replace('_', ' ')} {_text(word, item)}" for word, item in shown.items())
    if key in ("min_cut", "concurrent_flow"):
        return format_speed(value)
    return _number(value) if isinstance(value, float | int) else str(value)


def _by_tier(routes: Routes) -> Table:
    """Loads by kind of link and direction."""
    fabric = routes.wiring.fabric
    a, z = (end[routes.links] for end in fabric.ends)
    kind = fabric.devices.kind
    code = kind[a].astype(np.int64) * len(KINDS) + kind[z]
    rows = []
    for value in np.unique(code).tolist():
        low, high = KINDS[value // len(KINDS)], KINDS[value % len(KINDS)]
        for way, title in ((0, f"{low} to {high}"), (1, f"{high} to {low}")):
            channel = 2 * routes.links[code == value] + way
            live = channel[routes.wiring.channels.speed_bps[channel] > 0]
            load = routes.load[live]
            if len(load):
                worst = float(routes.relative[live].max())
                rows.append((title, len(load), float(load.min()), float(load.mean()), float(load.max()), worst))
    return Table.from_rows("loads", ("links", "number", "least", "mean", "most", "of a host link"), rows)


def _hot(routes: Routes) -> Table:
    """The busiest links, where they differ from the others."""
    busy = routes.relative
    rows = [row for row in routes.hot() if row[2] > 0]
    even = not len(busy) or busy.max() <= 1 + 1e-9
    return Table.from_rows("busiest links", ("from", "to", "load", "of a host link"), [] if even else rows)
