"""Energy of a training step: mean of computing and waiting, and what keeps its power even."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.fabric.tables import F8
from fabrictool.power.demand import two_level_swing
from fabrictool.power.racks import known

if TYPE_CHECKING:
    from fabrictool.collectives.workloads import CollectiveResult
    from fabrictool.layout.workload import Step


@dataclass(frozen=True)
class StepEnergy:
    """A training step: seconds that it computes and communicates visibly, and what it takes, in J and W."""

    compute_s: float
    communication_s: float
    mean_w: float
    rms_w: float
    buffer_j: float
    gpus: int

    @property
    def time_s(self) -> float:
        """Of the whole step."""
        return self.compute_s + self.communication_s

    @property
    def energy_j(self) -> float:
        """Of all IT over the step."""
        return self.mean_w * self.time_s

    def to_dict(self, pue: float) -> dict[str, Any]:
        """Return ``power.work.step`` in JSON; ``pue`` is that of the facility at work."""
        each = max(self.gpus, 1)
        return {
            "time_s": self.time_s, "compute_s": self.compute_s, "communication_s": self.communication_s,
            "energy_j": known(self.energy_j), "j_per_gpu": known(self.energy_j / each),
            "facility_j": known(self.energy_j * pue), "rms_w": known(self.rms_w),
            "buffer_j": known(self.buffer_j), "buffer_j_per_gpu": known(self.buffer_j / each),
        }  # fmt: skip


def communication_s(step: Step | None, results: Sequence[CollectiveResult], together: bool) -> float:
    """Return the seconds of a step that collectives add to computing: one after another, or all at the same time."""
    times = [result.time_s or 0.0 for result in results]
    total = max(times, default=0.0) if together else sum(times)
    return total * (1 - step.overlap) if step else total


def step_energy(step: Step | None, communication_s: float, parts: dict[str, F8], gpus: int) -> StepEnergy | None:
    """Return what a step takes, of parts with their idle, waiting, computing and mean power in W; None without one."""
    if step is None or not parts:
        return None
    total = sum(parts.values(), np.zeros(4))
    time_s = step.compute_s + communication_s
    swing = two_level_swing(total[2], total[1], step.compute_s / time_s, time_s)
    return StepEnergy(
        step.compute_s, communication_s, float(swing.mean_w), float(swing.rms_w), float(swing.buffer_j), gpus
    )
