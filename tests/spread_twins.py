"""Slow, obvious twins of routings that spread: one flow after another over a networkx graph, in fractions.

Vertices are ``("end", endpoint)`` and ``("switch", place)``; an edge from one to the other is a live channel.
"""

from __future__ import annotations

import zlib
from fractions import Fraction

import networkx as nx
import numpy as np

from fabrictool.routing.channels import sending_ports
from fabrictool.routing.wiring import Wiring

Vertex = tuple[str, int]


def graph_of(wiring: Wiring) -> nx.MultiDiGraph[Vertex]:
    """Return the live channels of a network, taken from the tables of its fabric."""
    fabric = wiring.fabric
    graph: nx.MultiDiGraph[Vertex] = nx.MultiDiGraph()
    graph.add_nodes_from(("end", end) for end in range(wiring.endpoints))
    place = {device: ("switch", at) for at, device in enumerate(wiring.switch.tolist())}
    graph.add_nodes_from(place.values())
    at_port: dict[int, list[Vertex]] = {}
    for end, lanes in enumerate(wiring.lanes.tolist()):
        for lane in lanes:
            if lane >= 0:
                at_port.setdefault(int(wiring.terminals.port[lane]), []).append(("end", end))
    sender = sending_ports(fabric)
    for channel in range(2 * len(fabric.links)):
        if fabric.links.network[channel // 2] != wiring.network or wiring.faults.links.dead[channel // 2]:
            continue
        ports = int(sender[channel]), int(sender[channel ^ 1])
        tails, heads = (at_port.get(port) or [place[int(fabric.ports.device[port])]] for port in ports)
        for tail in tails:
            for head in heads:
                graph.add_edge(tail, head, channel)
    return graph


def minimal(graph: nx.MultiDiGraph[Vertex], source: int, target: int) -> nx.MultiDiGraph[Vertex] | None:
    """Return all minimal ways between two endpoints as networkx finds them; other endpoints pass nothing on."""
    ends = {("end", source), ("end", target)}
    inside = graph.subgraph([v for v in graph if v[0] == "switch" or v in ends])
    try:
        paths = list(nx.all_shortest_paths(nx.DiGraph(inside), ("end", source), ("end", target)))
    except nx.NetworkXNoPath:
        return None
    steps = {step for path in paths for step in nx.utils.pairwise(path)}
    return graph.edge_subgraph([(u, v, key) for u, v, key in graph.edges if (u, v) in steps])


def spray(
    graph: nx.MultiDiGraph[Vertex], source: int, target: int, split: str, speed: np.ndarray
) -> dict[int, Fraction] | None:
    """Return the share of each channel; None without a way."""
    ways = minimal(graph, source, target)
    if ways is None:
        return None
    held = {("end", source): Fraction(1)}
    used: dict[int, Fraction] = {}
    for vertex in nx.topological_sort(ways):
        weight = {
            (head, channel): _weight(ways, head, channel, ("end", target), split, speed)
            for _, head, channel in ways.out_edges(vertex, keys=True)
        }
        for (head, channel), own in weight.items():
            used[channel] = held[vertex] * own / sum(weight.values())
            held[head] = held.get(head, Fraction(0)) + used[channel]
    return used


def _weight(
    ways: nx.MultiDiGraph[Vertex], head: Vertex, channel: int, target: Vertex, split: str, speed: np.ndarray
) -> Fraction:
    """Return what a channel weighs: 1, or over all paths that begin with it 1 or the slowest speed."""
    if split == "per-hop":
        return Fraction(1)
    total = Fraction(0)
    stack = [(head, Fraction(float(speed[channel])))]
    while stack:
        vertex, slowest = stack.pop()
        if vertex == target:
            total += slowest if split == "weighted" else 1
        stack += [(to, min(slowest, Fraction(float(speed[key])))) for _, to, key in ways.out_edges(vertex, keys=True)]
    return total


def hashed(
    graph: nx.MultiDiGraph[Vertex], wiring: Wiring, source: int, target: int, key: bytes, seeds: list[int]
) -> list[int] | None:
    """Return the channels of a flow that ECMP with CRC-32 routes, one seed a tier; None without a way."""
    ways = minimal(graph, source, target)
    if ways is None:
        return None
    number = wiring.fabric.ports.number[sending_ports(wiring.fabric)]
    vertex, path = ("end", source), []
    while vertex != ("end", target):
        tier = 0 if vertex[0] == "end" else int(wiring.fabric.devices.tier[wiring.switch[vertex[1]]])
        out = sorted(ways.out_edges(vertex, keys=True), key=lambda way: int(number[way[2]]))
        _, vertex, channel = out[zlib.crc32(key, seeds[tier]) % len(out)]
        path.append(channel)
    return path


def valiant(
    graph: nx.MultiDiGraph[Vertex], wiring: Wiring, label: list[int], source: int, target: int
) -> dict[int, Fraction] | None:
    """Return the share of each channel by all groups but the first switches' own; ways within one are minimal."""
    seats = [
        wiring.terminals.seat[[t for t in wiring.lanes[end] if wiring.terminals.up[t] >= 0]] for end in (source, target)
    ]
    straight = spray(graph, source, target, "per-hop", np.ones(0))
    if straight is None or label[min(seats[0])] == label[min(seats[1])]:
        return straight
    switches = graph.subgraph([v for v in graph if v[0] == "switch"]).to_undirected()
    joined = nx.node_connected_component(switches, ("switch", min(seats[0])))
    graph = graph.subgraph([*joined, ("end", source), ("end", target)])
    if spray(graph, source, target, "per-hop", np.ones(0)) is None:
        return straight
    ways = []
    for group in sorted(set(label) - {label[min(seats[0])], label[min(seats[1])]}):
        entered = _legs(
            graph, source, [("switch", at) for at, own in enumerate(label) if own == group and ("switch", at) in graph]
        )
        if entered is not None:
            ways.append(entered)
    if not ways:
        return straight
    used: dict[int, Fraction] = {}
    for first, arrived in ways:
        parts = [(first, Fraction(1))]
        parts += [(_legs(graph, vertex, [("end", target)])[0], held) for vertex, held in arrived.items()]  # type: ignore[index]
        for shares, held in parts:
            for channel, share in shares.items():
                used[channel] = used.get(channel, Fraction(0)) + held * share / len(ways)
    return used


def _legs(
    graph: nx.MultiDiGraph[Vertex], start: int | Vertex, goals: list[Vertex]
) -> tuple[dict[int, Fraction], dict[Vertex, Fraction]] | None:
    """Return shares of channels, and parts that arrive at each of the nearest goals; None without a way."""
    if not goals:
        return None
    first: Vertex = ("end", start) if isinstance(start, int) else start
    inside = nx.DiGraph(graph.subgraph([v for v in graph if v[0] == "switch" or v in (first, *goals)]))
    hops = nx.multi_source_dijkstra_path_length(inside.reverse(), set(goals), weight=None)
    if first not in hops:
        return None
    held, used = {first: Fraction(1)}, {}
    for vertex in sorted(hops, key=lambda v: -hops[v]):
        out = [(head, key) for _, head, key in graph.out_edges(vertex, keys=True) if hops.get(head) == hops[vertex] - 1]
        if vertex in held and out:
            part = held.pop(vertex) / len(out)
            for head, channel in out:
                used[channel] = part
                held[head] = held.get(head, Fraction(0)) + part
    return used, held
