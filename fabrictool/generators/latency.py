"""Latencies of links: given by the layout, else published end-to-end measurements, named as assumptions."""

from __future__ import annotations

from dataclasses import dataclass

from fabrictool.layout.model import Layout
from fabrictool.layout.network import Network
from fabrictool.records import Assumption

#: DeepSeek-AI, "Insights into DeepSeek-V3", ISCA 2025, arXiv:2505.09343, Table 5 (2025-05): end-to-end
#: latency of 64 B under one leaf and across leaves is 2.8 and 3.7 us on InfiniBand, 3.6 and 5.6 us on
#: RoCE, and 3.33 us over NVLink. A path under one leaf has two host links, one across leaves two more.
SOURCE = "arXiv:2505.09343, Table 5 (2025-05), measured end to end"
_HOST_FABRIC_S = {"infiniband": (1.4e-6, 0.45e-6), "ethernet": (1.8e-6, 1.0e-6)}
SCALE_UP_HOP_S = 3.33e-6 / 2


@dataclass(frozen=True, slots=True)
class LinkLatency:
    """Latency in s of a network's host links and of its links between switches."""

    host_s: float
    fabric_s: float


def link_latency(network: Network) -> LinkLatency:
    """Return the link latencies of a network; the defaults hold a switch hop or the host's own share."""
    if network.link.latency is not None:
        return LinkLatency(network.link.latency.host_s, network.link.latency.fabric_s)
    return LinkLatency(*_HOST_FABRIC_S["infiniband" if network.protocol == "infiniband" else "ethernet"])


def latency_assumptions(layout: Layout) -> list[Assumption]:
    """Name every latency that the layout does not give."""
    rows = []
    for name, network in layout.networks.items():
        if network.link.latency is None:
            used = link_latency(network)
            value = f"{used.host_s * 1e6:g} us a host link, {used.fabric_s * 1e6:g} us a link between switches"
            rows.append(Assumption(f"link latency of {name}", value, SOURCE))
    for kind in layout.host_types():
        if kind.scale_up is not None and kind.gpus and kind.scale_up.latency_s is None:
            value = f"{SCALE_UP_HOP_S * 1e6:g} us a hop"
            rows.append(Assumption(f"scale-up latency of {kind.name}", value, SOURCE))
    return rows
