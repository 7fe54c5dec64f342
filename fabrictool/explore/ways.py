"""The way from one host to another, port by port, as traceroute shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.explore.lost_ways import lost_way
from fabrictool.routing.channels import channel_name, sending_ports
from fabrictool.routing.flows import Routing, flows
from fabrictool.routing.stated import EndpointNames
from fabrictool.tabular import Column, Table
from fabrictool.units import format_speed


@dataclass(frozen=True)
class Way:
    """The channels from a source to a target with the share of the traffic on each; none without a way.

    Then ``tried`` are those that traffic gets along, and ``why`` says why no further.
    """

    routing: Routing
    source: int
    target: int
    channels: tuple[tuple[int, float], ...]
    tried: tuple[tuple[int, float], ...] = ()
    why: str = ""

    @property
    def _ends(self) -> tuple[str, str]:
        wiring = self.routing.wiring
        return wiring.endpoint_name(self.source), wiring.endpoint_name(self.target)

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a channel, of those tried where there is no way: ports, speed, latency so far, share.

        Latency is None where the traffic divides, and where the network's latencies are not known.
        """
        wiring, channels = self.routing.wiring, self.channels or self.tried
        latency = wiring.channels.latency_s[[channel for channel, _ in channels]]
        known = latency.any() and all(share == 1 for _, share in channels)
        return [
            {
                "from": start,
                "to": end,
                "speed_bps": float(wiring.channels.speed_bps[channel]),
                "latency_s": float(so_far) if known else None,
                "share": share,
            }
            for (channel, share), (start, end), so_far in zip(
                channels, map(self._ports, channels), np.cumsum(latency), strict=True
            )
        ]

    def _ports(self, used: tuple[int, float]) -> tuple[str, str]:
        """Return the sending and the receiving end of a channel."""
        fabric, channel = self.routing.wiring.fabric, used[0]
        port = sending_ports(fabric)
        if channel < len(port):
            ends = int(port[channel]), int(fabric.ports.peer[port[channel]])
            return fabric.port_name(ends[0]), fabric.port_name(ends[1])
        gpu, switch = channel_name(fabric, channel), "scale-up switch"
        return (switch, gpu) if (channel - len(port)) % 2 else (gpu, switch)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document of ``route --path``; ``lost`` is null where there is a way."""
        head = {"format": 1, "network": self.routing.wiring.name, "routing": self.routing.name}
        head |= {"source": self._ends[0], "destination": self._ends[1]}
        lost = None if self.channels else {"why": self.why, "path": self.rows()}
        return head | {"path": self.rows() if self.channels else [], "lost": lost}

    def tables(self) -> list[Table]:
        """Return the way as a table, or why there is none and how far traffic gets."""
        title = f"{' to '.join(self._ends)}, {self.routing.name}"
        if self.channels:
            return [self._hops(title)]
        why = Table(title, (Column("no way", [self.why]),))
        return [why, self._hops("as far as it gets")] if self.tried else [why]

    def _hops(self, title: str) -> Table:
        rows = self.rows()
        columns = [
            Column("hop", list(range(1, len(rows) + 1))),
            Column("from", [row["from"] for row in rows]),
            Column("to", [row["to"] for row in rows]),
            Column("speed", [format_speed(row["speed_bps"]) if row["speed_bps"] else "unknown" for row in rows]),
        ]
        if any(row["share"] < 1 for row in rows):
            return Table(title, (*columns, Column("share", [row["share"] for row in rows])))
        so_far = [None if row["latency_s"] is None else row["latency_s"] * 1e6 for row in rows]
        return Table(title, (*columns, Column("latency so far", so_far, "us")))


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
    if not len(used.channel):
        tried, why = lost_way(routing, start, end)
        return Way(routing, start, end, (), tuple((channel, 1.0) for channel in tried), why)
    return Way(routing, start, end, tuple(zip(used.channel.tolist(), used.share.tolist(), strict=True)))
