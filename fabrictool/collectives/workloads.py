"""Jobs to run: which collective, on which ranks, at which sizes; and their results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from fabrictool import units
from fabrictool.collectives.bounds import Bound, bound, partitions
from fabrictool.collectives.costs import MODELS, Meter, ScheduleCost
from fabrictool.collectives.schedules import ALGORITHMS, Group, bus_factor, default_algorithm
from fabrictool.errors import FabrictoolError, InputError, NotSupportedError, Problem
from fabrictool.fabric import Fabric
from fabrictool.fabric.tables import I4
from fabrictool.kernels.flows import RouteTables
from fabrictool.layout.model import Layout, RankOrder
from fabrictool.routing.channels import Channels, channel_name, channels
from fabrictool.routing.dmodk import route_tables
from fabrictool.routing.regular import RegularTree, regular_tree

MIB = 2.0**20
DEFAULT_SIZES = (1 * MIB, 16 * MIB, 1024 * MIB)
DEFAULT_COLLECTIVES = ("all-reduce", "all-to-all")


@dataclass(frozen=True, slots=True)
class Job:
    """A collective at several sizes; ``path`` is where it stands in the layout."""

    number: int
    collective: str
    algorithm: str | None
    sizes: tuple[float, ...]
    ranks: RankOrder
    model: str = "rounds"
    pairs: tuple[tuple[int, int], ...] = ()
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class CollectiveResult:
    """One collective at one size: times in s, bandwidths in B/s as nccl-tests defines them."""

    job: int
    network: str
    collective: str
    algorithm: str
    model: str
    ranks: int
    nbytes: float
    time_s: float
    algbw_bytes_per_s: float | None
    busbw_bytes_per_s: float | None
    bound_s: float
    latency_s: float
    bottleneck: str | None
    limited_by: str
    expected_busbw_range: tuple[float, float] | None = None

    @property
    def bound_busbw_bytes_per_s(self) -> float | None:
        """The bus bandwidth at the lower bound of the time, in B/s."""
        return bus_factor(self.collective, self.ranks) * self.nbytes / self.bound_s if self.bound_s else None

    def to_dict(self) -> dict[str, object]:
        """Return the keys of the JSON output."""
        shown = self.__slots__
        return {name: getattr(self, name) for name in shown} | {
            "nbytes": int(self.nbytes) if float(self.nbytes).is_integer() else self.nbytes
        }


def jobs_of(layout: Layout) -> list[Job]:
    """Return the jobs that a layout states, else the default ones over all GPUs."""
    if layout.scenario is not None and layout.scenario.jobs:
        return [
            Job(i, job.collective, job.algorithm, (job.nbytes,), job.ranks, job.model, tuple(job.pairs or ()),
                ("scenario", "jobs", i))
            for i, job in enumerate(layout.scenario.jobs)
        ]  # fmt: skip
    if layout.workload is not None:
        return [
            Job(i, item.collective, item.algorithm, tuple(item.sizes), item.ranks, item.model, (),
                ("workload", "collectives", i))
            for i, item in enumerate(layout.workload.collectives)
        ]  # fmt: skip
    return [Job(i, name, None, DEFAULT_SIZES, RankOrder()) for i, name in enumerate(DEFAULT_COLLECTIVES)]


def jobs_asked_for(
    layout: Layout,
    collectives: list[str] | None,
    algorithm: str | None,
    sizes: Sequence[str | float] | None,
    ranks: int | None,
    rank_order: str,
    model: str,
    seed: int,
) -> list[Job]:
    """Return jobs for the options of a command; what is not asked for stays as the layout has it.

    Raises
    ------
    InputError
        If a size or a rank order makes no sense.
    """
    if ranks is not None and ranks < 1:
        raise InputError(f"ranks: {ranks} is not 1 or more", "ask for at least one rank")
    order = RankOrder.model_validate({"order": rank_order, "count": ranks, "seed": seed})
    asked = tuple(_nbytes(size) for size in sizes) if sizes else None
    stated = (
        jobs_of(layout) if collectives is None else [Job(0, name, None, DEFAULT_SIZES, order) for name in collectives]
    )
    return [
        Job(
            number,
            job.collective,
            algorithm or job.algorithm,
            asked or job.sizes,
            job.ranks if (ranks, rank_order) == (None, "linear") else order,
            model if model != "rounds" else job.model,
            path=job.path,
        )
        for number, job in enumerate(stated)
    ]


def _nbytes(size: str | float) -> float:
    if isinstance(size, int | float):
        size = f"{size} B"
    try:
        return units.parse(f"{size} B" if str(size).strip().isdigit() else size, units.SIZE)
    except ValueError as error:
        raise InputError(f"size: {error}") from None


def rank_list(order: RankOrder, gpus: int, path: tuple[str | int, ...] = ()) -> I4:
    """Return the GPU of each rank of a job.

    Raises
    ------
    InputError
        If ranks lie beyond the GPUs or one is named twice.
    """
    if order.ranks is None and order.offset >= gpus:
        raise InputError([_too_many(f"ranks from {order.offset} on", gpus, path)])
    if order.ranks is not None:
        chosen = np.array(order.ranks, np.int64)
    elif order.order == "random":
        rng = np.random.default_rng(order.seed or 0)
        chosen = order.offset + rng.permutation(gpus - order.offset)[: order.count]
    else:
        step = order.step if order.order == "stride" else 1
        count = order.count if order.count is not None else max(0, -(-(gpus - order.offset) // step))
        chosen = order.offset + step * np.arange(count, dtype=np.int64)
    beyond = len(chosen) > 0 and chosen.max() >= gpus
    if order.count is not None and (len(chosen) < order.count or beyond):
        raise InputError([_too_many(f"{order.count} ranks", gpus, path)])
    if beyond:
        raise InputError([_too_many(f"rank {int(chosen.max())}", gpus, path)])
    if len(np.unique(chosen)) < len(chosen):
        raise InputError([Problem("", "a rank is named twice", "name each once", (*path, "ranks"))])
    return chosen.astype(np.int32)


def _too_many(what: str, gpus: int, path: tuple[str | int, ...]) -> Problem:
    return Problem(
        "", f"{what} asked for, but there are {gpus} GPUs, 0 to {gpus - 1}", "ask for fewer", (*path, "ranks")
    )


@dataclass
class Transport:
    """A network with its routing, ready to run jobs on all GPUs as ranks."""

    fabric: Fabric
    network: int
    tables: RouteTables = field(init=False)
    channels: Channels = field(init=False)
    tree: RegularTree | None = field(init=False)

    def __post_init__(self) -> None:
        """Derive routing tables, channels and, where proven, the regularity of the network."""
        self.tables = route_tables(self.fabric, self.network)
        self.channels = channels(self.fabric)
        self.tree = regular_tree(self.fabric, self.network, self.tables, self.channels)

    @property
    def name(self) -> str:
        """Name of the network."""
        return self.fabric.networks[self.network].name

    def cost(self, job: Job, ranks: I4) -> tuple[str, ScheduleCost, Bound]:
        """Return the algorithm used, its cost and the lower bound."""
        group = Group(len(ranks), np.where(self.tables.scale_up[ranks] >= 0, self.tables.domain[ranks], -1 - ranks))
        floor = bound(job.collective, partitions(self.fabric, self.network, ranks, self.tables), self.tables, ranks,
                      self.channels)  # fmt: skip
        name = job.algorithm if job.algorithm not in (None, "auto") else default_algorithm(job.collective, group)
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
        meter = Meter(self.tables, self.channels, self.tree, ranks, job.model, steps)
        return name, meter.cost(algorithm.rounds(group)), floor

    def run(self, job: Job) -> Iterator[CollectiveResult]:
        """Run a job; yield one result a size."""
        check_job(job)
        ranks = rank_list(job.ranks, len(self.fabric.gpus), job.path)
        name, cost, floor = self.cost(job, ranks)
        for nbytes in job.sizes:
            yield self._result(job, name, len(ranks), nbytes, cost, floor)

    def _result(
        self, job: Job, algorithm: str, size: int, nbytes: float, cost: ScheduleCost, floor: Bound
    ) -> CollectiveResult:
        time_s = floor.time_s(nbytes) if job.model == "bound" and size > 1 else cost.time_s(nbytes)
        algbw = nbytes / time_s if time_s else None
        channel, kind = self._bottleneck(cost)
        link = channel_name(self.fabric, channel) if channel >= 0 else None
        limited = "latency" if cost.latency_s > time_s / 2 else kind or floor.title
        return CollectiveResult(
            job.number, self.name, job.collective, algorithm, job.model, size, nbytes, time_s, algbw,
            algbw * bus_factor(job.collective, size) if algbw else None,
            floor.time_s(nbytes), cost.latency_s, link, limited,
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
        return (
            "NIC" if tier == 0 else f"{('leaf', 'spine', 'core')[tier - 1]} {'downlink' if channel % 2 else 'uplink'}"
        )


def check_job(job: Job) -> None:
    """Refuse what this version does not compute.

    Raises
    ------
    NotSupportedError
        Naming what could be used instead.
    """
    known = ALGORITHMS.get(job.collective)
    if known is None:
        what = f"collective '{job.collective}' is not supported yet"
        raise NotSupportedError([Problem("", what, f"use one of {', '.join(ALGORITHMS)}", (*job.path, "collective"))])
    if job.algorithm is not None and job.algorithm != "auto" and job.algorithm not in known:
        what = f"{job.collective} by '{job.algorithm}' is not supported yet"
        raise NotSupportedError([Problem("", what, f"use one of {', '.join(known)}", (*job.path, "algorithm"))])
    if job.algorithm == "auto":
        what = "algorithm 'auto' is not supported yet"
        raise NotSupportedError([Problem("", what, f"use one of {', '.join(known)}", (*job.path, "algorithm"))])
    if job.model not in MODELS:
        what = f"model '{job.model}' is not supported yet"
        raise NotSupportedError([Problem("", what, f"use one of {', '.join(MODELS)}", (*job.path, "model"))])


def transports(fabric: Fabric) -> list[Transport]:
    """Return the networks that join all GPUs, in layout order."""
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
