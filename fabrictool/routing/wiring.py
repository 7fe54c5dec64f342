"""A network as routing sees it: endpoints on switches, and the channels that are up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabrictool.fabric import KINDS, Fabric
from fabrictool.fabric.faults import Faults, no_faults
from fabrictool.fabric.grouping import distinct
from fabrictool.fabric.parts import merged
from fabrictool.fabric.tables import F8, I2, I4
from fabrictool.routing.channels import Channels, channels, no_faster, sending_ports

HOST, AGGREGATION = KINDS.index("host"), KINDS.index("aggregation")


@dataclass(frozen=True)
class Terminals:
    """Ports of hosts and service machines in a network: what forwarding tables have entries for.

    Parameters
    ----------
    port : (terminals,) int32
        Row of the port, in routing order: those of the endpoints first, lane by lane within each.
    up : (terminals,) int32
        Channel from the port to its switch, -1 where the link is down; the way back is ``up ^ 1``.
    seat : (terminals,) int32
        The switch, as a place in ``Wiring.switch``; also where the link is down.
    """

    port: I4
    up: I4
    seat: I4

    def __len__(self) -> int:
        return len(self.port)


@dataclass(frozen=True)
class Wiring:
    """One network of a fabric with its faults, ready to be routed.

    An endpoint is a GPU where GPUs have ports of their own, an adapter port in a discovered InfiniBand
    fabric, and elsewhere a host with all its ports; the ports of service machines follow.

    Parameters
    ----------
    fabric : Fabric
    network : int
        Row of the network.
    faults : Faults
    channels : Channels
        Of the whole fabric; speed 0 where a link is down.
    terminals : Terminals
    lanes : (endpoints, lanes) int32
        Terminal of each port of an endpoint, -1 where it has fewer.
    hosts : int
        So many of the endpoints are hosts or GPUs, which patterns run over; the rest serve.
    device : (endpoints,) int32
        Device that each endpoint belongs to.
    gpu : (endpoints,) int32
        GPU that each endpoint is, -1 where it is none.
    switch : (switches,) int32
        Device rows.
    bus_bps : (links,) float64, optional
        What the bus of a host leaves each link, in bit/s, infinite where that is not stated; channels are no faster.
    """

    fabric: Fabric
    network: int
    faults: Faults
    channels: Channels
    terminals: Terminals
    lanes: I4
    hosts: int
    device: I4
    gpu: I4
    switch: I4
    bus_bps: F8 | None = None

    @property
    def name(self) -> str:
        """Name of the network."""
        return self.fabric.networks[self.network].name

    @property
    def endpoints(self) -> int:
        """Number of endpoints."""
        return len(self.lanes)

    @property
    def title(self) -> str:
        """What patterns run over, in a word."""
        if self.hosts and (self.gpu[: self.hosts] >= 0).all():
            return "GPUs"
        return "hosts" if len(np.unique(self.device[: self.hosts])) == self.hosts else "adapter ports"

    @cached_property
    def domain(self) -> I4:
        """Scale-up domain of each endpoint, -1 where it has none, (endpoints,)."""
        gpus = self.fabric.gpus
        if not len(gpus):
            return np.full(self.endpoints, -1, np.int32)
        inside = (self.gpu >= 0) & (gpus.scale_up_bps[self.gpu] > 0)
        return np.where(inside, gpus.domain[self.gpu], -1).astype(np.int32)

    @cached_property
    def scale_up(self) -> I4:
        """Scale-up channel out of each endpoint, -1 without one; the next channel leads in, (endpoints,)."""
        out = 2 * len(self.fabric.links) + 2 * self.gpu
        return np.where(self.domain >= 0, out, -1).astype(np.int32)

    @cached_property
    def up(self) -> I4:
        """Channel from each port of an endpoint to its switch, -1 where there is none or it is down."""
        up: I4 = np.where(self.lanes >= 0, self.terminals.up[self.lanes], -1)
        return up.astype(np.int32)

    @property
    def alike(self) -> bool:
        """Whether an endpoint has either all its ports or none, so that lanes can be counted one by one."""
        return self.lanes.shape[1] == 1 or bool((self.up >= 0).all())

    @cached_property
    def part(self) -> I4:
        """What each switch is joined with by links that are up: equal labels reach each other, (switches,)."""
        fabric = self.fabric
        rows = (fabric.links.network == self.network) & ~self.faults.links.dead
        a, z = (self.place[end[rows]] for end in fabric.ends)
        between = (a >= 0) & (z >= 0)
        return merged(np.arange(len(self.switch), dtype=np.int32), a[between], z[between])

    def parts_of(self, lane: int) -> I4:
        """Return the label in ``part`` of each endpoint's switch in a lane, -1 without one, (endpoints,)."""
        terminal = self.lanes[:, lane]
        return np.where(terminal >= 0, self.part[self.terminals.seat[terminal]], -1).astype(np.int32)

    @cached_property
    def rail(self) -> I2:
        """Rail of the first port of each endpoint, -1 for none, (endpoints,)."""
        rail: I2 = self.fabric.ports.rail[self.terminals.port[self.lanes[:, 0]]]
        return rail

    @cached_property
    def place(self) -> I4:
        """Place in ``switch`` of each device row, -1 for other devices, (devices,)."""
        place = np.full(len(self.fabric.devices), -1, np.int32)
        place[self.switch] = np.arange(len(self.switch), dtype=np.int32)
        return place

    @cached_property
    def ways(self) -> Ways:
        """The channels between switches that are up, by the switch that sends, in order of its ports."""
        fabric = self.fabric
        up = np.flatnonzero((fabric.links.network == self.network) & ~self.faults.links.dead)
        channel = np.concatenate((2 * up, 2 * up + 1)).astype(np.int32)
        port = sending_ports(fabric)[channel]
        here, there = self.place[fabric.ports.device[port]], self.place[fabric.ports.device[fabric.ports.peer[port]]]
        between = (here >= 0) & (there >= 0)
        channel, port, here, there = channel[between], port[between], here[between], there[between]
        order = np.lexsort((port, here))
        first = np.concatenate(([0], np.cumsum(np.bincount(here, minlength=len(self.switch))))).astype(np.int32)
        return Ways(first, channel[order], there[order], fabric.ports.number[port[order]])

    def rank_name(self, endpoint: int) -> str:
        """Return what an endpoint is called as a rank: a GPU by its number, else by the name of its host."""
        gpu = int(self.gpu[endpoint])
        return f"GPU {gpu}" if gpu >= 0 else self.endpoint_name(endpoint)

    def endpoint_name(self, endpoint: int) -> str:
        """Return the host of an endpoint, with its GPU or port where a host has several."""
        name = str(self.fabric.names[self.device[endpoint]])
        if self.gpu[endpoint] >= 0 and np.count_nonzero(self.device == self.device[endpoint]) > 1:
            return f"{name} gpu {int(self.fabric.gpus.index[self.gpu[endpoint]])}"
        if np.count_nonzero(self.device == self.device[endpoint]) > 1:
            return self.fabric.port_name(int(self.terminals.port[self.lanes[endpoint, 0]]))
        return name


