"""Cooling on the first screen of ``score``: the tightest loop, the year of the plant, and what work makes of both."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fabrictool.units import format_power

if TYPE_CHECKING:
    from fabrictool.evaluation import Evaluation


def cooling_lines(evaluation: Evaluation) -> Iterator[str]:
    """Yield lines on what cools a hall, as wide as they come."""
    yield from _loops(evaluation)
    yield from _year(evaluation)
    yield from _at_work(evaluation)


def power_text(power_w: float) -> str:
    """Write a power with four digits."""
    return format_power(float(f"{power_w:.4g}"))


def _loops(evaluation: Evaluation) -> Iterator[str]:
    """Say which loop is nearest to what its CDUs take, with all of them and after a loss, and how long chips last."""
    rows = [row for row in evaluation.cooling.loops.to_rows() if row["count"] is not None and row["heat_w"]]
    if not rows:
        return
    tightest = max(rows, key=lambda row: math.inf if row["load"] is None else row["load"])
    many = "1 CDU" if tightest["count"] == 1 else f"{tightest['count']} CDUs"
    line = f"loop {tightest['loop']}: {many} at {_percent(tightest['load'])}"
    line += f", {_percent(tightest['after_loss']['load'])} after a loss~"
    if tightest["supply_c"] is not None:
        line += f"; coolant {tightest['supply_c']:.3g} to {tightest['return_c']:.3g} C~"
    if tightest["ride_through_s"] is not None:
        line += f"; lasts {tightest['ride_through_s']:.3g} s without facility water~"
    if tightest["pumps_stopped_s"] is not None:
        line += f", {tightest['pumps_stopped_s']:.2g} s without pumps~"
    yield line


def _year(evaluation: Evaluation) -> Iterator[str]:
    """Say what the hall's plant comes to under its weather."""
    if evaluation.cooling.year is None:
        return
    year = evaluation.cooling.year.to_dict()
    span = f" ({year['pue_least']:.3g} to {year['pue_most']:.3g})" if year["hours"] > 1 else ""
    line = f"{year['weather']}: PUE {year['pue']:.3f}~{span}, WUE {year['wue_l_per_kwh']:.2f} l/kWh~"
    line += f", ERE {year['ere']:.3f}~" if year["reused_kwh"] else ""
    free = ", ".join(_free(row) for row in year["circuits"][:4])
    line += f"; free cooling {free} of {year['hours']:,}~; most {power_text(year['peak_facility_w'])}~"
    yield line


def _at_work(evaluation: Evaluation) -> Iterator[str]:
    """Say what fans, pumps and the whole facility do under the workload, where any of them is known."""
    work, most = evaluation.work.behind.cooling, evaluation.cooling
    parts = []
    if work.fans_w > 0:
        parts.append(f"fans {power_text(work.fans_w)}~ of {power_text(most.room.normal.fans_w)}~")
    pumps_w = float(work.pumps_w.sum())
    if pumps_w > 0:
        litres, most_w = 6e4 * float(work.flow_m3_per_s.sum()), float(most.loops.normal.pumps_w.sum())
        parts.append(f"coolant {litres:,.4g} l/min~, CDUs {power_text(pumps_w)}~ of {power_text(most_w)}~")
    if most.year is not None:
        parts.append(f"PUE {evaluation.work.behind.pue:.3f}~")
    if parts:
        yield "at work: " + ", ".join(parts)


def _free(circuit: dict[str, Any]) -> str:
    within = circuit["free_hours_within"]
    span = f" ({within[0]:,} to {within[1]:,})" if within else ""
    return f"{circuit['circuit']} {circuit['free_hours']:,} h{span}"


def _percent(share: float | None) -> str:
    return "none left" if share is None else f"{100 * share:.0f} %"
