"""UGAL as a fluid: the best fixed mix of minimal and Valiant ways for the traffic at hand.

References
----------
A. Singh, "Load-Balanced Routing in Interconnection Networks", PhD thesis, Stanford 2005: UGAL sends each packet
the way that looks lighter. In the fluid limit no fixed mix does better than the one found here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabrictool.fabric.tables import F8
from fabrictool.routing.dragonflies import Valiant, summed_usage
from fabrictool.routing.flows import Flows, Routing, Usage
from fabrictool.routing.wiring import Wiring


@dataclass(frozen=True)
class Ugal(Routing):
    """A share x of every flow goes the minimal ways, the rest by Valiant's, so that the busiest link is idlest.

    Parameters
    ----------
    name : str
    wiring : Wiring
    """

    name: str
    wiring: Wiring

    @cached_property
    def valiant(self) -> Valiant:
        """The ways by other groups; its ``minimal`` are the others."""
        return Valiant("valiant", self.wiring)

    def minimal_share(self, flows: Flows | None = None) -> float:
        """Return the share x of flows, or of all-to-all, that goes the minimal ways."""
        if flows is None:
            return self._all_to_all[2]
        return self.best(self.valiant.minimal.loads(flows), self.valiant.loads(flows))

    def best(self, minimal: F8, valiant: F8) -> float:
        """Return the x in 0 to 1 that makes the largest x minimal + (1 - x) valiant, over speed, smallest."""
        speed = self.wiring.channels.speed_bps
        per_speed = 1.0 / np.where(speed > 0, speed, speed.max(initial=1.0))
        return lowest_envelope(valiant * per_speed, minimal * per_speed)

    def usage(self, flows: Flows) -> Usage:
        """Return all channels that each flow uses with the best mix for these flows, in no order."""
        x = self.minimal_share(flows)
        parts = [(x, self.valiant.minimal.usage(flows)), (1 - x, self.valiant.usage(flows))]
        parts = [(share, used) for share, used in parts if share > 0]
        flow = np.concatenate([np.repeat(np.arange(len(flows)), np.diff(used.first)) for _, used in parts])
        channel = np.concatenate([used.channel for _, used in parts])
        share = np.concatenate([part * used.share for part, used in parts])
        return summed_usage(flow, channel, share, np.max([used.hops for _, used in parts], axis=0))

    def loads(self, flows: Flows) -> F8:
        """Return the volume on each channel with the best mix for these flows, (channels,)."""
        minimal, valiant = self.valiant.minimal.loads(flows), self.valiant.loads(flows)
        x = self.best(minimal, valiant)
        return x * minimal + (1 - x) * valiant

    def all_to_all(self) -> tuple[F8, dict[int, float]]:
        """Return loads with the best mix when every host sends to every other, and pairs by links, by volume."""
        load, hops, _ = self._all_to_all
        return load.copy(), dict(hops)

    @cached_property
    def _all_to_all(self) -> tuple[F8, dict[int, float], float]:
        minimal, near = self.valiant.minimal.all_to_all()
        valiant, far = self.valiant.all_to_all()
        x = self.best(minimal, valiant)
        pairs = {links: x * near.get(links, 0.0) + (1 - x) * far.get(links, 0.0) for links in sorted({*near, *far})}
        return x * minimal + (1 - x) * valiant, {links: count for links, count in pairs.items() if count}, x


def lowest_envelope(at_0: F8, at_1: F8) -> float:
    """Return where in 0 to 1 the largest of some straight lines is lowest, the rightmost such place of few.

    From the steepest falling and rising lines inwards: where both cross, a higher line takes the place of the one
    that slopes its way.

    Parameters
    ----------
    at_0, at_1 : (lines,) float64
        Values of each line at 0 and at 1.
    """
    if not len(at_0):
        return 1.0
    slope = at_1 - at_0
    falling = max(np.flatnonzero(at_0 == at_0.max()).tolist(), key=lambda line: float(slope[line]))
    rising = min(np.flatnonzero(at_1 == at_1.max()).tolist(), key=lambda line: float(slope[line]))
    if slope[rising] <= 0:
        return 1.0
    if slope[falling] >= 0:
        return 0.0
    while True:
        x = float((at_0[falling] - at_0[rising]) / (slope[rising] - slope[falling]))
        value = at_0 + x * slope
        highest = int(value.argmax())
        if value[highest] <= value[rising] * (1 + 1e-14) or slope[highest] == 0:
            return x
        falling, rising = (highest, rising) if slope[highest] < 0 else (falling, highest)
