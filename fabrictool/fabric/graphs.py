"""Exports to graph libraries, every attribute on board."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.fabric.tables import KINDS, Fabric

if TYPE_CHECKING:
    import igraph
    import networkx
    from scipy.sparse import csr_array


def _device_attributes(fabric: Fabric) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {"name": fabric.names}
    for name, column in fabric.devices.columns().items():
        columns.setdefault(name, column.tolist())
    columns["kind"] = [KINDS[kind] for kind in columns["kind"]]
    columns["type"] = [fabric.types[row] for row in columns["type"]]
    columns["group"] = [fabric.groups[row] for row in columns["group"]]
    columns["network"] = [fabric.networks[row].name if row >= 0 else None for row in columns["network"]]
    return columns


def _link_attributes(fabric: Fabric) -> dict[str, list[Any]]:
    links, ports = fabric.links, fabric.ports
    network = [network.name for network in fabric.networks]
    return {
        "link": list(range(len(links))),
        "network": [network[row] for row in links.network.tolist()],
        "speed_bps": links.speed_bps.tolist(),
        "latency_s": links.latency_s.tolist(),
        "a_port": ports.number[links.port_a].tolist(),
        "z_port": ports.number[links.port_z].tolist(),
        "a_cage": ports.cage[links.port_a].tolist(),
        "z_cage": ports.cage[links.port_z].tolist(),
        "rail": ports.rail[links.port_a].tolist(),
        "plane": ports.plane[links.port_a].tolist(),
    }


def to_networkx(fabric: Fabric) -> networkx.MultiGraph[str]:
    """Return a MultiGraph of device names; edge keys are link rows, so that parallel links stay."""
    import networkx

    graph: networkx.MultiGraph[str] = networkx.MultiGraph(name=fabric.name)
    devices = _device_attributes(fabric)
    names = devices.pop("name")
    keys = list(devices)
    for name, *values in zip(names, *devices.values(), strict=True):
        graph.add_node(name, **dict(zip(keys, values, strict=True)))
    links = _link_attributes(fabric)
    keys = list(links)
    a, z = (end.tolist() for end in fabric.ends)
    for row, (i, j, *values) in enumerate(zip(a, z, *links.values(), strict=True)):
        graph.add_edge(names[i], names[j], key=row, **dict(zip(keys, values, strict=True)))
    return graph


def to_igraph(fabric: Fabric) -> igraph.Graph:
    """Return an undirected igraph Graph; vertex and edge order are row order."""
    import igraph

    a, z = fabric.ends
    graph = igraph.Graph(n=len(fabric.devices), edges=np.column_stack((a, z)))
    graph["name"] = fabric.name
    for name, values in _device_attributes(fabric).items():
        graph.vs[name] = values
    for name, values in _link_attributes(fabric).items():
        graph.es[name] = values
    return graph


def to_scipy(fabric: Fabric, network: Sequence[str] | str | None = None) -> csr_array:
    """Return the symmetric (devices, devices) adjacency; entries are numbers of parallel links."""
    from scipy.sparse import coo_array

    a, z = fabric.ends
    if network is not None:
        wanted = [network] if isinstance(network, str) else network
        chosen = np.isin(fabric.links.network, [fabric.network_row(name) for name in wanted])
        a, z = a[chosen], z[chosen]
    size = len(fabric.devices)
    ones = np.ones(2 * len(a), np.int32)
    entries = (ones, (np.concatenate((a, z)), np.concatenate((z, a))))
    return coo_array(entries, shape=(size, size)).tocsr()
