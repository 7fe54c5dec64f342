"""``route``: a network, a routing and a pattern, to loads and metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.errors import InputError, NotSupportedError, Problem, did_you_mean, placed
from fabrictool.explore.routes import Routes
from fabrictool.explore.traffic import Traffic, traffic_of
from fabrictool.fabric import Fabric
from fabrictool.fabric.tables import F8
from fabrictool.layout.checks import place_of_routing, routing_named
from fabrictool.layout.model import Layout
from fabrictool.layout.network import Routing as Stated
from fabrictool.records import Finding
from fabrictool.routing.choose import routing_of
from fabrictool.routing.flows import Flows, Routing, all_pairs
from fabrictool.routing.inside import ScaleUp
from fabrictool.routing.wiring import wiring
from fabrictool.scenario import Asked, State, Words, asked_for, state_findings, state_of

if TYPE_CHECKING:
    from fabrictool.placement import Placement

#: Flows of an all-to-all whose rates and missing ways are listed.
MOST_PAIRS = 70_000
#: Hosts up to which all pairs without a way are listed.
MOST_LISTED = 4_096
#: Metrics that are computed on request.
COSTLY = (
    "min-cut",
    "concurrent-flow",
    "throughput-bound",
    "effective-bisection",
    "dependencies",
    "shifts",
    "bisection-width",
)


def route(
    layout: Layout | Fabric | str | PathLike[str],
    routing: str | dict[str, Any] | Stated | None = None,
    pattern: str = "all-to-all",
    network: str | None = None,
    metrics: Sequence[str] = (),
    lft: str | None = None,
    seed: int = 0,
    fail_links: Words | None = None,
    fail_devices: Words | None = None,
    fail_domain: Words | None = None,
    slow: Mapping[str, float] | str | Sequence[str] | None = None,
) -> Routes:
    """Return what each link of a network carries, as the ``route`` command does.

    Parameters
    ----------
    layout : Layout, Fabric or str
        A layout, a fabric, or the name of a file with one.
    routing : str, dict or Routing, optional
        Name, or the mapping that a layout may state; by default the layout's, else D-mod-k on trees.
    pattern : str
        Such as ``"all-to-all"``, ``"shift:5"``, ``"random:1"`` or the name of a pattern file.
    network : str, optional
        By default the first that joins hosts.
    metrics : sequence of str
        Of ``COSTLY``.
    lft : str, optional
        A file of forwarding tables to route by.
    seed : int
        Of random bisections and random faults.
    fail_links, fail_devices : int, str or list of str, optional
        Names, or so many links between switches and switches at random.
    fail_domain : str or list of str, optional
        Such as ``"rack:r01"``.
    slow : mapping of str to float, or str, optional
        Links by either end, to the share of their speed that is left.

    Raises
    ------
    FabrictoolError
        If something asked for is not there or makes no sense.
    """
    unknown = [word for word in metrics if word not in COSTLY]
    if unknown:
        raise InputError([Problem("--metrics", f"no metric '{word}'", did_you_mean(word, COSTLY)) for word in unknown])
    asked = asked_for(fail_links, fail_devices, fail_domain, slow, seed)
    made = routed_network(layout, routing, network, asked, lft)
    traffic = traffic_of(pattern, made.routing, made.layout)
    return _evaluated(made, traffic, set(metrics), seed)


@dataclass(frozen=True)
class RoutedNetwork:
    """A network with its routing: the fabric's name, its layout if it has one, and what was wrong with files."""

    name: str
    routing: ScaleUp
    layout: Layout | None
    state: State
    findings: tuple[Finding, ...]


def routed_network(
    layout: Layout | Fabric | str | PathLike[str],
    routing: str | dict[str, Any] | Stated | None = None,
    network: str | None = None,
    asked: Asked | None = None,
    lft: str | None = None,
) -> RoutedNetwork:
    """Return a network with its routing; parameters are those of ``route``.

    ``asked`` are the faults beside those that the layout states.

    Raises
    ------
    FabrictoolError
        If something asked for is not there or makes no sense.
    """
    fabric, stated, found = fabric_and_layout(layout)
    row = _network(fabric, network)
    state = state_of(fabric, stated, _placed(fabric, stated, asked), asked)
    found = (*found, *state_findings(state))
    wired = wiring(fabric, row, state.faults)
    asked_routing = routing_named(routing)
    if lft is not None and asked_routing is not None and asked_routing.name != "lft":
        what = f"routing '{asked_routing.name}' is asked for, but {lft} states the routing"
        raise InputError(what, "leave out one of the two")
    if lft is not None:
        from fabrictool.routing.imported import read_routing

        inner, more = read_routing(wired, lft)
        return RoutedNetwork(fabric.name, ScaleUp(inner), stated, state, (*found, *more))
    named = fabric.networks[row].name
    chosen = asked_routing or (stated.stated_routing(named) if stated else None)
    with placed(place_of_routing(stated if asked_routing is None else None, named)):
        return RoutedNetwork(fabric.name, ScaleUp(routing_of(wired, chosen)), stated, state, found)


def _placed(fabric: Fabric, layout: Layout | None, asked: Asked | None) -> Placement | None:
    """Return where devices stand, if a domain that may be a rack is asked for."""
    from fabrictool.power.settling import placed as placement

    if layout is None or not asked or not asked.domains:
        return None
    return placement(layout, fabric)


