"""Routes of a network as SimGrid wants them: one for each ordered pair of endpoints."""

from __future__ import annotations

from fabrictool.errors import InputError
from fabrictool.explore.routed import RoutedNetwork
from fabrictool.formats.simgrid import Route, Routes
from fabrictool.routing.flows import all_pairs

#: Endpoints up to which every pair is listed: 256 of them have 65,280 routes.
MOST_ENDPOINTS = 256


def simgrid_routes(made: RoutedNetwork) -> Routes:
    """Return the endpoints of a network and the one way that its routing takes between each pair.

    Raises
    ------
    InputError
        If there are too many endpoints, a pair has no way, or the routing divides traffic.
    """
    wiring = made.routing.wiring
    count = wiring.endpoints
    if count > MOST_ENDPOINTS:
        what = (
            f"network {wiring.name} has {count:,} endpoints; every pair needs a route, and {MOST_ENDPOINTS} are listed"
        )
        raise InputError(what, "export a smaller part of the design, such as one scalable unit")
    pairs = all_pairs(count)
    used = made.routing.usage(pairs)
    if (used.share < 1).any():
        raise InputError(
            f"routing {made.routing.name} divides traffic over several ways; a SimGrid route is one",
            "name one of single ways: --routing d-mod-k, min-hop, ecmp or ftree",
        )
    names = [wiring.endpoint_name(row) for row in range(count)]
    bounds, channel = used.first.tolist(), used.channel.tolist()
    routes = tuple(
        Route(names[a], names[z], tuple(channel[low:high]))
        for a, z, low, high in zip(pairs.source.tolist(), pairs.target.tolist(), bounds[:-1], bounds[1:], strict=True)
    )
    lost = sum(not route.channels for route in routes)
    if lost:
        raise InputError(f"{lost} pairs of endpoints have no way", "see route for what is missing")
    gpus = wiring.fabric.gpus
    scale_up = zip(gpus.scale_up_bps.tolist(), gpus.scale_up_latency_s.tolist(), strict=True)
    return Routes(tuple(names), routes, tuple((f"gpu {row}", *facts) for row, facts in enumerate(scale_up)))
