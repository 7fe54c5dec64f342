"""Domains of failure: what stops together when a rack, a feed, a loop, a tray, a host or a plane does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from fabrictool.cooling import RackCooling, rack_cooling
from fabrictool.cooling.powered import powered_cooling
from fabrictool.errors import InputError, Problem, did_you_mean
from fabrictool.fabric import KINDS, Fabric
from fabrictool.layout.model import Layout
from fabrictool.placement import Placement
from fabrictool.placement.standing import floor_of
from fabrictool.power import RackPower, lost_feeds, rack_power, supply_loads
from fabrictool.power.supply import feeds_of_racks
from fabrictool.records import Domain

_Found = tuple[Fabric, Layout | None, Placement | None]


def domains(
    kind: str, fabric: Fabric, layout: Layout | None = None, placement: Placement | None = None
) -> list[Domain]:
    """Return all domains of one kind.

    Parameters
    ----------
    kind : str
        One of ``DOMAINS``.
    fabric : Fabric
    layout, placement : optional
        What racks, feeds and loops are found in.

    Raises
    ------
    InputError
        If there is no such kind, or the layout does not say what it takes.
    """
    if kind not in DOMAINS:
        raise InputError([Problem(kind, "no such kind of domain", did_you_mean(kind, DOMAINS))])
    return list(DOMAINS[kind]((fabric, layout, placement)))


def domain_named(word: str, fabric: Fabric, layout: Layout | None = None, placement: Placement | None = None) -> Domain:
    """Return the domain that ``KIND:NAME`` stands for.

    Raises
    ------
    InputError
        If there is none.
    """
    kind, colon, name = word.partition(":")
    if not colon:
        raise InputError([Problem(word, "is no KIND:NAME", "write a domain such as rack:r01")])
    known = {domain.name: domain for domain in domains(kind, fabric, layout, placement)}
    if name not in known:
        hint = did_you_mean(name, known) if known else f"there are no domains of kind {kind}"
        raise InputError([Problem(word, f"there is no {kind} '{name}'", hint)])
    return known[name]


def _racks(found: _Found) -> Iterator[Domain]:
    """Yield the devices of each rack."""
    placement = _placed(found, "rack")
    for row, name in enumerate(placement.racks.name.tolist()):
        yield Domain("rack", name, _rows(placement.rack == row))


def _floor_rows(found: _Found) -> Iterator[Domain]:
    """Yield the devices of each row of racks."""
    placement, (fabric, layout, _) = _placed(found, "row"), found
    if layout is None:
        return
    floor = floor_of(layout, fabric, placement)
    row = np.append(floor.row, -1)[placement.rack]
    for number in range(int(floor.row.max(initial=-1)) + 1):
        yield Domain("row", f"row-{floor.row_name(number)}", _rows(row == number))


def _feeds(found: _Found) -> Iterator[Domain]:
    """Yield what loses power with each feed: without redundancy all racks that have it, else none."""
    placement, layout = _placed(found, "feed"), found[1]
    feeds = (layout.hall.feeds if layout and layout.hall else None) or []
    if layout is None or not feeds:
        return
    has = feeds_of_racks(layout, _power(layout, found[0], placement).it_w)
    for row, feed in enumerate(feeds):
        spared = lost_feeds(feed.redundancy, len(feeds)) > 0
        dark = np.zeros(len(has), bool) if spared else has[:, row]
        yield Domain("feed", feed.name, _rows(np.append(dark, False)[placement.rack]))


def _supplies(found: _Found) -> Iterator[Domain]:
    """Yield what stops once each element of the supply fails: without power, or too warm as its cooling has none."""
    placement, layout = _placed(found, "supply"), found[1]
    if layout is None:
        return
    power = _power(layout, found[0], placement)
    powered = powered_cooling(layout, rack_cooling(layout, found[0], placement, power))
    loads = supply_loads(layout, placement, power, powered.machines)
    for name, racks in loads.dark.items():
        stopped = np.array(loads.stopped[name], np.int64)
        lost = np.isin(placement.rack, racks)
        yield Domain("supply", name, _rows(lost | powered.devices(stopped) if len(stopped) else lost))


def _loops(found: _Found) -> Iterator[Domain]:
    """Yield what each loop cools: devices under its plates, in its tanks or in front of its doors."""
    cooled = _cooled(found, "loop")
    if cooled is not None:
        for row, name in enumerate(cooled.loops.serving.name):
            yield Domain("loop", name, _rows(cooled.on_loop(row)))


def _cdus(found: _Found) -> Iterator[Domain]:
    """Yield what the loss of each CDU takes: nothing where the others keep its loop cool enough, else all of it."""
    cooled = _cooled(found, "cdu")
    if cooled is None:
        return
    lost = cooled.loops.lost_with_one()
    for row, (name, count) in enumerate(
        zip(cooled.loops.serving.name, cooled.loops.design.count.tolist(), strict=True)
    ):
        devices = _rows(cooled.on_loop(row)) if lost[row] else ()
        for number in range(0 if np.isnan(count) else int(count)):
            yield Domain("cdu", f"{name}-cdu{number + 1}", devices)


def _air_units(found: _Found) -> Iterator[Domain]:
    """Yield what the loss of each air handler takes: devices whose inlet air then gets warmer than they stand."""
    cooled = _cooled(found, "air-unit")
    if cooled is None:
        return
    for group, state in zip(cooled.room.units, cooled.room.with_one_lost, strict=True):
        devices = _rows(cooled.too_warm(state.racks_c))
        for number in range(group.count):
            yield Domain("air-unit", f"{group.name}-{number + 1}", devices)


def _cooled(found: _Found, kind: str) -> RackCooling | None:
    fabric, layout, _ = found
    placement = _placed(found, kind)
    return rack_cooling(layout, fabric, placement, _power(layout, fabric, placement)) if layout else None


def _power(layout: Layout, fabric: Fabric, placement: Placement) -> RackPower:
    """Return what racks draw, their optics included."""
    return rack_power(layout, fabric, placement, placement.extra_w)


def _trays(found: _Found) -> Iterator[Domain]:
    """Yield the links whose cables lie in each tray, as the cable plan lays them."""
    from fabrictool.cabling.plan import plan_cables
    from fabrictool.cabling.trays import tray_domains

    placement = _placed(found, "tray")
    yield from tray_domains(plan_cables(found[1], found[0], placement))


def _hosts(found: _Found) -> Iterator[Domain]:
    """Yield each host."""
    fabric = found[0]
    for row in np.flatnonzero(fabric.devices.kind == KINDS.index("host")).tolist():
        yield Domain("host", fabric.names[row], (row,))


def _scale_ups(found: _Found) -> Iterator[Domain]:
    """Yield the hosts of each scale-up domain, called by the first of them."""
    fabric = found[0]
    scaled = fabric.gpus.scale_up_bps > 0
    for number in np.unique(fabric.gpus.domain[scaled]).tolist():
        hosts = np.unique(fabric.gpus.host[scaled & (fabric.gpus.domain == number)])
        yield Domain("scale-up", fabric.names[int(hosts[0])], tuple(hosts.tolist()))


def _pods(found: _Found) -> Iterator[Domain]:
    """Yield scalable units, pods or groups: their switches, and the hosts that hang on these alone."""
    fabric = found[0]
    yield from _groups(fabric, "pod", fabric.devices.pod)


def _planes(found: _Found) -> Iterator[Domain]:
    """Yield the switches of each plane."""
    fabric = found[0]
    yield from _groups(fabric, "plane", fabric.devices.plane)


def _groups(fabric: Fabric, kind: str, label: np.ndarray) -> Iterator[Domain]:
    """Yield what a label of switches joins in each network, called network-number."""
    devices, (a, z) = fabric.devices, fabric.ends
    for row, network in enumerate(fabric.networks):
        switches = (devices.network == row) & (devices.tier > 0) & (label >= 0)
        at_host = (fabric.links.network == row) & (devices.tier[a] == 0)
        for number in np.unique(label[switches]).tolist():
            inside = switches & (label == number)
            hung = np.zeros(len(devices), bool)
            hung[a[at_host & inside[z]]] = True
            hung[a[at_host & ~inside[z]]] = False
            yield Domain(kind, f"{network.name}-{number + 1}", _rows(inside | hung))


def _placed(found: _Found, kind: str) -> Placement:
    if found[2] is None:
        what = f"a {kind} is known only where a layout states 'racks'"
        raise InputError([Problem(kind, what, "add racks, or fail devices by name")])
    return found[2]


def _rows(chosen: np.ndarray) -> tuple[int, ...]:
    return tuple(np.flatnonzero(chosen).tolist())


#: Kinds of domain, to what finds them.
DOMAINS: dict[str, Callable[[_Found], Iterator[Domain]]] = {
    "rack": _racks,
    "row": _floor_rows,
    "feed": _feeds,
    "supply": _supplies,
    "loop": _loops,
    "tray": _trays,
    "cdu": _cdus,
    "air-unit": _air_units,
    "host": _hosts,
    "scale-up": _scale_ups,
    "pod": _pods,
    "plane": _planes,
}

#: Kinds that are found in the racks.
PLACED = frozenset({"rack", "row", "feed", "supply", "loop", "cdu", "air-unit", "tray"})


def rows_of(found: Sequence[Domain]) -> tuple[list[int], list[int]]:
    """Return the rows of all devices and links of domains."""
    devices = [row for domain in found for row in domain.devices]
    return devices, [row for domain in found for row in domain.links]
