"""All-reduce over the hosts that are whole, as the model ``rounds`` of collectives sees large messages.

The algorithm is the default one of collectives. Where GPUs share scale-up domains it is hierarchical: a
ring inside each domain, then a ring from host h to host h + 1 on each rail, all rails at once. Elsewhere
it is one ring over all ranks. For large messages latency counts nothing, and a round takes as long as its
slowest channel: seconds per byte are the sum over rounds of ``repeat x share x max(8 load / speed)``, and

    busbw = 2 (N - 1) / N / seconds per byte.

A host takes part if all its endpoints have network; the ring closes over those that do. Adapters whose
GPUs nobody knows form a domain for each host, and what stays in it takes no time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrictool.collectives.entries import Group, Round, Schedule
from fabrictool.collectives.schedules import ALGORITHMS, bus_factor, default_algorithm
from fabrictool.fabric.tables import F8, I4, Bool
from fabrictool.routing.flows import Flows, Routing, flows
from fabrictool.routing.wiring import Wiring


@dataclass(frozen=True)
class NetworkRound:
    """Flows that cross the network together.

    Parameters
    ----------
    flows : Flows
        Each of volume 1.
    weight : float
        Bytes of each flow over all repeats, for one byte of the message.
    inside : float
        Seconds for each byte of a flow that what stays in scale-up domains takes meanwhile.
    """

    flows: Flows
    weight: float
    inside: float


@dataclass(frozen=True)
class AllReduce:
    """The rounds of an all-reduce over so many ranks."""

    ranks: int
    rounds: tuple[NetworkRound, ...]

    def busbw_bytes_per_s(self, slowest: list[float]) -> float | None:
        """Return the bus bandwidth, given for each round the seconds for each byte of a flow in the network.

        0 where these are infinite; None if nothing limits: fewer than two ranks, or one host of adapters.
        """
        seconds = sum(
            step.weight * max(step.inside, outside) for step, outside in zip(self.rounds, slowest, strict=True)
        )
        return bus_factor("all-reduce", self.ranks) / seconds if seconds else None


def all_reduce(wiring: Wiring, whole: Bool) -> AllReduce:
    """Return the rounds of an all-reduce.

    Parameters
    ----------
    wiring : Wiring
    whole : (hosts,) bool
        Endpoints that take part.
    """
    rank, domain = _ranks(wiring, np.flatnonzero(whole).astype(np.int32))
    if len(rank) < 2:
        return AllReduce(len(rank), ())
    group = Group(len(rank), np.where(domain >= 0, domain, -1 - np.arange(len(rank))))
    schedule: Schedule = ALGORITHMS["all-reduce"][default_algorithm("all-reduce", group)].rounds(group)
    rounds = []
    for entry in schedule:
        assert isinstance(entry, Round)
        assert isinstance(entry.share, float)
        source, target = rank[entry.source], rank[entry.target]
        apart = group.domain[entry.source] != group.domain[entry.target]
        inside = _inside_s(wiring, source[~apart], target[~apart])
        rounds.append(NetworkRound(flows(source[apart], target[apart]), entry.repeat * entry.share, inside))
    return AllReduce(len(rank), tuple(rounds))


def whole_hosts(wiring: Wiring, alive: Bool) -> Bool:
    """Return which endpoints are of hosts all of whose endpoints are alive, (hosts,)."""
    device = wiring.device[: wiring.hosts]
    broken = np.zeros(len(wiring.fabric.devices), bool)
    broken[device[~alive]] = True
    whole: Bool = ~broken[device]
    return whole


def busbw_bytes_per_s(routing: Routing, plan: AllReduce) -> float | None:
    """Return the bus bandwidth of an all-reduce; 0 if a flow has no way, None if nothing limits."""
    slowest, seconds = [], seconds_per_byte(routing.wiring)
    for step in plan.rounds:
        used = routing.usage(step.flows)
        if (used.hops < 0).any():
            return 0.0
        slowest.append(float((used.loads(step.flows.volume, len(seconds)) * seconds).max(initial=0.0)))
    return plan.busbw_bytes_per_s(slowest)


def seconds_per_byte(wiring: Wiring) -> F8:
    """Return the seconds that a byte takes on each channel, 0 where nothing crosses it, (channels,)."""
    speed = wiring.channels.speed_bps
    return np.divide(8.0, speed, out=np.zeros_like(speed), where=speed > 0)


def _ranks(wiring: Wiring, endpoint: I4) -> tuple[I4, I4]:
    """Return endpoints in rank order, and the domain of each, -1 for none."""
    device, known = wiring.device[endpoint], wiring.gpu[endpoint] >= 0
    if known.any() or len(np.unique(device)) == len(device):
        return endpoint, wiring.domain[endpoint]
    _, first, where = np.unique(device, return_index=True, return_inverse=True)
    order = np.lexsort((wiring.terminals.port[wiring.lanes[endpoint, 0]], wiring.rail[endpoint], first[where]))
    return endpoint[order].astype(np.int32), device[order]


def _inside_s(wiring: Wiring, source: I4, target: I4) -> float:
    """Return the seconds a byte of each flow takes through scale-up ports, 0 where none are known."""
    out, into = wiring.scale_up[source], wiring.scale_up[target] + 1
    if not len(out) or (out < 0).any():
        return 0.0
    uses = np.bincount(np.concatenate((out, into)), minlength=len(wiring.channels))
    return float((uses * seconds_per_byte(wiring)).max())
