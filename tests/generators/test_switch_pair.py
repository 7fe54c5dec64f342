"""Pairs of switches: the ports kept for hosts, and what their leaves may not state."""

from __future__ import annotations

from typing import Any

import pytest

import fabrictool as ft
from fabrictool.errors import InputError
from fabrictool.explore.proof import cable_ends
from fabrictool.fabric.counting import free_ports

SWITCH = {"name": "s", "ports": 32, "speed": "400G"}
HOST = {"name": "h", "gpus": 2, "nics": 2, "speed": "400G"}


def pair(hosts: int, **leaf: Any) -> Any:
    return ft.generators.switch_pair(hosts, HOST, isl=4, leaf={"type": SWITCH} | leaf)


def test_ports_kept_for_hosts_hold_the_links_between_in_place() -> None:
    small, grown = pair(5, down=20), pair(20, down=20)
    assert cable_ends(small) < cable_ends(grown)
    assert free_ports(small, 0) == {"leaf": 2 * (32 - 5 - 4)}
    assert not cable_ends(pair(5)) < cable_ends(pair(20))


@pytest.mark.parametrize(
    ("leaf", "message"),
    [
        ({"down": 3}, "down is 3, but 5 host ports are attached to a leaf; use 5 or more"),
        ({"down": 40}, "each leaf needs 44 cages, but s has 32"),
        ({"count": 3}, "3 leaves make no pair; remove it"),
        ({"up": 2}, "takes no 'up' of its leaves; remove it; 'isl' says how many links join the two"),
        ({"up_speed": "100G"}, "takes no 'up_speed' of its leaves"),
    ],
)
def test_what_a_pair_cannot_do_is_refused(leaf: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        pair(5, **leaf)


def test_two_leaves_may_be_stated() -> None:
    assert len(pair(5, count=2).links) == 14
