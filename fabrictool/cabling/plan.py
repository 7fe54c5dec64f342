"""The cable plan: a row for each physical cable, with its way, length, medium and ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.cabling.cages import CagePlan, cages_of, used_cages
from fabrictool.cabling.choice import FIBRES, Ending, Option, lanes_of, options
from fabrictool.cabling.routes import Routes, Seats, routes_between, seats_of
from fabrictool.fabric.counting import internal_links
from fabrictool.fabric.grouping import grouped, parts
from fabrictool.fabric.parts import merged
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
        What the layout decides: labels, colours, spares, media.
    assumptions : tuple of Assumption
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
    assumptions: tuple[Assumption, ...]

    def media(self) -> list[str]:
        """Return the medium of each cable, (cables,); empty where none is known."""
        names = [option.medium.name for option in self.options]
        return [names[row] if row >= 0 else "" for row in self.cables.option.tolist()]


def plan_cables(layout: Layout | None, fabric: Fabric, placement: Placement | None) -> CablePlan:
    """Plan the cables of all networks.

    Each link takes a cable of its own; where a network counts cables per cage, links that join the same two whole
    cages take one assembly, if one is long enough. Of the media that fit both ends the first that reaches is taken.
    All fibres of a module are of one kind, so what one of them needs decides for all that are joined by modules.

    Parameters
    ----------
    layout : Layout or None
        Gives the types of devices and how racks stand; None for a fabric from elsewhere.
    fabric : Fabric
    placement : Placement or None
        Where devices stand; without it every cable is taken to be as long as in the source of the default.
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
    unknown = np.isnan(needed)
    wanted = np.where(unknown, CABLE_M, needed)
    inside = ~internal_links(fabric)
    cages = cages_of(layout, fabric)
    cabling = layout.cabling if layout is not None else Cabling()
    chosen = _Choice(fabric, cages, inside, wanted, frozenset(cabling.avoid))
    cable, leg, cables, beyond = chosen.joined(routes.route_m if routes else np.full(len(a), np.nan))
    assumptions = (*cages.assumptions(), *(floor.assumptions if floor else ()), *_taken(int((unknown & inside).sum())))
    return CablePlan(
        fabric, placement, floor, seats, routes, cages, cables, cable, leg, chosen.lanes, tuple(chosen.found), slack_m,
        beyond, cabling, assumptions,
    )  # fmt: skip


def _taken(count: int) -> Iterator[Assumption]:
    if count:
        yield Assumption(f"length of {count:,} links to devices without a place", f"{CABLE_M:g} m", CABLE_SOURCE)


