"""Loops over a limit: capacity, flow, temperature, pressure, and what one lost CDU takes along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.cooling.hydraulics import velocity_limit_m_per_s
from fabrictool.fabric.tables import Bool
from fabrictool.power.overloads import TOLERANCE, kilowatts
from fabrictool.records import Finding

if TYPE_CHECKING:
    from fabrictool.cooling.loop_cooling import LoopCooling
    from fabrictool.cooling.loop_states import LoopState
    from fabrictool.layout.cooling import Loop

#: A diesel generator takes this long to start, in s.
GENERATOR_S = 10.0
LITRES_PER_MIN = 6e4


def loop_findings(loops: LoopCooling) -> tuple[Finding, ...]:
    """Return findings on loops, equal ones together."""
    return (
        *_over_capacity(loops),
        *_after_loss(loops),
        *_too_warm(loops),
        *_short_of_flow(loops),
        *_pressure(loops),
        *_velocity(loops),
        *_without_ups(loops),
        *_unused(loops),
        *_unknown(loops),
    )


def alike(loops: LoopCooling, chosen: Bool) -> Iterator[tuple[int, str, Loop]]:
    """Yield one row for each kind of equal loops among the chosen, with all their names and what is stated."""
    rows = np.flatnonzero(chosen)
    keys = np.column_stack((loops.serving.stated_row[rows], np.round(loops.design.heat_w[rows], 3)))
    _, which = np.unique(keys, axis=0, return_inverse=True)
    for group in dict.fromkeys(which.reshape(-1).tolist()):
        same = rows[which.reshape(-1) == group]
        names = [loops.serving.name[row] for row in same.tolist()]
        shown = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]} ({len(names)})"
        first = int(same[0])
        yield (
            first,
            f"loop{'s' if len(names) > 1 else ''} {shown}",
            loops.serving.stated[int(loops.serving.stated_row[first])],
        )


def _over_capacity(loops: LoopCooling) -> Iterator[Finding]:
    state = loops.normal
    for row, where, loop in alike(loops, state.load > 1 + TOLERANCE):
        yield Finding(
            "loop-over-capacity", "error", where, _overload(loops, state, row, loop), _relief(loops, state, row, 0)
        )


def _overload(loops: LoopCooling, state: LoopState, row: int, loop: Loop) -> str:
    d = loops.design
    heat, name = d.heat_w[row] + state.pumps_w[row], loop.cdu.name if loop.cdu else ""
    taken = f"{kilowatts(heat, state.capacity_w[row])} that {state.running[row]:.0f} {name} take from it"
    at = f"at {d.facility_c[row]:.3g} C facility water"
    return f"{taken} {at}: supply rises from {d.supply_c[row]:.3g} to {state.supply_c[row]:.3g} C"


def _relief(loops: LoopCooling, state: LoopState, row: int, spare: int) -> str:
    d = loops.design
    each = state.capacity_w[row] / state.running[row]
    needed = np.ceil((d.heat_w[row] + state.pumps_w[row]) / each - TOLERANCE) + spare if each > 0 else np.inf
    colder = d.facility_c[row] - (state.supply_c[row] - d.supply_c[row])
    more = f"{needed:.0f} CDUs, or " if np.isfinite(needed) and needed < 1000 else ""
    return f"{more}facility water of {np.floor(10 * colder) / 10:g} C, or fewer racks on it"


def _after_loss(loops: LoopCooling) -> Iterator[Finding]:
    """Yield loops that do not hold their temperature once CDUs fail: an error where redundancy was asked for."""
    state, normal_ok = loops.after_loss, ~(loops.normal.load > 1 + TOLERANCE)
    short = normal_ok & (state.load > 1 + TOLERANCE) & (loops.design.heat_w > 0)
    for row, where, loop in alike(loops, short):
        lost = int(loops.design.lost[row])
        one = "one CDU" if lost == 1 else f"{lost} CDUs"
        racks = f"{loops.racks[row]:.0f} rack{'s' if loops.racks[row] > 1 else ''}"
        if state.running[row] == 0:
            message = f"the loss of {one} leaves none: {racks} lose their liquid"
            fix = f"{lost + 1} CDUs, redundancy N+1"
        else:
            message = f"once {one} {'has' if lost == 1 else 'have'} failed: {_overload(loops, state, row, loop)}"
            fix = _relief(loops, state, row, lost)
        if loop.redundancy == "N":
            yield Finding("single-point-of-cooling", "warning", where, message, f"{fix}; or accept it")
        else:
            yield Finding("loop-over-capacity-after-loss", "error", where, message, fix)


def _too_warm(loops: LoopCooling) -> Iterator[Finding]:
    supply, most = loops.normal.supply_c, loops.most_c
    for row, where, _ in alike(loops, np.isfinite(supply) & (supply > most + 1e-6)):
        message = f"supplies {supply[row]:.3g} C, but devices on it stand {most[row]:.3g} C at most"
        yield Finding("coolant-too-warm", "error", where, message, f"supply_temperature of {most[row]:.3g} C or less")


def _short_of_flow(loops: LoopCooling) -> Iterator[Finding]:
    d, state = loops.design, loops.normal
    for row, where, _ in alike(loops, state.flow_m3_per_s < d.flow_m3_per_s * (1 - TOLERANCE)):
        have, need = (LITRES_PER_MIN * flow for flow in (state.flow_m3_per_s[row], d.flow_m3_per_s[row]))
        rise = state.return_c[row] - state.supply_c[row]
        message = (
            f"CDUs pump {have:,.0f} of {need:,.0f} l/min that {d.rise_k[row]:.3g} K ask for: it rises by {rise:.3g} K"
        )
        more = np.ceil(need / have * state.running[row] - TOLERANCE)
        yield Finding("loop-short-of-flow", "warning", where, message, f"{more:.0f} CDUs, or rise: {np.ceil(rise):g} K")


def _pressure(loops: LoopCooling) -> Iterator[Finding]:
    state, head = loops.normal, loops.design.unit_head_pa
    for row, where, _ in alike(loops, state.drop_pa > head * (1 + TOLERANCE)):
        flow = LITRES_PER_MIN * state.flow_m3_per_s[row]
        message = (
            f"resists {state.drop_pa[row] / 1e3:.4g} kPa at {flow:,.0f} l/min, but CDUs hold {head[row] / 1e3:.4g} kPa"
        )
        yield Finding(
            "loop-over-pressure", "error", where, message, "wider pipes, less flow by a larger rise, or stronger CDUs"
        )


def _velocity(loops: LoopCooling) -> Iterator[Finding]:
    bore = np.array([loop.pipe.diameter_m if loop.pipe else np.nan for loop in loops.serving.stated])
    bore = bore[loops.serving.stated_row] if len(loops) else bore
    speed = loops.normal.flow_m3_per_s / (np.pi * bore**2 / 4)
    limit = velocity_limit_m_per_s(bore)
    for row, where, _ in alike(loops, speed > limit):
        least = np.sqrt(4 * loops.normal.flow_m3_per_s[row] / np.pi / 2.1)
        message = (
            f"coolant runs at {speed[row]:.3g} m/s in a pipe of {1e3 * bore[row]:.4g} mm, above {limit[row]:g} m/s"
        )
        yield Finding(
            "pipe-velocity",
            "warning",
            where,
            message,
            f"a bore of about {np.ceil(1e3 * least):.0f} mm, or several pipes",
        )


def _without_ups(loops: LoopCooling) -> Iterator[Finding]:
    bare = np.array([loop.pumps_on_ups is False for loop in loops.serving.stated] or [False])
    chosen = bare[loops.serving.stated_row] if len(loops) else np.zeros(0, bool)
    for row, where, _ in alike(loops, chosen & (loops.stopped_s < GENERATOR_S)):
        message = (
            f"its pumps stop with the mains: chips are 10 K warmer after {loops.stopped_s[row]:.3g} s, "
            f"a generator takes about {GENERATOR_S:g} s"
        )
        yield Finding("pumps-without-ups", "warning", where, message, "pumps on the UPS")


def _unused(loops: LoopCooling) -> Iterator[Finding]:
    for row in np.flatnonzero(loops.racks == 0).tolist():
        message = "no rack takes liquid from it"
        yield Finding(
            "loop-unused", "note", f"loop {loops.serving.name[row]}", message, "name it in racks, or remove it"
        )


def _unknown(loops: LoopCooling) -> Iterator[Finding]:
    """Name loops of which nothing is known that could be exceeded."""
    used = loops.design.heat_w > 0
    bare = [
        name for name, no in zip(loops.serving.name, (np.isnan(loops.design.count) & used).tolist(), strict=True) if no
    ]
    if bare:
        shown = ", ".join(bare[:8]) + (f" and {len(bare) - 8} more" if len(bare) > 8 else "")
        message = f"no CDU is stated of loop {shown}: capacity, approach and redundancy are held against nothing"
        yield Finding(
            "no-cooling-data", "note", f"loop {shown}", message, "give cdu and count, such as cdu: coolit-chx2000"
        )
