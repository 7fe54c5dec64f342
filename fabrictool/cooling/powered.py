"""Cooling that hangs on a hall's supply, and what gets too warm once an element takes its power away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.cooling.air_units import fans_w
from fabrictool.cooling.loop_states import loop_state
from fabrictool.cooling.racks import RackCooling
from fabrictool.fabric.tables import F8, Bool
from fabrictool.power.machines import NO_MACHINES, Group, Machines, default_boards, machines_of
from fabrictool.power.parts import Rows
from fabrictool.records import Assumption

if TYPE_CHECKING:
    from fabrictool.cooling.at_work import CoolingAtWork
    from fabrictool.cooling.year import HallYear
    from fabrictool.layout.model import Hall, Layout


@dataclass(frozen=True)
class PoweredCooling:
    """CDUs, air handlers and the plant of a hall as machines on its supply.

    Parameters
    ----------
    cooling : RackCooling
    machines : Machines
    loop, group : ndarray of int64, (machines,)
        Loop of a CDU and group of an air handler, -1 for others; a machine of neither is the plant.
    assumptions : tuple of Assumption
    """

    cooling: RackCooling
    machines: Machines
    loop: Rows
    group: Rows
    assumptions: tuple[Assumption, ...] = ()

    def at_work_w(self, work: CoolingAtWork, year: HallYear | None) -> F8:
        """Return what each machine draws at work, (machines,) in W.

        CDUs and air handlers draw their part of what all of them do, the plant the mean of its year at that load.
        """
        most = self.cooling.loops.normal.pumps_w
        pumps = np.divide(work.pumps_w, most, out=np.ones(len(most)), where=most > 0)
        fans_w = self.cooling.room.normal.fans_w
        fans = work.fans_w / fans_w if fans_w > 0 else 1.0
        part = np.where(self.loop >= 0, np.append(pumps, 1.0)[self.loop], np.where(self.group >= 0, fans, 1.0))
        power_w = self.machines.power_w * part
        plant = (self.loop < 0) & (self.group < 0)
        return power_w if year is None else np.where(plant, year.plant_w.mean(), power_w)

    def without(self, stopped: Rows) -> Warmth:
        """Return what gets too warm once machines stop for good; the heat of racks without power counts on.

        A loop stops where all its CDUs do, or where its coolant gets warmer than its devices stand, or, where nobody
        says what that is, than it is to be.
        """
        loops, room = self.cooling.loops, self.cooling.room
        design = loops.design
        gone = np.bincount(self.loop[stopped][self.loop[stopped] >= 0], minlength=len(loops))
        count = np.where(np.isnan(design.count), 1, design.count)
        running = np.maximum(count - gone, 0)
        state = loop_state(loops.serving, design, np.where(np.isnan(design.count) & (gone == 0), np.nan, running))
        stand = np.where(np.isfinite(loops.most_c), loops.most_c, design.supply_c)
        hot = (gone > 0) & (design.heat_w > 0) & ((running == 0) | (state.supply_c > stand + 1e-6))
        there = np.array([float(group.count) for group in room.units])
        out = np.bincount(self.group[stopped][self.group[stopped] >= 0], minlength=len(there))
        inlet_c = room.with_running(np.maximum(there - out, 0)).racks_c if out.any() else room.normal.racks_c
        plant = bool(((self.loop[stopped] < 0) & (self.group[stopped] < 0)).any())
        return Warmth(gone, hot, state.supply_c, out, inlet_c, plant)

    def devices(self, stopped: Rows) -> Bool:
        """Say which devices stop once machines have for good, (devices,): those on hot loops, and in air too warm."""
        cooling, warm = self.cooling, self.without(stopped)
        if warm.plant:
            return np.asarray(cooling.device_rack >= 0)
        lost = cooling.too_warm(warm.inlet_c) if warm.handlers.any() else np.zeros(len(cooling.device_rack), bool)
        on = np.append(cooling.loops.serving.rack, -1)[cooling.device_rack]
        return np.asarray(lost | (cooling.wet & np.append(warm.hot, False)[on]))


@dataclass(frozen=True)
class Warmth:
    """A hall without some machines.

    Parameters
    ----------
    cdus : ndarray of int64, (loops,)
        CDUs that stopped.
    hot : ndarray of bool, (loops,)
        Loops that do not hold what their devices stand.
    supply_c : ndarray, (loops,)
        Coolant in the end; inf without pumps.
    handlers : ndarray of int64, (groups,)
        Air handlers that stopped.
    inlet_c : ndarray, (racks,)
        Air before racks in the end; inf where nothing blows.
    plant : bool
        Whether the plant stopped.
    """

    cdus: Rows
    hot: Bool
    supply_c: F8
    handlers: Rows
    inlet_c: F8
    plant: bool


def powered_cooling(layout: Layout, cooling: RackCooling) -> PoweredCooling:
    """Return the cooling of a layout's hall as machines on its supply; none where no supply is stated."""
    hall = layout.hall
    none = np.zeros(0, np.int64)
    if hall is None or not hall.supply or not len(cooling.rack):
        return PoweredCooling(cooling, NO_MACHINES, none, none)
    found = [*_cdus(cooling), *_handlers(cooling), *_plant(hall, cooling)]
    machines = machines_of(hall, [group for group, _, _ in found])
    count = [len(group.name) for group, _, _ in found]
    loop = np.repeat(np.array([row for _, row, _ in found], np.int64), count)
    room = np.repeat(np.array([row for _, _, row in found], np.int64), count)
    return PoweredCooling(cooling, machines, loop, room, tuple(_assumed(hall, found)))


