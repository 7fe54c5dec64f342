"""Flows that fare alike, proven for the flows at hand: one of each kind stands for all.

Flows of one number are equal in bytes, latency, weight and job, and use channels of the same numbers;
channels of one number are equally fast and carry the same shares of the flows of each number. If one flow
of a number gets a rate, nothing tells it from the others: max-min rates are unique, so all get it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fabrictool.fabric.tables import F8, I4
from fabrictool.kernels import symmetry as kernels
from fabrictool.routing.flows import Usage

if TYPE_CHECKING:
    from fabrictool.collectives.underway import Running

#: Uses of channels from which looking for kinds pays, and most kinds of flows and of channels.
FROM_USES, MOST_KINDS = 20_000, 1024
#: Rounds of looking, and some more where these do not suffice.
ROUNDS = (2, 3, 5)


def one_of_each(flows: Running, speed: F8) -> tuple[Running, F8, I4] | None:
    """Return flows of which one of each kind stands for all; None if they differ too much or nothing is proven.

    Parameters
    ----------
    flows : Running
        At the beginning; none waits for others.
    speed : (channels,) float64
        0 for channels that no flow uses is allowed.

    Returns
    -------
    tuple of Running, (kinds,) float64 and (channels,) int32, or None
        The flows, the speed of each kind of channel, and the kind of each channel.
    """
    usage = flows.usage
    if len(usage.channel) < FROM_USES or len(flows.later):
        return None
    words = _words(flows.nbytes) * np.uint64(5) + _words(flows.latency_s) * np.uint64(7) + _words(flows.weight)
    of_channel, share = _words(speed).copy(), _words(usage.share)  # numbers of channels are made in place
    flow, at = np.empty(len(words), np.int32), np.empty(len(speed), np.int32)
    for rounds in ROUNDS:
        kernels.fingerprints.compiled(usage.first, usage.channel, share, words, of_channel, rounds)
        kinds = kernels.numbered.compiled(words, MOST_KINDS, flow)
        channels = kernels.numbered.compiled(of_channel, MOST_KINDS, at)
        if min(kinds, channels) < 0:
            return None
        sums, used = np.zeros((channels, kinds)), np.zeros((kinds, channels), bool)
        if kernels.are_alike.compiled(usage.first, usage.channel, usage.share, flow, at, sums, used):
            break
    else:
        return None
    some, one = _firsts(flow, kinds), _firsts(at, channels)
    if not (_equal(flows, flow, some) and (speed == speed[one][at]).all()):
        return None
    kind, channel = np.nonzero(used)
    first = np.concatenate(([0], np.cumsum(np.bincount(kind, minlength=kinds), dtype=np.int64)))
    part = Usage(first, channel.astype(np.int32), sums[channel, kind], usage.hops[some])
    chosen = replace(
        flows, usage=part, nbytes=flows.nbytes[some], latency_s=flows.latency_s[some], weight=flows.weight[some]
    )
    chosen.begin(0.0)
    return chosen, speed[one], at


def _words(value: F8) -> np.ndarray:
    return np.ascontiguousarray(value, np.float64).view(np.uint64)


def _firsts(number: I4, kinds: int) -> np.ndarray:
    """Return the first row of each number."""
    found = np.full(kinds, len(number), np.int64)
    np.minimum.at(found, number, np.arange(len(number)))
    return found


def _equal(flows: Running, flow: I4, some: np.ndarray) -> bool:
    """Return whether flows of a number are equal themselves."""
    return all(bool((each == each[some][flow]).all()) for each in (flows.nbytes, flows.latency_s, flows.weight))
