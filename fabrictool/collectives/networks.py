"""The networks of a fabric that carry collectives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from fabrictool.collectives.reducing import Types
from fabrictool.collectives.transport import Transport
from fabrictool.errors import NotSupportedError
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import Faults
from fabrictool.layout.network import Routing as Stated
from fabrictool.routing.choose import default_name
from fabrictool.routing.ranks import NotJoinedError


def transports(
    fabric: Fabric,
    faults: Faults | None = None,
    stated: Mapping[str, Stated] = MappingProxyType({}),
    types: Types = MappingProxyType({}),
) -> tuple[list[Transport], dict[str, str]]:
    """Return the networks that every GPU has ports in, in layout order, and why others carry no collectives.

    Parameters
    ----------
    fabric : Fabric
    faults : Faults, optional
    stated : mapping of str to Stated, optional
        The routing asked for, by network.
    types : mapping of str to HostType or SwitchType, optional
        Types by name.

    Raises
    ------
    NotSupportedError
        If a routing that was asked for cannot be used on a network that every GPU has ports in.
    """
    found, refused = [], {}
    for row, network in enumerate(fabric.networks):
        if not fabric.links.speed_bps[fabric.links.network == row].all():
            refused[network.name] = f"the speed of links in network {network.name} is not known"
            continue
        try:
            found.append(Transport(fabric, row, faults, stated.get(network.name), types))
        except NotSupportedError as error:
            asked = stated.get(network.name)
            if asked is not None and asked.name != default_name(fabric, row) and not isinstance(error, NotJoinedError):
                path = ("networks", network.name, "routing")
                raise NotSupportedError([replace(problem, path=path) for problem in error.problems]) from None
            refused[network.name] = error.problems[0].what
    return found, refused
