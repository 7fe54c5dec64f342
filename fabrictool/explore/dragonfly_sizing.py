"""The sizes of a dragonfly that take the hosts asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from fabrictool.explore.sizing import Intent, counted
from fabrictool.fabric import Fabric
from fabrictool.fabric.counting import link_counts

SOURCE = "Kim, Dally, Scott, Abts, ISCA 2008, section 3"


@dataclass(frozen=True, slots=True)
class DragonflySize:
    """Host ports p and global ports h of a router, routers a of a group, and groups."""

    p: int
    a: int
    h: int
    groups: int

    @property
    def switches(self) -> int:
        """Routers of all groups."""
        return self.a * self.groups

    def keys(self, switch: str) -> Iterator[str]:
        """Yield the keys of the network that state its routers."""
        sizes = f"{{p: {self.p}, a: {self.a}, h: {self.h}, groups: {self.groups}}}"
        yield f"dragonfly: {sizes}  # p host ports and h global ones of a router, a routers in a group"
        yield "#arrangement: absolute  # which router bears which global link; by default relative"
        yield f"leaf: {{type: {switch}}}  # the routers"

    def arithmetic(self, intent: Intent, fabric: Fabric) -> Iterator[str]:
        """Yield how p, a, h and the groups come about, and the links that were counted."""
        p, a, h = self.p, self.a, self.h
        ratio = f" / {intent.oversubscription:g}" if intent.oversubscription != 1 else ""
        share = f" at {1 / intent.oversubscription:.4g} of their speed" if ratio else " at full speed"
        yield f"rule: a = 2 p = 2 h is balanced ({SOURCE})"
        yield f"so a >= 2 p{ratio} and h >= p{ratio}: local and global links together carry all-to-all{share}"
        kept = f" + {intent.reserve} kept free" if intent.reserve else ""
        used = p + a - 1 + h + intent.reserve
        yield f"a router: {counted(p, 'host port')} + {a - 1} local + {h} global{kept} = {used} of {intent.ports} ports"
        hosts = f"{intent.total:,} hosts" + (f" x {intent.lanes} ports" if intent.lanes > 1 else "")
        least = f"{hosts} / (p a = {p * a:,}) = {intent.total * intent.lanes / (p * a):.4g}"
        two = "; two at least" if intent.total * intent.lanes <= p * a else ""
        yield f"groups: {least} -> {self.groups:,}{two}; at most a h + 1 = {a * h + 1:,} can be joined"
        yield f"routers: {self.groups:,} groups x {a} = {self.switches:,}"
        yield f"links between routers: {scopes(fabric)}, {per_pair(a * h, self.groups)}"


def scopes(fabric: Fabric) -> str:
    """Return the counted links inside groups and between them, in words."""
    rows = [row for row in link_counts(fabric) if row.scope is not None]
    return ", ".join(f"{row.count:,} {row.scope}" for row in rows)


def per_pair(ports: int, groups: int) -> str:
    """Return in words how many links join each pair of groups that share their global ports out evenly."""
    least, more = divmod(ports, groups - 1)
    return f"{least:,}{f' or {least + 1:,}' if more else ''} for each pair of groups"


def sufficient(intent: Intent) -> Iterator[DragonflySize]:
    """Yield sizes that take the hosts of an intent, those of fewest host ports first.

    Of one router, p is a multiple or a divisor of a host's ports, so that all hosts stand alike.

    References
    ----------
    J. Kim, W. J. Dally, S. Scott, D. Abts, "Technology-Driven, Highly-Scalable Dragonfly Topology",
    ISCA 2008, section 3: balanced where a = 2 p = 2 h, at most a h + 1 groups.
    """
    ratio, ports = intent.oversubscription, intent.ports - intent.reserve
    for p in range(1, ports):
        if p % intent.lanes and intent.lanes % p:
            continue
        least_a, least_h = max(2, _up(2 * p / ratio)), max(1, _up(p / ratio))
        for a in range(least_a, ports - p - least_h + 2):
            groups = max(2, -(-intent.total * intent.lanes // (p * a)))
            h = max(least_h, -(-(groups - 1) // a))
            if a * h * groups % 2 and p * a > ratio * (a * h - 1):
                h += 1  # one of an odd number of global ports stays free
            if p + a - 1 + h <= ports and addresses_suffice(intent, a * groups):
                yield DragonflySize(p, a, h, groups)


def limit(intent: Intent) -> str:
    """Say why no dragonfly is larger."""
    free = max(0, intent.ports - intent.reserve)
    return f"a router has {counted(free, 'port')} for p host ports, a - 1 local and h global ones, in a h + 1 groups"


def addresses_suffice(intent: Intent, switches: int) -> bool:
    """Return whether a subnet has addresses for all host ports and switches."""
    return intent.lids is None or intent.total * intent.lanes + switches <= intent.lids


def _up(ratio: float) -> int:
    return math.ceil(ratio - 1e-9)
