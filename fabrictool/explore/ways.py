"""The way from one host to another, port by port, as traceroute shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.routing.channels import channel_name, sending_ports
from fabrictool.routing.flows import Routing, flows
from fabrictool.routing.stated import EndpointNames
from fabrictool.tabular import Column, Table
from fabrictool.units import format_speed


@dataclass(frozen=True)
class Way:
    """The channels from a source to a target with the share of the traffic on each; none without a way."""

    routing: Routing
    source: int
    target: int
    channels: tuple[tuple[int, float], ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a channel: sending and receiving port, speed, latency so far, share."""
        wiring = self.routing.wiring
        fabric, port = wiring.fabric, sending_ports(wiring.fabric)
        found, latency = [], 0.0
        for channel, share in self.channels:
            latency += float(wiring.channels.latency_s[channel])
            if channel < len(port):
                start, end = (
                    fabric.port_name(int(port[channel])),
                    fabric.port_name(int(fabric.ports.peer[port[channel]])),
                )
            else:
                start = end = channel_name(fabric, channel)
            speed = float(wiring.channels.speed_bps[channel])
            found.append({"from": start, "to": end, "speed_bps": speed, "latency_s": latency, "share": share})
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document of ``route --path``; latency is null where the traffic divides."""
        wiring = self.routing.wiring
        divided = any(share < 1 for _, share in self.channels)
        rows = [row | ({"latency_s": None} if divided else {}) for row in self.rows()]
        ends = {"source": wiring.endpoint_name(self.source), "destination": wiring.endpoint_name(self.target)}
        return {"format": 1, "network": wiring.name, "routing": self.routing.name} | ends | {"path": rows}

    def table(self) -> Table:
        """Return the way as a table."""
        wiring = self.routing.wiring
        ends = f"{wiring.endpoint_name(self.source)} to {wiring.endpoint_name(self.target)}"
        rows = self.rows()
        title = f"{ends}, {self.routing.name}" if rows else f"{ends}, {self.routing.name}: no way"
        divided = any(share < 1 for _, share in self.channels)
        columns = [
            Column("hop", list(range(1, len(rows) + 1))),
            Column("from", [row["from"] for row in rows]),
            Column("to", [row["to"] for row in rows]),
            Column("speed", [format_speed(row["speed_bps"]) if row["speed_bps"] else "unknown" for row in rows]),
        ]
        if divided:
            return Table(title, (*columns, Column("share", [row["share"] for row in rows])))
        return Table(title, (*columns, Column("latency so far", [row["latency_s"] * 1e6 for row in rows], "us")))


def ways_between(routing: Routing, source: str, target: str) -> Way:
    """Return the way between two endpoints by name.

    Raises
    ------
    InputError
        If there is no such endpoint.
    """
    names = EndpointNames(routing.wiring)
    problems: list[Problem] = []
    start, end = (names.find(word, "--path", problems) for word in (source, target))
    if not problems and start == end:
        problems.append(Problem("--path", f"{source} and {target} are one", "name two hosts"))
    if problems:
        raise InputError(problems)
    used = routing.usage(flows([start], [end]))
    order = np.arange(len(used.channel))
    return Way(routing, start, end, tuple((int(used.channel[at]), float(used.share[at])) for at in order))
