"""A layout's fabric held against the design rules and the needs of its protocol, with what the layout asks for."""

from __future__ import annotations

from fabrictool.fabric import Fabric
from fabrictool.fabric.buffers import PRIORITIES, LosslessNetwork, lossless_network
from fabrictool.fabric.lossless import JUMBO_BYTES, PATH_MTU, RESPONSE_BITS, SOURCE
from fabrictool.fabric.rules import Stated, design_findings
from fabrictool.layout.model import Layout
from fabrictool.layout.network import CABLE_M, CABLE_SOURCE, Network
from fabrictool.records import Assumption, Finding
from fabrictool.units import format_speed


def rule_findings(layout: Layout, fabric: Fabric) -> list[Finding]:
    """Return what violates the design rules, the most severe first."""
    findings = design_findings(fabric, {name: _stated(layout, network) for name, network in layout.networks.items()})
    return sorted(findings, key=lambda finding: ("error", "warning", "note").index(finding.severity))


def _stated(layout: Layout, network: Network) -> Stated:
    types = layout.switch_types()
    return Stated(
        oversubscription=tuple(network.oversubscription or ()),
        reserve=network.scalable_unit.reserve if network.scalable_unit else 0,
        routing=network.routing_name,
        mac_addresses={kind.name: kind.mac_addresses for kind in types if kind.mac_addresses},
        routes={kind.name: kind.routes for kind in types if kind.routes},
        kinds_of_leaf=len(network.leaves or ()),
    )


def lossless_networks(layout: Layout, fabric: Fabric) -> dict[str, LosslessNetwork]:
    """Return the lossless settings of each Ethernet network by its name."""
    buffers = {kind.name: kind.buffer_bytes for kind in layout.switch_types() if kind.buffer_bytes}
    found = {}
    for row, (name, network) in enumerate(layout.networks.items()):
        if network.protocol == "ethernet":
            settings = lossless_network(fabric, row, _lengths(network), buffers)
            if settings is not None:
                found[name] = settings
    return found


def _lengths(network: Network) -> dict[str, float]:
    length = network.link.length
    return {"host": length.host_m, "fabric": length.fabric_m} if length else {"host": CABLE_M, "fabric": CABLE_M}


def lossless_assumptions(layout: Layout, networks: dict[str, LosslessNetwork]) -> list[Assumption]:
    """Name every value of lossless settings that the layout does not give."""
    rows = []
    for name, found in networks.items():
        if layout.networks[name].link.length is None:
            rows.append(Assumption(f"cable length of {name}", f"{CABLE_M:g} m on every link", CABLE_SOURCE))
        frames = f"{JUMBO_BYTES:,} B, RoCE payload {PATH_MTU:,} B, {PRIORITIES} lossless priority"
        rows.append(Assumption(f"frames of {name}", frames, "largest that InfiniBand and Ethernet switches take"))
        unlisted = [format_speed(speed) for speed in found.speeds_bps if speed not in RESPONSE_BITS]
        timing = "IEEE's longest response to a pause, the port's own layers as long"
        if unlisted:
            timing += f"; at {', '.join(unlisted)} the time of the next lower speed"
        rows.append(Assumption(f"pause response of {name}", timing, SOURCE))
    return rows