#: A group of machines with its loop and its row among groups of air handlers, -1 for none.
_Found = tuple[Group, int, int]


def _cdus(cooling: RackCooling) -> Iterator[_Found]:
    """Yield the CDUs of each loop that carries heat, each beside one of its racks."""
    loops = cooling.loops
    serves = loops.serving
    for row, name in enumerate(serves.name):
        count = 1 if np.isnan(loops.design.count[row]) else int(loops.design.count[row])
        racks = np.flatnonzero((serves.rack == row) | (serves.door == row))
        pumps_w = float(loops.normal.pumps_w[row])
        if len(racks) and pumps_w > 0 and loops.design.heat_w[row] > 0:
            beside = racks[np.arange(count) * len(racks) // count]
            names = [f"{name}-cdu{number + 1}" for number in range(count)]
            yield Group(serves.stated[int(serves.stated_row[row])], names, pumps_w / count, beside), row, -1


def _handlers(cooling: RackCooling) -> Iterator[_Found]:
    """Yield each group of air handlers, spread along the racks."""
    racks = len(cooling.rack)
    for row, group in enumerate(cooling.room.units):
        beside = np.arange(group.count) * racks // group.count
        yield Group(group, [f"{group.name}-{n + 1}" for n in range(group.count)], fans_w(group), beside), -1, row


def _plant(hall: Hall, cooling: RackCooling) -> Iterator[_Found]:
    """Yield the plant at the most that it draws in an hour, where it says what it hangs on."""
    if hall.plant is not None and hall.plant.sources and cooling.year is not None:
        most_w = float(np.max(cooling.year.year.plant_w))
        yield Group(hall.plant, ["plant"], most_w, np.zeros(1, np.int64)), -1, -1


def _assumed(hall: Hall, found: list[_Found]) -> Iterator[Assumption]:
    boards = default_boards(hall)
    bare = [group.name[0].rpartition("-")[0] for group, _, _ in found if not group.stated.sources]
    if bare and boards:
        shown = ", ".join(dict.fromkeys(bare[:4])) + (f" and {len(bare) - 4} more" if len(bare) > 4 else "")
        value = f"like racks, from {' and '.join(boards)}, live ones evenly"
        yield Assumption(f"electricity of {shown}", value, "as fed from both sides; give 'from'")
    if hall.plant is not None and not hall.plant.sources:
        yield Assumption("electricity of the plant", "not on the hall's supply", "boards of its own; give 'from'")
