"""Groups and jobs at once under ``loggp`` and ``nccl``: links that they share leave each its part."""

from __future__ import annotations

from typing import Any

import fabrics
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.collectives.paced import Stretch, paced_times
from fabrictool.collectives.runs import run_jobs
from fabrictool.collectives.split import Split
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.evaluation import score
from fabrictool.layout.parallel import Parallel
from fabrictool.layout.reading import layout_from_tree
from fabrictool.layout.workload import RankOrder

BYTE_S = 8 / 400e9
ONE_UPLINK = Transport(fabrics.pgft((2, 2), (1, 1), (1, 1)), 0)
TAPERED = Transport(fabrics.pgft((4, 4), (1, 2), (1, 1)), 0)


def _groups(transport: Transport, model: str, groups: tuple[tuple[int, ...], ...], nbytes: float) -> CollectiveResult:
    job = Job(0, "all-reduce", "ring", (nbytes,), RankOrder(), model, split=Split(groups=groups))
    (found,) = run_jobs(transport, [job])
    return found


def _scenario(transport: Transport, model: str, *jobs: tuple[float, list[int]]) -> list[CollectiveResult]:
    listed = [
        Job(at, "all-reduce", "ring", (nbytes,), RankOrder.model_validate({"list": ranks}), model,
            path=("scenario", "jobs", at))
        for at, (nbytes, ranks) in enumerate(jobs)
    ]  # fmt: skip
    return run_jobs(transport, listed)


def test_groups_on_one_uplink_halve_it_under_loggp() -> None:
    """Pairs (0, 2) and (1, 3) both cross one uplink: as under ``rounds``, but for a byte."""
    both = _groups(ONE_UPLINK, "loggp", ((0, 2), (1, 3)), 1e9)
    rounds = _groups(ONE_UPLINK, "rounds", ((0, 2), (1, 3)), 1e9)
    assert both.serialisation_s == pytest.approx(1e9 * BYTE_S, rel=1e-8)
    assert both.congestion_s == pytest.approx(1e9 * BYTE_S, rel=1e-8)
    assert both.time_s == pytest.approx(rounds.time_s, rel=1e-8)
    assert (both.limited_by, both.bottleneck) == (rounds.limited_by, rounds.bottleneck)
    apart = _groups(ONE_UPLINK, "loggp", ((0, 1), (2, 3)), 1e9)
    assert apart.congestion_s == 0
    assert apart.time_s == pytest.approx(_groups(ONE_UPLINK, "loggp", ((0, 1),), 1e9).time_s, rel=1e-12)


def test_small_messages_share_nothing_that_is_seen() -> None:
    """8 bytes: all latency, however many groups use the uplink."""
    both, alone = (_groups(ONE_UPLINK, "loggp", groups, 8) for groups in (((0, 2), (1, 3)), ((0, 2),)))
    assert both.time_s == pytest.approx(alone.time_s, rel=1e-3)


@pytest.mark.parametrize("nbytes", [(1e9, 1e9), (1e9, 3e9)])
def test_what_a_job_leaves_is_given_to_the_other(nbytes: tuple[float, float]) -> None:
    """Two jobs on one uplink: both at half of it until the shorter ends, which is at twice its own time."""
    jobs = [(nbytes[0], [0, 2]), (nbytes[1], [1, 3])]
    found, fluid = (_scenario(ONE_UPLINK, model, *jobs) for model in ("loggp", "fluid"))
    assert found[0].time_s == pytest.approx(2 * nbytes[0] * BYTE_S, rel=1e-3)
    assert found[1].time_s == pytest.approx(sum(nbytes) * BYTE_S, rel=1e-3)
    for one, other in zip(found, fluid, strict=True):
        assert one.time_s == pytest.approx(other.time_s, rel=1e-4)


def test_groups_of_a_job_share_with_other_jobs() -> None:
    """Data groups cross leaves while tensor groups use the same ports: each takes about twice as long."""
    jobs = [
        Job(at, "all-reduce", "ring", (1e9,), RankOrder(), "loggp", path=("scenario", "jobs", at), split=split)
        for at, split in enumerate(Split(Parallel(tensor=4), (over,)) for over in ("tensor", "data"))
    ]
    full = Transport(fabrics.pgft((4, 4), (1, 4), (1, 1)), 0)
    together, alone = run_jobs(full, jobs), [run_jobs(full, [job])[0] for job in jobs]
    for both, free in zip(together, alone, strict=True):
        assert both.time_s - both.latency_s == pytest.approx(2 * (free.time_s - free.latency_s), rel=0.02)


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(16)))
def test_pairs_are_as_under_max_min(order: list[int]) -> None:
    """Each rank of a pair sends one message at a time, so that a pace is a rate: large ones end as flows do."""
    pairs = tuple((order[at], order[at + 1]) for at in range(0, 16, 2))
    one, other = (_groups(TAPERED, model, pairs, 1e12) for model in ("loggp", "fluid"))
    assert one.time_s == pytest.approx(other.time_s, rel=1e-5)


