"""Who is paired with whom, so that each is tested at least twice, by different partners, in two or three rounds."""

from __future__ import annotations


def rounds_of_pairs(count: int) -> list[list[tuple[int, int]]]:
    """Return rounds of disjoint pairs over 0 to ``count`` - 1 that test each at least twice where that is possible.

    The first half meets the second half shifted by the round. Who is slow itself is then slow in both of its
    rounds, its partners in one each, so that two rounds locate it. An odd one out takes a third round.
    Two have one pair only.
    """
    if count == 3:
        return [[(0, 1)], [(1, 2)], [(0, 2)]]
    first = (count + 1) // 2
    second = count - first
    if not second:
        return []
    rounds = 1 if count == 2 else 2 + count % 2
    found = []
    for shift in range(rounds):
        partner = [(i + shift) % first for i in range(first)]
        found.append([(i, first + other) for i, other in enumerate(partner) if other < second])
    return found
