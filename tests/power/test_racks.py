from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from racked import DGX_H100, QM9700, RACK, fabric, host, layout

from fabrictool.placement import place
from fabrictool.power import RackPower, rack_power


def power(hosts, racks, switches=0, switch=QM9700) -> RackPower:
    plan = layout(hosts, racks, switch if switches else None)
    devices = fabric(plan, switches)
    return rack_power(plan, devices, place(plan, devices))


def test_superpod_at_40_kw_overloads_31_racks_and_says_what_would_mend_it():
    rack = {"type": RACK, "hosts_per_rack": 4, "power_limit": "40 kW"}
    result = power({"type": DGX_H100, "count": 127}, rack, switches=48)
    (finding,) = result.findings
    assert (finding.id, finding.severity, finding.where) == ("rack-over-power", "error", "racks r01-r31")
    assert finding.message == "31 racks at 40.8 of 40.0 kW"
    assert finding.fix == "3 hosts a rack: 43 racks (+11)"


def test_superpod_at_40_8_kw_is_clean_and_sums_up():
    rack = {"type": RACK, "hosts_per_rack": 4, "power_limit": "40.8 kW"}
    result = power({"type": DGX_H100, "count": 127}, rack, switches=48)
    assert result.findings == ()
    assert result.it_max_w == pytest.approx(127 * 10200 + 48 * 1720)
    assert result.it_w[[0, 31, 32]].tolist() == pytest.approx([40800, 30600, 23 * 1720])
    assert result.units_used[[0, 31, 32]].tolist() == [32, 24, 23]
    assert result.weight_kg[0] == pytest.approx(4 * 130.45 + 150)


def test_typical_power_is_null_unless_known_for_everything_in_a_rack():
    result = power({"type": DGX_H100, "count": 2}, {"type": RACK}, switches=3)
    assert result.to_dict()["racks"][0]["it_typical_w"] is None
    assert result.to_dict()["racks"][1]["it_typical_w"] == 3 * 747
    assert result.to_dict()["it_typical_w"] is None


def test_a_type_without_power_is_named_once_and_left_out():
    hosts = [{"type": DGX_H100, "count": 1}, {"type": host("mystery", u=4, weight="20 kg"), "count": 3}]
    result = power(hosts, {"type": RACK})
    assert result.no_power_data == ("mystery",)
    (finding,) = result.findings
    assert (finding.id, finding.severity, finding.where) == ("no-power-data", "warning", "mystery")
    assert "3 devices" in finding.message
    assert result.it_w.tolist() == [10200]


def test_a_rack_of_which_nothing_is_known_has_no_power_rather_than_none():
    result = power({"type": host("mystery", u=4), "count": 3}, {"type": RACK})
    assert math.isnan(result.it_w[0])
    assert result.to_dict()["racks"] == [
        {"rack": "r01", "it_w": None, "nameplate_w": None, "it_typical_w": None, "limit_w": None, "units_used": 12}
    ]
    assert result.to_dict()["it_max_w"] is None
    assert [finding.id for finding in result.findings] == ["no-power-data", "no-weight-data"]


def test_too_many_units_and_too_much_weight_are_errors_of_their_own():
    heavy = host("heavy", u=8, power_max="1 kW", weight="200 kg")
    result = power({"type": heavy, "count": 14}, {"type": RACK, "hosts_per_rack": 7})
    units, weight = result.findings
    assert (units.id, units.message) == ("rack-over-units", "2 racks at 56 of 48 U")
    assert (weight.id, weight.message) == ("rack-over-weight", "2 racks at 1,400 of 1,200 kg")
    assert units.fix == weight.fix == "6 hosts a rack: 3 racks (+1)"


def test_a_rack_limit_below_one_host_names_it():
    result = power({"type": DGX_H100, "count": 2}, {"type": RACK, "hosts_per_rack": 1, "power_limit": "8 kW"})
    assert result.findings[0].message == "2 racks at 10.2 of 8.0 kW"
    assert "not even one dgx-h100" in result.findings[0].fix


def test_a_load_hair_above_its_limit_prints_digits_that_differ():
    result = power({"type": DGX_H100, "count": 1}, {"type": RACK, "hosts_per_rack": 1, "power_limit": "10.199 kW"})
    assert result.findings[0].message == "1 rack at 10.200 of 10.199 kW"
    assert result.findings[0].where == "rack r01"


def test_without_racks_totals_remain():
    plan = layout({"type": DGX_H100, "count": 3})
    result = rack_power(plan, fabric(plan), None)
    assert result.it_max_w == pytest.approx(30600)
    assert result.to_dict()["racks"] == []


@given(count=st.integers(1, 60), limit=st.floats(11, 90))
def test_adding_a_host_never_lowers_what_a_rack_carries(count, limit):
    rack = {"type": RACK, "power_limit": f"{limit} kW"}
    fewer = power({"type": DGX_H100, "count": count}, rack)
    more = power({"type": DGX_H100, "count": count + 1}, rack)
    for column in ("it_w", "units_used", "weight_kg"):
        before, after = getattr(fewer, column), getattr(more, column)
        assert (after[: len(before)] >= before).all()
    assert more.it_max_w == pytest.approx((count + 1) * 10200)
    assert np.nansum(more.it_w) == pytest.approx(more.it_max_w, rel=1e-12)


def test_racks_that_are_apart_are_listed_and_the_cooling_limit_counts_in_the_way_out():
    racks = [
        {"type": RACK, "count": 2, "hosts_per_rack": 2, "power_limit": "15 kW"},
        {"type": RACK, "count": 1, "hosts_per_rack": 1, "power_limit": "15 kW"},
        {"type": RACK, "hosts_per_rack": 4, "power_limit": "36 kW", "cooling_limit": "25 kW"},
    ]
    first, last = power({"type": DGX_H100, "count": 13}, racks).findings
    assert (first.where, first.fix) == ("racks r01-r02", "1 host a rack: 4 racks (+2)")
    assert (last.where, last.fix) == ("racks r04-r05", "2 hosts a rack: 4 racks (+2)")


def test_hosts_of_several_types_in_a_group_get_a_general_way_out():
    hosts = [{"type": DGX_H100, "count": 2}, {"type": host("nas", u=4, power_max="9 kW", weight="50 kg"), "count": 2}]
    (finding,) = power(hosts, {"type": RACK, "hosts_per_rack": 4, "power_limit": "30 kW"}).findings
    assert finding.message == "1 rack at 38.4 of 30.0 kW"
    assert finding.fix == "fewer hosts a rack, or more racks"
