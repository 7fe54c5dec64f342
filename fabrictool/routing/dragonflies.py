"""Valiant routing of networks in groups: by a random group in between, spread over all minimal ways to it and on.

References
----------
L. G. Valiant, "A Scheme for Fast Parallel Communication", SIAM J. Comput. 11 (1982). J. Kim, W. J. Dally,
S. Scott, D. Abts, "Technology-Driven, Highly-Scalable Dragonfly Topology", ISCA 2008: VAL goes by one
intermediate group. M. Besta, T. Hoefler, "Slim Fly", SC 2014: there it is a switch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabrictool.errors import NotSupportedError, Problem
from fabrictool.fabric.parts import is_tiered
from fabrictool.fabric.tables import F8, I4
from fabrictool.kernels.goals import FAR
from fabrictool.kernels.minimal import Spread
from fabrictool.kernels.spray import Rows, spread_loads
from fabrictool.routing.flows import Flows, Routing, Usage
from fabrictool.routing.minimal_ways import hops_to_seats
from fabrictool.routing.planes import joined_parts
from fabrictool.routing.spray import Spray, add_loads, trails
from fabrictool.routing.wiring import Wiring

Bool = npt.NDArray[np.bool_]
I8 = npt.NDArray[np.int64]


def groups_of(wiring: Wiring) -> I4:
    """Return the group of each switch, (switches,): its pod, or the switch itself where there are no groups.

    Raises
    ------
    NotSupportedError
        If the network is a tree: every way up to the top goes by a random switch there already.
    """
    pod = wiring.fabric.devices.pod[wiring.switch]
    if is_tiered(wiring.fabric, wiring.network):
        what = f"network {wiring.name} is a tree, which has no groups to go by"
        raise NotSupportedError([Problem("", what, "use spray or ecmp")])
    if wiring.fabric.networks[wiring.network].family == "slim-fly" or (pod < 0).any():
        return np.arange(len(wiring.switch), dtype=np.int32)
    return np.unique(pod, return_inverse=True)[1].reshape(-1).astype(np.int32)


@dataclass(frozen=True)
class Valiant(Routing):
    """Every flow goes in equal parts by all groups other than its source's and its target's.

    It enters a group at the nearest switches, those that hold the global links, and goes on from there;
    both legs spread over all minimal ways, equally per hop. What stays in a group, or has no other group to
    go by, goes the minimal ways. Where the ports of a source are on parts of the network that are not joined,
    it goes by groups from the first of these alone.

    Parameters
    ----------
    name : str
    wiring : Wiring
    """

    name: str
    wiring: Wiring

    @cached_property
    def minimal(self) -> Spray:
        """The minimal ways: the second leg, and what stays in a group."""
        return Spray("minimal", self.wiring)

    @cached_property
    def group(self) -> I4:
        """Group of each switch, (switches,)."""
        return groups_of(self.wiring)

    @cached_property
    def inward(self) -> Spread:
        """Minimal ways to groups: the first leg."""
        ways, label = self.wiring.ways, self.group
        order = np.argsort(label, kind="stable").astype(np.int32)
        count = np.bincount(label)
        place = np.arange(len(label)) - np.repeat(np.cumsum(count) - count, count)
        stop = np.full((len(count), count.max(initial=1)), -1, np.int32)
        stop[label[order], place] = order
        none, rank = np.zeros(0), np.zeros(len(ways.to), np.int16)
        hops = hops_to_seats(self.wiring, stop)
        return Spread(ways.first, ways.channel, ways.to, rank, none, hops, stop, np.zeros((*stop.shape, 0)))

    @cached_property
    def joined(self) -> I4:
        """Which joined part of the network each switch is in, (switches,)."""
        return joined_parts(self.wiring)

    @cached_property
    def between(self) -> Bool:
        """Which groups can be gone by from each goal's switch, its own left out, (goals, groups)."""
        label, seat, part = self.group, self.seat, self.joined
        there = np.zeros((len(label), len(self.inward.stop)), bool)
        there[part, label] = True
        found = there[part[seat]]
        found[np.arange(len(seat)), label[seat]] = False
        found[seat < 0] = False
        return found

    @cached_property
    def seat(self) -> I4:
        """First switch of each goal, -1 for none, (goals,)."""
        return self.minimal.goals.seat[:, 0]

    def parts(self, start: I4, goal: I4) -> I8:
        """Return by how many groups traffic between goals goes; 0 where it goes the minimal ways."""
        seat, label = self.seat, self.group
        count: I8 = self.between.sum(axis=1)[start] - self.between[start, label[seat[goal]]]
        far = self.minimal.spread.hops[goal, seat[start]] == FAR
        stays = (label[seat[start]] == label[seat[goal]]) | far | (seat[start] < 0) | (seat[goal] < 0)
        return np.where(stays, 0, count)

    def usage(self, flows: Flows) -> Usage:
        """Return all channels that each flow uses, in no order; hops are those of the longest way."""
        goal = self.minimal.goals.goal
        parts = self.parts(goal[flows.source], goal[flows.target])
        straight, by = np.flatnonzero(parts == 0), np.flatnonzero(parts)
        near = self.minimal.usage(_some(flows, straight))
        far, longest = self._by_groups(_some(flows, by), parts[by])
        hops = np.empty(len(flows), np.int32)
        hops[straight], hops[by] = near.hops, longest
        flow = np.concatenate((np.repeat(straight, np.diff(near.first)), by[far[0]]))
        return summed_usage(flow, np.concatenate((near.channel, far[1])), np.concatenate((near.share, far[2])), hops)

    def loads(self, flows: Flows) -> F8:
        """Return the volume on each channel, (channels,), by aggregation where hosts have one switch each."""
        goals = self.minimal.goals
        if goals.stops[0].shape[1] > 1:
            return super().loads(flows)
        start, goal = goals.goal[flows.source], goals.goal[flows.target]
        parts = self.parts(start, goal)
        load = self.minimal.loads(_some(flows, np.flatnonzero(parts == 0)))
        by = np.flatnonzero(parts)
        self._push(start[by], goal[by], flows.volume[by] / parts[by], load)
        lane = goals.last_parts(np.zeros(0))
        add_loads(load, goals.up[flows.source[by]], lane[start[by]] * flows.volume[by, None])
        add_loads(load, goals.up[flows.target[by]], lane[goal[by]] * flows.volume[by, None], 1)
        return load

    def all_to_all(self) -> tuple[F8, dict[int, float]]:
        """Return loads when every host sends to every other, and pairs by links on the way, -1 for none.

        A pair counts on each length of way by the part of its volume that takes it.
        """
        goals, hosts = self.minimal.goals, self.wiring.hosts
        if goals.stops[0].shape[1] > 1:
            return super().all_to_all()
        members = np.bincount(goals.goal[:hosts], minlength=len(goals)).astype(np.float64)
        filled = np.flatnonzero(members).astype(np.int32)
        goal, start = np.repeat(filled, len(filled)), np.tile(filled, len(filled))
        each = members[goal] - (start == goal)
        parts, load = self.parts(start, goal), np.zeros(len(self.wiring.channels))
        rest = parts == 0
        rows = Rows(goal[rest], goals.seat[start[rest]], goals.rank[start[rest]], (members[start] * each)[rest])
        self.minimal.pushed(rows, load)
        links = self.minimal.links(rows)
        hops: F8 = np.bincount(links + 1, rows.volume, 2 * FAR).astype(np.float64)
        hops += self._push(start[~rest], goal[~rest], (members[start] * each)[~rest] / parts[~rest], load)
        reached = each * (self.minimal.spread.hops[goal, goals.seat[start, 0]] < FAR)
        reached[(goals.seat[start, 0] < 0) | (goals.seat[goal, 0] < 0)] = 0.0
        volume = goals.last_parts(np.zeros(0)) * np.bincount(start, reached, len(goals))[:, None]
        for back in (0, 1):
            add_loads(load, goals.up[:hosts], volume[goals.goal[:hosts]], back)
        return load, {links - 1: float(hops[links]) for links in np.flatnonzero(hops).tolist()}

    def _push(self, start: I4, goal: I4, unit: F8, load: F8) -> F8:
        """Add the loads between switches of what goes by groups.

        Parameters
        ----------
        start, goal : (pairs,) int32
            Goals.
        unit : (pairs,) float64
            Volume by each group.
        load : (channels,) float64

        Returns
        -------
        (lengths,) float64
            The volume by links on its way, one place on.
        """
        from scipy.sparse import csr_array

        spread, seat, label = self.minimal.spread, self.seat, self.group
        size = len(seat)
        demand = csr_array((unit, (start, goal)), shape=(size, size))
        there = csr_array((np.ones(size), (np.arange(size), label[seat])), shape=(size, len(self.inward.stop)))
        leaving = (demand.sum(axis=1)[:, None] - (demand @ there).toarray()) * self.between
        group, origin = (column.astype(np.int32) for column in np.nonzero(leaving.T > 0))
        arriving = np.empty((len(group), self.inward.stop.shape[1]))
        rows = self._rows(group, origin, leaving[origin, group])
        spread_loads(_steps(self.inward, group))(self.inward, rows, load, np.empty(rows.seat.shape), arriving)
        row, place = np.nonzero(arriving)
        links = self.inward.hops[group[row], seat[origin[row]]].astype(np.int64)
        found = []
        for length in np.unique(links):
            part = links == length
            at = (self.inward.stop[group[row[part]], place[part]], origin[row[part]])
            on = (csr_array((arriving[row[part], place[part]], at), shape=(len(label), size)) @ demand).tocoo()
            found.append((on.row.astype(np.int32), on.col.astype(np.int32), on.data, np.full(on.nnz, length)))
        if not found:
            return np.zeros(2 * FAR)
        entry, to, volume, before = (np.concatenate([part[at] for part in found]) for at in range(4))
        kept = np.flatnonzero((label[entry] != label[seat[to]]) & (volume > 0))
        kept = kept[np.argsort(to[kept], kind="stable")]
        entry, to, volume = entry[kept], to[kept], volume[kept]
        onward = Rows(to, entry[:, None], np.zeros((len(to), 1), np.int16), volume)
        self.minimal.pushed(onward, load)
        return np.bincount(before[kept] + spread.hops[to, entry] + 3, volume, 2 * FAR).astype(np.float64)

    def _rows(self, group: I4, start: I4, volume: F8) -> Rows:
        """Return what goes from goals to groups, in ascending order of groups."""
        seat = self.minimal.goals.seat[start]
        seat = np.where(self.joined[seat] == self.joined[seat[:, :1]], seat, -1).astype(np.int32)
        return Rows(group, seat, np.zeros(seat.shape, np.int16), volume)

    def _by_groups(self, flows: Flows, parts: I8) -> tuple[tuple[I8, I4, F8], I4]:
        """Return flow, channel and share of all that flows by groups use, and the links on their longest ways."""
        goals = self.minimal.goals
        start, goal = goals.goal[flows.source], goals.goal[flows.target]
        by = self.between[start]
        by[np.arange(len(start)), self.group[self.seat[goal]]] = False
        group, flow = np.nonzero(by.T)
        inward = self._rows(group.astype(np.int32), start[flow], np.ones(len(flow)))
        first = trails(self.inward, inward)
        row, place = np.nonzero(first.arriving)
        order = np.argsort(goal[flow[row]], kind="stable")
        row, place = row[order], place[order]
        entry, to, on = self.inward.stop[group[row], place], flow[row], first.arriving[row, place]
        last = trails(self.minimal.spread, Rows(goal[to], entry[:, None], np.zeros((len(to), 1), np.int16), on))
        down = np.where(goals.up >= 0, goals.up ^ 1, -1)
        uses = (
            _flat(flow, goals.up[flows.source[flow]], first.leaving),
            (flow[first.row], first.channel, first.share),
            (to[last.row], last.channel, last.share * on[last.row]),
            _flat(to, down[flows.target[to]], self.minimal.last(goal[to], last.arriving) * on[:, None]),
        )
        which, channel, share = (np.concatenate([part[at] for part in uses]) for at in range(3))
        near = np.where(inward.seat >= 0, self.inward.hops[group[:, None], inward.seat], FAR).min(axis=1, initial=FAR)
        links = np.full(len(flows), -1, np.int32)
        np.maximum.at(links, to, near[row].astype(np.int32) + self.minimal.spread.hops[goal[to], entry] + 2)
        return (which, channel, share / parts[which]), links


def _some(flows: Flows, rows: I8) -> Flows:
    return Flows(flows.source[rows], flows.target[rows], flows.volume[rows])


def _steps(spread: Spread, goal: I4) -> float:
    """Return about how many steps it takes to push rows to goals."""
    return float(len(np.unique(goal)) * len(spread.to) + len(goal))


def _flat(flow: I8, channel: I4, share: F8) -> tuple[I8, I4, F8]:
    """Return uses of the ports of hosts, one a row."""
    there = (channel >= 0) & (share > 0)
    return np.broadcast_to(flow[:, None], channel.shape)[there], channel[there], share[there]


def summed_usage(flow: I8, channel: I4, share: F8, hops: I4) -> Usage:
    """Return usage in which each flow names each channel once."""
    width = int(channel.max(initial=0)) + 1
    key, row = np.unique(flow * width + channel, return_inverse=True)
    first = np.searchsorted(key, np.arange(len(hops) + 1) * width)
    total = np.bincount(row.reshape(-1), share, len(key)).astype(np.float64)
    return Usage(first.astype(np.int64), (key % width).astype(np.int32), total, hops)
