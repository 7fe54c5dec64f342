"""Commented layouts to start from: sized by what is asked for, proven by counting, and scored as they are."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from fabrictool import units
from fabrictool.errors import InputError, did_you_mean
from fabrictool.explore import direct
from fabrictool.explore.arithmetic import arithmetic
from fabrictool.explore.equipment import GENERIC, HostLinks, SwitchPorts, host_links, switch_ports
from fabrictool.explore.network_keys import Parts, network_keys
from fabrictool.explore.proof import Proof, pods_of, prove
from fabrictool.explore.sizing import Intent, Size, candidates, counted
from fabrictool.explore.starter_text import (
    FAMILIES,
    HEAD,
    HOSTS,
    HOSTS_INLINE,
    RACKS,
    RACKS_OF_HOSTS,
    REST,
    TRAYS,
)
from fabrictool.fabric.scale import UNICAST_LIDS

_COMMENT_COLUMN = 38
#: Hosts where no number is given and 64 would be too many.
_HOSTS = {"switch-pair": 8}
_TRIED = 12
#: A proof by building takes about 20 s and 5 GB for so many.
_MOST_BUILT = 1_000_000
_LARGEST_PLANES = 8


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
    family : str
        Such as ``"fat-tree"``; every family of a layout but ``file``.
    hosts : int, optional
        Number of hosts, by default 64, or 8 at a switch pair; of a rack-scale type each tray is a host, and
        the last rack is filled.
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
    """
    if family not in FAMILIES:
        raise _no_starter(family)
    hosts = _HOSTS.get(family, 64) if hosts is None else hosts
    _sensible(hosts, oversubscription, reserve, growth)
    host_type = host_type or (GENERIC if family == "fat-tree" or family in direct.FAMILIES else "dgx-h100")
    links = host_links(host_type, speed)
    switch = switch_ports(switch_type, links.speed_bps)
    if reserve >= switch.ports:
        what = f"--reserve: {reserve:,} ports of each leaf kept free leave none of the {switch.ports} of {switch.title}"
        raise InputError(what, f"use {switch.ports - 2} or less")
    if family == "switch-pair" and links.lanes < 2:
        raise InputError(f"{host_type} has one port, so it reaches only one of the two leaves", "use two ports or more")
    intent = _intent(family, (hosts, growth), host_type, links, switch, oversubscription, reserve)
    return _smallest(Parts(intent, (hosts, growth), host_type, links, switch))


def _intent(
    family: str, asked: tuple[int, int], host_type: str, links: HostLinks, switch: SwitchPorts,
    oversubscription: float, reserve: int,
) -> Intent:  # fmt: skip
    """Return what is asked for, in whole racks where hosts come as those."""
    now, later = (-(-count // links.trays) * links.trays for count in (asked[0], sum(asked)))
    return Intent(
        family,
        now,
        later - now,
        links.lanes,
        switch.ports,
        oversubscription,
        reserve,
        _planes(links, host_type) if family == "multi-plane" else 1,
        f"{switch.title} ({switch.ports} x {units.format_speed(links.speed_bps)})",
        links.trays,
        UNICAST_LIDS if switch.protocol == "infiniband" else None,
    )


def _no_starter(family: str) -> InputError:
    if family == "file":
        return InputError(
            "family 'file' takes its switches from a fabric file, so there is nothing to size",
            "write 'family: file' and 'path:' into a layout",
        )
    return InputError(f"family '{family}' is not known", did_you_mean(family, FAMILIES))


def _sensible(hosts: int, oversubscription: float, reserve: int, growth: int) -> None:
    if hosts < 2:
        raise InputError(
            f"{hosts} {'host makes' if hosts == 1 else 'hosts make'} no network", "ask for 2 hosts or more"
        )
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
    what = f"{host_type} has {counted(links.lanes, 'link')}, which make no equal planes"
    raise InputError(what, "use a host with 2 to 8 links, or with as many ports on each adapter")


def _smallest(parts: Parts) -> str:
    """Return the layout of the smallest set of switches that is proven to suffice."""
    intent = parts.intent
    proven: list[tuple[str, Proof, Size | direct.DirectSize]] = []
    sizes = [direct.smallest(intent)] if intent.family in direct.FAMILIES else islice(candidates(intent), _TRIED)
    for candidate in sizes:
        if intent.total > _MOST_BUILT:
            what = f"{intent.total:,} hosts would fit, but 'new' builds networks of {_MOST_BUILT:,} at most"
            raise InputError(what, "ask for a part of them, or write the layout by hand")
        size = _with_pods(parts, candidate)
        text = _layout(parts, size, intent.hosts)
        proof = prove(text, _layout(parts, size, intent.total) if intent.growth else None, intent)
        if proof is not None:
            proven.append((text, proof, size))
            if not isinstance(size, Size) or size.levels < 3:  # these come in order of their number of switches
                break
    if not proven:
        what = f"no regular network of {intent.title} takes {intent.hosts:,} hosts"
        what += f" and {intent.growth:,} more later without moving cables" if intent.growth else ""
        raise InputError(what, "ask for other numbers of hosts, or for all hosts at once")
    text, proof, size = min(proven, key=lambda row: row[1].switches)
    return _finished(text, arithmetic(intent, size, proof, parts.asked))


def _with_pods(parts: Parts, size: Size | direct.DirectSize) -> Size | direct.DirectSize:
    """Fix pods and cores of a tree of three levels to those of the grown one."""
    intent = parts.intent
    if not isinstance(size, Size) or not intent.growth or size.levels < 3 or intent.columns > 1:
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


def _layout(parts: Parts, size: Size | direct.DirectSize, hosts: int) -> str:
    """Return the layout of a size for a number of hosts, before its arithmetic."""
    inline, trays = parts.host_type == GENERIC, parts.links.trays
    words = {
        "family": parts.intent.family,
        "hosts": hosts,
        "count": hosts // trays,
        "trays": trays,
        "host_type": parts.host_type,
        "speed": parts.speed,
        "group": parts.group,
        "priced_host": "host-1gpu" if inline else parts.host_type,
        "rack_power": units.format_power(parts.links.rack_power_w or 0.0),
    }
    network = [FAMILIES[parts.intent.family], "# ARITHMETIC\n", "networks:\n  compute:\n"]
    network += [f"    {line}\n" for line in network_keys(parts, size, hosts)]
    groups, racks = (TRAYS, RACKS_OF_HOSTS) if trays > 1 else (HOSTS_INLINE if inline else HOSTS, RACKS)
    return (HEAD + groups).format_map(words) + "".join(network) + "\n" + (racks + REST).format_map(words)
