"""The kernel that measures how far switches are from goals, many goals at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.jit import inner, kernel

I4 = npt.NDArray[np.int32]
I8 = npt.NDArray[np.int64]
U1 = npt.NDArray[np.uint8]

#: Links to a goal that cannot be reached.
FAR = 255
#: Goals searched at once, one a bit: the sign bit is left alone.
_BITS = 62


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
