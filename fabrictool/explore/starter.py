"""Commented layouts to start from: sized by what is asked for, proven by counting, and scored as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import get_args

from fabrictool import units
from fabrictool.errors import InputError, NotSupportedError, did_you_mean
from fabrictool.explore.arithmetic import arithmetic
from fabrictool.explore.equipment import GENERIC, HostLinks, SwitchPorts, host_links, switch_ports
from fabrictool.explore.proof import Proof, pods_of, prove
from fabrictool.explore.sizing import Intent, Size, candidates
from fabrictool.explore.starter_text import FAMILIES, HEAD, HOSTS, HOSTS_INLINE, REST
from fabrictool.layout.network import Family

_COMMENT_COLUMN = 38
_HOSTS = 64
_TRIED = 12
_LARGEST_PLANES = 8


@dataclass(frozen=True, slots=True)
class Parts:
    """What a starter is made of."""

    intent: Intent
    host_type: str
    links: HostLinks
    switch: SwitchPorts

    @property
    def speed(self) -> str:
        """Speed of a link, as a layout writes it."""
        return units.format_speed(self.links.speed_bps)


def starter(
    family: str,
    hosts: int | None = None,
    host_type: str | None = None,
    speed: str | None = None,
    switch_type: str | None = None,
    oversubscription: float = 1.0,
    reserve: int = 0,
    growth: int = 0,
) -> str:
    """Return a commented layout with the fewest switches that do what is asked, arranged regularly.

    Parameters
    ----------
    family : {"fat-tree", "rail-optimized", "rail-only", "multi-plane", "switch-pair"}
    hosts : int, optional
        Number of hosts.
    host_type : str, optional
        Of the catalogue, or ``"generic"`` for an inline host of one GPU.
    speed : str, optional
        Of a link, such as ``"400G"``; by default that of the hosts' compute ports.
    switch_type : str, optional
        Of the catalogue; by default the InfiniBand switch of that speed.
    oversubscription : float
        Most speed down for each speed up of a leaf.
    reserve : int
        Ports of each leaf kept free.
    growth : int
        Hosts to come, for which leaves are added but no cable moves.

    Raises
    ------
    InputError
        If hosts and switches do not fit together: which limit is hit, and how many hosts would fit.
    NotSupportedError
        If there is no starter for the family yet.
    """
    if family not in FAMILIES:
        raise _no_starter(family)
    hosts = _HOSTS if hosts is None else hosts
    _sensible(hosts, oversubscription, reserve, growth)
    host_type = host_type or (GENERIC if family == "fat-tree" else "dgx-h100")
    links = host_links(host_type, speed)
    switch = switch_ports(switch_type, links.speed_bps)
    planes = _planes(links, host_type) if family == "multi-plane" else 1
    if family == "switch-pair" and links.lanes < 2:
        raise InputError(f"{host_type} has one port, so it reaches only one of the two leaves", "use two ports or more")
    words = f"{switch.title} ({switch.ports} x {units.format_speed(links.speed_bps)})"
    intent = Intent(family, hosts, growth, links.lanes, switch.ports, oversubscription, reserve, planes, words)
    return _smallest(Parts(intent, host_type, links, switch))


def _no_starter(family: str) -> InputError | NotSupportedError:
    if family in get_args(Family):
        known = ", ".join(FAMILIES)
        return NotSupportedError(f"a starter of family '{family}' is not supported yet", f"use one of {known}")
    return InputError(f"family '{family}' is not known", did_you_mean(family, FAMILIES))


def _sensible(hosts: int, oversubscription: float, reserve: int, growth: int) -> None:
    if hosts < 2:
        raise InputError(f"{hosts} hosts make no network", "ask for 2 hosts or more")
    if not 0 < oversubscription <= 1000:
        raise InputError(f"--oversubscription: {oversubscription:g} is no ratio of speeds", "use 1 for none, or 2, 3 …")
    for name, value in (("reserve", reserve), ("growth", growth)):
        if value < 0:
            raise InputError(f"--{name}: {value} is less than nothing", "use 0 or more")


def _planes(links: HostLinks, host_type: str) -> int:
    """Return the planes that a host's ports fall into: by port of an adapter, else by adapter."""
    for ports in (links.per_adapter, links.lanes):
        if 2 <= ports <= _LARGEST_PLANES and links.lanes % ports == 0:
            return ports
    what = f"{host_type} has {links.lanes} link{'s' if links.lanes > 1 else ''}, which make no equal planes"
    raise InputError(what, "use a host with 2 to 8 links, or with as many ports on each adapter")


