"""Formulas of cooling against every worked value of the reference; 7 digits are printed there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from racked import vectors

from fabrictool.cooling import exchangers, hall_model, hydraulics, loops, metrics, plant, psychrometrics, room
from fabrictool.cooling.air import airflow_m3_per_s, humidity_ratio, pressure_pa
from fabrictool.errors import InputError
from fabrictool.opex import carbon_kg
from fabrictool.units import AIRFLOW, COOLANT_FLOW, MASS, POWER, PRESSURE, RACK_UNIT_M, RISE, parse

LITRES_PER_MINUTE = 6e4
TESTS = Path(__file__).parents[1]
PG25 = {row[1]: row for row in vectors("prop")[1] if row[0] == "MPG[0.25]"}[30]
WATER = {row[1]: row for row in vectors("prop")[1] if row[0] == "Water"}[30]


def assert_close(actual: object, expected: object, rtol: float = 1e-6) -> None:
    np.testing.assert_allclose(np.asarray(actual, float), np.asarray(expected, float), rtol=rtol, atol=1e-12)


def columns(table: str) -> np.ndarray:
    """The numeric rows of a table, transposed."""
    return np.array(vectors(table)[1], dtype=float).T


def test_every_table_of_the_reference_is_asserted_somewhere() -> None:
    import json

    tables = json.loads((TESTS / "data" / "power-cooling-vectors.json").read_text(encoding="utf-8"))
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(TESTS.rglob("test_*.py")))
    used = set(re.findall(r'(?:vectors|columns)\("(\w+)"\)', text))
    assert sorted(set(tables) - used) == []


def test_units() -> None:
    """Every factor of the table, as far as it has a dimension in a layout."""
    factors = {row[0]: row[2] for row in vectors("units")[1]}
    found = {
        "CFM": parse("1 CFM", AIRFLOW),
        "US gpm": parse("1 gpm", COOLANT_FLOW),
        "l/min": parse("1 l/min", COOLANT_FLOW),
        "BTU(IT)/h": parse("1 BTU/h", POWER),
        "ton of refrigeration (12 000 BTU/h)": parse("1 TR", POWER),
        "psi": parse("1 psi", PRESSURE),
        "inH2O (4 degC conv.)": parse("1 inH2O", PRESSURE),
        "lb": parse("1 lb", MASS),
        "hp (550 ft lbf/s)": parse("1 hp", POWER),
        "RU": RACK_UNIT_M,
        "degF interval": parse("1 F", RISE),
    }
    assert set(found) == set(factors)
    for name, value in found.items():
        assert value == pytest.approx(factors[name], rel=1e-11), name


def test_heat_capacity_of_moist_air_gives_the_same_flow() -> None:
    inlet, humidity, altitude, rise, _, density, capacity, flow, *_ = np.array(vectors("cfm")[1]).T
    found = psychrometrics.moist_heat_capacity_j_per_kg_k(inlet, humidity, pressure_pa(altitude))
    assert_close(found, capacity)
    assert_close(1e3 / (density * found * rise), flow)


def test_dew_point_and_wet_bulb() -> None:
    dry, humidity, altitude, dew, wet, dew_real, wet_real = columns("psy")
    assert_close(psychrometrics.dew_point_c(dry, humidity), dew, 1e-5)
    assert_close(psychrometrics.wet_bulb_c(dry, humidity, pressure_pa(altitude)), wet, 2e-4)
    np.testing.assert_allclose(psychrometrics.dew_point_c(dry, humidity), dew_real, atol=0.02)
    np.testing.assert_allclose(psychrometrics.wet_bulb_c(dry, humidity, pressure_pa(altitude)), wet_real, atol=0.02)


def test_outlets_of_machines_with_published_airflow() -> None:
    for _, power, cfm, inlet, per_kw, rise, outlet in vectors("mach")[1]:
        assert_close([cfm / power * 1e3, inlet + rise], [per_kw, outlet])
        assert_close(airflow_m3_per_s(power, rise, inlet, 0.4, 0), parse(f"{cfm} CFM", AIRFLOW), 1e-5)


def test_limits_of_air_classes_at_altitude() -> None:
    table = columns("alt")
    for row, name in enumerate(vectors("alt")[0][1:], 1):
        assert_close(room.inlet_max_c(name, table[0]), table[row])


def test_recirculation_and_bypass() -> None:
    supply, rise, share, inlet, outlet, index = columns("recirc")
    assert_close(room.recirculated_inlet_c(supply, rise, share), inlet)
    assert_close(inlet + rise, outlet)
    assert_close(room.supply_heat_index(supply, inlet, outlet), index, 1e-5)
    equipment, unit, share, *expected = columns("bypass")
    for actual, column in zip(room.room_air(equipment, unit, share, 20, 12), expected, strict=True):
        assert_close(actual, column)


def test_more_fresh_air_than_the_handlers_blow_is_refused() -> None:
    with pytest.raises(InputError, match="takes 10 m3/s of fresh air, but air handlers blow 8"):
        room.room_air(10, 8, 0, 20, 12)


def test_fan_laws() -> None:
    flow, pressure, power, *expected = columns("fan")
    for actual, column in zip(room.fan_at_speed(flow, pressure, power, expected[0] / flow), expected, strict=True):
        assert_close(actual, column)


def test_effectiveness() -> None:
    units, ratio, counter, parallel, cross = columns("entu")
    assert_close(exchangers.counterflow_effectiveness(units, ratio), counter)
    assert_close(exchangers.parallel_effectiveness(units, ratio), parallel)
    assert_close(exchangers.crossflow_effectiveness(units, ratio), cross)


def test_coils_and_doors() -> None:
    ua, air, water, hot, cold, effectiveness, heat, air_out, water_out = columns("crah")
    found = exchangers.counterflow_exchange(ua * 1e3, air * 1e3, water * 1e3, hot, cold)
    for actual, column in zip(found, (effectiveness, heat * 1e3, air_out, water_out), strict=True):
        assert_close(actual, column)


def test_coolant_distribution_units() -> None:
    ua, coolant, water, hot, cold, ntu, ratio, effectiveness, heat, supply, back, approach = columns("cdu")
    rates = [flow / LITRES_PER_MINUTE * row[7] * 1e6 for flow, row in ((coolant, PG25), (water, WATER))]
    assert_close(ua * 1e3 / np.minimum(*rates), ntu)
    assert_close(np.minimum(*rates) / np.maximum(*rates), ratio)
    found = exchangers.counterflow_exchange(ua * 1e3, *rates, hot, cold)
    for actual, column in zip(found, (effectiveness, heat * 1e3, supply, back), strict=True):
        assert_close(actual, column)
    assert_close(found.hot_out_c - cold, approach)
    # the other way round: what was moved at that approach gives the conductance back
    assert_close(exchangers.rated_conductance_w_per_k(found.heat_w, *rates, approach), ua * 1e3, 1e-5)


def test_units_with_a_spare_and_at_other_temperatures() -> None:
    heat, capacity, needed, spare, each, after = columns("cdun")
    for actual, column in zip(loops.unit_count(heat, capacity), (needed, spare, each, after), strict=True):
        assert_close(actual, column)
    rated, rated_return, rated_facility, back, facility, moved = columns("cduder")
    assert_close(loops.derated_capacity_w(rated, rated_return, rated_facility, back, facility), moved)


def test_chips_under_cold_plates() -> None:
    heat, plate, flow, inlet, case, outlet = columns("chip")
    rate = flow / LITRES_PER_MINUTE * PG25[7] * 1e6
    assert_close(loops.case_temperature_c(heat, plate, inlet, rate), case)
    assert_close(inlet + heat / rate, outlet)


def test_pressure_drop_of_pipes() -> None:
    rows = [[np.nan if cell == "-" else cell for cell in row] for row in vectors("dp")[1]]
    bore, length, rough, flow, fittings, velocity, reynolds, friction, haaland, swamee, drop = np.array(rows, float).T
    found = hydraulics.pipe_flow(
        flow / LITRES_PER_MINUTE, bore / 1e3, length, rough / 1e6, fittings, PG25[2], PG25[4] / 1e3
    )
    for actual, column in zip(found, (velocity, reynolds, friction, drop), strict=True):
        assert_close(actual, column)
    stated = np.isfinite(haaland)
    relative = (rough / bore / 1e3)[stated]
    assert_close(hydraulics.haaland_friction(reynolds[stated], relative), haaland[stated])
    assert_close(hydraulics.swamee_jain_friction(reynolds[stated], relative), swamee[stated])


def test_friction_agrees_with_the_library_fluids() -> None:
    fluids = pytest.importorskip("fluids")
    reynolds, rough = np.array([4e3, 1e5, 1e6]), np.array([0, 1e-3, 1e-4])
    own = hydraulics.friction_factor(reynolds, rough)
    assert_close(own, [fluids.friction.Colebrook(r, e) for r, e in zip(reynolds, rough, strict=True)], 1e-12)


def test_pumps_and_branches() -> None:
    flow, pressure, efficiency, power = columns("pump")
    assert_close(room.moving_power_w(flow / LITRES_PER_MINUTE, pressure, efficiency), power)
    _, resistance, share = columns("branch")
    assert_close(hydraulics.branch_flows(100, resistance), share)
    assert hydraulics.drop_exponent((1.0, 4.0), (1.0, 2.0)) == pytest.approx(2)
    assert hydraulics.velocity_limit_m_per_s([0.02, 0.05, 0.1]).tolist() == [1.5, 1.8, 2.1]


def test_seconds_that_stores_give() -> None:
    for _, store, heat, seconds in vectors("ride")[1]:
        assert_close(loops.ride_through_s(store, 10, heat), seconds)


def test_boiling_and_oil() -> None:
    for fluid, temperature, kilopascal, latent, density, flow in vectors("twop")[1]:
        known = loops.BOILING[fluid]
        assert_close([known.saturation_c, known.saturation_pa / 1e3], [temperature, kilopascal])
        assert_close([known.latent_j_per_kg / 1e3, known.liquid_kg_per_m3], [latent, density])
        assert_close(loops.boiling_m3_per_s(1e3, fluid) * LITRES_PER_MINUTE, flow)
    assert_close(loops.tank_m3_per_s(1e3, 10) * LITRES_PER_MINUTE, 3.325942)


def test_chillers() -> None:
    water, outdoor, kind, *expected = zip(*vectors("cop")[1], strict=True)
    wet = np.array([word.startswith("wet") for word in kind])
    found = plant.chiller(water, outdoor, wet)
    for actual, column in zip((*found, 1 / found.cop), expected, strict=True):
        assert_close(actual, column)


def test_water_of_towers() -> None:
    temperature, cycles, latent, evaporated, blown, made_up = columns("water")
    found = plant.tower_water(3.6e6, latent * 1e3, cycles)
    for actual, column in zip(found, (evaporated, blown, made_up), strict=True):
        assert_close(actual, column)
    assert_close(plant.latent_heat_j_per_kg(temperature), latent * 1e3, 2e-5)


def test_heat_pumps() -> None:
    source, sink, share, carnot, cop, out, electricity = columns("hp")
    found = plant.heat_pump(source, sink, share)
    for actual, column in zip(found, (carnot, cop, out / 1e3, electricity / 1e3), strict=True):
        assert_close(actual, column)


def test_metrics_of_a_facility() -> None:
    it, cooling, loss, other, reused, water, grid, pue, partial, erf, ere, wue, cue = columns("metrics")
    facility = it + cooling + loss + other
    assert_close(metrics.power_usage_effectiveness(it, cooling, loss, other), pue)
    assert_close(metrics.power_usage_effectiveness(it, cooling), partial)
    assert_close(metrics.energy_reuse_factor(reused, facility), erf)
    assert_close(metrics.energy_reuse_effectiveness(facility, reused, it), ere)
    assert_close(metrics.water_usage_effectiveness(water, it), wue)
    assert_close(metrics.carbon_usage_effectiveness(grid, pue), cue)
    assert_close(carbon_kg(facility, grid) / it, cue)


def test_a_hall_in_steady_state() -> None:
    rows = {row[0]: np.array(row[1:], float) for row in vectors("hall")[1]}
    it = np.array([1e6, 1e6, 1e6, 1.056e6])
    state = hall_model.hall_state(it, rows["q_liq"] / it, np.array([5, 5, np.inf, 6]))
    found = {
        "q_air": state.air_w, "q_liq": state.liquid_w, "el": state.electrical_w, "V": state.air_m3_per_s,
        "Pfan": state.fans_w, "Vl_lpm": state.coolant_m3_per_s * LITRES_PER_MINUTE, "Ptcs": state.coolant_pumps_w,
        "Pchw": state.chilled_pumps_w, "Pfws": state.facility_pumps_w, "Pch": state.chillers_w,
        "rej": state.rejected_w, "Phr": state.rejection_w, "tot": state.total_w, "PUE": state.pue,
    }  # fmt: skip
    assert set(found) == set(rows)
    for name, column in found.items():
        assert_close(column, rows[name])


def test_floor_loads() -> None:
    from fabrictool.placement.floor import floor_load_kg_per_m2, floor_pressure_pa

    for _, mass, width, depth, aisle, load, kilopascal in vectors("floor")[1]:
        found = floor_load_kg_per_m2(mass, width, depth, aisle)
        assert_close([found, floor_pressure_pa(found) / 1e3], [load, kilopascal])


streams = st.floats(1e2, 1e6)


@given(ua=st.floats(1, 1e7), hot=streams, cold=streams, hot_in=st.floats(20, 90), below=st.floats(0.1, 60))
def test_second_law_and_conservation_hold_in_every_exchanger(ua, hot, cold, hot_in, below) -> None:  # type: ignore[no-untyped-def]
    cold_in = hot_in - below
    found = exchangers.counterflow_exchange(ua, hot, cold, hot_in, cold_in)
    slack = 1e-9 * below
    assert 0 <= found.effectiveness <= 1 + 1e-12
    assert found.hot_out_c >= cold_in - slack
    assert found.cold_out_c <= hot_in + slack
    assert hot * (hot_in - found.hot_out_c) == pytest.approx(float(found.heat_w), rel=1e-6, abs=1e-6 * hot)
    assert cold * (found.cold_out_c - cold_in) == pytest.approx(float(found.heat_w), rel=1e-6, abs=1e-6 * cold)


@given(units=st.floats(0.01, 20), ratio=st.floats(0, 1))
def test_counterflow_is_best_and_parallel_worst(units: float, ratio: float) -> None:
    counter = float(exchangers.counterflow_effectiveness(units, ratio))
    parallel = float(exchangers.parallel_effectiveness(units, ratio))
    assert parallel - 1e-9 <= counter <= 1
    assert float(exchangers.counterflow_effectiveness(units, min(ratio + 0.1, 1))) <= counter + 1e-9


@given(dry=st.floats(-20, 45), humidity=st.floats(0.02, 1), altitude=st.floats(0, 3000))
def test_dew_point_wet_bulb_and_dry_bulb_are_in_order(dry: float, humidity: float, altitude: float) -> None:
    dew = float(psychrometrics.dew_point_c(dry, humidity))
    wet = float(psychrometrics.wet_bulb_c(dry, humidity, pressure_pa(altitude)))
    assert dew <= wet + 1e-6
    assert wet <= dry + 1e-6
    assert humidity_ratio(max(dry, 0), humidity, pressure_pa(altitude)) >= 0
    assert float(psychrometrics.relative_humidity(dry, dew)) == pytest.approx(humidity, rel=1e-6)
    assert plant.tower_water_c(wet) > wet
    assert wet - 1e-6 <= plant.adiabatic_air_c(dry, wet) <= dry + 1e-6


@given(it=st.floats(1, 1e8), liquid=st.floats(0, 1), cop=st.floats(1, 20), losses=st.floats(0, 1))
def test_energy_of_a_hall_is_conserved(it: float, liquid: float, cop: float, losses: float) -> None:
    state = hall_model.hall_state(it, liquid, cop, hall_model.HallPlant(losses_inside=losses))
    assert state.air_w + state.liquid_w == pytest.approx(it, rel=1e-12)
    inside = it + state.fans_w + losses * state.electrical_w + state.coolant_pumps_w
    machines = state.chilled_pumps_w + state.facility_pumps_w + state.chillers_w
    assert state.rejected_w == pytest.approx(float(inside + machines), rel=1e-9)
    outside = state.rejection_w + state.other_w + (1 - losses) * state.electrical_w
    assert state.total_w == pytest.approx(float(state.rejected_w + outside), rel=1e-9)
    assert state.pue >= 1


@given(outdoor=st.floats(-30, 50), warmer=st.floats(0, 20), water=st.floats(5, 40), wet=st.booleans())
def test_chillers_stay_below_carnot_and_do_worse_in_warmth(outdoor, warmer, water, wet) -> None:  # type: ignore[no-untyped-def]
    cold, warm = (plant.chiller(water, outdoor + more, wet, most=15.0) for more in (0.0, warmer))
    assert cold.cop <= cold.carnot
    assert warm.cop <= cold.cop + 1e-9


@given(source=st.floats(10, 60), lift=st.floats(5, 60), share=st.floats(0.3, 0.9))
def test_a_heat_pump_delivers_what_it_takes(source: float, lift: float, share: float) -> None:
    found = plant.heat_pump(source, source + lift, share)
    if found.cop > 1.01:
        assert found.delivered == pytest.approx(1 + float(found.electricity), rel=1e-9)


@given(flow=st.floats(1e-6, 1e-2), more=st.floats(1.01, 3))
def test_pressure_drop_rises_faster_than_flow(flow: float, more: float) -> None:
    small, large = (
        float(hydraulics.pipe_flow(v, 0.03, 10, 4.5e-5, 3, 1015, 1.8e-3).drop_pa) for v in (flow, more * flow)
    )
    assert large >= more * small * (1 - 1e-9)
