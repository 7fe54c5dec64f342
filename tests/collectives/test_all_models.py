"""What holds for every collective, algorithm and model."""

from __future__ import annotations

from functools import cache

import fabrics
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fabrictool.collectives.runs import run_jobs
from fabrictool.collectives.schedules import ALGORITHMS
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.errors import InputError
from fabrictool.fabric.faults import faults_of_rows, random_faults
from fabrictool.layout.workload import RankOrder

MODELS = ("rounds", "fluid", "loggp", "alpha-beta", "bound")
NEED_PAIRS = ("permutation", "all-to-all-v")
PAIRS = [(name, word) for name, known in ALGORITHMS.items() for word in known if name not in NEED_PAIRS]
EVERY = pytest.mark.parametrize("pair", PAIRS, ids=[f"{name} {word}" for name, word in PAIRS])
TREE = fabrics.pgft((4, 4), (1, 4), (1, 1))
FABRICS = {
    "full": TREE,
    "2:1": fabrics.pgft((4, 4), (1, 2), (1, 1)),
    "three levels": fabrics.pgft((2, 2, 4), (1, 2, 2), (1, 1, 1)),
    "rails": fabrics.rails(4, 4, 2, 2, 2),
}


def _run(
    transport: Transport, pair: tuple[str, str], nbytes: float, model: str, ranks: list[int] | None = None
) -> CollectiveResult | None:
    """Return a result; none where the algorithm does not fit the ranks, or they cannot reach each other."""
    order = RankOrder.model_validate({"list": ranks} if ranks is not None else {})
    try:
        (found,) = run_jobs(transport, [Job(0, *pair, (nbytes,), order, model)])
    except InputError as error:
        assert "needs" in str(error) or "reduce" in str(error)  # noqa: PT017 - what the algorithm asks of ranks or switches
        return None
    return found if found.time_s is not None else None


@cache
def _network(host: str, fabric: str) -> Transport:
    """16 hosts on leaves of 4 with 2 uplinks."""
    switch = {"name": "sw", "ports": 16, "speed": "800G", "latency": "0 ns"}
    group = {"name": "host", "type": fabrics.host_type(speed=host), "count": 16}
    leaf = {"type": switch, "down": 4, "up": 2, "up_speed": fabric}
    return Transport(fabrics.fabric_of(group, family="fat-tree", leaf=leaf, spine={"type": switch, "count": 2}), 0)


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(sorted(FABRICS)),
    st.sampled_from(PAIRS),
    st.sampled_from(MODELS),
    st.floats(1, 1e10),
    st.integers(0, 3),
    st.integers(0, 99),
    st.permutations(range(16)),
    st.integers(1, 16),
)
def test_no_result_is_better_than_its_bound_whatever_is_down(
    name: str, pair: tuple[str, str], model: str, nbytes: float, down: int, seed: int, order: list[int], size: int
) -> None:
    transport = Transport(FABRICS[name], 0, random_faults(FABRICS[name], down, 0, seed))
    found = _run(transport, pair, nbytes, model, order[:size])
    if found is None:
        return
    assert found.time_s >= found.bound_s * (1 - 1e-9)
    assert found.latency_s + found.serialisation_s + found.congestion_s == found.time_s
    assert min(found.latency_s, found.serialisation_s, found.congestion_s) >= 0


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(PAIRS), st.sampled_from(MODELS), st.floats(1, 1e9), st.floats(1, 100), st.permutations(range(16))
)
@example(
    ("all-reduce", "double-binary-tree"), "fluid", 7254855, 5, [3, 6, 2, 0, 5, 4, 1, 9, 11, 13, 10, 12, 8, 15, 14, 7]
)
def test_more_bytes_are_never_faster(
    pair: tuple[str, str], model: str, nbytes: float, times: float, order: list[int]
) -> None:
    transport = _network("400G", "400G")
    few, many = (_run(transport, pair, size, model, order) for size in (nbytes, nbytes * times))
    if few is not None and many is not None:
        assert few.time_s <= many.time_s * (1 + 1e-9)
        if model != "loggp":  # whose first byte takes no time
            # a little more latency may make chunks of a pipeline meet, or miss each other, on a shared link
            near = 5e-3 if (model, pair[1]) == ("fluid", "double-binary-tree") else 1e-9
            assert many.time_s <= few.time_s * times * (1 + near)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PAIRS), st.sampled_from(MODELS), st.permutations(range(16)))
