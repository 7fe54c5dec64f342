"""A hall through a year: energy conserved, the second law, standards' metrics, and what layouts say of plants."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import call
from hypothesis import given, settings
from hypothesis import strategies as st
from racked import DGX_H100, RACK, fabric, host, layout, vectors

from fabrictool.cooling import RackCooling, rack_cooling
from fabrictool.cooling.hall_model import HallPlant, Measured
from fabrictool.cooling.year import Circuit, HallYear, hall_year
from fabrictool.errors import InputError
from fabrictool.layout.plant import Plant
from fabrictool.layout.reading import layout_from_tree
from fabrictool.placement import place
from fabrictool.power import rack_power

NVL = host("nvl", gpus=72, u=40, power_max="132 kW", weight="1000 kg", air_fraction=17 / 132)
AIR, LOOP = Circuit("air", 2e5, 16.0, 6.0, of_air=True), Circuit("L1", 8e5, 25.0, 10.0)


def year(plant: dict[str, Any], dry: Any, wet: Any, circuits: tuple[Circuit, ...] = (AIR, LOOP)) -> HallYear:
    liquid = sum(circuit.heat_w for circuit in circuits if not circuit.of_air) / 1e6
    weather = (np.asarray(values, dtype=float) for values in (dry, wet))
    return hall_year(Plant.model_validate(plant), circuits, 1e6, liquid, HallPlant(), Measured(), *weather)


def cooled(hall: dict[str, Any], count: int = 4, kind: Any = NVL, **rack: Any) -> RackCooling:
    racks = {"type": RACK, "cooling": "direct-to-chip", "hosts_per_rack": 1} | rack
    plan = layout({"type": kind, "count": count}, racks, hall=hall)
    devices = fabric(plan)
    placement = place(plan, devices)
    return rack_cooling(plan, devices, placement, rack_power(plan, devices, placement))


def test_a_cold_hour_is_the_economised_hall_of_the_reference_and_a_warm_one_the_chilled() -> None:
    column = {row[0]: row for row in vectors("hall")[1]}
    circuits = (Circuit("air", 1.5e5, 16.0, 6.0, of_air=True), Circuit("L1", 8.5e5, 25.0, 10.0))
    free = year({"rejection": "dry-cooler"}, [0.0], [-1.0], circuits)
    assert free.means()["pue"] == pytest.approx(column["PUE"][3], rel=1e-6)
    # 14 C of evaporation and COP 5 in the reference: T_c = 287.15 x 1.1
    warm = year({"rejection": "dry-cooler"}, [287.15 * 1.1 - 273.15 - 12], [10.0],
                (circuits[0], Circuit("L1", 8.5e5, 60.0, 10.0)))  # fmt: skip
    assert warm.years[0].cop[0] == pytest.approx(5)
    assert warm.facility_w[0] == pytest.approx(column["tot"][2], rel=1e-6)


@pytest.mark.parametrize("row", vectors("cop")[1])
def test_compressors_run_as_the_reference_says(row: list[Any]) -> None:
    water, outdoor, kind, *_, cop, _ = row
    tower = "tower" in kind
    plant = {"rejection": "tower" if tower else "dry-cooler", "economiser": "none"}
    circuit = Circuit("air", 1e6, water, 6.0, of_air=True)
    dry, wet = (outdoor + 5, outdoor) if tower else (outdoor, outdoor - 5)
    found = year(plant, [dry], [wet], (circuit,))
    assert found.years[0].cop[0] == pytest.approx(min(cop, 15), rel=1e-6)
    assert found.years[0].mechanical[0] == 1


def test_water_of_a_tower_is_that_of_the_reference() -> None:
    temperature, cycles, _, _, _, made_up = vectors("water")[1][2]
    found = year({"rejection": "tower", "cycles": cycles}, [30.0], [temperature - 4.0], (LOOP,))
    assert found.water_kg[0] == pytest.approx(made_up * float(found.state.rejected_w[0]) / 1e3, rel=1e-4)
    assert year({"rejection": "dry-cooler"}, [30.0], [20.0]).water_kg[0] == 0


def test_pads_run_in_the_hours_in_which_dry_air_does_not_do() -> None:
    found = year({"rejection": "adiabatic"}, [16.0, 20.0, 40.0], [10.0, 12.0, 20.0], (LOOP,))
    assert found.years[0].free_c.tolist() == [24.0, pytest.approx(20 - 0.8 * 8 + 8), pytest.approx(40 - 16 + 8)]
    assert found.water_kg[0] == 0
    assert (found.water_kg[1:] > 0).all()
    assert found.years[0].mechanical.tolist() == [0, 0, 1]


def test_heat_that_others_use_is_lifted_by_a_heat_pump_as_in_the_reference() -> None:
    source, sink, share, _, _, delivered, electricity = vectors("hp")[1][1]
    circuit = Circuit("L1", 1e6, source - 10, 10.0)
    reuse = {"rejection": "dry-cooler", "reuse": {"share": 0.5, "sink": f"{sink} C", "carnot": share}}
    found = year(reuse, [10.0], [5.0], (circuit,))
    taken = found.reused_w[0] * 1000 / delivered
    assert found.heat_pump_w[0] == pytest.approx(taken * electricity / 1000, rel=1e-6)
    means = found.means()
    assert means["ere"] == pytest.approx((1 - means["erf"]) * means["pue"], rel=1e-9)
    warm = year({"rejection": "dry-cooler", "reuse": {"share": 1.0, "sink": "30 C"}}, [10.0], [5.0], (circuit,))
    assert warm.heat_pump_w[0] == 0
    assert 0 < warm.means()["erf"] < 1


@settings(max_examples=80, deadline=None)
@given(
    dry=st.floats(-30, 45), depression=st.floats(0, 20), required=st.floats(8, 45), share=st.floats(0, 1),
    rejection=st.sampled_from(["tower", "dry-cooler", "adiabatic"]), chiller=st.booleans(),
    economiser=st.sampled_from(["full", "partial"]), reused=st.floats(0.01, 1), sink=st.integers(20, 90),
)  # fmt: skip
def test_all_electricity_becomes_heat_that_leaves_somewhere(
    dry: float, depression: float, required: float, share: float, rejection: str, chiller: bool, economiser: str,
    reused: float, sink: int,
) -> None:  # fmt: skip
    air = Circuit("air", 1e6 * (1 - share) + 1, 16.0, 6.0, of_air=True)
    circuits = (air, Circuit("L1", 1e6 * share + 1, required, 9.0))
    plant = {"rejection": rejection, "chiller": chiller, "economiser": economiser}
    found = year(plant | {"reuse": {"share": reused, "sink": f"{sink} C"}}, [dry], [dry - depression], circuits)
    s = found.state
    rejected = s.rejected_w + s.rejection_w + 0.7 * s.electrical_w + s.other_w
    assert found.facility_w == pytest.approx(rejected + found.reused_w, rel=1e-9)
    means = found.means()
    assert means["pue"] >= 1
    assert 0 <= means["erf"] < 1
    assert means["ere"] <= means["pue"]
    assert means["wue_l_per_kwh"] >= 0
    for hours in found.years:
        assert hours.free_c[0] > dry - depression
        assert 0 <= hours.mechanical[0] <= 1
        assert hours.cop[0] <= 15


@given(dry=st.floats(-20, 40), more=st.floats(0, 10), economiser=st.sampled_from(["full", "partial", "none"]))
@pytest.mark.parametrize("rejection", ["tower", "dry-cooler"])
def test_warmer_air_never_costs_less(rejection: str, dry: float, more: float, economiser: str) -> None:
    plant = {"rejection": rejection, "economiser": economiser}
    cool, warm = (year(plant, [at], [at - 3]).facility_w[0] for at in (dry, dry + more))
    assert warm >= cool * (1 - 1e-12)


def test_a_layouts_year_stands_in_its_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = """
name: hall
hosts: {name: dgx, type: dgx-h100, count: 8}
racks: {type: rack-48u, hosts_per_rack: 2, cooling: rear-door, loop: D}
hall:
  weather: year.csv
  plant: {rejection: tower, chiller: false}
  loops: [{name: D, supply_temperature: 18 C, rise: 6 K}]
