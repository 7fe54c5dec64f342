"""Hosts by how near they are, as schedulers want to know it: a tree in which every host stands once.

A fat-tree with several spines, rails or planes is no tree of switches. What places hosts near each other is
which of them meet at the leaves, which at the spines and so on, so each such group is one virtual switch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabrictool.fabric import Fabric
from fabrictool.fabric.parts import attached_hosts, joined_by_tier, merged, network_ends
from fabrictool.fabric.tables import I4


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Hosts that meet at one level, counted from 1: names of hosts, or the parts that it joins; never both.

    ``switches`` are the names of the switches at which they meet.
    """

    name: str
    level: int
    hosts: tuple[str, ...] = ()
    parts: tuple[Neighbourhood, ...] = ()
    switches: tuple[str, ...] = ()


def neighbourhoods(fabric: Fabric, network: int) -> tuple[Neighbourhood, ...]:
    """Return the outermost groups of a network's hosts; several where parts of it are not joined.

    Levels at which a group joins nothing new are left out.
    """
    hosts = attached_hosts(fabric, network)
    labels = _levels(fabric, network)
    place = {level: {word: row for row, word in enumerate(dict.fromkeys(label[hosts].tolist()), 1)}
             for level, label in enumerate(labels, 1)}  # fmt: skip
    names = fabric.names
    below: dict[int, Neighbourhood] = {}
    for level, label in enumerate(labels, 1):
        met = _meeting(fabric, network, level, label, len(labels))
        found: dict[int, Neighbourhood] = {}
        width = len(str(len(place[level])))
        for word, number in place[level].items():
            members = hosts[label[hosts] == word]
            name = f"tier{level}-{number:0{width}d}"
            if level == 1:
                named = tuple(names[host] for host in members.tolist())
                found[word] = Neighbourhood(name, 1, named, switches=met.get(word, ()))
                continue
            parts = tuple(below[inner] for inner in dict.fromkeys(labels[level - 2][members].tolist()))
            joins = Neighbourhood(name, level, (), parts, met.get(word, ()))
            found[word] = parts[0] if len(parts) == 1 else joins
        below = found
    return tuple(below.values())


def _levels(fabric: Fabric, network: int) -> list[I4]:
    """Return for each level a label of each device, equal where hosts meet at that level."""
    if fabric.networks[network].is_tree:
        return joined_by_tier(fabric, network)[1:]
    devices = fabric.devices
    a, z, _ = network_ends(fabric, network)
    own = np.arange(len(devices), dtype=np.int32)
    at_switch = merged(own, a[devices.tier[a] == 0], z[devices.tier[a] == 0])
    whole = merged(own, a, z)
    if (devices.pod[z] < 0).any():
        return [at_switch, whole]
    first = {pod: row for row, pod in reversed(list(enumerate(devices.pod.tolist())))}
    switch_of = own.copy()
    switch_of[a[devices.tier[a] == 0]] = z[devices.tier[a] == 0]
    in_group = np.array([first[pod] for pod in devices.pod[switch_of].tolist()], np.int32)
    return [at_switch, in_group, whole]


def _meeting(fabric: Fabric, network: int, level: int, label: I4, levels: int) -> dict[int, tuple[str, ...]]:
    """Return the switches at which each group of a level meets, those of its own tier."""
    devices = fabric.devices
    tiered = fabric.networks[network].is_tree
    chosen = (devices.tier == level) if tiered else (devices.tier > 0) & (level < levels)
    rows = np.flatnonzero(chosen & (devices.network == network))
    found: dict[int, list[str]] = {}
    for row in rows.tolist():
        found.setdefault(int(label[row]), []).append(fabric.names[row])
    return {word: tuple(names) for word, names in found.items()}


def blocks(fabric: Fabric, network: int) -> tuple[Neighbourhood, ...]:
    """Return the hosts of each scale-up domain that spans hosts; else those that meet at the leaves."""
    hosts = attached_hosts(fabric, network)
    domain = dict(zip(fabric.gpus.host.tolist(), fabric.gpus.domain.tolist(), strict=True))
    grouped: dict[int, list[str]] = {}
    for host in hosts.tolist():
        grouped.setdefault(domain.get(host, -1 - host), []).append(fabric.names[host])
    if len(grouped) < len(hosts):
        return _numbered([(tuple(names), ()) for names in grouped.values()])
    return _numbered([(part.hosts, part.switches) for part in lowest(neighbourhoods(fabric, network))])


def _numbered(rows: Sequence[tuple[tuple[str, ...], tuple[str, ...]]]) -> tuple[Neighbourhood, ...]:
    width = max(3, len(str(len(rows))))
    return tuple(
        Neighbourhood(f"block{number:0{width}d}", 1, hosts, switches=met) for number, (hosts, met) in enumerate(rows, 1)
    )


def lowest(tree: Sequence[Neighbourhood]) -> list[Neighbourhood]:
    """Return the groups that hold hosts, in order."""
    return [leaf for part in tree for leaf in (lowest(part.parts) if part.parts else [part])]
