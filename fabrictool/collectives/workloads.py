"""Jobs to run: which collective, on which ranks, at which sizes; and their results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from fabrictool import units
from fabrictool.collectives.entries import Group
from fabrictool.collectives.nccl.choice import COLLECTIVES as TUNED
from fabrictool.collectives.schedules import bus_factor
from fabrictool.collectives.split import Split
from fabrictool.collectives.volumes import StatedVolumes, read_volumes
from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import I2, I4
from fabrictool.layout.model import Layout
from fabrictool.layout.workload import Job as LayoutJob
from fabrictool.layout.workload import RankOrder, WorkloadItem

if TYPE_CHECKING:
    from fabrictool.tabular import Table

MIB = 2.0**20
MOST_RANKS = 10_000_000
DEFAULT_SIZES = (1 * MIB, 16 * MIB, 1024 * MIB)
DEFAULT_COLLECTIVES = ("all-reduce", "all-to-all")


@dataclass(frozen=True, slots=True)
class Job:
    """A collective at several sizes; ``path`` is where it stands in the layout.

    A job that is ``tried`` is one of several to choose from: then switches must state that they reduce.
    ``chunks`` are the parts that a message is cut into by schedules that pipeline; under ``overlap`` a rank
    goes on when its own part of a round has ended. With a ``split`` groups of the ranks run the collective, each on
    its own; fluid jobs that are ``at_once`` share links with each other.
    """

    number: int
    collective: str
    algorithm: str | None
    sizes: tuple[float, ...]
    ranks: RankOrder
    model: str = "rounds"
    pairs: tuple[tuple[int, int], ...] = ()
    path: tuple[str | int, ...] = ()
    protocol: str | None = None
    chunks: int | None = None
    volumes: StatedVolumes | None = None
    overlap: bool = False
    split: Split | None = None
    at_once: bool = False
    tried: bool = False


class Alternative(NamedTuple):
    """What another algorithm would take, in s."""

    algorithm: str
    time_s: float


class Unsuitable(NamedTuple):
    """An algorithm that was not taken into account, and why."""

    algorithm: str
    reason: str


@dataclass(frozen=True, slots=True)
class GroupSpread:
    """Groups that run a collective at once: what they are over, how many with how many ranks together.

    ``slowest`` is the number of the one that a result is of, with its ranks; ``fastest_s`` and ``median_s`` are times
    of the others, and ``spread_percent`` is how much less the fastest takes.
    """

    over: str
    count: int
    ranks: int
    slowest: int
    slowest_ranks: tuple[str, ...]
    fastest_s: float
    median_s: float
    spread_percent: float

    def __str__(self) -> str:
        which = f"slowest {self.slowest} ({', '.join(self.slowest_ranks)})"
        spread = f"{which}, spread {self.spread_percent:.3g} %" if self.spread_percent > 1e-6 else "all alike"
        return f"{self.count} over {self.over}, {spread}"


@dataclass(frozen=True, slots=True)
class CollectiveResult:
    """One collective at one size: times in s, bandwidths in B/s as nccl-tests defines them.

    The time is ``latency_s``, then ``serialisation_s``, which bytes take alone on the slowest link of their way, and
    ``congestion_s``, which they take longer because others are under way; together exactly ``time_s``.
    Where the algorithm was chosen, ``alternatives`` are the others, the fastest first, and ``unsuitable`` those that
    do not fit; None where it was stated.
    Where something is down or slow, ``healthy_time_s`` is the time with nothing so, and ``loss_percent`` what of its
    bus bandwidth is lost: of all of it 100, where ranks cannot reach each other.
    Where ``groups`` run at once it is the slowest one's, of whose ranks ``ranks`` are the number.
    """

    job: int
    network: str
    collective: str
    algorithm: str
    model: str
    ranks: int
    nbytes: float
    time_s: float | None
    algbw_bytes_per_s: float | None
    busbw_bytes_per_s: float | None
    bound_s: float | None
    latency_s: float | None
    serialisation_s: float | None
    congestion_s: float | None
    bottleneck: str | None
    limited_by: str
    expected_busbw_range: tuple[float, float] | None = None
    alternatives: tuple[Alternative, ...] | None = None
    unsuitable: tuple[Unsuitable, ...] = ()
    healthy_time_s: float | None = None
    loss_percent: float | None = None
    groups: GroupSpread | None = None

    @property
    def bound_busbw_bytes_per_s(self) -> float | None:
        """The bus bandwidth at the lower bound of the time, in B/s."""
        return bus_factor(self.collective, self.ranks) * self.nbytes / self.bound_s if self.bound_s else None

    def to_dict(self) -> dict[str, object]:
        """Return the keys of the JSON output."""
        shown = self.__slots__
        return {name: getattr(self, name) for name in shown} | {
            "nbytes": int(self.nbytes) if float(self.nbytes).is_integer() else self.nbytes,
            "alternatives": None if self.alternatives is None else [row._asdict() for row in self.alternatives],
            "unsuitable": [row._asdict() for row in self.unsuitable],
            "groups": None if self.groups is None else asdict(self.groups),
        }


def default_jobs() -> list[Job]:
    """Return the jobs that are run where none are stated, over all ranks."""
    return [Job(i, name, None, DEFAULT_SIZES, RankOrder()) for i, name in enumerate(DEFAULT_COLLECTIVES)]


def jobs_of(layout: Layout | None) -> list[Job]:
    """Return the jobs that a layout states, else the default ones over all GPUs."""
    if layout is None:
        return default_jobs()
    if layout.scenario is not None and layout.scenario.jobs:
        return [
            replace(_job(layout, i, job, [job.nbytes], ("scenario", "jobs", i)), pairs=tuple(job.pairs or ()))
            for i, job in enumerate(layout.scenario.jobs)
        ]
    if layout.workload is not None and layout.workload.collectives:
        return [
            _job(layout, i, item, item.sizes or [None], ("workload", "collectives", i))
            for i, item in enumerate(layout.workload.collectives)
        ]
    return default_jobs()


def _job(
    layout: Layout,
    number: int,
    item: LayoutJob | WorkloadItem,
    sizes: Sequence[float | None],
    path: tuple[str | int, ...],
) -> Job:
    """Return what a layout states as a job; of stated volumes the size is the largest send buffer."""
    stated = None if item.volumes is None else read_volumes(_beside(layout, item.volumes))
    sent = stated.sent_bytes if stated is not None else 0.0
    known = tuple(sent if size is None else size for size in sizes)
    return Job(
        number, item.collective, item.algorithm, known, item.ranks, item.model, (), path, item.protocol,
        item.chunks, stated, item.overlap, _split(item),
    )  # fmt: skip


def _split(item: LayoutJob | WorkloadItem) -> Split | None:
    """Return how a layout splits the ranks of a job."""
    if not (item.over or item.groups):
        return None
    return Split(item.parallel, tuple(item.over or ()), tuple(map(tuple, item.groups or ())))


def _beside(layout: Layout, file: str) -> Path:
    """Return the path of a file that is named relative to the layout's."""
    return Path(file) if layout.source is None else Path(layout.source.name).parent / file


