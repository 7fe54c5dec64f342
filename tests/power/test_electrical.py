"""Shelves, bars, direct current, curves, phases, breakers, cords and caps, each in a layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from racked import RACK, fabric, layout, vectors

from fabrictool.facility import Facility, facility_of
from fabrictool.layout.model import Layout
from fabrictool.layout.reading import layout_from_tree

NVL72 = {"name": "nvl72", "gpus": 72, "nics": 8, "speed": "400G", "u": 48, "power_max": "132 kW", "weight": "1 t"}
DGX = {"name": "dgx", "gpus": 8, "nics": 8, "speed": "400G", "u": 8, "power_max": "10.2 kW", "weight": "130 kg",
       "gpu_power": "700 W"}  # fmt: skip
HEAVY = RACK | {"capacity": "2 t"}


def house(kind: dict[str, Any], racks: int, hosts: int, hall: dict[str, Any], **group: Any) -> Facility:
    plan = layout({"type": kind, "count": racks * hosts}, {"type": HEAVY, "hosts_per_rack": hosts} | group, hall=hall)
    return facility_of(plan, fabric(plan))


def chain(*stages: tuple[str, float]) -> dict[str, Any]:
    """A hall with one feed behind stages from the utility on."""
    rows, above = [{"name": "utility", "kind": "utility"}], "utility"
    for kind, efficiency in stages:
        rows.append({"name": kind, "kind": kind, "from": above, "efficiency": efficiency})
        above = kind
    return {"feeds": [{"name": "F", "voltage": "415 V", "amps": 400, "from": above}], "supply": rows}


@pytest.mark.parametrize(
    ("row", "kinds"),
    [
        (0, ("transformer", "ups", "busway", "panel", "shelf")),
        (1, ("transformer", "ups", "busway", "panel", "shelf")),
        (2, ("transformer", "ups", "busway", "panel", "shelf")),
        (3, ("transformer", "rectifier", "busway", "panel", "dc-dc")),
    ],
)
def test_published_chains_of_efficiencies(row: int, kinds: tuple[str, ...]) -> None:
    _, stages, product, ratio, loss = vectors("chain")[1][row]
    values = [float(value) for value in stages.split("x")] if isinstance(stages, str) else stages
    found = house(NVL72, 1, 1, chain(*zip(kinds, values, strict=True))).supply
    assert found.utility_w / 132e3 == pytest.approx(ratio, rel=1e-6)
    assert 132e3 / found.utility_w == pytest.approx(product, rel=1e-6)
    assert found.loss_w / 132 == pytest.approx(loss, rel=1e-6)


@pytest.mark.parametrize("row", range(4))
def test_a_bar_of_direct_current(row: int) -> None:
    """Two metres there and back of 1000 mm2 of copper: the reference's table."""
    power_kw, volts, _, _, loss_w, _ = vectors("dcbus")[1][row]
    bar = {"voltage": f"{volts} V", "length": "2 m", "area": "1000 mm2"}
    supply = [{"name": "bar", "kind": "busbar", "racks": 1, "bar": bar}]
    hall = {
        "feeds": [{"name": "F", "voltage": f"{volts} V", "phases": "dc", "amps": 4000, "from": "bar"}],
        "supply": supply,
    }
    found = house(NVL72 | {"power_max": f"{power_kw} kW"}, 2, 1, hall)
    assert found.supply.loss_w == pytest.approx(2 * loss_w, rel=1e-6)
    assert found.power.circuits[0].lines_a.tolist() == [[pytest.approx(power_kw * 1e3 / volts)]] * 2
    assert found.power.circuits[0].limit_a == 3200


def shelves(power_kw: float = 132) -> Facility:
    """A rack of eight shelves of 33 kW, four from each of two feeds, on one bar."""
    supply: list[dict[str, Any]] = [{"name": f"utility-{f}", "kind": "utility"} for f in "ab"]
    supply += [
        {"name": f"shelf-{f}", "kind": "shelf", "rating": "33 kW", "count": 4, "racks": 1, "from": f"busway-{f}"}
        for f in "ab"
    ]
    supply += [{"name": f"busway-{f}", "kind": "busway", "from": f"utility-{f}", "efficiency": 1.0} for f in "ab"]
    supply.append({"name": "bar", "kind": "busbar", "racks": 1, "from": ["shelf-a", "shelf-b"], "parallel": True})
    hall = {"feeds": [{"name": "F", "voltage": "50 V", "phases": "dc", "amps": 4000, "from": "bar"}], "supply": supply}
    return house(NVL72 | {"power_max": f"{power_kw} kW"}, 1, 1, hall)


