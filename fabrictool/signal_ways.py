"""How long signals take on cables, where a layout states no latency: by the lengths of its cable plan.

Latencies that stand in for unknown ones are measured from end to end, over cables that nobody tells the length of: they
are taken to be as long as cables elsewhere whose length is not known, and what the plan has more or less counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace

import numpy as np

from fabrictool.cabling.plan import CablePlan
from fabrictool.fabric import Fabric
from fabrictool.fabric.counting import internal_links
from fabrictool.fabric.lossless import FIBRE_S_PER_M
from fabrictool.fabric.tables import F8
from fabrictool.layout.model import Layout
from fabrictool.layout.network import CABLE_M, CABLE_SOURCE, Network
from fabrictool.power.settling import settled
from fabrictool.records import Assumption

PLAN, STATED = "longest cables of the plan", "layout"
MEASURED = f"measured latencies taken for those over {CABLE_M:g} m: {CABLE_SOURCE}; 4.9 ns/m: ITU-T G.652"


@dataclass(frozen=True, slots=True)
class CableWay:
    """The longest cables of a network in m, at hosts and between switches, and whether the layout states them."""

    host_m: float
    fabric_m: float
    stated: bool


def cable_ways(layout: Layout, plan: CablePlan) -> dict[str, CableWay]:
    """Return the longest cables of each network whose latency the layout leaves open, where lengths are known.

    A length that the layout states goes before that of the plan; what is assumed for devices without a place is not
    counted. All links of a kind are taken to be as long, so that equal paths stay equal.
    """
    found = {}
    for row, facts in enumerate(plan.fabric.networks):
        network = layout.networks.get(facts.name)
        if network is None or not _open(network):
            continue
        length = network.link.length
        way = (
            CableWay(*_longest(plan, row), False) if length is None else CableWay(length.host_m, length.fabric_m, True)
        )
        if (way.host_m, way.fabric_m) != (CABLE_M, CABLE_M):
            found[facts.name] = way
    return found


def _open(network: Network) -> bool:
    """Say whether latencies of a network are the usual ones: not stated, nor those of a fabric from elsewhere."""
    return network.link.latency is None and network.family != "file"


def _longest(plan: CablePlan, network: int) -> tuple[float, float]:
    """Return the longest cables of a network, at hosts and between switches; as long as usual where none is known."""
    cables = plan.cables
    known_m = np.where(np.isnan(cables.route_m), 0.0, np.nan_to_num(cables.length_m))
    mine = cables.network == network
    at_host = plan.fabric.devices.tier[plan.fabric.ends[0][cables.link]] == 0
    host, fabric = (float(known_m[mine & which].max(initial=0.0)) for which in (at_host, ~at_host))
    return host or CABLE_M, fabric or CABLE_M


def with_cable_ways(fabric: Fabric, ways: Mapping[str, CableWay]) -> Fabric:
    """Return a fabric with the latencies of links over cables of these lengths; links in a chassis keep theirs."""
    if not ways:
        return fabric
    names = [facts.name for facts in fabric.networks]
    usual = CableWay(CABLE_M, CABLE_M, False)
    length = np.array([[(way := ways.get(name, usual)).host_m, way.fabric_m] for name in names])
    at_host = fabric.devices.tier[fabric.ends[0]] == 0
    more_m = (length[fabric.links.network, np.where(at_host, 0, 1)] - CABLE_M) * ~internal_links(fabric)
    latency: F8 = np.maximum(fabric.links.latency_s + FIBRE_S_PER_M * more_m, 0.0)
    facts = [replace(row, way_m=astuple(ways[row.name])[:2]) if row.name in ways else row for row in fabric.networks]
    return replace(fabric, links=replace(fabric.links, latency_s=latency), networks=tuple(facts))


def fabric_on_cables(layout: Layout, fabric: Fabric) -> Fabric:
    """Return a layout's fabric with the latencies of its cables; plans them only where that matters.

    A fabric that has them keeps them, whatever is down in it.
    """
    placed = any(facts.way_m is not None for facts in fabric.networks)
    if placed or not any(_open(network) for network in layout.networks.values()):
        return fabric
    return with_cable_ways(fabric, cable_ways(layout, settled(layout, fabric).plan))


def way_assumptions(ways: Mapping[str, CableWay]) -> tuple[Assumption, ...]:
    """Name the lengths that latencies rest on."""
    return tuple(
        Assumption(
            f"signals on cables of {name}",
            f"over {way.host_m:g} m at hosts, {way.fabric_m:g} m between switches",
            f"{STATED if way.stated else PLAN}; {MEASURED}",
        )
        for name, way in ways.items()
    )
