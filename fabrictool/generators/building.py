"""From a layout to its fabric: hosts once, then each network by the generator of its family."""

from __future__ import annotations

import numpy as np

from fabrictool.errors import FabrictoolError, InputError, NotSupportedError, Problem, did_you_mean
from fabrictool.fabric import Fabric, NetworkFacts
from fabrictool.fabric.grouping import distinct
from fabrictool.generators import (
    dragonflies,
    dragonflies_plus,
    fat_trees,
    mixed_leaves,
    planes,
    rails,
    slim_flies,
    switch_pairs,
)
from fabrictool.generators.endpoints import Endpoints, Owner, Owners, add_hosts, attached
from fabrictool.generators.from_file import KEYS as FILE_KEYS
from fabrictool.generators.from_file import fabric_from_file, file_network
from fabrictool.generators.latency import link_latency
from fabrictool.generators.managed import add_facilities, build_order, managed_networks, managed_switches
from fabrictool.generators.rows import Ints, Rows
from fabrictool.generators.site import Site
from fabrictool.layout.model import Layout
from fabrictool.layout.network import Network
from fabrictool.layout.source import Source
from fabrictool.locks import Lock

#: Family, to its generator and the keys of a network that it reads.
FAMILIES = {
    "fat-tree": (fat_trees.fat_tree, fat_trees.KEYS),
    "rail-optimized": (rails.rail_optimized, rails.KEYS),
    "rail-only": (rails.rail_only, rails.RAIL_ONLY_KEYS),
    "multi-plane": (planes.multi_plane, planes.KEYS),
    "dragonfly": (dragonflies.dragonfly, dragonflies.KEYS),
    "dragonfly-plus": (dragonflies_plus.dragonfly_plus, dragonflies_plus.KEYS),
    "slim-fly": (slim_flies.slim_fly, slim_flies.KEYS),
    "switch-pair": (switch_pairs.switch_pair, switch_pairs.KEYS),
}
#: Families whose leaves may be of several kinds, to the keys that they read then.
MIXED = {"fat-tree": mixed_leaves.KEYS, "rail-optimized": mixed_leaves.RAIL_KEYS}
_COMMON = frozenset({"family", "protocol", "speed", "cables", "routing", "link", "attach"})


def build(layout: Layout) -> Fabric:
    """Build the fabric of a layout, all networks in one.

    Raises
    ------
    FabrictoolError
        If the parameters of a network do not fit together; located in the layout's file.
    """
    try:
        fabric = _build(layout)
    except FabrictoolError as error:
        source = layout.source or Source("layout")
        raise type(error)([source.locate(problem) for problem in error.problems]) from None
    return locked(layout.lock, fabric) if layout.lock is not None else fabric


def locked(lock: Lock, fabric: Fabric) -> Fabric:
    """Return a fabric with the names and ports that its lock keeps."""
    from fabrictool.locks.names import with_names
    from fabrictool.locks.wiring import with_ports

    return with_ports(lock, with_names(lock, fabric))


def _build(layout: Layout) -> Fabric:
    from_elsewhere = file_network(layout)
    if from_elsewhere is not None:
        problems = _foreign_keys(*from_elsewhere, FILE_KEYS)
        if problems:
            raise InputError(problems)
        return fabric_from_file(layout, *from_elsewhere)
    rows = Rows(management_bps=managed_networks(layout))
    owners = add_hosts(rows, layout.hosts, layout.networks) | add_facilities(rows, layout)
    claimed: dict[str, Ints] = {}
    problems = []
    for name in build_order(layout):
        try:
            _add_network(rows, layout, name, owners, claimed)
        except NotSupportedError:
            raise
        except FabrictoolError as error:
            problems += error.problems
            if rows.management_bps:
                break  # networks that manage this one would only add to the errors
    problems += _foreign_templates(layout, rows.groups) if not problems else []
    if problems:
        raise InputError(problems)
    facts = [_facts(name, network, rows, row) for row, (name, network) in enumerate(layout.networks.items())]
    fabric = rows.assemble(layout.name, facts, layout.naming)
    if layout.naming:
        _ = fabric.names  # made now, so that a template that fits badly is refused here
    return fabric


