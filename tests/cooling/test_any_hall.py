"""Whatever hall is accepted: nothing raises, heat balances, and every figure is a number or null."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabrictool.cooling import rack_cooling
from fabrictool.domains import domains
from fabrictool.errors import InputError
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree
from fabrictool.placement import place
from fabrictool.power import rack_power

PLATED = {"name": "p", "gpus": 8, "nics": 1, "speed": "1G", "u": 4, "power_max": "12 kW", "air_fraction": 0.3,
          "coolant_flow": "9 l/min", "coolant_inlet_max": "30 C", "inlet_max": "20 C"}  # fmt: skip
UNKNOWN = {"name": "q", "gpus": 0, "nics": 1, "speed": "1G"}
TINY = {"name": "x", "capacity": "5 kW"}
HUGE = {"name": "y", "capacity": "9 GW", "flow": "900 l/min", "head": "10 kPa", "approach_k": 0.5}


def some(**keys: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in keys.items()})


LOOP = some(
    cdu=["coolit-chx2000", "motivair-mcdu-70", TINY, HUGE], count=[1, 2, 3, 1000], redundancy=["N", "N+1", "2N"],
    racks=[1, 8, 100_000], supply_temperature=["2 C", "17 C", "S30", "70 C"], rise=["0.1 K", "10 K", "100 K"],
    coolant=["PG25", "water", "R134a"], facility_temperature=["2 C", "25 C", "W45"], facility_flow=["1 l/min"],
    pressure_drop=["1 Pa", "90 bar"], volume=["1 l", "1000 m3"],
    pipe=[{"diameter": "1 mm", "length": "10 km"}, {"diameter": "5 m", "length": "0 m"}], pumps_on_ups=[True, False],
)  # fmt: skip
UNITS = st.fixed_dictionaries(
    {"name": st.just("u"), "count": st.sampled_from([1, 3, 10_000]), "capacity": st.sampled_from(["60 kW", "9 GW"]),
     "airflow": st.sampled_from(["1 CFM", "4 m3/s", "1000000 m3/s"])},
    optional={"water_temperature": st.just("3 C"), "redundancy": st.sampled_from(["N", "N+1", "2N"])},
)  # fmt: skip
PLANT = st.fixed_dictionaries(
    {"outdoor": st.sampled_from([{"dry_bulb": at, "wet_bulb": "-59 C"} for at in ("-50 C", "199 C")])},
    optional={"rejection": st.sampled_from(["tower", "dry-cooler", "adiabatic"]), "chiller": st.booleans(),
              "economiser": st.sampled_from(["full", "partial"]), "approach": st.just("90 K"),
              "reuse": st.just({"share": 1, "sink": "200 C"})},
)  # fmt: skip
HALL = some(
    supply_temperature=["-10 C", "24 C", "90 C"], air_rise=["0.1 K", "60 K"], humidity=[0, 0.5, 1], volume=["1 l"],
    altitude=["-400 m", "5000 m"], recirculation=[0, 0.999], containment=["none", "chimney"], air_class=["A4", "H1"],
)  # fmt: skip
RACK = some(loop=["L0", "L1"], door=["L0"], capture=[0.01, 1], fluid=["oil", "Novec649"], airflow_limit=["1 CFM"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(
    hall=HALL, loops=st.lists(LOOP, min_size=2, max_size=2), units=st.none() | UNITS, plant=st.none() | PLANT,
    rack=RACK, cooling=st.sampled_from(["air", "rear-door", "direct-to-chip", "immersion"]),
    kind=st.sampled_from([PLATED, UNKNOWN, "dgx-h100", "gb200-nvl72"]), count=st.sampled_from([1, 7]),
)  # fmt: skip
def test_any_hall(
    hall: dict[str, Any], loops: Any, units: Any, plant: Any, rack: Any, cooling: str, kind: Any, count: int
) -> None:
    hall |= {"loops": [{"name": f"L{row}"} | loop for row, loop in enumerate(loops)]}
    hall |= {key: value for key, value in (("air_units", units and [units]), ("plant", plant)) if value}
    racks = {"type": "rack-48u", "cooling": cooling} | rack
    try:
        layout = layout_from_tree(
            {"name": "f", "hosts": {"name": "h", "type": kind, "count": count}, "racks": racks, "hall": hall}
        )
    except InputError:
        return
    fabric = build(layout)
    placement = place(layout, fabric)
    power = rack_power(layout, fabric, placement)
    found = rack_cooling(layout, fabric, placement, power)
    json.dumps(found.to_dict(), allow_nan=False)
    known = ~np.isnan(power.it_w)
    np.testing.assert_allclose((found.air_w + found.liquid_w)[known], power.it_w[known], rtol=1e-9)
    np.testing.assert_allclose(found.loops.design.heat_w.sum(), np.nansum(found.liquid_w), rtol=1e-9, atol=1e-6)
    for finding in found.findings:
        words = f" {finding.message} {finding.fix} ".split(" ")
        assert not {"nan", "inf", "-inf"} & set(words), finding
    for kind_of in ("loop", "cdu", "air-unit"):
        domains(kind_of, fabric, layout, placement)
