"""Kernels that spread traffic over all minimal ways, destination by destination."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.jit import inner, kernel

I2 = npt.NDArray[np.int16]
I4 = npt.NDArray[np.int32]
I8 = npt.NDArray[np.int64]
U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

#: Links to a goal that cannot be reached.
FAR = 255
#: Goals searched at once, one a bit: the sign bit is left alone.
_BITS = 62


class Spread(NamedTuple):
    """Minimal ways to goals, and what each way out of a switch weighs.

    A goal is a set of switches: where traffic leaves for a destination. A way out of a switch is minimal
    if it leads one hop nearer to the goal.

    Parameters
    ----------
    first, channel, to : int32
        The ways out of switches, as of ``routing.wiring.Ways``.
    rank : (ways,) int16
        How many of the steps a way's speed reaches.
    step : (steps,) float64
        Differences of speed from one class of links to the next faster one; none where all minimal ways
        out of a switch weigh the same. Else a way weighs the sum, over all minimal paths that begin with
        it, of the speed of the slowest link.
    hops : (goals, switches) uint8
        Links to the nearest switch of each goal, ``FAR`` where there is no way.
    stop : (goals, stops) int32
        The switches of each goal, each named once; -1 after the last.
    cables : (goals, stops, steps) float64
        Links from each of these switches on to the destination that reach a step.
    """

    first: I4
    channel: I4
    to: I4
    rank: I2
    step: F8
    hops: U1
    stop: I4
    cables: F8


class Rows(NamedTuple):
    """Traffic to goals, in ascending order of goals.

    Parameters
    ----------
    goal : (rows,) int32
    seat : (rows, lanes) int32
        Switches that the sender's ports lead to, -1 for none.
    rank : (rows, lanes) int16
        Steps that the speeds of the ports reach.
    volume : (rows,) float64
    """

    goal: I4
    seat: I4
    rank: I2
    volume: F8


@kernel
def goal_hops(first: I4, to: I4, stop: I4, hops: U1) -> None:
    """Write how many links every switch is from every goal, 62 goals at a time, one a bit.

    Parameters
    ----------
    first, to : int32
        The ways out of switches, as of ``routing.wiring.Ways``.
    stop : (goals, stops) int32
        Switches of each goal, -1 for none.
    hops : (goals, switches) uint8
        Holds ``FAR``; gets the links to the nearest of them.
    """
    switches = len(first) - 1
    for low in range(0, len(stop), _BITS):
        front = np.zeros(switches, np.int64)
        for goal in range(low, min(low + _BITS, len(stop))):
            for switch in stop[goal]:
                if switch >= 0:
                    front[switch] |= 1 << (goal - low)
                    hops[goal, switch] = 0
        seen = front.copy()
        level = 0
        while front.any() and level < FAR - 1:
            level += 1
            front = _step_out(first, to, front, seen)
            _note(front, low, level, hops)


@inner
def _step_out(first: I4, to: I4, front: I8, seen: I8) -> I8:
    """Return what is new at each switch one hop on, and add it to what was seen."""
    found = np.zeros_like(front)
    every = 0
    for word in front:
        every |= word
    for switch in range(len(front)):
        missing = every & ~seen[switch]
        if missing == 0:
            continue
        word = 0
        for way in range(first[switch], first[switch + 1]):
            word |= front[to[way]]
        found[switch] = word & missing
    for switch in range(len(front)):
        seen[switch] |= found[switch]
    return found


@inner
def _note(front: I8, low: int, level: int, hops: U1) -> None:
    """Write the level for each bit that is set."""
    for switch in range(len(front)):
        word = front[switch]
        goal = low
        while word != 0:
            if word & 1:
                hops[goal, switch] = level
            word >>= 1
            goal += 1


class Onward(NamedTuple):
    """The minimal ways out of each switch for the goal at hand, kept as long as distances around it stay the same.

    Goals that follow each other are mostly neighbours, and most switches are equally far from both.

    Parameters
    ----------
    way : (ways,) int32
        From the first way of each switch on: those that are minimal.
    many : (switches,) int32
        How many they are; -1 where that must be looked up.
    order : (switches,) int32
        Switches from which the goal can be reached, the nearest first.
    paths : (switches, steps) float64
        Minimal paths from each switch whose links all reach a step of speed.
    weight : (ways,) float64
        What each minimal way weighs, scaled to a sum of 1 for each switch, in the places of ``way``.
    """

    way: I4
    many: I4
    order: I4
    paths: F8
    weight: F8


@kernel
def spread_loads(spread: Spread, rows: Rows, load: F8, leaving: F8, arriving: F8) -> None:
    """Add the load between switches of traffic spread over all minimal ways, all rows of a goal together.

    Parameters
    ----------
    spread : Spread
    rows : Rows
    load : (channels,) float64
        Gets the volume on channels between switches.
    leaving : (rows, lanes) float64
        Gets the part of each row that leaves by each port of its sender; none where there is no way.
    arriving : (rows, stops) float64
        Gets the part of each row that arrives at each switch of its goal.
    """
    switches, stops = len(spread.first) - 1, spread.stop.shape[1]
    onward = _blank(spread)
    amount = np.zeros(switches)
    arrival = np.zeros((switches, stops))
    near = np.zeros(switches, np.bool_)
    carried = np.zeros(len(spread.to))  # by way and not by channel: what a switch sends stands together
    row, reached = 0, 0
    while row < len(rows.goal):
        goal = rows.goal[row]
        reached = _turn(spread, goal, rows.goal[row - 1] if row else -1, onward)
        if stops > 1:
            _follow_back(spread, goal, onward, reached, arrival)
        while row < len(rows.goal) and rows.goal[row] == goal:
            _depart(spread, rows, row, onward.paths, leaving)
            _set_out(rows, row, leaving, amount, arrival, arriving)
            row += 1
        _push(spread, goal, onward, reached, amount, carried, 1.0, near, False)
    for way in range(len(carried)):
        load[spread.channel[way]] += carried[way]


@inner
def _push(
    spread: Spread,
    goal: int,
    onward: Onward,
    reached: int,
    amount: F8,
    carried: F8,
    times: float,
    near: Bool,
    keep: bool,
) -> None:
    """Pass on what switches hold, so many times, from the farthest to the goal; those that are near may keep theirs."""
    for place in range(reached - 1, -1, -1):
        switch = onward.order[place]
        held = amount[switch]
        if held > 0.0 and not (keep and near[switch]):
            amount[switch] = 0.0
            first, many = spread.first[switch], onward.many[switch]
            if many < 0:
                many = _minimal(spread, goal, switch, onward)
            for at in range(first, first + many):
                way = onward.way[at]
                volume = held * onward.weight[at]
                carried[way] += volume * times
                amount[spread.to[way]] += volume


@kernel
def spread_all(spread: Spread, seat: I4, members: F8, load: F8, sent: F8, received: F8, hops: F8) -> None:
    """Add the load between switches when every member of every goal sends 1 to every other, equally split per hop.

    Goals that follow each other, such as the leaves of a pod, are equally far from most switches. What those
    switches pass on is pushed once for all such goals, up to the switches around them.

    Parameters
    ----------
    spread : Spread
        Without steps, each goal one switch.
    seat : (goals,) int32
        The switch of each goal, -1 for none.
    members : (goals,) float64
        Endpoints that send and receive.
    load : (channels,) float64
        Gets the volume on channels between switches.
    sent, received : (goals,) float64
        Get what each member of a goal sends and receives.
    hops : (lengths,) float64
        Gets ordered pairs by links between switches, one place on; first those without a way.
    """
    switches = len(spread.first) - 1
    onward = _blank(spread)
    amount, carried = np.zeros(switches), np.zeros(len(spread.to))
    near, held, before, low = np.zeros(switches, np.bool_), np.zeros(switches), -1, 0
    while low < len(seat):
        high = _alike(spread, low, near)
        for turn in range(low - 1, high):  # once for all goals of the run together, then once for each
            goal = max(turn, low)
            reached = _turn(spread, goal, before, onward)
            before, times = goal, members[low:high].sum()
            volume = 1.0
            if turn >= low:
                _count_pairs(spread, goal, seat, members, sent, received, hops)
                times, volume = 1.0, members[goal]
                amount[:] = held * volume
            _put_all(seat, members, near, turn >= low, volume, amount)
            _push(spread, goal, onward, reached, amount, carried, times, near, turn < low)
            if turn < low:
                held[:] = amount
        amount[:] = 0.0
        low = high
    for way in range(len(carried)):
        load[spread.channel[way]] += carried[way]


@inner
def _put_all(seat: I4, members: F8, near: Bool, where: bool, times: float, amount: F8) -> None:
    """Put what the members of all goals send on their switches, of those alone that are near, or are not."""
    for goal in range(len(seat)):
        if seat[goal] >= 0 and near[seat[goal]] == where:
            amount[seat[goal]] += members[goal] * times


@inner
def _alike(spread: Spread, low: int, near: Bool) -> int:
    """Mark the switches that a run of goals is not equally far from, and those beside them; return its end."""
    switches = len(near)
    most = 4 + switches // 128  # few enough that the leaves of a pod are together, but not two pods
    near[:] = False
    high = low + 1
    while high < len(spread.hops) and np.count_nonzero(spread.hops[high] != spread.hops[low]) <= most:
        near |= spread.hops[high] != spread.hops[low]
        high += 1
    apart = near.copy()
    for switch in range(switches):
        if apart[switch]:
            for way in range(spread.first[switch], spread.first[switch + 1]):
                near[spread.to[way]] = True
    return high


@inner
def _count_pairs(spread: Spread, goal: int, seat: I4, members: F8, sent: F8, received: F8, hops: F8) -> None:
    """Count what the members of all goals send to those of one."""
    for other in range(len(seat)):
        links = int(spread.hops[goal, seat[other]]) if seat[other] >= 0 else FAR
        own = 1.0 if other == goal else 0.0
        if links < FAR:
            sent[other] += members[goal] - own
            received[goal] += members[other] - own
        hops[links + 1 if links < FAR else 0] += members[other] * (members[goal] - own)


@inner
def _blank(spread: Spread) -> Onward:
    """Return room for the minimal ways to a goal."""
    switches, ways = len(spread.first) - 1, len(spread.to)
    return Onward(
        np.empty(ways, np.int32),
        np.full(switches, -1, np.int32),
        np.empty(switches, np.int32),
        np.zeros((switches, len(spread.step))),
        np.empty(ways),
    )


@inner
def _turn(spread: Spread, goal: int, before: int, onward: Onward) -> int:
    """Turn to a goal from the one before, -1 for none; return from how many switches it can be reached."""
    hops, many = spread.hops[goal], onward.many
    if before < 0 or len(spread.step):
        many[:] = -1
    else:
        for switch in range(len(many)):
            if hops[switch] != spread.hops[before, switch]:
                many[switch] = -1
                for way in range(spread.first[switch], spread.first[switch + 1]):
                    many[spread.to[way]] = -1
    reached = _by_hops(hops, onward.order)
    if len(spread.step):
        _count_paths(spread, goal, onward, reached)
    return reached


@inner
def _by_hops(hops: U1, order: I4) -> int:
    """Write the switches from which a goal can be reached, the nearest first; return how many."""
    start = np.zeros(FAR + 2, np.int64)
    for switch in range(len(hops)):
        start[int(hops[switch]) + 1] += 1
    for level in range(FAR + 1):
        start[level + 1] += start[level]
    reached = start[FAR]
    for switch in range(len(hops)):
        if hops[switch] < FAR:
            order[start[hops[switch]]] = switch
            start[hops[switch]] += 1
    return int(reached)


@inner
def _minimal(spread: Spread, goal: int, switch: int, onward: Onward) -> int:
    """Look up the minimal ways out of a switch and what they weigh; return how many."""
    first = spread.first[switch]
    found, nearer = first, int(spread.hops[goal, switch]) - 1
    for way in range(first, spread.first[switch + 1]):
        if int(spread.hops[goal, spread.to[way]]) == nearer:
            onward.way[found] = way
            found += 1
    total = 0.0
    for at in range(first, found):
        way = onward.way[at]
        onward.weight[at] = _weight(spread, onward.paths, spread.to[way], spread.rank[way])
        total += onward.weight[at]
    for at in range(first, found):
        onward.weight[at] /= total
    onward.many[switch] = found - first
    return int(found - first)


@inner
def _count_paths(spread: Spread, goal: int, onward: Onward, reached: int) -> None:
    """Write the number of minimal paths from each switch whose links all reach a step."""
    paths = onward.paths
    paths[:] = 0.0
    for place in range(spread.stop.shape[1]):
        if spread.stop[goal, place] >= 0:
            paths[spread.stop[goal, place]] = spread.cables[goal, place]
    for place in range(reached):
        switch = onward.order[place]
        first, many = spread.first[switch], onward.many[switch]
        if many < 0:
            many = _minimal(spread, goal, switch, onward)
        for at in range(first, first + many):
            way = onward.way[at]
            for step in range(spread.rank[way]):
                paths[switch, step] += paths[spread.to[way], step]


@inner
def _weight(spread: Spread, paths: F8, switch: int, rank: int) -> float:
    """Return what a way of some rank to a switch weighs."""
    if len(spread.step) == 0:
        return 1.0
    total = 0.0
    for step in range(rank):
        total += spread.step[step] * paths[switch, step]
    return total


@inner
def _follow_back(spread: Spread, goal: int, onward: Onward, reached: int, arrival: F8) -> None:
    """Write which part of what starts at each switch arrives at each switch of a goal."""
    arrival[:] = 0.0
    for place in range(spread.stop.shape[1]):
        if spread.stop[goal, place] >= 0:
            arrival[spread.stop[goal, place], place] = 1.0
    for place in range(reached):
        switch = onward.order[place]
        first, many = spread.first[switch], onward.many[switch]
        if many < 0:
            many = _minimal(spread, goal, switch, onward)
        for at in range(first, first + many):
            there = spread.to[onward.way[at]]
            for stop in range(spread.stop.shape[1]):
                arrival[switch, stop] += onward.weight[at] * arrival[there, stop]


@inner
def _depart(spread: Spread, rows: Rows, row: int, paths: F8, leaving: F8) -> None:
    """Write the part of a row that leaves by each port of its sender: those that lie on minimal ways."""
    hops = spread.hops[rows.goal[row]]
    nearest = FAR
    for lane in range(rows.seat.shape[1]):
        if rows.seat[row, lane] >= 0:
            nearest = min(nearest, int(hops[rows.seat[row, lane]]))
    total = 0.0
    for lane in range(rows.seat.shape[1]):
        seat = rows.seat[row, lane]
        leaving[row, lane] = 0.0
        if seat >= 0 and hops[seat] == nearest and nearest < FAR:
            leaving[row, lane] = _weight(spread, paths, seat, rows.rank[row, lane])
            total += leaving[row, lane]
    if total > 0.0:
        for lane in range(rows.seat.shape[1]):
            leaving[row, lane] /= total


@inner
def _set_out(rows: Rows, row: int, leaving: F8, amount: F8, arrival: F8, arriving: F8) -> None:
    """Put a row on the switches that its sender's ports lead to, and write where it will arrive."""
    arriving[row] = 0.0
    for lane in range(rows.seat.shape[1]):
        part = leaving[row, lane]
        if part > 0.0:
            seat = rows.seat[row, lane]
            amount[seat] += part * rows.volume[row]
            if arriving.shape[1] == 1:
                arriving[row, 0] += part
            else:
                for stop in range(arriving.shape[1]):
                    arriving[row, stop] += part * arrival[seat, stop]


