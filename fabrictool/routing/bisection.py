"""Effective bisection bandwidth: what flows of random halves of the hosts get of each other.

References
----------
T. Hoefler, T. Schneider, A. Lumsdaine, "Multistage switches are not crossbars: effects of static
routing in high-performance networks", CLUSTER 2008.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from fabrictool.errors import InputError
from fabrictool.fabric.parts import joined_by_tier
from fabrictool.fabric.tables import F8, I4
from fabrictool.kernels.bisection import Matched, matching_rates
from fabrictool.kernels.flows import RouteTables, bottleneck_rates
from fabrictool.routing.flows import Flows, Routing, flows
from fabrictool.routing.modk import ModK, ranks_of
from fabrictool.routing.patterns import shuffled
from fabrictool.routing.regular import RegularTree
from fabrictool.routing.wiring import Wiring

#: From senders and receivers, (matchings, flows) each, to the mean rate of each matching.
Rates = Callable[[I4, I4], F8]


@dataclass(frozen=True, slots=True)
class EffectiveBisection:
    """Mean rate of flows over matchings, in units of a host's speed.

    Parameters
    ----------
    mean : float
    error : float
        Its standard error over matchings; 0 for a single one.
    trials : int
        Number of matchings.
    """

    mean: float
    error: float
    trials: int

    @property
    def low(self) -> float:
        """Lower end of the interval that holds the mean of all matchings with 95 % confidence."""
        return self.mean - self._reach

    @property
    def high(self) -> float:
        """Upper end of that interval."""
        return self.mean + self._reach

    @property
    def _reach(self) -> float:
        from scipy.special import stdtrit

        return float(stdtrit(self.trials - 1, 0.975)) * self.error if self.trials > 1 else 0.0

    def to_dict(self) -> dict[str, float]:
        """Return the object in the JSON output."""
        return {"mean": self.mean, "low": self.low, "high": self.high, "trials": self.trials}


def effective_bisection(routing: Routing, trials: int, seed: int = 0, among: I4 | None = None) -> EffectiveBisection:
    """Return the effective bisection bandwidth over random one-way matchings of halves of the hosts.

    A flow gets 1 / (largest load on its path), never more than 1, and 0 without a way. Hosts that no
    link of the healthy network joins, such as those of different rails, are never paired.

    Parameters
    ----------
    routing : Routing
    trials : int
        Number of matchings.
    seed : int
    among : (ranks,) int32, optional
        Hosts that take part; by default all.

    Raises
    ------
    InputError
        If there are fewer than 2 hosts, or no trials.
    """
    run, part = rates_of(routing), healthy_parts(routing.wiring)
    if among is None or len(among) == routing.wiring.hosts:
        return _drawn(run, routing.wiring.hosts, trials, seed, part)
    chosen = among
    part = None if part is None else part[chosen]
    return _drawn(lambda source, target: run(chosen[source], chosen[target]), len(chosen), trials, seed, part)


def matched_bisection(routing: Routing, groups: Iterable[Flows]) -> EffectiveBisection:
    """Return the effective bisection bandwidth over listed matchings, each of equal weight."""
    weight = _weights(routing.wiring)
    return _summary(np.array([_mean_rate(routing, group, weight) for group in groups]))


def lane_bisection(
    tables: RouteTables, tree: RegularTree | None, speed_bps: F8, trials: int, seed: int, part: I4 | None = None
) -> EffectiveBisection:
    """Return the effective bisection bandwidth of ranks with one port each, where scale-up domains never limit.

    Parameters
    ----------
    tables : RouteTables
    tree : RegularTree or None
        Its regularity, if proven.
    speed_bps : (channels,) float64
    trials : int
    seed : int
    part : (ranks,) int32, optional
        Ranks with different numbers cannot reach each other and are never paired.
    """
    run = _by_residue(tables, tree) if tree is not None else _by_walk(tables, speed_bps)
    return _drawn(run, len(tables.leaf), trials, seed, part)


def rates_of(routing: Routing) -> Rates:
    """Return how the rates of matchings, in which each host sends or receives once, are found for a routing."""
    if not isinstance(routing, ModK) or len(routing.lanes) > 1:
        return _by_usage(routing)
    wiring = routing.wiring
    tables = ranks_of(routing.lanes[0], np.arange(wiring.hosts))
    tree = routing.whole[0]
    run = _by_residue(tables, tree) if tree is not None else _by_walk(tables, wiring.channels.speed_bps)
    if routing.name == "s-mod-k":  # the ways of D-mod-k, walked from the other end
        return lambda source, target: run(target, source)
    return run


def _drawn(run: Rates, hosts: int, trials: int, seed: int, part: I4 | None) -> EffectiveBisection:
    """Return the summary of random matchings."""
    if hosts < 2 or trials < 1:
        what = f"{trials} random matchings of {hosts} hosts"
        raise InputError(f"{what} have no bisection", "use 2 hosts and 1 matching or more")
    rates = []
    for drawn in shuffled(hosts, trials, seed):
        order = drawn if part is None else np.array([_paired_inside(line, part) for line in drawn])
        half = order.shape[1] // 2
        rates.append(run(order[:, :half], order[:, half : 2 * half]))
    return _summary(np.concatenate(rates))


def _summary(rates: F8) -> EffectiveBisection:
    trials = len(rates)
    error = float(np.std(rates, ddof=1) / np.sqrt(trials)) if trials > 1 else 0.0
    return EffectiveBisection(float(np.mean(rates)), error, trials)


def _by_residue(tables: RouteTables, tree: RegularTree) -> Rates:
    """Count by parts and residues of a regular tree; host links carry one flow each and never limit."""
    shared = [level.inside.max(initial=0) > 1 for level in tree.coded.levels]
    ranks = np.arange(len(tables.leaf))
    regular = Matched(
        tree.coded.code,
        tree.coded.size,
        tree.up_seconds / tree.host_seconds,
        np.array(shared, bool) | (tree.up_seconds > tree.host_seconds),
        np.where(tables.scale_up >= 0, tables.domain, -1 - ranks).astype(np.int32),
    )

    def run(source: I4, target: I4) -> F8:
        mean = np.empty(len(source))
        matching_rates(4.0 * source.size)(regular, source, target, mean)
        return mean

    return run


def _by_walk(tables: RouteTables, speed_bps: F8) -> Rates:
    """Walk each flow's path, channel by channel."""
    up = tables.port_channel[tables.port_channel >= 0]
    weight = _slowness(speed_bps, float(speed_bps[up].max(initial=0.0)))
    inside = tables.scale_up[tables.scale_up >= 0]
    weight[inside] = weight[inside + 1] = 0.0
    load = np.zeros(len(speed_bps))

    def run(source: I4, target: I4) -> F8:
        mean = bottleneck_rates(3.0 * source.size)
        return np.array([mean(tables, *pair, weight, load) for pair in zip(source, target, strict=True)])

    return run


