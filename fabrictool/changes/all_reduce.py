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
        The largest of volume 1.
    weight : float
        Bytes of that flow over all repeats, for one byte of the message.
    inside : float
        Seconds for each byte of that flow that what stays in scale-up domains takes meanwhile.
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
    group = Group(len(rank), np.where(domain >= 0, domain, -1 - np.arange(len(rank))), rail=wiring.rail[rank])
    schedule: Schedule = ALGORITHMS["all-reduce"][default_algorithm("all-reduce", group)].rounds(group)
    rounds, inside_s = [], 0.0
    for entry in schedule:
        assert isinstance(entry, Round)
        one = _network_round(wiring, rank, group, entry)
        if len(one.flows):
            rounds.append(one)
        else:
            inside_s += one.weight * one.inside
    within = [NetworkRound(flows(rank[:0], rank[:0]), 1.0, inside_s)] if inside_s else []
    return AllReduce(len(rank), (*within, *rounds))


def _network_round(wiring: Wiring, rank: I4, group: Group, entry: Round) -> NetworkRound:
    """Return what crosses the network in a round, and what stays in domains meanwhile."""
    source, target = rank[entry.source], rank[entry.target]
    apart = group.domain[entry.source] != group.domain[entry.target]
    most = float(entry.shares.max())
    inside = _inside_s(wiring, source[~apart], target[~apart], entry.shares[~apart] / most)
    return NetworkRound(flows(source[apart], target[apart], entry.shares[apart] / most), entry.repeat * most, inside)


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


def _inside_s(wiring: Wiring, source: I4, target: I4, volume: F8) -> float:
    """Return the seconds that volumes in bytes take through scale-up ports, 0 where none are known."""
    out, into = wiring.scale_up[source], wiring.scale_up[target] + 1
    if not len(out) or (out < 0).any():
        return 0.0
    uses = np.bincount(np.concatenate((out, into)), np.tile(volume, 2), len(wiring.channels))
    return float((uses * seconds_per_byte(wiring)).max())
