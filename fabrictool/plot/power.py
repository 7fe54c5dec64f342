"""The figure of power: each rack against its limit, then feeds, supply and loops against what they carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.plot.images import COLOURS, house_style
from fabrictool.plot.pages import GREY, INK, fitting
from fabrictool.plot.power_rows import Gauge, PowerRows
from fabrictool.power.overloads import TOLERANCE
from fabrictool.units import format_power

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _HEAD, _RACKS, _FOOT, _ROW = 12.0, 0.85, 3.2, 0.85, 0.26
_COMPUTE, _NETWORK, _ALARM = COLOURS[0], COLOURS[4], COLOURS[1]
#: Racks up to which each has its name below its bar; above, some do.
_NAMED = 64
#: Share of its limit up to which a gauge is drawn.
_FULLEST = 4.0


def power_figure(shown: PowerRows, title: str | None = None) -> Figure:
    """Draw what racks draw and what feeds, supply and loops carry.

    Returns
    -------
    matplotlib.figure.Figure
        Independent of pyplot; a notebook shows it as the value of a cell.
    """
    from matplotlib.figure import Figure

    below = _FOOT + (_ROW * len(shown.gauges) + 0.95 if shown.gauges else 0.0)
    height = _HEAD + _RACKS + 0.75 + below
    with house_style():
        figure = Figure(figsize=(_WIDTH, height))
        name = title or f"{shown.site.layout.name}: power"
        figure.text(0.02, 1 - 0.34 / height, name, fontsize=13, fontweight="bold", parse_math=False)
        figure.text(0.02, 1 - 0.6 / height, _subtitle(shown), fontsize=9, color="#444444", parse_math=False)
        _draw_racks(figure.add_axes((0.075, (below + 0.45) / height, 0.9, _RACKS / height)), shown)
        if shown.gauges:
            axes = figure.add_axes((0.2, _FOOT / height, 0.5, _ROW * len(shown.gauges) / height))
            _draw_gauges(axes, shown)
    return figure


def _subtitle(shown: PowerRows) -> str:
    power, site = shown.site.power, shown.site
    racks = len(power.rack)
    words = [f"{racks:,} rack{'s' if racks > 1 else ''}"]
    if not np.isnan(power.it_max_w):
        words.append(f"IT at most {_power(power.it_max_w)}")
    if site.supply.elements:
        words.append(f"utility {_power(site.supply.utility_w)}")
    over = int(np.count_nonzero(power.it_w > power.limit_w * (1 + TOLERANCE)))
    words += [f"{over:,} over the limit"] if over else []
    unknown = int(np.count_nonzero(np.isnan(power.it_w)))
    words += [f"of {unknown:,} nothing is known"] if unknown else []
    words += [f"no data: {', '.join(power.no_power_data)}"] if power.no_power_data else []
    return " · ".join(words)


def _power(power_w: float) -> str:
    return format_power(float(f"{power_w:.4g}"))


def _draw_racks(axes: Axes, shown: PowerRows) -> None:
    """Draw a bar for each rack, its typical power and its limit; without gaps where there are many."""
    power, count = shown.site.power, len(shown.site.power.rack)
    compute = shown.site.placement.racks.role == "compute"
    it, limit, typical = power.it_w / 1e3, power.limit_w / 1e3, power.it_typical_w / 1e3
    over = power.it_w > power.limit_w * (1 + TOLERANCE)
    place = np.arange(count)
    width = 0.8 if count <= 4 * _NAMED else 1.0
    for chosen, colour, title in (
        (compute & ~over, _COMPUTE, "hosts, maximum"),
        (~compute & ~over, _NETWORK, "switches and services, maximum"),
        (over, _ALARM, "over its limit"),
    ):
        if (chosen & ~np.isnan(it)).any():
            axes.bar(place[chosen], np.nan_to_num(it[chosen]), width, color=colour, linewidth=0, label=title)
    if not np.isnan(typical).all():
        axes.hlines(typical, place - 0.4, place + 0.4, color="white", linewidth=1.4, zorder=3)
        axes.hlines(typical, place - 0.4, place + 0.4, color=INK, linewidth=0.8, zorder=4, label="typical")
    if not np.isnan(limit).all():
        steps = np.repeat(limit, 2)
        edges = np.column_stack((place - 0.5, place + 0.5)).ravel()
        axes.plot(edges, steps, color=INK, linewidth=1.6, linestyle=(0, (5, 2)), label="limit", zorder=5)
    _scale_racks(axes, shown.site.power.rack, it, limit)


def _scale_racks(axes: Axes, names: Sequence[str], it: np.ndarray, limit: np.ndarray) -> None:
    count = len(names)
    step = 1 if count <= _NAMED else -(-count // 40)
    shown = range(0, count, step)
    size = fitting([max(names, key=len)], 1.1, (8, 7, 6))[1]
    axes.set_xticks(list(shown), [names[row] for row in shown], rotation=90, fontsize=size, parse_math=False)
    axes.set_xlim(-0.8, max(count, 12) - 0.2)
    highest = float(np.nanmax([*it.tolist(), *limit.tolist(), 1.0]))
    axes.set_ylim(0, highest * 1.22)
    for row in np.flatnonzero(np.isnan(it))[: 2 * _NAMED].tolist():
        axes.text(row, highest * 0.01, "?", fontsize=8, color=GREY, ha="center")
    axes.set_ylabel("IT power (kW)")
    axes.set_title("racks", loc="left", fontsize=9.5)
    axes.grid(True, axis="y")
    if not axes.get_legend_handles_labels()[0]:
        return
    axes.legend(loc="upper left", ncols=5, frameon=False, fontsize=8.5, handlelength=1.8)


def _draw_gauges(axes: Axes, shown: PowerRows) -> None:
    """Draw the share of its limit that each feed and element carries, in normal running and at its worst."""
    rows = shown.gauges
    axes.set_xlim(0, max(1.1, min(_FULLEST, 1.1 * max(row.share for row in rows))))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    for at, row in enumerate(rows):
        _draw_gauge(axes, row, at)
    axes.axvline(1.0, color=INK, linewidth=1.6, linestyle=(0, (5, 2)))
    axes.set_yticks(range(len(rows)), [_name(row) for row in rows], fontsize=8, parse_math=False)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    left = f"; {shown.left_out:,} less loaded ones are not drawn" if shown.left_out else ""
    axes.set_xlabel(f"share of what it may carry: bar in normal running, mark in the worst single failure{left}",
                    fontsize=8.5)  # fmt: skip
    axes.set_title("feeds, supply and loops, the fullest first", loc="left", fontsize=9.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(True, axis="x")


def _name(row: Gauge) -> str:
    return row.name if row.name.startswith(row.kind) else f"{row.kind} {row.name}"


def _draw_gauge(axes: Axes, row: Gauge, at: int) -> None:
    colour = _ALARM if row.over else "#8c8c8c"
    if row.limit_w:
        axes.barh(at, min(row.load_w / row.limit_w, _FULLEST), 0.6, color=colour, linewidth=0)
        axes.plot(
            [min(row.share, _FULLEST)] * 2, [at - 0.38, at + 0.38], color=_ALARM if row.over else INK, linewidth=2.2
        )
    words = _power(row.load_w)
    if not row.limit_w:
        words += " (no rating)"
    elif not row.cause:
        words += f" of {_power(row.limit_w)}"
    elif row.worst_limit_w == row.limit_w:
        words += f", {row.cause} {_power(row.worst_w)} of {_power(row.limit_w)}"
    else:
        words += f" of {_power(row.limit_w)}, {row.cause} of {_power(row.worst_limit_w or 0)}"
    axes.text(1.02, at, words, transform=axes.get_yaxis_transform(), fontsize=7.5, va="center",
              color=_ALARM if row.over else GREY, parse_math=False)  # fmt: skip
