"""The kernel that spreads all-to-all over all minimal ways, pod by pod."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.goals import FAR
from fabrictool.kernels.jit import inner, kernel
from fabrictool.kernels.minimal import Spread, blank, push, turn

I4 = npt.NDArray[np.int32]
F8 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


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
    onward = blank(spread)
    amount, carried = np.zeros(switches), np.zeros(len(spread.to))
    near, held, before, low = np.zeros(switches, np.bool_), np.zeros(switches), -1, 0
    while low < len(seat):
        high = _alike(spread, low, near)
        for lap in range(low - 1, high):  # once for all goals of the run together, then once for each
            goal = max(lap, low)
            reached = turn(spread, goal, before, onward)
            before, times = goal, members[low:high].sum()
            volume = 1.0
            if lap >= low:
                _count_pairs(spread, goal, seat, members, sent, received, hops)
                times, volume = 1.0, members[goal]
                amount[:] = held * volume
            _put_all(seat, members, near, lap >= low, volume, amount)
            push(spread, goal, onward, reached, amount, carried, times, near, lap < low)
            if lap < low:
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
