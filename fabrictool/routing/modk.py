"""The routings D-mod-k and S-mod-k of a tree, as loads by aggregation, as paths, and as forwarding tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabrictool.fabric.parts import joined_by_tier
from fabrictool.fabric.tables import F8, I2, I4
from fabrictool.kernels.flows import RouteTables
from fabrictool.kernels.modk import Seats, modk_table
from fabrictool.kernels.tables import HERE, NOWHERE
from fabrictool.routing.dmodk import route_tables
from fabrictool.routing.flows import Flows, Routing, Usage, joined_usage, usage_of_paths
from fabrictool.routing.forwarding import TableRouting
from fabrictool.routing.loads import all_to_all_loads, paths, regular_flow_loads
from fabrictool.routing.regular import RegularTree, regular_tree
from fabrictool.routing.wiring import Wiring


@dataclass(frozen=True)
class ModK(Routing):
    """D-mod-k, or S-mod-k where the source's key chooses.

    Parameters
    ----------
    name : {"d-mod-k", "s-mod-k"}
    wiring : Wiring
    """

    name: str
    wiring: Wiring

    @cached_property
    def lanes(self) -> list[RouteTables]:
        """Tables of each lane, scale-up left out: what stays in a host is not this routing's."""
        alone = np.full(self.wiring.endpoints, -1, np.int32)
        return [tables._replace(scale_up=alone) for tables in route_tables(self.wiring)]

    @cached_property
    def trees(self) -> list[RegularTree | None]:
        """Regularity of each lane among hosts, where it is proven; none with faults."""
        wiring = self.wiring
        if wiring.faults:
            return [None] * len(self.lanes)
        lanes = [ranks_of(tables, np.arange(wiring.hosts)) for tables in self.lanes]
        return [regular_tree(wiring.fabric, wiring.network, tables, wiring.channels) for tables in lanes]

    @cached_property
    def whole(self) -> list[RegularTree | None]:
        """The same where all hosts are joined, so that every pair has a way: what closed forms take for granted."""
        found = []
        for lane, tree in enumerate(self.trees):
            part = self.wiring.parts_of(lane)[: self.wiring.hosts]
            found.append(tree if (part == part[:1]).all() else None)
        return found

    def usage(self, flows: Flows) -> Usage:
        """Return the path of each flow; a volume is split evenly over the lanes that have a way."""
        by_source = self.name == "s-mod-k"
        start, end = self._ends(flows)
        known = self._counts_by_number(flows)
        parts = []
        for tables, tree in zip(self.lanes, self.whole, strict=True):
            if known and tree is not None:
                parts.append(tree.coded.usage(start, end, tables.port_channel, by_source))
                continue
            path, length = paths(tables, start, end)
            parts.append(usage_of_paths(_reversed(path, length) if by_source else path, length))
        return joined_usage(parts)

    def loads(self, flows: Flows) -> F8:
        """Return the volume on each channel, (channels,): of flows among hosts on regular trees by number."""
        wiring, hosts = self.wiring, self.wiring.hosts
        if not self._counts_by_number(flows):
            return super().loads(flows)
        total: F8 = np.zeros(0)
        for tables, tree in zip(self.lanes, self.whole, strict=True):
            if tree is not None:
                lane = ranks_of(tables, np.arange(hosts))
                volume = flows.volume / len(self.lanes)
                load = regular_flow_loads(lane, tree, *self._ends(flows), volume, len(wiring.channels))
                total = total + load if len(total) else load
        return self._turned(total)

    def _ends(self, flows: Flows) -> tuple[I4, I4]:
        """Return senders and receivers; for S-mod-k the other way round, as it walks the ways of D-mod-k backwards."""
        return (flows.target, flows.source) if self.name == "s-mod-k" else (flows.source, flows.target)

    def _counts_by_number(self, flows: Flows) -> bool:
        """Whether all flows are among hosts and all lanes regular."""
        most = max(flows.source.max(initial=-1), flows.target.max(initial=-1))
        return bool(most < self.wiring.hosts) and all(tree is not None for tree in self.whole)

    def all_to_all(self) -> tuple[F8, dict[int, float]]:
        """Return loads when every host sends to every other, and pairs by links on the way, -1 for none."""
        wiring = self.wiring
        if not wiring.alike:
            return super().all_to_all()
        total: F8 = np.zeros(0)
        hops: dict[int, float] = {}
        for tables, tree in zip(self.lanes, self.whole, strict=True):
            ranks = np.flatnonzero(tables.port_channel[: wiring.hosts] >= 0)
            load, found = all_to_all_loads(ranks_of(tables, ranks), len(wiring.channels), tree)
            total = total + load if len(total) else load
            found[-1] = found.get(-1, 0.0) + wiring.hosts * (wiring.hosts - 1) - len(ranks) * (len(ranks) - 1)
            for links, pairs in found.items():
                hops[links] = hops.get(links, 0.0) + pairs / len(self.lanes)
        if len(self.lanes) > 1:
            total /= len(self.lanes)
        return self._turned(total), {links: pairs for links, pairs in hops.items() if pairs}

    def _turned(self, load: F8) -> F8:
        """Return loads of D-mod-k as those of this routing: S-mod-k walks the same ways from the other end."""
        if self.name == "s-mod-k":
            links = 2 * self.wiring.channels.links
            load[:links] = load[:links].reshape(-1, 2)[:, ::-1].ravel()
        return load

    def table(self) -> TableRouting:
        """Return the forwarding tables of D-mod-k."""
        wiring, terminals, ways = self.wiring, self.wiring.terminals, self.wiring.ways
        key = np.zeros(len(terminals), np.int32)
        for lane, tables in zip(wiring.lanes.T, self.lanes, strict=True):
            key[lane[lane >= 0]] = tables.key[lane >= 0]
        out = np.full((len(wiring.switch), len(terminals)), NOWHERE, np.int16)
        live = np.flatnonzero(terminals.up >= 0)
        out[terminals.seat[live], live] = HERE
        tier = wiring.fabric.devices.tier
        way = np.full(len(wiring.channels) + 1, -1, np.int32)
        way[ways.channel] = np.arange(len(ways.channel)) - np.repeat(ways.first[:-1], np.diff(ways.first))
        label = np.array(joined_by_tier(wiring.fabric, wiring.network, through_hosts=False), np.int32)
        device = wiring.switch[terminals.seat]
        order = wiring.switch[np.argsort(tier[wiring.switch], kind="stable")]
        rules = _rules(self.lanes[0], wiring.switch, tier, key)
        seats = Seats(device, order, wiring.place, tier.astype(np.int32), label, label[:, device], way, *rules)
        modk_table(float(out.size))(self.lanes[0], seats, bool(wiring.faults), out)
        return TableRouting(self.name, wiring, out)


