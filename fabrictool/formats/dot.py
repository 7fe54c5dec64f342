"""DOT: the ``topology.dot`` that PTM holds LLDP against, and graphs of others that name ports.

PTM (Prescriptive Topology Manager of Cumulus Linux) reads edges between ``"device":"port"`` and passes over
attributes that it does not know; ours say what else a link and a device are. It cuts lines at 1,024 bytes, so
each link has a line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fabrictool.fabric import KINDS, Fabric
from fabrictool.formats.cabled import Cabled, End
from fabrictool.formats.dot_grammar import Dot, Statement
from fabrictool.formats.edges_csv import gigabits, quantity
from fabrictool.formats.imported import Imported, Report
from fabrictool.formats.linked import LinkEnd, LinkText, bare, link_texts
from fabrictool.units import SPEED, TIME

FORMAT = "dot"
NETWORK = "network"
#: PTM reads a topology by lines of at most this many bytes.
LONGEST_LINE = 1023
_SNIFF = re.compile(
    rb"\A(?:\s|//[^\n]*\n|/\*.*?\*/|#[^\n]*\n)*(?:strict\s+)?(?:di)?graph\b[^\n={:]{0,200}(?:\{|\n\s*\{)",
    re.IGNORECASE | re.DOTALL,
)


def sniff(head: bytes) -> bool:
    """Return whether the start of a file is that of a graph in DOT."""
    return bool(_SNIFF.match(head))


def read(name: str, text: str) -> Imported:
    """Read a graph: what has a ``kind``, ``role`` or ``group`` attribute is of that kind.

    Raises
    ------
    InputError
        If the text is no DOT, is cut, or names no device.
    """
    report = Report(name)
    cabled = Cabled(report)
    dot = Dot(text, report)
    kinds: dict[str, str] = {}
    edges = []
    for statement in dot.statements():
        if len(statement.ends) == 1:
            _device(statement, cabled, kinds)
        else:
            edges.append(statement)
    for statement in edges:
        for a, z in zip(statement.ends, statement.ends[1:], strict=False):
            _link(statement, a, z, cabled, kinds)
    if not cabled.devices:
        raise report.refusal(1, "names no device", 'write "device":"port" -- "device":"port"')
    fabric = cabled.fabric(name, dot.graph.get("protocol", "unknown"), dot.graph.get("label", ""))
    return Imported(FORMAT, fabric, report.sorted())


def _device(statement: Statement, cabled: Cabled, kinds: dict[str, str]) -> None:
    device, row = statement.ends[0][0], statement.attributes
    kinds[device] = row.get("kind") or row.get("role") or ""
    cabled.device(statement.line, End(device, kinds[device], "", row.get("pod", "")))


def _link(statement: Statement, a: tuple[str, str], z: tuple[str, str], cabled: Cabled, kinds: dict[str, str]) -> None:
    row, line = statement.attributes, statement.line
    speed = quantity(row, "speed", SPEED, line, cabled.report) or gigabits(row, line, cabled.report)
    latency = quantity(row, "latency", TIME, line, cabled.report)
    lower, upper = (
        End(device, kinds.get(device, ""), port, number=_number(row.get(f"{side}_number", "")))
        for side, (device, port) in zip("az", (a, z), strict=True)
    )
    cabled.add(line, lower, upper, speed, latency, row.get("network") or NETWORK)


def _number(word: str) -> int:
    return int(word) if word.isdecimal() and len(word) < 6 else 0


def write(fabric: Fabric, words: Sequence[str] | None = None) -> str:
    """Return a fabric as ``topology.dot``; ports are called by ``words``, (ports,), by default as ``port_words``."""
    protocols = {facts.protocol for facts in fabric.networks}
    lines = ["graph G {", f"  label={quoted(fabric.name)}"]
    lines += [f"  protocol={quoted(next(iter(protocols)))}"] if len(protocols) == 1 else []
    pods = fabric.devices.pod.tolist()
    for name, kind, pod in zip(fabric.names, fabric.devices.kind.tolist(), pods, strict=True):
        more = f" pod={pod}" if pod >= 0 else ""
        lines.append(f"  {quoted(name)} [kind={KINDS[kind]}{more}]")
    lines += [_edge(link) for link in link_texts(fabric, words)]
    return "\n".join([*lines, "}", ""])


def _edge(link: LinkText) -> str:
    speed, latency = (quoted(bare(value)) if value else "" for value in (link.speed_bps, link.latency_s))
    facts = {"speed": speed, "latency": latency, "network": quoted(link.network)}
    for side, end in (("a", link.a), ("z", link.z)):
        facts[f"{side}_number"] = "" if end.port == str(end.number) else str(end.number)
    kept = " ".join(f"{key}={value}" for key, value in facts.items() if value)
    return f"  {_end(link.a)} -- {_end(link.z)} [{kept}]"


def _end(end: LinkEnd) -> str:
    return f"{quoted(end.device)}:{quoted(end.port)}"


def quoted(word: str) -> str:
    """Return a word in double quotes."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
