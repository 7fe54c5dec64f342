"""Cable schedules and plans: one link a row, links of one cable sharing its identity."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from fabrictool.formats.cabled import Cabled, End
from fabrictool.formats.csv_rows import Row, header, named, rows
from fabrictool.formats.edges_csv import gigabits, quantity
from fabrictool.formats.imported import Imported, Report
from fabrictool.formats.plan_cells import COLUMNS, as_text, plan_cells
from fabrictool.records import CableRow
from fabrictool.units import SPEED

FORMAT = "plan-csv"
NEEDED = ("a_device", "a_port", "z_device", "z_port")
_BASE = {
    "cable": "cable_id", "id": "cable_id", "link_id": "link", "speed_gbit": "speed_gbps", "type": "media",
}  # fmt: skip
_ENDS = {
    "node": "device", "node_name": "device", "name": "device", "interface": "port", "ru": "u", "role": "kind",
    "type": "type",
}  # fmt: skip
_SIDES = {"a": "a", "z": "z", "b": "z", "side_a": "a", "side_b": "z"}
_PORTS = re.compile(r"^side_[ab]_(?:name)$")
NETWORK = "plan"


def _synonyms() -> dict[str, str]:
    """Return other headers of each column; of NetBox's cables the name of an end is its port."""
    found = dict(_BASE)
    for side, ours in _SIDES.items():
        words = {"device", "port", "rack", "u", "kind", *_ENDS}
        found |= {f"{side}_{word}": f"{ours}_{_ENDS.get(word, word)}" for word in words}
    return found | {"side_a_name": "a_port", "side_b_name": "z_port"}


SYNONYMS = _synonyms()


def sniff(head: bytes) -> bool:
    """Return whether the start of a file has the header of a plan."""
    return set(NEEDED) <= set(named(header(head), SYNONYMS))


def read(name: str, text: str) -> Imported:
    """Read a plan.

    Kinds follow from ``a_kind``/``a_role`` where there are such columns, else from the names: hosts are
    machines such as ``gpu01``, switches what is called leaf, spine, core or switch.

    Raises
    ------
    InputError
        If columns are missing or there is no link.
    """
    report = Report(name)
    cabled = Cabled(report)
    cables: defaultdict[str, set[str]] = defaultdict(set)
    seen: Counter[str] = Counter()
    for line, row in rows(text, SYNONYMS, NEEDED, report):
        if not (row["a_device"] and row.get("z_device")):
            _half(row, line, report)
            continue
        network = row.get("network") or NETWORK
        a, z = (_end(row, side) for side in "az")
        cabled.add(line, a, z, gigabits(row, line, report) or quantity(row, "speed", SPEED, line, report), 0.0, network)
        seen[network] += 1
        cables[network].add(row.get("cable_id") or f"line {line}")
    if not cabled.devices:
        raise report.refusal(1, "holds no link", "write one link a row below the header")
    fabric = cabled.fabric(name, "unknown")
    stated = {"links": sum(seen.values()), "cables": sum(len(words) for words in cables.values())}
    numbers = {network: len(words) for network, words in cables.items()}
    return Imported(FORMAT, fabric, report.sorted(), stated=stated, cables=numbers)


def _half(row: Row, line: int, report: Report) -> None:
    dark = row.get("seen", "").lower() in {"no", "false", "0"}
    if dark:
        report.add("port-dark", "note", line, "a port without a neighbour: no link", "")
    else:
        report.add("row-unreadable", "error", line, "a device is missing; the row is left out", "name both ends")


def _end(row: Row, side: str) -> End:
    device = row[f"{side}_device"]
    cage = row.get(f"{side}_cage", "")
    number = int(cage) if cage.isdecimal() and cage.isascii() and len(cage) < 5 else 0
    return End(device, row.get(f"{side}_kind") or kind_by_name(device), row.get(f"{side}_port", ""), cage=number)


def write(cables: Iterable[CableRow]) -> str:
    """Return a plan as CSV, one link a row."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(as_text, plan_cells(row)) for row in cables)
    return out.getvalue()


_KIND_WORDS = re.compile(r"(leaf|tor|spine|core|switch|router)", re.IGNORECASE)


def kind_by_name(device: str) -> str:
    """Return the kind that a name tells: of a switch what it is called, of everything else a host."""
    match = _KIND_WORDS.search(device)
    if match is None:
        return "host"
    word = match[1].lower()
    return {"tor": "leaf", "router": "switch"}.get(word, word)
