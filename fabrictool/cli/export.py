"""``fabrictool export``: a fabric or its cable plan in another tool's format."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabrictool.cli.common import make_folders, quiet_option, routing_asked, say_written, write_files

if TYPE_CHECKING:
    from fabrictool.cable_plan import Planned
    from fabrictool.fabric import Fabric
    from fabrictool.formats.netbox import TypeFacts
    from fabrictool.formats.writing import Export, Files, Writer
    from fabrictool.layout.model import Layout


def _list_formats(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if not asked or ctx.resilient_parsing:
        return
    from fabrictool.formats.writing import WRITERS

    for name, writer in WRITERS.items():
        click.echo(f"{name:<14} {writer.title}")
    ctx.exit()


@click.command("export", short_help="Write a fabric in another tool's format.")
@click.argument("layout")
@click.option("--to", "form", required=True, metavar="FORMAT", help="Such as dot, netbox or slurm-tree: see --list.")
@click.option("-o", "--output", metavar="FILE", help="Where to; default standard output.")
@click.option("--network", metavar="NAME", help="This network alone; default all, or the first where one is held.")
@click.option("--routing", metavar="NAME", help="Of the routes in a SimGrid platform; default the layout's.")
@click.option(
    "--port-names", metavar="SCHEME",
    help="number, vendor (by what the catalogue knows), or cumulus, mlnx-os, sonic, eos, … for all switches.",
)  # fmt: skip
@click.option(
    "--list", is_flag=True, is_eager=True, expose_value=False, callback=_list_formats, help="List formats, and stop."
)
@quiet_option
def command(layout: str, form: str, output: str | None, network: str | None, port_names: str | None,
            routing: str | None, quiet: bool) -> int:  # fmt: skip
    """Write a fabric, or its cable plan, as another tool reads it.

    LAYOUT is a layout file, - for standard input, or a fabric from elsewhere. What holds a fabric is a LAYOUT
    again, for every command.

    fabrictool export site.yaml --to dot -o topology.dot
    """
    from fabrictool.formats.writing import writer_named

    writer = writer_named(form)
    if writer.binary and output is None and sys.stdout.isatty():
        raise click.UsageError(f"{form} is no text: name a file with -o")
    if routing is not None and not writer.routed:
        raise click.UsageError(f"--routing has no part in {form}, which holds no routes")
    export = _export(layout, writer, network, port_names)
    if writer.routed:
        export = _routed(export, layout, routing_asked(routing), network)
    files = writer.write(export)
    if output is None:
        _print(files, form, writer.binary)
    else:
        _write(files, output)
        if not quiet:
            say_written(output, _counted(export, writer), len(files))
    return 0


def _counted(export: Export, writer: Writer) -> str:
    """Say how much was written: of a plan its rows and cables, of a fabric its devices and links."""
    if writer.planned and export.cables is not None:
        return f"{len(export.cables):,} rows of {len({row.cable_id for row in export.cables}):,} cables"
    part = export.fabric
    if writer.one_network and len(part.networks) > 1:
        from fabrictool.fabric.edits import network_alone

        part = network_alone(part, export.network)
    return f"{len(part.devices):,} devices, {len(part.links):,} links"


def _export(path: str, writer: Writer, network: str | None, port_names: str | None) -> Export:
    from fabrictool.cable_plan import opened_plan
    from fabrictool.errors import InputError, did_you_mean
    from fabrictool.fabric.edits import network_alone
    from fabrictool.formats.writing import Export

    found = opened_plan(path)
    fabric, layout = found.fabric, found.layout
    names = [facts.name for facts in fabric.networks]
    if network is not None and network not in names:
        raise InputError(f"--network: there is no network '{network}'", did_you_mean(network, names))
    if not names:
        raise InputError(f"{fabric.name} has no network to write", "add one under networks")
    row = names.index(network) if network is not None else 0
    part = fabric if network is None or writer.one_network else network_alone(fabric, row)
    words = _words(part, layout, writer, port_names)
    if not writer.planned or (layout is None and found.table is None):
        return Export(part, row, words)
    given = Export(part, row, words, types=_types(layout) if layout else {})
    return _planned(given, found, network, renamed=port_names is not None)


def _planned(export: Export, found: Planned, network: str | None, renamed: bool) -> Export:
    """Give an export the cable plan, with the rows of a network alone if one is asked for."""
    from fabrictool.cabling.filed import FiledReport
    from fabrictool.cabling.media import media
    from fabrictool.cabling.panel_table import hanging, patches_of
    from fabrictool.cabling.rows import places_of
    from fabrictool.cabling.workbook import shades, workbook

    report = found.report(renamed)
    known = _interfaces(export) if export.words is not None else None
    words = [known.get(port, "") for port in _ports(found.fabric)] if known is not None else None
    rows = [row for row in report.rows(words) if network in (None, row.network)]
    placement = report.plan.placement
    if isinstance(report, FiledReport):
        places, racks = report.places(), report.racks()
    else:
        places = {place.device: place for place in places_of(report.plan)}
        units = placement.racks.units.tolist() if placement else []
        racks = dict(zip(placement.racks.name.tolist() if placement else [], units, strict=True))
    called = {medium.name: medium.netbox for medium in media()}
    given = replace(export, cables=rows, places=places, racks=racks, colours=shades(rows), media=called,
                    panels=hanging(report.plan), patches=patches_of(report.plan))  # fmt: skip
    return replace(given, book=partial(workbook, report, rows, words))


def _ports(fabric: Fabric) -> list[tuple[str, int]]:
    """Return device and number of each port."""
    names = fabric.names
    columns = (fabric.ports.device.tolist(), fabric.ports.number.tolist())
    return [(names[device], number) for device, number in zip(*columns, strict=True)]


def _interfaces(export: Export) -> dict[tuple[str, int], str]:
    """Return what ports are called, by device and number: a network alone has fewer of them."""
    return dict(zip(_ports(export.fabric), export.words or (), strict=True))


def _routed(export: Export, path: str, routing: str | dict[str, Any] | None, network: str | None) -> Export:
    from fabrictool.explore.routed import routed_network
    from fabrictool.explore.simgrid_routes import simgrid_routes

    given = export.fabric if path == "-" else path
    return replace(export, routes=simgrid_routes(routed_network(given, routing, network)))


def _types(layout: Layout) -> dict[str, TypeFacts]:
    from fabrictool.formats.netbox import TypeFacts

    types = (*layout.switch_types(), *layout.host_types())
    return {kind.name: TypeFacts(kind.vendor or "Generic", kind.u, kind.part or "") for kind in types}


def _words(fabric: Fabric, layout: Layout | None, writer: Writer, port_names: str | None) -> list[str] | None:
    from fabrictool.formats.port_naming import named_ports, systems_of

    if not writer.port_names:
        if port_names is not None:
            raise click.UsageError("--port-names has no part in this format, which has names of its own")
        return None
    return named_ports(fabric, port_names or writer.port_names, systems_of(layout))


def _print(files: Files, form: str, binary: bool) -> None:
    if set(files) - {""} and "" not in files:
        raise click.UsageError(f"{form} is a folder of files: name it with -o")
    click.echo(files[""] if binary else files[""].decode(), nl=False)


def _write(files: Files, output: str) -> None:
    """Write the main file, and what belongs to it beside; a format without main file fills a folder."""
    target = Path(output)
    folder = target.parent if "" in files else target
    named = {output if not name else str(folder / name): content for name, content in files.items()}
    make_folders(path for path in named if path != output)
    write_files(named)
