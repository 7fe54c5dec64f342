from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from racked import DGX_H100, QM9700, RACK, fabric, host, layout, vectors

from fabrictool.placement import Placement, place


def placed(hosts, racks, switches=0, switch=None) -> Placement:
    plan = layout(hosts, racks, switch or (QM9700 if switches else None))
    placement = place(plan, fabric(plan, switches))
    assert placement is not None
    return placement


def compute_racks(placement: Placement) -> int:
    return int(np.count_nonzero(placement.racks.role == "compute"))


@pytest.mark.parametrize("limit, expected", [("15 kW", 127), ("40 kW", 43), ("40.8 kW", 32)])
def test_superpod_of_127_dgx_h100_takes_the_racks_that_its_power_limit_asks_for(limit, expected):
    placement = placed({"type": DGX_H100, "count": 127}, {"type": RACK, "power_limit": limit}, switches=48)
    assert compute_racks(placement) == expected
    assert not placement.findings
    assert (placement.rack >= 0).all()


@pytest.mark.parametrize("row", vectors("layout")[1], ids=lambda row: f"{row[0]} x {row[1]}")
def test_hosts_a_rack_and_racks_agree_with_the_reference_table(row):
    columns = vectors("layout")[0]
    machine = {
        "DGX H100": {"u": 8, "power_max": "10.2 kW", "weight": "130.45 kg"},
        "DGX B200": {"u": 10, "power_max": "14.3 kW", "weight": "142.4 kg"},
        "DGX B300": {"u": 10, "power_max": "14.5 kW"},
        "generic 2U 1.2 kW": {"u": 2, "power_max": "1.2 kW"},
    }[row[0]]
    for column, cell in zip(columns[2:], row[2:], strict=True):
        per_rack, racks = (part.strip() for part in cell.split("/"))
        rack = RACK | {"u": 48 if "48U" in column else 42}
        limit = column.replace("(48U) ", "")
        placement = placed({"type": host(**machine), "count": row[1]}, {"type": rack, "power_limit": limit})
        if racks == "infeasible":
            assert [finding.id for finding in placement.findings] == ["unplaced"]
            assert len(placement.racks) == 0
        else:
            assert np.bincount(placement.rack).max() == int(per_rack)
            assert len(placement.racks) == int(racks)


def test_hosts_per_rack_is_obeyed_even_when_it_overloads():
    placement = placed({"type": DGX_H100, "count": 9}, {"type": RACK, "hosts_per_rack": 7, "power_limit": "8 kW"})
    assert placement.rack.tolist() == [0] * 7 + [1] * 2
    assert placement.unit.tolist() == [1, 9, 17, 25, 33, 41, 49, 1, 9]


def test_switches_and_service_hosts_share_racks_of_their_own_after_the_compute_racks():
    hosts = [
        {"type": DGX_H100, "count": 5},
        {"name": "ufm", "type": host("ufm-server", u=1, power_max="689 W"), "count": 2, "role": "service"},
    ]
    placement = placed(hosts, {"type": RACK, "power_limit": "15 kW"}, switches=8)
    assert placement.racks.role.tolist() == ["compute"] * 5 + ["network"] * 2
    assert placement.rack.tolist() == [0, 1, 2, 3, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6]
    assert placement.unit.tolist()[5:] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]


def test_other_hosts_fill_what_the_last_compute_rack_has_left():
    hosts = [
        {"type": DGX_H100, "count": 3},
        {"name": "nas", "type": host("nas", u=4, power_max="2 kW"), "count": 5},
    ]
    placement = placed(hosts, {"type": RACK, "power_limit": "25 kW"})
    assert placement.rack.tolist() == [0, 0, 1, 1, 1, 1, 1, 1]
    assert placement.unit.tolist() == [1, 9, 1, 9, 13, 17, 21, 25]


def test_groups_fill_in_order_and_a_full_group_hands_on_to_the_next():
    racks = [
        {"name": "old", "type": RACK, "count": 3, "power_limit": "12 kW"},
        {"name": "new", "type": RACK, "power_limit": "45 kW"},
    ]
    placement = placed({"type": DGX_H100, "count": 12}, racks, switches=2)
    assert placement.racks.name.tolist() == ["old-01", "old-02", "old-03", "new-01", "new-02", "new-03", "new-04"]
    assert np.bincount(placement.rack).tolist() == [1, 1, 1, 4, 4, 1, 2]


