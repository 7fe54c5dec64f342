from __future__ import annotations

import pytest
from racked import DGX_H100, RACK, fabric, layout

from fabrictool.errors import InputError
from fabrictool.placement import place
from fabrictool.power import rack_limits


def hall(*feeds, **keys):
    rows = [{"name": f"F{row}", "phases": 3} | feed for row, feed in enumerate(feeds)]
    racks = keys.pop("racks", {"type": RACK})
    return layout({"type": DGX_H100, "count": 32}, racks, hall={"feeds": rows} | keys)


def test_two_circuits_of_the_published_b200_rack_profile_carry_32_kw():
    limits = rack_limits(hall({"voltage": "380 V", "amps": 32}, {"voltage": "380 V", "amps": 32}))
    assert limits.limit_w == (pytest.approx(32013.84, rel=1e-6),)
    assert [assumption.value for assumption in limits.assumptions[1:]] == ["0.8 of its rating", "0.95"]


def test_iec_circuits_at_2n_carry_what_one_carries_and_nothing_but_the_feeds_is_assumed():
    feed = {"voltage": "415 V", "amps": 63, "continuous": 1.0, "redundancy": "2N"}
    limits = rack_limits(hall(feed, feed, power_factor=1.0))
    assert limits.limit_w == (pytest.approx(45284.47, rel=1e-6),)
    assert len(limits.assumptions) == 1
    assert "line to line" in limits.assumptions[0].source


def test_a_given_limit_wins_over_feeds():
    limits = rack_limits(hall({"voltage": "415 V", "amps": 63}, racks={"type": RACK, "power_limit": "40 kW"}))
    assert limits.limit_w == (40e3,)
    assert limits.assumptions == ()


def test_without_limit_and_feeds_there_is_no_limit():
    limits = rack_limits(layout({"type": DGX_H100, "count": 1}, {"type": RACK}))
    assert limits.limit_w == (None,)


@pytest.mark.parametrize("voltage, meant", [(230, 398), (240, 416), (120, 208), (277, 480)])
def test_a_voltage_to_neutral_on_three_phases_is_refused(voltage, meant):
    with pytest.raises(InputError) as error:
        rack_limits(hall({"voltage": f"{voltage} V", "amps": 32}))
    assert f"{voltage} V" in str(error.value)
    assert "line to line" in str(error.value)
    assert f"{meant} V" in str(error.value)
    assert error.value.problems[0].path == ("hall", "feeds", 0, "voltage")


def test_the_same_voltage_on_one_phase_is_fine():
    limits = rack_limits(hall({"voltage": "230 V", "amps": 32, "phases": 1, "continuous": 1.0}, power_factor=1.0))
    assert limits.limit_w == (pytest.approx(7360),)


def test_feeds_of_different_redundancy_are_refused():
    with pytest.raises(InputError, match="2N, N"):
        rack_limits(hall({"voltage": "415 V", "amps": 32}, {"voltage": "415 V", "amps": 32, "redundancy": "2N"}))


def test_feeds_decide_how_many_hosts_a_rack_takes():
    plan = hall(
        {"voltage": "415 V", "amps": 32, "redundancy": "2N"}, {"voltage": "415 V", "amps": 32, "redundancy": "2N"}
    )
    placement = place(plan, fabric(plan), rack_limits(plan).limit_w)
    assert placement is not None
    assert len(placement.racks) == 32  # 17.48 kW: one of 10.2 kW
