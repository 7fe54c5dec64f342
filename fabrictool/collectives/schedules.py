"""Schedules as data: a collective is a list of rounds, a round is flows that start together.

References
----------
R. Thakur, R. Rabenseifner, W. Gropp, "Optimization of collective communication operations in
MPICH", IJHPCA 19(1), 2005; P. Patarasuk, X. Yuan, "Bandwidth optimal all-reduce algorithms for
clusters of workstations", JPDC 69(2), 2009; J. Bruck et al., IEEE TPDS 8(11), 1997.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fabrictool.collectives import blocks, folded, hierarchy, in_network, two_steps
from fabrictool.collectives.entries import Group, Round, Schedule, Shifts, all_ranks, shift
from fabrictool.collectives.pipelines import double_binary_tree
from fabrictool.errors import InputError, Problem


def ring_all_reduce(group: Group) -> Schedule:
    """2 (N - 1) rounds of i -> i + 1 with S/N: reduce-scatter, then all-gather."""
    yield shift(group.size, 1, 1 / group.size, 2 * (group.size - 1))


def ring_pass(group: Group) -> Schedule:
    """N - 1 rounds of i -> i + 1 with S/N: reduce-scatter or all-gather."""
    yield shift(group.size, 1, 1 / group.size, group.size - 1)


def pairwise(group: Group) -> Schedule:
    """N - 1 rounds: i -> i + r with S/N."""
    yield Shifts(np.arange(1, group.size), 1 / group.size)


def direct(group: Group) -> Schedule:
    """All pairs at once with S/N each."""
    ranks = all_ranks(group.size)
    source, target = np.repeat(ranks, group.size), np.tile(ranks, group.size)
    other = source != target
    yield Round(source[other], target[other], 1 / group.size)


def bruck(group: Group) -> Schedule:
    """Distances k = 1, 2, 4 ..: i -> i + k with S/N for every block whose index has bit k."""
    block, step = all_ranks(group.size), 1
    while step < group.size:
        yield shift(group.size, step, int(np.count_nonzero(block & step)) / group.size)
        step *= 2


def binomial(group: Group) -> Schedule:
    """Distances k = 1, 2, 4 ..: ranks below k send all of S to i + k."""
    step = 1
    while step < group.size:
        source = all_ranks(min(step, group.size - step))
        yield Round(source, source + np.int32(step), 1.0)
        step *= 2


def binomial_reduce(group: Group) -> Schedule:
    """The binomial broadcast backwards: the far halves send all of S to i - k, k = .. 4, 2, 1."""
    for entry in reversed(list(binomial(group))):
        assert isinstance(entry, Round)
        yield Round(entry.target, entry.source, entry.share)


def stated_volumes(group: Group) -> Schedule:
    """All stated volumes at once."""
    sent = group.volumes
    assert sent is not None
    yield Round(sent.source, sent.target, sent.share)


def shifted_volumes(group: Group) -> Schedule:
    """The stated volumes in N - 1 rounds: in round r what i sends to i + r."""
    sent = group.volumes
    assert sent is not None
    step = (sent.target.astype(np.int64) - sent.source) % group.size
    order = np.argsort(step, kind="stable")
    for flow in np.split(order, np.flatnonzero(np.diff(step[order])) + 1):
        yield Round(sent.source[flow], sent.target[flow], sent.share[flow])


def stated_pairs(group: Group) -> Schedule:
    """All stated pairs at once with all of S each."""
    pairs = np.array(group.pairs, np.int32).reshape(-1, 2)
    if not len(pairs):
        raise InputError([Problem("", "no pairs are stated", "add 'pairs: [[0, 1], …]' to the job, ranks from 0")])
    yield Round(pairs[:, 0].copy(), pairs[:, 1].copy(), 1.0)


def neighbours(group: Group) -> Schedule:
    """Each rank sends all of S to the next, as nccl-tests' sendrecv; or the stated pairs."""
    if group.pairs:
        yield from stated_pairs(group)
    else:
        yield shift(group.size, 1, 1.0)


