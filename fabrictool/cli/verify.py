"""``fabrictool verify``: what was built, against what was planned."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from fabrictool.cli.common import format_option, print_json, print_tables, quiet_option

if TYPE_CHECKING:
    from fabrictool.verification import Verification


@click.command("verify", short_help="As-built against plan: one finding for each mistake.")
@click.argument("layout")
@click.argument("as_built", nargs=-1, metavar="AS_BUILT...")
@click.option("--source-format", metavar="NAME", help="Format of the dumps; by default told by their content.")
@click.option("--infer", is_flag=True, help="Without a plan: take the rule of the majority as the plan.")
@click.option("--names", metavar="FILE", help="Names: CSV seen,planned, or lines of a GUID and a quoted name.")
@click.option("--watch", metavar="DIR", help="Read what arrives in a folder, again and again; shows the progress.")
@click.option("--collective", multiple=True, metavar="NAME", help="Price mistakes by this collective too; repeatable.")
@click.option("--algorithm", metavar="NAME", help="Of the collectives: ring, pairwise, …; auto: the fastest.")
@click.option("--size", multiple=True, metavar="SIZE", help="Of the collectives, such as 1GiB; repeatable.")
@click.option("--model", default="rounds", metavar="NAME", help="Of the collectives: rounds (default), fluid, …")
@click.option("--no-price", is_flag=True, help="Do not compute what mistakes cost in bandwidth.")
@quiet_option
@format_option
def command(
    layout: str, as_built: tuple[str, ...], as_json: bool, form: str, quiet: bool, watch: str | None, **options: Any
) -> int:
    """Hold dumps of a fabric (ibnetdiscover, iblinkinfo, LLDP, tables), or a plan of others, against its plan.

    Each finding is one mistake, with what undoes it and what it costs; several dumps are read as one fabric.
    A workbook, or CSV with headers of other tools, is a plan that somebody made: it is checked against the
    layout, each fault with its cell.

    Exit status: 0 clean, 1 if a finding is an error, 2 for bad input.
    """
    form = "json" if as_json else form
    if watch is not None:
        from fabrictool.cli.turn_up import watched

        return watched(layout, as_built, watch, form, options)
    if not as_built and not options["infer"]:
        raise click.UsageError("name what was built: the output of ibnetdiscover, iblinkinfo or lldpcli, or a table")
    found = _verified(layout, as_built, options)
    show(found, form, quiet)
    return 0 if found.ok else 1


def _verified(layout: str, as_built: tuple[str, ...], options: dict[str, Any]) -> Verification:
    from fabrictool.changes.job_losses import AskedJobs
    from fabrictool.verification import verify

    asked = AskedJobs(options["collective"], options["algorithm"], options["size"], model=options["model"])
    return verify(
        layout,
        as_built,
        options["source_format"],
        options["names"],
        options["infer"],
        not options["no_price"],
        asked,
    )


def show(found: Verification, form: str, quiet: bool) -> None:
    """Print a verification."""
    if form == "json":
        print_json(found.to_dict())
    elif not quiet:
        print_tables(found.tables(), form)
        sys.stdout.flush()
