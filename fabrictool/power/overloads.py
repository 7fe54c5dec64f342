"""Racks over a limit, gathered: equal racks make one finding, with what would mend it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, Fabric
from fabrictool.placement import Load, Placement, TypeFigures, most_that_fit
from fabrictool.records import Finding

#: Loads this close to their limit, relatively, are within it.
TOLERANCE = 1e-9

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Overload:
    """Equal racks over the same limit.

    Parameters
    ----------
    racks : ndarray of int64
        Rows of the racks.
    group : int
        Their rack group.
    load, limit : float
        What each has and what it may have, in the same unit.
    """

    racks: Rows
    group: int
    load: float
    limit: float


def overloads(placement: Placement, load: F8, limit: F8, alike: F8 | None = None) -> Iterator[Overload]:
    """Yield the racks over a limit, equal ones together, with the largest load of them.

    Parameters
    ----------
    load, limit : ndarray, (racks,)
        In the same unit; NaN (unknown) is never over.
    alike : ndarray, (racks,), optional
        What equal racks have in common beside their limit; by default their load.
    """
    over = np.flatnonzero(load > limit * (1 + TOLERANCE))
    group = placement.racks.group[over]
    keys = np.column_stack((group, np.round((load if alike is None else alike)[over], 6), limit[over]))
    _, first, which = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    for row in np.argsort(first, kind="stable"):
        rack = over[first[row]]
        equal = over[which.reshape(-1) == row]
        yield Overload(equal, int(placement.racks.group[rack]), float(load[equal].max()), float(limit[rack]))


def overload_findings(
    identity: str,
    placement: Placement,
    load: F8,
    limit: F8,
    words: Callable[[float, float], str],
    fix: Callable[[Overload], str],
    alike: F8 | None = None,
) -> tuple[Finding, ...]:
    """Return one error finding for each kind of overloaded rack.

    Parameters
    ----------
    identity : str
        The finding's id.
    load, limit : ndarray, (racks,)
        In the same unit.
    words : callable
        Writes load and limit, such as "40.8 of 40.0 kW".
    fix : callable
        Says what would mend an overload.
    alike : ndarray, (racks,), optional
        What equal racks have in common beside their limit; by default their load.
    """
    found = []
    for over in overloads(placement, load, limit, alike):
        count = len(over.racks)
        upto = "up to " if count > 1 and np.ptp(load[over.racks]) > TOLERANCE * over.load else ""
        message = f"{count:,} rack{'s' if count > 1 else ''} at {upto}{words(over.load, over.limit)}"
        where = rack_list(placement.racks.name, over.racks)
        found.append(Finding(identity, "error", where, message, fix(over)))
    return tuple(found)


def kilowatts(load_w: float, limit_w: float) -> str:
    """Write a load and its limit with as many digits as tell them apart: "40.8 of 40.0 kW"."""
    for digits in (1, 2, 3, 6):
        load, limit = f"{load_w / 1e3:,.{digits}f}", f"{limit_w / 1e3:,.{digits}f}"
        if load != limit:
            break
    return f"{load} of {limit} kW"


def rack_units(units: float, limit: float) -> str:
    """Write units taken and there: "56 of 48 U"."""
    return f"{units:.0f} of {limit:.0f} U"


def kilograms(load_kg: float, limit_kg: float) -> str:
    """Write a weight and what may be carried: "1304.5 of 1200 kg"."""
    return f"{load_kg:,.6g} of {limit_kg:,.6g} kg"


def rack_list(names: npt.NDArray[np.str_], rows: Rows) -> str:
    """Write racks by name, neighbours as a range: ``racks r01-r31, r40``."""
    stretches = np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1)
    parts = [str(names[s[0]]) if len(s) == 1 else f"{names[s[0]]}-{names[s[-1]]}" for s in stretches]
    shown = ", ".join(parts[:8]) + (f", … ({len(parts) - 8} more)" if len(parts) > 8 else "")
    return f"{'racks' if len(rows) > 1 else 'rack'} {shown}"


def fewer_hosts(
    placement: Placement, fabric: Fabric, figures: TypeFigures, over: Overload, heat_w: F8 | None = None
) -> str:
    """Say how many hosts a rack of an overloaded group would fit, and how many racks that takes.

    Parameters
    ----------
    heat_w : ndarray, (types,), optional
        What one device of each type puts on the exceeded limit, in W, where that is another one than the
        rack's own power, units and weight.
    """
    racks, devices = placement.racks, fabric.devices
    hosts = _hosts_of_group(placement, over.group)
    types = np.unique(devices.type[hosts])
    if len(types) != 1:
        return "fewer hosts a rack, or more racks"
    room, each = _room(placement, over), figures.each(int(types[0]))
    if figures.trays[types[0]] > 1:
        return f"a higher limit, or another type: a rack {fabric.types[types[0]]} is one machine and cannot be divided"
    most = most_that_fit(room, each)
    if heat_w is not None:
        most = min(most, most_that_fit(Load(math.inf, over.limit, math.inf), each._replace(power_w=heat_w[types[0]])))
    if not most or not math.isfinite(most):
        return f"another rack type or limit: not even one {fabric.types[types[0]]} fits"
    now = np.count_nonzero((racks.group == over.group) & (racks.role == "compute"))
    needed = math.ceil(len(hosts) / most)
    return f"{most:.0f} host{'s' if most > 1 else ''} a rack: {needed:,} racks ({needed - now:+,d})"


def _hosts_of_group(placement: Placement, group: int) -> Rows:
    """Return the devices that stand in compute racks of a group."""
    chosen = (placement.racks.group == group) & (placement.racks.role == "compute")
    return np.flatnonzero((placement.rack >= 0) & np.append(chosen, False)[placement.rack])


def _room(placement: Placement, over: Overload) -> Load:
    """Return what an empty rack of an overload has room for, cooling included; an unknown limit is none."""
    racks, rack = placement.racks, over.racks[0]
    limit = np.fmin(racks.limit_w[rack], racks.cooling_limit_w[rack])
    return Load(racks.units[rack], math.inf if np.isnan(limit) else limit, racks.capacity_kg[rack])
