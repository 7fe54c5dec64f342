"""Traffic patterns by name: who sends to whom, over the hosts of a wiring in their order.

References
----------
W. Dally, B. Towles, "Principles and Practices of Interconnection Networks", 2004, table 3.1: bit
reversal, transpose, neighbour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isqrt

import numpy as np
import numpy.typing as npt

from fabrictool.errors import InputError, Problem, did_you_mean
from fabrictool.kernels.bisection import shuffle
from fabrictool.routing.flows import Flows, all_pairs, flows

I8 = npt.NDArray[np.int64]

#: Random numbers drawn at a time.
_WORDS = 1 << 20
#: Matchings of ``bisection:N``: beyond them the mean moves in its fifth digit.
MOST_MATCHINGS = 1_000_000


@dataclass(frozen=True)
class Pattern:
    """A pattern word, read.

    Parameters
    ----------
    name : str
        One of ``PATTERNS``.
    number : int, optional
        The step of a shift, the seed of a permutation, or how many matchings are drawn.
    """

    name: str
    number: int | None = None

    def __str__(self) -> str:
        return self.name if self.number is None else f"{self.name}:{self.number}"


def _shift(hosts: int, step: int) -> I8:
    return (np.arange(hosts) + step % hosts) % hosts


def _random(hosts: int, seed: int) -> I8:
    return np.random.default_rng(seed).permutation(hosts)


def _bit_reversal(hosts: int, _: int) -> I8:
    """Return the number of each host with its bits in reverse; a host stays where that is no host's number."""
    bits = max(hosts - 1, 0).bit_length()
    host = np.arange(hosts)
    turned = np.zeros(hosts, np.int64)
    for bit in range(bits):
        turned |= (host >> bit & 1) << (bits - 1 - bit)
    return np.where(turned < hosts, turned, host)


