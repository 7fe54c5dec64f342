"""What a hall's supply does not carry: elements, lines and breakers over their limits, and what has one source only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.placement import Placement
from fabrictool.power.elements import Element, ElementLines, standard_breakers
from fabrictool.power.limits import CONTINUOUS, IMBALANCE_LIMIT
from fabrictool.power.overloads import TOLERANCE, kilowatts, rack_list
from fabrictool.power.parts import EFFICIENCY
from fabrictool.records import Assumption, Finding, Severity
from fabrictool.units import format_power

if TYPE_CHECKING:
    from fabrictool.layout.model import Hall


@dataclass(frozen=True, slots=True)
class _Over:
    """What is wrong with an element: id, severity, message, and what mends it."""

    id: str
    severity: Severity
    message: str
    fix: str


def supply_findings(elements: tuple[Element, ...]) -> Iterator[Finding]:
    """Yield overloads and uneven lines; equal elements of a part with equal ones make one finding."""
    alike: dict[tuple[str, str, str], list[tuple[Element, _Over]]] = {}
    for one in elements:
        for over in _wrong(one):
            base = re.sub(r"-\d+$", "", one.name)
            alike.setdefault((base, over.id, over.message.partition(" once ")[0]), []).append((one, over))
    for rows in alike.values():
        (first, over), (last, _) = rows[0], rows[-1]
        many = f" to {last.name} ({len(rows):,})" if len(rows) > 1 else ""
        fix = over.fix.replace(" or more", " or more, each", 1) if many else over.fix
        yield Finding(over.id, over.severity, f"{first.kind} {first.name}{many}", over.message, fix)


def _wrong(one: Element) -> Iterator[_Over]:
    """Yield an element's overload of rating, of a line, of its breaker, and lines that are far apart."""
    found = _over_rating(one)
    if found is not None:
        yield found
    breaker = _over_breaker(one)
    if breaker is not None:
        yield breaker
    if one.lines is not None and found is None:
        uneven = _over_line(one, one.lines) or (None if breaker else _uneven(one, one.lines))
        if uneven is not None:
            yield uneven


def _over_rating(one: Element) -> _Over | None:
    fix = f"a rating of {format_power(one.worst_w)} or more, or fewer racks on it"
    if one.load_w > one.rating_w * (1 + TOLERANCE):
        message = f"carries {kilowatts(one.load_w, one.rating_w)} with everything running"
        return _Over("supply-overload", "error", message, fix)
    state = "supply-overload-after-loss"
    if one.worst_w > one.rating_w * (1 + TOLERANCE):
        carried = kilowatts(one.worst_w, one.rating_w)
        return _Over(state, "error", f"would carry {carried} once {one.worst_failure} has failed", fix)
    if one.load_w > one.left_w * (1 + TOLERANCE):
        message = f"would carry {kilowatts(one.load_w, one.left_w)} once one of its modules has failed"
        return _Over(state, "error", message, f"one module more, or {fix}")
    return None


def _over_line(one: Element, lines: ElementLines) -> _Over | None:
    """Return that a line carries more than a third of the rating, though all together do not."""
    fix = f"circuits dealt to phases more evenly, or a rating of {format_power(lines.worst_fullest_w)} or more"
    third = one.rating_w / 3
    if lines.fullest_w > one.rating_w * (1 + TOLERANCE):
        carried = kilowatts(lines.fullest_w / 3, third)
        message = f"a line carries {carried}, a third of the rating, with everything running"
        return _Over("supply-line-overload", "error", message, fix)
    if lines.worst_fullest_w > one.rating_w * (1 + TOLERANCE):
        carried = kilowatts(lines.worst_fullest_w / 3, third)
        message = f"a line would carry {carried}, a third of the rating, once {lines.worst_failure} has failed"
        return _Over("supply-line-overload-after-loss", "error", message, fix)
    return None


