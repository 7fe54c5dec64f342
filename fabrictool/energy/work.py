"""What a workload draws: mean power, energy of collectives and steps, and how far synchronous work swings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.energy.behind import Behind, behind_racks
from fabrictool.energy.drawn import capped, device_w, held, parts_of, row_swings
from fabrictool.energy.findings import swing_findings
from fabrictool.energy.operations import OperationEnergy, operation_energies
from fabrictool.energy.steps import StepEnergy, communication_s, step_energy
from fabrictool.fabric import Fabric
from fabrictool.fabric.tables import F8
from fabrictool.layout.model import Layout
from fabrictool.placement.figures import has_figures
from fabrictool.placement.racks import no_racks
from fabrictool.power.demand import ramp_w_per_s
from fabrictool.power.levels import levels_of
from fabrictool.power.racks import known, known_sum
from fabrictool.records import Assumption, Finding

if TYPE_CHECKING:
    from fabrictool.collectives.workloads import CollectiveResult
    from fabrictool.facility import Facility


@dataclass(frozen=True)
class Work:
    """What racks and hall draw at work.

    Parameters
    ----------
    rack_idle_w, rack_mean_w, rack_swing_w : ndarray, (racks,)
        Idle, under the workload, and between computing and waiting, in W.
    row_swing_w : dict of str to float
        Swing of each row of racks, in W; empty where no floor is known.
    parts : dict of str to ndarray (4,)
        Idle, waiting, computing and mean power of hosts, service hosts and each network's switches, in W.
    behind : Behind
        What the supply and the facility draw for it.
    ramp_w_per_s : float
        How fast the hall's load changes; NaN where the layout does not say how long a change takes.
    """

    rack_idle_w: F8
    rack_mean_w: F8
    rack_swing_w: F8
    row_swing_w: dict[str, float]
    parts: dict[str, F8]
    behind: Behind
    collectives: tuple[OperationEnergy, ...]
    step: StepEnergy | None
    ramp_w_per_s: float
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]

    @property
    def totals_w(self) -> F8:
        """Idle, waiting, computing and mean power of all IT, (4,) in W; NaN where nothing is known."""
        return sum(self.parts.values(), np.zeros(4)) if self.parts else np.full(4, np.nan)

    @property
    def facility_w(self) -> float:
        """What the whole facility draws on average, in W."""
        return float(self.totals_w[3] * self.behind.pue)

    @property
    def swing_w(self) -> float:
        """Of all IT together: one job computes and waits everywhere at once."""
        return float(self.totals_w[2] - self.totals_w[1])

    def to_dict(self) -> dict[str, Any]:
        """Return ``power.work`` in JSON."""
        keys = ("idle_w", "waiting_w", "computing_w", "mean_w")
        racks = self.rack_swing_w[np.isfinite(self.rack_swing_w)]
        return {
            **{key: known(value) for key, value in zip(keys, self.totals_w.tolist(), strict=True)},
            "parts": [
                {"part": name} | {key: known(value) for key, value in zip(keys, row.tolist(), strict=True)}
                for name, row in self.parts.items()
            ],
            "swing": {
                "rack_w": float(racks.max()) if len(racks) else None,
                "row_w": max(self.row_swing_w.values(), default=None),
                "hall_w": known(self.swing_w),
                "utility_w": known(self.behind.swing_w),
                "ramp_w_per_s": known(self.ramp_w_per_s),
            },
            **self.behind.to_dict(),
            "facility_w": known(self.facility_w),
            "step": None if self.step is None else self.step.to_dict(self.behind.pue),
            "collectives": [row.to_dict() for row in self.collectives],
        }


def work_of(layout: Layout, fabric: Fabric, house: Facility, results: Sequence[CollectiveResult]) -> Work:
    """Return what the layout's workload draws, in racks, rows and hall.

    Parameters
    ----------
    house : Facility
        Where devices stand, what racks may draw, and the optics of the cable plan.
    results : sequence of CollectiveResult
        Of the jobs that ran; a step runs each of them once.
    """
    step = layout.workload.step if layout.workload else None
    between_s = communication_s(step, results, bool(layout.scenario and layout.scenario.jobs))
    duty = step.compute_s / (step.compute_s + between_s) if step else None
    levels, assumed = levels_of(layout, fabric, duty)
    place_of = house.placement or no_racks(len(fabric.devices))
    drawn = device_w(layout, fabric, levels, house.optics)
    racks = [held(known_sum(place_of, column), house.power.it_w) for column in drawn.T]
    counted = has_figures(fabric) if house.placement is None else house.placement.rack >= 0
    parts = capped(parts_of(fabric, drawn, counted), house, [known_sum(place_of, column) for column in drawn.T], racks)
    swing = racks[2] - racks[1]
    taken = step_energy(step, between_s, parts, len(fabric.gpus))
    total = float(sum(part[2] - part[1] for part in parts.values()))
    ramp = float(ramp_w_per_s(1, total, 0.0, step.ramp_s)) if step and step.ramp_s else np.nan
    return Work(
        racks[0], racks[3], swing, row_swings(house, swing), parts, behind_racks(layout, house, racks),
        tuple(operation_energies(fabric, levels, drawn[:, 1], house.optics, results)), taken, ramp,
        tuple(swing_findings(layout, taken, total)), assumed,
    )  # fmt: skip
