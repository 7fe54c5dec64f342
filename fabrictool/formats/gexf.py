"""GEXF, which Gephi reads: our fabrics without loss, and graphs of others.

The format keeps no attributes of a graph, so those of ours stand in its description.
"""

from __future__ import annotations

import io
import json
import re
from html import unescape
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from fabrictool.fabric import Fabric
from fabrictool.formats.graphml import from_graph, xml_of_a_graph
from fabrictool.formats.imported import Imported, Report

if TYPE_CHECKING:
    import networkx

FORMAT = "gexf"
_VERSION = "1.2draft"
_DESCRIPTION = re.compile(r"<description>(\{.*?\})</description>", re.DOTALL)


def sniff(head: bytes) -> bool:
    """Return whether the start of a file is that of a GEXF document."""
    return b"<gexf" in head[:4096]


def read(name: str, text: str) -> Imported:
    """Read a graph.

    Raises
    ------
    InputError
        If it is no whole GEXF document, or names no device.
    """
    report = Report(name)
    graph = _parsed(text, report)
    described = _DESCRIPTION.search(text[:65536])
    if described:
        try:
            graph.graph |= json.loads(unescape(described[1]))
        except (ValueError, TypeError):
            raise report.refusal(1, "its description is damaged", "write the graph again") from None
    return from_graph(FORMAT, name, graph, report)


def _parsed(text: str, report: Report) -> networkx.MultiGraph[str]:
    import networkx

    with xml_of_a_graph("GEXF", text, report):
        graph = networkx.read_gexf(io.BytesIO(text.encode()), version=_VERSION)
    found: networkx.MultiGraph[str] = networkx.MultiGraph(**graph.graph)
    found.add_nodes_from(graph.nodes(data=True))
    for place, (u, v, row) in enumerate(graph.edges(data=True)):
        found.add_edge(u, v, key=row.get("row", place), **row)
    return found


def write(fabric: Fabric) -> str:
    """Return a fabric as GEXF: devices, ports, links, GPUs and names, without loss."""
    import networkx

    from fabrictool.formats.graphml_own import attributed

    graph = attributed(fabric)
    for *_, row, attributes in graph.edges(keys=True, data=True):
        attributes["row"] = row
    out = io.BytesIO()
    networkx.write_gexf(graph, out, version=_VERSION)
    facts = escape(json.dumps(graph.graph, ensure_ascii=False))
    return out.getvalue().decode().replace("</creator>", f"</creator>\n    <description>{facts}</description>", 1)
