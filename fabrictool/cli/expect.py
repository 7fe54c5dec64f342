"""``fabrictool score --expect``: the plan of an acceptance, and the verdict on what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabrictool.cli.common import asked_by, print_json, print_tables

if TYPE_CHECKING:
    from fabrictool.acceptance import Plan
    from fabrictool.tabular import Column, Table

#: Options of ``score`` that say what to evaluate; a plan has its own collectives.
_OTHERS = {"collective": (), "algorithm": None, "sizes": (), "ranks": None, "rank_order": "linear", "model": "rounds"}


def expect(layouts: tuple[str, ...], form: str, watch: bool, quiet: bool, options: dict[str, Any]) -> int:
    """Write the plan for one layout and print its steps; with logs, print the verdict and write what comes next."""
    _refuse(layouts, watch, options)
    from fabrictool.acceptance import plan_of, subject_of
    from fabrictool.formats.recognise import opened

    plan = plan_of(subject_of(opened(layouts[0]), asked_by(options), options["routing"]))
    if options["measured"]:
        return _judge(plan, form, quiet, options)
    return _write(plan, form, quiet, options["expect"])


def _write(plan: Plan, form: str, quiet: bool, directory: str) -> int:
    from fabrictool.acceptance import write_plan

    files = write_plan(plan, directory)
    if form == "json":
        print_json(plan.to_dict())
    elif not quiet:
        print_tables([step_table(plan)], form)
        if form == "table":
            click.echo(f"\nwrote {len(files):,} files into {directory}; start with its README.md")
    return 0


def _judge(plan: Plan, form: str, quiet: bool, options: dict[str, Any]) -> int:
    from fabrictool.acceptance.logs import actual_names, read_logs
    from fabrictool.acceptance.verdict import verdict_of
    from fabrictool.acceptance.writing import check_plan, write_next
    from fabrictool.cli.verdict import show, tables

    directory = options["expect"]
    check_plan(plan, directory)
    logs = read_logs(plan, options["measured"], actual_names(str(Path(directory) / "hosts.map")))
    verdict = verdict_of(plan, logs)
    script = write_next(plan, verdict.next, directory)
    if form == "json":
        print_json(verdict.to_dict())
    elif form != "table":
        print_tables(tables(verdict), form)
    elif not quiet:
        show(verdict, directory, script, options["verbose"])
    return 0 if verdict.ok else 1


def _refuse(layouts: tuple[str, ...], watch: bool, options: dict[str, Any]) -> None:
    if len(layouts) != 1:
        raise click.UsageError("--expect takes one LAYOUT")
    if watch:
        raise click.UsageError("--expect and --watch do not go together; write a plan once the layout stands")
    given = [name for name, usual in _OTHERS.items() if options[name] != usual]
    if given:
        shown = ", ".join("--size" if name == "sizes" else f"--{name.replace('_', '-')}" for name in given)
        raise click.UsageError(f"--expect chooses its own collectives and sizes; leave out {shown}")


def step_table(plan: Plan) -> Table:
    """Return the steps of a plan, with what their largest size should reach."""
    from fabrictool.tabular import Column, Table
    from fabrictool.units import format_size

    kinds = [(step, run) for step in plan.ladder.steps for run in plan.kinds(step)]
    last = [plan.of(run)[-1] for _, run in kinds]
    return Table(
        f"acceptance of {plan.subject.name}",
        (
            Column("step", [step.name for step, _ in kinds]),
            Column("measures", [f"{run.test}, {len(run.hosts):,} x {len(run.gpus)} GPUs" for _, run in kinds]),
            Column("runs", [len(step.runs) for step, _ in kinds]),
            Column("rounds", [len(step.rounds) for step, _ in kinds]),
            Column("about", [60 * plan.minutes(step) for step, _ in kinds], "s", format=lambda time: f"{time:,.0f}"),
            Column("largest", [row.nbytes for row in last], format=format_size, align="right", key="nbytes"),
            _busbw("low", [row.low_bytes_per_s for row in last]),
            _busbw("high", [row.high_bytes_per_s for row in last]),
            _busbw("gate", [row.gate_bytes_per_s for row in last]),
        ),
    )


def _busbw(name: str, values: list[float]) -> Column:
    """Return a column of bus bandwidths, which people read in GB/s."""
    from fabrictool.tabular import Column

    key = f"{name}_bytes_per_s"
    return Column(name, values, align="right", key=key, format=lambda value: f"{value / 1e9:.4g} GB/s")
