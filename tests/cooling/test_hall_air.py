"""Air handlers of a hall: mixing, coils and losses, against the reference and the conservation of energy."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from racked import DGX_H100, RACK, fabric, layout, vectors

from fabrictool.cooling import RackCooling, rack_cooling
from fabrictool.cooling.air_units import air_capacity_j_per_m3_k, air_state
from fabrictool.cooling.conditions import air_conditions
from fabrictool.cooling.inlets import one_rack
from fabrictool.domains import domains
from fabrictool.errors import InputError
from fabrictool.layout.model import Hall
from fabrictool.layout.reading import layout_from_tree
from fabrictool.placement import place
from fabrictool.power import rack_power

COLD = {"water_temperature": "5 C", "capacity": "500 kW"}


def hall(units: list[dict[str, Any]], **keys: Any) -> Hall:
    stated = {"supply_temperature": "20 C", "air_rise": "12 K", "humidity": 0.5, "altitude": "0 m"} | keys
    return Hall.model_validate(stated | {"air_units": units})


def cooled(stated: dict[str, Any], count: int = 8, **rack: Any) -> RackCooling:
    plan = layout({"type": DGX_H100, "count": count}, {"type": RACK, "hosts_per_rack": 4} | rack, hall=stated)
    devices = fabric(plan)
    placement = place(plan, devices)
    return rack_cooling(plan, devices, placement, rack_power(plan, devices, placement))


@pytest.mark.parametrize("row", vectors("bypass")[1])
def test_air_mixes_as_in_the_reference(row: list[float]) -> None:
    racks, blown, share, bypass, inlet, _, back, index = row
    stated = hall([{"name": "crah", "count": 1, "airflow": f"{blown} m3/s", "fan_pressure": "1 Pa"} | COLD],
                  recirculation=share)  # fmt: skip
    air = air_conditions(stated)
    state = air_state(stated, air, one_rack(racks * 12 * air_capacity_j_per_m3_k(air)))
    assert state.need_m3_per_s == pytest.approx(racks)
    assert state.recirculation == pytest.approx(max(share, 1 - blown / racks))
    assert state.bypass == pytest.approx(bypass, abs=1e-7)
    assert state.inlet_c == pytest.approx(inlet, rel=1e-6)
    assert state.return_c == pytest.approx(back, abs=0.002)  # fans at 1 Pa warm it by a thousandth
    assert state.return_index == pytest.approx(index, rel=1e-6)


@pytest.mark.parametrize("kind", ["none", "partial", "cold-aisle", "hot-aisle", "chimney"])
def test_containment_gives_the_recirculation_that_the_documents_name(kind: str) -> None:
    shares = {"none": 0.15, "partial": 0.1, "cold-aisle": 0.05, "hot-aisle": 0.05, "chimney": 0.02}
    result = cooled({"supply_temperature": "20 C", "containment": kind})
    share = shares[kind]
    assert result.inlet_c == pytest.approx(20 + share / (1 - share) * 12)


def test_too_little_air_is_breathed_as_exhaust() -> None:
    units = [{"name": "crah", "count": 4, "capacity": "40 kW", "airflow": "1.2 m3/s"}]
    result = cooled({"supply_temperature": "24 C", "air_units": units})
    need = result.room.normal.need_m3_per_s
    assert need == pytest.approx(result.airflow_m3_per_s.sum(), rel=1e-9)
    share = 1 - 4.8 / need
    assert result.inlet_c == pytest.approx(24 + share / (1 - share) * 12)
    (finding,) = [f for f in result.findings if f.id == "hall-short-of-air"]
    assert finding.severity == "error"
    assert finding.message.startswith(
        f"handlers blow 4.8 of {need:.3g} m3/s of supply air that racks take: {100 * share:.0f} % of"
    )
    assert finding.fix == f"{np.ceil(need / 1.2):.0f} air handlers, or a larger air_rise"


def test_too_little_cold_warms_the_supply() -> None:
    units = [{"name": "crah", "count": 2, "capacity": "30 kW", "airflow": "8 m3/s", "fans": "1 kW", "approach": "8 K"}]
    result = cooled({"supply_temperature": "24 C", "air_units": units})
    state = result.room.normal
    assert (state.heat_w, state.load) == (pytest.approx(83.6e3), pytest.approx(83.6 / 60))
    # effectiveness is constant at equal flows: supply and water are apart as the load asks
    assert state.supply_c - 16 == pytest.approx(8 * 83.6 / 60)
    (finding,) = [f for f in result.findings if f.id == "hall-over-cooling"]
    assert finding.message == "83.6 of 60.0 kW that handlers take: supply air rises from 24 to 27.1 C"
    assert finding.fix == "3 air handlers, or colder chilled water"


def test_a_lost_handler_is_an_error_where_redundancy_is_asked_for() -> None:
    units = [{"name": "crah", "count": 2, "capacity": "60 kW", "airflow": "4 m3/s", "redundancy": "N+1"}]
    result = cooled({"supply_temperature": "24 C", "air_units": units, "volume": "500 m3"})
    finding, cold = (f for f in result.findings if f.id.startswith("hall-"))
    assert (finding.id, finding.severity) == ("hall-short-of-air-after-loss", "error")
    assert (cold.id, cold.severity) == ("hall-over-cooling-after-loss", "error")
    assert finding.message.startswith("once 1 of 2 crah has failed: handlers blow 4 of 5.6")
    assert finding.where == "hall, air handlers crah"
    assert not [f for f in cooled({"air_units": [units[0] | {"count": 3}]}).findings if f.id.startswith("hall-")]
    # 500 m3 of air from 24 to 35 C of class A2
    rate = 500 * air_capacity_j_per_m3_k(result.room.conditions)
    assert result.to_dict()["air"]["ride_through_s"] == pytest.approx(rate * 11 / 81.6e3)


def test_the_only_handler_leaves_no_air() -> None:
    units = [{"name": "wall", "count": 1, "capacity": "200 kW", "airflow": "20 m3/s"}]
    (finding,) = [f for f in cooled({"air_units": units}).findings if f.id.startswith("hall-")]
    assert (finding.id, finding.severity) == ("hall-short-of-air-after-loss", "warning")
    assert finding.message == "once 1 of 1 wall has failed: none is left to blow the 5.7 m3/s that racks take"
    assert not [f for f in cooled({"air_units": units}, cooling="immersion").findings if f.id.startswith("hall-")]


def test_a_lost_handler_takes_devices_along_that_do_not_stand_the_heat() -> None:
    units = [{"name": "crah", "count": 2, "capacity": "60 kW", "airflow": "4 m3/s"}]
    plan = layout(
        [{"type": DGX_H100 | {"name": "weak", "inlet_max": "27 C"}, "count": 4}, {"type": DGX_H100, "count": 4}],
        {"type": RACK, "hosts_per_rack": 4}, hall={"supply_temperature": "24 C", "air_units": units},
    )  # fmt: skip
    devices = fabric(plan)
    found = domains("air-unit", devices, plan, place(plan, devices))
    assert [(d.name, d.devices) for d in found] == [("crah-1", (0, 1, 2, 3)), ("crah-2", (0, 1, 2, 3))]


def test_inlets_are_held_against_types_and_classes_at_altitude() -> None:
    warm = cooled({"supply_temperature": "34 C", "altitude": "2000 m"})
    (finding,) = [f for f in warm.findings if f.id == "inlet-too-warm"]
    limits = {row[0]: row[2] for row in vectors("alt")[1]}  # A2 by altitude
    assert finding.message == f"inlet air of 34 C, but dgx-h100 stands {limits[2000]:.3g} C at most"
    assert finding.where == "racks r01-r02"
    assert not [f for f in cooled({"supply_temperature": "34 C"}).findings if f.id == "inlet-too-warm"]
    cold = [f.id for f in cooled({"supply_temperature": "8 C"}).findings if f.id.startswith("inlet")]
    assert cold == ["inlet-too-cold"]
    (note,) = [f for f in cooled({"supply_temperature": "29 C"}).findings if f.id == "inlet-not-recommended"]
    assert note.message == "inlet air of 29 C is allowed, but 18 to 27 C are recommended for class A2"
    assert "air-too-damp" in [f.id for f in cooled({"supply_temperature": "27 C", "humidity": 0.9}).findings]
    assert "altitude" in [f.id for f in cooled({"altitude": "3100 m"}).findings]


def test_racks_that_get_too_little_air_say_how_many_hosts_it_is_enough_for() -> None:
    """A perforated tile gives about 1,900 CFM: 12.85 kW at 12 K (reference, section 3)."""
    stated = {"supply_temperature": "25 C", "humidity": 0.5, "altitude": "0 m"}
    result = cooled(stated, count=4, hosts_per_rack=2, airflow_limit="1900 CFM")
    (finding,) = [f for f in result.findings if f.id == "rack-over-airflow"]
    assert "(3,017 of 1,900 CFM) of air that reaches it" in finding.message
    assert finding.fix == "1 host a rack: 4 racks (+2), or an air_rise 1.59 times as large where devices allow it"
    assert 2 * 10200 / float(finding.fix.split("air_rise ")[1].split()[0]) == pytest.approx(12.85e3, rel=3e-3)


@settings(max_examples=60, deadline=None)
@given(
    heat=st.floats(1e3, 5e6), count=st.integers(1, 40), airflow=st.floats(0.5, 20), capacity=st.floats(20, 400),
    water=st.floats(4, 19), share=st.floats(0, 0.5),
)  # fmt: skip
def test_energy_and_the_second_law_hold_in_the_air(
    heat: float, count: int, airflow: float, capacity: float, water: float, share: float
) -> None:
    unit = {"name": "u", "count": count, "airflow": f"{airflow} m3/s", "capacity": f"{capacity} kW"}
    unit |= {"water_temperature": f"{water} C", "fans": "1 kW", "water_rise": "3 K"}
    stated = hall([unit], recirculation=share)
    air = air_conditions(stated)
    state = air_state(stated, air, one_rack(heat))
    carried = air_capacity_j_per_m3_k(air) * state.airflow_m3_per_s * (state.return_c - state.supply_c)
    assert carried == pytest.approx(heat + 1e3 * count, rel=1e-9)
    assert state.supply_c >= 20 - 1e-9
    assert state.supply_c > water
    assert state.inlet_c >= state.supply_c
    assert (state.load > 1 + 1e-6) == (state.supply_c > 20 + 1e-6)
    assert -1e-9 <= state.bypass < 1
    fewer = air_state(stated, air, one_rack(heat), np.array([count / 2]))
    assert fewer.inlet_c >= state.inlet_c - 1e-9


WRONG = [
    ({"water_temperature": "24 C"}, "chilled water of 24 C cannot cool air to 24 C"),
    ({"count": 1, "redundancy": "N+1"}, "redundancy N+1 needs 2 air handlers, but crah are 1"),
    ({"airflow": "0 m3/s"}, "out of range"),
    ({"capacity": "0 kW"}, "out of range"),
    ({"count": 0}, "must be at least 1"),
    ({"fan_pressure": "0 Pa"}, "0 is no size"),
    ({"airflow": "100 m3/s", "water_rise": "30 K"}, "water would gain 30 K in crah"),
    ({"airflow": "1105 l/min"}, "unknown unit 'l/min'"),
]


@pytest.mark.parametrize(("keys", "words"), WRONG)
def test_handlers_that_cannot_be_are_refused(keys: dict[str, Any], words: str) -> None:
    unit = {"name": "crah", "count": 2, "capacity": "60 kW", "airflow": "4 m3/s"} | keys
    stated = {"supply_temperature": "24 C", "air_units": [unit]}
    with pytest.raises(InputError, match=re.escape(words)):
        layout_from_tree({"name": "x", "hosts": {"type": DGX_H100, "count": 1}, "hall": stated})