def _over_breaker(one: Element) -> _Over | None:
    """Return that a line carries more than the element's breaker allows all the time."""
    if one.breaker_a is None:
        return None
    now_w, most_w = one.load_w, one.worst_w
    cause = one.worst_failure
    if one.lines is not None:
        now_w, most_w, cause = one.lines.fullest_w, one.lines.worst_fullest_w, one.lines.worst_failure
    if most_w <= one.breaker_w * (1 + TOLERANCE):
        return None
    allowed_a = one.breaker_a * one.continuous
    nec, iec = standard_breakers(allowed_a * most_w / one.breaker_w, one.continuous)
    fix = f"a breaker of {_amps(nec)} (NEC) or {_amps(iec)} (IEC), or fewer racks on it"
    now = now_w > one.breaker_w * (1 + TOLERANCE)
    carried = f"{allowed_a * (now_w if now else most_w) / one.breaker_w:.1f} of {allowed_a:g} A"
    carried += f" ({one.continuous:g} of a breaker of {one.breaker_a:g} A)"
    what = "it" if one.lines is None else "a line"
    if now:
        return _Over("breaker-overload", "error", f"{what} carries {carried} with everything running", fix)
    message = f"{what} would carry {carried} once {cause} has failed"
    return _Over("breaker-overload-after-loss", "error", message, fix)


def _amps(size: float | None) -> str:
    return "more than is made" if size is None else f"{size:g} A"


def _uneven(one: Element, lines: ElementLines) -> _Over | None:
    """Return that lines are far apart where one is half full."""
    if not np.isfinite(one.limit_w) or lines.imbalance <= IMBALANCE_LIMIT or lines.worst_fullest_w <= one.limit_w / 2:
        return None
    carried = ", ".join(f"{watts / 1e3:.1f}" for watts in lines.worst_w)
    when = f" once {lines.worst_failure} has failed" if lines.worst_failure else ""
    neutral = f"{lines.worst_neutral_w / 1e3:.1f} kW on the neutral"
    if np.isfinite(lines.voltage_v):
        carried = ", ".join(f"{amps:.1f}" for amps in lines.amps(lines.worst_w))
        neutral = f"{float(lines.amps(lines.worst_neutral_w)):.1f} A in the neutral"
    unit = "A" if np.isfinite(lines.voltage_v) else "kW"
    message = f"lines carry {carried} {unit}: {100 * lines.imbalance:.0f} % from their mean, {neutral}{when}"
    fix = "racks in multiples of three on each element, or circuits dealt to phases more evenly"
    return _Over("supply-imbalance", "warning", message, fix)


def single_points(hall: Hall, placement: Placement, dark: dict[str, tuple[int, ...]]) -> Iterator[Finding]:
    """Yield elements that leave racks dark although feeds are to be redundant: feeds with something in common."""
    if not hall.feeds or hall.feeds[0].redundancy == "N":
        return
    for name, racks in dark.items():
        if racks:
            message = f"its loss takes all feeds of {rack_list(placement.racks.name, np.array(racks))}"
            fix = "let the feeds come from different elements, or give it a second source: from: [utility, generator]"
            yield Finding("single-point-of-power", "warning", name, message, fix)


def supply_assumptions(hall: Hall, elements: tuple[Element, ...]) -> tuple[Assumption, ...]:
    """Return what nobody stated of a hall's supply."""
    made = []
    supply = hall.supply or []
    silent = [e.kind for e in supply if e.efficiency is None and e.losses is None and e.bar is None]
    for kind in dict.fromkeys(silent):
        if EFFICIENCY[kind] == 1:
            continue
        value = f"{EFFICIENCY[kind]:g}"
        rated = [e for e in supply if e.kind == kind and e.rating is not None and e.efficiency is None]
        if kind == "ups" and rated:
            value = "loss 1.0 % of the rating + 1.5 % of the load + 1.5 % at its square"
        made.append(Assumption(f"efficiency of each {kind}", value, "common for its kind; assumed"))
    if hall.diversity is None:
        made.append(Assumption("peak of all racks over the sum of their maxima", "1", "one synchronous job; assumed"))
    if any(e.amps is not None and e.continuous is None for e in supply):
        source = "NEC 2023 210.20(A), 215.3 (IEC 60364: 1.0)"
        made.append(Assumption("continuous load of the supply's breakers", f"{CONTINUOUS:g} of their rating", source))
    uneven = any(one.lines is not None and one.lines.imbalance > TOLERANCE for one in elements)
    if uneven and {e.kind for e in supply} & {"transformer", "ups", "rectifier"}:
        what = "transformers from delta to star, which keep the neutral's current; UPS and rectifiers draw evenly"
        made.append(Assumption("phases above a transformer or UPS", what, "Dyn and double conversion; assumed"))
    return tuple(made)
