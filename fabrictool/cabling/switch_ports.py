"""Which of a switch's planned ports a seen one is, where its system calls them otherwise than the plan.

A plan from a layout counts ports from 1, while switches say ``Ethernet8``, ``IB1/3`` or ``et-0/0/2:1``. Of all naming
schemes the one that knows most of the words that switches of a type were seen with is taken; of those that know as
many, the one by which most links lead to where they are planned.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from fabrictool.cabling.naming import Names
from fabrictool.cabling.plan_words import MOST_ASKED, OWN, type_of
from fabrictool.cabling.planned import Plan
from fabrictool.fabric.port_labels import SCHEMES, PortPlace, places_of
from fabrictool.records import Sighting

#: A word on a device, and the device that was seen there, -1 for none.
Seen = tuple[str, int]


def _sonic_alias(place: PortPlace) -> str:
    return f"etp{place.cage + 1}" + (chr(ord("a") + place.leg) if place.legs > 1 else "")


def _sonic_of_4(place: PortPlace) -> str:
    return f"Ethernet{4 * place.cage + place.leg * (4 // place.legs)}"


#: What else systems write beside what is exported: SONiC's aliases, and its names of cages of four lanes.
_CANDIDATES = {name: write for name, write in SCHEMES.items() if name not in ("rail", "rdma")} | {
    "sonic-alias": _sonic_alias,
    "sonic-4-lanes": _sonic_of_4,
}


def switch_ports(plan: Plan, rows: Sequence[Sighting], names: Names) -> dict[int, dict[str, str]]:
    """Return the planned label of each word, by switch, where those of its type are called otherwise than planned."""
    seen = _seen(plan, rows, names)
    kinds: defaultdict[str, list[int]] = defaultdict(list)
    for device in seen:
        kinds[type_of(plan.fabric, device)].append(device)
    found: dict[int, dict[str, str]] = {}
    for devices in kinds.values():
        strange = [
            device for device in devices if any(word not in plan.devices[device].ports for word, _ in seen[device])
        ]
        scheme = _scheme(plan, {device: seen[device] for device in strange[:MOST_ASKED]})
        if scheme != OWN:
            found |= {device: _words(plan, device, scheme) for device in strange}
    return found


def _seen(plan: Plan, rows: Sequence[Sighting], names: Names) -> dict[int, list[Seen]]:
    """Return what was seen on each planned switch."""
    found: defaultdict[int, list[Seen]] = defaultdict(list)
    for row in rows:
        near, far = (names.device.get(name, -1) if name else -1 for name in (row.device, row.peer))
        for device, word, peer in ((near, row.port, far), (far, row.peer_port, near)):
            if device >= 0 and word and plan.devices[device].planned and plan.devices[device].tier > 0:
                found[device].append((word, peer))
    return found


def _scheme(plan: Plan, seen: Mapping[int, Sequence[Seen]]) -> str:
    """Return the naming scheme that fits what was seen on switches of a type."""
    known, planned = Counter({OWN: 0}), Counter({OWN: 0})
    to = _peers(plan) if seen else {}
    for device, said in seen.items():
        for scheme, words in _every(plan, device):
            labels = [(words[word], peer) for word, peer in said if word in words]
            known[scheme] += len(labels)
            planned[scheme] += sum(to.get((device, label)) == peer for label, peer in labels)
    best = max(known, key=lambda scheme: (known[scheme], planned[scheme], scheme == OWN))
    return best if known[best] > known[OWN] else OWN


def _every(plan: Plan, device: int) -> Iterator[tuple[str, dict[str, str]]]:
    yield OWN, {label: label for label in plan.devices[device].ports}
    for scheme in _CANDIDATES:
        yield scheme, _words(plan, device, scheme)


def _words(plan: Plan, device: int, scheme: str) -> dict[str, str]:
    """Return the planned label of each word of a scheme; none where it calls two ports alike."""
    first, write = int(plan.fabric.first_port[device]), _CANDIDATES[scheme]
    words = [write(place) for place in places_of(plan.fabric, device)]
    labels = [plan.ports[first + at].label for at in range(len(words))]
    return dict(zip(words, labels, strict=True)) if len(set(words)) == len(words) else {}


def _peers(plan: Plan) -> dict[tuple[int, str], int]:
    """Return the device that each planned port leads to."""
    found: dict[tuple[int, str], int] = {}
    for link in plan.links:
        a, z = plan.ports[link.a], plan.ports[link.z]
        found[a.device, a.label], found[z.device, z.label] = z.device, a.device
    return found
