"""What NCCL would see of a job's ranks: derived from the fabric and its host types, or as a host type states it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fabrictool.catalogue import store
from fabrictool.catalogue.communication import Nccl
from fabrictool.catalogue.types import HostType
from fabrictool.collectives.nccl.search import Machine, heads, rings, trees
from fabrictool.collectives.nccl.system import Graph, System
from fabrictool.collectives.nccl.tables import GENERATIONS, Tuning, tuning
from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.records import Assumption
from fabrictool.routing.wiring import Wiring

OVERRIDE = "nccl: {gpu: hopper, cpu: intel, channels: 8, intra: 48 GB/s, inter: 48 GB/s}"
#: Of hosts that do not say whose CPUs they have.
DEFAULT_CPU = "intel"


@dataclass(frozen=True, slots=True)
class Seen:
    """A host type as NCCL sees it: GPUs, CPUs, and the channels of rings, trees and NVLS; or as it is stated."""

    type_name: str
    gpus: int
    gpu: str
    cpu: str | None
    nvlink: bool
    ring: Graph
    tree: Graph
    nvls: Graph | None
    stated: bool = False


@dataclass(frozen=True, slots=True)
class Derived:
    """The system that NCCL tunes for, and what of it was derived."""

    system: System
    assumptions: tuple[Assumption, ...]


def derive(wiring: Wiring, ranks: I4, types: Mapping[str, HostType]) -> Derived:
    """Return what NCCL would see of a job's ranks.

    Parameters
    ----------
    wiring : Wiring
    ranks : (ranks,) int32
        Endpoints.
    types : mapping of str to HostType
        Types of the layout by name; those of the catalogue are known.

    Raises
    ------
    InputError
        If something is not known, saying what to add.
    """
    if not len(wiring.fabric.gpus) or (wiring.gpu[ranks] < 0).any():
        raise _unknown(f"the model nccl needs GPUs, and ranks here are {wiring.title}", "state hosts with 'gpus'")
    host = hosts_of(wiring, ranks)
    labels, first, size = np.unique(host, return_index=True, return_counts=True)
    tables, alone = tuning(), len(labels) == 1
    kind = wiring.fabric.devices.type[wiring.device[ranks[first]]]
    seen = []
    for row in np.unique(kind).tolist():
        small = int(np.flatnonzero(kind == row)[size[kind == row].argmin()])
        seen.append(_seen(wiring, ranks[host == labels[small]], _type(wiring, row, types), tables, alone))
    system = _joined(seen, len(ranks), len(labels))
    return Derived(system, tuple(_assumption(one, tables) for one in seen if not (one.stated and one.cpu)))


def hosts_of(wiring: Wiring, ranks: I4) -> I4:
    """Return the host of each rank as NCCL counts them: of a scale-up domain over several hosts, its first."""
    gpus, gpu = wiring.fabric.gpus, wiring.gpu[ranks]
    low = np.full(int(gpus.domain.max(initial=-1)) + 1, len(wiring.fabric.devices), np.int64)
    high = np.full(len(low), -1, np.int64)
    scaled = gpus.scale_up_bps > 0
    np.minimum.at(low, gpus.domain[scaled], gpus.host[scaled])
    np.maximum.at(high, gpus.domain[scaled], gpus.host[scaled])
    domain = gpus.domain[gpu]
    wide = (gpus.scale_up_bps[gpu] > 0) & (high[domain] > low[domain])
    return np.where(wide, low[domain], gpus.host[gpu]).astype(np.int32)


def _type(wiring: Wiring, row: int, types: Mapping[str, HostType]) -> HostType:
    """Return a host type by its row in the fabric."""
    name = wiring.fabric.types[row]
    known = types.get(name)
    if known is None and name in store.names("hosts"):
        found = store.entry("hosts", name)
        assert isinstance(found, HostType)
        return found
    if known is None:
        raise _unknown(f"what hosts of type '{name}' are is not known", "describe them in a layout's 'hosts'")
    return known


def _seen(wiring: Wiring, ranks: I4, kind: HostType, tables: Tuning, alone: bool) -> Seen:
    """Return what NCCL sees of the ranks of one host."""
    stated = kind.nccl or Nccl()
    gpu = stated.gpu or tables.generation.get(kind.gpu or "")
    if gpu is None:
        raise _no_generation(kind, tables)
    scale_up_bps = float(wiring.fabric.gpus.scale_up_bps[wiring.gpu[ranks]].min())
    nvlink = scale_up_bps > 0
    if stated.channels is not None:
        one = Graph(stated.channels, stated.intra_bytes_per_s or 0.0, stated.inter_bytes_per_s or 0.0)
        return Seen(kind.name, len(ranks), gpu, stated.cpu, nvlink, one, one, one if nvlink else None, stated=True)
    machine = _machine(wiring, ranks, kind, gpu, tables, alone)
    ring = rings(machine, tables)
    if ring is None:
        raise _unknown(f"no channels are found on hosts of type '{kind.name}'", f"state '{OVERRIDE}' in the type")
    return Seen(
        kind.name, len(ranks), gpu, stated.cpu, nvlink, ring, trees(machine, tables, ring), heads(machine, tables)
    )


def _no_generation(kind: HostType, tables: Tuning) -> InputError:
    """Return the error for a host whose GPUs are none that NCCL is tuned for, as far as is known."""
    names = ", ".join(tables.generation)
    if kind.gpu is None:
        what = f"host type '{kind.name}' has no 'gpu', so its generation is not known"
        return _unknown(what, f"give 'gpu: H100' or another of {names}")
    what = f"GPU '{kind.gpu}' of host type '{kind.name}' is none of {names}, which NCCL's tables are for"
    return _unknown(what, f"use another model, or for other NVIDIA GPUs state '{OVERRIDE}' in the type")


def _machine(wiring: Wiring, ranks: I4, kind: HostType, gpu: str, tables: Tuning, alone: bool) -> Machine:
    """Return what the search for channels starts from."""
    gpus, row = wiring.fabric.gpus, wiring.gpu[ranks]
    scale_up_bps = float(gpus.scale_up_bps[row].min())
    if len(ranks) > 1 and (not scale_up_bps or len(np.unique(gpus.domain[row])) > 1):
        what = f"the {len(ranks)} GPUs of a host of type '{kind.name}' are in no scale-up domain of their own"
        fix = f"give 'scale_up: {{domain: {len(ranks)}, speed: 3.6T}}', or state '{OVERRIDE}' in the type"
        raise _unknown(f"{what}, so NCCL's channels cannot be derived", fix)
    terminals = np.unique(wiring.lanes[ranks])
    ports = wiring.terminals.port[terminals[terminals >= 0]]
    joined = max((nic.ports_each for nic in kind.nics if "compute" in nic.role), default=1)
    nics = -(-len(ports) // joined)  # the library takes the ports of an adapter as one
    nic_bytes_per_s = float(wiring.fabric.ports.speed_bps[ports].min()) / 8 * len(ports) / nics
    scale_up = scale_up_bps / 8 * tables.nvlink_share[gpu]
    return Machine(gpu, len(ranks), scale_up, nics, min(nic_bytes_per_s, tables.pcie_x16[gpu]), alone)


def _joined(seen: Sequence[Seen], ranks: int, hosts: int) -> System:
    """Return the system of all hosts: the oldest GPUs, and no more or faster channels than any of them has."""
    cpus = {one.cpu or DEFAULT_CPU for one in seen}
    generations = {one.gpu for one in seen}
    nvls = [one.nvls for one in seen]
    return System(
        gpu=min(generations, key=GENERATIONS.index),
        cpu=cpus.pop() if len(cpus) == 1 else "mixed",
        ranks=ranks,
        hosts=hosts,
        graph=_least([one.ring for one in seen]),
        nvls=_least([graph for graph in nvls if graph]) if all(nvls) else None,
        nvlink=all(one.nvlink for one in seen),
        equal_gpus=len(generations) == 1,
        tree=_least([one.tree for one in seen]),
    )


def _least(graphs: Sequence[Graph]) -> Graph:
    return Graph(
        min(graph.channels for graph in graphs),
        min(graph.intra_bytes_per_s for graph in graphs),
        min(graph.inter_bytes_per_s for graph in graphs),
    )


def _assumption(seen: Seen, tables: Tuning) -> Assumption:
    """Say what was derived of a host type."""
    source = "what the type states" if seen.stated else f"search rules of NCCL {tables.version}"
    cpu = seen.cpu or f"{DEFAULT_CPU} (not stated)"
    graphs = {"rings": seen.ring, "trees": seen.tree, "NVLS": seen.nvls}
    parts = [f"{name} {_shown(graph)}" for name, graph in graphs.items() if graph is not None]
    return Assumption(
        f"NCCL on {seen.type_name}",
        f"{seen.gpus} {seen.gpu} GPUs each, CPU {cpu}; channels x GB/s inside / between hosts: {', '.join(parts)}",
        f"{source}; 'nccl:' in the host type overrides",
    )


def _shown(graph: Graph) -> str:
    inside, between = graph.intra_bytes_per_s / 1e9, graph.inter_bytes_per_s / 1e9
    return f"{graph.channels} x {inside:g} / {between:g}"


def _unknown(what: str, fix: str) -> InputError:
    return InputError([Problem("", what, fix)])
