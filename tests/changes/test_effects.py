"""What is lost: numbers that follow from the shape of a fabric, and two ways to count that agree."""

from __future__ import annotations

import fabrics
import numpy as np
import pytest

from fabrictool.changes.effects import Impact, impact_of
from fabrictool.collectives.networks import transports
from fabrictool.collectives.workloads import Job
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import faults_by_name
from fabrictool.layout.network import Routing as Stated
from fabrictool.layout.workload import RankOrder
from fabrictool.routing.wiring import wiring

FT64 = fabrics.pgft((8, 8), (1, 8), (1, 1))
RAILS = fabrics.rails(8, 4, 4, 4)
NIC = 50e9


def lost(fabric: Fabric, **faults: object) -> Impact:
    return impact_of(wiring(fabric, 0), faults_by_name(fabric, **faults))  # type: ignore[arg-type]


def test_nothing_is_lost_without_changes() -> None:
    found = lost(FT64)
    assert found.before == found.after
    assert (found.hosts_lost, found.hosts_impaired, found.pairs_lost, found.hot) == ((), (), 0, ())
    assert (found.all_reduce_lost, found.all_to_all_lost) == (0.0, 0.0)


def test_a_spine_of_a_full_tree_sends_its_destinations_to_the_next() -> None:
    """FT64: each uplink carries 8 x 7 flows, 56; that next to the dead spine's twice that, 112, against 63 of a NIC."""
    found = lost(FT64, devices=["spine-03"])
    assert found.pairs_lost == 0
    assert found.after.all_to_all_bytes_per_s == pytest.approx(NIC * 63 / 112)
    assert found.all_to_all_lost == pytest.approx(1 - 63 / 112)
    assert found.all_reduce_lost == 0  # the ring crosses leaves at one host only, so no uplink carries two flows
    assert {row.sender for row in found.hot} >= {"leaf-01:12", "spine-04:1"}
    assert {(round(row.before * 63), round(row.after * 63)) for row in found.hot} == {(56, 112)}
    assert (found.bisection_before, found.bisection_after) == (32, 28)  # routing-congestion reference: 28 of 32


def test_spread_over_all_paths_a_spine_costs_its_own_share() -> None:
    """FT64: 8 x 56 flows over the seven uplinks that are left are 64 each, against 63 of a NIC."""
    faults = faults_by_name(FT64, devices=["spine-03"])
    found = impact_of(wiring(FT64, 0), faults, Stated.model_validate({"name": "spray"}))
    assert found.all_to_all_lost == pytest.approx(1 - 63 / 64)


def test_a_leaf_stops_its_hosts_and_leaves_the_others_their_speed() -> None:
    found = lost(FT64, devices=["leaf-02"])
    assert found.hosts_lost == tuple(f"host-{number:02d}" for number in range(9, 17))
    assert found.pairs_lost == 64 * 63 - 56 * 55
    assert found.after.all_to_all_bytes_per_s == pytest.approx(NIC)
    assert found.after.all_reduce_bytes_per_s == pytest.approx(NIC)
    assert found.all_to_all_lost == pytest.approx(8 / 64)
    assert found.all_reduce_lost == pytest.approx(8 / 64)


def test_a_rail_leaf_impairs_the_hosts_of_its_unit() -> None:
    """Four hosts of four GPUs lose one GPU's network each; all-reduce goes on over the four others."""
    found = lost(RAILS, devices=["leaf-03"])
    assert found.hosts_lost == ()
    assert found.hosts_impaired == tuple(f"host-{number:02d}" for number in range(1, 5))
    assert found.pairs_lost == 32 * 31 - 28 * 27
    assert found.after.ranks == 16


def test_a_slow_link_slows_what_crosses_it() -> None:
    found = lost(FT64, slow={"host-05:1": 0.25})
    assert found.after.all_to_all_bytes_per_s == pytest.approx(NIC / 4)
    assert found.after.all_reduce_bytes_per_s == pytest.approx(NIC / 4)


def test_a_leaf_cut_off_from_the_spines_ends_the_ring() -> None:
    """FT64 with all uplinks of a leaf dead: 8 hosts reach each other only, and no ring closes."""
    found = lost(FT64, links=[f"leaf-02:{port}" for port in range(9, 17)])
    assert found.hosts_lost == ()
    assert found.pairs_lost == 2 * 8 * 56
    assert found.after.all_reduce_bytes_per_s == 0
    assert found.all_reduce_lost == 1


def test_hosts_with_two_ports_keep_half() -> None:
    """Two planes: a host whose port in one is down sends and takes all through the other."""
    switch = {"name": "sw", "ports": 64, "speed": "200G"}
    kind = {"name": "h", "gpus": 1, "nics": [{"role": "compute", "count": 1, "ports_each": 2, "speed": "200G"}]}
    fabric = fabrics.fabric_of(
        {"name": "host", "type": kind, "count": 16}, family="multi-plane", planes=2, plane_by="port", speed="200G",
        leaf={"type": switch}, hosts_per_leaf=4, levels=2,
    )  # fmt: skip
    found = lost(fabric, links=["host-03:1"])
    assert (found.pairs_lost, found.hosts_lost) == (0, ())
    assert found.before.all_to_all_bytes_per_s == pytest.approx(50e9)
    assert found.after.all_to_all_bytes_per_s == pytest.approx(25e9)
    assert found.after.all_reduce_bytes_per_s == pytest.approx(25e9)


@pytest.mark.parametrize(
    "fabric", [FT64, RAILS, fabrics.pgft((4, 4, 3), (1, 2, 2), (1, 2, 1)), fabrics.rails(8, 4, 4, 2, up=2)]
)
def test_all_reduce_is_that_of_the_rounds_model_for_large_messages(fabric: Fabric) -> None:
    transport = transports(fabric)[0][0]
    nbytes = 1e15
    job = Job(0, "all-reduce", None, (nbytes,), RankOrder())
    (result,) = transport.run(job)
    found = lost(fabric).before.all_reduce_bytes_per_s
    assert found == pytest.approx(result.busbw_bytes_per_s, rel=1e-6)


def test_results_go_into_json() -> None:
    document = lost(FT64, devices=["leaf-02"]).to_dict()
    assert document["hosts_lost"][0] == "host-09"
    assert document["after"]["endpoints"] == 56
    assert np.isfinite(document["all_to_all_lost"])
