"""The figure of a network's topology: tiers as rows with the hosts at the bottom, rails or planes by colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.errors import InputError, did_you_mean
from fabrictool.fabric.chassis import type_title
from fabrictool.plot.arranging import LEFT, RIGHT, WIDTH, Place, frames, group_title, places
from fabrictool.plot.images import house_style
from fabrictool.plot.lines import RAILS, colour_of, draw_links
from fabrictool.plot.outline import Box, Outline, outline
from fabrictool.plot.wording import link_lines, row_lines
from fabrictool.units import format_link_speed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fabrictool.fabric import Fabric

#: Switches of a box are drawn as a square each where each has so much of its width, in inches.
_LEAST_SQUARE = 0.03
_RISE, _RISE_SMALL = 1.75, 1.95
_TOP, _BOTTOM = 0.62, 0.62
_PROTOCOLS = {"infiniband": "InfiniBand", "ethernet": "Ethernet", "efa": "EFA", "tcp": "TCP"}


def topology_outlines(fabric: Fabric, network: str | None = None) -> list[Outline]:
    """Return what the figure shows, one outline a network.

    Parameters
    ----------
    fabric : Fabric
    network : str, optional
        One of them; by default all.

    Raises
    ------
    InputError
        If there is no such network, or none at all.
    """
    names = [row.name for row in fabric.networks]
    if not names:
        raise InputError("there is no network to draw", "add one under networks")
    if network is not None and network not in names:
        raise InputError(f"--network: there is no network '{network}'", did_you_mean(network, names))
    return [outline(fabric, row) for row, name in enumerate(names) if network in (None, name)]


def topology_figure(fabric: Fabric, network: str | None = None, title: str | None = None) -> Figure:
    """Draw the networks of a fabric, one panel each.

    Up to 100 devices each one is drawn with its ports and links; in larger networks equal devices
    share a box, and a line stands for all links between two boxes.

    Parameters
    ----------
    fabric : Fabric
    network : str, optional
        One of them; by default all.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        Independent of pyplot; a notebook shows it as the value of a cell.

    Raises
    ------
    InputError
        If there is no such network.
    """
    return draw_topology(topology_outlines(fabric, network), title or fabric.name)


def draw_topology(shown: Sequence[Outline], title: str) -> Figure:
    """Draw outlines above one another."""
    from matplotlib.figure import Figure

    heights = [_height(one) for one in shown]
    with house_style():
        figure = Figure(figsize=(WIDTH, sum(heights) + 0.35))
        total = sum(heights) + 0.35
        top = total - 0.35
        figure.text(0.15 / WIDTH, 1 - 0.3 / total, title, fontsize=13, fontweight="bold", parse_math=False)
        for one, height in zip(shown, heights, strict=True):
            axes = figure.add_axes((0, (top - height) / total, 1, height / total))
            axes.set_xlim(0, WIDTH)
            axes.set_ylim(0, height)
            axes.axis("off")
            _draw(axes, one, height)
            top -= height
    return figure


def _rise(shown: Outline) -> float:
    return _RISE_SMALL if shown.single else _RISE


def _height(shown: Outline) -> float:
    sideways = any(shown.boxes[b.a].tier == shown.boxes[b.z].tier for b in shown.bundles)
    return _TOP + _BOTTOM + (len(shown.tiers) - 1) * _rise(shown) + 0.45 + (1.1 if sideways else 0)


def _draw(axes: Axes, shown: Outline, height: float) -> None:
    """Draw one network."""
    found = places(shown, _BOTTOM, _rise(shown))
    axes.text(0.15, height - 0.28, _subtitle(shown), fontsize=9.5, color="#444444", parse_math=False)
    _draw_frames(axes, shown, found)
    draw_links(axes, shown, found)
    for box, place in zip(shown.boxes, found, strict=True):
        _draw_box(axes, shown, box, place)
    _draw_rows(axes, shown, found)
    _draw_key(axes, shown)


def _subtitle(shown: Outline) -> str:
    facts = shown.fabric.networks[shown.network]
    speeds = np.unique(shown.fabric.links.speed_bps[shown.fabric.links.network == shown.network])
    speed = " and ".join(format_link_speed(float(bps)) for bps in speeds[::-1])
    parts = f" · {shown.parts} parts that no switch joins" if shown.parts > 1 else ""
    protocol = _PROTOCOLS.get(facts.protocol, facts.protocol)
    family = "from a file" if facts.family == "file" else facts.family
    return f"network {facts.name} · {protocol} {speed} {family}{parts}"


def _draw_frames(axes: Axes, shown: Outline, found: Sequence[Place]) -> None:
    from matplotlib.patches import FancyBboxPatch

    for frame in frames(shown, found):
        place = next(p for p, box in zip(found, shown.boxes, strict=True) if box.tier == frame.tier)
        width = frame.right - frame.left
        patch = FancyBboxPatch(
            (frame.left, place.y), width, place.height, boxstyle="round,pad=0.07,rounding_size=0.06",
            facecolor="#f3f3f3", edgecolor="#cccccc", linewidth=0.7, zorder=0,
        )  # fmt: skip
        axes.add_patch(patch)
        if width > 0.09 * len(frame.title):
            axes.text(frame.left - 0.04, place.top + 0.1, frame.title, fontsize=7, color="#555555", va="bottom",
                      parse_math=False, zorder=6, bbox=_halo())  # fmt: skip


def _halo() -> dict[str, object]:
    return {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.6}


def _draw_box(axes: Axes, shown: Outline, box: Box, place: Place) -> None:
    """Draw a box with its name, and a square for each of several switches."""
    from matplotlib.patches import Rectangle

    colour = colour_of(shown, box) if box.tier else "#444444"
    patch = Rectangle((place.x - place.width / 2, place.y), place.width, place.height,
                      facecolor="white", edgecolor=colour, linewidth=1.2, zorder=3)  # fmt: skip
    axes.add_patch(patch)
    beside = box.tier > 0 and 1 < len(box.devices) <= place.width / _LEAST_SQUARE
    if beside:
        rails = shown.fabric.devices.rail[list(box.devices)].tolist()
        _draw_squares(axes, [RAILS[rail % len(RAILS)] if rail >= 0 else colour for rail in rails], place)
    label, size = _label(shown, box, place)
    axes.text(place.x, place.y + place.height * (0.3 if beside else 0.5), label, fontsize=size, ha="center",
              va="center", color="#111111", zorder=5, parse_math=False, linespacing=1.25)  # fmt: skip


def _draw_squares(axes: Axes, colours: Sequence[str], place: Place) -> None:
    """Draw one square a switch along the upper part of its box."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    count = len(colours)
    step = min(place.width * 0.94 / count, 0.16)
    side = min(step * 0.72, 0.11)
    start = place.x - step * count / 2
    squares = [
        Rectangle((start + step * (row + 0.5) - side / 2, place.y + place.height * 0.68 - side / 2), side, side)
        for row in range(count)
    ]
    axes.add_collection(PatchCollection(squares, facecolor=list(colours), edgecolor="none", alpha=0.9, zorder=4))


