"""Cooling under the mean power of a workload: flows follow the heat, fans and pumps its cube, PUE all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.cooling.hall_model import Measured
from fabrictool.cooling.hall_plant import PlantYear
from fabrictool.cooling.loop_cooling import LoopCooling
from fabrictool.cooling.loop_design import PUMP_EFFICIENCY
from fabrictool.cooling.loop_states import pressure_drop_pa
from fabrictool.cooling.racks import RackCooling
from fabrictool.cooling.room import moving_power_w
from fabrictool.cooling.year import hall_year
from fabrictool.fabric.tables import F8
from fabrictool.power.racks import known
from fabrictool.records import Assumption

if TYPE_CHECKING:
    from fabrictool.layout.plant import Plant


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
    year : dict of str to float, or None
        PUE and its kin through the year, where a plant is stated.
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
    year: dict[str, float] | None
    assumptions: tuple[Assumption, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return ``cooling.work`` of the JSON output."""
        columns = (self.loop_w, self.flow_m3_per_s, self.pumps_w)
        keys = ("heat_w", "coolant_m3_per_s", "pumps_w")
        loops = [
            {"loop": name} | {key: known(value) for key, value in zip(keys, row, strict=True)}
            for name, *row in zip(self.loop, *(column.tolist() for column in columns), strict=True)
        ]
        return {key: known(getattr(self, key)) for key in _ALONE} | {"loops": loops, "year": self.year}


def no_work() -> dict[str, Any]:
    """Return ``cooling.work`` of a fabric of which no hall is known."""
    return dict.fromkeys(_ALONE) | {"loops": [], "year": None}


def cooling_at_work(
    plant: Plant | None, cooling: RackCooling, it_w: F8, work_w: F8, efficiency: float
) -> CoolingAtWork:
    """Return the cooling of a hall for the mean power of its racks.

    Parameters
    ----------
    plant : Plant or None
        As the hall states it.
    cooling : RackCooling
        At the maximum of all racks.
    it_w, work_w : ndarray, (racks,)
        Maximum and mean power, in W; NaN where not known.
    efficiency : float
        Of the electrical distribution at that load; NaN where none is stated.

    Notes
    -----
    Rises stay, so that flows go with the heat: V ~ q. On the same system curve fans and pumps then draw P ~ q^3 (fan
    laws); CDUs of which pressures are known draw V dp / eta.
    """
    share = np.divide(work_w, it_w, out=np.zeros(len(it_w)), where=it_w > 0)
    share = np.where(np.isfinite(share), share, 0.0)
    air_w, liquid_w = float(np.nansum(cooling.air_w * share)), float(np.nansum(cooling.liquid_w * share))
    of_air, of_liquid = _part(air_w, cooling.air_w), _part(liquid_w, cooling.liquid_w)
    heat, flow, pumps = _loops(cooling, share)
    airflow = float(np.nansum(cooling.airflow_m3_per_s * share))
    through = _part(airflow, cooling.airflow_m3_per_s)
    fans = cooling.room.normal.fans_w * through**3 if cooling.room.units else float("nan")
    year = None
    if plant is not None and cooling.year is not None and air_w + liquid_w > 0:
        known_pumps = float(pumps.sum()) if np.isfinite(cooling.year.measured.loop_pumps_w) else float("nan")
        measured = Measured(fans, known_pumps)
        year = _year(plant, cooling.year, air_w, liquid_w, (of_air, of_liquid), measured, efficiency)
    moves = fans > 0 or (pumps > 0).any() or year is not None
    why = Assumption(
        "fans and pumps at work", "flows with the heat, power with its cube", "variable speed, fan laws; assumed"
    )
    nothing = float("nan") if not air_w + liquid_w > 0 else 0.0
    return CoolingAtWork(
        air_w + liquid_w + nothing, air_w + nothing, liquid_w + nothing, airflow + nothing, fans,
        cooling.loops.serving.name, heat, flow, pumps, year, (why,) if moves else (),
    )  # fmt: skip


def _part(now: float, all_of_it: F8) -> float:
    """Return a sum over what there is at most; 0 where there is nothing."""
    most = float(np.nansum(all_of_it))
    return now / most if most > 0 else 0.0


def _loops(cooling: RackCooling, share: F8) -> tuple[F8, F8, F8]:
    """Return heat in W, coolant in m3/s and what CDUs draw in W, (loops,) each."""
    loops: LoopCooling = cooling.loops
    serves, design, normal = loops.serving, loops.design, loops.normal
    most, now = (serves.sum_by_loop(watts, watts) for watts in (cooling.liquid_w, cooling.liquid_w * share))
    part = np.divide(now, most, out=np.zeros(len(loops)), where=most > 0)
    flow = normal.flow_m3_per_s * part
    drop = pressure_drop_pa(serves, design, flow)
    by_flow = np.where(part > 0, moving_power_w(flow, np.nan_to_num(drop), PUMP_EFFICIENCY), 0.0)
    return design.heat_w * part, flow, np.where(np.isnan(drop), normal.pumps_w * part**3, by_flow)


def _year(
    plant: Plant, most: PlantYear, air_w: float, liquid_w: float, parts: tuple[float, float], measured: Measured,
    efficiency: float,
) -> dict[str, float]:  # fmt: skip
    """Return the means of a year at a part of the heat to air and of that to liquid."""
    of_air, of_liquid = parts
    circuits = tuple(
        replace(circuit, heat_w=circuit.heat_w * (of_air if circuit.of_air else of_liquid))
        for circuit in most.year.circuits
    )
    model = replace(
        most.model, air_pa=most.model.air_pa * of_air**2, chilled_pa=most.model.chilled_pa * of_air**2,
        coolant_pa=most.model.coolant_pa * of_liquid**2, facility_pa=most.model.facility_pa * of_liquid**2,
    )  # fmt: skip
    if np.isfinite(efficiency):
        model = replace(model, electrical=efficiency)
    it_w, outside = air_w + liquid_w, most.outdoors
    found = hall_year(plant, circuits, it_w, liquid_w / it_w, model, measured, outside.dry_c, outside.wet_c)
    return found.means()