def group_of(job: Job, domain: I4, place: npt.NDArray[np.integer], rail: I2 | None = None) -> Group:
    """Return the ranks of a job that take part, with who sends what to whom.

    Parameters
    ----------
    job : Job
    domain : (size,) int32
        Scale-up domain of each rank that takes part.
    place : (ranks,) int
        Place of each of the job's ranks among those that take part, -1 for none.
    rail : (size,) int16, optional
        Rail of each rank that takes part, -1 for none.

    Raises
    ------
    InputError
        If pairs or volumes name ranks that the job does not have.
    """
    pairs = np.array(job.pairs, np.int64).reshape(-1, 2)
    beyond = pairs[(pairs >= len(place)).any(axis=1) | (pairs[:, 0] == pairs[:, 1])]
    if len(beyond):
        what = f"pair {beyond[0].tolist()} is not of two of the {len(place)} ranks"
        raise InputError([Problem("", what, f"use two different ranks from 0 to {len(place) - 1}")])
    kept = place[pairs]
    if job.volumes is None and job.collective == "all-to-all-v":
        fix = "add 'volumes: FILE' to the job, with the columns source,destination,volume in ranks and bytes"
        raise InputError([Problem("", "no volumes are stated for all-to-all-v", fix)])
    volumes = None if job.volumes is None else job.volumes.between(place, job.sizes[0])
    alive = kept[(kept >= 0).all(axis=1)]
    return Group(len(domain), domain, tuple(map(tuple, alive.tolist())), job.chunks, volumes, rail)


