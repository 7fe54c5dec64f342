from __future__ import annotations

import numpy as np

from fabrictool.power.overloads import kilowatts, rack_list


def test_neighbouring_racks_are_written_as_ranges_and_long_lists_are_cut():
    names = np.array([f"r{row:02d}" for row in range(1, 41)])
    assert rack_list(names, np.array([0])) == "rack r01"
    assert rack_list(names, np.array([0, 1, 2, 5, 7, 8])) == "racks r01-r03, r06, r08-r09"
    assert rack_list(names, np.arange(0, 40, 2)).endswith("r15, … (12 more)")


def test_kilowatts_have_the_digits_that_tell_load_and_limit_apart():
    assert kilowatts(40800, 40000) == "40.8 of 40.0 kW"
    assert kilowatts(40010, 40000) == "40.01 of 40.00 kW"
