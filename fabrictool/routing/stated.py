"""Flows as a pattern file states them, by names of endpoints and ports."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fabrictool.errors import InputError, Problem, did_you_mean
from fabrictool.fabric.lookup import Lookup
from fabrictool.fabric.tables import I4
from fabrictool.formats.pattern_csv import PatternRow
from fabrictool.routing.channels import sending_ports
from fabrictool.routing.flows import Flows
from fabrictool.routing.wiring import Wiring

SHOWN = 20


def flows_of_rows(wiring: Wiring, rows: Sequence[PatternRow], name: str) -> tuple[Flows, npt.NDArray[np.int64]]:
    """Return the flows of a pattern file, and the group of each, numbered in order of appearance.

    Parameters
    ----------
    wiring : Wiring
    rows : sequence of PatternRow
        Ends are names of hosts, ``device:port``, or numbers of ranks from 0.
    name : str
        The file, for messages.

    Raises
    ------
    InputError
        Naming each end and port that is not there, at its line.
    """
    ends = EndpointNames(wiring)
    problems: list[Problem] = []
    source = [ends.find(row.source, f"{name}:{row.line}:1", problems) for row in rows]
    target = [ends.find(row.destination, f"{name}:{row.line}:1", problems) for row in rows]
    paths = _paths(wiring, rows, name, problems) if any(row.path for row in rows) else None
    for row, start, end in zip(rows, source, target, strict=True):
        if start == end >= 0:
            what = f"{row.source} sends to itself"
            problems.append(Problem(f"{name}:{row.line}:1", what, "leave the row out"))
    if problems:
        more = [Problem(name, f"and {len(problems) - SHOWN} more such rows")] if len(problems) > SHOWN else []
        raise InputError([*problems[:SHOWN], *more])
    keys = [row.key for row in rows] if any(row.key for row in rows) else None
    volume = np.array([row.volume for row in rows])
    numbers = {group: number for number, group in enumerate(dict.fromkeys(row.group for row in rows))}
    group = np.array([numbers[row.group] for row in rows], np.int64)
    return Flows(np.array(source, np.int32), np.array(target, np.int32), volume, keys, paths), group


class EndpointNames:
    """Finds endpoints by rank number, by name, or by one of their ports."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        names = wiring.fabric.names
        self.rows: dict[str, int] = {}
        self.several: dict[str, list[int]] = {}
        for endpoint, device in enumerate(wiring.device.tolist()):
            self.several.setdefault(names[device], []).append(endpoint)
        self.rows = {name: found[0] for name, found in self.several.items() if len(found) == 1}
        lane, port = np.nonzero(wiring.lanes >= 0)[0], wiring.terminals.port[wiring.lanes[wiring.lanes >= 0]]
        for endpoint, row in zip(lane.tolist(), port.tolist(), strict=True):
            self.rows[wiring.fabric.port_name(row)] = endpoint
            device = names[wiring.fabric.ports.device[row]]
            self.rows.setdefault(f"{device}:{wiring.fabric.ports.number[row]}", endpoint)
        for endpoint in np.flatnonzero(wiring.gpu >= 0).tolist():
            index = int(wiring.fabric.gpus.index[wiring.gpu[endpoint]])
            self.rows.setdefault(f"{names[wiring.device[endpoint]]} gpu {index}", endpoint)

    def find(self, word: str, where: str, problems: list[Problem]) -> int:
        """Return an endpoint; -1 and a problem if there is none of that name."""
        if word in self.rows:
            return self.rows[word]
        if word.isdecimal() and int(word) < self.wiring.hosts:
            return int(word)
        problems.append(Problem(where, *self._missing(word)))
        return -1

    def _missing(self, word: str) -> tuple[str, str]:
        if word.isdecimal():
            return f"rank {word} is not there", f"ranks are 0 to {self.wiring.hosts - 1}"
        if word in self.several:
            first = self.wiring.endpoint_name(self.several[word][0])
            return f"{word} has {len(self.several[word])} ranks", f"say which, such as '{first}'"
        return f"no host '{word}' in network {self.wiring.name}", did_you_mean(word, self.rows)


def _paths(wiring: Wiring, rows: Sequence[PatternRow], name: str, problems: list[Problem]) -> list[I4]:
    """Return the channels of each stated path."""
    find = Lookup(wiring.fabric)
    channel = np.full(len(wiring.fabric.ports), -1, np.int32)
    port = sending_ports(wiring.fabric)
    channel[port] = np.arange(len(port), dtype=np.int32)
    found = []
    for row in rows:
        ports = [find.port(word) for word in row.path]
        problems += [Problem(f"{name}:{row.line}:1", f"path: {p.where}: {p.what}", p.fix) for p in find.problems]
        find.problems.clear()
        free = [word for word, at in zip(row.path, ports, strict=True) if at >= 0 and channel[at] < 0]
        problems += [
            Problem(f"{name}:{row.line}:1", f"path: {word} has no link", "name ports that send") for word in free
        ]
        found.append(channel[[at for at in ports if at >= 0]])
    return found
