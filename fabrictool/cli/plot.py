"""``fabrictool plot``: figures of a layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from fabrictool.cli.common import fault_options, json_option, print_json, quiet_option, routing_asked, write_file
from fabrictool.errors import NotSupportedError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fabrictool.fabric import Fabric
    from fabrictool.layout.model import Layout
    from fabrictool.plot.curves import Curve
    from fabrictool.plot.site import Site

FIGURES = ("busbw", "topology", "load", "elevation", "power", "floor")
_LISTED = f"{', '.join(FIGURES[:-1])} or {FIGURES[-1]}"
#: Options that only one figure takes, with their defaults.
_OPTIONS_OF: dict[str, dict[str, Any]] = {
    "busbw": {"collectives": (), "algorithm": None, "ranks": None, "model": "rounds", "measured": ()},
    "load": {
        "routing": None,
        "pattern": "all-to-all",
        "seed": 0,
        "fail_links": (),
        "fail_devices": (),
        "fail_domain": (),
        "slow": (),
    },
    "elevation": {"racks": (), "devices": ()},
    "floor": {"by": None},
}
_SINGULAR = {"collectives": "collective", "racks": "rack", "devices": "device"}


@click.command("plot", short_help="Draw a figure of a layout.")
@click.argument("layout_path", metavar="LAYOUT")
@click.option("--what", default="busbw", show_default=True, metavar="FIGURE", help=f"{_LISTED}.")
@click.option("-o", "--output", metavar="FILE", help="A .png, .svg or .pdf file; default LAYOUT-FIGURE.png.")
@click.option("--collective", "collectives", multiple=True, metavar="NAME", help="all-reduce, …; repeatable.")
@click.option("--algorithm", metavar="NAME", help="ring, hierarchical, pairwise, …; auto: the fastest.")
@click.option("--ranks", type=int, metavar="N", help="Use N GPUs; default all.")
@click.option(
    "--model", default="rounds", metavar="NAME", help="rounds (default), fluid, nccl, loggp, alpha-beta or bound."
)
@click.option("--routing", metavar="NAME", help="Of loads: d-mod-k, min-hop, ecmp, spray, …; default the layout's.")
@click.option("--pattern", default="all-to-all", metavar="PATTERN", help="Of loads: all-to-all, shift:N, a file, …")
@click.option("--network", metavar="NAME", help="Of a topology or loads: one network; default all, or the first.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of loads: of random faults.")
@click.option("--measured", multiple=True, metavar="LOG", help="Of busbw: logs of nccl-tests, OSU, or CSV; repeatable.")
@click.option("--rack", "racks", multiple=True, metavar="NAME", help="Of elevations: a rack, or all; repeatable.")
@click.option("--device", "devices", multiple=True, metavar="NAME", help="Of elevations: ports of one; repeatable.")
@click.option("--by", metavar="MEASURE", help="Of floors: power, share, inlet, loop, air, …")
@fault_options
@click.option("--title", metavar="TEXT", help="Default: the layout's name.")
@quiet_option
@json_option
def command(
    layout_path: str, what: str, output: str | None, network: str | None, title: str | None, quiet: bool,
    as_json: bool, **options: Any,
) -> int:  # fmt: skip
    """Draw a figure of a layout.

    LAYOUT is a layout file, or - for standard input; for topology and load also a fabric from elsewhere, as of 'show'.

    busbw: bus bandwidth over message sizes of 8 B to 16 GiB, one line for each collective, against
    its lower bound; with --measured for what was measured, with its points and the range of healthy runs.

    topology: tiers as rows with the hosts at the bottom, rails or planes by colour. Up to 100 devices
    each is drawn with its links, in larger networks equal devices share a box.

    load: what each link between switches carries under a routing and a pattern, a row a switch.

    elevation: racks from the front with devices, feeds and ports in use, and where the ports of switches lead.
    Of more than eight racks one of each kind is drawn; --rack and --device pick some. Several pages make one
    .pdf, or numbered images.

    power: what each rack draws of what it may, and what feeds, supply and loops carry, also once one has failed.

    floor: the hall from above, to scale, with racks coloured by --by power (the default), share (of the limit),
    inlet (air), loop (load of the liquid loop), air or liquid (heat to it), feeds or kind.
    """
    from fabrictool.plot.images import image_format

    if what not in FIGURES:
        raise NotSupportedError(f"figure '{what}' is not supported yet", f"use --what {_LISTED}")
    if what not in ("topology", "load") and network is not None:
        raise click.UsageError("--network goes with --what topology or load")
    _refuse_options(what, options)
    if output is not None:
        image_format(output)
    name, figures, drawn = _DRAWN[what](layout_path, title, network, options)
    paths = _write(figures, output or f"{name}-{what}.png")
    if as_json:
        print_json({"format": 1, "layout": name, "what": what, "file": paths[0], "files": paths} | drawn)
    elif not quiet:
        click.echo(f"wrote {', '.join(paths)}", err=True)
    return 0


Drawn = tuple[str, list["Figure"], dict[str, object]]


def _refuse_options(what: str, options: dict[str, Any]) -> None:
    """Refuse options that belong to another figure."""
    for figure, defaults in _OPTIONS_OF.items():
        given = [name for name, default in defaults.items() if figure != what and options[name] != default]
        if given:
            option = _SINGULAR.get(given[0], given[0]).replace("_", "-")
            raise click.UsageError(f"--{option} goes with --what {figure}")


def _busbw(layout_path: str, title: str | None, network: str | None, options: dict[str, Any]) -> Drawn:
    """Return the figure, and its curves for JSON."""
    from fabrictool.formats.imported import Imported
    from fabrictool.formats.recognise import opened
    from fabrictool.generators.building import build
    from fabrictool.plot.busbw import draw, subtitle

    layout = opened(layout_path)
    if isinstance(layout, Imported):
        raise click.UsageError(f"{layout_path} is no layout, so it has no collectives; use --what topology or load")
    fabric = build(layout)
    curves = _curves(layout, fabric, options)
    figure = draw(curves, title or layout.name, subtitle(layout, fabric, curves))
    return layout.name, [figure], {"curves": [curve.to_dict() for curve in curves]}


def _curves(layout: Layout, fabric: Fabric, options: dict[str, Any]) -> list[Curve]:
    """Return the curves of the layout's jobs, or of what was measured."""
    from fabrictool.formats.measured import read_measurements
    from fabrictool.plot.curves import busbw_curves, measured_curves

    chosen = {name: options[name] for name in ("collectives", "algorithm", "model")}
    if not options["measured"]:
        return busbw_curves(layout, fabric, ranks=options["ranks"], **chosen)
    if options["ranks"] is not None:
        what = "--ranks and --measured do not go together: the curves are for the ranks that were measured"
        raise click.UsageError(what)
    return measured_curves(layout, fabric, read_measurements(list(options["measured"])), **chosen)


