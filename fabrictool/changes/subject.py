"""What is asked about: a layout, a fabric from elsewhere, one of its networks, and what is down in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from os import PathLike

import numpy as np

from fabrictool.catalogue.types import HostType, SwitchType
from fabrictool.changes.capacity import of_hosts
from fabrictool.collectives.host_bus import limited
from fabrictool.errors import FabrictoolError, InputError, Problem, did_you_mean
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import Faults
from fabrictool.layout.checks import routing_named
from fabrictool.layout.model import Layout
from fabrictool.layout.network import Routing as Stated
from fabrictool.placement import Placement
from fabrictool.power.settling import placed
from fabrictool.records import Finding
from fabrictool.routing.wiring import Wiring, wiring
from fabrictool.scenario import Asked, state_of

Words = int | str | Iterable[int | str]


@dataclass(frozen=True)
class Subject:
    """A fabric that changes are asked about.

    Parameters
    ----------
    fabric : Fabric
    layout : Layout or None
        None for a fabric from elsewhere.
    findings : tuple of Finding
        What is wrong with the file that it came from.
    """

    fabric: Fabric
    layout: Layout | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def types(self) -> Mapping[str, HostType | SwitchType]:
        """Host and switch types by name, none without a layout."""
        return {} if self.layout is None else self.layout.types()

    @cached_property
    def placement(self) -> Placement | None:
        """Where devices stand, None without a layout that says so."""
        if self.layout is None:
            return None
        return placed(self.layout, self.fabric)


def subject_of(given: Layout | Fabric | str | PathLike[str]) -> Subject:
    """Return what a layout, a fabric, or the name of a file of either is.

    Raises
    ------
    FabrictoolError
        If the file cannot be read, or the layout not be built.
    """
    from fabrictool.formats.recognise import opened
    from fabrictool.generators.building import build

    if isinstance(given, Fabric):
        return Subject(given)
    if isinstance(given, str | PathLike):
        found = opened(given)
        if not isinstance(found, Layout):
            return Subject(found.fabric, None, found.findings)
        given = found
    return Subject(build(given), given)


def faults_of(subject: Subject, asked: Asked) -> Faults:
    """Return what the layout's scenario states and what is asked for, together.

    Raises
    ------
    FabrictoolError
        Naming every link, device and domain that does not exist, those of the layout at their place in it.
    """
    try:
        placement = subject.placement if asked.domains else None
        return state_of(subject.fabric, subject.layout, placement, asked).faults
    except FabrictoolError as error:
        source = subject.layout.source if subject.layout else None
        raise type(error)([source.locate(row) if source and row.path else row for row in error.problems]) from None


def words(given: Words) -> list[str]:
    """Return words that stand alone, in a list or between commas."""
    listed = [given] if isinstance(given, int | str) else given
    return [word.strip() for entry in listed for word in str(entry).split(",") if word.strip()]


def network_of(subject: Subject, name: str | None = None) -> Wiring:
    """Return the healthy wiring of a network: that of a name, or the one that most GPUs or hosts are on.

    Raises
    ------
    InputError
        If there is no such network, or none with hosts.
    """
    fabric = subject.fabric
    names = [network.name for network in fabric.networks]
    if name is not None:
        if name not in names:
            raise InputError([Problem("--network", f"no network '{name}'", did_you_mean(name, names))])
        found = [wiring(fabric, names.index(name))]
    else:
        found = [wiring(fabric, row) for row in range(len(names))]
    best = max(found, key=lambda one: one.hosts, default=None)
    if best is None or best.hosts < 2:
        where = f"network {name}" if name else "no network"
        raise InputError(f"{where} joins two hosts or more, so nothing can be lost", "attach hosts to a network")
    return of_hosts(limited(best, subject.types))


def stated_routing(subject: Subject, wiring: Wiring, name: str | Mapping[str, object] | None = None) -> Stated | None:
    """Return the routing asked for, else the layout's, else None for the network's default."""
    asked = routing_named(name)
    if asked is not None:
        return asked
    if subject.layout is None or wiring.name not in subject.layout.networks:
        return None
    return subject.layout.stated_routing(wiring.name)


def down(fabric: Fabric, faults: Faults) -> str:
    """Return in words what is down or slow."""
    a, z = fabric.ends
    links = faults.links.dead & ~faults.device[a] & ~faults.device[z]
    parts = [
        *(f"device {fabric.names[row]}" for row in np.flatnonzero(faults.device).tolist()),
        *(f"link {fabric.link_name(row)}" for row in np.flatnonzero(links).tolist()),
        *(
            f"link {fabric.link_name(row)} at {faults.links.factor[row]:g} of its speed"
            for row in np.flatnonzero(faults.links.factor != 1).tolist()
        ),
    ]
    shown = ", ".join(parts[:4])
    return f"{shown}, … {len(parts) - 4:,} more" if len(parts) > 4 else shown
