from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from racked import vectors

from fabrictool.cooling import (
    airflow_m3_per_s,
    humidity_ratio,
    moist_air_density_kg_per_m3,
    pressure_pa,
)

CFM_M3_PER_S = 0.0004719474432

JUDGE = """
import warnings
warnings.simplefilter("ignore")
import json, sys
import psychrolib
psychrolib.SetUnitSystem(psychrolib.SI)
rows = []
for inlet_c, humidity, altitude_m, rise_k in json.load(sys.stdin):
    total_pa = psychrolib.GetStandardAtmPressure(altitude_m)
    ratio = psychrolib.GetHumRatioFromRelHum(inlet_c, humidity, total_pa)
    volume = psychrolib.GetMoistAirVolume(inlet_c, ratio, total_pa)
    enthalpy = psychrolib.GetMoistAirEnthalpy
    gain = enthalpy(inlet_c + rise_k, ratio) - enthalpy(inlet_c, ratio)
    rows.append([total_pa, ratio, volume, 1e3 * volume / gain])
print(json.dumps(rows))
"""


def test_pressure_agrees_with_the_reference_table():
    table = np.array(vectors("patm")[1])
    np.testing.assert_allclose(pressure_pa(table[:, 0]), table[:, 1], rtol=1e-6)
    np.testing.assert_allclose(pressure_pa(table[:, 0]) / 101325, table[:, 2], rtol=1e-6)


def test_airflow_agrees_with_the_reference_table():
    inlet_c, humidity, altitude_m, rise_k, ratio, density, _, flow, cfm, real_gas = np.array(vectors("cfm")[1]).T
    total_pa = pressure_pa(altitude_m)
    np.testing.assert_allclose(humidity_ratio(inlet_c, humidity, total_pa), ratio, rtol=1e-6)
    np.testing.assert_allclose(moist_air_density_kg_per_m3(inlet_c, ratio, total_pa), density, rtol=1e-6)
    own = airflow_m3_per_s(1e3, rise_k, inlet_c, humidity, altitude_m)
    np.testing.assert_allclose(own, flow, rtol=1e-6)
    np.testing.assert_allclose(own / CFM_M3_PER_S, cfm, rtol=1e-6)
    np.testing.assert_allclose(own / CFM_M3_PER_S, real_gas, rtol=1.5e-3)


def test_airflow_agrees_with_psychrolib():
    """Run in an interpreter of its own: psychrolib compiles and warns on import where numba is installed."""
    import json

    cases = [[25, 0.5, 0, 12], [18, 0.2, 300, 10], [27, 0.6, 1600, 15], [35, 0.3, 2250, 20], [5, 0.8, 3050, 8]]
    judge = subprocess.run(
        [sys.executable, "-c", JUDGE], input=json.dumps(cases), capture_output=True, text=True, check=False
    )
    if "No module named 'psychrolib'" in judge.stderr:
        pytest.skip("psychrolib is not installed")
    total_pa, ratio, _, flow = np.array(json.loads(judge.stdout)).T
    inlet_c, humidity, altitude_m, rise_k = np.array(cases, dtype=float).T
    np.testing.assert_allclose(pressure_pa(altitude_m), total_pa, rtol=1e-12)
    np.testing.assert_allclose(humidity_ratio(inlet_c, humidity, total_pa), ratio, rtol=1e-9)
    np.testing.assert_allclose(airflow_m3_per_s(1e3, rise_k, inlet_c, humidity, altitude_m), flow, rtol=1e-9)


@pytest.mark.parametrize(
    "power_w, cfm, inlet_c, rise_k", [[*row[1:4], row[5]] for row in vectors("mach")[1]], ids=lambda value: f"{value}"
)
def test_published_airflows_of_machines_give_their_temperature_rise(power_w, cfm, inlet_c, rise_k):
    flow = airflow_m3_per_s(power_w, rise_k, inlet_c, 0.4, 0)
    assert flow / CFM_M3_PER_S == pytest.approx(cfm, rel=1e-5)


def test_residual_heat_of_a_liquid_cooled_rack_needs_its_published_airflow():
    assert airflow_m3_per_s(17e3, 12, 25, 0.5, 0) / CFM_M3_PER_S == pytest.approx(2514.332, rel=1e-6)


@given(
    heat_w=st.floats(1, 1e6),
    rise_k=st.floats(4, 30),
    inlet_c=st.floats(15, 35),
    humidity=st.floats(0, 0.9),
    altitude_m=st.floats(0, 3000),
)
def test_airflow_doubles_at_half_the_rise_and_follows_the_pressure_with_altitude(
    heat_w, rise_k, inlet_c, humidity, altitude_m
):
    flow = airflow_m3_per_s(heat_w, rise_k, inlet_c, humidity, altitude_m)
    assert airflow_m3_per_s(heat_w, rise_k / 2, inlet_c, humidity, altitude_m) == pytest.approx(2 * flow, rel=1e-9)
    assert airflow_m3_per_s(2 * heat_w, rise_k, inlet_c, humidity, altitude_m) == pytest.approx(2 * flow, rel=1e-12)
    sea_level = airflow_m3_per_s(heat_w, rise_k, inlet_c, humidity, 0)
    assert flow / sea_level == pytest.approx(101325 / pressure_pa(altitude_m), rel=0.02)
