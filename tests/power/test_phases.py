"""Phases of a hall's supply: what each line carries on every level, evenly or not, before and after a failure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from racked import RACK, fabric, host, layout

from fabrictool.errors import InputError
from fabrictool.evaluation import evaluate
from fabrictool.layout.reading import layout_from_tree
from fabrictool.placement import place
from fabrictool.power import SupplyLoads, rack_power, supply_loads
from fabrictool.power.circuits import delta_lines_a, neutral_a
from fabrictool.power.dealing import between_lines, dealt_phases, line_v
from fabrictool.power.elements import Element
from fabrictool.power.phasors import (
    balanced_lines,
    delta_lines,
    lines_a,
    lines_power_w,
    neutral_of,
    star_lines,
    through_delta,
)

HOST = host("h3", power_max="3 kW", u=2)
TURN = np.exp(-2j * np.pi / 3)
watts = st.lists(st.floats(0, 1e6), min_size=3, max_size=3)


def twin_lines_a(star_w: list[float], delta_w: list[float], v_ll: float) -> tuple[list[float], float]:
    """Currents of lines A, B, C and of the neutral by adding phasors of each load's current, one at a time."""
    volts = [v_ll / np.sqrt(3) * TURN**k for k in range(3)]
    lines, neutral = [0j, 0j, 0j], 0j
    for k, power in enumerate(star_w):
        current = np.conj(power / volts[k])
        lines[k] += current
        neutral -= current
    for k, power in enumerate(delta_w):
        current = np.conj(power / (volts[k] - volts[(k + 1) % 3]))
        lines[k] += current
        lines[(k + 1) % 3] -= current
    return [abs(one) for one in lines], abs(neutral)


@given(watts, watts, st.floats(100, 1000))
def test_loads_of_both_kinds_add_up_as_currents_do(star: list[float], delta: list[float], volts: float) -> None:
    found = star_lines(np.array(star)) + delta_lines(np.array(delta))
    lines, neutral = twin_lines_a(star, delta, volts)
    scale = (sum(star) + sum(delta)) / volts + 1e-9
    assert lines_a(found, volts, 1.0) == pytest.approx(lines, abs=1e-9 * scale)
    assert float(lines_a(neutral_of(found), volts, 1.0)) == pytest.approx(neutral, abs=1e-9 * scale)
    assert lines_power_w(found) == pytest.approx(sum(star) + sum(delta), rel=1e-12, abs=1e-9)


@given(watts)
def test_each_kind_alone_is_the_reference_formula(power: list[float]) -> None:
    each = np.array(power)
    assert np.abs(delta_lines(each)) * np.sqrt(3) == pytest.approx(delta_lines_a(each), rel=1e-9, abs=1e-6)
    assert neutral_of(star_lines(each)) == pytest.approx(neutral_a(each), rel=1e-9, abs=1e-6)


@given(watts)
def test_a_transformer_passes_the_power_and_no_neutral(power: list[float]) -> None:
    below = star_lines(np.array(power))
    above = through_delta(below)
    assert lines_power_w(above) == pytest.approx(sum(power), rel=1e-12, abs=1e-9)
    assert neutral_of(above) == pytest.approx(0, abs=1e-9 * (1 + sum(power)))
    even = balanced_lines(np.array(sum(power)))
    assert through_delta(even) == pytest.approx(even)


def test_one_phase_of_a_star_takes_two_lines_of_the_delta() -> None:
    """A load between a and neutral is, on the other side, one between two lines: 1 / sqrt(3) of the current in both."""
    lines = np.abs(through_delta(star_lines(np.array([3000.0, 0, 0]))))
    assert lines == pytest.approx([3000 / np.sqrt(3), 0, 3000 / np.sqrt(3)])


@pytest.mark.parametrize(
    ("volts", "phases", "pair", "of"),
    [(230, 1, False, 398.37), (208, 1, True, 208), (277, 1, False, 479.78), (400, 1, True, 400), (208, 3, True, 208),
     (415, 3, False, 415)],
)  # fmt: skip
def test_a_voltage_says_between_which_lines(volts: float, phases: Any, pair: bool, of: float) -> None:
    stated = {"name": "A", "voltage": f"{volts} V", "amps": 32, "phases": phases}
    hall = layout({"type": HOST, "count": 1}, {"type": RACK}, hall={"feeds": [stated]}).hall
    assert hall is not None
    assert hall.feeds is not None
    assert (between_lines(hall.feeds[0]), line_v(hall.feeds[0])) == (pair, pytest.approx(of, rel=1e-4))


def test_the_heaviest_circuits_choose_first() -> None:
    carried = np.zeros((2, 3))
    which = np.array([0, 0, 0, 0, 0, 1])
    phase = dealt_phases(np.array([1.0, 5, 3, 2, 4, 7]), np.ones(6, bool), which, carried)
    assert phase.tolist() == [2, 1, 0, 0, 2, 0]
    assert carried.tolist() == [[5, 5, 5], [7, 0, 0]]


