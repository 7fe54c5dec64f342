"""Ranges of sizes."""

from __future__ import annotations

import pytest

from fabrictool.units import parse_sizes


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("1GiB", [2**30]),
        ("8B..16GiB", [2**power for power in range(3, 35)]),
        ("8 B .. 100 B", [8, 16, 32, 64]),
        ("1KiB..1GiB..x32", [2**10, 2**15, 2**20, 2**25, 2**30]),
        ("1MB..2MB..x1.5", [1e6, 1.5e6]),
        ("1MiB..4MiB..1MiB", [2**20, 2**21, 3 * 2**20, 2**22]),
        ("1GiB..1GiB", [2**30]),
    ],
)
def test_ranges(text: str, sizes: list[float]) -> None:
    assert parse_sizes(text) == sizes


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("0.5B", "accepted are 1 to"),
        ("0B..1GiB", "accepted are 1 to"),
        ("8B..4B", "from small to large"),
        ("8B..1GiB..x1", "above 1"),
        ("8B..1GiB..x", "above 1"),
        ("8B..1GiB..xnan", "above 1"),
        ("8B..1GiB..x2..3B", "write it like"),
        ("8B..1GiB..1B", "more than 256 sizes"),
        ("8B..1GiB..0B", "accepted are 1 to"),
        ("8..9", "no unit"),
        ("16GiB..", "is not a size"),
        ("400G..800G", "speed"),
    ],
)
def test_what_is_no_range_is_refused(text: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        parse_sizes(text)
