"""Kernels that find flows which cannot differ: alike themselves, on channels that are alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.jit import inner, kernel
from fabrictool.kernels.rates import F8, I4, I8

U8 = npt.NDArray[np.uint64]
Bool = npt.NDArray[np.bool_]

#: Largest difference of sums of shares that counts as none.
ALIKE = 1e-9


@inner
def _mixed(word: np.uint64) -> np.uint64:
    """Spread a 64-bit word over all bits (the finalizer of SplitMix64)."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@kernel
def fingerprints(first: I8, channel: I4, share: U8, flow: U8, of_channel: U8, rounds: int) -> None:
    """Refine fingerprints of flows and channels by those of what they meet, some times.

    Parameters
    ----------
    first : (flows + 1,) int64
    channel : (uses,) int32
    share : (uses,) uint64
        The bits of each share.
    flow : (flows,) uint64
        Of what is known of flows themselves; is written.
    of_channel : (channels,) uint64
        Likewise.
    rounds : int
    """
    for _ in range(rounds):
        met = np.zeros(len(of_channel), np.uint64)
        for row in range(len(flow)):
            for use in range(first[row], first[row + 1]):
                met[channel[use]] += _mixed(flow[row] ^ share[use])
        for at in range(len(of_channel)):
            of_channel[at] = _mixed(of_channel[at] * np.uint64(3) + met[at])
        for row in range(len(flow)):
            seen = np.uint64(0)
            for use in range(first[row], first[row + 1]):
                seen += _mixed(of_channel[channel[use]] ^ share[use])
            flow[row] = _mixed(flow[row] * np.uint64(3) + seen)


@kernel
def numbered(word: U8, most: int, number: I4) -> int:
    """Number equal words alike, in the order in which they come first.

    Returns
    -------
    int
        How many differ, or -1 if more than ``most``.
    """
    size = 16
    while size < 4 * most:
        size *= 2
    table, mask = np.full(size, -1, np.int32), np.uint64(size - 1)
    known = np.empty(most, np.uint64)
    count = 0
    for row in range(len(word)):
        at = word[row] & mask
        while table[at] >= 0 and known[table[at]] != word[row]:
            at = (at + np.uint64(1)) & mask
        if table[at] < 0:
            if count == most:
                return -1
            known[count] = word[row]
            table[at] = count
            count += 1
        number[row] = table[at]
    return count


@kernel
def are_alike(
    first: I8, channel: I4, share: F8, flow: I4, of_channel: I4, sums: F8, used: npt.NDArray[np.bool_]
) -> bool:
    """Return whether flows and channels of one number meet the same: then all flows of a number fare alike.

    Parameters
    ----------
    first : (flows + 1,) int64
    channel : (uses,) int32
    share : (uses,) float64
    flow, of_channel : (flows,), (channels,) int32
        Their numbers.
    sums : (channel numbers, flow numbers) float64
        Holds 0; gets the shares of the flows of a number on a channel of a number, summed.
    used : (flow numbers, channel numbers) bool
        Holds False; gets the channel numbers that a flow of a number uses.
    """
    uses = np.zeros(len(of_channel) + 1, np.int64)
    for use in range(len(channel)):
        uses[channel[use] + 1] += 1
    for at in range(len(of_channel)):
        uses[at + 1] += uses[at]
    place, user = uses[:-1].copy(), np.empty(len(channel), np.int32)
    part = np.empty(len(channel))
    seen = np.full(len(sums), -1, np.int64)
    kinds = np.full(len(used), -1, np.int64)
    for row in range(len(flow)):
        mine, new = 0, kinds[flow[row]] < 0
        for use in range(first[row], first[row + 1]):
            at = channel[use]
            user[place[at]], part[place[at]] = flow[row], share[use]
            place[at] += 1
            if seen[of_channel[at]] == row:
                continue
            seen[of_channel[at]] = row
            mine += 1
            if new:
                used[flow[row], of_channel[at]] = True
            elif not used[flow[row], of_channel[at]]:
                return False
        if new:
            kinds[flow[row]] = mine
        elif kinds[flow[row]] != mine:
            return False
    return _same_sums(uses, user, part, of_channel, sums)


@inner
def _same_sums(uses: I8, user: I4, part: F8, of_channel: I4, sums: F8) -> bool:
    """Write the sums of shares by number, and return whether they are the same on all channels of a number."""
    whole, total = np.full(len(sums), -1.0), np.zeros(sums.shape[1])
    for at in range(len(of_channel)):
        mine, carried = of_channel[at], 0.0
        for use in range(uses[at], uses[at + 1]):
            total[user[use]] += part[use]
            carried += part[use]
        if whole[mine] < 0:
            whole[mine] = carried
            for use in range(uses[at], uses[at + 1]):
                sums[mine, user[use]] = total[user[use]]
        if abs(whole[mine] - carried) > ALIKE * (1 + carried):
            return False
        for use in range(uses[at], uses[at + 1]):
            if abs(sums[mine, user[use]] - total[user[use]]) > ALIKE * (1 + carried):
                return False
        for use in range(uses[at], uses[at + 1]):
            total[user[use]] = 0.0
    return True