def _nccl(groups: list[list[int]] | None, channels: int, inter: str) -> CollectiveResult:
    """All-reduce of 1 GB in pairs of H100 hosts with one GPU each, over one uplink of 50 GB/s."""
    stated = {"gpu": "hopper", "cpu": "intel", "channels": channels, "intra": inter, "inter": inter}
    host = {"name": "h", "gpus": 1, "nics": 1, "speed": "400G", "gpu": "H100", "nccl": stated}
    switch = {"name": "s", "ports": 3, "speed": "400G", "latency": "0 ns"}
    job: dict[str, Any] = {"collective": "all-reduce", "size": "1GB", "model": "nccl", "algorithm": "ring"}
    job |= {"ranks": {"list": [0, 2]}} if groups is None else {"groups": groups}
    tree = {
        "name": "pairs", "hosts": {"type": host, "count": 4}, "scenario": {"jobs": [job | {"protocol": "simple"}]},
        "networks": {"compute": {"family": "fat-tree", "pgft": {"m": [2, 2], "w": [1, 1], "p": [1, 1]},
                                 "leaf": {"type": switch}, "spine": {"type": switch}}},
    }  # fmt: skip
    (found,) = score(layout_from_tree(tree)).collectives
    return found


@pytest.mark.parametrize(
    ("channels", "inter", "slower"),
    [(2, "25 GB/s", 2.0), (2, "20 GB/s", 1.6), (1, "25 GB/s", 1.0), (1, "12 GB/s", 1.0)],
)
def test_nccl_goes_at_its_pace_unless_links_leave_less(channels: int, inter: str, slower: float) -> None:
    """Two pairs on an uplink of 50 GB/s get 25 each: half of 50, 1/1.6 of the 40 that two channels of 20 carry, or all.

    To 1e-3: the library's plateau of ring/simple, 14.56 us, is in what is no latency.
    """
    alone, both = _nccl(None, channels, inter), _nccl([[0, 2], [1, 3]], channels, inter)
    assert both.algorithm == alone.algorithm == "ring/simple"
    assert both.latency_s == alone.latency_s
    bytes_s = alone.time_s - alone.latency_s
    assert bytes_s == pytest.approx(1e9 / (channels * float(inter.split(maxsplit=1)[0]) * 1e9), rel=1e-3)
    assert both.time_s - both.latency_s == pytest.approx(slower * bytes_s, rel=1e-3)
    assert both.congestion_s == pytest.approx((slower - 1) * bytes_s, rel=2e-3)
    assert both.limited_by == ("leaf uplink" if slower > 1 else "channels")


def test_paces_by_hand() -> None:
    """A fills channel 0, of which B takes half; B fills channel 1, of which C takes a quarter.

    At 2/3 of their paces A and B fill channel 0; channel 1 then leaves C more than it can use.
    """
    a, b, c = (
        Stretch(0.0, 1.0, np.array(channel, np.int32), np.array(part))
        for channel, part in (([0], [1.0]), ([0, 1], [0.5, 1.0]), ([1], [0.25]))
    )
    found = paced_times([[a], [b], [c]], 2)
    assert [one.time_s for one in found] == pytest.approx([1.5, 1.5, 1.0])
    assert [one.channel for one in found] == [0, 0, -1]
    assert [one.time_s for one in paced_times([[a], [a, a]], 2)] == pytest.approx([2.0, 3.0])
    assert paced_times([[a]], 2)[0].time_s == 1.0
    assert paced_times([], 2) == []


def _followed(parts: np.ndarray, bytes_s: list[float]) -> list[float]:
    """Give every job that runs the same pace, more and more, until a channel is full or the pace its own; go on."""
    left, ends, now_s = list(bytes_s), [0.0] * len(bytes_s), 0.0
    running = {job for job, seconds in enumerate(bytes_s) if seconds > 0}
    while running:
        pace, free = dict.fromkeys(running, 0.0), set(running)
        while free:
            room = 1.0 - sum(parts[job] * pace[job] for job in running)
            asked = sum(parts[job] for job in free)
            step = min([1.0 - pace[job] for job in free] + [room[c] / asked[c] for c in np.flatnonzero(asked)])
            for job in free:
                pace[job] += step
            full = np.flatnonzero(room - asked * step < 1e-9)
            free -= {job for job in free if pace[job] > 1 - 1e-9 or (parts[job][full] > 0).any()}
        step = min(left[job] / pace[job] for job in running)
        now_s += step
        for job in list(running):
            left[job] -= step * pace[job]
            if left[job] < 1e-9 * bytes_s[job]:
                ends[job] = now_s
                running.remove(job)
    return ends


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=4, max_size=4),
            st.floats(0.5, 8.0),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_paces_against_a_slow_twin(jobs: list[tuple[list[float], float]]) -> None:
    parts = np.array([part for part, _ in jobs])
    stretches = [
        [Stretch(0.0, seconds, np.flatnonzero(part).astype(np.int32), part[part > 0])]
        for part, (_, seconds) in zip(parts, jobs, strict=True)
    ]
    found = [one.time_s for one in paced_times(stretches, 4)]
    assert found == pytest.approx(_followed(parts, [seconds for _, seconds in jobs]), rel=1e-6)
