"""What each line of the racks' circuits carries: phases, neutral, balance, and the breaker that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, Fabric
from fabrictool.placement import Placement, TypeFigures
from fabrictool.power.circuits import IEC_A, NEC_A, breaker_a, current_a, delta_lines_a, imbalance, neutral_a
from fabrictool.power.cords import LOWEST_STAR_V, cords_of, lost_of_rack, on_each_feed
from fabrictool.power.limits import IMBALANCE_LIMIT, POWER_FACTOR, continuous_share
from fabrictool.power.overloads import TOLERANCE, rack_list
from fabrictool.power.supply import feeds_of_racks
from fabrictool.records import Finding

if TYPE_CHECKING:
    from fabrictool.layout.model import Feed, Hall, Layout

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Circuits:
    """The circuits of one feed in the state that the redundancy asks for, (racks,) each; 0 where a rack has none.

    Parameters
    ----------
    feed : Feed
    lines_a : ndarray, (racks, 3)
        Current of each line in A; of one line where the circuit has but one.
    neutral_a, imbalance : ndarray, (racks,)
        Of a three-phase circuit; 0 otherwise.
    limit_a : float
        Continuous current that the breaker allows, in A.
    """

    feed: Feed
    lines_a: F8
    neutral_a: F8
    imbalance: F8
    limit_a: float

    @property
    def worst(self) -> int:
        """Row of the rack with the largest line current."""
        return int(self.lines_a.max(axis=1).argmax())

    def to_dict(self, racks: list[str]) -> dict[str, Any]:
        """Return a row of ``power.circuits`` in JSON: the worst rack's circuit, and the breakers that it takes."""
        row, continuous = self.worst, continuous_share(self.feed)
        most = float(self.lines_a[row].max())
        return {
            "feed": self.feed.name, "rack": racks[row], "lines_a": self.lines_a[row].tolist(),
            "neutral_a": float(self.neutral_a[row]), "imbalance": float(self.imbalance[row]), "limit_a": self.limit_a,
            "breaker_a": self.feed.amps, "breaker_nec_a": _finite(breaker_a(most, continuous, NEC_A)),
            "breaker_iec_a": _finite(breaker_a(most, continuous, IEC_A)),
        }  # fmt: skip


def _finite(value: F8) -> float | None:
    return float(value) if np.isfinite(value) else None


def circuits_of(layout: Layout, placement: Placement, share: F8, it_w: F8) -> tuple[Circuits, ...]:
    """Return what each feed's circuits carry to each rack once the feeds are lost that may be.

    Supplies of a device take the feeds of its rack in turn, those on one feed the phases in turn, beginning with the
    one that carries least; a type that does not say how many it has is taken to load all phases alike.

    Parameters
    ----------
    share : ndarray, (racks, 3)
        Of each rack's power on each phase of a feed, of :func:`phase_shares`.
    it_w : ndarray, (racks,)
        What each rack draws, in W.
    """
    hall = layout.hall
    if hall is None or not hall.feeds or not len(placement.racks):
        return ()
    feeds, has = hall.feeds, feeds_of_racks(layout, it_w)
    live = np.maximum(has.sum(axis=1) - lost_of_rack(hall), 1)
    factor = POWER_FACTOR if hall.power_factor is None else hall.power_factor
    drawn = np.nan_to_num(it_w) / live
    return tuple(_circuits(feed, np.where(has[:, row], drawn, 0.0), share, factor) for row, feed in enumerate(feeds))


def _circuits(feed: Feed, drawn_w: F8, share: F8, factor: float) -> Circuits:
    limit = feed.amps * continuous_share(feed)
    none = np.zeros(len(drawn_w))
    if feed.phases != 3:
        one = current_a(drawn_w, feed.voltage_v, 1.0 if feed.phases == "dc" else factor, 1)
        return Circuits(feed, one[:, None], none, none, limit)
    branch_w = drawn_w[:, None] * share
    if feed.voltage_v >= LOWEST_STAR_V:
        lines = current_a(branch_w, feed.voltage_v / np.sqrt(3), factor, 1)
        return Circuits(feed, lines, neutral_a(lines), imbalance(lines), limit)
    lines = delta_lines_a(current_a(branch_w, feed.voltage_v, factor, 1))
    return Circuits(feed, lines, none, imbalance(lines), limit)


