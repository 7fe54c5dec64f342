"""What holds for every collective on every fabric."""

from __future__ import annotations

from collections.abc import Callable

import fabrics
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fabrictool.collectives.schedules import ALGORITHMS
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.errors import InputError
from fabrictool.layout.workload import RankOrder

FABRICS: dict[str, Callable[[], Transport]] = {
    "ft16": lambda: Transport(fabrics.pgft((4, 4), (1, 4), (1, 1)), 0),
    "ft64 2:1": lambda: Transport(fabrics.pgft((8, 8), (1, 4), (1, 1)), 0),
    "ft32 8:1": lambda: Transport(fabrics.pgft((8, 4), (1, 1), (1, 1)), 0),
    "k = 4": lambda: Transport(fabrics.pgft((2, 2, 4), (1, 2, 2), (1, 1, 1)), 0),
    "tapered": lambda: Transport(fabrics.pgft((4, 3, 3), (1, 2, 1), (1, 2, 1)), 0),
    "last pod half full": lambda: Transport(fabrics.pgft((4, 4, 3), (1, 4, 4), (1, 1, 1), ports=39), 0),
    "two GPUs a host": lambda: Transport(fabrics.pgft((8, 4), (1, 4), (1, 2), gpus=2), 0),
    "rails": lambda: Transport(fabrics.rails(8, 4, 4, 4, 4), 0),
    "rails 4:1, a host missing": lambda: Transport(fabrics.rails(7, 4, 4, 1, 1), 0),
}
#: Each algorithm of each collective; permutations have tests of their own, with stated pairs.
NEED_PAIRS = ("permutation", "all-to-all-v")
PAIRS = [(name, word) for name, known in ALGORITHMS.items() for word in known if name not in NEED_PAIRS]
WITHOUT_DOMAINS = [(name, word) for name, word in PAIRS if ALGORITHMS[name][word].reduces != "domain"]
_built: dict[str, Transport] = {}


def _transport(name: str) -> Transport:
    if name not in _built:
        _built[name] = FABRICS[name]()
    return _built[name]


def _run(
    transport: Transport, collective: str, algorithm: str | None, nbytes: float, ranks: list[int], model: str = "rounds"
) -> CollectiveResult:
    order = RankOrder.model_validate({"list": ranks})
    return next(iter(transport.run(Job(0, collective, algorithm, (nbytes,), order, model))))


@st.composite
def placements(draw: st.DrawFn) -> tuple[Transport, list[int]]:
    transport = _transport(draw(st.sampled_from(sorted(FABRICS))))
    every = len(transport.fabric.gpus)
    count = draw(st.one_of(st.sampled_from([2, 4, 8, every]), st.integers(2, every)))
    if draw(st.booleans()):
        start = draw(st.integers(0, every - count))
        return transport, list(range(start, start + count))
    return transport, draw(st.permutations(range(every)))[:count]


@settings(max_examples=200, deadline=None)
@given(placements(), st.sampled_from(PAIRS), st.floats(1, 1e10), st.sampled_from(["rounds", "alpha-beta", "bound"]))
def test_no_result_is_better_than_its_bound(
    placement: tuple[Transport, list[int]], pair: tuple[str, str], nbytes: float, model: str
) -> None:
    transport, ranks = placement
    try:
        result = _run(transport, *pair, nbytes, ranks, model)
    except InputError as error:
        assert "needs" in str(error)  # noqa: PT017 - a power of two, or whole domains
        return
    assert result.time_s >= result.bound_s * (1 - 1e-12)
    assert result.bound_s > 0
    assert result.time_s >= result.latency_s * (1 - 1e-12)


@settings(max_examples=40, deadline=None)
@given(placements(), st.randoms())
def test_all_to_all_at_once_does_not_know_the_order_of_ranks(placement: tuple[Transport, list[int]], rng) -> None:  # type: ignore[no-untyped-def]
    transport, ranks = placement
    mixed = ranks.copy()
    rng.shuffle(mixed)
    times = [_run(transport, "all-to-all", "direct", 1e9, order).time_s for order in (ranks, mixed)]
    assert times[0] == pytest.approx(times[1], rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(8)), st.sampled_from([("all-reduce", "ring"), ("all-gather", "ring")]))
def test_whole_leaves_may_change_places(order: list[int], pair: tuple[str, str]) -> None:
    """Leaves of a full tree are alike, and a ring crosses one link between any two that follow each other."""
    transport = _transport("ft64 2:1")
    linear = _run(transport, *pair, 1e9, list(range(64)))
    moved = _run(transport, *pair, 1e9, [leaf * 8 + host for leaf in order for host in range(8)])
    assert moved.time_s == pytest.approx(linear.time_s, rel=1e-12)
    assert moved.bound_s == pytest.approx(linear.bound_s, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(16)), st.sampled_from(WITHOUT_DOMAINS))
