"""Loads of a hall's supply before and after every single failure, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fabrictool.fabric.tables import F8
from fabrictool.placement import Placement
from fabrictool.power.elements import Element, ElementLines
from fabrictool.power.flow import Flow, flow, single_failures
from fabrictool.power.hanging import Hanging
from fabrictool.power.limits import POWER_FACTOR
from fabrictool.power.machines import NO_MACHINES, Machines
from fabrictool.power.overloads import TOLERANCE
from fabrictool.power.parts import Part, Rows
from fabrictool.power.phasors import C16, neutral_of
from fabrictool.power.racks import RackPower
from fabrictool.power.supply import feeds_of_racks, hanging
from fabrictool.power.supply_findings import single_points, supply_assumptions, supply_findings
from fabrictool.records import Assumption, Finding

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout


@dataclass(frozen=True)
class SupplyLoads:
    """What a hall's supply carries; empty where none is stated.

    Parameters
    ----------
    elements : tuple of Element
        From the racks up.
    utility_w, loss_w : float
        What the utility delivers and what elements lose, in W; with racks and cooling they balance.
    machines : Machines
        Cooling that hangs on it.
    hung : Hanging or None
        How racks and machines hang on it.
    dark, stopped : dict of str to tuple of int
        Racks, and machines, that are without power once an element fails.
    """

    elements: tuple[Element, ...] = ()
    utility_w: float = np.nan
    loss_w: float = np.nan
    machines: Machines = NO_MACHINES
    hung: Hanging | None = None
    dark: dict[str, tuple[int, ...]] = field(default_factory=dict)
    stopped: dict[str, tuple[int, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    assumptions: tuple[Assumption, ...] = ()

    def to_rows(self) -> list[dict[str, Any]]:
        """Return ``power.supply`` of the JSON output."""
        return [
            element.to_dict()
            | {
                key: len(lost[element.name]) if element.name in lost else None
                for key, lost in (("racks_dark", self.dark), ("machines_stopped", self.stopped))
            }
            for element in self.elements
        ]

    def at(self, racks_w: F8, machines_w: F8) -> Flow | None:
        """Return what flows with everything running; None without a supply.

        Parameters
        ----------
        racks_w, machines_w : ndarray, (racks,), (machines,)
            What each draws, in W.
        """
        return None if self.hung is None else flow(self.hung, self.hung.drawn(np.append(racks_w, machines_w)))

    @property
    def cooling_w(self) -> float:
        """What cooling draws from it, in W; NaN where no supply is stated."""
        return float(self.machines.power_w.sum()) if self.elements else np.nan


def supply_efficiency(layout: Layout, placement: Placement | None, power: RackPower) -> float:
    """Return what racks get of what the utility delivers to them alone; NaN where no supply is stated."""
    loaded = _loaded(layout, placement, power, NO_MACHINES)
    if loaded is None:
        return float("nan")
    base = flow(loaded.hung, loaded.hung.drawn(loaded.rows_w))
    return 1 - base.loss_w / base.utility_w if base.utility_w > 0 else float("nan")


def supply_loads(
    layout: Layout, placement: Placement | None, power: RackPower, machines: Machines = NO_MACHINES
) -> SupplyLoads:
    """Load a hall's supply with its racks and its cooling, then fail every element once.

    Parameters
    ----------
    power : RackPower
        Racks of unknown power count for nothing and are named elsewhere.
    machines : Machines, optional
        Cooling that hangs on it.
    """
    hall, loaded = layout.hall, _loaded(layout, placement, power, machines)
    if loaded is None or hall is None or placement is None:
        return SupplyLoads()
    hung, racks = loaded.hung, len(placement.racks)
    drawn = hung.drawn(loaded.rows_w)
    base = flow(hung, drawn)
    worst, out = _worst(hung, drawn, base)
    full = flow(hung, hung.drawn(np.append(np.nan_to_num(power.nameplate_w), machines.power_w)))
    elements = tuple(_elements(hung, base, worst, full, loaded.power_factor))
    dark = {name: tuple(rows[rows < racks].tolist()) for name, rows in out.items()}
    return SupplyLoads(
        elements,
        base.utility_w,
        base.loss_w,
        machines,
        hung,
        dark,
        {name: tuple((rows[rows >= racks] - racks).tolist()) for name, rows in out.items()},
        (*supply_findings(elements), *single_points(hall, placement, dark)),
        supply_assumptions(hall, elements),
    )


class _Loaded(NamedTuple):
    """What hangs on a supply, what each row draws in W, and the power factor."""

    hung: Hanging
    rows_w: F8
    power_factor: float


def _loaded(layout: Layout, placement: Placement | None, power: RackPower, machines: Machines) -> _Loaded | None:
    """Hang racks and machines on a hall's supply; None where there is none, or nothing stands in racks."""
    hall = layout.hall
    if hall is None or not hall.supply or placement is None or not len(placement.racks):
        return None
    factor = POWER_FACTOR if hall.power_factor is None else hall.power_factor
    known_w = np.nan_to_num(power.it_w)
    hung = hanging(hall, feeds_of_racks(layout, power.it_w), power.phase_share, known_w, factor, machines)
    return _Loaded(hung, np.append(known_w * (hall.diversity or 1.0), machines.power_w), factor)


