"""Port maps on pages: a cell for each cage, split into its ports, coloured by network and rail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fabrictool.plot.images import house_style
from fabrictool.plot.pages import BOTTOM, GREY, INK, LEFT, RIGHT, TOP, Keys, draw_key, fitting, page, tint
from fabrictool.plot.port_maps import CageFace, PortFace, PortMap
from fabrictool.units import format_link_speed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fabrictool.fabric import Fabric

#: Cages of a band: two rows of so many, or of up to so many where that makes one band of all.
COLUMNS, MOST_COLUMNS = 16, 18
_HEAD, _GAP = 0.34, 0.16
_LINE = 0.155
#: Height of a port in inches from which on device and port number stand on two lines.
_TWO_LINES = 0.28


def port_figures(fabric: Fabric, maps: Sequence[PortMap], title: str) -> list[Figure]:
    """Draw port maps, several on a page.

    Parameters
    ----------
    fabric : Fabric
    maps : sequence of PortMap
    title : str
        Of each page.
    """
    with house_style():
        keys = Keys(fabric)
        pages = list(_paged(maps))
        return [_page(keys, shown, title, number, len(pages)) for number, shown in enumerate(pages, 1)]


def _paged(maps: Sequence[PortMap]) -> Iterator[list[PortMap]]:
    """Yield the maps of each page: as many as fit, one at least."""
    shown: list[PortMap] = []
    room = TOP - BOTTOM
    for one in maps:
        if shown and room < _height(one):
            yield shown
            shown, room = [], TOP - BOTTOM
        shown.append(one)
        room -= _height(one)
    if shown:
        yield shown


def _cage_height(one: PortMap) -> float:
    return max(0.34, _LINE * max(len(cage.ports) for cage in one.cages))


def _columns(one: PortMap) -> int:
    half = -(-len(one.cages) // 2)
    return half if COLUMNS < half <= MOST_COLUMNS else COLUMNS


def _height(one: PortMap) -> float:
    bands, rest = divmod(len(one.cages), 2 * _columns(one))
    rows = 2 * bands + min(rest, 2)
    return _HEAD + rows * _cage_height(one) + (bands + (rest > 0)) * _GAP + 0.12


def _page(keys: Keys, maps: Sequence[PortMap], title: str, number: int, total: int) -> Figure:
    of = f" · page {number} of {total}" if total > 1 else ""
    tall = sum(_height(one) for one in maps) + BOTTOM + 0.75
    figure, axes = page(title, f"where each port leads: cages in pairs, odd numbers above{of}", height=tall)
    top = tall - 0.75
    shown: set[tuple[str, int]] = set()
    for one in maps:
        _draw(axes, keys, one, top)
        top -= _height(one)
        shown |= {(port.network, port.rail) for cage in one.cages for port in cage.ports if port.peer}
    draw_key(figure, keys.patches(shown))
    return figure


def _draw(axes: Axes, keys: Keys, one: PortMap, top: float) -> None:
    """Draw one device below ``top``."""
    speeds = sorted({port.speed_bps for cage in one.cages for port in cage.ports}, reverse=True)
    words = f"{one.kind} · {one.type} · {one.used} of {one.ports} ports in use · " + " and ".join(
        format_link_speed(bps) for bps in speeds
    )
    axes.text(LEFT, top - 0.2, one.device, fontsize=10, fontweight="bold", color=INK, parse_math=False)
    axes.text(LEFT + 0.095 * len(one.device) + 0.15, top - 0.2, words, fontsize=8.5, color=GREY, parse_math=False)
    columns, height = _columns(one), _cage_height(one)
    width = (RIGHT - LEFT) / columns
    size = _size(one, width - 0.04, height)
    for at, cage in enumerate(one.cages):
        band, column, lower = at // (2 * columns), at % (2 * columns) // 2, at % 2
        y = top - _HEAD - band * (2 * height + _GAP) - (lower + 1) * height
        _draw_cage(axes, keys, cage, (LEFT + column * width, y, width - 0.04, height - 0.02), size)


def _size(one: PortMap, width: float, height: float) -> float:
    """Return the font size at which most labels of a device fit."""
    ports = [port for cage in one.cages for port in cage.ports if port.peer]
    longest = sorted(
        (f"{_peer(port)}{port.port}" if height / len(one.cages[0].ports) <= _TWO_LINES else _lines(port)[0]
         for port in ports), key=len,
    )  # fmt: skip
    return fitting(longest[-len(longest) // 20 :][:1] or [""], width - 0.14, (6.5, 6, 5.5, 5, 4.5))[1]


def _lines(port: PortFace) -> tuple[str, str]:
    """Return the far device, with an arrow where it is a tier higher, and its port."""
    return ("↑" if port.up else "") + port.peer, f":{port.peer_port}"


def _peer(port: PortFace) -> str:
    return "".join(_lines(port))


def _draw_cage(axes: Axes, keys: Keys, cage: CageFace, place: tuple[float, float, float, float], size: float) -> None:
    from matplotlib.patches import Rectangle

    x, y, width, height = place
    each = height / len(cage.ports)
    for leg, port in enumerate(cage.ports):
        colour, hatch = keys.of(port.network, port.rail) if port.peer else ("#bbbbbb", "")
        low = y + height - (leg + 1) * each
        fill = tint(colour, 0.14 if port.up else 0.32) if port.peer else "white"
        axes.add_patch(Rectangle((x, low), width, each, facecolor=fill, edgecolor=tint(colour, 0.6), linewidth=0.4))
        axes.add_patch(Rectangle((x, low), 0.07, each, facecolor=tint(colour, 0.75), edgecolor=colour, hatch=hatch,
                                 linewidth=0.2))  # fmt: skip
        _write(axes, port, (x + 0.09, low, width - 0.1, each), size)
    axes.add_patch(Rectangle((x, y), width, height, facecolor="none", edgecolor="#777777", linewidth=0.6, zorder=3))


def _write(axes: Axes, port: PortFace, place: tuple[float, float, float, float], size: float) -> None:
    """Write the port's own number, and where it leads: on two lines where there is room."""
    x, y, width, height = place
    two = height > _TWO_LINES
    own, small = fitting([port.port], min(0.42, 0.5 * width), (5.5, 4.5))
    used = 0.0089 * small * len(own) + 0.03
    axes.text(x, y + height * (0.78 if two else 0.48), own, fontsize=small, color=GREY, va="center", parse_math=False)
    if not port.peer:
        axes.text(x + used, y + height * 0.48, "free", fontsize=5, color="#999999", va="center")
        return
    lines = _lines(port) if two else (_peer(port),)
    for line, at in zip(lines, (0.45, 0.17) if two else (0.48,), strict=True):
        words = fitting([line], width - (0 if two else used), (size,))[0]
        axes.text(x + (0 if two else used), y + height * at, words, fontsize=size, color=INK, va="center",
                  parse_math=False)  # fmt: skip
