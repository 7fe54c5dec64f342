"""Fluids, moist air and exchangers against independent libraries; none of them is imported at run time."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrictool.cooling.air import airflow_m3_per_s, pressure_pa
from fabrictool.cooling.exchangers import (
    counterflow_effectiveness,
    crossflow_effectiveness,
    parallel_effectiveness,
)
from fabrictool.cooling.facility import liquid_capital_change
from fabrictool.cooling.liquid import COOLANTS
from fabrictool.cooling.loops import BOILING
from fabrictool.cooling.plant import latent_heat_j_per_kg
from fabrictool.cooling.psychrometrics import dew_point_c, wet_bulb_c

NAMES = {"PG25": "INCOMP::MPG[0.25]", "EG25": "INCOMP::MEG[0.25]", "water": "Water"}
BOILERS = {"Novec649": "Novec649", "R1233zd(E)": "R1233zd(E)", "R134a": "R134a", "R1234ze(E)": "R1234ze(E)",
           "R245fa": "R245fa"}  # fmt: skip


@pytest.fixture(scope="module")
def coolprop():  # type: ignore[no-untyped-def]
    return pytest.importorskip("CoolProp.CoolProp")


@pytest.mark.parametrize("name", list(NAMES))
def test_coolants_stay_within_their_stated_errors(name: str, coolprop) -> None:  # type: ignore[no-untyped-def]
    at = np.linspace(5, 65, 31)
    fluid, bar = COOLANTS[name], np.full(31, 2e5)
    for key, own, error in (
        ("D", fluid.density_kg_per_m3(at), 1.6e-4), ("C", fluid.heat_capacity_j_per_kg_k(at), 1.6e-4),
        ("V", fluid.viscosity_pa_s(at), 3.2e-4), ("L", fluid.conductivity_w_per_m_k(at), 3.2e-4),
    ):  # fmt: skip
        judged = coolprop.PropsSI(key, "T", at + 273.15, "P", bar, NAMES[name])
        np.testing.assert_allclose(own, judged, rtol=error, err_msg=f"{name} {key}")


@pytest.mark.parametrize("name", list(BOILING))
def test_boiling_fluids_are_those_of_the_library(name: str, coolprop) -> None:  # type: ignore[no-untyped-def]
    known = BOILING[name]
    kelvin = known.saturation_c + 273.15
    liquid, vapour = (coolprop.PropsSI("H", "T", kelvin, "Q", q, BOILERS[name]) for q in (0, 1))
    assert known.latent_j_per_kg == pytest.approx(vapour - liquid, rel=1e-5)
    assert known.saturation_pa == pytest.approx(coolprop.PropsSI("P", "T", kelvin, "Q", 0, BOILERS[name]), rel=1e-5)
    assert known.liquid_kg_per_m3 == pytest.approx(coolprop.PropsSI("D", "T", kelvin, "Q", 0, BOILERS[name]), rel=1e-5)


def test_moist_air_is_within_the_spread_of_models(coolprop) -> None:  # type: ignore[no-untyped-def]
    """Real gas against ideal: 0.2 % in airflow, 0.02 K in dew point and wet bulb (reference, section 3)."""
    for inlet, humid, altitude, rise in ((20, 0.5, 0, 10), (25, 0.5, 1500, 12), (27, 0.4, 0, 12), (30, 0.3, 3000, 15)):
        total = float(pressure_pa(altitude))
        kelvin = inlet + 273.15
        state = ("P", total, "T", kelvin, "R", humid)
        moisture, volume, enthalpy = (coolprop.HAPropsSI(key, *state) for key in ("W", "V", "H"))
        after = coolprop.HAPropsSI("H", "P", total, "T", kelvin + rise, "W", moisture)
        assert airflow_m3_per_s(1.0, rise, inlet, humid, altitude) == pytest.approx(
            volume / (after - enthalpy), rel=2e-3
        )
        assert dew_point_c(inlet, humid) == pytest.approx(coolprop.HAPropsSI("D", *state) - 273.15, abs=0.02)
        assert wet_bulb_c(inlet, humid, total) == pytest.approx(coolprop.HAPropsSI("B", *state) - 273.15, abs=0.02)


def test_heat_of_evaporation(coolprop) -> None:  # type: ignore[no-untyped-def]
    at = np.linspace(15, 40, 11)
    liquid, vapour = (coolprop.PropsSI("H", "T", at + 273.15, "Q", np.full(11, q), "Water") for q in (0.0, 1.0))
    np.testing.assert_allclose(latent_heat_j_per_kg(at), vapour - liquid, rtol=1e-4)


@given(units=st.floats(0.01, 8), ratio=st.floats(0.01, 0.999))  # nearer to 1 the library loses its digits
def test_effectiveness_is_that_of_the_library_ht(units: float, ratio: float) -> None:
    ht = pytest.importorskip("ht")
    for kind, own in (
        ("counterflow", counterflow_effectiveness), ("parallel", parallel_effectiveness),
        ("crossflow approximate", crossflow_effectiveness),
    ):  # fmt: skip
        judged = ht.effectiveness_from_NTU(units, ratio, subtype=kind)
        assert float(own(units, ratio)) == pytest.approx(judged, rel=1e-7)


def test_no_judge_is_imported_at_run_time() -> None:
    code = "import sys, fabrictool.evaluation, fabrictool.cooling.hall_plant; print(sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for name in ("CoolProp", "psychrolib", "fluids", "'ht'"):
        assert f"{name}" not in found


def test_capital_of_liquid_and_air_is_as_published() -> None:
    """V18 of the reference: 0, -10 and -14 % at 10, 20 and 40 kW a rack."""
    np.testing.assert_allclose(liquid_capital_change(np.array([10e3, 20e3, 40e3])), [0, -0.10, -0.14], rtol=1e-12)
    assert np.isnan(liquid_capital_change(5e3))
    assert liquid_capital_change(130e3) == -0.14