def test_more_bandwidth_is_never_slower(pair: tuple[str, str], model: str, order: list[int]) -> None:
    """Twice the speed of all links halves what bytes take; twice that of the uplinks alone costs nothing."""
    slow, wide, fast = (
        _run(_network(*speeds), pair, 1e9, model, order)
        for speeds in (("400G", "400G"), ("400G", "800G"), ("800G", "800G"))
    )
    if slow is None or wide is None or fast is None:
        return
    assert fast.bound_s <= wide.bound_s * (1 + 1e-9)
    assert wide.bound_s <= slow.bound_s * (1 + 1e-9)
    if model in ("rounds", "fluid"):  # gaps of loggp hide behind bytes, and a bound has no latency
        near = 5e-3 if pair[1] == "double-binary-tree" else 1e-3  # chunks of a pipeline wait for each other's latency
        assert fast.time_s - fast.latency_s == pytest.approx((slow.time_s - slow.latency_s) / 2, rel=near)
    if model != "fluid":  # under max-min a flow that gains may take from one that others wait for
        assert fast.time_s <= wide.time_s * (1 + 1e-9)
        assert wide.time_s <= slow.time_s * (1 + 1e-9)


@EVERY
@pytest.mark.parametrize("model", MODELS)
def test_time_is_linear_in_bytes_for_large_messages(pair: tuple[str, str], model: str) -> None:
    transport = _network("400G", "400G")
    one, four = (_run(transport, pair, size, model) for size in (64e9, 256e9))
    if one is not None and four is not None:
        assert four.time_s / one.time_s == pytest.approx(4, rel=2e-3)


@EVERY
@pytest.mark.parametrize("model", MODELS)
def test_hosts_that_are_alike_may_change_places(pair: tuple[str, str], model: str) -> None:
    """Leaves of a full tree are alike; so are the places on them, if all leaves exchange the same ones."""
    transport = Transport(TREE, 0)
    orders = [
        [leaf * 4 + place for leaf in leaves for place in places]
        for leaves in ((0, 1, 2, 3), (2, 0, 3, 1))
        for places in ((0, 1, 2, 3), (3, 1, 0, 2))
    ]
    found = [_run(transport, pair, 1e8, model, order) for order in orders]
    for row in found[1:]:
        assert (row is None) == (found[0] is None)
        if row is not None:
            for name in ("time_s", "bound_s", "latency_s", "serialisation_s", "congestion_s"):
                assert getattr(row, name) == pytest.approx(getattr(found[0], name), rel=1e-9, abs=1e-15), name


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(PAIRS), st.sampled_from(["rounds", "loggp", "alpha-beta", "bound"]), st.floats(0.05, 1), st.data()
)
def test_a_slow_link_makes_nothing_faster(
    pair: tuple[str, str], model: str, factor: float, draw: st.DataObject
) -> None:
    links = draw.draw(st.sets(st.integers(0, len(TREE.links) - 1), max_size=4))
    slow = Transport(TREE, 0, faults_of_rows(TREE, factors=dict.fromkeys(links, factor)))
    before, after = _run(Transport(TREE, 0), pair, 1e8, model), _run(slow, pair, 1e8, model)
    assert (before is None) == (after is None)
    if before is not None and after is not None:
        assert before.time_s * (1 - 1e-9) <= after.time_s <= before.time_s / factor * (1 + 1e-9)
