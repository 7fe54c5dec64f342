"""The kernel of max-min fair rates: fill all flows alike until a channel is full, settle its flows, go on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.jit import inner, kernel

I4 = npt.NDArray[np.int32]
I8 = npt.NDArray[np.int64]
F8 = npt.NDArray[np.float64]

#: Columns of what is known of a channel: the speed that settled flows leave over, in bit/s; the sum of the
#: shares of the others; and how often these use it. Side by side, as they are read and written together.
OVER, WEIGHT, USES = 0, 1, 2
#: Part by which a level from differences of fractions may be off.
NEAR = 1e-6


class Sharing(NamedTuple):
    """Flows on channels that they share with others.

    Parameters
    ----------
    first : (flows + 1,) int64
        Offsets.
    channel : (uses,) int32
    share : (uses,) float64
        A flow at rate r takes share * r of the channel; all above 0.
    whole : bool
        Whether all shares are 1: then sums and differences of them are exact.
    limit_bps : (flows,) float64
        The fastest that each flow may be, for channels that it has to itself.
    order : (flows,) int64
        Flows by rising limit.
    """

    first: I8
    channel: I4
    share: F8
    whole: bool
    limit_bps: F8
    order: I8


class Users(NamedTuple):
    """The flows of each channel: offsets, flows, and their shares unless all are 1."""

    first: I8
    flow: I8
    share: F8


@kernel
def fair_rates(flows: Sharing, speed_bps: F8, rate_bps: F8) -> None:
    """Write the max-min fair rate of each flow: see ``fill``."""
    fill(flows, speed_bps, rate_bps)


@inner
def fill(flows: Sharing, speed_bps: F8, rate_bps: F8) -> None:
    """Write the max-min fair rate of each flow.

    Channels are taken in the order of the rate at which they are full. That rate only grows as other
    flows settle, so it is looked at again when the channel's turn comes, not each time that it changes.

    Parameters
    ----------
    flows : Sharing
    speed_bps : (channels,) float64
    rate_bps : (flows,) float64
        Holds NaN, gets the rates; infinity for a flow without channels and limit.
    """
    room = np.zeros((len(speed_bps), 3))
    users = _users(flows, room)
    room[:, OVER] = speed_bps
    level, queue = speed_bps / room[:, WEIGHT], np.arange(len(room))
    size, turn = len(queue), 0
    _heap(level, queue)
    while size > 0 or turn < len(rate_bps):
        until = turn
        while until < len(rate_bps) and (size == 0 or flows.limit_bps[flows.order[until]] <= level[0]):
            until += 1
        _settle(flows, flows.order[turn:until], np.inf, rate_bps, room)
        turn = until
        if size == 0:
            continue
        at, full = queue[0], level[0]
        if room[at, USES] > 0:
            full = max(room[at, OVER], 0.0) / room[at, WEIGHT]
            if not flows.whole and full <= level[0] * (1 + NEAR):
                full = _level(flows, users, at, speed_bps[at], rate_bps)
            if full <= level[0]:
                _settle(flows, users.flow[users.first[at] : users.first[at + 1]], level[0], rate_bps, room)
        if full > level[0]:  # not full yet: it goes back
            level[0] = full
        else:
            size -= 1
            level[0], queue[0] = level[size], queue[size]
        _sink(level, queue, 0, size)


@inner
def _heap(level: F8, queue: I8) -> None:
    for at in range(len(queue) // 2 - 1, -1, -1):
        _sink(level, queue, at, len(queue))


@inner
def _users(flows: Sharing, room: F8) -> Users:
    """Count the uses of each channel, and list them by channel."""
    for use in range(len(flows.channel)):
        room[flows.channel[use], WEIGHT] += flows.share[use]
        room[flows.channel[use], USES] += 1.0
    first = np.zeros(len(room) + 1, np.int64)
    for at in range(len(room)):
        first[at + 1] = first[at] + np.int64(room[at, USES])
    place = first[:-1].copy()
    user = np.empty(len(flows.channel), np.int64)
    part = np.empty(0 if flows.whole else len(user))
    for flow in range(len(flows.first) - 1):
        for use in range(flows.first[flow], flows.first[flow + 1]):
            at = flows.channel[use]
            user[place[at]] = flow
            if not flows.whole:
                part[place[at]] = flows.share[use]
            place[at] += 1
    return Users(first, user, part)


@inner
def _settle(flows: Sharing, some: I8, most_bps: float, rate_bps: F8, room: F8) -> None:
    """Give flows that have no rate yet the most that they may have, and take them off their channels."""
    for flow in some:
        if not np.isnan(rate_bps[flow]):
            continue
        rate = min(most_bps, flows.limit_bps[flow])
        rate_bps[flow] = rate
        for use in range(flows.first[flow], flows.first[flow + 1]):
            at = flows.channel[use]
            room[at, OVER] -= flows.share[use] * rate
            room[at, WEIGHT] -= flows.share[use]
            room[at, USES] -= 1.0


@inner
def _level(flows: Sharing, users: Users, at: int, speed: float, rate_bps: F8) -> float:
    """Return the rate at which a channel is full, of fractions summed afresh: their differences lose digits."""
    over, weight = speed, 0.0
    for use in range(users.first[at], users.first[at + 1]):
        rate = rate_bps[users.flow[use]]
        if np.isnan(rate):
            weight += users.share[use]
        else:
            over -= users.share[use] * rate
    return max(over, 0.0) / weight


@inner
def _sink(level: F8, queue: I8, at: int, size: int) -> None:
    """Move an entry of a heap of levels down to its place."""
    value, channel = level[at], queue[at]
    child = 2 * at + 1
    while child < size:
        if child + 1 < size and level[child + 1] < level[child]:
            child += 1
        if level[child] >= value:
            break
        level[at], queue[at] = level[child], queue[child]
        at, child = child, 2 * child + 1
    level[at], queue[at] = value, channel
