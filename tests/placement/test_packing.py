from __future__ import annotations

import math

import pytest

from fabrictool.placement import Load, most_that_fit


@pytest.mark.parametrize(
    "room, each, expected",
    [
        (Load(42, 20.4e3, 1200), Load(8, 10.2e3, 130.45, 1), 2),
        (Load(48, 1e6, 1200), Load(8, 10.2e3, 130.45, 1), 6),
        (Load(48, 1e6, 500), Load(8, 10.2e3, 130.45, 1), 3),
        (Load(48, 8e3, 1200), Load(8, 10.2e3, 130.45, 1), 0),
        (Load(48, math.inf, 1200), Load(2, math.nan, math.nan, 1), 24),
        (Load(math.inf, math.inf, math.inf, 7), Load(8, 10.2e3, 130.45, 1), 7),
    ],
)
def test_the_scarcest_of_units_power_weight_and_number_decides(room, each, expected):
    assert most_that_fit(room, each) == expected
