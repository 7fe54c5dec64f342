"""What loops carry, with all CDUs and after the loss of one: as rows, and for how long they last without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.cooling.conditions import LiquidConditions, liquid_conditions, once
from fabrictool.cooling.heat import RackHeat
from fabrictool.cooling.liquid import COOLANTS
from fabrictool.cooling.loop_design import LoopDesign, loop_design
from fabrictool.cooling.loop_states import LoopState, loop_state
from fabrictool.cooling.loops import ride_through_s
from fabrictool.cooling.serving import Serving
from fabrictool.fabric.tables import F8, Bool
from fabrictool.placement import Racks
from fabrictool.placement.racks import number_or_nan
from fabrictool.power.racks import known
from fabrictool.records import Assumption

if TYPE_CHECKING:
    from fabrictool.tabular import Table

#: Coolant in a loop, with its share of the row's pipes, in m3 a rack.
VOLUME_M3_PER_RACK = 0.1
#: Copper and coolant that a chip has under its plate: 0.4 kg and 0.05 l of PG25, in J/K.
PLATE_J_PER_K = 0.4 * 385 + 0.05e-3 * 4.00343e6
#: How much a loop may warm where nobody says what its devices stand, in K.
RISE_ALLOWED_K = 10.0


@dataclass(frozen=True)
class LoopCooling:
    """Loops of a hall, (loops,) each.

    Parameters
    ----------
    serving : Serving
    design : LoopDesign
    normal, after_loss : LoopState
        With all CDUs, and without those that may fail at once.
    racks, gpus : ndarray
        Racks on each loop, and accelerators under its plates.
    most_c : ndarray
        Coolant that its devices stand, in degC; inf where nobody says.
    ride_s : ndarray
        Seconds until the loop has warmed to that, or by 10 K, once its facility water stops; pumps go on.
    stopped_s : ndarray
        Seconds until chips are 10 K warmer once pumps stop.
    assumptions : tuple of Assumption
    """

    serving: Serving
    design: LoopDesign
    normal: LoopState
    after_loss: LoopState
    racks: F8
    gpus: F8
    most_c: F8
    ride_s: F8
    stopped_s: F8
    assumptions: tuple[Assumption, ...]

    def __len__(self) -> int:
        return len(self.serving.name)

    def lost_with_one(self) -> Bool:
        """Say of each loop whether the loss of one CDU stops its devices, (loops,).

        They stop where the coolant gets warmer than they stand; where nobody says what that is, where the loop cannot
        hold its temperature.
        """
        one = loop_state(self.serving, self.design, np.maximum(self.design.count - 1, 0))
        most = np.where(np.isfinite(self.most_c), self.most_c, self.design.supply_c) + 1e-6
        return np.asarray((one.supply_c > most) & (self.design.heat_w > 0))

    def to_rows(self) -> list[dict[str, Any]]:
        """Return ``cooling.loops`` of the JSON output."""
        return [self._row(row) for row in range(len(self))]

    def table(self) -> Table:
        """Return the loops as a table."""
        from fabrictool.tabular import Column, Table

        rows = self.to_rows()
        after = [row["after_loss"] or {} for row in rows]

        def column(name: str, key: str, unit: str = "") -> Column:
            return Column(name, [row[key] for row in rows], unit, format=_four_digits)

        return Table(
            "loops",
            (
                column("loop", "loop"), column("racks", "racks"), column("CDUs", "count"),
                column("heat", "heat_w", "W"),
                column("supply", "supply_c", "C"), column("return", "return_c", "C"),
                Column("flow", [row["coolant_m3_per_s"] * 6e4 for row in rows], "l/min", format=_four_digits),
                column("load", "load"),
                Column("load after loss", [row.get("load") for row in after]), column("drop", "pressure_drop_pa", "Pa"),
                column("lasts", "ride_through_s", "s"), column("without pumps", "pumps_stopped_s", "s"),
            ),
        )  # fmt: skip

    def _row(self, row: int) -> dict[str, Any]:
        d, stated = self.design, self.serving.stated[int(self.serving.stated_row[row])]
        return {
            "loop": self.serving.name[row],
            "cdu": stated.cdu.name if stated.cdu else None,
            "count": None if np.isnan(d.count[row]) else int(d.count[row]),
            "redundancy": stated.redundancy,
            "racks": int(self.racks[row]),
            "heat_w": float(d.heat_w[row]),
            "coolant": d.coolant[row],
            "facility_supply_c": known(d.facility_c[row]),
            "ride_through_s": _finite(self.ride_s[row]),
            "pumps_stopped_s": _finite(self.stopped_s[row]),
            **_state(self.normal, row),
            "after_loss": None if np.isnan(d.count[row]) else _state(self.after_loss, row),
        }


def _four_digits(value: Any) -> str:
    from fabrictool.tabular import format_value

    return format_value(float(f"{value:.4g}") if isinstance(value, float) else value)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _state(state: LoopState, row: int) -> dict[str, Any]:
    return {
        "running": None if np.isnan(state.running[row]) else int(state.running[row]),
        "supply_c": _finite(state.supply_c[row]),
        "return_c": _finite(state.return_c[row]),
        "coolant_m3_per_s": _finite(state.flow_m3_per_s[row]),
        "facility_m3_per_s": _finite(state.facility_flow_m3_per_s[row]),
        "facility_return_c": _finite(state.facility_return_c[row]),
        "capacity_w": _finite(state.capacity_w[row]),
        "load": _finite(state.load[row]),
        "pressure_drop_pa": _finite(state.drop_pa[row]),
        "pumps_w": _finite(state.pumps_w[row]),
    }


def stated_conditions(serving: Serving, racks: Racks) -> tuple[LiquidConditions, ...]:
    """Return temperatures and coolant of each loop as stated: those of doors where rear doors alone hang on it."""
    plated = racks.cooling != "rear-door"
    stated = np.append(serving.stated_row, -1)[serving.rack]
    return tuple(
        liquid_conditions(loop, bool(serving.served(row).any() and not plated[stated == row].any()))
        for row, loop in enumerate(serving.stated)
    )


def loop_cooling(serving: Serving, racks: Racks, heat: RackHeat, gpus: F8, coolant_max_c: F8) -> LoopCooling:
    """Return what each loop carries.

    Parameters
    ----------
    heat : RackHeat
    gpus, coolant_max_c : ndarray, (racks,)
        Accelerators under plates, and the warmest coolant that a rack's devices stand, inf where nobody says.
    """
    conditions = stated_conditions(serving, racks)
    design = loop_design(serving, conditions, serving.sum_by_loop(heat.loop_w, heat.behind_w))
    normal = loop_state(serving, design, design.count)
    after = loop_state(serving, design, np.maximum(design.count - design.lost, 0))
    most = np.full(len(serving.name), np.inf)
    on = serving.rack >= 0
    np.minimum.at(most, serving.rack[on], coolant_max_c[on])
    number = serving.sum_by_loop(np.ones(len(racks)), np.ones(len(racks)))
    stored, assumed = _stored_j_per_k(serving, design, number)
    warming = np.where(np.isfinite(most), np.maximum(most - normal.supply_c, 0), RISE_ALLOWED_K)
    carried = np.where(design.heat_w > 0, design.heat_w, np.nan)
    chips = serving.sum_by_loop(gpus)
    used = [row for row, loop in enumerate(serving.stated) if serving.served(row).any()]
    return LoopCooling(
        serving, design, normal, after, number, chips, most,
        ride_through_s(stored, warming, carried),
        np.where(chips > 0, ride_through_s(chips * PLATE_J_PER_K, RISE_ALLOWED_K, carried), np.nan),
        once((*serving.assumptions, *(a for row in used for a in conditions[row].assumptions),
              *(design.assumptions if used else ()), *(assumed if used else ()))),
    )  # fmt: skip


def _stored_j_per_k(serving: Serving, design: LoopDesign, racks: F8) -> tuple[F8, tuple[Assumption, ...]]:
    """Return the heat that a loop's coolant stores, in J/K; NaN for one that boils."""
    given = number_or_nan([loop.volume_m3 for loop in serving.stated])[serving.stated_row]
    volume = np.where(np.isnan(given), VOLUME_M3_PER_RACK * racks, given)
    rate = np.where(np.isinf(design.j_per_m3_k), np.nan, design.j_per_m3_k)
    if not np.isnan(given).any() or not len(given):
        return volume * rate, ()
    source = "reference row loop: 800 l for 8 racks; for the seconds of ride-through"
    return volume * rate, (Assumption("coolant in a loop without 'volume'", "100 l a rack", source),)


def coolant_by_rack(loops: LoopCooling, heat: RackHeat) -> F8:
    """Return the coolant that each rack takes of its loops, in kg/s; NaN for racks without one."""
    d = loops.design
    mean = d.supply_c + d.rise_k / 2
    density = np.array([_density(name, at) for name, at in zip(d.coolant, mean.tolist(), strict=True)])
    each = np.divide(loops.normal.flow_m3_per_s * density, d.heat_w, out=np.zeros(len(loops)), where=d.heat_w > 0)
    behind = np.append(each, 0.0)[loops.serving.door] * heat.behind_w
    return loops.serving.of_racks(each) * heat.loop_w + behind


def _density(coolant: str, temperature_c: float) -> float:
    from fabrictool.cooling.loops import BOILING

    if coolant in BOILING:
        return BOILING[coolant].liquid_kg_per_m3
    return float(COOLANTS[coolant].density_kg_per_m3(temperature_c))
