"""A network ready to run collectives: routing, channels and regularity of each port that GPUs have in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from fabrictool.collectives.bounds import Bound, bound, partitions
from fabrictool.collectives.costs import MODELS, Meter, ScheduleCost, UnreachableError
from fabrictool.collectives.schedules import ALGORITHMS, Group, bus_factor, default_algorithm
from fabrictool.collectives.workloads import CollectiveResult, Job, rank_list
from fabrictool.errors import FabrictoolError, InputError, NotSupportedError, Problem
from fabrictool.fabric import Fabric
from fabrictool.fabric.parts import joined_by_tier
from fabrictool.fabric.tables import F8, I4
from fabrictool.kernels.flows import RouteTables
from fabrictool.routing.bisection import lane_bisection
from fabrictool.routing.channels import Channels, channel_name, channels
from fabrictool.routing.dmodk import rank_tables
from fabrictool.routing.loads import all_to_all_loads
from fabrictool.routing.regular import RegularTree, regular_tree


@dataclass
class Transport:
    """A network with its routing, ready to run jobs on all GPUs as ranks.

    Parameters
    ----------
    fabric : Fabric
    network : int
        Row of the network.

    Attributes
    ----------
    lanes : list of RouteTables
        One for each port of a GPU; a message is split evenly over them.
    trees : list of RegularTree or None
        Regularity of each lane, where proven.
    part : list of (ranks,) int32
        Of each lane, what switches join: ranks with different numbers cannot reach each other in it.
    """

    fabric: Fabric
    network: int
    lanes: list[RouteTables] = field(init=False)
    channels: Channels = field(init=False)
    trees: list[RegularTree | None] = field(init=False)
    part: list[I4] = field(init=False)

    def __post_init__(self) -> None:
        """Derive routing tables, channels and, where proven, the regularity of each lane."""
        self.lanes = rank_tables(self.fabric, self.network)
        self.channels = channels(self.fabric)
        self.trees = [regular_tree(self.fabric, self.network, lane, self.channels) for lane in self.lanes]
        whole = joined_by_tier(self.fabric, self.network, through_hosts=False)[-1]
        self.part = [whole[lane.leaf] for lane in self.lanes]

    @property
    def name(self) -> str:
        """Name of the network."""
        return self.fabric.networks[self.network].name

    @property
    def joined(self) -> bool:
        """Whether every rank reaches every other through switches."""
        return all((part == part[0]).all() for part in self.part)

    def cost(self, job: Job, ranks: I4) -> tuple[str, ScheduleCost, Bound]:
        """Return the algorithm used, its cost and the lower bound.

        Raises
        ------
        UnreachableError
            If two ranks that exchange messages have no path.
        """
        first = self.lanes[0]
        group = Group(len(ranks), np.where(first.scale_up[ranks] >= 0, first.domain[ranks], -1 - ranks))
        parts = partitions(self.fabric, self.network, ranks, self.lanes)
        floor = bound(job.collective, parts, first, ranks, self.channels)
        name = job.algorithm or default_algorithm(job.collective, group, self.joined)
        if len(ranks) < 2:
            return name, ScheduleCost(0.0, 0.0, {}), floor
        if job.model == "bound":
            return name, ScheduleCost(0.0, floor.seconds_per_byte, {}), floor
        algorithm = ALGORITHMS[job.collective][name]
        if algorithm.power_of_two and len(ranks) & (len(ranks) - 1):
            what = f"{name} needs a power of two, not {len(ranks)} ranks"
            others = [word for word, other in ALGORITHMS[job.collective].items() if not other.power_of_two]
            raise InputError([Problem("", what, f"use {' or '.join(others)}", job.path)])
        steps = 3 * algorithm.flow_count(len(ranks))
        costs = [
            Meter(lane, self.channels, tree, ranks, job.model, steps, len(self.lanes)).cost(algorithm.rounds(group))
            for lane, tree in zip(self.lanes, self.trees, strict=True)
        ]
        return name, max(costs, key=lambda cost: cost.seconds_per_byte), floor

    def run(self, job: Job) -> Iterator[CollectiveResult]:
        """Run a job; yield one result a size, without a time where ranks cannot reach each other."""
        check_job(job)
        ranks = rank_list(job.ranks, len(self.fabric.gpus), job.path)
        try:
            name, cost, floor = self.cost(job, ranks)
        except UnreachableError as error:
            for nbytes in job.sizes:
                yield self._no_result(job, len(ranks), nbytes, str(error))
            return
        for nbytes in job.sizes:
            yield self._result(job, name, len(ranks), nbytes, cost, floor)

    def _no_result(self, job: Job, size: int, nbytes: float, why: str) -> CollectiveResult:
        name = job.algorithm or ""
        return CollectiveResult(
            job.number,
            self.name,
            job.collective,
            name,
            job.model,
            size,
            nbytes,
            None,
            None,
            None,
            None,
            None,
            None,
            why,
        )

    def _result(
        self, job: Job, algorithm: str, size: int, nbytes: float, cost: ScheduleCost, floor: Bound
    ) -> CollectiveResult:
        time_s, bound_s = cost.time_s(nbytes), floor.time_s(nbytes)
        if size > 1 and (job.model == "bound" or (job.model == "alpha-beta" and time_s < bound_s)):
            time_s = bound_s  # alpha-beta does not see the links between switches, the bound does
        algbw = nbytes / time_s if time_s else None
        channel, kind = self._bottleneck(cost)
        link = channel_name(self.fabric, channel) if channel >= 0 else None
        limited = "latency" if cost.latency_s > time_s / 2 else kind or floor.title
        return CollectiveResult(
            job.number, self.name, job.collective, algorithm, job.model, size, nbytes, time_s, algbw,
            algbw * bus_factor(job.collective, size) if algbw else None,
            bound_s, cost.latency_s, link, limited,
        )  # fmt: skip

    def _bottleneck(self, cost: ScheduleCost) -> tuple[int, str]:
        """Return the kind of link that most time is spent on, and its worst channel: -1 and "" for none."""
        by_kind: dict[str, float] = {}
        kinds = {channel: self._kind(channel) for channel in cost.spent}
        for channel, seconds in cost.spent.items():
            by_kind[kinds[channel]] = by_kind.get(kinds[channel], 0.0) + seconds
        worst = max(by_kind, key=lambda kind: by_kind[kind], default="")
        chosen = (channel for channel, kind in kinds.items() if kind == worst and channel >= 0)
        return max(chosen, key=lambda channel: cost.spent[channel], default=-1), worst

    def _kind(self, channel: int) -> str:
        """Return in a word what a channel is."""
        if channel < 0:
            return ""
        if channel >= 2 * self.channels.links:
            return "scale-up"
        tier = int(self.fabric.devices.tier[self.fabric.ends[0][channel // 2]])
        way = "downlink" if channel % 2 else "uplink"
        return "NIC" if tier == 0 else f"{('leaf', 'spine', 'core')[tier - 1]} {way}"

    def all_to_all_loads(self) -> F8:
        """Return the load of channels when each rank sends one unit to each it reaches outside its domain."""
        total = np.zeros(len(self.channels))
        for lane, tree in zip(self.lanes, self.trees, strict=True):
            total += all_to_all_loads(lane, len(self.channels), tree if self.joined else None)[0]
        return total / len(self.lanes)

    def effective_bisection(self, trials: int, seed: int) -> tuple[float, float]:
        """Return the effective bisection bandwidth of the first lane and its standard error."""
        part = None if self.joined else self.part[0]
        tree = self.trees[0] if part is None else None
        found = lane_bisection(self.lanes[0], tree, self.channels.speed_bps, trials, seed, part)
        return found.mean, found.error


def check_job(job: Job) -> None:
    """Refuse what this version does not compute.

    Raises
    ------
    NotSupportedError
        Naming what could be used instead.
    """
    known = ALGORITHMS.get(job.collective)
    if known is None:
        raise NotSupportedError([_refused(job, "collective", f"collective '{job.collective}'", ALGORITHMS)])
    if job.algorithm is not None and job.algorithm not in known:
        raise NotSupportedError([_refused(job, "algorithm", f"{job.collective} by '{job.algorithm}'", known)])
    if job.model not in MODELS:
        raise NotSupportedError([_refused(job, "model", f"model '{job.model}'", MODELS)])


def _refused(job: Job, key: str, what: str, known: Iterable[str]) -> Problem:
    """Return the problem with the place of a key in the layout, or with the option that a command gives."""
    fix = f"use one of {', '.join(known)}"
    where, path = ("", (*job.path, key)) if job.path else (f"--{key}", ())
    return Problem(where, f"{what} is not supported yet", fix, path)


def transports(fabric: Fabric) -> list[Transport]:
    """Return the networks that every GPU has ports in, in layout order."""
    found = []
    for row in range(len(fabric.networks)):
        try:
            found.append(Transport(fabric, row))
        except NotSupportedError:
            continue
    return found


def run_jobs(transport: Transport, jobs: Iterable[Job]) -> list[CollectiveResult]:
    """Run jobs one after another.

    Raises
    ------
    FabrictoolError
        With the problems of all jobs.
    """
    results: list[CollectiveResult] = []
    problems: list[Problem] = []
    for job in jobs:
        try:
            results += transport.run(job)
        except FabrictoolError as error:
            problems += error.problems
    if problems:
        raise InputError(dict.fromkeys(problems))
    return results
