"""Pass or fail of each run and each step: against gates, and against peers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np

from fabrictool.acceptance.ladder import Run, Step
from fabrictool.acceptance.peers import Peers, base_of, peers_of
from fabrictool.acceptance.plan import Plan
from fabrictool.acceptance.readings import STEADY, Reading
from fabrictool.units import format_size

#: A collective, and the types of hosts.
Kind = tuple[str, tuple[int, ...]]
#: How much a step of one run may fall below the steps before it: models differ by scale.
_SCALE = float(np.log(1 / 0.75))
#: What is less below its peers is measured once more before it counts.
_DOUBTFUL = float(np.log(1.25))
#: Spread of a probe: it is held against other kinds of runs.
PROBE_SPREAD = 0.04


@dataclass(frozen=True, slots=True)
class Judged:
    """A run that was measured.

    Parameters
    ----------
    reading : Reading
    deviation : float
        Logarithm of measured over expected bandwidth.
    slowdown : float
        Logarithm of how many times slower it is than its peers.
    spread : float
        Standard deviation of that by chance.
    why : str
        Why it fails, empty for a pass.
    doubtful : bool
        Whether a failure may be chance: a little below its peers, and nothing else.
    """

    reading: Reading
    deviation: float
    slowdown: float
    spread: float
    why: str
    doubtful: bool = False

    @property
    def weak(self) -> bool:
        """Whether it fails in a way that measuring it once more by itself decides."""
        return bool(self.why) and self.doubtful

    @property
    def run(self) -> Run:
        """The run."""
        return self.reading.run


@dataclass(frozen=True, slots=True)
class StepResult:
    """A step with its runs that were measured; ``base`` is their usual deviation, a logarithm."""

    step: Step
    judged: tuple[Judged, ...]
    base: float

    @property
    def failed(self) -> tuple[Judged, ...]:
        """Runs that fail."""
        return tuple(one for one in self.judged if one.why)

    @property
    def status(self) -> str:
        """One of pass, fail, incomplete (what was measured passes) and not measured."""
        if self.failed:
            return "fail"
        if not self.judged:
            return "not measured"
        return "pass" if len(self.judged) == len(self.step.runs) else "incomplete"


def judge(plan: Plan, readings: Mapping[str, Reading]) -> tuple[StepResult, ...]:
    """Judge the steps of a plan.

    Parameters
    ----------
    plan : Plan
    readings : mapping of str to Reading
        By name of the run.
    """
    measured = {
        step.name: [readings[run.name] for run in step.runs if run.name in readings] for step in plan.ladder.steps
    }
    groups: dict[tuple[str, Kind], list[Reading]] = {}
    for name, found in measured.items():
        for one in found:
            groups.setdefault((name, _kind(plan, one.run)), []).append(one)
    deviations = {key: np.array([one.deviation(plan.of(one.run)) for one in found]) for key, found in groups.items()}
    apart = [values - base_of(values) for values in deviations.values() if len(values) > 1]
    pooled = np.concatenate(apart) if apart else np.zeros(0)
    results: list[StepResult] = []
    for step in plan.ladder.steps:
        before = usual(plan, results)
        keys = [key for key in groups if key[0] == step.name]
        judged = [one for key in keys for one in _judged(plan, groups[key], peers_of(deviations[key], pooled), before)]
        base = float(base_of(deviations[keys[0]])) if keys else float("nan")
        results.append(StepResult(step, tuple(judged), base))
    return tuple(results)


def _kind(plan: Plan, run: Run) -> Kind:
    """Return what makes runs of a step peers: their collective and the types of their hosts."""
    rows = plan.subject.device[list(run.hosts)]
    return run.test, tuple(np.unique(plan.subject.fabric.devices.type[rows]).tolist())


def usual(plan: Plan, results: Sequence[StepResult]) -> float:
    """Return how this cluster's network usually deviates, by the steps that are above their gates; NaN for none."""
    bases = [
        one.base
        for one in results
        if one.judged and one.step.name not in ("host", "domain") and one.base >= _allowed(plan, one.step.runs[0])
    ]
    return float(np.median(bases)) if bases else float("nan")


def _allowed(plan: Plan, run: Run) -> float:
    """Return the deviation at which a run's largest sizes are at their gates."""
    gates = [np.log(each.gate_bytes_per_s / each.busbw_bytes_per_s) for each in plan.of(run)]
    return float(np.mean(gates[-STEADY:]))


def _judged(plan: Plan, readings: list[Reading], peers: Peers | None, before: float) -> Iterator[Judged]:
    for one in readings:
        deviation, allowed = one.deviation(plan.of(one.run)), _allowed(plan, one.run)
        base = peers.base if peers is not None else before
        if isnan(base) or base < allowed:  # all are slow: what others reach here, or the model, is the standard left
            base = 0.0 if isnan(before) else before
        limit, spread = (peers.limit, peers.spread) if peers is not None else (_SCALE, PROBE_SPREAD)
        usually_low = peers is None or peers.base < allowed
        why = _wrong(one) or (_below_gate(plan, one) if usually_low and deviation < allowed else "")
        why = why or _below_peers(base - deviation, limit, peers is None) or _cliff(plan, one)
        little = peers is not None and not usually_low and limit < base - deviation < _DOUBTFUL and not one.wrong
        yield Judged(one, deviation, base - deviation, spread, why, little and one.complete)


def _wrong(one: Reading) -> str:
    if one.wrong:
        return f"wrong results at {one.wrong} size{'s' * (one.wrong > 1)}"
    if not one.busbw:
        return "the run failed, without results"
    return "" if one.complete else "its log ends before the run did"


def _below_gate(plan: Plan, one: Reading) -> str:
    size = max((each for each in plan.of(one.run) if one.busbw.get(each.nbytes)), key=lambda each: each.nbytes)
    measured = one.busbw[size.nbytes]
    return f"{measured / 1e9:.4g} GB/s at {format_size(size.nbytes)}, gate {size.gate_bytes_per_s / 1e9:.4g}"


def _below_peers(slowdown: float, limit: float, alone: bool) -> str:
    if slowdown <= limit:
        return ""
    than = "what the steps before promise" if alone else "its peers"
    return f"{100 * (1 - np.exp(-slowdown)):.0f} % below {than}; {100 * (1 - np.exp(-limit)):.0f} % may be chance"


def _cliff(plan: Plan, one: Reading) -> str:
    size = one.cliff(plan.of(one.run))
    return "" if isnan(size) else f"less than half as fast at {format_size(size)} as at its other sizes"
