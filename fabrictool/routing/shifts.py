"""The busiest link between switches under every shift i -> i + c of the hosts.

References
----------
E. Zahavi, "Fat-Tree Routing and Node Ordering Providing Contention Free Traffic for MPI Global
Collectives", JPDC 72 (2012): on trees of full bisection every shift puts one flow on each link.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8
from fabrictool.kernels.flows import RouteTables
from fabrictool.kernels.shifts import followed_shifts, walked_shifts
from fabrictool.routing.flows import Routing, flows
from fabrictool.routing.forwarding import TableRouting
from fabrictool.routing.lines import line_peaks, rank_line
from fabrictool.routing.modk import ModK, ranks_of
from fabrictool.routing.regular import RegularTree

I8 = npt.NDArray[np.int64]

#: Flows asked for at a time where a routing has no kernel of its own.
_FLOWS = 1 << 18


def shift_peaks(routing: Routing) -> F8:
    """Return the largest load on a channel between switches under each shift i -> i + c, (hosts - 1,).

    In closed form where D-mod-k or S-mod-k runs on a proven regular tree, by following every flow elsewhere.
    Each host sends volume 1; the first entry is of c = 1.

    Parameters
    ----------
    routing : Routing
    """
    hosts = routing.wiring.hosts
    steps = np.arange(1, hosts)
    peak = _in_closed_form(routing, steps) if isinstance(routing, ModK) else np.full(len(steps), -1.0)
    left = peak < 0
    if left.any():
        peak[left] = counted_peaks(routing, steps[left])
    return peak


def counted_peaks(routing: Routing, steps: I8) -> F8:
    """Return the same for some shifts, by following every flow, (shifts,)."""
    wiring = routing.wiring
    work, step = 4.0 * len(steps) * wiring.hosts, steps.astype(np.int32)
    load, peak = np.empty(len(wiring.channels), np.int32), np.zeros(len(steps), np.int32)
    if isinstance(routing, ModK) and len(routing.lanes) == 1:
        if routing.name == "s-mod-k":  # the ways of D-mod-k, walked from the other end
            step = wiring.hosts - step
        tables = ranks_of(routing.lanes[0], np.arange(wiring.hosts))
        walked_shifts(work)(tables, step, load, peak)
    elif isinstance(routing, TableRouting) and wiring.lanes.shape[1] == 1:
        followed_shifts(work)(routing.tables, wiring.lanes[: wiring.hosts, 0].copy(), step, load, peak)
    else:
        return _by_usage(routing, steps)
    return peak.astype(np.float64)


def _in_closed_form(routing: ModK, steps: I8) -> F8:
    """Return the largest load of shifts where it is known, -1 elsewhere."""
    lanes = [ranks_of(tables, np.arange(routing.wiring.hosts)) for tables in routing.lanes]
    if _meet(lanes):
        return np.full(len(steps), -1.0)
    along = routing.wiring.hosts - steps if routing.name == "s-mod-k" else steps
    peaks = [_lane_peaks(tables, tree, along) for tables, tree in zip(lanes, routing.whole, strict=True)]
    peak = np.max(peaks, axis=0) / len(lanes)
    return np.where(np.isinf(peak), -1.0, peak)


def _lane_peaks(tables: RouteTables, tree: RegularTree | None, steps: I8) -> F8:
    """Return the most flows on a channel of one lane, infinity where that is not known."""
    ranks = np.arange(len(tables.leaf), dtype=np.int32)
    line = rank_line(ranks, tables, tree) if tree is not None else None
    peak = np.full(len(steps), np.inf)
    if line is None or tree is None:
        return peak
    known = (steps >= line.near) & (steps <= len(ranks) - line.near)
    peak[known] = 0.0
    for level, classes in enumerate(tree.classes.tolist()):
        for count in line_peaks(steps[known], line, level, classes):
            peak[known] = np.maximum(peak[known], count)
    return peak


def _meet(lanes: list[RouteTables]) -> bool:
    """Whether any switch is on the ways of two lanes, so that their loads would have to be added."""
    crossed = [np.unique(tables.own_device[tables.own_device >= 0]) for tables in lanes]
    return len(np.unique(np.concatenate(crossed))) < sum(map(len, crossed))


def _by_usage(routing: Routing, steps: I8) -> F8:
    """Ask a routing what the flows of many shifts use."""
    hosts, channels = routing.wiring.hosts, len(routing.wiring.channels)
    between = np.zeros(channels, bool)
    between[routing.wiring.ways.channel] = True
    host, peak = np.arange(hosts), np.zeros(len(steps))
    rows = max(1, min(_FLOWS // max(hosts, 1), (1 << 26) // channels))
    for low in range(0, len(steps), rows):
        some = steps[low : low + rows]
        used = routing.usage(flows(np.tile(host, len(some)), ((host + some[:, None]) % hosts).ravel()))
        row = np.repeat(np.arange(len(used.hops)) // hosts, np.diff(used.first))
        load = np.bincount(row * channels + used.channel, used.share, len(some) * channels)
        peak[low : low + rows] = load.reshape(len(some), channels)[:, between].max(axis=1, initial=0.0)
    return peak
