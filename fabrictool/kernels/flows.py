"""Kernels that follow flows through a fabric, channel by channel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.jit import inner, kernel

I4 = npt.NDArray[np.int32]
I8 = npt.NDArray[np.int64]
F8 = npt.NDArray[np.float64]

#: A path has at most this many channels: four levels up and down, and both ends.
MAX_PATH = 16
#: Flows whose paths are held together: as many as stay in a processor's nearest memory.
BLOCK = 512


class RouteTables(NamedTuple):
    """Destination-based up/down routing of one network, for ranks.

    Channel 2 i is link i upwards, 2 i + 1 the same link downwards; scale-up channels follow. The
    channel of a link that is down is -1, in its place.

    Parameters
    ----------
    leaf, port_channel, key, domain, scale_up : (ranks,) int32
        Leaf of each rank (-1: it has no port here), its upward channel there, its routing key, its
        scale-up domain, and its first scale-up channel (-1 without one: the out direction; in is the next).
    own_device, own_channel : (ranks, levels) int32
        Devices that the rank's own key leads to, leaf first, and the upward channel out of each; -1
        above the top.
    first_up : (devices + 1,) int32
        Offsets into ``up_channel`` and ``up_parent``: the channels out of each device upwards,
        cable by cable over all parents, and the device that each leads to.
    width : (devices,) int32
        Number of parents of each device.
    stride : (levels,) int64
        Choice of a device at level l is ``key // stride[l] % ups``.
    """

    leaf: I4
    port_channel: I4
    key: I4
    domain: I4
    scale_up: I4
    own_device: I4
    own_channel: I4
    first_up: I4
    up_channel: I4
    up_parent: I4
    width: I4
    stride: I8


@inner
def write_paths(tables: RouteTables, source: I4, target: I4, paths: I4, length: I4) -> None:
    """Write the channels from ranks to others, and how many each path has, -1 if there is no way.

    Kernels take flows by blocks through here, and call ``straight_climb`` and ``detour`` from their own loops: a
    function between that is called flow by flow would count references to all tables each time.

    Parameters
    ----------
    tables : RouteTables
    source, target : (flows,) int32
    paths : (flows, MAX_PATH) int32
    length : (flows,) int32
    """
    domain, scale_up, port, leaf = tables.domain, tables.scale_up, tables.port_channel, tables.leaf
    for flow in range(len(source)):
        one, other, path = source[flow], target[flow], paths[flow]
        if domain[one] == domain[other] and scale_up[one] >= 0:
            path[0] = scale_up[one]
            path[1] = scale_up[other] + 1
            length[flow] = 2
            continue
        length[flow] = -1
        path[0] = port[one]
        if path[0] < 0 or port[other] < 0:
            continue
        count = straight_climb(tables, leaf[one], other, path, 1)
        if count < 0:
            count = detour(tables, leaf[one], other, path, 1)
        if count >= 0:
            path[count] = port[other] ^ 1
            length[flow] = count + 1


@inner
def straight_climb(tables: RouteTables, leaf: int, target: int, path: I4, count: int) -> int:
    """Write the way that the target's key alone chooses; return the next place, -1 where a link of it is down.

    Apart from ``detour``, which is seldom needed and whose arrays cost time even where it is not.
    """
    device = leaf
    level = 0
    levels = tables.own_device.shape[1]
    while device != tables.own_device[target, level]:
        first = tables.first_up[device]
        ups = tables.first_up[device + 1] - first
        if ups == 0 or level + 1 == levels:
            return -1
        choice = first + tables.key[target] // tables.stride[level] % ups
        path[count] = tables.up_channel[choice]
        if path[count] < 0:
            return -1
        device = tables.up_parent[choice]
        level += 1
        count += 1
    while level > 0:
        level -= 1
        path[count] = tables.own_channel[target, level] ^ 1
        if path[count] < 0:
            return -1
        count += 1
    return count


@inner
def detour(tables: RouteTables, leaf: int, target: int, path: I4, count: int) -> int:
    """Write the way around links that are down: at each level the next parent cyclically that leads on.

    Both ends climb by the same choices until they meet, so a parent whose cable down to the target is
    dead is passed over as well.
    """
    here = np.empty(MAX_PATH, np.int32)
    there = np.empty(MAX_PATH, np.int32)
    tried = np.zeros(MAX_PATH, np.int32)
    up = np.empty(MAX_PATH, np.int32)
    down = np.empty(MAX_PATH, np.int32)
    here[0], there[0] = leaf, tables.leaf[target]
    level = 0
    while level >= 0 and here[level] != there[level]:
        first, last = tables.first_up[here[level]], tables.first_up[here[level] + 1]
        parents = tables.width[here[level]]
        if level + 1 == len(tables.stride) or first == last or tried[level] == parents:
            level -= 1
            continue
        choice = tables.key[target] // tables.stride[level] % (last - first)
        choice += (choice % parents + tried[level]) % parents - choice % parents
        tried[level] += 1
        other = tables.first_up[there[level]] + choice
        if first + choice >= last or other >= tables.first_up[there[level] + 1]:
            continue
        up[level], down[level] = tables.up_channel[first + choice], tables.up_channel[other]
        if up[level] >= 0 and down[level] >= 0:
            here[level + 1], there[level + 1] = tables.up_parent[first + choice], tables.up_parent[other]
            level += 1
            tried[level] = 0
    for step in range(level):
        path[count + step] = up[step]
        path[count + 2 * level - 1 - step] = down[step] ^ 1
    return count + 2 * level if level >= 0 else -1


class Scratch(NamedTuple):
    """What a kernel writes on while it counts: all of ``load`` zero and of ``owner`` -1, before and after.

    Parameters
    ----------
    load, own : (channels,) float64
        Of all flows, and of those of one sender.
    owner : (channels,) int32
        The sender that ``own`` is of.
    touched : (channels,) int32
    """

    load: F8
    own: F8
    owner: I4
    touched: I4


@kernel
def round_cost(
    tables: RouteTables,
    source: I4,
    target: I4,
    sender: I4,
    share: F8,
    seconds: F8,
    latency: F8,
    scratch: Scratch,
) -> tuple[float, int, float, int, float]:
    """Cost of flows that start together, as the slowest channel and the longest latency.

    Parameters
    ----------
    tables : RouteTables
    source, target : (flows,) int32
        Ranks.
    sender : (flows,) int32
        A number of the source from 0; flows of one sender stand together.
    share : (flows,) float64
        Bytes of each flow for one byte of the collective.
    seconds : (channels,) float64
        Seconds a byte takes on each channel; 0 for channels that never limit.
    latency : (channels,) float64
        In s, of the channel and of the device that it leads to.
    scratch : Scratch

    Returns
    -------
    tuple
        Seconds per byte of the slowest channel, that channel (-1: none), the longest path latency
        in s, the first flow without a path (-1: all have one), and seconds per byte of the slowest
        channel if each sender were alone.
    """
    load, own, owner, touched = scratch
    paths, length = np.empty((BLOCK, MAX_PATH), np.int32), np.empty(BLOCK, np.int32)
    slowest, channel, longest, lost, marks, alone = 0.0, -1, 0.0, -1, 0, 0.0
    for flow in range(len(source)):
        row = flow % BLOCK
        if row == 0:
            write_paths(tables, source[flow : flow + BLOCK], target[flow : flow + BLOCK], paths, length)
        if length[row] < 0:
            lost = flow
            break
        total = 0.0
        for step in range(length[row]):
            at = paths[row, step]
            if load[at] == 0.0:
                touched[marks] = at
                marks += 1
            load[at] += share[flow]
            own[at] = share[flow] + (own[at] if owner[at] == sender[flow] else 0.0)
            owner[at] = sender[flow]
            total += latency[at]
            alone = max(alone, own[at] * seconds[at])
            cost = load[at] * seconds[at]
            if cost > slowest:
                slowest, channel = cost, at
        longest = max(longest, total)
    for mark in range(marks):
        load[touched[mark]], owner[touched[mark]] = 0.0, -1
    return slowest, channel, longest, lost, alone


@kernel
def flow_paths(tables: RouteTables, source: I4, target: I4, paths: I4, length: I4) -> None:
    """Write the path of each flow.

    Parameters
    ----------
    tables : RouteTables
    source, target : (flows,) int32
        Ranks.
    paths : (flows, MAX_PATH) int32
        Gets the channels.
    length : (flows,) int32
        Gets the number of channels, -1 where there is no path.
    """
    write_paths(tables, source, target, paths, length)


@kernel
def add_loads(tables: RouteTables, source: I4, target: I4, volume: float, load: F8) -> None:
    """Add a volume for each flow to every channel on its path; flows without a path are left out."""
    paths, length = np.empty((BLOCK, MAX_PATH), np.int32), np.empty(BLOCK, np.int32)
    for flow in range(len(source)):
        row = flow % BLOCK
        if row == 0:
            write_paths(tables, source[flow : flow + BLOCK], target[flow : flow + BLOCK], paths, length)
        for step in range(length[row]):
            load[paths[row, step]] += volume


@kernel
def add_leaf_loads(tables: RouteTables, leaf: I4, ranks: F8, load: F8, hops: F8, sent: F8) -> None:
    """Add the load of all ranks under each leaf sending one unit to every rank, themselves included.

    Parameters
    ----------
    tables : RouteTables
    leaf : (leaves,) int32
        Device rows.
    ranks : (leaves,) float64
        Sending ranks under each.
    load : (channels,) float64
        Gets the load of channels between switches, and of those into ranks.
    hops : (MAX_PATH + 1,) float64
        Gets pairs by links on their way; the first place those without a way.
    sent : (leaves,) float64
        Gets the ranks that those of each leaf reach.
    """
    path = np.empty(MAX_PATH, np.int32)
    for target in range(len(tables.leaf)):
        for row in range(len(leaf)):
            count = straight_climb(tables, leaf[row], target, path, 0)
            if count < 0:
                count = detour(tables, leaf[row], target, path, 0)
            hops[count + 2 if count >= 0 else 0] += ranks[row]
            if count >= 0:
                load[tables.port_channel[target] ^ 1] += ranks[row]
                sent[row] += 1.0
            for step in range(count):
                load[path[step]] += ranks[row]


@kernel
def bottleneck_rates(tables: RouteTables, source: I4, target: I4, weight: F8, load: F8) -> float:
    """Mean over flows of 1 / (largest weighted load on the path); flows inside a domain count 1.

    Parameters
    ----------
    tables : RouteTables
    source, target : (flows,) int32
        Ranks.
    weight : (channels,) float64
        Load that one flow means for each channel: host speed over channel speed.
    load : (channels,) float64
        Scratch, all zero before and after.
    """
    paths = np.empty((len(source), MAX_PATH), np.int32)
    length = np.empty(len(source), np.int32)
    write_paths(tables, source, target, paths, length)
    for flow in range(len(source)):
        for step in range(length[flow]):
            load[paths[flow, step]] += weight[paths[flow, step]]
    total = 0.0
    for flow in range(len(source)):
        worst = 1.0
        for step in range(length[flow]):
            worst = max(worst, load[paths[flow, step]])
        total += 1.0 / worst if length[flow] > 0 else 0.0
    for flow in range(len(source)):
        for step in range(length[flow]):
            load[paths[flow, step]] = 0.0
    return total / len(source)
