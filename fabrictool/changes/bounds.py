"""What losses leave at most, for networks too large to be routed anew for each of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fabrictool.changes.all_reduce import whole_hosts
from fabrictool.changes.capacity import Capacity, State
from fabrictool.changes.crossing import by_row
from fabrictool.changes.spanning import Joined
from fabrictool.fabric.grouping import distinct
from fabrictool.fabric.tables import F8, I4
from fabrictool.records import Domain

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Left:
    """What a loss leaves: capacity, hosts lost and impaired, and whether the rest still reach each other."""

    capacity: Capacity
    hosts_lost: int
    hosts_impaired: int
    connected: bool


@dataclass(frozen=True)
class _Level:
    """Groups of switches: what leads out of each, in bytes/s, and the ports of endpoints in it.

    ``group`` is that of each device, -1 for none.
    """

    group: I4
    out: F8
    ports: F8


class Bounding:
    """A network of which the loss of a domain is bounded by what leads out of its leaves and its pods.

    All-to-all of n endpoints sends m (n - m)/(n - 1) of its rate out of a group of m: that is no more than what leads
    out of it; g - 1 of the destinations may be reached by the scale-up of a domain of g. All-reduce keeps its bandwidth
    over the hosts that are whole. Both are what no routing exceeds.

    Attributes
    ----------
    before : State
    most : Capacity
        Of the network before, bounded alike.
    """

    def __init__(self, before: State) -> None:
        self.before = before
        self._read_links()
        endpoint, lane, link = self._read_endpoints()
        self._levels = [self._level(label, self._seat[endpoint, lane]) for label in self._labels(endpoint, lane)]
        wiring, devices = before.wiring, before.wiring.fabric.devices
        tiers = devices.tier[wiring.switch]
        tops = wiring.switch[tiers == tiers.max(initial=0)].astype(np.int64)
        self._joined = Joined(len(devices), self._a, self._z, self._switch_link, self._seat, tops)
        speed = np.bincount(endpoint, weights=self._rate[link], minlength=wiring.hosts)
        self._slowest = float(speed[before.alive].min(initial=np.inf))
        none = np.zeros(0, np.int64)
        rate = self._rate_left(self._size, none, none, False)
        self.most = replace(before.capacity, all_to_all_bytes_per_s=rate)

    def _read_links(self) -> None:
        """Take the links that are up, those of each device, and those between switches."""
        wiring = self.before.wiring
        fabric, devices = wiring.fabric, wiring.fabric.devices
        self._a, self._z = fabric.ends
        live = (fabric.links.network == wiring.network) & ~wiring.faults.links.dead
        self._rate = np.where(live, wiring.channels.speed_bps[: 2 * len(live) : 2], 0.0) / 8
        rows = np.flatnonzero(live)
        both = np.concatenate((self._a[rows], self._z[rows]))
        self._links_of = by_row(both, np.concatenate((rows, rows)), len(devices))
        self._is_switch = devices.tier > 0
        self._switch_link = live & self._is_switch[self._a] & self._is_switch[self._z]

    def _read_endpoints(self) -> tuple[Rows, Rows, Rows]:
        """Take endpoints with their ports and hosts; return endpoint, lane and link of each port that is up."""
        before, wiring = self.before, self.before.wiring
        lanes, devices = wiring.lanes[: wiring.hosts], len(wiring.fabric.devices)
        up = np.where(lanes >= 0, wiring.terminals.up[lanes], -1)
        endpoint, lane = np.nonzero(up >= 0)
        link = (up[endpoint, lane] // 2).astype(np.int64)
        self._lanes_of = by_row(link, endpoint, len(self._rate))
        self._ports = np.bincount(endpoint, minlength=wiring.hosts)
        self._seat = np.where(lanes >= 0, wiring.switch[wiring.terminals.seat[lanes]], -1)
        self._device = wiring.device[: wiring.hosts]
        self._on_device = np.bincount(self._device[before.alive], minlength=devices)
        self._ranks_of = np.bincount(self._device[whole_hosts(wiring, before.alive)], minlength=devices)
        self._size = int(np.count_nonzero(before.alive))
        domain = wiring.domain[: wiring.hosts]
        self._scaled = max(int(np.bincount(domain[domain >= 0], minlength=1).max(initial=1)), 1)
        return endpoint, lane, link

    def _labels(self, endpoint: Rows, lane: Rows) -> list[I4]:
        """Return the groups of switches that are looked at, (devices,) each: every leaf, and pods if there are any."""
        wiring, devices = self.before.wiring, self.before.wiring.fabric.devices
        seated = np.unique(self._seat[endpoint, lane])
        leaves = np.full(len(devices), -1, np.int32)
        leaves[seated] = np.arange(len(seated), dtype=np.int32)
        if not (devices.pod[wiring.switch] >= 0).any():
            return [leaves]
        return [leaves, np.where(self._is_switch, devices.pod, -1).astype(np.int32)]

    def _level(self, group: I4, seats: I4) -> _Level:
        count = int(group.max(initial=-1)) + 1
        out = np.zeros(count)
        ga, gz = group[self._a], group[self._z]
        leads = self._switch_link & (ga != gz)
        for side in (ga, gz):
            mine = leads & (side >= 0)
            out += np.bincount(side[mine], weights=self._rate[mine], minlength=count)
        held = group[seats]
        return _Level(group, out, np.bincount(held[held >= 0], minlength=count).astype(np.float64))

    def left(self, domain: Domain) -> Left:
        """Return what the loss of a domain leaves."""
        link = self._lost(domain)
        ends = self._lanes_of.of(link)
        hit, ports = np.unique(ends, return_counts=True)
        dead = hit[ports >= self._ports[hit]]
        alive = self.before.alive.copy()
        alive[dead] = False
        endpoints = int(np.count_nonzero(alive))
        between = link[self._switch_link[link]]
        lost_switches = np.array([row for row in domain.devices if self._is_switch[row]], dtype=np.int64)
        connected = not len(between) or self._joined.without(lost_switches, between, alive)
        broken, number = np.unique(self._device[dead], return_counts=True)
        lost = int(np.count_nonzero(number >= self._on_device[broken]))
        was = self.before.capacity
        capacity = Capacity(
            was.hosts - lost,
            endpoints,
            was.ranks - int(self._ranks_of[broken].sum()),
            max(was.pairs - (self._size * (self._size - 1) - endpoints * (endpoints - 1)), 0),
            was.all_reduce_bytes_per_s,
            self._rate_left(endpoints, link, between, len(hit) > len(dead)),
        )
        return Left(capacity, lost, len(broken) - lost, connected)

    def _lost(self, domain: Domain) -> Rows:
        devices = np.array(domain.devices, dtype=np.int64)
        link = np.concatenate((np.array(domain.links, dtype=np.int64), self._links_of.of(devices)))
        link = distinct(link)
        return link[self._rate[link] > 0]

    def _rate_left(self, endpoints: int, link: Rows, between: Rows, halved: bool) -> float | None:
        """Return the most that each endpoint sends, in bytes/s."""
        if endpoints < 2:
            return None
        lanes = max(int(self._ports.max(initial=1)), 1)
        outside = max(endpoints - self._scaled, 1)
        most = self._slowest * (endpoints - 1) / outside * (1 - 1 / lanes if halved else 1.0)
        at_hosts = link[~self._switch_link[link]]
        for level in self._levels:
            out, ports = level.out.copy(), level.ports.copy()
            for side, beyond in ((self._a, self._z), (self._z, self._a)):
                group = level.group[side[between]]
                mine = (group >= 0) & (group != level.group[beyond[between]])
                np.subtract.at(out, group[mine], self._rate[between[mine]])
                seat = level.group[side[at_hosts]]
                np.subtract.at(ports, seat[seat >= 0], 1.0)
            leaving = ports * np.maximum(endpoints - ports - self._scaled + 1, 0) / (endpoints - 1) / lanes
            busy = leaving > 1e-9
            if busy.any():
                most = min(most, float((np.maximum(out[busy], 0) / leaving[busy]).min()))
        return most
