"""Whether switches that are left still join all endpoints: a few trees that most losses leave alone, else a search."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order

from fabrictool.fabric.grouping import distinct
from fabrictool.fabric.tables import I4, Bool

Rows = npt.NDArray[np.int64]

#: Trees that are kept, from as many switches of the top tier.
TREES = 8


class Joined:
    """Pairs of switches that are joined, and trees over them that reach every switch with endpoints.

    Parameters
    ----------
    size : int
        Devices.
    a, z : ndarray, (links,)
        Devices that links join.
    between : ndarray of bool, (links,)
        Live links between switches.
    seats : ndarray, (endpoints, lanes)
        Switch of each port of an endpoint, -1 for none.
    tops : ndarray
        Switches of the top tier.
    """

    def __init__(self, size: int, a: I4, z: I4, between: Bool, seats: I4, tops: Rows) -> None:
        self._size, self._seats = size, seats
        switch = np.flatnonzero(between)
        code = np.minimum(a, z)[switch].astype(np.int64) * size + np.maximum(a, z)[switch]
        code, which, self._cables = np.unique(code, return_inverse=True, return_counts=True)
        self._edge = np.full(len(a), -1, np.int64)
        self._edge[switch] = which.ravel()
        self._code, self._ends = code, np.array(np.divmod(code, size), np.int32).T
        self._degree = np.bincount(self._ends.ravel(), minlength=size)
        self._trees: list[tuple[Bool, Bool]] = []
        if len(code) and seats.size and self._search(np.zeros(0, np.int64), np.ones(len(seats), bool)):
            roots = tops[np.linspace(0, len(tops) - 1, min(TREES, len(tops))).astype(int)]
            found = [self._tree(int(root)) for root in roots.tolist()]
            self._trees = [tree for tree in found if tree is not None]

    def without(self, lost: Rows, link: Rows, alive: Bool) -> bool:
        """Say whether living endpoints are still joined without some devices and links between switches."""
        hit, number = np.unique(self._edge[link], return_counts=True)
        cut = hit[number >= self._cables[hit]]
        loose = cut[~np.isin(self._ends[cut], lost).any(axis=1)]
        for inner, edges in self._trees:
            if not inner[lost].any() and not edges[loose].any():
                return True
        return self._search(cut, alive)

    def _graph(self, keep: Bool) -> csr_matrix:
        a, z = self._ends[keep].T
        return csr_matrix((np.ones(len(a), np.int8), (a, z)), shape=(self._size, self._size))

    def _search(self, cut: Rows, alive: Bool) -> bool:
        keep = np.ones(len(self._ends), bool)
        keep[cut] = False
        alone = self._degree <= np.bincount(self._ends[cut].ravel(), minlength=self._size)
        for lane in self._seats[alive].T:
            apart = (lane < 0).any() or (alone[lane].any() and (lane != lane[0]).any())
            if not apart and self._reaches(distinct(lane), keep):
                return True
        return False

    def _reaches(self, seats: I4, keep: Bool) -> bool:
        """Say whether edges that are kept lead from one of some switches to all others."""
        a, z = self._ends.T
        reached = np.zeros(self._size, bool)
        reached[seats[:1]] = True
        while not reached[seats].all():
            ahead = np.flatnonzero((reached[a] != reached[z]) & keep)
            if not len(ahead):
                return False
            reached[a[ahead]] = True
            reached[z[ahead]] = True
        return True

    def _tree(self, root: int) -> tuple[Bool, Bool] | None:
        """Return the inner switches and the edges of a tree to every switch with endpoints; None if it misses one."""
        graph = self._graph(np.ones(len(self._ends), bool))
        order, before = breadth_first_order(graph, root, directed=False)
        needed = np.zeros(self._size, bool)
        first = self._seats[:, 0]
        needed[first[first >= 0]] = True
        reached = np.zeros(self._size, bool)
        reached[order] = True
        if not reached[needed].all():
            return None
        for node in order[:0:-1].tolist():
            if needed[node]:
                needed[before[node]] = True
        nodes = np.flatnonzero(needed & (np.arange(self._size) != root))
        parents = before[nodes].astype(np.int64)
        inner = np.zeros(self._size, bool)
        inner[parents] = True
        code = np.minimum(nodes, parents) * self._size + np.maximum(nodes, parents)
        edges = np.zeros(len(self._code), bool)
        edges[np.searchsorted(self._code, code)] = True
        return inner, edges
