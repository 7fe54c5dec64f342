"""Formats that are read, by the names that people give them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from fabrictool.formats.format_names import format_named
from fabrictool.formats.imported import Imported

#: Name to module, in the order in which they are asked whether a file is theirs: the most telling marks first.
READERS = {
    "graphml": "graphml", "gexf": "gexf", "node-link": "node_link", "simgrid": "simgrid", "dot": "dot",
    "containerlab": "containerlab", "slurm": "slurm", "ibutils-lst": "ibutils_lst", "ibnetdiscover": "ibnetdiscover",
    "ibnetdiscover-p": "ibnetdiscover_ports", "edges": "edges_csv", "plan": "plan_csv", "ibutils-topo": "ibutils_topo",
}  # fmt: skip
SYNONYMS = {
    "lst": "ibutils-lst", "topo": "ibutils-topo", "ptm": "dot", "graphviz": "dot", "clab": "containerlab",
    "edges-csv": "edges", "edges.csv": "edges", "plan-csv": "plan", "csv": "plan", "netfile": "ibnetdiscover",
    "ibsim": "ibnetdiscover", "slurm-tree": "slurm", "slurm-block": "slurm", "slurm-yaml": "slurm",
}  # fmt: skip
_BY_CONTENT = "leave out --from: workbooks, folders of NetBox CSV and .npz are told by what they are"
UNTOLD = dict.fromkeys(
    ("xlsx", "excel", "xls", "ods", "workbook", "spreadsheet", "p2p", "ptp-links", "netbox", "npz"), _BY_CONTENT
)


def reader_named(word: str) -> Callable[[str, str], Imported]:
    """Return what reads a format, given a name for messages and the text.

    Raises
    ------
    InputError
        If there is no such format.
    """
    name = format_named(word, "--from", READERS, SYNONYMS, UNTOLD)
    read: Callable[[str, str], Imported] = import_module(f"fabrictool.formats.{READERS[name]}").read
    return read