def test_half_of_the_shelves_carry_a_rack_with_no_margin() -> None:
    found = shelves().supply
    rows = {one.name: one for one in found.elements}
    assert (rows["shelf-a-01"].load_w, rows["shelf-a-01"].rating_w) == (66e3, 132e3)
    assert (rows["shelf-a-01"].worst_w, rows["shelf-a-01"].worst_failure) == (132e3, "busway-b")
    assert rows["shelf-a-01"].loss_w == pytest.approx(66e3 * (1 / 0.975 - 1))
    assert found.dark["busway-b"] == ()
    assert found.findings == ()


def test_a_watt_more_than_half_of_the_shelves_carry_is_a_finding() -> None:
    assert {f.id for f in shelves(132.1).supply.findings} == {"supply-overload-after-loss"}


@pytest.mark.parametrize("grade, column", [("titanium", 1), ("platinum", 3)])
def test_supplies_by_grade_follow_their_curve(grade: str, column: int) -> None:
    for row in vectors("psu")[1]:
        kind = DGX | {"power_max": f"{row[0] * 1000} W"}
        supply = [{"name": "psu", "kind": "shelf", "rating": "1 kW", "efficiency": grade}]
        hall = {"feeds": [{"name": "F", "voltage": "415 V", "amps": 400, "from": "psu"}], "supply": supply}
        assert house(kind, 1, 1, hall).supply.utility_w == pytest.approx(row[0] * 1000 / row[column], rel=1e-6)


def test_a_transformer_loses_by_the_square_of_its_load() -> None:
    losses = {"no_load": "1 kW", "full_load": "9 kW"}
    supply = [{"name": "tx", "kind": "transformer", "rating": "132 kW", "count": 2, "losses": losses}]
    hall = {"feeds": [{"name": "F", "voltage": "415 V", "amps": 400, "from": "tx"}], "supply": supply}
    assert house(NVL72, 1, 1, hall).supply.loss_w == pytest.approx(2 * (1e3 + 9e3 * 0.25))


def feeds(names: str, amps: float = 63, redundancy: str = "2N", **keys: Any) -> dict[str, Any]:
    return {"feeds": [{"name": n, "voltage": "415 V", "amps": amps, "redundancy": redundancy} | keys for n in names]}


def test_breakers_that_a_rack_takes() -> None:
    """40.8 kW at 415 V and 0.95: the reference's 59.75 A, 80 A by NEC at 80 %, 63 A by IEC."""
    row = next(row for row in vectors("breaker")[1] if row[:2] == [40.8, 415])
    hall = feeds("AB", 80)
    found = house(DGX | {"psu": "6 x 3.3 kW, 4+2"}, 1, 4, hall, power_limit="41 kW").power
    (circuit, _) = found.to_dict()["circuits"]
    assert circuit["lines_a"] == [pytest.approx(row[3], rel=1e-6)] * 3
    assert (circuit["breaker_nec_a"], circuit["neutral_a"]) == (row[5], pytest.approx(0, abs=1e-9))
    full = house(DGX, 1, 4, feeds("AB", 63, continuous=1.0), power_limit="41 kW").power
    assert full.to_dict()["circuits"][0]["breaker_iec_a"] == row[6]
    assert "circuit-overload" not in {f.id for f in (*found.findings, *full.findings)}


def test_a_power_limit_does_not_hide_a_breaker_that_is_too_small() -> None:
    found = house(DGX, 3, 4, feeds("AB", 63), power_limit="41 kW").power
    (finding,) = (f for f in found.findings if f.id == "circuit-overload")
    assert finding.where == "racks r01-r03"
    assert finding.message == "a line of feed A carries 59.7 of 50.4 A once the feeds that may fail have"
    assert finding.fix == "a breaker of 80 A (NEC) or 80 A (IEC), more feeds, or fewer hosts a rack"


