"""The figure of the hall's floor, to scale: rows, aisles, trays, racks by colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.fabric.tables import F8
from fabrictool.plot.floor_map import FloorMap, Measure
from fabrictool.plot.images import COLOURS, house_style
from fabrictool.plot.pages import GREY, INK, draw_key, fitting, key_rows, tint

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

#: Largest drawing of a floor, and most inches for a metre.
_WIDE, _TALL, _LARGEST = 15.0, 11.0, 1.5
_LEFT, _RIGHT, _HEAD, _LEAST = 0.75, 0.35, 1.0, 8.0
_COLD, _HOT, _TRAY = "#e3f0fa", "#fbe9e0", "#8a8a8a"
_ALARM = "#D55E00"
#: A scale that differs in lightness too, up to where black text can still be read on it.
_MAP, _DARKEST = "YlGnBu", 0.62
_UNKNOWN = "#ffffff"
#: Least span of a scale of temperatures, so that a tenth of a degree is no contrast.
_LEAST_K = 5.0


def floor_figure(shown: FloorMap, title: str | None = None) -> Figure:
    """Draw a floor from above, its first row at the top.

    Returns
    -------
    matplotlib.figure.Figure
        Independent of pyplot; a notebook shows it as the value of a cell.
    """
    from matplotlib.figure import Figure

    wide, tall = _extent(shown)
    scale = min(_WIDE / wide, _TALL / tall, _LARGEST)
    width = max(_LEAST, wide * scale + _LEFT + _RIGHT)
    with house_style():
        key = _key(shown)
        scale_y = 0.62 + 0.22 * key_rows(key, width)
        foot = scale_y + (0.62 if shown.measure.words else 0.85)
        height = tall * scale + _HEAD + foot
        figure = Figure(figsize=(width, height))
        figure.text(0.2 / width, 1 - 0.34 / height, title or f"{shown.site.layout.name}: floor", fontsize=13,
                    fontweight="bold", parse_math=False)  # fmt: skip
        figure.text(0.2 / width, 1 - 0.6 / height, _subtitle(shown), fontsize=9, color="#444444", parse_math=False)
        axes = figure.add_axes((_LEFT / width, foot / height, wide * scale / width, tall * scale / height))
        _draw_floor(axes, shown)
        _draw_racks(axes, shown, scale)
        _draw_measure(figure, shown, (_LEFT / width, scale_y / height, min(3.6, width - 2.2) / width, 0.13 / height))
        draw_key(figure, key)
    return figure


def _extent(shown: FloorMap) -> tuple[float, float]:
    """Return width and depth of the floor in m, with half an aisle around the rows."""
    floor = shown.floor
    across = max(shown.per_row * floor.pitch["rack_m"], float(floor.cross_x_m.max()))
    margin = floor.pitch["hot_aisle_m"] / 2
    return across + 1.0, float(floor.row_y_m[-1]) + floor.pitch["depth_m"] + 2 * margin


def _subtitle(shown: FloorMap) -> str:
    floor, hall = shown.floor, shown.site.layout.hall
    racks, rows = len(floor.row), len(floor.row_y_m)
    words = [" ".join(part for part in (floor.site, floor.room) if part)]
    words.append(f"{racks:,} rack{'s' if racks > 1 else ''} in {rows:,} row{'s' if rows > 1 else ''}")
    feeds = (hall.feeds if hall else None) or []
    if feeds:
        each = f", {hall.feeds_per_rack} of them to a rack" if hall and hall.feeds_per_rack else " to every rack"
        words.append(f"feeds {', '.join(feed.name for feed in feeds)} ({feeds[0].redundancy}){each}")
    if any(row.id == "unplaced" for row in shown.site.placement.findings):
        words.append("some devices have no place: see 'score'")
    return " · ".join(word for word in words if word)


def _draw_floor(axes: Axes, shown: FloorMap) -> None:
    """Draw axes in m, aisles by their air, trays, and positions without a rack."""
    from matplotlib.patches import Rectangle
    from matplotlib.ticker import FixedLocator

    floor = shown.floor
    wide, tall = _extent(shown)
    low = -floor.pitch["depth_m"] / 2 - floor.pitch["hot_aisle_m"] / 2
    axes.set_xlim(-0.5, wide - 0.5)
    axes.set_ylim(low + tall, low)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=2, labelsize=8)
    axes.set_xlabel("m", fontsize=8.5)
    axes.xaxis.set_major_locator(FixedLocator(_metres(wide - 1.0)))
    half = floor.pitch["depth_m"] / 2
    edges = [low, *(edge for y in floor.row_y_m.tolist() for edge in (y - half, y + half)), low + tall]
    for aisle, (top, bottom) in enumerate(zip(edges[::2], edges[1::2], strict=True)):
        colour = _COLD if aisle % 2 else _HOT
        axes.add_patch(Rectangle((-0.5, top), wide, bottom - top, facecolor=colour, linewidth=0, zorder=0))
    axes.set_yticks(floor.row_y_m.tolist(), [f"row {floor.row_name(row)}" for row in range(len(floor.row_y_m))])
    for x, y in shown.empty:
        corner = (x - floor.pitch["rack_m"] / 2, y - half)
        axes.add_patch(Rectangle(corner, floor.pitch["rack_m"], 2 * half, facecolor="none", edgecolor="#999999",
                                 linewidth=0.5, linestyle=":", zorder=2))  # fmt: skip
    _draw_trays(axes, shown)


def _metres(across: float) -> list[float]:
    """Return whole metres from 0, some ten of them."""
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if across / step <= 12)
    return [float(at) for at in range(0, int(across) + 1, step)]


def _draw_trays(axes: Axes, shown: FloorMap) -> None:
    """Draw the trays across, and those over the rows along the rear of the racks, so that labels stay free."""
    floor = shown.floor
    style: dict[str, Any] = {"color": _TRAY, "linewidth": 1.4, "alpha": 0.9, "zorder": 1, "clip_on": False}
    low, high = float(floor.cross_x_m.min()), float(floor.cross_x_m.max())
    behind = floor.pitch["depth_m"] / 2 + 0.07
    rears = [y + (behind if row % 2 else -behind) for row, y in enumerate(floor.row_y_m.tolist())]
    for rear in rears:
        axes.plot([low, high], [rear, rear], **style)
    if len(rears) > 1:
        for x in floor.cross_x_m.tolist():
            axes.plot([x, x], [rears[0], rears[-1]], **style)


def _draw_racks(axes: Axes, shown: FloorMap, scale: float) -> None:
    """Draw each rack to scale with its front, its name and its value."""
    from matplotlib.collections import LineCollection, PatchCollection
    from matplotlib.patches import Rectangle

    floor, racks = shown.floor, shown.site.placement.racks
    width, depth = floor.pitch["rack_m"], floor.pitch["depth_m"]
    boxes = [
        Rectangle((x - width / 2, y - depth / 2), width, depth)
        for x, y in zip(floor.x_m.tolist(), floor.y_m.tolist(), strict=True)
    ]
    colours = rack_colours(shown.measure)
    edges = np.where(shown.over | shown.outside, _ALARM, "#444444").tolist()
    widths = np.where(shown.over | shown.outside, 1.8, 0.5).tolist()
    hatched = [box for box, role in zip(boxes, racks.role.tolist(), strict=True) if role == "network"]
    styles = np.where(shown.outside & ~shown.over, "--", "-").tolist()
    axes.add_collection(PatchCollection(boxes, facecolor=colours, edgecolor=edges, linewidth=widths, linestyle=styles,
                                        zorder=3))  # fmt: skip
    axes.add_collection(PatchCollection(hatched, facecolor="none", edgecolor="#44444455", hatch="////", linewidth=0,
                                        zorder=3.5))  # fmt: skip
    way = np.where(floor.row % 2, -1, 1) * (depth / 2 - 0.04)
    fronts = [[(x - width * 0.42, y), (x + width * 0.42, y)] for x, y in zip(floor.x_m, floor.y_m + way, strict=True)]
    axes.add_collection(LineCollection(fronts, colors="#0072B2", linewidths=min(2.0, 3 * scale), zorder=4))
    _write_racks(axes, shown, scale)


def rack_colours(measure: Measure) -> list[str]:
    """Return the colour of each rack: along a scale, or one for each kind; white where unknown."""
    from matplotlib.colors import to_hex

    if measure.words:
        palette = [tint(COLOURS[row % len(COLOURS)], 0.55) for row in range(len(measure.words))]
        return [_UNKNOWN if np.isnan(value) else palette[int(value)] for value in measure.value.tolist()]
    shades = _shades()(_norm(measure)(measure.value))
    return [_UNKNOWN if np.isnan(v) else to_hex(shade) for v, shade in zip(measure.value, shades, strict=True)]


def _shades() -> Colormap:
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap(colormaps[_MAP](np.linspace(0.04, _DARKEST, 256)))


def _norm(measure: Measure) -> Normalize:
    """Return the scale of colours: from 0 for amounts that begin there, else over what there is."""
    from matplotlib.colors import Normalize

    values: F8 = measure.value[np.isfinite(measure.value)]
    low, high = float(values.min()), float(values.max())
    if measure.unit == "°C":
        return Normalize(low, max(high, low + _LEAST_K))
    low, high = 0.0, max(high, measure.limit or 0.0)
    return Normalize(low, high if high > low else low + 1.0)


def _write_racks(axes: Axes, shown: FloorMap, scale: float) -> None:
    """Write name and value along the depth of each rack, where they can be read."""
    floor, names = shown.floor, shown.site.placement.racks.name.tolist()
    long, wide = floor.pitch["depth_m"] * scale * 0.86, floor.pitch["rack_m"] * scale
    values = [_text(shown.measure, value) for value in shown.measure.value.tolist()]
    lines = 2 if wide > 0.17 else 1
    largest = min(9.0, 0.82 * 72 * wide / lines / 1.25)
    sizes = [size for size in (9.0, 8.0, 7.0, 6.0, 5.0, 4.2, 3.6, 3.0) if size <= largest]
    longest = max((*names, *(values if lines == 2 else ())), key=len)
    if not sizes or 0.0089 * sizes[-1] * len(longest) > long:
        return
    size = fitting([longest], long, sizes)[1]
    for x, y, name, value in zip(floor.x_m, floor.y_m, names, values, strict=True):
        axes.text(x, y, f"{name}\n{value}" if lines == 2 else name, fontsize=size, rotation=90, ha="center",
                  va="center", color=INK, linespacing=1.1, zorder=5, parse_math=False)  # fmt: skip


def _text(measure: Measure, value: float) -> str:
    if np.isnan(value):
        return "-"
    return measure.words[int(value)] if measure.words else f"{value:.3g}"


def _draw_measure(figure: Figure, shown: FloorMap, box: tuple[float, float, float, float]) -> None:
    """Draw the scale of colours with its unit, and where the limit lies on it."""
    from matplotlib.cm import ScalarMappable

    if shown.measure.words:
        return
    measure = shown.measure
    axes = figure.add_axes(box)
    figure.colorbar(ScalarMappable(_norm(measure), _shades()), cax=axes, orientation="horizontal")
    axes.tick_params(labelsize=8)
    axes.set_xlabel(f"{measure.title} ({measure.unit})", fontsize=8.5)
    if measure.limit is not None:
        axes.axvline(measure.limit, color=_ALARM, linewidth=2.5)
        axes.text(1.03, 0.5, f"limit {measure.limit:.4g} {measure.unit}", transform=axes.transAxes, fontsize=8,
                  color=_ALARM, va="center")  # fmt: skip


def _key(shown: FloorMap) -> list[tuple[Patch, str]]:
    """Return the key of fills and edges."""
    from matplotlib.patches import Patch

    found: list[tuple[Patch, str]] = []
    for row, word in enumerate(shown.measure.words):
        found.append((Patch(facecolor=tint(COLOURS[row % len(COLOURS)], 0.55), edgecolor=GREY), word))
    if (shown.site.placement.racks.role == "network").any():
        found.append((Patch(facecolor="white", edgecolor=GREY, hatch="////"), "network rack"))
    if np.isnan(shown.measure.value).any():
        found.append((Patch(facecolor=_UNKNOWN, edgecolor=GREY), "not known"))
    if shown.over.any():
        found.append((Patch(facecolor="none", edgecolor=_ALARM, linewidth=2), shown.measure.beyond_words))
    if shown.outside.any():
        found.append((Patch(facecolor="none", edgecolor=_ALARM, linewidth=2, linestyle="--"), "beyond the hall's rows"))
    if shown.empty:
        found.append((Patch(facecolor="none", edgecolor="#999999", linestyle=":"), "no rack"))
    found.append((Patch(facecolor="#0072B2", linewidth=0), "front"))
    found.append((Patch(facecolor=_COLD, edgecolor="#cccccc"), "cold aisle"))
    found.append((Patch(facecolor=_HOT, edgecolor="#cccccc"), "hot aisle"))
    found.append((Patch(facecolor=_TRAY, linewidth=0), "cable tray"))
    return found
