"""What is said of collectives whose ranks do not reach each other."""

from __future__ import annotations

from pathlib import Path

import pytest

import fabrictool as ft
from fabrictool.layout.reading import layout_from_tree

TOPOLOGIES = Path(__file__).parents[2] / "topologies"
FT64, UNIT = str(TOPOLOGIES / "ft64.yaml"), str(TOPOLOGIES / "dgx-superpod-h100-1su.yaml")


def _fixes(*args: object, **options: object) -> set[str]:
    found = ft.score(*args, size="1GiB", **options)  # type: ignore[arg-type]
    return {row.fix for row in found.findings if row.id == "unreachable-ranks"}


@pytest.mark.parametrize(("layout", "link"), [(FT64, "h1-01:1"), (UNIT, "dgx-01:1")])
def test_a_rank_without_a_port_is_named_and_no_algorithm_is_advised(layout: str, link: str) -> None:
    fix = "mend what is down, or leave out the ranks without a port that is up: GPU 0"
    assert _fixes(layout, fail_links=link, collective="all-reduce", algorithm="ring") == {fix}


def test_a_leaf_without_uplinks_parts_its_ranks() -> None:
    uplinks = [f"leaf-01:{port}" for port in range(9, 17)]
    fix = "mend what is down, or leave out the ranks that it parts, or join the parts by switches"
    assert _fixes(FT64, fail_links=uplinks) == {fix}


def test_rails_that_nothing_joins_are_changed_inside_domains_where_there_are_any() -> None:
    kind = {"name": "h", "gpus": 2, "nics": 2, "speed": "100G", "scale_up": {"domain": 2, "speed": "1T"}}
    network = {"family": "rail-only", "rails": 2, "leaf": {"type": {"name": "s", "ports": 8, "speed": "100G"}}}
    network |= {"scalable_unit": {"hosts": 4}}
    tree = {"name": "r", "hosts": {"name": "n", "type": kind, "count": 4}, "networks": {"compute": network}}
    rails = "join the parts by switches"
    inside = f"choose an algorithm that changes rails inside domains, such as pxn or hierarchical, or {rails}"
    assert _fixes(layout_from_tree(tree), collective="all-reduce", algorithm="ring") == {inside}
    del kind["scale_up"]
    assert _fixes(layout_from_tree(tree), collective="all-reduce", algorithm="ring") == {rails}
