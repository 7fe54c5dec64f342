"""Upgrade waves: which switches can go out together, and how many waves an upgrade of all of them takes.

What stays in a wave is the share of hosts that run on, times the smallest share of its path capacity that
any of them keeps. Path capacity is counted upwards: a switch keeps the mean, by speed, over its uplinks of
what the parents keep, a host that over its ports of what its switches keep. It says what is there for
adaptive or re-balanced routing; what the network's own routing makes of a wave stands beside it.

A switch that some host hangs on alone stops that host: an upgrade cannot avoid it, and it is no violation.
Switches that stop the same hosts, such as the rail leaves of a scalable unit, go out together, so that a
host stops once. A switch, or such a set, that alone leaves less than is to be kept is named; it goes with
others of its sort while together they leave no less than the worst of them alone, and with what then costs
nothing more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabrictool.errors import InputError, NotSupportedError, Problem
from fabrictool.fabric.parts import is_tiered, merged
from fabrictool.fabric.tables import F8, I4
from fabrictool.routing.wiring import Wiring

EPS = 1e-9


@dataclass(frozen=True, slots=True)
class Unit:
    """Switches that go out together, and how many hosts stop with them: rows of devices, and of hosts."""

    devices: tuple[int, ...]
    hosts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Waves of units, the share that stays in each, the fewest waves there could be, and the units below ``keep``."""

    waves: tuple[tuple[Unit, ...], ...]
    stays: tuple[float, ...]
    fewest: int
    below: tuple[tuple[Unit, float], ...]


@dataclass(frozen=True)
class Shares:
    """What stays of a tree's path capacity without some of its switches.

    Raises
    ------
    NotSupportedError
        If the network is no tree.
    """

    wiring: Wiring

    def __post_init__(self) -> None:
        fabric, network = self.wiring.fabric, self.wiring.network
        if not is_tiered(fabric, network):
            facts = fabric.networks[network]
            what = f"waves are planned for trees, but in {facts.name} ({facts.family}) links join switches sideways"
            raise NotSupportedError([Problem("--waves", what, "use --drain to ask for a set of switches")])
        if not len(self.host):
            what = f"no host of {fabric.networks[network].name} has a live link, so no share of them can stay"
            raise InputError([Problem("--waves", what, "plan waves of the network without these faults")])

    @cached_property
    def _up(self) -> list[tuple[I4, I4, F8]]:
        """Live links by tier of their upper end, the top first: lower and upper device, and speed."""
        fabric = self.wiring.fabric
        live = (fabric.links.network == self.wiring.network) & ~self.wiring.faults.links.dead
        a, z = (end[live] for end in fabric.ends)
        speed, tier = self.wiring.channels.speed_bps[0 : 2 * len(fabric.links) : 2][live], fabric.devices.tier[z]
        rows = [np.flatnonzero(tier == level) for level in range(int(tier.max(initial=0)), 0, -1)]
        return [(a[row], z[row], speed[row]) for row in rows]

    @cached_property
    def host(self) -> I4:
        """Hosts with a live link, rows of devices."""
        device = np.unique(self.wiring.device[: self.wiring.hosts])
        found: I4 = device[np.isin(device, self._up[-1][0])] if self._up else device[:0]
        return found

    def of(self, out: Sequence[int]) -> F8:
        """Return what each device keeps without some switches, (devices,)."""
        devices = len(self.wiring.fabric.devices)
        keeps = np.ones(devices)
        keeps[list(out)] = 0.0
        for a, z, speed in self._up:
            whole = np.bincount(a, speed, devices)
            left = np.bincount(a, speed * keeps[z], devices)
            keeps = np.where(whole > 0, keeps * np.divide(left, whole, out=np.ones(devices), where=whole > 0), keeps)
        return keeps

    def stays(self, wave: Sequence[Unit]) -> float:
        """Return the share that stays in a wave."""
        stopped = {row for unit in wave for row in unit.hosts}
        running = self.host[~np.isin(self.host, list(stopped))]
        if not len(running):
            return 0.0
        keeps = self.of([row for unit in wave for row in unit.devices])[running]
        return len(running) / len(self.host) * float(keeps.min())


def units(shares: Shares) -> list[Unit]:
    """Return all switches of a network that bear live links, those that stop the same hosts together, these first."""
    wiring = shares.wiring
    a, z, _ = shares._up[-1]
    at_host = np.isin(a, shares.host)
    alone = _single_homed(wiring)
    label = np.arange(len(wiring.fabric.devices), dtype=np.int32)
    stopping = np.isin(np.column_stack((a, z)).astype(np.int64) @ np.array([len(label), 1]), alone) & at_host
    label = merged(label, a[stopping], z[stopping])
    live = np.unique(np.concatenate([row for tier in shares._up for row in (tier[0], tier[1])]))
    switches = live[wiring.fabric.devices.tier[live] > 0]
    found = []
    for number in np.unique(label[switches]).tolist():
        hosts = shares.host[label[shares.host] == number]
        found.append(Unit(tuple(switches[label[switches] == number].tolist()), tuple(hosts.tolist())))
    return sorted(found, key=lambda unit: (-len(unit.hosts), unit.devices))


