"""Cooling under the mean power of a workload: flows follow the heat, fans and pumps its cube."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fabrictool.cooling.loop_design import PUMP_EFFICIENCY
from fabrictool.cooling.loop_states import pressure_drop_pa
from fabrictool.cooling.racks import RackCooling
from fabrictool.cooling.room import moving_power_w
from fabrictool.fabric.tables import F8
from fabrictool.power.racks import known
from fabrictool.records import Assumption

#: Figures of the whole hall in the JSON output.
_ALONE = ("it_w", "air_w", "liquid_w", "airflow_m3_per_s", "fans_w")


@dataclass(frozen=True)
class CoolingAtWork:
    """Cooling of a hall at work.

    Parameters
    ----------
    it_w, air_w, liquid_w : float
        Mean power of racks, and its heat to the hall's air and to liquid, in W; NaN where nothing is known.
    airflow_m3_per_s : float
        Through all racks.
    fans_w : float
        Of air handlers; NaN without any.
    loop : tuple of str
    loop_w, flow_m3_per_s, pumps_w : ndarray, (loops,)
        Heat of each loop in W, its coolant, and what its CDUs draw in W.
    assumptions : tuple of Assumption
    """

    it_w: float
    air_w: float
    liquid_w: float
    airflow_m3_per_s: float
    fans_w: float
    loop: tuple[str, ...]
    loop_w: F8
    flow_m3_per_s: F8
    pumps_w: F8
    assumptions: tuple[Assumption, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return ``cooling.work`` of the JSON output."""
        columns = (self.loop_w, self.flow_m3_per_s, self.pumps_w)
        keys = ("heat_w", "coolant_m3_per_s", "pumps_w")
        loops = [
            {"loop": name} | {key: known(value) for key, value in zip(keys, row, strict=True)}
            for name, *row in zip(self.loop, *(column.tolist() for column in columns), strict=True)
        ]
        return {key: known(getattr(self, key)) for key in _ALONE} | {"loops": loops}


def no_work() -> dict[str, Any]:
    """Return ``cooling.work`` of a fabric of which no hall is known."""
    return dict.fromkeys(_ALONE) | {"loops": []}


def cooling_at_work(cooling: RackCooling, it_w: F8, work_w: F8) -> CoolingAtWork:
    """Return the cooling of a hall for the mean power of its racks.

    Parameters
    ----------
    cooling : RackCooling
        At the maximum of all racks.
    it_w, work_w : ndarray, (racks,)
        Maximum and mean power, in W; NaN where not known.

    Notes
    -----
    Rises stay, so that flows go with the heat: V ~ q. On the same system curve fans and pumps then draw P ~ q^3 (fan
    laws); CDUs of which pressures are known draw V dp / eta.
    """
    share = np.divide(work_w, it_w, out=np.zeros(len(it_w)), where=it_w > 0)
    share = np.where(np.isfinite(share), share, 0.0)
    air_w, liquid_w = float(np.nansum(cooling.air_w * share)), float(np.nansum(cooling.liquid_w * share))
    heat, flow, pumps = _loops(cooling, share)
    airflow = float(np.nansum(cooling.airflow_m3_per_s * share))
    part = _part(airflow, cooling.airflow_m3_per_s)
    fans = cooling.room.normal.fans_w * part**3 if cooling.room.units else float("nan")
    why = Assumption(
        "fans and pumps at work", "flows with the heat, power with its cube", "variable speed, fan laws; assumed"
    )
    moves = fans > 0 or bool((pumps > 0).any()) or cooling.year is not None
    unknown = 0.0 if air_w + liquid_w > 0 else float("nan")
    return CoolingAtWork(
        air_w + liquid_w + unknown, air_w + unknown, liquid_w + unknown, airflow + unknown, fans,
        cooling.loops.serving.name, heat, flow, pumps, (why,) if moves else (),
    )  # fmt: skip


def _part(now: float, all_of_it: F8) -> float:
    """Return a sum over what there is at most; 0 where there is nothing."""
    most = float(np.nansum(all_of_it))
    return now / most if most > 0 else 0.0


def _loops(cooling: RackCooling, share: F8) -> tuple[F8, F8, F8]:
    """Return heat in W, coolant in m3/s and what CDUs draw in W, (loops,) each."""
    loops = cooling.loops
    serves, design, normal = loops.serving, loops.design, loops.normal
    most, now = (serves.sum_by_loop(watts, watts) for watts in (cooling.liquid_w, cooling.liquid_w * share))
    part = np.divide(now, most, out=np.zeros(len(loops)), where=most > 0)
    flow = normal.flow_m3_per_s * part
    drop = pressure_drop_pa(serves, design, flow)
    by_flow = np.where(part > 0, moving_power_w(flow, np.nan_to_num(drop), PUMP_EFFICIENCY), 0.0)
    return design.heat_w * part, flow, np.where(np.isnan(drop), normal.pumps_w * part**3, by_flow)
