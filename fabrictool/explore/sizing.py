"""Chooses the smallest regular set of switches for what is asked, and names the limit where there is none.

Every tree family is some equal copies (planes, or rails that nothing joins) of a tree whose leaves
stand in units: u hosts under ``columns`` leaves, each with ``width`` ports of a host.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from fabrictool.errors import InputError
from fabrictool.generators.tiers import upper_count

#: How many trees of three levels are built to find the smallest.
_TALL_CANDIDATES = 4
_MORE_THAN_FIT, _UNLIMITED = 2**40, 2**62


def counted(number: int, word: str) -> str:
    """Return a number with its word, such as ``3 links``."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Intent:
    """What is asked for.

    Parameters
    ----------
    family : str
    hosts, growth : int
        Hosts now, and hosts to come for which no cable may move.
    lanes : int
        Links of a host.
    ports : int
        Ports of a switch at the links' speed.
    oversubscription : float
        Most speed down for each speed up of a leaf.
    reserve : int
        Ports of each leaf kept free.
    planes : int
        Of a multi-plane network.
    title : str
        What hosts and switch are called in messages.
    trays : int
        Hosts that come together, as the trays of a rack.
    lids : int, optional
        Addresses of a subnet, where the protocol has so few that they limit it.
    """

    family: str
    hosts: int
    growth: int
    lanes: int
    ports: int
    oversubscription: float
    reserve: int
    planes: int
    title: str
    trays: int = 1
    lids: int | None = None

    @property
    def total(self) -> int:
        """Hosts after growth."""
        return self.hosts + self.growth

    @property
    def bounded(self) -> int:
        """Hosts after growth, or more than fit anywhere: as a number of 64 bits."""
        return min(self.total, _MORE_THAN_FIT)

    @property
    def host_ports(self) -> int:
        """Host ports after growth, bounded alike."""
        return self.bounded * self.lanes

    @property
    def most_switches(self) -> int:
        """Switches for which a subnet has addresses left beside those of the host ports."""
        return _UNLIMITED if self.lids is None else self.lids - self.host_ports

    @property
    def copies(self) -> int:
        """Equal trees that nothing joins."""
        return {"rail-only": self.lanes, "multi-plane": self.planes}.get(self.family, 1)

    @property
    def columns(self) -> int:
        """Leaves of a unit in a copy: one a rail."""
        return 1 if self.family == "fat-tree" else self.lanes // self.copies

    @property
    def width(self) -> int:
        """Links of a host to one leaf."""
        return self.lanes if self.family in ("fat-tree", "dragonfly-plus") else 1

    def up(self, unit: int) -> int:
        """Return the links up of a leaf with some hosts."""
        return max(1, math.ceil(unit * self.width / self.oversubscription - 1e-9))

    @property
    def largest_unit(self) -> int:
        """Most hosts at a leaf with uplinks; 0 if not even one fits."""
        free = self.ports - self.reserve
        guess = int(free / (self.width * (1 + 1 / self.oversubscription)) + 1)
        return next((u for u in range(guess, 0, -1) if u * self.width + self.up(u) <= free), 0)

    @property
    def flat(self) -> bool:
        """Whether a copy may be one leaf without any tier above."""
        return self.columns == 1 and self.family in ("rail-only", "multi-plane")


@dataclass(frozen=True, slots=True)
class Size:
    """A set of switches.

    Parameters
    ----------
    levels, unit, up : int
        Tiers of switches, hosts at a leaf, and links up of a leaf.
    spines, switches : int
        Spines of a copy, and switches of all copies; 0 where the generator chooses them.
    pod, cores : int
        Leaves of a pod, and cores of all copies; 0 where nothing fixes them.
    """

    levels: int
    unit: int
    up: int
    spines: int
    switches: int
    pod: int = 0
    cores: int = 0

    def leaves(self, hosts: int) -> int:
        """Return the leaves of a copy that some hosts take where pods are full, one a unit."""
        pods = -(-hosts // (self.unit * self.pod))
        return pods * self.pod


def largest(intent: Intent) -> tuple[int, str]:
    """Return the most hosts that a family joins with a switch, and what stops it there."""
    ports, free = intent.ports, intent.ports - intent.reserve
    if intent.family == "switch-pair":
        each = math.ceil(intent.lanes / 2)
        most = next((n for n in range(free // each, 0, -1) if n * each + pair_links(intent, n) <= free), 0)
        links = counted(each, "link")
        return (
            most,
            f"a leaf joins {links} of each host, as many to the other leaf as asked, and {intent.reserve:,} kept free",
        )
    unit = intent.largest_unit
    alone = free // intent.width if intent.flat else 0
    if unit == 0:
        links = counted(intent.width, "link")
        return alone, f"a leaf has {counted(max(0, free), 'port')} to use for {links} of a host and as many up as asked"
    under = ports // intent.columns
    if intent.family == "rail-only":
        return max(alone, unit * under), f"{under} leaves under a spine, each with {unit} hosts, are the most"
    half = ports // 2
    what = f"{unit} hosts at a leaf, {half} leaves under a spine and {ports} links down of a core are the most"
    return max(alone, unit * half * under), what


def pair_links(intent: Intent, hosts: int) -> int:
    """Return the links between the two leaves of a pair."""
    return max(1, math.ceil(math.ceil(intent.lanes / 2) * hosts / intent.oversubscription - 1e-9))


def candidates(intent: Intent) -> Iterator[Size]:
    """Yield sets of switches that suffice, the smallest first as far as that is known before building.

    Raises
    ------
    InputError
        If no set suffices, with the limit that is hit and the largest size possible.
    """
    most, limit = largest(intent)
    if intent.total > most:
        raise impossible(intent, most, limit)
    if intent.family == "switch-pair":
        yield Size(1, intent.total, pair_links(intent, intent.total), 0, 2)
        return
    prefers_full = -1 if intent.columns > 1 else 1  # units of rails are full, leaves of a fat-tree alike
    found = sorted(_flat(intent), key=lambda size: (size.switches, prefers_full * size.unit))
    yield from found
    if found or intent.family == "rail-only":
        return
    for unit in range(intent.largest_unit, max(0, intent.largest_unit - _TALL_CANDIDATES), -1):
        yield Size(3, unit, intent.up(unit), 0, 0)


def _flat(intent: Intent) -> Iterator[Size]:
    """Yield trees of one and two levels, with every number of hosts at a leaf that fits."""
    if intent.flat and intent.total * intent.width + intent.reserve <= intent.ports:
        yield Size(1, intent.total, 0, 0, intent.copies)
        return
    most = min(intent.largest_unit, intent.total - 1) if intent.columns == 1 else intent.largest_unit
    for unit in range(1, most + 1):
        leaves, up = -(-intent.total // unit) * intent.columns, intent.up(unit)
        spines = upper_count(leaves, up, intent.ports)
        if spines is not None:
            yield Size(2, unit, up, spines, intent.copies * (leaves + spines))


WAYS = "choose a switch with more ports, less reserve or more oversubscription"


def impossible(intent: Intent, most: int, limit: str, ways: str = WAYS) -> InputError:
    """Return the error that says which limit is hit, how many hosts would fit, and what else to do."""
    growth = f" and {intent.growth:,} more to come" if intent.growth else ""
    what = f"{intent.hosts:,} hosts{growth} do not fit a {intent.family} network of {intent.title}: {limit}"
    included = ", growth included" if intent.growth else ""
    most -= most % intent.trays
    return InputError(what, f"ask for {most:,} hosts at most{included}, or {ways}" if most > 1 else ways)
