"""Node-link JSON, which networkx and d3 read: our fabrics without loss, and graphs of others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fabrictool.fabric import Fabric
from fabrictool.formats.graphml import from_graph
from fabrictool.formats.imported import Imported, Report

if TYPE_CHECKING:
    import networkx

FORMAT = "node-link"
#: Under this key links stand: what d3 and networkx before 3.4 expect.
LINKS = "links"


def sniff(head: bytes) -> bool:
    """Return whether the start of a file looks like such a document."""
    start = head.lstrip()[:200]
    return start.startswith(b"{") and (b'"multigraph"' in head or (b'"nodes"' in head and b'"directed"' in head))


def read(name: str, text: str) -> Imported:
    """Read a graph; its links stand under ``links`` or ``edges``.

    Raises
    ------
    InputError
        If the text is no whole JSON of a graph, or names no device.
    """
    report = Report(name)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        what = f"is no whole JSON: {error.msg}"
        raise report.refusal(error.lineno, what, "write the graph again", error.colno) from None
    except RecursionError:
        raise report.refusal(1, "is nested too deep", "write the graph again") from None
    return from_graph(FORMAT, name, _graph(document, report), report)


def _graph(document: Any, report: Report) -> networkx.MultiGraph[str]:
    import networkx

    try:
        key = LINKS if LINKS in document else "edges"
        graph = networkx.node_link_graph(document, directed=False, multigraph=True, edges=key)
        return networkx.MultiGraph(graph)
    except (networkx.NetworkXError, KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"is no node-link document of a graph ({type(error).__name__}: {str(error)[:80]})"
        raise report.refusal(1, what, "write the graph again") from None


def write(fabric: Fabric) -> str:
    """Return a fabric as node-link JSON: devices, ports, links, GPUs and names, without loss."""
    import networkx

    from fabrictool.formats.graphml_own import attributed

    document = networkx.node_link_data(attributed(fabric), edges=LINKS)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