def _label(shown: Outline, box: Box, place: Place) -> tuple[str, float]:
    """Return the longest label of a box that fits, and its font size."""
    for label in _labels(shown, box):
        longest = max(len(line) for line in label.split("\n"))
        for size in (8.0, 7.0, 6.0, 5.0):
            if longest * size * 0.0088 <= place.width * 0.96:
                return label, size
    return "", 5.0


def _labels(shown: Outline, box: Box) -> Iterator[str]:
    """Yield labels of a box, the longest first."""
    kind, count = type_title(shown.fabric, box.devices[0]), len(box.devices)
    if count == 1:
        name = box.title
        yield name
        yield name.rsplit("-", 1)[-1]
        return
    if box.tier == 0:
        gpus = int(np.isin(shown.fabric.gpus.host, box.devices).sum())
        yield f"{count:,} x {kind}\n{gpus:,} GPUs" if gpus else f"{count:,} x {kind}"
        yield f"{count:,} hosts" if box.kind == "host" else f"{count:,} x\n{kind}"
    else:
        if box.pod >= 0:
            yield f"{group_title(shown, box.tier, box.part, box.pod)}: {count:,} x {kind}"
        yield f"{count:,} x {kind}"
    yield f"{count:,}"


def _draw_rows(axes: Axes, shown: Outline, found: Sequence[Place]) -> None:
    """Say left of each tier what stands in it, and between tiers which links join them."""
    for tier in shown.tiers:
        place = next(place for place, box in zip(found, shown.boxes, strict=True) if box.tier == tier)
        middle = place.y + place.height / 2
        lines = row_lines(shown, tier)
        size = max(5.5, 8.5 * min(1, 25 / max(map(len, lines)), 5 / len(lines)))
        axes.text(0.15, middle, "\n".join(lines), fontsize=size, va="center", color="#111111",
                  parse_math=False, linespacing=1.3)  # fmt: skip
        above = 0.5 if tier == shown.tiers[-1] else _rise(shown) / 2
        axes.text(0.15, middle + above, "\n".join(link_lines(shown, tier)), fontsize=7.5, va="center",
                  color="#555555", parse_math=False, linespacing=1.3)  # fmt: skip


def _draw_key(axes: Axes, shown: Outline) -> None:
    """Name the colours of rails or planes below the hosts."""
    planes = sorted({box.plane for box in shown.boxes if box.plane >= 0})
    devices = [device for box in shown.boxes if box.tier for device in box.devices]
    rails = np.unique([bundle.rail for bundle in shown.bundles] + shown.fabric.devices.rail[devices].tolist())
    values, word = (planes, "plane") if planes else (rails[rails >= 0].tolist(), "rail")
    if len(values) < 2:
        return
    step = min(0.85, (WIDTH - LEFT - RIGHT) / len(values))
    for row, value in enumerate(values[: len(RAILS)]):
        x = LEFT + row * step
        axes.plot([x, x + 0.2], [0.25, 0.25], color=RAILS[value], linewidth=3, solid_capstyle="butt")
        axes.text(x + 0.26, 0.25, f"{word} {value + 1}", fontsize=8, va="center", color="#333333")
    if len(values) > len(RAILS):
        axes.text(LEFT + len(RAILS) * step, 0.25, "colours repeat", fontsize=8, va="center", color="#333333")
