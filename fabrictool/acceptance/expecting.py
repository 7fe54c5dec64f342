"""What each run should measure: an 80 % range of bus bandwidth for each size, and the gate below which it fails.

The range says how far apart healthy clusters lie; all runs of one cluster share most of that. So the gate lies
lower, where 1 healthy cluster in 100 falls, and runs are held against their peers besides, which is sharper.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan, log2

import numpy as np

from fabrictool.acceptance.ladder import ALL_REDUCE, Ladder, Run
from fabrictool.acceptance.subject import Subject
from fabrictool.acceptance.traffic import Strains, strains, units_of
from fabrictool.collectives.expected.constants import calibration
from fabrictool.collectives.expected.from_fabric import UnmeasuredError, setting_of
from fabrictool.collectives.expected.ranges import expected_range, expected_time_s
from fabrictool.collectives.expected.setting import Setting
from fabrictool.collectives.runs import run_jobs
from fabrictool.collectives.schedules import bus_factor
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.fabric.tables import I4
from fabrictool.layout.workload import RankOrder
from fabrictool.records import Assumption

GIB = 2.0**30
#: Largest message; three buffers of it fit the memory of a GPU of 40 GB.
LARGEST = 8 * GIB
SMALLEST = GIB / 4
#: Standard normal quantiles of 99.5 % over 90 %: how much lower the gate lies than the range's end, in logarithms.
#: A healthy step raises a false alarm once in 100 times: half of them against its gate, half against peers.
_GATE = 2.5758 / 1.2816
#: Speed that collectives get of a network adapter: 46 to 49 of 50 GB/s (NVIDIA/nccl-tests issues 290 and 267).
ADAPTER_SHARE = 0.95
#: Half an 80 % range around a model of this kind from 256 MiB up, and where latency takes a tenth and more.
_STEADY, _MIXED = 1.10, 1.30
#: Latency of a ring's step: NCCL 2.30.7's tuning model, 64 hosts of 8 H100, 1.4 * 4,819 us / 1,022 steps.
_RING_STEP_S = 6.6e-6
#: Latency of an all-to-all for each doubling of its ranks.
_DOUBLING_S = 31e-6


@dataclass(frozen=True, slots=True)
class Expected:
    """What a run should measure at one size, in B/s of bus bandwidth.

    Parameters
    ----------
    nbytes : float
    busbw_bytes_per_s : float
        The middle.
    low_bytes_per_s, high_bytes_per_s : float
        Where 80 of 100 healthy clusters lie.
    gate_bytes_per_s : float
        Below it a run fails.
    time_s : float
        Of one operation.
    """

    nbytes: float
    busbw_bytes_per_s: float
    low_bytes_per_s: float
    high_bytes_per_s: float
    gate_bytes_per_s: float
    time_s: float

    def times(self, factor: float) -> Expected:
        """Return the same for a run that gets a part of the bandwidth."""
        return Expected(
            self.nbytes,
            self.busbw_bytes_per_s * factor,
            self.low_bytes_per_s * factor,
            self.high_bytes_per_s * factor,
            self.gate_bytes_per_s * factor,
            self.time_s / factor,
        )


@dataclass(frozen=True)
class Expectations:
    """What the runs of a ladder should measure, run by run, and what that rests on.

    Parameters
    ----------
    by_run : mapping of str to tuple of Expected
        By name of the run, from the smallest size up.
    strains : mapping of str to list of Strains
        By step, one for each round.
    assumptions : tuple of Assumption
    """

    by_run: dict[str, tuple[Expected, ...]]
    strains: dict[str, list[Strains]]
    assumptions: tuple[Assumption, ...]


def sizes_of(run: Run) -> tuple[float, ...]:
    """Return the sizes of a run in bytes: doubling, and from larger ones on where many ranks share a message."""
    smallest = SMALLEST * 2.0 ** max(0, int(log2(max(run.ranks, 1) / 64)))
    smallest = min(smallest, LARGEST / 4)
    return tuple(smallest * 2.0**power for power in range(int(log2(LARGEST / smallest)) + 1))


def expectations(ladder: Ladder) -> Expectations:
    """Return what the runs of a ladder should measure.

    Raises
    ------
    FabrictoolError
        If the collectives cannot be evaluated.
    """
    estimates = Estimates(ladder.subject)
    by_run: dict[str, tuple[Expected, ...]] = {}
    by_step = {}
    for step in ladder.steps:
        by_step[step.name] = [strains(ladder.subject, runs) for runs in step.rounds]
        for runs, found in zip(step.rounds, by_step[step.name], strict=True):
            by_run |= {run.name: estimates.of(run, found, row) for row, run in enumerate(runs)}
    return Expectations(by_run, by_step, tuple(estimates.assumptions))


class Estimates:
    """Estimates for one subject; runs of equal shape and equal bandwidth have equal ones."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        types = subject.layout.host_types() if subject.layout is not None else []
        self.kinds = {kind.name: kind.gpu for kind in types}
        self.known: dict[tuple[object, ...], tuple[Expected, ...]] = {}
        self.why_assumed = ""

    @property
    def assumptions(self) -> list[Assumption]:
        """What the estimates rest on."""
        if not self.why_assumed:
            found = calibration()
            text = f"{found.tuned_on}, whole clusters left out in turn"
            return [Assumption("80 % range of healthy clusters", f"calibrated, as of {found.as_of}", text)]
        return [
            Assumption("80 % range of healthy clusters", "±10 %, ±30 % where latency takes over 10 %",
                       f"assumed: {self.why_assumed}"),
            Assumption("share of an adapter's speed", "0.95", "46 to 49 of 50 GB/s: nccl-tests issues 290, 267"),
            Assumption("share of the scale-up speed", "0.82", "ring: 370 of 450 GB/s on H100: NVIDIA/nccl issue 1455"),
            Assumption("latency of a ring's step", "6.6 us", "NCCL 2.30.7 tuning model, 64 hosts of 8 H100"),
        ]  # fmt: skip

    def of(self, run: Run, found: Strains, row: int) -> tuple[Expected, ...]:
        """Return what a run should measure, by its row in the strains of its round."""
        rate, alone, linked = (float(column[row]) for column in (found.rate, found.alone, found.linked))
        hosts = list(run.hosts)
        types = tuple(np.unique(self.subject.fabric.devices.type[self.subject.device[hosts]]).tolist())
        domains = len(np.unique(self.subject.domain[hosts]))
        moved = -1 if isnan(alone) else round(alone / 1e6)
        shape = (run.test, len(run.hosts), len(run.gpus), run.pxn, run.ring, types, domains, moved)
        if shape not in self.known:
            self.known[shape] = tuple(self._alone(run, alone, linked))
        factor = 1.0 if isnan(rate) or alone <= 0 else rate / alone
        return tuple(each.times(factor) for each in self.known[shape])

    def _alone(self, run: Run, alone: float, linked: float) -> Iterator[Expected]:
        ranks = self.subject.endpoint[np.ix_(run.hosts, run.gpus)].ravel()
        units = units_of(self.subject, run)
        setting = self._setting(ranks)
        steady = _steady(run, alone if setting is None else linked, units.shape)
        for result in self._results(run, ranks):
            limit = (result.bound_busbw_bytes_per_s or np.inf) if setting is None or len(units) > 1 else np.inf
            most = limit if isnan(steady) else min(limit, steady)
            if setting is not None:
                yield _calibrated(run, result, setting, most)
            else:
                yield _assumed(run, result, most, len(units) > 1)

    def _setting(self, ranks: I4) -> Setting | None:
        """Return the machine that some ranks stand on, None for one that nothing was measured on."""
        wiring = self.subject.transport.wiring
        if (wiring.gpu[ranks] < 0).any():
            self.why_assumed = "the fabric's file knows of no GPUs, so each adapter is taken for one"
            return None
        try:
            return setting_of(self.subject.fabric, self.subject.transport.network, wiring.gpu[ranks], self.kinds)
        except UnmeasuredError as error:
            self.why_assumed = str(error)
            return None

    def _results(self, run: Run, ranks: I4) -> list[CollectiveResult]:
        order = RankOrder.model_validate({"list": ranks.tolist()})
        return run_jobs(self.subject.transport, [Job(0, run.test, None, sizes_of(run), order, "bound")])


