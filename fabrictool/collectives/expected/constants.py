"""The calibrated constants as data: values, what they were tuned on, and how far measurements lie around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml


@dataclass(frozen=True, slots=True)
class Spread:
    """Quantiles of ln(measured time / predicted) on clusters left out of the fit, by size."""

    nbytes: npt.NDArray[np.float64]
    fast: npt.NDArray[np.float64]
    slow: npt.NDArray[np.float64]

    def at(self, nbytes: float) -> tuple[float, float]:
        """Return the logarithms of the fastest and the slowest that eight of ten runs take."""
        x = np.log(max(nbytes, 1.0))
        return float(np.interp(x, np.log(self.nbytes), self.fast)), float(np.interp(x, np.log(self.nbytes), self.slow))


@dataclass(frozen=True, slots=True)
class Beyond:
    """How ranges widen, slower only, with each doubling of ranks beyond those that were measured over a network.

    ``per_doubling`` is the logarithm of time at each of ``nbytes``.
    """

    ranks: float
    nbytes: npt.NDArray[np.float64]
    per_doubling: npt.NDArray[np.float64]
    source: str

    def slow(self, ranks: float, nbytes: float) -> float:
        """Return what is added to the logarithm of the slowest time."""
        each = np.interp(np.log(max(nbytes, 1.0)), np.log(self.nbytes), self.per_doubling)
        return float(each * np.log2(max(ranks / self.ranks, 1.0)))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Constants with where they come from; ``one`` and ``several`` are the spreads for one host and more."""

    as_of: str
    tuned_on: str
    constants: Mapping[str, float]
    one: Spread
    several: Spread
    beyond: Beyond


@cache
def calibration() -> Calibration:
    """Return the calibration that ships."""
    text = resources.files("fabrictool.collectives.expected").joinpath("calibration.yaml").read_text(encoding="utf-8")
    raw: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    spreads = {
        name: Spread(*(np.array(row, np.float64) for row in spread.values())) for name, spread in raw["spread"].items()
    }
    beyond = raw["beyond"]
    further = Beyond(beyond["ranks"], np.array(beyond["nbytes"]), np.array(beyond["per_doubling"]), beyond["source"])
    return Calibration(raw["as_of"], raw["tuned_on"], raw["constants"], spreads["one"], spreads["several"], further)
