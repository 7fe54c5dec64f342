"""Stated paths: what a flow uses is what was said, once it is known to be a way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.routing.channels import sending_ports
from fabrictool.routing.flows import Flows, Routing, Usage
from fabrictool.routing.wiring import Wiring


@dataclass(frozen=True)
class Explicit(Routing):
    """Each flow takes the path that is stated with it, or that a file states for its ends.

    Parameters
    ----------
    name : str
    wiring : Wiring
    known : mapping of pair of int to (channels,) int32, optional
        Path of each pair of endpoints; pairs that are not there have no way.
    """

    name: str
    wiring: Wiring
    known: Mapping[tuple[int, int], I4] | None = None

    def usage(self, flows: Flows) -> Usage:
        """Return the stated path of each flow.

        Raises
        ------
        InputError
            If flows have no path, or a path is broken, uses a link that is down, or leads elsewhere; all
            such flows are named.
        """
        if flows.path is None and self.known is not None:
            return self._of_known(flows, self.known)
        if flows.path is None or len(flows.path) != len(flows):
            stated = 0 if flows.path is None else len(flows.path)
            what = f"{stated} paths are stated for {len(flows)} flows"
            fix = "state a path for every flow, by '{name: explicit, paths: FILE}' or in a pattern file"
            raise InputError(what, f"{fix}, or choose a routing that finds them")
        length = np.array([len(path) for path in flows.path], np.int32)
        first = np.concatenate(([0], np.cumsum(length, dtype=np.int64)))
        channel = np.concatenate([np.zeros(0, np.int32), *flows.path]).astype(np.int32)
        problems = list(_problems(self.wiring, flows, first, channel))
        if problems:
            raise InputError(problems)
        return Usage(first, channel, np.ones(len(channel)), length)

    def _of_known(self, flows: Flows, known: Mapping[tuple[int, int], I4]) -> Usage:
        """Return the paths of those flows that have one."""
        ends = list(zip(flows.source.tolist(), flows.target.tolist(), strict=True))
        has = np.array([pair in known for pair in ends], bool)
        part = replace(flows.some(has), path=[known[pair] for pair in ends if pair in known])
        used = self.usage(part)
        length = np.full(len(flows), -1, np.int32)
        length[has] = used.hops
        first = np.concatenate(([0], np.cumsum(np.maximum(length, 0), dtype=np.int64)))
        return Usage(first, used.channel, used.share, length)


def explicit(name: str, wiring: Wiring, path: str) -> Explicit:
    """Return the routing by the paths of a pattern file.

    Raises
    ------
    InputError
        Naming each row whose ends or ports are not there, or whose path is no way.
    """
    from fabrictool.formats.pattern_csv import read_pattern
    from fabrictool.routing.stated import flows_of_rows

    rows = read_pattern(path)
    stated, _ = flows_of_rows(wiring, rows, path)
    check_paths(wiring, stated, [f"{path}:{row.line}:1" for row in rows])
    assert stated.path is not None
    ends = zip(stated.source.tolist(), stated.target.tolist(), strict=True)
    return Explicit(name, wiring, dict(zip(ends, stated.path, strict=True)))


def check_paths(wiring: Wiring, stated: Flows, places: Sequence[str]) -> None:
    """Refuse paths of a file that are no ways, each at its place.

    Parameters
    ----------
    wiring : Wiring
    stated : Flows
    places : (flows,) sequence of str
        Such as ``paths.csv:2:1``.

    Raises
    ------
    InputError
        Naming each path that is broken, uses a link that is down, or leads elsewhere.
    """
    if stated.path is None:
        first = places[0].rsplit(":", 2)[0] + ":1:1"
        raise InputError(
            [Problem(first, "column path is missing or empty", "name the ports that send along each path")]
        )
    problems = []
    for row, place in enumerate(places):
        one = stated.some(np.arange(len(stated)) == row)
        assert one.path is not None
        found = _problems(wiring, one, np.array([0, len(one.path[0])]), one.path[0])
        problems += [replace(problem, where=place, what=f"{_ends(problem.where)}: {problem.what}") for problem in found]
    if problems:
        raise InputError(problems)


def _ends(where: str) -> str:
    """Return who sends to whom, without the number of the flow."""
    return where.partition(", ")[2]


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
