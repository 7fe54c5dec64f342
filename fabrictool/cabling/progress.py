"""How far a turn-up is: links that are as planned, by rack and by network."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from fabrictool.cabling.board import LIT, Board
from fabrictool.formats.found import natural


@dataclass(frozen=True, slots=True)
class Count:
    """Planned links, those with a neighbour at an end, and those with the planned one."""

    planned: int
    lit: int
    right: int

    def to_dict(self) -> dict[str, int]:
        """Return the object in the JSON output."""
        return {"planned": self.planned, "lit": self.lit, "as_expected": self.right}


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts by network and by rack; a link counts in the rack of each of its ends."""

    networks: dict[str, Count]
    racks: dict[str, Count]

    def to_dict(self) -> dict[str, Any]:
        """Return the object in the JSON output."""
        return {
            "networks": {name: count.to_dict() for name, count in self.networks.items()},
            "racks": {name: count.to_dict() for name, count in self.racks.items()},
        }


def progress(board: Board) -> Progress:
    """Return how far a fabric is."""
    networks: defaultdict[str, list[tuple[bool, bool]]] = defaultdict(list)
    racks: defaultdict[str, list[tuple[bool, bool]]] = defaultdict(list)
    seen, state = board.seen.tolist(), board.state.tolist()
    plan = board.plan
    for link in plan.links:
        status = (LIT in (state[link.a], state[link.z]), seen[link.a] == link.z)
        networks[plan.fabric.networks[link.network].name].append(status)
        for rack in {plan.devices[plan.ports[port].device].rack for port in (link.a, link.z)} - {""}:
            racks[rack].append(status)
    return Progress(
        *(
            {name: _count(rows) for name, rows in sorted(table.items(), key=lambda pair: natural(pair[0]))}
            for table in (networks, racks)
        )
    )


def _count(rows: list[tuple[bool, bool]]) -> Count:
    return Count(len(rows), sum(lit for lit, _ in rows), sum(right for _, right in rows))
