"""Ways of cables: up the rack, along trays, down again; lengths and the trays passed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.catalogue.types import SwitchType
from fabrictool.fabric.tables import F8, I4, Fabric
from fabrictool.layout.model import Layout
from fabrictool.locks import Lock
from fabrictool.placement import Placement
from fabrictool.placement.figures import device_units
from fabrictool.placement.standing import BASE_M, UNIT_M, Floor

#: Turns of a way within a rack, of one along a row, and those that a tray across adds.
TURNS_IN_RACK, TURNS_IN_ROW, TURNS_ACROSS = 2, 4, 2
#: Airflow that puts the ports of a switch at the front of a rack; elsewhere they are at the rear, as those of hosts.
FRONT = ("C2P", "connector to power")


@dataclass(frozen=True)
class Seats:
    """Where each device is reached, (devices,) each.

    ``rack`` is the row of its rack, -1 without; ``unit`` its lowest unit, -1 without, and ``units`` how many it takes;
    ``height_m`` the height of its ports over the floor; ``front`` whether they are at the front of the rack.
    """

    rack: I4
    unit: I4
    units: F8
    height_m: F8
    front: npt.NDArray[np.bool_]

    def sides(self) -> list[str]:
        """Say of each device on which side of its rack its ports are, (devices,)."""
        return ["front" if front else "rear" for front in self.front.tolist()]


@dataclass(frozen=True)
class Routes:
    """Ways between pairs of devices, (ways,) each.

    ``route_m`` is NaN where an end has no place. ``cross`` is the tray across that a way takes, -1 for none;
    ``in_rack`` marks ways within a rack.
    """

    route_m: F8
    cross: I4
    in_rack: npt.NDArray[np.bool_]


def seats_of(layout: Layout, fabric: Fabric, placement: Placement) -> Seats:
    """Return where each device is reached; chips of a director are reached where the first of them stands.

    A PDU hangs in the rack that it feeds, at half its height.
    """
    rack, unit = placement.rack.copy(), placement.unit.copy()
    chassis = fabric.devices.chassis
    if chassis is not None:
        inside = np.flatnonzero(chassis >= 0)
        _, first, place = np.unique(chassis[inside], return_index=True, return_inverse=True)
        rack[inside], unit[inside] = rack[inside[first]][place], unit[inside[first]][place]
    _hang_pdus(layout, fabric, placement, rack)
    units = device_units(layout, fabric)
    half = np.where(rack >= 0, np.append(placement.racks.units, 0)[rack] / 2, 0.0)
    middle = np.where(unit >= 0, unit - 1 + units / 2, half)
    types: dict[str, object] = {kind.name: kind for kind in layout.switch_types()}
    front = np.array([_at_front(types.get(name)) for name in fabric.types], bool)
    return Seats(rack, unit, units, BASE_M + middle * UNIT_M, front[fabric.devices.type])


def _at_front(kind: object) -> bool:
    return isinstance(kind, SwitchType) and (kind.airflow_direction or "") in FRONT


def _hang_pdus(layout: Layout, fabric: Fabric, placement: Placement, rack: I4) -> None:
    """Give PDUs the racks of their rack group, in order."""
    from fabrictool.generators.managed import PDUS_PER_RACK, pdus

    rows = np.flatnonzero(fabric.devices.group == (fabric.groups.index("pdu") if "pdu" in fabric.groups else -1))
    if not len(rows):
        return
    start = 0
    for group, count in enumerate(pdus(layout)):
        each = (layout.racks or [])[group].pdus or PDUS_PER_RACK
        mine = np.flatnonzero(placement.racks.group == group)
        hung = np.append(mine, -1)[np.minimum(np.arange(count) // each, len(mine))]
        part = rows[start : start + count]
        rack[part] = hung if layout.lock is None else _as_locked(layout.lock, fabric, placement, part, mine, each)
        start += count


def _as_locked(
    lock: Lock, fabric: Fabric, placement: Placement, pdus: npt.NDArray[np.int64], racks: npt.NDArray[np.int64],
    each: int,
) -> I4:  # fmt: skip
    """Return the rack of each PDU: that which the lock says, else the first of some racks with room for another."""
    row_of = {name: row for row, name in enumerate(placement.racks.name.tolist())}
    names, known = fabric.names, lock.device_rows
    said = [lock.devices.rack[known[names[row]]] if names[row] in known else "" for row in pdus.tolist()]
    found = np.array([row_of.get(name, -1) for name in said], np.int32)
    room = np.full(len(placement.racks) + 1, 0)
    room[racks] = each
    np.subtract.at(room, found[found >= 0], 1)
    free = np.repeat(racks, np.maximum(room[racks], 0))
    new = np.flatnonzero(found < 0)
    found[new] = np.append(free, -1)[np.minimum(np.arange(len(new)), len(free))]
    return found


def routes_between(floor: Floor, seats: Seats, a: I4, z: I4) -> Routes:
    """Return the ways between pairs of devices.

    A way within a rack leads from port to port along the edge of the rack. Any other goes up to the tray over the
    row, along it, over a tray across to the other row if there is one, the one that makes it shortest, and down.

    Parameters
    ----------
    floor : Floor
    seats : Seats
    a, z : ndarray of int32, (ways,)
        Rows of the devices at both ends.
    """
    ra, rz = seats.rack[a], seats.rack[z]
    known, same = (ra >= 0) & (rz >= 0), (ra == rz) & (ra >= 0)
    pairs, place = np.unique(ra.astype(np.int64) << 32 | rz.astype(np.int64) & 0xFFFFFFFF, return_inverse=True)
    low, high = (pairs >> 32).astype(np.int32), (pairs & 0xFFFFFFFF).astype(np.int32)
    flat, cross = _over_trays(floor, np.maximum(low, 0), np.maximum(high, 0))
    sides = 2 * floor.trays["side_m"] + floor.pitch["depth_m"] * (seats.front[a] != seats.front[z])
    climb = np.where(
        same, np.abs(seats.height_m[a] - seats.height_m[z]), 2 * floor.tray_m - seats.height_m[a] - seats.height_m[z]
    )
    over, crossed = np.where(same, 0.0, flat[place]), np.where(same | ~known, -1, cross[place])
    turns = np.where(same, TURNS_IN_RACK, TURNS_IN_ROW + TURNS_ACROSS * (crossed >= 0))
    route = climb + over + sides + turns * floor.trays["bend_m"]
    return Routes(np.where(known, route, np.nan), crossed.astype(np.int32), same)


def _over_trays(floor: Floor, low: I4, high: I4) -> tuple[F8, I4]:
    """Return the way over trays between pairs of racks in m, and the tray across that it takes, (pairs,) each."""
    x, y, row = floor.x_m, floor.y_m, floor.row
    best, chosen = np.full(len(low), np.inf), np.full(len(low), -1, np.int32)
    for place, at in enumerate(floor.cross_x_m.tolist()):
        way = np.abs(x[low] - at) + np.abs(x[high] - at)
        shorter = way < best - 1e-9
        best, chosen = np.where(shorter, way, best), np.where(shorter, place, chosen).astype(np.int32)
    along = row[low] == row[high]
    flat = np.where(along, np.abs(x[low] - x[high]), best + np.abs(y[low] - y[high]))
    return flat, np.where(along, -1, chosen).astype(np.int32)


def tray_paths(floor: Floor, row_a: I4, row_z: I4, cross: I4) -> list[str]:
    """Name the trays of ways, (ways,): rows as ``row-01``, trays across between rows as ``x1:01-02``."""
    found = []
    known: dict[tuple[int, int, int], str] = {}
    for key in zip(row_a.tolist(), row_z.tolist(), cross.tolist(), strict=True):
        if key not in known:
            known[key] = "/".join(tray_names(floor, *key))
        found.append(known[key])
    return found


def tray_names(floor: Floor, row_a: int, row_z: int, cross: int) -> list[str]:
    """Name the trays from one row to another, in the order in which they are passed."""
    if cross < 0 or row_a == row_z:
        return [row_tray(floor, row_a)]
    step = 1 if row_z > row_a else -1
    over = [cross_tray(floor, cross, min(row, row + step)) for row in range(row_a, row_z, step)]
    return [row_tray(floor, row_a), *over, row_tray(floor, row_z)]


def row_tray(floor: Floor, row: int) -> str:
    """Name the tray over a row."""
    return f"row-{floor.row_name(row)}"


def cross_tray(floor: Floor, cross: int, row: int) -> str:
    """Name the part of a tray across that lies between a row and the next."""
    return f"x{cross + 1}:{floor.row_name(row)}-{floor.row_name(row + 1)}"
