"""From sightings in everybody's words to the ports of a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fabrictool.cabling.board import DARK, LIT, UNSEEN
from fabrictool.cabling.host_ports import HostPorts, host_ports
from fabrictool.cabling.naming import Names, matched
from fabrictool.cabling.planned import NONE, Plan
from fabrictool.cabling.port_words import cage_and_leg
from fabrictool.cabling.switch_ports import switch_ports
from fabrictool.fabric.tables import I4
from fabrictool.records import Dump, Finding, Sighting


@dataclass(slots=True)
class AsBuilt:
    """What was seen, on the ports of a plan.

    Parameters
    ----------
    names : Names
    peer : (ports,) int32
        -1 for none.
    state : (ports,) int8
    row : dict of int to Sighting
        What was said of each port.
    findings : list of Finding
    reporting : (devices,) bool
    host_ports : HostPorts
    """

    names: Names
    peer: I4
    state: np.ndarray
    row: dict[int, Sighting]
    findings: list[Finding]
    reporting: np.ndarray
    host_ports: HostPorts


def located(plan: Plan, dumps: Sequence[Dump], aliases: Mapping[str, str]) -> AsBuilt:
    """Return the sightings of all dumps on the ports of a plan, which grows by what it has not."""
    rows = [row for dump in dumps for row in dump.sightings]
    names = matched(plan, rows, aliases)
    titles = {name for dump in dumps if dump.titled for name in dump.reporters}
    findings = _titled(titles, names)
    for name in names.strange:
        names.device[name] = plan.add_device(name)
    words = host_ports(plan, rows, names)
    for device, labels in switch_ports(plan, rows, names).items():
        words.by_device[device] = labels
    find = _Ports(plan, names, words)
    ends = [(find(row.device, row.port), find(row.peer, row.peer_port) if row.peer else NONE) for row in rows]
    count = len(plan.ports)
    peer, state = np.full(count, NONE, np.int32), np.full(count, UNSEEN, np.int8)
    reporting = np.zeros(len(plan.devices), bool)
    for dump in dumps:
        reporting[[names.device[name] for name in dump.reporters if name in names.device]] = True
    state[reporting[[port.device for port in plan.ports]]] = DARK
    board = _Board(plan, peer, state, findings=findings)
    meant = {frozenset((link.a, link.z)) for link in plan.links}
    order = [(row.seen is not True, frozenset(pair) not in meant) for row, pair in zip(rows, ends, strict=True)]
    for at in sorted(range(len(rows)), key=lambda at: order[at]):  # of several neighbours of a port the planned one
        board.see(rows[at], *ends[at])
    return AsBuilt(names, peer, state, board.said, board.findings, reporting, words)


def _titled(titles: set[str], names: Names) -> list[Finding]:
    """Forgive files that are not called after their devices, if these were found; name the others."""
    for title in titles:
        names.renamed.pop(title, None)
    fix = "call a dump after the device that it is of, or give the name to --names"
    return [
        Finding("unknown-device", "warning", title, f"a dump is called {title}, which is no device of the plan", fix)
        for title in sorted(titles)
        if title in names.strange or title not in names.device
    ]


@dataclass(slots=True)
class _Board:
    """What was seen of each port so far."""

    plan: Plan
    peer: I4
    state: np.ndarray
    said: dict[int, Sighting] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def see(self, row: Sighting, a: int, z: int) -> None:
        """Take a sighting; one that contradicts an earlier one is reported."""
        ports = [port for port in (a, z) if port >= 0]
        for port in ports:
            self.said.setdefault(port, row)
        if not row.seen or z < 0:
            for port in ports:
                if self.state[port] != LIT:
                    self.state[port] = UNSEEN if row.seen is None else DARK
        elif self.peer[a] != z:
            taken = [port for port in ports if self.peer[port] >= 0]
            if taken or a == z:
                self.findings.append(_conflict(self.plan, row, a, z, self.peer, taken))
                return
            self.peer[a], self.peer[z] = z, a
            self.state[[a, z]] = LIT


def _conflict(plan: Plan, row: Sighting, a: int, z: int, peer: I4, taken: list[int]) -> Finding:
    name = plan.port_name(a)
    if not all(plan.devices[plan.ports[port].device].planned for port in (a, z)):
        what = f"{name} has {plan.port_name(z)} as a second neighbour, which the plan does not know; it is left out"
        return Finding(
            "second-neighbour", "note", row.where or name, what, "look for a bridge or an adapter's own agent"
        )
    if taken:
        other = f"but {plan.port_name(taken[0])} was seen with {plan.port_name(int(peer[taken[0]]))} as well"
    else:
        other = "which is itself"
    what = f"{name} was seen with {plan.port_name(z)}, {other}; the first counts"
    return Finding("sighting-conflict", "warning", row.where or name, what, "dump both devices again at one time")


class _Ports:
    """Finds the port that a device and a word mean."""

    def __init__(self, plan: Plan, names: Names, words: HostPorts) -> None:
        self.plan, self.names, self.words = plan, names, words
        self.caged: dict[int, dict[tuple[int, int], int]] = {}

    def __call__(self, name: str, word: str) -> int:
        device = self.names.device[name]
        ports = self.plan.devices[device].ports
        word = self.words.label(device, word)
        if word in ports:
            return ports[word]
        known = cage_and_leg(word)
        if known is not None and self.plan.devices[device].planned:
            at = self._by_cage(device).get(known[:2])
            if at is not None:
                return at
        return self.plan.add_port(device, word)

    def _by_cage(self, device: int) -> dict[tuple[int, int], int]:
        if device not in self.caged:
            rows = self.plan.devices[device].ports.values()
            self.caged[device] = {
                (self.plan.ports[row].cage, self.plan.ports[row].leg): row
                for row in rows
                if self.plan.ports[row].row >= 0
            }
        return self.caged[device]
