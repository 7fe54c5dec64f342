"""What racks breathe: supply air by the balance of their aisle, and exhaust for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from fabrictool.fabric.tables import F8, I4, Fabric
from fabrictool.placement import Placement

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout

#: Among which racks the air of a tile is shared: of the hall, of the cold aisle, or of the places next to it.
Reach = Literal["hall", "aisle", "near"]


@dataclass(frozen=True, slots=True)
class Aisles:
    """Where racks stand, (racks,) each: the cold aisle before them, the hot one behind, and the place along both."""

    cold: I4
    hot: I4
    place: I4


@dataclass(frozen=True, slots=True)
class Breathing:
    """What racks do to the hall's air, (racks,) each.

    Parameters
    ----------
    through_w, air_w : ndarray
        Heat into the air through a rack, and what of it is left behind a rear door, in W.
    most_m3_per_s : ndarray
        Air that reaches it at most; inf where nobody says.
    aisles : Aisles
    """

    through_w: F8
    air_w: F8
    most_m3_per_s: F8
    aisles: Aisles


def one_rack(heat_w: float) -> Breathing:
    """Return a hall of one rack that gives all its heat to the air."""
    at = np.zeros(1, np.int32)
    return Breathing(np.array([heat_w]), np.array([heat_w]), np.array([np.inf]), Aisles(at, at, at))


def aisles_of(layout: Layout, fabric: Fabric, placement: Placement) -> Aisles:
    """Return the aisles of a layout's racks: rows face each other by twos, and stand back to back by twos."""
    from fabrictool.placement.standing import floor_of

    if not len(placement.racks):
        none = np.zeros(0, np.int32)
        return Aisles(none, none, none)
    floor = floor_of(layout, fabric, placement)
    return Aisles(floor.row // 2, (floor.row + 1) // 2, floor.position)


def supply_over_need(need_m3_per_s: F8, supply_m3_per_s: float, aisles: Aisles, reach: Reach) -> F8:
    """Return the supply air that reaches each rack over the air that it takes, (racks,); above 1 some passes by.

    Parameters
    ----------
    need_m3_per_s : ndarray, (racks,)
        Air through each rack; those that take none have no tile.
    supply_m3_per_s : float
        Of all handlers together.
    aisles : Aisles
    reach : {"hall", "aisle", "near"}

    Notes
    -----
    A hall or an aisle is one pool, of which racks take what they need: F_i / V_i = sum s / sum V. Every rack that
    breathes has an equal tile s before it. With ``near`` a rack takes the air of its own tile first; what is left of a
    tile goes to the racks next to it and across the aisle that are short, by what each lacks.
    """
    breathes = need_m3_per_s > 0
    total = float(need_m3_per_s.sum())
    if reach == "hall" or total <= 0:
        return np.full(len(need_m3_per_s), supply_m3_per_s / total if total > 0 else np.inf)
    tile = supply_m3_per_s / np.count_nonzero(breathes)
    if reach == "near":
        return _near(need_m3_per_s, tile, aisles)
    taken = np.bincount(aisles.cold, need_m3_per_s)
    blown = tile * np.bincount(aisles.cold, breathes)
    share = np.divide(blown, taken, out=np.full(len(taken), np.inf), where=taken > 0)
    return np.asarray(share[aisles.cold])


def _near(need: F8, tile: float, aisles: Aisles) -> F8:
    """Return what reaches racks of their own tiles and of those near them, over what they take."""
    breathes = need > 0
    places = int(aisles.place.max()) + 1
    at = aisles.cold.astype(np.int64) * places + aisles.place
    lacks, left = np.maximum(need - tile, 0), np.where(breathes, np.maximum(tile - need, 0), 0)
    cells = places * (int(aisles.cold.max()) + 1)
    short, spare = (np.asarray(np.bincount(at, w, cells), np.float64).reshape(-1, places) for w in (lacks, left))
    asked = _with_neighbours(short)
    given = _with_neighbours(np.divide(spare, asked, out=np.zeros_like(asked), where=asked > 0))
    reaches = np.minimum(need, tile) + lacks * np.minimum(given.ravel()[at], 1)
    return np.asarray(np.divide(reaches, need, out=np.full(len(need), np.inf), where=breathes))


def _with_neighbours(grid: F8) -> F8:
    """Add to each place along an aisle what is at those next to it."""
    wide = np.pad(grid, ((0, 0), (1, 1)))
    return np.asarray(wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:])


def inlets_c(supply_c: float, need_m3_per_s: F8, exhaust_k: F8, recirculation: F8, hot_aisle: I4) -> F8:
    """Return the inlet air of racks that breathe exhaust of the aisle behind them, (racks,) in degC.

    Parameters
    ----------
    supply_c : float
    need_m3_per_s, exhaust_k : ndarray, (racks,)
        Air through each rack, and how much warmer it leaves than it came: behind a rear door, past that.
    recirculation : ndarray, (racks,)
        Share of its inlet air that is exhaust.
    hot_aisle : ndarray, (racks,)

    Notes
    -----
    T_in = T_s + r (T_hot - T_s). What leaves a hot aisle for the handlers carries all heat of its racks, so that
    T_hot - T_s = sum V dT / sum V (1 - r). Where racks of an aisle are alike, T_in = T_s + r / (1 - r) dT.
    """
    aisles = int(hot_aisle.max(initial=-1)) + 1
    heat = np.bincount(hot_aisle, need_m3_per_s * exhaust_k, aisles)
    leaves = np.bincount(hot_aisle, need_m3_per_s * (1 - recirculation), aisles)
    warmer = np.divide(heat, leaves, out=np.where(heat > 0, np.inf, 0.0), where=leaves > 0)
    over = warmer[hot_aisle]
    return np.asarray(supply_c + np.multiply(recirculation, over, out=np.zeros_like(over), where=recirculation > 0))
