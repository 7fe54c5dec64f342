"""Stated paths: what a flow uses is what was said, once it is known to be a way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.fabric.lookup import Lookup
from fabrictool.fabric.tables import I4
from fabrictool.routing.channels import sending_ports
from fabrictool.routing.flows import Flows, Routing, Usage
from fabrictool.routing.wiring import Wiring


@dataclass(frozen=True)
class Explicit(Routing):
    """Each flow takes the path that is stated with it.

    Parameters
    ----------
    name : str
    wiring : Wiring
    """

    name: str
    wiring: Wiring

    def usage(self, flows: Flows) -> Usage:
        """Return the stated path of each flow.

        Raises
        ------
        InputError
            If flows have no path, or a path is broken, uses a link that is down, or leads elsewhere; all
            such flows are named.
        """
        if flows.path is None or len(flows.path) != len(flows):
            stated = 0 if flows.path is None else len(flows.path)
            what = f"{stated} paths are stated for {len(flows)} flows"
            raise InputError(what, "state a path for every flow, or choose a routing that finds them")
        length = np.array([len(path) for path in flows.path], np.int32)
        first = np.concatenate(([0], np.cumsum(length, dtype=np.int64)))
        channel = np.concatenate([np.zeros(0, np.int32), *flows.path]).astype(np.int32)
        problems = list(_problems(self.wiring, flows, first, channel))
        if problems:
            raise InputError(problems)
        return Usage(first, channel, np.ones(len(channel)), length)


def sent_from(wiring: Wiring, paths: Sequence[Sequence[str]]) -> list[I4]:
    """Return the channels of paths that are written as the ports that send, ``device:port``.

    Raises
    ------
    InputError
        Naming every port that does not exist or has no link.
    """
    links = wiring.fabric.links
    channel = np.full(len(wiring.fabric.ports), -1, np.int32)
    channel[links.port_a] = 2 * np.arange(len(links))
    channel[links.port_z] = 2 * np.arange(len(links)) + 1
    find = Lookup(wiring.fabric)
    found = []
    for path in paths:
        ports = [find.port(word) for word in path]
        free = [word for word, port in zip(path, ports, strict=True) if port >= 0 and channel[port] < 0]
        find.problems += [Problem(word, "no link on this port", "name the end of a link that sends") for word in free]
        found.append(channel[ports])
    if find.problems:
        raise InputError(find.problems)
    return found


def _problems(wiring: Wiring, flows: Flows, first: np.ndarray, channel: I4) -> Iterator[Problem]:
    """Yield what is wrong with each flow's path, the first thing alone."""
    fabric, network = wiring.fabric, wiring.network
    for row in range(len(flows)):
        path = channel[first[row] : first[row + 1]]
        source, target = int(flows.source[row]), int(flows.target[row])
        where = f"flow {row + 1}, {wiring.endpoint_name(source)} to {wiring.endpoint_name(target)}"
        if not len(path):
            yield Problem(where, "the path is empty", "state the ports that send along it")
        elif path.min() < 0 or path.max() >= 2 * len(fabric.links):
            wrong = path[(path < 0) | (path >= 2 * len(fabric.links))][0]
            yield Problem(where, f"there is no channel {wrong}", f"use 0 to {2 * len(fabric.links) - 1}")
        elif (fabric.links.network[path // 2] != network).any():
            link = int(path[fabric.links.network[path // 2] != network][0]) // 2
            yield Problem(
                where, f"link {fabric.link_name(link)} is not in network {wiring.name}", "stay in one network"
            )
        else:
            yield from _broken(wiring, where, source, target, path)


def _broken(wiring: Wiring, where: str, source: int, target: int, path: I4) -> Iterator[Problem]:
    """Yield that a path of links of the network is no way from a source to a target, if so."""
    fabric = wiring.fabric
    dead = path[wiring.faults.links.dead[path // 2]]
    port = sending_ports(fabric)
    start, end = fabric.ports.device[port[path]], fabric.ports.device[port[path ^ 1]]
    gaps = np.flatnonzero(end[:-1] != start[1:])
    if len(dead):
        yield Problem(where, f"link {fabric.link_name(int(dead[0]) // 2)} is down", "state a path over live links")
    elif path[0] not in _ups(wiring, source):
        yield Problem(
            where, f"the path starts at {fabric.port_name(int(port[path[0]]))}", "start at a port of the source"
        )
    elif path[-1] ^ 1 not in _ups(wiring, target):
        last = fabric.port_name(int(port[path[-1] ^ 1]))
        yield Problem(where, f"the path ends at {last}", "end at a port of the target")
    elif len(gaps):
        names = fabric.names[end[gaps[0]]], fabric.port_name(int(port[path[gaps[0] + 1]]))
        yield Problem(
            where, f"the path arrives at {names[0]} and goes on from {names[1]}", "go on from where it arrives"
        )


def _ups(wiring: Wiring, endpoint: int) -> list[int]:
    """Return the channels out of an endpoint."""
    lanes = wiring.lanes[endpoint]
    ups: list[int] = wiring.terminals.up[lanes[lanes >= 0]].tolist()
    return ups
