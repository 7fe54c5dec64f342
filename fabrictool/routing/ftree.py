"""The routing ``ftree`` of OpenSM: destination by destination down the least used cables of a fat-tree.

Roots are the switches of the top tier, as if OpenSM were given them with ``-a``: the tree may lack cables and
switches, but all hosts must be at one depth.

References
----------
linux-rdma/opensm, ``opensm/osm_ucast_ftree.c`` (version 3.3.23); Zahavi, Johnson, Kerbyson, Lang, "Optimized
InfiniBand fat-tree routing for shift all-to-all communication patterns", Concurrency and Computation 22 (2), 2010.
"""

from __future__ import annotations

import numpy as np

from fabrictool.errors import NotSupportedError, Problem
from fabrictool.fabric.tables import I2, I4
from fabrictool.kernels.fat_tree import Stack, fat_tree
from fabrictool.kernels.tables import HERE, NOWHERE
from fabrictool.routing.balancing import destinations, repaired, visiting_order
from fabrictool.routing.fat_tree_index import bundles_of, cables, index_of_switches
from fabrictool.routing.forwarding import TableRouting
from fabrictool.routing.up_down import UNRANKED, ranks, roots
from fabrictool.routing.wiring import Wiring, without_faults

#: Ranks of switches that OpenSM accepts.
FEWEST_RANKS, MOST_RANKS = 2, 8


def ftree(wiring: Wiring) -> TableRouting:
    """Return the tables of OpenSM's fat-tree engine; with faults, those of the healthy tree repaired.

    On a tree that lacks cables from the start, as a discovery shows it, the engine itself runs.

    Raises
    ------
    NotSupportedError
        Naming what makes the network no fat-tree.
    """
    if wiring.faults:
        return repaired("ftree", wiring, ranks(wiring, roots(wiring)), engine(without_faults(wiring)))
    return engine(wiring)


def engine(wiring: Wiring) -> TableRouting:
    """Return what the engine itself makes of the links that are up; what is cut off the top tier has no ways.

    Raises
    ------
    NotSupportedError
        Naming what makes the network no fat-tree.
    """
    tier = wiring.fabric.devices.tier[wiring.switch]
    top = roots(wiring)
    rank = ranks(wiring, top[tier[top] == tier.max(initial=0)])
    goals = destinations(wiring)
    live = np.flatnonzero((wiring.terminals.up >= 0) & (wiring.terminals.seat >= 0))
    live = live[rank[wiring.terminals.seat[live]] != UNRANKED].astype(np.int32)
    leaf_rank = _checked_leaf_rank(wiring, rank, live)
    found = cables(wiring, rank)
    visit = visiting_order(wiring)
    seated = np.isin(np.arange(len(rank)), wiring.terminals.seat[live])
    start = int(np.argmin(np.where(seated, visit, len(rank))))
    index = index_of_switches(found, rank, start, leaf_rank)
    carries = np.isin(np.arange(len(rank)), goals.seat[goals.up & (goals.seat >= 0)])
    order = np.lexsort((visit, index))
    leaves = order[rank[order] == leaf_rank]
    real = np.flatnonzero(seated[leaves])
    leaf, column = _with_dummies(wiring, live, leaves[real[0] : real[-1] + 1], goals.number)
    out = np.full((len(rank), len(wiring.terminals)), NOWHERE, np.int16)
    bundles = bundles_of(wiring, rank, found, index, carries)
    fat_tree(float(len(leaf)) * len(found.way))(bundles, leaf, column, _stack(len(rank)), _stack(len(rank)), out)
    up = np.flatnonzero(wiring.terminals.up >= 0)
    out[wiring.terminals.seat[up], up] = HERE
    return TableRouting("ftree", wiring, out)


def _checked_leaf_rank(wiring: Wiring, rank: I4, live: I4) -> int:
    """Return the links from leaves to roots.

    Raises
    ------
    NotSupportedError
        If hosts are at several depths, on too few leaves, or the tree is too flat or too deep.
    """
    seat = wiring.terminals.seat[live]
    if not len(seat):
        raise _refusal(wiring, "no host has a way to a root", "see whether its links are up")
    depths, count = np.unique(rank[seat], return_counts=True)
    usual = int(depths[np.argmax(count)])
    odd = live[rank[seat] != usual]
    if len(odd):
        port, switch = wiring.fabric.port_name(int(wiring.terminals.port[odd[0]])), wiring.terminals.seat[odd[0]]
        name = wiring.fabric.names[wiring.switch[switch]]
        what = f"{port} is on {name}, {rank[switch]} links below the roots, but {count.max()} of {len(seat)} ports are"
        raise _refusal(wiring, f"{what} {usual} links below", "move it, or use up-down")
    if not FEWEST_RANKS <= usual + 1 <= MOST_RANKS:
        what = f"it has {usual + 1} ranks of switches, but {FEWEST_RANKS} to {MOST_RANKS} are needed"
        raise _refusal(wiring, what, "use min-hop")
    if len(np.unique(seat)) < 2:
        raise _refusal(wiring, "all hosts are on one leaf, but 2 are needed", "use min-hop")
    return usual


def _refusal(wiring: Wiring, what: str, fix: str) -> NotSupportedError:
    return NotSupportedError([Problem(f"network {wiring.name}", f"is no fat-tree for ftree: {what}", fix)])


def _with_dummies(wiring: Wiring, live: I4, leaves: I4, number: I2) -> tuple[I4, I4]:
    """Return leaf and column of each destination: leaf by leaf, each filled up with dummies (column -1)."""
    seat = wiring.terminals.seat[live]
    order = live[np.lexsort((number[live], seat))]
    carried = np.bincount(seat, minlength=len(wiring.switch))
    first = np.cumsum(carried) - carried
    most = int(carried.max())
    column = np.full((len(leaves), most), -1, np.int32)
    for row, leaf in enumerate(leaves.tolist()):
        column[row, : carried[leaf]] = order[first[leaf] : first[leaf] + carried[leaf]]
    return np.repeat(leaves, most).astype(np.int32), column.ravel()


def _stack(switches: int) -> Stack:
    switch, before, length, place, bundle, cable = np.zeros((6, switches + 2), np.int32)
    primary, created = np.zeros((2, switches + 2), bool)
    return Stack(switch, before, length, place, bundle, cable, primary, created)