def jobs_asked_for(
    layout: Layout | None,
    collectives: list[str] | None,
    algorithm: str | None,
    sizes: Sequence[str | float] | None,
    ranks: int | None,
    rank_order: str,
    model: str,
    seed: int,
    split: Split | None = None,
) -> list[Job]:
    """Return jobs for the options of a command; what is not asked for stays as the layout has it.

    Raises
    ------
    InputError
        If a size or a rank order makes no sense.
    """
    if ranks is not None and ranks < 1:
        raise InputError(f"ranks: {ranks} is not 1 or more", "ask for at least one rank")
    if ranks is not None and ranks > MOST_RANKS:
        raise InputError(f"ranks: {ranks} is more than {MOST_RANKS:,}", "ask for fewer")
    order = RankOrder.model_validate({"order": rank_order, "count": ranks, "seed": seed})
    asked = tuple(dict.fromkeys(nbytes for size in sizes for nbytes in _nbytes(size))) if sizes else None
    stated = (
        jobs_of(layout) if collectives is None else [Job(0, name, None, DEFAULT_SIZES, order) for name in collectives]
    )
    if asked and any(job.volumes for job in stated):
        raise InputError("size: the volumes that the layout states are the bytes of all-to-all-v", "leave out --size")
    return [
        replace(
            job,
            number=number,
            algorithm=chosen,
            sizes=asked or job.sizes,
            ranks=job.ranks if (ranks, rank_order) == (None, "linear") else order,
            model=wanted,
            pairs=job.pairs if collectives is None else (),
            split=split or (job.split if collectives is None else None),
            volumes=job.volumes if collectives is None else None,
        )
        for number, job in enumerate(stated)
        for chosen, wanted in [_asked_of(job, algorithm, model, collectives is None)]
    ]


def _asked_of(job: Job, algorithm: str | None, model: str, stated: bool) -> tuple[str | None, str]:
    """Return the algorithm and the model of a job; NCCL takes those of a layout's or the default jobs that it tunes."""
    if model == "nccl" and stated and job.collective not in TUNED:
        return job.algorithm, job.model
    return job.algorithm if algorithm is None else algorithm, model if model != "rounds" else job.model


def _nbytes(size: str | float) -> list[float]:
    if isinstance(size, int | float):
        size = f"{size} B"
    try:
        return units.parse_sizes(f"{size} B" if str(size).strip().isdigit() else size)
    except ValueError as error:
        raise InputError(f"--size: {error}") from None


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
    if order.ranks is not None and len(np.unique(chosen)) < len(chosen):
        raise InputError([Problem("", "a rank is named twice", "name each once", (*path, "ranks"))])
    return chosen.astype(np.int32)


def _too_many(what: str, gpus: int, path: tuple[str | int, ...]) -> Problem:
    where, place = ("", (*path, "ranks")) if path else ("--ranks", ())
    return Problem(where, f"{what} asked for, but there are {gpus} GPUs, 0 to {gpus - 1}", "ask for fewer", place)


def others(result: CollectiveResult) -> str:
    """Return what the algorithms that were not chosen take, in words."""
    return ", ".join(f"{one.algorithm} {units.format_time(one.time_s)}" for one in result.alternatives or ())


def result_table(rows: Sequence[CollectiveResult]) -> Table:
    """Return collectives as a table."""
    from fabrictool.tabular import Column, Table

    groups = (Column("groups", [str(r.groups or "") for r in rows]),)
    faults = (
        Column("time without faults", [r.healthy_time_s for r in rows], "s"),
        Column("lost", [r.loss_percent for r in rows], "%"),
    )
    return Table(
        "collectives",
        (
            Column("collective", [r.collective for r in rows]),
            Column("algorithm", [r.algorithm for r in rows]),
            Column("model", [r.model for r in rows]),
            Column("ranks", [r.ranks for r in rows]),
            Column("size", [r.nbytes for r in rows], "B"),
            Column("time", [r.time_s for r in rows], "s"),
            Column("busbw", [r.busbw_bytes_per_s for r in rows], "B/s"),
            Column("bound", [r.bound_busbw_bytes_per_s for r in rows], "B/s"),
            Column("latency", [r.latency_s for r in rows], "s"),
            Column("serialisation", [r.serialisation_s for r in rows], "s"),
            Column("congestion", [r.congestion_s for r in rows], "s"),
            Column("healthy from", [(r.expected_busbw_range or (None, None))[0] for r in rows], "B/s"),
            Column("healthy to", [(r.expected_busbw_range or (None, None))[1] for r in rows], "B/s"),
            Column("limited by", [r.limited_by for r in rows]),
            Column("bottleneck", [r.bottleneck for r in rows]),
            Column("others", [others(r) for r in rows]),
            *(faults if any(r.healthy_time_s is not None for r in rows) else ()),
            *(groups if any(r.groups is not None for r in rows) else ()),
        ),
    )
