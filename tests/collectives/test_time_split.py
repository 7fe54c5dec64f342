"""What a collective's time is made of: latency, bytes alone on their way, and what others cost."""

from __future__ import annotations

import fabrics
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.catalogue.types import HostType
from fabrictool.collectives.runs import run_jobs
from fabrictool.collectives.schedules import ALGORITHMS
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.errors import InputError
from fabrictool.layout.workload import RankOrder

PAIRS = [
    (name, word) for name, known in ALGORITHMS.items() for word in known if name not in ("permutation", "all-to-all-v")
]
TREE = Transport(fabrics.pgft((4, 4), (1, 2), (1, 1)), 0)
RAILS = Transport(fabrics.rails(8, 4, 4, 2, 2), 0)
BYTE_S = 8 / 400e9


def _run(
    transport: Transport, collective: str, algorithm: str | None, nbytes: float, model: str = "rounds", **ranks: object
) -> CollectiveResult:
    (result,) = run_jobs(transport, [Job(0, collective, algorithm, (nbytes,), RankOrder.model_validate(ranks), model)])
    return result


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([TREE, RAILS]),
    st.sampled_from(PAIRS),
    st.floats(1, 1e10),
    st.sampled_from(["rounds", "fluid", "loggp", "alpha-beta", "bound"]),
)
def test_the_parts_make_the_whole(transport: Transport, pair: tuple[str, str], nbytes: float, model: str) -> None:
    try:
        found = _run(transport, *pair, nbytes, model)
    except InputError:  # a power of two, or whole domains
        return
    parts = (found.latency_s, found.serialisation_s, found.congestion_s)
    assert sum(parts) == found.time_s
    assert min(parts) >= 0
    if model == "rounds":  # alone, bytes take no longer than where they meet no others
        free = _run(transport, *pair, nbytes, "alpha-beta")
        assert found.serialisation_s <= (free.time_s - free.latency_s) * (1 + 1e-9) or free.limited_by == "scale-up"


def test_what_a_tapered_leaf_costs_is_congestion() -> None:
    """Four hosts a leaf over two uplinks: all to all at once is 15/16 S/B alone, and 24/16 S/B on the uplinks."""
    found = _run(TREE, "all-to-all", "direct", 1e9)
    assert found.serialisation_s == pytest.approx(15 / 16 * 1e9 * BYTE_S, rel=1e-12)
    # a leaf sends 4 x 12 / 16 of a buffer over two uplinks, which D-mod-k fills evenly
    assert found.latency_s + found.congestion_s == pytest.approx(found.time_s - 15 / 16 * 1e9 * BYTE_S, rel=1e-12)
    assert found.congestion_s == pytest.approx((24 - 15) / 16 * 1e9 * BYTE_S, rel=1e-12)


def test_incast_is_congestion() -> None:
    """Fifteen senders into one port: alone each takes S/B."""
    found = _run(TREE, "incast", None, 1e9)
    assert found.serialisation_s == pytest.approx(1e9 * BYTE_S, rel=1e-12)
    assert found.congestion_s == pytest.approx(14 * 1e9 * BYTE_S, rel=1e-12)


def test_a_ring_in_order_meets_nobody() -> None:
    """Patarasuk, Yuan 2009: 2 (N - 1) / N S/B, and 2 (N - 1) times the longest way of four links of 500 ns."""
    found = _run(TREE, "all-reduce", "ring", 1e9)
    assert found.latency_s == pytest.approx(30 * 2e-6, rel=1e-12)
    assert found.serialisation_s == pytest.approx(30 / 16 * 1e9 * BYTE_S, rel=1e-12)
    assert found.congestion_s == 0


def test_a_slow_uplink_is_serialisation_for_what_crosses_it() -> None:
    """Uplinks of 100G below hosts of 400G: alone, a message is as fast as the slowest link on its way."""
    switch = {"name": "sw", "ports": 16, "speed": "400G", "latency": "0 ns"}
    leaf = {"type": switch, "down": 4, "up": 4, "up_speed": "100G"}
    group = {"name": "host", "type": fabrics.host_type(), "count": 8}
    network = Transport(fabrics.fabric_of(group, family="fat-tree", leaf=leaf, spine={"type": switch, "count": 4}), 0)
    ring = _run(network, "all-reduce", "ring", 1e9)
    assert ring.serialisation_s == pytest.approx(14 / 8 * 1e9 * 4 * BYTE_S, rel=1e-12)
    assert ring.congestion_s == 0
    inside = _run(network, "all-reduce", "ring", 1e9, count=4)
    assert inside.serialisation_s == pytest.approx(6 / 4 * 1e9 * BYTE_S, rel=1e-12)


def test_a_closed_form_splits_time_as_following_each_flow_does() -> None:
    transport = Transport(fabrics.pgft((8, 8), (1, 4), (1, 1)), 0)
    assert transport.trees[0] is not None
    closed = _run(transport, "all-to-all", "pairwise", 1e9)
    transport.trees = [None]
    followed = _run(transport, "all-to-all", "pairwise", 1e9)
    assert closed.congestion_s > 0
    for name in ("time_s", "latency_s", "serialisation_s", "congestion_s"):
        assert getattr(closed, name) == pytest.approx(getattr(followed, name), rel=1e-12)


def test_a_bound_is_latency_or_bytes() -> None:
    small, large = (_run(TREE, "all-to-all", None, nbytes, "bound") for nbytes in (1.0, 1e9))
    assert (small.latency_s, small.serialisation_s, small.congestion_s) == (small.time_s, 0, 0)
    # what the leaf's uplinks ask for beyond its hosts' ports is what sharing them costs
    assert large.serialisation_s == pytest.approx(15 / 16 * 1e9 * BYTE_S, rel=1e-12)
    assert large.congestion_s == pytest.approx((24 - 15) / 16 * 1e9 * BYTE_S, rel=1e-12)


def test_messages_that_cost_their_hosts_most_say_so() -> None:
    stated = {"name": "h", "gpus": 1, "nics": 1, "speed": "400G", "loggp": {"overhead": "20 us", "gap": "30 us"}}
    types = {"h": HostType.model_validate(stated)}
    job = Job(0, "all-to-all", "direct", (1e4, 1e9), RankOrder(), "loggp")
    (slow, large), (usual, _) = (run_jobs(TREE, [job], types=kinds) for kinds in (types, {}))
    # by default 14 gaps of 1 us, against a way of 2 us
    assert slow.limited_by == usual.limited_by == "per-message overhead"
    assert slow.time_s - usual.time_s == pytest.approx(14 * 29e-6 + 2 * 20e-6, rel=1e-9)
    assert large.limited_by != "per-message overhead"
    assert slow.latency_s + slow.serialisation_s + slow.congestion_s == slow.time_s
