"""Pages of figures: one size for all, a head with title and place, a key of colours below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from fabrictool.plot.images import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    from fabrictool.fabric import Fabric

#: Size of a page, and where its content ends below the head and above the key; in inches.
WIDTH, HEIGHT = 13.0, 8.6
TOP, BOTTOM, LEFT, RIGHT = HEIGHT - 0.75, 0.55, 0.25, WIDTH - 0.25
#: Colours of networks and rails; the last is a grey.
PALETTE = (*COLOURS, "#999999")
#: Share of a colour in a fill that text stands on.
_TINT = 0.28
_HATCHES = ("", "////", "....", "xxxx")
INK, GREY = "#111111", "#555555"


def tint(colour: str, share: float = _TINT) -> str:
    """Return a colour mixed with white."""
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - share * (255 - part)):02x}" for part in parts)


def page(title: str, subtitle: str, width: float = WIDTH, height: float = HEIGHT) -> tuple[Figure, Axes]:
    """Return an empty page with its head, and axes in inches over all of it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.axis("off")
    axes.text(LEFT, height - 0.34, title, fontsize=13, fontweight="bold", parse_math=False)
    axes.text(LEFT, height - 0.58, subtitle, fontsize=9, color="#444444", parse_math=False)
    return figure, axes


class Keys:
    """Colour and hatch of each network, or of each rail of those that have rails; the same on all pages."""

    def __init__(self, fabric: Fabric) -> None:
        import numpy as np

        self.order: dict[tuple[str, int], int] = {}
        host_rail, link_rail = fabric.ports.rail, fabric.links.port_a
        lower_rail = np.maximum(host_rail[link_rail], fabric.devices.rail[fabric.ends[1]])
        for row, network in enumerate(fabric.networks):
            rails = np.unique(lower_rail[fabric.links.network == row])
            rails = rails[rails >= 0]
            for rail in rails.tolist() if len(rails) > 1 else [-1]:
                self.order[network.name, rail] = len(self.order)

    def of(self, network: str, rail: int) -> tuple[str, str]:
        """Return colour and hatch of a network's rail."""
        at = self.order.get((network, rail), self.order.get((network, -1), -1))
        if at < 0:
            return GREY, ""
        return PALETTE[at % len(PALETTE)], _HATCHES[at // len(PALETTE) % len(_HATCHES)]

    def patches(self, shown: Iterable[tuple[str, int]]) -> list[tuple[Patch, str]]:
        """Return the key of what is shown, in order."""
        from matplotlib.patches import Patch

        wanted = {key if key in self.order or key[1] < 0 else (key[0], -1) for key in shown}
        found = []
        for network, rail in sorted(wanted, key=lambda key: (self.order.get(key, len(self.order)), key)):
            colour, hatch = self.of(network, rail)
            patch = Patch(facecolor=tint(colour, 0.5), edgecolor=colour, hatch=hatch, linewidth=0.8)
            apart = rail < 0 and (network, rail) not in self.order
            found.append((patch, f"{network} rail {rail + 1}" if rail >= 0 else f"{network}{', no rail' * apart}"))
        return found


def draw_key(figure: Figure, entries: Sequence[tuple[Patch, str]]) -> None:
    """Name colours along the lower edge of a page."""
    if not entries:
        return
    rows = key_rows(entries, figure.get_size_inches()[0])
    columns = -(-len(entries) // rows)
    by_row = [entries[at] for column in range(columns) for at in range(column, len(entries), columns)]
    figure.legend(*zip(*by_row, strict=True), loc="lower left", bbox_to_anchor=(0.012, 0.0), ncols=columns,
                  frameon=False, fontsize=8, handlelength=1.6, columnspacing=1.4)  # fmt: skip


def key_rows(entries: Sequence[tuple[Patch, str]], width: float) -> int:
    """Return the lines that a key takes on a page of a width in inches."""
    widest = 0.55 + 0.075 * max((len(words) for _, words in entries), default=0)
    return -(-len(entries) // max(1, int(width / widest)))


def fitting(labels: Sequence[str], width: float, sizes: Sequence[float]) -> tuple[str, float]:
    """Return the first label that fits a width in inches at one of the sizes; else the last, cut in its middle."""
    for label in labels:
        longest = max(len(line) for line in label.split("\n"))
        for size in sizes:
            if longest * size * 0.0089 <= width:
                return label, size
    label, size = labels[-1].replace("\n", " "), sizes[-1]
    room = max(1, int(width / (size * 0.0089)))
    if len(label) <= room:
        return label, size
    return label[: (room - 1) // 2] + "…" + label[len(label) - room // 2 :] if room > 2 else label[:room], size
