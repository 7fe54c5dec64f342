"""Metrics of ``route``: those that come with a routing or pattern, and the costly ones on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.collectives.congestion import MOST_ENTRIES
from fabrictool.fabric.tables import F8
from fabrictool.records import Finding
from fabrictool.routing.channels import sending_ports
from fabrictool.routing.flows import Flows, Routing, all_pairs
from fabrictool.routing.forwarding import TableRouting
from fabrictool.routing.inside import ScaleUp
from fabrictool.routing.modk import ModK

if TYPE_CHECKING:
    from fabrictool.explore.traffic import Traffic

#: Turns from a way down to a way up that are listed.
MOST_VALLEYS = 100


def metrics_of(routing: ScaleUp, traffic: Traffic, asked: set[str], seed: int) -> tuple[dict[str, Any], list[Finding]]:
    """Return metrics ready for JSON, and what of them is a finding."""
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    table = forwarding_of(routing, MOST_ENTRIES)
    if table is not None:
        values["destinations_per_link"] = _destinations(table)
    if (table is not None and traffic.flows is None) or "dependencies" in asked:
        values["dependencies"], loops = _dependencies(table or routing.network)
        findings += loops
    elif traffic.flows is not None and traffic.flows.path is not None:
        values["dependencies"], loops = _dependencies(routing.network, traffic.flows)
        findings += loops
    if traffic.shifts or "shifts" in asked:
        values["shifts"] = _shifts(routing)
    if traffic.trials or "effective-bisection" in asked:
        values["effective_bisection"] = _effective_bisection(routing, traffic.trials or 100, seed)
    elif traffic.group is not None and traffic.flows is not None:
        values["effective_bisection"] = _stated_bisection(routing, traffic.flows, traffic.group)
    if traffic.flows is not None:
        values["incast"] = _incast(routing, traffic.flows)
    return values | _bounds(routing, traffic, asked), findings


def forwarding_index(routing: Routing, load: F8) -> dict[str, float]:
    """Return the most pairs that a host link and a link between switches carry, of (channels,) under all-to-all."""
    up = routing.wiring.terminals.up[routing.wiring.terminals.up >= 0]
    hosts, switches = load[np.concatenate((up, up ^ 1))], load[routing.wiring.ways.channel]
    return {"host_links": float(hosts.max(initial=0.0)), "switch_links": float(switches.max(initial=0.0))}


def _incast(routing: Routing, flows: Flows) -> dict[str, Any] | None:
    """Return the most flows that one host receives, and which."""
    count = np.bincount(flows.target[flows.volume > 0], minlength=1)
    worst = int(count.argmax())
    return {"flows": int(count[worst]), "host": routing.wiring.endpoint_name(worst)} if count[worst] else None


def forwarding_of(routing: Routing, most: float = np.inf) -> TableRouting | None:
    """Return the forwarding tables of a routing, None where it has none or they have more entries."""
    inner = routing.network if isinstance(routing, ScaleUp) else routing
    wiring = inner.wiring
    if isinstance(inner, TableRouting):
        return inner
    few = len(wiring.switch) * len(wiring.terminals) <= most
    return inner.table() if isinstance(inner, ModK) and inner.name == "d-mod-k" and few else None


def _destinations(table: TableRouting) -> dict[str, float] | None:
    counted = table.destinations()[table.wiring.ways.channel]
    if not len(counted):
        return None
    return {"max": int(counted.max()), "min": int(counted.min()), "mean": float(counted.mean())}


def _dependencies(routing: Routing, flows: Flows | None = None) -> tuple[dict[str, Any], list[Finding]]:
    """Return the channel dependency graph in numbers, its loops by sending ports, and a finding for each loop."""
    from fabrictool.routing.dependencies import dependencies, falls_then_climbs

    found = dependencies(routing, flows)
    fabric, port = routing.wiring.fabric, sending_ports(routing.wiring.fabric)
    loops = [[fabric.port_name(int(port[channel])) for channel in loop] for loop in found.loops]
    findings = [
        Finding(
            "credit-loop",
            "error",
            f"network {routing.wiring.name}",
            f"{len(loop)} channels wait for each other under {routing.name}: {', '.join(loop[:8])}",
            "use up-down or ftree routing, or a virtual lane for each turn",
        )
        for loop in loops
    ]
    valleys = falls_then_climbs(routing.wiring, found)
    shown = [[fabric.port_name(int(port[channel])) for channel in pair] for pair in valleys[:MOST_VALLEYS]]
    counts = {"channels": len(found.channels), "edges": len(found.edges), "loops": loops}
    return counts | {"up_down_violations": len(valleys), "violations": shown}, findings


def _shifts(routing: ScaleUp) -> dict[str, float] | None:
    from fabrictool.routing.shifts import shift_peaks

    worst = shift_peaks(routing.network)
    return {"worst": float(worst.max()), "mean": float(worst.mean())} if len(worst) else None


def _effective_bisection(routing: ScaleUp, trials: int, seed: int) -> dict[str, float] | None:
    from fabrictool.routing.bisection import effective_bisection

    if routing.wiring.hosts < 2:
        return None
    alone = bool((routing.wiring.domain < 0).all())
    return effective_bisection(routing.network if alone else routing, trials, seed).to_dict()


def _stated_bisection(routing: Routing, flows: Flows, group: np.ndarray) -> dict[str, float]:
    from fabrictool.routing.bisection import matched_bisection

    matchings = [flows.some(group == number) for number in range(int(group.max()) + 1)]
    return matched_bisection(routing, matchings).to_dict()


def _bounds(routing: ScaleUp, traffic: Traffic, asked: set[str]) -> dict[str, Any]:
    """Return the costly bounds that are asked for."""
    values: dict[str, Any] = {}
    wiring = routing.wiring
    inside = wiring.fabric.links.network == wiring.network
    if not wiring.fabric.links.speed_bps[inside].all():
        asked = asked & {"throughput-bound"}  # nothing else can be said where speeds are not known
    if "min-cut" in asked:
        from fabrictool.routing.cuts import halves_cut_bps

        values["min_cut"] = halves_cut_bps(wiring)
    if "concurrent-flow" in asked:
        from fabrictool.routing.concurrent_flow import concurrent_flow

        flows = all_pairs(wiring.hosts) if traffic.flows is None else traffic.flows
        values["concurrent_flow"] = _finite(concurrent_flow(wiring, flows))
    if "bisection-width" in asked:
        from fabrictool.routing.cuts import bisection_width

        width = bisection_width(wiring)
        values["bisection_width"] = {"bps": width.width_bps, "exact": width.exact, "method": width.method}
    if "throughput-bound" in asked:
        from fabrictool.routing.concurrent_flow import throughput_bound

        values["throughput_bound"] = _finite(throughput_bound(wiring))
    return values


def _finite(value: float) -> float | None:
    """Return a bound, None where nothing bounds."""
    return value if np.isfinite(value) else None
