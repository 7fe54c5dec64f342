"""``fabrictool route``: what each link carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fabrictool.cli.common import (
    asked_by,
    fault_options,
    format_option,
    layouts_argument,
    print_json,
    print_tables,
    quiet_option,
    routing_asked,
    say_written,
    write_file,
)

if TYPE_CHECKING:
    from fabrictool.explore.routes import Routes


@click.command("route", short_help="Compute what each link carries.")
@layouts_argument
@click.option("--routing", metavar="NAME", help="d-mod-k, min-hop, ecmp, spray, …; or '{name: ecmp, hash: crc32}'.")
@click.option(
    "--pattern", default="all-to-all", show_default=True, metavar="PATTERN",
    help="all-to-all, shift:N, shifts, bit-reversal, transpose, neighbour, random:SEED, bisection:TRIALS, or a file.",
)  # fmt: skip
@click.option("--network", metavar="NAME", help="Which network; default the first.")
@click.option("--metrics", default="", metavar="LIST", help="min-cut, concurrent-flow, throughput-bound, …")
@click.option("--lft", metavar="FILE", help="Route by these forwarding tables: dump_lfts, opensm-lfts.dump or .fdbs.")
@click.option("-o", "--output", metavar="FILE", help="Write forwarding tables in the format of dump_lfts.")
@click.option("--path", "ends", nargs=2, metavar="A B", help="Name each port on the way from host A to host B.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of random bisections and faults."
)
@fault_options
@quiet_option
@format_option
def command(
    layouts: tuple[str, ...], as_json: bool, form: str, quiet: bool, output: str | None,
    ends: tuple[str, str] | None, **options: Any,
) -> int:  # fmt: skip
    """Compute link loads, hot spots, distances and rates of a network under a routing and a pattern.

    LAYOUT is a layout file, - for standard input, or a fabric from elsewhere: ibnetdiscover, ibutils, GraphML,
    edges.csv, a plan CSV, .npz.

    A pattern file has the columns source,destination,volume and optionally group,key,path.

    Exit status: 0 clean, 1 if a finding is an error such as pairs without a way, 2 for bad input.
    """
    if output is not None and len(layouts) > 1:
        raise click.UsageError("-o writes the tables of one LAYOUT")
    form = "json" if as_json else form
    if ends:
        others = {"-o": output, "--metrics": options["metrics"], "--pattern": options["pattern"] != "all-to-all"}
        given = [name for name, value in others.items() if value]
        if given:
            raise click.UsageError(f"--path shows one way, so {given[0]} has no part in it; leave out one of the two")
        return _print_ways(layouts, ends, options, form)
    found = [_routed(layout, options) for layout in layouts]
    if output is not None:
        switches = _write_tables(found[0], output)
        if not (quiet or form == "json"):
            say_written(output, f"forwarding tables of {switches:,} switches")
    if form == "json":
        documents = [routes.to_dict() for routes in found]
        print_json(documents[0] if len(documents) == 1 else documents)
    elif not quiet:
        print_tables([table for routes in found for table in routes.tables()], form)
    return 0 if all(routes.ok for routes in found) else 1


def _routed(layout: str, options: dict[str, Any]) -> Routes:
    from fabrictool.explore.routed import route

    metrics = [word for word in options["metrics"].replace(" ", "").split(",") if word]
    return route(
        layout, routing_asked(options["routing"]), options["pattern"], options["network"], metrics=metrics,
        lft=options["lft"], **_common(options),
    )  # fmt: skip


def _common(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("seed", "fail_links", "fail_devices", "fail_domain", "slow")}


def _write_tables(routes: Routes, output: str) -> int:
    """Write forwarding tables, and return of how many switches."""
    from fabrictool.explore.routed import forwarding_tables

    text = forwarding_tables(routes)
    write_file(output, text.encode())
    return text.count("Unicast lids")


def _print_ways(layouts: tuple[str, ...], ends: tuple[str, str], options: dict[str, Any], form: str) -> int:
    from fabrictool.explore.routed import routed_network
    from fabrictool.explore.ways import ways_between

    ways = []
    for layout in layouts:
        stated = routing_asked(options["routing"])
        made = routed_network(layout, stated, options["network"], asked_by(options), options["lft"])
        ways.append(ways_between(made.routing, *ends))
    if form == "json":
        documents = [way.to_dict() for way in ways]
        print_json(documents[0] if len(documents) == 1 else documents)
    else:
        print_tables([table for way in ways for table in way.tables()], form)
    return 0 if all(way.channels for way in ways) else 1
