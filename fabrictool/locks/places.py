"""What each device of a fabric is in the design, and which locked device that was."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from fabrictool.fabric.tables import I4, KINDS, Fabric
from fabrictool.locks.tables import GONE, Lock

#: What stands before the number in a place: of hosts their group, of switches network, kind, unit, rail and plane.
_PARTS = (("plane", "plane"), ("pod", "su"), ("rail", "rail"))


def heads_of(fabric: Fabric) -> list[str]:
    """Return the places of devices without their numbers, (devices,), such as ``compute:leaf/su1/rail2``."""
    devices, networks = fabric.devices, [network.name for network in fabric.networks]
    columns = [getattr(devices, name).tolist() for name, _ in _PARTS]
    board = devices.board.tolist() if devices.board is not None else [""] * len(devices)
    found = []
    for row, (network, kind, tier, group) in enumerate(
        zip(devices.network.tolist(), devices.kind.tolist(), devices.tier.tolist(), devices.group.tolist(), strict=True)
    ):
        if network < 0 or tier == 0:
            found.append(fabric.groups[group])
            continue
        words = [f"{word}{column[row] + 1}" for (_, word), column in zip(_PARTS, columns, strict=True)
                 if column[row] >= 0]  # fmt: skip
        found.append("/".join((f"{networks[network]}:{KINDS[kind]}", *words, *([board[row]] if board[row] else []))))
    return found


def places_of(fabric: Fabric) -> list[str]:
    """Return what each device is in the design, (devices,): its name if it came from a file, else its place.

    Hosts are counted within their group, switches within their kind, plane, scalable unit and rail, in the order of
    their indices; so growth of one unit changes no place in another.
    """
    brought = fabric.devices.name if any(network.family == "file" for network in fabric.networks) else None
    given = brought.tolist() if brought is not None else [""] * len(fabric.devices)
    heads = heads_of(fabric)
    order = np.lexsort((np.arange(len(heads)), fabric.devices.index))
    found, count = list(heads), Counter[str]()
    for row in order.tolist():
        count[heads[row]] += 1
        found[row] = f"={given[row]}" if given[row] else f"{heads[row]}#{count[heads[row]]}"
    return found


def matched(lock: Lock, fabric: Fabric) -> I4:
    """Return which locked device each device is, (devices,), -1 for new ones.

    Devices are those of the same place. A host group or a network that is gone is taken for renamed where one of the
    same types is new; switches of a network whose tiers are all divided in another way are taken in their order.
    """
    places = places_of(fabric)
    alive = np.flatnonzero(lock.devices.state != GONE).tolist()
    known = {lock.devices.place[row]: row for row in alive}
    renamed = renamings(lock, fabric, places)
    found = np.array([known.get(_renaming(place, renamed), -1) for place in places], np.int32)
    _in_order(lock, alive, places, found)
    return found


def renamings(lock: Lock, fabric: Fabric, places: Sequence[str]) -> dict[str, str]:
    """Return old names of host groups and, with a colon, of networks that bear a new one, by the new one."""
    state = (lock.devices.state == GONE).tolist()
    before = list(zip(lock.devices.place, lock.devices.type, strict=True))
    types = [fabric.types[row] for row in fabric.devices.type.tolist()]
    retired = {_owner(place) for (place, _), gone in zip(before, state, strict=True) if gone}
    old = _signatures([pair for pair, gone in zip(before, state, strict=True) if not gone])
    new = _signatures(list(zip(places, types, strict=True)))
    lost = [owner for owner in old if owner not in new]
    found = {}
    for owner, kinds in new.items():
        alike = [other for other in lost if old[other] == kinds and other.endswith(":") == owner.endswith(":")]
        if alike and owner not in old and owner not in retired:
            found[owner] = alike[0]
            lost.remove(alike[0])
    return found


def _owner(place: str) -> str:
    """Return the host group or, with a colon, the network that a place belongs to."""
    if place.startswith("="):
        return "="
    head = place.partition("#")[0]
    network, colon, _ = head.partition(":")
    return f"{network}{colon}"


def _renaming(place: str, renamed: Mapping[str, str]) -> str:
    owner = _owner(place)
    return f"{renamed[owner]}{place[len(owner) :]}" if owner in renamed else place


def _signatures(pairs: Sequence[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """Return the types of each host group or network."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for head, kind in dict.fromkeys((place.partition("#")[0], kind) for place, kind in pairs):
        found[_owner(head)].add(f"{_level(head)} {kind}")
    return {owner: frozenset(types) for owner, types in found.items()}


def _level(place: str) -> str:
    """Return the kind of switch, empty for hosts."""
    return place.partition(":")[2].partition("/")[0].partition("#")[0] if ":" in place else ""


def _in_order(lock: Lock, alive: Sequence[int], places: Sequence[str], found: I4) -> None:
    """Match switches in their order where no place of their network and kind is what it was."""
    new: defaultdict[str, list[int]] = defaultdict(list)
    for row, place in enumerate(places):
        if ":" in place and not place.startswith("="):
            new[f"{_owner(place)}{_level(place)}"].append(row)
    taken = set(found[found >= 0].tolist())
    old: defaultdict[str, list[int]] = defaultdict(list)
    for row in alive:
        if ":" in lock.devices.place[row]:
            old[f"{_owner(lock.devices.place[row])}{_level(lock.devices.place[row])}"].append(row)
    for level, rows in new.items():
        was = old.get(level, [])
        if was and not taken.intersection(was) and (found[rows] < 0).all():
            for row, other in zip(rows, was, strict=False):
                found[row] = other
