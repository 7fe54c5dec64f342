"""Which routing a name stands for: the one list of routings."""

from __future__ import annotations

from collections.abc import Callable

from fabrictool.errors import NotSupportedError, Problem
from fabrictool.fabric import Fabric
from fabrictool.fabric.parts import is_tiered
from fabrictool.layout.network import Routing as Stated
from fabrictool.routing.flows import Routing
from fabrictool.routing.modk import ModK
from fabrictool.routing.wiring import Wiring


def _mod_k(wiring: Wiring, stated: Stated) -> Routing:
    return ModK(stated.name, wiring)


#: Name of a routing, to what makes it of a wiring and what the layout or a command states.
ROUTINGS: dict[str, Callable[[Wiring, Stated], Routing]] = {
    "d-mod-k": _mod_k,
    "s-mod-k": _mod_k,
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
    return ROUTINGS[stated.name](wiring, stated)
