"""How many racks, and which cables, a layout needs at other powers a rack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

from fabrictool import units
from fabrictool.errors import InputError, Problem
from fabrictool.explore.halls import HallFigures, hall_figures, hall_of, losses_for
from fabrictool.fabric import Fabric
from fabrictool.generators.building import build
from fabrictool.layout.model import Layout, RackGroup
from fabrictool.placement import most_that_fit, type_figures
from fabrictool.placement.figures import types_in_use, with_assumed_units
from fabrictool.placement.fill import empty_rack
from fabrictool.placement.heat_limits import LIMITS_W
from fabrictool.power.feeds import three_phase_va
from fabrictool.power.limits import CONTINUOUS, POWER_FACTOR

if TYPE_CHECKING:
    from fabrictool.tabular import Table

#: Powers a rack in W that are worked out where none are asked for.
LIMITS = (8e3, 15e3, 40e3, 80e3, 130e3)
#: Line to line, for the circuits that a rack takes.
VOLTAGE_V = 415.0


@dataclass(frozen=True)
class Density:
    """A hall at one power a rack: ``figures`` are None where a host does not fit, and ``reason`` says why.

    ``cooling`` is the layout's own, or the next that carries so much; ``bound_by`` what fills a rack first.
    """

    limit_w: float
    cooling: str
    bound_by: str
    figures: HallFigures | None
    reason: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return a row of ``densities`` in JSON."""
        start = {
            "limit_w": self.limit_w, "cooling": self.cooling, "bound_by": self.bound_by, "reason": self.reason,
            "feed_a": circuit_a(self.limit_w),
        }  # fmt: skip
        return start | {"hall": None if self.figures is None else self.figures.to_dict()}


@dataclass(frozen=True, repr=False)
class Densities:
    """The same fabric at several powers a rack; ``to_dict`` is the JSON of ``compare --density``."""

    layout: str
    rows: tuple[Density, ...]

    @property
    def ok(self) -> bool:
        """Whether hosts fit at each power."""
        return all(row.reason is None for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the versioned JSON document."""
        return {"format": 1, "layout": self.layout, "densities": [row.to_dict() for row in self.rows]}

    def table(self) -> Table:
        """Return one row for each power."""
        from fabrictool.explore.hall_tables import density_table

        return density_table(self)

    def __repr__(self) -> str:
        return f"<Densities of {self.layout}: {len(self.rows)} powers a rack>"

    def _repr_html_(self) -> str:
        return self.table().to_html()


def density(layout: Layout | str | PathLike[str], limits: Sequence[str | float] | None = None) -> Densities:
    """Return what a layout's hall comes to at other powers a rack.

    The power decides how many hosts share a rack, so how many racks there are, how long cables become, which media
    reach, and what their optics draw, which counts in the racks again: each row is worked out until nothing changes.
    Feeds are taken to follow. A rack's cooling is the layout's, or the next that carries so much.

    Parameters
    ----------
    layout : Layout, str or path
        With racks.
    limits : sequence of str or float, optional
        Powers of a rack such as ``"40 kW"``, or in W; by default 8, 15, 40, 80 and 130 kW.

    Raises
    ------
    FabrictoolError
        If the layout cannot be built or has no racks, or a power is none.
    """
    given = hall_of(layout)
    fabric = build(given)
    asked = LIMITS if limits is None else [_watts(limit) for limit in limits]
    losses = losses_for(given, fabric)
    rows = []
    for limit in asked:
        other = at_power(given, fabric, limit)
        bound, reason = _bound(other, fabric)
        figures = None if reason else hall_figures(other, fabric, losses)
        rows.append(Density(limit, (other.racks or [])[0].cooling, bound, figures, reason))
    return Densities(given.name, tuple(rows))


def _watts(limit: str | float) -> float:
    if isinstance(limit, str):
        try:
            return units.parse(limit, units.POWER)
        except ValueError as error:
            raise InputError([Problem("--density", str(error), "write powers such as '8kW,15kW,40kW'")]) from None
    if not limit > 0:
        raise InputError([Problem("--density", f"{limit} W is no power of a rack", "give one above 0")])
    return float(limit)


def circuit_a(limit_w: float) -> float:
    """Return the current of a circuit that carries so much at 415 V, 80 % and a power factor of 0.95, in A."""
    return limit_w / float(three_phase_va(VOLTAGE_V, 1.0)) / CONTINUOUS / POWER_FACTOR


def at_power(layout: Layout, fabric: Fabric, limit_w: float) -> Layout:
    """Return a layout whose racks may draw so much, with as many hosts as fit and cooling that carries it."""
    wet = any((box.air_fraction or 1.0) < 1 for box in layout.host_types())
    groups = [_group(group, limit_w, wet) for group in layout.racks or []]
    none = {"feeds": None, "feeds_per_rack": None, "supply": None}
    hall = None if layout.hall is None else layout.hall.model_copy(update=none)
    return layout.model_copy(update={"racks": groups, "hall": hall})


def _group(group: RackGroup, limit_w: float, wet: bool) -> RackGroup:
    """Return racks of one kind at another power, without a number of hosts, a cap or a count of positions."""
    kinds = [group.cooling, *(("direct-to-chip",) if wet else ("rear-door", "immersion"))]
    carries = {kind: 1e9 if kind == "direct-to-chip" and wet else LIMITS_W[kind] for kind in kinds}
    cooling = next((kind for kind in kinds if carries[kind] >= limit_w), kinds[-1])
    free = {"hosts_per_rack": None, "count": None, "power_cap_w": None, "cooling_limit_w": None}
    return group.model_copy(update=free | {"power_limit_w": limit_w, "cooling": cooling})


def _bound(layout: Layout, fabric: Fabric) -> tuple[str, str | None]:
    """Return what fills a rack of hosts first, and why none fits, if so."""
    figures, _ = with_assumed_units(type_figures(layout, fabric), layout, fabric)
    assert layout.racks is not None
    room = empty_rack(layout.racks[0], layout.racks[0].power_limit_w or 0.0)
    boxes = {box.name for box in layout.host_types() if box.gpus_per_host}
    types = [row for row in types_in_use(fabric).tolist() if fabric.types[row] in boxes]
    if not types:
        return "", None
    row = types[0]
    each = figures.each(row)
    if figures.trays[row] > 1:
        whole = float(figures.power_max_w[row] * figures.trays[row])
        over = whole > (room.power_w + 1e-6)
        name = fabric.types[row]
        return "whole rack", f"a rack {name} draws {units.format_power(whole)} and cannot be divided" if over else None
    counts = {
        name: most_that_fit(type(room)(*(space if at == column else 1e18 for at, space in enumerate(room))), each)
        for column, name in enumerate(("units", "power", "weight"))
    }
    bound = min(counts, key=lambda name: counts[name])
    return bound, None if counts[bound] else f"a {fabric.types[row]} takes more {bound} than a rack has"
