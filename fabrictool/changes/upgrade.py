"""An upgrade of all switches in waves, with what the network's own routing makes of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fabrictool.changes.domains import HOST, pod_of
from fabrictool.changes.ranking import Loss, Losses, loss_of
from fabrictool.changes.waves import Plan, Shares, Unit, plan_waves
from fabrictool.fabric import Fabric
from fabrictool.fabric.tables import I4
from fabrictool.records import Domain, Finding

NAMED = 4


@dataclass(frozen=True, slots=True)
class Wave:
    """Switches that go out together.

    Parameters
    ----------
    devices : tuple of str
    stops : str
        The hosts that stop, in words, such as ``SU 1``; empty for none.
    hosts_stopped : int
    stays : float
        Share of running hosts times their smallest share of path capacity.
    loss : Loss
        What it costs under the network's routing.
    pairs_cut : int
        Ordered pairs of endpoints of running hosts that the routing no longer joins.
    """

    devices: tuple[str, ...]
    stops: str
    hosts_stopped: int
    stays: float
    loss: Loss
    pairs_cut: int

    def to_dict(self) -> dict[str, Any]:
        """Return the object in the JSON output."""
        return {
            "devices": list(self.devices),
            "stops": self.stops or None,
            "hosts_stopped": self.hosts_stopped,
            "stays": self.stays,
            "all_reduce_lost": self.loss.all_reduce_lost,
            "all_to_all_lost": self.loss.all_to_all_lost,
            "pairs_cut": self.pairs_cut,
        }


@dataclass(frozen=True, slots=True)
class Upgrade:
    """All waves, the share to keep, and a lower bound of how many waves there must be."""

    keep: float
    waves: tuple[Wave, ...]
    fewest: int
    below: tuple[tuple[str, float], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the object in the JSON output."""
        return {"keep": self.keep, "fewest": self.fewest, "waves": [wave.to_dict() for wave in self.waves]}


def upgrade(losses: Losses, keep: float) -> Upgrade:
    """Return the waves of an upgrade of all switches of a network.

    Parameters
    ----------
    losses : Losses
        Of the network as it is.
    keep : float
        Share that must stay.
    """
    wiring = losses.before.wiring
    plan = plan_waves(Shares(wiring), keep)
    fabric, pod = wiring.fabric, pod_of(wiring.fabric, wiring.network)
    below = tuple((_named(fabric, unit, pod), left) for unit, left in plan.below)
    return Upgrade(keep, tuple(_waves(losses, plan, pod)), plan.fewest, below)


def _waves(losses: Losses, plan: Plan, pod: I4) -> Iterator[Wave]:
    fabric, before = losses.before.wiring.fabric, losses.before
    joined = before.pairs == before.capacity.endpoints * (before.capacity.endpoints - 1)
    for units, stays in zip(plan.waves, plan.stays, strict=True):
        devices = tuple(sorted(row for unit in units for row in unit.devices))
        hosts = {row for unit in units for row in unit.hosts}
        domain = Domain("wave", "", devices)
        after = losses.after(domain)
        running = after.capacity.endpoints
        yield Wave(
            tuple(fabric.names[row] for row in devices),
            _listed([_named(fabric, unit, pod) for unit in units if unit.hosts], "; "),
            len(hosts),
            stays,
            loss_of(before, after, domain),
            running * (running - 1) - after.pairs if joined else 0,
        )


def _named(fabric: Fabric, unit: Unit, pod: I4) -> str:
    """Return the scalable unit or pod whose hosts all stop, else the switches."""
    number = int(pod[unit.hosts[0]]) if unit.hosts else -1
    inside = np.flatnonzero((pod == number) & (fabric.devices.kind == HOST))
    if number >= 0 and inside.tolist() == sorted(unit.hosts):
        return f"SU {number + 1}"
    return _listed([fabric.names[row] for row in unit.devices], ", ")


def _listed(names: list[str], between: str) -> str:
    return between.join(names) if len(names) <= NAMED else f"{names[0]} … {names[-1]}"


def upgrade_findings(network: str, found: Upgrade) -> Iterator[Finding]:
    """Yield what an upgrade in waves costs beyond what is to be kept."""
    where = f"network {network}"
    if found.below:
        name, left = min(found.below, key=lambda row: row[1])
        what = (
            f"{len(found.below):,} alone leave less than the {100 * found.keep:g} % to keep: {name} {100 * left:.3g} %"
        )
        yield Finding("wave-below-keep", "warning", where, what, "lower --keep, or accept it while these are out")
    stopping = [wave for wave in found.waves if wave.hosts_stopped]
    if stopping:
        hosts = sum(wave.hosts_stopped for wave in stopping)
        what = f"{len(stopping)} of {len(found.waves)} waves stop hosts, {hosts:,} in all, each once"
        yield Finding(
            "wave-stops-hosts", "warning", where, what, "drain their jobs first, or attach hosts to two leaves"
        )
    yield from _routed(where, found)


def _routed(where: str, found: Upgrade) -> Iterator[Finding]:
    """Yield where the network's own routing does worse than the paths that are left."""
    cut = [wave for wave in found.waves if wave.pairs_cut]
    if cut:
        what = f"in {len(cut)} waves the routing leaves running hosts apart: {cut[0].pairs_cut:,} ordered pairs"
        yield Finding("wave-parts-hosts", "error", where, what, "re-route before the wave, or use adaptive routing")
    worst = max(found.waves, key=lambda wave: (wave.loss.all_to_all_lost or 0.0) - (1 - wave.stays), default=None)
    lost = (worst.loss.all_to_all_lost or 0.0) if worst else 0.0
    if worst and lost > 1 - worst.stays + 0.01:
        what = (
            f"{100 * worst.stays:.3g} % of path capacity stays, but the routing loses {100 * lost:.3g} % of all-to-all"
        )
        fix = "re-balance the tables for the wave, or use adaptive routing"
        yield Finding("wave-routing", "note", where, f"{worst.devices[0]} and others out: {what}", fix)
