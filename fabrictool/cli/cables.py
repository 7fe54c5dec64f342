"""``fabrictool cables``: the cable plan of a layout, and what it takes to order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabrictool.cli.common import format_option, print_json, print_tables, quiet_option, write_file

if TYPE_CHECKING:
    from fabrictool.cabling.report import PlanReport


@click.command("cables", short_help="Plan every cable, and what to order.")
@click.argument("layout")
@click.option("-o", "--output", metavar="FILE|DIR", help="Write the plan: a .csv, or all tables into a folder.")
@quiet_option
@format_option
def command(layout: str, output: str | None, as_json: bool, form: str, quiet: bool) -> int:
    """Plan the cables of all networks: ways along trays, lengths to order, media, modules, labels.

    LAYOUT is a layout file, - for standard input, or a fabric from elsewhere, whose devices have no places. Of the
    media that fit both ends the first that reaches is taken: copper, active copper, active optical cables, multimode,
    single-mode fibre. What the layout does not say about the hall is assumed and named in the JSON.

    fabrictool cables site.yaml -o plan.csv

    Exit status: 0 clean, 1 if a finding is an error, 2 for bad input.
    """
    report = _planned(layout)
    if output is not None:
        _write(report, output)
    if as_json or form == "json":
        print_json(report.to_dict())
    elif not quiet:
        print_tables(report.tables(), form)
    return 0 if report.ok else 1


def _planned(path: str) -> PlanReport:
    from fabrictool.cable_plan import cables

    return cables(path)


def _write(report: PlanReport, output: str) -> None:
    from fabrictool.errors import InputError, Problem
    from fabrictool.formats.plan_csv import write

    target = Path(output)
    if target.suffix == ".csv":
        write_file(output, write(report.rows()).encode())
        return
    if target.suffix or (target.exists() and not target.is_dir()):
        what = f"a plan is written as .csv, or into a folder, not as '{target.suffix or target.name}'"
        raise InputError([Problem(output, what, "name a .csv file or a folder with -o")])
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError([Problem(output, f"cannot be made: {error.strerror}", "choose another place")]) from None
    files = {"plan.csv": write(report.rows()), "bom.csv": report.bill_table().to_csv()}
    files |= {f"{name}.csv": table.to_csv() for name, table in report.lists().items()}
    for name, text in files.items():
        write_file(str(target / name), text.encode())
