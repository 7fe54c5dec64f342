"""Air before each rack: balances of aisles by hand and by a slow twin, conserved air and heat."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from racked import DGX_H100, RACK, fabric, host, layout, vectors

from fabrictool.cooling import RackCooling, rack_cooling
from fabrictool.cooling.air_units import air_capacity_j_per_m3_k
from fabrictool.cooling.inlets import Aisles, Reach, inlets_c, supply_over_need
from fabrictool.domains import domains
from fabrictool.placement import place
from fabrictool.power import rack_power

SMALL = host("small", u=8, power_max="5 kW", weight="100 kg", air_fraction=1.0)
#: Four racks to a row: two rows of 10.2 kW racks face each other, then two of 5 kW.
FOUR_ROWS = {"supply_temperature": "20 C", "air_rise": "12 K", "rows": {"count": 4, "racks": 4}}


def cooled(hosts: Any, hall: dict[str, Any], **rack: Any) -> RackCooling:
    plan = layout(hosts, {"type": RACK, "hosts_per_rack": 1} | rack, hall=hall)
    devices = fabric(plan)
    placement = place(plan, devices)
    return rack_cooling(plan, devices, placement, rack_power(plan, devices, placement))


def unlike(**hall: Any) -> RackCooling:
    return cooled([{"type": DGX_H100, "count": 8}, {"type": SMALL, "count": 8}], FOUR_ROWS | hall)


def handlers(airflow: float, count: int = 1) -> list[dict[str, Any]]:
    unit = {"name": "crah", "count": count, "capacity": "800 kW", "airflow": f"{airflow / count} m3/s"}
    return [unit | {"water_temperature": "6 C", "fan_pressure": "1 Pa", "water_rise": "3 K"}]


def need_m3_per_s(heat_w: float, result: RackCooling) -> float:
    return heat_w / (12 * air_capacity_j_per_m3_k(result.room.conditions))


@pytest.mark.parametrize("containment", ["none", "partial", "cold-aisle", "hot-aisle", "chimney"])
@pytest.mark.parametrize("row", vectors("recirc")[1])
def test_equal_racks_breathe_as_the_reference_says(containment: str, row: list[float]) -> None:
    supply, rise, share, inlet, outlet, _ = row
    hall = {"supply_temperature": f"{supply} C", "air_rise": f"{rise} K", "recirculation": share}
    result = cooled({"type": DGX_H100, "count": 9}, hall | {"containment": containment})
    np.testing.assert_allclose(result.inlet_c, inlet, rtol=1e-6)
    np.testing.assert_allclose(result.outlet_c, outlet, rtol=1e-6)
    np.testing.assert_allclose(result.recirculation, share, atol=1e-12)


def test_a_contained_cold_aisle_of_hot_racks_is_short_of_air_and_the_other_is_not() -> None:
    """16 equal tiles: half the air for 8 racks of 10.2 kW, half for 8 of 5 kW."""
    result = unlike(containment="cold-aisle", air_units=handlers(16 * 0.5))
    large, small = (need_m3_per_s(w, result) for w in (10.2e3, 5e3))
    assert (large > 0.5, small < 0.5) == (True, True)
    starved = 1 - 0.5 / large
    share = np.repeat([starved, 0.05], 8)
    np.testing.assert_allclose(result.recirculation, share)
    # row 1 has a hot aisle of its own, rows 2 and 3 share one, as does row 4
    first = 20 + starved / (1 - starved) * 12
    middle = 12 * (large + small) / (large * (1 - starved) + small * 0.95)
    np.testing.assert_allclose(result.inlet_c[:4], first)
    np.testing.assert_allclose(result.inlet_c[4:8], 20 + starved * middle)
    np.testing.assert_allclose(result.inlet_c[8:12], 20 + 0.05 * middle)
    np.testing.assert_allclose(result.inlet_c[12:], 20 + 0.05 / 0.95 * 12)
    (finding,) = [f for f in result.findings if f.id == "rack-short-of-air"]
    assert finding.where == "racks r01-r08"
    assert finding.message == (
        f"tiles blow less than racks take: up to {100 * starved:.0f} % of their inlet air is exhaust, "
        f"{first:.3g} C where other racks have {20 + 0.05 / 0.95 * 12:.3g} C"
    )
    assert result.room.normal.warmest_c == pytest.approx(first)
    assert result.to_dict()["air"]["warmest_c"] == pytest.approx(first)


@pytest.mark.parametrize("how", [{"containment": "hot-aisle"}, {"containment": "none", "air_spread": "balanced"}])
def test_a_pool_of_cold_air_serves_all_alike(how: dict[str, str]) -> None:
    result = unlike(air_units=handlers(16 * 0.5), **how)
    assert np.ptp(result.inlet_c) == pytest.approx(0, abs=1e-9)
    assert not [f for f in result.findings if f.id == "rack-short-of-air"]


def test_open_aisles_help_hot_racks_beside_cooler_ones() -> None:
    """Ten equal tiles, hot racks in the middle: those at the edge get what their neighbours leave."""
    kinds = [{"type": SMALL, "count": 3}, {"type": DGX_H100, "count": 4}, {"type": SMALL | {"name": "s2"}, "count": 3}]
    hall = FOUR_ROWS | {"rows": {"count": 1, "racks": 10}, "recirculation": 0, "containment": "none"}
    result = cooled(kinds, hall)
    small, large = 5 / 10.2, 1.0  # of what a hot rack takes
    tile = (6 * small + 4 * large) / 10
    inner, edge = 1 - tile, 1 - tile - (tile - small)
    np.testing.assert_allclose(result.recirculation, [0, 0, 0, edge, inner, inner, edge, 0, 0, 0], atol=1e-9)
    hot = 12 * (6 * small + 4) / (6 * small + 4 - 2 * inner - 2 * edge)
    np.testing.assert_allclose(result.inlet_c - 20, result.recirculation * hot)
    assert "as much as its racks take together" in [a.value for a in result.assumptions]


def test_nothing_is_made_up_where_nothing_is_stated_of_the_air() -> None:
    result = unlike()
    np.testing.assert_allclose(result.inlet_c, 20)


def test_a_rack_that_less_air_reaches_breathes_exhaust_for_the_rest() -> None:
    result = cooled({"type": DGX_H100, "count": 4}, FOUR_ROWS, airflow_limit="0.5 m3/s")
    share = 1 - 0.5 / need_m3_per_s(10.2e3, result)
    np.testing.assert_allclose(result.inlet_c, 20 + share / (1 - share) * 12)


def test_doors_that_leave_some_heat_warm_a_hall_with_little_air() -> None:
    """All heat that is left goes with the handlers' air: where that is 15 % of the racks', exhaust is 12 K warmer.

    The door leaves 15 % of 12 K, so that racks breathe air 0.85 x 12 K above the supply.
    """
    hall = FOUR_ROWS | {
        "loops": [{"name": "D", "supply_temperature": "14 C", "rise": "6 K"}],
        "containment": "hot-aisle",
    }
    racks = {"cooling": "rear-door", "loop": "D", "capture": 0.85}
    need = need_m3_per_s(4 * 10.2e3, cooled({"type": DGX_H100, "count": 4}, FOUR_ROWS))
    hall |= {"air_units": handlers(0.15 * need)}
    result = cooled({"type": DGX_H100, "count": 4}, hall, **racks)
    np.testing.assert_allclose(result.inlet_c, 20 + 0.85 * 12, rtol=1e-4)
    assert "hall-short-of-air" in [f.id for f in result.findings]
    whole = cooled(
        {"type": DGX_H100, "count": 4}, hall | {"air_units": handlers(0.15 * need)}, **racks | {"capture": 1}
    )
    np.testing.assert_allclose(whole.inlet_c, 20, rtol=1e-4)
    assert "hall-short-of-air" not in [f.id for f in whole.findings]


def test_a_lost_handler_takes_the_racks_that_get_too_warm_and_no_others() -> None:
    hall = FOUR_ROWS | {"containment": "cold-aisle", "air_units": handlers(16 * 0.55, 4), "air_class": "H1"}
    plan = layout(
        [{"type": DGX_H100, "count": 8}, {"type": SMALL, "count": 8}], {"type": RACK, "hosts_per_rack": 1}, hall=hall
    )
    devices = fabric(plan)
    placement = place(plan, devices)
    found = rack_cooling(plan, devices, placement, rack_power(plan, devices, placement))
    lost = found.room.with_one_lost[0].racks_c
    warm = np.flatnonzero(lost > 25)  # allowable of class H1
    assert 0 < len(warm) < 16
    assert domains("air-unit", devices, plan, placement)[0].devices == tuple(warm.tolist())


def test_large_flows_and_loads_are_written_out() -> None:
    """2,000 racks of 10.2 kW take about 1,425 m3/s at 12 K; two handlers of 800 kW at 8 K take 14/8 of it at 14 K."""
    hall = {"supply_temperature": "20 C", "air_rise": "12 K", "air_units": handlers(1200, 2)}
    found = {f.id: f.message for f in cooled({"type": DGX_H100, "count": 2000}, hall).findings}
    assert found["hall-short-of-air"].startswith("handlers blow 1,200 of 1,4")
    assert f" of {1600 * 14 / 8:,.1f} kW that handlers take" in found["hall-over-cooling"]


def twin(need: list[float], supply: float, aisles: Aisles, reach: Reach) -> list[float]:
    """Give the air of each tile to the racks that it reaches, one by one."""
    racks = [row for row in range(len(need)) if need[row] > 0]
    tile = supply / len(racks)

    def together(a: int, b: int) -> bool:
        near = abs(int(aisles.place[a]) - int(aisles.place[b])) <= 1
        return reach == "hall" or bool(aisles.cold[a] == aisles.cold[b] and (near or reach == "aisle"))

    if reach != "near":
        pools = [[b for b in racks if together(a, b)] for a in racks]
        return [tile * len(pool) / sum(need[row] for row in pool) for pool in pools]
    got = {row: min(need[row], tile) for row in racks}
    lacks = {row: need[row] - got[row] for row in racks}
    for one in racks:
        short = [row for row in racks if together(one, row) and lacks[row] > 0]
        for row in short:
            got[row] += max(tile - need[one], 0) * lacks[row] / sum(lacks[other] for other in short)
    return [min(got[row], need[row]) / need[row] for row in racks]


halls = st.lists(st.sampled_from([0.0, 0.3, 1.0, 2.5]), min_size=1, max_size=24).filter(any)


@given(
    need=halls, supply=st.floats(0.1, 50), per_row=st.integers(1, 6), reach=st.sampled_from(["hall", "aisle", "near"])
)
def test_tiles_share_their_air_as_the_slow_twin_does(
    need: list[float], supply: float, per_row: int, reach: Reach
) -> None:
    at = np.arange(len(need), dtype=np.int32)
    aisles, taken = Aisles(at // per_row // 2, (at // per_row + 1) // 2, at % per_row), np.array(need)
    share = supply_over_need(taken, supply, aisles, reach)[taken > 0]
    assert (share * taken[taken > 0]).sum() <= supply * (1 + 1e-9)
    assert share.tolist() == pytest.approx(twin(need, supply, aisles, reach))


@given(
    need=halls, per_row=st.integers(1, 6), rise=st.floats(1, 30),
    share=st.lists(st.floats(0, 0.95), min_size=24, max_size=24), door=st.floats(0, 1),
)  # fmt: skip
def test_what_leaves_hot_aisles_carries_all_heat(
    need: list[float], per_row: int, rise: float, share: list[float], door: float
) -> None:
    at = np.arange(len(need), dtype=np.int32)
    hot, taken, recirculation = (at // per_row + 1) // 2, np.array(need), np.array(share[: len(need)])
    exhaust = rise * np.where(at % 2, door, 1.0)
    inlet = inlets_c(20.0, taken, exhaust, recirculation, hot)
    assert (inlet >= 20 - 1e-9).all()
    carried = 0.0
    for aisle in set(hot.tolist()):
        here = hot == aisle
        if taken[here].sum() == 0:
            continue
        behind = float((taken * (inlet + exhaust))[here].sum() / taken[here].sum())
        assert (inlet[here] <= behind + 1e-6).all()
        carried += float((taken * (1 - recirculation))[here].sum()) * (behind - 20)
    assert carried == pytest.approx(float((taken * exhaust).sum()), rel=1e-9, abs=1e-9)
