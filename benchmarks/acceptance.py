"""How many runs it takes to locate faults put into fabrics, and how often healthy fabrics raise alarms.

Run as ``python benchmarks/acceptance.py``; takes some minutes. What runs measure comes from the model: each run's
expected bandwidth, times what the fault leaves of it, times what the cluster usually reaches (log-normal: 95 % with 5
% over the network, 97.5 % with 3.5 % inside a host, about what published clusters do from 1 GiB up), with hosts' own
lasting differences (0.5 %) and log-normal noise from run to run (2.5 %). Nothing of that is known to the verdict.
What a fault leaves is by the fluid that the verdict takes runs for, and once more by the schedules of ``score``,
which know barriers, phases and latencies that the verdict does not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import fabrictool as ft
from fabrictool.acceptance.candidates import Candidate, Catalogue
from fabrictool.acceptance.ladder import Run
from fabrictool.acceptance.plan import Plan, plan_of
from fabrictool.acceptance.rehearsal import World, rehearse
from fabrictool.acceptance.subject import Subject, subject_of
from fabrictool.collectives.runs import run_jobs
from fabrictool.collectives.workloads import Job
from fabrictool.layout.workload import RankOrder
from fabrictool.scenario import asked_for

TOPOLOGIES = Path(__file__).parents[1] / "topologies"
FABRICS = ("ft64", "k-ary-8", "dgx-superpod-h100-1su", "dgx-superpod-h100-4su", "roce-2048-2to1",
           "dgx-superpod-gb200-2su")  # fmt: skip
SCHEDULED = ("ft64", "dgx-superpod-h100-1su")
HEALTHY, FAULTY = 100, 20


@dataclass(frozen=True)
class Fault:
    """What is slow in a fabric: parts of a candidate that are left with a share of their speed."""

    kind: str
    truth: Candidate
    factor: float


class Scheduled(World):
    """A world in which faults cost what the schedules of ``score`` say: rounds with barriers, phase after phase."""

    def left(self, runs: Sequence[Run], together: bool) -> np.ndarray:
        """Return the busbw of each run in the sick fabric over that in the healthy one."""
        return np.array([self._busbw(self.subject, run) / self._busbw(self.plan.subject, run) for run in runs])

    def _busbw(self, subject: Subject, run: Run) -> float:
        ranks = subject.endpoint[np.ix_(run.hosts, run.gpus)].ravel().tolist()
        order = RankOrder.model_validate({"list": ranks})
        job = Job(0, run.test, None if run.pxn else "pairwise", (2.0**33,), order)
        return float(run_jobs(subject.transport, [job])[0].busbw_bytes_per_s or 0.0)


def _subject(name: str, **faults: object) -> Subject:
    return subject_of(ft.read_layout(str(TOPOLOGIES / f"{name}.yaml")), asked_for(**faults))  # type: ignore[arg-type]


def _shares(seed: int) -> dict[str, float]:
    """Return what a cluster reaches of what is expected over its network, and inside a host."""
    rng = np.random.default_rng(1_000 + seed)
    network, inside = np.exp(rng.normal((-0.05, -0.025), (0.05, 0.035))).tolist()
    return {"share": network, "own_share": inside}


def _faults(plan: Plan, rng: np.random.Generator) -> Iterator[Fault]:
    """Yield one fault of each kind, drawn at random."""
    catalogue, fabric = Catalogue(plan.subject), plan.subject.fabric
    tier = fabric.devices.tier
    lower, upper = (tier[end[catalogue.own]] for end in fabric.ends)
    hosts = np.isin(fabric.ends[0], catalogue.subject.device)[catalogue.own]
    for factor in (0.5, 0.25):
        for kind, chosen in (("host link", hosts & (upper > 0)), ("uplink", lower > 0)):
            link = int(rng.choice(np.setdiff1d(catalogue.own[chosen], plan.not_filled)))
            yield Fault(f"{kind} at {factor:g}", catalogue.single(link), factor)
    for kind in ("host", "switch", "rail"):
        groups = [one for one in catalogue.groups if one.kind == kind]
        if kind == "switch":
            groups = [one for one in groups if tier[fabric.names.index(one.name.partition(":")[0])] == 1]
        if groups:
            yield Fault(f"{'leaf' if kind == 'switch' else kind} at 0.5", groups[rng.integers(len(groups))], 0.5)
    if catalogue.subject.scaled_up:
        part = catalogue.links + int(rng.integers(len(catalogue.subject.names)))
        yield Fault("inside a host at 0.5", catalogue.single(part), 0.5)


def _sick(name: str, catalogue: Catalogue, fault: Fault) -> tuple[Subject, dict[str, float]]:
    links = [int(part) for part in fault.truth.parts if part < catalogue.links]
    inside = [catalogue.subject.names[part - catalogue.links] for part in fault.truth.parts if part >= catalogue.links]
    fabric = catalogue.subject.fabric
    slow = {fabric.port_name(int(fabric.links.port_a[link])): fault.factor for link in links}
    return _subject(name, slow=slow), dict.fromkeys(inside, fault.factor)


def _found(name: str, plan: Plan, fault: Fault, seed: int, kind: type[World]) -> tuple[int, int, bool, bool]:
    """Return rounds and runs until the fault was located, whether it was, and whether it is among the suspects."""
    catalogue = Catalogue(plan.subject)
    sick, inside = _sick(name, catalogue, fault)
    result = rehearse(kind(plan, sick, inside, **_shares(seed), seed=seed), until_located=True)
    suspects = [one for each in result.verdict.suspicions for one in each.suspects]
    among = any(one.name == fault.truth.name for one in suspects)
    first = result.verdict.suspicions[0] if result.verdict.suspicions else None
    located = first is not None and first.located and first.suspects[0].name == fault.truth.name
    return result.rounds, result.runs, located, among


def locating(name: str, plan: Plan, kind: type[World], times: int) -> None:
    rows: dict[str, list[tuple[int, int, bool, bool]]] = {}
    for seed in range(times):
        for fault in _faults(plan, np.random.default_rng(seed)):
            rows.setdefault(fault.kind, []).append(_found(name, plan, fault, seed, kind))
    for title, found in rows.items():
        rounds, runs, located, among = (np.array(column) for column in zip(*found, strict=True))
        hits = f"{int(located.sum())} of {len(found)}"
        rounds, runs = (column[located] if located.any() else column for column in (rounds, runs))
        print(f"| {name} | {title} | {hits} | {int(among.sum())} | {np.median(rounds):g}, {rounds.max()} | "
              f"{np.median(runs):g}, {runs.max()} |")  # fmt: skip


def alarms(name: str, plan: Plan) -> None:
    first = again = 0
    for seed in range(HEALTHY):
        for probing in (False, True):
            world = World(plan, plan.subject, **_shares(seed), seed=seed)
            failed = sum(bool(step.failed) for step in rehearse(world, probing).verdict.steps)
            first, again = first + failed * (not probing), again + failed * probing
    steps = HEALTHY * len(plan.ladder.steps)
    runs = sum(len(step.runs) for step in plan.ladder.steps)
    print(f"| {name} | {runs} | {first} of {steps} | {again} of {steps} |")


def main() -> None:
    chosen = sys.argv[1:] or FABRICS
    plans = {name: plan_of(_subject(name)) for name in chosen}
    print("| fabric | fault | located | among suspects | rounds until then: median, most | runs: median, most |")
    print("|---|---|--:|--:|--:|--:|")
    for name, plan in plans.items():
        locating(name, plan, World, FAULTY)
    print("\nBy the schedules of score:\n")
    for name in SCHEDULED:
        if name in plans:
            locating(name, plans[name], Scheduled, FAULTY // 2)
    print("\n| healthy fabric | runs | steps with an alarm | after measuring again |\n|---|--:|--:|--:|")
    for name, plan in plans.items():
        alarms(name, plan)


if __name__ == "__main__":
    main()
