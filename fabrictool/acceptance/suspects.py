"""Which part explains the runs that are slow, and contradicts none that are not.

A part left with 1/f of its speed makes a run f times its strain slower, where that is above 1. Each candidate is
fitted with its own f to all runs at once; candidates that explain nearly as well as the best are suspects, and what
they explain is set aside before the next fault is looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, csr_array

from fabrictool.acceptance.candidates import Candidate, Catalogue
from fabrictool.acceptance.judging import Judged
from fabrictool.acceptance.traffic import Strains
from fabrictool.fabric.tables import F8

#: Log-likelihood by which a candidate may fall behind the best and still be a suspect.
CLOSE = 12.0
#: Error of a slowdown that is predicted, as a part of it: strains are a model's.
_MODEL_ERROR = 0.15
#: Faults that are looked for in one call, and candidates that are fitted.
MOST_FAULTS, _FITTED = 24, 256
#: Strain from which on a run says something about a part.
_TELLS = 0.3


@dataclass(frozen=True)
class Suspicion:
    """One fault: candidates that explain the same slow runs, the best first.

    Parameters
    ----------
    suspects : tuple of Candidate
    speed_left : float
        Share of its speed that the first would be left with.
    runs : tuple of Judged
        Slow runs that it explains.
    """

    suspects: tuple[Candidate, ...]
    speed_left: float
    runs: tuple[Judged, ...]

    @property
    def located(self) -> bool:
        """Whether there is one suspect."""
        return len(self.suspects) == 1


@dataclass(frozen=True)
class Evidence:
    """Runs that were measured, and what strains them.

    Parameters
    ----------
    judged : tuple of Judged
    strain : (runs, parts) sparse float
    over_network : (runs,) bool
        Which runs are limited by the network rather than by what is inside hosts.
    """

    judged: tuple[Judged, ...]
    strain: csr_array
    over_network: npt.NDArray[np.bool_]

    @property
    def slowdown(self) -> F8:
        """Logarithm of how many times slower each run is than its peers, (runs,)."""
        return np.array([one.slowdown for one in self.judged])

    @property
    def spread(self) -> F8:
        """Standard deviation of that by chance, (runs,)."""
        return np.array([one.spread for one in self.judged])


def evidence(judged: Sequence[Judged], found: Sequence[tuple[Strains, int]], parts: int, links: int) -> Evidence:
    """Return runs with the rows of strains that belong to them."""
    part = [one.part[one.first[row] : one.first[row + 1]] for one, row in found]
    strain = [one.strain[one.first[row] : one.first[row + 1]] for one, row in found]
    first = np.concatenate(([0], np.cumsum([len(row) for row in part]))).astype(np.int64)
    columns = np.concatenate([*part, np.zeros(0, np.int64)])
    matrix = csr_array((np.concatenate([*strain, np.zeros(0)]), columns, first), shape=(len(judged), parts))
    network = np.array([bool((row[at < links] >= _TELLS).any()) for row, at in zip(strain, part, strict=True)], bool)
    return Evidence(tuple(judged), matrix, network)


def suspicions(catalogue: Catalogue, found: Evidence) -> list[Suspicion]:
    """Return the faults that explain the slow runs, the one that explains most first."""
    open_runs = np.ones(len(found.judged), bool)
    failed = np.array([bool(one.why) and one.slowdown > 0 for one in found.judged], bool)
    columns = csc_array(found.strain)
    result: list[Suspicion] = []
    while (failed & open_runs).any() and len(result) < MOST_FAULTS:
        fault = _next_fault(catalogue, found, columns, failed & open_runs, open_runs)
        if fault is None:
            break
        suspicion, explained = fault
        result.append(suspicion)
        open_runs &= ~explained
    return result


def _next_fault(
    catalogue: Catalogue,
    found: Evidence,
    columns: csc_array,
    slow: npt.NDArray[np.bool_],
    open_runs: npt.NDArray[np.bool_],
) -> tuple[Suspicion, npt.NDArray[np.bool_]] | None:
    """Return the fault that explains most of the slow runs that are open, and which runs it explains."""
    fits = []
    for one in _plausible(catalogue, found, slow, open_runs):
        strain = _strain(one, columns, found.over_network)
        gain, factor = _fit(strain, found, slow, open_runs)
        fits.append((gain - one.prior, gain, factor, one, strain))
    fits = [fit for fit in fits if fit[1] > CLOSE]
    if not fits:
        return None
    fits.sort(key=lambda fit: (-fit[0], fit[3].prior))
    best = fits[0]
    predicted = np.log(np.maximum(1.0, best[2] * best[4]))
    explained = (predicted > 0) & (found.slowdown <= predicted * (1 + 2 * _MODEL_ERROR) + 3 * found.spread)
    explained |= slow & (predicted > found.slowdown / 2)
    suspects = tuple(fit[3] for fit in fits if fit[0] >= best[0] - CLOSE)
    runs = tuple(found.judged[row] for row in np.flatnonzero(explained & slow).tolist())
    return (Suspicion(suspects, 1.0 / best[2], runs), explained) if runs else None


def _plausible(
    catalogue: Catalogue, found: Evidence, slow: npt.NDArray[np.bool_], open_runs: npt.NDArray[np.bool_]
) -> list[Candidate]:
    """Return candidates that slow runs use, single parts that passing runs use as much left out."""
    used, over_network = found.strain.copy(), found.over_network
    used.data = (used.data >= _TELLS).astype(np.float64)
    in_slow = np.asarray(used.T @ slow.astype(np.float64))
    in_passed = np.asarray(used.T @ (open_runs & ~slow).astype(np.float64))
    touched = np.flatnonzero(in_slow > 0)
    single = touched[np.argsort((2 * in_passed - in_slow)[touched], kind="stable")][:_FITTED].tolist()
    groups = [one for one in catalogue.groups if not len(one.parts) or float(in_slow[one.parts].max()) > 0]
    network = open_runs & over_network
    if 2 * int((network & slow).sum()) <= int(network.sum()):
        groups = [one for one in groups if one.kind != "everything"]
    groups.sort(key=lambda one: float((2 * in_passed - in_slow)[one.parts].sum()) if len(one.parts) else 0.0)
    return [*(catalogue.single(part) for part in single), *groups[:_FITTED]]


def _strain(one: Candidate, columns: csc_array, over_network: npt.NDArray[np.bool_]) -> F8:
    """Return how much a candidate strains each run: the most that one of its parts does."""
    if one.kind == "everything":
        return over_network.astype(np.float64)
    if len(one.parts) == 1:
        low, high = columns.indptr[one.parts[0]], columns.indptr[one.parts[0] + 1]
        strain = np.zeros(columns.shape[0])
        strain[columns.indices[low:high]] = columns.data[low:high]
        return strain
    return np.asarray(columns[:, one.parts].max(axis=1).todense()).ravel().astype(np.float64)


def _fit(
    strain: F8, found: Evidence, slow: npt.NDArray[np.bool_], open_runs: npt.NDArray[np.bool_]
) -> tuple[float, float]:
    """Return the best gain in log-likelihood over no fault, and the factor that gives it."""
    seen = slow & (strain >= _TELLS)
    if not seen.any():
        return 0.0, 1.0
    slowdown, spread = found.slowdown, found.spread
    factors = np.exp(slowdown[seen]) / strain[seen]
    factors = np.unique(np.quantile(factors, np.linspace(0, 1, min(len(factors), 9))))
    used = open_runs & (strain > 0)
    predicted = np.log(np.maximum(1.0, factors[:, None] * strain[used]))
    variance = spread[used] ** 2 + (_MODEL_ERROR * predicted) ** 2
    gain = (slowdown[used] ** 2 - (slowdown[used] - predicted) ** 2) / (2 * variance)
    more = slowdown[used] > predicted + 3 * np.sqrt(variance)  # so slow that something else explains it
    total = np.where((predicted > 0) & ~more, gain, 0.0).sum(axis=1)
    best = int(total.argmax())
    return float(total[best]), float(factors[best])
