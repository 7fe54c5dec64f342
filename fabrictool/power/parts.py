"""Elements of a hall's supply: how many there are, and what they draw for what they deliver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8
from fabrictool.power.conversion import (
    PSU_CURVES,
    PSU_LOADS,
    UPS_LOSS,
    busbar_ohm,
    curve_efficiency,
    dc_bar,
    transformer_loss_w,
    ups_loss_w,
)
from fabrictool.power.feeds import single_phase_va, three_phase_va
from fabrictool.power.limits import CONTINUOUS
from fabrictool.power.phasors import C16, balanced_lines, lines_power_w, through_delta

if TYPE_CHECKING:
    from fabrictool.layout.facility import Bar, Supply

#: Efficiency of elements that give none; a UPS of known rating follows its curve. Assumed.
EFFICIENCY = {"utility": 1.0, "generator": 1.0, "transformer": 0.99, "ups": 0.96, "rectifier": 0.975, "busway": 0.99,
              "panel": 0.995, "shelf": 0.975, "dc-dc": 0.985, "busbar": 1.0}  # fmt: skip

#: What delivers direct current, and what draws from all three lines alike whatever its own carry.
DIRECT = frozenset({"rectifier", "shelf", "dc-dc", "busbar"})
EVEN = DIRECT | {"ups"}

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Equal elements under one name: one, or one for each so many racks.

    Parameters
    ----------
    stated : Supply
    which : ndarray of int64, (rows,)
        Which of them each row of what hangs on the supply is behind: racks, then cooling.
    count : int
        How many there are.
    sources : tuple of int
        Parts that they draw from, the preferred first.
    rating_w : float
        Real power of all modules of one of them, in W; inf where unknown.
    voltage_v : float
        That it delivers, from line to line; NaN where nothing says.
    """

    stated: Supply
    which: Rows
    count: int
    sources: tuple[int, ...]
    rating_w: float
    voltage_v: float

    @property
    def direct(self) -> bool:
        """Whether it delivers direct current, which has no phases."""
        return self.stated.kind in DIRECT

    @property
    def continuous(self) -> float:
        """Share of its breaker's rating that may be drawn all the time."""
        return CONTINUOUS if self.stated.continuous is None else self.stated.continuous

    def breaker_w(self, power_factor: float) -> float:
        """Return the power at which its lines carry what its breaker allows, in W; inf where none is stated."""
        if self.stated.amps is None:
            return np.inf
        apparent = single_phase_va if self.direct else three_phase_va
        allowed = float(apparent(self.voltage_v, self.stated.amps)) * self.continuous
        return allowed if self.direct else allowed * power_factor

    @property
    def names(self) -> list[str]:
        """Names of its elements, numbered where there are several by design."""
        if self.stated.racks is None:
            return [self.stated.name]
        width = max(2, len(str(self.count)))
        return [f"{self.stated.name}-{number + 1:0{width}d}" for number in range(self.count)]

    def input_w(self, output_w: F8) -> F8:
        """Return what its elements draw for what they deliver, in W."""
        loss_w = self._loss_w(output_w)
        if loss_w is not None:
            return np.where(output_w > 0, output_w + loss_w, 0.0)
        given = self.stated.efficiency
        if isinstance(given, list | str):
            points = np.array((PSU_LOADS, PSU_CURVES[given])) if isinstance(given, str) else np.array(given).T
            loads, efficiencies = points
            return np.asarray(output_w / curve_efficiency(output_w / self.rating_w, loads, efficiencies))
        return np.asarray(output_w / (EFFICIENCY[self.stated.kind] if given is None else given))

    def drawn_lines_w(self, lines_w: C16) -> C16:
        """Return how what it delivers loads the lines that it draws from, (..., 3) in W, its losses aside."""
        if self.stated.kind in EVEN:
            return balanced_lines(lines_power_w(lines_w))
        return through_delta(lines_w) if self.stated.kind == "transformer" else lines_w

    def _loss_w(self, output_w: F8) -> F8 | None:
        """Return what elements under load lose, in W; None where an efficiency says it."""
        stated = self.stated
        if stated.bar is not None:
            return dc_bar(output_w, stated.bar.voltage_v, bar_ohm(stated.bar) / stated.count).loss_w
        if stated.losses is not None:
            each = (stated.losses.no_load_w or 0.0, stated.losses.full_load_w or 0.0)
            return transformer_loss_w(output_w, self.rating_w, stated.count * each[0], stated.count * each[1])
        if stated.efficiency is None and stated.kind == "ups" and np.isfinite(self.rating_w):
            return ups_loss_w(output_w, self.rating_w, UPS_LOSS)
        return None


def bar_ohm(bar: Bar) -> F8:
    """Return the resistance of a bar there and back, in ohm."""
    return busbar_ohm(2 * bar.length_m, bar.area_m2, bar.temperature_c)