@dataclass(frozen=True)
class Ways:
    """Channels out of each switch to others: a CSR.

    Parameters
    ----------
    first : (switches + 1,) int32
        Offsets.
    channel : (ways,) int32
    to : (ways,) int32
        The switch that each leads to.
    number : (ways,) int16
        Number of the port that sends.
    """

    first: I4
    channel: I4
    to: I4
    number: I2


def wiring(fabric: Fabric, network: int, faults: Faults | None = None, by_gpu: bool | None = None) -> Wiring:
    """Return the wiring of a network.

    Parameters
    ----------
    fabric : Fabric
    network : int
        Row of the network.
    faults : Faults, optional
        None: all is healthy.
    by_gpu : bool, optional
        Whether GPUs are the endpoints, also where several share a port; by default where each has ports of
        its own.
    """
    faults = no_faults(fabric) if faults is None else faults
    links, ports, devices = fabric.links, fabric.ports, fabric.devices
    below, above = (devices.tier[end] for end in fabric.ends)  # a link from host to host leads to no switch
    rows = np.flatnonzero((links.network == network) & (below == 0) & (above > 0)).astype(np.int32)
    rows = rows[devices.kind[fabric.ends[0][rows]] != AGGREGATION]
    link_of = np.full(len(ports), -1, np.int32)
    link_of[links.port_a[rows]] = rows
    owner, port = _owners(fabric, links.port_a[rows], by_gpu)
    lanes, first_port, terminal_port = _lanes(owner, port)
    gpu = np.where(owner < len(fabric.gpus), owner, -1)[first_port] if len(owner) else owner
    device = ports.device[port[first_port]]
    serving = devices.kind[device] != HOST
    link = link_of[terminal_port]
    switch = np.flatnonzero((devices.tier > 0) & _in_network(fabric, network)).astype(np.int32)
    place = np.full(len(devices), -1, np.int32)
    place[switch] = np.arange(len(switch), dtype=np.int32)
    return Wiring(
        fabric,
        network,
        faults,
        channels(fabric, faults),
        Terminals(
            terminal_port,
            np.where(faults.links.dead[link], -1, 2 * link).astype(np.int32),
            place[ports.device[links.port_z[link]]],
        ),
        lanes,
        int(np.count_nonzero(~serving)),
        device.astype(np.int32),
        gpu.astype(np.int32),
        switch,
    )


