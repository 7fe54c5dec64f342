"""Which of a host's planned ports a seen one is, where the two are called differently.

A host's adapters come up as ``mlx5_0``, ``enp26s0np0`` or a PCI address, while the plan says ``rail0``. Where
names of seen ports are not all in the plan, they are taken in the order of their PCI addresses or of their
names: the set of names that most hosts show, as long as it has as many as the plan has ports, is the pattern.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from fabrictool.cabling.naming import Names
from fabrictool.cabling.planned import Plan
from fabrictool.cabling.port_words import order_key
from fabrictool.formats.found import natural
from fabrictool.records import Sighting


@dataclass(slots=True)
class HostPorts:
    """Planned label of a seen word, by device; ``patterns`` says in words what was taken for what."""

    by_device: dict[int, dict[str, str]] = field(default_factory=dict)
    patterns: dict[str, int] = field(default_factory=dict)

    def label(self, device: int, word: str) -> str:
        """Return the planned label of a word, or the word."""
        return self.by_device.get(device, {}).get(word, word)


def host_ports(plan: Plan, rows: Sequence[Sighting], names: Names) -> HostPorts:
    """Return what the ports of hosts are called in the plan."""
    seen: defaultdict[int, set[str]] = defaultdict(set)
    for row in rows:
        for name, word in ((row.device, row.port), (row.peer, row.peer_port)):
            device = names.device.get(name, -1) if name else -1
            if device >= 0 and plan.devices[device].tier == 0:
                seen[device].add(word)
    linked: defaultdict[int, list[str]] = defaultdict(list)
    for link in plan.links:
        for port in (link.a, link.z):
            entry = plan.ports[port]
            if plan.devices[entry.device].tier == 0:
                linked[entry.device].append(entry.label)
    planned = {device: tuple(sorted(labels, key=natural)) for device, labels in linked.items()}
    return _patterns(plan, seen, planned)


def _patterns(plan: Plan, seen: dict[int, set[str]], planned: dict[int, tuple[str, ...]]) -> HostPorts:
    groups: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for device in seen:
        if device in planned:
            groups[planned[device]].append(device)
    found = HostPorts()
    for labels, devices in groups.items():
        known = {word for device in devices for word in plan.devices[device].ports}
        foreign = [device for device in devices if seen[device] - known]
        if 2 * len(foreign) <= len(devices) and len(foreign) < len(devices):
            continue
        full = Counter(_ordered(seen[device]) for device in devices if len(seen[device]) == len(labels))
        usual = sorted(full, key=lambda words: -full[words])
        for device in devices:
            words = next((row for row in usual if seen[device] <= set(row)), ())
            if words:
                found.by_device[device] = dict(zip(words, labels, strict=True))
                text = (
                    f"{words[0]} … {words[-1]} are {labels[0]} … {labels[-1]}"
                    if words[1:]
                    else f"{words[0]} is {labels[0]}"
                )
                found.patterns[text] = found.patterns.get(text, 0) + 1
    return found


def _ordered(words: set[str]) -> tuple[str, ...]:
    return tuple(sorted(words, key=order_key))
