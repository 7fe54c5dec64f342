"""The model ``fluid``: what must hold of any sharing."""

from __future__ import annotations

from dataclasses import replace

import fabrics
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.collectives.runs import run_jobs
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.errors import InputError
from fabrictool.fabric.faults import faults_by_name
from fabrictool.layout.network import Routing as Stated
from fabrictool.layout.workload import RankOrder


def _alone(transport: Transport, model: str, collective: str, algorithm: str, ranks: list[int]) -> CollectiveResult:
    job = Job(0, collective, algorithm, (1e7,), RankOrder(**{"list": ranks}), model)
    (result,) = run_jobs(transport, [job])
    return result


TREE = fabrics.pgft((4, 4), (1, 2), (1, 1))


@settings(max_examples=40, deadline=None)
@given(
    st.permutations(range(16)),
    st.sampled_from([("all-reduce", "ring"), ("all-to-all", "pairwise"), ("broadcast", "binomial")]),
    st.sampled_from(["d-mod-k", "spray", "ecmp"]),
)
def test_between_the_bound_and_the_rounds(order: list[int], pair: tuple[str, str], routing: str) -> None:
    """A flow of a round gets at least its part of its fullest link, so equal flows end no later than that link."""
    transport = Transport(TREE, 0, stated=Stated(name=routing))
    fluid, rounds = (_alone(transport, model, *pair, order) for model in ("fluid", "rounds"))
    assert fluid.time_s is not None
    assert rounds.time_s is not None
    assert fluid.bound_s is not None
    assert fluid.bound_s * (1 - 1e-12) <= fluid.time_s <= rounds.time_s * (1 + 1e-12)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(16)))
def test_another_job_never_makes_one_faster(order: list[int]) -> None:
    transport = Transport(TREE, 0)
    jobs = [
        Job(at, "all-to-all", "pairwise", (1e7,), RankOrder(**{"list": part}), "fluid", path=("scenario", "jobs", at))
        for at, part in enumerate((order[:8], order[8:]))
    ]
    together = run_jobs(transport, jobs)
    for job, result in zip(jobs, together, strict=True):
        (alone,) = run_jobs(transport, [job])
        assert alone.time_s is not None
        assert result.time_s is not None
        assert result.time_s >= alone.time_s * (1 - 1e-9)


def test_the_bottleneck_is_the_link_that_is_full_longest() -> None:
    transport = Transport(TREE, 0)
    result = _alone(transport, "fluid", "incast", "direct", list(range(16)))
    assert result.bottleneck == "host-01:1 - leaf-01:1"
    assert result.limited_by == "NIC"
    assert result.time_s == pytest.approx(15 * 1e7 / 50e9, rel=1e-2)


def test_sizes_are_run_one_by_one_and_one_rank_takes_no_time() -> None:
    transport = Transport(TREE, 0)
    job = Job(0, "all-reduce", "ring", (1.0, 1e6, 1e9), RankOrder(), "fluid")
    times = [result.time_s for result in run_jobs(transport, [job])]
    assert times == sorted(times)
    assert [r.nbytes for r in run_jobs(transport, [job])] == [1.0, 1e6, 1e9]
    assert _alone(transport, "fluid", "all-reduce", "ring", [3]).time_s == 0


def test_ranks_that_cannot_be_reached_have_no_time() -> None:
    faults = faults_by_name(TREE, links=["leaf-01:5", "leaf-01:6"])
    result = _alone(Transport(TREE, 0, faults), "fluid", "all-reduce", "ring", list(range(16)))
    assert result.time_s is None
    assert "cannot reach" in result.limited_by


@pytest.mark.parametrize("model", ["fluid", "loggp"])
def test_a_job_that_has_no_way_takes_no_other_along(model: str) -> None:
    """Leaf 1 without uplinks: ranks 0 and 1 are on it, 0 and 12 are apart."""
    transport = Transport(TREE, 0, faults_by_name(TREE, links=["leaf-01:5", "leaf-01:6"]))
    inside, apart = (
        Job(at, "all-reduce", "ring", (1e9,), RankOrder.model_validate({"list": ranks}), model,
            path=("scenario", "jobs", at))
        for at, ranks in enumerate(([0, 1], [2, 12]))
    )  # fmt: skip
    found, lost = run_jobs(transport, [inside, apart])
    assert found.time_s == pytest.approx(1e9 / 50e9, rel=1e-3)
    assert lost.time_s is None
    assert "GPU 2 cannot reach GPU 12" in lost.limited_by


def test_all_problems_are_named_at_once() -> None:
    jobs = [Job(0, "all-reduce", "ring", (1.0,), RankOrder(count=17), "fluid"),
            Job(1, "permutation", None, (1.0,), RankOrder(), "fluid")]  # fmt: skip
    with pytest.raises(InputError) as caught:
        run_jobs(Transport(TREE, 0), jobs)
    assert len(caught.value.problems) == 2
    for model in ("fluid", "loggp"):
        scenario = [replace(job, model=model, path=("scenario", "jobs", job.number)) for job in jobs]
        with pytest.raises(InputError) as caught:
            run_jobs(Transport(TREE, 0), scenario)
        assert [problem.path[2] for problem in caught.value.problems] == [0, 1]
