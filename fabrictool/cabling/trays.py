"""Trays: which links lie in each, and how full it gets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.cabling.plan import CablePlan
from fabrictool.cabling.routes import row_tray, tray_names
from fabrictool.fabric.grouping import grouped, parts
from fabrictool.fabric.tables import F8
from fabrictool.records import Domain, Finding

#: Diameter of a cable whose medium is not known, in mm: the thickest.
UNKNOWN_MM = 7.5


@dataclass(frozen=True, slots=True)
class TrayLoad:
    """What lies in a tray where it is fullest: cables, their cross-section in m2, and the share of the tray."""

    name: str
    cables: int
    area_m2: float
    fill: float


def ways(plan: CablePlan) -> Iterator[tuple[tuple[int, int, int], npt.NDArray[np.int64]]]:
    """Yield rows at both ends and tray across of each kind of way, and the links that take it."""
    if plan.floor is None or plan.seats is None or plan.routes is None:
        return
    a, z = plan.fabric.ends
    laid = np.flatnonzero((plan.cable >= 0) & ~plan.routes.in_rack & ~np.isnan(plan.routes.route_m))
    row = plan.floor.row
    ends = (row[plan.seats.rack[end[laid]]] for end in (a, z))
    kinds, place = grouped(*ends, plan.routes.cross[laid])
    for kind, links in zip(kinds, parts(place, len(kinds)), strict=True):
        yield (kind[0], kind[1], kind[2]), laid[links]


def links_by_tray(plan: CablePlan) -> dict[str, npt.NDArray[np.int64]]:
    """Return the links that lie in each tray, by its name; trays that nothing lies in are left out."""
    found: dict[str, list[npt.NDArray[np.int64]]] = {}
    for way, links in ways(plan):
        assert plan.floor is not None
        for name in tray_names(plan.floor, *way):
            found.setdefault(name, []).append(links)
    return {name: np.sort(np.concatenate(found[name])) for name in sorted(found)}


def tray_domains(plan: CablePlan) -> list[Domain]:
    """Return what is lost with each tray: the links of the cables that lie in it."""
    return [Domain("tray", name, (), tuple(links.tolist())) for name, links in links_by_tray(plan).items()]


def tray_loads(plan: CablePlan) -> list[TrayLoad]:
    """Return how full each tray is where most lies in it."""
    if plan.floor is None:
        return []
    area = _areas(plan)
    room = plan.floor.trays["width_m"] * plan.floor.trays["depth_m"]
    spans = _spans(plan)
    loads = []
    for name, links in links_by_tray(plan).items():
        cables = np.unique(plan.cable[links])
        if name in spans:
            fullest, count = _fullest(*spans[name], area)
        else:
            fullest, count = float(area[cables].sum()), len(cables)
        loads.append(TrayLoad(name, count, fullest, fullest / room if room else math.inf))
    return loads


def _areas(plan: CablePlan) -> F8:
    diameter = np.array([option.medium.diameter_mm for option in plan.options] + [UNKNOWN_MM])
    strands = np.array([option.strands for option in plan.options] + [1])
    each = math.pi / 4 * (diameter / 1e3) ** 2 * strands
    return np.asarray(each[plan.cables.option], np.float64)


def _spans(plan: CablePlan) -> dict[str, tuple[npt.NDArray[np.int32], F8, F8]]:
    """Return for the tray over each row the cables in it, and where each enters and leaves it, in m."""
    floor, seats = plan.floor, plan.seats
    assert floor is not None
    assert seats is not None
    a, z = plan.fabric.ends
    found: dict[str, list[tuple[npt.NDArray[np.int32], F8, F8]]] = {}
    for (row_a, row_z, cross), links in ways(plan):
        xa, xz = floor.x_m[seats.rack[a[links]]], floor.x_m[seats.rack[z[links]]]
        cable = plan.cable[links]
        if row_a == row_z:
            found.setdefault(row_tray(floor, row_a), []).append((cable, xa, xz))
            continue
        at = np.full(len(links), floor.cross_x_m[cross])
        found.setdefault(row_tray(floor, row_a), []).append((cable, xa, at))
        found.setdefault(row_tray(floor, row_z), []).append((cable, xz, at))
    joined = {}
    for name, laid in found.items():
        cable, start, end = (np.concatenate(column) for column in zip(*laid, strict=True))
        _, first = np.unique(cable, return_index=True)
        joined[name] = (cable[first], np.minimum(start, end)[first], np.maximum(start, end)[first])
    return joined


def _fullest(cable: npt.NDArray[np.int32], start: F8, end: F8, area: F8) -> tuple[float, int]:
    """Return the largest cross-section of cables side by side, in m2, and how many they are."""
    where = np.concatenate((start, end))
    change = np.concatenate((area[cable], -area[cable]))
    one = np.concatenate((np.ones(len(cable)), -np.ones(len(cable))))
    order = np.lexsort((-one, where))
    section = np.cumsum(change[order])
    place = int(np.argmax(section))
    return float(section[place]), round(float(np.cumsum(one[order])[place]))


def tray_findings(plan: CablePlan, loads: Sequence[TrayLoad]) -> list[Finding]:
    """Name trays that are fuller than they may be."""
    if plan.floor is None:
        return []
    most = plan.floor.trays["fill"]
    found = []
    for load in loads:
        if load.fill > most * (1 + 1e-9):
            message = f"{load.cables:,} cables fill {load.fill:.0%} of the tray, more than {most:.0%}"
            wide = plan.floor.trays["width_m"] * load.fill / most
            fix = f"trays of {math.ceil(wide * 10) / 10:g} m (hall.trays.width), a second layer, or more trays across"
            found.append(Finding("tray-overfull", "warning", f"tray {load.name}", message, fix))
    return found
