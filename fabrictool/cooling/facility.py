"""What a facility draws beside its IT."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fabrictool.fabric.tables import F8, Reals
from fabrictool.records import Assumption

if TYPE_CHECKING:
    from fabrictool.layout.model import Hall

#: Facility over IT power where air or where liquid carries the heat off.
PUE_AIR = 1.40
PUE_LIQUID = 1.20


def facility_pue(hall: Hall | None, air_w: float, liquid_w: float) -> tuple[float, tuple[Assumption, ...]]:
    """Return facility over IT power: the one given, else by how the heat leaves the racks.

    Parameters
    ----------
    air_w, liquid_w : float
        Heat of all racks to the hall's air and to liquid (cold plates, doors, tanks), in W.

    Returns
    -------
    pue : float
        NaN where neither a figure nor any heat is known.
    assumptions : tuple of Assumption
        The defaults used.

    References
    ----------
    ISO/IEC 30134-2 defines PUE. The defaults lie between the Uptime Institute's survey average (1.58 in 2023)
    and claims for liquid-cooled halls (1.05 to 1.15).
    """
    if hall is not None and hall.pue is not None:
        return hall.pue, ()
    if air_w + liquid_w <= 0:
        return np.nan, ()
    pue = (PUE_AIR * air_w + PUE_LIQUID * liquid_w) / (air_w + liquid_w)
    source = "between the survey average (Uptime Institute 2023: 1.58) and claims for liquid halls (1.05-1.15); assumed"
    value = f"{pue:.4g} ({PUE_AIR:.2f} for heat to air, {PUE_LIQUID:.2f} to liquid)"
    return pue, (Assumption("PUE", value, source),)


def liquid_capital_change(rack_w: Reals) -> F8:
    """Return what liquid in place of air changes of a data centre's capital, as a share of it; NaN below 10 kW a rack.

    Parameters
    ----------
    rack_w : float or ndarray
        Power of a rack, in W.

    Notes
    -----
    Linear between the published points, and level above the last.

    References
    ----------
    Schneider Electric, capital cost of chassis-immersive liquid against air cooling at 2 MW: the same at 10 kW a rack,
    10 % less at 20 kW, 14 % less at 40 kW.
    """
    power = np.asarray(rack_w, dtype=np.float64)
    change = np.interp(power, (10e3, 20e3, 40e3), (0.0, -0.10, -0.14))
    return np.where(power < 10e3, np.nan, change)
