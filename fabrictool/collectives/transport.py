"""A network ready to run collectives: its routing, and what carries messages between its ranks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabrictool.collectives.bounds import Bound, bound, partitions
from fabrictool.collectives.carriers import Lane, Routed, shifts_apart
from fabrictool.collectives.checking import check_job
from fabrictool.collectives.costs import Carrier, Meter, ScheduleCost, UnreachableError, time_split
from fabrictool.collectives.entries import Group
from fabrictool.collectives.host_bus import limited, slowed
from fabrictool.collectives.reducing import Site, Types, check_reduction, reduction_assumptions
from fabrictool.collectives.schedules import ALGORITHMS, Algorithm, bus_factor, default_algorithm
from fabrictool.collectives.workloads import CollectiveResult, Job, group_of, rank_list
from fabrictool.errors import InputError, Problem
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import Faults
from fabrictool.fabric.tables import F8, I4, Bool
from fabrictool.kernels.flows import RouteTables
from fabrictool.layout.network import Routing as Stated
from fabrictool.records import Assumption
from fabrictool.routing.bisection import effective_bisection, healthy_parts, lane_bisection
from fabrictool.routing.channels import Channels, channel_name
from fabrictool.routing.choose import routing_of
from fabrictool.routing.flows import Routing
from fabrictool.routing.inside import ScaleUp
from fabrictool.routing.loads import all_to_all_loads
from fabrictool.routing.modk import ModK, ranks_of
from fabrictool.routing.ranks import rank_wiring
from fabrictool.routing.regular import RegularTree
from fabrictool.routing.wiring import Wiring

#: Stands for the bound of a group beside others.
OF_NONE = Bound(0.0, 0.0, "links")
#: Lower bounds that a network remembers.
MOST_FLOORS = 8


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job ready to run: the algorithm and its name, its ranks and where they stand, and what no schedule can beat."""

    name: str
    algorithm: Algorithm
    group: Group
    ranks: I4
    floor: Bound


