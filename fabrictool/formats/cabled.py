"""Devices and links from tables that state one link a row."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from fabrictool.fabric import Fabric, NetworkFacts
from fabrictool.formats.found import SWITCH, FoundDevice, FoundLink, clean, make_unique, natural, number_ports, title
from fabrictool.formats.imported import Report
from fabrictool.formats.joining import joined, usable_links
from fabrictool.formats.tiers import TIER, set_tiers

#: What other tools call our kinds.
SYNONYMS = {
    "edge": "leaf", "tor": "leaf", "rtsw": "leaf", "aggregation_switch": "spine", "agg": "spine", "ca": "host",
    "hca": "host", "node": "host", "server": "host", "gpu": "host", "super_spine": "core", "superspine": "core",
    "": SWITCH,
}  # fmt: skip
#: Port labels with a cage and, behind it, a leg: ``swp9s1``, ``E1/9/2``, ``sw9p1``.
_CAGED = re.compile(r"^(?:swp(\d+)s\d+|sw(\d+)p\d+|[A-Za-z]*\d+/(\d+)/\d+)$")


@dataclass(slots=True)
class End:
    """One end of a row: names as they stand there.

    ``number`` is that of the port and ``cage`` that of its cage, from 1, where the row tells them, else 0.
    """

    device: str
    kind: str
    port: str
    group: str = ""
    number: int = 0
    cage: int = 0


@dataclass(slots=True)
class Cabled:
    """Collects rows of a table, and joins them to a fabric."""

    report: Report
    devices: list[FoundDevice] = field(default_factory=list)
    labels: list[set[str]] = field(default_factory=list)
    _rows: dict[str, int] = field(default_factory=dict)
    _links: list[tuple[int, str, int, str, FoundLink]] = field(default_factory=list)
    _pods: dict[str, int] = field(default_factory=dict)
    _numbers: dict[tuple[int, str], int] = field(default_factory=dict)
    _cages: dict[tuple[int, str], int] = field(default_factory=dict)

    def add(self, line: int, a: End, z: End, speed_bps: float, latency_s: float, network: str) -> None:
        """Add the link of a row."""
        i, j = self.device(line, a), self.device(line, z)
        a_port, z_port = a.port or self._next_port(i), z.port or self._next_port(j)
        for row, port, end in ((i, a_port, a), (j, z_port, z)):
            self.labels[row].add(port)
            if end.number:
                self._numbers[row, port] = end.number
            if end.cage:
                self._cages[row, port] = end.cage
        self._links.append((i, a_port, j, z_port, FoundLink(i, 0, j, 0, speed_bps, latency_s, network, line)))

    def _next_port(self, row: int) -> str:
        number = len(self.labels[row]) + 1
        while str(number) in self.labels[row]:
            number += 1
        return str(number)

    def device(self, line: int, end: End) -> int:
        """Return the place of an end's device, made if it is new."""
        kind = self._kind(line, end)
        row = self._rows.get(end.device)
        if row is None:
            row = self._rows[end.device] = len(self.devices)
            self.devices.append(FoundDevice(clean(end.device), kind, line))
            self.labels.append(set())
        device = self.devices[row]
        if device.kind != kind:
            if SWITCH not in (device.kind, kind):
                what = f"{end.device} is a {kind} here and a {device.kind} in line {device.line}, which counts"
                self.report.warn("kind-differs", line, what, "give a device one kind")
            device.kind = kind if device.kind == SWITCH else device.kind
        if end.group and device.pod < 0:
            device.pod = self._pods.setdefault(end.group, _pod(end.group, self._pods))
        return row

    @staticmethod
    def tier(kind: str) -> int:
        """Return the tier of a kind in anybody's words, -1 if it tells none."""
        return TIER.get(SYNONYMS.get(kind.lower(), kind.lower()), -1)

    def _kind(self, line: int, end: End) -> str:
        word = end.kind.lower().replace(" ", "_").replace("-", "_")
        word = SYNONYMS.get(word, word)
        if word in TIER or word == SWITCH:
            return word
        if word.endswith(("leaf", "spine", "core")):
            return re.sub(r".*(leaf|spine|core)$", r"\1", word)
        what = f"kind '{end.kind}' of {end.device} is not known: taken for a switch"
        self.report.warn("kind-unknown", line, what, f"use one of {', '.join(TIER)}, {SWITCH}")
        return SWITCH

    def fabric(self, name: str, protocol: str, called: str = "") -> Fabric:
        """Join all rows, hosts first, then switches by tier, each kind in the order of the file.

        The fabric is ``called`` what the file says, else after the file's ``name``.

        Raises
        ------
        InputError
            If there is no row.
        """
        report = self.report
        numbers = number_ports(self.devices, self.labels, given=self._numbers)
        for device in self.devices:
            _set_cages(device)
        for (row, port), cage in self._cages.items():
            self.devices[row].ports[numbers[row][port]].cage = cage - 1
        links = [link for *_, link in self._links]
        for i, a_port, j, z_port, link in self._links:
            link.a_port, link.z_port = numbers[i][a_port], numbers[j][z_port]
        self._guess_hosts()
        set_tiers(self.devices, links, report)
        links = usable_links(self.devices, links, report)
        names = list(dict.fromkeys(link.network for link in links)) or [""]
        order = sorted(range(len(self.devices)), key=self._order)
        new = {old: row for row, old in enumerate(order)}
        for link in links:
            link.a, link.z = new[link.a], new[link.z]
        devices = [self.devices[row] for row in order]
        make_unique(devices)
        _set_rails(devices, links)
        unknown = [link.line for link in links if not link.speed_bps]
        if unknown:
            what = f"{len(unknown)} of {len(links)} links have no speed: it is unknown"
            report.warn("rate-unknown", unknown[0], what, "fill in the column of the speed")
        return joined(
            clean(called) or title(name),
            devices,
            links,
            [NetworkFacts(word, protocol, "file") for word in names],
            report,
        )

    def _order(self, row: int) -> tuple[int, int]:
        device = self.devices[row]
        return (device.tier, 0) if device.kind in {"host", "leaf", "spine", "core"} else (device.tier, 1)

    def _guess_hosts(self) -> None:
        """Take what has no kind and one neighbour kind for a host where no device has a kind."""
        if not self.devices or any(device.kind != SWITCH for device in self.devices):
            return
        near: defaultdict[int, set[int]] = defaultdict(set)
        for i, _, j, _, _ in self._links:
            near[i].add(j)
            near[j].add(i)
        lowest = [row for row, device in enumerate(self.devices) if _looks_like_host(device.name)]
        lowest = lowest or [row for row in range(len(self.devices)) if len(near[row]) == 1]
        for row in lowest:
            self.devices[row].kind = "host"
        what = f"no device has a kind: {len(lowest)} are taken for hosts by name or by their single neighbour"
        self.report.warn("kind-unknown", self.devices[0].line, what, "add the columns a_kind and z_kind")