def _topology(layout_path: str, title: str | None, network: str | None, options: dict[str, Any]) -> Drawn:
    """Return the figure, and its boxes and bundles for JSON."""
    from fabrictool.formats.imported import Imported
    from fabrictool.formats.recognise import opened
    from fabrictool.generators.building import build
    from fabrictool.plot.topology import draw_topology, topology_outlines

    found = opened(layout_path)
    fabric = found.fabric if isinstance(found, Imported) else build(found)
    shown = topology_outlines(fabric, network)
    return fabric.name, [draw_topology(shown, title or fabric.name)], {"networks": [one.to_dict() for one in shown]}


def _load(layout_path: str, title: str | None, network: str | None, options: dict[str, Any]) -> Drawn:
    """Return the figure, and its loads for JSON."""
    from fabrictool.explore.routed import route
    from fabrictool.plot.load import load_figure

    faults = {name: options[name] for name in ("fail_links", "fail_devices", "fail_domain", "slow", "seed")}
    routes = route(layout_path, routing_asked(options["routing"]), options["pattern"], network, **faults)
    return routes.layout, [load_figure(routes, title)], {"loads": routes.to_dict()["loads"]}


def _elevation(layout_path: str, title: str | None, network: str | None, options: dict[str, Any]) -> Drawn:
    """Return the pages, and racks and ports for JSON."""
    from fabrictool.formats.imported import Imported
    from fabrictool.formats.recognise import opened
    from fabrictool.plot.elevation import elevation, elevation_figures

    found = opened(layout_path)
    shown = elevation(found.fabric if isinstance(found, Imported) else found, options["racks"], options["devices"])
    return shown.fabric.name, elevation_figures(shown, title), shown.to_dict()


def _power(layout_path: str, title: str | None, network: str | None, options: dict[str, Any]) -> Drawn:
    """Return the figure, and its racks and gauges for JSON."""
    from fabrictool.plot.power import power_figure
    from fabrictool.plot.power_rows import power_rows

    shown = power_rows(_site(layout_path, "power"))
    return shown.site.layout.name, [power_figure(shown, title)], shown.to_dict()


def _floor(layout_path: str, title: str | None, network: str | None, options: dict[str, Any]) -> Drawn:
    """Return the figure, and its racks for JSON."""
    from fabrictool.plot.floor import floor_figure
    from fabrictool.plot.floor_map import floor_map

    shown = floor_map(_site(layout_path, "floor"), options["by"])
    return shown.site.layout.name, [floor_figure(shown, title)], shown.to_dict()


def _site(layout_path: str, what: str) -> Site:
    """Return a layout's racks."""
    from fabrictool.formats.imported import Imported
    from fabrictool.formats.recognise import opened
    from fabrictool.plot.site import site_of

    found = opened(layout_path)
    if isinstance(found, Imported):
        raise click.UsageError(f"{layout_path} is no layout, so it has no racks for --what {what}; use --what topology")
    return site_of(found)


_DRAWN: dict[str, Callable[[str, str | None, str | None, dict[str, Any]], Drawn]] = {
    "busbw": _busbw, "topology": _topology, "load": _load, "elevation": _elevation, "power": _power, "floor": _floor,
}  # fmt: skip


def _write(figures: list[Figure], path: str) -> list[str]:
    """Write figures and return the names of the files."""
    from fabrictool.plot.images import page_files

    files = page_files(figures, path)
    for name, content in files:
        write_file(name, content)
    return [name for name, _ in files]
