"""The choice of a medium for every link, and which links share a cable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fabrictool.cabling.cages import CagePlan, used_cages
from fabrictool.cabling.choice import FIBRES, Ending, Option, as_splitter, lanes_of, options, splitters
from fabrictool.cabling.locked import Pins, kept_options
from fabrictool.cabling.media import PLUG_LANES
from fabrictool.cabling.sharing import ALONE, Sharing, assemblies, fibres
from fabrictool.fabric.grouping import grouped, parts
from fabrictool.fabric.parts import merged
from fabrictool.fabric.tables import F8, I4, Bool, Fabric

I8 = npt.NDArray[np.int64]
NONE = -1


class Choice:
    """Options of links as they are taken: direct assemblies first, then fibres for what is left.

    Parameters
    ----------
    fabric : Fabric
    cages : CagePlan
    inside : ndarray of bool, (links,)
        Which links take a cable.
    wanted : ndarray, (links,)
        Length that each needs, in m.
    avoid : frozenset of str
        Media that are not used.
    pins : Pins, optional
        Cables that a lock keeps; after the choice those of them that still fit.
    """

    def __init__(
        self, fabric: Fabric, cages: CagePlan, inside: Bool, wanted: F8, avoid: frozenset[str], pins: Pins | None = None
    ) -> None:
        self.avoid, self.pins = avoid, pins
        self.fabric, self.cages, self.inside = fabric, cages, inside
        links = fabric.links
        self.ca, self.cz = cages.of_port[links.port_a], cages.of_port[links.port_z]
        self.found: list[Option] = []
        self.option = np.full(len(wanted), NONE, np.int32)
        self.length_m = np.full(len(wanted), np.nan)
        self.lanes = np.zeros(len(wanted), np.int32)
        self.shared = assemblies(fabric, cages, inside)
        if self.pins is not None:
            self._keep(wanted, self.pins)
        self.wanted = _of_groups(wanted, self.shared.group)
        self._alike = self._classes()
        single = (cages.cages.ports[self.ca] == 1) & (cages.cages.ports[self.cz] == 1)
        self._take_direct((self.shared.group >= 0) | single)
        self.shared = self.shared.dropped(self.option < 0)
        self.wanted = wanted
        self._take_fibre()
        self._share_fibres()
        if self.pins is not None:
            self.shared = Sharing(self.pins.together(self.shared.group), self.shared.split)

    def _keep(self, wanted: F8, pins: Pins) -> None:
        """Take the cables that a lock keeps; what is in their cages takes no assembly that fills one."""
        shared, self.shared = self.shared, self.shared.dropped(self.inside)
        alike = [(part, _offers_of(a, z, bps), bps) for part, a, z, bps, _ in self._classes()]
        self.pins, found, self.length_m = kept_options(pins, alike, wanted, pins.splits(self.ca, self.cz))
        for rows, option in found:
            self.option[rows] = self._place(option) if len(rows) else NONE
        kept = self.pins.row >= 0
        filled = np.zeros(len(self.cages.cages), np.bool_)
        filled[self.ca[kept]] = filled[self.cz[kept]] = True
        beside = np.isin(shared.group, shared.group[filled[self.ca] | filled[self.cz]])
        self.shared = shared.dropped(beside)

    def _classes(self) -> list[tuple[I8, Ending, Ending, float, int]]:
        """Group links whose ends, speeds and splits are alike."""
        kind, ports = self.cages.cages.kind, self.cages.cages.ports
        speed = np.round(self.fabric.links.speed_bps / 1e6).astype(np.int64)
        here = np.flatnonzero(self.inside)
        ca, cz = self.ca[here], self.cz[here]
        rows, place = grouped(kind[ca], ports[ca], kind[cz], ports[cz], speed[here], self.shared.split[here])
        found = []
        for part, row in zip((here[alike] for alike in parts(place, len(rows))), rows, strict=True):
            a, z = Ending(self.cages.kinds[row[0]], row[1]), Ending(self.cages.kinds[row[2]], row[3])
            found.append((part, a, z, row[4] * 1e6, row[5]))
            self.lanes[part] = lanes_of(a, z, row[4] * 1e6)
        return found

    def _place(self, option: Option) -> int:
        if option not in self.found:
            self.found.append(option)
        return self.found.index(option)

    def _take_direct(self, may: Bool) -> None:
        """Take the first assembly with ends of its own that reaches."""
        for part, a, z, speed_bps, split in self._alike:
            offered = splitters(a, z, speed_bps, split, self.avoid) if split else ()
            for option in offered or options(a, z, speed_bps, not split, self.avoid):
                if option.medium.direct:
                    rows = part[may[part] | (option.medium.connector == "RJ45")]
                    self._take(rows[self.option[rows] < 0], option)

    def _take(self, rows: I8, option: Option) -> None:
        """Give links an option where a length in stock is enough."""
        stock = np.array(option.lengths_m)
        place = np.searchsorted(stock, self.wanted[rows] - 1e-9)
        enough = place < len(stock)
        self.option[rows[enough]] = self._place(option) if enough.any() else NONE
        self.length_m[rows[enough]] = stock[place[enough]]

    def _take_fibre(self) -> None:
        """Take multimode fibre where it reaches for all that are joined by modules, else single-mode, else the best."""
        offers = self._offers()
        if not offers:
            return
        left = np.flatnonzero(np.logical_or.reduce([offered >= 0 for offered, _ in offers.values()]))
        part = merged(np.arange(len(self.cages.cages), dtype=np.int32), self.ca[left], self.cz[left])
        mine = part[self.ca[left]]
        done, anywhere = np.zeros(len(part), np.bool_), np.ones(len(part), np.bool_)
        passes = [*((True, key, anywhere) for key in offers), *((False, key, anywhere) for key in [*offers][::-1])]
        for strict, key, within in [*self._as_kept(offers, part), *passes]:
            offered, reach_m = offers[key]
            bad = (offered[left] < 0) | (strict & (self.wanted[left] > reach_m[left] + 1e-9))
            fails = (np.bincount(mine, bad, len(part)) > 0) | ~within
            chosen = left[~fails[mine] & ~done[mine]]
            for row in np.unique(offered[chosen]).tolist():
                alike = chosen[offered[chosen] == row]
                self._take(alike, self.found[row])
                self.option[alike] = row
            done[part[self.ca[chosen]]] = True

    def _as_kept(
        self, offers: Mapping[tuple[str, int], object], part: npt.NDArray[np.integer]
    ) -> list[tuple[bool, tuple[str, int], Bool]]:
        """Return media and grades of kept fibres, and the parts of cages that they are in, (cages,)."""
        kept = np.flatnonzero(self.pins.row >= 0) if self.pins is not None else np.zeros(0, np.int64)
        found = []
        for key in offers:
            alike = [row for row, option in enumerate(self.found) if (option.medium.name, option.grade) == key]
            mine = kept[np.isin(self.option[kept], alike)]
            within = np.zeros(len(part), np.bool_)
            within[part[self.ca[mine]]] = within[part[self.cz[mine]]] = True
            if within.any():
                found.append((False, key, within))
        return found

    def _offers(self) -> dict[tuple[str, int], tuple[I4, F8]]:
        """Return option, -1 for none, and reach of each link, by medium and grade of its modules.

        Where a link has no modules of a grade the best that it has stand there.
        """
        alike = [
            (rows[self.option[rows] < 0], options(a, z, bps, False, self.avoid)) for rows, a, z, bps, _ in self._alike
        ]
        fibre = [(rows, [option for option in found if not option.medium.direct]) for rows, found in alike]
        grades = max((option.grade for _, found in fibre for option in found), default=-1) + 1
        offers: dict[tuple[str, int], tuple[I4, F8]] = {}
        for key in [(name, grade) for name in FIBRES for grade in range(grades)]:
            row, reach = np.full(len(self.option), NONE, np.int32), np.zeros(len(self.option))
            for rows, found in fibre:
                own = [option for option in found if option.medium.name == key[0]]
                if own:
                    best = own[min(key[1], len(own) - 1)]
                    row[rows], reach[rows] = self._place(best), best.lengths_m[-1]
            offers[key] = row, reach
        return offers

    def _share_fibres(self) -> None:
        """Let links that are narrower than a connector share it, where their lengths allow."""
        fibre = np.array([not option.medium.direct for option in self.found] + [False])[self.option]
        new = fibre if self.pins is None else fibre & (self.pins.row < 0)
        found = fibres(self.fabric, self.cages, np.flatnonzero(new), PLUG_LANES, self.lanes)
        length = _of_groups(self.length_m, found.group)
        rows = np.flatnonzero((found.group >= 0) & ~np.isnan(length))
        kinds, place = grouped(self.option[rows], np.abs(found.split[rows]))
        for (row, legs), part in zip(kinds, parts(place, len(kinds)), strict=True):
            if legs:
                self.option[rows[part]] = self._place(as_splitter(self.found[row], legs))
        self.length_m = length
        joined = np.where(found.group >= 0, found.group + self.shared.group.max(initial=ALONE) + 1, self.shared.group)
        self.shared = Sharing(joined, np.where(found.group >= 0, found.split, self.shared.split).astype(np.int32))

    def joined(self, route_m: F8) -> tuple[I4, I4, dict[str, Any]]:
        """Return cable and leg of each link, and the columns of the cables."""
        rows = np.flatnonzero(self.inside)
        first = np.arange(len(self.option), dtype=np.int64)
        together = np.flatnonzero(self.shared.group >= 0)
        _, start, place = np.unique(self.shared.group[together], return_index=True, return_inverse=True)
        first[together] = together[start][place]
        link, of_link, count = np.unique(first[rows], return_inverse=True, return_counts=True)
        cable = np.full(len(first), NONE, np.int32)
        cable[rows] = of_link
        leg = np.ones(len(first), np.int32)
        order = np.argsort(of_link, kind="stable")
        leg[rows[order]] = np.arange(len(rows)) - np.searchsorted(of_link[order], of_link[order]) + 1
        option, length = self.option[link], self.length_m[link]
        watts, usd = self._ends(rows, of_link, option, length)
        return cable, leg, {
            "link": link.astype(np.int32), "links": count.astype(np.int32),
            "network": self.fabric.links.network[link], "option": option,
            "route_m": _of_groups(route_m, self.shared.group)[link], "length_m": length, "optics_w": watts, "usd": usd,
        }  # fmt: skip

    def _ends(self, rows: I8, cable: I8, option: I4, length_m: F8) -> tuple[F8, F8]:
        """Return power and price of cables with their shares of the modules at both ends.

        What is in a cage is shared evenly by its links; an end of a splitter is an end for itself.
        """
        ports = self.fabric.links
        used = used_cages(self.cages, np.concatenate((ports.port_a[self.inside], ports.port_z[self.inside])))
        shares: list[F8] = [
            np.bincount(cable, 1 / used[cage[rows]], len(option)).astype(np.float64) for cage in (self.ca, self.cz)
        ]
        watts, usd = np.full(len(option), np.nan), np.full(len(option), np.nan)
        for row, chosen in enumerate(self.found):
            mine = np.flatnonzero(option == row)
            share = [np.ones(len(mine)) if chosen.medium.connector == "RJ45" else part[mine] for part in shares]
            watts[mine] = _sum(chosen.a.power_w, chosen.z.power_w, share)
            modules = _sum(chosen.a.usd, chosen.z.usd, share)
            own = np.nan if chosen.usd is None else chosen.usd + chosen.usd_per_m * length_m[mine]
            usd[mine] = modules + own
        return watts, usd


def _offers_of(a: Ending, z: Ending, bps: float) -> Callable[[int], tuple[Option, ...]]:
    """Return what gives all that may join two ends, by the split of the cable."""

    def offered(split: int) -> tuple[Option, ...]:
        apart = options(a, z, bps, False)
        if not split:
            return (*options(a, z, bps, True), *apart)
        fibre = (as_splitter(option, abs(split)) for option in apart if not option.medium.direct)
        return (*splitters(a, z, bps, split), *fibre)

    return offered


def _of_groups(values: F8, group: I8) -> F8:
    """Return the largest value of each link's group, NaN if one of them is; alone its own."""
    together = np.flatnonzero(group >= 0)
    if not len(together):
        return values
    distinct, place = np.unique(group[together], return_inverse=True)
    most = np.full(len(distinct), -np.inf)
    np.maximum.at(most, place, values[together])
    found = values.copy()
    found[together] = most[place]
    return found


def _sum(a: float | None, z: float | None, share: list[F8]) -> F8:
    """Add up what both ends take of their modules; unknown is NaN."""
    return share[0] * (np.nan if a is None else a) + share[1] * (np.nan if z is None else z)
