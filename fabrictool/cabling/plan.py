"""The cable plan: a row for each physical cable, with its way, length, medium and ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fabrictool.cabling.cages import CagePlan, cages_of
from fabrictool.cabling.choice import Option
from fabrictool.cabling.choosing import Choice
from fabrictool.cabling.locked import Pins, pins_of, shifted_devices
from fabrictool.cabling.panels import Panels, panels_of
from fabrictool.cabling.routes import Routes, Seats, routes_between, seats_of
from fabrictool.fabric.counting import internal_links
from fabrictool.fabric.tables import F8, I4, Bool, Fabric, Table
from fabrictool.layout.cabling import Cabling
from fabrictool.layout.model import Layout
from fabrictool.layout.network import CABLE_M, CABLE_SOURCE
from fabrictool.placement import Placement
from fabrictool.placement.standing import Floor, floor_of
from fabrictool.records import Assumption

NONE = -1


@dataclass(frozen=True)
class Cables(Table):
    """Physical cables, one row each, in the order of their first links.

    ``link`` is the first link, ``links`` how many there are; ``network`` a row of the fabric's networks; ``option`` a
    row in the plan's options, -1 where nothing is known that joins both ends. ``route_m`` is NaN without a known way;
    ``length_m`` is what is ordered, NaN where nothing is long enough. ``optics_w`` and ``usd`` hold the cable's share
    of the modules at both ends, NaN where unknown.
    """

    link: I4
    links: I4
    network: npt.NDArray[np.int8]
    option: I4
    route_m: F8
    length_m: F8
    optics_w: F8
    usd: F8


@dataclass(frozen=True)
class CablePlan:
    """All cables of a fabric.

    Parameters
    ----------
    fabric : Fabric
    placement : Placement or None
    floor : Floor or None
        None without racks.
    seats : Seats or None
    routes : Routes or None
        Of each link, (links,).
    cages : CagePlan
    cables : Cables
    cable, leg, lanes : ndarray of int32, (links,)
        Cable of each link, -1 for what lies inside a device; place within it from 1; electrical lanes.
    options : tuple of Option
    slack_m : float
        Kept at both ends of a cable together.
    beyond : ndarray of bool, (cables,)
        Whether no medium reaches as far.
    cabling : Cabling
        What the layout decides: labels, colours, spares, media, panels.
    panels : Panels or None
        Structured cabling, if the layout asks for it.
    assumptions : tuple of Assumption
    pins : Pins or None
        Which cables a lock keeps.
    """

    fabric: Fabric
    placement: Placement | None
    floor: Floor | None
    seats: Seats | None
    routes: Routes | None
    cages: CagePlan
    cables: Cables
    cable: I4
    leg: I4
    lanes: I4
    options: tuple[Option, ...]
    slack_m: float
    beyond: Bool
    cabling: Cabling
    panels: Panels | None
    assumptions: tuple[Assumption, ...]
    pins: Pins | None = None

    def media(self) -> list[str]:
        """Return the medium of each cable, (cables,); empty where none is known."""
        names = [option.medium.name for option in self.options]
        return [names[row] if row >= 0 else "" for row in self.cables.option.tolist()]


def plan_cables(
    layout: Layout | None, fabric: Fabric, placement: Placement | None, length_m: F8 | None = None
) -> CablePlan:
    """Plan the cables of all networks.

    Each link takes a cable of its own; where a network counts cables by cages, all links of a cage take one assembly
    or splitter, if one is long enough. Of the media that fit both ends the first that reaches is taken. All fibres of a
    module are of one kind, so what one of them needs decides for all that are joined by modules. Links that are
    narrower than a fibre's connector share it.

    Parameters
    ----------
    layout : Layout or None
        Gives the types of devices and how racks stand; None for a fabric from elsewhere.
    fabric : Fabric
    placement : Placement or None
        Where devices stand; without it cables are as long as the layout states (``link.length``), else as in the
        source of the default.
    length_m : ndarray, (links,), optional
        What links need, where that is stated from elsewhere; NaN where not.
    """
    a, z = fabric.ends
    floor = seats = routes = None
    needed = np.full(len(a), np.nan)
    slack_m = 0.0
    if layout is not None and placement is not None:
        floor, seats = floor_of(layout, fabric, placement), seats_of(layout, fabric, placement)
        routes = routes_between(floor, seats, a, z)
        slack_m = 2 * floor.trays["slack_m"]
        needed = routes.route_m + slack_m
    wanted = np.where(np.isnan(needed), _stated_m(layout, fabric) if length_m is None else length_m, needed)
    unknown = np.isnan(wanted)
    wanted = np.where(unknown, CABLE_M, wanted)
    inside = ~internal_links(fabric)
    cages = cages_of(layout, fabric)
    cabling = layout.cabling if layout is not None else Cabling()
    lock = layout.lock if layout is not None else None
    shifted = shifted_devices(lock, fabric, placement, seats, floor) if lock is not None else None
    pins = pins_of(lock, fabric, inside, shifted) if lock is not None and shifted is not None else None
    chosen = Choice(fabric, cages, inside, wanted, frozenset(cabling.avoid), pins)
    cable, leg, columns = chosen.joined(routes.route_m if routes else np.full(len(a), np.nan))
    if chosen.pins is not None:
        leg = chosen.pins.legs(leg)
        columns["route_m"] = chosen.pins.routes_m(columns["link"], columns["route_m"])
    cables = Cables(**columns)
    beyond = (cables.option >= 0) & np.isnan(cables.length_m)
    assumptions = (*cages.assumptions(), *(floor.assumptions if floor else ()), *_taken(int((unknown & inside).sum())))
    plan = CablePlan(
        fabric, placement, floor, seats, routes, cages, cables, cable, leg, chosen.lanes, tuple(chosen.found), slack_m,
        beyond, cabling, None, assumptions, chosen.pins,
    )  # fmt: skip
    panels = panels_of(plan)
    return plan if panels is None else replace(plan, panels=panels, cables=_patched(plan, panels))


def _patched(plan: CablePlan, panels: Panels) -> Cables:
    """Return the cables with the lengths of those over panels as of all their parts, whose price nobody states."""
    length, usd = plan.cables.length_m.copy(), plan.cables.usd.copy()
    rows = panels.patched
    length[rows.cable] = rows.cord_a_m + panels.trunks.length_m[rows.trunk] + rows.cord_z_m
    usd[rows.cable] = np.nan
    if plan.pins is not None:
        length = np.where(plan.pins.in_place(plan.cables.link), plan.cables.length_m, length)
    return replace(plan.cables, length_m=length, usd=usd)


def _stated_m(layout: Layout | None, fabric: Fabric) -> F8:
    """Return the length of cables that the layout states for each link's network, (links,) in m; NaN where none."""
    stated = np.full((len(fabric.networks), 2), np.nan)
    for row, facts in enumerate(fabric.networks):
        network = layout.networks.get(facts.name) if layout is not None else None
        if network is not None and network.link is not None and network.link.length is not None:
            stated[row] = network.link.length.fabric_m, network.link.length.host_m
    at_host = fabric.devices.tier[fabric.ends[0]] == 0
    return np.asarray(stated[fabric.links.network, at_host.astype(int)], np.float64)


def _taken(count: int) -> Iterator[Assumption]:
    if count:
        yield Assumption(f"length of {count:,} links to devices without a place", f"{CABLE_M:g} m", CABLE_SOURCE)
