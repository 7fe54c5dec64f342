"""Fabrics from Python, without a layout file."""

from __future__ import annotations

from typing import Any

import pytest

import fabrictool as ft
from fabrictool.fabric.counting import network_counts

RAILS = {"name": "h", "gpus": 4, "nics": 4, "speed": "400G"}
PLANES = {"name": "h", "gpus": 4, "nics": 8, "speed": "400G"}


def _sw(ports: int) -> dict[str, Any]:
    return {"type": {"name": f"sw{ports}", "ports": ports, "speed": "400G"}}


@pytest.mark.parametrize(
    ("family", "hosts", "host", "keys", "switches"),
    [
        ("fat_tree", 16, None, {"k": 4, "leaf": _sw(4)}, 20),
        ("rail_optimized", 8, RAILS, {"scalable_unit": {"hosts": 4}, "leaf": _sw(8)}, 8 + 4),
        ("rail_only", 8, RAILS, {"leaf": _sw(8)}, 4),
        ("multi_plane", 8, PLANES, {"planes": 2, "scalable_unit": {"hosts": 4}, "leaf": _sw(8)}, 2 * (8 + 4)),
        ("dragonfly", 72, None, {"dragonfly": {"p": 2, "a": 4, "h": 2, "groups": 9}, "leaf": _sw(7)}, 36),
        (
            "dragonfly_plus",
            8,
            None,
            {
                "dragonfly_plus": {
                    "groups": 2, "leaves": 2, "spines": 2, "hosts_per_leaf": 2, "global_per_spine": 1,
                },
                "leaf": _sw(8),
            },
            8,
        ),
        ("slim_fly", 50, None, {"q": 5, "hosts_per_leaf": 1, "leaf": _sw(16)}, 50),
        ("switch_pair", 4, RAILS, {"isl": 2, "leaf": _sw(16)}, 2),
    ],
)  # fmt: skip
def test_closed_form_counts(
    family: str, hosts: int, host: dict[str, Any] | None, keys: dict[str, Any], switches: int
) -> None:
    fabric = getattr(ft.generators, family)(hosts, host, **keys)
    counts = network_counts(fabric)["compute"]
    assert counts["hosts"] == hosts
    assert sum(counts.get(kind, 0) for kind in ("leaf", "spine", "core", "router")) == switches


def test_errors_name_the_key() -> None:
    with pytest.raises(ft.FabrictoolError, match="k is 3, but half of k ports go up"):
        ft.generators.fat_tree(4, k=3, leaf=_sw(4))


def test_the_functions_are_listed_and_no_other_family_is_built() -> None:
    assert set(dir(ft.generators)) == {
        "dragonfly", "dragonfly_plus", "fat_tree", "multi_plane", "rail_only", "rail_optimized", "slim_fly",
        "switch_pair",
    }  # fmt: skip
    with pytest.raises(ft.InputError, match=r"builds a fat-tree network; remove it, or use generators\.slim_fly"):
        ft.generators.fat_tree(4, family="slim-fly", q=5, leaf=_sw(16))


def test_racks_of_hosts_are_counted_as_in_a_layout() -> None:
    shape = {"p": 8, "a": 16, "h": 8, "groups": 2}
    fabric = ft.generators.dragonfly(2, "gb200-nvl72", dragonfly=shape, leaf="qm9700")
    assert network_counts(fabric)["compute"]["hosts"] == 2 * 18


def test_a_fabric_shows_itself_in_a_line() -> None:
    shape = {"p": 2, "a": 4, "h": 2, "groups": 9}
    fabric = ft.generators.dragonfly(72, dragonfly=shape, leaf=_sw(7))
    assert repr(fabric) == "<Fabric dragonfly: 72 hosts, 36 switches, 162 links>"
