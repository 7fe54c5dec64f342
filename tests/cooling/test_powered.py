"""Cooling on the supply: what it loads, and what its power takes along."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from racked import RACK, fabric, host, layout

from fabrictool.cooling import RackCooling, rack_cooling
from fabrictool.cooling.powered import PoweredCooling, powered_cooling
from fabrictool.cooling.powered_findings import powered_findings
from fabrictool.errors import InputError
from fabrictool.evaluation import evaluate
from fabrictool.layout.reading import layout_from_tree
from fabrictool.placement import place
from fabrictool.power import SupplyLoads, rack_power, supply_loads
from fabrictool.records import Finding

HOST = host("wet", power_max="40 kW", u=10, air_fraction=0.2, coolant_inlet_max="33 C")
CDU = {"name": "cdu", "capacity": "1 MW", "approach_k": 4, "flow": "1500 l/min", "power": "9 kW"}
FEEDS = [{"name": f, "voltage": "415 V", "amps": 80, "redundancy": "2N", "from": f"ups-{f.lower()}"} for f in "AB"]
SUPPLY: list[dict[str, Any]] = [
    {"name": "utility", "kind": "utility"},
    {"name": "genset", "kind": "generator"},
    *({"name": f"ups-{f}", "kind": "ups", "efficiency": 0.95, "from": ["utility", "genset"]} for f in "ab"),
    *({"name": f"panel-{f}", "kind": "panel", "efficiency": 1, "from": f"ups-{f}"} for f in "ab"),
]
LOOP = {"name": "row", "cdu": CDU, "count": 2, "redundancy": "N+1", "facility_temperature": "25 C"}
AIR = {"name": "wall", "count": 4, "redundancy": "N+1", "capacity": "60 kW", "airflow": "5 m3/s", "fans": "3 kW"}


class Found:
    """A hall of 10 racks of 40 kW, of which 32 kW leave in liquid, with its cooling on the supply."""

    def __init__(self, loop: dict[str, Any] | None = None, air: dict[str, Any] | None = None, **keys: Any) -> None:
        hall = {"feeds": FEEDS, "supply": SUPPLY, "power_factor": 1.0, "volume": "500 m3"}
        hall |= {"loops": [LOOP | (loop or {})], "air_units": [AIR | (air or {})]} | keys
        racks = {"type": RACK, "hosts_per_rack": 1, "cooling": "direct-to-chip", "loop": "row"}
        self.layout = layout({"type": HOST, "count": 10}, racks, hall=hall)
        devices = fabric(self.layout)
        placement = place(self.layout, devices)
        power = rack_power(self.layout, devices, placement)
        self.cooling: RackCooling = rack_cooling(self.layout, devices, placement, power)
        self.powered: PoweredCooling = powered_cooling(self.layout, self.cooling)
        self.supply: SupplyLoads = supply_loads(self.layout, placement, power, self.powered.machines)

    @property
    def load_w(self) -> dict[str, float]:
        return {one.name: one.load_w for one in self.supply.elements}

    @property
    def worst_w(self) -> dict[str, float]:
        return {one.name: one.worst_w for one in self.supply.elements}

    def findings(self) -> list[Finding]:
        assert self.layout.hall is not None
        return list(powered_findings(self.layout.hall, self.powered, self.supply.dark, self.supply.stopped))


def test_cooling_that_says_nothing_hangs_like_racks() -> None:
    """9 kW of each of two CDUs and 3 kW of each of four handlers, half of it on either side; nothing is lost."""
    found = Found()
    assert found.supply.cooling_w == pytest.approx(2 * 9e3 + 4 * 3e3)
    assert found.load_w["ups-a"] == found.load_w["ups-b"] == pytest.approx((400e3 + 30e3) / 2)
    assert found.worst_w["ups-a"] == pytest.approx(430e3)
    assert found.supply.utility_w == pytest.approx(430e3 / 0.95)
    assert found.findings() == []
    (first, *_) = found.powered.assumptions
    assert (first.what, first.value) == (
        "electricity of row, wall",
        "like racks, from ups-a and ups-b, live ones evenly",
    )


def test_a_board_takes_its_cooling_along() -> None:
    found = Found({"from": "panel-a"}, {"from": ["panel-a", "panel-b"]})
    assert found.load_w["panel-a"] == pytest.approx(18e3 + 12e3)
    assert (found.load_w["panel-b"], found.worst_w["panel-b"]) == (0, pytest.approx(12e3))
    names = [found.powered.machines.name[row] for row in found.supply.stopped["ups-a"]]
    assert names == ["row-cdu1", "row-cdu2"]
    assert found.supply.dark["ups-a"] == ()
    (finding,) = found.findings()
    assert (finding.where, finding.severity) == ("panel-a, ups-a", "error")
    assert "the loss of any of them stops 2 of 2 CDUs of loop row: coolant stands still" in finding.message
    assert finding.message.endswith("while 10 racks have power")
    # all cooled by the loop stop: 10 racks of one host each
    assert found.powered.devices(np.array(found.supply.stopped["ups-a"])).sum() == 10


def test_machines_in_turn_leave_half_of_them() -> None:
    """One CDU of 1 MW takes 320 kW, so that nothing is lost; two of four handlers blow too little for 35 degC."""
    found = Found({"from": ["panel-a", "panel-b"], "supplied": "in-turn"}, {"from": ["panel-a", "panel-b"],
                  "supplied": "in-turn", "airflow": "1.2 m3/s"})  # fmt: skip
    assert found.load_w["panel-a"] == pytest.approx(9e3 + 2 * 3e3)
    assert found.worst_w["panel-a"] == pytest.approx(9e3 + 2 * 3e3)
    assert found.supply.stopped["panel-a"] == (0, 2, 4)
    (finding,) = found.findings()
    assert set(finding.where.split(", ")) == {"panel-a", "panel-b", "ups-a", "ups-b"}
    assert "stops 2 of 4 air handlers wall: air before racks gets up to 40.9 C" in finding.message
    assert "devices stand 35 C, after" in finding.message
    enough = Found({"from": ["panel-a", "panel-b"], "supplied": "in-turn"})
    assert enough.findings() == []


def test_one_cdu_that_is_left_may_not_be_enough() -> None:
    weak = {"cdu": CDU | {"capacity": "160 kW", "flow": "240 l/min"}, "redundancy": "N"}
    found = Found(weak | {"from": ["panel-a", "panel-b"], "supplied": "in-turn"})
    assert "1 of 2 CDUs of loop row: coolant rises to" in found.findings()[0].message
    assert "33 C are allowed" in found.findings()[0].message


def test_feeds_without_redundancy_make_it_a_warning() -> None:
    alone = [FEEDS[0] | {"redundancy": "N"}]
    found = Found({"from": "panel-b"}, {"from": "panel-b"}, feeds=alone)
    assert {finding.severity for finding in found.findings()} == {"warning"}
    # where racks lose their power too, nothing is left to cool
    assert "utility" not in found.supply.stopped or found.supply.stopped["utility"] == ()
    assert {name for finding in found.findings() for name in finding.where.split(", ")} == {"panel-b", "ups-b"}


def test_machines_stand_beside_their_racks() -> None:
    """Loops of five racks on busways of five: each CDU loads the busway of its own racks."""
    buses = [{"name": f"bus-{f}", "kind": "busway", "efficiency": 1, "racks": 5, "from": f"ups-{f}"} for f in "ab"]
    feeds = [feed | {"from": f"bus-{str(feed['name']).lower()}"} for feed in FEEDS]
    found = Found({"racks": 5, "from": "bus-a"}, {"from": "panel-b"}, supply=[*SUPPLY, *buses], feeds=feeds)
    assert found.load_w["bus-a-01"] == found.load_w["bus-a-02"] == pytest.approx(5 * 20e3 + 18e3)
    assert found.load_w["bus-b-01"] == pytest.approx(5 * 20e3)
    assert [finding.where for finding in found.findings() if "bus" in finding.where] == ["bus-a-01 to bus-a-02 (2)"]


def test_direct_current_racks_leave_cooling_on_alternating_current() -> None:
    rectifier = {"name": "dc", "kind": "rectifier", "from": "panel-a"}
    feeds = [{"name": "bar", "voltage": "54 V", "phases": "dc", "amps": 2000, "from": "dc"}]
    found = Found(supply=[*SUPPLY, rectifier], feeds=feeds)
    assert set(found.powered.machines.board) == {"panel-a"}


def test_the_plant_draws_its_most() -> None:
    outdoor = {"dry_bulb": "30 C", "wet_bulb": "24 C"}
    found = Found(plant={"rejection": "tower", "from": "utility", "outdoor": outdoor, "buffer": "5 m3"})
    assert found.cooling.year is not None
    state = found.cooling.year.year.state
    most = float(np.max(state.total_w - state.electrical_w - state.fans_w - state.coolant_pumps_w - state.other_w))
    assert found.supply.cooling_w == pytest.approx(30e3 + most - 400e3)
    assert found.supply.stopped["utility"] == (6,)
    (finding,) = found.findings()
    assert finding.message.startswith("its loss stops the plant, while 10 racks have power: stored water ")


@given(
    st.floats(0.5, 1), st.sampled_from(["panel-a", "ups-b", "utility"]), st.sampled_from(["all", "first", "in-turn"])
)
def test_energy_is_conserved(share: float, board: str, way: str) -> None:
    found = Found({"from": [board, "panel-b"], "supplied": way}, {"from": board}, diversity=share)
    total = 400e3 * share + found.supply.cooling_w + found.supply.loss_w
    assert found.supply.utility_w == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"loops": [LOOP | {"from": "panel-c"}]}, "loop row draws from 'panel-c', which is not there; did you mean"),
        ({"air_units": [AIR | {"from": "pannel-a"}]}, "air handlers wall draws from 'pannel-a', which is not there"),
        ({"plant": {"from": "x"}}, "the plant draws from 'x', which is not there"),
        ({"loops": [LOOP | {"supplied": "in-turn"}]}, "it names 0; list two or more under from, or remove it"),
    ],
)
def test_what_is_wrong_is_named(keys: dict[str, Any], words: str) -> None:
    tree = {"name": "t", "hosts": {"type": HOST, "count": 1},
            "racks": {"type": RACK, "cooling": "direct-to-chip", "loop": "row"},
            "hall": {"feeds": FEEDS, "supply": SUPPLY, "loops": [LOOP], "weather": "london"} | keys}  # fmt: skip
    with pytest.raises(InputError) as error:
        layout_from_tree(tree)
    assert words in str(error.value)


def test_the_facility_at_work_is_what_the_utility_delivers() -> None:
    """Two ways to add up a hall at work: level by level up the supply, and part by part of its year."""
    hall = {"feeds": FEEDS, "supply": [one | {"rating": "500 kW"} if one["kind"] == "ups" else one for one in SUPPLY]}
    for one in hall["supply"]:
        if one["kind"] == "ups":
            del one["efficiency"]
    hall |= {"loops": [LOOP | {"from": "panel-a"}], "air_units": [AIR], "weather": "london"}
    hall["plant"] = {"rejection": "tower", "from": "utility"}
    tree = {"name": "t", "hosts": {"type": HOST, "count": 10}, "hall": hall,
            "racks": {"type": RACK, "hosts_per_rack": 1, "cooling": "direct-to-chip", "loop": "row"}}  # fmt: skip
    found = evaluate(layout_from_tree(tree))
    behind, mean_w = found.work.behind, found.work.totals_w[3]
    assert found.work.facility_w == pytest.approx(behind.utility_w[3] + 0.01 * mean_w, rel=1e-9)
    # a UPS of two that share carries about a third of its rating, and loses what it does there
    rows = [row for row in found.to_dict()["power"]["supply"] if row["kind"] == "ups"]
    for row in rows:
        load = row["work_w"] / 500e3
        assert 0.3 < load < 0.4
        assert row["work_loss_w"] == pytest.approx(500e3 * (0.010 + 0.015 * load + 0.015 * load**2), rel=1e-9)
    work = found.to_dict()["power"]["work"]
    assert work["distribution_loss"]["mean_w"] == pytest.approx(sum(row["work_loss_w"] for row in rows), rel=1e-9)
    assert work["swing"]["utility_w"] > work["swing"]["hall_w"]
    assert work["utility"]["waiting_w"] < work["utility"]["mean_w"] < work["utility"]["computing_w"]


def test_a_cap_holds_back_plates_and_air_alike() -> None:
    """A rack of 40 kW held to 30 gives 24 kW to its plates and 6 kW to air, not 32 and less than nothing."""
    tree = {
        "name": "t",
        "hosts": {"type": HOST, "count": 2},
        "racks": {"type": RACK, "cooling": "direct-to-chip", "hosts_per_rack": 1, "power_cap": "30 kW"},
    }
    found = evaluate(layout_from_tree(tree)).cooling
    assert found.liquid_w == pytest.approx([24e3] * 2)
    assert found.air_w == pytest.approx([6e3] * 2)
