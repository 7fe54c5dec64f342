"""What is accepted: the hosts and GPUs of one network of a fabric, and how traffic between them is routed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fabrictool.collectives.transport import Transport
from fabrictool.errors import InputError
from fabrictool.evaluation import located
from fabrictool.fabric import Fabric
from fabrictool.fabric.parts import joined_by_tier
from fabrictool.fabric.tables import I4
from fabrictool.formats.imported import Imported
from fabrictool.generators.building import build
from fabrictool.layout.model import Layout
from fabrictool.routing.inside import ScaleUp
from fabrictool.running import joined_networks
from fabrictool.scenario import Asked, State, state_of
from fabrictool.signal_ways import fabric_on_cables

Ints = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Subject:
    """Hosts that are up in the network that joins all ranks; a host's place here is its number everywhere below.

    Parameters
    ----------
    layout : Layout or None
        None for a fabric from elsewhere.
    transport : Transport
        The network with its faults and its routing.
    """

    layout: Layout | None
    transport: Transport

    @property
    def fabric(self) -> Fabric:
        """The fabric."""
        return self.transport.fabric

    @property
    def name(self) -> str:
        """Name of the layout."""
        return self.fabric.name

    @property
    def protocol(self) -> str:
        """Protocol of the network, such as ``infiniband``."""
        return self.fabric.networks[self.transport.network].protocol

    @cached_property
    def device(self) -> I4:
        """Device row of each host, (hosts,)."""
        wiring = self.transport.wiring
        rows = np.unique(wiring.device[: wiring.hosts])
        return rows[~wiring.faults.device[rows]].astype(np.int32)

    @cached_property
    def names(self) -> list[str]:
        """Name of each host."""
        return [self.fabric.names[row] for row in self.device.tolist()]

    @cached_property
    def endpoint(self) -> I4:
        """Rank of each GPU of each host, -1 where a host has fewer, (hosts, GPUs)."""
        wiring = self.transport.wiring
        place = np.full(len(self.fabric.devices), -1, np.int32)
        place[self.device] = np.arange(len(self.device))
        host = place[wiring.device[: wiring.hosts]]
        rank = np.flatnonzero(host >= 0)
        rank = rank[np.argsort(host[rank], kind="stable")]
        host = host[rank]
        gpu = np.arange(len(rank)) - np.searchsorted(host, host)
        found = np.full((len(self.device), int(gpu.max(initial=0)) + 1), -1, np.int32)
        found[host, gpu] = rank
        return found

    @cached_property
    def gpus(self) -> I4:
        """Number of GPUs of each host, (hosts,)."""
        count: I4 = np.count_nonzero(self.endpoint >= 0, axis=1).astype(np.int32)
        return count

    @cached_property
    def seat(self) -> I4:
        """Switch of each port of each GPU, -1 where there is none, (hosts, GPUs, ports)."""
        wiring = self.transport.wiring
        lanes = np.where(self.endpoint[..., None] >= 0, wiring.lanes[self.endpoint], -1)
        seat: I4 = np.where(lanes >= 0, wiring.switch[wiring.terminals.seat[lanes]], -1).astype(np.int32)
        return seat

    @cached_property
    def domain(self) -> I4:
        """Scale-up domain of each host's first GPU; hosts without one stand alone, with a number below 0, (hosts,)."""
        own = self.transport.wiring.domain[self.endpoint[:, 0]]
        alone: I4 = np.where(own >= 0, own, -1 - np.arange(len(own)))
        return alone.astype(np.int32)

    @cached_property
    def scaled_up(self) -> bool:
        """Whether the GPUs of a host are joined by NVLink or alike."""
        return bool((self.transport.wiring.scale_up[self.endpoint[:, 0]] >= 0).all())

    @cached_property
    def rail(self) -> Ints:
        """Rail of each GPU's first port, -1 for none, (hosts, GPUs)."""
        rail: Ints = np.where(self.endpoint >= 0, self.transport.wiring.rail[self.endpoint], -1)
        return rail

    @cached_property
    def routing(self) -> ScaleUp:
        """How flows between ranks go, inside domains and between them."""
        return ScaleUp(self.transport.routing)

    @cached_property
    def levels(self) -> list[Ints]:
        """Groups of hosts from the finest to all of them: those on the same leaves first, (hosts,) labels each."""
        flat = np.sort(self.seat.reshape(len(self.seat), -1), axis=1)
        found: list[Ints] = [_first_seen(np.unique(flat, axis=0, return_inverse=True)[1].ravel())]
        fabric, network = self.fabric, self.transport.network
        direct = not fabric.networks[network].is_tree
        tiers = [label[self.device] for label in joined_by_tier(fabric, network)[1:]]
        groups = [np.asarray(fabric.devices.pod)[self.seat[:, 0, 0]]] if direct else []
        for label in (*groups, *tiers, np.zeros(len(self.device), np.int64)):
            dense = _first_seen(np.asarray(label))
            if not np.array_equal(dense, found[-1]) and _coarser(dense, found[-1]):
                found.append(dense)
        return found


def _first_seen(label: Ints) -> Ints:
    """Return labels numbered in the order in which they first come."""
    _, first, where = np.unique(label, return_index=True, return_inverse=True)
    order = np.empty(len(first), np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    return order[where.ravel()]


def _coarser(label: Ints, than: Ints) -> bool:
    """Return whether hosts that were together stay together."""
    pairs = np.unique(np.column_stack((than, label)), axis=0)
    return len(pairs) == len(np.unique(than))


def subject_of(
    given: Layout | Imported | Fabric,
    asked: Asked | None = None,
    routing: str | Mapping[str, object] | None = None,
) -> Subject:
    """Return what is accepted of a layout or a fabric: its first network that joins all GPUs, as it stands.

    Parameters
    ----------
    given : Layout, Imported or Fabric
    asked : Asked, optional
        What is known to be down or slow beside what the layout states; hosts that are down are left out.
    routing : str or mapping, optional
        In place of the one that the layout states.

    Raises
    ------
    FabrictoolError
        If no network joins all ranks, or fewer than two GPUs are up.
    """
    layout = given if isinstance(given, Layout) else None
    with located(layout) if layout is not None else nullcontext():
        return _subject_of(layout, given, asked, routing)


def _subject_of(
    layout: Layout | None,
    given: Layout | Imported | Fabric,
    asked: Asked | None,
    routing: str | Mapping[str, object] | None,
) -> Subject:
    fabric = (
        fabric_on_cables(given, build(given))
        if isinstance(given, Layout)
        else given.fabric
        if isinstance(given, Imported)
        else given
    )
    stated = {name: layout.stated_routing(name) for name in layout.networks} if layout else {}
    chosen = {name: found for name, found in stated.items() if found is not None}
    joined = joined_networks(state_of(fabric, layout, asked=asked), chosen, routing)
    if not joined.networks:
        why = "; ".join(joined.refused.values()) or "there is no network"
        raise InputError(f"{fabric.name}: nothing to accept: {why}", "attach a port of every GPU to one network")
    found = Subject(layout, joined.networks[0])
    if int(found.gpus.sum()) < 2:
        raise InputError(f"{fabric.name}: nothing to accept with fewer than two GPUs up", "leave fewer faults in")
    return found


def with_fabric(subject: Subject, fabric: Fabric) -> Subject:
    """Return a subject on another fabric of the same rows, in the same state and by the same routing."""
    state = State(fabric, subject.transport.wiring.faults)
    stated = subject.transport.stated
    chosen = {} if stated is None else {subject.transport.name: stated}
    return Subject(subject.layout, joined_networks(state, chosen).networks[0])
