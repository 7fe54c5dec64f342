"""Kernels that count every shift i -> i + c of hosts, flow by flow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.flows import MAX_PATH, RouteTables, write_paths
from fabrictool.kernels.jit import inner, kernel
from fabrictool.kernels.tables import Forwarding, follow

I4 = npt.NDArray[np.int32]

#: Links on a way along forwarding tables; a longer one loops.
LONGEST = 64


@kernel
def walked_shifts(tables: RouteTables, steps: I4, load: I4, peak: I4) -> None:
    """Write for each shift the most flows on a channel between switches, as D-mod-k routes.

    Parameters
    ----------
    tables : RouteTables
    steps : (shifts,) int32
    load : (channels,) int32
        Scratch.
    peak : (shifts,) int32
        Gets the numbers of flows.
    """
    hosts = len(tables.leaf)
    source, target = np.arange(hosts).astype(np.int32), np.empty(hosts, np.int32)
    paths, length = np.empty((hosts, MAX_PATH), np.int32), np.empty(hosts, np.int32)
    for row in range(len(steps)):
        load[:] = 0
        target[:] = (source + steps[row]) % hosts
        write_paths(tables, source, target, paths, length)
        for flow in range(hosts):
            peak[row] = max(peak[row], _put(paths[flow], length[flow], load))


@kernel
def followed_shifts(tables: Forwarding, terminal: I4, steps: I4, load: I4, peak: I4) -> None:
    """Write for each shift the most flows on a channel between switches, as forwarding tables say.

    Parameters
    ----------
    tables : Forwarding
    terminal : (hosts,) int32
    steps : (shifts,) int32
    load : (channels,) int32
        Scratch.
    peak : (shifts,) int32
        Gets the numbers of flows.
    """
    hosts = len(terminal)
    path = np.empty(LONGEST, np.int32)
    for row in range(len(steps)):
        load[:] = 0
        for source in range(hosts):
            count = follow(tables, terminal[source], terminal[(source + steps[row]) % hosts], path)
            peak[row] = max(peak[row], _put(path, count, load))


@inner
def _put(path: I4, count: int, load: I4) -> int:
    """Count a flow on the channels of its path, host links left out; return the most flows on one of them."""
    most = 0
    for step in range(1, count - 1):
        load[path[step]] += 1
        most = max(most, load[path[step]])
    return most
