"""From changes to what is lost: one function for everything that asks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fabrictool.changes.capacity import Capacity, State, of_hosts, state_of
from fabrictool.fabric.faults import Faults
from fabrictool.fabric.parts import halves_cut
from fabrictool.fabric.tables import Bool
from fabrictool.layout.network import Routing as Stated
from fabrictool.routing.channels import channel_name, sending_ports
from fabrictool.routing.choose import routing_of
from fabrictool.routing.wiring import Wiring, under

#: Hot channels that are listed.
HOT = 10
#: Links of a fabric up to which the cut between halves of the hosts is counted: 0.1 s of max-flow.
MOST_CUT = 20_000


@dataclass(frozen=True, slots=True)
class HotChannel:
    """A channel between switches that is busier than before, and busier than a host link was.

    ``before`` and ``after`` are load over speed, in units of the busiest host link's before.
    """

    link: str
    sender: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Impact:
    """What changes take from a network.

    Parameters
    ----------
    network : str
    before, after : Capacity
    hosts_lost : tuple of str
        Hosts that had network and have none.
    hosts_impaired : tuple of str
        Other hosts of which GPUs or adapters lost the network.
    pairs_lost : int
        Ordered pairs of endpoints that no longer reach each other, lost endpoints included.
    hot : tuple of HotChannel
        The busiest that appear under all-to-all, the worst first.
    bisection_before, bisection_after : int or None
        Links that part the first half of the hosts from the second; None where counting them is costly.
    """

    network: str
    before: Capacity
    after: Capacity
    hosts_lost: tuple[str, ...]
    hosts_impaired: tuple[str, ...]
    pairs_lost: int
    hot: tuple[HotChannel, ...]
    bisection_before: int | None
    bisection_after: int | None

    @property
    def all_reduce_lost(self) -> float | None:
        """Share of the all-reduce bandwidth of all ranks together that is lost; None where there was none."""
        return lost_share(self.before.all_reduce_total, self.after.all_reduce_total)

    @property
    def all_to_all_lost(self) -> float | None:
        """Share of the all-to-all bandwidth of all endpoints together that is lost; None where there was none."""
        return lost_share(self.before.all_to_all_total, self.after.all_to_all_total)

    def to_dict(self) -> dict[str, Any]:
        """Return the object in the JSON output."""
        return {
            "network": self.network,
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "all_reduce_lost": self.all_reduce_lost,
            "all_to_all_lost": self.all_to_all_lost,
            "hosts_lost": list(self.hosts_lost),
            "hosts_impaired": list(self.hosts_impaired),
            "pairs_lost": self.pairs_lost,
            "hot_channels": [asdict(row) for row in self.hot],
            "bisection_links": {"before": self.bisection_before, "after": self.bisection_after},
        }


def impact_of(before: Wiring, faults: Faults, stated: Stated | None = None) -> Impact:
    """Return what faults take from a network, beyond those that it has.

    Parameters
    ----------
    before : Wiring
        The network before, perhaps with faults of its own.
    faults : Faults
        What goes down or slow.
    stated : Stated, optional
        The routing; by default the network's own default.
    """
    after = under(before, before.faults | faults)
    then, now = (state_of(routing_of(of_hosts(one), stated)) for one in (before, after))
    return impact_between(then, now)


def impact_between(before: State, after: State) -> Impact:
    """Return what one state of a network lacks against another; rows must be aligned."""
    lost, impaired = hosts_hit(before, after.alive)
    names = before.wiring.fabric.names
    return Impact(
        before.wiring.name,
        before.capacity,
        after.capacity,
        tuple(names[row] for row in lost),
        tuple(names[row] for row in impaired),
        before.pairs - after.pairs,
        _hot(before, after),
        _halves_cut(before.wiring),
        _halves_cut(after.wiring),
    )


def lost_share(before: float, after: float) -> float | None:
    """Return the share of a bandwidth that is lost, never below 0; None where there was none."""
    return max(0.0, 1.0 - after / before) if before > 0 else None


def hosts_hit(before: State, alive: Bool) -> tuple[list[int], list[int]]:
    """Return the device rows of hosts that lost the network, and of those that lost it with some endpoints only."""
    device = before.wiring.device[: before.wiring.hosts]
    hit = np.unique(device[before.alive & ~alive])
    left = np.isin(hit, device[alive])
    return hit[~left].tolist(), hit[left].tolist()


def _hot(before: State, after: State) -> tuple[HotChannel, ...]:
    fabric, up = before.wiring.fabric, before.wiring.terminals.up
    up = up[up >= 0]
    unit = float(np.concatenate((before.busy[up], before.busy[up ^ 1])).max(initial=0.0))
    if not unit:
        return ()
    then, now = before.busy / unit, after.busy / unit
    grown = np.flatnonzero((now > 1 + 1e-9) & (now > then * (1 + 1e-9)))
    worst = grown[np.lexsort((grown, -now[grown]))][:HOT]
    port = sending_ports(fabric)
    return tuple(
        HotChannel(channel_name(fabric, at), fabric.port_name(int(port[at])), float(then[at]), float(now[at]))
        for at in worst.tolist()
    )


def _halves_cut(wiring: Wiring) -> int | None:
    if len(wiring.fabric.links) > MOST_CUT:
        return None
    return halves_cut(wiring.fabric, wiring.network, wiring.faults.links.dead)