def without_faults(wiring: Wiring) -> Wiring:
    """Return the same wiring with everything up; endpoints, terminals and switches keep their places."""
    links = wiring.fabric.links
    link_of = np.full(len(wiring.fabric.ports), -1, np.int32)
    link_of[links.port_a] = np.arange(len(links), dtype=np.int32)
    terminals = replace(wiring.terminals, up=2 * link_of[wiring.terminals.port])
    healthy = replace(wiring, faults=no_faults(wiring.fabric), channels=channels(wiring.fabric), terminals=terminals)
    return healthy if wiring.bus_bps is None else with_buses(healthy, wiring.bus_bps)


def with_buses(wiring: Wiring, bus_bps: F8) -> Wiring:
    """Return a wiring whose links are no faster than what buses of hosts leave them, in bit/s, (links,)."""
    return replace(wiring, channels=no_faster(wiring.channels, bus_bps), bus_bps=bus_bps)


def under(known: Wiring, faults: Faults) -> Wiring:
    """Return the wiring of the same network with other faults, behind the same buses."""
    found = wiring(known.fabric, known.network, faults)
    return found if known.bus_bps is None else with_buses(found, known.bus_bps)


def _in_network(fabric: Fabric, network: int) -> npt.NDArray[np.bool_]:
    """Return which devices have links in a network, or belong to it, (devices,)."""
    a, z = fabric.ends
    rows = fabric.links.network == network
    inside: npt.NDArray[np.bool_] = fabric.devices.network == network
    inside = inside.copy()
    inside[a[rows]] = True
    inside[z[rows]] = True
    return inside


def _owners(fabric: Fabric, port: I4, by_gpu: bool | None) -> tuple[npt.NDArray[np.int64], I4]:
    """Return pairs of an endpoint's sort key and its port, endpoints in order; keys below len(gpus) are GPUs.

    Hosts of GPUs come first, then other hosts, then service machines.
    """
    gpus, pairs, ports, devices = fabric.gpus, fabric.gpu_ports, fabric.ports, fabric.devices
    inside = np.zeros(len(ports), bool)
    inside[port] = True
    used = inside[pairs.port]
    gpu, gpu_port = pairs.gpu[used], pairs.port[used]
    own = len(distinct(gpu_port)) == len(gpu_port)
    if by_gpu is None:
        by_gpu = own
    taken = np.zeros(len(ports), bool)
    if by_gpu:
        taken[gpu_port] = True
    rest = port[~taken[port]]
    serving = devices.kind[ports.device[rest]] != HOST
    count = len(gpus)
    if ports.lid is not None and not len(gpus):  # one endpoint for each adapter port, in LID order
        key = count + ports.lid[rest].astype(np.int64) * len(ports) + rest
        key = key + np.where(serving, int(key.max(initial=0)) + 1, 0)
    else:  # each port of a service machine serves on its own
        key = count + np.where(serving, len(devices) + rest.astype(np.int64), ports.device[rest])
    if by_gpu:
        key = np.concatenate((gpu.astype(np.int64), key))
        rest = np.concatenate((gpu_port, rest))
    order = np.lexsort((rest, key))
    return key[order], rest[order].astype(np.int32)


def _lanes(owner: npt.NDArray[np.int64], port: I4) -> tuple[I4, npt.NDArray[np.int64], I4]:
    """Return terminals by endpoint and lane, the first pair of each endpoint, and the port of each terminal.

    A port that several endpoints share is one terminal.
    """
    if not len(owner):
        return np.zeros((0, 1), np.int32), np.zeros(0, np.int64), np.zeros(0, np.int32)
    _, first, count = np.unique(owner, return_index=True, return_counts=True)
    distinct, seen, where = np.unique(port, return_index=True, return_inverse=True)
    order = np.argsort(seen, kind="stable")
    number = np.empty(len(distinct), np.int32)
    number[order] = np.arange(len(distinct), dtype=np.int32)
    lane = np.arange(count.max())
    has = lane < count[:, None]
    at = first[:, None] + np.where(has, lane, 0)
    return np.where(has, number[where[at]], -1).astype(np.int32), first, distinct[order].astype(np.int32)
