"""LogGP: what messages cost their ends. Links between switches are never shared in this model.

A message of k bytes takes ``L + 2 o + (k - 1) G``; a rank that sends or receives several in a round
starts the next after ``max(g, o, (k - 1) G)``.

References
----------
A. Alexandrov, M. Ionescu, K. Schauser, C. Scheiman, "LogGP: incorporating long messages into the LogP
model", SPAA 1995.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, I4

#: Latencies that a layout leaves open are measured from end to end and hold the overhead of both hosts.
OVERHEAD_S = 0.0
#: What NCCL reckons for posting a message to the network (src/graph/tuning.cc, ``getNetOverhead``, 2.30.7).
GAP_S = 1e-6


@dataclass(frozen=True, slots=True)
class Host:
    """What a message costs a host: ``overhead_s`` (o) at each end, and ``gap_s`` (g) from one to the next, in s."""

    overhead_s: float = OVERHEAD_S
    gap_s: float = GAP_S


@dataclass(frozen=True, slots=True)
class Paths:
    """What flows meet when they are alone: latency (L) in s and seconds per byte (G), (flows,) each."""

    latency_s: F8
    seconds_per_byte: F8


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages that start together: their ends, bytes of each for one byte of the collective, how often in a row."""

    source: I4
    target: I4
    share: F8
    repeat: float = 1


def round_times_s(sent: Messages, paths: Paths, nbytes: npt.ArrayLike, host: Host = Host()) -> F8:
    """Return how long a round takes once at each size, (sizes,).

    Parameters
    ----------
    sent : Messages
        In the order in which each rank sends and receives them.
    paths : Paths
    nbytes : (sizes,) array_like
        Sizes of the collective in B.
    host : Host
    """
    size = np.atleast_1d(np.asarray(nbytes, np.float64))
    if not len(sent.source):
        return np.zeros(len(size))
    after_first = np.maximum(np.outer(sent.share, size) - 1.0, 0.0)
    stream_s = after_first * paths.seconds_per_byte[:, None]
    alone_s = paths.latency_s[:, None] + 2 * host.overhead_s + stream_s
    busy_s = np.maximum(stream_s, max(host.gap_s, host.overhead_s))
    latest = [(_waits_s(end, busy_s) + alone_s).max(axis=0) for end in (sent.source, sent.target)]
    return np.asarray(np.maximum(*latest), np.float64)


def _waits_s(end: I4, busy_s: F8) -> F8:
    """Return how long each message waits for earlier ones at the same end, (flows, sizes)."""
    order = np.argsort(end, kind="stable")
    before = np.cumsum(busy_s[order], axis=0) - busy_s[order]
    change = np.r_[True, np.diff(end[order]) != 0]
    first = np.flatnonzero(change)[np.cumsum(change) - 1]
    waits = np.empty_like(busy_s)
    waits[order] = before - before[first]
    return waits


def times_s(
    rounds: Iterable[Messages],
    paths_of: Callable[[I4, I4], Paths],
    nbytes: npt.ArrayLike,
    host: Host = Host(),
) -> F8:
    """Return how long rounds take one after another at each size, (sizes,).

    Parameters
    ----------
    rounds : iterable of Messages
    paths_of : callable
        Paths between sources and targets, (flows,) each.
    nbytes : (sizes,) array_like
    host : Host
    """
    total = np.zeros(np.atleast_1d(np.asarray(nbytes)).shape)
    for sent in rounds:
        total += sent.repeat * round_times_s(sent, paths_of(sent.source, sent.target), nbytes, host)
    return total
