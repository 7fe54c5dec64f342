from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from racked import DGX_H100, QM9700, RACK, fabric, host, layout

from fabrictool.cooling import RackCooling, airflow_m3_per_s, coolant_kg_per_s, rack_cooling
from fabrictool.placement import place
from fabrictool.power import rack_power

PLATED = host("plated", u=8, power_max="12 kW", weight="100 kg", air_fraction=0.25)


KEYS = (
    "air_w",
    "liquid_w",
    "airflow_m3_per_s",
    "coolant_kg_per_s",
    "inlet_c",
    "outlet_c",
    "recirculation",
    "loop_load",
)
KEYS = (*KEYS, "supply_c", "return_c", "bath_c", "oil_m3_per_s", "vapour_kg_per_s")


def cooled(hosts, racks, switches=0, **keys) -> RackCooling:
    plan = layout(hosts, racks, QM9700 if switches else None, **keys)
    devices = fabric(plan, switches)
    placement = place(plan, devices)
    return rack_cooling(plan, devices, placement, rack_power(plan, devices, placement))


def whats(result: RackCooling) -> list[str]:
    return [assumption.what for assumption in result.assumptions]


def test_air_takes_all_heat_at_the_stated_defaults():
    result = cooled({"type": DGX_H100, "count": 8}, {"type": RACK, "hosts_per_rack": 4})
    assert result.air_w.tolist() == [40800, 40800]
    assert result.liquid_w.tolist() == [0, 0]
    assert result.coolant_kg_per_s.tolist() == [0, 0]
    # 0.06980192 m3/s per kW at 25 degC, 50 %, sea level and 12 K: the reference table of airflows
    np.testing.assert_allclose(result.airflow_m3_per_s, 40.8 * 0.06980192, rtol=1e-6)
    assert (result.pue, result.facility_w) == (1.4, pytest.approx(81600 * 1.4))
    assert whats(result) == [
        "supply air temperature",
        "air temperature rise",
        "relative humidity of supply air",
        "altitude",
        "recirculation: exhaust in racks' inlet air",
        "heat that air takes from a rack",
        "air class of devices that state no inlet temperature",
        "PUE",
    ]
    assert result.findings == ()


def test_what_the_hall_gives_is_used_and_not_assumed():
    hall = {"supply_temperature": "24 C", "air_rise": "15 K", "humidity": "40 %", "altitude": "1600 m", "pue": 1.25}
    hall |= {"recirculation": "10 %", "air_class": "A2"}
    racks = {"type": RACK, "cooling_limit": "45 kW"}
    result = cooled({"type": DGX_H100, "count": 1}, racks, hall=hall)
    assert result.airflow_m3_per_s[0] == pytest.approx(float(airflow_m3_per_s(10200, 15, 24, 0.4, 1600)), rel=1e-12)
    assert result.inlet_c.tolist() == pytest.approx([24 + 0.1 / 0.9 * 15])
    assert result.outlet_c - result.inlet_c == pytest.approx(15)
    assert result.pue == 1.25
    assert result.assumptions == ()


def test_cold_plates_take_the_published_share_and_air_the_rest():
    hosts = [{"type": PLATED, "count": 2}, {"type": DGX_H100, "count": 1}]
    result = cooled(hosts, {"type": RACK, "cooling": "direct-to-chip"})
    assert result.liquid_w.tolist() == [pytest.approx(18000)]
    assert result.air_w.tolist() == [pytest.approx(6000 + 10200)]
    assert result.coolant_kg_per_s[0] == pytest.approx(float(coolant_kg_per_s(18000, 10, 30, "PG25")), rel=1e-12)
    assert result.pue == pytest.approx((1.2 * 18000 + 1.4 * 16200) / 34200)
    assert {"coolant supply temperature", "coolant temperature rise", "coolant"} <= set(whats(result))


def test_an_unknown_share_is_assumed_for_gpu_hosts_only():
    unknown = host("unknown", u=8, power_max="10 kW", weight="100 kg")
    result = cooled({"type": unknown, "count": 1}, {"type": RACK, "cooling": "direct-to-chip"}, switches=1)
    assert result.liquid_w.tolist() == [7500, 0]
    assert [(a.what.split(" ")[5], a.value) for a in result.assumptions if a.what.startswith("share")] == [
        ("unknown", "0.75"),
        ("qm9700", "0"),
    ]


def test_a_rear_door_takes_back_what_the_servers_blew_through_it():
    result = cooled({"type": DGX_H100, "count": 4}, {"type": RACK, "cooling": "rear-door"})
    assert result.air_w.tolist() == [0]
    assert result.liquid_w.tolist() == [40800]
    assert result.airflow_m3_per_s[0] == pytest.approx(40.8 * 0.06980192, rel=1e-6)
    assert result.coolant_kg_per_s[0] == pytest.approx(float(coolant_kg_per_s(40800, 10, 17, "water")), rel=1e-12)
    assert "rear-door water supply temperature" in whats(result)