FEED = {"voltage": "230 V", "phases": 1, "amps": 63, "redundancy": "2N"}
BUSES = [{"name": f"bus-{f}", "kind": "busway", "from": f"ups-{f}", "efficiency": 1, "rating": "30 kW"} for f in "ab"]
UPS = [{"name": f"ups-{f}", "kind": "ups", "from": "tx", "efficiency": 0.96} for f in "ab"]
TX = {"name": "tx", "kind": "transformer", "efficiency": 0.99}


def loaded(racks: int, supply: list[dict[str, Any]], feed: dict[str, Any] = FEED) -> SupplyLoads:
    """The supply of racks of 6 kW."""
    feeds = [feed | {"name": f, "from": f"bus-{f.lower()}"} for f in "AB"]
    stated = {"feeds": feeds, "supply": supply, "power_factor": 0.95}
    plan = layout({"type": HOST, "count": 2 * racks}, {"type": RACK, "hosts_per_rack": 2}, hall=stated)
    devices = fabric(plan)
    placement = place(plan, devices)
    return supply_loads(plan, placement, rack_power(plan, devices, placement))


def by_name(found: SupplyLoads) -> dict[str, Element]:
    return {one.name: one for one in found.elements}


def test_racks_of_one_phase_are_dealt_over_the_three() -> None:
    """Five racks of 6 kW, 3 kW on each side: two, two and one on the phases; all of it once the other side fails."""
    rows = by_name(loaded(5, [TX, *UPS, *BUSES]))
    bus, ups = rows["bus-a"], rows["ups-a"]
    assert bus.lines is not None
    assert ups.lines is not None
    assert sorted(bus.lines.load_w) == pytest.approx([3000, 6000, 6000])
    assert bus.lines.neutral_w == pytest.approx(3000)
    assert bus.lines.imbalance == pytest.approx(0.4)
    amps = bus.to_dict()["lines"]
    assert sorted(amps["lines_a"]) == pytest.approx([3000 / 230 / 0.95, 6000 / 230 / 0.95, 6000 / 230 / 0.95])
    assert max(amps["worst_lines_a"]) == pytest.approx(12000 / 230 / 0.95)
    assert (amps["worst_failure"], amps["limit_a"]) == ("bus-b", pytest.approx(10000 / 230 / 0.95))
    # the UPS carries the busway's lines, and draws from all of its own alike
    assert sorted(ups.lines.load_w) == pytest.approx([3000, 6000, 6000])
    assert rows["tx"].lines is not None
    assert rows["tx"].lines.imbalance == pytest.approx(0, abs=1e-9)
    assert sum(rows["tx"].lines.load_w) == pytest.approx(30000 / 0.96)


def test_a_line_may_be_over_although_all_together_are_not() -> None:
    """24 kW on a busway of 30 kW: 12 kW on a line that may carry 10."""
    found = loaded(4, [TX, *UPS, *BUSES])
    (finding,) = (f for f in found.findings if f.id.startswith("supply-line") and "bus-a" in f.where)
    assert finding.message == "a line would carry 12.0 of 10.0 kW, a third of the rating, once bus-b has failed"
    assert finding.fix.endswith("a rating of 36 kW or more")
    assert not any(f.id.startswith("supply-overload") for f in found.findings)


def test_uneven_lines_are_a_warning_where_one_is_half_full() -> None:
    supply = [TX, *UPS, *[bus | {"rating": "60 kW"} for bus in BUSES]]
    (one, _) = (f for f in loaded(4, supply).findings if f.id == "supply-imbalance")
    assert one.severity == "warning"
    assert one.where == "busway bus-a"
    assert "50 % from their mean" in one.message
    assert "27.5 A in the neutral" in one.message
    wide = [TX, *UPS, *[bus | {"rating": "90 kW"} for bus in BUSES]]
    assert not any(f.id == "supply-imbalance" for f in loaded(4, wide).findings)
    assert not any(f.id == "supply-imbalance" for f in loaded(6, supply).findings)


def test_circuits_between_two_lines_load_both() -> None:
    """Two racks of 6 kW at 208 V on AB and BC: by the delta formula the shared line carries sqrt(3) of a branch."""
    feed = FEED | {"voltage": "208 V"}
    rows = by_name(loaded(2, [TX, *UPS, *BUSES], feed))
    branch = 3000 / 208 / 0.95
    amps = rows["bus-a"].to_dict()["lines"]
    assert sorted(amps["lines_a"]) == pytest.approx([branch, branch, np.sqrt(3) * branch])
    assert amps["neutral_a"] == pytest.approx(0, abs=1e-9)


