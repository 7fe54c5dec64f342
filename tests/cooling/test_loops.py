"""Loops of a hall: which racks hang on them, what their CDUs hold, and what one lost CDU takes along."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from racked import QM9700, RACK, fabric, host, layout, vectors

from fabrictool.cooling import RackCooling, rack_cooling
from fabrictool.domains import domains
from fabrictool.errors import InputError
from fabrictool.layout.reading import layout_from_tree
from fabrictool.placement import place
from fabrictool.power import rack_power

#: An NVL72 rack in one piece: 115 kW to its plates.
NVL = host("nvl", gpus=72, u=40, power_max="132 kW", weight="1000 kg", air_fraction=17 / 132)
CDU = {"name": "cdu600", "capacity": "600 kW", "approach_k": 5, "flow": "900 l/min", "primary_flow": "900 l/min"}


def cooled(loops: Any, count: int = 8, racks: Any = None, **hall: Any) -> RackCooling:
    rack = {"type": RACK, "cooling": "direct-to-chip", "hosts_per_rack": 1} | (racks or {})
    plan = layout({"type": NVL, "count": count}, rack, hall=hall | {"loops": loops})
    devices = fabric(plan)
    placement = place(plan, devices)
    return rack_cooling(plan, devices, placement, rack_power(plan, devices, placement))


def loop(**keys: Any) -> dict[str, Any]:
    return {"name": "L1", "supply_temperature": "30 C", "rise": "10 K", "coolant": "PG25"} | keys


def ids(result: RackCooling) -> list[str]:
    return [finding.id for finding in result.findings]


def test_a_row_of_racks_takes_the_flow_and_the_seconds_of_the_reference() -> None:
    result = cooled([loop(volume="800 l")])
    (row,) = result.loops.to_rows()
    assert row["heat_w"] == pytest.approx(8 * 115e3)
    # 4.1 of the reference, at the mean of 35 C
    assert 60e3 * row["coolant_m3_per_s"] == pytest.approx(920 * 1.4977, rel=1e-3)
    assert (row["supply_c"], row["return_c"]) == (30, pytest.approx(40))
    seconds = {store[0]: store[-1] for store in vectors("ride")[1]}
    assert row["ride_through_s"] == pytest.approx(seconds["PG25 row loop 800 l, 8 racks"], rel=2e-3)
    # 72 chips at 1,597 W each: 2.95 s at 1,200 W
    plate = seconds["Cu plate .4 kg + .05 l PG25, 1 GPU 1200 W"]
    assert row["pumps_stopped_s"] == pytest.approx(plate * 1200 * 72 / 115e3, rel=1e-5)
    assert row["capacity_w"] is None
    assert result.loop == ("L1",) * 8
    assert np.isnan(result.loop_load).all()
    assert "no-cooling-data" in ids(result)


@pytest.mark.parametrize(("redundancy", "count"), [("N", 2), ("N+1", 3), ("N+2", 4), ("2N", 4)])
def test_cdus_that_nobody_counts_are_as_many_as_the_reference_says(redundancy: str, count: int) -> None:
    needed = {row[0]: row for row in vectors("cdun")[1]}[920]
    result = cooled([loop(cdu=CDU, redundancy=redundancy, facility_temperature="25 C")])
    (row,) = result.loops.to_rows()
    assert (needed[1], needed[2]) == (600, 2)
    assert (row["count"], row["running"]) == (count, count)
    assert ("CDUs of loop L1", str(count)) in [(a.what, a.value) for a in result.assumptions]
    assert [name for name in ids(result) if "loss" in name] == []
    # one at its rated flows is left with 920 kW and pumps of 0.6 %: at equal flows an approach goes with the heat
    warmer = pytest.approx(25 + 5 * 920 * 1.006 / 600, abs=1e-6)
    assert row["after_loss"]["supply_c"] == (30 if redundancy != "N" else warmer)


def test_loops_repeat_for_so_many_racks() -> None:
    result = cooled([loop(racks=3, cdu=CDU, count=2)], count=8)
    assert result.loop == ("L1-01",) * 3 + ("L1-02",) * 3 + ("L1-03",) * 2
    assert [row["racks"] for row in result.loops.to_rows()] == [3, 3, 2]
    assert result.loops.design.heat_w.sum() == pytest.approx(result.liquid_w.sum(), rel=1e-12)
    load = result.loop_load
    assert load[0] == load[2] == load[3]
    assert load[6] < load[0]


def test_racks_hang_on_the_loop_that_they_name() -> None:
    loops = [loop(), loop(name="L2", supply_temperature="40 C")]
    result = cooled(loops, racks={"loop": "L2"})
    assert set(result.loop) == {"L2"}
    assert set(result.supply_c.tolist()) == {40}
    assert [f.where for f in result.findings if f.id == "loop-unused"] == ["loop L1"]


def test_too_few_cdus_warm_the_loop_until_they_take_the_heat() -> None:
    result = cooled([loop(cdu=CDU, count=1, facility_temperature="25 C")])
    (row,) = result.loops.to_rows()
    assert row["supply_c"] > 30
    assert row["load"] > 1
    assert 60e3 * row["coolant_m3_per_s"] == pytest.approx(900)
    taken = row["facility_m3_per_s"] * 4.1705e6 * (row["facility_return_c"] - 25)
    assert taken == pytest.approx(row["heat_w"] + row["pumps_w"], rel=1e-3)
    over, flow = (
        next(f for f in result.findings if f.id == name) for name in ("loop-over-capacity", "loop-short-of-flow")
    )
    assert over.severity == "error"
    assert over.message.startswith("925.5 of ")
    assert over.fix.startswith("2 CDUs, or facility water of ")
    assert "pump 900 of 1,378 l/min that 10 K ask for" in flow.message
    colder = float(over.fix.split("facility water of ")[1].split(" C")[0])
    assert "loop-over-capacity" not in ids(cooled([loop(cdu=CDU, count=1, facility_temperature=f"{colder} C")]))
    assert "loop-over-capacity" not in ids(cooled([loop(cdu=CDU, count=2, facility_temperature="25 C")]))


def test_one_lost_cdu_is_an_error_where_redundancy_is_asked_for_and_a_warning_elsewhere() -> None:
    asked = cooled([loop(cdu=CDU, count=2, redundancy="N+1", facility_temperature="25 C")])
    assert ("loop-over-capacity-after-loss", "error") in [(f.id, f.severity) for f in asked.findings]
    (finding,) = [f for f in asked.findings if f.id == "loop-over-capacity-after-loss"]
    assert finding.message.startswith("once one CDU has failed: 925.5 of ")
    assert finding.fix.startswith("3 CDUs, or ")
    plain = cooled([loop(cdu=CDU, count=2, facility_temperature="25 C")])
    assert ("single-point-of-cooling", "warning") in [(f.id, f.severity) for f in plain.findings]
    alone = cooled([loop(cdu=CDU, count=1, facility_temperature="25 C")], count=4)
    (finding,) = [f for f in alone.findings if f.id == "single-point-of-cooling"]
    assert finding.message == "the loss of one CDU leaves none: 4 racks lose their liquid"


def test_pressure_is_held_against_the_pumps_and_pipes_against_velocity() -> None:
    pipe = {"diameter": "102.3 mm", "length": "50 m", "fittings": 15}
    keys = {"cdu": CDU | {"head": "35 psi"}, "count": 2, "pressure_drop": "200 kPa", "pipe": pipe}
    result = cooled([loop(**keys)])
    (row,) = result.loops.to_rows()
    # 73.3 kPa at 1,200 l/min in the reference; near the square of the flow
    assert row["pressure_drop_pa"] == pytest.approx(200e3 + 73259 * (1377.9 / 1200) ** 2, rel=0.02)
    assert row["pumps_w"] == pytest.approx(row["coolant_m3_per_s"] * row["pressure_drop_pa"] / 0.65)
    found = {finding.id: finding.message for finding in result.findings}
    assert "but CDUs hold 241.3 kPa" in found["loop-over-pressure"]
    speed = row["coolant_m3_per_s"] / (math.pi / 4 * 0.1023**2)  # limit of bores above 75 mm in the reference
    assert found["pipe-velocity"] == f"coolant runs at {speed:.3g} m/s in a pipe of 102.3 mm, above 2.1 m/s"


def test_devices_that_stand_less_than_the_loop_supplies_are_named() -> None:
    warm = NVL | {"coolant_inlet_max": "28 C"}
    plan = layout({"type": warm, "count": 1}, {"type": RACK, "cooling": "direct-to-chip"}, hall={"loops": [loop()]})
    devices = fabric(plan)
    placement = place(plan, devices)
    result = rack_cooling(plan, devices, placement, rack_power(plan, devices, placement))
    (finding,) = [f for f in result.findings if f.id == "coolant-too-warm"]
    assert finding.message == "supplies 30 C, but devices on it stand 28 C at most"


def test_pumps_without_ups_say_how_many_seconds_chips_have() -> None:
    (finding,) = [f for f in cooled([loop(pumps_on_ups=False)]).findings if f.id == "pumps-without-ups"]
    plate = {store[0]: store for store in vectors("ride")[1]}["Cu plate .4 kg + .05 l PG25, 1 GPU 1200 W"]
    seconds = 72 * plate[1] * 10 / 115e3  # what 72 plates store over the heat of a rack's chips
    assert f"10 K warmer after {seconds:.3g} s" in finding.message


def test_two_phase_loops_supply_at_saturation_and_carry_less() -> None:
    result = cooled([{"name": "L1", "coolant": "R1233zd(E)", "cdu": CDU, "count": 3, "facility_temperature": "30 C"}])
    (row,) = result.loops.to_rows()
    per_kw = {fluid[0]: fluid[-1] for fluid in vectors("twop")[1]}
    assert 60e3 * row["coolant_m3_per_s"] == pytest.approx(920 * per_kw["R1233zd(E)"], rel=1e-6)
    assert (row["supply_c"], row["return_c"]) == (40, 40)


def test_failing_cdus_are_domains_and_loops_take_what_hangs_on_them() -> None:
    plan = layout(
        {"type": NVL, "count": 6}, {"type": RACK, "cooling": "direct-to-chip", "hosts_per_rack": 1}, QM9700,
        hall={"loops": [loop(racks=4, cdu=CDU, count=1)]},
    )  # fmt: skip
    devices = fabric(plan, 2)
    placement = place(plan, devices)
    found = {kind: domains(kind, devices, plan, placement) for kind in ("loop", "cdu")}
    assert [(d.name, d.devices) for d in found["loop"]] == [("L1-01", (0, 1, 2, 3)), ("L1-02", (4, 5))]
    assert [(d.name, d.devices) for d in found["cdu"]] == [("L1-01-cdu1", (0, 1, 2, 3)), ("L1-02-cdu1", (4, 5))]


@settings(max_examples=25, deadline=None)
@given(
    racks=st.integers(1, 12), count=st.integers(1, 6), facility=st.integers(5, 29), rise=st.integers(3, 20),
    capacity=st.integers(50, 2000),
)  # fmt: skip
def test_energy_and_the_second_law_hold_in_every_state(
    racks: int, count: int, facility: int, rise: int, capacity: int
) -> None:
    unit = {"name": "c", "capacity": f"{capacity} kW", "approach_k": 4}
    stated = loop(cdu=unit, count=count, facility_temperature=f"{facility} C", rise=f"{rise} K")
    result = cooled([stated], count=racks)
    np.testing.assert_allclose(result.air_w + result.liquid_w, 132e3, rtol=1e-9)
    loops = result.loops
    for state in (loops.normal, loops.after_loss):
        if state.running[0] == 0:
            assert np.isinf(state.supply_c[0])
            continue
        moved = state.flow_m3_per_s * loops.design.j_per_m3_k * (state.return_c - state.supply_c)
        np.testing.assert_allclose(moved, loops.design.heat_w, rtol=1e-9)
        gained = loops.design.cold_j_per_m3_k * (state.facility_return_c - facility)
        heat_w = loops.design.heat_w + state.pumps_w
        np.testing.assert_allclose(state.facility_flow_m3_per_s * gained, heat_w, rtol=1e-9)
        assert state.supply_c[0] > facility
        assert state.facility_return_c[0] < state.return_c[0] + state.pumps_w[0] / loops.design.heat_w[0] * rise + 1e-6
        assert (state.load[0] > 1 + 1e-6) == (state.supply_c[0] > 30 + 1e-6)


#: Of water at 30 C, in kJ/(m3 K): table prop of the reference.
WATER = 1e3 * next(row[-1] for row in vectors("prop")[1] if row[:2] == ["Water", 30])

WRONG = [
    ({"cdu": "coolit-chx2000", "facility_temperature": "32 C", "supply_temperature": "30 C"}, "cannot cool loop L1"),
    ({"cdu": "coolit-chx2000", "count": 1, "redundancy": "N+1"}, "redundancy N+1 needs 2 CDUs, but loop L1 has 1"),
    ({"cdu": "coolit-chx2000", "count": 3, "redundancy": "2N"}, "2N is two equal sets of CDUs, but loop L1 has 3"),
    ({"cdu": "motivair-mcdu-70", "coolant": "water"}, "is made for PG25, but loop L1 has water"),
    (
        {"cdu": CDU | {"primary_flow": "200 l/min"}},
        f"facility water would gain {600 / (200 / 6e4 * WATER):.3g} K in cdu600",
    ),
    ({"cdu": CDU | {"approach_k": 0}}, "which no exchanger does; give an approach_k above 0"),
    ({"approach": "3 K"}, "approach is of a CDU, but loop L1 states none"),
    ({"coolant": "R134a", "supply_temperature": "45 C"}, "R134a boils at 40 C throughout loop L1"),
    ({"supply_temperature": "95 C"}, "95 C is no temperature of such a liquid"),
    ({"supply_temperature": "-5 C"}, "-5 C is no temperature of such a liquid"),
    ({"supply_temperature": "W+"}, "class W+ has no largest temperature"),
    ({"supply_temperature": "65 C", "rise": "40 K"}, "would return at 105 C, close to boiling"),
    ({"rise": "0 K"}, "out of range"),
    ({"pressure_drop": "0 kPa"}, "0 is no size"),
    ({"pipe": {"diameter": "0 mm", "length": "1 m"}}, "0 is no size"),
    ({"volume": "0 l"}, "out of range"),
    ({"facility_flow": "0 l/min"}, "out of range"),
    ({"cdu": {"name": "x", "capacity": "0 kW"}}, "out of range"),
    ({"count": 0, "cdu": "coolit-chx2000"}, "must be at least 1"),
]


@pytest.mark.parametrize(("keys", "words"), WRONG)
def test_loops_that_cannot_be_are_refused(keys: dict[str, Any], words: str) -> None:
    tree = {"name": "x", "hosts": {"type": NVL, "count": 1}, "hall": {"loops": [{"name": "L1"} | keys]}}
    with pytest.raises(InputError, match=re.escape(words)):
        layout_from_tree(tree)


def test_racks_on_loops_that_are_not_there_are_refused() -> None:
    racks = [{"type": RACK, "cooling": "direct-to-chip", "loop": "L9"}, {"type": RACK, "loop": "L1"}]
    hall = {"loops": [{"name": "L1"}, {"name": "L1"}]}
    with pytest.raises(InputError) as error:
        layout_from_tree({"name": "x", "hosts": {"type": NVL, "count": 1}, "racks": racks, "hall": hall})
    text = str(error.value)
    for words in ("there is no loop 'L9'", "have cooling air, which takes no liquid", "two loops are called 'L1'"):
        assert words in text


def test_classes_of_water_stand_for_their_largest_temperature() -> None:
    result = cooled([loop(supply_temperature="S40", cdu=CDU, count=3, facility_temperature="w32")])
    assert (result.supply_c[0], result.loops.design.facility_c[0]) == (40, 32)


def test_coolant_and_flow_that_a_type_asks_for() -> None:
    """MI355X: PG25, 2.1 l/min a GPU, 43 C at most, 14 kW (AMD reference design, catalogue)."""
    kind = host("mi", gpus=8, u=4, power_max="14 kW", weight="60 kg", air_fraction=0.2, coolant="PG25",
                coolant_inlet_max="43 C", coolant_flow="16.8 l/min")  # fmt: skip
    plan = layout({"type": kind, "count": 8}, {"type": RACK, "cooling": "direct-to-chip"},
                  hall={"loops": [{"name": "L1", "rise": "10 K", "coolant": "water"}]})  # fmt: skip
    devices = fabric(plan)
    placement = place(plan, devices)
    result = rack_cooling(plan, devices, placement, rack_power(plan, devices, placement))
    found = {finding.id: finding for finding in result.findings}
    assert found["coolant-mismatch"].message == "mi are made for PG25, but loop L1 has water"
    # 11.2 kW at 10 K of water, at the mean of 30 and 40 C
    per_kw = 60 / np.mean([row[-1] for row in vectors("prop")[1] if row[0] == "Water" and row[1] in (30, 40)])
    gets = 11.2 * per_kw / 10
    assert found["coolant-short"].message == f"mi get {gets:.3g} of 16.8 l/min that they ask for"
    assert found["coolant-short"].fix == f"rise: {math.floor(100 * gets / 16.8) / 10:g} K or less, in place of 10 K"
    assert "no-coolant-data" not in found
    assert "no-coolant-data" in ids(cooled([loop()]))


def test_coolant_near_the_dew_point_of_the_room_is_named() -> None:
    air = {"supply_temperature": "25 C", "humidity": 0.5}
    dew = {(row[0], row[1]): row[3] for row in vectors("psy")[1]}[25, 0.5]
    assert "condensation" not in ids(cooled([loop(supply_temperature=f"{dew + 2.01} C")], **air))
    (finding,) = [f for f in cooled([loop(supply_temperature="15 C")], **air).findings if f.id == "condensation"]
    assert finding.message == "supplies 15 C, but the room's dew point is 13.9 C: coolant stays 2 K above it"


def test_one_unit_serves_the_racks_that_its_maker_says() -> None:
    """CoolIT CHx2000: 12 NVL72 racks (catalogue)."""
    unit = {"cdu": "coolit-chx2000", "facility_temperature": "25 C", "rise": "12 K"}
    (row,) = cooled([loop(**unit)], count=12).loops.to_rows()
    assert row["count"] == 1
    assert row["coolant_m3_per_s"] * 6e4 < 2125


@pytest.mark.parametrize(("rise", "flow"), [(10, 172.3521), (12, 143.6268), (15, 114.9014), (20, 86.17606)])
def test_an_nvl72_rack_takes_the_flow_of_the_planning_tables(rise: int, flow: float) -> None:
    """V11 of the reference, at a mean of 30 C; 120-130 l/min are published, which is 13.3 to 14.4 K."""
    stated = loop(supply_temperature=f"{30 - rise / 2} C", rise=f"{rise} K")
    (row,) = cooled([stated], count=1, humidity=0.1).loops.to_rows()
    assert 6e4 * row["coolant_m3_per_s"] == pytest.approx(flow, rel=2e-4)


def test_racks_of_unknown_power_are_named_and_have_no_load() -> None:
    kinds = [{"type": NVL, "count": 2}, {"type": host("mystery", u=40, gpus=8), "count": 1}]
    plan = layout(kinds, {"type": RACK, "cooling": "direct-to-chip"},
                  hall={"loops": [loop(cdu=CDU, count=1)]})  # fmt: skip
    devices = fabric(plan)
    placement = place(plan, devices)
    result = rack_cooling(plan, devices, placement, rack_power(plan, devices, placement))
    assert np.isnan(result.loop_load).tolist() == [False, False, True]
    (finding,) = [f for f in result.findings if f.id == "no-cooling-data"]
    assert finding.where == "rack r03"
    assert finding.message.endswith("the heat of loop L1 is larger than what is counted")
