"""What stays inside a scale-up domain, and PXN: to the GPU on the destination's rail first, then along that rail.

References
----------
NVIDIA, "Doubling all2all Performance with NVIDIA Collective Communication Library 2.12", 2022: PXN (PCI x NVLink)
moves what is meant for another rail to the local GPU on that rail, so that it need not cross spines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, I4
from fabrictool.routing.flows import Flows, Routing, Usage
from fabrictool.routing.wiring import Wiring

I8 = npt.NDArray[np.int64]

#: Flows that are routed at once.
_BLOCK = 1 << 20


def proxies(wiring: Wiring, source: I4, target: I4) -> I4:
    """Return the endpoint that sends each flow into the network.

    Within a scale-up domain it is the target itself: the network is not used. Else it is the endpoint on the
    target's rail in the source's domain, in the source's own host if that has one, that has a live port; where
    there is none, the source itself.

    Parameters
    ----------
    wiring : Wiring
    source, target : (flows,) int32
        Endpoints.

    Returns
    -------
    (flows,) int32
    """
    rail, row = np.unique(wiring.rail, return_inverse=True)
    table = np.array([_proxies_on(wiring, int(number)) for number in rail]).reshape(len(rail), wiring.endpoints)
    return _within(wiring, source, target, table[row.reshape(-1)[target], source])


def _within(wiring: Wiring, source: I4, target: I4, proxy: I4) -> I4:
    """Return the target itself where it shares the source's domain, else the proxy."""
    domain = wiring.domain
    found: I4 = np.where((domain[source] == domain[target]) & (domain[source] >= 0), target, proxy).astype(np.int32)
    return found


def _proxies_on(wiring: Wiring, rail: int) -> I4:
    """Return for each endpoint the one that sends for it to a rail, (endpoints,)."""
    own = np.arange(wiring.endpoints, dtype=np.int32)
    live = (np.where(wiring.lanes >= 0, wiring.terminals.up[wiring.lanes], -1) >= 0).any(axis=1)
    able = np.flatnonzero(live & (wiring.rail == rail) & (wiring.domain >= 0)).astype(np.int32)
    if rail < 0 or not len(able):
        return own
    found = _nth_of(wiring.domain, able, own)
    at_home = _nth_of(wiring.device, able, own)
    found = np.where(at_home >= 0, at_home, found)
    stay = (wiring.domain < 0) | (found < 0) | ((wiring.rail == rail) & live)
    chosen: I4 = np.where(stay, own, found)
    return chosen


def _nth_of(label: I4, able: I4, own: I4) -> I4:
    """Return for each endpoint one of those able of its label, in turn where there are several; -1 for none."""
    order = able[np.argsort(label[able], kind="stable")]
    first, end = (np.searchsorted(label[order], label, side) for side in ("left", "right"))
    count = end - first
    pick = order[np.minimum(first + own % np.maximum(count, 1), len(order) - 1)]
    found: I4 = np.where(count > 0, pick, -1).astype(np.int32)
    return found


