"""Where a generator puts its rows, and what the tiers of its network say."""

from __future__ import annotations

from dataclasses import dataclass

from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.generators.rows import Ints, Rows
from fabrictool.generators.tiers import TierPlan, add_tier, ports_per_cage
from fabrictool.layout.network import Network, Tier

TIERS = ("leaf", "spine", "core", "supercore")


@dataclass(frozen=True, slots=True)
class Site:
    """The builder, the network with its name and row, latencies, a prefix of names and the plane.

    ``planes`` is the number of planes that share the counts which the layout states.
    """

    rows: Rows
    network: Network
    name: str
    row: int
    host_latency_s: float
    fabric_latency_s: float
    prefix: str = ""
    plane: int = -1
    planes: int = 1

    @property
    def path(self) -> tuple[str, ...]:
        """Path of the network in the layout."""
        return ("networks", self.name)

    def place(self, level: int) -> tuple[str, ...]:
        """Path of the tier that says what stands at a level, 1 being the leaves."""
        return next(
            ((*self.path, TIERS[at - 1]) for at in range(level, 0, -1) if getattr(self.network, TIERS[at - 1])),
            self.path,
        )

    def tier(self, level: int) -> Tier:
        """Return the tier of a level; one that is not given has the type of the one below.

        Raises
        ------
        InputError
            If not even the leaf is given.
        """
        for below in range(level, 0, -1):
            found: Tier | None = getattr(self.network, TIERS[below - 1])
            if found is not None:
                return found if below == level else Tier(type=found.type)
        raise InputError([Problem("", "the leaf's type is not given", "add 'leaf: {type: …}'", self.path)])

    def count(self, level: int) -> int | None:
        """Return the switches of a tier in one plane, if the layout states how many there are.

        Raises
        ------
        InputError
            If they do not spread over the planes.
        """
        given = self.tier(level).count
        if given is not None and given % self.planes:
            what = f"{given} switches do not spread over {self.planes} planes"
            raise InputError([Problem("", what, f"use a multiple of {self.planes}", (*self.place(level), "count"))])
        return None if given is None else given // self.planes

    def up_speed(self, level: int, host_bps: float) -> float:
        """Return the speed in bit/s of links above a level: as either tier says, else that of the links below."""
        lower = getattr(self.network, TIERS[level - 1]) if level else None
        upper = getattr(self.network, TIERS[level]) if level < len(TIERS) else None
        if lower is not None and lower.up_speed_bps is not None:
            return float(lower.up_speed_bps)
        if upper is not None and upper.down_speed_bps is not None:
            return float(upper.down_speed_bps)
        return host_bps if level < 1 else self.up_speed(level - 1, host_bps)

    def ports(self, level: int, host_bps: float) -> int:
        """Return the ports of a tier's switch when all are broken out to the speed of the links below it."""
        kind, speed = self.tier(level).type, self.up_speed(level - 1, host_bps)
        return kind.cage_count * ports_per_cage(kind, speed, TIERS[level - 1], self.place(level))

    def add(
        self, level: int, count: int, down: int, up: int, host_bps: float, pod: Ints | int = -1, rail: Ints | int = -1
    ) -> I4:
        """Add the switches of a tier, each with ``down`` and ``up`` links; return their device rows."""
        kind = TIERS[level - 1]
        speeds = (self.up_speed(level - 1, host_bps), self.up_speed(level, host_bps))
        plan = TierPlan(kind, level, self.tier(level).type, count, down, up, *speeds, self.place(level))
        return add_tier(self.rows, plan, self.row, self.prefix + kind, pod, rail, self.plane, self.planes)

    def keep_uplinks(self, level: int, count: int, host_bps: float) -> None:
        """Keep the ports up of a top tier: they lead out of the network, with no device behind."""
        if count:
            self.rows.keep_uplinks(self.row, TIERS[level - 1], count, self.up_speed(level, host_bps))
