"""Two matchings: what making a mistake gains is what a recount of all links says."""

from __future__ import annotations

import as_built
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.cabling.board import DARK, LIT, Board, board_of
from fabrictool.cabling.planned import planned
from fabrictool.formats.recognise import imported


def _board(rng: np.random.Generator) -> Board:
    """The reference fabric with a fifth of its links elsewhere or dark."""
    found = imported(str(as_built.PLAN))
    assert found is not None
    plan = planned(found.fabric)
    seen = np.full(len(plan.ports), -1, np.int32)
    ends = np.array([(link.a, link.z) for link in plan.links], np.int32)
    some = rng.choice(len(ends), len(ends) // 5, replace=False)
    ends[some, 1] = ends[rng.permutation(some), 1]
    lit = ends[rng.random(len(ends)) > 0.05]
    seen[lit[:, 0]], seen[lit[:, 1]] = lit[:, 1], lit[:, 0]
    return board_of(plan, seen, np.where(seen >= 0, LIT, DARK).astype(np.int8))


def _agreeing(board: Board) -> int:
    """Slow twin: links that are where they are expected, counted one by one."""
    pairs = enumerate(board.expected.tolist())
    return sum(0 <= other == board.seen[port] for port, other in pairs) // 2


@given(seed=st.integers(0, 2**16), count=st.integers(2, 30))
@settings(max_examples=200, deadline=None)
def test_gain_is_what_a_recount_says(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    board = _board(rng)
    src = rng.choice(len(board.expected), count, replace=False).astype(np.int32)
    dst = rng.permutation(src).astype(np.int32)
    before = _agreeing(board)
    gain, broken, _ = board.gain(src, dst)
    board.apply(src, dst)
    assert _agreeing(board) - before == gain
    assert 0 <= broken <= before
    used = np.flatnonzero(board.expected >= 0)
    assert np.array_equal(board.expected[board.expected[used]], used)
    assert len(used) == 2 * len(board.plan.links)


def test_undoing_a_mistake_gives_the_plan_back() -> None:
    board = _board(np.random.default_rng(1))
    before = board.expected.copy()
    src = np.arange(0, 40, dtype=np.int32)
    dst = np.roll(src, 7)
    board.apply(src, dst)
    assert not np.array_equal(board.expected, before)
    board.apply(dst, src)
    assert np.array_equal(board.expected, before)


def test_cages_and_legs() -> None:
    board = _board(np.random.default_rng(2))
    names = [board.plan.port_name(port) for port in range(len(board.plan.ports))]
    one, two = names.index("leaf0:swp1s0"), names.index("leaf0:swp1s1")
    assert board.cage[one] == board.cage[two] != board.cage[names.index("leaf1:swp1s0")]
    assert (board.leg[one], board.leg[two], board.legs[one]) == (0, 1, 2)
    assert board.plan.cage_name(one) == "leaf0:swp1"
    assert board.legs[names.index("gpu01:rail0")] == 1


@pytest.mark.parametrize("seed", range(3))
def test_several_mistakes_that_meet_explain_everything(seed: int) -> None:
    """Exchanges of hosts, rails, ends and leaves, made one on top of the other, leave nothing unexplained."""
    from fabrictool.cabling.search import search

    rng = np.random.default_rng(seed)
    found = imported(str(as_built.PLAN))
    assert found is not None
    plan = planned(found.fabric)
    none = np.full(len(plan.ports), -1, np.int32)
    made = board_of(plan, none, np.zeros(len(none), np.int8))
    hosts = [row for row, device in enumerate(plan.devices) if device.tier == 0]
    for _ in range(4):
        one, two = rng.choice(hosts, 2, replace=False)
        a, z = (np.array(list(plan.devices[row].ports.values()), np.int32) for row in (one, two))
        made.apply(np.r_[a, z], np.r_[z, a])
        made.apply(a[[2, 5]], a[[5, 2]])
    board = board_of(plan, made.expected.copy(), np.where(made.expected >= 0, LIT, DARK).astype(np.int8))
    causes = search(board)
    assert np.array_equal(board.expected, made.expected)
    assert len(causes) <= 8


def test_a_reversal_of_an_odd_number_leaves_the_middle_alone() -> None:
    board = _board(np.random.default_rng(1))
    ports = np.array([link.a for link in board.plan.links[:5]], np.int32)
    moved = board.apply(ports, ports[::-1].copy())
    assert moved.tolist() == [0, 1, 3, 4]
