"""``auto`` takes what is the fastest at each size, and says what the others take."""

from __future__ import annotations

import fabrics
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.collectives.runs import run_jobs
from fabrictool.collectives.schedules import ALGORITHMS
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.errors import FabrictoolError, InputError
from fabrictool.layout.workload import RankOrder

TREE = Transport(fabrics.pgft((8, 8), (1, 8), (1, 1)), 0)
RAILS = Transport(fabrics.rails(8, 4, 4, 4, 4), 0)
RAIL_ONLY = Transport(fabrics.rail_only(4, 4), 0)
SIZES = (1024.0, 2.0**20, 2.0**30)


def _auto(
    transport: Transport, collective: str, model: str = "rounds", sizes: tuple[float, ...] = SIZES, **ranks: object
) -> list[CollectiveResult]:
    return run_jobs(transport, [Job(0, collective, "auto", sizes, RankOrder.model_validate(ranks), model)])


@pytest.mark.parametrize("model", ["rounds", "alpha-beta", "loggp"])
@pytest.mark.parametrize("collective", sorted(set(ALGORITHMS) - {"permutation", "all-to-all-v"}))
def test_none_that_fits_is_faster(collective: str, model: str) -> None:
    for at, row in enumerate(_auto(RAILS, collective, model)):
        assert row.alternatives is not None
        taken = {row.algorithm: row.time_s} | dict(row.alternatives)
        assert set(taken) | {one.algorithm for one in row.unsuitable} == set(ALGORITHMS[collective])
        assert row.time_s == min(taken.values())
        assert [time_s for _, time_s in row.alternatives] == sorted(time_s for _, time_s in row.alternatives)
        for name, time_s in taken.items():
            (alone,) = run_jobs(RAILS, [Job(0, collective, name, SIZES[at : at + 1], RankOrder(), model)])
            assert alone.time_s == time_s


def test_pairwise_and_bruck_change_places_where_the_closed_forms_do() -> None:
    """N = 64, a = 2 us, B = 50 GB/s: equal at 2.827907 MB (S/B (p/2 - (N-1)/N) = (N-1-p) a, Bruck et al. 1997)."""
    sizes = (2.82e6, 2.83e6)
    small, large = _auto(TREE, "all-to-all", sizes=sizes)
    order = [[name for name, _ in row.alternatives or () if name in ("bruck", "pairwise")] for row in (small, large)]
    assert order == [["bruck", "pairwise"], ["pairwise", "bruck"]]


def test_what_does_not_fit_is_named_with_its_reason() -> None:
    (row,) = _auto(TREE, "all-reduce", sizes=(1e6,), count=12)
    reasons = dict(row.unsuitable)
    assert set(reasons) == {"nvls", "nvls-tree", "sharp"}
    assert reasons["sharp"] == "sharp needs switches that reduce, and sw does not say that it does in the network"
    assert reasons["nvls"] == "nvls needs ranks in one scale-up domain, not in 12"


def test_uneven_domains_are_no_reason() -> None:
    (row,) = _auto(RAILS, "all-to-all", sizes=(1e6,), list=[0, 1, 2, 3, 4, 5, 6, 8])
    assert row.unsuitable == ()
    assert {"pxn", "node-shift", "hierarchical"} <= {row.algorithm, *(one.algorithm for one in row.alternatives or ())}


def test_rails_without_a_spine_leave_what_changes_rails_inside() -> None:
    (row,) = _auto(RAIL_ONLY, "all-to-all", sizes=(1e6,))
    assert row.algorithm == "hierarchical"
    assert row.alternatives[0].algorithm == "pxn"
    assert "cannot reach" in dict(row.unsuitable)["direct"]


def test_where_nothing_fits_the_result_says_why() -> None:
    (row,) = _auto(RAIL_ONLY, "send-recv", sizes=(1e6,), list=[0, 5])
    assert row.time_s is None
    assert "cannot reach" in row.limited_by


def test_jobs_that_run_together_take_what_is_the_fastest_alone() -> None:
    jobs = [
        Job(at, "all-to-all", "auto", (1e6,), RankOrder(count=8, offset=8 * at), "fluid", path=("scenario", "jobs", at))
        for at in range(2)
    ]
    both = run_jobs(TREE, jobs)
    alone = run_jobs(TREE, jobs[:1])
    assert [row.algorithm for row in both] == [alone[0].algorithm] * 2
    assert both[0].alternatives == alone[0].alternatives
    assert both[0].time_s >= alone[0].time_s * (1 - 1e-12)


def test_messages_beyond_number_are_not_tried() -> None:
    transport = Transport(fabrics.pgft((64, 64), (1, 64), (1, 1)), 0)
    (row,) = _auto(transport, "all-to-all", sizes=(1e9,))
    assert "16,777,216 messages are too many" in dict(row.unsuitable)["direct"]
    assert row.algorithm == "pairwise"


def test_all_that_is_wrong_is_said_at_once() -> None:
    jobs = [
        Job(0, "all-reduce", "auto", (1e6,), RankOrder(count=1000)),
        Job(1, "all-reduce", "ring", (1e6,), RankOrder(count=2000)),
    ]
    with pytest.raises(InputError) as caught:
        run_jobs(TREE, jobs)
    assert len(caught.value.problems) == 2


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 64), st.sampled_from(sorted(set(ALGORITHMS) - {"permutation", "all-to-all-v"})), st.floats(1, 1e10)
)
def test_auto_always_answers(count: int, collective: str, nbytes: float) -> None:
    try:
        (row,) = _auto(TREE, collective, sizes=(nbytes,), count=count)
    except FabrictoolError as error:
        pytest.fail(str(error))
    assert row.time_s is not None
    assert row.time_s >= (row.bound_s or 0.0) * (1 - 1e-12)
