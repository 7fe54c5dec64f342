"""Lower bounds of a collective that groups of ranks run at once, from the links that leave each part of a fabric."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fabrictool.collectives.bounds import Bound, Parts, latency_s, partitions, sums_up
from fabrictool.fabric.tables import F8, I4
from fabrictool.routing.wiring import Wiring

I8 = npt.NDArray[np.integer]


def group_bound(collective: str, wiring: Wiring, members: Sequence[I4], reduces: str = "") -> Bound:
    """Return what no schedule can beat when all groups run a collective at once: together, or the largest alone.

    Parameters
    ----------
    collective : str
    wiring : Wiring
    members : sequence of (ranks,) int32
        Endpoints of each group.
    reduces : {"", "network", "domain"}
        Which switches reduce: then what leaves a part may be the sum of a group's ranks in it.
    """
    busy = [group for group in members if len(group) > 1]
    if not busy:
        return Bound(0.0, 0.0, "one rank")
    ranks = np.concatenate(busy)
    size = np.array([len(group) for group in busy], np.float64)
    group = np.repeat(np.arange(len(busy)), [len(one) for one in busy])
    first = np.cumsum(size).astype(int) - size.astype(int)
    best, title, alone = 0.0, "nothing", 0.0
    for part in partitions(wiring, ranks):
        seconds = _seconds_per_byte(collective, part, group, size, first, reduces)
        if seconds > best * (1 + 1e-12):
            best, title = seconds, part.title
        if part.title in ("GPU", "NIC"):
            alone = best
    largest = max(busy, key=len)
    return Bound(latency_s(collective, wiring, largest, reduces), best, title, alone)


def _seconds_per_byte(collective: str, part: Parts, group: I8, size: F8, first: I8, reduces: str) -> float:
    """Return seconds per byte of the size that the groups' bytes ask of the links that leave the parts."""
    code, inside = np.unique(group * len(part.ranks) + part.of, return_counts=True)
    at, of = np.divmod(code, len(part.ranks))
    parted = inside < size[at]
    at, of, inside = at[parted], of[parted], inside[parted]
    capacity = part.capacity_bps
    bits = 8.0 * np.bincount(of, _needed(collective, part.title, at, of, inside, size, part.of[first]), len(capacity))
    joined = capacity > 0
    slowest = float((bits[joined] / capacity[joined]).max(initial=0.0))
    if collective != "all-reduce" or not len(at) or sums_up(reduces, part):
        return slowest
    parties = np.bincount(at, minlength=len(size))
    own = np.bincount(at, capacity[of], len(size))
    exchanged = 16.0 * np.maximum(parties - 1, 0)
    alone = float((exchanged[own > 0] / own[own > 0]).max(initial=0.0))
    return max(slowest, alone, float(exchanged.sum() / capacity.sum()))


def _needed(collective: str, title: str, at: I8, of: I8, inside: I8, size: F8, roots: I8) -> F8:
    """Return bytes for one byte of the size that each group moves into or out of each of its parts, at least."""
    whole, ones = size[at], np.ones(len(at))
    far = np.where(of == roots[at], 0.0, 1.0)  # what has no root takes, or gives, all of it
    spread = (whole - inside) / whole
    needed = {
        "all-reduce": ones,
        "all-gather": spread,
        "reduce-scatter": spread,
        "all-to-all": inside * spread,
        "broadcast": far,
        "reduce": far,
    }
    if title == "GPU":
        needed |= {"send-recv": ones, "incast": np.where(far == 1.0, 1.0, whole - inside)}
    return needed.get(collective, np.zeros(len(at)))
