"""Latency of each algorithm and protocol: steps inside hosts and between them.

References
----------
NVIDIA NCCL, src/graph/tuning.cc, ``ncclTopoTuneModel``.
"""

from __future__ import annotations

from dataclasses import dataclass

from fabrictool.collectives.nccl.bandwidth import steps
from fabrictool.collectives.nccl.system import System
from fabrictool.collectives.nccl.tables import PROTOCOLS, Tuning

US = 1e-6
#: A GPU that feeds one more peer of the same host waits so much longer.
ARITY_S = 0.4 * US
PAT_RANK_S = 2.8 * US
PAT_LOG_SHARE = 1 / 3.5


@dataclass(frozen=True, slots=True)
class Hops:
    """Latencies of an algorithm under a protocol, in s: to start, of a step inside a host and of one between hosts."""

    base_s: float
    inside_s: float
    between_s: float


def hops(system: System, tables: Tuning, algorithm: str, protocol: str) -> Hops:
    """Return the latencies of an algorithm's steps."""
    column = PROTOCOLS.index(protocol)
    near, net = tables.hw_latency_s["nvlink" if system.nvlink else "pci"], tables.hw_latency_s["net"]
    # one GPU in a host has nothing to hide the network behind
    between_s = net["tree" if system.per_host == 1 else algorithm][column]
    flush = 2 if protocol == "simple" else 1
    return Hops(
        float(tables.base_latency_s[algorithm][column]),
        float(near[algorithm][column]),
        float(between_s) + flush * system.net_latency_s,
    )


def latency_s(system: System, tables: Tuning, collective: str, algorithm: str, protocol: str) -> float:
    """Return the latency of a collective in s."""
    step = hops(system, tables, algorithm, protocol)
    inside, levels = system.ranks // system.hosts - 1, system.hosts.bit_length() - 1
    between_s = step.between_s if system.hosts > 1 else 0.0
    if algorithm == "ring":
        return step.base_s + _ring(system, tables, step, collective, protocol)
    waits = {
        "tree": 2 * (inside * step.inside_s + levels * between_s),
        "nvls": step.inside_s + between_s,
        "nvls-tree": step.inside_s + 2 * levels * between_s,
        "pat": levels * between_s * PAT_LOG_SHARE + system.ranks * PAT_RANK_S,
        "collnet-direct": 2 * (min(1, inside) * step.inside_s + inside * ARITY_S) + between_s,
        "collnet-chain": 2 * inside * step.inside_s + between_s,
    }
    return step.base_s + waits[algorithm]


def _ring(system: System, tables: Tuning, step: Hops, collective: str, protocol: str) -> float:
    """Return the latency of a ring's steps: those between hosts, and the others, which still post to the network."""
    if collective in ("broadcast", "reduce"):
        place = "net" if system.hosts > 1 else "nvlink" if system.nvlink else "pci"
        return float(tables.hw_latency_s[place]["ring"][PROTOCOLS.index(protocol)])
    inside_s, between = step.inside_s, 0
    if system.hosts > 1:
        post_s = tables.net_overhead_s[system.cpu] * (3 if protocol == "simple" else 1)
        inside_s = max(inside_s, post_s)
        between = (2 if collective == "all-reduce" else 1) * (system.hosts - 1)
    return (steps(collective, system.ranks) - between) * inside_s + between * step.between_s