def _add_network(rows: Rows, layout: Layout, name: str, owners: dict[Owner, Owners], claimed: dict[str, Ints]) -> None:
    """Add the switches and links of one network, after those that it manages."""
    network, row = layout.networks[name], list(layout.networks).index(name)
    generator, keys = _family(name, network)
    foreign = _foreign_keys(name, network, keys)
    taken = [attach.switches for attach in network.attach or [] if attach.switches is not None]
    for managed in taken:
        place = list(layout.networks).index(managed)
        owners["switches", managed] = managed_switches(rows, place, row)
    ends = attached(owners, network, name)
    _enough_hosts(name, ends)
    foreign += _claim(name, ends, claimed)
    latency = link_latency(network)
    prefix = "" if row == 0 else f"{name}-"
    try:
        generator(Site(rows, network, name, row, latency.host_s, latency.fabric_s, prefix), ends)
    except NotSupportedError:
        raise
    except FabrictoolError as error:
        raise InputError([*foreign, *error.problems]) from None
    if foreign:
        raise InputError(foreign)


def _facts(name: str, network: Network, rows: Rows, row: int) -> NetworkFacts:
    cables = network.cables
    uplinks = tuple(rows.uplinks.get(row, ()))
    return NetworkFacts(name, network.protocol, network.family, cables.fabric, cables.host, uplinks)


def _foreign_templates(layout: Layout, groups: list[str]) -> list[Problem]:
    return [
        Problem("", f"there are no devices called '{title}' to name", did_you_mean(title, groups), ("naming", title))
        for title in layout.naming
        if title not in groups
    ]


def _family(name: str, network: Network):  # type: ignore[no-untyped-def]
    if network.family not in FAMILIES:
        what = f"family '{network.family}' is not supported yet"
        fix = f"use one of {', '.join(FAMILIES)}"
        raise NotSupportedError([Problem("", what, fix, ("networks", name, "family"))])
    if len(network.leaves or ()) < 2:
        return FAMILIES[network.family]
    if network.family not in MIXED:
        what = f"a {network.family} network has leaves of one kind"
        fix = f"keep one entry of leaf, or use {' or '.join(MIXED)}"
        raise NotSupportedError([Problem("", what, fix, ("networks", name, "leaf"))])
    return mixed_leaves.mixed_leaves, MIXED[network.family]


def _foreign_keys(name: str, network: Network, keys: frozenset[str]) -> list[Problem]:
    given = {type(network).model_fields[key].alias or key for key in network.model_fields_set}
    return [
        Problem("", f"a {network.family} network takes no '{key}'", "remove it", ("networks", name, key))
        for key in sorted(given - keys - _COMMON)
    ]


def _claim(name: str, ends: Endpoints, claimed: dict[str, Ints]) -> list[Problem]:
    """Return which host ports are attached twice, here or to a network before; remember these."""
    path, problems = ("networks", name, "attach"), []
    if len(distinct(ends.port)) < len(ends.port):
        fix = "name each group's ports once, by role or number"
        problems.append(Problem("", "a host port is attached twice", fix, path))
    for other, ports in claimed.items():
        common = len(np.intersect1d(ends.port, ports))
        if common:
            what = f"{common} host ports are attached to network {other} already"
            problems.append(Problem("", what, "attach other ports, by role or number", path))
    claimed[name] = ends.port
    return problems


def _enough_hosts(name: str, ends: Endpoints) -> None:
    if ends.host_count < 2:
        what = f"network {name} attaches {ends.host_count} host{'' if ends.host_count == 1 else 's'}"
        fix = "a network joins at least two: raise count, or attach ports by role or number"
        raise InputError([Problem("", what, fix, ("networks", name))])
