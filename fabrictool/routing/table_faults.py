"""What does not arrive by forwarding tables: loops and dead ends, each with the line of an entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fabrictool.fabric.tables import I4
from fabrictool.formats.imported import Report
from fabrictool.kernels.tables import HERE
from fabrictool.records import ForwardingTable
from fabrictool.routing.forwarding import TableRouting

#: Destinations that are reported one by one.
MOST_REPORTED = 12
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a listing, 0 where there is none: of each entry, (switches, terminals), and of each switch."""

    entry: I4
    switch: I4


def lines_of(
    routing: TableRouting, table: ForwardingTable, row_of: Mapping[int, int], column_of: Mapping[int, int]
) -> Lines:
    """Return where the entries of a routing stand in a listing.

    ``row_of`` tells the place of a switch by its GUID in the listing, ``column_of`` the terminal of a LID.
    """
    found = Lines(np.zeros(routing.out.shape, np.int32), np.zeros(len(routing.out), np.int32))
    for entries in table.switches:
        if entries.guid in row_of:
            row = row_of[entries.guid]
            column = np.array([column_of.get(lid, -1) for lid in entries.lids.tolist()], np.int64)
            found.entry[row, column[column >= 0]] = entries.lines[column >= 0]
            found.switch[row] = entries.line
    return found


def lost_ways(routing: TableRouting, lines: Lines, report: Report) -> None:
    """Report destinations that switches with hosts send in a loop, or do not reach though links join them."""
    wiring = routing.wiring
    senders = np.unique(wiring.terminals.seat[wiring.terminals.up >= 0])
    live = np.flatnonzero(wiring.terminals.up >= 0).astype(np.int32)
    loops: list[tuple[int, int]] = []
    ends: list[tuple[int, int, int]] = []
    for low in range(0, len(live), _BLOCK):
        column = live[low : low + _BLOCK]
        step, last = followed(routing, column)
        stuck = last[senders]
        seat = wiring.terminals.seat[column]
        goal = np.where(routing.out[seat, column] == HERE, seat, -1)
        astray = (stuck != goal) & (wiring.part[senders][:, None] == wiring.part[seat])
        for at in np.flatnonzero(astray.any(axis=0)).tolist():
            wrong = np.flatnonzero(astray[:, at])
            final = stuck[wrong, at]
            looping = final[step[final, at] != final]
            if len(looping):
                loops.append((int(column[at]), int(looping[0])))
            else:
                ends.append((int(column[at]), int(final[0]), len(wrong)))
    _report_loops(routing, loops, lines, report)
    _report_ends(routing, ends, len(senders), lines, report)


def followed(routing: TableRouting, column: I4) -> tuple[I4, I4]:
    """Return the next switch, and the last after as many steps as there are switches, on the way to destinations.

    Where a switch has no way on, or the destination is on it, it is its own next one: (switches,
    destinations) each.
    """
    tables = routing.tables
    row = np.arange(len(tables.first) - 1, dtype=np.int32)[:, None]
    out = tables.out[:, column]
    way = np.where(out >= 0, tables.first[:-1, None] + out, 0)
    step = np.where(out >= 0, tables.to[way] if len(tables.to) else 0, row).astype(np.int32)
    last, places = step, np.arange(len(column))
    for _ in range(len(row).bit_length()):
        last = last[last, places]
    return step, last


def _report_loops(routing: TableRouting, loops: list[tuple[int, int]], lines: Lines, report: Report) -> None:
    names = routing.wiring.fabric.names
    for terminal, start in loops[:MOST_REPORTED]:
        step, _ = followed(routing, np.array([terminal], np.int32))
        circle, at = [start], int(step[start, 0])
        while at != start:
            circle.append(at)
            at = int(step[at, 0])
        way = " - ".join(str(names[routing.wiring.switch[row]]) for row in (*circle, start))
        what = f"traffic to {_name(routing, terminal)} runs in a loop: {way}"
        line = int(lines.entry[start, terminal])
        report.add("lft-loop", "error", line, what, "let the subnet manager route again")
    if len(loops) > MOST_REPORTED:
        what = f"traffic to {len(loops) - MOST_REPORTED} more ports runs in loops"
        report.add("lft-loop", "error", 0, what, "let the subnet manager route again")


def _report_ends(
    routing: TableRouting, ends: list[tuple[int, int, int]], senders: int, lines: Lines, report: Report
) -> None:
    names = routing.wiring.fabric.names
    for terminal, last, count in ends[:MOST_REPORTED]:
        where = str(names[routing.wiring.switch[last]])
        what = f"{_name(routing, terminal)} is not reached from {count} of {senders} leaves: {where} has no way on"
        line = int(lines.switch[last])
        report.add("lft-unreachable", "error", line, what, "see whether the listing is whole, then route again")
    if len(ends) > MOST_REPORTED:
        what = f"{len(ends) - MOST_REPORTED} more ports are not reached from everywhere"
        report.add("lft-unreachable", "error", 0, what, "see whether the listing is whole, then route again")


def _name(routing: TableRouting, terminal: int) -> str:
    return routing.wiring.fabric.port_name(int(routing.wiring.terminals.port[terminal]))
