"""``fabrictool plot``: figures of a layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fabrictool.cli.common import json_option, print_json, quiet_option, write_file
from fabrictool.errors import NotSupportedError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fabrictool.fabric import Fabric
    from fabrictool.layout.model import Layout

FIGURES = ("busbw", "topology")
#: Options that only the figure of bus bandwidth takes, with their defaults.
_BUSBW_OPTIONS = {"collectives": (), "algorithm": None, "ranks": None, "model": "rounds"}


@click.command("plot", short_help="Draw a figure of a layout.")
@click.argument("layout_path", metavar="LAYOUT")
@click.option("--what", default="busbw", show_default=True, metavar="FIGURE", help="Which figure: busbw or topology.")
@click.option("-o", "--output", metavar="FILE", help="A .png, .svg or .pdf file; default LAYOUT-FIGURE.png.")
@click.option("--collective", "collectives", multiple=True, metavar="NAME", help="all-reduce, …; repeatable.")
@click.option("--algorithm", metavar="NAME", help="ring, hierarchical, halving-doubling, pairwise, …")
@click.option("--ranks", type=int, metavar="N", help="Use N GPUs; default all.")
@click.option("--model", default="rounds", metavar="NAME", help="rounds (default), alpha-beta or bound.")
@click.option("--network", metavar="NAME", help="Of a topology: one network; default all, one panel each.")
@click.option("--title", metavar="TEXT", help="Default: the layout's name.")
@quiet_option
@json_option
def command(
    layout_path: str, what: str, output: str | None, network: str | None, title: str | None, quiet: bool,
    as_json: bool, **options: Any,
) -> int:  # fmt: skip
    """Draw a figure of a layout.

    LAYOUT is a layout file, or - for standard input; for a topology also a fabric from elsewhere, as of 'show'.

    busbw: bus bandwidth over message sizes of 8 B to 16 GiB, one line for each collective, against
    its lower bound.

    topology: tiers as rows with the hosts at the bottom, rails or planes by colour. Up to 100 devices
    each is drawn with its links, in larger networks equal devices share a box.
    """
    from fabrictool.formats.imported import Imported
    from fabrictool.formats.recognise import opened
    from fabrictool.generators.building import build
    from fabrictool.plot.images import image_format

    if what not in FIGURES:
        raise NotSupportedError(f"figure '{what}' is not supported yet", f"use --what {' or '.join(FIGURES)}")
    if output is not None:
        image_format(output)
    found = opened(layout_path)
    fabric = found.fabric if isinstance(found, Imported) else build(found)
    path = output or f"{fabric.name}-{what}.png"
    if what == "topology":
        drawn = _topology(fabric, path, title, network, options)
    elif isinstance(found, Imported):
        raise click.UsageError(f"{layout_path} is no layout, so it has no collectives; use --what topology")
    else:
        drawn = _busbw(found, fabric, path, title, options, network)
    if as_json:
        print_json({"format": 1, "layout": fabric.name, "what": what, "file": path} | drawn)
    elif not quiet:
        click.echo(f"wrote {path}", err=True)
    return 0


def _busbw(
    layout: Layout, fabric: Fabric, path: str, title: str | None, options: dict[str, Any], network: str | None
) -> dict[str, object]:
    """Write the figure; return its curves for JSON."""
    from fabrictool.plot.busbw import draw, subtitle
    from fabrictool.plot.curves import busbw_curves

    if network is not None:
        raise click.UsageError("--network goes with --what topology")
    curves = busbw_curves(layout, fabric, **options)
    _write(draw(curves, title or layout.name, subtitle(layout, fabric, curves)), path)
    return {"curves": [curve.to_dict() for curve in curves]}


def _topology(
    fabric: Fabric, path: str, title: str | None, network: str | None, options: dict[str, Any]
) -> dict[str, object]:
    """Write the figure; return its boxes and bundles for JSON."""
    from fabrictool.plot.topology import draw_topology, topology_outlines

    given = [name for name, default in _BUSBW_OPTIONS.items() if options[name] != default]
    if given:
        raise click.UsageError(f"--{given[0].replace('collectives', 'collective')} goes with --what busbw")
    shown = topology_outlines(fabric, network)
    _write(draw_topology(shown, title or fabric.name), path)
    return {"networks": [one.to_dict() for one in shown]}


def _write(figure: Figure, path: str) -> None:
    from fabrictool.plot.images import image_bytes, image_format

    write_file(path, image_bytes(figure, image_format(path)))
