"""Losses one at a time: loads that are moved equal those of a network built anew, and numbers follow from shape."""

from __future__ import annotations

import fabrics
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.changes.capacity import state_of
from fabrictool.changes.domains import domains_of, links, switches
from fabrictool.changes.moving import MovingLoads, can_move
from fabrictool.changes.ranking import Rebuilding, losses_of, ranked, worst_of_each_kind
from fabrictool.errors import FabrictoolError
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import Faults, no_faults, random_faults
from fabrictool.layout.network import Routing as Stated
from fabrictool.records import Domain
from fabrictool.routing.choose import routing_of
from fabrictool.routing.modk import ModK
from fabrictool.routing.wiring import wiring

FABRICS = {
    "two levels": fabrics.pgft((4, 4), (1, 4), (1, 1)),
    "parallel cables": fabrics.pgft((4, 4, 2), (1, 2, 2), (1, 2, 2)),
    "odd": fabrics.pgft((3, 3, 4), (1, 3, 2), (1, 1, 1)),
    "three levels": fabrics.pgft((2, 2, 4), (1, 2, 2), (1, 1, 1)),
    "oversubscribed": fabrics.pgft((4, 4, 3), (1, 2, 2), (1, 2, 1)),
    "one uplink": fabrics.pgft((4, 4), (1, 1), (1, 1)),
    "short": fabrics.pgft((4, 4), (1, 4), (1, 1), ports=13),
    "rails": fabrics.rails(8, 4, 4, 4),
    "rails apart": fabrics.fabric_of(
        {"name": "host", "type": fabrics.host_type(2, scale_up="3.6T"), "count": 8}, family="rail-only", rails=2,
        scalable_unit={"hosts": 4}, leaf={"type": fabrics.SWITCH}, spine={"type": fabrics.SWITCH, "count": 4},
    ),
    "rails with few spines": fabrics.rails(6, 2, 3, 1, up=2),
}  # fmt: skip


def both(fabric: Fabric, faults: Faults, name: str) -> tuple[MovingLoads, Rebuilding]:
    stated = Stated(name=name)  # type: ignore[arg-type]
    routing = routing_of(wiring(fabric, 0, faults), stated)
    assert isinstance(routing, ModK)
    assert can_move(routing)
    state = state_of(routing)
    return MovingLoads(routing, state), Rebuilding(state, stated)


def _assert_agrees(moving: MovingLoads, rebuilding: Rebuilding, domain: Domain) -> None:
    moved, built = moving.after(domain), rebuilding.after(domain)
    assert np.array_equal(moved.load, built.load)
    assert np.array_equal(moved.alive, built.alive)
    assert moved.capacity == built.capacity


@pytest.mark.parametrize("name", FABRICS)
@pytest.mark.parametrize("routing", ["d-mod-k", "s-mod-k"])
def test_moved_loads_are_those_of_a_network_built_anew(name: str, routing: str) -> None:
    fabric = FABRICS[name]
    moving, rebuilding = both(fabric, no_faults(fabric), routing)
    for domain in (*links(fabric, 0), *switches(fabric, 0)):
        _assert_agrees(moving, rebuilding, domain)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(FABRICS)),
    st.integers(0, 6),
    st.integers(0, 2),
    st.integers(0, 99),
    st.sampled_from(["d-mod-k", "s-mod-k"]),
)
def test_several_losses_at_once_on_a_network_with_faults(
    name: str, down: int, devices: int, seed: int, routing: str
) -> None:
    fabric = FABRICS[name]
    moving, rebuilding = both(fabric, random_faults(fabric, min(down, 2), 0, seed), routing)
    rng = np.random.default_rng(seed)
    for _ in range(3):
        lost = rng.choice(len(fabric.links), down, replace=False)
        gone = rng.choice(len(fabric.devices), devices, replace=False)
        _assert_agrees(moving, rebuilding, Domain("some", "", tuple(gone.tolist()), tuple(lost.tolist())))


