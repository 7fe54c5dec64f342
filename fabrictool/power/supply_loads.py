"""Loads of a hall's supply before and after every single failure, as a table and as findings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.fabric.tables import F8
from fabrictool.placement import Placement
from fabrictool.power.limits import POWER_FACTOR
from fabrictool.power.overloads import TOLERANCE, kilowatts, rack_list
from fabrictool.power.supply import EFFICIENCY, Flow, Hanging, feeds_of_racks, flow, hanging, single_failures
from fabrictool.records import Assumption, Finding
from fabrictool.units import format_power

if TYPE_CHECKING:
    from fabrictool.layout.model import Hall, Layout


@dataclass(frozen=True)
class Element:
    """One element of the supply: ratings and loads in W, and the failure under which its load is largest.

    ``nameplate_w`` is its load if all racks drew their nameplates at once, without cap or diversity.
    """

    name: str
    kind: str
    rating_w: float
    load_w: float
    loss_w: float
    left_w: float
    worst_w: float
    worst_failure: str | None
    nameplate_w: float

    def to_dict(self) -> dict[str, Any]:
        """Return a row of ``power.supply`` in JSON; null without a rating."""
        rating = self.rating_w if np.isfinite(self.rating_w) else None
        return {
            "name": self.name, "kind": self.kind, "rating_w": rating, "load_w": self.load_w, "loss_w": self.loss_w,
            "worst_w": self.worst_w, "worst_failure": self.worst_failure,
            "oversubscription": None if rating is None else self.nameplate_w / rating,
        }  # fmt: skip


@dataclass(frozen=True)
class SupplyLoads:
    """What a hall's supply carries; empty where none is stated.

    Parameters
    ----------
    elements : tuple of Element
        From the racks up.
    utility_w, loss_w : float
        What the utility delivers and what elements lose, in W; together with the racks they balance.
    dark : dict of str to tuple of int
        Racks that are without power once an element fails.
    """

    elements: tuple[Element, ...] = ()
    utility_w: float = np.nan
    loss_w: float = np.nan
    dark: dict[str, tuple[int, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    assumptions: tuple[Assumption, ...] = ()

    @property
    def efficiency(self) -> float:
        """What racks get of what the utility delivers; NaN where no supply is stated."""
        return 1 - self.loss_w / self.utility_w if self.utility_w > 0 else np.nan


def supply_loads(layout: Layout, placement: Placement | None, it_w: F8, nameplate_w: F8 | None = None) -> SupplyLoads:
    """Load a hall's supply with its racks, then fail every element once.

    Parameters
    ----------
    it_w : ndarray, (racks,)
        Maximum of each rack, in W; racks of unknown power count for nothing and are named elsewhere.
    nameplate_w : ndarray, (racks,), optional
        Likewise without caps.
    """
    hall = layout.hall
    if hall is None or not hall.supply or placement is None or not len(placement.racks):
        return SupplyLoads()
    factor = POWER_FACTOR if hall.power_factor is None else hall.power_factor
    hung = hanging(hall, feeds_of_racks(layout, it_w), factor)
    rack_w = np.nan_to_num(it_w) * (hall.diversity or 1.0)
    base = flow(hung, rack_w)
    worst, dark = _worst(hung, rack_w, base)
    full = flow(hung, np.nan_to_num(it_w if nameplate_w is None else nameplate_w))
    elements = tuple(_elements(hung, base, worst, full))
    return SupplyLoads(
        elements,
        base.utility_w,
        float(sum((i - o).sum() for i, o in zip(base.input_w, base.output_w, strict=True))),
        dark,
        (*_overloaded(elements), *_single_points(hall, placement, dark)),
        _assumptions(hall),
    )


Worst = list[tuple[F8, list[str | None]]]


def _worst(hung: Hanging, rack_w: F8, base: Flow) -> tuple[Worst, dict[str, tuple[int, ...]]]:
    """Return the largest load of each element under any single failure and which it is, and whom each leaves dark."""
    worst: Worst = [(output.copy(), [None] * len(output)) for output in base.output_w]
    dark: dict[str, tuple[int, ...]] = {}
    names = [part.names for part in hung.parts]
    for failed in single_failures(hung):
        state, name = flow(hung, rack_w, failed), names[failed[0]][failed[1]]
        dark[name] = tuple(np.flatnonzero(state.dark).tolist())
        for (most, causes), output in zip(worst, state.output_w, strict=True):
            for row in np.flatnonzero(output > most * (1 + TOLERANCE)).tolist():
                most[row], causes[row] = output[row], name
    return worst, dark


def _elements(hung: Hanging, base: Flow, worst: Worst, full: Flow) -> Iterator[Element]:
    for row, part in enumerate(hung.parts):
        modules = part.stated.count
        left = part.rating_w * (modules - 1) / modules if modules > 1 else part.rating_w
        most, causes = worst[row]
        for one, name in enumerate(part.names):
            output = float(base.output_w[row][one])
            loss = float(base.input_w[row][one]) - output
            nameplate = float(full.output_w[row][one])
            kind, rating = part.stated.kind, part.rating_w
            yield Element(name, kind, rating, output, loss, left, float(most[one]), causes[one], nameplate)


def _overloaded(elements: tuple[Element, ...]) -> Iterator[Finding]:
    """Yield overloads; equal elements of a part with equal overloads make one finding."""
    alike: dict[tuple[str, str, str], list[Element]] = {}
    for one in elements:
        found = _overload(one)
        if found is not None:
            base = re.sub(r"-\d+$", "", one.name)
            alike.setdefault((base, found[0], found[1].partition(" once ")[0]), []).append(one)
    for (_, identity, _), rows in alike.items():
        first, last = rows[0], rows[-1]
        found = _overload(first)
        assert found is not None
        many = f" to {last.name} ({len(rows):,})" if len(rows) > 1 else ""
        each = ", each" if len(rows) > 1 else ""
        fix = f"a rating of {format_power(first.worst_w)} or more{each}, or fewer racks on it"
        fix = f"one module more, or {fix}" if found[2] else fix
        yield Finding(identity, "error", f"{first.kind} {first.name}{many}", found[1], fix)


def _overload(one: Element) -> tuple[str, str, bool] | None:
    """Return the id and message of an element's overload, and whether another module would mend it."""
    if one.load_w > one.rating_w * (1 + TOLERANCE):
        return "supply-overload", f"carries {kilowatts(one.load_w, one.rating_w)} with everything running", False
    state = "supply-overload-after-loss"
    if one.worst_w > one.rating_w * (1 + TOLERANCE):
        carried = kilowatts(one.worst_w, one.rating_w)
        return state, f"would carry {carried} once {one.worst_failure} has failed", False
    if one.load_w > one.left_w * (1 + TOLERANCE):
        return state, f"would carry {kilowatts(one.load_w, one.left_w)} once one of its modules has failed", True
    return None


