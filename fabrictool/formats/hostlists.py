"""Hostlists of Slurm: many names in one word, such as ``gpu[001-008,011]``."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import product

#: Most names that one list may stand for.
MOST_NAMES = 1_000_000
_PART = re.compile(r"\[([^\]]*)\]")
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")
_ITEM = re.compile(r"(?:[^,\[]+|\[[^\]]*\])+")
_NUMBERED = re.compile(r"(.*?)(\d{1,9})(\D*)", re.DOTALL)


def expanded(text: str) -> list[str]:
    """Return the names of a hostlist in order.

    Raises
    ------
    ValueError
        If a range cannot be read, or the list stands for more than ``MOST_NAMES`` names.
    """
    if text.count("[") != text.count("]"):
        raise ValueError(f"'{text[:40]}' has a bracket that is not closed")
    names: list[str] = []
    for item in _ITEM.findall(text):
        parts = _PART.split(item.strip())
        fixed, ranges = parts[::2], [_numbers(part) for part in parts[1::2]]
        count = 1
        for numbers in ranges:
            count *= len(numbers)
        if len(names) + count > MOST_NAMES:
            raise ValueError(f"stands for more than {MOST_NAMES:,} names")
        names.extend(
            "".join(word for pair in zip(fixed, (*chosen, ""), strict=True) for word in pair)
            for chosen in product(*ranges)
        )
    return names


def _numbers(part: str) -> list[str]:
    found: list[str] = []
    for item in part.split(","):
        match = _RANGE.fullmatch(item.strip())
        if match is None:
            raise ValueError(f"'{item.strip()[:40]}' is no number or range")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last - first >= MOST_NAMES:
            raise ValueError(f"'{item.strip()}' counts down, or too far")
        found.extend(str(number).zfill(len(match[1])) for number in range(first, last + 1))
    return found


def compressed(names: Iterable[str]) -> str:
    """Return a hostlist of names: runs of numbers of equal width become ranges, in the order of first use."""
    groups: defaultdict[tuple[str, str, int], list[int]] = defaultdict(list)
    plain: dict[str, None] = {}
    order: dict[object, None] = {}
    for name in names:
        match = _NUMBERED.fullmatch(name)
        if match is None or "[" in name:
            plain[name] = order[name] = None
            continue
        key = (match[1], match[3], len(match[2]))
        groups[key].append(int(match[2]))
        order[key] = None
    return ",".join(_word(key, groups[key]) if isinstance(key, tuple) else str(key) for key in order)


def _word(key: tuple[str, str, int], numbers: list[int]) -> str:
    before, after, width = key
    runs = [f"{low:0{width}d}" + (f"-{high:0{width}d}" if high > low else "") for low, high in _runs(numbers)]
    alone = len(runs) == 1 and "-" not in runs[0]
    return f"{before}{runs[0]}{after}" if alone else f"{before}[{','.join(runs)}]{after}"


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    ordered = sorted(set(numbers))
    start = before = ordered[0]
    for number in ordered[1:]:
        if number != before + 1:
            yield start, before
            start = number
        before = number
    yield start, before
