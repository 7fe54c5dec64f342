"""The routing ``lft``: forwarding tables that others computed, on a wiring."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.formats.descriptions import adapter, switch_name
from fabrictool.formats.identities import Identities, identities
from fabrictool.formats.imported import Report
from fabrictool.formats.lfts import read_tables
from fabrictool.kernels.tables import HERE, NOWHERE
from fabrictool.records import Finding, ForwardingTable, SwitchEntries
from fabrictool.routing.forwarding import TableRouting
from fabrictool.routing.table_faults import lines_of, lost_ways
from fabrictool.routing.wiring import Wiring

_KINDS_OF_LOSS = 12


def read_routing(wiring: Wiring, path: str) -> tuple[TableRouting, tuple[Finding, ...]]:
    """Read forwarding tables from a file onto a wiring; see :func:`imported_routing`.

    Raises
    ------
    InputError
        If the file holds no table, or none of this network.
    """
    table, findings = read_tables(path)
    routing, more = imported_routing(wiring, table)
    return routing, (*findings, *more)


def imported_routing(wiring: Wiring, table: ForwardingTable) -> tuple[TableRouting, tuple[Finding, ...]]:
    """Return the routing that tables make of a wiring, and what does not fit.

    Switches are told by GUID, destinations by LID, or by the port GUID that the listing states, should LIDs
    have changed. A fabric without GUIDs and LIDs of its own has those of
    :func:`fabrictool.formats.identities.identities`, as our exports do; if these are not in the listing,
    names decide.

    Raises
    ------
    InputError
        If no switch, or no destination, of the tables is in this network.
    """
    report = Report(table.source)
    ids = identities(wiring.fabric, wiring.network)
    row_of = _switches(wiring, table, ids, report)
    column_of = _terminals(wiring, table, ids, report)
    out = np.full((len(wiring.switch), len(wiring.terminals)), NOWHERE, np.int16)
    dead = Report(table.source)
    for entries in table.switches:
        if entries.guid in row_of:
            _fill(wiring, entries, row_of[entries.guid], column_of, out, dead)
    report.findings += dead.findings[:_KINDS_OF_LOSS]
    if len(dead.findings) > _KINDS_OF_LOSS:
        what = f"{len(dead.findings) - _KINDS_OF_LOSS} more ports of switches are such"
        report.add("lft-dead-port", "error", 0, what, "let the subnet manager route again")
    routing = TableRouting("lft", wiring, out)
    lost_ways(routing, lines_of(routing, table, row_of, column_of), report)
    return routing, report.sorted()


def _switches(wiring: Wiring, table: ForwardingTable, ids: Identities, report: Report) -> dict[int, int]:
    """Return the place of each table's switch by the table's GUID."""
    names = [wiring.fabric.names[device] for device in wiring.switch]
    place = {int(ids.switch_guid[device]): row for row, device in enumerate(wiring.switch.tolist())}
    by_name = {name: row for row, name in enumerate(names)} if wiring.fabric.devices.guid is None else {}
    found: dict[int, int] = {}
    for entries in table.switches:
        row = place.get(entries.guid, by_name.get(switch_name(entries.description)[0]))
        if row is not None and row not in found.values():
            found[entries.guid] = row
            continue
        what = f"switch {entries.guid:#018x} '{entries.description}' is not in network {wiring.name}; it is left out"
        report.warn("lft-unknown-switch", entries.line, what, "give tables and fabric of the same time")
    if not found:
        what = f"none of its {len(table.switches)} switches is in network {wiring.name}"
        raise InputError([Problem(f"{table.source}:1:1", what, "give the tables of this fabric")])
    missing = [names[row] for row in sorted(set(range(len(names))) - set(found.values()))]
    if missing:
        shown = ", ".join(missing[:_KINDS_OF_LOSS]) + (", …" if len(missing) > _KINDS_OF_LOSS else "")
        what = f"{len(missing)} of {len(names)} switches have no table, nothing gets through them: {shown}"
        report.add("lft-missing-switch", "error", 0, what, "list the tables of all switches")
    return found


def _terminals(wiring: Wiring, table: ForwardingTable, ids: Identities, report: Report) -> dict[int, int]:
    """Return the terminal of each LID of the tables; those of switches and engines are passed over."""
    port = wiring.terminals.port
    by_lid = {int(lid): column for column, lid in enumerate(ids.port_lid[port].tolist())}
    by_guid = {int(guid): column for column, guid in enumerate(ids.port_guid[port].tolist())}
    by_name = _names(wiring)
    others = set(ids.switch_lid.tolist()) | (set(ids.port_lid.tolist()) - by_lid.keys())
    first: dict[int, int] = {}
    for entries in table.switches:
        for lid, line in zip(entries.lids.tolist(), entries.lines.tolist(), strict=True):
            first.setdefault(lid, line)
    known = any(to.guid in by_guid for to in table.destinations.values()) or not table.destinations
    found: dict[int, int] = {}
    unknown, moved = [], []
    for lid in first:
        to = table.destinations.get(lid)
        if to is not None and to.kind == "Switch":
            continue
        column = by_lid.get(lid) if known else None
        if to is not None:
            stated = by_guid.get(to.guid) if known else by_name.get(adapter(to.description) or ("", ""))
            if stated is not None and column is not None and stated != column:
                moved.append(lid)
            column = stated if stated is not None else None if known and to.guid else column
        if column is not None:
            found[lid] = column
        elif lid not in others:
            unknown.append(lid)
    _tell(report, first, "lft-unknown-lid", unknown, "is of no port of the network; its entries are left out")
    _tell(report, first, "lft-lid-moved", moved, "belonged to another port when the tables were listed")
    if not found:
        what = f"none of its {len(first)} LIDs is of a host in network {wiring.name}"
        raise InputError([Problem(f"{table.source}:1:1", what, "give the tables of this fabric")])
    return found


def _names(wiring: Wiring) -> Mapping[tuple[str, str], int]:
    from fabrictool.formats.netfile import descriptions

    ports = {int(port): column for column, port in enumerate(wiring.terminals.port.tolist())}
    found: dict[tuple[str, str], int] = {}
    for hca in (False, True):
        for port, text in descriptions(wiring.fabric, wiring.network, hca).items():
            if port in ports:
                found[adapter(text)] = ports[port]
    return found


def _tell(report: Report, line: Mapping[int, int], identity: str, lids: list[int], what: str) -> None:
    """Report LIDs one by one, the many together."""
    for lid in lids[:_KINDS_OF_LOSS]:
        report.warn(identity, line[lid], f"LID {lid:#06x} {what}", "list tables and fabric at the same time")
    if len(lids) > _KINDS_OF_LOSS:
        rest = len(lids) - _KINDS_OF_LOSS
        message = f"{rest} more LIDs, from {lids[_KINDS_OF_LOSS]:#06x}, are alike: each {what}"
        report.warn(identity, line[lids[_KINDS_OF_LOSS]], message, "list tables and fabric at the same time")


def _fill(
    wiring: Wiring, entries: SwitchEntries, row: int, column_of: Mapping[int, int], out: np.ndarray, report: Report
) -> None:
    """Write the entries of a switch; ports that lead nowhere or to another host are reported."""
    way = ways_by_port(wiring, row)
    column = np.array([column_of.get(lid, -1) for lid in entries.lids.tolist()], np.int64)
    port = entries.ports
    known = column >= 0
    leads = known & (port < len(way))  # on a switch without a way to another there is none for any port
    place = np.full(len(port), NOWHERE, np.int64)
    place[leads] = way[port[leads]]
    here = known & (port == _own_ports(wiring)[np.where(known, column, 0)])
    here &= (wiring.terminals.seat[np.where(known, column, 0)] == row) & (wiring.terminals.up[column] >= 0)
    out[row, column[known]] = np.where(here, HERE, place)[known]
    wrong = np.flatnonzero(known & ~here & (place == NOWHERE))
    name = wiring.fabric.names[wiring.switch[row]]
    for number in np.unique(port[wrong]).tolist():
        at = wrong[port[wrong] == number]
        lids = f"LID {int(entries.lids[at[0]]):#06x}" + (f" and {len(at) - 1} more" if len(at) > 1 else "")
        state = "is the switch itself" if number == 0 else "leads to no switch that is up, nor to that host"
        what = f"{name} sends {lids} by port {number}, which {state}; the entries are left out"
        fix = "let the subnet manager route again, or look at the port"
        report.add("lft-dead-port", "error", int(entries.lines[at[0]]), what, fix)


def ways_by_port(wiring: Wiring, row: int) -> I4:
    """Return the place among a switch's ways of each of its port numbers, ``NOWHERE`` for others."""
    first, last = int(wiring.ways.first[row]), int(wiring.ways.first[row + 1])
    number = wiring.ways.number[first:last]
    found = np.full(int(number.max(initial=0)) + 1, NOWHERE, np.int32)
    found[number] = np.arange(last - first)
    return found


def _own_ports(wiring: Wiring) -> I4:
    """Return the number of the switch port that each terminal is on, (terminals,)."""
    ports = wiring.fabric.ports
    found: I4 = ports.number[ports.peer[wiring.terminals.port]].astype(np.int32)
    return found
