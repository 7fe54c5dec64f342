"""Jobs that are split into groups: all run the collective at once, and the slowest is the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabrictool.collectives.bounds import Bound
from fabrictool.collectives.costs import ScheduleCost, UnreachableError
from fabrictool.collectives.group_bounds import group_bound
from fabrictool.collectives.lockstep import Alike, GroupMeter
from fabrictool.collectives.schedules import ALGORITHMS, bus_factor
from fabrictool.collectives.transport import OF_NONE, Prepared, Transport
from fabrictool.collectives.workloads import CollectiveResult, GroupSpread, Job, rank_list
from fabrictool.errors import InputError, NotSupportedError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.layout.workload import RankOrder

#: Models in which groups meet on links by rounds.
IN_ROUNDS = ("rounds", "alpha-beta", "bound")
#: Groups times channels that fluid groups may have: a gigabyte.
MOST_AT_ONCE = 1 << 27
#: Ranks of a group that are named.
NAMED = 4

Run = Callable[[list[Job]], list[CollectiveResult]]


@dataclass(frozen=True)
class Groups:
    """A job's groups: places of their ranks in the job, endpoints of those whose hosts are up, and their bound."""

    job: Job
    places: list[I4]
    members: list[I4]
    floor: Bound

    @property
    def ranks(self) -> int:
        """Ranks of all groups."""
        return sum(len(group) for group in self.members)

    @property
    def largest(self) -> int:
        """Ranks of the largest group."""
        return max((len(group) for group in self.members), default=0)


def groups_of(transport: Transport, job: Job) -> Groups:
    """Return a job's groups.

    Raises
    ------
    InputError
        If its ranks cannot be split as it states.
    """
    assert job.split is not None
    _check(job)
    every = rank_list(job.ranks, transport.wiring.endpoints, job.path)
    places = job.split.members(len(every), job.path)
    up = ~transport.wiring.faults.device[transport.wiring.device[every]]
    members = [every[group][up[group]] for group in places]
    known = ALGORITHMS.get(job.collective, {}).get(job.algorithm or "")
    floor = group_bound(job.collective, transport.wiring, members, known.reduces if known else "")
    return Groups(job, places, members, floor)


def _check(job: Job) -> None:
    """Refuse what groups have no meaning for."""
    stated = [name for name, value in (("pairs", job.pairs), ("volumes", job.volumes)) if value]
    if stated or job.collective in ("permutation", "all-to-all-v"):
        key = stated[0] if stated else "collective"
        what = f"{key} name ranks of the whole job, which is split into groups" if stated else (
            f"{job.collective} is between stated ranks of the whole job, which is split into groups"
        )  # fmt: skip
        where, path = ("", (*job.path, key)) if job.path else (f"--{key}", ())
        raise InputError([Problem(where, what, "remove it, or do not split the ranks", path)])


def run_in_rounds(transport: Transport, groups: Groups) -> list[CollectiveResult]:
    """Return a job's results under the models whose groups meet by rounds, size by size.

    Raises
    ------
    InputError
        If the algorithm does not fit the groups.
    """
    job = groups.job
    busy = [row for row, group in enumerate(groups.members) if len(group) > 1]
    if not busy:
        return [_nothing(transport, groups, nbytes) for nbytes in job.sizes]
    kinds = [(rows, transport.prepared(_of_group(job, groups.members[rows[0]]))) for rows in _alike(transport, groups)]
    meter = GroupMeter(transport.routing, job.model, len(groups.members))
    name = {row: one.name for rows, one in kinds for row in rows}
    try:
        if job.model != "bound":
            meter.count([_part(groups, rows, one) for rows, one in kinds])
    except UnreachableError as error:
        return [transport.no_result(job, groups.largest, nbytes, error.why) for nbytes in job.sizes]
    results = []
    for nbytes in job.sizes:
        times = meter.latency_s + nbytes * meter.seconds_per_byte
        row = max(busy, key=lambda group: times[group])
        found = transport.result(job, name[row], len(groups.members[row]), nbytes, meter.cost(row), groups.floor)
        spread = _spread(transport, groups, row, times[busy])
        results.append(replace(found, groups=spread))
    return results


def _part(groups: Groups, rows: Sequence[int], one: Prepared) -> Alike:
    ranks = np.stack([groups.members[row] for row in rows])
    return Alike(one.algorithm.rounds(one.group), np.array(rows, np.int32), ranks)


