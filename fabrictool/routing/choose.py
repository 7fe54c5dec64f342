"""Which routing a name stands for: the one list of routings."""

from __future__ import annotations

from collections.abc import Callable

from fabrictool.errors import InputError, NotSupportedError, Problem
from fabrictool.fabric import Fabric
from fabrictool.fabric.parts import is_tiered
from fabrictool.layout.network import Routing as Stated
from fabrictool.routing.dragonflies import Valiant, groups_of
from fabrictool.routing.ecmp import Ecmp
from fabrictool.routing.explicit import Explicit, explicit
from fabrictool.routing.flows import Routing
from fabrictool.routing.ftree import ftree
from fabrictool.routing.imported import read_routing
from fabrictool.routing.min_hop import min_hop
from fabrictool.routing.modk import ModK
from fabrictool.routing.pxn import Pxn
from fabrictool.routing.spray import Spray
from fabrictool.routing.ugal import Ugal
from fabrictool.routing.up_down import up_down
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
    return Explicit(stated.name, wiring) if stated.paths is None else explicit(stated.name, wiring, stated.paths)


def _lft(wiring: Wiring, stated: Stated) -> Routing:
    if stated.paths is None:
        what = "routing 'lft' needs forwarding tables"
        raise InputError([Problem("", what, "write {name: lft, paths: FILE} with the output of dump_lfts")])
    return read_routing(wiring, stated.paths)[0]


def _valiant(wiring: Wiring, stated: Stated) -> Routing:
    groups_of(wiring)  # refuses trees, before anything is computed
    return Valiant(stated.name, wiring)


def _ugal(wiring: Wiring, stated: Stated) -> Routing:
    groups_of(wiring)
    return Ugal(stated.name, wiring)


#: Name of a routing, to what makes it of a wiring and what the layout or a command states.
ROUTINGS: dict[str, Callable[[Wiring, Stated], Routing]] = {
    "d-mod-k": _mod_k,
    "s-mod-k": _mod_k,
    "min-hop": lambda wiring, _: min_hop(wiring),
    "up-down": lambda wiring, _: up_down(wiring),
    "ecmp": _ecmp,
    "explicit": _explicit,
    "lft": _lft,
    "spray": _spray,
    "minimal": _spray,
    "valiant": _valiant,
    "ugal": _ugal,
    "weighted-ecmp": _spray,
    "ftree": lambda wiring, _: ftree(wiring),
}


def default_name(fabric: Fabric, network: int) -> str:
    """Return the name of the routing where none is stated: D-mod-k on trees, minimal ways elsewhere."""
    return "d-mod-k" if is_tiered(fabric, network) else "minimal"


def routing_of(wiring: Wiring, stated: Stated | None = None) -> Routing:
    """Return the routing of a network; by default D-mod-k on trees, minimal ways elsewhere.

    Raises
    ------
    NotSupportedError
        If the routing is not known, or the network is not one that it routes.
    """
    if stated is None:
        stated = Stated.model_validate({"name": default_name(wiring.fabric, wiring.network)})
    if stated.name not in ROUTINGS:
        what = f"routing '{stated.name}' is not supported yet"
        raise NotSupportedError([Problem("", what, f"use one of {', '.join(ROUTINGS)}")])
    found = ROUTINGS[stated.name](wiring, stated)
    return Pxn(stated.name, wiring, found) if stated.pxn else found
