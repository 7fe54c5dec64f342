"""The kernel of hash-based routing: each flow takes one of the minimal ways at every hop."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.goals import FAR
from fabrictool.kernels.jit import inner, kernel

I4 = npt.NDArray[np.int32]
I8 = npt.NDArray[np.int64]
U1 = npt.NDArray[np.uint8]


class Choices(NamedTuple):
    """What flows choose among.

    Parameters
    ----------
    first, channel, to : int32
        The ways out of switches, as of ``routing.wiring.Ways``.
    hops : (goals, switches) uint8
        Links to the nearest switch of each goal, ``FAR`` where there is no way.
    goal : (endpoints,) int32
        Goal that each endpoint belongs to.
    seat, up : (endpoints, lanes) int32
        Switch and channel of each port of an endpoint, in order of ports; -1 where it is down.
    tier : (switches,) int32
        Row of hash words that a switch chooses by; hosts choose by row 0.
    """

    first: I4
    channel: I4
    to: I4
    hops: U1
    goal: I4
    seat: I4
    up: I4
    tier: I4


@kernel
def hashed_paths(
    choices: Choices, source: I4, target: I4, word: I8, modulo: tuple[bool, bool], paths: I4, length: I4
) -> None:
    """Write the path of each flow.

    Parameters
    ----------
    choices : Choices
    source, target : (flows,) int32
        Endpoints.
    word : (tiers, flows) int64
        Hash of each flow at each tier, 32 bits.
    modulo : tuple of bool
        Whether hosts, and whether switches, take the hash modulo the number of ways; else its product
        with that number is cut to the high half.
    paths : (flows, most) int32
        Gets the channels.
    length : (flows,) int32
        Gets the number of channels, -1 where there is no way.
    """
    room = np.empty(len(choices.to) + 1, np.int32)
    for flow in range(len(source)):
        hops = choices.hops[choices.goal[target[flow]]]
        lane = _port(choices, hops, source[flow], word[0, flow], modulo[0])
        length[flow] = -1
        if lane < 0:
            continue
        switch = choices.seat[source[flow], lane]
        paths[flow, 0] = choices.up[source[flow], lane]
        count = 1
        while hops[switch] > 0:
            way = _way(choices, hops, switch, word[choices.tier[switch], flow], modulo[1], room)
            paths[flow, count] = choices.channel[way]
            switch = choices.to[way]
            count += 1
        last = _last(choices, target[flow], switch, word[choices.tier[switch], flow], modulo[1])
        paths[flow, count] = choices.up[target[flow], last] ^ 1
        length[flow] = count + 1


@inner
def _choice(word: int, count: int, modulo: bool) -> int:
    """Return which of some ways a hash stands for."""
    if count == 1:
        return 0
    return int(word % count if modulo else word * count >> 32)


@inner
def _port(choices: Choices, hops: U1, source: int, word: int, modulo: bool) -> int:
    """Return the lane that a flow leaves its source by: one of the live ones nearest to the goal, -1 if none."""
    nearest, count = FAR, 0
    for lane in range(choices.seat.shape[1]):
        seat = choices.seat[source, lane]
        if seat >= 0 and hops[seat] < nearest:
            nearest, count = int(hops[seat]), 1
        elif seat >= 0 and nearest < FAR and hops[seat] == nearest:
            count += 1
    if count == 0:
        return -1
    skip = _choice(word, count, modulo)
    for lane in range(choices.seat.shape[1]):
        seat = choices.seat[source, lane]
        if seat >= 0 and hops[seat] == nearest:
            if skip == 0:
                return lane
            skip -= 1
    return -1


@inner
def _way(choices: Choices, hops: U1, switch: int, word: int, modulo: bool, room: I4) -> int:
    """Return the way that a flow takes out of a switch, one of the minimal ones; ``room`` gets these."""
    nearer, count = int(hops[switch]) - 1, 0
    for way in range(choices.first[switch], choices.first[switch + 1]):
        room[count] = way
        count += int(hops[choices.to[way]]) == nearer
    return int(room[_choice(word, count, modulo)])


@inner
def _last(choices: Choices, target: int, switch: int, word: int, modulo: bool) -> int:
    """Return the lane of a target that a flow arrives by, one of those on a switch."""
    count = 0
    for lane in range(choices.seat.shape[1]):
        count += choices.seat[target, lane] == switch
    skip = _choice(word, count, modulo)
    for lane in range(choices.seat.shape[1]):
        if choices.seat[target, lane] == switch:
            if skip == 0:
                return lane
            skip -= 1
    return -1
