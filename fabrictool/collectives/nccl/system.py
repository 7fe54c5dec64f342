"""What NCCL knows of the machine when it tunes: GPUs, hosts, and the channels that its search found."""

from __future__ import annotations

from dataclasses import dataclass

from fabrictool.collectives.nccl.tables import GENERATIONS


@dataclass(frozen=True, slots=True)
class Graph:
    """Channels of an algorithm: how many, and the bandwidth of each in B/s inside and between hosts."""

    channels: int
    intra_bytes_per_s: float
    inter_bytes_per_s: float


@dataclass(frozen=True, slots=True)
class System:
    """Ranks on hosts, and the channels between them.

    Parameters
    ----------
    gpu : str
        The oldest generation among the GPUs: volta, ampere, hopper or blackwell.
    cpu : str
        intel, amd, arm, power or mixed.
    ranks, hosts : int
        A host is what NCCL calls a node: a server, or a scale-up domain of several (multi-node NVLink).
    graph : Graph
        Of rings, and of what has no other.
    nvls : Graph, optional
        Of NVLS and its tree; None without a switch that reduces.
    nvlink : bool
        Whether the ranks of a host are joined by NVLink.
    near_nics : bool
        Whether each adapter stands so near to a GPU that the protocol ll128 is allowed between hosts.
    equal_gpus : bool
        Whether all GPUs are of one generation.
    collnet : bool
        Whether the network reduces (SHARP).
    net_latency_s : float
        What the network adapter reports beside the tables, in s.
    tree : Graph, optional
        Channels of trees; by default those of rings.
    """

    gpu: str
    cpu: str
    ranks: int
    hosts: int
    graph: Graph
    nvls: Graph | None = None
    nvlink: bool = True
    near_nics: bool = True
    equal_gpus: bool = True
    collnet: bool = False
    net_latency_s: float = 0.0
    tree: Graph | None = None

    @property
    def per_host(self) -> float:
        """Ranks of a host on average."""
        return self.ranks / self.hosts

    @property
    def size_column(self) -> int:
        """Column of 1, 2 or more hosts in the tables."""
        return min(self.hosts, 3) - 1

    @property
    def x86(self) -> bool:
        """Whether the CPUs are x86."""
        return self.cpu in ("intel", "amd", "mixed")

    def graph_of(self, algorithm: str) -> Graph | None:
        """Return the channels of an algorithm, None where it has none."""
        if algorithm in ("nvls", "nvls-tree"):
            return self.nvls
        return self.tree or self.graph if algorithm == "tree" else self.graph

    def at_least(self, gpu: str) -> bool:
        """Return whether the GPUs are of a generation or a later one."""
        return GENERATIONS.index(self.gpu) >= GENERATIONS.index(gpu)
