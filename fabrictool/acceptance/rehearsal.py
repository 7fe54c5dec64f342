"""Rehearsals: what a fabric with known faults would measure, with noise, and how many runs it takes to find them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from fabrictool.acceptance.expecting import Expected
from fabrictool.acceptance.ladder import Run
from fabrictool.acceptance.plan import Plan
from fabrictool.acceptance.readings import Reading
from fabrictool.acceptance.subject import Subject, with_fabric
from fabrictool.acceptance.traffic import run_flows, strains
from fabrictool.acceptance.verdict import Verdict, probe_expectations, verdict_of
from fabrictool.fabric.tables import F8
from fabrictool.routing.flows import flows

#: Rounds of probes after which a rehearsal is given up.
_MOST_ROUNDS = 12


@dataclass(frozen=True)
class World:
    """A fabric as it really is, which a plan does not know.

    Parameters
    ----------
    plan : Plan
    sick : Subject
        The same hosts with slow or failed links.
    inside : mapping of str to float
        Hosts whose scale-up links are left with a share of their speed.
    noise : float
        Standard deviation of a measurement's logarithm; runs of a size differ by it.
    hosts : float
        Standard deviation of hosts' own lasting differences; a run is as good as its worst host.
    share, own_share : float
        What this cluster reaches of what is expected, and what inside a host.
    seed : int
    """

    plan: Plan
    sick: Subject
    inside: Mapping[str, float] = field(default_factory=dict)
    noise: float = 0.025
    hosts: float = 0.005
    share: float = 0.95
    own_share: float = 0.975
    seed: int = 0

    @cached_property
    def generator(self) -> np.random.Generator:
        """Draws the noise."""
        return np.random.default_rng(self.seed)

    @cached_property
    def subject(self) -> Subject:
        """The sick subject, scale-up links included."""
        if not self.inside:
            return self.sick
        fabric = self.sick.fabric
        speed = fabric.gpus.scale_up_bps.copy()
        for name, factor in self.inside.items():
            speed[fabric.gpus.host == fabric.names.index(name)] *= factor
        return with_fabric(self.sick, replace(fabric, gpus=replace(fabric.gpus, scale_up_bps=speed)))

    @cached_property
    def own(self) -> F8:
        """Lasting difference of each host, a logarithm of at most 0, (hosts,)."""
        return -np.abs(np.random.default_rng(self.seed + 1).normal(0.0, self.hosts, len(self.plan.subject.names)))

    def measure(self, runs: Sequence[Run], together: bool = True) -> dict[str, Reading]:
        """Return what runs that start at once would measure, the rest of the fabric being idle."""
        left = self.left(runs, together)
        return {
            run.name: self._reading(run, ratio if self._reaches(run) else 0.0)
            for run, ratio in zip(runs, left.tolist(), strict=True)
        }

    def left(self, runs: Sequence[Run], together: bool) -> F8:
        """Return what the faults leave of the bandwidth of each run, 1 where a run is too large to follow, (runs,)."""
        healthy = strains(self.plan.subject, runs, together)
        now = strains(self.subject, runs, together)
        return np.where(np.isnan(healthy.rate), 1.0, now.rate / healthy.rate)

    def _reaches(self, run: Run) -> bool:
        """Return whether all flows of a run have a way."""
        found = run_flows(self.subject, run) if self.subject.transport.wiring.faults.links.dead.any() else None
        return found is None or bool((self.subject.routing.usage(flows(*found)).hops >= 0).all())

    def _reading(self, run: Run, ratio: float) -> Reading:
        if not ratio > 0:
            return Reading(run, "", {}, complete=False)
        share = self.own_share if len(run.hosts) == 1 else self.share
        lasting = float(np.log(share * ratio) + self.own[list(run.hosts)].min())
        once = self.generator.normal(0.0, self.noise)
        expected = self._expected(run)
        each = self.generator.normal(0.0, self.noise / 2, len(expected))
        busbw = {
            one.nbytes: one.busbw_bytes_per_s * float(np.exp(lasting + once + extra))
            for one, extra in zip(expected, each.tolist(), strict=True)
        }
        return Reading(run, "", busbw)

    def _expected(self, run: Run) -> tuple[Expected, ...]:
        known = self.plan.expected.by_run.get(run.name)
        return known if known is not None else probe_expectations(self.plan, [run])[run.name]


@dataclass(frozen=True)
class Rehearsal:
    """How a fault was looked for.

    Parameters
    ----------
    verdict : Verdict
        The last one.
    rounds, runs : int
        Parallel rounds and runs that were measured until then.
    located_after : int or None
        Rounds after which all faults were located, None if they were not.
    """

    verdict: Verdict
    rounds: int
    runs: int
    located_after: int | None


def rehearse(world: World, probing: bool = True, until_located: bool = False) -> Rehearsal:
    """Climb the ladder as an operator would: step by step, with the probes that each verdict asks for.

    Parameters
    ----------
    world : World
    probing : bool
        Whether probes are done; else the ladder alone.
    until_located : bool
        Whether to stop where all faults that show are located.
    """
    climb = _Climb(world)
    for step in world.plan.ladder.steps:
        for together in step.rounds:
            climb.measure(together, together=True)
        climb.judge()
        for _ in range(_MOST_ROUNDS if probing else 0):
            if not climb.verdict.next or (until_located and climb.located_after is not None):
                break
            climb.measure(climb.verdict.next, together=False)
            climb.judge()
        if until_located and climb.located_after is not None:
            break
    return Rehearsal(climb.verdict, climb.rounds, climb.runs, climb.located_after)


class _Climb:
    """What was measured so far, and what that says."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.readings: dict[str, Reading] = {}
        self.rounds = self.runs = 0
        self.located_after: int | None = None
        self.verdict = verdict_of(world.plan, {})

    def measure(self, runs: Sequence[Run], together: bool) -> None:
        self.readings |= self.world.measure(runs, together)
        self.rounds, self.runs = self.rounds + 1, self.runs + len(runs)

    def judge(self) -> None:
        self.verdict = verdict_of(self.world.plan, self.readings)
        if self.located_after is None and _located(self.verdict):
            self.located_after = self.rounds


def _located(verdict: Verdict) -> bool:
    """Return whether something is suspected and every suspicion has one suspect."""
    return bool(verdict.suspicions) and all(one.located for one in verdict.suspicions)