def _rules(tables: RouteTables, switch: I4, tier: np.ndarray, key: I4) -> tuple[I4, I2, I2]:
    """Return the rule by which each device chooses, (devices,), and the choices and cables of each rule and key."""
    ups = np.diff(tables.first_up)
    rising = switch[ups[switch] > 0]
    kinds, which = np.unique(
        np.column_stack((tier[rising], ups[rising], tables.width[rising])), axis=0, return_inverse=True
    )
    rule = np.full(len(ups), -1, np.int32)
    rule[rising] = which.ravel()
    level, count, width = (column[:, None] for column in kinds.astype(np.int64).T)
    choice = key // tables.stride[level - 1] % count
    return rule, choice.astype(np.int16), (choice // width).astype(np.int16)


def ranks_of(tables: RouteTables, ranks: np.ndarray) -> RouteTables:
    """Return the tables of some of the ranks, in their order."""
    if len(ranks) == len(tables.leaf):
        return tables
    columns = ("leaf", "port_channel", "key", "domain", "scale_up", "own_device", "own_channel")
    return tables._replace(**{name: getattr(tables, name)[ranks] for name in columns})


def _reversed(path: I4, length: I4) -> I4:
    """Return paths walked from the other end."""
    column = np.arange(path.shape[1])
    at = np.where(column < length[:, None], length[:, None] - 1 - column, column)
    turned: I4 = np.take_along_axis(path, at, axis=1)
    return np.where(column < length[:, None], turned ^ 1, turned).astype(np.int32)
