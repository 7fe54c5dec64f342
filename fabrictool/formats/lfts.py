"""Forwarding tables as ``dump_lfts`` and ``ibroute`` (infiniband-diags) and OpenSM list them.

OpenSM writes ``opensm-lfts.dump``, which it also reads back (``-R file -U``), and ``opensm.fdbs``. LIDs are
hexadecimal, ports decimal; port 0 is the switch itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from fabrictool.formats.descriptions import LAST_LID
from fabrictool.formats.found import clean
from fabrictool.formats.imported import Report
from fabrictool.formats.opening import read_all, text_of
from fabrictool.formats.subnet import LAST_PORT
from fabrictool.records import Destination, Finding, ForwardingTable, SwitchEntries

_HEADER = re.compile(
    r"(?:Unicast lids .*?(?:\bLid (\d+) )?guid|dump_ucast_routes: Switch) 0x([0-9a-fA-F]{1,16})\b"
    r"(?: \('?(.*?)'?\):?\s*$)?"
)
_ENTRY = re.compile(
    r"0x([0-9a-fA-F]{1,8})\s+(?::\s+)?(\d{1,6}|UNREACHABLE)(?=\s|$)"
    r"(?:.*?(Switch|Channel Adapter|Router) portguid 0x([0-9a-fA-F]{1,16}): '(.*)')?"
)
_SUMMARY = re.compile(r"(\d{1,9}) (valid )?lids dumped")
_COLUMNS = re.compile(r"(LID\s*:|Lid\s+Out|Port\s+(Info|:))")
_NO_PATH = 255


def read_tables(path: str) -> tuple[ForwardingTable, tuple[Finding, ...]]:
    """Read forwarding tables from a file, also one packed by gzip or xz; ``-`` is standard input.

    Raises
    ------
    InputError
        If the file cannot be read, or holds no forwarding table.
    """
    name, content = read_all(path)
    return read(name, text_of(content))


def read(name: str, text: str) -> tuple[ForwardingTable, tuple[Finding, ...]]:
    """Return the tables in a text and what is wrong with it; ``name`` stands for the file in messages.

    Raises
    ------
    InputError
        If it holds no forwarding table.
    """
    reader = _Reader(Report(name))
    for line, row in enumerate(text.split("\n"), 1):
        reader.take(line, row.strip())
    reader.finish(None)
    if not any(len(switch.lids) for switch in reader.switches):
        fix = "name the output of dump_lfts or ibroute, an opensm-lfts.dump or an opensm.fdbs"
        raise reader.report.refusal(1, "holds no forwarding table", fix)
    return ForwardingTable(name, tuple(reader.switches), reader.destinations), reader.report.sorted()


@dataclass(slots=True)
class _Block:
    """A switch whose entries are being read."""

    guid: int
    lid: int
    description: str
    line: int
    closes: bool
    entries: dict[int, tuple[int, int]] = field(default_factory=dict)
    rows: int = 0


class _Reader:
    """Takes one line after the other."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.switches: list[SwitchEntries] = []
        self.destinations: dict[int, Destination] = {}
        self._block: _Block | None = None
        self._started: dict[int, int] = {}

    def take(self, line: int, row: str) -> None:
        if row[:2] == "0x":
            self._entry(line, row)
        elif match := _HEADER.match(row):
            self.finish(None)
            self._begin(line, match)
        elif match := _SUMMARY.match(row):
            self.finish(int(match[1]), exact=bool(match[2]))
        elif row and row[0] not in "#*" and not _COLUMNS.match(row):
            what = f"'{row[:60]}' is no line of a forwarding table; it is passed over"
            self.report.add("line-unreadable", "note", line, what, "keep messages of tools out of the file")

    def _begin(self, line: int, match: re.Match[str]) -> None:
        guid = int(match[2], 16)
        self._block = _Block(guid, int(match[1] or 0), clean(match[3] or ""), line, match[0].startswith("Unicast"))
        if guid in self._started:
            what = f"switch {guid:#018x} stands twice, first in line {self._started[guid]}; the later table is used"
            self.report.warn("device-twice", line, what, "keep one table for each switch")
            self.switches = [switch for switch in self.switches if switch.guid != guid]
        self._started[guid] = line

    def _entry(self, line: int, row: str) -> None:
        match, block = _ENTRY.match(row), self._block
        if match is None or block is None:
            what = f"'{row[:60]}' is {'an entry of no switch' if match else 'no entry'}; it is left out"
            self.report.add("line-unreadable", "error", line, what, "see whether the file is whole")
            return
        block.rows += 1
        lid, port = int(match[1], 16), _NO_PATH if match[2] == "UNREACHABLE" else int(match[2])
        if not 1 <= lid <= LAST_LID or port > _NO_PATH:
            limits = f"unicast LIDs are 1 to {LAST_LID:#x}, ports 0 to {LAST_PORT}"
            what = f"LID {lid:#x} by port {port} is left out: {limits}"
            self.report.add("lft-impossible", "error", line, what, "see whether the file is damaged")
        elif port < _NO_PATH:
            self._add(line, lid, port, match)

    def _add(self, line: int, lid: int, port: int, match: re.Match[str]) -> None:
        block = self._block
        assert block is not None
        before = block.entries.get(lid)
        if before is not None and before[0] != port:
            what = f"LID {lid:#06x} goes by port {port}, but by port {before[0]} in line {before[1]}; the later is used"
            self.report.warn("lft-entry-twice", line, what, "keep one entry for each LID")
        block.entries[lid] = port, line
        if match[3] and lid not in self.destinations:
            self.destinations[lid] = Destination(match[3], int(match[4], 16), clean(match[5]))

    def finish(self, stated: int | None, exact: bool = False) -> None:
        """End the table of a switch.

        ``stated`` is the number of its closing line: of entries if exact, else, in OpenSM's listing, the
        highest LID of the subnet.
        """
        block, self._block = self._block, None
        if block is None:
            return
        found = block.rows if exact else max(block.entries, default=0)
        if stated is None and block.closes:
            what = f"the table of switch {block.guid:#018x} has no closing line: the listing is cut here"
            self.report.add("lft-cut", "error", block.line, what, "list the tables again")
        elif stated is not None and (found != stated if exact else found > stated):
            what = "entries" if exact else "as its highest LID"
            what = f"the table of switch {block.guid:#018x} has {found} {what}, but its closing line says {stated}"
            self.report.add("lft-cut", "error", block.line, what, "list the tables again")
        columns = np.array([(lid, *entry) for lid, entry in block.entries.items()], np.int32).reshape(-1, 3)
        lids, ports, lines = np.ascontiguousarray(columns.T)
        self.switches.append(SwitchEntries(block.guid, block.lid, block.description, block.line, lids, ports, lines))


