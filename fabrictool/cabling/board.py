"""What each port was to be plugged into, and what it was seen to be plugged into, as two matchings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrictool.cabling.planned import NONE, Plan
from fabrictool.fabric.tables import I4

#: States of a port: nobody looked, seen without a neighbour, seen with one.
UNSEEN, DARK, LIT = -1, 0, 1


@dataclass(slots=True)
class Board:
    """Two matchings over the same ports; mistakes that are found are made in the plan, until both agree.

    Parameters
    ----------
    plan : Plan
    expected : (ports,) int32
        Where the other end is expected, -1 for none.
    seen : (ports,) int32
        Where the other end is, -1 for none.
    state : (ports,) int8
        ``UNSEEN``, ``DARK`` or ``LIT``.
    link : (ports,) int32
        The planned link that is expected in a port, -1 for none.
    device, label, cage, leg, legs, tier : (ports,) int32
        Of each port; ``label`` is the same number on all devices, ``cage`` differs between devices, and ``legs`` is
        how many ports the cage has.
    """

    plan: Plan
    expected: I4
    seen: I4
    state: np.ndarray
    link: I4
    device: I4
    label: I4
    cage: I4
    leg: I4
    legs: I4
    tier: I4
    _sigma: I4

    def gain(self, src: I4, dst: I4) -> tuple[int, int, int]:
        """Return what changes if what is expected in ``src`` goes to ``dst``, which are the same ports.

        Returns
        -------
        tuple of int
            How many more links agree, how many that agreed no longer do, and how many are then seen elsewhere.
        """
        sigma = self._sigma
        sigma[src] = dst
        a = src[(self.expected[src] >= 0) & (src != dst)]
        z = self.expected[a]
        once = (sigma[z] == z) | (a < z)
        a, z = a[once], z[once]
        new_a, new_z = sigma[a], sigma[z]
        sigma[src] = src
        before, after = self.seen[a] == z, self.seen[new_a] == new_z
        clash = ~after & ((self.state[new_a] == LIT) | (self.state[new_z] == LIT))
        return int(after.sum()) - int(before.sum()), int((before & ~after).sum()), int(clash.sum())

    def apply(self, src: I4, dst: I4) -> I4:
        """Make a mistake in what is expected; return the planned links that it moved."""
        sigma = self._sigma
        sigma[src] = dst
        a = src[(self.expected[src] >= 0) & (src != dst)]
        z, rows = self.expected[a], self.link[a]
        new_a, new_z = sigma[a].copy(), sigma[z].copy()
        sigma[src] = src
        for column in (self.expected, self.link):
            column[a] = NONE
            column[z] = NONE
        self.expected[new_a], self.expected[new_z] = new_z, new_a
        self.link[new_a] = self.link[new_z] = rows
        return np.unique(rows)

    def strangers(self) -> I4:
        """Return the lower port of each link that was seen, but is not expected."""
        port = np.arange(len(self.seen), dtype=np.int32)
        strange: I4 = port[(self.seen > port) & (self.expected != self.seen)]
        return strange


def board_of(plan: Plan, seen: I4, state: np.ndarray) -> Board:
    """Return the board of a plan that has a port for everything seen."""
    count = len(plan.ports)
    expected, link = np.full(count, NONE, np.int32), np.full(count, NONE, np.int32)
    for row, entry in enumerate(plan.links):
        expected[entry.a], expected[entry.z] = entry.z, entry.a
        link[entry.a] = link[entry.z] = row
    device = np.array([port.device for port in plan.ports], np.int32)
    words: dict[str, int] = {}
    label = np.array([words.setdefault(port.label, len(words)) for port in plan.ports], np.int32)
    cages: dict[tuple[int, int], int] = {}
    cage = [
        cages.setdefault((port.device, port.cage if port.cage >= 0 else -2 - row), len(cages))
        for row, port in enumerate(plan.ports)
    ]
    cage_row = np.array(cage, np.int32)
    legs = np.bincount(cage_row, minlength=1)[cage_row].astype(np.int32)
    leg = np.array([port.leg for port in plan.ports], np.int32)
    tier = np.array([row.tier for row in plan.devices], np.int32)[device]
    sigma = np.arange(count, dtype=np.int32)
    return Board(plan, expected, seen, state, link, device, label, cage_row, leg, legs, tier, sigma)
