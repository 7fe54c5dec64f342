"""Which switches reduce in the network, by what device types state, and which ranks an algorithm that needs it fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from fabrictool.catalogue.types import HostType, SwitchType
from fabrictool.collectives.entries import Group
from fabrictool.collectives.schedules import ALGORITHMS, Algorithm
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.records import Assumption
from fabrictool.routing.wiring import Wiring

Types = Mapping[str, HostType | SwitchType]

#: What is taken for granted of switches that state nothing.
ASSUMED = "reduce at line rate, trees side by side"


@dataclass(frozen=True)
class Site:
    """Where switches reduce: a network, the endpoints of the ranks, and device types by name."""

    wiring: Wiring
    ranks: I4
    types: Types

    def stated(self, reduces: str) -> Iterator[tuple[str, str | None]]:
        """Yield the types that reduce in the network or in scale-up domains, and what each states."""
        devices = self.wiring.switch if reduces == "network" else self.wiring.device[self.ranks]
        fabric = self.wiring.fabric
        for row in np.unique(fabric.devices.type[devices]).tolist():
            kind = fabric.types[row] if row >= 0 else "a type that is not known"
            found = self.types.get(kind)
            if isinstance(found, HostType):
                yield kind, found.scale_up.reduction if found.scale_up else None
            else:
                yield kind, found.reduction if found else None

    def assumable(self, reduces: str) -> bool:
        """Return whether what states nothing may be taken to reduce."""
        protocol = self.wiring.fabric.networks[self.wiring.network].protocol
        return reduces == "domain" or protocol.startswith("infiniband")


def check_reduction(job: Job, name: str, group: Group, site: Site) -> None:
    """Refuse an algorithm that its ranks or switches do not fit.

    Raises
    ------
    InputError
        Naming what could be used instead.
    """
    known = ALGORITHMS[job.collective]
    what, more = _wrong(name, known[name], group, site, not job.tried)
    if what:
        others = [word for word, other in known.items() if not _wrong(word, other, group, site, not job.tried)[0]]
        where, path = ("", (*job.path, "algorithm")) if job.path else ("--algorithm", ())
        raise InputError([Problem(where, what, f"use one of {', '.join(others)}{more}", path)])


def _wrong(name: str, algorithm: Algorithm, group: Group, site: Site, assume: bool) -> tuple[str, str]:
    """Return why an algorithm does not fit ranks or switches, and what mends that beside another; "" if it fits."""
    what = misfit(name, group)
    if what or not algorithm.reduces:
        return what, ""
    return unable(name, algorithm.reduces, site, assume)


def misfit(name: str, group: Group) -> str:
    """Return what is wrong with ranks for an algorithm, "" if they fit."""
    domains = len(np.unique(group.domain))
    if name == "sharp" and domains == 1 and group.size > 1:
        return f"sharp needs ranks in several scale-up domains, not {group.size} in one, which the network never sees"
    if name == "nvls" and domains > 1:
        return f"nvls needs ranks in one scale-up domain, not in {domains}"
    if name == "nvls-tree" and domains == group.size > 1:
        return f"nvls-tree needs scale-up domains of several ranks, not {domains} ranks that share none"
    return ""


def unable(name: str, reduces: str, site: Site, assume: bool) -> tuple[str, str]:
    """Return which type of switch or host cannot do what an algorithm needs, and what more mends it; "" if all can.

    Parameters
    ----------
    name : str
        The algorithm.
    reduces : {"network", "domain"}
        Which switches it needs.
    site : Site
    assume : bool
        Whether types that state nothing may be taken to reduce.
    """
    outside = reduces == "network"
    where, key = ("the network", "the switch type") if outside else ("its scale-up domain", "its scale_up")
    for kind, stated in site.stated(reduces):
        if stated == "short":
            return f"{name} needs switches that reduce messages of any size, and {kind} reduces short ones only", ""
        if stated == "none":
            return f"{name} needs switches that reduce, and {kind} does not in {where}", ""
        if stated is None and not (assume and site.assumable(reduces)):
            unsaid = f"{name} needs switches that reduce, and {kind} does not say that it does in {where}"
            return unsaid, f", or state 'reduction: stream' in {key}"
    return "", ""


def reduction_assumptions(results: Iterable[CollectiveResult], site: Site) -> list[Assumption]:
    """Return what is taken for granted of types that state nothing, for results that rest on it."""
    known = {(r.collective, r.algorithm) for r in results if r.model != "nccl"}
    used = {algorithm.reduces for one, name in known if (algorithm := ALGORITHMS[one].get(name)) is not None} - {""}
    source = "not stated; 'reduction:' in the type says what it does"
    return [
        Assumption(f"switches of {kind}", ASSUMED, source)
        for reduces in sorted(used)
        for kind, stated in site.stated(reduces)
        if stated is None
    ]
