"""What is down or slow in a fabric: rows stay where they are, so that loads before and after line up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.fabric.lookup import Lookup
from fabrictool.fabric.tables import F8, Bool, Fabric, Table

#: The least share of its speed that a slow link may be left: smaller ones are a link that is down.
LEAST_FACTOR = 1e-9


@dataclass(frozen=True)
class LinkFaults(Table):
    """The state of each link, (links,): whether it is down, and the share of its speed that is left."""

    dead: Bool
    factor: F8


@dataclass(frozen=True)
class Faults:
    """Links and devices that are down, and links that are slow.

    Parameters
    ----------
    links : LinkFaults
        A link is down with either of its devices.
    device : (devices,) bool
        Devices that are down.
    """

    links: LinkFaults
    device: Bool

    def __bool__(self) -> bool:
        return bool(self.links.dead.any() or self.device.any() or (self.links.factor != 1.0).any())

    def __or__(self, other: Faults) -> Faults:
        """Return both together."""
        dead = self.links.dead | other.links.dead
        return Faults(LinkFaults(dead, self.links.factor * other.links.factor), self.device | other.device)


def no_faults(fabric: Fabric) -> Faults:
    """Return the faults of a healthy fabric: none."""
    return faults_of_rows(fabric)


def faults_of_rows(
    fabric: Fabric, links: Iterable[int] = (), devices: Iterable[int] = (), factors: Mapping[int, float] | None = None
) -> Faults:
    """Return faults by rows: links and devices that are down, and links to the share of speed left."""
    dead, device = np.zeros(len(fabric.links), bool), np.zeros(len(fabric.devices), bool)
    dead[np.fromiter(links, np.int64)] = True
    device[np.fromiter(devices, np.int64)] = True
    a, z = fabric.ends
    factor = np.ones(len(fabric.links))
    for link, share in (factors or {}).items():
        factor[link] = share
    return Faults(LinkFaults(dead | device[a] | device[z], factor), device)


def faults_by_name(
    fabric: Fabric, links: Iterable[str] = (), devices: Iterable[str] = (), slow: Mapping[str, float] | None = None
) -> Faults:
    """Return faults by name: links by either end as ``device:port``, devices by their names.

    The name of a director stands for all its chips.

    Raises
    ------
    InputError
        Naming every device and link that does not exist, and every factor out of range.
    """
    find = Lookup(fabric)
    dead = [row for word in links for row in find.link(word).tolist()]
    down = [row for word in devices for row in find.devices(word)]
    factors: dict[int, float] = {}
    for word, factor in (slow or {}).items():
        if not LEAST_FACTOR <= factor <= 1:
            least = f"at least {LEAST_FACTOR:g}" if 0 < factor < 1 else "above 0"
            what = f"factor {factor} is not {least} and at most 1"
            find.problems.append(Problem(word, what, "fail the link instead"))
        factors |= dict.fromkeys(find.link(word).tolist(), factor)
    if find.problems:
        raise InputError(find.problems)
    return faults_of_rows(fabric, dead, down, factors)


def random_faults(fabric: Fabric, links: int = 0, devices: int = 0, seed: int = 0) -> Faults:
    """Return so many links between switches and so many switches that are down, drawn at random.

    Raises
    ------
    InputError
        If there are fewer.
    """
    tier = fabric.devices.tier
    a, z = fabric.ends
    between = np.flatnonzero((tier[a] > 0) & (tier[z] > 0))
    switches = np.flatnonzero(tier > 0)
    rng = np.random.default_rng(seed)
    drawn = []
    for count, rows, what in ((links, between, "links between switches"), (devices, switches, "switches")):
        if not 0 <= count <= len(rows):
            raise InputError(f"{count} failed {what} asked for, but there are {len(rows)}", "ask for fewer")
        drawn.append(rng.choice(rows, count, replace=False).tolist())
    return faults_of_rows(fabric, *drawn)