def _smallest(parts: Parts) -> str:
    """Return the layout of the smallest set of switches that is proven to suffice."""
    proven: list[tuple[int, str, Proof, Size]] = []
    for candidate in islice(candidates(parts.intent), _TRIED):
        size = _with_pods(parts, candidate)
        text, grown = _layout(parts, size, parts.intent.hosts), None
        if parts.intent.growth:
            grown = _layout(parts, size, parts.intent.total)
        proof = prove(text, grown, parts.intent)
        if proof is not None:
            switches = sum(proof.counts.get(kind, 0) for kind in ("leaf", "spine", "core"))
            proven.append((switches, text, proof, size))
            if size.levels < 3:  # these come in order of their number of switches
                break
    if not proven:
        what = f"no regular network of {parts.intent.title} takes {parts.intent.hosts:,} hosts"
        what += f" and {parts.intent.growth:,} more later without moving cables" if parts.intent.growth else ""
        raise InputError(what, "ask for other numbers of hosts, or for all hosts at once")
    _, text, proof, size = min(proven, key=lambda row: row[0])
    return _finished(text, arithmetic(parts.intent, size, proof))


def _with_pods(parts: Parts, size: Size) -> Size:
    """Fix pods and cores of a tree of three levels to those of the grown one."""
    intent = parts.intent
    if not intent.growth or size.levels < 3 or intent.columns > 1:
        return size
    pod, cores = pods_of(_layout(parts, size, intent.total)) or (0, 0)
    return replace(size, pod=pod, cores=cores)


def _finished(text: str, lines: list[str]) -> str:
    """Put the arithmetic in its place, and line the comments up."""
    comments = "".join(f"# {line}\n" for line in lines)
    text = text.replace("# ARITHMETIC\n", comments)
    return "\n".join(_aligned(line) for line in text.split("\n"))


def _aligned(line: str) -> str:
    """Return a line with the comment after its key in the column of all others."""
    key, mark, comment = line.partition("  # ")
    return f"{key + '  ':<{_COMMENT_COLUMN}}# {comment}" if mark and key.strip() else line


def _layout(parts: Parts, size: Size, hosts: int) -> str:
    """Return the layout of a size for a number of hosts, before its arithmetic."""
    inline = parts.host_type == GENERIC
    words = {
        "family": parts.intent.family,
        "hosts": hosts,
        "host_type": parts.host_type,
        "speed": parts.speed,
        "group": "dgx" if parts.host_type.startswith("dgx") else "host",
        "priced_host": "host-1gpu" if inline else parts.host_type,
    }
    network = [FAMILIES[parts.intent.family], "# ARITHMETIC\n", "networks:\n  compute:\n"]
    network += [f"    {line}\n" for line in _network(parts, size, hosts, words["group"])]
    top = (HEAD + (HOSTS_INLINE if inline else HOSTS)).format_map(words)
    return top + "".join(network) + "\n" + REST.format_map(words)


def _network(parts: Parts, size: Size, hosts: int, group: object) -> Iterator[str]:
    """Yield the keys of the network, each with its comment."""
    intent = parts.intent
    yield f"family: {intent.family}"
    yield f"protocol: {parts.switch.protocol}  # infiniband or ethernet (RoCE): chooses the default latencies"
    yield f"speed: {parts.speed}"
    if intent.family == "switch-pair":
        yield f"isl: {size.up}  # links between the two leaves"
        yield f"leaf: {{type: {parts.switch.text}}}"
    else:
        yield from _shape(intent, size)
        yield from _tiers(parts, size, hosts)
        yield "routing: d-mod-k"
    yield "#link: {latency: {host: 1 us, fabric: 500 ns}}  # by default published measurements"
    yield f"#attach: [{{hosts: {group}, role: compute}}]  # by default all compute ports"


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
