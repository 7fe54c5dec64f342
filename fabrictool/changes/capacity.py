"""What a network gives in one state: who reaches whom, and how fast when all talk."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np

from fabrictool.changes.all_reduce import all_reduce, busbw_bytes_per_s, seconds_per_byte, whole_hosts
from fabrictool.fabric.tables import F8, Bool
from fabrictool.routing.flows import Routing
from fabrictool.routing.wiring import Wiring


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a network gives, over what remains reachable.

    Parameters
    ----------
    hosts : int
        Hosts that have network: at least one endpoint does.
    endpoints : int
        GPUs, adapter ports or hosts that reach another and are reached.
    ranks : int
        Endpoints of hosts all of whose endpoints have network: those over which all-reduce runs.
    pairs : int
        Ordered pairs of endpoints that reach each other.
    all_reduce_bytes_per_s : float or None
        Bus bandwidth of large messages; 0 if ranks cannot reach their neighbours, None with fewer than two.
    all_to_all_bytes_per_s : float or None
        What each endpoint sends when each sends alike to all that it reaches, at the pace of the slowest
        channel: peers / max(8 load / speed). None where no pair is left.
    """

    hosts: int
    endpoints: int
    ranks: int
    pairs: int
    all_reduce_bytes_per_s: float | None
    all_to_all_bytes_per_s: float | None

    def to_dict(self) -> dict[str, int | float | None]:
        """Return the object in the JSON output."""
        return asdict(self)

    @property
    def all_reduce_total(self) -> float:
        """Bandwidth of all ranks together, in bytes/s."""
        return self.ranks * (self.all_reduce_bytes_per_s or 0.0)

    @property
    def all_to_all_total(self) -> float:
        """Bandwidth of all endpoints together, in bytes/s."""
        return self.endpoints * (self.all_to_all_bytes_per_s or 0.0)


@dataclass(frozen=True)
class State:
    """A routed network under all-to-all traffic.

    Parameters
    ----------
    wiring : Wiring
    load : (channels,) float64
        Volume when every endpoint sends 1 to each that it reaches.
    alive : (hosts,) bool
        Endpoints that reach another and are reached.
    pairs : int
        Ordered pairs that reach each other.
    all_reduce_bytes_per_s : float or None
    seconds : (channels,) float64
        What a byte takes on each channel, 0 where nothing crosses it.
    """

    wiring: Wiring
    load: F8
    alive: Bool
    pairs: int
    all_reduce_bytes_per_s: float | None
    seconds: F8

    @cached_property
    def capacity(self) -> Capacity:
        """The figures of this state."""
        device = self.wiring.device[: self.wiring.hosts]
        endpoints, busiest = int(np.count_nonzero(self.alive)), float(self.busy.max(initial=0.0))
        return Capacity(
            int(np.count_nonzero(np.bincount(device[self.alive]))),
            endpoints,
            int(np.count_nonzero(whole_hosts(self.wiring, self.alive))),
            self.pairs,
            self.all_reduce_bytes_per_s,
            self.pairs / endpoints / busiest if endpoints and busiest > 0 else None,
        )

    @cached_property
    def busy(self) -> F8:
        """Seconds that each channel takes for its load if volumes are bytes, (channels,)."""
        return self.load * self.seconds


def of_hosts(wiring: Wiring) -> Wiring:
    """Return the wiring with hosts and GPUs as its only endpoints, and as many lanes as these have.

    Service machines may have more ports; their links and switches stay.
    """
    lanes = wiring.lanes[: wiring.hosts]
    most = int(np.count_nonzero(lanes >= 0, axis=1).max(initial=1))
    device, gpu = wiring.device[: wiring.hosts], wiring.gpu[: wiring.hosts]
    return replace(wiring, lanes=lanes[:, :most], device=device, gpu=gpu)


def state_of(routing: Routing) -> State:
    """Return the state of a network as its routing makes it.

    Where endpoints have several ports and faults take ways away, loads are counted source by source, since a
    volume then goes over the ports that are left.
    """
    wiring = routing.wiring
    load, hops = routing.all_to_all()
    if wiring.lanes.shape[1] > 1 and hops.get(-1, 0.0):
        load, hops = Routing.all_to_all(routing)
    pairs = round(sum(count for links, count in hops.items() if links >= 0))
    alive = alive_endpoints(wiring, load)
    plan = all_reduce(wiring, whole_hosts(wiring, alive))
    return State(wiring, load, alive, pairs, busbw_bytes_per_s(routing, plan), seconds_per_byte(wiring))


def alive_endpoints(wiring: Wiring, load: F8) -> Bool:
    """Return the endpoints that send and receive something under all-to-all, (hosts,)."""
    lanes = wiring.lanes[: wiring.hosts]
    up = np.where(lanes >= 0, wiring.terminals.up[lanes], -1) if lanes.size else lanes
    sent, received = (np.where(up >= 0, load[up ^ way], 0.0).sum(axis=1) for way in (0, 1))
    alive: Bool = np.minimum(sent, received) > 1e-9
    return alive