def _single_points(hall: Hall, placement: Placement, dark: dict[str, tuple[int, ...]]) -> Iterator[Finding]:
    """Yield elements that leave racks dark although feeds are to be redundant: feeds with something in common."""
    if not hall.feeds or hall.feeds[0].redundancy == "N":
        return
    for name, racks in dark.items():
        if racks:
            message = f"its loss takes all feeds of {rack_list(placement.racks.name, np.array(racks))}"
            fix = "let the feeds come from different elements, or give it a second source: from: [utility, generator]"
            yield Finding("single-point-of-power", "warning", name, message, fix)


def _assumptions(hall: Hall) -> tuple[Assumption, ...]:
    made = []
    silent = [e.kind for e in hall.supply or () if e.efficiency is None and e.losses is None and e.bar is None]
    for kind in dict.fromkeys(silent):
        if EFFICIENCY[kind] == 1:
            continue
        value = f"{EFFICIENCY[kind]:g}"
        rated = [e for e in hall.supply or () if e.kind == kind and e.rating is not None and e.efficiency is None]
        if kind == "ups" and rated:
            value = "loss 1.0 % of the rating + 1.5 % of the load + 1.5 % at its square"
        made.append(Assumption(f"efficiency of each {kind}", value, "common for its kind; assumed"))
    if hall.diversity is None:
        made.append(Assumption("peak of all racks over the sum of their maxima", "1", "one synchronous job; assumed"))
    return tuple(made)
