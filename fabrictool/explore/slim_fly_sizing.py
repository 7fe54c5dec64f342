"""The sizes of a Slim Fly that take the hosts asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fabrictool.explore.sizing import Intent, counted
from fabrictool.fabric import Fabric
from fabrictool.fabric.counting import link_counts
from fabrictool.generators.finite_field import prime_power
from fabrictool.generators.slim_flies import network_radix

SOURCE = "Besta, Hoefler, SC 2014, section II-B"
#: What a layout takes for q.
ORDERS = tuple(q for q in range(3, 257) if prime_power(q))


@dataclass(frozen=True, slots=True)
class SlimFlySize:
    """The prime power q, host ports of a router, and hosts of one where each has all its ports there."""

    q: int
    p: int
    hosts_per_leaf: int | None

    @property
    def switches(self) -> int:
        """Routers."""
        return 2 * self.q**2

    def keys(self, switch: str) -> Iterator[str]:
        """Yield the keys of the network that state its routers."""
        yield f"q: {self.q}  # a prime power: 2 q^2 routers, at most two links apart"
        if self.hosts_per_leaf:
            yield f"hosts_per_leaf: {self.hosts_per_leaf}  # at each router"
        yield f"leaf: {{type: {switch}}}  # the routers"

    def arithmetic(self, intent: Intent, fabric: Fabric) -> Iterator[str]:
        """Yield how q and the host ports come about, and the links that were counted."""
        radix = network_radix(self.q)
        kept = f" + {intent.reserve} kept free" if intent.reserve else ""
        used = self.p + radix + intent.reserve
        if not self.hosts_per_leaf:
            yield f"a host: its {intent.lanes} ports go to routers in order, and so to several"
        yield f"a router: {counted(self.p, 'host port')} + {radix} to others{kept} = {used} of {intent.ports} ports"
        share = "half" if intent.oversubscription == 1 else f"{intent.oversubscription:g} / 2"
        yield f"host ports: {balanced(intent, self.q)} at most, {share} of the {radix} links to others ({SOURCE})"
        held = f"{places(intent, self.q):,} places for {intent.total:,} hosts"
        yield f"routers: 2 x {self.q}^2 = {self.switches:,} with {held}"
        before = max((q for q in ORDERS if q < self.q), default=None)
        if before:
            yield f"the next smaller q, {before}, has {places(intent, before):,} places"
        between = sum(row.count for row in link_counts(fabric) if row.a == row.z)
        yield f"links between routers: {between:,}"


def fewest(intent: Intent) -> SlimFlySize | None:
    """Return the size of the smallest q that takes the hosts of an intent, None if none does.

    The ports of a host go to one router where they fit there, else to several in order.

    References
    ----------
    M. Besta, T. Hoefler, "Slim Fly: A Cost Effective Low-Diameter Network Topology", SC 2014,
    section II-B: 2 q^2 routers, and half of a router's links to others, rounded up, as host ports.
    """
    sizes = (_size(intent, q) for q in ORDERS if 2 * q**2 <= intent.most_switches)
    return next((size for size in sizes if size is not None), None)


def _size(intent: Intent, q: int) -> SlimFlySize | None:
    """Return the hosts at the routers of a q, None if they do not fit."""
    each = -(-intent.total // (2 * q**2))
    if each * intent.lanes <= _room(intent, q):
        return SlimFlySize(q, each * intent.lanes, each)
    if intent.total <= places(intent, q):
        return SlimFlySize(q, _default(q), None)
    return None


def places(intent: Intent, q: int) -> int:
    """Return the hosts that the routers of a q take: whole ones each, or their ports one after the other."""
    routers, room = 2 * q**2, _room(intent, q)
    parted = routers * _default(q) // intent.lanes if _default(q) <= room else 0
    return max(0, routers * (room // intent.lanes), parted)


def _room(intent: Intent, q: int) -> int:
    """Return the host ports of a router that are balanced and free."""
    return min(balanced(intent, q), intent.ports - intent.reserve - network_radix(q))


def _default(q: int) -> int:
    """Return the host ports of a router where a layout states none."""
    return -(-network_radix(q) // 2)


def balanced(intent: Intent, q: int) -> int:
    """Return the most host ports of a router for which its links to others suffice."""
    radix, ratio = network_radix(q), intent.oversubscription
    return _default(q) if ratio == 1 else int(ratio * radix / 2 + 1e-9)


def limit(intent: Intent) -> str:
    """Say why no Slim Fly is larger."""
    free = max(0, intent.ports - intent.reserve)
    return f"a router has {counted(free, 'port')} for host ports and (3 q - d) / 2 links to other routers"
