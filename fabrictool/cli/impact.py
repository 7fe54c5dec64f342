"""``fabrictool impact``: what failures, drains and upgrades cost."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from fabrictool.cli.common import (
    fault_options,
    format_option,
    layouts_argument,
    print_json,
    print_tables,
    quiet_option,
    routing_asked,
)

if TYPE_CHECKING:
    from fabrictool.changes.report import ImpactReport


@click.command("impact", short_help="What failures, drains and upgrades cost.")
@layouts_argument
@click.option("--n-1", "n_1", is_flag=True, help="Rank the loss of every single link and switch; the default.")
@click.option("--drain", multiple=True, metavar="DEVICES", help="Devices taken out together; names between commas.")
@click.option("--waves", is_flag=True, help="Plan an upgrade of all switches in waves.")
@click.option("--keep", type=float, default=0.75, show_default=True, help="Share that must stay in a wave.")
@click.option(
    "--domain",
    multiple=True,
    metavar="KIND",
    help="Rank switch, link, rail, pod, plane, rack, row, feed, supply, loop, cdu, tray, …, or all.",
)
@click.option("--network", metavar="NAME", help="Default: the one that most GPUs or hosts are on.")
@click.option("--routing", metavar="NAME", help="d-mod-k, …, or '{name: ecmp, hash: crc32}'; default the layout's.")
@click.option("--collective", multiple=True, metavar="NAME", help="Price this collective too; repeatable.")
@click.option("--algorithm", metavar="NAME", help="Of the collectives: ring, pairwise, …; auto: the fastest.")
@click.option("--size", multiple=True, metavar="SIZE", help="Of the collectives: 1GiB, or 8B..16GiB; repeatable.")
@click.option("--ranks", type=int, metavar="N", help="Of the collectives: N GPUs; default all.")
@click.option("--model", default="rounds", metavar="NAME", help="Of the collectives: rounds (default), fluid, loggp, …")
@click.option("--parallel", metavar="SIZES", help="Split the collectives' ranks: tensor=8,pipeline=4; with --over.")
@click.option("--over", multiple=True, metavar="KIND", help="Groups that run the collectives: data, tensor, …")
@fault_options
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of faults at random.")
@quiet_option
@format_option
def command(layouts: tuple[str, ...], as_json: bool, form: str, quiet: bool, **options: Any) -> int:
    """Say what is lost: hosts, pairs of hosts, all-reduce and all-to-all bandwidth, and which links get hot.

    Faults are what is down already; a drain and losses one at a time come on top of them. A drain that
    stops hosts homed only on what is drained is a warning, any other host cut off an error.

    In a wave the share of hosts that run, times the smallest share of their path capacity, stays above --keep;
    switches that some host hangs on alone stop it, and those that stop the same hosts go out together.

    Exit status: 0 clean, 1 if a finding is an error, 2 for bad input.
    """
    from fabrictool.changes.report import impact

    options["routing"] = routing_asked(options["routing"])
    reports = [impact(path, progress=_progress() if sys.stderr.isatty() else None, **options) for path in layouts]
    _print(reports, "json" if as_json else form, quiet)
    return 0 if all(report.ok for report in reports) else 1


def _print(reports: list[ImpactReport], form: str, quiet: bool) -> None:
    if form == "json":
        documents = [report.to_dict() for report in reports]
        print_json(documents[0] if len(documents) == 1 else documents)
    elif not quiet:
        for row, report in enumerate(reports):
            if row:
                click.echo()
            print_tables(report.tables(), form)


def _progress() -> Any:
    """Return what counts losses on stderr and wipes its line at the end, at most ten times a second."""
    import time

    last = [time.monotonic()]

    def tell(done: int, of: int) -> None:
        now = time.monotonic()
        if done == of:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        elif now - last[0] > 0.1:
            last[0] = now
            print(f"\r{done:,} of {of:,} losses", end="", file=sys.stderr, flush=True)

    return tell