def _transpose(hosts: int, _: int) -> I8:
    """Return the place of each host when rows of hosts become columns; the matrix is as near a square as divides."""
    rows = next(rows for rows in range(isqrt(hosts), 0, -1) if hosts % rows == 0) if hosts else 1
    row, column = np.divmod(np.arange(hosts), max(hosts // rows, 1))
    return column * rows + row


def _neighbour(hosts: int, _: int) -> I8:
    return _shift(hosts, 1)


#: Patterns in which each host sends to one other: from hosts and the word's number to the target of each host.
_PERMUTATIONS: dict[str, Callable[[int, int], I8]] = {
    "shift": _shift,
    "bit-reversal": _bit_reversal,
    "transpose": _transpose,
    "neighbour": _neighbour,
    "random": _random,
}

#: Name of a pattern, to what its number stands for; empty where it takes none.
PATTERNS = {
    "all-to-all": "",
    "shift": "the step",
    "shifts": "",
    "bit-reversal": "",
    "transpose": "",
    "neighbour": "",
    "random": "the seed",
    "bisection": "how many matchings are drawn",
}


def pattern_of(word: str) -> Pattern:
    """Return a pattern word, read and checked.

    Raises
    ------
    InputError
        If the pattern is not known, or its number is missing, no number or out of place.
    """
    name, colon, rest = word.strip().partition(":")
    if name not in PATTERNS:
        raise InputError([Problem("", f"pattern '{word}' is not known", did_you_mean(name, PATTERNS))])
    meaning = PATTERNS[name]
    if not meaning:
        if colon:
            raise InputError([Problem("", f"pattern '{word}' has a number, but {name} takes none", f"use '{name}'")])
        return Pattern(name)
    try:
        number = int(rest)
    except ValueError:
        what = f"pattern '{word}' does not say {meaning}"
        raise InputError([Problem("", what, f"use '{name}:N' with a whole number")]) from None
    lowest = {"bisection": 1, "random": 0}.get(name)
    if lowest is not None and number < lowest:
        raise InputError([Problem("", f"pattern '{word}' has {number} for {meaning}", f"use {lowest} or more")])
    if name == "bisection" and number > MOST_MATCHINGS:
        what = f"pattern '{word}' draws {number:,} matchings, but {MOST_MATCHINGS:,} are the most"
        raise InputError([Problem("", what, "use 1000: the mean is then within a thousandth")])
    return Pattern(name, number)


def pattern_groups(word: str | Pattern, hosts: int, seed: int = 0) -> Iterator[Flows]:
    """Yield the flows of a pattern, those together that run at the same time.

    Parameters
    ----------
    word : str or Pattern
        Every step of ``shifts`` and every matching of ``bisection`` is a group; other patterns are one.
    hosts : int
        ``Wiring.hosts``.
    seed : int
        Of the matchings of ``bisection``.

    Raises
    ------
    InputError
        If the word is no pattern, or nobody sends.
    """
    pattern = pattern_of(word) if isinstance(word, str) else word
    count = 0
    for group in _groups(pattern, hosts, seed):
        count += len(group)
        yield group
    if not count:
        what = f"pattern {pattern} over {hosts} hosts lets every host keep its place: nobody sends"
        fix = f"use a step of 1 to {hosts - 1}" if pattern.name == "shift" and hosts > 1 else "use another pattern"
        raise InputError([Problem("", what, fix)])


def pattern_flows(word: str | Pattern, hosts: int, seed: int = 0) -> Flows:
    """Return all flows of a pattern, of volume 1, in order of the source; a host that stays sends none.

    Parameters
    ----------
    word : str or Pattern
        ``all-to-all``, ``shift:N`` (host i to i + N, around the end), ``shifts`` (all of them, one after
        the other), ``bit-reversal`` (over as many bits as the last host's number has; where the reversed
        number is no host's, the host stays), ``transpose`` (hosts row by row in a matrix, whose rows become
        columns; its height is the largest divisor of the number of hosts up to the root), ``neighbour``
        (host i to i + 1), ``random:SEED`` (a permutation), ``bisection:TRIALS`` (a random half to the other,
        drawn so often).
    hosts : int
        ``Wiring.hosts``.
    seed : int
        Of the matchings of ``bisection``.

    Raises
    ------
    InputError
        If the word is no pattern, or nobody sends.
    """
    groups = list(pattern_groups(word, hosts, seed))
    if len(groups) == 1:
        return groups[0]
    source, target = (np.concatenate([getattr(group, end) for group in groups]) for end in ("source", "target"))
    return flows(source, target)


def _groups(pattern: Pattern, hosts: int, seed: int) -> Iterator[Flows]:
    if pattern.name == "all-to-all":
        yield all_pairs(hosts)
    elif pattern.name == "shifts":
        for step in range(1, hosts):
            yield _moving(_shift(hosts, step))
    elif pattern.name == "bisection":
        for source, target in matchings(hosts, pattern.number or 0, seed):
            yield flows(source, target)
    else:
        yield _moving(_PERMUTATIONS[pattern.name](hosts, pattern.number or 0) if hosts else np.zeros(0, np.int64))


def shuffled(hosts: int, trials: int, seed: int) -> Iterator[npt.NDArray[np.int32]]:
    """Yield random orders of the hosts, many at a time, (orders, hosts) each; the same whatever their number."""
    rng = np.random.default_rng(seed)
    step = max(1, _WORDS // max(hosts, 1))
    for done in range(0, trials, step):
        rows = min(step, trials - done)
        order = np.empty((rows, hosts), np.int32)
        shuffle(2.0 * order.size)(rng.integers(0, 1 << 32, order.shape, np.uint32), order)
        yield order


def matchings(hosts: int, trials: int, seed: int) -> Iterator[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]]:
    """Yield random one-way matchings: a half of the hosts, and to whom each of it sends in the other half."""
    half = hosts // 2
    for orders in shuffled(hosts, trials, seed):
        for order in orders:
            yield order[:half], order[half : 2 * half]


def _moving(target: I8) -> Flows:
    """Return the flows of a permutation, without hosts that stay."""
    source = np.arange(len(target))
    moves = source != target
    return flows(source[moves], target[moves])
