"""Minimal ways: endpoints that are attached alike are one goal, and how far each switch is from each goal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, I2, I4
from fabrictool.kernels.goals import FAR, goal_hops
from fabrictool.routing.wiring import Wiring

U1 = npt.NDArray[np.uint8]

_LAST = np.int64(1) << 40


def hops_to_seats(wiring: Wiring, seat: I4) -> U1:
    """Return the links between each switch and the nearest of some switches, over live links.

    Parameters
    ----------
    wiring : Wiring
    seat : (goals, seats) int32
        Places of switches in ``wiring.switch``, -1 for none.

    Returns
    -------
    (goals, switches) uint8
        ``FAR`` where there is no way.
    """
    ways = wiring.ways
    hops = np.full((len(seat), len(wiring.switch)), FAR, np.uint8)
    goal_hops(4.0 * len(seat) / 62 * (len(ways.to) + len(wiring.switch)))(ways.first, ways.to, seat, hops)
    return hops


@dataclass(frozen=True)
class Goals:
    """Endpoints by where they are attached: those whose live ports lead to the same switches are one goal.

    All minimal ways to the endpoints of a goal are the same up to the last link, and so are those from
    them after the first.

    Parameters
    ----------
    goal : (endpoints,) int32
        Goal that each endpoint belongs to.
    up : (endpoints, lanes) int32
        Channels of its live ports, by the switch that they lead to; -1 after the last.
    seat : (goals, lanes) int32
        The switch that each leads to.
    rank : (goals, lanes) int16
        Steps that its speed reaches, see ``kernels.minimal.Spread``.
    """

    goal: I4
    up: I4
    seat: I4
    rank: I2

    def __len__(self) -> int:
        return len(self.seat)

    @cached_property
    def stops(self) -> tuple[I4, I4]:
        """The distinct switches of each goal, (goals, stops), and which of them each lane leads to, (goals, lanes)."""
        new = np.ones_like(self.seat, bool)
        new[:, 1:] = self.seat[:, 1:] != self.seat[:, :-1]
        new &= self.seat >= 0
        place = np.maximum(np.cumsum(new, axis=1) - 1, 0).astype(np.int32)
        stop = np.full((len(self.seat), max(1, int(new.sum(axis=1).max(initial=0)))), -1, np.int32)
        row, lane = np.nonzero(new)
        stop[row, place[row, lane]] = self.seat[row, lane]
        return stop, place

    def cables(self, step: F8) -> F8:
        """Return how many links lead from each stop to an endpoint of the goal, by steps of speed."""
        stop, place = self.stops
        cables = np.zeros((*stop.shape, len(step)))
        row, lane = np.nonzero(self.seat >= 0)
        np.add.at(cables, (row, place[row, lane]), self.rank[row, lane][:, None] > np.arange(len(step)))
        return cables

    def last_parts(self, step: F8) -> F8:
        """Return which part of what arrives at a stop each lane of an endpoint takes, (goals, lanes)."""
        _, place = self.stops
        weight = np.concatenate(([0.0], np.cumsum(step)))[self.rank] if len(step) else np.ones(self.seat.shape)
        weight = np.where(self.seat >= 0, weight, 0.0)
        total = np.zeros(self.seat.shape)
        row, lane = np.nonzero(self.seat >= 0)
        np.add.at(total, (row, place[row, lane]), weight[row, lane])
        share = np.take_along_axis(total, place, axis=1)
        part: F8 = np.divide(weight, share, out=np.zeros_like(weight), where=share > 0)
        return part


def goals_of(wiring: Wiring, rank: I2) -> Goals:
    """Return the goals of a wiring.

    Parameters
    ----------
    wiring : Wiring
    rank : (channels,) int16
        Steps that the speed of each channel reaches; links of different ranks tell endpoints apart.
    """
    terminals, lanes = wiring.terminals, wiring.lanes
    up = np.where(lanes >= 0, terminals.up[lanes], -1).astype(np.int32)
    seat = np.where(up >= 0, terminals.seat[lanes], -1)
    key = np.where(up >= 0, seat.astype(np.int64) << 16 | rank[up], _LAST)
    if key.shape[1] > 1:
        order = np.argsort(key, axis=1, kind="stable")
        key, up = np.take_along_axis(key, order, axis=1), np.take_along_axis(up, order, axis=1)
        distinct, goal = np.unique(key, axis=0, return_inverse=True)
    else:
        flat, goal = np.unique(key[:, 0], return_inverse=True)
        distinct = flat[:, None]
    there = distinct < _LAST
    return Goals(
        goal.reshape(-1).astype(np.int32),
        up,
        np.where(there, distinct >> 16, -1).astype(np.int32),
        np.where(there, distinct & 0xFFFF, 0).astype(np.int16),
    )


def speed_steps(wiring: Wiring, split: str) -> tuple[F8, I2]:
    """Return steps of speed, and how many of them each channel reaches.

    Parameters
    ----------
    wiring : Wiring
    split : {"per-hop", "per-path", "weighted"}
        Per hop there are no steps; per path all links are alike; weighted there is one for each speed, of
        which an unknown one counts as the slowest.
    """
    channels = len(wiring.channels)
    if split == "per-hop":
        return np.zeros(0), np.zeros(channels, np.int16)
    if split == "per-path":
        return np.ones(1), np.ones(channels, np.int16)
    inside = np.zeros(channels, bool)
    inside[wiring.ways.channel] = True
    live = wiring.terminals.up[wiring.terminals.up >= 0]
    inside[live] = inside[live ^ 1] = True
    speed = wiring.channels.speed_bps
    known = np.unique(speed[inside & (speed > 0)])
    if not len(known):
        return np.ones(1), np.ones(channels, np.int16)
    rank = np.maximum(np.searchsorted(known, speed, side="right"), 1).astype(np.int16)
    return np.diff(known, prepend=0.0) / known[0], rank
