"""What runs should measure, against closed forms and published measurements."""

from __future__ import annotations

import numpy as np
import pytest
from accepted import plan, subject

from fabrictool.acceptance.ladder import ALL_REDUCE, ALL_TO_ALL, Run
from fabrictool.acceptance.traffic import strains

GIB8 = 2.0**33


def test_one_host_measures_what_nvlink_sharp_does() -> None:
    """About 480 GB/s on eight H100 with large messages: NVIDIA/nccl-tests issue 212; 478.87 in a published table."""
    found = plan("dgx-superpod-h100-1su")
    last = found.of(found.ladder.by_name["host.dgx-01"])[-1]
    assert last.nbytes == GIB8
    assert last.busbw_bytes_per_s == pytest.approx(480e9, rel=0.02)
    assert last.low_bytes_per_s < 478.87e9
    assert last.high_bytes_per_s > 478.87e9


def test_machines_that_nothing_was_measured_on_say_what_is_assumed() -> None:
    """Shares of links: 0.95 of a 50 GB/s adapter, ±10 %."""
    found = plan("ft64")
    last = found.of(found.ladder.step("pair").runs[0])[-1]
    assert last.busbw_bytes_per_s == pytest.approx(0.95 * 50e9, rel=1e-3)
    assert last.busbw_bytes_per_s / last.low_bytes_per_s == pytest.approx(1.1)
    assert found.expected.assumptions[0].source.startswith("assumed: nothing was measured on accelerators like")
    assert "calibrated" in plan("dgx-superpod-h100-1su").expected.assumptions[0].value


def test_pairs_measure_their_adapters() -> None:
    """Eight rails of 50 GB/s carry a ring's 400 GB/s; published runs on 4 to 8 such hosts show 365 to 391."""
    found = plan("dgx-superpod-h100-1su")
    last = found.of(found.ladder.step("pair").runs[0])[-1]
    assert last.high_bytes_per_s == pytest.approx(400e9)
    assert last.low_bytes_per_s < 365e9
    assert last.high_bytes_per_s > 391e9


def test_all_to_all_of_two_hosts_is_faster_than_an_adapter() -> None:
    """B_nic (N - 1) / (N - G) = 50 * 15 / 8 GB/s at most, data to the host's own GPUs taking no adapter."""
    found = plan("dgx-superpod-h100-1su")
    assert found.of(found.ladder.step("across").runs[0])[-1].high_bytes_per_s == pytest.approx(93.75e9)


def test_gates_lie_where_one_healthy_cluster_in_a_hundred_does() -> None:
    found = plan("ft64")
    for each in found.of(found.ladder.step("pair").runs[0]):
        ends = np.log([each.busbw_bytes_per_s / each.low_bytes_per_s, each.busbw_bytes_per_s / each.gate_bytes_per_s])
        assert ends[1] / ends[0] == pytest.approx(2.5758 / 1.2816, rel=1e-4)


def test_pairs_of_a_round_share_oversubscribed_uplinks() -> None:
    """At 2:1 all hosts of a leaf at once get half of what one pair gets."""
    found = plan("roce-2048-2to1")
    near = found.of(found.ladder.step("pair").runs[0])[-1]
    far = found.of(found.ladder.step("uplink").runs[0])[-1]
    assert far.busbw_bytes_per_s / near.busbw_bytes_per_s == pytest.approx(0.5)


def test_rates_agree_with_the_evaluated_bounds() -> None:
    """Two ways to the same limit: the cut bound of the collective, and the rate of all its flows together."""
    found = plan("ft64")
    for step in found.ladder.steps:
        for each in found.of(step.runs[0])[-1:]:
            assert each.busbw_bytes_per_s == pytest.approx(0.95 * 50e9, rel=0.01)


def test_a_slow_link_strains_the_runs_that_use_it_alone() -> None:
    """Of 64 hosts on 8 leaves: a host's link is full in its own pair, its leaf's run and the whole hall's."""
    healthy = subject("ft64")
    pair = Run("a", "pair", 1, ALL_REDUCE, (0, 4), (0,))
    other = Run("b", "pair", 1, ALL_REDUCE, (1, 5), (0,))
    found = strains(healthy, [pair, other])
    parts = [set(found.part[low:high].tolist()) for low, high in zip(found.first[:-1], found.first[1:], strict=True)]
    names = [{healthy.fabric.link_name(link) for link in part} for part in parts]
    assert names == [
        {"h1-01:1 - leaf-01:1", "h1-05:1 - leaf-01:5"},
        {"h1-02:1 - leaf-01:2", "h1-06:1 - leaf-01:6"},
    ]
    assert found.strain.tolist() == [1.0] * 4
    assert found.rate.tolist() == found.alone.tolist() == [400e9] * 2


@pytest.mark.parametrize("factor", [0.5, 0.25])
def test_strain_tells_how_much_a_slow_link_costs(factor: float) -> None:
    """Rate = 1 / (strain / factor) where that is below 1: against the fabric with that link slow."""
    run = Run("a", "hall", 1, ALL_TO_ALL, tuple(range(64)), (0,))
    before = strains(subject("ft64"), [run])
    link = next(
        row
        for row, name in enumerate(map(subject("ft64").fabric.link_name, range(128)))
        if name.startswith("leaf-02:10")
    )
    strain = before.strain[before.part == link][0]
    after = strains(subject("ft64", slow=f"leaf-02:10={factor}"), [run])
    assert after.rate[0] / before.rate[0] == pytest.approx(min(1.0, factor / strain))
    assert strain == pytest.approx(56 / 63)  # all-to-all: 7 of 63 peers are under the same leaf
