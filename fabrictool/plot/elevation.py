"""Rack elevations: devices by unit, ports in use by network, feeds with what they carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fabrictool.cabling.panel_table import PANEL
from fabrictool.errors import InputError
from fabrictool.fabric import Fabric
from fabrictool.plot.faces import DeviceFace, Face, FeedLoad, faces
from fabrictool.plot.images import house_style
from fabrictool.plot.pages import BOTTOM, GREY, INK, LEFT, PALETTE, RIGHT, TOP, draw_key, fitting, page, tint
from fabrictool.plot.port_drawing import port_figures
from fabrictool.plot.port_maps import PortMap, port_maps
from fabrictool.plot.site import Site, fabric_of, site_of
from fabrictool.power.overloads import TOLERANCE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    from fabrictool.evaluation import Evaluation
    from fabrictool.layout.model import Layout

#: Racks of a page.
PER_PAGE = 8
_NAMES, _SCALE, _STRIP = 0.42, 0.17, 0.1
#: Where racks stand: above captions and key.
_BASE = BOTTOM + 0.78
_BAR = 0.07
#: Largest font size of a unit of one inch.
_SCALED = 62
#: Widest column of a rack, and narrowest page.
_WIDEST, _NARROWEST = 2.1, 7.5
_HOST, _PANEL = "#8c8c8c", "#3b3b3b"
_ALARM = "#D55E00"


@dataclass(frozen=True)
class Elevation:
    """What the figures show: racks, and ports of devices; ``site`` is None where no rack is drawn."""

    fabric: Fabric
    site: Site | None
    faces: tuple[Face, ...]
    maps: tuple[PortMap, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what is drawn as one JSON object."""
        return {"racks": [face.to_dict() for face in self.faces], "devices": [one.to_dict() for one in self.maps]}


def elevation(
    design: Evaluation | Layout | Fabric, racks: Sequence[str] = (), devices: Sequence[str] = ()
) -> Elevation:
    """Return the racks and port maps to draw.

    Parameters
    ----------
    design : Evaluation, Layout or Fabric
        A fabric has devices only.
    racks : sequence of str, optional
        Names of racks, or ``all``; by default one of each kind where there are more than eight.
    devices : sequence of str, optional
        Devices whose ports to draw; by default, and where no racks are asked for, one switch of each kind.

    Raises
    ------
    InputError
        If there is no such rack or device, or the layout has no racks.
    """
    if devices and not racks:
        fabric = fabric_of(design)
        return Elevation(fabric, None, (), tuple(port_maps(fabric, devices)))
    if isinstance(design, Fabric):
        raise InputError("a fabric from elsewhere has no racks to draw", "--device NAME draws the ports of one device")
    site = site_of(design)
    maps = port_maps(site.fabric, devices) if devices or not racks else []
    return Elevation(site.fabric, site, tuple(faces(site, racks)), tuple(maps))


def elevation_figures(shown: Elevation, title: str | None = None) -> list[Figure]:
    """Draw racks from the front, then port maps, one figure a page.

    Returns
    -------
    list of matplotlib.figure.Figure
        Independent of pyplot.
    """
    name = title or shown.fabric.name
    racks = draw_faces(shown.site, shown.faces, f"{name}: racks") if shown.site is not None else []
    return [*racks, *port_figures(shown.fabric, shown.maps, f"{name}: ports")]


def draw_faces(site: Site, shown: Sequence[Face], title: str) -> list[Figure]:
    """Draw racks, eight on a page."""
    pages = [shown[at : at + PER_PAGE] for at in range(0, len(shown), PER_PAGE)]
    words = _subtitle(site, shown)
    with house_style():
        return [
            _page(site, part, title, f"{words} · page {number} of {len(pages)}" if len(pages) > 1 else words)
            for number, part in enumerate(pages, 1)
        ]


def _page(site: Site, shown: Sequence[Face], title: str, subtitle: str) -> Figure:
    width = min((RIGHT - LEFT) / len(shown), _WIDEST)
    figure, axes = page(title, subtitle, max(_NARROWEST, 2 * LEFT + width * len(shown)))
    unit = (TOP - _NAMES - _BASE) / max(12, *(_units(face) for face in shown))
    for column, face in enumerate(shown):
        _draw_rack(axes, face, LEFT + column * width, width, unit)
    draw_key(figure, _key(site, shown))
    return figure


def _units(face: Face) -> int:
    """Return the units to draw: those of the rack, or more where devices do not fit."""
    return max(face.units, *(device.unit + device.units - 1 for device in face.devices), 1)


