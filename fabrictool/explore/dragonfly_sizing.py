"""The sizes of a dragonfly that take the hosts asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.explore.sizing import Intent, counted
from fabrictool.fabric import Fabric
from fabrictool.fabric.counting import link_counts

Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

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
        speed = f"{1 / intent.oversubscription:.4g} of the hosts' speed" if ratio else "the hosts' speed"
        yield f"rule: a = 2 p = 2 h is balanced ({SOURCE})"
        yield f"so a >= 2 p{ratio} and h >= p{ratio}: local and global links together carry all-to-all at {speed}"
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


def fewest(intent: Intent) -> DragonflySize | None:
    """Return the size with the fewest routers that takes the hosts of an intent, None if none does.

    Of several it has the fewest host ports of a router, then the smallest groups. Of one router, p is a
    multiple or a divisor of a host's ports, so that all hosts stand alike.

    References
    ----------
    J. Kim, W. J. Dally, S. Scott, D. Abts, "Technology-Driven, Highly-Scalable Dragonfly Topology",
    ISCA 2008, section 3: balanced where a = 2 p = 2 h, at most a h + 1 groups.
    """
    ratio, ports, wanted = intent.oversubscription, intent.ports - intent.reserve, intent.host_ports
    most = int((ports + 1) / (1 + 3 / ratio)) + 1  # p with a and h as small as they may be
    p, a = np.arange(1, max(1, most + 1))[:, None], np.arange(2, max(2, ports))[None, :]
    p = p[(p[:, 0] % intent.lanes == 0) | (intent.lanes % p[:, 0] == 0)]
    groups = np.maximum(2, -(-wanted // (p * a)))
    h = np.maximum(np.maximum(1, _up(p / ratio)), -(-(groups - 1) // a))
    h += (a * h * groups % 2 > 0) & (p * a > ratio * (a * h - 1))  # one of an odd number of global ports stays free
    fits = (a >= _up(2 * p / ratio)) & (p + a - 1 + h <= ports) & (a * groups <= intent.most_switches)
    at = first_of_fewest(a * groups, fits)
    return None if at is None else DragonflySize(int(p[at[0], 0]), int(a[0, at[1]]), int(h[at]), int(groups[at]))


def first_of_fewest(switches: Longs, fits: Bools) -> tuple[int, ...] | None:
    """Return the place of the fewest switches among those that fit, the first of several."""
    if not fits.any():
        return None
    place = np.where(fits, switches, np.iinfo(np.int64).max).argmin()
    return tuple(int(each) for each in np.unravel_index(place, fits.shape))


def limit(intent: Intent) -> str:
    """Say why no dragonfly is larger."""
    free = max(0, intent.ports - intent.reserve)
    return f"a router has {counted(free, 'port')} for p host ports, a - 1 local and h global ones, in a h + 1 groups"


def _up(ratio: npt.NDArray[np.float64]) -> Longs:
    return np.ceil(np.minimum(ratio, 2.0**40) - 1e-9).astype(np.int64)