def test_a_loop_gives_coolant_temperature_and_rise():
    hall = {"loops": [{"name": "L1", "supply_temperature": "32 C", "rise": "8 K", "coolant": "water"}]}
    result = cooled({"type": DGX_H100, "count": 2}, {"type": RACK, "cooling": "immersion"}, hall=hall)
    assert result.airflow_m3_per_s.tolist() == [0]
    assert result.coolant_kg_per_s[0] == pytest.approx(float(coolant_kg_per_s(20400, 8, 32, "water")), rel=1e-12)
    assert np.isnan(result.inlet_c).all()
    assert whats(result) == ["coolant in a loop without 'volume'", "heat that an immersion tank takes", "PUE"]


def test_loops_that_differ_are_not_chosen_from_in_silence():
    hall = {"loops": [{"name": "L1", "rise": "8 K"}, {"name": "L2", "rise": "12 K"}]}
    result = cooled({"type": PLATED, "count": 1}, {"type": RACK, "cooling": "direct-to-chip"}, hall=hall)
    assert ("loop of racks that name none", "L1") in [(a.what, a.value) for a in result.assumptions]


@pytest.mark.parametrize("cooling", ["air", "rear-door"])
def test_hosts_with_cold_plates_in_racks_without_are_an_error(cooling):
    result = cooled({"type": PLATED, "count": 3}, {"type": RACK, "cooling": cooling, "hosts_per_rack": 1})
    (finding,) = result.findings
    assert (finding.id, finding.severity, finding.where) == ("cooling-mismatch", "error", "racks r01-r03")
    assert "3 plated need liquid at the chips for 75% of their heat" in finding.message
    assert "direct-to-chip" in finding.fix


def test_racks_over_the_limit_of_air_are_one_error_with_both_ways_out():
    result = cooled({"type": DGX_H100, "count": 127}, {"type": RACK, "hosts_per_rack": 5})
    (finding,) = result.findings
    assert (finding.id, finding.where) == ("rack-over-cooling", "racks r01-r25")
    assert finding.message == "25 racks at 51.0 of 50.0 kW that the cooling carries off"
    assert finding.fix == "4 hosts a rack: 32 racks (+6), or rear-door or direct-to-chip cooling"


def test_beside_cold_plates_only_the_air_remainder_is_held_against_air():
    rack = {"type": RACK | {"u": 60}, "cooling": "direct-to-chip", "hosts_per_rack": 7}
    assert cooled({"type": PLATED, "count": 7}, rack).findings == ()
    (finding,) = cooled({"type": DGX_H100, "count": 7}, rack).findings
    assert finding.message == "1 rack at 71.4 of 50.0 kW of heat to air that the cooling carries off"
    assert finding.fix == "4 hosts a rack: 2 racks (+1)"


def test_a_given_limit_holds_for_all_heat():
    rack = {"type": RACK, "cooling": "direct-to-chip", "hosts_per_rack": 4, "cooling_limit": "40 kW"}
    (finding,) = cooled({"type": PLATED, "count": 4}, rack).findings
    assert finding.message == "1 rack at 48.0 of 40.0 kW that the cooling carries off"


def test_nothing_is_known_about_a_rack_of_unknown_power():
    result = cooled({"type": host("mystery", u=4), "count": 1}, {"type": RACK})
    document = result.to_dict()
    assert document.pop("air")["heat_w"] == 0
    assert document == {
        "pue": None,
        "racks": [{"rack": "r01", "loop": None} | dict.fromkeys(KEYS)],
        "loops": [],
        "year": None,
    }


def test_without_racks_a_given_pue_still_makes_facility_power():
    result = cooled({"type": DGX_H100, "count": 2}, None, hall={"pue": 1.3})
    assert result.facility_w == pytest.approx(20400 * 1.3)
    assert result.to_dict()["racks"] == []


@given(
    count=st.integers(1, 30),
    cooling=st.sampled_from(["air", "rear-door", "direct-to-chip", "immersion"]),
    fraction=st.floats(0, 1),
)
def test_heat_is_conserved_and_a_host_more_never_lowers_a_flow(count, cooling, fraction):
    machine = host("m", u=4, power_max="7 kW", air_fraction=fraction)
    fewer, more = (
        cooled({"type": machine, "count": n}, {"type": RACK, "cooling": cooling}) for n in (count, count + 1)
    )
    assert (fewer.air_w + fewer.liquid_w).sum() == pytest.approx(7000 * count, rel=1e-9)
    assert min(fewer.air_w.min(), fewer.liquid_w.min()) >= 0
    racks = len(fewer.rack)
    for column in ("air_w", "liquid_w", "airflow_m3_per_s", "coolant_kg_per_s"):
        assert (getattr(more, column)[:racks] >= getattr(fewer, column) - 1e-9).all()
    assert more.facility_w >= fewer.facility_w