def _by_usage(routing: Routing) -> Rates:
    """Ask any routing what its flows use."""
    weight = _weights(routing.wiring)

    def run(source: I4, target: I4) -> F8:
        pairs = zip(source, target, strict=True)
        return np.array([_mean_rate(routing, flows(start, end), weight) for start, end in pairs])

    return run


def _mean_rate(routing: Routing, group: Flows, weight: F8) -> float:
    """Return the mean over flows of 1 / (largest load on any channel that a flow uses)."""
    used = routing.usage(group)
    load = used.loads(np.ones(len(group)), len(weight)) * weight
    going = np.flatnonzero(np.diff(used.first))
    if not len(going):
        return 0.0
    worst = np.maximum.reduceat(load[used.channel], used.first[going])
    return float((1.0 / np.maximum(worst, 1.0)).sum()) / len(group)


def _weights(wiring: Wiring) -> F8:
    """Return the load that one flow means for each channel: speed of a host with all its ports over that of it."""
    up, speed = wiring.up[: wiring.hosts], wiring.channels.speed_bps
    return _slowness(speed, float(np.where(up >= 0, speed[up], 0.0).sum(axis=1).max(initial=0.0)))


def _slowness(speed_bps: F8, host_bps: float) -> F8:
    return np.divide(host_bps, speed_bps, out=np.zeros_like(speed_bps), where=speed_bps > 0)


def healthy_parts(wiring: Wiring) -> I4 | None:
    """Return what the switches of the healthy network join of the hosts, None where that is all of them."""
    label = joined_by_tier(wiring.fabric, wiring.network, through_hosts=False)[-1]
    lane = wiring.lanes[: wiring.hosts, 0]
    part: I4 = label[wiring.switch[wiring.terminals.seat[lane]]]
    return part if (part != part[:1]).any() else None


def _paired_inside(order: I4, part: I4) -> I4:
    """Return one half of the ranks, then their partners, each pair of one part."""
    by_part = order[np.argsort(part[order], kind="stable")]
    label = part[by_part]
    place = np.arange(len(by_part)) - np.searchsorted(label, label)
    size = np.bincount(label)[label]
    return np.concatenate((by_part[place < size // 2], by_part[(place >= size // 2) & (place < size // 2 * 2)]))
