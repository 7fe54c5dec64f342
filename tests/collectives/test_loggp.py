"""LogGP by hand, and against a slow twin that follows every message."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrictool.collectives.loggp import Host, Messages, Paths, round_times_s, times_s
from fabrictool.fabric.tables import F8, I4


def _alike(latency_s: float, seconds_per_byte: float) -> Callable[[I4, I4], Paths]:
    return lambda source, _: Paths(np.full(len(source), latency_s), np.full(len(source), seconds_per_byte))


def test_ring_all_reduce_of_64_ranks() -> None:
    """126 (2 us + 16383 x 2e-11 s): L = 1 us, o = 0.5 us, G = 2e-11 s/B, 1 MiB."""
    ranks = np.arange(64, dtype=np.int32)
    ring = Messages(ranks, (ranks + 1) % 64, np.full(64, 1 / 64), 126)
    (time_s,) = times_s([ring], _alike(1e-6, 2e-11), 2**20, Host(0.5e-6, 1e-6))
    assert time_s == pytest.approx(0.000293285160, rel=1e-12)


@pytest.mark.parametrize("toward", ["one", "many"])
@pytest.mark.parametrize("nbytes, step_s", [(1, 3e-6), (10**6, (10**6 - 1) * 2e-11)])
def test_messages_in_a_row(toward: str, nbytes: int, step_s: float) -> None:
    """2 o + L + (n - 1) max(g, o, (k - 1) G) + (k - 1) G, for a sender as for a receiver."""
    one, many = np.zeros(5, np.int32), np.arange(1, 6, dtype=np.int32)
    source, target = (many, one) if toward == "one" else (one, many)
    sent = Messages(source, target, np.ones(5))
    (time_s,) = round_times_s(sent, _alike(1e-6, 2e-11)(source, target), nbytes, Host(0.5e-6, 3e-6))
    assert time_s == pytest.approx(2e-6 + 4 * step_s + (nbytes - 1) * 2e-11, rel=1e-12)


def test_less_than_a_byte_has_no_gap() -> None:
    sent = Messages(np.zeros(1, np.int32), np.ones(1, np.int32), np.array([1 / 64]))
    assert round_times_s(sent, Paths(np.array([1e-6]), np.array([1.0])), 8).tolist() == [1e-6]


def test_no_messages_take_no_time() -> None:
    none = np.zeros(0, np.int32)
    assert round_times_s(Messages(none, none, np.zeros(0)), Paths(np.zeros(0), np.zeros(0)), [1, 2]).tolist() == [0, 0]


def _followed(sent: Messages, paths: Paths, nbytes: float, host: Host) -> float:
    """Follow every message: when its sender is free to start it, and when its receiver is free to take it."""
    latest = 0.0
    for end in (sent.source, sent.target):
        free = dict.fromkeys(end.tolist(), 0.0)
        for row, who in enumerate(end.tolist()):
            stream = max(sent.share[row] * nbytes - 1, 0) * paths.seconds_per_byte[row]
            latest = max(latest, free[who] + paths.latency_s[row] + 2 * host.overhead_s + stream)
            free[who] += max(host.gap_s, host.overhead_s, stream)
    return latest


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.floats(0, 2)), min_size=1, max_size=30),
    st.floats(1, 1e6),
    st.floats(0, 1e-5),
    st.floats(0, 1e-5),
)
def test_against_the_twin(flows: list[tuple[int, int, float]], nbytes: float, overhead: float, gap: float) -> None:
    source, target = (np.array([flow[end] for flow in flows], np.int32) for end in (0, 1))
    share: F8 = np.array([flow[2] for flow in flows])
    rng = np.random.default_rng(len(flows))
    paths = Paths(rng.uniform(0, 1e-5, len(flows)), rng.uniform(0, 1e-9, len(flows)))
    sent, host = Messages(source, target, share), Host(overhead, gap)
    sizes = [nbytes, 2 * nbytes]
    expected = [_followed(sent, paths, size, host) for size in sizes]
    assert round_times_s(sent, paths, sizes, host) == pytest.approx(expected, rel=1e-9, abs=1e-15)
