"""Forwarding tables: the way out of every switch for every destination, and the loads that follow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, I2, I4
from fabrictool.kernels.tables import HERE, Forwarding, table_loads, table_paths
from fabrictool.routing.flows import LONGEST, Flows, Routing, Usage, joined_usage, usage_of_paths
from fabrictool.routing.wiring import Wiring


@dataclass(frozen=True)
class TableRouting(Routing):
    """Routing by forwarding tables, as InfiniBand switches do it.

    Parameters
    ----------
    name : str
    wiring : Wiring
    out : (switches, terminals) int16
        Way out of each switch for each terminal: a place among ``wiring.ways`` of the switch, ``HERE`` on
        the terminal's own switch, ``NOWHERE`` where there is none.
    """

    name: str
    wiring: Wiring
    out: I2

    @property
    def tables(self) -> Forwarding:
        """The tables as kernels read them."""
        ways, terminals = self.wiring.ways, self.wiring.terminals
        return Forwarding(self.out, ways.first, ways.channel, ways.to, terminals.seat, terminals.up)

    def usage(self, flows: Flows) -> Usage:
        """Return the path of each flow; a volume is split evenly over the lanes that have a way."""
        tables, lanes = self.tables, self.wiring.lanes
        parts = []
        for lane in range(lanes.shape[1]):
            path = np.empty((len(flows), LONGEST), np.int32)
            length = np.empty(len(flows), np.int32)
            source, target = lanes[flows.source, lane], lanes[flows.target, lane]
            table_paths(4 * len(flows))(tables, source, target, path, length)
            parts.append(usage_of_paths(path, length))
        return joined_usage(parts)

    def all_to_all(self) -> tuple[F8, dict[int, float]]:
        """Return what channels carry when every host sends to every other, and pairs by links on the way."""
        if not self.wiring.alike:
            return super().all_to_all()
        load, _, hops = self._crossed
        return load.copy(), {links or -1: float(hops[links]) for links in np.flatnonzero(hops).tolist()}

    def destinations(self) -> F8:
        """Return for each channel between switches how many destinations really cross it, (channels,)."""
        return self._crossed[1].copy()

    @cached_property
    def _crossed(self) -> tuple[F8, F8, F8]:
        """Loads and numbers of destinations of channels, and pairs by links on the way, 0 for none."""
        wiring, tables = self.wiring, self.tables
        load, crossing = np.zeros(len(wiring.channels)), np.zeros(len(wiring.channels))
        hops = np.zeros(LONGEST + 1)
        lanes = wiring.lanes.shape[1]
        for lane in range(lanes):
            terminal = wiring.lanes[: wiring.hosts, lane]
            terminal = terminal[terminal >= 0]
            there = terminal[tables.up[terminal] >= 0]
            sent = np.bincount(tables.seat[there], minlength=len(wiring.switch)).astype(np.float64) / lanes
            run = table_loads(4.0 * len(there) * len(wiring.switch))
            arrived, served = np.zeros(len(there)), np.zeros(len(wiring.switch))
            run(tables, there.astype(np.int32), sent, load, crossing, hops, arrived, served, LONGEST)
            seat = tables.seat[there]
            itself = tables.out[seat, there] == HERE
            load[tables.up[there]] += (served[seat] - itself) / lanes  # what arrives alone
            load[tables.up[there] ^ 1] += (np.rint(arrived * lanes) - itself) / lanes
            hops[2] -= np.count_nonzero(itself) / lanes
            pairs = wiring.hosts * (wiring.hosts - 1) - len(there) * (len(there) - 1)
            hops[0] += (pairs - np.count_nonzero(~itself)) / lanes
        return load, crossing, hops


def reach(routing: TableRouting, terminal: I4) -> npt.NDArray[np.bool_]:
    """Return whether what starts at each switch arrives at each terminal, (switches, terminals).

    All ways are followed at once by doubling the stride, in log2(LONGEST) steps.
    """
    tables = routing.tables
    switches = len(tables.first) - 1
    found = np.zeros((switches, len(terminal)), bool)
    step = max(1, (1 << 24) // max(switches, 1))
    row = np.arange(switches, dtype=np.int32)[:, None]
    for low in range(0, len(terminal), step):
        part = terminal[low : low + step]
        out = tables.out[:, part]
        way = np.where(out >= 0, tables.first[:-1, None] + out, 0)
        to = np.where(out >= 0, tables.to[way] if len(tables.to) else 0, np.where(out == HERE, row, -1))
        to = np.where((out == HERE) & (tables.up[part] < 0), -1, to).astype(np.int32)
        column = np.arange(len(part))
        for _ in range(int(np.log2(LONGEST))):
            to = np.where(to >= 0, to[to, column], -1)
        found[:, low : low + step] = (to >= 0) & (to == tables.seat[part])
    return found