_SWITCH_WORDS = re.compile(r"leaf|spine|core|tor|agg|switch|(?:^|[^a-z])s?sw\d|router|edge", re.IGNORECASE)
_HOST_WORDS = re.compile(r"gpu|host|node|server|compute|dgx|hgx|storage|\bstor|mgmt|login", re.IGNORECASE)


def _looks_like_host(name: str) -> bool:
    return bool(_HOST_WORDS.search(name)) and not _SWITCH_WORDS.search(name)


def _pod(word: str, pods: dict[str, int]) -> int:
    """Return the place of a group: its number if it is one, else the next free one."""
    if word.isdecimal() and word.isascii() and len(word) < 9:
        return int(word)
    return max(pods.values(), default=-1) + 1


def _set_cages(device: FoundDevice) -> None:
    """Let legs of one cage share it, where every label of a device tells its cage."""
    found = [_CAGED.match(port.label) for port in device.ports.values()]
    if not found or any(match is None for match in found):
        return
    cages = [next(part for part in match.groups() if part) for match in found if match]
    if all(len(cage) < 5 and int(cage) > 0 for cage in cages):
        for port, cage in zip(device.ports.values(), cages, strict=True):
            port.cage = int(cage) - 1


def _set_rails(devices: Sequence[FoundDevice], links: Sequence[FoundLink]) -> None:
    """Give each connected port of a host its rail: its place among the host's ports of one network."""
    used: defaultdict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
    for link in links:
        for row, port, other in ((link.a, link.a_port, link.z), (link.z, link.z_port, link.a)):
            if devices[row].kind == "host" and devices[other].tier == 1:
                used[row, link.network].append((port, other))
    seen: defaultdict[int, set[int]] = defaultdict(set)
    for (row, _), ports in used.items():
        for rail, (port, leaf) in enumerate(sorted(ports, key=lambda end: natural(devices[row].ports[end[0]].label))):
            devices[row].ports[port].rail = rail if len(ports) > 1 else -1
            seen[leaf].add(devices[row].ports[port].rail)
    for leaf, rails in seen.items():
        devices[leaf].rail = min(rails) if len(rails) == 1 else -1
