"""How far healthy runs lie apart, by simulation, and who sets the standard."""

from __future__ import annotations

import numpy as np
import pytest

from fabrictool.acceptance.peers import base_of, chance, peers_of

NOTHING = np.zeros(0)


@pytest.mark.parametrize(("count", "most"), [(8, 0.03), (32, 0.03), (256, 0.03)])
def test_healthy_steps_raise_few_alarms(count: int, most: float) -> None:
    """One in a hundred is meant; 1,000 steps of normal noise are within three standard errors of less than that."""
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(1_000):
        noise = rng.normal(-0.05, 0.03, count)
        pooled = rng.normal(0.0, 0.03, 64)
        found = peers_of(noise, pooled)
        assert found is not None
        alarms += bool((found.base - noise > found.limit).any())
    assert alarms / 1_000 <= most


def test_chance_grows_with_the_number_of_runs() -> None:
    """Normal quantiles of 1 - 0.005 / n for many peers: 2.576, 3.891 and 4.892 for 1, 100 and 10,000."""
    found = [chance(count, 1e9) for count in (1, 100, 10_000)]
    assert found == pytest.approx([2.5758, 3.8906, 4.8916], abs=1e-3)


def test_the_faster_runs_set_the_standard() -> None:
    slow_rail = np.array([-0.70, -0.69, -0.71, -0.68, -0.70, -0.05, -0.04, -0.06])
    assert base_of(slow_rail) == pytest.approx(-0.05)
    one_fast = np.array([-0.7] * 19 + [0.0])
    assert base_of(one_fast) == pytest.approx(-0.7), "a single odd run sets no standard"


def test_slow_runs_do_not_hide_behind_their_own_spread() -> None:
    deviation = np.r_[np.random.default_rng(1).normal(0.0, 0.02, 40), np.full(12, -0.7)]
    found = peers_of(deviation, NOTHING)
    assert found is not None
    assert found.limit < 0.2


def test_three_runs_are_no_peers() -> None:
    assert peers_of(np.zeros(3), NOTHING) is None
