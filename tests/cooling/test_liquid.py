from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from racked import vectors

from fabrictool.cooling import COOLANTS, coolant_kg_per_s, coolant_m3_per_s

NAMES = {"MPG[0.25]": "PG25", "MEG[0.25]": "EG25", "Water": "water"}
LITRES_PER_MINUTE = 6e4


@pytest.mark.parametrize(
    "fluid, density_fit, capacity_fit, viscosity_fit, conductivity_fit",
    [
        ("MPG[0.25]", 1.5e-4, 5.4e-5, 2e-6, 1.5e-4),
        ("MEG[0.25]", 5e-5, 5e-5, 2e-6, 5e-5),
        ("Water", 4.1e-5, 5.1e-5, 3.1e-4, 3e-4),
    ],
)
def test_properties_agree_with_coolprop_within_the_error_of_the_fit(
    fluid, density_fit, capacity_fit, viscosity_fit, conductivity_fit
):
    rows = np.array([row[1:] for row in vectors("prop")[1] if row[0] == fluid])
    coolant = COOLANTS[NAMES[fluid]]
    np.testing.assert_allclose(coolant.density_kg_per_m3(rows[:, 0]), rows[:, 1], rtol=density_fit)
    np.testing.assert_allclose(coolant.heat_capacity_j_per_kg_k(rows[:, 0]), rows[:, 2], rtol=capacity_fit)
    np.testing.assert_allclose(coolant.viscosity_pa_s(rows[:, 0]) * 1e3, rows[:, 3], rtol=viscosity_fit)
    np.testing.assert_allclose(coolant.conductivity_w_per_m_k(rows[:, 0]), rows[:, 4], rtol=conductivity_fit)
    every_fit = viscosity_fit + capacity_fit + conductivity_fit
    np.testing.assert_allclose(coolant.prandtl(rows[:, 0]), rows[:, 5], rtol=every_fit)
    volumetric = coolant.density_kg_per_m3(rows[:, 0]) * coolant.heat_capacity_j_per_kg_k(rows[:, 0])
    np.testing.assert_allclose(volumetric / 1e6, rows[:, 6], rtol=density_fit + capacity_fit)


@pytest.mark.parametrize("row", vectors("lpm")[1], ids=lambda row: f"{row[0]} {row[1]}")
def test_flow_a_kilowatt_agrees_with_the_reference_table_within_the_fit(row):
    rises = np.array([5, 8, 10, 12, 15, 20])
    flow = coolant_m3_per_s(1e3, rises, row[1] - rises / 2, NAMES[row[0]])
    np.testing.assert_allclose(flow * LITRES_PER_MINUTE, row[2:], rtol=2.1e-4)


def test_nvl72_needs_its_published_flow():
    flow = coolant_m3_per_s(115e3, 10, 25, "PG25") * LITRES_PER_MINUTE
    assert flow == pytest.approx(172.3521, rel=2.1e-4)


def test_frontier_water_loop_gives_its_published_rise():
    flow = coolant_m3_per_s(28.22788e6, 17.91884, 30 - 17.91884 / 2, "water")
    assert flow == pytest.approx(6000 * 6.30901964e-05, rel=1e-4)


@given(
    heat_w=st.floats(1, 1e6), rise_k=st.floats(1, 15), mean_c=st.floats(15, 55), name=st.sampled_from(["PG25", "water"])
)
def test_flow_carries_the_heat_and_doubles_at_half_the_rise(heat_w, rise_k, mean_c, name):
    flow = coolant_kg_per_s(heat_w, rise_k, mean_c - rise_k / 2, name)
    carried = flow * COOLANTS[name].heat_capacity_j_per_kg_k(mean_c) * rise_k
    assert carried == pytest.approx(heat_w, rel=1e-9)
    assert coolant_kg_per_s(heat_w, rise_k / 2, mean_c - rise_k / 4, name) == pytest.approx(2 * flow, rel=1e-9)
