"""Schedules that scatter or gather blocks of S/N: Bruck's, and broadcast and reduce by a scatter and a ring.

References
----------
J. Bruck et al., "Efficient algorithms for all-to-all communications in multiport message-passing systems",
IEEE TPDS 8(11), 1997; M. Barnett et al., "Interprocessor collective communication library (InterCom)", SHPCC
1994 (broadcast as scatter and all-gather, after van de Geijn).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fabrictool.collectives.entries import Group, Pipeline, Round, Schedule, shift


def _powers(size: int) -> list[int]:
    """Return the powers of two below a number of ranks."""
    return [1 << bit for bit in range((size - 1).bit_length())]


def bruck_gather(group: Group) -> Schedule:
    """All-gather, k = 1, 2, 4 ..: i -> i - k with the blocks that the receiver lacks, k at most."""
    for step in _powers(group.size):
        yield shift(group.size, group.size - step, min(step, group.size - step) / group.size)


def bruck_scatter(group: Group) -> Schedule:
    """Reduce-scatter: the all-gather backwards, i -> i + k with k = .. 4, 2, 1."""
    for step in reversed(_powers(group.size)):
        yield shift(group.size, step, min(step, group.size - step) / group.size)


def binomial_scatter(group: Group) -> Schedule:
    """From rank 0, k = .. 4, 2, 1: ranks that are multiples of 2 k send i + k the blocks of i + k to i + 2 k - 1."""
    for step in reversed(_powers(group.size)):
        target = np.arange(step, group.size, 2 * step, dtype=np.int32)
        yield Round(target - np.int32(step), target, np.minimum(step, group.size - target) / group.size)


def binomial_gather(group: Group) -> Schedule:
    """To rank 0: the scatter backwards."""
    for entry in reversed(list(binomial_scatter(group))):
        assert isinstance(entry, Round)
        yield Round(entry.target, entry.source, entry.share)


def ring_broadcast(group: Group) -> Schedule:
    """Scatter S/N to each rank, then gather all blocks in a ring; with chunks stated they follow a chain instead."""
    if group.chunks:
        yield _chain(group.size, group.chunks)
        return
    yield from binomial_scatter(group)
    yield shift(group.size, 1, 1 / group.size, group.size - 1)


def ring_reduce(group: Group) -> Schedule:
    """Reduce-scatter in a ring, then gather the blocks at rank 0; with chunks stated they follow a chain instead."""
    if group.chunks:
        chain = _chain(group.size, group.chunks)
        yield replace(chain, source=chain.source[::-1] + 1, target=chain.source[::-1])
        return
    yield shift(group.size, 1, 1 / group.size, group.size - 1)
    yield from binomial_gather(group)


def _chain(size: int, chunks: int) -> Pipeline:
    """Return chunks on their way 0 -> 1 -> 2 ..: each goes on when it has arrived and the one before has left."""
    flow = np.arange((size - 1) * chunks, dtype=np.int64)
    source = (flow // chunks).astype(np.int32)
    after_hop, after_chunk = flow[chunks:], flow[flow % chunks > 0]
    later = np.concatenate((after_hop, after_chunk))
    earlier = np.concatenate((after_hop - chunks, after_chunk - 1))
    return Pipeline(source, source + np.int32(1), np.full(len(flow), 1 / chunks), later, earlier)
