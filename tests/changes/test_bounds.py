"""Bounds of losses: never more than what routing anew finds, and the same hosts, ranks and connection."""

from __future__ import annotations

import fabrics
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.changes.bounds import Bounding
from fabrictool.changes.capacity import of_hosts, state_of
from fabrictool.changes.domains import links, switches
from fabrictool.changes.ranking import Rebuilding, loss_of
from fabrictool.changes.reach import gone_with, gpus_by_device, pairs_apart
from fabrictool.fabric import Fabric
from fabrictool.records import Domain
from fabrictool.routing.choose import routing_of
from fabrictool.routing.wiring import wiring

FABRICS = {
    "two levels": fabrics.pgft((4, 4), (1, 4), (1, 1)),
    "parallel cables": fabrics.pgft((4, 4, 2), (1, 2, 2), (1, 2, 2)),
    "oversubscribed": fabrics.pgft((4, 4, 3), (1, 2, 2), (1, 2, 1)),
    "one uplink": fabrics.pgft((4, 4), (1, 1), (1, 1)),
    "rails": fabrics.rails(8, 4, 4, 4),
    "rails with few spines": fabrics.rails(6, 2, 3, 1, up=2),
}


def both(fabric: Fabric) -> tuple[Bounding, Rebuilding]:
    state = state_of(routing_of(of_hosts(wiring(fabric, 0))))
    return Bounding(state), Rebuilding(state, None)


def _assert_bounds(bounding: Bounding, rebuilding: Rebuilding, domain: Domain) -> None:
    before, after, left = rebuilding.before, rebuilding.after(domain), bounding.left(domain)
    exact = loss_of(before, after, domain)
    now = after.capacity
    routed = pairs_apart(before, after.alive, after.pairs) == 0
    alone = left.capacity.endpoints - now.endpoints  # ports that are up, but lead to nobody
    assert left.connected or not routed or alone  # routes go up once and down once, links may also join otherwise
    assert alone >= 0
    if not routed or now.endpoints < 2 or alone:
        return
    assert (left.capacity.endpoints, left.capacity.hosts, left.capacity.ranks) == (now.endpoints, now.hosts, now.ranks)
    assert left.capacity.pairs == now.pairs
    assert (left.hosts_lost, left.hosts_impaired) == (exact.hosts_lost, exact.hosts_impaired)
    assert left.capacity.all_to_all_bytes_per_s is not None
    assert now.all_to_all_bytes_per_s is not None
    assert left.capacity.all_to_all_bytes_per_s >= now.all_to_all_bytes_per_s * (1 - 1e-9)


@pytest.mark.parametrize("name", FABRICS)
def test_single_losses_are_bounded(name: str) -> None:
    fabric = FABRICS[name]
    bounding, rebuilding = both(fabric)
    for domain in (*links(fabric, 0), *switches(fabric, 0)):
        _assert_bounds(bounding, rebuilding, domain)


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(sorted(FABRICS)), seed=st.integers(0, 10_000), count=st.integers(1, 6))
def test_losses_of_many_devices_are_bounded(name: str, seed: int, count: int) -> None:
    fabric = FABRICS[name]
    rows = np.random.default_rng(seed).choice(len(fabric.devices), count, replace=False)
    _assert_bounds(*both(fabric), Domain("rack", "some", tuple(sorted(rows.tolist()))))


def test_half_of_the_uplinks_leave_half_of_the_rate() -> None:
    """Four leaves of four hosts, four spines: without two spines at most half of 12/15 of 4 x 50 GB/s leaves each."""
    fabric = FABRICS["two levels"]
    spines = [row for row in range(len(fabric.devices)) if fabric.devices.tier[row] == 2][:2]
    left = both(fabric)[0].left(Domain("rack", "two spines", tuple(spines)))
    assert left.capacity.all_to_all_bytes_per_s == pytest.approx(2 * 50e9 / (4 * 12 / 15))
    assert (left.hosts_lost, left.hosts_impaired, left.connected) == (0, 0, True)


def test_what_goes_with_a_domain() -> None:
    fabric = FABRICS["rails"]
    devices = fabric.devices
    leaf = int(np.flatnonzero((devices.tier == 1) & (devices.rail == 2))[0])
    host = int(np.flatnonzero(devices.tier == 0)[0])
    gone = gone_with(fabric, Domain("rack", "r", (host, leaf)), gpus_by_device(fabric))
    assert (gone.gpus, gone.switches, gone.rails, gone.planes) == (4, {"leaf": 1}, (3,), ())