def test_a_loss_leaves_the_base_as_it_was() -> None:
    fabric = FABRICS["three levels"]
    moving, _ = both(fabric, no_faults(fabric), "d-mod-k")
    first = [moving.after(domain).capacity for domain in links(fabric, 0)]
    assert [moving.after(domain).capacity for domain in links(fabric, 0)] == first
    assert moving.after(Domain("none", "", ())).capacity == moving.before.capacity


def test_every_spine_and_every_leaf_of_a_full_tree_count_alike() -> None:
    """FT16: an uplink carries 4 x 3 flows, next to a dead one 24, a NIC 15; a leaf takes 4 of 16 hosts along."""
    fabric = FABRICS["two levels"]
    losses = losses_of(wiring(fabric, 0))
    ranking = ranked(losses, switches(fabric, 0))
    assert [(loss.kind, loss.hosts_lost) for loss in ranking] == [("spine", 0)] * 4 + [("leaf", 4)] * 4
    assert [loss.all_to_all_lost for loss in ranking] == pytest.approx([1 - 15 / 24] * 4 + [4 / 16] * 4)
    (spine, spines), (leaf, leaves) = worst_of_each_kind(ranking)
    assert (spine.domain.name, spines, leaf.domain.name, leaves) == ("spine-01", 4, "leaf-01", 4)


def test_links_are_told_apart_by_what_they_join() -> None:
    fabric = FABRICS["two levels"]
    ranking = ranked(losses_of(wiring(fabric, 0)), links(fabric, 0))
    assert {kind.kind: count for kind, count in worst_of_each_kind(ranking)} == {
        "leaf-spine link": 16,
        "host-leaf link": 16,
    }
    assert {loss.pairs_lost for loss in ranking if loss.kind == "host-leaf link"} == {2 * 15}


def test_networks_of_two_planes_are_built_anew() -> None:
    switch = {"name": "sw", "ports": 64, "speed": "200G"}
    kind = {"name": "h", "gpus": 1, "nics": [{"role": "compute", "count": 1, "ports_each": 2, "speed": "200G"}]}
    fabric = fabrics.fabric_of(
        {"name": "host", "type": kind, "count": 8}, family="multi-plane", planes=2, plane_by="port", speed="200G",
        leaf={"type": switch}, hosts_per_leaf=4, levels=2,
    )  # fmt: skip
    losses = losses_of(wiring(fabric, 0))
    assert isinstance(losses, Rebuilding)
    told: list[tuple[int, int]] = []
    ranking = ranked(losses, domains_of("plane", fabric, 0), lambda done, of: told.append((done, of)))
    assert told == [(1, 2), (2, 2)]
    assert {loss.hosts_lost for loss in ranking} == {0}
    assert [loss.all_to_all_lost for loss in ranking] == pytest.approx([0.5, 0.5])


def test_domains_come_from_the_columns_of_a_fabric() -> None:
    rails = FABRICS["rails"]
    count = {kind: len(domains_of(kind, rails, 0)) for kind in ("link", "switch", "rail", "host", "pod", "scale-up")}
    assert count == {"link": 64, "switch": 12, "rail": 4, "host": 8, "pod": 2, "scale-up": 8}
    pod = domains_of("pod", rails, 0)[0]
    assert [rails.names[row] for row in pod.devices] == [f"host-{i:02d}" for i in (1, 2, 3, 4)] + [
        f"leaf-{i:02d}" for i in (1, 2, 3, 4)
    ]


def test_domains_of_others_are_taken_as_they_are() -> None:
    rails = FABRICS["rails"]
    racks = [Domain("rack", "r01", (0, 1)), Domain("rack", "r02", (2, 3))]
    assert domains_of("rack", rails, 0, others=racks) == racks
    ranking = ranked(losses_of(wiring(rails, 0)), racks)
    assert {loss.hosts_lost for loss in ranking} == {2}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("rck", "did you mean 'rack'"),
        ("plane", "no plane in network compute; there are link, switch, rail, host, scale-up, pod$"),
        ("rack", "where a layout states 'racks'"),
        ("tray", "a tray is known only where a layout states 'racks'"),
    ],
)
def test_a_kind_that_is_not_there_is_refused(kind: str, said: str) -> None:
    with pytest.raises(FabrictoolError, match=said):
        domains_of(kind, FABRICS["rails"], 0)
