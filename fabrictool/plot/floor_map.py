"""The hall's floor from above: where each rack stands, and the figure that it is coloured by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fabrictool.errors import InputError, did_you_mean
from fabrictool.fabric.tables import F8
from fabrictool.placement.standing import Floor, floor_of
from fabrictool.plot.site import Site
from fabrictool.power.overloads import TOLERANCE
from fabrictool.power.racks import known
from fabrictool.power.supply import feeds_of_racks


@dataclass(frozen=True, slots=True)
class Measure:
    """What racks can be coloured by: its title, unit, value of each rack (racks,), and where red begins, if it does.

    ``words`` names the values where they are kinds rather than amounts; a value then is a place in it. ``beyond``
    says which racks stand out (racks,) and ``beyond_words`` why, where that is not their power.
    """

    title: str
    unit: str
    value: F8
    limit: float | None = None
    words: tuple[str, ...] = ()
    beyond: Any = None
    beyond_words: str = "over its power limit"


@dataclass(frozen=True)
class FloorMap:
    """Racks on the floor with what they are coloured by.

    Parameters
    ----------
    site : Site
    floor : Floor
    measure : Measure
    over : ndarray of bool, (racks,)
        Racks that draw more than they may, or whatever else the measure says of them.
    rows : int or None
        Rows that the layout states; racks in further ones have no place in the hall.
    """

    site: Site
    floor: Floor
    measure: Measure
    over: Any
    rows: int | None

    @property
    def per_row(self) -> int:
        """Racks of the longest row."""
        stated = self.site.layout.hall.rows if self.site.layout.hall else None
        return int(self.floor.position.max()) + 1 if stated is None or stated.racks is None else stated.racks

    @property
    def outside(self) -> Any:
        """Racks for which the stated rows have no place, (racks,)."""
        if self.rows is None:
            return np.zeros(len(self.floor.row), bool)
        return self.floor.row >= self.rows

    @property
    def empty(self) -> list[tuple[float, float]]:
        """Where the stated rows have no rack: the middle of each such position, in m."""
        stated = self.site.layout.hall.rows if self.site.layout.hall else None
        if stated is None or not (stated.count or stated.racks):
            return []
        taken = set(zip(self.floor.row.tolist(), self.floor.position.tolist(), strict=True))
        width = self.floor.pitch["rack_m"]
        return [
            ((at + 0.5) * width, y)
            for row, y in enumerate(self.floor.row_y_m.tolist())
            for at in range(self.per_row)
            if (row, at) not in taken
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return what is drawn as one JSON object."""
        floor, racks = self.floor, self.site.placement.racks
        columns = (racks.name, floor.row, floor.position, floor.x_m, floor.y_m, racks.role, self.over, self.outside)
        keys = ("rack", "row", "position", "x_m", "y_m", "role", "over_limit", "outside")
        rows = [
            dict(zip(keys, row, strict=True)) | {"value": self._value(value)}
            for value, *row in zip(self.measure.value.tolist(), *(c.tolist() for c in columns), strict=True)
        ]
        for row in rows:
            row["row"] = floor.row_name(row["row"])
        return {"by": self.measure.title, "unit": self.measure.unit, "racks": rows,
                "trays_across_m": floor.cross_x_m.tolist(), "rows_y_m": floor.row_y_m.tolist()}  # fmt: skip

    def _value(self, value: float) -> float | str | None:
        return self.measure.words[int(value)] if self.measure.words and not np.isnan(value) else known(value)


def floor_map(site: Site, by: str | None = None) -> FloorMap:
    """Return the floor of a hall.

    Parameters
    ----------
    site : Site
    by : {None, "power", "share", "inlet", "loop", "air", "liquid", "feeds", "kind"}
        What racks are coloured by: what they draw, its share of their limit, the air in front of them, how full their
        liquid loop is, heat to air or to liquid, their feeds, or what stands in them. By default what they draw, or
        what stands in them where that is not known.

    Raises
    ------
    InputError
        If there is no such measure, or nothing of it is known.
    """
    if by is None:
        by = "kind" if np.isnan(site.power.it_w).all() else "power"
    if by not in MEASURES:
        raise InputError(f"--by: there is no measure '{by}'", did_you_mean(by, MEASURES))
    measure = MEASURES[by](site)
    if np.isnan(measure.value).all():
        raise InputError(f"--by {by}: {measure.title} is not known of any rack", _LACKING[by])
    hall = site.layout.hall
    over = site.power.it_w > site.power.limit_w * (1 + TOLERANCE) if measure.beyond is None else measure.beyond
    rows = hall.rows.count if hall and hall.rows else None
    each = hall.rows.racks if hall and hall.rows else None
    return FloorMap(
        site, floor_of(site.layout, site.fabric, site.placement), measure, over, rows if each is not None else None
    )


def _power(site: Site) -> Measure:
    limit = np.unique(site.power.limit_w)
    one = float(limit[0]) / 1e3 if len(limit) == 1 and not np.isnan(limit[0]) else None
    return Measure("IT power", "kW", site.power.it_w / 1e3, one)


def _share(site: Site) -> Measure:
    return Measure("IT power of the rack's limit", "%", 100 * site.power.it_w / site.power.limit_w, 100.0)


def _inlet(site: Site) -> Measure:
    cooling = site.cooling
    warm = np.zeros(len(cooling.rack), bool)
    warm[cooling.device_rack[cooling.too_warm(cooling.inlet_c)]] = True
    words = "warmer than its devices stand"
    return Measure("inlet air", "°C", cooling.inlet_c, beyond=warm, beyond_words=words)


def _loop(site: Site) -> Measure:
    return Measure("load of the liquid loop", "%", 100 * site.cooling.loop_load, 100.0)


def _air(site: Site) -> Measure:
    return Measure("heat to air", "kW", site.cooling.air_w / 1e3)


def _liquid(site: Site) -> Measure:
    value = site.cooling.liquid_w / 1e3
    return Measure("heat to liquid", "kW", np.where((value > 0).any(), value, np.nan))


def _feeds(site: Site) -> Measure:
    hall = site.layout.hall
    racks = len(site.placement.racks)
    if hall is None or not hall.feeds:
        return Measure("feeds", "", np.full(racks, np.nan))
    has = feeds_of_racks(site.layout, site.power.it_w)
    kinds, which = np.unique(has, axis=0, return_inverse=True)
    names = [feed.name for feed in hall.feeds]
    words = tuple(" + ".join(names[at] for at in np.flatnonzero(kind).tolist()) for kind in kinds)
    return Measure("feeds", "", which.ravel().astype(np.float64), words=words)


def _kind(site: Site) -> Measure:
    kinds, which = np.unique(site.placement.racks.role, return_inverse=True)
    return Measure("kind of rack", "", which.ravel().astype(np.float64), words=tuple(kinds.tolist()))


#: What racks can be coloured by, to its figures.
MEASURES: dict[str, Callable[[Site], Measure]] = {
    "power": _power, "share": _share, "inlet": _inlet, "loop": _loop, "air": _air, "liquid": _liquid,
    "feeds": _feeds, "kind": _kind,
}  # fmt: skip
_NO_POWER = "give power_max of device types"
_LACKING = {
    "power": _NO_POWER, "share": f"{_NO_POWER}, and racks.power_limit or hall.feeds", "air": _NO_POWER,
    "inlet": _NO_POWER, "loop": "state hall.loops with a cdu, and racks that take liquid",
    "liquid": "state racks with cooling: direct-to-chip, rear-door or immersion", "feeds": "state hall.feeds",
    "kind": "",
}  # fmt: skip
