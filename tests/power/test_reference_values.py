"""Formulas of power against every worked value of the reference; 7 digits are printed there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from racked import vectors

from fabrictool.opex import capital_recovery, energy_bill
from fabrictool.power import circuits, conversion, demand, sharing
from fabrictool.units import ALTITUDE, POWER, parse

GIB = 2**30


def assert_close(actual: object, expected: object, rtol: float = 1e-6) -> None:
    np.testing.assert_allclose(np.asarray(actual, float), np.asarray(expected, float), rtol=rtol, atol=1e-12)


def columns(table: str) -> np.ndarray:
    """The numeric rows of a table, transposed."""
    return np.array(vectors(table)[1], dtype=float).T


def test_power_of_a_host_by_utilisation() -> None:
    idle, most, used, linear, fan = columns("itnode")
    assert_close(demand.linear_power_w(idle, most, used), linear)
    assert_close(demand.empirical_power_w(idle, most, used), fan)


def test_power_of_a_switch_by_active_ports_and_optics() -> None:
    ports, optics, power = np.array(vectors("switch")[1]).T
    assert_close(demand.switch_power_w(500, ports, 247 / 64, optics, (1720 - 747) / 32), power)


def test_energy_of_a_bit_by_element_and_path() -> None:
    rows = {row[0].split(" ")[0]: row for row in vectors("pjbit")[1]}
    each = {name: float(demand.energy_per_bit_j(*rows[name][1:3])) * 1e12 for name in ("NIC", "switch", "optical")}
    assert_close(list(each.values()), [rows[name][3] for name in each])
    assert_close(2 * each["NIC"] + 3 * each["switch"] + 8 * each["optical"], rows["2-tier"][3])
    assert_close(2 * each["NIC"] + each["switch"] + 4 * each["optical"], rows["1-tier"][3])
    assert_close(demand.energy_per_bit_j(747, 2.56e13, 0.5), 2 * 747 / 2.56e13)


def test_energy_of_a_ring_all_reduce() -> None:
    ranks, nbytes, speed, sent, time, network, energy, per_bit, waiting = columns("allreduce")
    assert_close(network, ranks * (25 + 3 / 64 * 747 + 6 * 8.5))
    found = demand.all_reduce_energy(ranks, nbytes, speed, network, 300)
    for actual, expected in zip(found, (sent, time, energy, waiting, per_bit * 1e-12), strict=True):
        assert_close(actual, expected)


def test_peak_of_correlated_loads() -> None:
    count, mean, sigma, rho, z, total, spread, peak = columns("cluster")
    assert_close(count * mean, total)
    assert_close(demand.correlated_sigma_w(count, sigma, rho), spread)
    assert_close(demand.correlated_peak_w(count, mean, sigma, rho, z), peak)


def test_swing_of_a_synchronous_job() -> None:
    high, low, duty, period, mean, rms, crest, buffer = columns("swing")
    found = demand.two_level_swing(high, low, duty, period)
    assert_close(found.mean_w, mean)
    assert_close(found.rms_w, rms)
    assert_close(high / found.mean_w, crest)
    assert_close(found.buffer_j, buffer)
    assert demand.ramp_w_per_s(1000, 1000, 300, 0.02) == pytest.approx(35e6)


def test_breakers_by_both_standards() -> None:
    kilowatts, volts, factor, load, derated, nec, iec = columns("breaker")
    found = circuits.current_a(kilowatts * 1e3, volts, factor)
    assert_close(found, load)
    assert_close(found / 0.8, derated)
    assert_close(circuits.breaker_a(found, 0.8), nec)
    assert_close(circuits.breaker_a(found, 1.0, circuits.IEC_A), iec)
    assert circuits.breaker_a(7000, 1.0) == np.inf


def test_neutral_imbalance_and_delta_lines() -> None:
    a, b, c, neutral, percent = columns("neutral")
    phases = np.column_stack((a, b, c))
    assert_close(circuits.neutral_a(phases), neutral)
    assert_close(100 * circuits.imbalance(phases), percent)
    assert circuits.imbalance([0, 0, 0]) == 0
    table = columns("delta")
    assert_close(circuits.delta_lines_a(table[:3].T), table[3:].T)


@pytest.mark.parametrize("volts, neutral", [(400, 230.940), (415, 239.600), (480, 277.128), (208, 120.089)])
def test_voltage_to_neutral(volts: float, neutral: float) -> None:
    assert circuits.line_to_neutral_v(volts) == pytest.approx(neutral, abs=5e-4)


def test_power_supplies_by_grade_and_load() -> None:
    load, titanium, loss, platinum = columns("psu")
    assert_close(conversion.psu_efficiency(load), titanium)
    assert_close(conversion.psu_efficiency(load, "platinum"), platinum)
    assert_close(1000 * load * (1 / conversion.psu_efficiency(load) - 1), loss)


def test_loss_of_a_ups() -> None:
    load, loss, efficiency = columns("ups")
    found = conversion.ups_loss_w(load * 5e5, 5e5)
    assert_close(found / 5e5, loss)
    assert_close(load * 5e5 / (load * 5e5 + found), efficiency)


def test_a_transformer_is_best_where_both_losses_are_equal() -> None:
    load = np.linspace(0.05, 1, 96)
    loss = conversion.transformer_loss_w(load * 1e6, 1e6, 1600, 10000)
    assert load[np.argmax(load * 1e6 / (load * 1e6 + loss))] == pytest.approx(math.sqrt(0.16), abs=0.01)


def test_chains_of_conversion() -> None:
    for _, stages, product, ratio, loss in vectors("chain")[1]:
        efficiencies = [float(word) for word in stages.split(" x ")]
        drawn = float(conversion.chain_input_w(1000, efficiencies))
        assert_close([1000 / drawn, drawn / 1000, drawn - 1000], [product, ratio, loss])
        assert conversion.chain_input_w(1000, efficiencies[::-1]) == pytest.approx(drawn, rel=1e-12)


def test_direct_current_bars() -> None:
    kilowatts, volts, current, drop, loss, percent = columns("dcbus")
    bar = conversion.dc_bar(kilowatts * 1e3, volts, conversion.busbar_ohm(4, 1e-3))
    for actual, expected in zip(bar, (current, drop, loss), strict=True):
        assert_close(actual, expected)
    assert_close(bar.loss_w / kilowatts / 10, percent)
    # bars of the Open Rack class carry 1,400 A a section: 70.0 to 71.4 kW, so 132 kW at 50 V takes two
    assert (1400 * 50, 1400 * 51, float(conversion.dc_bar(132e3, 50, 1).current_a)) == (70000, 71400, 2640)


def test_shares_of_systems_that_may_lose_one() -> None:
    for name, systems, normal, usable, survivor in vectors("red")[1]:
        assert_close([sharing.normal_share(systems), sharing.usable_systems(systems)], [normal, usable])
        if survivor != "lost":
            pairs = np.full((systems, systems), 2 * normal / (systems - 1))
            np.fill_diagonal(pairs, 0)
            after = sharing.loads_after_loss_w(pairs)
            assert_close(after[~np.eye(systems, dtype=bool)], survivor), name


def test_pairs_of_four_systems_when_one_is_lost() -> None:
    """Six pairs of 500 kW go up to 1,000 each; lopsided pairs overload B by 25 %."""
    even = np.full((4, 4), 500.0)
    np.fill_diagonal(even, 0)
    assert_close(sharing.pair_loads_w(even), [750] * 4)
    assert_close(sharing.loads_after_loss_w(even)[0], [0, 1000, 1000, 1000])
    lopsided = np.zeros((4, 4))
    for i, j, load in ((0, 1, 1000), (2, 3, 1000), (0, 2, 500), (1, 3, 500)):
        lopsided[i, j] = lopsided[j, i] = load
    assert_close(sharing.pair_loads_w(lopsided), [750] * 4)
    assert_close(sharing.loads_after_loss_w(lopsided)[0], [0, 1250, 1000, 750])


@pytest.mark.parametrize(
    "supplies, lost, each, most, boot, verdict",
    [
        (6, 2, 3300, 10200, 3, "full"),  # DGX H100, 4+2: 13.2 kW left
        (6, 3, 3300, 10200, 3, "degraded"),  # 9.9 kW: runs on, slower
        (6, 4, 3300, 10200, 3, "off"),
        (6, 1, 3300, 14300, 0, "full"),  # DGX B200, 5+1
        (8, 4, 33000, 132000, 0, "full"),  # GB200 NVL72, N+N: no margin
    ],
)
def test_what_machines_do_without_some_supplies(supplies, lost, each, most, boot, verdict) -> None:  # type: ignore[no-untyped-def]
    assert conversion.supplies_verdict(supplies, lost, each, most, boot) == verdict


def test_frontier_from_node_to_site() -> None:
    """RAPS: 13 W and 0.98 at the node, 16 nodes and 1 kW of switches a chassis, 68 W and 0.96 rectified, 8 a rack."""
    for _, node, after, chassis, rectified, rack, site in vectors("frontier")[1]:
        found = float(conversion.stage_input_w(node, 13, 0.98))
        assert_close(found, after)
        assert_close(16 * found + 1000, chassis)
        ac = float(conversion.stage_input_w(16 * found + 1000, 68, 0.96))
        assert_close([ac, 8 * ac, (74 * 8 * ac + 25 * 8473.47) / 1e6], [rectified, rack, site])


def test_published_totals() -> None:
    """Sums that vendors print."""
    assert parse("38557 BTU/h", POWER) == pytest.approx(11299.94, rel=1e-6)
    assert parse("38557 BTU/h", POWER) / 10200 - 1 == pytest.approx(0.108, abs=5e-4)
    assert pytest.approx(457.6) == 32 * 14.3
    assert 8 * 33 / 2 == 132
    assert 1200 - 8 * 132 == 144
    assert (1720 - 747) / 32 == 30.40625
    assert pytest.approx(0.7273426, rel=1e-6) == 10400.9988793425 / 14300
    two = 2 * math.sqrt(3) * 380 * 32 * 0.8 * 0.95
    assert (two, two - 28600) == (pytest.approx(32013.84, rel=1e-6), pytest.approx(3413.842, rel=1e-6))
    assert 4 * parse("350 hp", POWER) == pytest.approx(1043980, rel=1e-6)
    for petaflops, per_watt, megawatts in ((1194, 52.59, 22.70394), (1102, 52.23, 21.09899)):
        assert petaflops / per_watt == pytest.approx(megawatts, rel=1e-6)
    assert parse("1 km", ALTITUDE) == 1000


def test_bills_and_capital_recovery() -> None:
    it, load, pue, price, monthly, kwh, energy, charge, total, blended = columns("cost")
    bill = energy_bill(it * 1e3, load, pue, price, monthly)
    for actual, expected in zip((*bill, bill.total, bill.per_kwh), (kwh, energy, charge, total, blended), strict=True):
        assert_close(actual, expected)
    interest, years, factor, yearly = columns("crf")
    assert_close(capital_recovery(interest, years), factor)
    assert_close(capital_recovery(interest, years) * 11000, yearly)


@given(idle=st.floats(0, 1e3), rise=st.floats(0, 1e4), used=st.floats(0, 1), more=st.floats(0, 1), r=st.floats(1, 2))
def test_power_lies_between_idle_and_most(idle: float, rise: float, used: float, more: float, r: float) -> None:
    low, high = sorted((used, more))
    for power in (demand.linear_power_w, lambda *v: demand.empirical_power_w(*v, exponent=r)):
        here, there = (float(power(idle, idle + rise, u)) for u in (low, high))
        assert idle - 1e-9 <= here <= idle + rise + 1e-9
        if r <= 1.4:
            assert here <= there + 1e-9 * (1 + there)


@given(phases=st.lists(st.floats(0, 1e3), min_size=3, max_size=3), turn=st.permutations([0, 1, 2]))
def test_names_of_phases_do_not_matter(phases: list[float], turn: list[int]) -> None:
    other = [phases[i] for i in turn]
    assert circuits.neutral_a(other) == pytest.approx(circuits.neutral_a(phases), rel=1e-9, abs=1e-9)
    assert circuits.imbalance(other) == pytest.approx(circuits.imbalance(phases), rel=1e-9, abs=1e-9)
    assert circuits.neutral_a([phases[0]] * 3) == 0


@given(load=st.floats(0.1, 4000))
def test_a_chosen_breaker_carries_its_load(load: float) -> None:
    nec = float(circuits.breaker_a(load, 0.8))
    assert nec * 0.8 >= load * (1 - 1e-9)
    assert nec >= float(circuits.breaker_a(load, 1.0))
