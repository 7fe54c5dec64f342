"""What a hall's swing asks for: a limit that it exceeds, and storage that keeps its power even."""

from __future__ import annotations

from collections.abc import Iterator

from fabrictool.energy.steps import StepEnergy
from fabrictool.layout.model import Layout
from fabrictool.records import Finding
from fabrictool.units import format_power, format_time

#: What the supplies of a GB300 NVL72 hold for each accelerator, in J (NVIDIA developer blog, 2025).
GB300_J_PER_GPU = 65.0


def swing_findings(layout: Layout, step: StepEnergy | None, swing_w: float) -> Iterator[Finding]:
    """Yield a swing over the limit, and what it takes to keep a step's power even."""
    hall = layout.hall
    limit = hall.swing_limit_w if hall else None
    if limit is not None and swing_w > limit * (1 + 1e-9):
        message = f"synchronous work swings by {format_power(swing_w)}, more than the {format_power(limit)} allowed"
        fix = "cap accelerators, let jobs compute at different times, or even it out by storage"
        if step is not None:
            fix += f": {step.buffer_j / max(step.gpus, 1):.3g} J an accelerator"
        yield Finding("swing-over-limit", "error", "hall", message, fix)
    if step is not None and step.buffer_j > 0 and step.gpus:
        each = step.buffer_j / step.gpus
        message = (
            f"power falls by {format_power(float(f'{swing_w:.4g}'))} for {format_time(step.communication_s)} of each "
            f"{format_time(step.time_s)}: {each:.3g} J an accelerator would keep it even"
        )
        fix = f"supplies of GB300 NVL72 hold {GB300_J_PER_GPU:g} J each; else let generators and UPS bear the steps"
        yield Finding("power-swing", "note", "hall", message, fix)
