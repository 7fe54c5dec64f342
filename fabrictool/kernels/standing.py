"""Rates of flows that send, kept up to date as some start and some end: what these do not touch stays.

Max-min rates are found by filling all flows alike until a channel is full, so that below a level everything is as it
was before: the level of a flow that ended, or that at which a channel of one that started would be full. Above it only
flows count that share channels, in a chain, with those that changed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fabrictool.kernels.jit import inner
from fabrictool.kernels.rates import F8, I4, I8, Sharing, fill

#: Part of a level by which others may differ from it and count as equal.
EQUAL = 1e-9
#: Changes at once from which it pays no more to ask what they leave as it is.
MANY = 32


class Ways(NamedTuple):
    """What flows use: offsets of uses, their channels and shares, and the flows' weights; speeds in bytes per s."""

    first: I8
    channel: I4
    share: F8
    weight: F8
    speed: F8


class Standing(NamedTuple):
    """Flows that send.

    Parameters
    ----------
    rate, level : (flows,) float64
        Bytes per s, and that over the weight; a flow that has just started has level infinity.
    begin : (channels + 1,) int64
        Where the uses of each channel stand in ``user``, ``use`` and ``part``: those of flows that send first.
    users : (channels,) int64
        How many these are.
    user, use : (uses,) int64
        Flow and use at each place.
    part : (uses,) float64
        Share of the use at each place.
    place : (uses,) int64
        Place of each use.
    changed : (2 flows,) int64
        Flows that have started or ended since rates were set.
    chosen : (flows,) int64
        Flows whose rates are set anew.
    reached : (channels,) int64
        Channels that these use.
    full, full_at : (channels,) int64
        Channels that are full, and the place of each channel among them, -1 for none.
    mark, seen : (flows,) int64 and (channels,) int64
        The time at which a flow was chosen, and a channel reached, last: as of ``size``.
    slot : (channels,) int64
        -1 between uses.
    room : (channels,) float64
        What flows that keep their rates leave of a channel.
    size : (5,) int64
        How many changed, are chosen, are reached, are full; and how often rates were set.
    """

    rate: F8
    level: F8
    begin: I8
    users: I8
    user: I8
    use: I8
    part: F8
    place: I8
    changed: I8
    chosen: I8
    reached: I8
    full: I8
    full_at: I8
    mark: I8
    seen: I8
    slot: I8
    room: F8
    size: I8


CHANGED, CHOSEN, REACHED, FULL, TIME = 0, 1, 2, 3, 4


@inner
def standing(ways: Ways) -> Standing:
    """Return that no flow sends."""
    flows, channels, uses = len(ways.weight), len(ways.speed), len(ways.channel)
    begin = np.zeros(channels + 1, np.int64)
    for channel in ways.channel:
        begin[channel + 1] += 1
    for channel in range(channels):
        begin[channel + 1] += begin[channel]
    return Standing(
        np.zeros(flows), np.full(flows, np.inf), begin, np.zeros(channels, np.int64), np.empty(uses, np.int64),
        np.empty(uses, np.int64), np.empty(uses), np.empty(uses, np.int64), np.empty(2 * flows, np.int64),
        np.empty(flows, np.int64), np.empty(channels, np.int64), np.empty(channels, np.int64),
        np.full(channels, -1, np.int64), np.zeros(flows, np.int64), np.zeros(channels, np.int64),
        np.full(channels, -1, np.int64), np.empty(channels), np.zeros(5, np.int64),
    )  # fmt: skip


@inner
def join(ways: Ways, now: Standing, flow: int) -> None:
    """Let a flow start."""
    now.level[flow] = np.inf
    now.rate[flow] = 0.0
    now.changed[now.size[CHANGED]] = flow
    now.size[CHANGED] += 1
    for use in range(ways.first[flow], ways.first[flow + 1]):
        channel = ways.channel[use]
        at = now.begin[channel] + now.users[channel]
        now.users[channel] += 1
        now.user[at], now.use[at], now.part[at], now.place[use] = flow, use, ways.share[use], at


@inner
def leave(ways: Ways, now: Standing, flow: int) -> None:
    """Let a flow end."""
    now.rate[flow] = 0.0
    now.changed[now.size[CHANGED]] = flow
    now.size[CHANGED] += 1
    for use in range(ways.first[flow], ways.first[flow + 1]):
        channel, at = ways.channel[use], now.place[use]
        now.users[channel] -= 1
        last = now.begin[channel] + now.users[channel]
        now.user[at], now.use[at], now.part[at] = now.user[last], now.use[last], now.part[last]
        now.place[now.use[at]] = at


@inner
def settle(ways: Ways, now: Standing) -> None:
    """Set the rates of flows that changes touch, and note which channels are full."""
    if now.size[CHANGED] == 0:
        return
    now.size[TIME] += 1
    _choose(ways, now, _least_level(ways, now) * (1 - EQUAL))
    now.size[CHANGED] = 0
    _make_room(ways, now)
    if now.size[CHOSEN] > 0:
        _fill(ways, now)
    _note_full(ways, now)


