"""What a fabric as it was built gives, against the planned one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from fabrictool.catalogue.types import HostType, SwitchType
from fabrictool.changes.capacity import State, of_hosts, state_of
from fabrictool.changes.effects import lost_share
from fabrictool.changes.job_losses import JobLoss, JobPricing
from fabrictool.collectives.host_bus import limited
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import faults_of_rows
from fabrictool.fabric.rewiring import rewired
from fabrictool.layout.network import Routing as Stated
from fabrictool.routing.choose import routing_of
from fabrictool.routing.wiring import wiring

#: Lost shares up to this are none.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Difference:
    """What one mistake changes.

    Parameters
    ----------
    ends : mapping of int to (int, int)
        Links by row, to the ports where their ends are.
    extra : sequence of int
        Devices that have one more port each, numbered on from the fabric's.
    dead : tuple of int
        Links that are not there.
    slow : mapping of int to float
        Links to the share of their speed that is left.
    """

    ends: Mapping[int, tuple[int, int]]
    extra: Sequence[int] = ()
    dead: tuple[int, ...] = ()
    slow: Mapping[int, float] | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """Shares of all-reduce and all-to-all bandwidth that are lost, hosts without network, and what jobs lose."""

    all_reduce_lost: float | None
    all_to_all_lost: float | None
    hosts_lost: int
    jobs: tuple[JobLoss, ...] = ()


@dataclass(frozen=True)
class Pricing:
    """Prices differences against a planned network, traffic spread evenly over the shortest ways of its wiring.

    ``jobs`` are collectives to price beside all-reduce and all-to-all of large messages, ``types`` those of hosts and
    switches by name.
    """

    fabric: Fabric
    network: int
    jobs: tuple[Job, ...] = ()
    types: Mapping[str, HostType | SwitchType] = field(default_factory=dict)

    @cached_property
    def planned_jobs(self) -> list[CollectiveResult]:
        """Results of the jobs that were asked about on the network as planned."""
        return self._jobs(self.fabric, Difference({}))

    @cached_property
    def planned(self) -> State:
        """The state of the network as planned."""
        return self._state(self.fabric, Difference({}))

    def _state(self, fabric: Fabric, found: Difference) -> State:
        faults = faults_of_rows(fabric, found.dead, factors=found.slow)
        wired = of_hosts(limited(wiring(fabric, self.network, faults), self.types))
        return state_of(routing_of(wired, Stated(name="spray")))

    def cost(self, found: Difference) -> Cost:
        """Return what a difference costs.

        Raises
        ------
        FabrictoolError
            If a port would be used twice, or the network cannot be routed.
        """
        fabric = rewired(self.fabric, found.ends, found.extra) if found.ends else self.fabric
        before, after = self.planned.capacity, self._state(fabric, found).capacity
        results = self._jobs(fabric, found) if self.jobs else []
        return Cost(
            _lost(before.all_reduce_total, after.all_reduce_total),
            _lost(before.all_to_all_total, after.all_to_all_total),
            before.hosts - after.hosts,
            tuple(JobLoss(then, now) for then, now in zip(self.planned_jobs, results, strict=True)) if results else (),
        )

    def _jobs(self, fabric: Fabric, found: Difference) -> list[CollectiveResult]:
        faults = faults_of_rows(fabric, found.dead, factors=found.slow)
        return JobPricing(fabric, self.network, Stated(name="spray"), self.jobs, self.types).results(faults)


def _lost(before: float, after: float) -> float | None:
    """Return a lost share; what a mistake wins by chance, or loses by rounding, is no loss."""
    share = lost_share(before, after)
    return None if share is None else share if share > ROUNDING else 0.0


def rows_of_network(fabric: Fabric, rows: Iterable[int]) -> int:
    """Return the network that most of some links are of."""
    networks = fabric.links.network[np.fromiter(rows, np.int64)]
    return int(np.bincount(networks.astype(np.int64)).argmax()) if len(networks) else 0
