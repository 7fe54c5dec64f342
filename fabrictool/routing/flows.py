"""Flows between endpoints, and what each uses: one form for every routing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, I4, Table
from fabrictool.routing.wiring import Wiring

I8 = npt.NDArray[np.int64]

#: Links on a way; a longer one is a loop.
LONGEST = 64


@dataclass(frozen=True)
class Flows(Table):
    """Traffic between endpoints of a wiring.

    Parameters
    ----------
    source, target : (flows,) int32
        Endpoints.
    volume : (flows,) float64
        In any unit; loads are in the same.
    key : sequence of bytes, optional
        What an ECMP hash is taken over; by default made up from the endpoints.
    path : (flows,) sequence of (channels,) int32, optional
        Stated paths, channel by channel, for the routing ``explicit``.
    """

    source: I4
    target: I4
    volume: F8
    key: Sequence[bytes] | None = None
    path: Sequence[I4] | None = None

    def some(self, chosen: npt.NDArray[np.bool_]) -> Flows:
        """Return the flows that a mask over them chooses."""
        kept = np.flatnonzero(chosen).tolist()
        key = None if self.key is None else [self.key[row] for row in kept]
        path = None if self.path is None else [self.path[row] for row in kept]
        return Flows(self.source[kept], self.target[kept], self.volume[kept], key, path)


def flows(source: npt.ArrayLike, target: npt.ArrayLike, volume: npt.ArrayLike = 1.0) -> Flows:
    """Return flows of equal or given volumes."""
    start = np.asarray(source, np.int32)
    return Flows(start, np.asarray(target, np.int32), np.broadcast_to(np.asarray(volume, float), start.shape).copy())


def all_pairs(hosts: int) -> Flows:
    """Return one flow for every ordered pair of different hosts, source by source."""
    source, target = np.divmod(np.arange(hosts * hosts, dtype=np.int32), np.int32(max(hosts, 1)))
    apart = source != target
    return flows(source[apart], target[apart])


@dataclass(frozen=True)
class Usage:
    """The channels that each flow uses, as a CSR; a flow without channels has no way.

    Parameters
    ----------
    first : (flows + 1,) int64
        Offsets.
    channel : (uses,) int32
        Along a single path in its order.
    share : (uses,) float64
        Part of the flow's volume that the channel carries.
    hops : (flows,) int32
        Links on the (longest) way, -1 where there is none.
    """

    first: I8
    channel: I4
    share: F8
    hops: I4

    def loads(self, volume: F8, channels: int) -> F8:
        """Return the volume on each channel, (channels,)."""
        amount = np.repeat(volume, np.diff(self.first)) * self.share
        return np.bincount(self.channel, amount, minlength=channels).astype(np.float64)

    def along(self, of_channel: F8) -> F8:
        """Return the sum over each flow's channels of what each has, in parts by its share, (flows,)."""
        part = of_channel[self.channel]
        part *= self.share
        some = np.flatnonzero(np.diff(self.first))
        if len(some) == len(self.hops) > 0:
            return np.add.reduceat(part, self.first[:-1])
        found = np.zeros(len(self.hops))
        if len(some):
            found[some] = np.add.reduceat(part, self.first[some])
        return found


def usage_of_paths(path: I4, length: I4) -> Usage:
    """Return the usage of single paths.

    Parameters
    ----------
    path : (flows, most) int32
        Channels along each path.
    length : (flows,) int32
        How many of them count; -1 where there is no way.
    """
    count = np.maximum(length, 0)
    longest = int(count.max(initial=0))
    first = np.concatenate(([0], np.cumsum(count, dtype=np.int64)))
    channel = path[:, :longest][np.arange(longest) < count[:, None]]
    return Usage(first, channel.astype(np.int32, copy=False), np.ones(len(channel)), length.astype(np.int32))


def joined_usage(parts: Sequence[Usage]) -> Usage:
    """Return the usage of flows whose volume is split evenly over the parts that have a way for them."""
    if len(parts) == 1:
        return parts[0]
    flow = np.concatenate([np.repeat(np.arange(len(part.hops)), np.diff(part.first)) for part in parts])
    ways = np.sum([part.hops >= 0 for part in parts], axis=0)
    order = np.argsort(flow, kind="stable")
    share = np.concatenate([part.share for part in parts]) / ways[flow]
    first = np.concatenate(([0], np.cumsum(np.bincount(flow, minlength=len(ways)), dtype=np.int64)))
    channel = np.concatenate([part.channel for part in parts])
    return Usage(first, channel[order], share[order], np.max([part.hops for part in parts], axis=0).astype(np.int32))


class Routing(ABC):
    """A way to route a network: what flows use, and what links carry.

    Attributes
    ----------
    name : str
    wiring : Wiring
    """

    name: str
    wiring: Wiring
    #: Share of the link speed that traffic reaches, stated for packet spray.
    efficiency: float = 1.0

    @abstractmethod
    def usage(self, flows: Flows) -> Usage:
        """Return the channels that each flow uses."""

    def loads(self, flows: Flows) -> F8:
        """Return the volume on each channel, (channels,), by aggregation where the routing can."""
        return self.usage(flows).loads(flows.volume, len(self.wiring.channels))

    def hops(self, flows: Flows) -> I4:
        """Return the links on the (longest) way of each flow, -1 where there is none, (flows,)."""
        return self.usage(flows).hops

    def all_to_all(self) -> tuple[F8, dict[int, float]]:
        """Return what channels carry when every host sends 1 to every other, without listing all pairs.

        Returns
        -------
        tuple of (channels,) float64 and dict of int to float
            The load, and ordered pairs of hosts by links on their way; those without a way under -1.
        """
        load, hops = np.zeros(len(self.wiring.channels)), np.zeros(LONGEST + 2)
        target = np.arange(self.wiring.hosts, dtype=np.int32)
        for source in range(self.wiring.hosts):
            used = self.usage(flows(np.full(len(target) - 1, source), target[target != source]))
            load += used.loads(np.ones(len(target) - 1), len(load))
            hops += np.bincount(used.hops + 1, minlength=LONGEST + 2)
        return load, {links - 1: float(hops[links]) for links in np.flatnonzero(hops).tolist()}
