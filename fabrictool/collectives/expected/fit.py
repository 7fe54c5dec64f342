"""A machine's own start-up and efficiency, fitted to what was measured on it.

All start-ups and hops of the calibrated model take one factor, all shares of links another; both are found by least
squares of ln(measured / predicted time) under Cauchy's loss, which a few odd points hardly move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fabrictool.collectives.expected.bandwidth import busbw_bytes_per_s
from fabrictool.collectives.expected.constants import Calibration, Spread
from fabrictool.collectives.expected.setting import Setting, stacked
from fabrictool.collectives.expected.times import time_s

F8 = npt.NDArray[np.float64]
Range = tuple[float, float]
#: Constants that are times, by the end of their names, and those that are shares of links.
_SHARES = ("ring", "tree", "one_way", "exchange", "nvls_hopper", "nvls_blackwell")
#: Residuals beyond this count as odd; start-ups and shares are looked for about so far from those that ship (ln).
_ODD, _WIDTHS = 0.05, np.array([1.0, 0.4])
_NORMAL_95 = 1.96
#: Least half width of a range after a fit: runs of one machine differ by this much from day to day.
_LEAST_SPREAD = 0.03


@dataclass(frozen=True, slots=True)
class Fit:
    """What points of one collective say of a machine.

    Parameters
    ----------
    collective : str
    points : int
    startup_s, startup_range_s : float and (float, float)
        Time of the smallest message on the largest setting, with its 95 % interval; the interval is None where
        no point is short enough to tell.
    busbw_bytes_per_s, busbw_range_bytes_per_s : float and (float, float)
        Bus bandwidth of large messages there; the interval is None where no point is large enough.
    latency_factor, efficiency_factor : float
        Start-ups and shares of links, in units of the calibration that ships.
    spread : (float, float)
        10 % and 90 % quantiles of ln(measured / fitted time).
    smallest, largest : float
        Sizes measured, in bytes.
    settings : tuple of Setting
        That were measured.
    """

    collective: str
    points: int
    startup_s: float
    startup_range_s: Range | None
    busbw_bytes_per_s: float
    busbw_range_bytes_per_s: Range | None
    latency_factor: float
    efficiency_factor: float
    spread: Range
    smallest: float
    largest: float
    settings: tuple[Setting, ...]

    def calibration(self, known: Calibration, setting: Setting) -> Calibration:
        """Return a calibration for this machine, with narrow ranges where it was measured."""
        constants = scaled(known.constants, self.latency_factor, self.efficiency_factor)
        if setting not in self.settings:
            return replace(known, constants=constants)
        return replace(known, constants=constants, one=self._spread(known.one), several=self._spread(known.several))

    def _spread(self, known: Spread) -> Spread:
        far = (self.smallest / 4, self.largest * 4)
        edges = [known.at(size) for size in far]
        nbytes = np.array([far[0], self.smallest / 2, self.largest * 2, far[1]])
        fast = np.array([edges[0][0], self.spread[0], self.spread[0], edges[1][0]])
        slow = np.array([edges[0][1], self.spread[1], self.spread[1], edges[1][1]])
        return Spread(nbytes, fast, slow)

    def to_dict(self) -> dict[str, object]:
        """Return the keys of the JSON output."""
        return {name: getattr(self, name) for name in self.__slots__ if name not in ("settings", "spread")}


def scaled(constants: Mapping[str, float], latency: float, efficiency: float) -> dict[str, float]:
    """Return constants with all times multiplied by one factor, and all shares of links by another."""
    return {
        name: value * latency if name.endswith("_s")
        else value * efficiency if name in _SHARES or name.startswith("network_")
        else value
        for name, value in constants.items()
    }  # fmt: skip


def fitted(collective: str, settings: Sequence[Setting], nbytes: F8, measured_s: F8, known: Calibration) -> Fit:
    """Fit start-up and efficiency to points of one collective; (P,) each.

    Parameters
    ----------
    collective : str
        ``all`` to fit points of several by ``names``.
    settings : sequence of Setting
        Of each point.
    nbytes, measured_s : (P,) float array
    known : Calibration
        What the factors are in units of.
    """
    from scipy.optimize import least_squares

    every = stacked(settings)

    def residual(values: F8) -> F8:
        found = time_s(every, collective, nbytes, scaled(known.constants, *np.exp(values)))
        return np.asarray(np.log(measured_s / found), np.float64)

    def cost(values: F8) -> F8:
        off = residual(values) / _ODD
        return np.concatenate([np.sign(off) * np.sqrt(np.log1p(off**2)), values / _WIDTHS])

    best = least_squares(cost, np.zeros(2)).x
    left = residual(best)
    wide = _NORMAL_95 * _errors(residual, best, left)
    low, high = np.quantile(left, (0.1, 0.9))
    constants = scaled(known.constants, *np.exp(best))
    largest = max(settings, key=lambda setting: float(setting.ranks))
    return Fit(
        collective,
        len(nbytes),
        float(time_s(largest, collective, 1.0, constants)),
        _interval(float(time_s(largest, collective, 1.0, constants)), wide[0]),
        float(busbw_bytes_per_s(largest, collective, constants, "auto")),
        _interval(float(busbw_bytes_per_s(largest, collective, constants, "auto")), wide[1]),
        float(np.exp(best[0])),
        float(np.exp(best[1])),
        (float(min(low, -_LEAST_SPREAD)), float(max(high, _LEAST_SPREAD))),
        float(nbytes.min()),
        float(nbytes.max()),
        tuple(dict.fromkeys(settings)),
    )


def _errors(residual, best: F8, left: F8) -> F8:  # type: ignore[no-untyped-def]
    """Return the standard errors of both logarithms; points count as independent, odd ones less."""
    step = 1e-4
    slopes = np.stack([(residual(best + step * side) - left) / step for side in np.eye(2)], axis=1)
    weights = 1 / (1 + (left / _ODD) ** 2)
    scale = max(1.4826 * float(np.median(np.abs(left))), 0.005)
    information = slopes.T @ (weights[:, None] * slopes)
    if len(left) < 3 or np.linalg.cond(information + 1e-12 * np.eye(2)) > 1e8:
        information = np.diag(np.diag(information))
    spread = np.full(2, np.inf)
    told = np.diag(information) > 1e-3 * len(left)
    inverse = np.linalg.pinv(information)
    spread[told] = scale * np.sqrt(np.diag(inverse)[told])
    return spread


def _interval(value: float, half: float) -> Range | None:
    """Return a value's interval, None where it says nothing."""
    return (value * float(np.exp(-half)), value * float(np.exp(half))) if half < np.log(3) else None