@dataclass
class Transport:
    """A network with its routing, ready to run jobs on all GPUs as ranks, or on hosts where there are no GPUs.

    Parameters
    ----------
    fabric : Fabric
    network : int
        Row of the network.
    faults : Faults, optional
        What is down or slow; ranks on hosts that are down take part in nothing.
    stated : Stated, optional
        The routing asked for; by default D-mod-k on trees, minimal ways elsewhere.
    types : mapping of str to HostType or SwitchType, optional
        Types by name, for what switches can reduce, and the buses of hosts carry.

    Attributes
    ----------
    wiring : Wiring
        Its endpoints are the ranks.
    routing : Routing
    lanes : list of RouteTables
        Where flows are followed by kernel, the tables of each port of a rank; a message is split evenly over
        them. Empty for other routings, and where only some of the ports of a rank may be down.
    trees : list of RegularTree or None
        Regularity of each lane, where proven.
    bus_limited : (links,) bool
        Host links that are slower than their speed because of the bus behind them.

    Raises
    ------
    NotSupportedError
        If GPUs have no port or unequally many ports, or the routing is not known or does not route this network.
    """

    fabric: Fabric
    network: int
    faults: Faults | None = None
    stated: Stated | None = None
    types: Types = field(default_factory=dict)
    wiring: Wiring = field(init=False)
    routing: Routing = field(init=False)
    lanes: list[RouteTables] = field(init=False)
    trees: list[RegularTree | None] = field(init=False)
    bus_limited: Bool = field(init=False)
    _floors: dict[tuple[object, ...], Bound] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Route the network."""
        self.wiring = limited(rank_wiring(self.fabric, self.network, self.faults), self.types)
        self.bus_limited = slowed(self.wiring)
        self.routing = routing_of(self.wiring, self.stated)
        self.lanes, self.trees = [], []
        if isinstance(self.routing, ModK) and self.routing.name == "d-mod-k" and self.wiring.alike:
            self.lanes = [tables._replace(scale_up=self.wiring.scale_up) for tables in self.routing.lanes]
            self.trees = self.routing.trees

    @property
    def name(self) -> str:
        """Name of the network."""
        return self.wiring.name

    @property
    def channels(self) -> Channels:
        """Channels of the fabric."""
        return self.wiring.channels

    @cached_property
    def alive(self) -> I4:
        """Ranks whose host is up."""
        return np.flatnonzero(~self.wiring.faults.device[self.wiring.device]).astype(np.int32)

    @cached_property
    def part(self) -> list[I4]:
        """Of each lane, what switches join: ranks with different numbers cannot reach each other in it."""
        return [self.wiring.parts_of(lane) for lane in range(self.wiring.lanes.shape[1])]

    @property
    def joined(self) -> bool:
        """Whether every rank reaches every other through switches."""
        return all((part[self.alive] == part[self.alive[:1]]).all() for part in self.part)

    def carriers(self, model: str) -> list[Carrier]:
        """Return what carries messages side by side: the slowest of them counts."""
        if not self.lanes:
            return [Routed(self.routing, model)]
        lanes = zip(self.lanes, self.trees, strict=True)
        return [Lane(self.wiring, tables, tree, model, len(self.lanes)) for tables, tree in lanes]

    def ranks_of(self, job: Job) -> I4:
        """Return the endpoints of a job's ranks, those on hosts that are down left out."""
        ranks = rank_list(job.ranks, self.wiring.endpoints, job.path)
        return ranks[self._up(ranks)]

    def _up(self, ranks: I4) -> Bool:
        up: Bool = ~self.wiring.faults.device[self.wiring.device[ranks]]
        return up

    def prepared(self, job: Job) -> Prepared:
        """Return a job with its ranks, its algorithm and its lower bound.

        Raises
        ------
        InputError
            If the algorithm does not fit the ranks.
        """
        check_job(job)
        wiring = self.wiring
        every = rank_list(job.ranks, wiring.endpoints, job.path)
        up = self._up(every)
        ranks = every[up]
        domain = np.where(wiring.scale_up[ranks] >= 0, wiring.domain[ranks], -1 - ranks)
        with _at(job):
            group = group_of(job, domain, np.where(up, np.cumsum(up) - 1, -1), wiring.rail[ranks])
        name = job.algorithm or default_algorithm(job.collective, group, self.joined)
        algorithm = ALGORITHMS[job.collective][name]
        if job.chunks is not None and not algorithm.chunked:
            what = f"{job.collective} by {name} does not cut messages into chunks"
            others = [word for word, other in ALGORITHMS[job.collective].items() if other.chunked]
            fix = f"use {' or '.join(others)}, or remove 'chunks'" if others else "remove 'chunks'"
            raise InputError([Problem("", what, fix, (*job.path, "chunks"))])
        if algorithm.reduces:
            check_reduction(job, name, group, Site(self.wiring, ranks, self.types))
        return Prepared(name, algorithm, group, ranks, self._floor(job, ranks, group, algorithm.reduces))

    def _floor(self, job: Job, ranks: I4, group: Group, reduces: str) -> Bound:
        """Return the lower bound of a job; that of the last few is remembered, for one by several algorithms.

        Of a group beside others none is reckoned: that of all of them counts.
        """
        if job.at_once:
            return OF_NONE
        stated = None if group.volumes is None else [column.tobytes() for column in vars(group.volumes).values()]
        key = (job.collective, reduces, group.pairs, ranks.tobytes(), *(stated or ()))
        if key not in self._floors:
            with _at(job):
                found = bound(job.collective, partitions(self.wiring, ranks), self.wiring, ranks, group, reduces)
            if len(self._floors) == MOST_FLOORS:
                self._floors.pop(next(iter(self._floors)))
            self._floors[key] = found
        return self._floors[key]

    def cost(self, job: Job, one: Prepared) -> ScheduleCost:
        """Return what a job costs.

        Raises
        ------
        UnreachableError
            If two ranks that exchange messages have no path.
        """
        if len(one.ranks) < 2:
            return ScheduleCost(0.0, 0.0, {})
        if job.model == "bound":
            return ScheduleCost(0.0, one.floor.seconds_per_byte, {}, one.floor.alone)
        carriers = [Routed(self.routing, job.model)] if one.algorithm.reduces else self.carriers(job.model)
        rounds = [Meter(carrier, one.ranks).cost(one.algorithm.rounds(one.group)) for carrier in carriers]
        return max(rounds, key=lambda cost: cost.seconds_per_byte)

    def alone(self, one: Prepared) -> float:
        """Return the seconds per byte that a job's rounds take if each rank's messages are alone on their ways.

        Raises
        ------
        UnreachableError
            If two ranks that exchange messages have no path.
        """
        if len(one.ranks) < 2:
            return 0.0
        carriers = [Routed(self.routing)] if one.algorithm.reduces else self.carriers("rounds")
        costs = (Meter(carrier, one.ranks).cost(one.algorithm.rounds(one.group)) for carrier in carriers)
        return max(cost.alone or 0.0 for cost in costs)

    def assumptions(self, results: Iterable[CollectiveResult]) -> list[Assumption]:
        """Name the results that rest on some of their rounds, or on switches that state nothing."""
        listed = list(results)
        every = np.arange(self.wiring.endpoints, dtype=np.int32)
        return [*self._sampled(listed), *reduction_assumptions(listed, Site(self.wiring, every, self.types))]

    def _sampled(self, results: Iterable[CollectiveResult]) -> list[Assumption]:
        if self.lanes:
            return []
        shifted = {r.ranks for r in results if r.algorithm == "pairwise" and r.model in ("rounds", "alpha-beta")}
        return [
            Assumption(
                f"pairwise over {ranks:,} ranks under {self.routing.name}",
                f"1 shift in {apart} followed, the others alike",
                "shifts equally far apart stand for all where there is no closed form",
            )
            for ranks in sorted(shifted)
            if (apart := shifts_apart(ranks - 1, ranks)) > 1
        ]

    def run(self, job: Job) -> Iterator[CollectiveResult]:
        """Run a job; yield one result a size, without a time where ranks cannot reach each other."""
        if not len(self.ranks_of(job)):
            yield from (self.no_result(job, 0, nbytes, "all hosts of its ranks are down") for nbytes in job.sizes)
            return
        one = self.prepared(job)
        try:
            cost = self.cost(job, one)
        except UnreachableError as error:
            yield from (self.no_result(job, len(one.ranks), nbytes, error.why) for nbytes in job.sizes)
            return
        for nbytes in job.sizes:
            yield self.result(job, one.name, len(one.ranks), nbytes, cost, one.floor)

    def no_result(self, job: Job, size: int, nbytes: float, why: str) -> CollectiveResult:
        """Return a result without a time."""
        return CollectiveResult(
            job.number, self.name, job.collective, job.algorithm or "", job.model, size, nbytes,
            None, None, None, None, None, None, None, None, why,
        )  # fmt: skip

    def result(
        self, job: Job, algorithm: str, size: int, nbytes: float, cost: ScheduleCost, floor: Bound
    ) -> CollectiveResult:
        """Return the result of a job at one size."""
        bound_s = floor.time_s(nbytes)
        if job.model == "bound" and size > 1:
            cost = floor.cost(nbytes)
        time_s = cost.time_s(nbytes)
        if size > 1 and job.model in ("alpha-beta", "loggp") and time_s < bound_s:
            time_s = bound_s  # these models do not see the links between switches, the bound does
        latency_s, serialisation_s, congestion_s = time_split(time_s, cost, nbytes)
        time_s = latency_s + serialisation_s + congestion_s
        algbw = nbytes / time_s if time_s else None
        channel, kind = self._bottleneck(cost)
        link = channel_name(self.fabric, channel) if channel >= 0 else None
        limited = "latency" if latency_s > time_s / 2 else kind or self._limit(floor)
        return CollectiveResult(
            job.number, self.name, job.collective, algorithm, job.model, size, nbytes, time_s, algbw,
            algbw * bus_factor(job.collective, size) if algbw else None,
            bound_s, latency_s, serialisation_s, congestion_s, link, limited,
        )  # fmt: skip

    def _bottleneck(self, cost: ScheduleCost) -> tuple[int, str]:
        """Return the kind of link that most time is spent on, and its worst channel: -1 and "" for none."""
        if not cost.spent:
            return -1, ""
        channel = np.fromiter(cost.spent.keys(), np.int64, len(cost.spent))
        seconds = np.fromiter(cost.spent.values(), np.float64, len(cost.spent))
        _, example, code = np.unique(self._kinds(channel), return_index=True, return_inverse=True)
        names = [self.kind(int(channel[row])) for row in example]
        words = list(dict.fromkeys(names))
        word = np.array([words.index(name) for name in names])[code]
        worst = int(np.bincount(word, seconds).argmax())
        chosen = np.flatnonzero((word == worst) & (channel >= 0))
        return int(channel[chosen[seconds[chosen].argmax()]]) if len(chosen) else -1, words[worst]

    def _kinds(self, channel: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return a number for each channel, equal only where ``kind`` says the same."""
        devices, link = self.fabric.devices, np.clip(channel // 2, 0, self.channels.links - 1)
        low, high = (end[link] for end in self.fabric.ends)
        tier = devices.tier.astype(np.int64)
        number: npt.NDArray[np.int64] = (
            (tier[low] * 64 + tier[high]) * 2 + (devices.pod[low] != devices.pod[high])
        ) * 2 + channel % 2
        number[channel < 0] = -1
        number[channel >= 2 * self.channels.links] = -2
        return number

    def _limit(self, floor: Bound) -> str:
        """Return what limits at a bound: ports that a bus slows are the bus."""
        ports = floor.title == "NIC" or (floor.title == "GPU" and bool((self.wiring.scale_up < 0).all()))
        return "PCIe" if ports and self.bus_limited.any() else floor.title

    def kind(self, channel: int) -> str:
        """Return in a word what a channel is."""
        if channel < 0:
            return ""
        if channel >= 2 * self.channels.links:
            return "scale-up"
        devices = self.fabric.devices
        low, high = (end[channel // 2] for end in self.fabric.ends)
        tier = int(devices.tier[low])
        if tier == int(devices.tier[high]):
            grouped = self.fabric.networks[self.network].has_groups
            return ("global link" if devices.pod[low] != devices.pod[high] else "local link") if grouped else "ISL"
        way = "downlink" if channel % 2 else "uplink"
        if tier == 0:
            return "PCIe" if self.bus_limited[channel // 2] else "NIC"
        return f"{('leaf', 'spine', 'core')[tier - 1]} {way}"

    def all_to_all_loads(self) -> F8:
        """Return the load of channels when each rank sends one unit to each it reaches outside its domain."""
        size = len(self.channels)
        if not self.lanes:
            load = ScaleUp(self.routing).all_to_all()[0]
            load[2 * self.channels.links :] = 0.0
            return load
        total = np.zeros(size)
        for tables, tree in zip(self.lanes, self.trees, strict=True):
            live = ranks_of(tables, np.flatnonzero(tables.port_channel >= 0))
            total += all_to_all_loads(live, size, tree if self.joined else None)[0]
        return total / len(self.lanes)

    def effective_bisection(self, trials: int, seed: int) -> tuple[float, float]:
        """Return the effective bisection bandwidth and its standard error, of D-mod-k in the first lane.

        A flow gets 1 / (largest load on its way in units of the host speed), at most 1, and 0 without a way.
        """
        alive = self.alive
        if not self.lanes:
            found = effective_bisection(ScaleUp(self.routing), trials, seed, alive)
            return found.mean, found.error
        part = healthy_parts(self.wiring)  # a fault takes bandwidth, it does not excuse pairs
        tree = self.trees[0] if part is None and len(alive) == self.wiring.hosts else None
        part = None if part is None else part[alive]
        found = lane_bisection(ranks_of(self.lanes[0], alive), tree, self.channels.speed_bps, trials, seed, part)
        return found.mean, found.error


@contextmanager
def _at(job: Job) -> Iterator[None]:
    """Give what is wrong with a job's pairs their place in the layout."""
    try:
        yield
    except InputError as error:
        path = (*job.path, "pairs") if job.pairs else job.path
        where = "" if job.path else "--collective"
        raise InputError(
            [
                problem if problem.where else replace(problem, where=where, path=problem.path or path)
                for problem in error.problems
            ]
        ) from None
