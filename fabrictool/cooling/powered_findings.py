"""Elements of the supply whose loss lets racks go on while their cooling stops."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.cooling.powered import PoweredCooling, Warmth
from fabrictool.fabric.tables import Bool
from fabrictool.records import Finding, Severity
from fabrictool.units import format_time

if TYPE_CHECKING:
    from fabrictool.layout.model import Hall

_FIX = "let it draw from both sides: from: [panel-a, panel-b], or spread it so that what is left is enough"


def powered_findings(
    hall: Hall, powered: PoweredCooling, dark: Mapping[str, tuple[int, ...]], stopped: Mapping[str, tuple[int, ...]]
) -> Iterator[Finding]:
    """Yield elements that take cooling from racks that still have power; equal elements make one finding.

    Parameters
    ----------
    dark, stopped : mapping of str to tuple of int
        Racks, and machines, without power once each element has failed.
    """
    redundant = bool(hall.feeds) and (hall.feeds or [])[0].redundancy != "N"
    severity: Severity = "error" if redundant else "warning"
    known: dict[tuple[int, ...], Warmth] = {}
    alike: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for name, machines in stopped.items():
        if not machines:
            continue
        if machines not in known:
            known[machines] = powered.without(np.array(machines))
        live = np.ones(len(powered.cooling.rack), bool)
        live[list(dark[name])] = False
        base = re.sub(r"-\d+$", "", name)
        for kind, message in _words(powered, known[machines], live):
            alike.setdefault((base, kind), []).append((name, message))
    where: dict[str, list[str]] = {}
    for rows in alike.values():
        (first, message), (last, _) = rows[0], rows[-1]
        where.setdefault(message, []).append(first if len(rows) == 1 else f"{first} to {last} ({len(rows):,})")
    for message, names in where.items():
        whose = "the loss of any of them" if len(names) > 1 else "its loss"
        yield Finding("cooling-lost-with-power", severity, ", ".join(names), f"{whose} stops {message}", _FIX)


def _words(powered: PoweredCooling, warm: Warmth, live: Bool) -> Iterator[tuple[str, str]]:
    """Yield what stops and what that does to racks that still have power, with the loop, group or plant."""
    if not live.any():
        return
    yield from _loops(powered, warm, live)
    yield from _air(powered, warm, live)
    if warm.plant:
        yield "plant", f"the plant, while {_racks(live)} have power: {_lasts(powered)}"


def _loops(powered: PoweredCooling, warm: Warmth, live: Bool) -> Iterator[tuple[str, str]]:
    """Yield the hot loops of each that is stated, by the first of them."""
    loops = powered.cooling.loops
    serves = loops.serving
    on = [live & ((serves.rack == row) | (serves.door == row)) for row in np.flatnonzero(warm.hot).tolist()]
    hot = [(row, racks) for row, racks in zip(np.flatnonzero(warm.hot).tolist(), on, strict=True) if racks.any()]
    for stated in dict.fromkeys(int(serves.stated_row[row]) for row, _ in hot):
        rows = [(row, racks) for row, racks in hot if serves.stated_row[row] == stated]
        row, racks = rows[0]
        count = 1 if np.isnan(loops.design.count[row]) else int(loops.design.count[row])
        of = f"{warm.cdus[row]} of {count} CDUs of loop {serves.name[row]}"
        of += f" and of {len(rows) - 1} more alike" if len(rows) > 1 else ""
        if np.isfinite(warm.supply_c[row]):
            most = loops.most_c[row] if np.isfinite(loops.most_c[row]) else loops.design.supply_c[row]
            what = f"coolant rises to {warm.supply_c[row]:.3g} C, {most:.3g} C are allowed"
        else:
            seconds = loops.stopped_s[row]
            what = "coolant stands still"
            what += f", chips are 10 K warmer after {format_time(_short(seconds))}" if np.isfinite(seconds) else ""
        yield f"loop {stated}", f"{of}: {what}, while {_racks(racks)} have power"


def _air(powered: PoweredCooling, warm: Warmth, live: Bool) -> Iterator[tuple[str, str]]:
    cooling, room = powered.cooling, powered.cooling.room
    if not warm.handlers.any() or not (cooling.too_warm(warm.inlet_c) & live[cooling.device_rack]).any():
        return
    stopped = np.flatnonzero(warm.handlers).tolist()
    units = [room.units[row] for row in stopped]
    counts = warm.handlers[stopped].tolist()
    of = ", ".join(f"{lost} of {one.count} air handlers {one.name}" for lost, one in zip(counts, units, strict=True))
    hottest = float(np.nanmax(np.where(live, warm.inlet_c, np.nan)))
    what = f"air before racks gets up to {hottest:.3g} C" if np.isfinite(hottest) else "nothing blows"
    lasts = f", after {format_time(_short(room.ride_s))} or more" if np.isfinite(room.ride_s) else ""
    yield "air", f"{of}: {what}, devices stand {room.most_c:.3g} C{lasts}, while {_racks(live)} have power"


def _racks(racks: Bool) -> str:
    count = int(racks.sum())
    return f"{count:,} rack{'s' if count > 1 else ''}"


def _lasts(powered: PoweredCooling) -> str:
    """Say how long stored water, loops and the room's air last without it."""
    cooling = powered.cooling
    stored = np.nan if cooling.year is None else cooling.year.buffer_s
    loops = cooling.loops.ride_s[np.isfinite(cooling.loops.ride_s)]
    seconds = {
        "stored water": stored, "loops": loops.min() if len(loops) else np.nan, "the room's air": cooling.room.ride_s,
    }  # fmt: skip
    found = [f"{what} {format_time(_short(time))}" for what, time in seconds.items() if np.isfinite(time)]
    return f"{', '.join(found)} until too warm" if found else "nothing says for how long"


def _short(seconds: float) -> float:
    return float(f"{seconds:.3g}")
