"""Distances between hosts where switches are no tree: all switches searched at once, one bit a pair."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import I4

Bits = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.integer[Any]]
_CHUNK_BYTES = 1 << 25
_FEW = 4
_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1, dtype=np.uint8)


def pairs_by_links(switches: int, a: I4, z: I4, host: I4, at: I4) -> dict[int, int]:
    """Return the number of ordered pairs of hosts by links on the shortest way through switches.

    Parameters
    ----------
    switches : int
        Number of switches.
    a, z : (links,) int32
        Switches that links join, from 0.
    host, at : (host links,) int32
        Host and its switch. A host with several switches is as near as its nearest.

    Returns
    -------
    dict of int to int
        Pairs that no way joins stand under -1.
    """
    seats, hosts = _seats(host, at)
    total = int(hosts.sum())
    neighbour = _neighbours(switches, a, z)
    reach = np.packbits(np.eye(switches, -(-switches // 64) * 64, dtype=bool), axis=1, bitorder="little")
    found: dict[int, int] = {}
    near, links = total, 2
    while True:
        reached = _pairs_within(reach, seats, hosts, switches)
        if reached > near:
            found[links] = reached - near
        near, links = reached, links + 1
        if near == total * total:
            return found
        wider = _widened(reach, neighbour)
        if np.array_equal(wider, reach):
            return found | {-1: total * total - near}
        reach = wider


def _seats(host: I4, at: I4) -> tuple[Ints, Ints]:
    """Return the different sets of switches that hosts are on, (sets, most switches), and hosts of each.

    A shorter set repeats its first switch.
    """
    pairs = np.unique(host.astype(np.int64) << 32 | at)
    host, at = pairs >> 32, pairs & 0xFFFFFFFF
    rows, first, count = np.unique(host, return_index=True, return_counts=True)
    lane = np.arange(count.max(initial=1))
    place = first[:, None] + np.where(lane < count[:, None], lane, 0)
    if place.shape[1] == 1:
        sets, hosts = np.unique(at[place[:, 0]], return_counts=True)
        return sets[:, None], hosts
    sets, hosts = np.unique(at[place].reshape(len(rows), -1), axis=0, return_counts=True)
    return sets, hosts


def _neighbours(switches: int, a: I4, z: I4) -> Ints:
    """Return the neighbours of each switch, (switches, most neighbours); itself where it has fewer."""
    both = np.concatenate((a.astype(np.int64) << 32 | z, z.astype(np.int64) << 32 | a))
    pairs = np.unique(both)
    here, there = pairs >> 32, pairs & 0xFFFFFFFF
    first = np.searchsorted(here, np.arange(switches))
    place = np.arange(len(here)) - first[here]
    found = np.repeat(np.arange(switches)[:, None], int(place.max(initial=0)) + 1, axis=1)
    found[here, place] = there
    return found


def _widened(reach: Bits, neighbour: Ints) -> Bits:
    """Return what is reached by one link more."""
    words = reach.view(np.uint64)
    wider = words.copy()
    for column in neighbour.T:
        wider |= words[column]
    return wider.view(np.uint8)


def _pairs_within(reach: Bits, seats: Ints, hosts: Ints, switches: int) -> int:
    """Return the ordered pairs of hosts, each with itself too, of which a switch of one reaches one of the other."""
    if seats.shape[1] == 1 and len(np.unique(hosts)) <= _FEW:
        return _pairs_of_few_sizes(reach, seats[:, 0], hosts, switches)
    total = 0
    weight = hosts.astype(np.float64)  # exact below 2^53, and many times faster than whole numbers
    step = max(1, _CHUNK_BYTES // (8 * len(seats) + switches))
    for low in range(0, len(seats), step):
        part = seats[low : low + step]
        bits = np.bitwise_or.reduce(reach[part], axis=1)
        reached = np.unpackbits(bits, axis=1, count=switches, bitorder="little")
        met = reached[:, seats[:, 0]]
        for lane in seats.T[1:]:
            met |= reached[:, lane]
        total += round(float((met.astype(np.float64) @ weight) @ weight[low : low + step]))
    return total


def _pairs_of_few_sizes(reach: Bits, seats: Ints, hosts: Ints, switches: int) -> int:
    """Return the same where hosts have one switch each: bits counted for each two numbers of hosts on a switch."""
    total = 0
    for size in np.unique(hosts).tolist():
        members = np.zeros(-(-switches // 64) * 64, bool)
        members[seats[hosts == size]] = True
        met = reach[seats] & np.packbits(members, bitorder="little")
        total += size * int(_ONES[met].sum(axis=1, dtype=np.int64) @ hosts)
    return total