def _single_homed(wiring: Wiring) -> I4:
    """Return pairs of a host and a switch that one of its endpoints hangs on alone: host times devices plus switch."""
    lanes = wiring.lanes[: wiring.hosts]
    live = (lanes >= 0) & (wiring.terminals.up[lanes] >= 0)
    seat = np.where(live, wiring.terminals.seat[lanes], -1)
    low = np.where(live, seat, np.iinfo(np.int32).max).min(axis=1)
    single = live.any(axis=1) & (low == seat.max(axis=1))
    pairs: I4 = wiring.device[: wiring.hosts][single].astype(np.int64) * len(wiring.fabric.devices)
    return np.unique(pairs + wiring.switch[low[single]])


def plan_waves(shares: Shares, keep: float) -> Plan:
    """Return waves that keep a share, first fit: units that stop most hosts first.

    Parameters
    ----------
    shares : Shares
    keep : float
        Above 0, below 1.

    Raises
    ------
    InputError
        If ``keep`` is out of range.
    """
    check_keep(keep)
    listed = units(shares)
    alone = {unit: shares.stays([unit]) for unit in listed}
    worst_first = sorted(listed, key=lambda unit: min(keep, alone[unit]))
    waves = min((_first_fit(order, shares, alone, keep) for order in (listed, worst_first)), key=len)
    return Plan(
        tuple(tuple(wave) for wave in waves),
        tuple(shares.stays(wave) for wave in waves),
        fewest_waves(listed, shares, alone, keep),
        tuple((unit, left) for unit, left in alone.items() if left < keep - EPS),
    )


def check_keep(keep: float) -> None:
    """Refuse a share to keep that is out of range.

    Raises
    ------
    InputError
        If it is not above 0 and below 1.
    """
    if not 0 < keep < 1:
        raise InputError([Problem("--keep", f"{keep:g} is not above 0 and below 1", "give a share such as 0.75")])


def _first_fit(order: Sequence[Unit], shares: Shares, alone: dict[Unit, float], keep: float) -> list[list[Unit]]:
    """Return waves: each unit in the first that it fits into."""
    waves: list[list[Unit]] = []
    for unit in order:
        for wave in waves:
            if fits([*wave, unit], shares, alone, keep):
                wave.append(unit)
                break
        else:
            waves.append([unit])
    return waves


def fits(wave: Sequence[Unit], shares: Shares, alone: dict[Unit, float], keep: float) -> bool:
    """Return whether units fit into one wave.

    Enough stays; or no less than without the units that alone leave enough, and these leave no less than the
    worst of the others does alone.
    """
    stays = shares.stays(wave)
    if stays >= keep - EPS:
        return True
    below = [unit for unit in wave if alone[unit] < keep - EPS]
    if not below:
        return False
    without = shares.stays(below)
    return stays >= without - EPS and without >= min(alone[unit] for unit in below) - EPS


def fewest_waves(listed: Sequence[Unit], shares: Shares, alone: dict[Unit, float], keep: float) -> int:
    """Return a lower bound of the number of waves.

    In each wave a share s of the hosts stops, and top switches go out that take a share c of its uplinks from
    every host that runs, each counted by the least that it takes from any. With (1 - s)(1 - c) >= keep both are
    at most 1 - keep, and s + c at most 2 - 2 sqrt(keep); over all waves they add up to what there is.
    """
    least = min(keep, *alone.values()) if alone else keep
    tier = shares.wiring.fabric.devices.tier
    top = max((tier[unit.devices[0]] for unit in listed), default=0)
    stopping = [len(unit.hosts) / len(shares.host) for unit in listed if unit.hosts]
    above = [
        1 - float(shares.of(unit.devices)[shares.host].max())
        for unit in listed
        if not unit.hosts and tier[unit.devices[0]] == top
    ]
    both = (sum(stopping) + sum(above)) / (2 - 2 * math.sqrt(least))
    return max(_fewest(stopping, 1 - least), _fewest(above, 1 - least), math.ceil(both - EPS), 1)


def _fewest(weights: Sequence[float], room: float) -> int:
    """Return the fewest bins of a size that weights could take: by their sum, and by how many small ones fit."""
    if not weights or room <= 0:
        return min(len(weights), 1)
    fit = int(np.searchsorted(np.cumsum(sorted(weights)), room + EPS, side="right"))
    return max(math.ceil(sum(weights) / room - EPS), math.ceil(len(weights) / max(fit, 1)))
