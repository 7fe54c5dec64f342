"""Which share of a device's heat goes to liquid, by how its rack is cooled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, Bool, Fabric
from fabrictool.placement import Placement, TypeFigures
from fabrictool.placement.figures import types_in_use
from fabrictool.power.overloads import rack_list
from fabrictool.records import Assumption, Finding

#: Share that cold plates take of a GPU host of which no split is published.
COLD_PLATE_SHARE = 0.75


def liquid_share(cooling: npt.NDArray[np.str_], air_fraction: F8, gpus: F8) -> F8:
    """Return the share of heat that leaves in liquid, (devices,).

    Parameters
    ----------
    cooling : ndarray of str, (devices,)
        How the rack of each device is cooled: air, rear-door, direct-to-chip or immersion.
    air_fraction : ndarray, (devices,)
        Share of a device's heat that goes to air where cold plates take the rest; NaN if unknown.
    gpus : ndarray, (devices,)
        Accelerators of a device; with cold plates, an unknown share is 0.75 for those that have any, else 0.
    """
    assumed = np.where(gpus > 0, COLD_PLATE_SHARE, 0.0)
    plates = np.where(np.isnan(air_fraction), assumed, 1 - air_fraction)
    whole = np.isin(cooling, ("rear-door", "immersion"))
    return np.where(whole, 1.0, np.where(cooling == "direct-to-chip", plates, 0.0))


@dataclass(frozen=True)
class RackHeat:
    """Where the heat of racks goes, (racks,) in W each; together all of it, NaN where no power is known.

    Parameters
    ----------
    loop_w : ndarray
        To the rack's loop: from cold plates, a tank, or a rear door that is all the cooling there is.
    behind_w : ndarray
        To the loop of a rear door behind cold plates.
    air_w : ndarray
        To the hall's air.
    through_w : ndarray
        Into the air through its devices, whether a door takes it back or not.
    """

    loop_w: F8
    behind_w: F8
    air_w: F8
    through_w: F8


def rack_heat(cooling: npt.NDArray[np.str_], it_w: F8, plates_w: F8, behind: Bool, capture: F8) -> RackHeat:
    """Split the heat of racks, (racks,) each.

    Parameters
    ----------
    cooling : ndarray of str
    it_w, plates_w : ndarray
        All heat, and what of it cold plates or a tank take.
    behind : ndarray of bool
        Whether a rear door stands behind cold plates.
    capture : ndarray
        Share of the heat in a door's air that it takes back, 0 to 1.
    """
    doors, inside = cooling == "rear-door", np.where(cooling == "immersion", it_w, plates_w)
    through = np.where(doors, it_w, it_w - inside)
    taken = np.where(doors | behind, capture * through, 0.0)
    return RackHeat(np.where(doors, taken, inside), np.where(behind, taken, 0.0), through - taken, through)


def share_assumptions(cooling: npt.NDArray[np.str_], fabric: Fabric, figures: TypeFigures) -> tuple[Assumption, ...]:
    """Name each type whose split between air and cold plates was assumed."""
    types = np.unique(fabric.devices.type[cooling == "direct-to-chip"])
    unknown = types[np.isnan(figures.air_fraction[types])]
    made = []
    for row in unknown:
        what = f"share of the heat of {fabric.types[row]} that cold plates take"
        if figures.gpus[row] > 0:
            made.append(Assumption(what, f"{COLD_PLATE_SHARE:g}", "vendor range 70-80 % for 8-GPU hosts"))
        else:
            made.append(Assumption(what, "0", "no accelerators; assumed air-cooled"))
    return tuple(made)


def mismatches(placement: Placement, fabric: Fabric, figures: TypeFigures) -> tuple[Finding, ...]:
    """Return an error for each type that needs liquid at its chips but stands where there is none."""
    racks, types = placement.racks, fabric.devices.type
    dry = np.append(np.isin(racks.cooling, ("air", "rear-door")), False)[placement.rack]
    found = []
    for row in types_in_use(fabric):
        if not figures.air_fraction[row] < 1:
            continue
        wrong = dry & (types == row)
        if wrong.any():
            found.append(_mismatch(placement, fabric.types[row], figures.air_fraction[row], wrong))
    return tuple(found)


def _mismatch(placement: Placement, name: str, air_fraction: float, wrong: npt.NDArray[np.bool_]) -> Finding:
    rows = np.unique(placement.rack[wrong]).astype(np.int64)
    cooling = " and ".join(np.unique(placement.racks.cooling[rows]).tolist())
    message = (
        f"{np.count_nonzero(wrong):,} {name} need liquid at the chips for {1 - air_fraction:.0%} of their heat, "
        f"but their racks have {cooling} cooling"
    )
    where = rack_list(placement.racks.name, rows)
    return Finding("cooling-mismatch", "error", where, message, "cooling: direct-to-chip for these racks")
