"""Which port of a fabric a plan of others means: devices by name, ports by whichever naming fits best."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fabrictool.cabling.naming import folded
from fabrictool.fabric import Fabric
from fabrictool.fabric.port_labels import SCHEMES, port_labels
from fabrictool.formats.linked import port_words
from fabrictool.records import CableEnd

#: Devices of a type whose ports decide how that type's ports are called.
MOST_ASKED = 20
#: Ports called as the fabric calls them.
OWN = "own"
#: Rails counted from 1.
RAILS_FROM_1 = "rails from 1"


@dataclass(slots=True)
class PlanWords:
    """Finds devices and ports of a fabric by a plan's words; rows are -1 for what is not there.

    ``schemes`` says how the ports of each type are called, where not as in the fabric.
    """

    fabric: Fabric
    schemes: dict[str, str] = field(default_factory=dict)
    _device: dict[str, int] = field(default_factory=dict)
    _loose: dict[str, int] = field(default_factory=dict)
    _ports: dict[int, dict[str, int]] = field(default_factory=dict)
    _own: list[str] = field(default_factory=list)

    def device(self, name: str) -> int:
        """Return the row of a device, by its name or its name without domain in any case."""
        return self._device.get(name, self._loose.get(folded(name), -1))

    def port(self, end: CableEnd) -> int:
        """Return the row of a port."""
        device = self.device(end.place.device)
        if device < 0:
            return -1
        if device not in self._ports:
            scheme = self.schemes.get(type_of(self.fabric, device), OWN)
            self._ports[device] = self._words(device, scheme)
        return self._ports[device].get(end.port.lower(), -1)

    def own(self, port: int) -> str:
        """Return what the fabric calls a port."""
        return self._own[port]

    def port_name(self, port: int) -> str:
        """Return ``device:port`` in the fabric's words."""
        return f"{self.fabric.names[self.fabric.ports.device[port]]}:{self._own[port]}"

    def sample(self, device: int) -> str:
        """Return the first and the last of a device's ports as the plan calls them."""
        words = list(self._words(device, self.schemes.get(type_of(self.fabric, device), OWN)))
        return f"{words[0]} to {words[-1]}" if len(words) > 1 else "".join(words)

    def _words(self, device: int, scheme: str) -> dict[str, int]:
        """Return the port of each word of a scheme; words in lower case."""
        first, end = int(self.fabric.first_port[device]), int(self.fabric.first_port[device + 1])
        ports = list(range(first, end))
        if scheme == OWN:
            found = self._own[first:end]
        elif scheme == RAILS_FROM_1:
            found = [f"rail{int(word[4:]) + 1}" for word in port_labels(self.fabric, ports, "rail", own=False)]
        else:
            found = port_labels(self.fabric, ports, scheme, own=False)
        return {word.lower(): port for word, port in zip(found, ports, strict=True)}


def type_of(fabric: Fabric, device: int) -> str:
    """Return what devices whose ports are called alike have in common: type and whether they are hosts."""
    return f"{fabric.types[fabric.devices.type[device]]} {int(fabric.devices.tier[device] == 0)}"


def plan_words(fabric: Fabric, ends: Sequence[CableEnd]) -> PlanWords:
    """Return what finds the ports of a plan: for each type of device the naming that knows most of its words."""
    found = PlanWords(fabric)
    found._own = port_words(fabric)
    found._device = {name: row for row, name in enumerate(fabric.names)}
    for row, name in enumerate(fabric.names):
        word = folded(name)
        found._loose[word] = -1 if word in found._loose else row
    said: defaultdict[int, set[str]] = defaultdict(set)
    for end in ends:
        device = found.device(end.place.device)
        if device >= 0:
            said[device].add(end.port.lower())
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    asked: Counter[str] = Counter()
    for device, words in said.items():
        kind = type_of(fabric, device)
        asked[kind] += 1
        if asked[kind] <= MOST_ASKED:
            for scheme in _candidates(fabric, device):
                votes[kind][scheme] += len(words & found._words(device, scheme).keys())
    for kind, counted in votes.items():
        best = max(counted, key=lambda scheme: (counted[scheme], scheme == OWN))
        if best != OWN and counted[best] > counted[OWN]:
            found.schemes[kind] = best
    return found


def _candidates(fabric: Fabric, device: int) -> tuple[str, ...]:
    if fabric.devices.tier[device] == 0:
        return (OWN, "number", "rail", "rdma", RAILS_FROM_1)
    return (OWN, *(scheme for scheme in SCHEMES if scheme not in ("rail", "rdma")))


def by_pair(fabric: Fabric) -> Mapping[tuple[int, int], int]:
    """Return the link of each pair of ports, in both orders."""
    links = fabric.links
    ends = list(zip(links.port_a.tolist(), links.port_z.tolist(), strict=True))
    return {pair: row for row, (a, z) in enumerate(ends) for pair in ((a, z), (z, a))}