def test_a_breaker_carries_its_continuous_share() -> None:
    """60 A at 415 V and 80 %: 34.5 kVA (Raritan PX3-5878, published 34.5); 24 kW at 0.95 and 400 V are 36.5 A."""
    feed = FEED | {"voltage": "400 V", "phases": 3}
    breaker = {"amps": 40, "rating": "1 MW"}
    found = loaded(4, [TX, *UPS, *[bus | breaker for bus in BUSES]], feed)
    (finding,) = (f for f in found.findings if f.id == "breaker-overload-after-loss" and f.where == "busway bus-a")
    assert finding.message == "a line would carry 36.5 of 32 A (0.8 of a breaker of 40 A) once bus-b has failed"
    assert finding.fix == "a breaker of 50 A (NEC) or 50 A (IEC), or fewer racks on it"
    assert any(row.what == "continuous load of the supply's breakers" for row in found.assumptions)
    iec = loaded(4, [TX, *UPS, *[bus | breaker | {"continuous": 1} for bus in BUSES]], feed)
    assert not any(f.id.startswith("breaker") for f in iec.findings)
    assert by_name(iec)["bus-a"].breaker_w == pytest.approx(np.sqrt(3) * 400 * 40 * 0.95)
    (published,) = (e for e in loaded(1, [TX, *UPS, BUSES[0] | {"amps": 60}, BUSES[1]], feed | {"voltage": "415 V"})
                    .elements if e.breaker_a)  # fmt: skip
    assert published.breaker_w / 0.95 == pytest.approx(34502.45, rel=1e-6)


def test_direct_current_has_no_lines_but_a_breaker() -> None:
    feed = {"voltage": "54 V", "phases": "dc", "amps": 500, "redundancy": "2N"}
    bars = [bus | {"kind": "busbar", "amps": 200, "continuous": 1, "from": "ups"} for bus in BUSES]
    found = loaded(4, [TX, {"name": "ups", "kind": "rectifier", "from": "tx"}, *bars], feed)
    row = by_name(found)["bus-a"]
    assert row.lines is None
    assert row.breaker_w == pytest.approx(54 * 200)
    (finding,) = (f for f in found.findings if f.where == "busbar bus-a")
    assert finding.message.startswith("it carries 222.2 of 200 A")


@given(racks=st.integers(1, 20), run=st.integers(1, 7), volts=st.sampled_from(["230 V", "208 V", "277 V"]))
def test_lines_add_up_to_the_power_on_every_level(racks: int, run: int, volts: str) -> None:
    found = loaded(racks, [TX, *UPS, *[bus | {"racks": run} for bus in BUSES]], FEED | {"voltage": volts})
    for one in found.elements:
        assert one.lines is not None
        assert one.lines.load_w.sum() >= one.load_w * (1 - 1e-9)
        assert one.lines.worst_fullest_w >= one.worst_w * (1 - 1e-9)
        if volts != "208 V" and one.kind != "transformer":
            assert one.lines.load_w.sum() == pytest.approx(one.load_w, rel=1e-9)
    assert found.utility_w == pytest.approx(racks * 6000 + found.loss_w, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amps": 40, "voltage": "480 V"}, "bus-a delivers 480 V, but feed A is of 398.4 V; put a transformer"),
        ({"amps": 0}, "it must be more than 0"),
        ({"continuous": 0.8}, "continuous is a share of a breaker; add amps, or remove it"),
        ({"voltage": "0 V"}, "out of range"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], words: str) -> None:
    feeds = [FEED | {"name": f, "from": f"bus-{f.lower()}"} for f in "AB"]
    stated = {"feeds": feeds, "supply": [TX, *UPS, BUSES[0] | change, BUSES[1]]}
    tree = {"name": "t", "hosts": {"type": HOST, "count": 2}, "racks": {"type": RACK}, "hall": stated}
    with pytest.raises(InputError) as error:
        evaluate(layout_from_tree(tree))
    assert words in str(error.value)


def test_a_breaker_needs_a_voltage() -> None:
    with pytest.raises(InputError, match="amps of tx say nothing without the voltage that it delivers; add voltage"):
        loaded(2, [TX | {"amps": 100}, {"name": "dc", "kind": "rectifier", "from": "tx"},
                   *[one | {"from": "dc"} for one in UPS], *BUSES])  # fmt: skip


def test_what_is_behind_uneven_busways_is_even() -> None:
    """Three busways of five racks: each has a phase that carries less, and the UPS carries five racks on each."""
    rows = by_name(loaded(15, [TX, *UPS, *[bus | {"racks": 5, "efficiency": 1} for bus in BUSES]]))
    assert [sorted(rows[f"bus-a-0{n}"].lines.load_w) for n in (1, 2, 3)] == [pytest.approx([3e3, 6e3, 6e3])] * 3
    assert rows["ups-a"].lines.load_w == pytest.approx([15e3] * 3)
