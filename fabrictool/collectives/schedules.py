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

import numpy as np

from fabrictool.collectives.entries import Group, Round, Schedule, Shifts, all_ranks, shift
from fabrictool.collectives.pipelines import double_binary_tree
from fabrictool.errors import InputError, Problem


def ring_all_reduce(group: Group) -> Schedule:
    """2 (N - 1) rounds of i -> i + 1 with S/N: reduce-scatter, then all-gather."""
    yield shift(group.size, 1, 1 / group.size, 2 * (group.size - 1))


def ring_pass(group: Group) -> Schedule:
    """N - 1 rounds of i -> i + 1 with S/N: reduce-scatter or all-gather."""
    yield shift(group.size, 1, 1 / group.size, group.size - 1)


def halving_doubling(group: Group) -> Schedule:
    """Recursive halving from distance N/2 down, then doubling back: i <-> i xor d with S d/N."""
    ranks, distance = all_ranks(group.size), group.size // 2
    while distance:
        yield Round(ranks, ranks ^ distance, distance / group.size, 2)
        distance //= 2


def recursive_doubling(group: Group) -> Schedule:
    """Distances 1, 2 .. N/2: i <-> i xor d with all of S."""
    ranks, distance = all_ranks(group.size), 1
    while distance < group.size:
        yield Round(ranks, ranks ^ distance, 1.0)
        distance *= 2


def hierarchical(group: Group) -> Schedule:
    """Reduce-scatter inside each domain, a ring for each rail between domains, all-gather inside."""
    inside = _domains(group, "hierarchical")
    outside = group.size // inside
    ranks = all_ranks(group.size)
    domain, place = ranks // inside, ranks % inside
    if inside > 1:
        yield Round(ranks, domain * inside + (place + 1) % inside, 1 / inside, 2 * (inside - 1))
    if outside > 1:
        target = (domain + 1) % outside * inside + place
        yield Round(ranks, target, 1 / inside / outside, 2 * (outside - 1))


def pairwise(group: Group) -> Schedule:
    """N - 1 rounds: i -> i + r with S/N."""
    yield Shifts(np.arange(1, group.size), 1 / group.size)


def pairwise_xor(group: Group) -> Schedule:
    """N - 1 rounds: i <-> i xor r with S/N."""
    ranks = all_ranks(group.size)
    for step in range(1, group.size):
        yield Round(ranks, ranks ^ step, 1 / group.size)


def direct(group: Group) -> Schedule:
    """All pairs at once with S/N each."""
    ranks = all_ranks(group.size)
    source, target = np.repeat(ranks, group.size), np.tile(ranks, group.size)
    other = source != target
    yield Round(source[other], target[other], 1 / group.size)


def _domains(group: Group, algorithm: str) -> int:
    inside = group.per_domain()
    if inside is None:
        what = f"{algorithm} needs whole scale-up domains of equal size, one after another in rank order"
        raise InputError([Problem("", what, "use another algorithm, or linear ranks that fill domains")])
    return inside


def _inside_pairs(group: Group, inside: int, repeat: int) -> Round:
    """All pairs inside each domain at once, with S/N each."""
    ranks = all_ranks(group.size)
    source = np.repeat(ranks, inside)
    target = source // inside * inside + np.tile(all_ranks(inside), group.size)
    other = source != target
    return Round(source[other], target[other], 1 / group.size, repeat)


def node_shift(group: Group) -> Schedule:
    """In-domain pairs, then for each r all pairs of domain n with domain n + r, with S/N each."""
    inside = _domains(group, "node-shift")
    if inside > 1:
        yield _inside_pairs(group, inside, 1)
    ranks = all_ranks(group.size)
    source = np.repeat(ranks, inside)
    place = np.tile(all_ranks(inside), group.size)
    for step in range(1, group.size // inside):
        target = (source // inside + step) % (group.size // inside) * inside + place
        yield Round(source, target.astype(np.int32), 1 / group.size)


def pxn(group: Group) -> Schedule:
    """In-domain pairs; then for each r a staging inside domains and (n, g) -> (n + r, g) with G S/N.

    References
    ----------
    NVIDIA, "Doubling all2all performance with NCCL 2.12" (PXN: PCI x NVLink), 2022: data changes to
    the GPU of the target's rail inside the host, then stays on that rail.
    """
    inside = _domains(group, "pxn")
    outside = group.size // inside
    if inside > 1:
        yield _inside_pairs(group, inside, outside)
    yield Shifts(np.arange(1, outside) * inside, inside / group.size)


def bruck(group: Group) -> Schedule:
    """Distances k = 1, 2, 4 ..: i -> i + k with S/N for every block whose index has bit k."""
    blocks, step = all_ranks(group.size), 1
    while step < group.size:
        yield shift(group.size, step, int(np.count_nonzero(blocks & step)) / group.size)
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
    """A schedule, whether it needs a power of two, has a flow for all pairs of ranks, and cuts messages into chunks."""

    rounds: Callable[[Group], Schedule]
    power_of_two: bool = False
    all_pairs: bool = False
    chunked: bool = False

    def flow_count(self, size: int) -> float:
        """Return about how many flows the distinct rounds have together."""
        return float(size * (size if self.all_pairs else np.log2(max(size, 2))))


#: Algorithms of each collective; the first is the default, unless ``default_algorithm`` knows better.
ALGORITHMS: dict[str, dict[str, Algorithm]] = {
    "all-reduce": {
        "ring": Algorithm(ring_all_reduce),
        "hierarchical": Algorithm(hierarchical),
        "halving-doubling": Algorithm(halving_doubling, power_of_two=True),
        "recursive-doubling": Algorithm(recursive_doubling, power_of_two=True),
        "double-binary-tree": Algorithm(double_binary_tree, chunked=True),
    },
    "reduce-scatter": {"ring": Algorithm(ring_pass)},
    "all-gather": {"ring": Algorithm(ring_pass)},
    "broadcast": {"binomial": Algorithm(binomial)},
    "reduce": {"binomial": Algorithm(binomial_reduce)},
    "send-recv": {"direct": Algorithm(neighbours)},
    "permutation": {"direct": Algorithm(stated_pairs)},
    "incast": {"direct": Algorithm(to_the_first)},
    "all-to-all": {
        "pairwise": Algorithm(pairwise, all_pairs=True),
        "pairwise-xor": Algorithm(pairwise_xor, power_of_two=True, all_pairs=True),
        "direct": Algorithm(direct, all_pairs=True),
        "bruck": Algorithm(bruck),
        "node-shift": Algorithm(node_shift, all_pairs=True),
        "pxn": Algorithm(pxn),
    },
    "all-to-all-v": {
        "pairwise": Algorithm(shifted_volumes, all_pairs=True),
        "direct": Algorithm(stated_volumes, all_pairs=True),
    },
}


def default_algorithm(collective: str, group: Group, joined: bool = True) -> str:
    """Return the algorithm used when none is named.

    Hierarchical where domains hold several ranks, PXN where the network does not join all ranks, so
    that messages change rails inside domains; else the first.
    """
    inside = group.per_domain()
    if inside is not None and 1 < inside < group.size:
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
