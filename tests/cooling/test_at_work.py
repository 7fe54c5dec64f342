"""Cooling at part of its load: flows by the heat, fans and pumps by fan laws, and the year they make."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from racked import RACK, fabric, host, layout, vectors

import fabrictool as ft
from fabrictool.cooling import RackCooling, rack_cooling
from fabrictool.cooling.at_work import CoolingAtWork, cooling_at_work
from fabrictool.layout.reading import layout_from_tree
from fabrictool.placement import place
from fabrictool.power import RackPower, rack_power

#: 115 kW to plates, 17 kW to air.
NVL = host("nvl", gpus=72, u=40, power_max="132 kW", weight="1000 kg", air_fraction=17 / 132)
LOOP = {"name": "L1", "supply_temperature": "30 C", "rise": "10 K", "pressure_drop": "200 kPa"}
CRAH = {"name": "crah", "count": 2, "capacity": "100 kW", "airflow": "6 m3/s", "fans": "1 kW"}
HALL = {"supply_temperature": "24 C", "loops": [LOOP], "air_units": [CRAH]}
HOUR = {"outdoor": {"dry_bulb": "2 C"}, "rejection": "dry-cooler"}


def hall(count: int = 4, **keys: Any) -> tuple[RackCooling, RackPower]:
    plan = layout({"type": NVL, "count": count}, {"type": RACK, "cooling": "direct-to-chip", "hosts_per_rack": 1},
                  hall=HALL | keys)  # fmt: skip
    devices = fabric(plan)
    placement = place(plan, devices)
    power = rack_power(plan, devices, placement)
    return rack_cooling(plan, devices, placement, power), power


def at(share: Any, **keys: Any) -> tuple[RackCooling, CoolingAtWork]:
    cooling, power = hall(**keys)
    return cooling, cooling_at_work(cooling, power.it_w, power.it_w * share)


def year(cooling: RackCooling, work: CoolingAtWork) -> dict[str, float]:
    assert cooling.year is not None
    return cooling.year.at_load(work, np.nan).means()


def test_half_the_heat_takes_half_the_flow_and_an_eighth_of_fans_and_pumps() -> None:
    most, work = at(0.5)
    assert work.it_w == pytest.approx(4 * 66e3)
    assert (work.air_w, work.liquid_w) == (pytest.approx(4 * 8.5e3), pytest.approx(4 * 57.5e3))
    assert work.airflow_m3_per_s == pytest.approx(most.airflow_m3_per_s.sum() / 2)
    # table fan of the reference: half the flow at a quarter of the pressure and an eighth of the power
    (flow, pressure, power, *_), half = vectors("fan")[1][1][:3], vectors("fan")[1][1][3:]
    assert work.fans_w == pytest.approx(2e3 * half[2] / power)
    assert work.flow_m3_per_s == pytest.approx(most.loops.normal.flow_m3_per_s * half[0] / flow)
    assert work.pumps_w == pytest.approx(most.loops.normal.pumps_w * (half[0] / flow) * (half[1] / pressure))


def test_racks_that_idle_take_none_of_their_loops_flow() -> None:
    loops = [LOOP | {"racks": 2}]
    _, work = at(np.array([1.0, 1.0, 0.0, 0.5]), loops=loops)
    assert work.loop == ("L1-01", "L1-02")
    assert work.loop_w.tolist() == [pytest.approx(2 * 115e3), pytest.approx(0.5 * 115e3)]


def test_the_year_at_full_load_is_the_year_and_less_at_part_load() -> None:
    most, same = at(1.0, plant=HOUR)
    assert most.year is not None
    assert year(most, same) == pytest.approx(most.year.year.means())
    # free cooling: what moves falls faster than the heat
    assert 1 < year(*at(0.5, plant=HOUR))["pue"] < most.year.year.means()["pue"]


def test_a_hall_by_hand() -> None:
    """A cold hour at half load, term by term: fans and pumps by the cube, rejection and the rest by the heat."""
    most, half = at(0.5, plant=HOUR)
    assert most.year is not None
    full, model = most.year.year.state, most.year.model
    it = 4 * 66e3
    electrical = it * (1 / model.electrical - 1)
    moved = float(full.fans_w + full.coolant_pumps_w) / 8
    warm_air = 4 * 8.5e3 + float(full.fans_w) / 8 + 0.3 * electrical
    chilled = warm_air / (4.176431e6 * 6) * (250e3 / 4) / 0.65
    warm_loop = 4 * 57.5e3 + float(full.coolant_pumps_w) / 8
    facility = warm_loop / (4.161552e6 * 10) * (200e3 / 4) / 0.65
    rejected = warm_air + chilled + warm_loop + facility
    total = it * 1.01 + electrical + moved + chilled + facility + 0.015 * rejected
    assert year(most, half)["pue"] == pytest.approx(total / it, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(share=st.lists(st.floats(0.01, 1), min_size=4, max_size=4))
def test_heat_goes_with_power_and_nothing_grows(share: list[float]) -> None:
    most, work = at(np.array(share), plant=HOUR)
    assert work.air_w + work.liquid_w == pytest.approx(132e3 * sum(share), rel=1e-9)
    assert work.loop_w.sum() == pytest.approx(work.liquid_w, rel=1e-9)
    assert work.fans_w <= most.room.normal.fans_w * (1 + 1e-9)
    assert (work.pumps_w <= most.loops.normal.pumps_w * (1 + 1e-9)).all()
    assert year(most, work)["pue"] >= 1


def test_a_workload_sets_the_load_in_a_score() -> None:
    tree = {
        "name": "x", "hosts": {"type": NVL | {"nics": 8}, "count": 4},
        "racks": {"type": "rack-48u", "cooling": "direct-to-chip", "hosts_per_rack": 1}, "hall": HALL,
    }  # fmt: skip
    found = ft.evaluate(layout_from_tree(tree)).to_dict()
    work = found["cooling"]["work"]
    assert work["it_w"] == pytest.approx(found["power"]["work"]["mean_w"]) == 0.8 * found["power"]["it_max_w"]
    assert work["fans_w"] == pytest.approx(2e3 * 0.8**3)
    assert "fans and pumps at work" in [row["what"] for row in found["assumptions"]]
