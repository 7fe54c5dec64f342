"""The kernel that writes the forwarding tables of D-mod-k, switch by switch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.flows import RouteTables
from fabrictool.kernels.jit import inner, kernel
from fabrictool.kernels.tables import NOWHERE

I2 = npt.NDArray[np.int16]
I4 = npt.NDArray[np.int32]


class Seats(NamedTuple):
    """Terminals and switches in the words of forwarding tables.

    Parameters
    ----------
    device : (terminals,) int32
        The device that each terminal is on.
    switch : (switches,) int32
        Device rows, in ascending order of tiers.
    row : (devices,) int32
        Row in the tables of each switch.
    tier : (devices,) int32
    label : (tiers, devices) int32
        Equal labels are joined by switches up to that tier.
    part : (tiers, terminals) int32
        The same of each terminal's device.
    way : (channels + 1,) int32
        Place of each channel among the ways of the switch that sends it; the last is for dead channels.
    rule : (devices,) int32
        Switches with equal rules choose alike; -1 without uplinks.
    choice, cable : (rules, terminals) int16
        Which of a switch's uplinks each terminal's key chooses, and which cable of a bundle that is.
    """

    device: I4
    switch: I4
    row: I4
    tier: I4
    label: I4
    part: I4
    way: I4
    rule: I4
    choice: I2
    cable: I2


@kernel
def modk_table(tables: RouteTables, seats: Seats, faulty: bool, out: I2) -> None:
    """Write the way out of every switch for every terminal.

    Parameters
    ----------
    tables : RouteTables
        Of any lane: the switches are the same.
    seats : Seats
    faulty : bool
        Whether parents must be asked for a way on.
    out : (switches, terminals) int16
        Holds ``HERE`` for live terminals on their switches and ``NOWHERE`` elsewhere; gets the ways.
    """
    low = np.full(len(seats.row), out.shape[1], np.int32)
    high = np.zeros(len(seats.row), np.int32)
    for terminal in range(out.shape[1]):
        low[seats.device[terminal]] = min(low[seats.device[terminal]], terminal)
        high[seats.device[terminal]] = terminal + 1
    for child in seats.switch:
        _write_down(tables, seats, child, low, high, out)
    known = np.full(len(tables.up_channel) + 1, -1, np.int32)
    line = np.empty(out.shape[1], np.int16)
    for place in range(len(seats.switch) - 1, -1, -1):
        if faulty:
            _write_around(tables, seats, seats.switch[place], out)
        else:
            _write_up(tables, seats, seats.switch[place], known, line, out)


@inner
def _write_down(tables: RouteTables, seats: Seats, child: int, low: I4, high: I4, out: I2) -> None:
    """Write into each parent of a switch the way down to the terminals below, by the cable of their keys."""
    first = tables.first_up[child]
    start, end = low[child], high[child]
    below = out[seats.row[child]]
    for choice in range(tables.first_up[child + 1] - first):
        parent = tables.up_parent[first + choice]
        low[parent], high[parent] = min(low[parent], start), max(high[parent], end)
        channel = tables.up_channel[first + choice]
        if channel < 0:
            continue
        way = seats.way[channel ^ 1]
        cable, own = choice // tables.width[child], seats.cable[seats.rule[child]]
        above = out[seats.row[parent]]
        for terminal in range(start, end):
            if own[terminal] == cable and below[terminal] != NOWHERE:
                above[terminal] = way


@inner
def _write_up(tables: RouteTables, seats: Seats, switch: int, known: I4, line: I2, out: I2) -> None:
    """Write the way up from a switch to the terminals that are not below it, where all links are up.

    ``line`` is what the switch before wrote: mostly the same, as ``known`` tells, its rule and ways.
    """
    first = tables.first_up[switch]
    ups = tables.first_up[switch + 1] - first
    if ups == 0:
        return
    same = known[0] == seats.rule[switch]
    known[0] = seats.rule[switch]
    for choice in range(ups):
        way = seats.way[tables.up_channel[first + choice]]
        same &= known[1 + choice] == way
        known[1 + choice] = way
    if not same:
        for terminal in range(len(line)):
            line[terminal] = known[1 + seats.choice[seats.rule[switch], terminal]]
    row, tier = out[seats.row[switch]], seats.tier[switch]
    part, own = seats.part[tier], seats.label[tier, switch]
    for terminal in range(len(line)):
        row[terminal] = row[terminal] if part[terminal] == own else line[terminal]


@inner
def _write_around(tables: RouteTables, seats: Seats, switch: int, out: I2) -> None:
    """Write the way up from a switch to the terminals that are not below it, by parents that lead on."""
    if tables.first_up[switch] == tables.first_up[switch + 1]:
        return
    tier = seats.tier[switch]
    line, chosen = out[seats.row[switch]], seats.choice[seats.rule[switch]]
    part, own = seats.part[tier], seats.label[tier, switch]
    for terminal in range(len(line)):
        if part[terminal] != own:
            line[terminal] = _first_way(tables, seats, switch, terminal, chosen[terminal], out)


@inner
def _first_way(tables: RouteTables, seats: Seats, switch: int, terminal: int, choice: int, out: I2) -> int:
    """Return the way up by the first parent, cyclically from the one chosen, that leads on to a terminal."""
    first, parents = tables.first_up[switch], tables.width[switch]
    base = choice - choice % parents
    for step in range(parents):
        at = first + base + (choice + step - base) % parents
        channel = tables.up_channel[at]
        if channel >= 0 and out[seats.row[tables.up_parent[at]], terminal] != NOWHERE:
            return int(seats.way[channel])
    return NOWHERE
