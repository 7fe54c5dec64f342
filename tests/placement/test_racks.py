from __future__ import annotations

import numpy as np
from racked import RACK, host, layout

from fabrictool.placement.racks import lowest_units, rack_names


def test_racks_are_numbered_from_one_in_one_sequence_with_two_digits_at_least():
    groups = layout({"type": host(), "count": 1}, [{"type": RACK}, {"type": RACK}]).racks
    assert rack_names(groups, np.array([0, 1, 0])) == ["r01", "r02", "r03"]
    assert rack_names(groups, np.zeros(100, dtype=np.int32))[::99] == ["r001", "r100"]


def test_a_named_group_counts_for_itself():
    racks = [{"name": "gpu", "type": RACK}, {"type": RACK}]
    groups = layout({"type": host(), "count": 1}, racks).racks
    assert rack_names(groups, np.array([0, 0, 1])) == ["gpu-01", "gpu-02", "r01"]


def test_devices_stack_from_the_bottom_in_row_order():
    rack = np.array([1, 0, 1, -1, 0], dtype=np.int32)
    assert lowest_units(rack, np.array([8.0, 2, 8, 4, 1])).tolist() == [1, 1, 9, -1, 3]
