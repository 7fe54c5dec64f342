"""What differs between two locks in panels, trunks, and what is patched to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np

from fabrictool.locks.changes import LockChange, recorded, state_change
from fabrictool.locks.tables import GONE, STATES, Lock


def structured_changes(old: Lock, new: Lock) -> Iterator[LockChange]:
    """Yield panels and trunks that are new, gone or elsewhere, and cables that stay and are patched otherwise."""
    yield from _changes("panel", old, new, _hangs, ("side",))
    yield from _changes("trunk", old, new, _leads, ("serial",))
    was, now = _patches(old), _patches(new)
    alive = {new.cables.id[row] for row in np.flatnonzero(new.cables.state != GONE).tolist()}
    states = dict(zip(old.cables.id, old.cables.state.tolist(), strict=True))
    for cable, before in was.items():
        after = now.get(cable, "")
        if after != before and cable in alive:
            reason = "" if after else "it goes over no panels"
            yield LockChange("cable", "repatched", cable, before, after, reason, STATES[states[cable] % GONE])


def _changes(
    thing: str, old: Lock, new: Lock, place: Callable[[Lock, int], str], keys: tuple[str, ...]
) -> Iterator[LockChange]:
    before, after = getattr(old, f"{thing}s"), getattr(new, f"{thing}s")
    was, now = (
        {table.name[row]: row for row in np.flatnonzero(table.state != GONE).tolist()} for table in (before, after)
    )
    for name, row in was.items():
        state, at = STATES[before.state[row]], now.get(name, -1)
        if at < 0:
            yield LockChange(thing, "removed", name, place(old, row), "", "nothing is patched to it", state)
            continue
        if place(old, row) != place(new, at):
            yield LockChange(thing, "moved", name, place(old, row), place(new, at), "", state)
        yield from recorded(thing, name, before, after, row, at, keys)
        yield from state_change(thing, name, state, STATES[after.state[at]])
    yield from (LockChange(thing, "added", name, "", place(new, at)) for name, at in now.items() if name not in was)


def _hangs(lock: Lock, row: int) -> str:
    unit = int(lock.panels.unit[row])
    return f"{lock.panels.rack[row]} unit {unit}" if unit else f"over {lock.panels.rack[row]}"


def _leads(lock: Lock, row: int) -> str:
    trunks = lock.trunks
    return f"{trunks.rack_a[row]} - {trunks.rack_z[row]}, {trunks.medium[row]} {trunks.length_m[row]:g} m"


def _patches(lock: Lock) -> dict[str, str]:
    """Return where each cable is patched, all its strands."""
    patches, panels, trunks = lock.patches, lock.panels.name, lock.trunks.name
    found: defaultdict[str, list[str]] = defaultdict(list)
    columns = (patches.a, patches.a_port, patches.trunk, patches.plug, patches.z, patches.z_port)
    rows = zip(patches.cable, *(column.tolist() for column in columns), strict=True)
    for cable, a, a_port, trunk, plug, z, z_port in rows:
        found[cable].append(f"{panels[a]}:{a_port} - {trunks[trunk]}:{plug} - {panels[z]}:{z_port}")
    return {cable: ", ".join(sorted(ways)) for cable, ways in found.items()}
