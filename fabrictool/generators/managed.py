"""What management networks serve beside hosts: switches of other networks, PDUs of racks and CDUs of loops."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.generators.endpoints import Owner, Owners
from fabrictool.generators.rows import PortPattern, Rows
from fabrictool.layout.model import Layout
from fabrictool.layout.network import Attach, Network
from fabrictool.records import Assumption

#: Feeds A and B, as in racks with two supplies of power.
PDUS_PER_RACK = 2
ROLE = "mgmt"


def management_speed(network: Network) -> float:
    """Return the speed in bit/s of the ports that a network manages others by: its own, else its leaf's."""
    if network.speed_bps is not None:
        return network.speed_bps
    return 1e9 if network.leaf is None else float(network.leaf.type.speed_bps)


def managed_networks(layout: Layout) -> dict[int, dict[int, float]]:
    """Return for each managed network, by row, the networks that manage its switches, and their speeds in bit/s."""
    row = {name: place for place, name in enumerate(layout.networks)}
    found: dict[int, dict[int, float]] = {}
    for name, attach in _attaches(layout):
        if attach.switches is not None:
            found.setdefault(row[attach.switches], {})[row[name]] = management_speed(layout.networks[name])
    return found


def build_order(layout: Layout) -> list[str]:
    """Return the networks in an order in which managed ones come first.

    Raises
    ------
    InputError
        If networks manage one another in a circle.
    """
    waits: dict[str, set[str]] = {name: set() for name in layout.networks}
    for name, attach in _attaches(layout):
        if attach.switches is not None:
            waits[name].add(attach.switches)
    order: list[str] = []
    while len(order) < len(waits):
        ready = [name for name in waits if name not in order and waits[name] <= set(order)]
        if not ready:
            name = next(name for name in waits if name not in order)
            what = f"network {name} manages switches of one that manages its own"
            raise InputError([Problem("", what, "remove one of the entries", ("networks", name, "attach"))])
        order += ready
    return order


def managed_switches(rows: Rows, network: int, manager: int) -> Owners:
    """Return the management ports of a network's switches that another network takes."""
    ports = rows.management_ports(network, manager)
    speed = np.array([rows.management_bps[network][manager]])
    return Owners(ports.device, ports.port, ports.number, (ROLE,), speed, np.zeros(1, int))


def add_facilities(rows: Rows, layout: Layout) -> dict[Owner, Owners]:
    """Add the PDUs and CDUs that networks attach, each with one management port."""
    added: dict[Owner, Owners] = {}
    for name, attach in _attaches(layout):
        if attach.racks is None and attach.loops is None:
            continue
        title = attach.owner[1]
        count = sum(pdus(layout)) if title == "pdu" else sum(cdus(layout))
        speed = np.array([management_speed(layout.networks[name])])
        first = rows.port_count
        pattern = PortPattern(np.ones(1, int), np.zeros(1, int), speed)
        device = rows.add_devices(count, "service", 0, title, title, pattern)
        added[attach.owner] = Owners(
            device, first + np.arange(count), np.ones(count, int), (ROLE,), speed, np.zeros(1, int)
        )
    return added


def pdus(layout: Layout) -> list[int]:
    """Return the PDUs of each rack group: of the racks that it states, else of those that hosts take.

    Raises
    ------
    InputError
        If neither ``count`` nor ``hosts_per_rack`` says how many racks there are.
    """
    compute = [group for group in layout.hosts if group.role == "compute"]
    hosts = sum(group.hosts for group in compute if group.type.trays is None)
    whole = sum(group.count for group in compute if group.type.trays is not None)
    found = []
    for row, group in enumerate(layout.racks or []):
        if group.count is None and group.hosts_per_rack is None and hosts:
            what = "how many racks, and so PDUs, there are is not known before they are filled"
            raise InputError([Problem("", what, "give count or hosts_per_rack", ("racks", row))])
        racks = whole + -(-hosts // (group.hosts_per_rack or 1)) if group.count is None else group.count
        whole, filled = max(0, whole - racks), max(0, racks - whole)
        hosts = max(0, hosts - filled * (group.hosts_per_rack or 0))
        found.append(racks * (group.pdus or PDUS_PER_RACK))
    return found


def cdus(layout: Layout) -> list[int]:
    """Return the CDUs of each loop, of all its repetitions where it stands for so many racks.

    Raises
    ------
    InputError
        If its racks, and so its repetitions, are not counted in the layout.
    """
    loops = (layout.hall.loops if layout.hall else None) or []
    return [(loop.count or 0) * _repetitions(layout, row) for row, loop in enumerate(loops)]


def _repetitions(layout: Layout, row: int) -> int:
    """Return how many loops stand under one name: one, or one for each so many of the racks that name it."""
    loops = (layout.hall.loops if layout.hall else None) or []
    each = loops[row].racks
    if each is None:
        return 1
    named = [g for g in layout.racks or [] if g.cooling != "air" and (g.loop or loops[0].name) == loops[row].name]
    if any(group.count is None for group in named):
        what = f"how many loops {loops[row].name}, and so CDUs, there are is not known before racks are filled"
        raise InputError([Problem("", what, "give count of the racks on it", ("hall", "loops", row, "racks"))])
    return max(1, -(-sum(group.count or 0 for group in named) // each))


def management_assumptions(layout: Layout) -> list[Assumption]:
    """Name what was taken for racks whose PDUs a network attaches."""
    if not any(attach.racks for _, attach in _attaches(layout)):
        return []
    rows = []
    for group in layout.racks or []:
        title = group.name or group.type.name
        if group.pdus is None:
            rows.append(Assumption(f"PDUs of a rack {title}", f"{PDUS_PER_RACK}", "one for each of feeds A and B"))
        if group.count is None:
            why = "the layout gives no count of racks"
            rows.append(Assumption(f"racks {title} that have PDUs", "those that hosts take", why))
    return rows


def _attaches(layout: Layout) -> Iterator[tuple[str, Attach]]:
    for name, network in layout.networks.items():
        for attach in network.attach or []:
            yield name, attach
