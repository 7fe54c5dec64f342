"""The electrical supply of a hall: what each element carries, loses, and takes over when another fails."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, cycle, islice
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, Bool
from fabrictool.power.conversion import (
    PSU_CURVES,
    PSU_LOADS,
    UPS_LOSS,
    busbar_ohm,
    curve_efficiency,
    dc_bar,
    transformer_loss_w,
    ups_loss_w,
)

if TYPE_CHECKING:
    from fabrictool.layout.facility import Bar, Supply
    from fabrictool.layout.model import Hall, Layout

#: Efficiency of elements that give none; a UPS of known rating follows its curve. Assumed.
EFFICIENCY = {"utility": 1.0, "generator": 1.0, "transformer": 0.99, "ups": 0.96, "rectifier": 0.975, "busway": 0.99,
              "panel": 0.995, "shelf": 0.975, "dc-dc": 0.985, "busbar": 1.0}  # fmt: skip

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Equal elements under one name: one, or one for each so many racks.

    Parameters
    ----------
    stated : Supply
    rack : ndarray of int64, (racks,)
        Which of them each rack hangs on.
    count : int
        How many there are.
    sources : tuple of int
        Parts that they draw from, the preferred first.
    rating_w : float
        Real power of all modules of one of them, in W; inf where unknown.
    """

    stated: Supply
    rack: Rows
    count: int
    sources: tuple[int, ...]
    rating_w: float

    @property
    def names(self) -> list[str]:
        """Names of its elements, numbered where there are several by design."""
        if self.stated.racks is None:
            return [self.stated.name]
        width = max(2, len(str(self.count)))
        return [f"{self.stated.name}-{number + 1:0{width}d}" for number in range(self.count)]

    def input_w(self, output_w: F8) -> F8:
        """Return what its elements draw for what they deliver, in W."""
        loss_w = self._loss_w(output_w)
        if loss_w is not None:
            return np.where(output_w > 0, output_w + loss_w, 0.0)
        given = self.stated.efficiency
        if isinstance(given, list | str):
            points = np.array((PSU_LOADS, PSU_CURVES[given])) if isinstance(given, str) else np.array(given).T
            loads, efficiencies = points
            return np.asarray(output_w / curve_efficiency(output_w / self.rating_w, loads, efficiencies))
        return np.asarray(output_w / (EFFICIENCY[self.stated.kind] if given is None else given))

    def _loss_w(self, output_w: F8) -> F8 | None:
        """Return what elements under load lose, in W; None where an efficiency says it."""
        stated = self.stated
        if stated.bar is not None:
            return dc_bar(output_w, stated.bar.voltage_v, bar_ohm(stated.bar) / stated.count).loss_w
        if stated.losses is not None:
            each = (stated.losses.no_load_w or 0.0, stated.losses.full_load_w or 0.0)
            return transformer_loss_w(output_w, self.rating_w, stated.count * each[0], stated.count * each[1])
        if stated.efficiency is None and stated.kind == "ups" and np.isfinite(self.rating_w):
            return ups_loss_w(output_w, self.rating_w, UPS_LOSS)
        return None


def bar_ohm(bar: Bar) -> F8:
    """Return the resistance of a bar there and back, in ohm."""
    return busbar_ohm(2 * bar.length_m, bar.area_m2, bar.temperature_c)


@dataclass(frozen=True)
class Hanging:
    """How racks hang on a supply.

    Parameters
    ----------
    parts : tuple of Part
        From the racks up: each after all that draw from it.
    feed_part : tuple of int
        Part behind each feed, -1 for none.
    has : ndarray of bool, (racks, feeds)
        Which feeds a rack has.
    """

    parts: tuple[Part, ...]
    feed_part: tuple[int, ...]
    has: Bool


@dataclass(frozen=True)
class Flow:
    """Power in a state of the supply: what elements deliver and draw by part, in W, and which racks are dark."""

    output_w: tuple[F8, ...]
    input_w: tuple[F8, ...]
    dark: Bool
    utility_w: float


def rack_feeds(racks: int, feeds: int, each: int | None) -> Bool:
    """Return which feeds each rack has, (racks, feeds): all, or in turn every choice of ``each`` of them."""
    has = np.ones((racks, feeds), dtype=bool)
    if each is None or each >= feeds:
        return has
    choices = islice(cycle(combinations(range(feeds), each)), racks)
    has[:] = False
    has[np.arange(racks)[:, None], np.array(list(choices), dtype=np.int64).reshape(racks, each)] = True
    return has


def balanced_feeds(rack_w: F8, feeds: int, each: int) -> Bool:
    """Return which feeds each rack has, (racks, feeds), if the heaviest racks choose first, those that carry least."""
    has = np.zeros((len(rack_w), feeds), dtype=bool)
    load = np.zeros(feeds)
    for rack in np.argsort(-rack_w, kind="stable").tolist():
        chosen = np.argsort(load, kind="stable")[:each]
        has[rack, chosen] = True
        load[chosen] += rack_w[rack] / each
    return has


