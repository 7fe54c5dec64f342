"""What each link of a network carries under a routing and a pattern, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.fabric.tables import F8, I4
from fabrictool.routing.channels import sending_ports
from fabrictool.routing.flows import Routing
from fabrictool.routing.wiring import Wiring

if TYPE_CHECKING:
    from fabrictool.records import Finding
    from fabrictool.tabular import Table

FORMAT = 1
#: Links that are listed for people.
SHOWN = 12


@dataclass(frozen=True, repr=False)
class Routes:
    """The result of ``route``: loads of all links, and the metrics that were asked for.

    Parameters
    ----------
    layout : str
        Name of the layout or fabric.
    routing : Routing
    pattern : str
    load : (channels,) float64
        Volume of the pattern on each channel.
    hops : mapping of int to float
        Ordered pairs of the pattern by links on their way; those without a way under -1.
    rates_bps : (flows,) float64 or None
        Max-min fair rate of each flow in bit/s, NaN without a way.
    unreachable : tuple or None
        Rows of the pattern without a way, or pairs of ranks; None where they are too many to list.
    metrics : mapping of str to any
        What else was computed, ready for JSON.
    findings : tuple of Finding
    scenario : dict, optional
        What is down or slow, ready for JSON.
    """

    layout: str
    routing: Routing
    pattern: str
    load: F8
    hops: Mapping[int, float]
    rates_bps: F8 | None = None
    unreachable: tuple[Any, ...] | None = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    scenario: dict[str, Any] | None = None

    @property
    def wiring(self) -> Wiring:
        """The network."""
        return self.routing.wiring

    @cached_property
    def links(self) -> I4:
        """Rows of the network's links, (links,)."""
        rows = np.flatnonzero(self.wiring.fabric.links.network == self.wiring.network)
        return rows.astype(np.int32)

    @cached_property
    def between_switches(self) -> I4:
        """Channels between switches that are up, (ways,)."""
        return np.sort(self.wiring.ways.channel)

    @cached_property
    def relative(self) -> F8:
        """Load over speed of each link channel, in units of the busiest host link's, (2 links,)."""
        speed = self.wiring.channels.speed_bps[: 2 * self.wiring.channels.links]
        load = self.load[: len(speed)]
        busy = np.divide(load, speed, out=np.zeros(len(load)), where=speed > 0)
        up = self.wiring.terminals.up[self.wiring.terminals.up >= 0]
        unit = float(np.concatenate((busy[up], busy[up ^ 1])).max(initial=0.0))
        return busy / unit if unit else busy

    @property
    def speeds_known(self) -> bool:
        """Whether the speed of every link of the network is known."""
        return bool(self.wiring.fabric.links.speed_bps[self.links].all())

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return not any(finding.severity == "error" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return the versioned JSON document of ``route``."""
        from fabrictool import __version__

        rates = None if self.rates_bps is None else [None if np.isnan(r) else r for r in self.rates_bps.tolist()]
        return {
            "format": FORMAT,
            "layout": self.layout,
            "fabrictool": __version__,
            "network": self.wiring.name,
            "routing": self.routing.name,
            "pattern": self.pattern,
            "hosts": self.wiring.hosts,
            "scenario": self.scenario,
            "loads": self._loads(),
            "switch_links": self._spread(self.load),
            "max_link_load": float(self.relative.max(initial=0.0)) if self.speeds_known else None,
            "hot_links": [
                {"from": start, "to": end, "load": _whole(load), "relative": relative}
                for start, end, load, relative in self.hot()
                if load > 0
            ],
            "hops": {"inf" if links < 0 else str(links): _whole(pairs) for links, pairs in sorted(self.hops.items())},
            "rates": rates,
            "unreachable": None if self.unreachable is None else list(self.unreachable),
            **dict.fromkeys(METRICS),
            **self.metrics,
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def _loads(self) -> list[dict[str, Any]]:
        names = self._port_names
        a, z = self.wiring.fabric.links.port_a[self.links], self.wiring.fabric.links.port_z[self.links]
        forward, reverse = self.load[2 * self.links], self.load[2 * self.links + 1]
        columns = (self.links.tolist(), a.tolist(), z.tolist(), forward.tolist(), reverse.tolist())
        return [
            {"link": link, "a": names[i], "z": names[j], "forward": _whole(up), "reverse": _whole(down)}
            for link, i, j, up, down in zip(*columns, strict=True)
        ]

    @cached_property
    def _port_names(self) -> dict[int, str]:
        fabric = self.wiring.fabric
        ports = np.concatenate((fabric.links.port_a[self.links], fabric.links.port_z[self.links]))
        return {port: fabric.port_name(port) for port in ports.tolist()}

    def _spread(self, values: F8) -> dict[str, float] | None:
        between = values[self.between_switches]
        if not len(between):
            return None
        return {"max": _whole(between.max()), "min": _whole(between.min()), "mean": float(between.mean())}

    def hot(self, count: int = SHOWN, switches_only: bool = False) -> list[tuple[str, str, float, float]]:
        """Return the busiest channels: sending and receiving port, load, and load relative to host links."""
        fabric = self.wiring.fabric
        port = sending_ports(fabric)
        rows = self.between_switches if switches_only else np.arange(len(self.relative))
        order = rows[np.argsort(-np.round(self.relative[rows], 9), kind="stable")][:count]
        ends = [(fabric.port_name(int(port[c])), fabric.port_name(int(fabric.ports.peer[port[c]]))) for c in order]
        return [(*end, float(self.load[c]), float(self.relative[c])) for end, c in zip(ends, order, strict=True)]

    def tables(self) -> list[Table]:
        """Return what people read: loads by tier, the busiest links, metrics, findings."""
        from fabrictool.explore.route_tables import tables

        return tables(self)

    def __repr__(self) -> str:
        busiest = float(self.relative.max(initial=0.0))
        return (
            f"<Routes of {self.layout} {self.wiring.name}: {self.routing.name}, {self.pattern}, busiest {busiest:.3g}>"
        )

    def _repr_html_(self) -> str:
        return "".join(table.to_html() for table in self.tables())


#: Metrics that are null unless they are asked for, or come with the pattern or the routing.
METRICS = (
    "destinations_per_link", "shifts", "dependencies", "min_cut", "concurrent_flow", "throughput_bound",
    "effective_bisection", "bisection_width", "incast", "edge_forwarding_index",
)  # fmt: skip


def _whole(value: float) -> float | int:
    """Return a whole number as such, so that JSON reads well."""
    number = float(value)
    return int(number) if number.is_integer() else number