@kernel
def spread_usage(spread: Spread, rows: Rows, count: I8, channel: I4, share: F8, leaving: F8, arriving: F8) -> None:
    """Write the channels between switches that each row uses, nearest to the sender first.

    Parameters
    ----------
    spread : Spread
    rows : Rows
    count : (rows,) int64
        Gets the number of channels.
    channel, share : (uses,) int32 and float64
        Get them and the part of the row's volume on each; empty to count alone.
    leaving, arriving : (rows, lanes) and (rows, stops) float64
        As of ``spread_loads``.
    """
    switches = len(spread.first) - 1
    onward = _blank(spread)
    amount = np.zeros(switches)
    now, then = np.empty(switches, np.int32), np.empty(switches, np.int32)
    at = 0
    for row in range(len(rows.goal)):
        goal, before = rows.goal[row], rows.goal[row - 1] if row else -1
        if goal != before:
            _turn(spread, goal, before, onward)
        _depart(spread, rows, row, onward.paths, leaving)
        active = _begin(rows, row, leaving, amount, now)
        start = at
        while active and spread.hops[goal, now[0]] > 0:
            active, at = _next_layer(spread, goal, onward, now[:active], then, amount, channel, share, at)
            now, then = then, now
        count[row] = at - start
        for place in range(spread.stop.shape[1]):
            stop = spread.stop[goal, place]
            arriving[row, place] = amount[stop] if stop >= 0 else 0.0
        for place in range(active):
            amount[now[place]] = 0.0


@inner
def _begin(rows: Rows, row: int, leaving: F8, amount: F8, now: I4) -> int:
    """Put a whole row on the switches where it starts; write them, and return how many."""
    active = 0
    for lane in range(rows.seat.shape[1]):
        if leaving[row, lane] > 0.0:
            seat = rows.seat[row, lane]
            if amount[seat] == 0.0:
                now[active] = seat
                active += 1
            amount[seat] += leaving[row, lane]
    return active


@inner
def _next_layer(
    spread: Spread, goal: int, onward: Onward, now: I4, then: I4, amount: F8, channel: I4, share: F8, at: int
) -> tuple[int, int]:
    """Move a layer of switches one hop on, writing uses from place ``at``; return how many follow, and the place."""
    active = 0
    for switch in now:
        held = amount[switch]
        amount[switch] = 0.0
        first, many = spread.first[switch], onward.many[switch]
        if many < 0:
            many = _minimal(spread, goal, switch, onward)
        for place in range(first, first + many):
            way = onward.way[place]
            there, part = spread.to[way], held * onward.weight[place]
            if amount[there] == 0.0:
                then[active] = there
                active += 1
            amount[there] += part
            if len(channel):
                channel[at], share[at] = spread.channel[way], part
            at += 1
    return active, at
