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
    key, device : (terminals,) int32
        Routing key of each terminal, and the device that it is on.
    switch : (switches,) int32
        Device rows, in ascending order of tiers.
    row : (devices,) int32
        Row in the tables of each switch.
    tier : (devices,) int32
    label : (tiers, devices) int32
        Equal labels are joined by switches up to that tier.
    way : (channels + 1,) int32
        Place of each channel among the ways of the switch that sends it; the last is for dead channels.
    """

    key: I4
    device: I4
    switch: I4
    row: I4
    tier: I4
    label: I4
    way: I4


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
    for place in range(len(seats.switch) - 1, -1, -1):
        _write_up(tables, seats, seats.switch[place], faulty, out)


@inner
def _write_down(tables: RouteTables, seats: Seats, child: int, low: I4, high: I4, out: I2) -> None:
    """Write into each parent of a switch the way down to the terminals below, by the cable of their keys."""
    first = tables.first_up[child]
    ups = tables.first_up[child + 1] - first
    stride = tables.stride[seats.tier[child] - 1]
    for choice in range(ups):
        parent = tables.up_parent[first + choice]
        low[parent], high[parent] = min(low[parent], low[child]), max(high[parent], high[child])
        channel = tables.up_channel[first + choice]
        if channel < 0:
            continue
        way = seats.way[channel ^ 1]
        cable = choice // tables.width[child]
        for terminal in range(low[child], high[child]):
            own = seats.key[terminal] // stride % ups // tables.width[child]
            if own == cable and out[seats.row[child], terminal] != NOWHERE:
                out[seats.row[parent], terminal] = way


@inner
def _write_up(tables: RouteTables, seats: Seats, switch: int, faulty: bool, out: I2) -> None:
    """Write the way up from a switch to the terminals that are not below it."""
    first = tables.first_up[switch]
    ups = tables.first_up[switch + 1] - first
    if ups == 0:
        return
    row, tier, parents = seats.row[switch], seats.tier[switch], tables.width[switch]
    stride = tables.stride[tier - 1]
    own = seats.label[tier, switch]
    for terminal in range(out.shape[1]):
        if seats.label[tier, seats.device[terminal]] == own:
            continue
        choice = seats.key[terminal] // stride % ups
        base = choice - choice % parents
        for step in range(parents if faulty else 1):
            at = first + base + (choice + step - base) % parents
            channel = tables.up_channel[at]
            if channel >= 0 and (not faulty or out[seats.row[tables.up_parent[at]], terminal] != NOWHERE):
                out[row, terminal] = seats.way[channel]
                break
