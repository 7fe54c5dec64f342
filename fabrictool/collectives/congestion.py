"""How busy links are when every GPU talks to every other, and what random halves get of each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrictool.collectives.transport import Transport
from fabrictool.records import Finding
from fabrictool.routing.channels import channel_name
from fabrictool.routing.dependencies import credit_loops

TRIALS = 20
HOT_LINKS = 10
#: Entries of forwarding tables up to which credit loops are looked for.
MOST_ENTRIES = 2_000_000


@dataclass(frozen=True, slots=True)
class Congestion:
    """What a network's links carry when every GPU talks to every other outside its domain.

    ``max_link_load`` is load over speed of the busiest link in units of the busiest host link's: 1.0
    means that the host links limit. ``effective_bisection`` is the mean share of the host speed that
    flows of random bisections get, with its standard error. ``credit_loops`` is None where it is not counted.
    """

    routing: str
    pattern: str
    max_link_load: float
    effective_bisection: float
    effective_bisection_error: float
    hot_links: tuple[tuple[str, float], ...]
    credit_loops: int | None

    def to_dict(self) -> dict[str, object]:
        """Return the object of one network in the JSON output."""
        return {
            "routing": self.routing,
            "pattern": self.pattern,
            "max_link_load": self.max_link_load,
            "effective_bisection": self.effective_bisection,
            "effective_bisection_error": self.effective_bisection_error,
            "hot_links": [{"link": name, "load": load} for name, load in self.hot_links],
            "credit_loops": self.credit_loops,
        }

    def findings(self, network: str) -> list[Finding]:
        """Return an error if the routing can deadlock."""
        if not self.credit_loops:
            return []
        message = f"{self.routing} has {self.credit_loops} credit loops: channels that wait for each other in a circle"
        fix = "use up-down or ftree routing; 'fabrictool route' names the channels"
        return [Finding("credit-loop", "error", f"network {network}", message, fix)]


def congestion_of(transport: Transport, seed: int) -> Congestion:
    """Return the congestion of a network under all-to-all traffic.

    Parameters
    ----------
    transport : Transport
    seed : int
        Of the random bisections.
    """
    load, speed = transport.all_to_all_loads(), transport.channels.speed_bps
    busy = np.divide(load, speed, out=np.zeros_like(load), where=speed > 0)
    up = transport.wiring.up[transport.wiring.up >= 0]
    unit = float(busy[np.concatenate((up, up ^ 1))].max(initial=0.0))
    relative = busy / unit if unit else busy
    hot = np.flatnonzero(relative > 1 + 1e-9)
    hot = hot[np.argsort(-relative[hot], kind="stable")][:HOT_LINKS]
    alone = len(transport.alive) < 2
    mean, error = (1.0, 0.0) if alone else transport.effective_bisection(TRIALS, seed)
    return Congestion(
        transport.routing.name,
        _pattern(transport),
        float(relative.max(initial=0.0)),
        mean,
        error,
        tuple((channel_name(transport.fabric, int(at)), float(relative[at])) for at in hot),
        credit_loops(transport.routing, MOST_ENTRIES),
    )


def _pattern(transport: Transport) -> str:
    """Say who talks to whom: all, or only those that switches join."""
    if transport.joined:
        return "all-to-all"
    return "all-to-all within what is still joined" if transport.wiring.faults else "all-to-all on each rail"
