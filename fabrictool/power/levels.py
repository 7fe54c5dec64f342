"""What devices draw idle, while they wait for each other, and while they compute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.catalogue.types import Box, HostType
from fabrictool.fabric.tables import F8, Fabric, Table
from fabrictool.placement.figures import types_in_use
from fabrictool.power.demand import linear_power_w
from fabrictool.records import Assumption

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout
    from fabrictool.layout.workload import Step

#: Idle over maximum power of a host with accelerators that gives no figure: the model of Frontier's nodes.
IDLE_SHARE = 0.23
IDLE_SOURCE = "model of Frontier's nodes, 626 of 2,704 W (ExaDigiT/RAPS, 2026-08)"
#: Mean over maximum power of a host that trains, where the layout does not say what a step is.
TRAINING_SHARE = 0.80
#: How far a host is from idle to its maximum while its accelerators wait for a collective.
WAITING = 0.25
WAITING_SOURCE = "published levels of 300 of 1,000, 250 of 700 and 400 of 1,200 W an accelerator; assumed"


@dataclass(frozen=True)
class Levels(Table):
    """Power of one device by type, aligned with ``Fabric.types``, in W; NaN where nothing is known.

    ``low_w`` while hosts wait for a collective, ``high_w`` while they compute; of what is no host with accelerators all
    are one figure, as its power hardly follows its load.
    """

    idle_w: F8
    low_w: F8
    high_w: F8
    mean_w: F8


def levels_of(layout: Layout, fabric: Fabric, duty: float | None) -> tuple[Levels, tuple[Assumption, ...]]:
    """Return the levels of each type, and what was assumed for them.

    Parameters
    ----------
    duty : float or None
        Share of a step that hosts compute; None where the layout does not say what a step is.
    """
    step = layout.workload.step if layout.workload else None
    boxes: dict[str, Box] = {box.name: box for box in (*layout.switch_types(), *layout.host_types())}
    rows = [_levels(boxes.get(name), step, duty) for name in fabric.types]
    columns = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    used = [boxes[fabric.types[row]] for row in types_in_use(fabric).tolist() if fabric.types[row] in boxes]
    return Levels(*columns), tuple(_assumed(used, step, duty))


def _levels(box: Box | None, step: Step | None, duty: float | None) -> tuple[float, float, float, float]:
    """Return idle, waiting, computing and mean power of a device, in W."""
    if box is None:
        return (np.nan,) * 4
    trays = (box.trays or 1) if isinstance(box, HostType) else 1
    most = np.nan if box.power_max_w is None else box.power_max_w / trays
    if not is_accelerated(box):
        flat = most if box.power_typical_w is None else box.power_typical_w / trays
        return (flat,) * 4
    idle = most * IDLE_SHARE if box.power_idle_w is None else box.power_idle_w / trays
    computing, waiting = (step.utilisation, step.waiting) if step else (1.0, WAITING)
    low, high = (float(linear_power_w(idle, most, used)) for used in (waiting, computing))
    mean = TRAINING_SHARE * most if duty is None else duty * high + (1 - duty) * low
    return idle, low, high, mean


def is_accelerated(box: Box) -> bool:
    """Say whether a type is a host whose power follows its work: one with accelerators."""
    return isinstance(box, HostType) and box.gpus_per_host > 0


def _assumed(used: list[Box], step: Step | None, duty: float | None) -> list[Assumption]:
    made = []
    silent = [box.name for box in used if is_accelerated(box) and box.power_idle_w is None and box.power_max_w]
    if silent:
        made.append(Assumption(f"idle power of {', '.join(silent)}", f"{IDLE_SHARE:g} of the maximum", IDLE_SOURCE))
    if not any(is_accelerated(box) and box.power_max_w for box in used):
        return made
    if duty is None:
        value = f"{TRAINING_SHARE:g} of the maximum"
        made.append(Assumption("power of hosts that train", value, "range 0.5 to 1; assumed"))
    if step is None or "waiting" not in step.model_fields_set:
        value = f"{WAITING:g} of the way from idle to the maximum"
        made.append(Assumption("power of hosts that wait in collectives", value, WAITING_SOURCE))
    return made
