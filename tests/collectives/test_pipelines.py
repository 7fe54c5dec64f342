"""The double binary tree as data: its trees, what its flows bring where, and rounds that overlap."""

from __future__ import annotations

import numpy as np
import pytest

from fabrictool.collectives.entries import Group, Pipeline, Round, shift
from fabrictool.collectives.pipelines import double_binary_tree, overlapped, second_tree, tree_parents
from fabrictool.collectives.schedules import ALGORITHMS


def _depth(parents: np.ndarray) -> int:
    depth = 0
    for rank in range(len(parents)):
        steps, at = 0, rank
        while parents[at] >= 0:
            at, steps = int(parents[at]), steps + 1
            assert steps <= len(parents)
        depth = max(depth, steps)
    return depth


def test_trees_of_eight_and_of_seven_ranks() -> None:
    """NCCL's trees: 0 is the root, odd ranks are leaves; the second is mirrored for 8 and shifted for 7."""
    assert tree_parents(8).tolist() == [-1, 2, 4, 2, 0, 6, 4, 6]
    assert second_tree(tree_parents(8)).tolist() == [1, 3, 1, 7, 5, 3, 5, -1]
    assert tree_parents(7).tolist() == [-1, 2, 4, 2, 0, 6, 4]
    assert second_tree(tree_parents(7)).tolist() == [5, -1, 3, 5, 3, 1, 0]


@pytest.mark.parametrize("size", [2, 3, 4, 5, 8, 13, 64, 100, 1023])
def test_each_tree_has_two_children_at_most_and_few_levels(size: int) -> None:
    for parents in (tree_parents(size), second_tree(tree_parents(size))):
        assert np.count_nonzero(parents < 0) == 1
        assert np.bincount(parents[parents >= 0]).max() <= 2
        assert _depth(parents) <= np.ceil(np.log2(size)) + 1


@pytest.mark.parametrize("size", [2, 4, 6, 64, 1024])
def test_an_inner_rank_of_one_tree_is_a_leaf_of_the_other(size: int) -> None:
    parents = tree_parents(size)
    inner = [set(tree[tree >= 0].tolist()) for tree in (parents, second_tree(parents))]
    assert not inner[0] & inner[1]


def _in_order(one: Pipeline) -> list[Round]:
    """Return the rounds, having checked that each flow comes after all that it waits for."""
    assert (one._stages()[one.later] > one._stages()[one.earlier]).all()
    return list(one.rounds(0))


@pytest.mark.parametrize("size", [2, 3, 5, 8, 12, 33])
@pytest.mark.parametrize("chunks", [1, 3])
def test_every_rank_ends_with_what_all_ranks_had(size: int, chunks: int) -> None:
    """Played through on sets: upwards a rank adds what it receives, downwards it takes it over."""
    (one,) = double_binary_tree(Group(size, np.arange(size, dtype=np.int32), chunks=chunks))
    assert isinstance(one, Pipeline)
    edges = (size - 1) * chunks
    part = np.arange(4 * edges) // (2 * edges) * chunks + np.arange(4 * edges) % chunks
    down = np.arange(4 * edges) // edges % 2 == 1
    held = [[{rank} for _ in range(2 * chunks)] for rank in range(size)]
    for flow in np.argsort(one._stages(), kind="stable").tolist():
        block = int(part[flow])
        sent = held[one.source[flow]][block]
        held[one.target[flow]][block] = set(sent) if down[flow] else held[one.target[flow]][block] | sent
    everyone = set(range(size))
    assert all(block == everyone for blocks in held for block in blocks)
    assert one.share.sum() == pytest.approx(2 * (size - 1))


def test_rounds_of_a_pipeline_hold_each_flow_once_after_those_that_it_waits_for() -> None:
    (one,) = double_binary_tree(Group(9, np.arange(9, dtype=np.int32), chunks=4))
    assert isinstance(one, Pipeline)
    rounds = _in_order(one)
    assert sum(len(entry.source) for entry in rounds) == len(one.source) == 2 * 2 * 8 * 4


def test_overlapping_rounds_wait_for_what_their_sender_sent_and_received() -> None:
    one = overlapped(iter([shift(4, 1, 0.25, 2), shift(4, 2, 0.25)]), 4)
    assert one.source.tolist() == [0, 1, 2, 3] * 3
    waits: dict[int, set[int]] = {}
    for later, earlier in zip(one.later.tolist(), one.earlier.tolist(), strict=True):
        waits.setdefault(later, set()).add(earlier)
    assert waits[4] == {0, 3}  # rank 0 sent flow 0 and received flow 3
    assert waits[10] == {6, 5}
    assert 0 not in waits


def test_a_rank_that_sits_out_rounds_waits_for_its_last() -> None:
    schedule = ALGORITHMS["broadcast"]["binomial"].rounds(Group(8, np.arange(8, dtype=np.int32)))
    one = overlapped(schedule, 8)
    waits = dict(zip(one.later.tolist(), one.earlier.tolist(), strict=True))
    assert one.source.tolist() == [0, 0, 1, 0, 1, 2, 3]
    assert waits[5] == 1  # rank 2 received in the second round
