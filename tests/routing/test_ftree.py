"""The fat-tree engine against a recursive twin written from OpenSM's source, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass, field

import fabrics
import numpy as np
import opensm
import pytest
from foreign import own
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.errors import NotSupportedError
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import faults_by_name, random_faults
from fabrictool.kernels.fat_tree import fat_tree
from fabrictool.routing.dependencies import dependencies, up_down_violations
from fabrictool.routing.flows import all_pairs
from fabrictool.routing.ftree import engine, ftree
from fabrictool.routing.modk import ModK
from fabrictool.routing.up_down import ranks, roots
from fabrictool.routing.wiring import Wiring, wiring

TREES = {
    "two levels": fabrics.pgft((4, 4), (1, 4), (1, 1)),
    "parallel cables": fabrics.pgft((8, 4, 4), (1, 4, 4), (1, 2, 2)),
    "three levels": fabrics.pgft((2, 2, 4), (1, 2, 2), (1, 1, 1)),
    "short leaf": fabrics.pgft((4, 4, 3), (1, 2, 2), (1, 2, 1), ports=43),
    "rails": fabrics.rails(8, 4, 4, 4),
}


@dataclass(eq=False)
class Group:
    """``ftree_port_group_t``: the cables from a switch to one neighbour, as (use down, use up, port, far port)."""

    to: Switch
    cables: list[list[int]] = field(default_factory=list)
    down: int = 0
    up: int = 0


@dataclass(eq=False)
class Switch:
    """``ftree_sw_t``; ``hosts`` are terminals by port."""

    row: int
    rank: int
    hosts: list[int] = field(default_factory=list)
    ups: list[Group] = field(default_factory=list)
    downs: list[Group] = field(default_factory=list)
    index: tuple[int, ...] = (99,)
    out: dict[int, int] = field(default_factory=dict)
    hops: dict[int, int] = field(default_factory=dict)


def _descend(here: Switch, before: Switch | None, lid: int, hops: int) -> bool:
    """``fabric_route_upgoing_by_going_down``."""
    created = bool(here.hosts)
    for group in sorted(here.downs, key=lambda group: (group.up, group.to.index)):
        if group.to is before or hops + 1 >= group.to.hops.get(lid, 999):
            continue
        cable = min(group.cables, key=lambda cable: cable[1])
        group.to.out[lid], group.to.hops[lid] = cable[3], hops + 1
        if _descend(group.to, None, lid, hops + 1):
            cable[1] += 1
            group.up += 1
            created = True
    return created


def _climb(here: Switch, before: Switch | None, lid: int, main: bool, hops: int) -> None:
    """``fabric_route_downgoing_by_going_up``, without sideways links and reverse hops."""
    _descend(here, before, lid, hops)
    if here.rank == 0:
        return
    for place, group in enumerate(sorted(here.ups, key=lambda group: (group.down, group.to.index))):
        there, first = group.to, main and place == 0
        fresh = lid not in there.out or hops + 1 < there.hops[lid]
        if not (first or fresh):
            continue
        cable = min(group.cables, key=lambda cable: cable[0])
        if first:
            group.down += 1
            cable[0] += 1
        if fresh:
            there.out[lid], there.hops[lid] = cable[3], hops + 1
        _climb(there, here, lid, first, hops + 1)


def tables(found: Wiring) -> list[list[int]]:
    """Ports of each switch for each terminal, 0 for none."""
    rank = ranks(found, roots(found)).tolist()
    switches = [Switch(row, rank[row]) for row in range(len(found.switch))]
    far = found.fabric.ports.number[found.fabric.ports.peer[found.terminals.port]].tolist()
    for terminal in sorted(range(len(far)), key=far.__getitem__):
        if found.terminals.up[terminal] >= 0:
            switches[found.terminals.seat[terminal]].hosts.append(terminal)
    for here in switches:
        for way in range(found.ways.first[here.row], found.ways.first[here.row + 1]):
            there = switches[found.ways.to[way]]
            back = int(np.flatnonzero(found.ways.channel == found.ways.channel[way] ^ 1)[0])
            groups = here.ups if there.rank < here.rank else here.downs
            group = next((group for group in groups if group.to is there), None)
            if group is None:
                group = Group(there)
                groups.append(group)
            group.cables.append([0, 0, int(found.ways.number[way]), int(found.ways.number[back])])
    _index(switches)
    depth = max(switch.rank for switch in switches if switch.hosts)
    leaves = sorted((switch for switch in switches if switch.rank == depth), key=lambda switch: switch.index)
    real = [place for place, leaf in enumerate(leaves) if leaf.hosts]
    most = max(len(leaf.hosts) for leaf in leaves)
    dummy = len(far)
    for leaf in leaves[real[0] : real[-1] + 1]:
        for lid in [*leaf.hosts, *range(dummy, dummy + most - len(leaf.hosts))]:
            leaf.out[lid], leaf.hops[lid] = far[lid] if lid < len(far) else 0, 1
            _climb(leaf, None, lid, True, 1)
        dummy += most
    return [[switch.out.get(lid, 0) for lid in range(len(far))] for switch in switches]


def _index(switches: list[Switch]) -> None:
    """``fabric_make_indexing``: breadth first from the first leaf, lowest free digit."""
    start = next(switch for switch in switches if switch.hosts)
    start.index = (start.rank, *([0] * start.rank))
    queue, taken = [start], {start.index}
    while queue:
        here = queue.pop(0)
        for step, groups in ((1, here.downs if here.rank < start.rank else []), (-1, here.ups)):
            for group in groups:
                if group.to.index != (99,):
                    continue
                made = [here.index[0] + step, *here.index[1:]]
                made[max(here.rank, group.to.rank)] = 0
                while tuple(made) in taken:
                    made[max(here.rank, group.to.rank)] += 1
                group.to.index = tuple(made)
                taken.add(group.to.index)
                queue.append(group.to)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(TREES)), st.integers(0, 5), st.integers(0, 99))
def test_tables_are_those_of_the_twin(name: str, links: int, seed: int) -> None:
    """Also of trees that lack cables, which OpenSM takes when it is given the roots."""
    found = wiring(TREES[name], 0, random_faults(TREES[name], links, 0, seed))
    reached = ranks(found, roots(found))[found.terminals.seat]
    if len(set(reached.tolist())) > 1:
        return  # a leaf that is cut off
    routing = engine(found)
    assert opensm.ports_of(routing) == tables(found)
    assert dependencies(routing).loops == []
    assert len(up_down_violations(routing)) == 0


@pytest.mark.parametrize("name", ["two levels", "parallel cables", "three levels"])
def test_full_trees_are_routed_as_by_d_mod_k(name: str) -> None:
    """Where traffic of hosts goes; entries that none of it meets may differ."""
    found = wiring(TREES[name], 0)
    pairs = all_pairs(found.hosts)
    assert np.array_equal(ftree(found).usage(pairs).channel, ModK("d-mod-k", found).usage(pairs).channel)


def test_the_compiled_kernel_does_what_the_plain_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    found = wiring(TREES["short leaf"], 0, random_faults(TREES["short leaf"], 3, 0, 8))
    plain = engine(found).out
    monkeypatch.setattr("fabrictool.routing.ftree.fat_tree", lambda _: fat_tree.compiled)
    assert np.array_equal(plain, engine(found).out)


def test_with_faults_only_broken_entries_move() -> None:
    fabric = TREES["two levels"]
    before, after = (ftree(wiring(fabric, 0, faults)) for faults in (None, faults_by_name(fabric, ["leaf-01:6"])))
    old, new = (np.array(opensm.ports_of(routing)) for routing in (before, after))
    moved = np.argwhere(old != new).tolist()
    names = {(fabric.names[after.wiring.switch[row]], host + 1) for row, host in moved}
    up = {("leaf-01", host) for host in (6, 10, 14)}
    down = {("spine-02", host) for host in (1, 2, 3, 4)}  # it has no way down to leaf 1 any more
    assert names == up | down | {(f"leaf-0{leaf}", 2) for leaf in (2, 3, 4)}
    assert dependencies(after).loops == []


def _refused(fabric: Fabric) -> str:
    with pytest.raises(NotSupportedError) as caught:
        ftree(wiring(fabric, 0))
    return str(caught.value)


def test_what_is_no_fat_tree_is_refused_by_name() -> None:
    ring = _refused(own("infiniband/ring6.net.gz").fabric)
    assert "network infiniband: is no fat-tree for ftree: " in ring
    assert "links below the roots, but" in ring
    flat = fabrics.pgft((4,), (1,), (1,))
    assert "it has 1 ranks of switches, but 2 to 8 are needed; use min-hop" in _refused(flat)
