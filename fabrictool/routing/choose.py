"""Which routing a name stands for: the one list of routings."""

from __future__ import annotations

from collections.abc import Callable

from fabrictool.errors import NotSupportedError, Problem
from fabrictool.fabric.parts import is_tiered
from fabrictool.layout.network import Routing as Stated
from fabrictool.routing.dragonflies import Valiant
from fabrictool.routing.ecmp import Ecmp
from fabrictool.routing.explicit import Explicit
from fabrictool.routing.flows import Routing
from fabrictool.routing.modk import ModK
from fabrictool.routing.pxn import Pxn
from fabrictool.routing.spray import Spray
from fabrictool.routing.ugal import Ugal
from fabrictool.routing.wiring import Wiring


def _mod_k(wiring: Wiring, stated: Stated) -> Routing:
    return ModK(stated.name, wiring)


def _spray(wiring: Wiring, stated: Stated) -> Routing:
    split = "weighted" if stated.name == "weighted-ecmp" else stated.split or "per-hop"
    return Spray(stated.name, wiring, split, stated.efficiency or 1.0)


def _ecmp(wiring: Wiring, stated: Stated) -> Routing:
    seeds = None if stated.seeds is None else tuple(stated.seeds)
    planes = stated.planes or "hash"
    return Ecmp(stated.name, wiring, stated.hash or "mix", seeds, stated.flows_per_pair or 1, planes)


def _explicit(wiring: Wiring, stated: Stated) -> Routing:
    return Explicit(stated.name, wiring)


def _valiant(wiring: Wiring, stated: Stated) -> Routing:
    return Valiant(stated.name, wiring)


def _ugal(wiring: Wiring, stated: Stated) -> Routing:
    return Ugal(stated.name, wiring)


#: Name of a routing, to what makes it of a wiring and what the layout or a command states.
ROUTINGS: dict[str, Callable[[Wiring, Stated], Routing]] = {
    "d-mod-k": _mod_k,
    "s-mod-k": _mod_k,
    "ecmp": _ecmp,
    "explicit": _explicit,
    "spray": _spray,
    "minimal": _spray,
    "valiant": _valiant,
    "ugal": _ugal,
    "weighted-ecmp": _spray,
}


def routing_of(wiring: Wiring, stated: Stated | None = None) -> Routing:
    """Return the routing of a network; by default D-mod-k on trees, minimal ways elsewhere.

    Raises
    ------
    NotSupportedError
        If the routing is not known, or the network is not one that it routes.
    """
    if stated is None:
        stated = Stated(name="d-mod-k" if is_tiered(wiring.fabric, wiring.network) else "minimal")
    if stated.name not in ROUTINGS:
        what = f"routing '{stated.name}' is not supported yet"
        raise NotSupportedError([Problem("", what, f"use one of {', '.join(ROUTINGS)}")])
    found = ROUTINGS[stated.name](wiring, stated)
    return Pxn(stated.name, wiring, found) if stated.pxn else found
