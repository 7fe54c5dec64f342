"""Balancing against a slow twin, on trees, rails and rings, with things that are down."""

from __future__ import annotations

from collections import deque

import fabrics
import networkx as nx
import numpy as np
import opensm
import pytest
from foreign import own
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.fabric.faults import faults_by_name, no_faults, random_faults
from fabrictool.kernels import legal
from fabrictool.kernels.tables import HERE, NOWHERE
from fabrictool.routing.balancing import slopes_of
from fabrictool.routing.distances import distances, seats
from fabrictool.routing.flows import all_pairs
from fabrictool.routing.forwarding import TableRouting
from fabrictool.routing.min_hop import min_hop
from fabrictool.routing.up_down import ranks, roots, up_down
from fabrictool.routing.wiring import Wiring, wiring

FABRICS = {
    "two levels": fabrics.pgft((4, 4), (1, 4), (1, 1)),
    "parallel cables": fabrics.pgft((8, 4, 4), (1, 4, 4), (1, 2, 2)),
    "three levels": fabrics.pgft((2, 2, 4), (1, 2, 2), (1, 1, 1)),
    "short leaf": fabrics.pgft((4, 4, 3), (1, 2, 2), (1, 2, 1), ports=43),
    "rails": fabrics.rails(8, 4, 4, 4),
    "ring": own("infiniband/ring6.net.gz").fabric,
}
ENGINES = {"min-hop": min_hop, "up-down": up_down}


def tables(
    found: Wiring, climbing: dict[tuple[int, int], bool], before: list[list[int]] | None = None
) -> list[list[int]]:
    """OpenSM's rule, destination by destination: places of ways, by plain search for each."""
    ways = found.ways
    out = [
        [(ways.to[w], w - ways.first[s]) for w in range(ways.first[s], ways.first[s + 1])]
        for s in range(len(found.switch))
    ]
    live = [t for t in range(len(found.terminals)) if found.terminals.up[t] >= 0]
    carried = [sum(found.terminals.seat[t] == s for t in live) for s in range(len(found.switch))]
    number = found.fabric.ports.number[found.fabric.ports.peer[found.terminals.port]]
    guid = found.fabric.devices.guid
    last_first = [int(guid[d]).to_bytes(8, "big")[::-1] if guid is not None else s for s, d in enumerate(found.switch)]
    live.sort(key=lambda t: (-carried[found.terminals.seat[t]], last_first[found.terminals.seat[t]], number[t]))
    used = [[0] * len(ways_out) for ways_out in out]
    table = [[NOWHERE] * len(found.terminals) for _ in out]
    for t in live:
        goal = int(found.terminals.seat[t])
        fall, best = _lengths(out, climbing, goal)
        for s, ways_out in enumerate(out):
            if s == goal:
                table[s][t] = HERE
                continue
            near = [w for to, w in ways_out if (best if climbing[s, to] else fall).get(to, 999) + 1 == best.get(s)]
            if near:
                kept = before[s][t] if before is not None else NOWHERE
                table[s][t] = kept if kept in near else min(near, key=lambda w: (used[s][w], w))
                used[s][table[s][t]] += 1
    return table


def _lengths(out, climbing, goal):  # type: ignore[no-untyped-def]
    """Links on the shortest way that only falls, and on the shortest that climbs first, by breadth-first search."""
    seen, queue = {(goal, False): 0}, deque([(goal, False)])
    while queue:
        here, climbs = queue.popleft()
        for s, ways_out in enumerate(out):
            if any(to == here for to, _ in ways_out) and not (climbs and not climbing[s, here]):
                state = (s, climbing[s, here])
                if state not in seen:
                    seen[state] = seen[here, climbs] + 1
                    queue.append(state)
    fall = {s: length for (s, climbs), length in seen.items() if not climbs}
    return fall, {s: min(seen.get((s, False), 999), seen.get((s, True), 999)) for s, _ in seen}


