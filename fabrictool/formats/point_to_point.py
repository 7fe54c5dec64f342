"""Point-to-point sheets as NVIDIA's tools exchange them: workbooks in which each row is a link.

Three forms: the Ethernet and the InfiniBand form of UFM's Cable Validation Tool up to 1.6, and its Links sheet
from 1.7.1 on. Ports are text, for a spreadsheet takes ``1/2`` for a date.

References
----------
NVIDIA UFM Cable Validation Tool user manual, "P2P File", versions 1.4.0 to 1.7.1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from fabrictool.formats.cabled import Cabled, End
from fabrictool.formats.imported import Imported, Report
from fabrictool.formats.plan_table import PlanTable, plan_table
from fabrictool.formats.workbooks import Cell, Tab, written
from fabrictool.records import CableEnd, CableRow

FORMAT = "point-to-point"
NETWORK = "plan"
ETHERNET = ("A-Rack", "A-U", "A-Node Name", "A-Type", "A-Port", "Z-Rack", "Z-RU", "Z-Node Name", "Z-Type", "Z-Port")
INFINIBAND = ("Rack", "U", "Name", "HCA/Port", "Rack", "U", "Name", "Port")
LINKS = (
    "A-Node", "A-Port", "Z-Node", "Z-Port", "Protocol", "Shuffle-ID", "A-Connector", "A-MPO-Connector",
    "Z-Connector", "Z-MPO-Connector", "A-Module-PN", "Z-Module-PN", "Source-Ref",
)  # fmt: skip
#: What the Links sheet calls protocols.
_PROTOCOLS = {"infiniband": "ib", "ethernet": "ethernet", "nvlink": "nvlink"}
_BELOW_SWITCHES = {"host", "service", "aggregation"}


def read(name: str, content: bytes) -> Imported:
    """Read a workbook with a plan as a fabric.

    Raises
    ------
    InputError
        If the file is no whole workbook, or has no columns of a plan.
    """
    return fabric_of(plan_table(name, content))


def fabric_of(table: PlanTable) -> Imported:
    """Return the fabric that a plan describes; kinds are those that it tells, else found by name."""
    report = Report(table.source)
    report.findings += table.findings
    cabled = Cabled(report)
    cables: defaultdict[str, set[str]] = defaultdict(set)
    for row in table.rows:
        cable = row.cable
        network = cable.network or NETWORK
        line = row.sheet.lines[row.line]
        cabled.add(line, _found(cable.a), _found(cable.z), cable.speed_bps, 0.0, network)
        cables[network].add(cable.cable_id or row.place())
    if not cabled.devices:
        raise report.refusal(1, "holds no link", "write one link a row below the header")
    counts = {network: len(words) for network, words in cables.items()}
    fabric = cabled.fabric(table.source, "unknown")
    return Imported(FORMAT, fabric, report.sorted(), stated={"links": len(fabric.links)}, cables=counts)


def _found(end: CableEnd) -> End:
    return End(end.place.device, end.kind, end.port, cage=end.cage)


def write(rows: Iterable[CableRow], form: str, protocol: str = "ethernet") -> bytes:
    """Return a plan as a workbook, a sheet for each network and pair of kinds.

    Parameters
    ----------
    rows : iterable of CableRow
        Ports are written by their interface names.
    form : {"ethernet", "infiniband", "links"}
    protocol : str
        For the Links sheet.
    """
    if form == "links":
        listed = list(rows)
        return written([Tab("Links", LINKS, [_link(row, protocol, line) for line, row in enumerate(listed, 2)])])
    sheets: defaultdict[str, list[Sequence[Cell]]] = defaultdict(list)
    for row in rows:
        title = f"{row.network} {row.a.kind}-{row.z.kind}"
        sheets[_title(title)].append(_ethernet(row) if form == "ethernet" else _infiniband(row))
    header = ETHERNET if form == "ethernet" else INFINIBAND
    return written([Tab(title, header, lines) for title, lines in sheets.items()])


def _title(text: str) -> str:
    """Return text as the name of a sheet: at most 31 characters, none of them of a path."""
    return "".join("-" if letter in "[]:*?/\\'" else letter for letter in text)[:31]


def _link(row: CableRow, protocol: str, line: int) -> Sequence[Cell]:
    a, z = row.a, row.z
    return (
        a.place.device, a.called, z.place.device, z.called, _PROTOCOLS.get(protocol, protocol), "",
        a.connector, "", z.connector, "", a.optic, z.optic, f"{row.cable_id or 'row'}:{line}",
    )  # fmt: skip


def _ethernet(row: CableRow) -> Sequence[Cell]:
    return tuple(
        cell
        for end in (row.a, row.z)
        for cell in (end.place.rack, _unit(end), end.place.device, _type(end), end.called)
    )


def _infiniband(row: CableRow) -> Sequence[Cell]:
    return tuple(cell for end in (row.a, row.z) for cell in (end.place.rack, _unit(end), end.place.device, end.called))


def _type(end: CableEnd) -> str:
    return "Host" if end.kind in _BELOW_SWITCHES else "Switch"


def _unit(end: CableEnd) -> Cell:
    return end.place.unit
