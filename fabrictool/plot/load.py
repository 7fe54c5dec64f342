"""The heat map of link loads: a row a switch, a cell each of its links, one panel for each way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabrictool.fabric import KINDS
from fabrictool.plot.images import house_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

    from fabrictool.explore.routes import Routes

F8 = npt.NDArray[np.float64]

#: Rows and cells of a panel; in larger networks a cell shows the busiest of several links.
MOST_ROWS, MOST_CELLS = 256, 128
_WIDTH, _HEIGHT, _HEAD, _FOOT = 10.0, 3.1, 0.75, 1.35
_NAMED = 5
#: The colours reach at least so far: at 1 the host links limit, which is no alarm.
_CALM = 2.0


@dataclass(frozen=True)
class Panel:
    """Loads relative to the busiest host link, (switches, links of each): NaN without a link, inf where it is down."""

    title: str
    rows: str
    cells: str
    load: F8
    rows_each: int
    cells_each: int


def load_figure(routes: Routes, title: str | None = None) -> Figure:
    """Draw the load of every link between switches.

    Parameters
    ----------
    routes : Routes
        As ``ft.route`` returns them.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        Independent of pyplot; a notebook shows it as the value of a cell.
    """
    from matplotlib.figure import Figure

    shown = panels(routes)
    lines = -(-len(shown) // 2)
    height = _HEAD + _HEIGHT * max(lines, 1) + _FOOT
    with house_style():
        figure = Figure(figsize=(_WIDTH, height))
        top = title or f"{routes.layout}: what each link carries"
        figure.text(0.03, 1 - 0.3 / height, top, fontsize=13, fontweight="bold", parse_math=False)
        figure.text(0.03, 1 - 0.56 / height, _subtitle(routes), fontsize=9.5, color="#444444", parse_math=False)
        limit = (
            max(_CALM, *(float(np.max(p.load[np.isfinite(p.load)], initial=0.0)) for p in shown)) if shown else _CALM
        )
        image = None
        for at, panel in enumerate(shown):
            left, low = 0.08 + 0.48 * (at % 2), height - _HEAD - _HEIGHT * (at // 2 + 1) + 0.62
            box = (left, low / height, 0.39, (_HEIGHT - 1.02) / height)
            image = _draw(figure, panel, box, limit)
        if image is not None:
            _draw_key(figure, image, height, _links_down(routes) > 0)
        figure.text(
            0.40, 0.2 / height, _hottest(routes), fontsize=7.5, family="monospace", parse_math=False, va="bottom"
        )
    return figure


def _subtitle(routes: Routes) -> str:
    wiring = routes.wiring
    down = _links_down(routes)
    fault = f" · {down:,} link{'s' if down > 1 else ''} down" if down else ""
    return f"network {wiring.name} · {routes.routing.name} · {routes.pattern} · {wiring.hosts:,} {wiring.title}{fault}"


def _links_down(routes: Routes) -> int:
    return int(np.count_nonzero(routes.wiring.faults.links.dead[routes.links]))


def panels(routes: Routes) -> list[Panel]:
    """Return one panel for each way between two tiers of switches, the lower tiers first."""
    fabric = routes.wiring.fabric
    tier, kind = fabric.devices.tier, fabric.devices.kind
    a, z = (end[routes.links] for end in fabric.ends)
    found = []
    for low, high in sorted({(int(x), int(y)) for x, y in zip(tier[a], tier[z], strict=True) if x > 0}):
        rows = routes.links[(tier[a] == low) & (tier[z] == high)]
        names = [KINDS[kind[fabric.ends[side][rows[0]]]] for side in (0, 1)]
        if low == high:
            both = np.concatenate((2 * rows, 2 * rows + 1))
            found.append(_panel(routes, both, f"between {names[0]} switches", names[0], "port"))
            continue
        found.append(_panel(routes, 2 * rows, f"up: {names[0]} to {names[1]}", names[0], "uplink"))
        found.append(_panel(routes, 2 * rows + 1, f"down: {names[1]} to {names[0]}", names[0], "uplink", end=1))
    return found


def _panel(routes: Routes, channel: npt.NDArray[np.int32], title: str, rows: str, cells: str, end: int = 0) -> Panel:
    """Return loads with a row for each switch at the lower end, cells in order of its ports."""
    fabric = routes.wiring.fabric
    links, lower = channel // 2, (channel & 1) ^ end
    port = np.where(lower == 0, fabric.links.port_a[links], fabric.links.port_z[links])
    order = np.argsort(port, kind="stable")
    device = fabric.ports.device[port[order]]
    _, row, count = np.unique(device, return_inverse=True, return_counts=True)
    cell = np.arange(len(device)) - np.repeat(np.cumsum(count) - count, count)
    load = np.full((len(count), int(count.max())), np.nan)
    value = routes.relative[channel[order]]
    load[row, cell] = np.where(routes.wiring.channels.speed_bps[channel[order]] > 0, value, np.inf)
    rows_each, cells_each = -(-load.shape[0] // MOST_ROWS), -(-load.shape[1] // MOST_CELLS)
    return Panel(title, rows, cells, _coarse(load, rows_each, cells_each), rows_each, cells_each)


def _coarse(load: F8, rows_each: int, cells_each: int) -> F8:
    """Return the busiest of so many rows and cells; what is down shows only where all is down."""
    if rows_each == cells_each == 1:
        return load
    tall, wide = -(-load.shape[0] // rows_each) * rows_each, -(-load.shape[1] // cells_each) * cells_each
    padded = np.full((tall, wide), np.nan)
    padded[: load.shape[0], : load.shape[1]] = load
    cut = padded.reshape(tall // rows_each, rows_each, wide // cells_each, cells_each)
    blocks = cut.transpose(0, 2, 1, 3).reshape(tall // rows_each, wide // cells_each, -1)
    most = np.max(np.where(np.isfinite(blocks), blocks, -1.0), axis=2)
    down, empty = np.isinf(blocks).any(axis=2), np.isnan(blocks).all(axis=2)
    return np.where(most >= 0, most, np.where(down, np.inf, np.where(empty, np.nan, 0.0)))


def _draw(figure: Figure, panel: Panel, box: tuple[float, float, float, float], limit: float) -> AxesImage:
    from matplotlib.ticker import MaxNLocator

    axes = figure.add_axes(box)
    axes.set_facecolor("#eeeeee")
    axes.spines[:].set_visible(False)
    live = np.ma.masked_invalid(panel.load)
    extent = (0.5, panel.load.shape[1] * panel.cells_each + 0.5, panel.load.shape[0] * panel.rows_each + 0.5, 0.5)
    image = axes.imshow(live, aspect="auto", cmap="YlOrRd", vmin=0, vmax=limit, interpolation="nearest", extent=extent)
    for row, cell in np.argwhere(np.isinf(panel.load)).tolist()[:2000]:
        x, y = (cell + 0.5) * panel.cells_each + 0.5, (row + 0.5) * panel.rows_each + 0.5
        axes.plot(x, y, marker="x", color="#0072B2", markersize=4, markeredgewidth=1.2)
    axes.set_title(panel.title, fontsize=9.5, loc="left")
    each = f", busiest of {panel.rows_each} in a row" if panel.rows_each > 1 else ""
    axes.set_ylabel(f"{panel.rows}{each}", fontsize=8.5)
    axes.set_xlabel(f"{panel.cells} of the {panel.rows}", fontsize=8.5)
    axes.tick_params(labelsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    return image


def _draw_key(figure: Figure, image: AxesImage, height: float, down: bool) -> None:
    axes = figure.add_axes((0.08, 0.72 / height, 0.27, 0.13 / height))
    figure.colorbar(image, cax=axes, orientation="horizontal")
    axes.set_xlabel("load over speed, in units of the busiest host link", fontsize=8)
    axes.tick_params(labelsize=8)
    if down:
        figure.text(0.08, 0.13 / height, "x  link down", fontsize=8, color="#0072B2")


def _hottest(routes: Routes) -> str:
    """Return the busiest links between switches by name."""
    return "\n".join(_lines(routes))


def _lines(routes: Routes) -> Iterator[str]:
    hot = [row for row in routes.hot(_NAMED, switches_only=True) if row[2] > 0]
    if hot:
        yield "busiest links between switches"
    for start, end, load, relative in hot:
        yield f"{relative:8.3g}  {start} to {end}  (load {load:,.6g})"
