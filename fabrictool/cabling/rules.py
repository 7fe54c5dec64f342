"""The rule that most links of a kind follow: which device, and which port of it, by place and port of the lower end.

A lower device of place j in its group has block ``j div m`` and position ``j mod m``. What is ruled, the place of
the upper device or of its port, is affine in both, with one constant, one for each lower port, or one for each
lower port and position. The form and the m with the shortest description are taken: constants and exceptions, which
weigh alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Form = Literal["nothing", "port", "port and position"]
_FORMS: tuple[Form, ...] = ("nothing", "port", "port and position")
Ints = npt.NDArray[np.int64]
#: Most lower devices in a block that are tried, beside the number of all.
LARGEST_BLOCK = 130


@dataclass(frozen=True, slots=True)
class Rule:
    """An affine rule with its constants; ``by`` says what these differ by.

    ``cost`` is the length of its description: constants, and exceptions.
    """

    block: int
    per_position: int
    per_block: int
    by: Form
    constants: dict[int, int]
    cost: int
    exceptions: int

    def __call__(self, place: Ints, port: Ints) -> Ints:
        """Return what the rule gives for lower devices and their ports, -1 where it says nothing."""
        at, of = np.divmod(place, self.block)
        keys = _keys(self.by, port, of, self.block)
        constant = np.array([self.constants.get(key, -(10**9)) for key in keys.tolist()], np.int64)
        found = constant + self.per_position * of + self.per_block * at
        result: Ints = np.where(found < 0, -1, found)
        return result


def fitted(place: Ints, port: Ints, value: Ints) -> Rule:
    """Return the shortest rule for values of lower devices and ports, (links,) each."""
    rules = (rule for block in _blocks(place) for rule in _of_block(place, port, value, block))
    return min(rules, key=lambda rule: (rule.cost, rule.block))


def _blocks(place: Ints) -> list[int]:
    most = int(place.max(initial=0)) + 1
    return [*range(1, min(most, LARGEST_BLOCK) + 1), *([most] if most > LARGEST_BLOCK else [])]


def _of_block(place: Ints, port: Ints, value: Ints, block: int) -> Iterator[Rule]:
    at, of = np.divmod(place, block)
    per_block = _usual_step(port * block + of, at, value)
    step = _usual_step(port * (int(at.max(initial=0)) + 1) + at, of, value)
    for by in _FORMS:
        per_position = 0 if by == _FORMS[-1] else step
        keys = _keys(by, port, of, block)
        rest = value - per_position * of - per_block * at
        constants = _modes(keys, rest)
        exceptions = int(sum(constants[key] != left for key, left in zip(keys.tolist(), rest.tolist(), strict=True)))
        yield Rule(block, per_position, per_block, by, constants, exceptions + len(constants), exceptions)


def _keys(by: Form, port: Ints, position: Ints, block: int) -> Ints:
    if by == "nothing":
        return np.zeros_like(port)
    return port if by == "port" else port * block + position


def _usual_step(group: Ints, along: Ints, value: Ints) -> int:
    """Return the most frequent difference between neighbours in a group."""
    order = np.lexsort((along, group))
    group, along, value = group[order], along[order], value[order]
    next_to = (np.diff(group) == 0) & (np.diff(along) == 1)
    steps = np.diff(value)[next_to]
    if not len(steps):
        return 0
    found, counts = np.unique(steps, return_counts=True)
    return int(found[np.argmax(counts)])


def _modes(keys: Ints, values: Ints) -> dict[int, int]:
    """Return the most frequent value of each key."""
    order = np.lexsort((values, keys))
    keys, values = keys[order], values[order]
    new = np.r_[True, (np.diff(keys) != 0) | (np.diff(values) != 0)] if len(keys) else np.zeros(0, bool)
    first = np.flatnonzero(new)
    counts = np.diff(np.r_[first, len(keys)])
    best: dict[int, tuple[int, int]] = {}
    for key, value, count in zip(keys[first].tolist(), values[first].tolist(), counts.tolist(), strict=True):
        if count > best.get(key, (0, 0))[0]:
            best[key] = (count, value)
    return {key: value for key, (_, value) in best.items()}
