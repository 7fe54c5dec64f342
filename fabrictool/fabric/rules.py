"""Design rules: what a fabric is held against, each cause told once as a finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fabrictool.fabric.evenness import mixed_speeds, more_blocking, unequal_uplinks
from fabrictool.fabric.growth import growth_blocks, ports_left
from fabrictool.fabric.scale import address_tables, lid_space, path_lengths
from fabrictool.fabric.separation import planes_touch, split_rails, wrong_rails
from fabrictool.fabric.tables import Fabric
from fabrictool.fabric.weak_points import single_homed, weak_directors, weak_links, weak_switches
from fabrictool.records import Finding


@dataclass(frozen=True, slots=True)
class Stated:
    """What is asked of a network, beside what was built.

    Parameters
    ----------
    oversubscription : tuple of float
        Bandwidth down over up, from the leaf up; empty where nothing is asked for.
    reserve : int
        Ports of each leaf kept for hosts to come.
    routing : str
        Name of the routing; empty if none is stated.
    mac_addresses, routes : mapping of str to int
        Table sizes by switch type, where published.
    kinds_of_leaf : int
        Sorts of leaves that are stated apart, and may so have other uplinks.
    """

    oversubscription: tuple[float, ...] = ()
    reserve: int = 0
    routing: str = ""
    mac_addresses: Mapping[str, int] | None = None
    routes: Mapping[str, int] | None = None
    kinds_of_leaf: int = 1


def design_findings(fabric: Fabric, stated: Mapping[str, Stated] | None = None) -> list[Finding]:
    """Return what violates the design rules, network by network.

    Parameters
    ----------
    fabric : Fabric
    stated : mapping of str to Stated, optional
        By name of the network; what is not stated is not checked.
    """
    found: list[Finding] = []
    for row, network in enumerate(fabric.networks):
        if (fabric.links.network == row).any():
            found += _of_network(fabric, row, (stated or {}).get(network.name, Stated()))
    return found


def _of_network(fabric: Fabric, row: int, asked: Stated) -> Iterator[Finding]:
    yield from planes_touch(fabric, row)
    yield from wrong_rails(fabric, row)
    yield from split_rails(fabric, row)
    yield from more_blocking(fabric, row, asked.oversubscription)
    yield from unequal_uplinks(fabric, row, 1 if asked.kinds_of_leaf < 2 else 2)
    yield from mixed_speeds(fabric, row)
    yield from weak_switches(fabric, row)
    yield from weak_directors(fabric, row)
    yield from weak_links(fabric, row)
    yield from single_homed(fabric, row)
    yield from path_lengths(fabric, row, asked.routing)
    yield from lid_space(fabric, row)
    yield from address_tables(fabric, row, asked.mac_addresses or {}, asked.routes or {})
    yield from growth_blocks(fabric, row, asked.oversubscription, asked.reserve)
    yield from ports_left(fabric, row)
