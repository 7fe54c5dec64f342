"""Prints the verdict on an acceptance: steps, suspects, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
import numpy as np

from fabrictool.cli.common import print_tables

if TYPE_CHECKING:
    from fabrictool.acceptance.ladder import Run
    from fabrictool.acceptance.suspects import Suspicion
    from fabrictool.acceptance.verdict import Verdict
    from fabrictool.tabular import Table

_SHOWN = 4
#: What to do about each kind of suspect.
_ADVICE = {
    "link": "look at errors and rate of both ports and at the adapter's PCIe; clean, reseat or exchange the cable",
    "inside": "look at clocks, power caps, NVLink errors and the fabric manager of this host",
    "host": "look at the host rather than at its cables: PCIe settings (ACS), NUMA, firmware, NCCL_IB_HCA",
    "switch": "look at the switch: firmware, buffers and credits, temperature, a line card",
    "rail": "look at what the rail has in common: its spines, its switches' settings",
    "plane": "look at what the plane has in common: its spines, its switches' settings",
    "everything": "look at what all hosts have in common: variables, library and plugin versions, PCIe settings",
}


def tables(verdict: Verdict) -> list[Table]:
    """Return steps, suspects, and the runs that come next as tables."""
    return [_steps(verdict), _suspects(verdict), _next(verdict)]


def show(verdict: Verdict, directory: str, script: str | None, verbose: bool) -> None:
    """Print a verdict for people."""
    print_tables([_steps(verdict)], "table")
    click.echo("\n".join(_lines(verdict, directory, script, verbose)))


def _lines(verdict: Verdict, directory: str, script: str | None, verbose: bool) -> Iterator[str]:
    failed = sum(len(step.failed) for step in verdict.steps)
    measured = sum(len(step.judged) for step in verdict.steps)
    word = ("PASS" if verdict.done else "PASS so far" if measured else "NOTHING YET") if verdict.ok else "FAIL"
    yield f"\nVERDICT  {word}   {measured:,} runs measured, {failed:,} fail"
    for number, one in enumerate(verdict.suspicions, 1):
        yield from _suspicion(number, one, verbose)
    loose = verdict.unexplained
    if loose:
        yield f"OPEN     {_some([one.run.name for one in loose], verbose)}: slow, and no one part explains it"
        yield "         -> measure these once more by themselves, then their halves"
    yield from (f"LIKE     {text}" for text in verdict.signatures)
    if script is not None:
        runs = [_what(run, verdict.plan.subject.names) for run in verdict.next]
        yield f"NEXT     bash {script}   ({len(runs)} runs: {_some(runs, verbose)})"
    step = verdict.next_step
    if step is not None:
        number = 1 + [one.step.name for one in verdict.steps].index(step.step.name)
        yield f"{'THEN' if script else 'NEXT'}     bash {directory.rstrip('/')}/{number}-{step.step.name}.sh"


def _suspicion(number: int, one: Suspicion, verbose: bool) -> Iterator[str]:
    names = [f"link {each.name}" if each.kind == "link" else each.name for each in one.suspects]
    head = names[0] if one.located else f"one of {len(names)}: {_some(names, verbose)}"
    left = "without results" if one.speed_left < 0.06 else f"with about {100 * one.speed_left:.0f} % of its speed"
    yield f"SUSPECT  {number} {head}"
    runs = _some([each.run.name for each in one.runs], verbose)
    yield f"         {left}; explains {len(one.runs)} slow run{'s' * (len(one.runs) != 1)}: {runs}"
    if one.located:
        yield f"         -> {_ADVICE[one.suspects[0].kind]}"


def _what(run: Run, names: list[str]) -> str:
    hosts = " + ".join(names[host] for host in run.hosts) if len(run.hosts) <= 2 else f"{len(run.hosts)} hosts"
    return f"{hosts} on GPU {','.join(map(str, run.gpus))}"


def _some(names: list[str], verbose: bool) -> str:
    return ", ".join(names if verbose else names[:_SHOWN]) + (", …" if len(names) > _SHOWN and not verbose else "")


def _steps(verdict: Verdict) -> Table:
    from fabrictool.tabular import Column, Table

    worst = [max(step.failed, key=lambda one: one.slowdown, default=None) for step in verdict.steps]
    return Table(
        f"acceptance of {verdict.plan.subject.name}",
        (
            Column("step", [step.step.name for step in verdict.steps]),
            Column("status", [step.status for step in verdict.steps]),
            Column("measured", [len(step.judged) for step in verdict.steps]),
            Column("of", [len(step.step.runs) for step in verdict.steps], key="runs"),
            Column("fail", [len(step.failed) for step in verdict.steps]),
            Column("of expected", [float(np.exp(step.base)) if step.judged else None for step in verdict.steps],
                   align="right", format=lambda share: f"{100 * share:.0f} %", key="of_expected"),
            Column("worst", [one.run.name if one is not None else None for one in worst]),
            Column("why", [one.why if one is not None else None for one in worst]),
        ),
    )  # fmt: skip


def _suspects(verdict: Verdict) -> Table:
    from fabrictool.tabular import Column, Table

    rows = [(number, one, each) for number, one in enumerate(verdict.suspicions, 1) for each in one.suspects]
    return Table(
        "suspects",
        (
            Column("fault", [number for number, _, _ in rows]),
            Column("kind", [each.kind for _, _, each in rows]),
            Column("suspect", [each.name for _, _, each in rows]),
            Column("located", [one.located for _, one, _ in rows]),
            Column("speed left", [one.speed_left for _, one, _ in rows], key="speed_left"),
            Column("slow runs", [len(one.runs) for _, one, _ in rows], key="runs"),
        ),
    )


def _next(verdict: Verdict) -> Table:
    from fabrictool.tabular import Column, Table

    names = verdict.plan.subject.names
    return Table(
        "next",
        (
            Column("log", [f"{run.name}.log" for run in verdict.next]),
            Column("collective", [run.test for run in verdict.next]),
            Column("hosts", [" ".join(names[host] for host in run.hosts) for run in verdict.next]),
            Column("gpus", [" ".join(map(str, run.gpus)) for run in verdict.next]),
        ),
    )
