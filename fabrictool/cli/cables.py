"""``fabrictool cables``: the cable plan of a layout, and what it takes to order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabrictool.cli.common import (
    format_option,
    make_folders,
    print_json,
    print_tables,
    quiet_option,
    say_written,
    write_file,
    write_files,
)

if TYPE_CHECKING:
    from fabrictool.cabling.report import PlanReport


@click.command("cables", short_help="Plan every cable, and what to order.")
@click.argument("layout")
@click.option(
    "-o", "--output", metavar="FILE|DIR", help="Write the plan: .xlsx with all sheets, .csv, or tables into a folder."
)
@click.option(
    "--port-names", metavar="SCHEME", help="Aliases of ports, see export; default vendor, or what a plan file has."
)
@click.option("--lock", is_flag=True, help="Pin names, places, ports, cables and labels in a .lock beside LAYOUT.")
@quiet_option
@format_option
def command(
    layout: str, output: str | None, port_names: str | None, lock: bool, as_json: bool, form: str, quiet: bool
) -> int:
    """Plan the cables of all networks: ways along trays, lengths to order, media, modules, labels.

    LAYOUT is a layout file, - for standard input, or a fabric from elsewhere, whose devices have no places; what a
    file with a cable plan says of lengths, media, trays and labels holds. Of the media that fit both ends the first
    that reaches is taken: copper, active copper, active optical cables, multimode, single-mode fibre.
    What the layout does not say about the hall is assumed and named in the JSON.

    With a lock beside the layout all that it names stays as it is, whatever is edited; what must change is listed.

    fabrictool cables site.yaml -o plan.xlsx --lock

    Exit status: 0 clean, 1 if a finding is an error, 2 for bad input.
    """
    as_json = as_json or form == "json"
    report, written = _planned(layout, output, port_names, lock)
    for said in written if not (as_json or quiet) else ():
        say_written(*said)
    if as_json:
        print_json(report.to_dict())
    elif not quiet:
        print_tables(report.tables(), form)
    return 0 if report.ok else 1


#: Where something was written, what, and how many files.
Written = tuple[str, str, int]


def _planned(path: str, output: str | None, port_names: str | None, lock: bool) -> tuple[PlanReport, list[Written]]:
    """Plan the cables of a layout, and write the plan if a place for it is named, and its lock if asked."""
    from fabrictool.cable_plan import opened_plan
    from fabrictool.formats.port_naming import named_ports, systems_of

    found = opened_plan(path)
    report = found.report(renamed=port_names is not None)
    locked = _locked(report, path) if lock else None
    written: list[Written] = []
    if output is not None:
        files = _write(report, output, named_ports(found.fabric, port_names or "vendor", systems_of(found.layout)))
        links = int((report.plan.cable >= 0).sum())
        written.append((output, f"{links:,} rows of {report.count:,} cables", files))
    if locked is not None:
        write_file(*locked)
        written.append((locked[0], report.lock.counted(), 1))
    return report, written


def _locked(report: PlanReport, path: str) -> tuple[str, bytes]:
    """Return where the lock goes, and what it holds."""
    from fabrictool.cabling.lock_findings import lock_problems
    from fabrictool.errors import InputError
    from fabrictool.locks.reading import lock_path
    from fabrictool.locks.text import lock_text

    if path == "-":
        raise click.UsageError("--lock writes beside the layout: name its file, not standard input")
    text = lock_text(report.lock)
    problems = lock_problems(report.changes) if report.changes is not None else []
    if problems:
        raise InputError(problems)
    return str(lock_path(path)), text.encode()


def _write(report: PlanReport, output: str, words: list[str]) -> int:
    """Write a plan as its name asks for, a workbook, a CSV file, or a folder of CSV files; return how many files."""
    from fabrictool.errors import InputError, Problem
    from fabrictool.formats import labels_csv, plan_csv

    target, rows = Path(output), report.rows(words)
    suffix = target.suffix.lower()
    if suffix == ".xlsx":
        from fabrictool.cabling.workbook import workbook

        write_file(output, workbook(report, rows, words))
        return 1
    if suffix == ".csv":
        write_file(output, plan_csv.write(rows).encode())
        return 1
    if target.suffix or (target.exists() and not target.is_dir()):
        what = f"a plan is written as .xlsx, .csv, or into a folder, not as '{target.suffix or target.name}'"
        raise InputError([Problem(output, what, "name a .xlsx or .csv file or a folder with -o")])
    tables = {name: table.to_csv().encode() for name, table in (report.lists() | {"bom": report.bill_table()}).items()}
    tables |= {"plan": plan_csv.write(rows).encode(), "labels": labels_csv.write(rows).encode("utf-8-sig")}
    files = {str(target / f"{name}.csv"): content for name, content in tables.items()}
    make_folders(files)
    write_files(files)
    return len(files)
