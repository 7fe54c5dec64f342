"""What a rack of each group may draw."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.power.feeds import carried_w, single_phase_va, three_phase_va
from fabrictool.records import Assumption

if TYPE_CHECKING:
    from fabrictool.layout.model import Feed, Hall, Layout

#: Share of a breaker's rating that a load of three hours or more may take, in the United States.
CONTINUOUS = 0.8
POWER_FACTOR = 0.95
#: A phase this far from the mean of the three, relatively, is a finding where a circuit is half loaded: usual limit,
#: assumed.
IMBALANCE_LIMIT = 0.10

#: Voltages from line to neutral, which many enter where three phases ask for line to line.
LINE_TO_NEUTRAL_V = (120.0, 230.0, 240.0, 277.0)


@dataclass(frozen=True, slots=True)
class RackLimits:
    """What a rack of each group may draw, in W, (groups,); None where neither limit nor feeds are given."""

    limit_w: tuple[float | None, ...]
    assumptions: tuple[Assumption, ...] = ()


def rack_limits(layout: Layout) -> RackLimits:
    """Return the limit of each rack group: the one given, else what the hall's feeds carry.

    Raises
    ------
    InputError
        If feeds are impossible: a voltage to neutral on three phases, or a number that the redundancy cannot have.
    """
    groups = layout.racks or []
    given = tuple(group.power_limit_w for group in groups)
    if layout.hall is None or layout.hall.feeds is None:
        return RackLimits(given)
    carried = feeds_carry_w(layout.hall)
    if None not in given:
        return RackLimits(given)
    limits = tuple(carried if limit is None else limit for limit in given)
    return RackLimits(limits, _assumptions(layout.hall, carried))


def feeds_carry_w(hall: Hall) -> float:
    """Return what a hall's feeds carry to one rack under their redundancy, in W.

    Raises
    ------
    InputError
        If a feed is impossible, or feeds name different redundancies.
    """
    feeds = hall.feeds or []
    _refuse_impossible(feeds)
    factor = POWER_FACTOR if hall.power_factor is None else hall.power_factor
    each, redundancy = np.array([feed_w(feed, factor) for feed in feeds]), feeds[0].redundancy
    if hall.feeds_per_rack is None or hall.feeds_per_rack == len(feeds):
        return carried_w(each, redundancy)
    chosen = combinations(each.tolist(), hall.feeds_per_rack)
    return min(carried_w(few, "N" if redundancy == "N" else "N+1") for few in chosen)


def feed_w(feed: Feed, power_factor: float) -> float:
    """Return what one feed carries continuously, in W.

    References
    ----------
    NEC 2023, 210.20(A) and 215.3: a continuous load takes at most 80 % of a standard breaker;
    IEC 60364 and 60898 allow 100 %.
    """
    apparent = three_phase_va if feed.phases == 3 else single_phase_va
    factor = 1.0 if feed.phases == "dc" else power_factor
    return float(apparent(feed.voltage_v, feed.amps)) * continuous_share(feed) * factor


def continuous_share(feed: Feed) -> float:
    """Return the share of a feed's rating that may be drawn all the time."""
    return CONTINUOUS if feed.continuous is None else feed.continuous


def _refuse_impossible(feeds: list[Feed]) -> None:
    problems = [
        Problem(
            f"feed {feed.name}",
            f"{feed.voltage_v:g} V on three phases is a voltage to neutral, but voltage is line to line",
            f"write voltage: {round(feed.voltage_v * np.sqrt(3)):g} V, or phases: 1",
            ("hall", "feeds", row, "voltage"),
        )
        for row, feed in enumerate(feeds)
        if feed.phases == 3 and feed.voltage_v in LINE_TO_NEUTRAL_V
    ]
    asked = sorted({feed.redundancy for feed in feeds})
    if len(asked) > 1:
        what = f"the feeds of a rack name different redundancies: {', '.join(asked)}"
        problems.append(Problem("hall", what, "give all of them the same", ("hall", "feeds")))
    if problems:
        raise InputError(problems)


def _assumptions(hall: Hall, carried: float) -> tuple[Assumption, ...]:
    feeds = hall.feeds or []
    names = " and ".join(feed.name for feed in feeds)
    what = f"rack limit from feeds {names} at {feeds[0].redundancy}"
    has = (
        "every rack gets each feed" if hall.feeds_per_rack is None else f"each rack gets {hall.feeds_per_rack} of them"
    )
    made = [Assumption(what, f"{carried / 1e3:.6g} kW", f"{has}; voltage is line to line")]
    if any(feed.continuous is None for feed in feeds):
        source = "NEC 2023 210.20(A), 215.3 (IEC 60364: 1.0)"
        made.append(Assumption("continuous load of a breaker", f"{CONTINUOUS:g} of its rating", source))
    if hall.power_factor is None and any(feed.phases != "dc" for feed in feeds):
        made.append(Assumption("power factor", f"{POWER_FACTOR:g}", "common for server power supplies; assumed"))
    return tuple(made)