"""
    (tmp_path / "hall.yaml").write_text(text)
    (tmp_path / "year.csv").write_text("hour,T_db_C,RH_pct\n" + "1,15,40\n" * 8000 + "1,30,60\n" * 760)
    status, out, _ = call(capsys, "score", str(tmp_path / "hall.yaml"), "--json")
    found = json.loads(out)
    year_of = found["cooling"]["year"]
    # psychrolib 2.5.0: the wet bulb of 30 C and 60 % is 23.8125 C; 4 K of the tower and 3 K of an exchanger on top
    assert year_of["circuits"] == [
        {"circuit": "D", "heat_w": 81600.0, "required_c": 18.0, "free_hours": 8000,
         "free_hours_within": None, "compressor_hours": 0, "partial_hours": 0,
         "warmest_c": pytest.approx(23.8125 + 4 + 3, abs=0.001)},
    ]  # fmt: skip
    assert found["cooling"]["pue"] == year_of["pue"]
    assert found["power"]["facility_w"] == year_of["peak_facility_w"] >= 81600 * year_of["pue"] * (1 - 1e-12)
    assert year_of["it_kwh"] == pytest.approx(81.6 * 8760)
    (finding,) = [f for f in found["findings"] if f["id"] == "plant-too-warm"]
    assert "too warm in 760 of 8,760 hours: coolant up to 30.8 C" in finding["message"]
    assert status == (1 if any(f["severity"] == "error" for f in found["findings"]) else 0)
    _, shown, _ = call(capsys, "score", str(tmp_path / "hall.yaml"))
    assert "free cooling D 8,000 h of 8,760~" in shown
    (tmp_path / "year.csv").write_text("hour,T_db_C,RH_pct\n1,15,40\n")
    status, out, err = call(capsys, "score", str(tmp_path / "hall.yaml"))
    assert (status, out) == (2, "")
    assert "year.csv:2: has 1 hours, but a year has 8,760 or 8,784" in err


def test_outdoor_air_that_is_too_warm_for_devices_is_an_error() -> None:
    loops = [{"name": "L1", "supply_temperature": "30 C", "rise": "10 K", "cdu": "coolit-chx2000", "count": 1,
              "facility_temperature": "25 C"}]  # fmt: skip
    stated = {"loops": loops, "plant": {"rejection": "dry-cooler", "chiller": False, "outdoor": {"dry_bulb": "38 C"}}}
    result = cooled(stated, kind=NVL | {"coolant_inlet_max": "45 C"})
    found = {finding.where: finding for finding in result.findings if finding.id == "plant-too-warm"}
    assert found["circuit L1"].severity == "error"
    # 8 K of the dry cooler and 5 K of the CDU
    assert f"coolant up to {38 + 8 + 5} C, above 45 C that devices stand" in found["circuit L1"].message
    assert found["circuit air"].severity == "error"  # chilled water of 25 - 8 C asked for, 38 + 8 C there
    assert f"outdoor air gives {38 + 8} C, not {25 - 8} C" in found["circuit air"].message
    assert result.year is not None
    assert result.year.outdoors.name == "stated outdoor air"


def test_a_stated_pue_stands() -> None:
    stated = {"pue": 1.3, "weather": "london", "plant": {}}
    result = cooled(stated)
    assert result.pue == 1.3
    assert result.year is not None
    assert result.year.year.means()["pue"] < 1.3
    assert result.facility_w == pytest.approx(4 * 132e3 * 1.3)


WRONG = [
    ({"weather": "london"}, "weather is for a plant, but the hall states none"),
    ({"plant": {}}, "nothing says under which weather the plant stands"),
    ({"plant": {"outdoor": {"dry_bulb": "35 C"}}}, "a plant with rejection tower needs the wet bulb"),
    ({"plant": {"outdoor": {"dry_bulb": "35 C", "wet_bulb": "36 C"}}}, "a wet bulb of 36 C is above the dry bulb"),
    ({"weather": "london", "plant": {"chilled_water": "26 C"}}, "chilled water of 26 C cannot cool air to 25 C"),
    ({"weather": "london", "plant": {"rejection": "dry-cooler", "exchanger": "3 K"}}, "exchanger is between a tower"),
    ({"weather": "london", "plant": {"pads": 0.8}}, "pads are of rejection adiabatic"),
    ({"weather": "london", "plant": {"chiller": False, "economiser": "none"}}, "nothing cools the water"),
    ({"weather": "london", "plant": {"cycles": 1}}, "it must be more than 1"),
    ({"weather": "london", "plant": {"approach": "0 K"}}, "out of range"),
    ({"weather": "london", "plant": {"reuse": {"share": 0, "sink": "70 C"}}}, "it must be more than 0"),
]


@pytest.mark.parametrize(("hall", "words"), WRONG)
def test_plants_that_cannot_be_are_refused(hall: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        layout_from_tree({"name": "x", "hosts": {"type": DGX_H100, "count": 1}, "hall": hall})


def test_a_city_without_weather_is_refused_with_those_that_have() -> None:
    with pytest.raises(InputError, match="there is no weather of 'londn'; did you mean 'london'"):
        cooled({"weather": "londn", "plant": {}})


def test_stored_water_lasts_as_in_the_reference() -> None:
    store = {row[0]: row for row in vectors("ride")[1]}["water buffer 20 m3, 2 MW"]
    stated = {"plant": {"buffer": "20 m3", "outdoor": {"dry_bulb": "20 C", "wet_bulb": "15 C"}}}
    found = cooled(stated, count=4)
    assert found.year is not None
    assert found.year.to_dict()["buffer_s"] == pytest.approx(store[-1] * 2e6 / (4 * 132e3), rel=1e-4)


def test_a_weather_file_that_is_not_there_is_named_with_the_cities_that_are() -> None:
    with pytest.raises(InputError, match=r"there is no weather file 'no\.csv'; name a CSV or EPW file .*london"):
        cooled({"weather": "no.csv", "plant": {}})
