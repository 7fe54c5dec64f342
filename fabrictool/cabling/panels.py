"""Structured cabling: patch cords, panels in or over the racks, and trunks of many fibres between racks.

All parts are of type B, so that a link crosses three times, as often as one cable of type B does for an odd number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabrictool.cabling.locked_panels import locked_patching
from fabrictool.cabling.panel_places import PanelPlaces, panel_heights_m, places_of_panels, sides_of_racks
from fabrictool.cabling.patching import Fibres, Names, Patching, new_patching
from fabrictool.fabric.tables import F8, I4, Bool, Table

if TYPE_CHECKING:
    from fabrictool.cabling.plan import CablePlan

#: What is taken where the layout does not say.
PLUGS_PER_TRUNK, PORTS_PER_UNIT = 12, 32
#: Patch panels on a way that the reach of modules allows for, and how parts cross and end.
SOURCE = (
    "NVIDIA Interconnect Structured Cabling Requirements, 2025-10-01: type B, female cords, male trunks, two panels"
)
TURNS = 2


@dataclass(frozen=True)
class Patched(Table):
    """Fibres that go over panels, one row each; a cable of several strands has as many.

    ``cable`` is its row in the plan, ``strand`` counts from 0; ``trunk`` and ``plug`` are its trunk and place in it;
    ``panel_a`` and ``panel_z`` its panels at both ends with its ports ``port_a`` and ``port_z``, from 0; ``cord_a_m``
    and ``cord_z_m`` the patch cords to order.
    """

    cable: I4
    strand: I4
    trunk: I4
    plug: I4
    panel_a: I4
    panel_z: I4
    port_a: I4
    port_z: I4
    cord_a_m: F8
    cord_z_m: F8


@dataclass(frozen=True)
class Trunks(Table):
    """Trunks between the panels of two racks: name, racks, option of its fibre, plugs and those in use, length in m."""

    name: Names
    rack_a: I4
    rack_z: I4
    option: I4
    plugs: I4
    used: I4
    length_m: F8


@dataclass(frozen=True, slots=True)
class Panels:
    """Everything of structured cabling.

    Parameters
    ----------
    patched : Patched
    trunks : Trunks
    ports : ndarray of int32, (racks,)
        Panel ports in use.
    places : PanelPlaces
    front : ndarray of bool, (racks,)
        Whether the panels of a rack are at its front.
    plugs, per_unit : int
        Plugs of a new trunk, and ports of a new panel.
    """

    patched: Patched
    trunks: Trunks
    ports: I4
    places: PanelPlaces
    front: Bool
    plugs: int
    per_unit: int

    @property
    def units(self) -> I4:
        """Panels of one unit that each rack needs, (racks,)."""
        return self.places.count(np.ones(len(self.places), np.bool_), len(self.ports))

    @property
    def hung(self) -> I4:
        """Rack units that panels take, (racks,)."""
        return self.places.count(self.places.unit > 0, len(self.ports))

    @property
    def homeless(self) -> I4:
        """Panels of each rack that found no room, (racks,)."""
        return self.places.count(self.places.unit < 0, len(self.ports))


def panels_of(plan: CablePlan) -> Panels | None:
    """Return the structured cabling that a layout asks for, None if it does not.

    Fibres between racks that are as long as ``beyond`` go from device to a panel of the rack, in a trunk to the
    panel of the other rack, and down. Fibres of a kind between the same two racks share trunks.
    """
    stated, seats, placement = plan.cabling.panels, plan.seats, plan.placement
    if stated is None or seats is None or placement is None or plan.floor is None or plan.routes is None:
        return None
    fibres, racks = _fibres(plan), placement.racks.name.tolist()
    plugs, per_unit = stated.trunk or PLUGS_PER_TRUNK, stated.ports or PORTS_PER_UNIT
    made = _patching(plan, fibres, racks, plugs, per_unit)
    count = np.bincount(fibres.rack.ravel(), minlength=len(racks)).astype(np.int32)
    places = places_of_panels(plan.fabric, placement, seats, made, stated.mount == "overhead")
    ends = np.stack([end[fibres.link] for end in plan.fabric.ends])
    front = sides_of_racks(len(count), fibres.rack.ravel(), seats.front[ends].ravel())
    for rack, ahead in made.side.items():
        front[rack] = ahead
    height_m = panel_heights_m(places, placement)[made.panel]
    cords, run = _ways(plan, fibres.link, height_m, places.unit[made.panel] > 0, front[fibres.rack])
    cord = [
        np.where(np.isnan(given), _stock(plan, fibres.option, part), given)
        for given, part in zip(made.cord_m, cords, strict=True)
    ]
    patched = Patched(
        fibres.cable, fibres.strand, made.trunk, made.plug, made.panel[0], made.panel[1], made.port[0], made.port[1],
        cord[0], cord[1],
    )  # fmt: skip
    return Panels(patched, _trunks(plan, made, run), count, places, front, plugs, per_unit)


def _fibres(plan: CablePlan) -> Fibres:
    """Return the fibres that go over panels, cable by cable, strand by strand."""
    assert plan.seats is not None
    rows, strands = _chosen(plan)
    cable = np.repeat(rows, strands).astype(np.int32)
    strand = (np.arange(len(cable)) - np.repeat(np.cumsum(strands) - strands, strands)).astype(np.int32)
    link = plan.cables.link[cable]
    ends = np.stack([end[link] for end in plan.fabric.ends])
    return Fibres(cable, strand, link, plan.cables.option[cable], plan.seats.rack[ends])


def _patching(plan: CablePlan, fibres: Fibres, racks: Sequence[str], plugs: int, per_unit: int) -> Patching:
    """Return ports, trunks and plugs of fibres: those that a lock keeps, and new ones."""
    if plan.pins is None or not len(plan.pins.lock.panels):
        return new_patching(fibres, racks, plugs, per_unit)
    from fabrictool.cabling.rows import cable_ids

    ids = cable_ids(plan)
    kept = plan.pins.in_place(fibres.link)
    names = [ids[row] for row in fibres.cable.tolist()]
    return locked_patching(fibres, plan.pins.lock, names, kept, racks, plan.options, plugs, per_unit)


def _ways(plan: CablePlan, link: I4, height_m: F8, inside: Bool, front: Bool) -> tuple[F8, F8]:
    """Return the cords at both ends, (2, fibres), and the ways between panels, (fibres,), with slack, in m.

    A cord leads from port to panel along the edge of the rack; a trunk from the edge beside the panel, or from over
    the rack, along the trays. Ports and panels on two sides of a rack are its depth apart.

    Parameters
    ----------
    link : ndarray, (fibres,)
    height_m, inside, front : ndarray, (2, fibres)
        Of the panels: height over the floor, whether they take units, whether they are at the front.
    """
    assert plan.seats is not None
    assert plan.floor is not None
    assert plan.routes is not None
    trays, depth = plan.floor.trays, plan.floor.pitch["depth_m"]
    ends = np.stack([end[link] for end in plan.fabric.ends])
    ahead, rise = plan.seats.front[ends], height_m - plan.seats.height_m[ends]
    cords = np.abs(rise) + 2 * trays["side_m"] + depth * (front != ahead) + trays["slack_m"] + TURNS * trays["bend_m"]
    over = trays["side_m"] * (~inside).sum(axis=0)
    across = depth * ((front[0] != front[1]).astype(float) - (ahead[0] != ahead[1]))
    return cords, plan.routes.route_m[link] - rise.sum(axis=0) - over + across + plan.slack_m


def _trunks(plan: CablePlan, made: Patching, run: F8) -> Trunks:
    """Return the trunks, as long as their longest fibre needs where no length is given."""
    length = np.zeros(len(made.option))
    np.maximum.at(length, made.trunk, run)
    needed = _stock(plan, made.option, length)
    used = np.bincount(made.trunk, minlength=len(length)).astype(np.int32)
    length = np.where(np.isnan(made.trunk_m), needed, made.trunk_m)
    return Trunks(made.trunk_name, made.ends[0], made.ends[1], made.option, made.plugs, used, length)


def _chosen(plan: CablePlan) -> tuple[I4, npt.NDArray[np.int64]]:
    """Return the cables that go over panels, and the strands of each."""
    stated, cables = plan.cabling.panels, plan.cables
    assert stated is not None
    assert plan.routes is not None
    fibre = np.array([option.connector.startswith("MPO") and option.legs == 1 for option in plan.options] + [False])
    names = [network.name for network in plan.fabric.networks]
    there = np.array([stated.networks is None or name in stated.networks for name in names], bool)
    apart = ~np.isnan(cables.route_m) & ~plan.routes.in_rack[cables.link]
    known = ~np.isnan(cables.length_m) & (np.nan_to_num(cables.length_m) >= (stated.beyond_m or 0.0))
    rows = np.flatnonzero(fibre[cables.option] & there[cables.network] & apart & known).astype(np.int32)
    strands = np.array([option.strands for option in plan.options] + [1])
    return rows, strands[cables.option[rows]]


def _stock(plan: CablePlan, option: I4, needed_m: F8) -> F8:
    """Return the next lengths in stock of fibres; of what is longer than all, full metres."""
    found = np.ceil(needed_m)
    for row in np.unique(option).tolist():
        lengths = np.array(plan.options[row].medium.lengths_m)
        mine = np.flatnonzero(option == row)
        place = np.searchsorted(lengths, needed_m[mine] - 1e-9)
        there = place < len(lengths)
        found[mine[there]] = lengths[place[there]]
    return np.asarray(found, np.float64)
