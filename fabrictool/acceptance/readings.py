"""What the logs of runs say, run by run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np

from fabrictool.acceptance.expecting import Expected
from fabrictool.acceptance.ladder import Run
from fabrictool.fabric.tables import F8

#: Deviation that stands for a run without results: a twentieth of the speed.
NOTHING = float(np.log(0.05))
#: So many of the largest sizes are taken together.
STEADY = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """The results of a run.

    Parameters
    ----------
    run : Run
    file : str
        Its log.
    busbw : mapping of float to float
        Bus bandwidth in B/s by size in bytes, in place and out of place averaged.
    wrong : int
        Sizes at which results were wrong.
    complete : bool
        Whether the run came to its end.
    """

    run: Run
    file: str
    busbw: Mapping[float, float]
    wrong: int = 0
    complete: bool = True

    def deviations(self, expected: Sequence[Expected]) -> F8:
        """Return the logarithm of measured over expected at each size, NaN where it was not measured."""
        found = [
            np.log(self.busbw[each.nbytes] / each.busbw_bytes_per_s) if self.busbw.get(each.nbytes) else np.nan
            for each in expected
        ]
        return np.array(found)

    def deviation(self, expected: Sequence[Expected]) -> float:
        """Return the mean deviation at the largest sizes measured; a run without results is as good as stopped."""
        at = self.deviations(expected)
        steady = at[~np.isnan(at)][-STEADY:]
        return float(max(steady.mean(), NOTHING)) if len(steady) else NOTHING

    def cliff(self, expected: Sequence[Expected]) -> float:
        """Return the size at which the run is less than half as fast as its other sizes promise, NaN for none."""
        at = self.deviations(expected)
        known = at[~np.isnan(at)]
        if len(known) < STEADY or isnan(float(np.nanmin(at))):
            return float("nan")
        lowest = int(np.nanargmin(at))
        return expected[lowest].nbytes if at[lowest] < np.median(known) - np.log(2.0) else float("nan")