class _Choice:
    """The choice of a medium for every link, and which links share a cable."""

    def __init__(self, fabric: Fabric, cages: CagePlan, inside: Bool, wanted: F8, avoid: frozenset[str]) -> None:
        self.avoid = avoid
        self.fabric, self.cages, self.inside, self.wanted = fabric, cages, inside, wanted
        links = fabric.links
        self.ca, self.cz = cages.of_port[links.port_a], cages.of_port[links.port_z]
        self.found: list[Option] = []
        self.option = np.full(len(wanted), NONE, np.int32)
        self.length_m = np.full(len(wanted), np.nan)
        self.lanes = np.zeros(len(wanted), np.int32)
        self.whole = self._whole()
        single = (cages.cages.ports[self.ca] == 1) & (cages.cages.ports[self.cz] == 1)
        self._alike = self._classes()
        self._take_direct(self.whole | single)
        self._take_fibre()

    def _whole(self) -> Bool:
        """Say which links share one assembly: counted per cage, and the only links of the same two whole cages."""
        fabric, links = self.fabric, self.fabric.links
        a = fabric.ends[0]
        outside = (fabric.devices.tier[a] == 0) | (fabric.devices.network[a] != links.network)
        rules = np.array([[row.cables, row.host_cables] for row in fabric.networks]).reshape(-1, 2) == "per-cage"
        per_cage = rules[links.network, outside.astype(int)] & self.inside
        pair = np.full(len(links), NONE, np.int64)
        pair[self.inside] = (self.ca.astype(np.int64) << 32 | self.cz)[self.inside]
        _, place, count = np.unique(pair, return_inverse=True, return_counts=True)
        both = count[place]
        used = used_cages(self.cages, np.concatenate((links.port_a[self.inside], links.port_z[self.inside])))
        speed = self.cages.speed_bps
        equal = np.isclose(speed[self.ca], speed[self.cz])
        return np.asarray(per_cage & equal & (both > 1) & (both == used[self.ca]) & (both == used[self.cz]), np.bool_)

    def _classes(self) -> list[tuple[npt.NDArray[np.int64], Ending, Ending, float]]:
        """Group links whose ends and speeds are alike."""
        kind, ports = self.cages.cages.kind, self.cages.cages.ports
        speed = np.round(self.fabric.links.speed_bps / 1e6).astype(np.int64)
        here = np.flatnonzero(self.inside)
        ca, cz = self.ca[here], self.cz[here]
        rows, place = grouped(kind[ca], ports[ca], kind[cz], ports[cz], speed[here])
        found = []
        for part, row in zip((here[alike] for alike in parts(place, len(rows))), rows, strict=True):
            a, z = Ending(self.cages.kinds[row[0]], row[1]), Ending(self.cages.kinds[row[2]], row[3])
            found.append((part, a, z, row[4] * 1e6))
            self.lanes[part] = lanes_of(a, z, row[4] * 1e6)
        return found

    def _place(self, option: Option) -> int:
        if option not in self.found:
            self.found.append(option)
        return self.found.index(option)

    def _take_direct(self, may: Bool) -> None:
        """Take the first assembly with ends of its own that reaches."""
        for part, a, z, speed_bps in self._alike:
            for option in options(a, z, speed_bps, True, self.avoid):
                if option.medium.direct:
                    rows = part[may[part] | (option.medium.connector == "RJ45")]
                    self._take(rows[self.option[rows] < 0], option)

    def _take(self, rows: npt.NDArray[np.int64], option: Option) -> None:
        """Give links an option where a length in stock is enough."""
        stock = np.array(option.lengths_m)
        place = np.searchsorted(stock, self.wanted[rows] - 1e-9)
        enough = place < len(stock)
        self.option[rows[enough]] = self._place(option) if enough.any() else NONE
        self.length_m[rows[enough]] = stock[place[enough]]

    def _take_fibre(self) -> None:
        """Take multimode fibre where it reaches for all that are joined by modules, else single-mode, else the best."""
        self.whole[self.option < 0] = False
        offers = self._offers()
        if not offers:
            return
        left = np.flatnonzero(np.logical_or.reduce([offered >= 0 for offered, _ in offers.values()]))
        part = merged(np.arange(len(self.cages.cages), dtype=np.int32), self.ca[left], self.cz[left])
        mine = part[self.ca[left]]
        done = np.zeros(len(part), np.bool_)
        for strict, keys in ((True, list(offers)), (False, list(offers)[::-1])):
            for key in keys:
                offered, reach_m = offers[key]
                bad = (offered[left] < 0) | (strict & (self.wanted[left] > reach_m[left] + 1e-9))
                fails = np.bincount(mine, bad, len(part)) > 0
                chosen = left[~fails[mine] & ~done[mine]]
                for row in np.unique(offered[chosen]).tolist():
                    alike = chosen[offered[chosen] == row]
                    self._take(alike, self.found[row])
                    self.option[alike] = row
                done[part[self.ca[chosen]]] = True

    def _offers(self) -> dict[tuple[str, int], tuple[I4, F8]]:
        """Return option, -1 for none, and reach of each link, by medium and grade of its modules.

        Where a link has no modules of a grade the best that it has stand there.
        """
        alike = [
            (rows[self.option[rows] < 0], options(a, z, bps, False, self.avoid)) for rows, a, z, bps in self._alike
        ]
        fibres = [(rows, [option for option in found if not option.medium.direct]) for rows, found in alike]
        grades = max((option.grade for _, found in fibres for option in found), default=-1) + 1
        offers: dict[tuple[str, int], tuple[I4, F8]] = {}
        for key in [(name, grade) for name in FIBRES for grade in range(grades)]:
            row, reach = np.full(len(self.option), NONE, np.int32), np.zeros(len(self.option))
            for rows, found in fibres:
                own = [option for option in found if option.medium.name == key[0]]
                if own:
                    best = own[min(key[1], len(own) - 1)]
                    row[rows], reach[rows] = self._place(best), best.lengths_m[-1]
            offers[key] = row, reach
        return offers

    def joined(self, route_m: F8) -> tuple[I4, I4, Cables, Bool]:
        """Return cable and leg of each link, the cables, and which of them nothing reaches."""
        rows = np.flatnonzero(self.inside)
        first = np.arange(len(self.option), dtype=np.int64)
        whole = np.flatnonzero(self.whole)
        _, start, place = np.unique(self.ca[whole], return_index=True, return_inverse=True)
        first[whole] = whole[start][place]
        link, of_link, count = np.unique(first[rows], return_inverse=True, return_counts=True)
        cable = np.full(len(first), NONE, np.int32)
        cable[rows] = of_link
        leg = np.ones(len(first), np.int32)
        order = np.argsort(of_link, kind="stable")
        leg[rows[order]] = np.arange(len(rows)) - np.searchsorted(of_link[order], of_link[order]) + 1
        option, length = self.option[link], self.length_m[link]
        watts, usd = self._ends(link, option, length)
        cables = Cables(
            link.astype(np.int32), count.astype(np.int32), self.fabric.links.network[link], option, route_m[link],
            length, watts, usd,
        )  # fmt: skip
        return cable, leg, cables, (option >= 0) & np.isnan(length)

    def _ends(self, link: npt.NDArray[np.int64], option: I4, length_m: F8) -> tuple[F8, F8]:
        """Return power and price of cables with their shares of the modules at both ends."""
        ports = self.fabric.links
        used = used_cages(self.cages, np.concatenate((ports.port_a[self.inside], ports.port_z[self.inside])))
        watts, usd = np.full(len(link), np.nan), np.full(len(link), np.nan)
        for row, chosen in enumerate(self.found):
            mine = np.flatnonzero(option == row)
            share = [
                np.ones(len(mine)) if chosen.medium.direct else 1 / used[cage[link[mine]]]
                for cage in (self.ca, self.cz)
            ]
            watts[mine] = _sum(chosen.a.power_w, chosen.z.power_w, share)
            modules = _sum(chosen.a.usd, chosen.z.usd, share)
            cable = np.nan if chosen.usd is None else chosen.usd + chosen.usd_per_m * length_m[mine]
            usd[mine] = modules + cable
        return watts, usd


def _sum(a: float | None, z: float | None, share: list[F8]) -> F8:
    """Add up what both ends take of their modules; unknown is NaN."""
    return share[0] * (np.nan if a is None else a) + share[1] * (np.nan if z is None else z)
