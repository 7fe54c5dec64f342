"""What may differ between two locks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fabrictool.locks.tables import STATES

#: Kinds of change, in the order in which they are listed; ``moved`` is whatever people must go and do something for.
THINGS = ("rack", "device", "panel", "trunk", "cable")
CHANGES = ("moved", "exchanged", "repatched", "relabelled", "removed", "added", "state", "recorded")


@dataclass(frozen=True, slots=True)
class LockChange:
    """One thing that differs.

    Parameters
    ----------
    thing : {"rack", "device", "panel", "trunk", "cable"}
    change : str
        Of ``CHANGES``: ``exchanged`` for another type of device or another cable, ``recorded`` for GUID or serial.
    name : str
        Name of the rack or device, identity of the cable.
    old, new : str
        Empty where it was not, or is not, there.
    reason : str
        Empty where the change says it all.
    state : str
        How far the thing was.
    """

    thing: str
    change: str
    name: str
    old: str
    new: str
    reason: str = ""
    state: str = "planned"

    def to_dict(self) -> dict[str, str]:
        """Return one object of ``changes`` in the JSON output."""
        return asdict(self)


def state_change(thing: str, name: str, old: str, new: str) -> Iterator[LockChange]:
    """Yield that a thing is in another state."""
    if old != new:
        yield LockChange(thing, "state", name, old, new, "", old)


def recorded(thing: str, name: str, old: Any, new: Any, row: int, at: int, keys: Sequence[str]) -> Iterator[LockChange]:
    """Yield what is recorded otherwise of a thing, by columns of its table."""
    for key in keys:
        before, after = getattr(old, key)[row], getattr(new, key)[at]
        if before != after:
            yield LockChange(thing, "recorded", name, before, after, key, STATES[old.state[row]])
