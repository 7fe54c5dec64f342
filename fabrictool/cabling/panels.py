"""Structured cabling: patch cords, panels over the racks, and trunks of many fibres between racks.

All parts are of type B, so that a link crosses three times, as often as one cable of type B does for an odd number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.grouping import grouped
from fabrictool.fabric.tables import F8, I4, Table
from fabrictool.placement.standing import BASE_M, UNIT_M

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
    ``port_a`` and ``port_z`` its ports on the panels of the racks at both ends, counted from 0 in each rack;
    ``cord_a_m`` and ``cord_z_m`` the patch cords to order.
    """

    cable: I4
    strand: I4
    trunk: I4
    plug: I4
    port_a: I4
    port_z: I4
    cord_a_m: F8
    cord_z_m: F8


@dataclass(frozen=True)
class Trunks(Table):
    """Trunks between the panels of two racks: racks, option of its fibre, plugs in use, length to order in m."""

    rack_a: I4
    rack_z: I4
    option: I4
    used: I4
    length_m: F8


@dataclass(frozen=True, slots=True)
class Panels:
    """Everything of structured cabling; ``ports`` is the number of panel ports in each rack, (racks,)."""

    patched: Patched
    trunks: Trunks
    ports: I4
    plugs: int
    per_unit: int

    @property
    def units(self) -> I4:
        """Rack units of panels in each rack, (racks,)."""
        return np.asarray(-(-self.ports // self.per_unit), np.int32)


def panels_of(plan: CablePlan) -> Panels | None:
    """Return the structured cabling that a layout asks for, None if it does not.

    Fibres between racks that are as long as ``beyond`` go from device to a panel over the rack, in a trunk to the
    panel over the other rack, and down. Fibres of a kind between the same two racks share trunks.
    """
    stated, seats, placement = plan.cabling.panels, plan.seats, plan.placement
    if stated is None or seats is None or placement is None or plan.floor is None or plan.routes is None:
        return None
    rows, strands = _chosen(plan)
    cable = np.repeat(rows, strands).astype(np.int32)
    strand = (np.arange(len(cable)) - np.repeat(np.cumsum(strands) - strands, strands)).astype(np.int32)
    link = plan.cables.link[cable]
    a, z = (end[link] for end in plan.fabric.ends)
    top_m = BASE_M + placement.racks.units * UNIT_M
    trays = plan.floor.trays
    rise = [top_m[seats.rack[end]] - seats.height_m[end] for end in (a, z)]
    cords = [part + 2 * trays["side_m"] + trays["slack_m"] + TURNS * trays["bend_m"] for part in rise]
    run = plan.routes.route_m[link] - rise[0] - rise[1] - 2 * trays["side_m"] + plan.slack_m
    plugs = stated.trunk or PLUGS_PER_TRUNK
    low, high = np.minimum(seats.rack[a], seats.rack[z]), np.maximum(seats.rack[a], seats.rack[z])
    option = plan.cables.option[cable]
    kinds, place = grouped(low, high, option)
    turn = _within(place)
    bundles, trunk = grouped(place, turn // plugs)
    length = np.zeros(len(bundles))
    np.maximum.at(length, trunk, run)
    ends = np.array([kinds[row] for row, _ in bundles], np.int32).reshape(-1, 3)
    used = np.bincount(trunk, minlength=len(bundles)).astype(np.int32)
    trunks = Trunks(
        ends[:, 0].copy(), ends[:, 1].copy(), ends[:, 2].copy(), used, _stock(plan, ends[:, 2], length)
    )  # fmt: skip
    ports = _within(np.concatenate((seats.rack[a], seats.rack[z])).astype(np.int64)).astype(np.int32)
    cord = [_stock(plan, option, part) for part in cords]
    patched = Patched(
        cable, strand, trunk.astype(np.int32), (turn % plugs).astype(np.int32), ports[: len(cable)],
        ports[len(cable) :], cord[0], cord[1],
    )  # fmt: skip
    both = np.concatenate((seats.rack[a], seats.rack[z]))
    count = np.bincount(both, minlength=len(placement.racks)).astype(np.int32)
    return Panels(patched, trunks, count, plugs, stated.ports or PORTS_PER_UNIT)


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


def _within(group: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return how many earlier rows are of the same group, (rows,)."""
    order = np.argsort(group, kind="stable")
    place = np.empty(len(group), np.int64)
    place[order] = np.arange(len(group)) - np.searchsorted(group[order], group[order])
    return place


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
