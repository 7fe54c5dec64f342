"""The lines of a topology: links port to port, or bundles of them, by the colour of their rail or plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.plot.arranging import Place
from fabrictool.plot.images import COLOURS
from fabrictool.plot.outline import Box, Bundle, Outline

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GREY = "#6b6b6b"
#: Colours of rails and planes; the eighth, with a number on each box, is a grey.
RAILS = (*COLOURS, "#999999")
#: Most links that are drawn one by one.
_MOST_LINES = 2000


def colour_of(shown: Outline, item: Box | Bundle) -> str:
    """Return the colour of a box or a bundle: by plane where there are planes, else by rail, else grey."""
    planes = any(box.plane >= 0 for box in shown.boxes)
    value = item.plane if planes else item.rail
    if value < 0 and isinstance(item, Box) and not planes and item.part >= 0:
        value = _rail_of_part(shown, item.part)
    return RAILS[value % len(RAILS)] if value >= 0 else _GREY


def _rail_of_part(shown: Outline, part: int) -> int:
    """Return the one rail of a part's switches, -1 if there are several."""
    rails = {box.rail for box in shown.boxes if box.part == part and box.rail >= 0}
    return rails.pop() if len(rails) == 1 else -1


def draw_links(axes: Axes, shown: Outline, found: Sequence[Place]) -> None:
    """Draw links port to port in a small network, else one line a bundle, wider for more links."""
    from matplotlib.collections import LineCollection

    single = shown.single and sum(len(bundle.links) for bundle in shown.bundles) <= _MOST_LINES
    lines: list[list[tuple[float, float]]] = []
    colours, widths = [], []
    for bundle, ends in zip(shown.bundles, _bundle_ends(shown, found, single), strict=True):
        colour = colour_of(shown, bundle)
        colour = colour_of(shown, shown.boxes[bundle.a]) if colour == _GREY else colour
        lines += ends
        colours += [colour] * len(ends)
        one_each = single and len(ends) == len(bundle.links)
        widths += [0.5 if one_each else min(0.6 + 0.11 * len(bundle.links) ** 0.6, 3.0)] * len(ends)
    alpha = 0.8 if len(lines) < 150 else 0.55
    axes.add_collection(LineCollection(lines, colors=colours, linewidths=widths, alpha=alpha, zorder=2))


def _bundle_ends(shown: Outline, found: Sequence[Place], single: bool) -> list[list[list[tuple[float, float]]]]:
    """Return the lines of each bundle: an arc between boxes of one tier, else one line, or one a link."""
    ends = _port_places(shown, found) if single else _middles(shown, found)
    lines = []
    for row, bundle in enumerate(shown.bundles):
        if shown.boxes[bundle.a].tier == shown.boxes[bundle.z].tier:
            lines.append([_arc(found[bundle.a], found[bundle.z])])
        else:
            lines.append([list(ends[at]) for at in (bundle.links if single else (row,))])
    return lines


def _middles(shown: Outline, found: Sequence[Place]) -> dict[int, tuple[tuple[float, float], tuple[float, float]]]:
    """Return both ends of each bundle, spread along the edges of their boxes in order of where they lead."""
    edges: dict[tuple[int, bool], list[tuple[float, int]]] = {}
    for row, bundle in enumerate(shown.bundles):
        edges.setdefault((bundle.a, False), []).append((found[bundle.z].x, row))
        edges.setdefault((bundle.z, True), []).append((found[bundle.a].x, row))
    where = {}
    for (box, upper), rows in edges.items():
        for (_, row), x in zip(sorted(rows), _along(found[box], len(rows), 0.6), strict=True):
            where[row, upper] = (x, found[box].y if upper else found[box].top)
    return {row: (where[row, False], where[row, True]) for row in range(len(shown.bundles))}


def _along(place: Place, count: int, share: float) -> list[float]:
    """Return places spread evenly over a share of a box's edge."""
    width = place.width * share
    return [place.x - width / 2 + width * (step + 0.5) / count for step in range(count)]


def _port_places(shown: Outline, found: Sequence[Place]) -> dict[int, tuple[tuple[float, float], tuple[float, float]]]:
    """Return both ends of each link, spread along the edges of their boxes in order of port number."""
    links, ports = shown.fabric.links, shown.fabric.ports
    at = {device: row for row, box in enumerate(shown.boxes) for device in box.devices}
    ends: dict[int, tuple[int, int]] = {}
    edges: dict[tuple[int, bool], list[int]] = {}
    for bundle in shown.bundles:
        for link in bundle.links:
            low, high = int(links.port_a[link]), int(links.port_z[link])
            ends[link] = (low, high) if at[int(ports.device[low])] == bundle.a else (high, low)
            for port, upper in zip(ends[link], (False, True), strict=True):
                edges.setdefault((int(ports.device[port]), upper), []).append(port)
    where: dict[int, tuple[float, float]] = {}
    for (device, upper), used in edges.items():
        place = found[at[device]]
        used.sort(key=lambda port: int(ports.number[port]))
        for port, x in zip(used, _along(place, len(used), 1.0), strict=True):
            where[port] = (x, place.y if upper else place.top)
    return {link: (where[low], where[high]) for link, (low, high) in ends.items()}


def _arc(a: Place, z: Place) -> list[tuple[float, float]]:
    """Return a half ellipse above two boxes of one tier."""
    angle = np.linspace(np.pi, 0, 25)
    middle, half = (a.x + z.x) / 2, (z.x - a.x) / 2
    rise = min(0.25 + 0.12 * abs(z.x - a.x), 1.15)
    return list(zip((middle + half * np.cos(angle)).tolist(), (a.top + rise * np.sin(angle)).tolist(), strict=True))