def _subtitle(site: Site, shown: Sequence[Face]) -> str:
    racks, drawn = len(site.placement.racks), sum(len(face.racks) for face in shown)
    words = f"{f'{drawn:,} of ' if drawn < racks else ''}{racks:,} rack{'s' if racks > 1 else ''}"
    if any(len(face.racks) > 1 for face in shown):
        words += ", one drawn of each kind"
    if any(row.id == "unplaced" for row in site.placement.findings):
        words += " · some devices have no place: see 'score'"
    if any(face.feeds for face in shown):
        words += " · strips beside a rack: load of each feed; line: once one has failed"
    return words


def _draw_rack(axes: Axes, face: Face, x: float, width: float, unit: float) -> None:
    """Draw a rack in the column from ``x`` on."""
    from matplotlib.patches import Rectangle

    tall, edge = face.units * unit, _STRIP * 1.3
    left, inside = x + _SCALE + edge, width - _SCALE - 0.1 - 2 * edge
    axes.add_patch(Rectangle((left, _BASE), inside, tall, facecolor="#fafafa", linewidth=0))
    axes.add_patch(Rectangle((left, _BASE), inside, tall, facecolor="none", edgecolor=INK, linewidth=1.2, zorder=3))
    step = 1 if unit > 0.11 else 2 if unit > 0.06 else 5
    for number in range(1, face.units + 1, step):
        axes.text(left - edge - 0.02, _BASE + (number - 0.5) * unit, str(number), fontsize=min(5.5, 44 * unit),
                  color=GREY, ha="right", va="center")  # fmt: skip
    _draw_devices(axes, face, (left, inside, unit))
    for at, feed in enumerate(face.feeds):
        side = left - _STRIP * 1.15 if at % 2 == 0 else left + inside + _STRIP * 0.15
        part = _STRIP / len(face.feeds[at % 2 :: 2])
        _draw_feed(axes, feed, (side + part * (at // 2), _BASE, part * 0.9, tall))
    _write_names(axes, face, left, _BASE + _units(face) * unit, inside)
    _write_caption(axes, face, left, width)


def _draw_devices(axes: Axes, face: Face, rack: tuple[float, float, float]) -> None:
    """Draw what stands in a rack; devices of equal height have labels of equal size."""
    _, width, unit = rack
    named = len(face.racks) == 1
    sizes: dict[int, float] = {}
    for device in face.devices:
        size = _label(device, named, width, unit)[1]
        sizes[device.units] = min(size, sizes.get(device.units, size))
    for device in face.devices:
        _draw_device(axes, device, rack, sizes[device.units])
        label = _label(device, named, width, unit)[0]
        middle = _BASE + (device.unit - 1 + device.units / 2) * unit
        axes.text(rack[0] + 0.04, middle, label, fontsize=sizes[device.units], color=INK, va="center",
                  parse_math=False, linespacing=1.15)  # fmt: skip


def _draw_device(axes: Axes, device: DeviceFace, rack: tuple[float, float, float], largest: float) -> None:
    """Draw a device with the bar of its ports in use."""
    from matplotlib.patches import Rectangle

    left, width, unit = rack
    y, height = _BASE + (device.unit - 1) * unit, device.units * unit
    colour = _colour(device)
    axes.add_patch(Rectangle((left, y), width, height, facecolor=tint(colour, 0.25), edgecolor=GREY, linewidth=0.5))
    low, at = left + width - _BAR, y
    for network, count in enumerate(device.used):
        share = height * count / max(device.ports, 1)
        axes.add_patch(Rectangle((low, at), _BAR, share, facecolor=PALETTE[network % len(PALETTE)], linewidth=0))
        at += share
    axes.add_patch(Rectangle((low, y), _BAR, height, facecolor="none", edgecolor=GREY, linewidth=0.4))
    used, small = _ports(device, unit)
    axes.text(low - 0.03, y + height / 2, used, fontsize=min(small, largest), color=GREY, ha="right", va="center")


def _colour(device: DeviceFace) -> str:
    """Return the colour of a device: that of its network, else of hosts or of patch panels."""
    if device.kind == PANEL:
        return _PANEL
    return _HOST if device.network < 0 else PALETTE[device.network % len(PALETTE)]


def _ports(device: DeviceFace, unit: float) -> tuple[str, float]:
    """Return the ports in use of all, and the font size."""
    used = f"{sum(device.used)}/{device.ports}" if device.ports and device.used else ""
    return used, min(fitting([used], 0.32, (5.5, 4.5))[1], _SCALED * unit * device.units)


def _label(device: DeviceFace, named: bool, width: float, unit: float) -> tuple[str, float]:
    """Return what stands on a device in a rack of a width, and the largest font size at which it fits."""
    used, small = _ports(device, unit)
    largest = min(8.0, _SCALED * unit * device.units)
    sizes = [size for size in (7.5, 7.0, 6.5, 6.0, 5.5, 5.0, 4.5, 4.0) if size <= largest]
    return fitting(_labels(device, named), width - _BAR - 0.1 - 0.0089 * small * len(used), sizes or (largest,))


def _labels(device: DeviceFace, named: bool) -> list[str]:
    """Return what stands on a device, the longest first."""
    kind = f"{device.kind} {device.type}" if device.kind not in ("host", "service", PANEL) else device.type
    if not named:
        return [kind, device.type]
    both = f"{device.device}\n{kind}" if device.units > 2 else f"{device.device} {device.type}"
    return [both, device.device]


def _draw_feed(axes: Axes, feed: FeedLoad, place: tuple[float, float, float, float]) -> None:
    """Draw how full a feed is, with a line where it will be once another has failed."""
    from matplotlib.patches import Rectangle

    x, y, width, tall = place
    over = _over(feed)
    share, after = (min(1.0, value / feed.carries_w) for value in (feed.load_w, feed.after_loss_w))
    axes.add_patch(Rectangle((x, y), width, tall, facecolor="white", edgecolor="#777777", linewidth=0.5))
    axes.add_patch(Rectangle((x, y), width, tall * share, facecolor=_ALARM if over else "#9a9a9a", linewidth=0))
    axes.plot([x, x + width], [y + tall * after] * 2, color=_ALARM if over else INK, linewidth=1.2)
    axes.text(x + width / 2, y + tall + 0.03, feed.feed[:3], fontsize=5.5, color=GREY, ha="center", parse_math=False)


def _write_names(axes: Axes, face: Face, left: float, top: float, width: float) -> None:
    first, last, count = face.racks[0], face.racks[-1], len(face.racks)
    text, size = fitting([first if count == 1 else f"{first} … {last}", first], width, (9, 8, 7))
    axes.text(left, top + 0.24, text, fontsize=size, fontweight="bold", color=INK, parse_math=False)
    words = face.type if count == 1 else f"{count:,} racks alike"
    axes.text(left, top + 0.12, fitting([words], width, (7,))[0], fontsize=7, color=GREY, parse_math=False)


def _write_caption(axes: Axes, face: Face, left: float, width: float) -> None:
    over = face.it_w is not None and face.limit_w is not None and face.it_w > face.limit_w * (1 + TOLERANCE)
    lines = [_power(face), f"{face.units_used} of {face.units} U" + _weight(face), *_feeds(face)]
    alarms = (over, face.units_used > face.units)
    for row, line in enumerate(lines):
        text, size = fitting([line], width - 0.28, (7, 6.5, 6, 5.5, 5))
        colour = _ALARM if row < 2 and alarms[row] else INK
        axes.text(left, _BASE - 0.14 - 0.13 * row, text, fontsize=size, color=colour, parse_math=False)


def _power(face: Face) -> str:
    if face.it_w is None:
        return "power not known"
    return f"{_kw(face.it_w)} kW" if face.limit_w is None else f"{_kw(face.it_w)} of {_kw(face.limit_w)} kW"


def _weight(face: Face) -> str:
    return "" if face.weight_kg is None else f", {face.weight_kg:,.0f} kg"


def _feeds(face: Face) -> list[str]:
    if not face.feeds:
        return []
    first = face.feeds[0]
    names = ", ".join(feed.feed for feed in face.feeds)
    each = f"{names}: {_kw(first.load_w)} kW each of {_kw(first.carries_w)}"
    return [each, f"{_kw(first.after_loss_w)} kW once one has failed"] if first.after_loss_w > first.load_w else [each]


def _kw(power_w: float) -> str:
    return f"{power_w / 1e3:.4g}"


def _key(site: Site, shown: Sequence[Face]) -> list[tuple[Patch, str]]:
    """Return the key of colours: hosts, and each network that ports shown here are in."""
    from matplotlib.patches import Patch

    plain = {device.kind == PANEL for face in shown for device in face.devices if device.network < 0}
    found = [
        (Patch(facecolor=tint(colour, 0.25), edgecolor="#555555", linewidth=0.5), words)
        for panel, colour, words in ((False, _HOST, "hosts"), (True, _PANEL, "patch panels"))
        if panel in plain
    ]
    networks = sorted({n for face in shown for d in face.devices for n, count in enumerate(d.used) if count})
    for row in networks:
        patch = Patch(facecolor=tint(PALETTE[row % len(PALETTE)], 0.6), edgecolor=PALETTE[row % len(PALETTE)])
        found.append((patch, f"{site.fabric.networks[row].name}: its switches, ports in use"))
    if any(_over(feed) for face in shown for feed in face.feeds):
        found.append((Patch(facecolor=_ALARM, linewidth=0), "feed overloaded"))
    return found


def _over(feed: FeedLoad) -> bool:
    return feed.after_loss_w > feed.carries_w * (1 + TOLERANCE)
