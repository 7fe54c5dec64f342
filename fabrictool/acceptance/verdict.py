"""The verdict on what was measured: each step, what is suspected, and what to measure next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isnan
from typing import Any

import numpy as np

from fabrictool import __version__
from fabrictool.acceptance.candidates import Catalogue
from fabrictool.acceptance.expecting import Estimates, Expected
from fabrictool.acceptance.judging import PROBE_SPREAD, Judged, StepResult, judge, usual
from fabrictool.acceptance.ladder import Run
from fabrictool.acceptance.peers import LEAST, chance
from fabrictool.acceptance.plan import Plan
from fabrictool.acceptance.probes import next_probes, probe_named
from fabrictool.acceptance.readings import Reading
from fabrictool.acceptance.signatures import signature
from fabrictool.acceptance.suspects import Suspicion, evidence, suspicions
from fabrictool.acceptance.traffic import Strains, strains

FORMAT, VERSION = "fabrictool-acceptance-verdict", 1


@dataclass(frozen=True)
class Verdict:
    """What logs say about a plan.

    Parameters
    ----------
    plan : Plan
    steps : tuple of StepResult
    probes : tuple of Judged
        Runs outside the ladder that were measured.
    suspicions : tuple of Suspicion
        Faults, the one that explains most first.
    next : tuple of Run
        What to measure next, all at once.
    """

    plan: Plan
    steps: tuple[StepResult, ...]
    probes: tuple[Judged, ...]
    suspicions: tuple[Suspicion, ...]
    next: tuple[Run, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing that was measured fails."""
        return not any(step.failed for step in self.steps)

    @property
    def done(self) -> bool:
        """Whether all steps were measured."""
        return all(len(step.judged) == len(step.step.runs) for step in self.steps)

    @property
    def next_step(self) -> StepResult | None:
        """The first step with runs that were not measured."""
        return next((step for step in self.steps if len(step.judged) < len(step.step.runs)), None)

    @cached_property
    def unexplained(self) -> tuple[Judged, ...]:
        """Runs that fail and that no suspect explains."""
        return _unexplained([*(one for step in self.steps for one in step.judged), *self.probes], self.suspicions)

    @property
    def signatures(self) -> list[str]:
        """What all runs of a step together look like, where no part explains them."""
        parts = {run.run.name for one in self.suspicions if one.suspects[0].kind != "everything" for run in one.runs}
        alike = [step for step in self.steps if any(one.run.name not in parts for one in step.failed)]
        return [text for step in alike if (text := signature(step))]

    def to_dict(self) -> dict[str, Any]:
        """Return the versioned JSON document."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "fabrictool": __version__,
            "layout": self.plan.subject.name,
            "fingerprint": self.plan.fingerprint,
            "ok": self.ok,
            "done": self.done,
            "steps": [_step(step) for step in self.steps],
            "probes": [_run(one) for one in self.probes],
            "suspicions": [_suspicion(one) for one in self.suspicions],
            "unexplained": [one.run.name for one in self.unexplained],
            "signatures": self.signatures,
            "next": [self._next(run) for run in self.next],
            "next_step": self.next_step.step.name if self.next_step is not None else None,
        }

    def _next(self, run: Run) -> dict[str, Any]:
        names = self.plan.subject.names
        hosts = [names[host] for host in run.hosts]
        return {"log": f"{run.name}.log", "collective": run.test, "hosts": hosts, "gpus": list(run.gpus)}


def _step(step: StepResult) -> dict[str, Any]:
    return {
        "step": step.step.name,
        "status": step.status,
        "runs": len(step.step.runs),
        "measured": len(step.judged),
        "of_expected": round(float(np.exp(step.base)), 4) if step.judged else None,
        "failed": [_run(one) for one in step.failed],
    }


def _run(one: Judged) -> dict[str, Any]:
    return {
        "run": one.run.name,
        "log": one.reading.file,
        "of_expected": round(float(np.exp(one.deviation)), 4),
        "below_peers": round(float(1 - np.exp(-one.slowdown)), 4),
        "why": one.why,
    }


def _suspicion(one: Suspicion) -> dict[str, Any]:
    return {
        "located": one.located,
        "suspects": [{"kind": each.kind, "name": each.name} for each in one.suspects],
        "speed_left": round(one.speed_left, 3),
        "runs": [each.run.name for each in one.runs],
    }


def verdict_of(plan: Plan, readings: Mapping[str, Reading]) -> Verdict:
    """Return the verdict on what was measured.

    Parameters
    ----------
    plan : Plan
    readings : mapping of str to Reading
        By name of the run: runs of the ladder, and probes.
    """
    steps = judge(plan, readings)
    probes = _probed(plan, steps, [one for name, one in readings.items() if name not in plan.ladder.by_name])
    steps = tuple(_cleared(plan, step, probes) for step in steps)
    judged = [*(one for step in steps for one in step.judged), *probes]
    if not any(one.why for one in judged):
        return Verdict(plan, steps, tuple(probes), (), ())
    subject = plan.subject
    catalogue = Catalogue(subject)
    parts = catalogue.links + len(subject.names)
    found = suspicions(catalogue, evidence(judged, _rows(plan, judged), parts, catalogue.links))
    chosen = next_probes(catalogue, found, _unexplained(judged, found), judged)
    return Verdict(plan, steps, tuple(probes), tuple(found), tuple(chosen))


def _cleared(plan: Plan, step: StepResult, probes: Sequence[Judged]) -> StepResult:
    """Return a step whose runs that were a little slow once pass if they are not when measured again.

    A run that shared links with others of its round is not cleared: by itself it meets no contention.
    """
    fine = {_shape(one.run) for one in probes if not one.why}
    alone = {
        run.name
        for runs, found in zip(step.step.rounds, plan.expected.strains[step.step.name], strict=True)
        for run, rate, most in zip(runs, found.rate.tolist(), found.alone.tolist(), strict=True)
        if not rate < 0.99 * most
    }
    judged = [
        replace(one, why="", slowdown=0.0) if one.weak and _shape(one.run) in fine and one.run.name in alone else one
        for one in step.judged
    ]
    return replace(step, judged=tuple(judged))


def _shape(run: Run) -> tuple[object, ...]:
    return run.test, run.hosts, run.gpus, run.pxn


def _unexplained(judged: Sequence[Judged], found: Sequence[Suspicion]) -> tuple[Judged, ...]:
    explained = {one.run.name for suspicion in found for one in suspicion.runs}
    return tuple(one for one in judged if one.why and one.run.name not in explained)


def _rows(plan: Plan, judged: Sequence[Judged]) -> list[tuple[Strains, int]]:
    """Return the strains of each run, and its row in them."""
    place: dict[str, tuple[Strains, int]] = {}
    for step in plan.ladder.steps:
        for runs, found in zip(step.rounds, plan.expected.strains[step.name], strict=True):
            place |= {run.name: (found, row) for row, run in enumerate(runs)}
    others = [one.run for one in judged if one.run.name not in place]
    if others:
        alone = strains(plan.subject, others, together=False)
        place |= {run.name: (alone, row) for row, run in enumerate(others)}
    return [place[one.run.name] for one in judged]


def _probed(plan: Plan, steps: Sequence[StepResult], readings: Sequence[Reading]) -> list[Judged]:
    """Judge probes against what their expectations are usually met by on this cluster."""
    if not readings:
        return []
    known = usual(plan, steps)
    base = 0.0 if isnan(known) else known
    expected = probe_expectations(plan, [one.run for one in readings])
    limit = max(LEAST, chance(len(readings), 30.0) * PROBE_SPREAD)
    found = []
    for one in readings:
        deviation = one.deviation(expected[one.run.name])
        slowdown = base - deviation
        why = f"{100 * (1 - np.exp(-slowdown)):.0f} % below what is usual here" if slowdown > limit else ""
        found.append(Judged(one, deviation, slowdown, PROBE_SPREAD, "wrong results" if one.wrong else why))
    return found


def probe_expectations(plan: Plan, runs: Sequence[Run]) -> dict[str, tuple[Expected, ...]]:
    """Return what probes should measure, each by itself."""
    alone = strains(plan.subject, runs, together=False)
    estimates = Estimates(plan.subject)
    return {run.name: estimates.of(run, alone, row) for row, run in enumerate(runs)}


def run_named(plan: Plan, name: str) -> Run | None:
    """Return the run of a log's name: of the ladder, or a probe; None for another."""
    return plan.ladder.by_name.get(name) or probe_named(plan.ladder, name)
