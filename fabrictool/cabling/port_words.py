"""What a port's name says: cage and leg of a switch's port, or the PCI address behind a host's."""

from __future__ import annotations

import re

from fabrictool.formats.found import natural

#: Names with a cage and a leg, and the first number of cages and legs; the first group is what the cage is called.
_CAGED = (
    (re.compile(r"^(swp(\d+))s(\d+)$"), 1, 0),
    (re.compile(r"^(sw(\d+))p(\d+)$"), 1, 1),
    (re.compile(r"^(IB\d+/(\d+))/(\d+)$", re.IGNORECASE), 1, 1),
    (re.compile(r"^(E(?:th(?:ernet)?)?(\d+))/(\d+)$", re.IGNORECASE), 1, 1),
    (re.compile(r"^(E(?:th(?:ernet)?)?\d+/(\d+))/(\d+)$", re.IGNORECASE), 1, 1),
    (re.compile(r"^(ethernet-\d+/(\d+))/(\d+)$"), 1, 1),
    (re.compile(r"^(et-\d+/\d+/(\d+)):(\d+)$"), 0, 0),
    (re.compile(r"^((\d+))/(\d+)$"), 1, 1),
)
_WHOLE = re.compile(r"^(swp(\d+))$")
_PCI = re.compile(r"^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$", re.IGNORECASE)
_NETDEV = re.compile(r"^(?:en|ib)(?:P(\d+))?p(\d+)s(\d+)(?:f(\d+))?(?:n?p\d+)?(?:np\d+)?$")


def cage_and_leg(word: str) -> tuple[int, int, str] | None:
    """Return cage and leg, counted from 0, and what the cage is called; None if there is none."""
    for pattern, cages, legs in _CAGED:
        match = pattern.match(word)
        if match and len(match[2]) < 6 and len(match[3]) < 4:
            return max(int(match[2]) - cages, 0), max(int(match[3]) - legs, 0), match[1]
    match = _WHOLE.match(word)
    return (max(int(match[2]) - 1, 0), 0, match[1]) if match and len(match[2]) < 6 else None


def order_key(word: str) -> tuple[object, ...]:
    """Return what sorts a host's ports: PCI addresses where names hold them, else the natural order of names."""
    match = _PCI.match(word)
    if match:
        return (0, *(int(part or "0", 16) for part in match.groups()), ())
    match = _NETDEV.match(word)
    if match:
        return (0, *(int(part or 0) for part in match.groups()), ())
    return (1, 0, 0, 0, 0, natural(word))