def fabric_and_layout(
    layout: Layout | Fabric | str | PathLike[str],
) -> tuple[Fabric, Layout | None, tuple[Finding, ...]]:
    """Return the fabric of a layout, file or fabric, the layout if there is one, and the file's findings."""
    from fabrictool.formats.imported import Imported
    from fabrictool.formats.recognise import opened as opened_file
    from fabrictool.generators.building import build
    from fabrictool.generators.from_file import file_findings

    if isinstance(layout, Fabric):
        return layout, None, ()
    found = opened_file(layout) if isinstance(layout, str | PathLike) else layout
    if isinstance(found, Imported):
        return found.fabric, None, found.findings
    return build(found), found, file_findings(found)


def _network(fabric: Fabric, name: str | None) -> int:
    names = [network.name for network in fabric.networks]
    if name is None:
        if not names:
            raise InputError(f"{fabric.name} has no network to route", "add one under networks")
        return 0
    if name not in names:
        raise InputError([Problem("--network", f"no network '{name}'", did_you_mean(name, names))])
    return names.index(name)


def _evaluated(made: RoutedNetwork, traffic: Traffic, metrics: set[str], seed: int) -> Routes:
    """Return loads, hops, rates and metrics of the traffic."""
    from fabrictool.explore.route_metrics import forwarding_index, metrics_of

    routing, findings = made.routing, list(made.findings)
    rates: F8 | None = None
    unreachable: tuple[Any, ...] | None = ()
    if traffic.flows is None:
        load, hops = routing.all_to_all()
        if routing.wiring.hosts**2 <= MOST_PAIRS:
            pairs = all_pairs(routing.wiring.hosts)
            rates, unreachable = _of_flows(routing, pairs, None)
            ends = np.column_stack((pairs.source, pairs.target))
            unreachable = tuple(tuple(ends[at].tolist()) for at in unreachable)
        elif hops.get(-1):
            unreachable = _lost_pairs(routing)
    else:
        load = routing.loads(traffic.flows)
        used = routing.usage(traffic.flows)
        links, pairs_of = np.unique(used.hops, return_counts=True)
        hops = dict(zip(links.tolist(), pairs_of.astype(float).tolist(), strict=True))
        rates, unreachable = _of_flows(routing, traffic.flows, traffic.group)
    if hops.get(-1):
        findings.append(_no_way(routing, hops))
    values, more = metrics_of(routing, traffic, metrics, seed)
    if traffic.flows is None:
        values = {"edge_forwarding_index": forwarding_index(routing, load)} | values
    scenario = made.state.to_dict()
    return Routes(
        made.name, routing, traffic.name, load, hops, rates, unreachable, values, (*findings, *more), scenario
    )  # fmt: skip


def _of_flows(routing: ScaleUp, flows: Flows, group: np.ndarray | None) -> tuple[F8, tuple[int, ...]]:
    """Return max-min fair rates, group by group, NaN where a speed is unknown, and the rows of flows without a way."""
    lost = tuple(np.flatnonzero(routing.usage(flows).hops < 0).tolist())
    if group is None:
        rates = _rates(routing, flows)
    else:
        rates = np.full(len(flows), np.nan)
        for number in range(int(group.max()) + 1):
            rates[group == number] = _rates(routing, flows.some(group == number))
    return np.where(rates > 0, rates, np.nan), lost  # only links of unknown speed carry nothing


def _rates(routing: ScaleUp, flows: Flows) -> F8:
    """Return the max-min fair rate of each flow in bit/s; queue pairs of one flow compete on their own."""
    from fabrictool.routing.ecmp import Ecmp
    from fabrictool.routing.rates import max_min_rates

    channels = routing.wiring.channels
    speed = channels.speed_bps.copy()
    speed[: 2 * channels.links] *= routing.efficiency
    inner = routing.network
    if not isinstance(inner, Ecmp) or inner.flows_per_pair == 1:
        return max_min_rates(routing.usage(flows), speed)
    pairs, each = inner.subflows(flows)
    rates = max_min_rates(ScaleUp(each).usage(pairs), speed).reshape(len(flows), -1)
    return np.asarray(rates.sum(axis=1), np.float64)


def _lost_pairs(routing: ScaleUp) -> tuple[tuple[int, int], ...] | None:
    """Return the pairs of hosts without a way, None where there are too many hosts to list them."""
    from fabrictool.routing.dependencies import unreachable_pairs

    if routing.wiring.hosts > MOST_LISTED:
        return None
    pairs = unreachable_pairs(routing)
    return tuple((source, target) for source, target in pairs.tolist())


def _no_way(routing: Routing, hops: dict[int, float]) -> Finding:
    total = sum(hops.values())
    message = f"{hops[-1]:,.6g} of {total:,.6g} pairs of the pattern have no way under {routing.name}"
    fix = "join them by switches or a scale-up domain, mend what is down, or choose another routing"
    return Finding("unreachable-pairs", "error", f"network {routing.wiring.name}", message, fix)


def forwarding_tables(routes: Routes) -> str:
    """Return forwarding tables in the format of ``dump_lfts``.

    Raises
    ------
    NotSupportedError
        If the routing has none: its way depends on more than the destination.
    """
    from fabrictool.explore.route_metrics import forwarding_of
    from fabrictool.formats.lfts import dump_lfts
    from fabrictool.routing.exported import forwarding_table

    table = forwarding_of(routes.routing)
    if table is None:
        what = f"routing '{routes.routing.name}' has no forwarding tables: the destination alone does not say the way"
        raise NotSupportedError([Problem("-o", what, "use d-mod-k, min-hop, up-down or ftree")])
    return "".join(dump_lfts(forwarding_table(table)))
