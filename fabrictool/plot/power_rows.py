"""What the figure of power shows: racks against their limits, and feeds, supply and loops against what they carry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fabrictool.errors import InputError
from fabrictool.plot.faces import feed_loads
from fabrictool.plot.site import Site
from fabrictool.power.overloads import TOLERANCE
from fabrictool.power.racks import known

#: Feeds and elements that are drawn: the fullest.
MOST_GAUGES = 24


@dataclass(frozen=True, slots=True)
class Gauge:
    """What something carries in normal running and in its worst state, in W, of what it may; None where unknown.

    ``worst_limit_w`` is what it may carry in its worst state.
    """

    kind: str
    name: str
    load_w: float
    worst_w: float
    limit_w: float | None
    worst_limit_w: float | None
    cause: str

    @property
    def share(self) -> float:
        """Worst load over the limit then; 0 without one."""
        return self.worst_w / self.worst_limit_w if self.worst_limit_w else 0.0

    @property
    def over(self) -> bool:
        """Whether it carries more than it may."""
        return self.worst_limit_w is not None and self.worst_w > self.worst_limit_w * (1 + TOLERANCE)


@dataclass(frozen=True)
class PowerRows:
    """Racks in order, and gauges, the fullest first; ``left_out`` says how many gauges are not drawn."""

    site: Site
    gauges: tuple[Gauge, ...]
    left_out: int

    def to_dict(self) -> dict[str, Any]:
        """Return what is drawn as one JSON object."""
        power = self.site.power
        columns = (power.it_w, power.it_typical_w, power.limit_w)
        racks = [
            {"rack": name, "role": role, "it_w": known(it), "it_typical_w": known(typical), "limit_w": known(limit)}
            for name, role, it, typical, limit in zip(
                power.rack, self.site.placement.racks.role.tolist(), *(c.tolist() for c in columns), strict=True
            )
        ]
        return {"racks": racks, "gauges": [asdict(row) for row in self.gauges], "left_out": self.left_out}


def power_rows(site: Site) -> PowerRows:
    """Return racks, feeds, elements of the supply and loops with their loads and limits.

    Raises
    ------
    InputError
        If no rack's power is known.
    """
    if np.isnan(site.power.it_w).all():
        raise InputError("power is not known of any rack", f"give power_max of {', '.join(site.power.no_power_data)}")
    found = sorted((*_feeds(site), *_supply(site), *_loops(site)), key=lambda row: -row.share)
    return PowerRows(site, tuple(found[:MOST_GAUGES]), max(0, len(found) - MOST_GAUGES))


def _feeds(site: Site) -> Iterator[Gauge]:
    """Yield each feed where it carries most: at the rack that draws most of it."""
    worst: dict[str, Gauge] = {}
    for rack, loads in zip(site.placement.racks.name.tolist(), feed_loads(site), strict=True):
        for load in loads:
            taken = "" if load.after_loss_w == load.load_w else "once another feed has failed"
            name, carries = f"{load.feed} at {rack}", load.carries_w
            row = Gauge("feed", name, load.load_w, load.after_loss_w, carries, carries, taken)
            if load.feed not in worst or row.worst_w > worst[load.feed].worst_w:
                worst[load.feed] = row
    yield from worst.values()


def _supply(site: Site) -> Iterator[Gauge]:
    for one in site.supply.elements:
        limit = one.limit_w if np.isfinite(one.limit_w) else None
        cause = f"once {one.fullest_failure} has failed" if one.fullest_failure else ""
        yield Gauge(one.kind, one.name, one.load_w, one.fullest_w, limit, limit, cause)


def _loops(site: Site) -> Iterator[Gauge]:
    """Yield loops with their heat, pumps included, of what their CDUs take: all, and without those that may fail."""
    loops = site.cooling.loops
    for row, name in enumerate(loops.serving.name):
        lost = loops.design.lost[row]
        limits = [_finite(state.capacity_w[row]) for state in (loops.normal, loops.after_loss)]
        heat_w = float(loops.normal.load[row]) * limits[0] if limits[0] else float(loops.design.heat_w[row])
        cause = f"once {'a CDU has' if lost == 1 else f'{lost:.0f} CDUs have'} failed" if lost > 0 else ""
        yield Gauge("loop", name, heat_w, heat_w, limits[0], limits[1] if lost > 0 else limits[0], cause)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
