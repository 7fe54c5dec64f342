"""An element of a hall's supply under load: together, and line by line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fabrictool.fabric.tables import F8
from fabrictool.power.circuits import IEC_A, NEC_A, breaker_a, imbalance


@dataclass(frozen=True)
class ElementLines:
    """What the lines of an element carry, normally and under the failure that loads one of them most.

    Parameters
    ----------
    voltage_v : float
        Between lines; NaN where nothing says.
    power_factor : float
    load_w, worst_w : ndarray, (3,)
        Current of each line times voltage to neutral and power factor, in W: a third of the power where all are alike.
    neutral_w, worst_neutral_w : float
        Likewise of the neutral, without harmonics.
    worst_failure : str or None
    """

    voltage_v: float
    power_factor: float
    load_w: F8
    neutral_w: float
    worst_w: F8
    worst_neutral_w: float
    worst_failure: str | None

    @property
    def fullest_w(self) -> float:
        """Three times what the fullest line carries, in W: the balanced load that fills lines as much."""
        return 3 * float(self.load_w.max())

    @property
    def worst_fullest_w(self) -> float:
        """Likewise under the worst failure."""
        return 3 * float(self.worst_w.max())

    @property
    def imbalance(self) -> float:
        """Deviation of a line from their mean, over the mean, the larger of both states."""
        return float(max(imbalance(self.load_w), imbalance(self.worst_w)))

    def amps(self, line_w: F8 | float) -> F8:
        """Return what a line's power is in A; NaN where no voltage is known."""
        return np.asarray(np.asarray(line_w) * np.sqrt(3) / (self.voltage_v * self.power_factor))


@dataclass(frozen=True)
class Element:
    """One element of the supply: ratings and loads in W, and the failure under which its load is largest.

    Parameters
    ----------
    nameplate_w : float
        Its load if all racks drew their nameplates at once, without cap or diversity.
    breaker_w : float
        Power at which each line carries what its breaker allows; inf where no breaker is stated.
    breaker_a : float or None
    continuous : float
        Share of the breaker's rating that may be drawn all the time.
    lines : ElementLines or None
        None of direct current.
    """

    name: str
    kind: str
    rating_w: float
    load_w: float
    loss_w: float
    left_w: float
    worst_w: float
    worst_failure: str | None
    nameplate_w: float
    breaker_w: float
    breaker_a: float | None
    continuous: float
    lines: ElementLines | None

    @property
    def limit_w(self) -> float:
        """What it may carry if its lines carry alike, by rating and breaker; inf where neither is known."""
        return min(self.rating_w, self.breaker_w)

    @property
    def fullest_w(self) -> float:
        """What it carries at its fullest line, as a balanced load, under the worst failure."""
        return self.worst_w if self.lines is None else max(self.worst_w, self.lines.worst_fullest_w)

    @property
    def fullest_failure(self) -> str | None:
        """The failure under which it carries that."""
        by_line = self.lines is not None and self.lines.worst_fullest_w > self.worst_w
        return self.lines.worst_failure if by_line and self.lines else self.worst_failure

    def to_dict(self) -> dict[str, Any]:
        """Return a row of ``power.supply`` in JSON; null where nothing says."""
        rating = self.rating_w if np.isfinite(self.rating_w) else None
        return {
            "name": self.name, "kind": self.kind, "rating_w": rating, "load_w": self.load_w, "loss_w": self.loss_w,
            "worst_w": self.worst_w, "worst_failure": self.worst_failure,
            "oversubscription": None if rating is None else self.nameplate_w / rating,
            "lines": None if self.lines is None else self._lines(self.lines), "breaker_a": self.breaker_a,
        }  # fmt: skip

    def _lines(self, lines: ElementLines) -> dict[str, Any]:
        volts = lines.voltage_v if np.isfinite(lines.voltage_v) else None
        most = lines.amps(lines.worst_w)
        found: dict[str, Any] = {"voltage_v": volts, "imbalance": lines.imbalance, "worst_failure": lines.worst_failure}
        keys = ("lines_a", "neutral_a", "worst_lines_a", "worst_neutral_a", "limit_a", "breaker_nec_a", "breaker_iec_a")
        if volts is None:
            return found | dict.fromkeys(keys)
        limit = float(lines.amps(self.limit_w / 3)) if np.isfinite(self.limit_w) else None
        values = (
            lines.amps(lines.load_w).tolist(), float(lines.amps(lines.neutral_w)), most.tolist(),
            float(lines.amps(lines.worst_neutral_w)), limit, *standard_breakers(float(most.max()), self.continuous),
        )  # fmt: skip
        return found | dict(zip(keys, values, strict=True))


def standard_breakers(most_a: float, continuous: float) -> tuple[float | None, float | None]:
    """Return the smallest breakers of NEC and IEC that carry a current all the time, in A; None where none does."""
    sizes = (float(breaker_a(most_a, continuous, ratings)) for ratings in (NEC_A, IEC_A))
    nec, iec = (size if np.isfinite(size) else None for size in sizes)
    return nec, iec
