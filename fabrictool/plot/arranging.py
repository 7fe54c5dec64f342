"""Where the boxes of an outline stand on the page, in inches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from fabrictool.plot.outline import Box, Outline

#: Room left of the boxes for what stands in a row, and right of them.
LEFT = 1.85
RIGHT = 0.25
WIDTH = 13.0
_WIDEST = 2.6
_WIDEST_SWITCH = 1.1


@dataclass(frozen=True, slots=True)
class Place:
    """Middle, width and height of a box, with its lower edge at ``y``; all in inches."""

    x: float
    y: float
    width: float
    height: float

    @property
    def top(self) -> float:
        """Upper edge."""
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Frame:
    """Neighbouring boxes of one unit, pod or part: from, to, and what it is called."""

    tier: int
    left: float
    right: float
    title: str


def places(shown: Outline, bottom: float, rise: float) -> list[Place]:
    """Return the place of each box; tier t stands ``rise`` above tier t - 1, the lowest on ``bottom``."""
    found: dict[int, Place] = {}
    for row, tier in reversed(list(enumerate(shown.tiers))):
        order = ordered(shown, tier)
        boxes = [shown.boxes[at] for at in order]
        height = 0.46 if max(len(box.devices) for box in boxes) > 1 else 0.3
        middles, width = _spread(shown, boxes)
        if tier == 0:
            middles = _under_leaves(shown, order, found, width) or middles
        for at, x in zip(order, middles, strict=True):
            found[at] = Place(x, bottom + row * rise, width, height)
    return [found[at] for at in range(len(shown.boxes))]


def ordered(shown: Outline, tier: int) -> list[int]:
    """Return the boxes of a tier from left to right: by part, unit, then as they are counted."""
    rows = [at for at, box in enumerate(shown.boxes) if box.tier == tier]
    return sorted(rows, key=lambda at: (_group(shown, shown.boxes[at]), shown.boxes[at].devices[0]))


def _group(shown: Outline, box: Box) -> tuple[int, int, int]:
    """Return what keeps boxes together: services stand last, switches by part, or by unit where there is one part."""
    return (int(box.kind == "service"), box.part, -1 if shown.parts > 1 else box.pod)


def _spread(shown: Outline, boxes: Sequence[Box]) -> tuple[list[float], float]:
    """Return the middle of each box and their width: equal slots over the page, with a gap between groups."""
    groups = [len(list(members)) for _, members in groupby(boxes, key=lambda box: _group(shown, box))]
    gaps = (len(groups) - 1) * (0.6 if max(groups) > 1 else 0.0)
    slot = (WIDTH - LEFT - RIGHT) / (len(boxes) + gaps)
    widest = _WIDEST if max(len(box.devices) for box in boxes) > 1 else _WIDEST_SWITCH
    middles, x = [], LEFT + slot / 2
    for members in groups:
        middles += [x + slot * row for row in range(members)]
        x += slot * (members + gaps / max(1, len(groups) - 1))
    return middles, min(slot * 0.82, widest)


def _under_leaves(shown: Outline, order: Sequence[int], found: Mapping[int, Place], width: float) -> list[float] | None:
    """Return the middle of each host box under its leaves, None if boxes would then overlap."""
    above: dict[int, list[float]] = {}
    for bundle in shown.bundles:
        if bundle.z in found:
            above.setdefault(bundle.a, []).append(found[bundle.z].x)
    if any(at not in above for at in order):
        return None
    middles = [sum(above[at]) / len(above[at]) for at in order]
    return middles if all(b - a > width * 1.05 for a, b in pairwise(middles)) else None


def frames(shown: Outline, found: Sequence[Place]) -> list[Frame]:
    """Return frames around neighbouring switches of one part or unit, where a tier has several of them."""
    made = []
    for tier in shown.tiers[1:]:
        order = ordered(shown, tier)
        groups = [(key, list(rows)) for key, rows in groupby(order, key=lambda at: _group(shown, shown.boxes[at]))]
        if len(groups) < 2 or len(groups) == len(order):
            continue
        for (_, part, pod), rows in groups:
            left, right = found[rows[0]], found[rows[-1]]
            title = group_title(shown, tier, part, pod)
            made.append(Frame(tier, left.x - left.width / 2, right.x + right.width / 2, title))
    return made


def group_title(shown: Outline, tier: int, part: int, pod: int) -> str:
    """Return what a part or a unit of a network is called."""
    family = shown.fabric.networks[shown.network].family
    if shown.parts > 1:
        planes = any(box.plane >= 0 for box in shown.boxes)
        return f"{'plane' if planes else 'rail' if family == 'rail-only' else 'part'} {part + 1}"
    if family.startswith("rail"):
        return f"SU {pod + 1}" if tier == 1 else f"group {pod + 1}"
    return f"{'group' if shown.fabric.networks[shown.network].has_groups else 'pod'} {pod + 1}"
