"""Heat, flows and temperatures of each rack, held against what its cooling carries off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.cooling.doors import Tanks
from fabrictool.cooling.hall_air import HallAir
from fabrictool.cooling.hall_plant import PlantYear
from fabrictool.cooling.loop_cooling import LoopCooling
from fabrictool.fabric.tables import F8, I4, Bool
from fabrictool.power.racks import known
from fabrictool.records import Assumption, Finding

if TYPE_CHECKING:
    from fabrictool.tabular import Table


#: Columns of a rack in the JSON output.
_COLUMNS = (
    "air_w", "liquid_w", "airflow_m3_per_s", "coolant_kg_per_s", "inlet_c", "outlet_c", "recirculation",
    "loop_load", "supply_c", "return_c", "bath_c", "oil_m3_per_s", "vapour_kg_per_s",
)  # fmt: skip


@dataclass(frozen=True)
class RackCooling:
    """Heat and flows of racks, (racks,) each; NaN for racks of which no power is known.

    Parameters
    ----------
    rack : tuple of str
        Names of the racks.
    air_w, liquid_w : ndarray
        Heat that the hall's air and that a liquid carries off, in W; together the rack's maximum power.
    airflow_m3_per_s : ndarray
        Air through the servers, in m3/s.
    coolant_kg_per_s : ndarray
        Liquid through cold plates, doors or the tank's heat exchanger, in kg/s.
    inlet_c, outlet_c : ndarray
        Air in front of and behind the devices, in degC; NaN where none passes.
    recirculation : ndarray
        Share of the air in front that is exhaust; NaN where none passes.
    loop : tuple of str
        Name of the loop that takes a rack's heat, empty for none.
    loop_load : ndarray
        Share of its loop's capacity that is used; NaN without a loop or CDU.
    supply_c, return_c : ndarray
        Coolant to and from a rack, in degC; NaN for racks without.
    tank : Tanks
        Fluids of immersion tanks.
    loops : LoopCooling
    room : HallAir
        Air handlers of the hall.
    wet : ndarray of bool, (devices,)
        Devices that stop without liquid.
    device_rack : ndarray of int32, (devices,)
        Rack of each device, -1 for none.
    device_inlet_max_c : ndarray, (devices,)
        Warmest inlet air that each device stands.
    year : PlantYear or None
        The plant under its weather, where both are stated.
    pue : float
        Facility over IT power, of the year where there is one; NaN where nothing says.
    facility_w : float
        IT maximum times ``pue``, or the most of the year, in W.
    findings, assumptions : tuple
        Racks over their cooling and devices in the wrong racks; defaults that were used.
    """

    rack: tuple[str, ...]
    air_w: F8
    liquid_w: F8
    airflow_m3_per_s: F8
    coolant_kg_per_s: F8
    inlet_c: F8
    outlet_c: F8
    recirculation: F8
    loop: tuple[str, ...]
    loop_load: F8
    supply_c: F8
    return_c: F8
    tank: Tanks
    loops: LoopCooling
    room: HallAir
    wet: Bool
    device_rack: I4
    device_inlet_max_c: F8
    year: PlantYear | None
    pue: float
    facility_w: float
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]

    def on_loop(self, row: int) -> Bool:
        """Say which devices a loop cools, (devices,)."""
        on: Bool = np.append(self.loops.serving.rack, -1)[self.device_rack] == row
        return self.wet & on

    def too_warm(self, inlet_c: F8) -> Bool:
        """Say which devices do not stand the air before their rack at some temperatures (racks,); NaN for none."""
        at = np.append(inlet_c, np.nan)[self.device_rack]
        return np.asarray(self.device_inlet_max_c < at - 1e-6)

    def _column(self, key: str) -> F8:
        values: F8 = getattr(self.tank if key in Tanks._fields else self, key)
        return values

    def table(self) -> Table:
        """Return temperatures and loops of the racks as a table."""
        from fabrictool.tabular import Column, Table

        return Table(
            "air and coolant of racks",
            (
                Column("rack", self.rack),
                Column("air in", self.inlet_c.tolist(), "C"),
                Column("air out", self.outlet_c.tolist(), "C"),
                Column("loop", [name or None for name in self.loop]),
                Column("its load", self.loop_load.tolist()),
                Column("coolant in", self.supply_c.tolist(), "C"),
                Column("coolant out", self.return_c.tolist(), "C"),
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the ``cooling`` object of the JSON output."""
        columns = [np.where(np.isfinite(self._column(key)), self._column(key), np.nan).tolist() for key in _COLUMNS]
        racks = [
            {"rack": name, "loop": loop or None} | {key: known(value) for key, value in zip(_COLUMNS, row, strict=True)}
            for name, loop, *row in zip(self.rack, self.loop, *columns, strict=True)
        ]
        air = self.room.to_dict()
        return {"pue": known(self.pue), "racks": racks, "loops": self.loops.to_rows(), "air": air} | {
            "year": None if self.year is None else self.year.to_dict()
        }
