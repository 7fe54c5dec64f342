"""Cables as NetBox has them: which interfaces each end is plugged into, and the profile that says how links run.

A plug that carries several links goes into one interface, the cage, whose channels are the ports: NetBox has that
from 4.7 on. Loose links of one cable keep interfaces of their own.

References
----------
NetBox 4.7, ``dcim/choices.py`` (``CableProfileChoices``) and ``dcim/cable_profiles.py``; issue 20788 on connectors and
positions.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fabrictool.fabric import Fabric
from fabrictool.records import CableEnd, CableRow

#: Links of one cable that NetBox has profiles for: with a plug at each end, with one plug to many, with many to many.
SINGLES, BREAKOUTS, TRUNKS = (2, 4, 6, 8, 12, 16), (2, 4, 6, 8), (2, 4)
#: A device and one of its interfaces.
Interface = tuple[str, str]
_TRAILING = re.compile(r"[sp/:._-]+$")


@dataclass(frozen=True, slots=True)
class NetboxCable:
    """A cable: its links, the interfaces at both sides in the order of connectors, and the profile."""

    links: tuple[CableRow, ...]
    a: tuple[Interface, ...]
    b: tuple[Interface, ...]
    profile: str


@dataclass(slots=True)
class Cages:
    """Cages of a fabric as interfaces over those of their ports.

    ``parent`` and ``channel`` hold for each port that is one of several in a cage the cage's interface and which of its
    channels it is, from 1; ``ports`` the ports of such a cage; ``used`` the cages that a plug is in.
    """

    parent: dict[Interface, Interface] = field(default_factory=dict)
    channel: dict[Interface, int] = field(default_factory=dict)
    ports: dict[Interface, list[Interface]] = field(default_factory=dict)
    used: set[Interface] = field(default_factory=set)


def cages_of(fabric: Fabric, words: Sequence[str]) -> Cages:
    """Return the cages with several ports; ``words`` are what ports are called, (ports,)."""
    held: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for port, key in enumerate(zip(fabric.ports.device.tolist(), fabric.ports.cage.tolist(), strict=True)):
        held[key].append(port)
    found = Cages()
    names = {(fabric.names[device], word) for device, word in zip(fabric.ports.device.tolist(), words, strict=True)}
    for (device, cage), ports in held.items():
        if len(ports) > 1:
            name = fabric.names[device]
            mine = [(name, words[port]) for port in ports]
            parent = _called(name, [words[port] for port in ports], cage, names)
            found.ports[parent] = mine
            for channel, end in enumerate(mine, 1):
                found.parent[end], found.channel[end] = parent, channel
    return found


def _called(device: str, words: Sequence[str], cage: int, names: set[Interface]) -> Interface:
    """Return what a cage is called: what the names of its ports have in common, if that is a name of its own."""
    first, last = min(words), max(words)
    same = next((at for at, (x, y) in enumerate(zip(first, last, strict=False)) if x != y), min(len(first), len(last)))
    stem = _TRAILING.sub("", first[:same])
    plain = stem and stem[-1].isdigit() and first[len(stem) : len(stem) + 1] not in "0123456789"
    return (device, stem) if plain and (device, stem) not in names else (device, f"cage-{cage + 1}")


def netbox_cables(rows: Iterable[CableRow], cages: Cages) -> list[NetboxCable]:
    """Group links that share a cable, and mark the cages that plugs of several links are in."""
    grouped: defaultdict[object, list[CableRow]] = defaultdict(list)
    for place, row in enumerate(rows):
        grouped[row.cable_id or place].append(row)
    return [cable for group in grouped.values() for cable in _cables(group, cages)]


def _end(end: CableEnd) -> Interface:
    return end.place.device, end.called


def _cables(group: list[CableRow], cages: Cages) -> list[NetboxCable]:
    """Return a cable as one where NetBox has a profile for it, else each of its links as one."""
    count = len(group)
    if count > 1:
        whole = [_plug([_end(end) for end in ends], cages)
                 for ends in ([row.a for row in group], [row.z for row in group])]  # fmt: skip
        if whole[0] is not None and whole[1] is not None and count in SINGLES and _straight(group, cages):
            cages.used |= {whole[0], whole[1]}
            return [NetboxCable(tuple(group), (whole[0],), (whole[1],), f"single-1c{count}p")]
        if (whole[0] is None) != (whole[1] is None) and count in BREAKOUTS:
            return [_breakout(group, whole[0] or whole[1], whole[0] is not None, cages)]
        if count in TRUNKS:
            a, b = (tuple(_end(end) for end in ends) for ends in ([row.a for row in group], [row.z for row in group]))
            return [NetboxCable(tuple(group), a, b, f"trunk-{count}c1p")]
    return [NetboxCable((row,), (_end(row.a),), (_end(row.z),), "single-1c1p") for row in group]


def _plug(ends: Sequence[Interface], cages: Cages) -> Interface | None:
    """Return the cage that all ends of a cable fill, each with a port of its own; None if there is none."""
    parents = {cages.parent.get(end) for end in ends}
    (parent, *others) = parents
    if parent is None or others or Counter(ends).keys() != set(cages.ports[parent]) or len(set(ends)) != len(ends):
        return None
    return parent


def _straight(group: Sequence[CableRow], cages: Cages) -> bool:
    """Return whether each link joins equal channels."""
    return all(cages.channel[_end(row.a)] == cages.channel[_end(row.z)] for row in group)


def _breakout(group: list[CableRow], plug: Interface | None, at_a: bool, cages: Cages) -> NetboxCable:
    """Return a splitter: its plug is side A, the other ends follow its channels."""
    assert plug is not None
    cages.used.add(plug)
    ordered = sorted(group, key=lambda row: cages.channel[_end(row.a if at_a else row.z)])
    far = tuple(_end(row.z if at_a else row.a) for row in ordered)
    return NetboxCable(tuple(ordered), (plug,), far, f"breakout-1c{len(group)}p-{len(group)}c1p")
