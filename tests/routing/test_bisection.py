"""Effective bisection: listed matchings, published means, and the same answer by every way of counting."""

from __future__ import annotations

from fractions import Fraction

import fabrics
import numpy as np
import pytest
import sampled
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.errors import InputError
from fabrictool.fabric.faults import random_faults
from fabrictool.kernels import bisection as kernels
from fabrictool.routing import bisection
from fabrictool.routing.bisection import effective_bisection, matched_bisection
from fabrictool.routing.flows import flows
from fabrictool.routing.modk import ModK
from fabrictool.routing.patterns import matchings, shuffled
from fabrictool.routing.wiring import wiring

FABRICS = {
    "two levels": fabrics.pgft((4, 4), (1, 4), (1, 1)),
    "parallel cables": fabrics.pgft((8, 4, 4), (1, 4, 4), (1, 2, 2)),
    "odd": fabrics.pgft((6, 3, 4), (1, 3, 2), (1, 1, 1)),
    "oversubscribed": fabrics.pgft((4, 4, 3), (1, 2, 2), (1, 2, 1)),
    "rails": fabrics.rails(8, 4, 4, 4),
}


def test_listed_matchings() -> None:
    sample = sampled.sample("ft64-ebb")
    groups = [flows(*zip(*matching, strict=True)) for matching in sample.says["matchings"]]
    routing = ModK("d-mod-k", sample.wiring)
    assert matched_bisection(routing, groups).mean == pytest.approx(0.85625, rel=1e-12)
    alone = [matched_bisection(routing, [group]).mean for group in groups]
    assert alone == pytest.approx([float(Fraction(str(rate))) for rate in sample.expect["per_matching"]], rel=1e-9)


@pytest.mark.parametrize(
    ("shape", "mean", "spread"),
    [
        (((32, 64), (1, 32), (1, 1)), 0.7995, 0.011),
        (((32, 32, 16), (1, 32, 8), (1, 1, 4)), 0.6815, 0.004),
        (((32, 32, 64), (1, 32, 32), (1, 1, 1)), 0.6647, 0.002),
    ],
)
def test_means_of_many_random_matchings(shape: tuple[tuple[int, ...], ...], mean: float, spread: float) -> None:
    """Measured by others for trees of 2,048, 16,384 and 65,536 hosts, with the spread of single matchings."""
    found = effective_bisection(ModK("d-mod-k", wiring(fabrics.pgft(*shape), 0)), 50, seed=1)  # type: ignore[arg-type]
    assert found.mean == pytest.approx(mean, abs=4 * spread / np.sqrt(50) + 5e-5)
    assert found.error * np.sqrt(50) == pytest.approx(spread, rel=0.4)
    assert found.low < found.mean < found.high


def test_the_interval_is_that_of_student() -> None:
    """For 10 trials the 97.5 % quantile of Student's t with 9 degrees of freedom is 2.262157."""
    found = effective_bisection(ModK("d-mod-k", wiring(FABRICS["odd"], 0)), 10)
    assert (found.high - found.mean) / found.error == pytest.approx(2.262157, abs=1e-6)
    assert set(found.to_dict()) == {"mean", "low", "high", "trials"}


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(FABRICS)), st.sampled_from(["d-mod-k", "s-mod-k"]), st.integers(0, 99), st.booleans())
def test_every_way_of_counting_gives_the_same(name: str, stated: str, seed: int, broken: bool) -> None:
    fabric = FABRICS[name]
    faults = random_faults(fabric, 6, 1, seed) if broken else None
    routing = ModK(stated, wiring(fabric, 0, faults))
    source, target = (np.array(column) for column in zip(*matchings(routing.wiring.hosts, 3, seed), strict=True))
    assert broken or routing.trees[0] is not None
    exact = bisection._by_usage(routing)(source, target)
    assert bisection.rates_of(routing)(source, target) == pytest.approx(exact, rel=1e-12)
    assert effective_bisection(routing, 3, seed).mean == pytest.approx(exact.mean(), rel=1e-12)


def test_hosts_on_different_rails_are_never_paired() -> None:
    fabric = fabrics.fabric_of(
        {"name": "h", "type": fabrics.host_type(4, scale_up="3.6T"), "count": 8},
        family="rail-only",
        rails=4,
        scalable_unit={"hosts": 4},
        leaf={"type": fabrics.SWITCH},
        spine={"type": fabrics.SWITCH, "count": 4},
    )
    found = effective_bisection(ModK("d-mod-k", wiring(fabric, 0)), 4)
    assert found.mean > 0.5


def test_compiled_kernels_agree_with_plain_ones() -> None:
    words = np.random.default_rng(3).integers(0, 1 << 32, (2, 11), np.uint32)
    orders = np.empty((2, 2, 11), np.int32)
    kernels.shuffle.plain(words, orders[0])
    kernels.shuffle.compiled(words, orders[1])
    assert np.array_equal(orders[0], orders[1])
    assert np.array_equal(np.sort(orders[0], axis=1), np.tile(np.arange(11), (2, 1)))


def test_all_orders_are_equally_likely() -> None:
    """24,000 orders of 4: each of the 24 about 1,000 times; chi-squared with 23 degrees of freedom stays below 50."""
    orders = np.concatenate(list(shuffled(4, 24_000, seed=5)))
    seen = np.unique(orders, axis=0, return_counts=True)[1]
    assert len(seen) == 24
    assert ((seen - 1_000) ** 2 / 1_000).sum() < 50


def test_one_host_has_no_bisection() -> None:
    with pytest.raises(InputError, match="have no bisection"):
        effective_bisection(ModK("d-mod-k", wiring(FABRICS["odd"], 0)), 0)