def _climbing(found: Wiring, routing: str) -> dict[tuple[int, int], bool]:
    sender = np.repeat(np.arange(len(found.switch)), np.diff(found.ways.first))
    pairs = set(zip(sender.tolist(), found.ways.to.tolist(), strict=True))
    if routing == "min-hop":
        return dict.fromkeys(pairs, False)
    graph = nx.Graph(pairs)
    graph.add_nodes_from(range(len(found.switch)))
    tops = roots(found).tolist()
    rank = {
        s: min((nx.shortest_path_length(graph, s, t) for t in tops if nx.has_path(graph, s, t)), default=99)
        for s in graph
    }
    return {(a, z): (rank[z], z) < (rank[a], a) and rank[a] > 0 for a, z in pairs}


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(FABRICS)),
    st.sampled_from(sorted(ENGINES)),
    st.integers(0, 12),
    st.integers(0, 2),
    st.integers(0, 99),
)
def test_tables_are_those_of_the_twin(name: str, routing: str, links: int, devices: int, seed: int) -> None:
    """Entries from before a fault stay while they are live and shortest; the rest is balanced around them."""
    fabric = FABRICS[name]
    links = min(links, len(wiring(fabric, 0).ways.to) // 2)
    faults = random_faults(fabric, links, devices, seed)
    healthy, found = ENGINES[routing](wiring(fabric, 0)), ENGINES[routing](wiring(fabric, 0, faults))
    expected = tables(healthy.wiring, _climbing(healthy.wiring, routing))
    assert healthy.out.tolist() == expected
    if faults:
        before = _moved(healthy, found.wiring)
        assert found.out.tolist() == tables(found.wiring, _climbing(found.wiring, routing), before)


def _moved(table: TableRouting, onto: Wiring) -> list[list[int]]:
    """Entries as places among the ways of another wiring, by the numbers of their ports."""
    moved = []
    for s, row in enumerate(table.out.tolist()):
        old = table.wiring.ways.number[table.wiring.ways.first[s] : table.wiring.ways.first[s + 1]]
        new = onto.ways.number[onto.ways.first[s] : onto.ways.first[s + 1]].tolist()
        moved.append([new.index(old[way]) if way >= 0 and old[way] in new else NOWHERE for way in row])
    return moved


@pytest.mark.parametrize("name", sorted(FABRICS))
def test_compiled_kernels_do_what_plain_ones_do(name: str) -> None:
    found = wiring(FABRICS[name], 0, random_faults(FABRICS[name], 2, 1, 5))
    slopes, source = slopes_of(found, ranks(found, roots(found))), seats(found)

    def run(form: str) -> list[np.ndarray]:
        search, write = (getattr(kernel, form) for kernel in (legal.legal_distances, legal.balance))
        results = [np.full((len(source), len(found.switch)), legal.FAR, np.uint8) for _ in range(2)]
        search(slopes, source, *results)
        row = np.searchsorted(source, found.terminals.seat).astype(np.int32)
        out = np.full((len(found.switch), len(row)), NOWHERE, np.int16)
        write(slopes, *results, np.arange(len(row), dtype=np.int32), row, out)
        return [*results, out]

    for plain, compiled in zip(run("plain"), run("compiled"), strict=True):
        assert np.array_equal(plain, compiled)


def test_distances_are_those_of_networkx() -> None:
    found = wiring(FABRICS["three levels"], 0, random_faults(FABRICS["three levels"], 9, 1, 3))
    graph = nx.Graph()
    graph.add_nodes_from(range(len(found.switch)))
    sender = np.repeat(np.arange(len(found.switch)), np.diff(found.ways.first))
    graph.add_edges_from(zip(sender.tolist(), found.ways.to.tolist(), strict=True))
    for row, seat in enumerate(seats(found).tolist()):
        near = nx.single_source_shortest_path_length(graph, seat)
        assert distances(found)[row].tolist() == [near.get(s, 255) for s in range(len(found.switch))]


@pytest.mark.parametrize("routing", sorted(ENGINES))
def test_a_dead_cable_moves_only_the_entries_over_it(routing: str) -> None:
    """FT16: leaf 1 reaches the 3 hosts of residue 1 elsewhere over spine 2; they are balanced among the rest."""
    fabric = FABRICS["two levels"]
    before = ENGINES[routing](wiring(fabric, 0))
    after = ENGINES[routing](wiring(fabric, 0, faults_by_name(fabric, links=["leaf-01:6"])))
    old, new = (np.array(opensm.ports_of(found)) for found in (before, after))
    moved = [(before.wiring.fabric.names[before.wiring.switch[s]], t + 1) for s, t in np.argwhere(old != new).tolist()]
    from_leaf = [("leaf-01", host) for host in (6, 10, 14)]
    into_leaf = [(name, host) for name, host in moved if name != "leaf-01"]
    assert [pair for pair in moved if pair[0] == "leaf-01"] == from_leaf
    assert {host for _, host in into_leaf} <= {1, 2, 3, 4}
    assert new[0, [5, 9, 13]].tolist() == [7, 8, 5]
    assert (after.usage(all_pairs(16)).hops > 0).all()


def test_no_faults_are_the_healthy_tables() -> None:
    fabric = FABRICS["rails"]
    assert np.array_equal(min_hop(wiring(fabric, 0)).out, min_hop(wiring(fabric, 0, no_faults(fabric))).out)


def test_a_ring_has_one_root_and_a_tree_its_spines() -> None:
    ring = wiring(FABRICS["ring"], 0)
    assert roots(ring).tolist() == [0]
    assert ranks(ring, roots(ring)).tolist() == [0, 1, 2, 3, 2, 1]
    tree = wiring(FABRICS["two levels"], 0)
    assert roots(tree).tolist() == [4, 5, 6, 7]
