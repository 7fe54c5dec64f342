"""Distances in links between switches and between hosts of a network, with what is down left out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabrictool.errors import NotSupportedError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.kernels.hops import FAR, switch_hops
from fabrictool.routing.wiring import Wiring

U1 = npt.NDArray[np.uint8]


def hops_between(wiring: Wiring, source: I4 | None = None) -> U1:
    """Return the links on the shortest way between switches, (switches, sources); ``FAR`` where there is none.

    Parameters
    ----------
    wiring : Wiring
    source : (sources,) int32, optional
        Places in ``wiring.switch``; by default all.

    Raises
    ------
    NotSupportedError
        If the longest of them has more links than a byte holds.
    """
    ways, switches = wiring.ways, len(wiring.switch)
    source = np.arange(switches, dtype=np.int32) if source is None else source.astype(np.int32)
    hops = np.zeros((switches, len(source)), np.uint8)
    farthest = switch_hops(float(hops.size + len(ways.to)))(ways.first, ways.to, source, hops)
    if farthest >= FAR:
        what = f"network {wiring.name} has switches {farthest} links apart, but distances are kept up to {FAR - 1}"
        raise NotSupportedError([Problem("", what, "join its switches by shorter ways", ("networks", wiring.name))])
    return hops


def host_hops(wiring: Wiring) -> dict[int, int]:
    """Return the number of ordered pairs of hosts by links between them, -1 for those without a way.

    A host with several ports is as near as its nearest.
    """
    lanes, terminals = wiring.lanes[: wiring.hosts], wiring.terminals
    there = (lanes >= 0) & (terminals.up[lanes] >= 0)
    seat = np.where(there, terminals.seat[lanes], -1)
    sets, hosts = np.unique(np.sort(seat, axis=1), axis=0, return_counts=True)
    leaf = np.unique(sets[sets >= 0])
    between = hops_between(wiring, leaf)[leaf]
    place = np.where(sets >= 0, np.searchsorted(leaf, sets), len(leaf))
    padded = np.full((len(leaf) + 1, len(leaf) + 1), FAR, np.uint8)
    padded[:-1, :-1] = between
    nearest = np.full((len(sets), len(sets)), FAR, np.uint8)
    for one in place.T:
        for other in place.T:
            np.minimum(nearest, padded[one[:, None], other], out=nearest)
    found = {}
    for links in np.unique(nearest).tolist():
        pairs = int(hosts @ (nearest == links) @ hosts) - (len(seat) if links == 0 else 0)
        found[-1 if links == FAR else links + 2] = pairs
    return _without_themselves(found, sets, hosts)


def _without_themselves(found: dict[int, int], sets: I4, hosts: npt.NDArray[np.int64]) -> dict[int, int]:
    """Return pairs without those of a host that is down with itself, which do not stand under 2 links."""
    down = int(hosts[(sets < 0).all(axis=1)].sum())
    if down:
        found[2] = found.get(2, 0) + down
        found[-1] -= down
    return {links: pairs for links, pairs in sorted(found.items()) if pairs}
