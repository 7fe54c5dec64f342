"""Max-min fair rates: what each flow gets when all share channels fairly.

References
----------
D. Bertsekas, R. Gallager, "Data Networks", 1992, section 6.5.2: progressive filling.
"""

from __future__ import annotations

import numpy as np

from fabrictool.fabric.tables import F8
from fabrictool.kernels.rates import Sharing, fair_rates
from fabrictool.routing.flows import Usage


def max_min_rates(usage: Usage, speed_bps: F8) -> F8:
    """Return the max-min fair rate of each flow.

    No flow can be faster without another becoming slower that is no faster than it. A flow that is
    split takes its share of its rate on each channel, and all its parts rise together.

    Parameters
    ----------
    usage : Usage
    speed_bps : (channels,) float64
        In bit/s, as of ``Channels``.

    Returns
    -------
    (flows,) float64
        In bit/s; NaN for a flow without a way.
    """
    flow = np.repeat(np.arange(len(usage.hops), dtype=np.int64), np.diff(usage.first))
    channel, share = usage.channel, usage.share
    if (share <= 0).any():
        flow, channel, share = flow[share > 0], channel[share > 0], share[share > 0]
    uses = np.bincount(channel, minlength=len(speed_bps))
    alone = uses[channel] == 1
    limit = np.full(len(usage.hops), np.inf)
    np.minimum.at(limit, flow[alone], speed_bps[channel[alone]] / share[alone])
    flow, channel, share = flow[~alone], channel[~alone], share[~alone]
    shared = np.flatnonzero(uses > 1)
    place = np.zeros(len(speed_bps), np.int32)
    place[shared] = np.arange(len(shared), dtype=np.int32)
    first = np.concatenate(([0], np.cumsum(np.bincount(flow, minlength=len(limit)), dtype=np.int64)))
    whole = bool((share == 1).all())
    sharing = Sharing(first, place[channel], share, whole, limit, np.argsort(limit, kind="stable"))
    rate = np.full(len(limit), np.nan)
    fair_rates(4.0 * len(flow) + len(limit))(sharing, speed_bps[shared], rate)
    rate[np.diff(usage.first) == 0] = np.nan
    return rate
