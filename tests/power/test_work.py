"""What a workload draws and takes: numbers by hand from types, counts and times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from racked import vectors

import fabrictool as ft
from fabrictool.energy import work_of
from fabrictool.evaluation import Evaluation
from fabrictool.facility import facility_of
from fabrictool.layout.reading import layout_from_tree
from fabrictool.power.optics import end_w

HOST = {"name": "h", "gpus": 8, "nics": 8, "speed": "400G", "u": 8, "power_max": "10 kW", "power_idle": "2 kW",
        "scale_up": {"domain": 8, "speed": "3.6T", "latency": "1 us"}}  # fmt: skip
SWITCH = {"name": "s", "ports": 32, "speed": "400G", "u": 1, "power_typical": "500 W", "power_max": "1 kW"}
REDUCE = [{"collective": "all-reduce", "algorithm": "ring", "sizes": ["1GiB"]}]


def tree(hosts: int = 8, switch: dict[str, Any] | None = None, **keys: Any) -> dict[str, Any]:
    leaf = {"type": switch or SWITCH}
    network = {"family": "fat-tree", "speed": "400G", "levels": 2, "leaf": leaf, "spine": leaf}
    return {
        "name": "case", "hosts": {"type": HOST, "count": hosts}, "networks": {"compute": network},
        "racks": {"type": "rack-48u", "hosts_per_rack": 4, "power_limit": "41 kW"},
    } | keys  # fmt: skip


def scored(**keys: Any) -> Evaluation:
    found = ft.evaluate(layout_from_tree(tree(**keys)))
    assert isinstance(found, Evaluation)
    return found


def step(**keys: Any) -> dict[str, Any]:
    return {"collectives": REDUCE, "step": {"compute": "100 ms"} | keys}


def test_a_step_computes_and_waits_in_turn() -> None:
    """Eight hosts between 2 + 8/4 = 4 kW waiting and 10 kW computing; switches and their optics are flat."""
    found = scored(workload=step(ramp="10 ms"))
    work, (result,) = found.work, found.collectives
    assert result.time_s is not None
    flat = 6 * 500.0 + sum(found.optics.network_w[0])
    flat -= found.optics.network_w[0, 0]  # ends at hosts are part of these
    np.testing.assert_allclose(work.totals_w[:3], [16e3 + flat, 32e3 + flat, 80e3 + flat])
    assert work.swing_w == pytest.approx(48e3)
    assert work.rack_swing_w.tolist() == [24e3, 24e3, 0]
    duty = 0.1 / (0.1 + result.time_s)
    assert work.step is not None
    assert work.step.energy_j == pytest.approx(0.1 * work.totals_w[2] + result.time_s * work.totals_w[1])
    assert work.totals_w[3] == pytest.approx(duty * work.totals_w[2] + (1 - duty) * work.totals_w[1])
    assert work.step.buffer_j == pytest.approx((1 - duty) * 48e3 * 0.1)
    assert work.ramp_w_per_s == pytest.approx(48e3 / 0.01)
    (note,) = (f for f in found.findings if f.id == "power-swing")
    assert note.message.startswith("power falls by 48 kW for ")


@pytest.mark.parametrize("row", range(3))
def test_swings_are_those_of_the_reference(row: int) -> None:
    """One accelerator a host of the table's high level, waiting at its low one."""
    high, low, duty, period, mean, rms, _, buffer = vectors("swing")[1][row]
    kind = {"name": "h", "gpus": 1, "nics": 1, "speed": "400G", "power_max": f"{high} W", "power_idle": "0.001 W"}
    stated = {"collectives": REDUCE, "step": {"compute": f"{duty * period} s", "waiting": low / high}}
    hall = {"name": "two", "hosts": {"type": kind, "count": 2}, "racks": {"type": "rack-48u"}, "workload": stated}
    layout = layout_from_tree(hall)
    fabric = ft.build(layout)
    result = type("Result", (), {"time_s": (1 - duty) * period, "network": "", "collective": "all-reduce",
                                 "ranks": 2, "nbytes": 1.0, "job": 0})()  # fmt: skip
    found = work_of(layout, fabric, facility_of(layout, fabric), [result]).step
    assert found is not None
    assert found.mean_w / 2 == pytest.approx(mean, rel=1e-5)
    assert found.rms_w / 2 == pytest.approx(rms, rel=1e-5)
    assert found.buffer_j / 2 == pytest.approx(buffer, rel=1e-5)


