"""Bandwidth of each algorithm and protocol: what the channels carry, limited by the tables.

A bandwidth here is bytes of the collective's size per second, once the pipeline runs.

References
----------
NVIDIA NCCL, src/graph/tuning.cc, ``ncclTopoTuneModel``.
"""

from __future__ import annotations

from collections.abc import Callable

from fabrictool.collectives.nccl.system import Graph, System
from fabrictool.collectives.nccl.tables import Tuning

#: Share of the lines of protocol ll128 that is data, as the library rounds it.
LL128_DATA = 0.92
TREE_SHARE = 0.92
#: Trees over single GPUs, one chain through a host each.
SIMPLE_TREE = 0.85
PAT_SHARE = 0.75
COLLNET_HOPPER = 0.85
COLLNET_INTER = 0.9


def steps(collective: str, ranks: int) -> int:
    """Return the steps of a ring."""
    if collective == "all-reduce":
        return 2 * (ranks - 1)
    return ranks - 1 if collective in ("all-gather", "reduce-scatter") else ranks


def bandwidth(system: System, tables: Tuning, collective: str, algorithm: str, protocol: str) -> float:
    """Return the bandwidth in B/s; 0 where the library gives a combination none."""
    graph = system.graph_of(algorithm)
    if graph is None or graph.channels < 1:
        return 0.0
    bus = _BUS[algorithm](system, tables, graph, collective, protocol)
    if algorithm != "ring" and collective in ("all-gather", "reduce-scatter"):
        return bus
    if algorithm in ("ring", "nvls", "nvls-tree"):
        return bus * system.ranks / steps(collective, system.ranks)
    return bus / 2


def _channels(system: System, graph: Graph) -> float:
    """Return the bandwidth of all channels in B/s."""
    one = graph.intra_bytes_per_s if system.hosts <= 2 else graph.inter_bytes_per_s
    return graph.channels * one


def _ll_most(system: System, tables: Tuning) -> float:
    """Return the most of protocol ll: by GPU in one host, by CPU between hosts."""
    row = system.gpu if system.hosts == 1 else "ampere" if system.cpu in ("amd", "mixed") else "volta"
    return float(tables.ll_most[row][system.size_column])


def _most(system: System, tables: Tuning, graph: Graph, name: str) -> float:
    return graph.channels * float(tables.channel_most[name][system.gpu][system.size_column])


def _ring(system: System, tables: Tuning, graph: Graph, collective: str, protocol: str) -> float:
    bus = _channels(system, graph)
    if protocol == "ll":
        return min(_ll_most(system, tables), bus / 2)
    if protocol == "ll128":
        return min(bus * LL128_DATA, _most(system, tables, graph, "ring-ll128"))
    return bus


def _tree(system: System, tables: Tuning, graph: Graph, collective: str, protocol: str) -> float:
    bus = min(_channels(system, graph) * TREE_SHARE, _most(system, tables, graph, "tree"))
    if protocol == "ll":
        bus = min(bus / 3.8, _ll_most(system, tables))
    elif protocol == "ll128":
        share = 7 / 9 if system.hosts == 1 else 120 / 128
        bus = min(bus * share, _most(system, tables, graph, "tree-ll128"))
    return bus * SIMPLE_TREE if system.per_host == 1 else bus


def _nvls(system: System, tables: Tuning, graph: Graph, collective: str, protocol: str, tree: bool = False) -> float:
    if graph.channels < 2:
        return 0.0
    share = 2.0 if collective == "all-reduce" else (system.per_host - 1) / system.per_host
    inside = graph.intra_bytes_per_s * tables.nvls_efficiency[system.gpu] * (graph.channels - 1) / graph.channels
    one = min(inside * share, graph.inter_bytes_per_s * (2 if tree and system.hosts <= 2 else 1))
    bus = graph.channels * one
    return min(bus, _most(system, tables, graph, "nvls-tree")) if tree else bus


def _nvls_tree(system: System, tables: Tuning, graph: Graph, collective: str, protocol: str) -> float:
    return _nvls(system, tables, graph, collective, protocol, tree=True)


def _pat(system: System, tables: Tuning, graph: Graph, collective: str, protocol: str) -> float:
    return _channels(system, graph) * PAT_SHARE


def _collnet_direct(system: System, tables: Tuning, graph: Graph, collective: str, protocol: str) -> float:
    """Every GPU through its own adapter at full speed; several GPUs to a channel slow down by half of that."""
    if collective in ("all-gather", "reduce-scatter"):
        return system.per_host * min(graph.intra_bytes_per_s, COLLNET_INTER * graph.inter_bytes_per_s)
    shared = system.per_host / graph.channels
    bus = graph.channels * graph.intra_bytes_per_s / (shared - (shared - 1) / 2)
    return bus * COLLNET_HOPPER if system.at_least("hopper") else bus


def _collnet_chain(system: System, tables: Tuning, graph: Graph, collective: str, protocol: str) -> float:
    return graph.channels * graph.intra_bytes_per_s


_BUS: dict[str, Callable[[System, Tuning, Graph, str, str], float]] = {
    "ring": _ring,
    "tree": _tree,
    "nvls": _nvls,
    "nvls-tree": _nvls_tree,
    "pat": _pat,
    "collnet-direct": _collnet_direct,
    "collnet-chain": _collnet_chain,
}
