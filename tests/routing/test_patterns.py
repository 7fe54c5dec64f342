"""Pattern words against the demands of listed samples, and by what defines them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrictool.errors import InputError
from fabrictool.routing.patterns import pattern_flows, pattern_groups, pattern_of

SAMPLES = Path(__file__).parent.parent / "data" / "routing"
LISTED = {
    "ft16-bitrev": "bit-reversal",
    "ft64-bitrev": "bit-reversal",
    "ft64-shift13": "shift:13",
    "pgft128par-shift5": "shift:5",
    "pgft72odd-shift7": "shift:7",
    "ft256o2-shift9": "shift:9",
}


def _pairs(word: str, hosts: int) -> list[tuple[int, int]]:
    found = pattern_flows(word, hosts)
    return list(zip(found.source.tolist(), found.target.tolist(), strict=True))


@pytest.mark.parametrize("name", sorted(LISTED))
def test_demands_of_samples(name: str) -> None:
    sample = json.loads((SAMPLES / f"{name}.json").read_text())
    place = {title: row for row, title in enumerate(sample["fabric"]["hosts"])}
    assert _pairs(LISTED[name], len(place)) == [(place[s], place[d]) for s, d, _ in sample["demands"]]


def test_bit_reversal_of_1024_hosts_moves_992() -> None:
    """10 bits have 32 palindromes."""
    assert len(_pairs("bit-reversal", 1_024)) == 992


def test_bit_reversal_where_the_number_of_hosts_is_no_power_of_two() -> None:
    """Over 6 hosts, in 3 bits: 1 and 4 change places; 3 and 6 would, but there is no host 6."""
    assert _pairs("bit-reversal", 6) == [(1, 4), (4, 1)]


def test_transpose_of_a_square_and_of_a_rectangle() -> None:
    assert _pairs("transpose", 9) == [(1, 3), (2, 6), (3, 1), (5, 7), (6, 2), (7, 5)]
    # 0 1 2 over 3 4 5, read column by column: 0 3 1 4 2 5
    assert _pairs("transpose", 6) == [(1, 2), (2, 4), (3, 1), (4, 3)]


def test_neighbour_goes_around_the_end() -> None:
    assert _pairs("neighbour", 3) == [(0, 1), (1, 2), (2, 0)]


@given(st.sampled_from(["bit-reversal", "transpose", "random:7", "shift:-3"]), st.integers(6, 300))
def test_nobody_receives_twice_or_sends_to_itself(word: str, hosts: int) -> None:
    try:
        found = pattern_flows(word, hosts)
    except InputError:
        prime = all(hosts % d for d in range(2, hosts))
        assert word == "transpose"
        assert prime
        return
    assert (found.source != found.target).all()
    assert set(found.source) == set(found.target)
    assert len(set(found.target)) == len(found)


def test_shifts_are_all_pairs_step_by_step() -> None:
    groups = list(pattern_groups("shifts", 5))
    assert [len(group) for group in groups] == [5] * 4
    assert sorted(_pairs("shifts", 5)) == _pairs("all-to-all", 5)
    assert len(_pairs("all-to-all", 5)) == 20


def test_matchings_pair_each_host_once() -> None:
    groups = list(pattern_groups("bisection:3", 9, seed=4))
    assert len(groups) == 3
    for group in groups:
        assert len(group) == 4
        assert len(np.unique(np.concatenate((group.source, group.target)))) == 8
    assert not np.array_equal(groups[0].source, groups[1].source)
    assert np.array_equal(groups[0].source, next(pattern_groups("bisection:3", 9, seed=4)).source)


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("bitreversal", "did you mean 'bit-reversal'?"),
        ("shift", "use 'shift:N'"),
        ("random:x", "does not say the seed"),
        ("random:-1", "use 0 or more"),
        ("bisection:0", "use 1 or more"),
        ("transpose:4", "takes none"),
    ],
)
def test_words_that_are_none(word: str, says: str) -> None:
    with pytest.raises(InputError, match=says.replace("?", r"\?")):
        pattern_of(word)


@pytest.mark.parametrize(("far", "near"), [(10**30 + 1, 1), (-(10**30) - 1, 3), (2**63 - 1, 3)])
def test_a_shift_beyond_any_machine_word_goes_around(far: int, near: int) -> None:
    # 10 and 2 to such powers are multiples of 4
    assert np.array_equal(pattern_flows(f"shift:{far}", 4).target, pattern_flows(f"shift:{near}", 4).target)


@pytest.mark.parametrize(("word", "hosts"), [("shift:8", 4), ("transpose", 7), ("all-to-all", 1), ("neighbour", 0)])
def test_a_pattern_in_which_nobody_sends(word: str, hosts: int) -> None:
    with pytest.raises(InputError, match="nobody sends"):
        pattern_flows(word, hosts)
