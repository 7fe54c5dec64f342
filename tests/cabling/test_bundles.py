"""Bundles of cables: sizes and names by hand, and what must be so of any."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import planned
import pytest

from fabrictool.cabling.report import PlanReport
from fabrictool.cabling.rows import cable_rows
from fabrictool.errors import InputError
from fabrictool.layout.reading import layout_from_tree

LEAF = planned.switch(64, cages=32, cage="OSFP")


def _tree(hosts: int = 30, per_rack: int = 5, **cabling: Any) -> dict[str, Any]:
    found = planned.tree(hosts, planned.host(u=4), LEAF, per_rack=per_rack, hosts_per_leaf=30)
    found["hall"] = {key: value for key, value in found["hall"].items() if key != "rows"}
    return found | {"cabling": cabling} if cabling else found


def test_bundles_are_filled_in_order() -> None:
    """30 hosts in racks of 5, a cable each, in bundles of 2: three from each rack, the last with one."""
    rows = list(cable_rows(planned.planned(_tree(bundle=2))))
    of_r01 = [row.bundle for row in rows if row.a.place.rack == "r01"]
    assert of_r01 == ["B-r01-r07-01", "B-r01-r07-01", "B-r01-r07-02", "B-r01-r07-02", "B-r01-r07-03"]


def test_the_usual_size_is_named() -> None:
    """30 cables between switches of one rack: 24 and 6."""
    report = PlanReport(planned.planned(_tree()))
    sizes = Counter(row.bundle for row in report.rows() if row.a.kind == "leaf")
    assert max(sizes.values()) == 24
    (said,) = [row for row in report.assumptions if row.what == "cables in a bundle"]
    assert said.value == "24 at most"
    assert not [row for row in PlanReport(planned.planned(_tree(bundle=24))).assumptions if "bundle" in row.what]


@pytest.mark.parametrize("most", [1, 3, 7, 24])
def test_no_bundle_is_larger_or_leaves_its_racks(most: int) -> None:
    cables: defaultdict[str, set[str]] = defaultdict(set)
    racks: defaultdict[str, set[frozenset[str]]] = defaultdict(set)
    for row in cable_rows(planned.planned(_tree(bundle=most))):
        cables[row.bundle].add(row.cable_id)
        racks[row.bundle].add(frozenset((row.a.place.rack, row.z.place.rack)))
    assert max(len(ids) for ids in cables.values()) == most
    assert {len(pairs) for pairs in racks.values()} == {1}
    pairs = Counter(next(iter(found)) for found in racks.values())
    for pair, count in pairs.items():
        total = sum(len(cables[name]) for name, found in racks.items() if pair in found)
        assert count == -(-total // most)  # no more bundles than needed


def test_without_racks_there_are_no_bundles() -> None:
    bare = {key: value for key, value in _tree().items() if key not in ("racks", "hall")}
    assert {row.bundle for row in cable_rows(planned.planned(bare))} == {""}


def test_a_bundle_holds_a_cable_at_least() -> None:
    with pytest.raises(InputError, match="bundle"):
        layout_from_tree(_tree(bundle=0))
