"""Rear doors, hybrid racks and immersion tanks."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from racked import DGX_H100, RACK, fabric, host, layout, vectors

from fabrictool.cooling import RackCooling, rack_cooling
from fabrictool.cooling.doors import door_effectiveness
from fabrictool.cooling.heat import rack_heat
from fabrictool.errors import InputError
from fabrictool.layout.reading import layout_from_tree
from fabrictool.placement import place
from fabrictool.power import rack_power

PLATED = host("plated", u=8, power_max="12 kW", weight="100 kg", air_fraction=0.25)


def cooled(kind: dict[str, Any], rack: dict[str, Any], loops: list[dict[str, Any]], count: int = 3) -> RackCooling:
    hall = {"supply_temperature": "24 C", "air_rise": "12 K", "loops": loops}
    plan = layout({"type": kind, "count": count}, {"type": RACK} | rack, hall=hall)
    devices = fabric(plan)
    placement = place(plan, devices)
    return rack_cooling(plan, devices, placement, rack_power(plan, devices, placement))


def ids(result: RackCooling) -> list[str]:
    return [finding.id for finding in result.findings]


def test_a_door_leaves_to_the_hall_what_it_does_not_capture() -> None:
    door = {"cooling": "rear-door", "loop": "D", "capture": "85 %"}
    result = cooled(DGX_H100, door, [{"name": "D", "supply_temperature": "18 C", "rise": "6 K"}])
    assert result.air_w.tolist() == [pytest.approx(0.15 * 30600)]
    assert result.liquid_w.tolist() == [pytest.approx(0.85 * 30600)]
    assert result.airflow_m3_per_s[0] == pytest.approx(30.6 * 0.0698, rel=5e-3)  # through servers as before
    assert result.room.normal.heat_w == pytest.approx(0.15 * 30600)
    assert result.loops.design.coolant == ("water",)


def test_doors_behind_plates_take_what_plates_leave() -> None:
    loops = [{"name": "P"}, {"name": "D", "supply_temperature": "20 C"}]
    result = cooled(PLATED, {"cooling": "direct-to-chip", "loop": "P", "door": "D"}, loops)
    assert result.loop == ("P",)
    assert result.loops.design.heat_w.tolist() == [pytest.approx(27000), pytest.approx(9000)]
    assert result.air_w.tolist() == [pytest.approx(0)]
    assert result.liquid_w.tolist() == [pytest.approx(36000)]
    assert result.loops.design.coolant == ("PG25", "water")
    assert "loop-unused" not in ids(result)
    plates, door = result.loops.normal.flow_m3_per_s
    assert 6e4 * plates == pytest.approx(27 * 1.4977, rel=1e-3)
    assert result.coolant_kg_per_s[0] == pytest.approx(1e3 * (plates * 1.0125 + door * 0.9971), rel=1e-3)


def test_effectiveness_of_coils_is_that_of_the_reference() -> None:
    for _, air, water, air_in, water_in, effectiveness, heat, *_ in vectors("crah")[1]:
        needed = door_effectiveness(*(np.array([x]) for x in (1e3 * air, 1e3 * water, 1e3 * heat, air_in, water_in)))
        assert needed == pytest.approx(effectiveness, rel=1e-6)


def test_water_that_is_too_warm_takes_no_heat_from_a_door() -> None:
    def door(supply: str) -> RackCooling:
        return cooled(DGX_H100, {"cooling": "rear-door", "loop": "D"}, [{"name": "D", "supply_temperature": supply}])

    assert "door-too-warm" in ids(door("36 C"))
    assert "door-too-warm" in ids(door("24 C"))  # back to 24 C with water of 24 C: no finite exchanger does
    assert ids(door("22 C")).count("door-too-small") == 1
    assert not [name for name in ids(door("18 C")) if name.startswith("door")]
    (finding,) = [f for f in door("22 C").findings if f.id == "door-too-small"]
    # air has the smaller rate, so that q / (C_air (T_air - T_water)) is what it cools by over the span: 12 K of 14 K
    needed = f"{12 / (36 - 22):.2f}"
    assert finding.message.startswith(
        f"the door needs an effectiveness of {needed} from air of 36 C with water of 22 C"
    )


def test_oil_of_a_tank_moves_as_the_reference_says() -> None:
    result = cooled(DGX_H100, {"cooling": "immersion", "loop": "T"}, [{"name": "T", "supply_temperature": "32 C"}])
    assert 6e4 * result.tank.oil_m3_per_s[0] == pytest.approx(30.6 * 3.325942, rel=1e-6)
    assert result.tank.bath_c[0] == 32 + 5 + 10
    assert np.isnan(result.inlet_c).all()


def test_vapour_condenses_on_colder_coolant_only() -> None:
    rack = {"cooling": "immersion", "loop": "T", "fluid": "R1233zd(E)"}
    result = cooled(DGX_H100, rack, [{"name": "T", "supply_temperature": "25 C", "rise": "10 K"}])
    latent = {fluid[0]: fluid[3] for fluid in vectors("twop")[1]}["R1233zd(E)"]
    assert result.tank.vapour_kg_per_s[0] == pytest.approx(30.6 / latent, rel=1e-6)
    assert result.tank.bath_c[0] == 40
    assert "tank-cannot-condense" not in ids(result)
    warm = cooled(DGX_H100, rack, [{"name": "T", "supply_temperature": "32 C", "rise": "10 K"}])
    (finding,) = [f for f in warm.findings if f.id == "tank-cannot-condense"]
    assert finding.message == "coolant would leave at 42 C, but R1233zd(E) boils at 40 C: no vapour condenses"
    old = cooled(DGX_H100, rack | {"fluid": "Novec649"}, [{"name": "T", "supply_temperature": "32 C"}])
    assert "fluid-discontinued" in ids(old)


@given(
    it=st.floats(1, 2e5), share=st.floats(0, 1), capture=st.floats(0.01, 1),
    cooling=st.sampled_from(["air", "rear-door", "direct-to-chip", "immersion"]), behind=st.booleans(),
)  # fmt: skip
def test_all_heat_of_a_rack_goes_somewhere(it: float, share: float, capture: float, cooling: str, behind: bool) -> None:
    plates = {"direct-to-chip": share, "immersion": 1.0, "rear-door": 1.0}.get(cooling, 0.0) * it
    heat = rack_heat(*(np.array([x]) for x in (cooling, it, plates, behind and cooling == "direct-to-chip", capture)))
    assert heat.loop_w + heat.behind_w + heat.air_w == pytest.approx(it, rel=1e-9)
    for part in (heat.loop_w, heat.behind_w, heat.air_w):
        assert part >= -1e-9 * it


WRONG = [
    ({"cooling": "rear-door", "door": "D"}, "door is the loop of a rear door behind cold plates"),
    ({"cooling": "direct-to-chip", "door": "X"}, "there is no loop 'X'"),
    ({"cooling": "air", "capture": 0.9}, "capture is of a rear door, but these racks have none"),
    ({"cooling": "rear-door", "capture": 0}, "more than 0"),
    ({"cooling": "air", "fluid": "oil"}, "fluid is of an immersion tank"),
    ({"cooling": "immersion", "fluid": "water"}, "'water' is not known"),
    ({"cooling": "immersion", "fluid": "R1233zd(E)"}, "R1233zd(E) boils at 40 C, but loop D supplies 45 C"),
    ({"cooling": "air", "airflow_limit": "0 CFM"}, "out of range"),
]


@pytest.mark.parametrize(("keys", "words"), WRONG)
def test_racks_that_cannot_be_are_refused(keys: dict[str, Any], words: str) -> None:
    hall = {"loops": [{"name": "D", "supply_temperature": "45 C"}]}
    tree = {"name": "x", "hosts": {"type": DGX_H100, "count": 1}, "racks": {"type": RACK} | keys, "hall": hall}
    with pytest.raises(InputError, match=re.escape(words)):
        layout_from_tree(tree)
