"""New devices around those that a lock keeps in their places, by the strategies of a layout's ``placement``."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.placement.strategies import beside_hosts, bundles

if TYPE_CHECKING:
    from fabrictool.layout.placing import Placing
    from fabrictool.placement.locked import Filling

HOSTS, OTHERS = 0, 1


def place_new(hall: Filling, roles: Sequence[Sequence[int]], placing: Placing) -> None:
    """Place the devices that have no locked place.

    What shares a rack by the strategy goes where its like stands already and is room; else it begins a rack
    of its own, and only where no position is left for one it takes what is free.

    Parameters
    ----------
    hall : Filling
        With locked devices in their seats.
    roles : sequence of sequence of int
        Rows of hosts, and of switches and service hosts.
    placing : Placing
    """
    hosts, others = roles
    new = [row for row in hosts if hall.rack[row] < 0]
    opened = len(hall.racks)
    hall.fill(HOSTS, hosts)
    others = _beside_hosts(hall, others) if placing.switches == "in-rack" else others
    if placing.switches == "dealt":
        _deal(hall, others)
    elif placing.switches == "in-order":
        hall.fill(OTHERS, others)
    else:
        for part in bundles(placing.switches, hall.fabric, np.array(others, np.int64)):
            _fill_together(hall, part.tolist())
    if placing.hosts == "even":
        _spread(hall, hosts, new, opened)


def _fill_together(hall: Filling, rows: Sequence[int]) -> None:
    """Put devices of a bundle where others of it stand, then into racks of their own, then anywhere."""
    own = {int(hall.rack[row]) for row in rows if hall.rack[row] >= 0}
    hall.fill(OTHERS, rows, own)
    hall.fill(OTHERS, rows)


def _beside_hosts(hall: Filling, rows: Sequence[int]) -> list[int]:
    """Put new leaves into the racks of the hosts under them; return what is to be placed elsewhere, or has a place."""
    new = np.array([row for row in rows if hall.rack[row] < 0], np.int64)
    figures, types = hall.figures, hall.fabric.devices.type
    takes = np.column_stack((figures.units, figures.power_max_w, figures.weight_kg))[types].astype(np.float64)
    found = hall.rack.copy()
    beside_hosts(hall.fabric, new, found, takes, hall.left(takes))
    for row in new.tolist():
        if found[row] >= 0:
            hall.put_beside(int(found[row]), row)
    return [row for row in rows if hall.rack[row] < 0 or hall.racks[hall.rack[row]].role == OTHERS]


def _deal(hall: Filling, rows: Sequence[int]) -> None:
    """Deal new devices to the racks of switches, each kind to that with the fewest of it; two racks at least."""
    racks = [place for place, rack in enumerate(hall.racks) if rack.role == OTHERS]
    if len(rows) > 1:
        racks += hall.open_one(OTHERS) if len(racks) == 1 else []
    if not racks:
        hall.fill(OTHERS, rows)  # opens what they fill; they are dealt to these
        _deal_anew(hall, rows)
        return
    counts = Counter((int(hall.rack[row]), hall.types[row]) for row in rows if hall.rack[row] >= 0)
    for kind in dict.fromkeys(hall.types[row] for row in rows):
        heap = [(counts[place, kind], place) for place in racks]
        _deal_out(hall, heap, [row for row in rows if hall.rack[row] < 0 and hall.types[row] == kind])
    hall.fill(OTHERS, rows)


def _deal_anew(hall: Filling, rows: Sequence[int]) -> None:
    """Deal all devices, none of which is locked, to the racks that they fill."""
    placed = [row for row in rows if hall.rack[row] >= 0]
    racks = sorted({int(hall.rack[row]) for row in placed})
    hall.take_out(placed)
    if len(racks) == 1 and len(rows) > 1:
        racks += hall.open_one(OTHERS)
    for kind in dict.fromkeys(hall.types[row] for row in placed):
        _deal_out(hall, [(0, place) for place in racks], [row for row in placed if hall.types[row] == kind])
    hall.fill(OTHERS, rows)


def _deal_out(hall: Filling, heap: list[tuple[int, int]], rows: Sequence[int]) -> None:
    """Put equal devices one by one into the rack with the fewest; racks without room drop out."""
    heapq.heapify(heap)
    for row in rows:
        while heap:
            count, place = heap[0]
            if hall.put(place, row):
                heapq.heapreplace(heap, (count + 1, place))
                break
            heapq.heappop(heap)


def _spread(hall: Filling, hosts: Sequence[int], new: Sequence[int], opened: int) -> None:
    """Let new hosts even out what racks hold, and use positions that are left, if all racks are of one group."""
    whole = any(hall.figures.trays[hall.types[row]] > 1 for row in hosts)
    homeless = any(hall.rack[row] < 0 for row in hosts)
    if whole or homeless or len(hall.groups) != 1 or not math.isfinite(hall.positions[0]) or not new:
        return
    hall.take_out(new)
    held = Counter(int(hall.rack[row]) for row in hosts if hall.rack[row] >= 0)
    racks = [place for place, rack in enumerate(hall.racks) if rack.role == HOSTS and (held[place] or place >= opened)]
    more = min(int(hall.positions[0]), max(len(hosts) - len(racks), 0))
    racks += [place for _ in range(more) for place in hall.open_one(HOSTS)]
    _deal_out(hall, [(held[place], place) for place in racks], new)
    hall.fill(HOSTS, new)