def feeds_of_racks(layout: Layout, rack_w: F8) -> Bool:
    """Return which of its hall's feeds each rack of a layout has, (racks, feeds).

    Parameters
    ----------
    rack_w : ndarray, (racks,)
        What each rack draws, in W; NaN counts for nothing.
    """
    hall = layout.hall
    feeds, each = len(hall.feeds or ()) if hall else 0, hall.feeds_per_rack if hall else None
    if layout.placement.feeds == "in-turn" or each is None or each >= feeds:
        return rack_feeds(len(rack_w), feeds, each)
    return balanced_feeds(np.nan_to_num(rack_w), feeds, each)


def hanging(hall: Hall, has: Bool, power_factor: float) -> Hanging:
    """Return how racks with some feeds each, (racks, feeds), hang on a hall's supply."""
    racks = len(has)
    stated = _upwards(hall.supply or [])
    row_of = {element.name: row for row, element in enumerate(stated)}
    parts = []
    for element in stated:
        each = element.racks or max(racks, 1)
        rating = np.inf if element.rating is None else element.rating.real_w(power_factor) * element.count
        which = np.arange(racks, dtype=np.int64) // each
        count = int(which[-1]) + 1 if racks else 0
        parts.append(Part(element, which, count, tuple(row_of[name] for name in element.sources), rating))
    behind = tuple(-1 if feed.source is None else row_of[feed.source] for feed in hall.feeds or ())
    return Hanging(tuple(parts), behind, has)


def _upwards(elements: list[Supply]) -> list[Supply]:
    """Order elements so that each comes after all that draw from it."""
    left, ordered = list(elements), []
    while left:
        drawn = {name for element in left for name in element.sources}
        free = [element for element in left if element.name not in drawn]
        ordered += free
        left = [element for element in left if element.name in drawn]
    return ordered


def flow(hung: Hanging, rack_w: F8, failed: tuple[int, int] | None = None) -> Flow:
    """Return what each element carries when one of them, or none, has failed.

    Parameters
    ----------
    rack_w : ndarray, (racks,)
        What each rack draws, in W; live feeds of a rack share it evenly.
    failed : (part, element), optional
    """
    parts, racks = hung.parts, len(rack_w)
    # whether a rack gets power through each part, and which share of it by each source
    alive = np.ones((len(parts), racks), dtype=bool)
    taken = [np.zeros((0, racks))] * len(parts)
    for row in reversed(range(len(parts))):
        if parts[row].sources:
            taken[row] = _shares(alive[list(parts[row].sources)], parts[row].stated.parallel)
            alive[row] = taken[row].any(axis=0)
        if failed is not None and failed[0] == row:
            alive[row] &= parts[row].rack != failed[1]
    feed_alive = np.column_stack([alive[part] if part >= 0 else np.ones(racks, bool) for part in hung.feed_part])
    live = hung.has & feed_alive
    number = live.sum(axis=1)
    share = np.divide(rack_w, number, out=np.zeros(racks), where=number > 0)
    return _carried(hung, share[:, None] * live, taken, number == 0)


def _shares(alive: Bool, parallel: bool) -> F8:
    """Return the share that each source gives, (sources, racks): all of the first alive one, or even ones."""
    given = alive if parallel else alive & (np.cumsum(alive, axis=0) == 1)
    return np.asarray(given / np.maximum(given.sum(axis=0), 1))


def _carried(hung: Hanging, feed_w: F8, taken: list[F8], dark: Bool) -> Flow:
    """Add up from the racks to the utility; the draw of an element goes to its racks' sources by their share."""
    parts = hung.parts
    through = np.zeros((len(parts), len(feed_w)))
    for feed, behind in enumerate(hung.feed_part):
        if behind >= 0:
            through[behind] += feed_w[:, feed]
    outputs, inputs, utility = [], [], 0.0
    for row, part in enumerate(parts):
        output = np.bincount(part.rack, weights=through[row], minlength=part.count).astype(np.float64)
        drawn = part.input_w(output)
        factor = np.divide(drawn, output, out=np.ones_like(drawn), where=output > 0)
        up_w = through[row] * factor[part.rack]
        for source, share in zip(part.sources, taken[row], strict=True):
            through[source] += share * up_w
        utility += 0.0 if part.sources else float(drawn.sum())
        outputs.append(output)
        inputs.append(drawn)
    return Flow(tuple(outputs), tuple(inputs), dark, utility)


def single_failures(hung: Hanging) -> list[tuple[int, int]]:
    """Return every element whose loss is one failure: those of one module; of several, one module may go."""
    return [(row, one) for row, part in enumerate(hung.parts) for one in range(part.count) if part.stated.count == 1]
