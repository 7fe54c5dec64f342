"""The figure of bus bandwidth over message size: what a fabric reaches, what bounds and what limits it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from fabrictool.plot.curves import Curve, busbw_curves
from fabrictool.plot.images import COLOURS, house_style
from fabrictool.units import format_size, format_speed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fabrictool.evaluation import Evaluation
    from fabrictool.fabric import Fabric
    from fabrictool.layout.model import Layout

_GB = 1e9
_MARKERS = "osD^vPX"
_PROTOCOLS = {"infiniband": "InfiniBand", "ethernet": "Ethernet", "efa": "EFA", "tcp": "TCP"}
#: Decades shown below the highest bandwidth; a linear axis would show nothing of the smaller half of the sizes.
_DECADES = 5


def busbw_figure(
    design: Evaluation | Layout,
    collectives: Sequence[str] | None = None,
    algorithm: str | None = None,
    ranks: int | None = None,
    model: str = "rounds",
    title: str | None = None,
) -> Figure:
    """Draw bus bandwidth over message size against its bound; parameters are those of ``busbw_curves``.

    Parameters
    ----------
    design : Evaluation or Layout
        Of an evaluation only the layout is used.
    collectives, algorithm, ranks, model
        As of ``busbw_curves``.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        Independent of pyplot; a notebook shows it as the value of a cell.

    Raises
    ------
    FabrictoolError
        If a collective cannot be computed on this layout.
    """
    from fabrictool.evaluation import Evaluation
    from fabrictool.generators.building import build

    layout = design.layout if isinstance(design, Evaluation) else design
    fabric = build(layout)  # that of an evaluation has the latencies of its cables already
    curves = busbw_curves(layout, fabric, collectives, algorithm, ranks, model)
    return draw(curves, title or layout.name, subtitle(layout, fabric, curves))


def subtitle(layout: Layout, fabric: Fabric, curves: Sequence[Curve]) -> str:
    """Say on what the curves hold: GPUs, network, routing and model."""
    first = curves[0]
    network = layout.networks[first.network]
    row = fabric.network_row(first.network)
    speed = format_speed(float(fabric.links.speed_bps[fabric.links.network == row].min()))
    gpus = len(fabric.gpus)
    ranks = " and ".join(f"{count:,}" for count in dict.fromkeys(curve.ranks for curve in curves))
    of = "" if all(curve.ranks == gpus for curve in curves) else f" of {gpus:,}"
    models = ", ".join(dict.fromkeys(curve.model for curve in curves))
    return (
        f"{ranks}{of} GPUs · {_PROTOCOLS[network.protocol]} {speed} {network.family} · "
        f"routing {network.routing_name} · model {models}"
    )


def draw(curves: Sequence[Curve], title: str, subtitle: str) -> Figure:
    """Draw curves on one pair of axes.

    A solid line is a collective; the dashed line of its colour is its lower bound of time, as a
    bandwidth. The open mark stands where latency and bandwidth take equal time.
    """
    from matplotlib.figure import Figure

    with house_style():
        figure = Figure(figsize=(8.4, 4.6))
        key_rows = 2 if any(curve.measured for curve in curves) else 1
        axes = figure.add_axes((0.09, 0.125 + 0.045 * key_rows, 0.605, 0.705 - 0.045 * key_rows))
        for row, curve in enumerate(curves):
            _draw_curve(axes, curve, COLOURS[row % len(COLOURS)], _MARKERS[row % len(_MARKERS)])
        _draw_axes(axes, curves)
        _label_ends(axes, curves)
        _draw_key(figure, curves)
        figure.text(0.012, 0.945, title, fontsize=13, fontweight="bold", color="#111111", parse_math=False)
        figure.text(0.012, 0.89, subtitle, fontsize=9.5, color="#444444", parse_math=False)
    return figure


def _draw_curve(axes: Axes, curve: Curve, colour: str, marker: str) -> None:
    reached = [busbw / _GB for busbw in curve.busbw_bytes_per_s]
    bound = [busbw / _GB for busbw in curve.bound_bytes_per_s]
    if curve.expected_bytes_per_s:
        low, high = zip(*curve.expected_bytes_per_s, strict=True)
        axes.fill_between(curve.nbytes, [value / _GB for value in low], [value / _GB for value in high],
                          color=colour, alpha=0.16, linewidth=0)  # fmt: skip
    if curve.measured:
        sizes, found = zip(*curve.measured, strict=True)
        axes.plot(sizes, [value / _GB for value in found], color=colour, marker="x", markersize=5.5,
                  markeredgewidth=1.4, linestyle="none", zorder=6)  # fmt: skip
    axes.plot(curve.nbytes, bound, color=colour, linewidth=1.3, dashes=(5, 2.5))
    axes.plot(curve.nbytes, reached, color=colour, linewidth=2.2, solid_capstyle="round")
    axes.plot(curve.nbytes[-1:], reached[-1:], color=colour, marker=marker, markersize=6.5, clip_on=False, zorder=5)
    if curve.half_nbytes is not None:
        half = curve.top_bytes_per_s * (1 + curve.half_nbytes / curve.nbytes[-1]) / 2 / _GB
        axes.plot([curve.half_nbytes], [half], color=colour, marker=marker, markersize=6.5,
                  markerfacecolor="white", markeredgewidth=1.6, linestyle="none", zorder=5)  # fmt: skip


def _draw_axes(axes: Axes, curves: Sequence[Curve]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    sizes = curves[0].nbytes
    axes.set_xscale("log", base=2)
    axes.set_xlim(sizes[0], sizes[-1])
    axes.xaxis.set_major_locator(FixedLocator(list(sizes[::-1][::4])))
    axes.xaxis.set_minor_locator(FixedLocator(list(sizes)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: format_size(size)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("message size")
    axes.set_ylabel("bus bandwidth (GB/s)")
    highest = max(max(curve.bound_bytes_per_s + curve.busbw_bytes_per_s) for curve in curves) / _GB
    axes.set_yscale("log")
    axes.set_ylim(highest / 10**_DECADES, highest * 1.6)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(True, which="major")


def _label_ends(axes: Axes, curves: Sequence[Curve]) -> None:
    """Name each line right of its end, with what it reaches and what limits it there."""
    to_axes = axes.transData + axes.transAxes.inverted()
    ends = [float(to_axes.transform((c.nbytes[-1], c.top_bytes_per_s / _GB))[1]) for c in curves]
    for row, (curve, end, at) in enumerate(zip(curves, ends, _spread(ends), strict=True)):
        colour = COLOURS[row % len(COLOURS)]
        axes.plot([1.01, 1.04], [end, at], color=colour, linewidth=0.8, transform=axes.transAxes, clip_on=False)
        axes.text(1.05, at, f"{curve.collective}, {curve.algorithm}", transform=axes.transAxes, color=colour,
                  fontweight="bold", fontsize=9.5, va="center")  # fmt: skip
        axes.text(1.05, at - 0.03, _end_words(curve), transform=axes.transAxes, color="#333333", fontsize=8.5, va="top")


def _end_words(curve: Curve) -> str:
    reached, bound = curve.top_bytes_per_s / _GB, curve.bound_bytes_per_s[-1] / _GB
    return f"{reached:.3g} of at most {bound:.3g} GB/s\nlimited by {curve.limited_by}"


def _spread(places: Sequence[float], gap: float = 0.16, low: float = 0.1, high: float = 0.97) -> list[float]:
    """Return places at least a gap apart where they fit, each as near to its own as may be."""
    order = sorted(range(len(places)), key=lambda row: places[row])
    gap = min(gap, (high - low) / max(1, len(places) - 1))
    at = [0.0] * len(places)
    floor = low
    for row in order:
        at[row] = max(places[row], floor)
        floor = at[row] + gap
    ceiling = high
    for row in reversed(order):
        at[row] = min(at[row], ceiling)
        ceiling = at[row] - gap
    return at


def _draw_key(figure: Figure, curves: Iterable[Curve]) -> None:
    """Explain line styles and marks below the axes, where nothing is covered."""
    from matplotlib.artist import Artist
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    grey = "#444444"
    entries: list[tuple[Artist, str]] = [
        (Line2D([], [], color=grey, linewidth=2.2), "modelled"),
        (Line2D([], [], color=grey, linewidth=1.3, dashes=(5, 2.5)), "lower bound of time, as bandwidth"),
    ]
    if any(curve.half_nbytes is not None for curve in curves):
        mark = Line2D([], [], color=grey, marker="o", markerfacecolor="white", markeredgewidth=1.6, linestyle="none")
        entries.append((mark, "half of the time is latency"))
    if any(curve.expected_bytes_per_s for curve in curves):
        entries.append((Patch(facecolor=grey, alpha=0.25), "8 of 10 healthy runs"))
    if any(curve.measured for curve in curves):
        mark = Line2D([], [], color=grey, marker="x", markeredgewidth=1.4, linestyle="none")
        entries.append((mark, "measured"))
    figure.legend(*zip(*entries, strict=True), loc="lower left", bbox_to_anchor=(0.07, -0.005), ncols=3,
                  frameon=False, fontsize=8.5, handlelength=2.6)  # fmt: skip
