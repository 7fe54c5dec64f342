"""Which planned device a seen name stands for: by name, by an alias, or by where it is plugged."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from fabrictool.cabling.planned import Plan
from fabrictool.formats.descriptions import switch_name
from fabrictool.records import Sighting

_ADDRESS = re.compile(
    r"^(?:[SHR]-)?(?:0x)?(?:[0-9a-f]{12}|[0-9a-f]{16}|(?:[0-9a-f]{2}[:-]){5,7}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4})$",
    re.IGNORECASE,
)
#: Least share of a stranger's links that must lie where those of one planned device belong.
AGREEING = 0.5


@dataclass(slots=True)
class Names:
    """Planned device by seen name.

    Parameters
    ----------
    device : dict of str to int
    renamed : dict of str to int
        Names of other spelling, found by where their devices are plugged.
    addressed : dict of str to int
        Addresses without a name, found likewise.
    strange : tuple of str
        What nothing in the plan explains.
    """

    device: dict[str, int] = field(default_factory=dict)
    renamed: dict[str, int] = field(default_factory=dict)
    addressed: dict[str, int] = field(default_factory=dict)
    strange: tuple[str, ...] = ()


def folded(name: str) -> str:
    """Return a name in lower case without its domain."""
    return name.strip().lower().partition(".")[0]


def is_address(name: str) -> bool:
    """Return whether a name is a MAC address or a GUID, and so no name."""
    return bool(_ADDRESS.match(name))


def matched(plan: Plan, sightings: Sequence[Sighting], aliases: Mapping[str, str]) -> Names:
    """Return the planned device of every name in the sightings."""
    seen = dict.fromkeys(name for row in sightings for name in (row.device, row.peer) if name)
    names = Names()
    exact = {device.name: row for row, device in enumerate(plan.devices)}
    loose = _unique((folded(device.name), row) for row, device in enumerate(plan.devices))
    other = {folded(seen_name): planned_name for seen_name, planned_name in aliases.items()}
    for name in seen:
        word = aliases.get(name) or other.get(folded(name)) or name
        row = exact.get(word, loose.get(folded(word)))
        if row is None:
            row = loose.get(folded(switch_name(word)[0]))
        if row is not None:
            names.device[name] = row
    strangers = [name for name in seen if name not in names.device]
    if strangers:
        _by_place(plan, sightings, names, strangers)
    names.strange = tuple(name for name in seen if name not in names.device)
    return names


def _unique(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for word, row in pairs:
        found[word] = -1 if word in found else row
    return {word: row for word, row in found.items() if row >= 0}


def _by_place(plan: Plan, sightings: Sequence[Sighting], names: Names, strangers: Sequence[str]) -> None:
    """Match strangers, round by round, to the planned device whose neighbours they see and that nobody else is."""
    peer = {link.a: link.z for link in plan.links} | {link.z: link.a for link in plan.links}
    near: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
    left = set(strangers)
    for row in sightings:
        if row.peer and row.seen:
            for name, port, other, other_port in (
                (row.device, row.port, row.peer, row.peer_port),
                (row.peer, row.peer_port, row.device, row.port),
            ):
                if name in left:
                    near[name].append((port, other, other_port))
    while left:
        found = _round(plan, peer, near, names, left)
        if not found:
            return
        for name, device in found.items():
            names.device[name] = device
            (names.addressed if is_address(name) else names.renamed)[name] = device
        left -= found.keys()


def _round(
    plan: Plan,
    peer: Mapping[int, int],
    near: Mapping[str, list[tuple[str, str, str]]],
    names: Names,
    left: set[str],
) -> dict[str, int]:
    taken = set(names.device.values())
    best: dict[int, tuple[int, bool, str]] = {}
    twice: set[int] = set()
    for name in sorted(left):
        votes: Counter[int] = Counter()
        ports = 0
        for port, other, other_port in near.get(name, ()):
            device = names.device.get(other, -1)
            at = plan.devices[device].ports.get(other_port, -1) if device >= 0 else -1
            if at in peer:
                meant = plan.ports[peer[at]]
                votes[meant.device] += 1
                ports += meant.label == port
        if not votes:
            continue
        device, count = votes.most_common(1)[0]
        if device in taken or count < AGREEING * sum(votes.values()) or (count < 2 and not ports):
            continue
        rank = (count, ports > 0, name)
        if device in best:
            twice.add(device)
            rank = max(rank, best[device])
        best[device] = rank
    return {name: device for device, (_, _, name) in best.items()}
