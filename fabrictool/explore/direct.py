"""Networks without tiers for what is asked: the fewest switches, and the limit where no number of them suffices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from fabrictool.explore import dragonfly_plus_sizing, dragonfly_sizing, slim_fly_sizing
from fabrictool.explore.sizing import Intent, impossible
from fabrictool.fabric import Fabric


class DirectSize(Protocol):
    """Switches of a network without tiers."""

    @property
    def switches(self) -> int:
        """Switches of all groups."""

    def keys(self, switch: str) -> Iterator[str]:
        """Yield the keys of the network that state its switches, each with its comment."""

    def arithmetic(self, intent: Intent, fabric: Fabric) -> Iterator[str]:
        """Yield how the numbers come about, with what was counted on the built fabric."""


_FEWEST: Mapping[str, Callable[[Intent], DirectSize | None]] = {
    "dragonfly": dragonfly_sizing.fewest,
    "dragonfly-plus": dragonfly_plus_sizing.fewest,
    "slim-fly": slim_fly_sizing.fewest,
}
_LIMITS: Mapping[str, Callable[[Intent], str]] = {
    "dragonfly": dragonfly_sizing.limit,
    "dragonfly-plus": dragonfly_plus_sizing.limit,
    "slim-fly": slim_fly_sizing.limit,
}
FAMILIES = tuple(_FEWEST)


def smallest(intent: Intent) -> DirectSize:
    """Return the size with the fewest switches that suffices.

    Raises
    ------
    InputError
        If none suffices, with the limit that is hit and the largest number of hosts that fits.
    """
    found = _FEWEST[intent.family](intent)
    if found is not None:
        return found
    most = largest(intent)
    if intent.lids is not None and _suffices(replace(intent, lids=None), most + 1):
        words = f"a subnet has {intent.lids:,} addresses (LIDs) for host ports and switches"
        raise impossible(intent, most, words, "choose an Ethernet switch, or split the network into several")
    raise impossible(intent, most, _LIMITS[intent.family](intent))


def largest(intent: Intent) -> int:
    """Return the most hosts that a family joins with a switch; 0 if not even one fits."""
    low, high = 0, 1
    while _suffices(intent, high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _suffices(intent, middle) else (low, middle)
    return low


def _suffices(intent: Intent, hosts: int) -> bool:
    return _FEWEST[intent.family](replace(intent, hosts=hosts, growth=0)) is not None
