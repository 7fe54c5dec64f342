"""The keys of a network that a starter states, each with its comment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fabrictool import units
from fabrictool.explore.direct import DirectSize
from fabrictool.explore.equipment import HostLinks, SwitchPorts
from fabrictool.explore.sizing import Intent, Size


@dataclass(frozen=True, slots=True)
class Parts:
    """What a starter is made of; ``asked`` are hosts now and to come, before racks of hosts are filled."""

    intent: Intent
    asked: tuple[int, int]
    host_type: str
    links: HostLinks
    switch: SwitchPorts

    @property
    def speed(self) -> str:
        """Speed of a link, as a layout writes it."""
        return units.format_speed(self.links.speed_bps)

    @property
    def group(self) -> str:
        """What the hosts are called."""
        if self.links.trays > 1:
            return "tray"
        return "dgx" if self.host_type.startswith("dgx") else "host"


def network_keys(parts: Parts, size: Size | DirectSize, hosts: int) -> Iterator[str]:
    """Yield the keys of the network for a number of hosts, line by line, each with its comment."""
    intent = parts.intent
    yield f"family: {intent.family}"
    yield f"protocol: {parts.switch.protocol}  # infiniband or ethernet (RoCE): chooses the default latencies"
    yield f"speed: {parts.speed}"
    if not isinstance(size, Size):
        yield from size.keys(parts.switch.text)
    elif intent.family == "switch-pair":
        yield from _pair(parts, size)
    else:
        yield from _shape(intent, size)
        yield from _tiers(parts, size, hosts)
    tiered = isinstance(size, Size) and intent.family != "switch-pair"
    yield f"routing: {'d-mod-k' if tiered else 'minimal'}"
    yield "#link: {latency: {host: 1 us, fabric: 500 ns}}  # by default published measurements"
    yield f"#attach: [{{hosts: {parts.group}, role: compute}}]  # by default all compute ports"


def _pair(parts: Parts, size: Size) -> Iterator[str]:
    intent = parts.intent
    down = -(-intent.lanes // 2) * intent.total
    yield f"isl: {size.up}  # links between the two leaves"
    if intent.growth:
        yield f"leaf: {{type: {parts.switch.text}, down: {down}}}  # ports for {intent.total:,} hosts"
    else:
        yield f"leaf: {{type: {parts.switch.text}}}"


def _shape(intent: Intent, size: Size) -> Iterator[str]:
    """Yield how hosts stand at leaves."""
    if intent.family == "multi-plane":
        yield f"planes: {intent.planes}"
    if intent.family == "rail-only" or intent.columns > 1:
        yield f"rails: {intent.lanes // intent.planes}  # compute ports of a host{' in a plane' * (intent.planes > 1)}"
    railed = intent.family in ("rail-optimized", "rail-only") or intent.columns > 1
    if not railed or size.levels == 3:
        yield f"levels: {size.levels}"
    if railed and size.levels > 1:
        kept = f", reserve: {intent.reserve}" if intent.reserve else ""
        yield f"scalable_unit: {{hosts: {size.unit}{kept}}}  # hosts fill the units in order, the last may be short"
    elif not railed and size.levels > 1:
        yield f"hosts_per_leaf: {size.unit}  # each with {intent.width} link{'s' * (intent.width > 1)}"
    if size.levels > 1:
        given = intent.oversubscription != 1
        yield f"{'' if given else '#'}oversubscription: {intent.oversubscription if given else 2:g}  # speed down to up"


def _tiers(parts: Parts, size: Size, hosts: int) -> Iterator[str]:
    """Yield the tiers of switches; spines are stated where hosts are to come, so that they are there from the start."""
    intent, switch = parts.intent, parts.switch.text
    if size.pod:
        leaves = size.leaves(hosts) * intent.copies
        yield f"pod: {{hosts: {size.pod * size.unit}}}  # under one set of spines"
        yield f"leaf: {{type: {switch}, count: {leaves}}}  # of whole pods"
    else:
        yield f"leaf: {{type: {switch}}}  # as many as the hosts take"
    if size.levels == 1:
        return
    if intent.growth and size.levels == 2:
        yield f"spine: {{type: {switch}, count: {size.spines * intent.copies}}}  # enough for {intent.total:,} hosts"
    else:
        yield f"spine: {{type: {switch}}}  # as many as the leaves' uplinks need; fix it with 'count: N'"
    if size.cores:
        yield f"core: {{type: {switch}, count: {size.cores}}}  # enough for {intent.total:,} hosts"
    elif size.levels == 3:
        yield f"core: {{type: {switch}}}  # the third level: as many as the spines' uplinks need"
