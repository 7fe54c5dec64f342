"""``fabrictool plot``: figures of a layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fabrictool.cli.common import json_option, print_json, quiet_option, write_file
from fabrictool.errors import NotSupportedError

if TYPE_CHECKING:
    from fabrictool.fabric import Fabric
    from fabrictool.layout.model import Layout

FIGURES = ("busbw",)


@click.command("plot", short_help="Draw a figure of a layout.")
@click.argument("layout_path", metavar="LAYOUT")
@click.option("--what", default="busbw", show_default=True, metavar="FIGURE", help="Which figure: busbw.")
@click.option("-o", "--output", metavar="FILE", help="A .png, .svg or .pdf file; default LAYOUT-FIGURE.png.")
@click.option("--collective", "collectives", multiple=True, metavar="NAME", help="all-reduce, …; repeatable.")
@click.option("--algorithm", metavar="NAME", help="ring, hierarchical, halving-doubling, pairwise, …")
@click.option("--ranks", type=int, metavar="N", help="Use N GPUs; default all.")
@click.option("--model", default="rounds", metavar="NAME", help="rounds (default), alpha-beta or bound.")
@click.option("--title", metavar="TEXT", help="Default: the layout's name.")
@quiet_option
@json_option
def command(
    layout_path: str, what: str, output: str | None, title: str | None, quiet: bool, as_json: bool, **options: Any
) -> int:
    """Draw a figure of a layout.

    LAYOUT is a layout file, or - for standard input.

    busbw: bus bandwidth over message sizes of 8 B to 16 GiB, one line for each collective, against
    its lower bound.
    """
    from fabrictool.generators.building import build
    from fabrictool.layout.reading import read_layout
    from fabrictool.plot.images import image_format

    if what not in FIGURES:
        raise NotSupportedError(f"figure '{what}' is not supported yet", f"use --what {' or '.join(FIGURES)}")
    if output is not None:
        image_format(output)
    layout = read_layout(layout_path)
    path = output or f"{layout.name}-{what}.png"
    curves = _busbw(layout, build(layout), path, title, options)
    if as_json:
        print_json({"format": 1, "layout": layout.name, "what": what, "file": path, "curves": curves})
    elif not quiet:
        click.echo(f"wrote {path}", err=True)
    return 0


def _busbw(layout: Layout, fabric: Fabric, path: str, title: str | None, options: dict[str, Any]) -> list[object]:
    """Write the figure; return its curves for JSON."""
    from fabrictool.plot.busbw import draw, subtitle
    from fabrictool.plot.curves import busbw_curves
    from fabrictool.plot.images import image_bytes, image_format

    curves = busbw_curves(layout, fabric, **options)
    figure = draw(curves, title or layout.name, subtitle(layout, fabric, curves))
    write_file(path, image_bytes(figure, image_format(path)))
    return [curve.to_dict() for curve in curves]
