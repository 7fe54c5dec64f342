"""Forwarding tables as OpenSM wrote them, read by a parser of ten lines that shares nothing with ours."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from fabrictool.kernels.tables import HERE, NOWHERE
from fabrictool.routing.forwarding import TableRouting

DATA = Path(__file__).parent / "data" / "opensm"
Tables = dict[int, dict[int, int]]


def tables_in(path: Path) -> Tables:
    """Ports by LID by switch GUID of an ``opensm-lfts.dump``."""
    found: Tables = {}
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    for row in text.splitlines():
        if match := re.match(r"Unicast lids .* guid (0x[0-9a-f]+)", row):
            current = found.setdefault(int(match[1], 16), {})
        elif match := re.match(r"(0x[0-9a-f]+) (\d+) ", row):
            current[int(match[1], 16)] = int(match[2])
    return found


def ports_of(routing: TableRouting) -> list[list[int]]:
    """Port of each switch for each terminal, 0 for none."""
    wiring = routing.wiring
    numbers = wiring.fabric.ports.number
    to_terminal = numbers[wiring.fabric.ports.peer[wiring.terminals.port]]
    rows = []
    for switch in range(len(wiring.switch)):
        first = wiring.ways.first[switch]
        ports = []
        for terminal, way in enumerate(routing.out[switch].tolist()):
            if way == HERE:
                ports.append(int(to_terminal[terminal]))
            else:
                ports.append(0 if way == NOWHERE else int(wiring.ways.number[first + way]))
        rows.append(ports)
    return rows


def differences(routing: TableRouting, theirs: Tables, guid: list[int], lid: list[int]) -> list[tuple[str, int, int]]:
    """Entries in which tables differ: switch, LID and our port. A switch without links is in no subnet."""
    names = [routing.wiring.fabric.names[row] for row in routing.wiring.switch]
    found = []
    for row, ports in enumerate(ports_of(routing)):
        first, last = routing.wiring.ways.first[row : row + 2]
        if guid[row] not in theirs and first == last:
            continue
        table = theirs[guid[row]]
        found += [(names[row], at, port) for at, port in zip(lid, ports, strict=True) if table.get(at, 0) != port]
    return found