@dataclass(frozen=True)
class Pxn(Routing):
    """A routing of a network, with scale-up domains before it.

    What stays inside a domain takes its ideal switch. The rest goes to the proxy on the target's rail first. Only
    links of the network count as hops.

    Parameters
    ----------
    name : str
    wiring : Wiring
    network : Routing
        How what leaves a domain goes on from the proxy.
    """

    name: str
    wiring: Wiring
    network: Routing

    @property
    def efficiency(self) -> float:  # type: ignore[override]
        """That of the network's routing."""
        return self.network.efficiency

    def usage(self, flows: Flows) -> Usage:
        """Return scale-up out of the source and into the proxy, then what the network uses from there."""
        proxy = proxies(self.wiring, flows.source, flows.target)
        outside = np.flatnonzero(proxy != flows.target)
        moved = np.flatnonzero(proxy != flows.source)
        inner = self.network.usage(_part(flows, proxy, outside))
        up = self.wiring.scale_up
        row = np.concatenate((moved, moved, np.repeat(outside, np.diff(inner.first))))
        channel = np.concatenate((up[flows.source[moved]], up[proxy[moved]] + 1, inner.channel))
        share = np.concatenate((np.ones(2 * len(moved)), inner.share))
        hops = np.zeros(len(flows), np.int32)
        hops[outside] = inner.hops
        kept = hops[row] >= 0
        row, channel, share = row[kept], channel[kept], share[kept]
        order = np.argsort(row, kind="stable")
        first = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=len(flows)), dtype=np.int64)))
        return Usage(first, channel[order].astype(np.int32), share[order], hops)

    def loads(self, flows: Flows) -> F8:
        """Return the volume on each channel, (channels,)."""
        proxy = proxies(self.wiring, flows.source, flows.target)
        outside = np.flatnonzero(proxy != flows.target)
        inner = _part(flows, proxy, outside)
        load = self.network.loads(inner)
        reached = np.ones(len(flows), bool)
        reached[outside] = self.network.hops(inner) >= 0
        moved = np.flatnonzero((proxy != flows.source) & reached)
        up = self.wiring.scale_up
        for channel in (up[flows.source[moved]], up[proxy[moved]] + 1):
            load += np.bincount(channel, flows.volume[moved], len(load))
        return load

    def all_to_all(self) -> tuple[F8, dict[int, float]]:
        """Return loads when every host sends to every other, and pairs by links on the way, -1 for none.

        What several members of a domain send by one proxy to a target is one flow.
        """
        wiring, up = self.wiring, self.wiring.scale_up
        load, pairs = self._inside()
        found: F8 = np.bincount([1], [pairs]).astype(np.float64)
        own = np.arange(wiring.hosts, dtype=np.int32)
        for rail in np.unique(wiring.rail[: wiring.hosts]).tolist():
            proxy = _proxies_on(wiring, rail)[: wiring.hosts]
            moved, reached = np.flatnonzero(proxy != own), np.zeros(wiring.endpoints)
            for flows in self._sent(proxy, np.flatnonzero(wiring.rail[: wiring.hosts] == rail)):
                load += self.network.loads(flows)
                links = self.network.hops(flows)
                reached += np.bincount(flows.source, links >= 0, wiring.endpoints)
                found = _added(found, links + 1, flows.volume)
            for channel in (up[moved], up[proxy[moved]] + 1):
                load += np.bincount(channel, reached[proxy[moved]], len(load))
        return load, {links - 1: float(found[links]) for links in np.flatnonzero(found).tolist()}

    def _sent(self, proxy: I4, target: I4 | I8) -> Iterator[Flows]:
        """Yield what leaves domains for some targets, by the proxy of each host, in blocks."""
        domain = self.wiring.domain
        sender, count = np.unique(proxy, return_counts=True)
        step = max(1, _BLOCK // max(len(sender), 1))
        for low in range(0, len(target), step):
            to = np.repeat(target[low : low + step], len(sender)).astype(np.int32)
            by, volume = (np.tile(column, len(to) // len(sender)) for column in (sender, count))
            out = (by != to) & ((domain[by] != domain[to]) | (domain[to] < 0))
            yield Flows(by[out], to[out], volume[out].astype(np.float64))

    def _inside(self) -> tuple[F8, float]:
        """Return loads and number of the pairs that stay inside domains."""
        load = np.zeros(len(self.wiring.channels))
        member = np.flatnonzero(self.wiring.domain[: self.wiring.hosts] >= 0)
        _, row, size = np.unique(self.wiring.domain[member], return_inverse=True, return_counts=True)
        up = self.wiring.scale_up[member]
        load[up] = load[up + 1] = size[row] - 1
        return load, float((size * (size - 1)).sum())


def _part(flows: Flows, proxy: I4, rows: I8) -> Flows:
    """Return some of the flows, from their proxies on."""
    key, path = ([column[row] for row in rows.tolist()] if column else None for column in (flows.key, flows.path))
    return Flows(proxy[rows], flows.target[rows], flows.volume[rows], key, path)


def _added(total: F8, place: npt.NDArray[Any], weight: npt.NDArray[Any]) -> F8:
    """Return counts with more added to them, longer where they must be."""
    more: F8 = np.bincount(place, weight, len(total)).astype(np.float64)
    more[: len(total)] += total
    return more
