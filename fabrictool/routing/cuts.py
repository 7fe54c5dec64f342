"""Min cuts between halves of the hosts, and the bisection width: what any routing has to fit through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import gcd, prod
from typing import Any

import numpy as np
import numpy.typing as npt

from fabrictool.errors import InputError
from fabrictool.fabric.tables import Bool
from fabrictool.routing.wiring import Wiring

I8 = npt.NDArray[np.int64]

#: Equal splits of the hosts, hosts on the same switches taken as alike, up to which all are cut.
MOST_SPLITS = 5_000
#: Eigenvectors of the switches by which hosts are ordered where there are more.
_VECTORS = 4
#: Switches up to which these are sought: beyond, they take longer than all else.
_MOST_SWITCHES = 2_048


@dataclass(frozen=True, slots=True)
class BisectionWidth:
    """The least capacity between two equal halves of the hosts.

    Parameters
    ----------
    width_bps : float
        In bit/s, in each direction.
    exact : bool
        Whether every split was cut; else this is an upper bound.
    method : {"all splits", "halves in order", "spectral halves"}
        Which splits were cut, or which gave the bound.
    """

    width_bps: float
    exact: bool
    method: str


def halves_cut_bps(wiring: Wiring) -> float:
    """Return the min cut between the first and the second half of the hosts, in bit/s in each direction."""
    return _Cutter(wiring).cut_bps(np.arange(wiring.hosts) < wiring.hosts // 2)


def bisection_width(wiring: Wiring) -> BisectionWidth:
    """Return the bisection width: exact where all equal splits can be cut, else the best bound found.

    The bound is the least cut of the halves in layout order, which follow the borders of leaves, units
    and pods, and of halves along the slowest vibrations of the network's switches.

    Raises
    ------
    InputError
        If there are fewer than 2 hosts.

    References
    ----------
    M. Fiedler, "A property of eigenvectors of nonnegative symmetric matrices", 1975: spectral halves.
    """
    cutter = _Cutter(wiring)
    alike = np.unique(cutter.seats, axis=0, return_inverse=True)[1].ravel()
    sizes = np.bincount(alike)
    if wiring.hosts < 2:
        raise InputError(f"network {wiring.name} has {wiring.hosts} hosts, which have no halves", "use 2 hosts or more")
    if prod((sizes + 1).tolist()) <= 16 * MOST_SPLITS:
        splits = list(_splits(sizes.tolist(), wiring.hosts // 2))
        if len(splits) <= MOST_SPLITS:
            turn = np.arange(len(alike)) - _first_of_kind(alike)
            return BisectionWidth(
                min(cutter.cut_bps(turn < np.array(split)[alike]) for split in splits), True, "all splits"
            )
    found = BisectionWidth(halves_cut_bps(wiring), False, "halves in order")
    for side in _spectral_halves(cutter):
        width = cutter.cut_bps(side)
        if width < found.width_bps:
            found = BisectionWidth(width, False, "spectral halves")
    return found


def _first_of_kind(alike: I8) -> I8:
    """Return for each host its place minus how many of its kind came before: ``arange`` minus it counts them."""
    order = np.argsort(alike, kind="stable")
    before = np.empty(len(alike), np.int64)
    start = np.searchsorted(alike[order], alike[order])
    before[order] = np.arange(len(alike)) - start
    return np.arange(len(alike)) - before


def _splits(sizes: list[int], half: int) -> Iterator[tuple[int, ...]]:
    """Yield how many hosts of each kind are in one half; the kind with most is what is left over."""
    for some in product(*(range(size + 1) for size in sizes[:-1])):
        if 0 <= half - sum(some) <= sizes[-1]:
            yield (*some, half - sum(some))


class _Cutter:
    """A network as a graph of its switches, ready to be cut between any two sets of hosts."""

    def __init__(self, wiring: Wiring) -> None:
        lanes, terminals = wiring.lanes[: wiring.hosts], wiring.terminals
        up = np.where(lanes >= 0, terminals.up[lanes], -1)
        speed = np.rint(wiring.channels.speed_bps).astype(np.int64)
        self.switches = len(wiring.switch)
        self.seats = np.where(up >= 0, terminals.seat[lanes], -1)
        self.host_bps: I8 = np.where(up >= 0, speed[up], 0)
        ways = wiring.ways
        here = np.repeat(np.arange(self.switches), np.diff(ways.first))
        once = ways.channel % 2 == 0
        self.a, self.z, self.link_bps = here[once], ways.to[once], speed[ways.channel[once]]
        self.unit = gcd(*np.unique(self.host_bps).tolist(), *np.unique(self.link_bps).tolist()) or 1

    def cut_bps(self, side: Bool) -> float:
        """Return the min cut between hosts on one side and the others, with ``side`` (hosts,) bool."""
        import igraph

        single = np.count_nonzero(self.host_bps, axis=1) < 2
        source, sink = self.switches, self.switches + 1
        alone = np.where(single, -1, np.cumsum(~single) + sink)  # a host with several ports may join its switches
        end = np.where(side, source, sink)
        host, lane = np.nonzero(self.host_bps)
        low = np.where(single[host], end[host], alone[host])
        more = np.flatnonzero(~single)
        a = np.concatenate((self.a, low, end[more]))
        z = np.concatenate((self.z, self.seats[host, lane], alone[more]))
        capacity = np.concatenate((self.link_bps, self.host_bps[host, lane], self.host_bps[more].sum(axis=1)))
        pair, where = np.unique(np.minimum(a, z) << 32 | np.maximum(a, z), return_inverse=True)
        total = np.bincount(where.ravel(), capacity // self.unit, minlength=len(pair))
        graph: Any = igraph.Graph(sink + 1 + len(more), np.column_stack((pair >> 32, pair & 0xFFFFFFFF)).tolist())
        return float(graph.maxflow_value(source, sink, total.tolist())) * self.unit


def _spectral_halves(cutter: _Cutter) -> Iterator[Bool]:
    """Yield halves of the hosts in order of eigenvectors of the switches' Laplacian matrix."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import laplacian
    from scipy.sparse.linalg import eigsh

    hosts, size = len(cutter.seats), cutter.switches
    if not _VECTORS + 1 < size <= _MOST_SWITCHES:
        return
    ends = (np.concatenate((cutter.a, cutter.z)), np.concatenate((cutter.z, cutter.a)))
    weight = np.tile(cutter.link_bps / max(int(cutter.link_bps.max(initial=1)), 1), 2)
    matrix = laplacian(coo_array((weight, ends), shape=(size, size)).tocsr())
    start = np.random.default_rng(0).random(size)
    vectors = eigsh(matrix, k=_VECTORS, sigma=-1e-3, which="LM", v0=start)[1]
    for vector in vectors.T[1:]:
        order = np.argsort(vector[cutter.seats[:, 0]], kind="stable")
        side = np.zeros(hosts, bool)
        side[order[: hosts // 2]] = True
        yield side
