"""What no routing can beat: the maximum concurrent flow, and a bound by path lengths on any traffic.

References
----------
F. Shahrokhi, D. Matula, "The maximum concurrent flow problem", JACM 37 (1990).
A. Singla, P. Godfrey, A. Kolla, "High throughput data center topology design", NSDI 2014: the bound by
capacity over volume times hops. P. Namyar et al., "A throughput-centric view of the performance of
datacenter topologies", SIGCOMM 2021: taken over the worst permutation of switches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fabrictool.errors import InputError, NotSupportedError, Problem
from fabrictool.fabric.tables import F8
from fabrictool.kernels.hops import FAR
from fabrictool.routing.flows import Flows
from fabrictool.routing.hops import hops_between
from fabrictool.routing.wiring import Wiring

I8 = npt.NDArray[np.int64]

#: Unknowns of the linear program, senders' switches times channels: some seconds by interior points.
MOST_UNKNOWNS = 50_000
#: Switches with hosts, of which the worst permutation is sought.
MOST_LEAVES = 4_096


def concurrent_flow(wiring: Wiring, demand: Flows) -> float:
    """Return the largest rate in bit/s per unit of volume that all flows can have at once, split freely.

    Flows are routed fractionally by a linear program; hosts pass nothing on. Traffic of hosts that are on
    one switch alone counts as that switch's.

    Parameters
    ----------
    wiring : Wiring
    demand : Flows

    Returns
    -------
    float
        0 if a flow has no way; infinity if nothing is asked for.

    Raises
    ------
    NotSupportedError
        If the program has more than ``MOST_UNKNOWNS`` unknowns.
    """
    moving = demand.source != demand.target
    if not moving.any():
        return float("inf")
    source, target, volume = demand.source[moving], demand.target[moving], demand.volume[moving]
    network = _network(wiring)
    start, end = network.node[source], network.node[target]
    cap = _host_cap(network, source, target, volume)
    far = start != end
    if cap <= 0 or not far.any():
        return cap
    origins, origin = np.unique(start[far], return_inverse=True)
    unknowns = len(origins) * len(network.speed_bps)
    if unknowns > MOST_UNKNOWNS:
        what = f"the linear program of network {wiring.name} has {unknowns:,} unknowns, the limit is {MOST_UNKNOWNS:,}"
        raise NotSupportedError([Problem("", what, "ask for fewer senders, or for throughput-bound")])
    wanted = np.zeros((len(origins), network.nodes))
    np.add.at(wanted, (origin, end[far]), volume[far])
    return _solved(network, origins, wanted, cap)


@dataclass(frozen=True)
class _Network:
    """Switches, and hosts on several of them, as nodes of a graph of channels.

    Parameters
    ----------
    nodes : int
    node : (endpoints,) int64
        The switch of each endpoint that is on one, else a node of its own; -1 for one that is down.
    tail, head : (channels,) int64
    speed_bps : (channels,) float64
    host_bps : (endpoints,) float64
        All ports of an endpoint together.
    switches : int
        Nodes from this number on are hosts.
    """

    nodes: int
    node: I8
    tail: I8
    head: I8
    speed_bps: F8
    host_bps: F8
    switches: int


def _network(wiring: Wiring) -> _Network:
    lanes, terminals, ways, switches = wiring.lanes, wiring.terminals, wiring.ways, len(wiring.switch)
    up = np.where(lanes >= 0, terminals.up[lanes], -1)
    live = up >= 0
    seat = np.where(live, terminals.seat[lanes], -1)
    several = np.count_nonzero(live, axis=1) > 1
    node = np.where(several, switches + np.cumsum(several) - 1, seat.max(axis=1, initial=-1))
    host, lane = np.nonzero(live & several[:, None])
    speed = wiring.channels.speed_bps
    here = np.repeat(np.arange(switches), np.diff(ways.first))
    own = speed[up[host, lane]]
    return _Network(
        switches + int(several.sum()),
        node.astype(np.int64),
        np.concatenate((here, node[host], seat[host, lane])),
        np.concatenate((ways.to, seat[host, lane], node[host])),
        np.concatenate((speed[ways.channel], own, own)),
        np.where(live, speed[up], 0.0).sum(axis=1),
        switches,
    )


def _host_cap(network: _Network, source: Any, target: Any, volume: F8) -> float:
    """Return what the ports of hosts allow, in bit/s per unit of volume."""
    cap = np.inf
    for end in (source, target):
        asked = np.bincount(end, volume, len(network.host_bps))
        cap = min(cap, float((network.host_bps[asked > 0] / asked[asked > 0]).min()))
    return cap


def _solved(network: _Network, origins: I8, wanted: F8, cap_bps: float) -> float:
    """Return the largest multiple of what is wanted, (origins, nodes), that fits, and at most a cap."""
    from scipy.optimize import linprog

    unit = float(network.speed_bps.max(initial=0.0)) or 1.0
    unknowns = len(origins) * len(network.speed_bps)
    goal, most = np.zeros(unknowns + 1), np.full(unknowns + 1, np.inf)
    goal[-1] = -1.0
    most[:-1][_barred(network, origins)] = 0.0
    most[-1] = cap_bps / unit
    balances, asked = _balances(network, origins, wanted)
    capacities = _capacities(network, len(origins))
    bounds = np.column_stack((np.zeros_like(most), most))
    found = linprog(goal, capacities, network.speed_bps / unit, balances, asked, bounds, method="highs-ipm")
    if not found.success:
        raise InputError(f"the linear program of a concurrent flow was not solved: {found.message}")
    return float(-found.fun) * unit


def _balances(network: _Network, origins: I8, wanted: F8) -> tuple[Any, F8]:
    """Return rows of what enters less what leaves less theta x demand, for each origin at every other node."""
    from scipy.sparse import block_diag, coo_array, hstack

    channels = len(network.tail)
    ends = np.concatenate((network.head, network.tail))
    sign = np.repeat([1.0, -1.0], channels)
    incidence = coo_array((sign, (ends, np.tile(np.arange(channels), 2))), (network.nodes, channels)).tocsr()
    others = [np.delete(np.arange(network.nodes), origin) for origin in origins]
    flow = block_diag([incidence[rows] for rows in others], format="csr")
    asked = np.concatenate([wanted[row, rows] for row, rows in enumerate(others)])
    return hstack((flow, coo_array(-asked[:, None])), format="csr"), np.zeros(len(asked))


def _capacities(network: _Network, origins: int) -> Any:
    """Return rows that add up what all origins put on each channel."""
    from scipy.sparse import coo_array, hstack, identity

    channels = len(network.tail)
    return hstack([identity(channels, format="csr")] * origins + [coo_array((channels, 1))], format="csr")


def _barred(network: _Network, origins: I8) -> npt.NDArray[np.bool_]:
    """Return the unknowns that must be 0: a host sends nothing but its own, and takes back none of it."""
    tail, head = network.tail, network.head
    own, back = tail == origins[:, None], head == origins[:, None]
    barred: npt.NDArray[np.bool_] = ((tail >= network.switches) & ~own) | back
    return barred.ravel()


def throughput_bound(wiring: Wiring) -> float:
    """Return an upper bound of what any routing gives each host under the worst traffic, in units of its speed.

    Every bit takes up capacity on each link of its way, and shortest ways take up least: capacity between
    switches over the sum of demand times hops, under the permutation of switches for which that sum is
    largest; hosts there send all they can. A bound, no estimate; infinity where one switch has all hosts.

    Raises
    ------
    NotSupportedError
        If more than ``MOST_LEAVES`` switches have hosts.
    """
    from scipy.optimize import linear_sum_assignment

    lanes, terminals = wiring.lanes[: wiring.hosts], wiring.terminals
    terminal = lanes[lanes >= 0]
    terminal = np.unique(terminal[terminals.up[terminal] >= 0])
    speed = wiring.channels.speed_bps
    hosts_bps = np.bincount(terminals.seat[terminal], speed[terminals.up[terminal]], len(wiring.switch))
    leaf = np.flatnonzero(hosts_bps).astype(np.int32)
    if len(leaf) > MOST_LEAVES:
        what = f"network {wiring.name} has hosts on {len(leaf):,} switches, the limit is {MOST_LEAVES:,}"
        raise NotSupportedError([Problem("", what, "ask for min-cut")])
    hops = hops_between(wiring, leaf)[leaf].astype(np.float64)
    hops[hops == FAR] = 0.0
    work = hops * np.minimum(hosts_bps[leaf], hosts_bps[leaf][:, None])
    row, column = linear_sum_assignment(work, maximize=True)
    most = float(work[row, column].sum())
    return float(speed[wiring.ways.channel].sum()) / most if most else float("inf")