def test_single_cords_leave_phases_apart() -> None:
    """Four devices with one cord a feed: two on one phase, one on each other: 50 % from the mean."""
    found = house(DGX | {"psu": "2"}, 3, 4, feeds("AB", 100), power_limit="41 kW").power
    circuit = found.circuits[0]
    one = 10.2e3 / (415 / np.sqrt(3)) / 0.95
    np.testing.assert_allclose(circuit.lines_a, one * np.array([[2, 1, 1], [1, 2, 1], [1, 1, 2]]))
    np.testing.assert_allclose(circuit.imbalance, 0.5)
    np.testing.assert_allclose(circuit.neutral_a, one)
    assert [f.where for f in found.findings if f.id == "phase-imbalance"] == ["racks r01-r03"]


def test_loads_between_two_lines_at_208_v() -> None:
    """Branches of 16, 8 and 8 A in delta: the reference's lines of 21.17, 13.86 and 21.17 A in some order."""
    hall = {"feeds": [{"name": "A", "voltage": "208 V", "amps": 30}], "power_factor": 1.0}
    kind = DGX | {"psu": "1", "power_max": f"{8 * 208} W"}
    lines = house(kind, 1, 4, hall).power.circuits[0].lines_a[0]
    assert sorted(lines) == pytest.approx(sorted(vectors("delta")[1][0][3:]), rel=1e-6)


@pytest.mark.parametrize(
    ("psu", "kilowatts", "names", "redundancy", "verdict"),
    [
        ("6 x 3.3 kW, 4+2", 10.2, "ABC", "N+1", None),
        ("6 x 3.3 kW, 4+2", 10.2, "AB", "2N", "3 of 6 power supplies of 3.3 kW"),
        ("6 x 3.3 kW, 5+1", 14.3, "ABCDEF", "N+1", None),
        ("8 shelves x 33 kW (6 x 5.5 kW), N+N", 132, "AB", "2N", None),
        ("8 shelves x 33 kW (6 x 5.5 kW), N+N", 133, "AB", "2N", "4 of 8 power supplies of 33 kW"),
    ],
)
def test_supplies_left_after_a_feed(
    psu: str, kilowatts: float, names: str, redundancy: str, verdict: str | None
) -> None:
    kind = DGX | {"psu": psu, "power_max": f"{kilowatts} kW"}
    found = house(kind, 1, 1, feeds(names, 400, redundancy)).power.findings
    messages = [f.message for f in found if f.id == "supplies-degraded"]
    assert [m.partition(" are left")[0] for m in messages] == ([verdict] if verdict else [])


def test_a_cord_over_its_connector() -> None:
    kind = DGX | {"psu": "2, with C14 inlets", "power_max": "4 kW"}
    (finding,) = (f for f in house(kind, 1, 1, feeds("AB")).power.findings if f.id == "cord-overload")
    assert finding.message == "17.6 A through each of 1 cords with C14, which carries 10 A"


def test_a_cap_holds_racks_and_says_what_it_costs() -> None:
    """Four hosts of eight accelerators of 700 W: 36 kW leave 550 of them, and (550/700)^0.3 to ^0.5 of the speed."""
    found = house(DGX, 2, 4, feeds("AB", 80), power_limit="37 kW", power_cap="36 kW")
    assert found.power.it_w.tolist() == [36e3, 36e3]
    assert found.power.nameplate_w.tolist() == [40.8e3, 40.8e3]
    assert found.power.it_max_w == 72e3
    (finding,) = (f for f in found.power.findings if f.id == "power-capped")
    assert finding.message == (
        "2 racks with nameplates of 40.8 of 36.0 kW that the cap allows: 550 of 700 W an accelerator, "
        "89-93 % of its speed where computing limits"
    )
    assert "rack-over-power" not in {f.id for f in found.findings}
    low = house(DGX, 1, 4, feeds("AB", 80), power_cap="18 kW").power.findings
    assert [f.fix for f in low if f.id == "cap-too-low"] == ["a cap above 18.4 kW, or fewer hosts a rack"]