def phase_shares(layout: Layout, fabric: Fabric, placement: Placement, figures: TypeFigures) -> F8:
    """Return the share of each rack's power on each phase of a feed, (racks, 3); thirds without feeds.

    Racks of equal content are alike but for the phase they begin with, which they take in turn.
    """
    hall, racks, types = layout.hall, len(placement.racks), len(fabric.types)
    if hall is None or not hall.feeds:
        return np.full((racks, 3), 1 / 3)
    feeds = min(hall.feeds_per_rack or len(hall.feeds), len(hall.feeds))
    placed = placement.rack >= 0
    code = placement.rack[placed].astype(np.int64) * types + fabric.devices.type[placed]
    content = np.bincount(code, minlength=racks * types).reshape(racks, types)
    kinds, which = np.unique(content, axis=0, return_inverse=True)
    boxes = {box.name: box for box in (*layout.host_types(), *layout.switch_types())}
    cords = [cords_of(boxes[name]) if name in boxes else None for name in fabric.types]
    each = np.array([on_each_feed(one.count, feeds) if one else 3 for one in cords], dtype=np.int64)
    power = np.nan_to_num(figures.power_max_w)
    dealt = np.array([_dealt(row, power, each) for row in kinds]).reshape(-1, 3)
    which = which.reshape(-1)
    turn = np.empty(racks, np.int64)
    order = np.argsort(which, kind="stable")
    turn[order] = np.arange(racks) - np.searchsorted(which[order], which[order])
    columns = (np.arange(3) - turn[:, None]) % 3
    return np.asarray(dealt[which[:, None], columns])


def _dealt(count: Rows, power_w: F8, cords: Rows) -> F8:
    """Deal the cords of a rack's devices to three phases, the heaviest first, each to the one that carries least."""
    phases = np.zeros(3)
    for row in sorted(np.flatnonzero(count * power_w).tolist(), key=lambda row: -power_w[row] / cords[row]):
        total = int(count[row] * cords[row])
        phases += total // 3 * power_w[row] / cords[row]
        for _ in range(total % 3):
            phases[phases.argmin()] += power_w[row] / cords[row]
    total_w = phases.sum()
    return phases / total_w if total_w > 0 else np.full(3, 1 / 3)


def circuit_findings(
    hall: Hall | None, placement: Placement, circuits: tuple[Circuits, ...], it_w: F8
) -> Iterator[Finding]:
    """Yield circuits over their breaker, and phases that are far apart; equal feeds and racks make one finding.

    Racks over their own limit are named elsewhere, and are no second finding here.
    """
    if hall is None or not circuits:
        return
    names, lost = placement.racks.name, lost_of_rack(hall)
    most = np.array([one.lines_a.max(axis=1) for one in circuits])
    limits = np.array([one.limit_a for one in circuits])[:, None]
    within = ~(it_w > placement.racks.limit_w * (1 + TOLERANCE))
    most = np.where(within, most, 0.0)
    over = np.flatnonzero((most > limits * (1 + TOLERANCE)).any(axis=0))
    if len(over):
        feed, rack = (int(at) for at in np.unravel_index((most / limits).argmax(), most.shape))
        yield _overload(circuits[feed], float(most[feed, rack]), rack_list(names, over), lost)
    apart = np.where(most > limits / 2, np.array([one.imbalance for one in circuits]), 0.0)
    uneven = np.flatnonzero((apart > IMBALANCE_LIMIT).any(axis=0))
    if len(uneven):
        feed, rack = (int(at) for at in np.unravel_index(apart.argmax(), apart.shape))
        lines = ", ".join(f"{a:.1f}" for a in circuits[feed].lines_a[rack])
        off = f"{100 * apart[feed, rack]:.0f} % from their mean, {circuits[feed].neutral_a[rack]:.1f} A in the neutral"
        message = f"phases of feed {circuits[feed].feed.name} at {names[rack]} carry {lines} A: {off}"
        fix = "devices in multiples of three a rack, or three cords of each on a feed"
        yield Finding("phase-imbalance", "warning", rack_list(names, uneven), message, fix)


def _overload(circuits: Circuits, most_a: float, where: str, lost: int) -> Finding:
    feed = circuits.feed
    state = "once the feeds that may fail have" if lost else "with everything running"
    message = f"a line of feed {feed.name} carries {most_a:.1f} of {circuits.limit_a:g} A {state}"
    nec, iec = (breaker_a(most_a, continuous_share(feed), ratings) for ratings in (NEC_A, IEC_A))
    fix = f"a breaker of {nec:g} A (NEC) or {iec:g} A (IEC), more feeds, or fewer hosts a rack"
    return Finding("circuit-overload", "error", where, message, fix)