def to_the_first(group: Group) -> Schedule:
    """All ranks send all of S to rank 0 at once; or the stated pairs."""
    if group.pairs:
        yield from stated_pairs(group)
    else:
        senders = all_ranks(group.size)[1:]
        yield Round(senders, np.zeros_like(senders), 1.0)


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A schedule: whether it has a flow for all pairs of ranks, cuts messages into chunks, and which switches reduce.

    These are none, those of the network, or those of scale-up domains.
    """

    rounds: Callable[[Group], Schedule]
    all_pairs: bool = False
    chunked: bool = False
    reduces: Literal["", "network", "domain"] = ""

    def flow_count(self, size: int) -> float:
        """Return about how many flows the distinct rounds have together."""
        return float(size * (size if self.all_pairs else np.log2(max(size, 2))))


#: Algorithms of each collective; the first is the default, unless ``default_algorithm`` knows better.
ALGORITHMS: dict[str, dict[str, Algorithm]] = {
    "all-reduce": {
        "ring": Algorithm(ring_all_reduce),
        "hierarchical": Algorithm(hierarchy.all_reduce, chunked=True),
        "halving-doubling": Algorithm(folded.halving_doubling),
        "recursive-doubling": Algorithm(folded.recursive_doubling),
        "double-binary-tree": Algorithm(double_binary_tree, chunked=True),
        "sharp": Algorithm(in_network.sharp_all_reduce, chunked=True, reduces="network"),
        "nvls": Algorithm(in_network.nvls_all_reduce, reduces="domain"),
        "nvls-tree": Algorithm(in_network.nvls_tree, chunked=True, reduces="domain"),
    },
    "reduce-scatter": {
        "ring": Algorithm(ring_pass),
        "hierarchical": Algorithm(hierarchy.reduce_scatter, chunked=True),
        "halving-doubling": Algorithm(folded.halving_scatter),
        "bruck": Algorithm(blocks.bruck_scatter),
        "sharp": Algorithm(in_network.sharp_reduce_scatter, chunked=True, reduces="network"),
        "nvls": Algorithm(in_network.nvls_reduce_scatter, reduces="domain"),
    },
    "all-gather": {
        "ring": Algorithm(ring_pass),
        "hierarchical": Algorithm(hierarchy.all_gather, chunked=True),
        "recursive-doubling": Algorithm(folded.doubling_gather),
        "bruck": Algorithm(blocks.bruck_gather),
        "sharp": Algorithm(in_network.sharp_all_gather, chunked=True, reduces="network"),
        "nvls": Algorithm(in_network.nvls_all_gather, reduces="domain"),
    },
    "broadcast": {
        "binomial": Algorithm(binomial),
        "ring": Algorithm(blocks.ring_broadcast, chunked=True),
        "hierarchical": Algorithm(hierarchy.broadcast, chunked=True),
        "sharp": Algorithm(in_network.sharp_broadcast, chunked=True, reduces="network"),
    },
    "reduce": {
        "binomial": Algorithm(binomial_reduce),
        "ring": Algorithm(blocks.ring_reduce, chunked=True),
        "hierarchical": Algorithm(hierarchy.reduce, chunked=True),
        "sharp": Algorithm(in_network.sharp_reduce, chunked=True, reduces="network"),
    },
    "send-recv": {"direct": Algorithm(neighbours)},
    "permutation": {"direct": Algorithm(stated_pairs)},
    "incast": {"direct": Algorithm(to_the_first)},
    "all-to-all": {
        "pairwise": Algorithm(pairwise, all_pairs=True),
        "pairwise-xor": Algorithm(folded.pairwise_xor, all_pairs=True),
        "direct": Algorithm(direct, all_pairs=True),
        "bruck": Algorithm(bruck),
        "hierarchical": Algorithm(two_steps.hierarchical, chunked=True),
        "node-shift": Algorithm(two_steps.node_shift, all_pairs=True),
        "pxn": Algorithm(two_steps.pxn, chunked=True),
    },
    "all-to-all-v": {
        "pairwise": Algorithm(shifted_volumes, all_pairs=True),
        "direct": Algorithm(stated_volumes, all_pairs=True),
    },
}


def default_algorithm(collective: str, group: Group, joined: bool = True) -> str:
    """Return the algorithm used when none is named.

    Hierarchical where there are several domains and each holds several ranks, PXN where the network does not join
    all ranks, so that messages change rails inside domains; else the first.
    """
    sizes = np.unique(group.domain, return_counts=True)[1]
    if len(sizes) > 1 and sizes.min() > 1:
        if collective == "all-reduce":
            return "hierarchical"
        if collective == "all-to-all" and not joined:
            return "pxn"
    return next(iter(ALGORITHMS[collective]))


def bus_factor(collective: str, size: int) -> float:
    """Return busbw / algbw of a collective.

    References
    ----------
    NVIDIA nccl-tests, doc/PERFORMANCE.md.
    """
    if collective == "all-reduce":
        return 2 * (size - 1) / size
    if collective in ("reduce-scatter", "all-gather", "all-to-all", "all-to-all-v"):
        return (size - 1) / size
    return 1.0