def test_a_capped_rack_takes_more_hosts_than_its_limit_would() -> None:
    plan = layout({"type": DGX, "count": 12}, {"type": HEAVY, "power_limit": "30 kW", "power_cap": "30 kW"})
    assert facility_of(plan, fabric(plan)).power.it_w.tolist() == [30e3, 30e3]


@given(
    cords=st.integers(1, 6), hosts=st.integers(1, 6), racks=st.integers(1, 5), watts=st.integers(100, 20_000),
    names=st.sampled_from(["A", "AB", "ABC"]),
)  # fmt: skip
def test_phases_add_up_to_what_racks_draw(cords: int, hosts: int, racks: int, watts: int, names: str) -> None:
    hall = feeds(names, redundancy="N") | {"power_factor": 1.0}
    kind = DGX | {"psu": str(cords), "power_max": f"{watts} W", "u": 4}
    found = house(kind, racks, hosts, hall).power.circuits
    total_w = sum(circuit.lines_a.sum(axis=1) for circuit in found) * 415 / np.sqrt(3)
    np.testing.assert_allclose(total_w, hosts * watts, rtol=1e-9)
    assert all((circuit.imbalance >= 0).all() and (circuit.imbalance <= 2 + 1e-9).all() for circuit in found)


def test_every_line_of_many_racks_is_a_matter_of_milliseconds_of_rows_not_of_devices() -> None:
    """Racks of equal content are computed once: 2,000 racks have two kinds."""
    found = house(DGX | {"psu": "2"}, 2000, 4, feeds("AB", 100), power_limit="41 kW").power.circuits[0]
    assert np.unique(np.round(np.sort(found.lines_a, axis=1), 6), axis=0).shape == (1, 3)


TREE = {"name": "t", "hosts": {"type": DGX, "count": 4}, "racks": {"type": "rack-48u"}}


@pytest.mark.parametrize(
    ("element", "words"),
    [
        ({"losses": {"full_load": "1 kW"}}, "losses is given by load fraction, which needs a rating"),
        ({"efficiency": "titanium"}, "efficiency is given by load fraction, which needs a rating"),
        ({"efficiency": "bronze", "rating": "1 kW"}, "titanium"),
        (
            {"efficiency": 0.9, "bar": {"voltage": "54 V", "length": "2 m", "area": "1000 mm2"}},
            "both say what tx loses",
        ),
        ({"parallel": True}, "parallel needs two sources or more"),
        ({"rating": "33"}, "has no unit; an apparent power is written like '2.5 MVA'"),
        ({"rating": "33 kg"}, "is a mass, not an apparent power"),
        ({"bar": {"voltage": "54 V", "length": "2 m", "area": "0 mm2"}}, "out of range for a cross-section"),
    ],
)
def test_what_is_wrong_is_named(element: dict[str, Any], words: str) -> None:
    supply = [{"name": "tx", "kind": "transformer"} | element]
    feed = {"name": "A", "voltage": "415 V", "amps": 80, "from": "tx"}
    with pytest.raises(Exception, match=words):
        layout_from_tree(TREE | {"hall": {"feeds": [feed], "supply": supply}})


def test_the_catalogue_tells_its_supplies() -> None:
    plan = Layout.model_validate(TREE | {"hosts": {"type": "dgx-h100", "count": 4}})
    from fabrictool.power.cords import cords_of

    found = cords_of(plan.host_types()[0])
    assert found is not None
    assert (found.count, found.each_w) == (6, 3300)


def test_equal_elements_with_equal_overloads_make_one_finding() -> None:
    supply = [
        {"name": "utility", "kind": "utility"},
        {"name": "busway", "kind": "busway", "rating": "100 kW", "racks": 1, "from": "utility"},
    ]
    hall = {"feeds": [{"name": "F", "voltage": "415 V", "amps": 400, "from": "busway"}], "supply": supply}
    (finding,) = house(NVL72, 3, 1, hall).supply.findings
    assert (finding.where, finding.message) == (
        "busway busway-01 to busway-03 (3)",
        "carries 132.0 of 100.0 kW with everything running",
    )
