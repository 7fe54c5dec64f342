"""Packet spray and adaptive routing as a fluid: traffic spreads over all minimal ways.

At every hop the links one hop nearer to the destination share what arrives:

- ``per-hop``: equally. This is what packet spray and port-by-port adaptive routing do.
- ``per-path``: in proportion to the number of minimal paths that begin with a link, so that all minimal
  paths carry the same.
- ``weighted``: in proportion to the capacity that a link leads to: the sum, over the minimal paths that
  begin with it, of the speed of the slowest link on each. With links of one speed this is ``per-path``.

On a healthy symmetric tree the three agree. A switch that lost half of its links onward still gets a full
share per hop, and half of one by the other two.

References
----------
A. Dixit, P. Prakash, Y. C. Hu, R. R. Kompella, "On the Impact of Packet Spraying in Data Center Networks",
INFOCOM 2013. J. Zhou et al., "WCMP: Weighted Cost Multipathing for Improved Fairness in Data Centers",
EuroSys 2014: weights in proportion to the capacity of the paths onward.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, I4
from fabrictool.kernels.goals import FAR
from fabrictool.kernels.minimal import Spread
from fabrictool.kernels.spray import Rows, spread_loads, spread_usage
from fabrictool.kernels.spray_all import spread_all
from fabrictool.routing.flows import Flows, Routing, Usage
from fabrictool.routing.minimal_ways import Goals, goals_of, hops_to_seats, speed_steps
from fabrictool.routing.wiring import Wiring

#: Pairs of goals that are pushed at once.
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Spray(Routing):
    """Equal or weighted split over all live minimal ways; hosts pass nothing on.

    Parameters
    ----------
    name : str
    wiring : Wiring
    split : {"per-hop", "per-path", "weighted"}
    efficiency : float
        Share of a link's speed that spread traffic reaches at most; the volumes here do not depend on it.
    """

    name: str
    wiring: Wiring
    split: str = "per-hop"
    efficiency: float = 1.0

    @cached_property
    def goals(self) -> Goals:
        """Endpoints by where they are attached."""
        return goals_of(self.wiring, speed_steps(self.wiring, self.split)[1])

    @cached_property
    def spread(self) -> Spread:
        """The minimal ways as kernels read them."""
        ways = self.wiring.ways
        step, rank = speed_steps(self.wiring, self.split)
        hops = hops_to_seats(self.wiring, self.goals.stops[0])
        stop = self.goals.stops[0]
        return Spread(ways.first, ways.channel, ways.to, rank[ways.channel], step, hops, stop, self.goals.cables(step))

    def usage(self, flows: Flows) -> Usage:
        """Return all channels that each flow uses, those nearest to its source first."""
        order, rows = self._rows(flows)
        used, lanes = trails(self.spread, rows), rows.seat.shape[1]
        source, target = flows.source[order], flows.target[order]
        up, down = self.goals.up[source], np.where(self.goals.up[target] >= 0, self.goals.up[target] ^ 1, -1)
        row = np.repeat(np.arange(len(flows)), lanes)
        parts = (
            (row, up.ravel(), used.leaving.ravel()),
            (used.row, used.channel, used.share),
            (row, down.ravel(), self.last(rows.goal, used.arriving).ravel()),
        )
        return _gathered(order, parts, self.hops(flows))

    def loads(self, flows: Flows) -> F8:
        """Return the volume on each channel, (channels,), pushed for all flows to a goal at once."""
        order, rows = self._rows(flows)
        load = np.zeros(len(self.wiring.channels))
        leaving, arriving = self.pushed(rows, load)
        up, volume = self.goals.up, rows.volume[:, None]
        add_loads(load, up[flows.source[order]], leaving * volume)
        add_loads(load, up[flows.target[order]], self.last(rows.goal, arriving) * volume, 1)
        return load

    def hops(self, flows: Flows) -> I4:
        """Return the links on the way of each flow, -1 where there is none, (flows,)."""
        order, rows = self._rows(flows)
        hops = np.empty(len(flows), np.int32)
        hops[order] = self.links(rows)
        return hops

    def all_to_all(self) -> tuple[F8, dict[int, float]]:
        """Return loads when every host sends to every other, and pairs by links on the way, -1 for none."""
        goals, hosts = self.goals, self.wiring.hosts
        load = np.zeros(len(self.wiring.channels))
        if goals.stops[0].shape[1] == 1 and not len(self.spread.step):
            return self._one_switch_each(load)
        members = np.bincount(goals.goal[:hosts], minlength=len(goals)).astype(np.float64)
        sent, received = np.zeros(goals.seat.shape), np.zeros(goals.seat.shape)
        hops = np.zeros(FAR + 3)
        for rows, start in self._pairs(members):
            leaving, arriving = self.pushed(rows, load)
            each = members[rows.goal] - (start == rows.goal)
            np.add.at(sent, start, leaving * each[:, None])
            each = members[start] - (start == rows.goal)
            np.add.at(received, rows.goal, self.last(rows.goal, arriving) * each[:, None])
            hops += np.bincount(self.links(rows) + 1, rows.volume, FAR + 3)
        add_loads(load, goals.up[:hosts], sent[goals.goal[:hosts]])
        add_loads(load, goals.up[:hosts], received[goals.goal[:hosts]], 1)
        return load, {links - 1: float(hops[links]) for links in np.flatnonzero(hops).tolist()}

    def _one_switch_each(self, load: F8) -> tuple[F8, dict[int, float]]:
        """Add what every host sends to every other, equally split per hop, where hosts have one switch each."""
        goals, hosts, size = self.goals, self.wiring.hosts, len(self.goals)
        members = np.bincount(goals.goal[:hosts], minlength=size).astype(np.float64)
        sent, received, hops = np.zeros(size), np.zeros(size), np.zeros(FAR + 1)
        steps = 4.0 * size * (len(self.spread.to) + size)
        spread_all(steps)(self.spread, goals.seat[:, 0].copy(), members, load, sent, received, hops)
        for each, back in ((sent, 0), (received, 1)):
            lanes = each[:, None] * self._last_parts
            add_loads(load, goals.up[:hosts], lanes[goals.goal[:hosts]], back)
        found = {links + 1: float(hops[links]) for links in np.flatnonzero(hops).tolist()}
        return load, {links if links > 1 else -1: pairs for links, pairs in found.items()}

    def pushed(self, rows: Rows, load: F8) -> tuple[F8, F8]:
        """Add the loads of rows between switches; return the parts by ports that leave, and by stops that arrive."""
        spread = self.spread
        leaving = np.empty(rows.seat.shape)
        arriving = np.empty((len(rows.goal), spread.stop.shape[1]))
        goals = len(np.unique(rows.goal))
        spread_loads(float(goals) * len(spread.to) + len(rows.goal))(spread, rows, load, leaving, arriving)
        return leaving, arriving

    def _rows(self, flows: Flows) -> tuple[I4, Rows]:
        """Return flows in ascending order of goals, and that order."""
        goals = self.goals
        order = np.argsort(goals.goal[flows.target], kind="stable").astype(np.int32)
        start = goals.goal[flows.source[order]]
        goal = goals.goal[flows.target[order]]
        return order, Rows(goal, goals.seat[start], goals.rank[start], flows.volume[order])

    def _pairs(self, members: F8) -> Iterator[tuple[Rows, I4]]:
        """Yield all pairs of goals with hosts, in blocks, and the goal where each starts."""
        goals = self.goals
        filled = np.flatnonzero(members).astype(np.int32)
        step = max(1, _BLOCK // max(len(filled), 1))
        for low in range(0, len(filled), step):
            goal = np.repeat(filled[low : low + step], len(filled))
            start = np.tile(filled, len(goal) // len(filled))
            volume = members[start] * (members[goal] - (start == goal))
            yield Rows(goal, goals.seat[start], goals.rank[start], volume), start

    def last(self, goal: I4, arriving: F8) -> F8:
        """Return the part of each row on each last link, (rows, lanes)."""
        place = self.goals.stops[1][goal]
        part: F8 = np.take_along_axis(arriving, place, axis=1) * self._last_parts[goal]
        return part

    @cached_property
    def _last_parts(self) -> F8:
        return self.goals.last_parts(self.spread.step)

    def links(self, rows: Rows) -> I4:
        """Return the links on the way of each row, those of hosts included, -1 where there is none."""
        near = np.full(len(rows.goal), FAR, np.int32)
        for seat in rows.seat.T:
            here = np.where(seat >= 0, self.spread.hops[rows.goal, seat], FAR)
            near = np.minimum(near, here)
        links: I4 = np.where(near < FAR, near + 2, -1).astype(np.int32)
        return links


@dataclass(frozen=True)
class Trails:
    """What rows use between switches, those nearest to the sender first, and where they leave and arrive.

    Parameters
    ----------
    row : (uses,) int64
    channel, share : (uses,) int32 and float64
    leaving, arriving : (rows, lanes) and (rows, stops) float64
        As of ``kernels.spray.spread_loads``.
    """

    row: npt.NDArray[np.int64]
    channel: I4
    share: F8
    leaving: F8
    arriving: F8


def trails(spread: Spread, rows: Rows) -> Trails:
    """Return what rows use between switches, row by row."""
    size = len(rows.goal)
    count = np.zeros(size, np.int64)
    leaving, arriving = np.empty(rows.seat.shape), np.empty((size, spread.stop.shape[1]))
    run = spread_usage(float(size) * len(spread.to))
    run(spread, rows, count, np.zeros(0, np.int32), np.zeros(0), leaving, arriving)
    channel, share = np.empty(count.sum(), np.int32), np.empty(count.sum())
    run(spread, rows, count, channel, share, leaving, arriving)
    return Trails(np.repeat(np.arange(size), count), channel, share, leaving, arriving)


def add_loads(load: F8, up: I4, volume: F8, back: int = 0) -> None:
    """Add volumes to channels, or to the channels back; -1 is none."""
    there = up >= 0
    load += np.bincount(up[there] ^ back, volume[there], len(load))


def _gathered(order: I4, parts: Sequence[tuple[npt.NDArray[Any], ...]], hops: I4) -> Usage:
    """Return usage from parts of (row, channel, share), in the order of flows; shares of nothing are left out."""
    row, channel, share = (np.concatenate([part[at] for part in parts]) for at in range(3))
    used = (share > 0) & (channel >= 0)
    flow = order[row[used]]
    place = np.argsort(flow, kind="stable")
    first = np.concatenate(([0], np.cumsum(np.bincount(flow, minlength=len(order)), dtype=np.int64)))
    return Usage(first, channel[used][place].astype(np.int32), share[used][place], hops)
