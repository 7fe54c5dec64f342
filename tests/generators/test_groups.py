"""Which groups global links join, and on which of a group's ports."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrictool.generators.groups import joined_pairs, places_in_group


def _per_pair(groups: int, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    assert (lower < upper).all()
    found = np.zeros((groups, groups), int)
    np.add.at(found, (lower, upper), 1)
    return found[np.triu_indices(groups, 1)]


@given(st.integers(2, 30), st.integers(0, 60))
def test_equal_groups_use_every_port_but_one_odd_one(groups: int, spare: int) -> None:
    each = groups - 1 + spare
    lower, upper, turn = joined_pairs(np.full(groups, each))
    links = _per_pair(groups, lower, upper)
    assert links.max() - links.min() <= 1
    assert len(lower) == groups * each // 2
    assert np.bincount(np.concatenate((lower, upper))).max() <= each
    assert (np.bincount(turn)[:-1] == groups * (groups - 1) // 2).all()


@given(
    st.integers(2, 12).flatmap(lambda groups: st.lists(st.integers(groups - 1, 40), min_size=groups, max_size=groups))
)
def test_unequal_groups_use_every_port_where_a_simple_graph_has_these_degrees(ports: list[int]) -> None:
    groups = len(ports)
    lower, upper, _ = joined_pairs(np.array(ports))
    links = _per_pair(groups, lower, upper)
    assert links.min() == min(ports) // (groups - 1)
    assert links.max() - links.min() <= 1
    used = np.bincount(np.concatenate((lower, upper)), minlength=groups)
    assert (used <= ports).all()
    beyond = np.array(ports) - links.min() * (groups - 1)
    if networkx.is_graphical(beyond.tolist()):
        assert used.tolist() == ports


@pytest.mark.parametrize("per_pair", [1, 2, 5])
def test_stated_links_of_each_pair(per_pair: int) -> None:
    lower, upper, _ = joined_pairs(np.full(6, 30), per_pair)
    assert (_per_pair(6, lower, upper) == per_pair).all()


def test_one_group_has_no_global_links() -> None:
    assert [len(column) for column in joined_pairs(np.array([8]))] == [0, 0, 0]


@pytest.mark.parametrize("groups", [2, 5, 8])
def test_arrangements_of_one_round(groups: int) -> None:
    """Hastings et al. 2015: port k leads to group own + k + 1, or to group k without one's own."""
    lower, upper, turn = joined_pairs(np.full(groups, groups - 1))
    owner, other = np.concatenate((lower, upper)), np.concatenate((upper, lower))
    turn = np.tile(turn, 2)
    relative = places_in_group(owner, other, turn, groups, "relative")
    absolute = places_in_group(owner, other, turn, groups, "absolute")
    for own in range(groups):
        mine = owner == own
        assert {k: (own + k + 1) % groups for k in range(groups - 1)} == dict(
            zip(relative[mine].tolist(), other[mine].tolist(), strict=True)
        )
        assert [to for to in range(groups) if to != own] == other[mine][np.argsort(absolute[mine])].tolist()
