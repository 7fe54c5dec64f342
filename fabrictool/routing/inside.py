"""Traffic inside scale-up domains: it never touches the network."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fabrictool.fabric.tables import F8, I4
from fabrictool.routing.flows import Flows, Routing, Usage, flows
from fabrictool.routing.wiring import Wiring


@dataclass(frozen=True)
class ScaleUp(Routing):
    """A routing of the network, with flows inside a scale-up domain over NVLink or the like.

    Such a flow uses the scale-up port of its source outwards and that of its target inwards, and no link.

    Parameters
    ----------
    network : Routing
        What routes the other flows.
    """

    network: Routing
    name: str = field(init=False)
    wiring: Wiring = field(init=False)
    efficiency: float = field(init=False)

    def __post_init__(self) -> None:
        """Take over what the network's routing is."""
        object.__setattr__(self, "name", self.network.name)
        object.__setattr__(self, "wiring", self.network.wiring)
        object.__setattr__(self, "efficiency", self.network.efficiency)

    def usage(self, flows: Flows) -> Usage:
        """Return the channels that each flow uses."""
        inside = same_domain(self.wiring, flows.source, flows.target)
        if not inside.any():
            return self.network.usage(flows)
        outside = self.network.usage(flows.some(~inside))
        count = np.full(len(flows), 2, np.int64)
        count[~inside] = np.diff(outside.first)
        first = np.concatenate(([0], np.cumsum(count)))
        within = np.repeat(inside, count)
        channel, share = np.empty(int(first[-1]), np.int32), np.ones(int(first[-1]))
        channel[~within], share[~within] = outside.channel, outside.share
        scale_up = self.wiring.scale_up
        ends = (scale_up[flows.source[inside]], scale_up[flows.target[inside]] + 1)
        channel[within] = np.column_stack(ends).ravel()
        hops = np.zeros(len(flows), np.int32)
        hops[~inside] = outside.hops
        return Usage(first, channel, share, hops)

    def loads(self, flows: Flows) -> F8:
        """Return the volume on each channel, (channels,)."""
        inside = same_domain(self.wiring, flows.source, flows.target)
        load = self.network.loads(flows.some(~inside) if inside.any() else flows)
        _add_scale_up(self.wiring, flows.some(inside), load)
        return load

    def all_to_all(self) -> tuple[F8, dict[int, float]]:
        """Return what channels carry when every host sends 1 to every other; inside domains by 0 links."""
        load, hops = self.network.all_to_all()
        source, target = domain_pairs(self.wiring.domain[: self.wiring.hosts])
        if not len(source):
            return load, hops
        inside = flows(source, target)
        used = self.network.usage(inside)
        load -= used.loads(inside.volume, len(load))
        _add_scale_up(self.wiring, inside, load)
        for links, pairs in zip(*np.unique(used.hops, return_counts=True), strict=True):
            hops[int(links)] = hops.get(int(links), 0.0) - float(pairs)
        hops[0] = hops.get(0, 0.0) + len(source)
        return load, {links: pairs for links, pairs in sorted(hops.items()) if pairs}


def _add_scale_up(wiring: Wiring, inside: Flows, load: F8) -> None:
    np.add.at(load, wiring.scale_up[inside.source], inside.volume)
    np.add.at(load, wiring.scale_up[inside.target] + 1, inside.volume)


def same_domain(wiring: Wiring, source: I4, target: I4) -> np.ndarray:
    """Return which flows stay inside a scale-up domain, (flows,) bool."""
    domain = wiring.domain
    inside: np.ndarray = (domain[source] >= 0) & (domain[source] == domain[target])
    return inside


def domain_pairs(domain: I4) -> tuple[I4, I4]:
    """Return all ordered pairs of different endpoints of one domain; -1 is none.

    Parameters
    ----------
    domain : (endpoints,) int32
    """
    member = np.flatnonzero(domain >= 0)
    order = member[np.argsort(domain[member], kind="stable")].astype(np.int32)
    sizes = np.unique(domain[order], return_counts=True)[1]
    start = np.cumsum(sizes) - sizes
    squares = sizes * sizes
    source = np.repeat(order, np.repeat(sizes, sizes))
    within = np.arange(len(source)) - np.repeat(np.cumsum(squares) - squares, squares)
    target = order[np.repeat(start, squares) + within % np.repeat(sizes, squares)]
    apart = source != target
    return source[apart], target[apart]
