"""``.topo`` files of ibutils: systems by type and name, and the ports that join them.

A type's ports stand in an ``.ibnl`` file of that name beside the topology, or in a folder ``ibnl`` there;
without one a system has the ports that are named, and a system that only others name is a host.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fabrictool.errors import InputError
from fabrictool.fabric import Fabric, NetworkFacts
from fabrictool.formats.descriptions import LANE_GBPS, link_speed, rate_in
from fabrictool.formats.found import SWITCH, FoundDevice, FoundLink, clean, natural, number_ports, title
from fabrictool.formats.imported import Imported, Report
from fabrictool.formats.joining import joined, usable_links
from fabrictool.formats.tiers import set_tiers

FORMAT = "ibutils-topo"
NETWORK = "infiniband"
#: Most bytes that are read of a definition.
LARGEST = 2**20
_SYSTEM = re.compile(r"^(\S+)\s+(\S+)\s*(CFG:.*)?$")
_LINK = re.compile(r"^(\S+)\s+-(?:(\d+x)(?:-([\d.]+)G?)?-|([\d.]+)G?-)?>\s+(\S+)\s+(\S+)\s+(\S+)$")
#: ibutils 1.5.7 passes over links whose speed it does not know, so newer ones stand in a comment above them.
_BELOW = re.compile(r"#\s*links below: (\d+x)-([\d.]+)G$")
_KNOWN_GBPS = ("2.5", "5", "10")
_SNIFF = re.compile(rb"^\s+\S+\s+-(?:\d+x-[\d.]*G?-?|\d+x-)?>\s+\S+\s+\S+\s+\S+\s*$", re.MULTILINE)
_NODE = re.compile(r"^\s*NODE\s+(SW|CA)\s+(\d+)", re.MULTILINE)
_FRONT = re.compile(r"^\s*\d+\s+-(?:\S+-)?>\s+(\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Definition:
    """What an ``.ibnl`` file says of a type: whether it is a switch, and its front-panel ports."""

    switch: bool
    ports: tuple[str, ...]


@dataclass(slots=True)
class _Systems:
    rows: dict[str, int] = field(default_factory=dict)
    devices: list[FoundDevice] = field(default_factory=list)
    labels: list[set[str]] = field(default_factory=list)
    heads: set[int] = field(default_factory=set)

    def row(self, kind: str, name: str, line: int) -> int:
        if name not in self.rows:
            self.rows[name] = len(self.devices)
            self.devices.append(FoundDevice(clean(name), "", line, type=kind))
            self.labels.append(set())
        return self.rows[name]


def sniff(head: bytes) -> bool:
    """Return whether the start of a file looks like a topology of this kind."""
    return bool(_SNIFF.search(head))


def read(name: str, text: str, definitions: Mapping[str, Definition] | None = None) -> Imported:
    """Read a topology.

    Parameters
    ----------
    name : str
        File name; definitions are looked for beside it.
    text : str
        Content.
    definitions : mapping of str to Definition, optional
        Types of system; read from ``.ibnl`` files beside the topology if absent.

    Raises
    ------
    InputError
        If there is no system in it.
    """
    report = Report(name)
    systems = _Systems()
    stated = _links(text, systems, report)
    if not systems.devices:
        raise report.refusal(1, "holds no system", "name a whole .topo file")
    found = definitions if definitions is not None else beside(name, {d.type for d in systems.devices})
    _kinds(systems, found, report)
    numbers = number_ports(systems.devices, systems.labels, "P")
    links = [
        FoundLink(a, numbers[a][p], z, numbers[z][q], link_speed(rate), 0.0, NETWORK, line, rate)
        for a, p, z, q, rate, line in stated
    ]
    return _imported(name, systems, _once(links, report), report)


def _imported(name: str, systems: _Systems, links: list[FoundLink], report: Report) -> Imported:
    devices = systems.devices
    set_tiers(devices, links, report)
    links = usable_links(devices, links, report)
    unknown = [link for link in links if not link.speed_bps]
    if unknown:
        what = f"{len(unknown)} of {len(links)} links have no speed: it is unknown"
        report.warn("rate-unknown", unknown[0].line, what, "write -4x-50G-> and the like")
    order = sorted(range(len(devices)), key=lambda row: (devices[row].tier, natural(devices[row].name)))
    new = {old: row for row, old in enumerate(order)}
    for link in links:
        link.a, link.z = new[link.a], new[link.z]
    devices = [devices[row] for row in order]
    fabric = joined(title(name), devices, links, [NetworkFacts(NETWORK, "infiniband", "file")], report)
    switches = sum(device.tier > 0 for device in devices)
    stated = {"systems": len(devices), "switches": switches, "links": len(links)}
    return Imported(FORMAT, fabric, report.sorted(), stated=stated)


def _links(text: str, systems: _Systems, report: Report) -> list[tuple[int, str, int, str, str, int]]:
    here, said = -1, ""
    found = []
    for line, raw in enumerate(text.split("\n"), 1):
        row = raw.partition("#")[0].strip()
        below = _BELOW.match(raw.strip())
        said = "" if row and "->" not in row else _rate_of(below[1], below[2]) if below else said
        if not row:
            here = here if raw.strip().startswith("#") else -1
            continue
        link, system = _LINK.match(row), _SYSTEM.match(row)
        if link and here >= 0:
            there = systems.row(link[5], link[6], line)
            systems.labels[here].add(link[1])
            systems.labels[there].add(link[7])
            found.append((here, link[1], there, link[7], _rate(link) or said, line))
        elif system and "->" not in row and here < 0:
            here = systems.row(system[1], system[2], line)
            systems.heads.add(here)
            if system[3]:
                what = f"'{system[3][:40]}' is not followed: the system is taken as one device"
                report.warn("not-followed", line, what, "name its boards as systems of their own")
        else:
            what = f"'{row[:60]}' is neither a system nor a link; it is left out"
            report.add("line-unreadable", "error", line, what, "see whether the file is whole")
    return found


def _rate(link: re.Match[str]) -> str:
    return _rate_of(link[2] or "4x", link[3] or link[4] or "")


def _rate_of(width: str, lane_gbps: str) -> str:
    word = LANE_GBPS.get(lane_gbps)
    return rate_in(f"{width}{word}") if word else ""


def _once(links: list[FoundLink], report: Report) -> list[FoundLink]:
    """Drop the second of two equal links: some writers state both ends."""
    seen: set[frozenset[tuple[int, int]]] = set()
    kept = []
    for link in links:
        ends = frozenset({(link.a, link.a_port), (link.z, link.z_port)})
        if ends not in seen:
            kept.append(link)
        seen.add(ends)
    return kept


def _kinds(systems: _Systems, definitions: Mapping[str, Definition], report: Report) -> None:
    unknown: dict[str, int] = {}
    heads = {systems.devices[row].type for row in systems.heads}
    for row, device in enumerate(systems.devices):
        known = definitions.get(device.type)
        if known is not None:
            device.kind = SWITCH if known.switch else "host"
            if not systems.labels[row] - set(known.ports):
                systems.labels[row] |= set(known.ports)
            continue
        unknown.setdefault(device.type, device.line)
        device.kind = SWITCH if device.type in heads else "host"
    for kind, line in unknown.items():
        word = "switches" if kind in heads else "hosts"
        what = f"no definition of {kind}: its systems are taken for {word} with the ports that are named"
        report.add("type-unknown", "note", line, what, f"put {kind}.ibnl beside the file")


def beside(name: str, types: set[str]) -> dict[str, Definition]:
    """Return the definitions of types that lie beside a topology, or in a folder ``ibnl`` there."""
    folder = Path(name).parent
    found = {}
    for kind in sorted(types):
        if "/" in kind or "\0" in kind or len(kind) > 100:
            continue
        for place in (folder / f"{kind}.ibnl", folder / "ibnl" / f"{kind}.ibnl"):
            if place.is_file():
                with place.open("rb") as stream:
                    found[kind] = definition(stream.read(LARGEST).decode("utf-8", "replace"))
                break
    return found


def definition(text: str) -> Definition:
    """Return what an ``.ibnl`` text says: its first chip decides whether the system is a switch."""
    chip = _NODE.search(text)
    ports = tuple(dict.fromkeys(_FRONT.findall(text)))
    return Definition(chip is None or chip[1] == "SW", ports)


def write(fabric: Fabric, network: int = 0) -> str:
    """Return a network as systems and the links between them, each link once, below its upper end.

    Raises
    ------
    InputError
        If a name holds blanks, which this format has no quotes for, or a link's speed is no InfiniBand rate.
    """
    below = _below(fabric, network)
    _refuse_blanks(fabric, below)
    lines = [f"# {fabric.name}, network {fabric.networks[network].name}"]
    for device, links in below.items():
        lines += ["", f"{system_type(fabric, device)} {fabric.names[device]}"]
        lines += _block(fabric, sorted(links))
    return "\n".join([*lines, ""])


def _block(fabric: Fabric, links: Sequence[tuple[int, str, int, int]]) -> Iterator[str]:
    said = ""
    for own, rate, far, port in links:
        width, _, lane = rate.partition("-")
        if lane and lane.removesuffix("G") not in _KNOWN_GBPS:
            if rate != said:
                yield f"# links below: {rate}"
            said = rate
        shown = width if rate == said else rate
        yield f"   P{own} -{shown}-> {system_type(fabric, far)} {fabric.names[far]} P{port}"


def _below(fabric: Fabric, network: int) -> dict[int, list[tuple[int, str, int, int]]]:
    """Return the links below each switch of a network: own port, width and speed, far device and its port."""
    links, number = fabric.links, fabric.ports.number
    rows = np.flatnonzero(links.network == network)
    a, z = (end[rows].tolist() for end in fabric.ends)
    found: dict[int, list[tuple[int, str, int, int]]] = {row: [] for row in sorted({*a, *z}) if _is_switch(fabric, row)}
    columns = (number[links.port_a[rows]], number[links.port_z[rows]], links.speed_bps[rows])
    for lower, upper, near, far, speed in zip(a, z, *(column.tolist() for column in columns), strict=True):
        found[upper].append((far, _width(speed), lower, near))
    return found


def _is_switch(fabric: Fabric, device: int) -> bool:
    return bool(fabric.devices.tier[device] > 0)


def _width(speed_bps: float) -> str:
    """Return lanes and speed of each lane, such as ``4x-100G``; four lanes of unknown speed are ``4x``."""
    for lanes in (4, 2, 1, 8, 12):
        for gbps in LANE_GBPS:
            if speed_bps == lanes * float(gbps) * 1e9:
                return f"{lanes}x-{gbps}G"
    if speed_bps:
        raise InputError(f"a link of {speed_bps / 1e9:g} Gbit/s has no InfiniBand rate", "use 100G, 200G, 400G or 800G")
    return "4x"


def _refuse_blanks(fabric: Fabric, below: Mapping[int, list[tuple[int, str, int, int]]]) -> None:
    devices = {*below, *(row[2] for rows in below.values() for row in rows)}
    strange = [fabric.names[row] for row in sorted(devices) if re.search(r"[\s#]", fabric.names[row])]
    if strange:
        what = f"{len(strange)} names hold blanks or '#', such as '{strange[0]}'"
        raise InputError(what, "rename these devices, or write another format")


def system_type(fabric: Fabric, device: int) -> str:
    """Return the word for a device's type, with its ports, since a definition lists them."""
    word = re.sub(r"[^\w.-]", "_", fabric.types[fabric.devices.type[device]])
    return f"{word}-{int(fabric.first_port[device + 1] - fabric.first_port[device])}p"


def written_definitions(fabric: Fabric, network: int = 0) -> dict[str, str]:
    """Return the definition of each type of system, by file name; ibutils looks for them in IBDM_IBNL_PATH."""
    found: dict[str, str] = {}
    a, z = fabric.ends
    rows = np.flatnonzero(fabric.links.network == network)
    for device in sorted({*a[rows].tolist(), *z[rows].tolist()}):
        word = system_type(fabric, device)
        if f"{word}.ibnl" in found:
            continue
        ports = fabric.ports.number[fabric.first_port[device] : fabric.first_port[device + 1]].tolist()
        found[f"{word}.ibnl"] = f"TOPSYSTEM {word}\n\n" + _chips(ports, _is_switch(fabric, device))
    return found


def _chips(ports: list[int], switch: bool) -> str:
    """Return a switch as one chip, a host as one adapter a port."""
    if switch:
        return f"NODE SW {max(ports)} CHIP U1\n" + "".join(f"    {port} -> P{port}\n" for port in ports)
    return "".join(f"NODE CA 1 ADAPTER U{port}\n    1 -4x-> P{port}\n\n" for port in ports)