def _calibrated(run: Run, result: CollectiveResult, setting: Setting, most: float) -> Expected:
    """Return the range of the calibrated model; a ring is never faster than its links."""
    factor = bus_factor(run.test, run.ranks)
    algorithm = "ring" if run.ring else "auto"
    least_s = factor * result.nbytes / most if most < np.inf else 0.0
    low, high = expected_range(setting, run.test, result.nbytes, least_s, algorithm=algorithm)
    time_s = expected_time_s(setting, run.test, result.nbytes, least_s, algorithm=algorithm)
    middle = factor * result.nbytes / time_s
    high = max(middle, min(high, most)) if run.ring else high
    return Expected(result.nbytes, middle, low, high, middle * (low / middle) ** _GATE, time_s)


def _assumed(run: Run, result: CollectiveResult, most: float, over_network: bool) -> Expected:
    """Return a range by shares of links that are known, where no model was calibrated."""
    reached = most * (ADAPTER_SHARE if over_network else 1.0)
    moved = bus_factor(run.test, run.ranks) * result.nbytes
    latency_s = 2 * (run.ranks - 1) * _RING_STEP_S if run.test == ALL_REDUCE else _DOUBLING_S * log2(run.ranks)
    time_s = moved / reached + latency_s
    busbw = moved / time_s
    width = _STEADY if latency_s < time_s / 10 else _MIXED
    return Expected(result.nbytes, busbw, busbw / width, min(busbw * width, most), busbw / width**_GATE, time_s)


def _steady(run: Run, alone_bps: float, units: tuple[int, ...]) -> float:
    """Return the bus bandwidth in B/s of a run without latency, from the rate of its flows."""
    if run.test == ALL_REDUCE:
        return alone_bps / 8 * (units[1] if units[0] > 1 else 1)
    return alone_bps / 8 * (run.ranks - 1)