@inner
def _least_level(ways: Ways, now: Standing) -> float:
    """Return a level below which nothing changes."""
    if now.size[CHANGED] > MANY:
        return 0.0
    least = np.inf
    for flow in now.changed[: now.size[CHANGED]]:
        if now.level[flow] < np.inf:
            least = min(least, now.level[flow])
            continue
        for joined in range(ways.first[flow], ways.first[flow + 1]):
            channel, level, higher = ways.channel[joined], 0.0, True
            while higher:  # the level at which the channel is full if others are held elsewhere as they were
                over, weight = ways.speed[channel], 0.0
                for at in range(now.begin[channel], now.begin[channel] + now.users[channel]):
                    other = now.user[at]
                    part = now.part[at] * ways.weight[other]
                    if now.level[other] < level:
                        over -= part * now.level[other]
                    else:
                        weight += part
                found = max(over, 0.0) / weight
                higher = found > level * (1 + EQUAL)
                level = max(level, found)
            least = min(least, level)
    return least


@inner
def _choose(ways: Ways, now: Standing, least: float) -> None:
    """Find the flows from a level up that share channels, in a chain, with those that changed."""
    time, many, chosen, reached = now.size[TIME], now.size[CHANGED], 0, 0
    for flow in now.changed[:many]:
        if now.level[flow] == np.inf and now.mark[flow] != time:
            now.mark[flow] = time
            now.chosen[chosen] = flow
            chosen += 1
    turn = 0
    while turn < many + chosen:
        flow = now.changed[turn] if turn < many else now.chosen[turn - many]
        turn += 1
        for used in range(ways.first[flow], ways.first[flow + 1]):
            channel = ways.channel[used]
            if now.seen[channel] == time:
                continue
            now.seen[channel] = time
            now.reached[reached] = channel
            reached += 1
            for at in range(now.begin[channel], now.begin[channel] + now.users[channel]):
                other = now.user[at]
                if now.mark[other] != time and now.level[other] >= least:
                    now.mark[other] = time
                    now.chosen[chosen] = other
                    chosen += 1
    now.size[CHOSEN], now.size[REACHED] = chosen, reached


@inner
def _make_room(ways: Ways, now: Standing) -> None:
    """Find what flows that keep their rates leave of the channels reached, and count the chosen ones on each."""
    for channel in now.reached[: now.size[REACHED]]:
        room = ways.speed[channel]
        for at in range(now.begin[channel], now.begin[channel] + now.users[channel]):
            flow = now.user[at]
            if now.mark[flow] == now.size[TIME]:
                now.slot[channel] -= 1
            else:
                room -= now.part[at] * now.rate[flow]
        now.room[channel] = max(room, 0.0)


@inner
def _fill(ways: Ways, now: Standing) -> None:
    """Set the rates of the chosen flows; all others keep theirs."""
    some, slot = now.chosen[: now.size[CHOSEN]], now.slot
    uses, top = 0, 0.0
    for flow in some:
        top = max(top, ways.weight[flow])
        uses += ways.first[flow + 1] - ways.first[flow]
    first, limit = np.zeros(len(some) + 1, np.int64), np.full(len(some), np.inf)
    channel, share = np.empty(uses, np.int32), np.empty(uses)
    room, shared, whole = np.empty(uses), 0, True
    uses = 0
    for row in range(len(some)):
        flow = some[row]
        for use in range(ways.first[flow], ways.first[flow + 1]):
            at, part = ways.channel[use], ways.share[use] * (ways.weight[flow] / top)
            if slot[at] == -2:  # no other chosen flow uses the channel
                limit[row] = min(limit[row], now.room[at] / part)
                continue
            if slot[at] < 0:
                slot[at] = shared
                room[shared] = now.room[at]
                shared += 1
            channel[uses] = slot[at]
            share[uses] = part
            whole = whole and part == 1.0
            uses += 1
        first[row + 1] = uses
    rate = np.full(len(some), np.nan)
    fill(Sharing(first, channel[:uses], share[:uses], whole, limit, np.argsort(limit)), room[:shared], rate)
    for row in range(len(some)):
        flow = some[row]
        now.rate[flow], now.level[flow] = rate[row] * (ways.weight[flow] / top), rate[row] / top


@inner
def _note_full(ways: Ways, now: Standing) -> None:
    """Note which of the channels reached are full."""
    many = now.size[FULL]
    for channel in now.reached[: now.size[REACHED]]:
        now.slot[channel] = -1
        load = 0.0
        for at in range(now.begin[channel], now.begin[channel] + now.users[channel]):
            load += now.part[at] * now.rate[now.user[at]]
        place = now.full_at[channel]
        if load >= ways.speed[channel] * (1 - EQUAL):
            if place < 0:
                now.full_at[channel], now.full[many] = many, channel
                many += 1
        elif place >= 0:
            many -= 1
            last = now.full[many]
            now.full[place], now.full_at[last], now.full_at[channel] = last, place, -1
    now.size[FULL] = many
