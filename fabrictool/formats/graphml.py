"""GraphML: our fabrics without loss, and graphs of others that name kinds and ports.

Edges of ours carry both ends as ``a`` and ``z``, since graph libraries turn undirected edges round.
Where another tool's graph has no such names, its ``a_port`` belongs to the end in the lower tier.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fabrictool.fabric import Fabric
from fabrictool.formats.cabled import Cabled, End
from fabrictool.formats.edges_csv import gigabits, quantity
from fabrictool.formats.imported import Imported, Report
from fabrictool.units import SPEED, TIME

if TYPE_CHECKING:
    import networkx

FORMAT = "graphml"
NETWORK = "network"


def sniff(head: bytes) -> bool:
    """Return whether the start of a file is that of a GraphML document."""
    return b"<graphml" in head[:4096]


def read(name: str, text: str) -> Imported:
    """Read a graph.

    Raises
    ------
    InputError
        If it is no whole GraphML document, or names no device.
    """
    report = Report(name)
    return from_graph(FORMAT, name, _parsed(text, report), report)


def from_graph(form: str, name: str, graph: networkx.MultiGraph[str], report: Report) -> Imported:
    """Return the fabric of a graph in memory, whatever format it came from.

    Raises
    ------
    InputError
        If it names no device, or is one of ours whose attributes are damaged.
    """
    if "fabrictool" in graph.graph:
        from fabrictool.formats.graphml_own import restored

        return Imported(form, restored(name, graph, report), report.sorted())
    cabled = Cabled(report)
    kinds = {node: str(row.get("kind") or row.get("role") or "") for node, row in graph.nodes(data=True)}
    for node in graph.nodes:
        cabled.device(0, End(str(node), kinds[node], ""))
    for u, v, row in graph.edges(data=True):
        ports = [str(row.get(f"{side}_port", row.get(f"{side}port", ""))) for side in "az"]
        ends = [str(row.get("a", u)), str(row.get("z", v))]
        if "a" not in row and cabled.tier(kinds[u]) > cabled.tier(kinds[v]):
            ends.reverse()
        given = {key: str(value) for key, value in row.items()}
        speed = quantity(given, "speed_bps", SPEED, 0, report) or gigabits(given, 0, report)
        a, z = (End(end, kinds.get(end, ""), port) for end, port in zip(ends, ports, strict=True))
        cabled.add(0, a, z, speed, quantity(given, "latency_s", TIME, 0, report), str(row.get("network") or NETWORK))
    if not cabled.devices:
        raise report.refusal(1, "names no device", "see whether the file is whole")
    return Imported(form, cabled.fabric(name, "unknown"), report.sorted())


def _parsed(text: str, report: Report) -> networkx.MultiGraph[str]:
    import networkx

    with xml_of_a_graph("GraphML", text, report):
        graph = networkx.parse_graphml(re.sub(r"^\s*<\?xml.*?\?>", "", text), force_multigraph=True)
    return networkx.MultiGraph(graph)


@contextmanager
def xml_of_a_graph(form: str, text: str, report: Report) -> Iterator[None]:
    """Turn what a graph library says of a damaged XML document into an error that names its place.

    Raises
    ------
    InputError
        If the text is no whole XML, or not that of a graph.
    """
    from xml.etree.ElementTree import ParseError

    import networkx

    if "<!ENTITY" in text:
        raise report.refusal(1, "defines entities, which a graph has no use for", "remove them")
    try:
        yield
    except ParseError as error:
        line, column = error.position
        reason = str(error).partition(":")[0]
        raise report.refusal(line, f"is not whole XML: {reason}", "write the graph again", column + 1) from None
    except (networkx.NetworkXError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise report.refusal(1, f"is no {form} of a graph: {str(error)[:100]}", "write the graph again") from None


def write(fabric: Fabric) -> str:
    """Return a fabric as GraphML: devices, ports, links, GPUs and names, without loss."""
    import networkx

    from fabrictool.formats.graphml_own import attributed

    out = io.BytesIO()
    networkx.write_graphml(attributed(fabric), out)
    return out.getvalue().decode()
