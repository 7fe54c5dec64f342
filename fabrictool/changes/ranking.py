"""What each of many losses takes, one at a time, the worst first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from fabrictool.changes.capacity import Capacity, State, of_hosts, state_of
from fabrictool.changes.domains import label
from fabrictool.changes.effects import hosts_hit, lost_share
from fabrictool.changes.job_losses import JobLoss
from fabrictool.changes.moving import MovingLoads, can_move
from fabrictool.changes.reach import Gone, gone_with, gpus_by_device, pairs_apart
from fabrictool.fabric.faults import faults_of_rows
from fabrictool.layout.network import Routing as Stated
from fabrictool.records import Domain
from fabrictool.routing.channels import channel_name
from fabrictool.routing.choose import routing_of
from fabrictool.routing.modk import ModK
from fabrictool.routing.wiring import Wiring, under

if TYPE_CHECKING:
    from fabrictool.changes.bounds import Bounding

Progress = Callable[[int, int], None]
Rows = npt.NDArray[np.int64]

#: What routing one pair of a leaf and an endpoint anew takes, in s, and how long a ranking may take by that.
SECONDS_PER_WAY = 4e-7
SECONDS_PER_FLOW = 1e-6
HASHED = ("ecmp", "weighted-ecmp")
MOST_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Loss:
    """What the loss of one domain takes from a network.

    Parameters
    ----------
    domain : Domain
    kind : str
        What it is, such as ``leaf`` or ``host-leaf link``.
    after : Capacity
    all_reduce_lost, all_to_all_lost : float or None
        Shares of the bandwidth of all ranks, or endpoints, together; None where there was none.
    hosts_lost, hosts_impaired : int
        Hosts that lose the network, and those that lose it with some endpoints only.
    pairs_lost : int
        Ordered pairs of endpoints that no longer reach each other.
    busiest : str
        The busiest link under all-to-all afterwards.
    gone : Gone
        Accelerators, switches, rails and planes that go with it.
    connected : bool
        Whether all endpoints that are left reach each other as before.
    bound : bool
        Whether bandwidths are what is left at most, in networks too large to be routed anew.
    jobs : tuple of JobLoss
        What it takes from collectives that were asked about, where that was computed.
    """

    domain: Domain
    kind: str
    after: Capacity
    all_reduce_lost: float | None
    all_to_all_lost: float | None
    hosts_lost: int
    hosts_impaired: int
    pairs_lost: int
    busiest: str
    gone: Gone = field(default_factory=Gone)
    connected: bool = True
    bound: bool = False
    jobs: tuple[JobLoss, ...] = ()

    @property
    def severity(self) -> tuple[float, float, int]:
        """What losses are ranked by: the larger lost share, then the other, then pairs."""
        shares = sorted((self.all_reduce_lost or 0.0, self.all_to_all_lost or 0.0), reverse=True)
        return round(shares[0], 9), round(shares[1], 9), self.pairs_lost

    def to_dict(self) -> dict[str, Any]:
        """Return the object in the JSON output."""
        return {
            "domain": self.domain.kind,
            "kind": self.kind,
            "name": self.domain.name,
            "all_reduce_lost": self.all_reduce_lost,
            "all_to_all_lost": self.all_to_all_lost,
            "hosts_lost": self.hosts_lost,
            "hosts_impaired": self.hosts_impaired,
            "pairs_lost": self.pairs_lost,
            "gpus_down": self.gone.gpus,
            "switches_down": self.gone.switches,
            "rails": list(self.gone.rails),
            "planes": list(self.gone.planes),
            "connected": self.connected,
            "bound": self.bound,
            "busiest_link": self.busiest or None,
            "after": self.after.to_dict(),
            "collectives": [job.to_dict() for job in self.jobs],
        }


class Losses(Protocol):
    """What can say which state a network is in without a domain."""

    @property
    def before(self) -> State:
        """The state with all that is there."""

    def after(self, domain: Domain) -> State:
        """Return the state without a domain."""


@dataclass(frozen=True)
class Rebuilding:
    """Builds and routes the network anew for each loss: slow, and right for every routing."""

    before: State
    stated: Stated | None

    def after(self, domain: Domain) -> State:
        """Return the state without a domain."""
        old = self.before.wiring
        faults = old.faults | faults_of_rows(old.fabric, domain.links, domain.devices)
        return state_of(routing_of(of_hosts(under(old, faults)), self.stated))


def losses_of(before: Wiring, stated: Stated | None = None) -> Losses:
    """Return what computes losses of a network: by moving loads where that is possible."""
    routing = routing_of(of_hosts(before), stated)
    state = state_of(routing)
    if isinstance(routing, ModK) and can_move(routing):
        return MovingLoads(routing, state)
    return Rebuilding(state, stated)


class Reckoning:
    """Says what the loss of domains takes; those of the same devices and links are computed once.

    Parameters
    ----------
    losses : Losses
    bounded : bool
        Whether bandwidths are what is left at most, in place of what the network routed anew gives.

    Attributes
    ----------
    seconds : float
        That computing has taken so far.
    """

    def __init__(self, losses: Losses, bounded: bool) -> None:
        self.losses, self.bounded = losses, bounded
        self._gpus = gpus_by_device(losses.before.wiring.fabric)
        self._bounding = _bounding(losses) if bounded else None
        self._known: dict[tuple[tuple[int, ...], tuple[int, ...]], Loss] = {}
        self.seconds = 0.0

    def knows(self, domain: Domain) -> bool:
        """Say whether a loss needs no computing."""
        return (domain.devices, domain.links) in self._known

    def of(self, domain: Domain) -> Loss:
        """Return what a domain takes."""
        key = (domain.devices, domain.links)
        if key not in self._known:
            began = perf_counter()
            self._known[key] = self._computed(domain)
            self.seconds += perf_counter() - began
        fabric = self.losses.before.wiring.fabric
        return replace(self._known[key], domain=domain, kind=label(fabric, domain))

    def _computed(self, domain: Domain) -> Loss:
        if self._bounding is not None:
            return _bounded(self._bounding, domain, self._gpus)
        return _routed(self.losses, domain, self._gpus)


def ranked(losses: Losses, domains: Iterable[Domain], progress: Progress | None = None) -> list[Loss]:
    """Return what the loss of each domain takes, the worst first; equal ones stay in order.

    Where that would take too long, as in a network too large to be routed anew for each domain, bandwidths are bounds.

    Parameters
    ----------
    losses : Losses
    domains : iterable of Domain
    progress : callable, optional
        Is told how many of how many are done.
    """
    given = list(domains)
    reckoning = Reckoning(losses, _too_slow(losses, given))
    found = []
    for done, domain in enumerate(given, 1):
        found.append(reckoning.of(domain))
        if progress:
            progress(done, len(given))
    return sorted(found, key=lambda loss: tuple(-part for part in loss.severity))


def _bounding(losses: Losses) -> Bounding:
    from fabrictool.changes.bounds import Bounding  # takes scipy

    return Bounding(losses.before)


def _too_slow(losses: Losses, domains: list[Domain]) -> bool:
    """Say whether routing anew without each domain would take longer than anyone waits."""
    if not isinstance(losses, Rebuilding):
        return False
    return len({(one.devices, one.links) for one in domains}) * _seconds(losses) > MOST_SECONDS


def _seconds(losses: Rebuilding) -> float:
    """Return about how long one loss takes: hashed flows are followed one by one, others by destination."""
    wiring, stated = losses.before.wiring, losses.stated
    if stated is not None and stated.name in HASHED:
        return float(wiring.hosts) ** 2 * (stated.flows_per_pair or 1) * SECONDS_PER_FLOW
    return len(np.unique(wiring.terminals.seat)) * wiring.lanes.size * SECONDS_PER_WAY


def loss_of(before: State, after: State, domain: Domain) -> Loss:
    """Return what a domain takes, given the states with it and without."""
    fabric, then, now = before.wiring.fabric, before.capacity, after.capacity
    lost, impaired = hosts_hit(before, after.alive) if now.endpoints < then.endpoints else ([], [])
    busiest = int(np.argmax(after.busy)) if len(after.busy) else -1
    return Loss(
        domain,
        label(fabric, domain),
        now,
        lost_share(then.all_reduce_total, now.all_reduce_total),
        lost_share(then.all_to_all_total, now.all_to_all_total),
        len(lost),
        len(impaired),
        before.pairs - after.pairs,
        channel_name(fabric, busiest) if busiest >= 0 and after.busy[busiest] > 0 else "",
    )


def _routed(losses: Losses, domain: Domain, gpus: Rows) -> Loss:
    """Return what a domain takes from a network that is routed without it."""
    before = losses.before
    after = losses.after(domain) if domain.devices or domain.links else before
    connected = pairs_apart(before, after.alive, after.pairs) == 0
    gone = gone_with(before.wiring.fabric, domain, gpus)
    return replace(loss_of(before, after, domain), gone=gone, connected=connected)


def _bounded(bounding: Bounding, domain: Domain, gpus: Rows) -> Loss:
    """Return what a domain takes of what the network gives at most."""
    before, left = bounding.before, bounding.left(domain)
    fabric, then, now = before.wiring.fabric, bounding.most, left.capacity
    return Loss(
        domain,
        label(fabric, domain),
        now,
        lost_share(then.all_reduce_total, now.all_reduce_total),
        lost_share(then.all_to_all_total, now.all_to_all_total),
        left.hosts_lost,
        left.hosts_impaired,
        then.pairs - now.pairs,
        "",
        gone_with(fabric, domain, gpus),
        left.connected,
        True,
    )


def worst_of_each_kind(ranking: Iterable[Loss]) -> list[tuple[Loss, int]]:
    """Return the worst loss of each kind with the number of that kind, the worst kind first."""
    worst: dict[str, Loss] = {}
    count: dict[str, int] = {}
    for loss in ranking:
        worst.setdefault(loss.kind, loss)
        count[loss.kind] = count.get(loss.kind, 0) + 1
    return [(loss, count[kind]) for kind, loss in worst.items()]