@dataclass(frozen=True)
class _Worst:
    """The largest loads of a part's elements under any single failure: all together, and of the fullest line."""

    load_w: F8
    cause: list[str | None]
    lines_w: C16
    line_cause: list[str | None]

    def meet(self, output_w: F8, lines_w: C16, name: str) -> None:
        """Note a state in which an element carries more than in those before."""
        for row in np.flatnonzero(output_w > self.load_w * (1 + TOLERANCE)).tolist():
            self.load_w[row], self.cause[row] = output_w[row], name
        fullest, before = np.abs(lines_w).max(axis=1), np.abs(self.lines_w).max(axis=1)
        for row in np.flatnonzero(fullest > before * (1 + TOLERANCE)).tolist():
            self.lines_w[row], self.line_cause[row] = lines_w[row], name


def _worst(hung: Hanging, drawn: tuple[C16, ...], base: Flow) -> tuple[list[_Worst], dict[str, Rows]]:
    """Return the largest loads of each part under any single failure, and which rows each failure leaves dark."""
    worst = [
        _Worst(output.copy(), [None] * len(output), lines.copy(), [None] * len(output))
        for output, lines in zip(base.output_w, base.lines_w, strict=True)
    ]
    dark: dict[str, Rows] = {}
    names = [part.names for part in hung.parts]
    for failed in single_failures(hung):
        state, name = flow(hung, drawn, failed), names[failed[0]][failed[1]]
        dark[name] = np.flatnonzero(state.dark)
        for most, output, lines in zip(worst, state.output_w, state.lines_w, strict=True):
            most.meet(output, lines, name)
    return worst, dark


def _elements(hung: Hanging, base: Flow, worst: list[_Worst], full: Flow, factor: float) -> Iterator[Element]:
    for row, part in enumerate(hung.parts):
        modules = part.stated.count
        left = part.rating_w * (modules - 1) / modules if modules > 1 else part.rating_w
        most = worst[row]
        breaker_w = part.breaker_w(factor)
        lines = _lines(part, base.lines_w[row], most, factor)
        for one, name in enumerate(part.names):
            output = float(base.output_w[row][one])
            yield Element(
                name, part.stated.kind, part.rating_w, output, float(base.input_w[row][one]) - output, left,
                float(most.load_w[one]), most.cause[one], float(full.output_w[row][one]), breaker_w, part.stated.amps,
                part.continuous, lines[one],
            )  # fmt: skip


def _lines(part: Part, lines_w: C16, worst: _Worst, factor: float) -> list[ElementLines | None]:
    """Return the lines of a part's elements; None of what delivers direct current."""
    if part.direct:
        return [None] * part.count
    neutral = neutral_of(lines_w)
    return [
        ElementLines(part.voltage_v, factor, np.abs(lines_w[one]), float(neutral[one]), np.abs(worst.lines_w[one]),
                     float(neutral_of(worst.lines_w[one])), worst.line_cause[one])
        for one in range(part.count)
    ]  # fmt: skip
