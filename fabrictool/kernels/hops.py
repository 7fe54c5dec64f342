"""The kernel that measures distances from many switches at once: one bit a source, 512 sources a pass."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.jit import inner, kernel

I4 = npt.NDArray[np.int32]
U1 = npt.NDArray[np.uint8]
U8 = npt.NDArray[np.uint64]

#: Words of 64 sources that are searched together: so few that all switches' words stay in cache.
WORDS = 8
#: Stands for no way.
FAR = 255


@kernel
def switch_hops(first: I4, to: I4, source: I4, hops: U1) -> int:
    """Write the links on the shortest way between every switch and some of them.

    Parameters
    ----------
    first : (switches + 1,) int32
        Offsets into ``to``.
    to : (ways,) int32
        Switch that each way leads to; every way has its way back.
    source : (sources,) int32
        Switches.
    hops : (switches, sources) uint8
        All 0; gets the numbers of links, ``FAR`` where there is no way.

    Returns
    -------
    int
        The most links on a shortest way; from ``FAR`` on, the numbers written are wrong.
    """
    farthest = 0
    for low in range(0, len(source), 64 * WORDS):
        some = source[low : low + 64 * WORDS]
        reach = np.zeros((len(first) - 1, (len(some) + 63) // 64), np.uint64)
        for place in range(len(some)):
            reach[some[place], place // 64] |= np.uint64(1) << np.uint64(place % 64)
        farthest = max(farthest, _search(first, to, reach, hops[:, low : low + len(some)]))
    return farthest


@inner
def _search(first: I4, to: I4, reach: U8, hops: U1) -> int:
    """Search from some switches at once, link by link; return how many links it took."""
    front, fresh = reach.copy(), np.empty_like(reach)
    links = -1
    going = True
    while going:
        links += 1
        going = False
        for switch in range(len(reach)):
            _gather(first, to, switch, front, fresh)
        _count(reach, hops)
        for switch in range(len(reach)):
            for word in range(reach.shape[1]):
                fresh[switch, word] &= ~reach[switch, word]
                reach[switch, word] |= fresh[switch, word]
                going |= fresh[switch, word] != 0
        front, fresh = fresh, front
    for switch in range(len(reach)):
        for place in range(hops.shape[1]):
            if not reach[switch, place // 64] >> np.uint64(place % 64) & np.uint64(1):
                hops[switch, place] = FAR
    return links


@inner
def _gather(first: I4, to: I4, switch: int, front: U8, fresh: U8) -> None:
    """Write what has just reached any neighbour of a switch."""
    fresh[switch] = 0
    for way in range(first[switch], first[switch + 1]):
        for word in range(front.shape[1]):
            fresh[switch, word] |= front[to[way], word]


@inner
def _count(reach: U8, hops: U1) -> None:
    """Add a link to all that is not reached yet."""
    for switch in range(len(reach)):
        for word in range(reach.shape[1]):
            left = ~reach[switch, word]
            if left == 0:
                continue
            line = hops[switch, 64 * word : 64 * word + 64]
            for place in range(len(line)):
                line[place] += np.uint8(left >> np.uint64(place) & np.uint64(1))
