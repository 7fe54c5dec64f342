"""``fabrictool score``: the main job."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabrictool.cli.common import (
    color_option,
    fault_options,
    format_option,
    layouts_argument,
    plain,
    print_json,
    print_tables,
    quiet_option,
    routing_asked,
)
from fabrictool.errors import FabrictoolError

if TYPE_CHECKING:
    from fabrictool.evaluation import Evaluation
    from fabrictool.fabric_score import FabricScore


@click.command("score", short_help="Evaluate a layout.")
@layouts_argument
@click.option("--collective", multiple=True, metavar="NAME", help="all-reduce, all-to-all, …; repeatable.")
@click.option("--algorithm", metavar="NAME", help="ring, hierarchical, pairwise, …; auto: the fastest.")
@click.option("--size", "sizes", multiple=True, metavar="SIZE", help="Such as 1GiB or 8B..16GiB; repeatable.")
@click.option("--ranks", type=int, metavar="N", help="Use N GPUs; default all.")
@click.option(
    "--rank-order", default="linear", type=click.Choice(["linear", "stride", "random"]), help="Order of ranks."
)
@click.option(
    "--model", default="rounds", metavar="NAME", help="rounds (default), fluid, nccl, loggp, alpha-beta or bound."
)
@click.option("--parallel", metavar="SIZES", help="Split ranks into groups: tensor=8,pipeline=4; with --over.")
@click.option("--over", metavar="KIND", help="Groups that run the collectives at once: data, tensor, expert, …")
@click.option("--routing", metavar="NAME", help="d-mod-k, …, or '{name: ecmp, hash: crc32}'; default the layout's.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of random orders and bisections."
)
@click.option("--watch", is_flag=True, help="Score again whenever the file is saved.")
@click.option("--expect", metavar="DIR", help="Write what to measure at turn-up, and what to expect, into DIR.")
@click.option(
    "--measured",
    multiple=True,
    metavar="LOG",
    help="Logs of nccl-tests or OSU, or CSV, to put beside the model, or to judge by --expect; repeatable.",
)
@fault_options
@click.option("-v", "--verbose", is_flag=True, help="All racks, all findings, assumptions with sources.")
@quiet_option
@color_option
@format_option
def command(layouts: tuple[str, ...], as_json: bool, form: str, watch: bool, quiet: bool, **options: Any) -> int:
    """Evaluate layouts: collectives, congestion, racks' power and cooling, cost and findings.

    LAYOUT is a layout file, - for standard input, or a fabric from elsewhere as ``show`` takes it: its ranks are
    hosts or adapter ports, and racks, power, cooling and cost are null.

    Exit status: 0 clean, 1 if a finding is an error, 2 for bad input.
    """
    form = "json" if as_json else form
    if options["expect"] is not None:
        from fabrictool.cli.expect import expect

        return expect(layouts, form, watch, quiet, options)
    if watch:
        return _watch(layouts, form, quiet, options)
    return _print(_scored(layouts, options), form, quiet, options)


def _scored(layouts: tuple[str, ...], options: dict[str, Any]) -> list[Evaluation | FabricScore]:
    from fabrictool.evaluation import score

    return [
        score(
            path,
            collective=list(options["collective"]) or None,
            algorithm=options["algorithm"],
            size=list(options["sizes"]) or None,
            ranks=options["ranks"],
            rank_order=options["rank_order"],
            model=options["model"],
            seed=options["seed"],
            routing=routing_asked(options["routing"]),
            parallel=options["parallel"],
            over=options["over"],
            fail_links=options["fail_links"],
            fail_devices=options["fail_devices"],
            fail_domain=options["fail_domain"],
            slow=options["slow"],
            measured=list(options["measured"]) or None,
        )
        for path in layouts
    ]


def _print(evaluations: list[Evaluation | FabricScore], form: str, quiet: bool, options: dict[str, Any]) -> int:
    if form == "json":
        documents = [evaluation.to_dict() for evaluation in evaluations]
        print_json(documents[0] if len(documents) == 1 else documents)
    elif form != "table":
        for evaluation in evaluations:
            print_tables(evaluation.tables(), form)
    elif not quiet:
        for row, evaluation in enumerate(evaluations):
            if row:
                click.echo()
            _show(evaluation, options)
    return 0 if all(evaluation.ok for evaluation in evaluations) else 1


def _show(evaluation: Evaluation | FabricScore, options: dict[str, Any]) -> None:
    """Print the first screen of a layout, the tables of a fabric without one."""
    from fabrictool.cli.screen import first_screen
    from fabrictool.evaluation import Evaluation

    if isinstance(evaluation, Evaluation):
        click.echo(first_screen(evaluation, options["verbose"], plain(options["no_color"])))
        return
    if evaluation.state:
        click.echo(f"SCENARIO {evaluation.state.text}")
    print_tables(evaluation.tables(), "table")


def _stamp(layouts: tuple[str, ...]) -> list[tuple[int, int] | None]:
    stamps: list[tuple[int, int] | None] = []
    for path in layouts:
        try:
            status = Path(path).stat()
            stamps.append((status.st_mtime_ns, status.st_size))
        except OSError:  # an editor is between removing and renaming
            stamps.append(None)
    return stamps


def _watch(layouts: tuple[str, ...], form: str, quiet: bool, options: dict[str, Any]) -> int:
    """Score at every save until interrupted; bad input is shown and waited out."""
    if "-" in layouts:
        raise click.UsageError("--watch needs a file, not standard input")
    seen: list[tuple[int, int] | None] = []
    status = 0
    try:
        while True:
            now = _stamp(layouts)
            if now != seen and None not in now:
                seen, started = now, time.perf_counter()
                status = _score_once(layouts, form, quiet, options)
                took_s = time.perf_counter() - started
                click.echo(f"scored in {took_s:.2f} s, waiting for a save (Ctrl-C ends)", err=True)
            time.sleep(0.1)
    except KeyboardInterrupt:
        return status


def _score_once(layouts: tuple[str, ...], form: str, quiet: bool, options: dict[str, Any]) -> int:
    try:
        evaluations = _scored(layouts, options)
        if form == "table" and sys.stdout.isatty():
            click.clear()
        return _print(evaluations, form, quiet, options)
    except FabrictoolError as error:
        print(error, file=sys.stderr)
        return 2