def dump_lfts(table: ForwardingTable) -> Iterator[str]:
    """Yield the listing of ``dump_lfts``, switch by switch."""
    last = _highest(table)
    for switch in table.switches:
        place = f"Lid {switch.lid} guid 0x{switch.guid:016x} ({switch.description})"
        head = f"Unicast lids [0x0-0x{last:x}] of switch {place}:"
        rows = [head, "  Lid  Out   Destination", "       Port     Info "]
        for lid, port in zip(switch.lids.tolist(), switch.ports.tolist(), strict=True):
            rows.append(f"0x{lid:04x} {port:03d} : ({_named(table, lid)})")
        yield "\n".join([*rows, f"{len(switch.lids)} valid lids dumped ", ""])


def opensm_dump(table: ForwardingTable) -> Iterator[str]:
    """Yield an ``opensm-lfts.dump``, switch by switch: what OpenSM reads with ``-R file -U``."""
    last = _highest(table)
    for switch in table.switches:
        place = f"Lid {switch.lid} guid 0x{switch.guid:016x} ('{switch.description}')"
        rows = [f"Unicast lids [0-{last}] of switch {place}:"]
        for lid, port in zip(switch.lids.tolist(), switch.ports.tolist(), strict=True):
            rows.append(f"0x{lid:04x} {port:03d} # {_named(table, lid)}")
        yield "\n".join([*rows, f"{last} lids dumped", ""])


def _highest(table: ForwardingTable) -> int:
    return max((int(switch.lids.max(initial=0)) for switch in table.switches), default=0)


def _named(table: ForwardingTable, lid: int) -> str:
    found = table.destinations.get(lid)
    if found is None:
        return "unknown node and type"
    return f"{found.kind} portguid 0x{found.guid:016x}: '{found.description}'"
