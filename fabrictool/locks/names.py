"""Names of devices that a lock keeps, and new ones after them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fabrictool.fabric.naming import device_names
from fabrictool.fabric.tables import I4, KINDS, Fabric
from fabrictool.locks.places import matched, places_of, renamings
from fabrictool.locks.tables import GONE, Lock, NamedGroups


def group_keys(fabric: Fabric) -> list[tuple[str, str]]:
    """Return network and kind of each group of devices, or an empty word and the host group, (groups,)."""
    found = [("", title) for title in fabric.groups]
    devices = fabric.devices
    _, first = np.unique(devices.group, return_index=True)
    for row in first.tolist():
        network, group = int(devices.network[row]), int(devices.group[row])
        if network >= 0 and devices.tier[row] > 0:
            found[group] = (fabric.networks[network].name, KINDS[devices.kind[row]])
    return found


def titles_of(lock: Lock | None, fabric: Fabric) -> list[tuple[str, int]]:
    """Return what stands before the index in names of each group of devices, and the digits of the index, (groups,).

    Both are those that the lock names; a kind that is new does not take the title of another.
    """
    natural = list(zip(fabric.groups, fabric.widths, strict=True))
    if lock is None:
        return natural
    renamed = renamings(lock, fabric, places_of(fabric))
    taken = lock.groups.numbered()
    titles = {title for title, _ in taken.values()}
    found = []
    for (network, kind), (title, digits) in zip(group_keys(fabric), natural, strict=True):
        old = (renamed.get(f"{network}:", f"{network}:")[:-1], kind) if network else ("", renamed.get(kind, kind))
        own = taken.get((network, kind)) or taken.get(old)
        found.append(own or (f"{network or 'new'}-{kind}" if title in titles else title, digits))
    return found


def with_names(lock: Lock, fabric: Fabric) -> Fabric:
    """Return a fabric whose devices bear the names that they had; new ones get names that no device ever had.

    Indices have the digits that they had, even where there are more devices now.
    """
    of = matched(lock, fabric)
    titles, widths = zip(*titles_of(lock, fabric), strict=True)
    naming = {title: fabric.naming[old] for title, old in zip(titles, fabric.groups, strict=True)
              if old in fabric.naming}  # fmt: skip
    counted = replace(fabric, groups=titles, widths=widths, naming=naming)
    names = device_names(counted)
    locked = lock.devices.name
    for row, known in enumerate(of.tolist()):
        if known >= 0:
            names[row] = locked[known]
    _name_new(lock, counted, of, names)
    return replace(fabric, devices=replace(fabric.devices, name=np.array(names, dtype=np.str_)), widths=widths)


def _name_new(lock: Lock, fabric: Fabric, of: I4, names: list[str]) -> None:
    """Name new devices: as ever where that name was never given, else by the next index that was not."""
    taken, devices = set(lock.devices.name), fabric.devices
    chosen: dict[tuple[int, int], int] = {}
    following: dict[int, int] = {}
    for row in np.flatnonzero(of < 0).tolist():
        group, chassis = int(devices.group[row]), -1 if devices.chassis is None else int(devices.chassis[row])
        box = (group, chassis if chassis >= 0 else -2 - row)
        name = _named(fabric, row, chosen[box]) if box in chosen else names[row]
        while name in taken:
            index = following.get(group, int(devices.index[devices.group == group].max()) + 1)
            following[group], chosen[box] = index + 1, index
            name = _named(fabric, row, index)
        taken.add(name)
        names[row] = name


def _named(fabric: Fabric, row: int, index: int) -> str:
    """Return the name of a device, were its index another; behind that of a template without an index it stands."""
    devices = fabric.devices
    columns = {key: value[row : row + 1] for key, value in devices.columns().items()}
    one = replace(fabric, devices=replace(devices, **columns))
    name, other = (
        device_names(replace(one, devices=replace(one.devices, index=np.array([value], np.int32))))[0]
        for value in (index, int(devices.index[row]))
    )
    return name if name != other else f"{other}-{index + 1}"


def guid_names(lock: Lock) -> dict[str, str]:
    """Return names of devices by their GUIDs that people filled in, as dumps write them."""
    found: dict[str, str] = {}
    for name, guid, state in zip(lock.devices.name, lock.devices.guid, lock.devices.state.tolist(), strict=True):
        if guid and state != GONE:
            digits = guid.lower().removeprefix("0x").replace(":", "")
            found |= {f"{stem}{digits}": name for stem in ("", "0x", "S-", "H-")}
    return found


def natural_names(fabric: Fabric) -> list[str]:
    """Return what devices would be called without a lock."""
    return device_names(replace(fabric, devices=replace(fabric.devices, name=None)))


def named_groups(fabric: Fabric, before: Lock | None) -> NamedGroups:
    """Return how groups of devices are numbered, those of before first."""
    rows = before.groups.numbered() if before is not None else {}
    for key, numbered in zip(group_keys(fabric), titles_of(before, fabric), strict=True):
        rows.setdefault(key, numbered)
    return NamedGroups(
        tuple(network for network, _ in rows), tuple(group for _, group in rows),
        tuple(title for title, _ in rows.values()), tuple(digits for _, digits in rows.values()),
    )  # fmt: skip
