"""Which switches reduce in the network, by what device types state, and which ranks an algorithm that needs it fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from fabrictool.catalogue.types import HostType, SwitchType
from fabrictool.collectives.entries import Group
from fabrictool.errors import Problem
from fabrictool.fabric.tables import I4
from fabrictool.records import Assumption
from fabrictool.routing.wiring import Wiring

Types = Mapping[str, HostType | SwitchType]

#: What is said of a type in a network of this protocol, or of a scale-up domain, when it states nothing.
ASSUMED = "reduce at line rate, trees side by side"
#: What else there is.
OTHERS = "use ring, hierarchical or double-binary-tree"


def misfit(name: str, group: Group) -> Problem | None:
    """Return what is wrong with ranks for an algorithm, None if they fit."""
    domains = len(np.unique(group.domain))
    if name == "sharp" and domains == 1 and group.size > 1:
        what = f"sharp needs ranks in several scale-up domains, not {group.size} in one, which the network never sees"
        return Problem("", what, "use nvls where the domain's switch reduces, or ring")
    if name == "nvls" and domains > 1:
        what = f"nvls needs ranks in one scale-up domain, not in {domains}"
        return Problem("", what, "use nvls-tree, hierarchical or ring, or fewer ranks")
    if name == "nvls-tree" and domains == group.size > 1:
        what = f"nvls-tree needs scale-up domains of several ranks, not {domains} ranks that share none"
        return Problem("", what, "use double-binary-tree, which is the same without domains")
    return None


def unable(name: str, reduces: str, wiring: Wiring, ranks: I4, types: Types, assume: bool = True) -> Problem | None:
    """Return which type of switch or host cannot do what an algorithm needs, None if all can or may.

    Parameters
    ----------
    name : str
        The algorithm.
    reduces : {"network", "domain"}
        Which switches it needs.
    wiring : Wiring
    ranks : (ranks,) int32
        Endpoints.
    types : mapping of str to HostType or SwitchType
    assume : bool
        Whether types that state nothing may be taken to reduce.
    """
    where = "the network" if reduces == "network" else "its scale-up domain"
    for kind, stated in _stated(reduces, wiring, ranks, types):
        if stated == "short":
            what = f"{name} needs switches that reduce messages of any size, and {kind} reduces short ones only"
            return Problem("", what, OTHERS)
        if stated == "none" or (stated is None and not (assume and _assumable(reduces, wiring))):
            says = "does not reduce" if stated else "does not say that it reduces"
            return Problem(
                "", f"{name} needs switches that reduce, and {kind} {says} in {where}", _fix(reduces, stated)
            )
    return None


def _fix(reduces: str, stated: str | None) -> str:
    where = "the switch type" if reduces == "network" else "scale_up of the host type"
    return OTHERS if stated else f"{OTHERS}, or state 'reduction: stream' in {where}"


def assumed(reduces: str, wiring: Wiring, ranks: I4, types: Types) -> Iterator[Assumption]:
    """Yield what is taken for granted of types that state nothing."""
    for kind, stated in _stated(reduces, wiring, ranks, types):
        if stated is None:
            yield Assumption(f"switches of {kind}", ASSUMED, "not stated; 'reduction:' in the type says what it does")


def _assumable(reduces: str, wiring: Wiring) -> bool:
    """Return whether what states nothing may be taken to reduce."""
    return reduces == "domain" or wiring.fabric.networks[wiring.network].protocol.startswith("infiniband")


def _stated(reduces: str, wiring: Wiring, ranks: I4, types: Types) -> Iterator[tuple[str, str | None]]:
    """Yield the types that reduce, and what each states."""
    devices = wiring.switch if reduces == "network" else wiring.device[ranks]
    for row in np.unique(wiring.fabric.devices.type[devices]).tolist():
        kind = wiring.fabric.types[row] if row >= 0 else "a type that is not known"
        found = types.get(kind)
        if isinstance(found, HostType):
            yield kind, found.scale_up.reduction if found.scale_up else None
        else:
            yield kind, found.reduction if found else None
