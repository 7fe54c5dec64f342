"""The one way to wire tiers: switches of a tier in blocks, and full meshes between groups of two tiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fabrictool.catalogue.types import SwitchType
from fabrictool.errors import InputError, NotSupportedError, Problem
from fabrictool.fabric.tables import I4
from fabrictool.generators.rows import Ints, PortPattern, Rows

#: A cage has at most eight lanes, so it is broken out to at most eight ports, however slow they are.
MOST_PER_CAGE = 8


@dataclass(frozen=True, slots=True)
class TierPlan:
    """Switches of one tier: how many, and how each one's ports are used.

    ``down`` ports at ``down_bps`` come first, then ``up`` ports at ``up_bps``; what is left of the
    switch stays free at ``down_bps``.
    """

    kind: str
    tier: int
    type: SwitchType
    count: int
    down: int
    up: int
    down_bps: float
    up_bps: float
    path: tuple[str | int, ...]

    def pattern(self) -> PortPattern:
        """Return the ports of one switch.

        Raises
        ------
        InputError
            If the switch has too few cages, or none fast enough.
        """
        down_each = ports_per_cage(self.type, self.down_bps, self.kind, self.path)
        if self.up and (self.type.uplink_speed_bps or 0) >= self.up_bps > self.type.cage_speed_bps:
            return self._with_uplink_cages(down_each)
        up_each = ports_per_cage(self.type, self.up_bps, self.kind, self.path)
        if self.down_bps == self.up_bps:
            return self._one_speed(down_each)
        down_cages, up_cages = -(-self.down // down_each), -(-self.up // up_each)
        spare = self.type.cage_count - down_cages - up_cages
        if spare < 0:
            raise InputError([self._too_few(down_cages + up_cages, self.type.cage_count, "cages")])
        cage = np.concatenate(
            (
                np.arange(self.down) // down_each,
                down_cages + np.arange(self.up) // up_each,
                down_cages + up_cages + np.arange(spare * down_each) // down_each,
            )
        )
        speed = np.repeat([self.down_bps, self.up_bps, self.down_bps], [self.down, self.up, spare * down_each])
        return PortPattern(np.arange(1, len(cage) + 1), cage, speed)

    def _with_uplink_cages(self, per_cage: int) -> PortPattern:
        """Return ports of which those up have the uplink cages that stand beside the others, one each."""
        ports, cages = per_cage * self.type.cage_count, self.type.uplink_cages or 0
        if self.down > ports:
            raise InputError([self._too_few(self.down, ports, "ports")])
        if self.up > cages:
            raise InputError([self._too_few(self.up, cages, "uplink cages")])
        data = np.arange(ports) // per_cage
        cage = np.concatenate((data[: self.down], self.type.cage_count + np.arange(self.up), data[self.down :]))
        speed = np.repeat([self.down_bps, self.up_bps, self.down_bps], [self.down, self.up, ports - self.down])
        return PortPattern(np.arange(1, len(cage) + 1), cage, speed)

    def _one_speed(self, per_cage: int) -> PortPattern:
        ports = per_cage * self.type.cage_count
        if self.down + self.up > ports:
            raise InputError([self._too_few(self.down + self.up, ports, "ports")])
        numbers = np.arange(1, ports + 1)
        return PortPattern(numbers, (numbers - 1) // per_cage, np.full(ports, self.down_bps))

    def _too_few(self, need: int, have: int, unit: str) -> Problem:
        what = (
            f"a {self.kind} needs {need} {unit} for {self.down} links down and {self.up} up, "
            f"but {self.type.name} has {have} {unit}"
        )
        fix = "lower hosts_per_leaf or the number of uplinks, raise oversubscription, or choose a larger switch"
        return Problem("", what, fix, self.path)


def ports_per_cage(switch: SwitchType, speed_bps: float, kind: str, path: tuple[str | int, ...]) -> int:
    """Return how many ports of a speed one cage is broken out to.

    Raises
    ------
    InputError
        If a cage is slower than the port.
    """
    each = int(switch.cage_speed_bps / speed_bps * (1 + 1e-9))
    if each < 1:
        what = (
            f"a {kind} port of {speed_bps / 1e9:g}G does not fit {switch.name}, "
            f"whose cages carry {switch.cage_speed_bps / 1e9:g}G"
        )
        raise InputError([Problem("", what, "choose a faster switch or a lower speed", path)])
    return min(each, MOST_PER_CAGE)


def add_tier(
    rows: Rows,
    plan: TierPlan,
    network: int,
    group: str,
    pod: Ints | int = -1,
    rail: Ints | int = -1,
    plane: int = -1,
    planes: int = 1,
) -> I4:
    """Add the switches of a tier; return their device rows.

    Switches of one place in all planes are counted one after another, so that growing a plane renames
    no switch of another.

    Raises
    ------
    NotSupportedError
        If they are directors: these are no one tier.
    """
    refuse_director(plan.type, plan.path)
    index = np.arange(plan.count) * planes + plane if plane >= 0 else None
    return rows.add_devices(
        plan.count,
        plan.kind,
        plan.tier,
        plan.type.name,
        group,
        plan.pattern(),
        plan.type.latency_s or 0.0,
        network,
        pod,
        rail,
        plane,
        index,
    )


def refuse_director(switch: SwitchType, path: tuple[str | int, ...]) -> None:
    """Refuse a director where one switch is wanted.

    Raises
    ------
    NotSupportedError
        If the type is one.
    """
    if switch.director is not None:
        what = f"{switch.name} is a director of leaf and spine chips, which stands at the top of a tree alone"
        fix = "use it as the leaf of a fat-tree without spines, or as the top tier over other leaves"
        raise NotSupportedError([Problem("", what, fix, path)])


def mesh_ends(
    lower: I4,
    upper: I4,
    parallel: int,
    first_up: int,
    order: Literal["interleaved", "blocked"] = "interleaved",
    first_down: int = 1,
) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
    """Wire groups of two tiers as full meshes with parallel links.

    Parameters
    ----------
    lower : (groups, children) int
        Device rows; -1 where a group is not full.
    upper : (groups, parents) int
        Device rows.
    parallel : int
        Links between each child and parent.
    first_up, first_down : int
        Port numbers at which the links start, at the child and at the parent.
    order : {"interleaved", "blocked"}
        Up port q goes to parent q mod parents (interleaved, as in a PGFT) or q div parallel.

    Returns
    -------
    tuple
        Lower and upper ends as (device rows, port numbers), in order of child and up port.

    References
    ----------
    E. Zahavi, "D-Mod-K routing providing non-blocking traffic for shift permutations on real life
    fat trees", 2010: up port q of a child leads to parent q mod w by cable q div w.
    """
    groups, children = lower.shape
    parents = upper.shape[1]
    q = np.arange(parents * parallel)
    parent, cable = (q % parents, q // parents) if order == "interleaved" else (q // parallel, q % parallel)
    shape = (groups, children, parents * parallel)
    a_device = np.broadcast_to(lower[:, :, None], shape)
    a_number = np.broadcast_to(first_up + q, shape)
    z_device = np.broadcast_to(upper[:, None, parent], shape)
    down = first_down + np.arange(children)[:, None] * parallel + cable[None, :]
    z_number = np.broadcast_to(down, shape)
    if (lower < 0).any():
        real = np.broadcast_to(lower[:, :, None] >= 0, shape)
        return (a_device[real], a_number[real]), (z_device[real], z_number[real])
    return (a_device.ravel(), a_number.ravel()), (z_device.ravel(), z_number.ravel())


def upper_count(lower: int, uplinks: int, ports: int) -> int | None:
    """Return how many upper switches a mesh takes: the next divisor of the uplinks, not the quotient.

    Parameters
    ----------
    lower : int
        Switches below, each with ``uplinks`` links up.
    ports : int
        Ports of an upper switch that may be used downwards.

    Returns
    -------
    int or None
        Smallest divisor of ``uplinks`` that is at least lower x uplinks / ports, so that every
        lower switch reaches every upper one by equally many links; None if there is none.
    """
    need = -(-lower * uplinks // ports)
    return next((n for n in range(max(need, 1), uplinks + 1) if uplinks % n == 0), None)