def test_a_group_too_weak_for_a_host_is_passed_over_and_still_takes_switches():
    racks = [{"type": RACK, "count": 2, "power_limit": "8 kW"}, {"type": RACK, "power_limit": "21 kW"}]
    placement = placed({"type": DGX_H100, "count": 2}, racks, switches=4)
    assert placement.racks.role.tolist() == ["compute", "network"]
    assert placement.racks.limit_w.tolist() == [21000, 8000]
    assert placement.racks.name.tolist() == ["r01", "r02"]


def test_full_positions_leave_the_rest_unplaced_and_say_how_many_racks_are_missing():
    placement = placed({"type": DGX_H100, "count": 10}, {"type": RACK, "count": 2, "power_limit": "30.6 kW"})
    assert np.count_nonzero(placement.rack < 0) == 4
    (finding,) = placement.findings
    assert (finding.id, finding.severity, finding.where) == ("unplaced", "error", "dgx-h100")
    assert "4 of 10" in finding.message
    assert finding.fix.startswith("2 more racks at 3 a rack")


def test_a_host_over_the_limit_is_unplaced_and_both_figures_are_named():
    placement = placed({"type": DGX_H100, "count": 3}, {"type": RACK, "power_limit": "8 kW"})
    (finding,) = placement.findings
    assert "10.2 kW" in finding.message
    assert "8 kW" in finding.message
    assert "at least 10.2 kW" in finding.fix
    assert (placement.unit == -1).all()


def test_a_given_cooling_limit_bounds_a_rack_like_its_power_limit():
    rack = {"type": RACK, "power_limit": "45 kW", "cooling_limit": "25 kW"}
    assert np.bincount(placed({"type": DGX_H100, "count": 4}, rack).rack).tolist() == [2, 2]


def test_height_that_nobody_gave_is_assumed_and_listed():
    placement = placed({"type": host("h1"), "count": 2}, {"type": RACK}, 1, {"name": "sw", "ports": 4, "speed": "400G"})
    assert [(a.what, a.value) for a in placement.assumptions] == [("height of h1", "2 U"), ("height of sw", "1 U")]
    assert placement.unit.tolist() == [1, 3, 1]


def test_without_racks_there_is_no_placement():
    plan = layout({"type": DGX_H100, "count": 2})
    assert place(plan, fabric(plan)) is None


def test_limits_of_the_caller_win_over_those_of_the_groups():
    plan = layout({"type": DGX_H100, "count": 4}, {"type": RACK})
    placement = place(plan, fabric(plan), [20.4e3])
    assert placement is not None
    assert placement.racks.limit_w.tolist() == [20.4e3, 20.4e3]


@given(
    counts=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    units=st.lists(st.integers(1, 12), min_size=4, max_size=4),
    kilowatts=st.lists(st.integers(1, 15), min_size=4, max_size=4),
    limit=st.integers(15, 60),
)
def test_packed_racks_never_exceed_a_limit_and_devices_never_overlap(counts, units, kilowatts, limit):
    hosts = [
        {"name": f"g{i}", "type": host(f"t{i}", u=units[i], power_max=f"{kilowatts[i]} kW"), "count": count}
        for i, count in enumerate(counts)
    ]
    placement = placed(hosts, {"type": RACK, "power_limit": f"{limit} kW"})
    types = np.repeat(np.arange(len(counts)), counts)
    heights, power_w = np.array(units)[types], np.array(kilowatts)[types] * 1e3
    assert placement.sum_by_rack(power_w).max() <= limit * 1e3
    taken = {
        (rack, unit + step)
        for rack, unit, height in zip(placement.rack.tolist(), placement.unit.tolist(), heights.tolist(), strict=True)
        for step in range(height)
    }
    assert len(taken) == heights.sum()
    assert max(unit for _, unit in taken) <= 48
    assert min(unit for _, unit in taken) == 1


@given(count=st.integers(1, 300), limit=st.floats(10.2, 90), more=st.floats(0, 40))
def test_a_higher_limit_never_takes_more_racks(count, limit, more):
    group = {"type": DGX_H100, "count": count}
    low = len(placed(group, {"type": RACK, "power_limit": f"{limit} kW"}).racks)
    high = len(placed(group, {"type": RACK, "power_limit": f"{limit + more} kW"}).racks)
    assert high <= low
