from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from racked import vectors

from fabrictool.errors import InputError
from fabrictool.power import carried_w, lost_feeds, single_phase_va, three_phase_va

REDUNDANCIES = st.sampled_from(["N", "N+1", "2N", "3N2R", "4N3R"])


def test_three_phase_feeds_agree_with_the_reference_table():
    table = np.array(vectors("feed")[1])
    kva = three_phase_va(table[:, 0], table[:, 1]) / 1e3
    np.testing.assert_allclose(kva, table[:, 2], rtol=1e-6)
    np.testing.assert_allclose(0.8 * kva, table[:, 3], rtol=1e-6)
    np.testing.assert_allclose(0.95 * kva, table[:, 4], rtol=1e-6)
    np.testing.assert_allclose(0.95 * 0.8 * kva, table[:, 5], rtol=1e-6)


def test_single_phase_feeds_agree_with_the_reference_table():
    table = np.array(vectors("feed1")[1])
    kva = single_phase_va(table[:, 0], table[:, 1]) / 1e3
    np.testing.assert_allclose(kva, table[:, 2], rtol=1e-6)
    np.testing.assert_allclose(0.8 * kva, table[:, 3], rtol=1e-6)


@pytest.mark.parametrize("scheme, systems, usable", [("N", 1, 1), ("2N", 2, 1), ("3N2R", 3, 2), ("4N3R", 4, 3)])
def test_usable_capacity_of_equal_systems_agrees_with_the_reference_table(scheme, systems, usable):
    row = next(row for row in vectors("red")[1] if row[0].split(" ")[0] == scheme)
    assert row[1] == systems
    assert carried_w(np.full(systems, 1e3), scheme) == pytest.approx(row[3] * 1e3, rel=1e-6)
    assert row[3] == usable


def test_n_plus_one_of_five_systems_is_five_to_make_four():
    row = next(row for row in vectors("red")[1] if row[0] == "5-to-make-4")
    assert carried_w(np.full(5, 1e3), "N+1") == row[3] * 1e3


def test_the_larger_feed_is_the_one_taken_as_lost():
    assert carried_w([10e3, 30e3], "2N") == 10e3
    assert carried_w([10e3, 30e3], "N+1") == 10e3
    assert carried_w([10e3, 20e3, 30e3, 40e3], "2N") == 30e3


@pytest.mark.parametrize("redundancy, feeds", [("2N", 1), ("2N", 3), ("N+1", 1), ("3N2R", 2), ("4N3R", 6)])
def test_a_number_of_feeds_that_cannot_be_redundant_is_refused_with_that_number(redundancy, feeds):
    with pytest.raises(InputError, match=f"{feeds}; list each feed") as error:
        lost_feeds(redundancy, feeds)
    assert redundancy in str(error.value)


@given(redundancy=REDUNDANCIES, feeds=st.integers(1, 3), watts=st.lists(st.floats(1e3, 1e5), min_size=12, max_size=12))
def test_what_is_carried_survives_every_failure_that_is_allowed(redundancy, feeds, watts):
    systems = {"N": 1, "N+1": 2, "2N": 2, "3N2R": 3, "4N3R": 4}[redundancy]
    chosen = np.array(watts[: systems * feeds])
    lost = lost_feeds(redundancy, len(chosen))
    for shift in range(len(chosen)):
        survivors = np.roll(chosen, shift)[lost:]
        assert carried_w(chosen, redundancy) <= survivors.sum() * (1 + 1e-12)


def test_voltage_to_neutral_is_a_third_root_below():
    assert float(three_phase_va(400, 1)) == pytest.approx(3 * float(single_phase_va(400 / math.sqrt(3), 1)), rel=1e-12)
