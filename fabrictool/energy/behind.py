"""What stands behind racks at work: losses of the supply at that load, and all that the facility draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.cooling.at_work import CoolingAtWork, cooling_at_work
from fabrictool.fabric.tables import F8
from fabrictool.layout.model import Layout
from fabrictool.power.racks import known

if TYPE_CHECKING:
    from fabrictool.cooling.year import HallYear
    from fabrictool.facility import Facility
    from fabrictool.power.flow import Flow

_KEYS = ("idle_w", "waiting_w", "computing_w", "mean_w")


@dataclass(frozen=True)
class Behind:
    """Supply and facility behind racks at work; NaN where nothing says.

    Parameters
    ----------
    utility_w, loss_w : ndarray, (4,)
        What the utility delivers and what elements lose idle, waiting, computing and on average, in W.
    element_w, element_loss_w : ndarray, (elements,)
        What each element of the supply delivers and loses on average, in W, in the order of its loads.
    pue : float
        Facility over IT power on average.
    cooling : CoolingAtWork
        On average.
    """

    utility_w: F8
    loss_w: F8
    element_w: F8
    element_loss_w: F8
    pue: float
    cooling: CoolingAtWork

    @property
    def swing_w(self) -> float:
        """Of what the utility delivers, between computing and waiting, in W."""
        return float(self.utility_w[2] - self.utility_w[1])

    def to_dict(self) -> dict[str, Any]:
        """Return its part of ``power.work`` in JSON."""
        return {
            "utility": {key: known(value) for key, value in zip(_KEYS, self.utility_w.tolist(), strict=True)},
            "distribution_loss": {key: known(value) for key, value in zip(_KEYS, self.loss_w.tolist(), strict=True)},
            "pue": known(self.pue),
        }


def behind_racks(layout: Layout, house: Facility, racks_w: Sequence[F8]) -> Behind:
    """Return what stands behind racks that draw so much idle, waiting, computing and on average, (racks,) each in W.

    Fans and pumps of the hall draw what they do at the average; the plant draws the mean of its year there.
    """
    work = cooling_at_work(house.cooling, house.power.it_w, racks_w[-1])
    year = _year(house, work, racks_w[-1])
    machines_w = house.powered.at_work_w(work, year)
    flows = [house.supply.at(np.nan_to_num(level), machines_w) for level in racks_w]
    mean, empty = flows[-1], np.zeros(0)
    stated = layout.hall is not None and layout.hall.pue is not None
    return Behind(
        np.array([np.nan if flow is None else flow.utility_w for flow in flows]),
        np.array([np.nan if flow is None else flow.loss_w for flow in flows]),
        empty if mean is None else np.concatenate(mean.output_w),
        empty if mean is None else _lost(mean),
        house.cooling.pue if year is None or stated else year.means()["pue"],
        work,
    )


def _lost(flow: Flow) -> F8:
    return np.concatenate([drawn - given for drawn, given in zip(flow.input_w, flow.output_w, strict=True)])


def _year(house: Facility, work: CoolingAtWork, mean_w: F8) -> HallYear | None:
    """Return the year of the plant where racks draw so much, (racks,) in W; None where there is none."""
    if house.cooling.year is None or not work.it_w > 0:
        return None
    flow = house.supply.at(np.nan_to_num(mean_w), house.powered.at_work_w(work, None))
    return house.cooling.year.at_load(work, np.nan if flow is None else flow.loss_w)
