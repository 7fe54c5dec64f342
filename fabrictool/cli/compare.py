"""``fabrictool compare``: layouts side by side."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from fabrictool.cli.common import json_option, layouts_argument, print_json, print_tables, quiet_option
from fabrictool.cli.comparing_locks import (
    any_lock,
    compare_locks,
    earlier_lock,
    lock_differences,
    lock_tables,
    say_no_difference,
)

if TYPE_CHECKING:
    from fabrictool.explore.comparing import Comparison
    from fabrictool.explore.designs import Design
    from fabrictool.formats.imported import Imported
    from fabrictool.layout.model import Layout
    from fabrictool.locks.difference import LockDifference

_FORMS = click.Choice(["table", "json", "csv", "markdown"])


@click.command("compare", short_help="Set layouts side by side.")
@layouts_argument
@click.option("--since", metavar="REVISION", help="Compare one LAYOUT with its state at a git revision.")
@click.option("--size", "sizes", multiple=True, metavar="SIZE", help="Message size, default 1GiB; repeatable.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the random bisections.")
@click.option("--format", "form", type=_FORMS, help="How to print; default table, with --since markdown.")
@click.option("--density", metavar="POWERS", help="One LAYOUT at other powers a rack, such as 8kW,15kW,40kW.")
@click.option("--placements", is_flag=True, help="One LAYOUT under each strategy of placement.")
@quiet_option
@json_option
def command(
    layouts: tuple[str, ...], since: str | None, sizes: tuple[str, ...], seed: int, form: str | None, quiet: bool,
    as_json: bool, density: str | None, placements: bool,
) -> int:  # fmt: skip
    """Set layouts side by side: key figures, structure, findings.

    Each layout is compared with the first. A difference is 'beyond' where it exceeds the uncertainty
    of the two figures, 'within' where it does not; the last column says how certain a figure is.
    LAYOUT may also be a fabric from elsewhere, as of 'show': what can be counted on it is compared.

    Two locks, or layouts with a lock beside each, are compared by what they name: what was added, removed, moved.
    With --since that is the lock as it was at that revision.

    Exit status: 1 if a layout has a finding that is an error; with --since the present state counts.
    """
    from fabrictool.explore.comparing import compare

    if density is not None or placements:
        return _halls(layouts, density, placements, since, "json" if as_json else form or "table", quiet)
    if since is not None and len(layouts) != 1:
        raise click.UsageError(f"--since compares one LAYOUT with its earlier state; {len(layouts)} are given")
    if since is None and len(layouts) < 2:
        raise click.UsageError("give two LAYOUTs or more, or --since REVISION")
    form = "json" if as_json else form or ("markdown" if since else "table")
    if any_lock(layouts):
        return compare_locks(layouts, since, form, quiet)
    found = _since(layouts[0], since) if since else _side_by_side(layouts)
    designs = _designs(found, sizes, seed)
    _print(compare(designs, list(found)), lock_differences(list(found.values())), form, quiet)
    judged = designs[-1:] if since else designs
    return 0 if all(design.ok for design in judged) else 1


def _halls(
    layouts: tuple[str, ...], density: str | None, placements: bool, since: str | None, form: str, quiet: bool
) -> int:
    """Print one layout's hall at other powers a rack, or under other placements."""
    from fabrictool.explore import density as powers
    from fabrictool.explore import placements as strategies

    if len(layouts) != 1 or since is not None or (density is not None and placements):
        raise click.UsageError("--density and --placements take one LAYOUT, one of them, and no --since")
    limits = None if density is None else [word.strip() for word in density.split(",") if word.strip()]
    if limits == []:
        raise click.UsageError("--density names no power; write --density 8kW,15kW,40kW")
    found = strategies.placements(layouts[0]) if placements else powers.density(layouts[0], limits)
    if form == "json":
        print_json(found.to_dict())
    elif not quiet:
        print_tables([found.table()], form)
    return 0 if isinstance(found, strategies.Strategies) or found.ok else 1


def _side_by_side(paths: tuple[str, ...]) -> dict[str, Layout | Imported]:
    """Open layouts and fabrics; those that share a name are called by name and file."""
    from fabrictool.formats.recognise import opened

    if len(set(paths)) < len(paths):
        twice = Counter(paths).most_common(1)[0][0]
        raise click.UsageError(f"{twice} is given twice")
    found = [opened(path) for path in paths]
    names = Counter(_name(one) for one in found)
    return {
        _name(one) if names[_name(one)] == 1 else f"{_name(one)} ({path})": one
        for path, one in zip(paths, found, strict=True)
    }


def _since(path: str, revision: str) -> dict[str, Layout | Imported]:
    from fabrictool.cli.earlier import earlier_content
    from fabrictool.formats.imported import Imported
    from fabrictool.formats.recognise import opened, opened_from

    if path == "-":
        raise click.UsageError("--since needs a file, not standard input")
    now = opened(path)
    then = opened_from(f"{revision}:{path}", earlier_content(path, revision))
    if not isinstance(then, Imported):
        then.remember_lock(earlier_lock(path, revision, then))
    before = _name(then).removeprefix(f"{revision}:")  # what a fabric is called comes from its file
    return {f"{before} at {revision}": then, f"{_name(now)} now": now}


def _name(found: Layout | Imported) -> str:
    from fabrictool.formats.imported import Imported

    return found.fabric.name if isinstance(found, Imported) else found.name


def _designs(found: dict[str, Layout | Imported], sizes: tuple[str, ...], seed: int) -> list[Design]:
    """Score layouts, and count fabrics from elsewhere."""
    from fabrictool.collectives.workloads import jobs_asked_for
    from fabrictool.evaluation import evaluate
    from fabrictool.explore.designs import design
    from fabrictool.formats.imported import Imported

    if sizes and all(isinstance(one, Imported) for one in found.values()):
        raise click.UsageError("--size goes with a layout: a fabric from elsewhere has no collectives")
    asked = list(sizes) or ["1GiB"]
    return [
        design(one)
        if isinstance(one, Imported)
        else evaluate(one, jobs_asked_for(one, None, None, asked, None, "linear", "rounds", seed), seed)
        for one in found.values()
    ]


def _print(comparison: Comparison, locks: list[LockDifference], form: str, quiet: bool) -> None:
    if form == "json":
        print_json(comparison.to_dict() | {"locks": [row.to_dict() for row in locks]})
        return
    if quiet:
        return
    tables = [*comparison.tables(as_numbers=form == "csv"), *lock_tables(locks, form)]
    if form == "markdown":
        first, *others = comparison.titles
        click.echo(f"## {', '.join(others)} against {first}\n")
    if form != "csv":
        click.echo("\n".join(_summary(comparison)) + "\n")
    print_tables(tables, form)
    say_no_difference(locks, form)


def _summary(comparison: Comparison) -> list[str]:
    """Say first what matters: how many figures differ by more than the uncertainty."""
    lines = []
    for title in comparison.titles[1:]:
        rows = comparison.beyond(title)
        names = ", ".join(figure.name for figure, _ in rows)
        count = f"{len(rows)} of {len(comparison.figures)} figures differ beyond the uncertainty"
        lines.append(f"{title}: {count}{': ' if names else ''}{names}")
    return lines
