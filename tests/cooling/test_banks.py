"""Exchangers under control: second law, energy, and agreement with what is stated of one exchanger."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from racked import vectors

from fabrictool.cooling.banks import attainable_c, capacity_w, throttled_w_per_k
from fabrictool.cooling.exchangers import counterflow_exchange, rated_conductance_w_per_k
from fabrictool.cooling.loops import derated_capacity_w

RATE = st.floats(1e3, 1e6)
COLD = st.floats(5, 40)


def arrays(*values: float) -> list[np.ndarray]:
    return [np.array([value]) for value in values]


def test_what_a_unit_attains_is_where_the_reference_puts_its_supply() -> None:
    for ua, hot_lpm, cold_lpm, hot_in, cold_in, *_, heat, supply, _, approach in vectors("cdu")[1]:
        hot, cold = hot_lpm / 6e4 * 4.00343e6, cold_lpm / 6e4 * 4.161552e6
        reached = attainable_c(*arrays(1e3 * heat, hot, cold, 1e3 * ua, cold_in))
        assert reached == pytest.approx(supply, rel=1e-6)
        assert reached - cold_in == pytest.approx(approach, rel=1e-6)
        full = capacity_w(*arrays(supply, hot_in - supply, cold, 1e3 * ua, cold_in))
        assert full == pytest.approx(1e3 * heat, rel=1e-6)


@pytest.mark.parametrize("rated", vectors("cduder")[1])
def test_capacity_at_other_temperatures_goes_with_the_difference(rated: list[float]) -> None:
    """At equal flows an exchanger moves what equation 4.5 of the reference says."""
    heat, rated_return, rated_cold, back, cold_in, expected = rated
    hot = 1e3 * heat / 10  # both sides at 10 K, so the approach is that of the return less 10 K
    ua = rated_conductance_w_per_k(1e3 * heat, hot, hot, rated_return - 10 - rated_cold)
    moved = float(counterflow_exchange(ua, hot, hot, back, cold_in).heat_w)
    assert moved == pytest.approx(1e3 * expected, rel=1e-6)
    assert derated_capacity_w(heat, rated_return, rated_cold, back, cold_in) == pytest.approx(expected, rel=1e-6)


@given(ua=RATE, hot=RATE, cold=RATE, cold_in=COLD, heat=st.floats(1e3, 1e6))
def test_a_hot_side_never_comes_below_the_cold_one(
    ua: float, hot: float, cold: float, cold_in: float, heat: float
) -> None:
    heat_w, hot_c, cold_c, conductance, inlet = arrays(heat, hot, cold, ua, cold_in)
    reached = attainable_c(heat_w, hot_c, cold_c, conductance, inlet)
    assert reached >= cold_in - 1e-6
    assert reached + heat / hot >= cold_in + heat / cold - 1e-6 * heat / cold
    moved = counterflow_exchange(conductance, hot_c, cold_c, reached + heat_w / hot_c, inlet)
    assert moved.heat_w == pytest.approx(heat, rel=1e-9)
    warmer = attainable_c(1.5 * heat_w, hot_c, cold_c, conductance, inlet)
    assert warmer >= reached - 1e-6


@given(ua=RATE, cold=RATE, cold_in=COLD, approach=st.floats(0.5, 20), rise=st.floats(0.5, 25))
def test_full_load_is_where_the_supply_is_just_held(
    ua: float, cold: float, cold_in: float, approach: float, rise: float
) -> None:
    supply, warming, water, conductance, inlet = arrays(cold_in + approach, rise, cold, ua, cold_in)
    full = capacity_w(supply, warming, water, conductance, inlet)
    assert full > 0
    assert attainable_c(full, full / warming, water, conductance, inlet) == pytest.approx(supply, abs=1e-6)
    less = 0.6 * full
    valve = throttled_w_per_k(less, less / warming, supply, conductance, inlet, water)
    assert valve <= water
    assert attainable_c(less, less / warming, valve, conductance, inlet) == pytest.approx(supply, abs=1e-5)
    assert inlet + less / valve <= supply + rise + 1e-6  # facility water leaves no warmer than coolant enters


def test_nothing_cools_below_the_water_that_cools_it() -> None:
    assert capacity_w(*arrays(30, 10, 1e5, 1e5, 30)) == 0
    assert capacity_w(*arrays(28, 10, 1e5, 1e5, 30)) == 0


def test_a_vapour_condenses_at_one_temperature() -> None:
    full = capacity_w(*arrays(40, 0, 1e5, 2e5, 30))
    assert full == pytest.approx(1e5 * 10 * -np.expm1(-2), rel=1e-9)
    assert attainable_c(full, *arrays(np.inf, 1e5, 2e5, 30)) == pytest.approx(40)
