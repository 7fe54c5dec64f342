"""A hall's electrical supply as its layout states it: which feeds each rack has, and what stands behind them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, cycle, islice
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import F8, Bool
from fabrictool.power.dealing import dealt_phases, feed_lines, line_v
from fabrictool.power.hanging import Entry, Hanging
from fabrictool.power.machines import NO_MACHINES, Machines
from fabrictool.power.parts import Part, Rows
from fabrictool.power.phasors import balanced_lines, stacked

if TYPE_CHECKING:
    from fabrictool.layout.facility import Supply
    from fabrictool.layout.model import Feed, Hall, Layout

#: What delivers another voltage than it draws.
_CONVERTS = frozenset({"transformer", "rectifier", "shelf", "dc-dc"})
#: Nominal voltages this close, relatively, are one: 230 V to neutral are 398 V, of 400 to 415 V.
SAME_VOLTAGE = 0.06


def rack_feeds(racks: int, feeds: int, each: int | None) -> Bool:
    """Return which feeds each rack has, (racks, feeds): all, or in turn every choice of ``each`` of them."""
    has = np.ones((racks, feeds), dtype=bool)
    if each is None or each >= feeds:
        return has
    choices = islice(cycle(combinations(range(feeds), each)), racks)
    has[:] = False
    has[np.arange(racks)[:, None], np.array(list(choices), dtype=np.int64).reshape(racks, each)] = True
    return has


def balanced_feeds(rack_w: F8, feeds: int, each: int) -> Bool:
    """Return which feeds each rack has, (racks, feeds), if the heaviest racks choose first, those that carry least."""
    has = np.zeros((len(rack_w), feeds), dtype=bool)
    load = np.zeros(feeds)
    for rack in np.argsort(-rack_w, kind="stable").tolist():
        chosen = np.argsort(load, kind="stable")[:each]
        has[rack, chosen] = True
        load[chosen] += rack_w[rack] / each
    return has


def feeds_of_racks(layout: Layout, rack_w: F8) -> Bool:
    """Return which of its hall's feeds each rack of a layout has, (racks, feeds).

    Parameters
    ----------
    rack_w : ndarray, (racks,)
        What each rack draws, in W; NaN counts for nothing.
    """
    hall = layout.hall
    feeds, each = len(hall.feeds or ()) if hall else 0, hall.feeds_per_rack if hall else None
    if layout.placement.feeds == "in-turn" or each is None or each >= feeds:
        return rack_feeds(len(rack_w), feeds, each)
    return balanced_feeds(np.nan_to_num(rack_w), feeds, each)


def parts_of(hall: Hall, position: Rows, power_factor: float) -> tuple[Part, ...]:
    """Return the elements of a hall's supply, from the racks up: each after all that draw from it.

    Parameters
    ----------
    position : ndarray of int64, (rows,)
        The rack that each row of what hangs on the supply is, or stands beside.

    Raises
    ------
    InputError
        If voltages contradict each other, or none is known beside a breaker.
    """
    stated = _upwards(hall.supply or [])
    row_of = {element.name: row for row, element in enumerate(stated)}
    volts = _voltages(stated, hall.feeds or [], hall)
    racks = int(position.max(initial=-1)) + 1
    made = []
    for element in stated:
        which = position // (element.racks or max(racks, 1))
        sources = tuple(row_of[name] for name in element.sources)
        rating = np.inf if element.rating is None else element.rating.real_w(power_factor) * element.count
        made.append(Part(element, which, int(which.max(initial=-1)) + 1, sources, rating, volts[element.name]))
    return tuple(made)


def hanging(
    hall: Hall, has: Bool, share: F8, rack_w: F8, power_factor: float, machines: Machines = NO_MACHINES
) -> Hanging:
    """Return how racks, and after them machines, hang on a hall's supply.

    Parameters
    ----------
    has : ndarray of bool, (racks, feeds)
    share : ndarray, (racks, 3)
        Of the power of each rack on the phases of a three-phase feed.
    rack_w : ndarray, (racks,)
        In W, by which single-phase circuits are dealt to phases.
    machines : Machines, optional
        Cooling, which draws from all lines alike.
    """
    racks, other = len(has), len(machines)
    parts = parts_of(hall, np.concatenate((np.arange(racks), machines.position)), power_factor)
    names = [part.stated.name for part in parts]
    carried = [np.zeros((part.count, 3)) for part in parts] + [np.zeros((1, 3))]
    each_w = rack_w / np.maximum(has.sum(axis=1), 1)
    entries = []
    for row, feed in enumerate(hall.feeds or ()):
        behind = -1 if feed.source is None else names.index(feed.source)
        which = parts[behind].which[:racks] if behind >= 0 else np.zeros(racks, np.int64)
        single = has[:, row] & (feed.phases == 1)
        phase = dealt_phases(each_w, single, which, carried[behind])
        lines = stacked(feed_lines(feed, share, phase), np.zeros((other, 3)))
        entries.append(Entry(behind, np.append(has[:, row], np.zeros(other, bool)), lines))
    motors = stacked(np.zeros((racks, 3)), balanced_lines(np.ones(other)))
    for column, board in enumerate(machines.board):
        on = np.append(np.zeros(racks, bool), machines.has[:, column])
        entries.append(Entry(names.index(board), on, motors))
    return Hanging(parts, tuple(entries), np.append(np.zeros(racks, bool), machines.first))


def _voltages(stated: Sequence[Supply], feeds: Sequence[Feed], hall: Hall) -> dict[str, float]:
    """Return the voltage that each element delivers: stated, else that of what hangs on it; NaN where nothing says.

    Raises
    ------
    InputError
        If something asks for another voltage than an element delivers, or no voltage is known beside a breaker.
    """
    asked = {feed.source: (line_v(feed), f"feed {feed.name}") for feed in reversed(feeds) if feed.source is not None}
    found, problems = {}, []
    for element in stated:
        volts, by = asked.get(element.name, (np.nan, ""))
        own = element.voltage_v
        path = ("hall", "supply", (hall.supply or []).index(element))
        if own is not None and abs(own - volts) > SAME_VOLTAGE * own:
            what = f"{element.name} delivers {own:g} V, but {by} is of {volts:.4g} V"
            problems.append(Problem("", what, "put a transformer between, or give one voltage", (*path, "voltage")))
        found[element.name] = volts = volts if own is None else own
        if element.amps is not None and np.isnan(volts):
            what = f"amps of {element.name} say nothing without the voltage that it delivers"
            problems.append(Problem("", what, "add voltage, from line to line", (*path, "amps")))
        if element.kind not in _CONVERTS and np.isfinite(volts):
            asked |= {name: (volts, element.name) for name in element.sources if name not in asked}
    if problems:
        raise InputError(problems)
    return found


def _upwards(elements: list[Supply]) -> list[Supply]:
    """Order elements so that each comes after all that draw from it."""
    left, ordered = list(elements), []
    while left:
        drawn = {name for element in left for name in element.sources}
        free = [element for element in left if element.name not in drawn]
        ordered += free
        left = [element for element in left if element.name in drawn]
    return ordered
