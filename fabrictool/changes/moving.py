"""Loads after a loss, from those before: only pairs whose way crosses what is lost are walked again.

On a tree under D-mod-k a pair of a leaf and a destination goes the first way, in a fixed order, all of
whose links are up. A loss elsewhere removes other ways only, so the pair keeps its own: loads change by
the pairs that cross a lost link, and by those that start or end at a lost host port.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.changes.all_reduce import AllReduce, all_reduce, whole_hosts
from fabrictool.changes.capacity import State
from fabrictool.changes.crossing import Crossings, LinkPlaces, by_row, crossing_pairs, lost_links, pairs_by_channel
from fabrictool.fabric.tables import F8, I4, Bool
from fabrictool.kernels import flows as flow_kernels
from fabrictool.kernels.flows import MAX_PATH
from fabrictool.kernels.moved import add_pair_loads
from fabrictool.records import Domain
from fabrictool.routing.flows import Flows, Routing
from fabrictool.routing.modk import ModK, ranks_of

I8 = npt.NDArray[np.int64]

#: Leaves times destinations up to which loads are moved: their ways take 0.5 GB. Above, each loss is a rebuild.
MOST_PAIRS = 1 << 25


def can_move(routing: Routing) -> bool:
    """Return whether loads of a routing can be moved: a tree with one port for each endpoint, not too large."""
    if not isinstance(routing, ModK) or routing.wiring.lanes.shape[1] != 1 or not routing.wiring.hosts:
        return False
    tables = routing.lanes[0]
    port = tables.port_channel[: routing.wiring.hosts]
    live = port[port >= 0]
    leaves = len(np.unique(tables.leaf[: routing.wiring.hosts]))
    return len(np.unique(live)) == len(live) and leaves * routing.wiring.hosts <= MOST_PAIRS


class MovingLoads:
    """A tree whose loads are known, ready to say what each loss makes of them.

    Parameters
    ----------
    routing : ModK
        With one port for each endpoint; ``can_move`` says whether it will do.
    before : State
        Of the same routing.
    """

    def __init__(self, routing: ModK, before: State) -> None:
        wiring = routing.wiring
        tables = ranks_of(routing.lanes[0], np.arange(wiring.hosts))
        columns = {name: getattr(tables, name).copy() for name in ("port_channel", "own_channel", "up_channel")}
        self.before, self.wiring = before, wiring
        self._tables = tables._replace(scale_up=np.full(len(tables.leaf), -1, np.int32), **columns)
        self._mirrored = routing.name == "s-mod-k"  # the same ways, walked from the other end
        self._load = mirrored(before.load) if self._mirrored else before.load
        self._seconds = mirrored(before.seconds) if self._mirrored else before.seconds
        leaf, self._row = np.unique(tables.leaf, return_inverse=True)
        self._leaf, self._ranks = leaf.astype(np.int32), np.flatnonzero(tables.port_channel >= 0)
        self._port = tables.port_channel[self._ranks]
        self._links = LinkPlaces(self._tables, len(wiring.fabric.links))
        self._pairs = pairs_by_channel(self._tables, self._leaf, len(wiring.channels))
        self._steps = 3.0 * len(self._leaf) * len(self._row)
        self._reached = self._base_reach()
        self._unit: tuple[int, F8, F8] = (-1, self._load, self._load)
        self._base_plan = self._plan(before.alive)
        self._rounds = [self._paths(step.flows) for step in self._base_plan.rounds]

    def after(self, domain: Domain) -> State:
        """Return the state without a domain."""
        link = lost_links(self.wiring, domain)
        rank = self._links.rank.of(link)
        crossing = crossing_pairs(self._pairs, link, rank, (len(self._leaf), len(self._row)))
        load, sent, received = self._load.copy(), self._reached[0].copy(), self._reached[1].copy()
        ranks = self._silenced(rank, load, received)
        self._add(crossing, -ranks, -1.0, load, sent, received)
        undo = self._links.cut(self._tables, link)
        try:
            self._add(crossing, ranks, 1.0, load, sent, received)
            alive = self._write_ends(load, sent, received)
            pairs = round(float(ranks @ sent) - float(ranks.sum()))
            busbw = self._busbw(link, alive)
        finally:
            undo()
        load = mirrored(load) if self._mirrored else load
        return State(self.wiring, load, alive, pairs, busbw, self.before.seconds)

    def _base_reach(self) -> tuple[F8, F8]:
        """Return the destinations that each leaf reaches, and the ranks that reach each, from loads of host links."""
        sent, received = np.zeros(len(self._leaf)), np.zeros(len(self._row))
        sent[self._row[self._ranks]] = self._load[self._port] + 1.0
        received[self._ranks] = self._load[self._port ^ 1] + 1.0
        return sent, received

    def _silenced(self, rank: I8, load: F8, received: F8) -> F8:
        """Take off what lost ranks send, by the ways as they were; return the ranks left under each leaf."""
        ranks = np.bincount(self._row[self._ranks], minlength=len(self._leaf)).astype(np.float64)
        hit = np.bincount(self._row[rank], minlength=len(ranks))
        for row in np.flatnonzero(hit).tolist():
            count = hit[row]
            if self._unit[0] != row:  # losses tend to come leaf by leaf
                one = (np.zeros_like(load), np.zeros_like(received))
                every = row * len(received) + np.arange(len(received), dtype=np.int64)
                self._add(every, np.ones(len(ranks)), 0.0, one[0], np.zeros(len(ranks)), one[1])
                self._unit = (row, *one)
            load -= count * self._unit[1]
            received -= count * self._unit[2]
            ranks[row] -= count
        return ranks

    def _add(self, pair: I8, ranks: F8, destinations: float, load: F8, sent: F8, received: F8) -> None:
        if len(pair):
            add_pair_loads(self._steps)(self._tables, self._leaf, pair, ranks, destinations, load, sent, received)

    def _write_ends(self, load: F8, sent: F8, received: F8) -> Bool:
        """Write the loads of host links, a rank itself left out; return which ranks have network."""
        live = self._tables.port_channel[self._ranks] >= 0
        load[self._port] = np.where(live, sent[self._row[self._ranks]] - 1.0, 0.0)
        load[self._port ^ 1] = np.where(live, received[self._ranks] - 1.0, 0.0)
        alive = np.zeros(len(self._row), bool)
        alive[self._ranks] = np.minimum(load[self._port], load[self._port ^ 1]) > 0.0
        return alive

    def _plan(self, alive: Bool) -> AllReduce:
        return all_reduce(self.wiring, whole_hosts(self.wiring, alive))

    def _busbw(self, link: I4, alive: Bool) -> float | None:
        """Return the all-reduce bandwidth with links cut."""
        same = np.array_equal(alive, self.before.alive)
        plan = self._base_plan if same else self._plan(alive)
        slowest = []
        for at, step in enumerate(plan.rounds):
            base = self._rounds[min(at, len(self._rounds) - 1)]
            slowest.append(self._moved_s(base, None if same else step.flows, base.crossings.across(link)))
        return plan.busbw_bytes_per_s(slowest)

    def _paths(self, flows: Flows) -> _RoundPaths:
        """Return the ways of a round in the tables as they are."""
        every = np.arange(len(flows), dtype=np.int64)
        path, length = self._walk(flows.source, flows.target)
        used = np.arange(MAX_PATH) < length[:, None]
        flow = np.repeat(every, np.maximum(length, 0))
        crossings = by_row(path[used], flow, len(self._seconds))
        return _RoundPaths(flows, path, length, self._counted(path, length), crossings)

    def _moved_s(self, base: _RoundPaths, flows: Flows | None, cut: I8) -> float:
        """Return the seconds of the slowest channel; infinite if a flow has no way.

        Parameters
        ----------
        base : _RoundPaths
        flows : Flows or None
            Flows of this round now, of which each source has one; None: as before.
        cut : (flows,) int64
            Flows of before whose way is cut.
        """
        again = np.zeros(len(base.flows), bool)
        again[cut] = True
        gone, source, target = again, base.flows.source[again], base.flows.target[again]
        if flows is not None:
            kept = self._goal(flows)[base.flows.source] == base.flows.target
            fresh = self._goal(base.flows)[flows.source] != flows.target
            gone, again = again | ~kept, again & kept
            source = np.concatenate((base.flows.source[again], flows.source[fresh]))
            target = np.concatenate((base.flows.target[again], flows.target[fresh]))
        path, length = self._walk(source, target)
        if (length < 0).any() or (base.length[~gone] < 0).any():
            return np.inf
        load = base.load - self._counted(base.path[gone], base.length[gone]) + self._counted(path, length)
        return float((load * self._seconds).max(initial=0.0))

    def _goal(self, flows: Flows) -> I4:
        """Return the target of each rank, -1 without one, (ranks,)."""
        goal = np.full(len(self._row), -1, np.int32)
        goal[flows.source] = flows.target
        return goal

    def _walk(self, source: I4, target: I4) -> tuple[I4, I4]:
        path, length = np.full((len(source), MAX_PATH), -1, np.int32), np.empty(len(source), np.int32)
        start, end = (target, source) if self._mirrored else (source, target)
        flow_kernels.flow_paths(self._steps)(self._tables, start, end, path, length)
        return path, length

    def _counted(self, path: I4, length: I4) -> F8:
        used = path[np.arange(MAX_PATH) < length[:, None]]
        return np.bincount(used, minlength=len(self._seconds)).astype(np.float64)


@dataclass(frozen=True)
class _RoundPaths:
    """The ways of a round's flows: paths, what channels carry, and the flows that cross each."""

    flows: Flows
    path: I4
    length: I4
    load: F8
    crossings: Crossings


def mirrored(column: F8) -> F8:
    """Return a column of channels with both directions of each link exchanged."""
    return column.reshape(-1, 2)[:, ::-1].ravel()
