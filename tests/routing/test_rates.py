"""Max-min fair rates: against listed fractions, exact filling, and a linear program for each rate in turn."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import fabrics
import numpy as np
import pytest
import reference
import sampled
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from fabrictool.kernels.rates import fair_rates
from fabrictool.layout.network import Routing as Stated
from fabrictool.routing import rates
from fabrictool.routing.choose import ROUTINGS, routing_of
from fabrictool.routing.flows import Usage
from fabrictool.routing.modk import ModK
from fabrictool.routing.patterns import pattern_flows
from fabrictool.routing.rates import max_min_rates
from fabrictool.routing.wiring import wiring

#: Which listed rates a routing must meet, by key.
LISTED = {"d-mod-k": "maxmin_rate", "spray": "spray_maxmin_rate"}
CASES = [(routing, name) for routing, key in LISTED.items() if routing in ROUTINGS for name in sampled.names(key)]


def usage_of(uses: list[dict[int, Fraction]]) -> Usage:
    first = np.concatenate(([0], np.cumsum([len(used) for used in uses], dtype=np.int64)))
    channel = np.array([at for used in uses for at in used], np.int32)
    share = np.array([float(part) for used in uses for part in used.values()])
    return Usage(first, channel, share, np.array([len(used) or -1 for used in uses], np.int32))


def _listed(sample: sampled.Sample, key: str) -> list[float]:
    return [float("nan") if rate is None else float(Fraction(rate)) for rate in sample.expect[key]]


@pytest.mark.parametrize(("routing", "name"), [case for case in CASES if "ecmp" not in case[1]])
def test_rates_of_samples(routing: str, name: str) -> None:
    sample = sampled.sample(name)
    speed = sample.wiring.channels.speed_bps
    rate = max_min_rates(routing_of(sample.wiring, Stated(name=routing)).usage(sample.flows), speed) / sampled.UNIT_BPS
    assert rate == pytest.approx(_listed(sample, LISTED[routing]), rel=1e-12, nan_ok=True)
    if routing == "d-mod-k":
        assert rate.min() == pytest.approx(float(Fraction(sample.expect["min_rate"])), rel=1e-12)
        assert rate.sum() == pytest.approx(sample.expect["sum_rate"], rel=1e-12)


@pytest.mark.parametrize("name", sampled.names("smodk_link_load"))
def test_rates_where_the_source_chooses(name: str) -> None:
    sample = sampled.sample(name)
    speed = sample.wiring.channels.speed_bps
    used = ModK("s-mod-k", sample.wiring).usage(sample.flows)
    assert np.array_equal(used.loads(sample.flows.volume, len(speed)), sample.loads("smodk_link_load"))
    uses = [dict.fromkeys(path.tolist(), Fraction(1)) for path in np.split(used.channel, used.first[1:-1])]
    exact = reference.max_min_rates(uses, [Fraction(1)] * len(speed))
    assert max_min_rates(used, speed) / sampled.UNIT_BPS == pytest.approx([float(r or 0) for r in exact], rel=1e-12)


@pytest.mark.parametrize("name", sampled.names("spray_maxmin_rate"))
def test_rates_of_flows_split_evenly_at_every_switch(name: str) -> None:
    sample = sampled.sample(name)
    fabric, speed = sample.wiring.fabric, sample.wiring.channels.speed_bps
    a, z = fabric.ends
    links = {2 * row: (fabric.names[a[row]], fabric.names[z[row]]) for row in range(len(a)) if speed[2 * row]}
    links |= {channel + 1: (z, a) for channel, (a, z) in links.items()}
    uses = [
        reference.equal_split(links, set(sample.says["fabric"]["hosts"]), source, target)
        for source, target, _ in sample.says["demands"]
    ]
    rate = max_min_rates(usage_of(uses), speed) / sampled.UNIT_BPS
    assert rate == pytest.approx(_listed(sample, "spray_maxmin_rate"), rel=1e-12)


@st.composite
def _cases(draw: Any) -> tuple[list[dict[int, Fraction]], list[Fraction]]:
    channels = draw(st.integers(1, 7))
    part = st.sampled_from([Fraction(1)]) if draw(st.booleans()) else st.fractions(Fraction(1, 9), 1, max_denominator=9)
    used = st.dictionaries(st.integers(0, channels - 1), part, max_size=4)
    uses = draw(st.lists(used, min_size=1, max_size=9))
    return uses, draw(st.lists(st.integers(0, 12).map(Fraction), min_size=channels, max_size=channels))


@settings(max_examples=150, deadline=None)
@given(_cases())
def test_rates_are_those_of_exact_filling(case: tuple[list[dict[int, Fraction]], list[Fraction]]) -> None:
    uses, capacity = case
    rate = max_min_rates(usage_of(uses), np.array([float(speed) for speed in capacity]))
    exact = reference.max_min_rates(uses, capacity)
    assert rate == pytest.approx([float("nan") if r is None else float(r) for r in exact], rel=1e-11, nan_ok=True)


@settings(max_examples=25, deadline=None)
@given(_cases())
def test_the_slowest_rate_then_the_next_are_as_high_as_a_linear_program_makes_them(
    case: tuple[list[dict[int, Fraction]], list[Fraction]],
) -> None:
    uses, capacity = case
    uses = [used for used in uses if used]
    if not uses:
        return
    rate = max_min_rates(usage_of(uses), np.array([float(speed) for speed in capacity]))
    assert sorted(rate) == pytest.approx(sorted(_by_programs(uses, capacity)), abs=1e-7)


def _by_programs(uses: list[dict[int, Fraction]], capacity: list[Fraction]) -> list[float]:
    """Raise the least rate of those not fixed; fix those that cannot be higher with the rest as high; go on."""
    carried = np.zeros((len(capacity), len(uses) + 1))
    for flow, used in enumerate(uses):
        for channel, share in used.items():
            carried[channel, flow] = float(share)
    fixed: dict[int, float] = {}
    while len(fixed) < len(uses):
        free = [flow for flow in range(len(uses)) if flow not in fixed]
        at_least = np.zeros((len(free), len(uses) + 1))
        at_least[range(len(free)), free], at_least[:, -1] = -1, 1
        bounds: list[tuple[float, float | None]] = [(fixed.get(f, 0), fixed.get(f)) for f in range(len(uses))]
        rows, most = np.vstack((carried, at_least)), np.r_[[float(c) for c in capacity], np.zeros(len(free))]
        goal = np.r_[np.zeros(len(uses)), -1.0]
        level = -linprog(goal, rows, most, bounds=[*bounds, (0, None)]).fun
        for flow in free:
            least = [(level - 1e-9 if f in free else low, high) for f, (low, high) in enumerate(bounds)]
            best = -linprog(-np.eye(len(uses) + 1)[flow], carried, most[: len(capacity)], bounds=[*least, (0, 0)]).fun
            if best < level + 1e-6:
                fixed[flow] = level
    return [fixed[flow] for flow in range(len(uses))]


@pytest.mark.parametrize("shape", [((8, 8), (1, 8), (1, 1)), ((8, 4, 4), (1, 4, 4), (1, 2, 2))])
def test_compiled_and_plain_agree_and_each_flow_is_held_by_a_full_channel(
    shape: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    routing = ModK("d-mod-k", wiring(fabrics.pgft(*shape), 0))
    speed = routing.wiring.channels.speed_bps
    used = routing.usage(pattern_flows("bisection:5", routing.wiring.hosts))
    monkeypatch.setattr(rates, "fair_rates", lambda _: fair_rates.plain)
    plain = max_min_rates(used, speed)
    monkeypatch.setattr(rates, "fair_rates", lambda _: fair_rates.compiled)
    rate = max_min_rates(used, speed)
    assert np.array_equal(plain, rate)
    load = used.loads(rate, len(speed))
    assert (load <= speed * (1 + 1e-12)).all()
    flow = np.repeat(np.arange(len(rate)), np.diff(used.first))
    fastest = np.zeros(len(speed))
    np.maximum.at(fastest, used.channel, rate[flow])
    holds = (load >= speed * (1 - 1e-12))[used.channel] & (rate[flow] >= fastest[used.channel] * (1 - 1e-12))
    assert np.array_equal(np.unique(flow[holds]), np.arange(len(rate)))


@pytest.mark.parametrize(
    ("shape", "slowest", "mean"),
    [
        (((8, 8), (1, 8), (1, 1)), 7, 1 / 7),
        (((16, 16), (1, 16), (1, 1)), 15, 1 / 15),
        (((16, 16), (1, 8), (1, 1)), 15, None),
        (((8, 8, 16), (1, 8, 8), (1, 1, 1)), 15, 0.081720),
    ],
)
def test_bit_reversal_under_d_mod_k(shape: Any, slowest: int, mean: float | None) -> None:
    """Published for trees of 64, 256 and 1,024 hosts, the third at 2:1, and found by simulation too."""
    routing = ModK("d-mod-k", wiring(fabrics.pgft(*shape), 0))
    used = routing.usage(pattern_flows("bit-reversal", routing.wiring.hosts))
    rate = max_min_rates(used, routing.wiring.channels.speed_bps) / 400e9
    assert rate.min() == pytest.approx(1 / slowest, rel=1e-12)
    if mean is not None:
        assert rate.mean() == pytest.approx(mean, abs=5e-7)