def test_more_bandwidth_is_never_slower(order: list[int], pair: tuple[str, str]) -> None:
    """Twice the spines' speed, then twice the hosts' too, which halves what the bytes take."""
    if pair[1] in ("hierarchical", "node-shift", "pxn"):
        order = sorted(order)
    slow, faster, fastest = (
        _run(_scaled(*speeds), *pair, 1e9, order) for speeds in (("400G", "400G"), ("400G", "800G"), ("800G", "800G"))
    )
    assert slow.time_s * (1 + 1e-12) >= faster.time_s
    assert faster.time_s * (1 + 1e-12) >= fastest.time_s
    assert slow.bound_s >= faster.bound_s >= fastest.bound_s
    assert fastest.time_s - fastest.latency_s == pytest.approx((slow.time_s - slow.latency_s) / 2, rel=1e-9)
    assert slow.latency_s == pytest.approx(fastest.latency_s, rel=1e-12)


def _scaled(host: str, fabric: str) -> Transport:
    name = f"{host} {fabric}"
    if name not in _built:
        switch = {"name": "sw", "ports": 16, "speed": "800G", "latency": "0 ns"}
        group = {"name": "host", "type": fabrics.host_type(speed=host), "count": 16}
        leaf = {"type": switch, "down": 4, "up": 2, "up_speed": fabric}
        built = fabrics.fabric_of(group, family="fat-tree", leaf=leaf, spine={"type": switch, "count": 2})
        _built[name] = Transport(built, 0)
    return _built[name]


@settings(max_examples=40, deadline=None)
@given(placements(), st.sampled_from(PAIRS), st.floats(1, 1e9), st.floats(1, 100))
def test_more_bytes_take_longer_but_not_more_than_in_proportion(
    placement: tuple[Transport, list[int]], pair: tuple[str, str], nbytes: float, times: float
) -> None:
    transport, ranks = placement
    try:
        few, many = (_run(transport, *pair, size, ranks) for size in (nbytes, nbytes * times))
    except InputError:
        return
    assert few.time_s <= many.time_s * (1 + 1e-12)
    assert many.time_s <= few.time_s * times * (1 + 1e-12)


@pytest.mark.parametrize("pair", PAIRS)
def test_one_rank_takes_no_time(pair: tuple[str, str]) -> None:
    result = _run(_transport("ft16"), *pair, 1e9, [3])
    assert (result.time_s, result.bound_s, result.bottleneck) == (0.0, 0.0, None)


def test_the_bottleneck_is_a_link_of_the_fabric() -> None:
    transport = _transport("ft64 2:1")
    names = {transport.fabric.link_name(row) for row in range(len(transport.fabric.links))}
    result = _run(transport, "all-to-all", "pairwise", 1e9, list(range(64)))
    assert result.bottleneck in names
    assert result.bottleneck.startswith("leaf")
    assert result.limited_by == "leaf uplink"
    alone = _run(transport, "all-reduce", "ring", 1e9, list(range(8)))
    assert alone.bottleneck is not None
    assert alone.bottleneck.startswith("host")
    assert alone.limited_by == "NIC"


@settings(max_examples=60, deadline=None)
@given(placements(), st.integers(0, 2**32 - 1), st.floats(1, 1e10))
def test_permutations_keep_to_their_bound(placement: tuple[Transport, list[int]], seed: int, nbytes: float) -> None:
    transport, ranks = placement
    target = np.random.default_rng(seed).permutation(len(ranks)).tolist()
    pairs = tuple((rank, to) for rank, to in enumerate(target) if rank != to)
    assume(pairs)
    job = Job(0, "permutation", None, (nbytes,), RankOrder(**{"list": ranks}), pairs=pairs)
    result = next(iter(transport.run(job)))
    assume(result.time_s is not None)
    assert result.time_s >= result.bound_s * (1 - 1e-12)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 31])
@pytest.mark.parametrize("pair", PAIRS)
def test_few_and_odd_numbers_of_ranks_are_ordinary(pair: tuple[str, str], count: int) -> None:
    """One rank takes no time; only switches of domains need ranks that share them, and say what else to use."""
    for name in ("rails", "ft64 2:1"):
        transport, ranks = _transport(name), list(range(count))
        shared = np.unique(transport.wiring.domain[ranks], return_counts=True)[1].max() > 1 and name == "rails"
        fits = {"nvls": shared and count <= 4, "sharp": not (shared and count <= 4), "nvls-tree": shared}
        if count > 1 and not fits.get(pair[1], True):
            with pytest.raises(InputError, match=r"needs .*; use one of "):
                _run(transport, *pair, 1e6, ranks)
            continue
        result = _run(transport, *pair, 1e6, ranks)
        assert result.ranks == count
        assert (result.time_s == 0) == (count == 1)
