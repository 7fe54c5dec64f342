"""A ladder with what it should measure, as data: the plan that is written, and that logs are held against."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fabrictool import __version__
from fabrictool.acceptance.commands import ITERATIONS, WARM_UP, program
from fabrictool.acceptance.environment import variables
from fabrictool.acceptance.expecting import Expectations, Expected, expectations
from fabrictool.acceptance.ladder import Ladder, Run, Step, ladder_of
from fabrictool.acceptance.subject import Ints, Subject

FORMAT, VERSION = "fabrictool-acceptance", 1
#: Time that a run takes beside its operations: starting ranks, connecting them, checking results.
_START_S = 30.0
#: Strain from which on a run fills a link.
FULL = 0.8
#: Runs that start together, at most.
JOBS = 64


@dataclass(frozen=True)
class Plan:
    """What to measure at turn-up, and what to expect."""

    ladder: Ladder
    expected: Expectations

    @property
    def subject(self) -> Subject:
        """What is accepted."""
        return self.ladder.subject

    def of(self, run: Run) -> tuple[Expected, ...]:
        """Return what a run should measure, from the smallest size up."""
        return self.expected.by_run[run.name]

    def minutes(self, step: Step) -> float:
        """Return about how long a step takes."""
        return sum(-(-len(runs) // JOBS) * max(self._run_s(run) for run in runs) for runs in step.rounds) / 60

    def _run_s(self, run: Run) -> float:
        operations = 2 * (ITERATIONS + WARM_UP)  # out of place and in place
        return _START_S + operations * sum(each.time_s for each in self.of(run))

    @cached_property
    def own_links(self) -> Ints:
        """Links of the network, by row."""
        return np.flatnonzero(self.subject.fabric.links.network == self.subject.transport.network)

    @cached_property
    def not_filled(self) -> Ints:
        """Links that no run fills, such as spare uplinks: faults of these show in no step."""
        filled = np.zeros(len(self.subject.fabric.links), bool)
        for found in (each for rounds in self.expected.strains.values() for each in rounds):
            part = found.part[found.strain >= FULL]
            filled[part[part < len(filled)]] = True
        return self.own_links[~filled[self.own_links]]

    def kinds(self, step: Step) -> list[Run]:
        """Return the first run of each kind in a step: of each shape and expectation."""
        found: dict[object, Run] = {}
        for run in step.runs:
            found.setdefault((run.test, len(run.hosts), len(run.gpus), self.of(run)), run)
        return list(found.values())

    @cached_property
    def fingerprint(self) -> str:
        """What tells plans of other layouts or states apart: hosts, steps and runs, in 16 digits."""
        rows = [(run.name, run.test, run.hosts, run.gpus) for run in self.ladder.runs]
        text = json.dumps([self.subject.name, self.subject.names, rows])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Return the versioned JSON document of the plan; runs point at what they should measure by number."""
        shapes: dict[tuple[Expected, ...], int] = {}
        steps = [self._step(step, shapes) for step in self.ladder.steps]
        return {
            "format": FORMAT,
            "version": VERSION,
            "fabrictool": __version__,
            "layout": self.subject.name,
            "network": self.subject.transport.name,
            "routing": self.subject.transport.routing.name,
            "fingerprint": self.fingerprint,
            "hosts": self.subject.names,
            "steps": steps,
            "left_out": [{"step": title, "why": why} for title, why in self.ladder.left_out],
            "links": len(self.own_links),
            "links_not_filled": [self.subject.fabric.link_name(link) for link in self.not_filled.tolist()],
            "expected": [[_size(each) for each in shape] for shape in shapes],
            "assumptions": [row.to_dict() for row in self.expected.assumptions],
        }

    def _step(self, step: Step, shapes: dict[tuple[Expected, ...], int]) -> dict[str, Any]:
        return {
            "step": step.name,
            "title": step.title,
            "asks": step.asks,
            "minutes": round(self.minutes(step), 1),
            "environment": [one.to_dict() for one in variables(self.subject, step)],
            "runs": [self._run(run, shapes) for run in step.runs],
        }

    def _run(self, run: Run, shapes: dict[tuple[Expected, ...], int]) -> dict[str, Any]:
        return {
            "log": f"{run.name}.log",
            "round": run.round,
            "collective": run.test,
            "command": " ".join(program(run)),
            "hosts": [self.subject.names[host] for host in run.hosts],
            "gpus": list(run.gpus),
            "ranks": run.ranks,
            "expected": shapes.setdefault(self.of(run), len(shapes)),
        }


def _size(expected: Expected) -> Mapping[str, Any]:
    return {
        "nbytes": int(expected.nbytes),
        "busbw_bytes_per_s": round(expected.busbw_bytes_per_s),
        "range": [round(expected.low_bytes_per_s), round(expected.high_bytes_per_s)],
        "gate": round(expected.gate_bytes_per_s),
    }


def plan_of(subject: Subject) -> Plan:
    """Return the plan of a subject.

    Raises
    ------
    FabrictoolError
        If its collectives cannot be evaluated.
    """
    ladder = ladder_of(subject)
    return Plan(ladder, expectations(ladder))