def test_energy_of_a_collective_is_what_is_on_while_it_runs() -> None:
    found = scored(workload={"collectives": REDUCE})
    (energy,), (result,) = found.work.collectives, found.collectives
    assert result.time_s is not None
    switches_w = 6 * 500 + found.optics.network_w[0, 1]
    assert energy.total_j == pytest.approx((8 * 4e3 + switches_w) * result.time_s)
    nics_w = 64 * 25
    assert energy.network_j == pytest.approx((switches_w + nics_w + found.optics.network_w[0, 0]) * result.time_s)
    assert energy.sent_bits == pytest.approx(8 * 2 * 63 / 64 * 2**30 * 64)
    row = energy.to_dict()
    assert row["j_per_gpu"] == pytest.approx(energy.total_j / 64)
    assert row["network_j_per_bit"] == pytest.approx(energy.network_j / energy.sent_bits)


def test_without_a_step_hosts_draw_what_training_is_planned_with() -> None:
    found = scored()
    assert found.work.parts["hosts"].tolist() == [16e3, 32e3, 80e3, 64e3]
    assert found.work.step is None
    assert "power of hosts that train" in {row.what for row in found.assumptions}


def test_optics_follow_the_plan_end_by_end() -> None:
    """64 + 64 links of 400G: hosts' cages and switches' alike; what all ends draw is what the media draw."""
    found = scored()
    plan = found.facility.plan
    watts, _ = end_w(plan)
    assert watts.shape == (2, len(plan.cables))
    assert found.optics.device_w.sum() == pytest.approx(watts.sum())
    assert sum(found.optics.media_w.values()) == pytest.approx(watts.sum())
    assert found.optics.network_w.sum() == pytest.approx(watts.sum())


def test_optics_on_top_of_a_maximum_take_racks_until_nothing_changes() -> None:
    """Switches of 1 kW without optics in racks of 3 kW: three a rack; 32 modules on top leave room for fewer."""
    racks = {"type": "rack-48u", "power_limit": "12 kW"}
    bare = scored(racks=racks)
    switch = SWITCH | {"power_basis": "without optics", "power_max": "1 kW"}
    topped = scored(racks=racks, switch=switch)
    house = topped.facility
    assert (bare.facility.settled.rounds, house.settled.rounds) == (1, 2)
    extra = house.settled.extra_w.max()
    assert extra == pytest.approx(house.optics.device_w[topped.fabric.devices.tier > 0].max())
    switches = topped.fabric.devices.tier > 0
    assert topped.power.it_max_w == pytest.approx(bare.power.it_max_w + extra * switches.sum())


def test_a_limit_on_swings() -> None:
    hall = {"swing_limit": "40 kW"}
    (finding,) = (f for f in scored(hall=hall, workload=step()).findings if f.id == "swing-over-limit")
    assert finding.message == "synchronous work swings by 48 kW, more than the 40 kW allowed"
    assert not [f for f in scored(hall={"swing_limit": "48 kW"}).findings if f.id == "swing-over-limit"]


@settings(max_examples=15, deadline=None)
@given(
    compute=st.floats(0.001, 10), overlap=st.floats(0, 1), used=st.floats(0, 1), waiting=st.floats(0, 1),
)  # fmt: skip
def test_mean_power_lies_between_waiting_and_computing(
    compute: float, overlap: float, used: float, waiting: float
) -> None:
    stated = step(compute=f"{compute} s", overlap=overlap, utilisation=used, waiting=waiting)
    work = scored(workload=stated).work
    idle, low, high, mean = work.totals_w
    assert min(low, high) - 1e-6 <= mean <= max(low, high) + 1e-6
    assert idle <= low + 1e-6
    assert work.step is not None
    assert work.step.energy_j == pytest.approx(mean * work.step.time_s, rel=1e-9)
    assert np.nansum(work.rack_mean_w) == pytest.approx(mean, rel=1e-9)


@pytest.mark.parametrize(
    ("workload", "words"),
    [
        ({"step": {"compute": "1 s"}}, "a step is stated, but not the collectives that it runs"),
        ({}, "the workload states nothing"),
        (step(compute="0 s"), "greater than 0|more than 0"),
        (step(waiting=1.5), "between 0 and 1"),
        (step(compute="1 kW"), "is a power, not a time"),
    ],
)
def test_what_is_wrong_is_named(workload: dict[str, Any], words: str) -> None:
    with pytest.raises(ft.InputError, match=words):
        layout_from_tree(tree(workload=workload))


def test_caps_hold_what_computes_and_not_what_waits() -> None:
    """Two racks of four hosts of 10 kW held to 30: they swing from 16 to 30, not to 40 kW."""
    racks = {"type": "rack-48u", "hosts_per_rack": 4, "power_limit": "41 kW", "power_cap": "30 kW"}
    work = scored(workload=step(), racks=racks).work
    assert work.rack_swing_w.tolist() == [14e3, 14e3, 0]
    assert work.swing_w == pytest.approx(28e3)
    assert work.parts["hosts"].tolist()[:3] == [16e3, 32e3, 60e3]