def _alike(transport: Transport, groups: Groups) -> Iterator[list[int]]:
    """Yield the numbers of groups of several ranks that stand alike in domains and on rails."""
    wiring = transport.wiring
    found: dict[tuple[int, bytes, bytes], list[int]] = {}
    for row, ranks in enumerate(groups.members):
        if len(ranks) > 1:
            domain = np.where(wiring.scale_up[ranks] >= 0, wiring.domain[ranks], -1 - ranks)
            place = np.unique(domain, return_inverse=True)[1]
            key = (len(ranks), place.tobytes(), wiring.rail[ranks].tobytes())
            found.setdefault(key, []).append(row)
    yield from found.values()


def run_each(transport: Transport, groups: Groups, run: Run) -> list[CollectiveResult]:
    """Return a job's results under the models that take each group as a job, size by size.

    Parameters
    ----------
    transport : Transport
    groups : Groups
    run : callable
        Runs the groups' jobs, at the same time.
    """
    listed = jobs_of_groups(transport, groups)
    if not listed:
        return [_nothing(transport, groups, nbytes) for nbytes in groups.job.sizes]
    return slowest(transport, groups, listed, run(listed))


def jobs_of_groups(transport: Transport, groups: Groups, first: int = 0) -> list[Job]:
    """Return the groups of several ranks as jobs of their own, numbered from ``first``.

    Raises
    ------
    NotSupportedError
        If there are more than a computer's memory holds at once.
    """
    busy = [group for group in groups.members if len(group) > 1]
    if len(busy) * len(transport.channels) > MOST_AT_ONCE:
        channels = f"{len(transport.channels):,} channels"
        what = f"{len(busy):,} groups on {channels} are too many for the model {groups.job.model}"
        raise NotSupportedError([Problem("", what, "use the model rounds, or fewer ranks", groups.job.path)])
    return [replace(_of_group(groups.job, group), number=first + at) for at, group in enumerate(busy)]


def slowest(
    transport: Transport, groups: Groups, listed: Sequence[Job], rows: Sequence[CollectiveResult]
) -> list[CollectiveResult]:
    """Return the result of the slowest group at each size; ``rows`` are those of the groups' jobs."""
    by_job: dict[int, list[CollectiveResult]] = {job.number: [] for job in listed}
    for one in rows:
        by_job[one.job].append(one)
    number = [row for row, group in enumerate(groups.members) if len(group) > 1]
    found = []
    for results in zip(*by_job.values(), strict=True):
        lost = next((one for one in results if one.time_s is None), None)
        if lost is not None:
            found.append(replace(lost, job=groups.job.number))
            continue
        times = np.array([one.time_s for one in results], np.float64)
        at = int(times.argmax())
        one = _no_better(replace(results[at], job=groups.job.number), groups.floor)
        found.append(replace(one, groups=_spread(transport, groups, number[at], times)))
    return found


def _no_better(found: CollectiveResult, floor: Bound) -> CollectiveResult:
    """Return a result beside the bound of all groups, which a model of each group alone does not see."""
    bound_s, time_s = floor.time_s(found.nbytes), found.time_s or 0.0
    found = replace(found, limited_by=floor.title) if found.limited_by == OF_NONE.title else found
    if found.model != "loggp" or time_s >= bound_s:
        return replace(found, bound_s=bound_s)
    before_s = (found.latency_s or 0.0) + (found.serialisation_s or 0.0)
    congestion_s = bound_s - before_s
    time_s = before_s + congestion_s
    algbw = found.nbytes / time_s
    return replace(
        found, bound_s=bound_s, time_s=time_s, congestion_s=congestion_s, algbw_bytes_per_s=algbw,
        busbw_bytes_per_s=algbw * bus_factor(found.collective, found.ranks), limited_by=floor.title,
    )  # fmt: skip


def _of_group(job: Job, ranks: I4) -> Job:
    order = RankOrder.model_validate({"list": ranks.tolist()})
    return replace(job, ranks=order, split=None, at_once=True)


def _nothing(transport: Transport, groups: Groups, nbytes: float) -> CollectiveResult:
    """Return the result of groups of one rank each, which send nothing."""
    name, cost = groups.job.algorithm or "none", ScheduleCost(0.0, 0.0, {})
    return transport.result(groups.job, name, min(groups.largest, 1), nbytes, cost, Bound(0.0, 0.0, "one rank"))


def _spread(transport: Transport, groups: Groups, row: int, times: np.ndarray) -> GroupSpread:
    assert groups.job.split is not None
    low, middle, high = (float(one) for one in np.quantile(times, [0, 0.5, 1]))
    names = [transport.wiring.rank_name(int(rank)) for rank in groups.members[row]]
    shown = names if len(names) <= NAMED else [*names[: NAMED - 1], "…", names[-1]]
    spread = 100 * (high - low) / high if high else 0.0
    return GroupSpread(
        groups.job.split.title, len(groups.members), groups.ranks, row, tuple(shown), low, middle, spread
    )
