"""Upgrade waves: numbers that follow from shape, and the best of all partitions on small fabrics as judge."""

from __future__ import annotations

import fabrics
import numpy as np
import pytest

from fabrictool.changes.waves import Shares, fewest_waves, fits, plan_waves, units
from fabrictool.errors import InputError, NotSupportedError
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import faults_of_rows
from fabrictool.routing.wiring import wiring

SWITCH = {"name": "sw", "ports": 64, "speed": "200G"}
TWO_PORTS = {"name": "h", "gpus": 1, "nics": [{"role": "compute", "count": 1, "ports_each": 2, "speed": "200G"}]}


def planes(hosts: int, per_leaf: int) -> Fabric:
    return fabrics.fabric_of(
        {"name": "host", "type": TWO_PORTS, "count": hosts}, family="multi-plane", planes=2, plane_by="port",
        speed="200G", leaf={"type": SWITCH}, hosts_per_leaf=per_leaf, levels=2,
    )  # fmt: skip


SMALL = {
    "full tree": fabrics.pgft((4, 4), (1, 4), (1, 1)),
    "one uplink": fabrics.pgft((4, 4), (1, 1), (1, 1)),
    "three levels": fabrics.pgft((2, 2, 2), (1, 2, 2), (1, 1, 1)),
    "rails": fabrics.rails(8, 2, 4, 4),
    "planes": planes(8, 4),
}


def fewest_of_all(shares: Shares, keep: float) -> int:
    """Try every partition: the fewest waves of each set of units from those of what one wave leaves."""
    listed = units(shares)
    alone = {unit: shares.stays([unit]) for unit in listed}
    sets = range(1 << len(listed))
    wave = [bool(at) and fits([u for i, u in enumerate(listed) if at >> i & 1], shares, alone, keep) for at in sets]
    best = [0] + [len(listed)] * (len(wave) - 1)
    for at in sets[1:]:
        part = at
        while part:
            if wave[part]:
                best[at] = min(best[at], best[at ^ part] + 1)
            part = (part - 1) & at
    return best[-1]


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("keep", [0.3, 0.5, 0.7, 0.75])
def test_waves_are_as_few_as_can_be_where_every_unit_alone_leaves_enough(name: str, keep: float) -> None:
    """Elsewhere first fit may take half as many again."""
    shares = Shares(wiring(SMALL[name], 0))
    plan = plan_waves(shares, keep)
    best = fewest_of_all(shares, keep)
    assert plan.fewest <= best
    assert best <= len(plan.waves) <= (1.5 * best if plan.below else best)
    out = [row for wave in plan.waves for unit in wave for row in unit.devices]
    assert sorted(out) == wiring(SMALL[name], 0).switch.tolist()


def test_a_full_tree_takes_a_quarter_of_its_leaves_and_of_its_spines_at_a_time() -> None:
    """FT256: 16 leaves of 16 hosts and 16 spines; 4 at a time leave 75 %."""
    plan = plan_waves(Shares(wiring(fabrics.pgft((16, 16), (1, 16), (1, 1)), 0)), 0.75)
    assert [len(wave) for wave in plan.waves] == [4] * 8
    assert plan.fewest == 8
    assert plan.stays == pytest.approx([0.75] * 8)
    assert plan.below == ()


def test_rail_leaves_of_a_unit_go_together_so_that_its_hosts_stop_once() -> None:
    shares = Shares(wiring(fabrics.rails(16, 4, 4, 4), 0))
    first = plan_waves(shares, 0.75).waves[:4]
    assert [[len(unit.devices), len(unit.hosts)] for wave in first for unit in wave] == [[4, 4]] * 4


def test_spines_of_a_pod_go_with_its_leaves() -> None:
    """k = 4 tree, four pods: while the hosts of two stop, their spines cost nobody anything."""
    shares = Shares(wiring(fabrics.pgft((2, 2, 4), (1, 2, 2), (1, 1, 1)), 0))
    plan = plan_waves(shares, 0.5)
    tier = shares.wiring.fabric.devices.tier
    assert sorted(int(tier[row]) for unit in plan.waves[0] for row in unit.devices) == [1, 1, 1, 1, 2, 2, 2, 2]
    assert len(plan.waves) == 2 + 2  # twice two pods, then two of the four cores at a time


def test_hosts_on_two_planes_never_lose_both() -> None:
    """A leaf alone leaves its hosts one half: below 75 %, so that is said and the wave keeps the half."""
    shares = Shares(wiring(SMALL["planes"], 0))
    plan = plan_waves(shares, 0.75)
    assert all(not unit.hosts for wave in plan.waves for unit in wave)
    assert min(plan.stays) == pytest.approx(0.5)
    assert {left for _, left in plan.below} == {0.5}


def test_what_a_switch_keeps_is_the_mean_of_its_parents() -> None:
    """k = 4 tree without a core: one of two uplinks of two spines of each pod is gone, so leaves keep 3/4."""
    fabric = SMALL["three levels"]
    shares = Shares(wiring(fabric, 0))
    core = next(row for row in range(len(fabric.devices)) if fabric.devices.tier[row] == 3)
    keeps = shares.of([core])
    assert sorted(set(keeps[fabric.devices.tier == 2].tolist())) == [0.5, 1.0]
    assert set(keeps[fabric.devices.tier == 1].tolist()) == {0.75}


@pytest.mark.parametrize("keep", [0.0, 1.0, -1.0, 1.5])
def test_a_share_out_of_range_is_refused(keep: float) -> None:
    with pytest.raises(InputError, match="not above 0 and below 1"):
        plan_waves(Shares(wiring(SMALL["planes"], 0)), keep)


@pytest.mark.parametrize("down", ["every host", "every switch"])
def test_waves_of_a_network_without_live_hosts_are_refused(down: str) -> None:
    fabric = SMALL["full tree"]
    rows = np.flatnonzero((fabric.devices.tier == 0) == (down == "every host"))
    with pytest.raises(InputError, match="no host of compute has a live link"):
        Shares(wiring(fabric, 0, faults_of_rows(fabric, devices=rows.tolist())))


def test_direct_networks_are_refused() -> None:
    router = {"name": "r", "ports": 16, "speed": "400G"}
    fabric = fabrics.fabric_of(
        {"name": "host", "type": fabrics.host_type(), "count": 72}, family="dragonfly", leaf={"type": router},
        dragonfly={"p": 2, "a": 4, "h": 2, "groups": 9},
    )  # fmt: skip
    with pytest.raises(NotSupportedError, match="waves are planned for trees"):
        Shares(wiring(fabric, 0))


def test_the_bound_counts_a_unit_that_leaves_nothing_as_one_wave() -> None:
    shares = Shares(wiring(SMALL["one uplink"], 0))
    listed = units(shares)
    alone = {unit: shares.stays([unit]) for unit in listed}
    assert min(alone.values()) == 0  # the only spine
    assert fewest_waves(listed, shares, alone, 0.75) >= 1
