"""What changes take from collectives that are named, by any model: the same jobs before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fabrictool.catalogue.types import HostType, SwitchType
from fabrictool.collectives.losses import loss_percent
from fabrictool.collectives.runs import run_jobs
from fabrictool.collectives.split import split_asked
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import CollectiveResult, Job, jobs_asked_for
from fabrictool.errors import InputError, Problem
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import Faults, faults_of_rows
from fabrictool.layout.model import Layout
from fabrictool.layout.network import Routing as Stated
from fabrictool.records import Domain


@dataclass(frozen=True, slots=True)
class AskedJobs:
    """Collectives to price, as options name them; without a collective there are none.

    Parameters
    ----------
    collective, size, over : sequence of str
    algorithm, parallel : str, optional
    ranks : int, optional
    model : str
    """

    collective: Sequence[str] = ()
    algorithm: str | None = None
    size: Sequence[str | float] = ()
    ranks: int | None = None
    model: str = "rounds"
    parallel: str | Mapping[str, object] | None = None
    over: Sequence[str] = ()

    def jobs(self, layout: Layout | None, seed: int = 0) -> list[Job]:
        """Return them as jobs.

        Raises
        ------
        InputError
            If something is asked of collectives, but none is named.
        """
        if not self.collective:
            options = ("algorithm", "size", "ranks", "parallel", "over")
            given = [name for name in options if getattr(self, name) not in (None, ())]
            if given:
                what = "says nothing without a collective"
                raise InputError([Problem(f"--{given[0]}", what, "add --collective all-to-all or the like")])
            return []
        split = split_asked(self.parallel, tuple(self.over) or None)
        sizes = list(self.size) or None
        return jobs_asked_for(
            layout, list(self.collective), self.algorithm, sizes, self.ranks, "linear", self.model, seed, split
        )


@dataclass(frozen=True, slots=True)
class JobLoss:
    """A collective at one size before and after a change."""

    before: CollectiveResult
    after: CollectiveResult

    @property
    def percent(self) -> float | None:
        """Part of its bus bandwidth that is lost, in percent; below 0 where it is won, None if there was none."""
        return loss_percent(self.before, self.after)

    @property
    def title(self) -> str:
        """What was run, in words."""
        from fabrictool.units import format_size

        groups = self.before.groups
        over = f" over {groups.over}" if groups is not None else ""
        return f"{self.before.collective} {format_size(self.before.nbytes)}{over}"

    def to_dict(self) -> dict[str, Any]:
        """Return the object in the JSON output."""
        then, now = self.before.to_dict(), self.after.to_dict()
        same = {name: then[name] for name in ("collective", "model", "nbytes")}
        changed = {
            f"{name}_{when}": row[name]
            for name in ("algorithm", "ranks", "time_s", "busbw_bytes_per_s", "bottleneck", "groups")
            for when, row in (("before", then), ("after", now))
        }
        return same | changed | {"loss_percent": self.percent, "limited_by": self.after.limited_by}


@dataclass
class JobPricing:
    """Prices changes to a network by jobs.

    Parameters
    ----------
    fabric : Fabric
    network : int
    stated : Stated, optional
        The routing.
    jobs : sequence of Job
    types : mapping of str to HostType or SwitchType
        By name.
    """

    fabric: Fabric
    network: int
    stated: Stated | None
    jobs: Sequence[Job]
    types: Mapping[str, HostType | SwitchType] = field(default_factory=dict)

    def results(self, faults: Faults | None) -> list[CollectiveResult]:
        """Return the jobs' results in a state of the network.

        Raises
        ------
        FabrictoolError
            If the network does not join all GPUs, or a job cannot be run.
        """
        if not self.jobs:
            return []
        hosts = {name: kind for name, kind in self.types.items() if isinstance(kind, HostType)}
        network = Transport(self.fabric, self.network, faults, self.stated, self.types)
        return run_jobs(network, self.jobs, types=hosts)

    def losses(self, before: Sequence[CollectiveResult], faults: Faults) -> tuple[JobLoss, ...]:
        """Return what faults take from the jobs, given their results before."""
        after = self.results(faults)
        return tuple(JobLoss(then, now) for then, now in zip(before, after, strict=True))

    def without(self, before: Sequence[CollectiveResult], faults: Faults, domain: Domain) -> tuple[JobLoss, ...]:
        """Return what the loss of a domain takes, on top of faults under which the results before are."""
        return self.losses(before, faults | faults_of_rows(self.fabric, domain.links, domain.devices))
