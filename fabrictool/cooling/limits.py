"""Racks over what their cooling carries off."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.cooling.heat import liquid_share
from fabrictool.fabric.tables import F8, Fabric
from fabrictool.placement import Placement, Racks, TypeFigures
from fabrictool.placement.heat_limits import LIMITS_W, SOURCES
from fabrictool.placement.racks import number_or_nan
from fabrictool.power.overloads import Overload, fewer_hosts, kilowatts, overload_findings
from fabrictool.records import Assumption, Finding

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout

#: In m3/s.
CFM = 0.0004719474432

WORDS = {
    "air": "heat that air takes from a rack",
    "rear-door": "heat that a rear door takes from a rack",
    "direct-to-chip": "heat that air takes from a rack beside its cold plates",
    "immersion": "heat that an immersion tank takes",
}
#: Cooling that carries more, the gentlest first.
STRONGER = {"air": "rear-door or direct-to-chip cooling", "rear-door": "direct-to-chip cooling"}


def limit_assumptions(racks: Racks) -> tuple[Assumption, ...]:
    """Name the default limit of each kind of cooling that stands in place of one not given."""
    default = np.isnan(racks.cooling_limit_w) | (racks.cooling == "direct-to-chip")
    kinds = dict.fromkeys(racks.cooling[default].tolist())
    return tuple(Assumption(WORDS[kind], f"at most {LIMITS_W[kind] / 1e3:g} kW", SOURCES[kind]) for kind in kinds)


def cooling_overloads(
    placement: Placement, fabric: Fabric, figures: TypeFigures, it_w: F8, air_w: F8
) -> tuple[Finding, ...]:
    """Return an error for each kind of rack over its cooling limit.

    A limit that is given holds for all the heat of a rack; beside cold plates, the air remainder is held
    against the default of air as well.

    Parameters
    ----------
    it_w, air_w : ndarray, (racks,)
        Heat of each rack, and what of it goes to the hall's air, in W.
    """
    racks = placement.racks
    plates = racks.cooling == "direct-to-chip"
    default = np.array([math.nan if kind == "direct-to-chip" else LIMITS_W[kind] for kind in racks.cooling.tolist()])
    whole = np.where(np.isnan(racks.cooling_limit_w), default, racks.cooling_limit_w)
    remainder = np.where(plates, LIMITS_W["direct-to-chip"], np.nan)
    power_w = figures.power_max_w
    to_air = 1 - liquid_share(np.full(len(power_w), "direct-to-chip"), figures.air_fraction, figures.gpus)
    return (
        *_over(placement, fabric, figures, it_w, whole, power_w, ""),
        *_over(placement, fabric, figures, air_w, remainder, power_w * to_air, " of heat to air"),
    )


def _over(
    placement: Placement, fabric: Fabric, figures: TypeFigures, load_w: F8, limit_w: F8, heat_w: F8, of_what: str
) -> tuple[Finding, ...]:
    def words(load: float, limit: float) -> str:
        return f"{kilowatts(load, limit)}{of_what} that the cooling carries off"

    def fix(over: Overload) -> str:
        fewer = fewer_hosts(placement, fabric, figures, over, heat_w)
        stronger = STRONGER.get(str(placement.racks.cooling[over.racks[0]]))
        return f"{fewer}, or {stronger}" if stronger else fewer

    return overload_findings("rack-over-cooling", placement, load_w, limit_w, words, fix)


def airflow_limits(layout: Layout, racks: Racks) -> F8:
    """Return the air that reaches each rack at most as the layout gives it, (racks,) in m3/s; NaN where it does not."""
    groups = layout.racks or []
    return number_or_nan([group.airflow_limit_m3_per_s for group in groups] or [None])[racks.group]


def airflow_overloads(
    layout: Layout, placement: Placement, fabric: Fabric, figures: TypeFigures, through_w: F8, airflow_m3_per_s: F8
) -> tuple[Finding, ...]:
    """Return an error for each kind of rack that takes more air than reaches it.

    Parameters
    ----------
    through_w, airflow_m3_per_s : ndarray, (racks,)
        Heat into the air through a rack, and that air.
    """
    given = airflow_limits(layout, placement.racks)
    with np.errstate(invalid="ignore", divide="ignore"):
        each = airflow_m3_per_s / through_w
    limit_w = given / each

    def words(load_w: float, limit: float) -> str:
        row = int(np.flatnonzero((limit_w == limit) & (np.abs(through_w - load_w) <= 1e-6 * load_w))[0])
        load, most = float(airflow_m3_per_s[row]), float(given[row])
        return f"{load:.3g} of {most:.3g} m3/s ({load / CFM:,.0f} of {most / CFM:,.0f} CFM) of air that reaches it"

    def fix(over: Overload) -> str:
        fewer = fewer_hosts(placement, fabric, figures, over, figures.power_max_w)
        return f"{fewer}, or an air_rise {over.load / over.limit:.3g} times as large where devices allow it"

    return overload_findings("rack-over-airflow", placement, through_w, limit_w, words, fix)
